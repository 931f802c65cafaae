"""The projections of service levels: lives, clocks and what the queue shows of them; escalations; and who worked where.

Kept and rebuilt by the same code: entries become events of lives, lives are folded under the rulebook in force when each ticket was opened.
A clock's row is the fold of its ticket's whole life, so the rows of a ticket are replaced, never patched. When an agreement or a
schedule gets a version that reaches back, `recount` (a job) folds the stored lives that it concerns anew.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import orjson
from django.db import connection

from pilothouse.platform import journal, projections
from pilothouse.platform.journal import Entry
from pilothouse.platform.statements import run
from pilothouse.sla import escalations, rebuilding, rulebook
from pilothouse.sla.engine import lives
from pilothouse.sla.engine.clock import Clock, instant
from pilothouse.sla.engine.clocks import count_many
from pilothouse.sla.engine.lives import Event
from pilothouse.sla.rows import CLOCK_COLUMNS, LIFE_COLUMNS, SHOWN_COLUMNS, Row, clock_row, copy_rows, shown_row
from pilothouse.tickets.engine.replay import COMMENTED

_COPY_FROM = 200  # from so many rows on, COPY is faster than an INSERT


class SlaClocks:
    """The `sla_clock` projection: lives, clocks, the clock that the queue shows, and people's sites (which lives look up)."""

    name = "sla_clock"
    kinds = frozenset({"person", "ticket"})

    def clear(self) -> None:
        """Empty its tables; whoever reads them waits for the transaction's end."""
        with connection.cursor() as cursor:
            cursor.execute("TRUNCATE sla_life, sla_clock, sla_ticket, sla_escalation, sla_site")

    def rebuild(self, progress: rebuilding.Progress) -> int:
        """Derive everything anew from the journal by the way for many; the caller has emptied the tables. Returns the entries read."""
        count = 0
        for entries in journal.stream(["person"]):
            _note_sites(entries)
            count += len(entries)
            progress(len(entries))
        return count + rebuilding.everything(progress)

    def apply(self, entries: Sequence[Entry]) -> None:
        """Move lives on by these entries and replace the clocks of the tickets they touch."""
        if people := [entry for entry in entries if entry.kind == "person"]:
            _note_sites(people)
        by_ticket: dict[int, list[Entry]] = {}
        for entry in entries:
            if entry.kind == "ticket" and (entry.changes or entry.verb in _SPEAKING):
                by_ticket.setdefault(entry.record_id, []).append(entry)
        if by_ticket:
            escalations.apply(entry for own in by_ticket.values() for entry in own)
            _move(by_ticket)


_SPEAKING = frozenset({COMMENTED})


def _note_sites(entries: Iterable[Entry]) -> None:
    rows = [(entry.record_id, entry.recorded_at, entry.after("site") or "") for entry in entries if entry.touches("site")]
    if rows:
        with connection.cursor() as cursor:
            cursor.execute(
                "INSERT INTO sla_site (person, recorded_at, site) SELECT * FROM unnest(%s::bigint[], %s::timestamptz[], %s::text[])",
                [list(column) for column in zip(*rows, strict=True)],
            )


def _move(by_ticket: Mapping[int, Sequence[Entry]]) -> None:
    old = _read_lives([ticket for ticket, own in by_ticket.items() if own[0].seq > 1])
    site_of = _Sites(entry for own in by_ticket.values() for entry in own)
    moved: dict[int, list[Event]] = {}
    for ticket, own in by_ticket.items():
        before = old.get(ticket, [])
        if events := lives.condense(own, before, site_of):
            moved[ticket] = [*before, *events]
    if moved:
        _replace(moved, fresh=set(moved) - set(old))


_LIVES = "SELECT ticket_id, events FROM sla_life WHERE ticket_id = ANY(%s::bigint[]) ORDER BY ticket_id FOR UPDATE"


def _read_lives(tickets: Sequence[int]) -> dict[int, list[Event]]:
    """Read lives and lock them: whoever counts a ticket's clocks waits for who counted them before."""
    return {ticket: lives.read(bytes(events)) for ticket, events in run(_LIVES, ([*tickets],))} if tickets else {}


class _Sites:
    """The sites of requesters, as recorded by an instant; looked up together, when somebody asks."""

    def __init__(self, entries: Iterable[lives.Happened]) -> None:
        self.people = {person for entry in entries for change in entry.changes if change.field == "requester" and (person := change.after)}
        self.known: dict[int, list[tuple[datetime, str]]] | None = None

    def __call__(self, person: int | None, recorded: datetime) -> str:
        if person is None:
            return ""
        if self.known is None:
            self.known = self._read()
        return next((site for at, site in reversed(self.known.get(person, ())) if at <= recorded), "")

    def _read(self) -> dict[int, list[tuple[datetime, str]]]:
        known: dict[int, list[tuple[datetime, str]]] = {}
        sql = "SELECT person, recorded_at, site FROM sla_site WHERE person = ANY(%s::bigint[]) ORDER BY recorded_at, id"
        for person, at, site in run(sql, ([*self.people],)):
            known.setdefault(person, []).append((at, site))
        return known


