"""Check the documentation against the source: what is not documented fails the build. Run by `make check`."""

import os
import re
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
DOCS, SOURCE = ROOT / "docs", ROOT / "src" / "pilothouse"
PAGES = [*sorted(ROOT.glob("*.md")), *sorted(DOCS.rglob("*.md"))]
_LINK = re.compile(r"(?<!!)\[[^\]\[]*\]\(([^)\s]+)\)")
_SETTING = re.compile(r"\b(PILOTHOUSE_[A-Z_]+[A-Z]|DATABASE_URL)\b")
_KEYS = re.compile(r'shortcut\(\{ *key: "[^"]+",(?: shown: \[[^\]]*\],)? label: "([^"]+)"')


def page(name: str) -> str:
    """Return a page of the documentation, or nothing when it is not there (its absence is told once)."""
    path = DOCS / name
    return path.read_text() if path.exists() else ""


def missing_pages() -> Iterator[str]:
    for name in (
        "index.md",
        "settings.md",
        "cli.md",
        "rest.md",
        "queue-language.md",
        "keyboard.md",
        "journal.md",
        "roles.md",
        "benchmarks.md",
    ):
        if not page(name):
            yield f"docs/{name} is missing"


def settings() -> Iterator[str]:
    """Every environment variable that the source reads is in settings.md, and every one there is read."""
    read = {name for path in SOURCE.rglob("*.py") for name in _SETTING.findall(path.read_text())}
    told = set(_SETTING.findall(page("settings.md")))
    yield from (f"docs/settings.md does not tell of {name}" for name in sorted(read - told))
    yield from (f"docs/settings.md tells of {name}, which nothing reads" for name in sorted(told - read))


def commands() -> Iterator[str]:
    """Every command of the command line is in cli.md, and every command named there is one."""
    import typer

    from pilothouse import cli

    cli.register_rooms()
    there = set(_command_names(typer.main.get_command(cli.app), "pilothouse"))
    text = page("cli.md")
    yield from (f"docs/cli.md does not tell of `{name}`" for name in sorted(there) if not re.search(rf"`{name}[ `]", text))
    for told in re.findall(r"^\| `(pilothouse [a-z-]+(?: [a-z-]+)?)", text, re.MULTILINE):
        if told not in there:
            yield f"docs/cli.md tells of `{told}`, which is no command"


def _command_names(group: Any, before: str) -> Iterator[str]:
    for name, command in group.commands.items():
        if getattr(command, "commands", None):
            yield from _command_names(command, f"{before} {name}")
        elif not command.hidden:
            yield f"{before} {name}"


def rest_paths() -> Iterator[str]:
    """Every path of the OpenAPI document is in rest.md."""
    from pilothouse.api.root import api

    text = re.sub(r"`([^`\n]+)`, `…(/[^`]*)`", r"`\1`, `\1\2`", page("rest.md").replace("/…/", "/{}/"))  # a table may shorten
    text = re.sub(r"\{[^}]*\}", "{}", text)
    for path in sorted(api.get_openapi_schema(path_prefix="/api/v1/")["paths"]):
        bare = re.sub(r"\{[^}]*\}", "{}", path.removeprefix("/api/v1"))
        if bare not in text:
            yield f"docs/rest.md does not tell of {path}"


def queue_fields() -> Iterator[str]:
    """Every field of the queue language is in queue-language.md."""
    from pilothouse.tickets.engine.fields import FIELDS

    text = page("queue-language.md")
    for field in FIELDS:
        if f"`{field.name}`" not in text and f"`{field.name}:" not in text:
            yield f"docs/queue-language.md does not tell of the field {field.name}"


def keys() -> Iterator[str]:
    """Every key that a page registers is in keyboard.md."""
    text = page("keyboard.md")
    for path in sorted(SOURCE.rglob("*.js")):
        for label in _KEYS.findall(path.read_text()):
            if label not in text:
                yield f"docs/keyboard.md does not tell of “{label}” ({path.name})"


def links() -> Iterator[str]:
    """Every relative link leads to a file, and every page is reached from somewhere."""
    reached = {DOCS / "index.md", ROOT / "README.md"}
    for path in PAGES:
        for target in _LINK.findall(re.sub(r"`[^`\n]*`", "", path.read_text())):
            if re.match(r"[a-z]+:", target) or target.startswith("#"):
                continue
            found = (path.parent / target.partition("#")[0]).resolve()
            reached.add(found)
            if not found.exists():
                yield f"{path.relative_to(ROOT)}: the link to {target} leads nowhere"
    for path in PAGES:
        if path.resolve() not in reached and path.parent != DOCS / "decisions" and path.parent == DOCS:
            yield f"{path.relative_to(ROOT)}: no page links to it"


def main() -> int:
    """Run every check; print what is wrong; return the exit code."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "pilothouse.platform.settings")
    os.environ.setdefault("PILOTHOUSE_DATA", tempfile.mkdtemp())
    import django  # not before the settings' environment is there

    django.setup()
    checks = (missing_pages, settings, commands, rest_paths, queue_fields, keys, links)
    faults = [fault for check in checks for fault in check()]
    print("\n".join(faults) or "The documentation is complete.")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
