"""The benchmarks: `python -m bench` (or `make bench`). What is measured and how: docs/benchmarks.md."""
