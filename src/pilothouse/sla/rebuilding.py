"""Clocks from the whole journal: the way for a rebuild, by portions of tickets, in columns, on several cores.

The same rows come out as when the projection keeps itself, entry by entry (tests/sla/test_projections_laws.py). A portion is the
tickets of a range of ids. The server gathers each ticket's entries; lives, clocks and their rows are made of columns, not of
entries (engine/condensing.py, engine/counting.py, binary_rows.py). Only tickets with steps to come are folded one by one.

Of many tickets the portions are made by processes of their own, which see what the rebuild's transaction saw (its snapshot is handed
to them) and write nothing: all rows go through the one transaction, so that whatever breaks leaves the state before it.
"""

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from itertools import pairwise
from multiprocessing import get_context
from typing import Any, NamedTuple

import numpy as np
import orjson
import psycopg
from django.db import connection
from numpy.typing import NDArray

from pilothouse.platform.garbage import no_collection
from pilothouse.platform.journal import Change
from pilothouse.platform.statements import run
from pilothouse.sla import binary_rows, escalations, rebuilding_child, rulebook
from pilothouse.sla.binary_rows import HEADER, TRAILER, Column
from pilothouse.sla.engine import lives
from pilothouse.sla.engine.clock import Clock
from pilothouse.sla.engine.clocks import count_many
from pilothouse.sla.engine.columns import ABSENT
from pilothouse.sla.engine.condensing import REPLY, STEP, Condensed, Condensing, Journals
from pilothouse.sla.engine.counting import Counted, Counting
from pilothouse.sla.engine.lives import ESCALATED
from pilothouse.sla.engine.ragged import Numbers, numbers
from pilothouse.sla.rows import CLOCK_COLUMNS, LIFE_COLUMNS, PROMISED, SHOWN_COLUMNS, clock_row, lines_of, shown_row
from pilothouse.tickets.engine.replay import COMMENTED

_AT_ONCE = 5_000  # tickets; some 50 MB in the process that makes their rows
_MANY = 40_000  # from so many tickets on, starting processes and making indexes anew pays
_MOST_PROCESSES = 4
_WIDEST = 2**63 - 1
_ABOUT_STEPS = (
    "SELECT id, record_id, verb, actor_id, happened_at, changes::text FROM journal_entry"
    " WHERE kind = 'ticket' AND record_id = ANY(%s) AND verb = ANY(%s) ORDER BY record_id, seq"
)
_RANGES = (
    "SELECT record_id FROM (SELECT record_id, row_number() OVER (ORDER BY record_id) AS n FROM journal_head WHERE kind = 'ticket') h"
    " WHERE n %% %s = 0 ORDER BY record_id"
)
_TEXT = (
    f"CASE verb WHEN '{COMMENTED}' THEN '{REPLY}' || coalesce(actor_id::text, '') WHEN '{ESCALATED}' THEN '{STEP}' ELSE '' END"
    " || changes::text"
)
# Aggregates take rows as they come, and those of a sorted subquery come in order: each aggregate that sorts for itself costs a third more.
_JOURNALS = (
    "SELECT record_id, array_send(array_agg(happened_at)), array_send(array_agg(recorded_at)), array_send(array_agg(seq)),"
    f" string_agg({_TEXT}, E'\\n')"
    " FROM (SELECT * FROM journal_entry WHERE kind = 'ticket' AND record_id >= %s AND record_id < %s"
    f" AND (changes <> '[]' OR verb = '{COMMENTED}') ORDER BY record_id, seq) entry"  # the others leave nothing in a life
    " GROUP BY record_id ORDER BY record_id"
)
_HOW_MANY = "SELECT coalesce(sum(seq), 0)::bigint FROM journal_head WHERE kind = 'ticket' AND record_id >= %s AND record_id < %s"
_INDEXES = (
    "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = current_schema() AND tablename = ANY(%s)"
    " AND indexdef NOT LIKE 'CREATE UNIQUE%%'"
)
_NONE: tuple[tuple[Any, ...], ...] = ((),) * 5
_TABLES = ["sla_life", "sla_clock", "sla_ticket"]
_ARRAY_HEAD, _SEQ_BYTES, _EPOCH_MICROSECONDS = 20, 8, 946_684_800_000_000  # of array_send; PostgreSQL counts from 2000
Sites = dict[int, list[tuple[int, str]]]  # of people, from when on (microseconds), the last one last
Range = tuple[int, int]
Progress = Callable[[int], None]


