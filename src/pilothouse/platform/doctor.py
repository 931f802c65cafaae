"""The doctor: looks at an installation, says what is wrong and how to mend it. It changes nothing."""

import contextlib
import os
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg

from pilothouse.platform import clock, embedded
from pilothouse.platform.refusals import first_line

_ROOM_BYTES = 500 * 2**20
_Connection = psycopg.Connection[tuple[object, ...]]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at; `mend` says what to do when it is not fine."""

    fine: bool
    text: str
    mend: str = ""


def examine(data: Path) -> Iterator[Finding]:
    """Look at the machine, the data folder and the database, in that order; the database's part needs it running."""
    yield _python()
    yield from _folder(data)
    yield from _database(data)


def _python() -> Finding:
    have = ".".join(map(str, sys.version_info[:3]))
    return Finding(sys.version_info >= (3, 11), f"Python {have}", "" if sys.version_info >= (3, 11) else "Install Python 3.11 or newer.")


def _folder(data: Path) -> Iterator[Finding]:
    if not data.exists():
        yield Finding(False, f"The data folder {data} does not exist yet.", "Make an instance: pilothouse up (or pilothouse demo).")
        return
    writable = os.access(data, os.W_OK | os.X_OK)
    yield Finding(writable, f"Data folder {data}", "" if writable else "It cannot be written: run as its owner, or set PILOTHOUSE_DATA.")
    free = shutil.disk_usage(data).free
    yield Finding(
        free > _ROOM_BYTES,
        f"{free // 2**20} MB free on its disk",
        "" if free > _ROOM_BYTES else "Make room: below 500 MB the database may soon refuse to write.",
    )
    key = data / "secret.key"
    if key.exists():
        closed = not key.stat().st_mode & 0o077
        yield Finding(closed, "secret.key is readable by its owner only", "" if closed else f"chmod 600 {key}")


def _database(data: Path) -> Iterator[Finding]:
    url = os.environ.get("DATABASE_URL") or ""
    if not url:
        try:
            embedded.programs()
            place = embedded.cluster(data)
        except embedded.DatabaseRefused as refusal:
            yield Finding(False, "The embedded PostgreSQL cannot run.", str(refusal))
            return
        if embedded.running(place) is None:
            last = f" Its last words: {embedded.last_words(place)}" if place.log.exists() else ""
            yield Finding(
                False, f"The embedded database is not running.{last}", "Start the instance: pilothouse up. Then ask the doctor again."
            )
            return
        url = place.url
    try:
        with psycopg.connect(url, connect_timeout=5, autocommit=True) as connection:
            yield from _inside(connection)
    except psycopg.Error as error:
        yield Finding(False, f"The database does not answer: {first_line(error)}", "Check DATABASE_URL, the server and its password.")


def _inside(connection: _Connection) -> Iterator[Finding]:
    version = connection.info.server_version
    yield Finding(
        version >= 160000,
        f"PostgreSQL {version // 10000}.{version % 10000}",
        "" if version >= 160000 else "Pilothouse needs PostgreSQL 16 or newer.",
    )
    for look in (_migrated, _clock, _partition, _workers, _outbox, _failed_jobs, _administrator):
        with contextlib.suppress(psycopg.errors.UndefinedTable, psycopg.errors.UndefinedColumn):
            yield look(connection)


def _value(connection: _Connection, query: str) -> object:
    row = connection.execute(query).fetchone()
    return row[0] if row else None


def _check(fine: bool, text: str, mend: str) -> Finding:
    return Finding(fine, text, "" if fine else mend)


def _migrated(connection: _Connection) -> Finding:
    if _value(connection, "SELECT to_regclass('django_migrations') IS NULL"):
        return Finding(False, "The database has no tables.", "pilothouse migrate")
    done = {(app, name) for app, name in connection.execute("SELECT app, name FROM django_migrations").fetchall()}
    ours = {(path.parent.parent.name, path.stem) for path in Path(__file__).parent.parent.glob("*/migrations/[0-9]*.py")}
    missing = sorted(f"{app}.{name}" for app, name in ours - done)
    return _check(
        not missing, "Tables are up to date" if not missing else f"Migrations not applied: {', '.join(missing)}", "pilothouse migrate"
    )


def _clock(connection: _Connection) -> Finding:
    here = clock.now().timestamp()
    drift = abs(float(str(_value(connection, f"SELECT extract(epoch FROM clock_timestamp()) - {here:.3f}"))))
    return _check(drift < 5, f"Clocks of this machine and the database differ by {drift:.1f} s", "Let both machines keep time (NTP).")


def _partition(connection: _Connection) -> Finding:
    there = _value(connection, "SELECT to_regclass('journal_entry_' || to_char(now() + interval '1 month', 'YYYY_MM')) IS NOT NULL")
    return _check(
        bool(there), "The journal is prepared for next month", "A running worker prepares it within six hours; see that one runs."
    )


def _workers(connection: _Connection) -> Finding:
    alive = _value(connection, "SELECT count(*) FROM procrastinate_workers WHERE last_heartbeat > now() - interval '60 seconds'")
    return _check(bool(alive), f"{alive} worker(s) running", "Start one: pilothouse up runs one, or pilothouse worker.")


def _outbox(connection: _Connection) -> Finding:
    old = _value(connection, "SELECT count(*) FROM outbox WHERE written_at < now() - interval '5 minutes'")
    return _check(not old, f"{old} messages wait in the outbox for over five minutes", "See that a worker runs, and read its log.")


def _failed_jobs(connection: _Connection) -> Finding:
    failed = _value(connection, "SELECT count(*) FROM procrastinate_jobs WHERE status = 'failed'")
    return _check(not failed, f"{failed} failed jobs", "Read the worker's log; the table procrastinate_jobs names them.")


def _administrator(connection: _Connection) -> Finding:
    there = _value(connection, "SELECT count(*) FROM people_user WHERE is_active AND role = 'administrator'")
    return _check(bool(there), f"{there} active administrator(s)", "pilothouse user add you@example.org --name You --role administrator")
