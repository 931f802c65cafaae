"""`pilothouse import`: files of another system become tickets with their history."""

import os
import tempfile
from collections.abc import Callable
from contextlib import AbstractContextManager
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

from pilothouse.connectors.engine.formats import Reading, open_table
from pilothouse.connectors.engine.mapping_file import prepared
from pilothouse.connectors.engine.profiles import Profile, find_profile
from pilothouse.connectors.engine.suggest import suggest
from pilothouse.connectors.engine.tables import BadFile
from pilothouse.connectors.profiles import PROFILES

if TYPE_CHECKING:
    from pilothouse.connectors.importing import Report

FAILED, USAGE, SOME_REJECTED = 1, 2, 3
_SAMPLE = 500
_NAMES_SHOWN = 8
_WORDS = {"person": "people", "team": "groups", "service": "services", "ci": "CIs", "category": "categories"}
_console = Console(stderr=True)
Database = Callable[[], AbstractContextManager[None]]


def register(app: typer.Typer, database: Database, plainly: Callable[[Any], Any]) -> None:
    """Add the command to the application; `database` provides a set-up Django with its database, `plainly` explains errors."""

    def command(
        profile: Annotated[str, typer.Argument(help=f"How the files are read: {', '.join(PROFILES)}.")],
        files: Annotated[list[Path], typer.Argument(help="CSV, XLSX or JSON; each may be packed as .gz.", metavar="FILE...")],
        dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would happen; write nothing.")] = False,
        mapping: Annotated[Path | None, typer.Option(help="A mapping file (TOML): columns, values, dates, time zone.")] = None,
        suggested: Annotated[bool, typer.Option("--suggest", help="Draft a mapping file from the first file, print it, and end.")] = False,
        rejects: Annotated[Path | None, typer.Option(help="Where rejected rows are listed (default: beside the first file).")] = None,
        time_zone: Annotated[str, typer.Option(help="The zone of the files' times, for instance Europe/Lisbon (default UTC).")] = "",
        encoding: Annotated[str, typer.Option(help="The files' encoding, where it is not told rightly.")] = "",
        delimiter: Annotated[str, typer.Option(help="What stands between columns, where it is not told rightly.")] = "",
        sheet: Annotated[str, typer.Option(help="Which sheet of a workbook (default: the first).")] = "",
    ) -> None:
        """Import tickets with their history from files of another system.

        What was imported before is passed over, so that a run that was cut off is simply run again.
        Exit codes: 0 done, 1 failed, 2 wrong usage, 3 done, but some rows were rejected.
        """
        try:
            chosen = find_profile(PROFILES, profile)
        except BadFile as fault:
            _stop(str(fault), USAGE)
        try:
            if suggested:
                typer.echo(_suggestion(files[0], Reading(encoding, delimiter, sheet)), nl=False)
                return
            chosen = prepared(chosen, mapping=text_of(mapping), time_zone=time_zone, encoding=encoding, delimiter=delimiter, sheet=sheet)
            with database():
                report, listed = _run(chosen, files, dry_run, rejects)
        except BadFile as fault:
            _stop(str(fault), FAILED)
        _show(report, chosen, dry_run, listed)
        if report.counts["rejected"]:
            raise typer.Exit(SOME_REJECTED)

    app.command("import", rich_help_panel="Data")(plainly(command))


def _stop(message: str, code: int) -> None:
    typer.echo(message, err=True)
    raise typer.Exit(code)


def text_of(path: Path | None) -> str:
    """Return a mapping file's text; nothing without one. BadFile says why it cannot be read."""
    if path is None:
        return ""
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise BadFile(f"{path}: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise BadFile(f"{path} is not UTF-8 text.") from error


def _suggestion(path: Path, reading: Reading) -> str:
    try:
        with path.open("rb") as stream:
            table = open_table(stream, path.name, reading)
            return suggest(
                table.header, [row.cells for row in islice(table.rows, _SAMPLE) if not row.fault], system=path.name.split(".")[0]
            )
    except OSError as error:
        raise BadFile(f"{path}: {error.strerror}.") from error


def _run(profile: Profile, files: list[Path], dry: bool, rejects: Path | None) -> "tuple[Report, Path]":
    # After Django's settings.
    from pilothouse.connectors.importing import Request
    from pilothouse.connectors.runs import run_here
    from pilothouse.platform import access

    beside = Path(f"{files[0].name}.rejects.csv")
    listed = rejects or (Path(tempfile.gettempdir()) / beside if dry else files[0].with_name(beside.name))
    if files[0].exists() and not os.access(listed.parent, os.W_OK):
        raise BadFile(f"Rejected rows cannot be listed in {listed.parent}, which cannot be written to; say where with --rejects FILE.")
    request = Request(profile, files, dry=dry, rejects=listed)
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeElapsedColumn())
    with Progress(*columns, console=_console, transient=True) as bar:
        task = bar.add_task("Reading")

        def progress(stage: str, done: int, total: int) -> None:
            bar.update(task, description=f"{stage.capitalize():8}", completed=done, total=max(total, 1))

        return run_here(actor=access.system(access.Source.IMPORT), request=request, progress=progress), listed


def _show(report: "Report", profile: Profile, dry: bool, listed: Path) -> None:
    counts = report.counts
    would = "would be " if dry else ""
    lines = [f"{counts['rows']:,} rows read in {report.seconds:.1f} s; times are in {profile.mappings[0].time_zone}."]
    if not counts["entries"] and not counts["rejected"]:
        lines.append("Nothing is new: every row came in before.")
    else:
        new, continued = f"{counts['tickets_new']:,}", f"{counts['tickets_continued']:,}"
        lines.append(f"{new} tickets {would}new, {continued} {would}continued: {counts['entries']:,} entries.")
        if counts["rows_known"]:
            lines.append(f"{counts['rows_known']:,} rows came in before.")
    for kind, names in report.added.items():
        shown = ", ".join(names[:_NAMES_SHOWN]) + (", …" if len(names) > _NAMES_SHOWN else "")
        lines += [f"{len(names):,} unknown {_WORDS[kind]} {would}added, inactive: {shown}"] if names else []
    lines += [f"Note: {text} ({count:,}×)" for text, count in report.warnings.items()]
    if counts["rejected"]:
        lines.append(f"{counts['rejected']:,} rows rejected; {listed} says why.")
    typer.echo("\n".join(lines))