class _Step(NamedTuple):
    """What is read of an entry about a step."""

    id: int
    record_id: int
    verb: str
    actor_id: int | None
    happened_at: datetime
    changes: Sequence[Change]


def _escalate(tickets: Sequence[int]) -> None:
    """Write the rows of the escalations of these tickets, without their ends."""
    with connection.cursor() as cursor:
        cursor.execute(_ABOUT_STEPS, [list(tickets), sorted(escalations.VERBS)])
        rows = cursor.fetchall()
    escalations.apply([_Step._make((*row[:5], [Change(*each) for each in orjson.loads(row[5])])) for row in rows])


@dataclass(frozen=True, slots=True)
class Made:
    """The rows of a portion in COPY's forms, by table: binary, and as text those that were folded one by one."""

    entries: int
    escalated: Sequence[int]
    binary: dict[str, list[bytes]] = field(default_factory=dict)
    text: dict[str, str] = field(default_factory=dict)


class Maker:
    """Makes the rows of ranges of tickets from the journal; it reads, and writes nothing."""

    def __init__(self, sites: Sites) -> None:
        known = rulebook.current()
        self.known = known
        self.condensing = Condensing(lambda person, at: _site_at(sites, person, at))
        self.counting = None if known.is_empty else Counting(known.rulebook, known.hours)
        self.patterns = _OfPatterns()

    def make(self, tickets: Range) -> Made:
        """Return the rows of the tickets of a range."""
        journals = _journals(tickets)
        with no_collection():
            condensed = self.condensing.condense(journals)
            made = Made(_how_many(tickets), condensed.escalated)
            opened = condensed.portion.opened.tolist()
            made.binary["sla_life"] = [binary_rows.pack_lives(zip(condensed.tickets.tolist(), opened, condensed.stored, strict=True))]
            if self.counting is not None and len(condensed.tickets):
                counted = self.counting.count(condensed.portion)
                columns, shown = _clock_columns(counted, condensed.tickets, self.patterns), _shown(counted, self.patterns)
                made.binary["sla_clock"] = list(binary_rows.pack([columns[name] for name in CLOCK_COLUMNS]))
                made.binary["sla_ticket"] = list(binary_rows.pack([columns[name].only(shown) for name in SHOWN_COLUMNS]))
                if len(counted.left):
                    self._one_by_one(made, condensed, counted.left)
        return made

    def _one_by_one(self, made: Made, condensed: Condensed, places: Numbers) -> None:
        """Add the rows of tickets with steps to come."""
        lived = [(int(condensed.tickets[place]), lives.read(condensed.stored[place])) for place in places.tolist()]
        by_ticket: dict[int, list[Clock]] = {}
        for clock in count_many(lived, self.known.rulebook, self.known.hours):
            by_ticket.setdefault(clock.ticket, []).append(clock)
        made.text["sla_clock"] = lines_of(clock_row(clock) for own in by_ticket.values() for clock in own)
        made.text["sla_ticket"] = lines_of(row for ticket, own in by_ticket.items() if (row := shown_row(ticket, own)))


def _site_at(sites: Sites, person: int | None, at: int) -> str:
    own = sites.get(person) if person is not None else None
    if own is None:
        return ""
    since, site = own[-1]
    return site if since <= at else next((site for since, site in reversed(own) if since <= at), "")


def _how_many(tickets: Range) -> int:
    """Return how many entries these tickets have."""
    (entries,) = run(_HOW_MANY, tickets).fetchone() or (0,)
    return int(entries)


