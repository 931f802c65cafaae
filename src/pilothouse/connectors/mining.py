"""`pilothouse mine`: what keeps coming back in an export, read without a server or a database."""

import json
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from pilothouse.connectors.command import Database, text_of
from pilothouse.connectors.engine.formats import Reading, open_table
from pilothouse.connectors.engine.mapping_file import prepared
from pilothouse.connectors.engine.profiles import Profile, find_profile
from pilothouse.connectors.engine.tables import BadFile, Table
from pilothouse.connectors.profiles import PROFILES

if TYPE_CHECKING:
    from pilothouse.connectors.engine.ticket_columns import Read
    from pilothouse.problems.engine.columns import Changes, CIGraph

Found = TypeVar("Found")
FAILED, USAGE, SOME_REJECTED = 1, 2, 3
_SAMPLE = 500


def register(app: typer.Typer, database: Database, plainly: Callable[[Any], Any]) -> None:
    """Add the command to the application; `database` is not asked for. `plainly` explains errors."""

    def command(
        file: Annotated[Path, typer.Argument(help="CSV, XLSX or JSON; it may be packed as .gz.", dir_okay=False)],
        profile: Annotated[str, typer.Option(help=f"How the file is read: {', '.join(PROFILES)}; without it, its columns tell.")] = "",
        mapping: Annotated[
            Path | None, typer.Option("--map", "--mapping", help="A mapping file (TOML), as for `pilothouse import`.")
        ] = None,
        changes: Annotated[Path | None, typer.Option(help="A file of changes, for hints at causes.", dir_okay=False)] = None,
        cis: Annotated[Path | None, typer.Option(help="A file of CIs with their attributes.", dir_okay=False)] = None,
        relations: Annotated[Path | None, typer.Option(help="A file of CIs and what each depends on: two columns.", dir_okay=False)] = None,
        as_json: Annotated[bool, typer.Option("--json", help="Print everything as JSON.")] = False,
        html: Annotated[Path | None, typer.Option("--html", help="Write one self-contained page with charts.", dir_okay=False)] = None,
        most: Annotated[int, typer.Option(min=1, help="How many candidates the terminal shows.")] = 20,
    ) -> None:
        """Find what keeps coming back in a file of tickets: what, where, since when, how often, how sure, at what cost.

        Needs no server and no database; nothing is imported.
        Exit codes: 0 done, 1 failed, 2 wrong usage, 3 done, but some rows could not be read.
        """
        try:
            read = _read(file, profile, mapping)
            beside = _beside(changes, cis, relations, read.time_zone)
        except BadFile as fault:
            typer.echo(str(fault), err=True)
            raise typer.Exit(USAGE if profile and profile not in PROFILES else FAILED) from None
        _show(read, beside, file, as_json=as_json, html=html, most=most)
        if read.rejects:
            typer.echo(f"{len(read.rejects):,} of {read.rows:,} rows could not be read. {_told(read)}", err=True)
            raise typer.Exit(SOME_REJECTED)

    app.command("mine", rich_help_panel="Look")(plainly(command))


def _read(file: Path, name: str, mapping: Path | None) -> "Read":
    from pilothouse.connectors.engine import ticket_columns  # heavy start-up

    text = text_of(mapping)
    chosen = prepared(find_profile(PROFILES, name), mapping=text) if name else prepared(PROFILES["generic"], mapping=text) if text else None
    try:
        with file.open("rb") as stream:
            if chosen is None:
                table = open_table(stream, file.name)
                chosen = ticket_columns.choose(PROFILES.values(), table.header, list(islice(table.rows, _SAMPLE)), file.name)
                stream.seek(0)
            return ticket_columns.read(chosen, open_table(stream, file.name, _reading(chosen)), file.name)
    except OSError as error:
        raise BadFile(f"{file}: {error.strerror}.") from error


def _told(read: "Read") -> str:
    from pilothouse.connectors.engine.ticket_columns import told  # heavy start-up

    return told(read.rejects[0])


def _reading(profile: Profile) -> Reading:
    first = profile.mappings[0]
    return Reading(first.encoding, first.delimiter, first.sheet)


def _beside(changes: Path | None, cis: Path | None, relations: Path | None, time_zone: str) -> "tuple[CIGraph, Changes]":
    """Read what surrounds the tickets; whatever is not given is empty."""
    # Heavy start-up.
    from pilothouse.connectors.engine.surrounding_columns import ReadChanges, read_changes, read_cis, read_relations
    from pilothouse.problems.engine.columns import Changes, CIGraph

    found = _table(changes, partial(read_changes, time_zone=time_zone)) if changes else ReadChanges(Changes(), 0)
    if found.passed_over:
        typer.echo(f"{changes}: {found.passed_over:,} rows without a number or a time that can be read were passed over.", err=True)
    return CIGraph(_table(cis, read_cis) if cis else {}, _table(relations, read_relations) if relations else ()), found.changes


def _table(path: Path, reader: "Callable[[Table, str], Found]") -> "Found":
    try:
        with path.open("rb") as stream:
            return reader(open_table(stream, path.name), path.name)
    except OSError as error:
        raise BadFile(f"{path}: {error.strerror}.") from error
    except BadFile as fault:
        raise BadFile(str(fault) if str(fault).startswith(path.name) else f"{path.name}: {fault}") from fault


def _show(read: "Read", beside: "tuple[CIGraph, Changes]", file: Path, *, as_json: bool, html: Path | None, most: int) -> None:
    # Heavy start-up.
    from rich.console import Console

    from pilothouse.problems import data, report, terminal
    from pilothouse.problems.engine.mine import mine

    mined = mine(read.tickets, *beside)
    mined = replace(mined, remarks=(*read.remarks, *mined.remarks))
    if html is not None:
        try:
            html.write_text(report.document(mined, file.name), encoding="utf-8")
        except OSError as error:
            typer.echo(f"{html}: {error.strerror}.", err=True)
            raise typer.Exit(FAILED) from None
        typer.echo(f"{html}: {html.stat().st_size / 1024:,.0f} kB, {len(mined.findings):,} candidates.", err=as_json)
    if as_json:
        typer.echo(json.dumps(data.as_data(mined), indent=2, ensure_ascii=False))
    elif html is None:
        console = Console(highlight=False, markup=False, emoji=False)
        console.print(f"Read as: {read.profile}.")
        terminal.draw(mined, console, most=most)
