"""Clocks from the whole journal: the way for a rebuild, which reads of each entry only what lives need, ticket by ticket.

The same rows come out as when the projection keeps itself, entry by entry (tests/sla/test_projections_laws.py).
"""

import gc
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

import orjson
from django.db import connection

from pilothouse.platform.journal import Change
from pilothouse.sla import escalations
from pilothouse.sla.engine.lives import STEP_FIELD
from pilothouse.sla.engine.rules import WATCHED
from pilothouse.tickets.engine.replay import COMMENTED

_AT_ONCE = 10_000
_COLUMNS = "id, record_id, seq, verb, actor_id, happened_at, recorded_at, changes::text"
_ALL = f"SELECT {_COLUMNS} FROM journal_entry WHERE kind = 'ticket' ORDER BY record_id, seq"
_ABOUT_STEPS = f"SELECT {_COLUMNS} FROM journal_entry WHERE kind = 'ticket' AND verb = ANY(%s) ORDER BY record_id, seq"
_LOOKED_AT = frozenset({*WATCHED.values(), STEP_FIELD})


class Line(NamedTuple):
    """What is read of an entry."""

    id: int
    record_id: int
    seq: int
    verb: str
    actor_id: int | None
    happened_at: datetime
    recorded_at: datetime
    changes: Sequence[Change]


@dataclass(frozen=True, slots=True)
class _Named:
    """A change of something that lives look at."""

    field: str
    after: Any


def tickets_told() -> Iterator[tuple[int, dict[int, list[Line]]]]:
    """Yield how many entries were read, and those that matter of whole tickets, in portions."""
    open_ticket, lines = 0, list[Line]()
    for rows in _read(_ALL, []):
        told: dict[int, list[Line]] = {open_ticket: lines}
        for entry_id, record, seq, verb, actor, happened, recorded, text in rows:
            if record != open_ticket:
                open_ticket, lines = record, []
                told[record] = lines
            changes = [_Named(field, after) for field, _, after in orjson.loads(text) if field in _LOOKED_AT]
            if changes or verb == COMMENTED:
                lines.append(Line(entry_id, record, seq, verb, actor, happened, recorded, changes))  # type: ignore[arg-type]
        del told[open_ticket]  # the rest of it may stand in the next portion
        yield len(rows), {ticket: own for ticket, own in told.items() if own}
    yield 0, {open_ticket: lines} if lines else {}


def note_escalations() -> None:
    """Write the rows of escalations anew."""
    for rows in _read(_ABOUT_STEPS, [sorted(escalations.VERBS)]):
        escalations.apply([Line._make((*row[:7], [Change(*each) for each in orjson.loads(row[7])])) for row in rows])


def _read(query: str, values: list[Any]) -> Iterator[list[Any]]:
    with connection.chunked_cursor() as cursor:
        cursor.execute(query, values)
        while rows := cursor.fetchmany(_AT_ONCE):
            yield rows


@contextmanager
def no_collection() -> Iterator[None]:
    """Spare the search for circles among millions of rows that have none; what came before is looked at no more meanwhile."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


Progress = Callable[[int], None]
