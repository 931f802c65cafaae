"""`pilothouse problems`: look now for what keeps coming back, list what was found."""

import json
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from pilothouse.problems.candidate_queries import Seen

Database = Callable[[], AbstractContextManager[None]]
FAILED = 1


def register(app: typer.Typer, database: Database, plainly: Callable[[Any], Any]) -> None:
    """Add the commands; `database` provides a set-up Django with its database, `plainly` explains errors."""
    problems = typer.Typer(help="Problems: look for what keeps coming back, list the candidates.", no_args_is_help=True)
    app.add_typer(problems, name="problems", rich_help_panel="Look")

    def look(most: Annotated[int, typer.Option(min=1, help="How many candidates the terminal shows.")] = 20) -> None:
        """Look over the tickets now, keep what is found as candidates, and print them as `pilothouse mine` does.

        Exit codes: 0 done, 1 the look broke off (the candidates stay as they were) or one is under way already.
        """
        with database():
            _look(most)

    def listed(
        as_json: Annotated[bool, typer.Option("--json", help="Print them as JSON, as REST answers them, with their evidence.")] = False,
        state: Annotated[str, typer.Option(help="open, dismissed, taken or gone.")] = "open",
        most: Annotated[int, typer.Option(min=1, help="How many candidates the terminal shows.")] = 20,
    ) -> None:
        """List the candidates of the last look; all teams, restricted ones too."""
        with database():
            _list(state, most, as_json=as_json)

    problems.command("look")(plainly(look))
    problems.command("list")(plainly(listed))


def _look(most: int) -> None:
    # After Django's settings.
    from pilothouse.platform import access, clock
    from pilothouse.platform.access import Source
    from pilothouse.problems import candidate_queries, looking
    from pilothouse.problems.actions.candidates import request_look

    actor = access.system(Source.CLI)
    run = request_look(actor=actor, now=clock.now())
    looking.look_or_wait(actor=actor, run_id=run.pk)
    run.refresh_from_db()
    if run.error:
        typer.echo(f"The look broke off; the candidates stay as they were. {run.error}", err=True)
        raise typer.Exit(FAILED)
    typer.echo(f"{run.ticket_count:,} tickets, {run.family_count:,} families, {run.group_count:,} groups looked at.")
    for remark in run.remarks:
        typer.echo(remark)
    _draw(candidate_queries.listed(actor), most)
    for each in run.imbalances[:most]:
        typer.echo(f"\nUneven ({each['what']}): {each['fact']} {_plain(each['value'])}. {_plain(each['words'])}.")


def _list(state: str, most: int, *, as_json: bool) -> None:
    # After Django's settings.
    from pilothouse.platform import access
    from pilothouse.platform.access import Source
    from pilothouse.problems import candidate_queries
    from pilothouse.problems.candidate_rest import shape
    from pilothouse.problems.models import CANDIDATE_STATES

    if state not in CANDIDATE_STATES:
        raise typer.BadParameter(f"one of {', '.join(CANDIDATE_STATES)}.", param_hint="--state")
    found = candidate_queries.listed(access.system(Source.CLI), state)
    if as_json:
        typer.echo(json.dumps([{**shape(each), "found": dict(each.found)} for each in found], indent=2, ensure_ascii=False))
    else:
        _draw(found, most)


def _draw(found: "list[Seen]", most: int) -> None:
    from rich.console import Console  # heavy start-up
    from rich.table import Table

    console = Console(highlight=False, markup=False, emoji=False)
    if not found:
        console.print("Nothing stands out beyond chance.")
        return
    table = Table(box=None, padding=(0, 2, 0, 0))
    table.add_column("Rank", justify="right")
    table.add_column("What", overflow="fold")
    table.add_column("Tickets", justify="right")
    table.add_column("Why this rank", overflow="fold")
    for each in found[:most]:
        reason = _plain(str(each.found.get("cost", {}).get("ranked_by", "")))
        table.add_row(str(each.row.rank), _plain(each.title), f"{each.row.ticket_count:,}", reason)
    console.print(table)
    if len(found) > most:
        console.print(f"… and {len(found) - most:,} more; --most shows them.")
    for each in found[:most]:
        console.print(f"\n{each.row.rank}. {_plain(each.title)}", style="bold")
        console.print(_plain(str(each.found.get("paragraph", ""))))


def _plain(text: str) -> str:
    """Return a text without what a terminal would obey."""
    return "".join(c if c.isprintable() else " " for c in text)