def _journals(tickets: Range) -> Journals:
    connection.ensure_connection()
    rows = psycopg.Cursor(connection.connection).execute(_JOURNALS, tickets, binary=True).fetchall()
    tickets, happened, recorded, seqs, texts = zip(*rows, strict=True) if rows else _NONE
    counts = (numbers(map(len, seqs)) - _ARRAY_HEAD) // _SEQ_BYTES
    at = (_array(happened, 8) + _EPOCH_MICROSECONDS, _array(recorded, 8) + _EPOCH_MICROSECONDS)
    found = Journals(tickets, counts, texts, *at, _array(seqs, 4))
    assert found.is_in_order, "The server handed entries over in another order than that of the subquery."
    return found


def _array(sent: Iterable[bytes], width: int) -> Numbers:
    """Return the numbers of arrays in the form in which the server sends them: a head, then each with its width before it."""
    whole = np.frombuffer(b"".join([each[_ARRAY_HEAD:] for each in sent]), [("width", ">i4"), ("value", f">i{width}")])
    return whole["value"].astype(np.int64)


class _OfPatterns:
    """What rows say of their clocks' patterns, as columns with a place for each pattern; grows with the patterns."""

    def __init__(self) -> None:
        self.patterns: Sequence[Clock] = ()
        self.rows, self.words = list[tuple[int, ...]](), dict[bytes, int]()
        self.columns: dict[str, Numbers] = {}

    def at(self, counted: Counted) -> Callable[[str], Numbers]:
        """Return what gives a named column of these clocks' rows."""
        if counted.patterns is not self.patterns:  # they were forgotten
            self.patterns, self.rows = counted.patterns, []
        if len(self.rows) < len(self.patterns):
            self.rows += map(self._row, self.patterns[len(self.rows) :])
            self.columns = dict(zip(_SAID, np.array(self.rows, np.int64).reshape(-1, len(_SAID)).T, strict=True))
        return lambda name: self.columns[name][counted.pattern]

    def _row(self, clock: Clock) -> tuple[int, ...]:
        candidate = clock.candidate
        kind, target, stage = (self._word(word) for word in (clock.kind, candidate.target.key, clock.stage))
        numbers = (clock.turn, clock.stay, candidate.agreement.version_id, clock.priority)
        schedule = ABSENT if clock.schedule is None else clock.schedule
        return (kind, target, *numbers, stage, schedule, clock.stage == "achieved", clock.kind in PROMISED)

    def _word(self, word: str) -> int:
        return self.words.setdefault(word.encode(), len(self.words))


_SAID = ("kind", "target", "turn", "stay", "version", "priority", "stage", "schedule", "achieved", "promised")


def _maybe(kind: str, values: Numbers) -> Column:
    return Column(kind, values, values == ABSENT)


def _clock_columns(counted: Counted, tickets: Numbers, patterns: _OfPatterns) -> dict[str, Column]:
    """Return the columns of clocks' rows, by the names of CLOCK_COLUMNS."""
    said, words, none = patterns.at(counted), [*patterns.words], np.full(len(counted.ticket), ABSENT, np.int64)
    late = (counted.due != ABSENT) & (counted.due < counted.ended)
    return {
        "ticket_id": Column("bigint", tickets[counted.ticket]),
        "kind": Column("text", said("kind"), words=words),
        "target": Column("text", said("target"), words=words),
        "turn": Column("smallint", said("turn")),
        "stay": Column("smallint", said("stay")),
        "group_id": _maybe("bigint", counted.group),
        "agreement_version_id": Column("bigint", said("version")),
        "priority": Column("smallint", said("priority")),
        "stage": Column("text", said("stage"), words=words),
        "target_seconds": Column("bigint", counted.target),
        "schedule_id": _maybe("bigint", said("schedule")),
        "started_at": Column("timestamptz", counted.started),
        "running_since": _maybe("timestamptz", counted.since),
        "elapsed_seconds": Column("bigint", counted.elapsed),
        "due_at": _maybe("timestamptz", counted.due),
        "original_due_at": _maybe("timestamptz", counted.original_due),
        "ended_at": _maybe("timestamptz", counted.ended),
        "breached": Column("bool", late.astype(np.int64), said("achieved") == 0),
        "next_step": _maybe("smallint", none),
        "next_step_at": _maybe("timestamptz", none),
    }


