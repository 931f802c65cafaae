"""Tickets out of the database as the miner's columns, in the order in which they were opened.

Rows come through a cursor of the server and become columns one by one, so that no row outlives its portion; texts are what costs.
Nothing here is Django's: it runs in the miner's own process, on a plain connection.

Working time is not recorded in Pilothouse, and time in progress is none (work waits, and is done on several tickets at once). So there
is handling effort only where imported tickets carry a column that says it (engine/naming.py); else costs are counted in tickets.

How a ticket came in and how it was resolved are no facts: the one divides what machines report from what people do, the other is
written when all is over.
"""

from array import array
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import numpy as np
import orjson
import psycopg
from psycopg.rows import TupleRow

from pilothouse.problems.engine import naming
from pilothouse.problems.engine.columns import (
    ASSIGNEE,
    CI,
    CLASS,
    GROUP,
    MISSING,
    REQUESTER,
    SERVICE,
    SITE,
    Change,
    Changes,
    CIGraph,
    Fact,
    Floats,
    Ints,
    Tickets,
)
from pilothouse.sla.engine import lives
from pilothouse.tickets.engine.lifecycle import RAISED_KINDS

Connection = psycopg.Connection[TupleRow]
# The fields of a Change, CIs and the service by their ids.
Carried = tuple[str, str, tuple[int, ...], int, int, int | None, str, tuple[int, ...], tuple[str, ...]]
_AT_ONCE = 5000
_MOST_EXTRAS = 60
_TOO_MANY_NAMES = 5000  # of an imported column among its first tickets: it is a text or an id

# A name that two records share would make one fact of both.
_NAMES = """
SELECT id, CASE WHEN count(*) OVER (PARTITION BY name) > 1 THEN name || ' (' || {apart} || ')' ELSE name END FROM {table}
"""
_TICKETS = """
SELECT t.id, t.number, extract(epoch FROM t.opened_at)::bigint, extract(epoch FROM coalesce(t.resolved_at, t.closed_at))::bigint,
  t.title, t.description, t.resolution_notes, t.category, t.subcategory,
  t.service_id, t.ci_id, t.group_id, t.assignee_id, t.requester_id, nullif(t.extra, '{}')::text,
  coalesce(s.reassignment_count, 0), s."left"
FROM tickets_ticket t LEFT JOIN tickets_story s ON s.ticket_id = t.id
WHERE t.kind = ANY(%s) AND t.opened_at >= %s AND t.opened_at < %s
ORDER BY t.opened_at, t.id
"""
_BREACHES = """
SELECT c.ticket_id, bool_or(c.breached) FROM sla_clock c JOIN tickets_ticket t ON t.id = c.ticket_id
WHERE c.kind = 'resolution' AND c.breached IS NOT NULL AND t.opened_at >= %s AND t.opened_at < %s GROUP BY c.ticket_id
"""
_BOUNCED = """
SELECT l.ticket_id, l.events FROM sla_life l JOIN tickets_story s ON s.ticket_id = l.ticket_id
WHERE s.bounce_count > 0 AND l.opened_at >= %s AND l.opened_at < %s
"""
_CIS = "SELECT id, ci_class, status, environment, attributes::text FROM cmdb_ci"
_PAIRS = "SELECT source_id, target_id FROM cmdb_relationship ORDER BY id"


@dataclass(frozen=True, slots=True, eq=False)
class Read:
    """What the miner is given; `ids` are the tickets' ids, row by row."""

    tickets: Tickets
    ids: Ints
    graph: CIGraph
    changes: Changes


class _Codes:
    """A fact while it is read: names are numbered as they appear."""

    def __init__(self) -> None:
        self.places: dict[str, int] = {}
        self.codes = array("i")
        self.known = 0

    def add(self, value: str | None) -> None:
        text = value.strip() if value else ""
        self.codes.append(self.places.setdefault(text, len(self.places)) if text else -1)
        self.known += bool(text)

    def fill(self, length: int) -> None:
        """Let what was not said so far be missing."""
        self.codes.extend([-1] * (length - len(self.codes)))

    def fact(self) -> Fact:
        return Fact(np.frombuffer(self.codes, np.int32).copy() if self.codes else np.zeros(0, np.int32), tuple(self.places))


