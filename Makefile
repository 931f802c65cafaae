# Pilothouse. `make demo` to look around, `make test` to see it tested; `make help` lists the rest.
SHELL := /bin/bash
.DEFAULT_GOAL := help
PYTHON ?= $(shell .ci/python)
BIN := .venv/bin
# One process more than there are cores: tests wait for pages, servers and starts about a third of their time.
JOBS ?= $(shell echo $$(($$(getconf _NPROCESSORS_ONLN) + 1)))
export PILOTHOUSE_PORT ?= 8420
# Compiled files are kept: the suite starts some hundred processes, and each would compile everything again.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help demo run test check bench lock clean

help: ## List what there is to make
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /  make \1|/' | column -t -s '|'

demo: .venv/run.stamp ## Run Pilothouse with a demo organisation (PILOTHOUSE_PORT, PILOTHOUSE_DATA, DATABASE_URL are honoured)
	@exec $(BIN)/pilothouse demo

run: .venv/run.stamp ## Run an empty, production-like instance
	@exec $(BIN)/pilothouse up

test: .venv/dev.stamp ## Run the whole suite
	@.ci/chromium
	@$(BIN)/python -m pytest -n $(JOBS) --dist loadgroup -q $(ARGS)

check: .venv/dev.stamp ## Lint, types, layers, dependencies, migrations, documentation
	@.ci/check $(BIN)

bench: .venv/bench.stamp ## Measure; prints a table and writes bench/results/*.json
	@$(BIN)/python -m bench $(ARGS)

lock: ## Write the lock files anew from pyproject.toml (needs uv)
	uv pip compile -q --universal --generate-hashes --no-header --no-annotate --python-version 3.11 pyproject.toml -o requirements.lock
	uv pip compile -q --universal --generate-hashes --no-header --no-annotate --python-version 3.11 --group dev -c requirements.lock pyproject.toml -o requirements-dev.lock
	uv pip compile -q --universal --generate-hashes --no-header --no-annotate --python-version 3.11 --group bench --group dev -c requirements-dev.lock pyproject.toml -o requirements-bench.lock
	echo uv | uv pip compile -q --universal --generate-hashes --no-header --no-annotate --python-version 3.11 - -o requirements-uv.lock

clean: ## Remove the virtual environment and caches; data folders stay
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

.venv/bin/python:
	@.ci/venv "$(PYTHON)"

# A stamp says which lock file is installed; a newer lock installs again.
.venv/run.stamp: requirements.lock pyproject.toml | .venv/bin/python
	@.ci/install requirements.lock && touch $@

.venv/dev.stamp: requirements-dev.lock requirements.lock pyproject.toml | .venv/bin/python
	@.ci/install requirements-dev.lock && touch $@ .venv/run.stamp

# One of the peers comes as source only.
.venv/bench.stamp: requirements-bench.lock .venv/dev.stamp
	@.ci/install requirements-bench.lock --no-binary business-duration && touch $@