def _shown(counted: Counted, patterns: _OfPatterns) -> NDArray[np.intp]:
    """Return the places of the clocks that the queue shows, chosen as rows.shown_row does."""
    living = np.flatnonzero(counted.ended == ABSENT)
    promised = patterns.at(counted)("promised")[living]
    due, ticket = counted.due[living], counted.ticket[living]
    order = np.lexsort((due, due == ABSENT, -promised, ticket))
    return living[order[np.flatnonzero(np.diff(ticket[order], prepend=-1))]]


def everything(progress: Progress) -> int:
    """Write every life, clock and escalation from the journal, into empty tables; returns the entries read.

    In the caller's transaction.
    """
    with connection.cursor() as cursor:
        cursor.execute(_RANGES, [_AT_ONCE])
        bounds = [-_WIDEST, *(row[0] for row in cursor.fetchall()), _WIDEST]
    ranges, is_large = list(pairwise(bounds)), len(bounds) * _AT_ONCE > _MANY
    escalated, entries = list[int](), 0
    with _indexes_anew() if is_large else _as_they_are():
        for made in _made(ranges, in_processes=is_large and not connection.savepoint_ids):
            _write(made)
            if made.escalated:
                _escalate(made.escalated)
            escalated += made.escalated
            entries += made.entries
            progress(made.entries)
    for first in range(0, len(escalated), _AT_ONCE):
        escalations.end_with_clocks(escalated[first : first + _AT_ONCE])
    return entries


def _made(ranges: Sequence[Range], *, in_processes: bool) -> Iterator[Made]:
    """Yield the rows of ranges, in their order. Other processes see only what was committed before the rebuild began."""
    sites = _sites()
    if not in_processes:
        maker = Maker(sites)
        yield from map(maker.make, ranges)
        return
    (snapshot,) = run("SELECT pg_export_snapshot()", ()).fetchone() or ("",)
    handed = (connection.settings_dict, snapshot, sites)
    count = min(_MOST_PROCESSES, os.cpu_count() or 1, len(ranges))
    with ProcessPoolExecutor(count, mp_context=get_context("spawn"), initializer=rebuilding_child.begin, initargs=handed) as pool:
        waiting, asked = list[Future[Made]](), iter(ranges)
        for each in asked:  # so few at once that what is made does not pile up
            waiting.append(pool.submit(rebuilding_child.make, each))
            if len(waiting) > count + 1:
                yield waiting.pop(0).result()
        while waiting:
            yield waiting.pop(0).result()


def _sites() -> Sites:
    sites: Sites = {}
    sql = "SELECT person, (extract(epoch FROM recorded_at) * 1000000)::bigint, site FROM sla_site ORDER BY recorded_at, id"
    for person, at, site in run(sql, ()):
        sites.setdefault(person, []).append((at, site))
    return sites


_COLUMNS = {"sla_life": LIFE_COLUMNS, "sla_clock": CLOCK_COLUMNS, "sla_ticket": SHOWN_COLUMNS}


def _write(made: Made) -> None:
    with connection.cursor() as cursor:
        for table, blocks in made.binary.items():
            with cursor.copy(f"COPY {table} ({', '.join(_COLUMNS[table])}) FROM STDIN (FORMAT BINARY)") as copy:
                for block in (HEADER, *blocks, TRAILER):
                    copy.write(block)
        for table, text in made.text.items():
            with cursor.copy(f"COPY {table} ({', '.join(_COLUMNS[table])}) FROM STDIN") as copy:
                copy.write(text)


@contextmanager
def _indexes_anew() -> Iterator[None]:
    """Spare the upkeep of indexes row by row; they are there again when the transaction ends, however it ends."""
    with connection.cursor() as cursor:
        cursor.execute(_INDEXES, [_TABLES])
        indexes = cursor.fetchall()
        for name, _ in indexes:
            cursor.execute(f'DROP INDEX "{name}"')
        yield
        cursor.execute("SET LOCAL maintenance_work_mem = '256MB'")
        for _, definition in indexes:
            cursor.execute(definition)


@contextmanager
def _as_they_are() -> Iterator[None]:
    yield
