"""`pilothouse sla`: prove a ticket's clocks, try a change out on past tickets, look at the forecast, count anew."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Annotated, Any

import typer

Database = Callable[[], AbstractContextManager[None]]
Counting = Callable[[str, int], AbstractContextManager[Callable[[int], None]]]


def register(app: typer.Typer, database: Database, plainly: Callable[[Any], Any], counting: Counting) -> None:
    """Add the commands; `database` provides a set-up Django with its database, `plainly` explains errors, `counting` shows progress."""
    sla = typer.Typer(help="Service levels: prove a clock, try a change out, count anew.", no_args_is_help=True)
    app.add_typer(sla, name="sla", rich_help_panel="Look")

    def explain(
        number: Annotated[str, typer.Argument(help="The ticket's number, for instance INC0001234.")],
        as_json: Annotated[bool, typer.Option("--json", help="Print it as JSON, as REST answers it.")] = False,
    ) -> None:
        """Prove a ticket's clocks: each span with the journal entry behind it, its arithmetic, the sum; and why there is none."""
        with database():
            _explain(number, as_json=as_json)

    def what_if(
        file: Annotated[Path, typer.Argument(help="A JSON file: agreements, schedules, or both, by key.", exists=True, dir_okay=False)],
        days: Annotated[int, typer.Option(min=1, max=3660, help="Tickets opened within so many days.")] = 90,
        as_json: Annotated[bool, typer.Option("--json", help="Print it as JSON.")] = False,
    ) -> None:
        """Say what a change of agreements or schedules would have done to past tickets. Nothing is saved."""
        with database():
            _what_if(file, days=days, as_json=as_json, counting=counting)

    def forecast_report(as_json: Annotated[bool, typer.Option("--json", help="Print it as JSON.")] = False) -> None:
        """Say what judges open tickets, and how well it did on tickets that it had not seen; all teams, restricted ones too."""
        with database():
            import json  # with the report after Django's settings

            from pilothouse.sla import forecast_report as report

            values = json.dumps(report.report_values(), indent=2, ensure_ascii=False) if as_json else report.report_text()
            typer.echo(values)

    def recount() -> None:
        """Count every ticket's clocks anew from its stored life, in portions; people go on working. It should change nothing."""
        with database():
            from pilothouse.sla import recounting  # after Django's settings
            from pilothouse.sla.models import Life

            with counting("Counting", Life.objects.count()) as counted:
                total = recounting.everything(counted)
            typer.echo(f"{total:,} tickets were counted anew.")

    sla.command("explain")(plainly(explain))
    sla.command("what-if")(plainly(what_if))
    sla.command("forecast-report")(plainly(forecast_report))
    sla.command("recount")(plainly(recount))


def _what_if(file: Path, *, days: int, as_json: bool, counting: Counting) -> None:
    from pilothouse.sla import what_if_command  # after Django's settings

    with counting("Judging", what_if_command.size(days)) as counted:
        typer.echo(what_if_command.tell(file, days=days, as_json=as_json, progress=counted))


def _explain(number: str, *, as_json: bool) -> None:
    # After Django's settings.
    import json

    from rich.console import Console

    from pilothouse.platform import access, clock
    from pilothouse.platform.access import Source
    from pilothouse.sla import explaining, terminal
    from pilothouse.sla.rest import shape
    from pilothouse.tickets.access import get_ticket

    actor = access.system(Source.CLI)
    ticket = get_ticket(actor, number)
    found = explaining.explain(actor, ticket, now=clock.now())
    if as_json:
        typer.echo(json.dumps(shape(found), indent=2, ensure_ascii=False))
    else:
        terminal.show(found, Console(highlight=False))
