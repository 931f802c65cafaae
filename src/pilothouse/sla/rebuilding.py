"""Clocks from the whole journal: the way for a rebuild, which reads of each entry only what lives need, ticket by ticket.

The same rows come out as when the projection keeps itself, entry by entry (tests/sla/test_projections_laws.py).
"""

import gc
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import orjson
from django.db import connection

from pilothouse.platform.journal import Change
from pilothouse.sla import escalations
from pilothouse.sla.engine.lives import STEP_FIELD
from pilothouse.sla.engine.rules import WATCHED
from pilothouse.tickets.engine.replay import COMMENTED

_AT_ONCE = 10_000
_MICROSECONDS = "(extract(epoch FROM {0}) * 1000000)::bigint"  # made of an instant by the server, which is quicker at it
_COLUMNS = ", ".join(
    ("id, record_id, seq, verb, actor_id", _MICROSECONDS.format("happened_at"), _MICROSECONDS.format("recorded_at"), "changes::text")
)
_ALL = f"SELECT {_COLUMNS} FROM journal_entry WHERE kind = 'ticket' ORDER BY record_id, seq"
_ABOUT_STEPS = f"SELECT {_COLUMNS} FROM journal_entry WHERE kind = 'ticket' AND verb = ANY(%s) ORDER BY record_id, seq"
_START = datetime.fromtimestamp(0, UTC)
_LOOKED_AT = frozenset({*WATCHED.values(), STEP_FIELD})


class Line(NamedTuple):
    """What is read of an entry."""

    id: int
    record_id: int
    seq: int
    verb: str
    actor_id: int | None
    happened: int  # microseconds since 1970
    recorded: int
    changes: Sequence[Change]

    @property
    def happened_at(self) -> datetime:
        return _START + timedelta(microseconds=self.happened)

    @property
    def recorded_at(self) -> datetime:
        return _START + timedelta(microseconds=self.recorded)

    @property
    def timed(self) -> tuple["Line", int, int]:
        """The entry with the whole seconds at which it happened and was recorded."""
        return self, self.happened // 1_000_000, self.recorded // 1_000_000


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
