"""Rows of the clocks' tables: their columns, what a clock's row holds, and their way into COPY."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from pilothouse.sla.engine.clock import Clock, instant

_LINES_AT_ONCE = 500
LIFE_COLUMNS: Mapping[str, str] = {"ticket_id": "bigint", "opened_at": "timestamptz", "events": "bytea"}
CLOCK_COLUMNS: Mapping[str, str] = {
    "ticket_id": "bigint",
    "kind": "text",
    "target": "text",
    "turn": "smallint",
    "stay": "smallint",
    "group_id": "bigint",
    "agreement_version_id": "bigint",
    "priority": "smallint",
    "stage": "text",
    "target_seconds": "bigint",
    "schedule_id": "bigint",
    "started_at": "timestamptz",
    "running_since": "timestamptz",
    "elapsed_seconds": "bigint",
    "due_at": "timestamptz",
    "original_due_at": "timestamptz",
    "ended_at": "timestamptz",
    "breached": "bool",
    "next_step": "smallint",
    "next_step_at": "timestamptz",
}
SHOWN_COLUMNS: Mapping[str, str] = {
    "ticket_id": "bigint",
    "kind": "text",
    "stage": "text",
    "due_at": "timestamptz",
    "target_seconds": "bigint",
    "elapsed_seconds": "bigint",
    "running_since": "timestamptz",
    "schedule_id": "bigint",
}
Row = tuple[Any, ...]


def _at(seconds: int | None) -> datetime | None:
    return None if seconds is None else instant(seconds)


def clock_row(clock: Clock) -> Row:
    """Return a measured clock's row, in the order of CLOCK_COLUMNS."""
    return (
        clock.ticket,
        clock.kind,
        clock.candidate.target.key,
        clock.turn,
        clock.stay,
        clock.group,
        clock.candidate.agreement.version_id,
        clock.priority,
        clock.stage,
        clock.target_seconds,
        clock.schedule,
        instant(clock.started),
        _at(clock.running_since),
        clock.elapsed,
        _at(clock.due),
        _at(clock.original_due),
        _at(clock.ended),
        clock.breached,
        clock.next_step,
        _at(clock.next_step_at),
    )


PROMISED = ("response", "resolution")


def shown_row(ticket: int, clocks: Sequence[Clock]) -> Row | None:
    """Return the row of the clock that the queue shows: of the living ones the first due, promises to requesters before others."""
    living = [clock for clock in clocks if clock.is_living]
    if not living:
        return None
    first = min(living, key=lambda clock: (clock.kind not in PROMISED, clock.due is None, clock.due or 0))
    elapsed, since = first.elapsed, _at(first.running_since)
    return (ticket, first.kind, first.stage, _at(first.due), first.target_seconds, elapsed, since, first.schedule)


def copy_rows(cursor: Any, table: str, columns: Sequence[str], rows: Sequence[Row]) -> None:
    """Copy rows into a table."""
    if not rows:
        return
    with cursor.copy(f"COPY {table} ({', '.join(columns)}) FROM STDIN") as copy:
        for first in range(0, len(rows), _LINES_AT_ONCE):
            copy.write(lines_of(rows[first : first + _LINES_AT_ONCE]))


def lines_of(rows: Iterable[Row]) -> str:
    """Write rows in COPY's text form, quicker than psycopg does."""
    return "".join(map(_line, rows))


def _line(row: Row) -> str:
    """Write a row; its texts are words and need no escaping."""
    return "\t".join([r"\N" if value is None else str(value) if type(value) is not bytes else rf"\\x{value.hex()}" for value in row]) + "\n"