def _replace(moved: Mapping[int, Sequence[Event]], *, fresh: set[int] | None) -> None:
    """Write these tickets' lives (unless `fresh` is None: they stand) and replace their clocks."""
    known = rulebook.current()
    clocks = [] if known.is_empty else count_many(moved.items(), known.rulebook, known.hours)
    by_ticket: dict[int, list[Clock]] = {}
    for clock in clocks:
        by_ticket.setdefault(clock.ticket, []).append(clock)
    shown = [row for ticket, own in by_ticket.items() if (row := shown_row(ticket, own))]
    rows = [clock_row(clock) for clock in clocks]
    written = [(ticket, instant(life[0].at), lives.write(life)) for ticket, life in moved.items()] if fresh is not None else []
    known_tickets = [ticket for ticket in moved if fresh is None or ticket not in fresh]
    if len(moved) >= _COPY_FROM:
        _write_many(written, known_tickets, rows, shown)
    else:
        _write_few(written, known_tickets, rows, shown)
    if escalated := [ticket for ticket, life in moved.items() if escalations.were_taken(life)]:
        escalations.end_with_clocks(escalated)


def _columns(rows: Sequence[Row], width: int) -> list[list[Any]]:
    return [list(column) for column in zip(*rows, strict=True)] if rows else [[] for _ in range(width)]


def _unnest(columns: Mapping[str, str]) -> str:
    return f"SELECT * FROM unnest({', '.join(f'%s::{kind}[]' for kind in columns.values())})"


def _from_json(columns: Mapping[str, str]) -> str:
    """Return rows from one JSON parameter: it costs half of what an array for each column does."""
    typed = ", ".join(f"{name} {kind}" for name, kind in columns.items())
    return f"SELECT {', '.join(columns)} FROM json_to_recordset(%s::json) given({typed})"


def _as_json(columns: Mapping[str, str], rows: Sequence[Row]) -> str:
    return orjson.dumps([dict(zip(columns, row, strict=True)) for row in rows]).decode()


_WRITE_FEW = f"""
WITH life AS (
  INSERT INTO sla_life (ticket_id, opened_at, events) {_unnest(LIFE_COLUMNS)}
  ON CONFLICT (ticket_id) DO UPDATE SET opened_at = EXCLUDED.opened_at, events = EXCLUDED.events
), gone AS (
  DELETE FROM sla_clock WHERE ticket_id = ANY(%s::bigint[])
), unshown AS (
  DELETE FROM sla_ticket WHERE ticket_id = ANY(%s::bigint[])
), shown AS (
  INSERT INTO sla_ticket ({", ".join(SHOWN_COLUMNS)}) {_from_json(SHOWN_COLUMNS)}
  ON CONFLICT (ticket_id) DO UPDATE SET {", ".join(f"{name} = EXCLUDED.{name}" for name in list(SHOWN_COLUMNS)[1:])}
)
INSERT INTO sla_clock ({", ".join(CLOCK_COLUMNS)}) {_from_json(CLOCK_COLUMNS)}
"""


def _write_few(written: Sequence[Row], known: Sequence[int], rows: Sequence[Row], shown: Sequence[Row]) -> None:
    """Write everything in one round trip."""
    seen = {row[0] for row in shown}
    values = [
        *_columns(written, len(LIFE_COLUMNS)),
        list(known),
        [ticket for ticket in known if ticket not in seen],
        _as_json(SHOWN_COLUMNS, shown),
        _as_json(CLOCK_COLUMNS, rows),
    ]
    run(_WRITE_FEW, values)


def _write_many(written: Sequence[Row], known: Sequence[int], rows: Sequence[Row], shown: Sequence[Row]) -> None:
    with connection.cursor() as cursor:
        if known:
            cursor.execute("DELETE FROM sla_clock WHERE ticket_id = ANY(%s)", [list(known)])
            cursor.execute("DELETE FROM sla_ticket WHERE ticket_id = ANY(%s)", [list(known)])
            if written:
                cursor.execute("DELETE FROM sla_life WHERE ticket_id = ANY(%s)", [list(known)])
        copy_rows(cursor, "sla_life", tuple(LIFE_COLUMNS), written)
        copy_rows(cursor, "sla_clock", tuple(CLOCK_COLUMNS), rows)
        copy_rows(cursor, "sla_ticket", tuple(SHOWN_COLUMNS), shown)


def recount(tickets: Sequence[int]) -> int:
    """Count the clocks of these tickets anew from their stored lives; returns how many tickets there were. In the caller's transaction."""
    found = _read_lives(tickets)
    if found:
        _replace(found, fresh=None)
    return len(found)


projections.register(SlaClocks())
