"""The `pilothouse` command.

Exit codes that scripts can trust: 0 done, 1 refused or failed, 2 wrong usage, 3 done in part (some rows were rejected), 4 the
environment does not allow it (port taken, folder in use, database away).

Django is heavy to start: commands import what needs it when they run, so that `--help` and `up` itself stay light.
"""

import contextlib
import functools
import os
import shutil
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn, ParamSpec, TypeVar

import typer

from pilothouse import __version__
from pilothouse.platform import embedded, supervisor
from pilothouse.platform.garbage import without_collecting
from pilothouse.platform.places import data_folder

if TYPE_CHECKING:
    from datetime import datetime

    from django.db.models import QuerySet

    from pilothouse.people.models import User
    from pilothouse.platform.access import Actor

FAILED, PARTLY, ENVIRONMENT = 1, 3, 4
_ADDRESS = "127.0.0.1"

app = typer.Typer(
    name="pilothouse",
    help="Pilothouse: the room IT operations is run from.\n\n"
    "Start with `pilothouse demo` to look around, or `pilothouse up` for an instance of your own.",
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Exit codes: 0 done, 1 refused or failed, 2 wrong usage, 3 done in part, 4 the environment does not allow it.",
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
user_app = typer.Typer(help="People who sign in: add, list, set a password, deactivate.", no_args_is_help=True)
journal_app = typer.Typer(help="The journal: verify its chains.", no_args_is_help=True)
app.add_typer(user_app, name="user", rich_help_panel="Care")
app.add_typer(journal_app, name="journal", rich_help_panel="Care")

_P = ParamSpec("_P")
_R = TypeVar("_R")


def stop(message: str, code: int) -> NoReturn:
    """End the command with a message on standard error and an exit code."""
    typer.secho(message, err=True, fg=typer.colors.RED if sys.stderr.isatty() else None)
    raise typer.Exit(code)


def _plainly(work: Callable[_P, _R]) -> Callable[_P, _R]:
    """Turn what can be expected to go wrong into a message and an exit code instead of a traceback."""

    @functools.wraps(work)
    def done(*arguments: _P.args, **named: _P.kwargs) -> _R:
        try:
            return work(*arguments, **named)
        except (supervisor.EnvironmentRefused, embedded.DatabaseRefused) as refusal:
            stop(str(refusal), ENVIRONMENT)
        except KeyboardInterrupt:
            stop("Stopped.", 130)
        except (typer.Exit, typer.Abort):
            raise
        except Exception as error:
            _explain(error)
            raise

    return done


def _explain(error: Exception) -> None:
    """Stop with a message when the error is one of ours or the database's; return when it is a fault of the program."""
    import psycopg  # heavy start-up: only when something went wrong
    from django.db.utils import InterfaceError, OperationalError

    from pilothouse.platform.backup import BackupRefused
    from pilothouse.platform.refusals import Refused, first_line

    if isinstance(error, Refused):
        stop("\n".join([error.message, *(f"  {e.field}: {e.message} {e.hint}".rstrip() for e in error.errors)]), FAILED)
    if isinstance(error, BackupRefused):
        stop(str(error), FAILED)
    if isinstance(error, psycopg.errors.DiskFull) or isinstance(error.__cause__, psycopg.errors.DiskFull):
        stop("The database's disk is full. Nothing half-done was kept; make room and run the command again.", ENVIRONMENT)
    if isinstance(error, (OperationalError, InterfaceError, psycopg.OperationalError)):
        where = "DATABASE_URL" if os.environ.get("DATABASE_URL") else "`pilothouse up` for this data folder (is it running?)"
        stop(f"The database cannot be reached: {first_line(error)}\nLook at {where}; `pilothouse doctor` says more.", ENVIRONMENT)


def _django() -> None:
    """Set Django up; a second time it does nothing."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "pilothouse.platform.settings")
    with without_collecting():
        import django  # heavy start-up

        django.setup(set_prefix=False)


@contextlib.contextmanager
def _database() -> Iterator[None]:
    """Provide the instance's database to a command: the running one, or the embedded one, started for as long as it takes."""
    data = data_folder()
    if os.environ.get("DATABASE_URL") or embedded.running(embedded.cluster(data)) is not None:
        _django()
        yield
        return
    if not (embedded.cluster(data).files / "PG_VERSION").exists():
        raise supervisor.EnvironmentRefused(f"There is no instance in {data} yet. Make one with `pilothouse up` or `pilothouse demo`.")
    with supervisor.locked(data) as lock:
        supervisor.note(lock, "a command that needs the database")
        _, server = embedded.start(data)
        try:
            _django()
            yield
        finally:
            from django.db import connections  # heavy start-up

            connections.close_all()
            embedded.stop(server)


def _now() -> "datetime":
    from pilothouse.platform import clock  # after Django's settings

    return clock.now()


def _actor() -> "Actor":
    from pilothouse.platform.access import Source, system  # after Django's settings

    return system(Source.CLI)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"Pilothouse {__version__}")
        raise typer.Exit