_PLAIN = ("category", "subcategory")
_REFERRED = (SERVICE, CI, GROUP, ASSIGNEE, REQUESTER)


@dataclass(slots=True)
class _Names:
    """What ids stand for."""

    of: Mapping[str, Mapping[int, str]]
    sites: Mapping[int, str]


@dataclass(slots=True)
class _Columns:
    """The columns while rows are read."""

    names: _Names
    keys: list[str] = field(default_factory=list)
    ids: "array[int]" = field(default_factory=lambda: array("q"))
    opened: "array[int]" = field(default_factory=lambda: array("q"))
    ended: "array[int]" = field(default_factory=lambda: array("q"))
    texts: tuple[list[str], list[str], list[str]] = field(default_factory=lambda: ([], [], []))
    facts: dict[str, _Codes] = field(default_factory=lambda: {name: _Codes() for name in (*_PLAIN, *_REFERRED, SITE)})
    extras: dict[str, _Codes] = field(default_factory=dict)
    passed_over: set[str] = field(default_factory=set)
    numbers: "array[float]" = field(default_factory=lambda: array("d"))  # reassignments
    journeys: list[tuple[str, ...]] = field(default_factory=list)
    known: dict[str, str] = field(default_factory=dict)

    def add(self, row: Sequence[Any]) -> None:
        key, number, opened, ended, *rest = row
        self.keys.append(number)
        self.ids.append(key)
        self.opened.append(opened)
        self.ended.append(ended if ended is not None else int(MISSING))
        for column, text in zip(self.texts, rest[:3], strict=True):
            column.append(self.known.setdefault(text, text) if len(text) < 200 else text)  # equal titles are one text in memory
        for name, value in zip(_PLAIN, rest[3:5], strict=True):
            self.facts[name].add(value)
        for name, value in zip(_REFERRED, rest[5:10], strict=True):
            self.facts[name].add(self.names.of[name].get(value))
        self.facts[SITE].add(self.names.sites.get(rest[9]))
        self._extra(orjson.loads(rest[10]) if rest[10] else {})
        self.numbers.append(rest[11])
        groups = self.names.of[GROUP]
        self.journeys.append(tuple(groups[each] for each in dict.fromkeys((*(rest[12] or ()), rest[7])) if each in groups))

    def _extra(self, values: Mapping[str, Any]) -> None:
        place = len(self.keys) - 1
        for name, value in values.items():
            if name in self.passed_over or isinstance(value, dict | list):
                continue
            column = self.extras.get(name)
            if column is None:
                if len(self.extras) >= _MOST_EXTRAS:
                    continue
                column = self.extras[name] = _Codes()
            column.fill(place)
            column.add(None if value is None else str(value))
            if len(column.places) > _TOO_MANY_NAMES and not naming.is_fact(len(column.places), column.known):
                self.passed_over.add(name)
                del self.extras[name]

    def tickets(self, breached: Mapping[int, bool], bounced: Mapping[int, tuple[str, ...]]) -> Tickets:
        for column in self.extras.values():
            column.fill(len(self.keys))
        for place, key in enumerate(self.ids):
            if key in bounced:
                self.journeys[place] = bounced[key]
        titles, texts, notes = self.texts
        return Tickets(
            self.keys,
            opened=_ints(self.opened),
            ended=_ints(self.ended),
            titles=titles,
            texts=texts if any(texts) else None,
            notes=notes if any(notes) else None,
            facts=self._facts(),
            effort=self._effort(),
            reassigned=np.array(self.numbers, dtype=np.float64),
            breached=np.array([breached.get(key, np.nan) for key in self.ids], dtype=np.float64) if breached else self._made(),
            journeys=self.journeys,
        )

    def _facts(self) -> dict[str, Fact]:
        facts = {name: codes.fact() for name, codes in self.facts.items()}
        facts = {name: fact for name, fact in facts.items() if len(fact.names) > 1 or (fact.names and name == CI)}
        for column, codes in sorted(self.extras.items()):
            name = naming.fact_of(column)
            if name is not None and name not in facts and naming.is_fact(len(codes.places), codes.known):
                facts[name] = codes.fact()
        return facts

    def _effort(self) -> Floats | None:
        """Return handling time in seconds, where an imported column says it."""
        for column, codes in sorted(self.extras.items()):
            unit = naming.effort_unit(column)
            if unit is not None:
                found = _taken(codes.fact(), naming.number) * unit
                return found if np.isfinite(found).any() else None
        return None

    def _made(self) -> Floats | None:
        """Return breaches as an imported column says them, where no clock does."""
        made = next((codes for column, codes in sorted(self.extras.items()) if naming.is_made_sla(column)), None)
        return None if made is None else _taken(made.fact(), naming.breach)


