"""`pilothouse morning`: the review in the terminal, by mail, as a PDF, as JSON."""

import json
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from pilothouse.platform.access import Actor

Database = Callable[[], AbstractContextManager[None]]
FAILED = 1


def register(app: typer.Typer, database: Database, plainly: Callable[[Any], Any]) -> None:
    """Add the command to the application; `database` provides a set-up Django with its database, `plainly` explains errors."""

    def command(
        person: Annotated[str, typer.Option("--for", help="Whose review, by e-mail address; without it, all tickets, in UTC.")] = "",
        mail: Annotated[bool, typer.Option("--mail", help="Mail it to that person instead.")] = False,
        pdf: Annotated[Path | None, typer.Option("--pdf", help="Write it to this file as a PDF instead.", dir_okay=False)] = None,
        as_json: Annotated[bool, typer.Option("--json", help="Print it as JSON.")] = False,
    ) -> None:
        """Print the morning review: what came in, what breached, what to act on first.

        It counts from the person's last review, or from 17:00 of the day before. Printing it neither marks nor ends anything.
        """
        if mail and not person:
            typer.echo("--mail needs --for: whom to mail it to.", err=True)
            raise typer.Exit(2)
        with database():
            _run(person, mail=mail, pdf=pdf, as_json=as_json)

    app.command("morning", rich_help_panel="Look")(plainly(command))


def _run(person: str, *, mail: bool, pdf: Path | None, as_json: bool) -> None:
    # After Django's settings.
    from rich.console import Console

    from pilothouse.morning import mailing, queries, telling, terminal
    from pilothouse.morning import pdf as paper
    from pilothouse.platform import clock

    actor, now = _whose(person), clock.now()
    if mail:
        mailing.send(actor, now=now)
        typer.echo(f"The review of {actor.name} is on its way to {person}.")
    shown = queries.morning(actor, now=now) if pdf or as_json or not mail else None
    if shown is not None and pdf is not None:
        pdf.write_bytes(paper.document(shown))
        typer.echo(f"{pdf}: {pdf.stat().st_size / 1024:.0f} kB.", err=as_json)
    if shown is not None and as_json:
        typer.echo(json.dumps(telling.as_data(shown), indent=2, ensure_ascii=False))
    elif shown is not None and pdf is None:
        terminal.draw(shown, Console(highlight=False, markup=False, emoji=False))


def _whose(email: str) -> "Actor":
    from pilothouse.people.models import User  # after Django's settings
    from pilothouse.people.queries import actor_of
    from pilothouse.platform.access import Source, system
    from pilothouse.platform.refusals import Missing

    if not email:
        return system(Source.CLI)
    found = User.objects.filter(email__iexact=email, is_active=True).values_list("pk", flat=True).first()
    actor = actor_of(found, source=Source.CLI) if found else None
    if actor is None:
        raise Missing(f"There is nobody with the address {email} who can sign in.")
    return actor