@app.callback()
def root(
    version: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and stop.")] = False,
) -> None:
    """Keep the options that stand before a command."""


_Host = Annotated[str, typer.Option("--host", envvar="PILOTHOUSE_HOST", help="Address to listen on; 0.0.0.0 for all of them.")]
_Port = Annotated[int, typer.Option("--port", "-p", envvar="PILOTHOUSE_PORT", help="Port to listen on.")]
_Web = Annotated[int, typer.Option("--web", envvar="PILOTHOUSE_WEB_PROCESSES", min=0, help="Web processes; 0 means one for two cores.")]
_Workers = Annotated[int, typer.Option("--workers", envvar="PILOTHOUSE_WORKERS", min=0, help="Worker processes.")]


def _web_processes(wanted: int) -> int:
    return wanted or max(1, min(8, (os.cpu_count() or 1) // 2))


def _up(host: str, port: int, web: int, workers: int, *, ready: Callable[[str, bool], None], first: Sequence[str] = ()) -> None:
    data = data_folder()
    with supervisor.locked(data) as lock:
        listening = supervisor.listen(host, port)
        supervisor.note(lock, supervisor.address_of(listening))
        tree = supervisor.Tree(
            data, listening=listening, web=_web_processes(web), workers=workers, database_url=os.environ.get("DATABASE_URL") or None
        )
        code = tree.run(on_ready=ready, first=first)
    supervisor.say("Pilothouse has stopped; everything is kept.")
    raise typer.Exit(code)


def _ourselves() -> str:
    """Return the command as this person has to type it: its path where it is not on the search path."""
    return "pilothouse" if shutil.which("pilothouse") else sys.argv[0]


@app.command(rich_help_panel="Run")
@_plainly
def up(host: _Host = _ADDRESS, port: _Port = 8420, web: _Web = 0, workers: _Workers = 1) -> None:
    """Run the whole instance: database, web and worker in one process tree. Ctrl-C stops it, keeping everything.

    With DATABASE_URL set, that PostgreSQL is used and no embedded one is started.
    """

    def ready(address: str, nobody: bool) -> None:
        supervisor.say(f"Pilothouse runs at {address} (data: {data_folder()}). Ctrl-C stops it.")
        if nobody:
            supervisor.say(
                "Nobody can sign in yet. Make the first administrator:"
                f" {_ourselves()} user add you@example.org --name You --role administrator"
            )

    _up(host, port, web, workers, ready=ready)


@app.command(rich_help_panel="Run")
@_plainly
def demo(
    tickets: Annotated[int, typer.Option(min=1, help="How many tickets, exactly.")] = 60_000,
    seed: Annotated[int, typer.Option(help="The same seed and end give the same data.")] = 7,
    days: Annotated[int, typer.Option(min=7, max=3650, help="Over how many days.")] = 400,
    until: Annotated[str, typer.Option(help="When the data end: an ISO instant; by default the current hour.")] = "",
    force: Annotated[bool, typer.Option("--force", help="Load beside tickets that are not the demo's.")] = False,
    only_load: Annotated[bool, typer.Option("--only-load", help="Load and end, instead of running on.")] = False,
    host: _Host = _ADDRESS,
    port: _Port = 8420,
    web: _Web = 0,
    workers: _Workers = 1,
) -> None:
    """Run an instance with a demo organisation: an insurer with 400 days of tickets. It is loaded once.

    A load that was cut off goes on where it stood. The data folder gets demo-facts.md: what is hidden in the data.
    """
    if only_load:
        return _load_demo(tickets, seed, days, until, force=force)

    def ready(address: str, nobody: bool) -> None:
        from pilothouse.demo.sign_ins import sign_ins  # only this command needs it

        supervisor.say(f"{sign_ins()}\nPilothouse runs at {address} (data: {data_folder()}). Ctrl-C stops it.")

    first = ["demo", "--only-load", f"--tickets={tickets}", f"--seed={seed}", f"--days={days}", f"--until={until}"]
    return _up(host, port, web, workers, ready=ready, first=[*first, "--force"] if force else first)


def _load_demo(tickets: int, seed: int, days: int, until: str, *, force: bool) -> None:
    from datetime import UTC, datetime  # the demo alone reads an instant

    try:
        end = datetime.fromisoformat(until) if until else None
    except ValueError:
        stop(f"--until {until}: this is not an ISO instant, for instance 2026-11-23T09:00+00:00.", 2)
    with _database():
        from pilothouse.demo.command import Arguments, fill  # after Django's settings

        end = (end if end.tzinfo else end.replace(tzinfo=UTC)) if end else _now()
        filled = fill(arguments=Arguments(seed, tickets, days, end), data=data_folder(), now=_now(), force=force)
    held = filled.arguments
    supervisor.say(
        f"The demo organisation is {'there already' if filled.was_there else 'loaded'}: {held.tickets:,} tickets over {held.days} days"
        f" until {held.until:%Y-%m-%d %H:%M} UTC, seed {held.seed}. What is hidden in it: {data_folder() / 'demo-facts.md'}"
    )


@app.command(rich_help_panel="Run")
@_plainly
def web(host: _Host = _ADDRESS, port: _Port = 8420) -> None:
    """Run one web process, for set-ups where something else keeps processes running."""
    import socket  # under `up` the socket is handed down

    handed = os.environ.pop(supervisor.SOCKET_VARIABLE, "")
    listening = socket.socket(fileno=int(handed)) if handed else supervisor.listen(host, port)
    with without_collecting():
        from pilothouse.asgi import serve  # heavy start-up

    if not handed:
        supervisor.say(f"Pilothouse answers at {supervisor.address_of(listening)}. Ctrl-C stops it.")
    serve(listening)


@app.command(rich_help_panel="Run")
@_plainly
def worker(concurrency: Annotated[int, typer.Option(min=1, help="Jobs at a time.")] = 4) -> None:
    """Run one worker: jobs, notifications, escalations. Any number may run on one database."""
    _django()
    from pilothouse.platform.jobs import run_worker  # heavy start-up

    run_worker(concurrency=concurrency)


@app.command(rich_help_panel="Run")
@_plainly
def migrate(
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Say nothing when all is well.")] = False,
    look_for_people: Annotated[bool, typer.Option(hidden=True)] = False,
) -> None:
    """Bring the database up to this release's tables. `up` does it by itself."""
    with _database():
        from django.core.management import call_command  # heavy start-up

        call_command("migrate", verbosity=0 if quiet else 1, interactive=False)
        if look_for_people and not _sign_ins().exists():
            raise typer.Exit(supervisor.NOBODY)


def _sign_ins() -> "QuerySet[User]":
    from pilothouse.people.models import User  # after Django's settings

    usable = {"password__contains": "$"}  # the mark of a hash
    return User.objects.filter(is_active=True, **usable).order_by("role", "email")


@journal_app.command("verify")
@_plainly
def journal_verify(kind: Annotated[list[str] | None, typer.Option(help="Only this kind of record; may be given again.")] = None) -> None:
    """Walk every chain of the journal and name the first broken entry of each. Exit code 1 when one is broken."""
    with _database():
        from pilothouse.platform import journal  # after Django's settings

        with _Counting("Verifying", _entries(kind)) as counted:
            found = journal.verify(kind or None, progress=counted)
        for broken in found.breaks:
            typer.echo(f"BROKEN {broken.kind} {broken.record_id} at entry {broken.seq}: {broken.reason}", err=True)
        typer.echo(f"{found.entries} entries of {found.records} records: {len(found.breaks) or 'no'} broken.")
        if found.breaks:
            raise typer.Exit(FAILED)


@app.command(rich_help_panel="Care")
@_plainly
def rebuild(name: Annotated[str, typer.Argument(help="A projection, or `all`.")] = "") -> None:
    """Drop a projection and derive it anew from the journal. Without a name: list them."""
    with _database():
        from pilothouse.platform import projections  # after Django's settings

        names = projections.names()
        if not name:
            typer.echo("\n".join(names))
            return
        if name != "all" and name not in names:
            stop(f"There is no projection “{name}”. There are: {', '.join(names)}.", 2)
        for each in names if name == "all" else [name]:
            with _Counting(f"Rebuilding {each}", _entries(sorted(projections.get(each).kinds))) as counted:
                count = projections.rebuild(each, progress=counted)
            typer.echo(f"{each}: rebuilt from {count} entries.")


def _entries(kinds: list[str] | None) -> int:
    """Add up the last entry's number of every record; to count the entries would be to read the journal once more."""
    from django.db import connection  # after Django's settings

    sql = "SELECT coalesce(sum(seq), 0) FROM journal_head WHERE %s::text[] IS NULL OR kind = ANY(%s)"
    with connection.cursor() as cursor:
        cursor.execute(sql, [kinds or None, kinds or None])
        return int(cursor.fetchone()[0])


class _Counting:
    """A progress bar on a terminal that appears when the work takes longer than two seconds; call it with what was done."""

    def __init__(self, title: str, total: int) -> None:
        from rich.console import Console  # heavy start-up
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        self._bar = Progress(*columns, console=Console(stderr=True), transient=True)
        self._task, self._shown = self._bar.add_task(title, total=total), False

    def __enter__(self) -> "_Counting":
        self._since = time.monotonic()
        return self

    def __call__(self, count: int) -> None:
        self._bar.advance(self._task, count)
        if not self._shown and time.monotonic() - self._since > 1 and sys.stderr.isatty():
            self._bar.start()
            self._shown = True

    def __exit__(self, *_: object) -> None:
        if self._shown:
            self._bar.stop()


@app.command(rich_help_panel="Care")
@_plainly
def backup(file: Annotated[Path, typer.Argument(help="The file to write; it must not exist.", dir_okay=False)]) -> None:
    """Write a consistent copy of database and attachments to one file, while people work."""
    with _database():
        from django.conf import settings  # after Django's settings

        from pilothouse.platform import backup as copying

        made = copying.write(file.resolve(), url=settings.DATABASE_URL, attachments=settings.ATTACHMENTS, now=_now(), progress=_step)
    typer.echo(f"{file}: {file.stat().st_size / 2**20:.1f} MB, {made.attachments} attachments.")
    typer.echo(f"Journal heads: {made.journal_heads}, digest {made.journal_digest}")


def _step(step: str) -> None:
    typer.echo(f"{step} …", err=True)


@app.command(rich_help_panel="Care")
@_plainly
def restore(file: Annotated[Path, typer.Argument(help="A file that `pilothouse backup` wrote.", exists=True, dir_okay=False)]) -> None:
    """Restore a backup into an empty data folder (PILOTHOUSE_DATA) or an empty database (DATABASE_URL)."""
    from pilothouse.platform import backup as copying  # heavy start-up

    copying.read_manifest(file)
    data, url = data_folder(), os.environ.get("DATABASE_URL") or ""
    with supervisor.locked(data):
        if not url and (embedded.cluster(data).files / "PG_VERSION").exists():
            stop(
                f"{data} is not empty: it already holds an instance. Choose an empty folder (PILOTHOUSE_DATA); nothing was changed.", FAILED
            )
        server = None
        if not url:
            url, server = embedded.start(data)
        try:
            made, heads = copying.read(file, url=url, attachments=data / "attachments", progress=_step)
        finally:
            if server is not None:
                embedded.stop(server)
    typer.echo(f"Restored the instance of {made.made_at} (Pilothouse {made.pilothouse}) into {data}.")
    typer.echo(f"Journal heads: {heads.count}, digest {heads.digest}: the same as in the backup.")


@app.command(rich_help_panel="Care")
@_plainly
def doctor() -> None:
    """Say what is wrong with this installation and how to mend it. Exit code 1 when something is."""
    from pilothouse.platform import doctor as examination  # heavy start-up

    findings = list(examination.examine(data_folder()))
    for finding in findings:
        typer.echo(f"{'ok  ' if finding.fine else 'BAD '} {finding.text}")
        if finding.mend:
            typer.echo(f"     to mend it: {finding.mend}")
    bad = sum(not finding.fine for finding in findings)
    typer.echo(f"{bad} to mend." if bad else "All is well.")
    if bad:
        raise typer.Exit(FAILED)


def _password(stdin: bool) -> str:
    if stdin:
        return sys.stdin.readline().rstrip("\n")
    return str(typer.prompt("Password", hide_input=True, confirmation_prompt=True))


_FromInput = Annotated[bool, typer.Option("--password-stdin", help="Read the password from standard input instead of asking.")]


@user_app.command("add")
@_plainly
def user_add(
    email: Annotated[str, typer.Argument(help="The address to sign in with.")],
    name: Annotated[str, typer.Option(help="The person's name.")],
    role: Annotated[str, typer.Option(help="requester, agent, analyst, manager, auditor or administrator.")] = "requester",
    password_stdin: _FromInput = False,
) -> None:
    """Add a person who signs in."""
    with _database():
        from pilothouse.people import actions  # after Django's settings

        user = actions.add_person(actor=_actor(), email=email, name=name, role=role, password=_password(password_stdin), now=_now())
        typer.echo(f"Added {user.name} <{user.email}>, {user.role}.")


@user_app.command("list")
@_plainly
def user_list() -> None:
    """List the people who can sign in."""
    with _database():
        for user in _sign_ins():
            typer.echo(f"{user.role:<14} {user.email:<40} {user.name}")


def _user_id(email: str) -> int:
    from pilothouse.people.models import User  # after Django's settings

    found = User.objects.filter(email__iexact=email).values_list("pk", flat=True).first()
    if found is None:
        stop(f"There is nobody with the address {email}. `pilothouse user list` shows who there is.", FAILED)
    return found


@user_app.command("passwd")
@_plainly
def user_passwd(email: str, password_stdin: _FromInput = False) -> None:
    """Set a person's password; their sessions end."""
    with _database():
        from pilothouse.people import actions  # after Django's settings

        actions.set_password(actor=_actor(), user_id=_user_id(email), password=_password(password_stdin), now=_now())
        typer.echo(f"The password of {email} is set.")


@user_app.command("deactivate")
@_plainly
def user_deactivate(email: str) -> None:
    """Let a person sign in no longer. What they did stays in the journal under their name."""
    with _database():
        from pilothouse.people import actions  # after Django's settings

        actions.change_person(actor=_actor(), user_id=_user_id(email), changes={"is_active": False}, now=_now())
        typer.echo(f"{email} is deactivated.")


def register_rooms() -> None:
    """Add the commands that rooms bring."""
    from pilothouse.connectors import command as importing  # heavy: what runs for long stays light
    from pilothouse.connectors import mining
    from pilothouse.morning import command as morning
    from pilothouse.problems import command as problems
    from pilothouse.sla import command as sla

    importing.register(app, _database, _plainly)
    mining.register(app, _database, _plainly)
    morning.register(app, _database, _plainly)
    problems.register(app, _database, _plainly)
    sla.register(app, _database, _plainly, _Counting)


def main() -> None:
    """Run the command line."""
    if sys.argv[1:2] not in (["up"], ["web"], ["worker"], ["migrate"], ["demo"]):
        with without_collecting():
            register_rooms()
    try:
        app()
    except BrokenPipeError:  # `pilothouse user list | head` ends quietly
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(FAILED)


if __name__ == "__main__":
    main()