def _taken(fact: Fact, value: Callable[[str], float]) -> Floats:
    values = np.array([*(value(name) for name in fact.names), np.nan], dtype=np.float64)
    return np.asarray(values[fact.codes])


def _ints(numbers: "array[int]") -> Ints:
    return np.array(numbers, dtype=np.int64)


def read(connection: Connection, since: datetime, until: datetime, changes: Iterable[Carried] = ()) -> Read:
    """Read what was opened in [since, until) and the CIs as they are; `changes` are those of that time (changes/queries.py reads them).

    Incidents and requests only; cancelled and merged ones are signs of a trouble, too. Facts are as they are now. Needs a connection
    in a transaction, in which it sees one state of the database.
    """
    names = _names(connection)
    columns = _Columns(names)
    for row in _rows(connection, _TICKETS, [list(RAISED_KINDS), since, until]):
        columns.add(row)
    breached: dict[int, bool] = dict(_rows(connection, _BREACHES, [since, until]))
    groups = names.of[GROUP]
    bounced = {key: _journey(bytes(events), groups) for key, events in _rows(connection, _BOUNCED, [since, until])}
    graph = _graph(connection, names.of[CI])
    return Read(columns.tickets(breached, bounced), _ints(columns.ids), graph, Changes([_change(each, names) for each in changes]))


def _change(carried: Carried, names: _Names) -> Change:
    key, title, cis, start, end, service, kind, planned, marks = carried
    touched = tuple(names.of[CI][ci] for ci in cis if ci in names.of[CI])
    return Change(key, title, touched, start, end, names.of[SERVICE].get(service or 0, ""), kind, planned, marks)


def _rows(connection: Connection, query: str, values: Sequence[Any]) -> Iterator[tuple[Any, ...]]:
    with connection.cursor("mining") as cursor:
        cursor.itersize = _AT_ONCE
        cursor.execute(query, values)
        yield from cursor


def _names(connection: Connection) -> _Names:
    def of(table: str, apart: str = "id") -> dict[int, str]:
        return dict(_rows(connection, _NAMES.format(table=table, apart=apart), []))

    people = of("people_user", "email")
    sites = dict(_rows(connection, "SELECT id, site FROM people_user WHERE site <> ''", []))
    named = {SERVICE: of("cmdb_service"), CI: of("cmdb_ci"), GROUP: of("people_team"), ASSIGNEE: people, REQUESTER: people}
    return _Names(named, sites)


def _journey(events: bytes, groups: Mapping[int, str]) -> tuple[str, ...]:
    held = [event.changes.get("group_id") for event in lives.read(events)]
    return tuple(groups[each] for each in held if each is not None and each in groups)


def _graph(connection: Connection, cis: Mapping[int, str]) -> CIGraph:
    attributes: dict[str, dict[str, str]] = {}
    for key, ci_class, status, environment, own in _rows(connection, _CIS, []):
        told = {
            name: str(value) for name, value in orjson.loads(own).items() if value not in (None, "") and not isinstance(value, dict | list)
        }
        attributes[cis[key]] = {**told, CLASS: ci_class, "CI status": status, "environment": environment}
    alike = naming.shared(attributes.values())
    pairs = [(cis[source], cis[target]) for source, target in _rows(connection, _PAIRS, [])]
    return CIGraph({ci: {name: value for name, value in own.items() if name in alike} for ci, own in attributes.items()}, pairs)
