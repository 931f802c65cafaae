"""What a change of agreements or schedules would have done to the tickets opened in the last days, before anything is saved.

A change, as pages keep it and a file holds it; an agreement that is null is retired, one with an unknown key is new:

    {"agreements": {"gold": {"applies_to": "priority<=2", "targets": [...], "position": 15}, "old": null},
     "schedules": {"office": {"zone": "Europe/London", "week": {...}}}}

Before: each ticket under the versions that held when it was opened, as its clocks were counted. After: the same, but the changed
agreements and schedules have held all the time. Lives are read in portions and judged by shape (engine/verdicts.py), so memory stays
bounded and a year of tickets takes seconds. Each portion is read as it is then, outside of a transaction: what is noted of the progress
is seen at once.
"""

import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

import numpy as np
import orjson
import psycopg
from django.db import connection

from pilothouse.people.models import Team
from pilothouse.platform import statements
from pilothouse.platform.access import Actor
from pilothouse.platform.garbage import no_collection
from pilothouse.platform.refusals import FieldError, Invalid
from pilothouse.sla import rulebook, schedules
from pilothouse.sla.engine.business_time import OpenHours, read_definition
from pilothouse.sla.engine.clock import AllHours
from pilothouse.sla.engine.lives import seconds
from pilothouse.sla.engine.rules import KINDS, Agreement, Rulebook
from pilothouse.sla.engine.verdicts import Judge, Side
from pilothouse.sla.engine.what_if import TO_BREACHED, TO_MET, Compared, Tally
from pilothouse.sla.judging import Judged, field_errors, judge
from pilothouse.sla.models import Agreement as AgreementRow
from pilothouse.sla.models import Schedule
from pilothouse.sla.schedule_queries import newest_versions
from pilothouse.tickets.models import Ticket

DAYS = (30, 90, 365)
DEFAULT_DAYS, MOST_DAYS = 90, 3660
LISTED = 100  # flips each way
_PORTION = 20_000  # lives as bytes, some 10 MB
Change = Mapping[str, Any]
Progress = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class Prepared:
    """A change that was read: both sides, the ids of the agreements it changes, and what looks wrong in it."""

    before: Side
    after: Side
    changed: tuple[int, ...]
    warnings: list[tuple[str, str]] = field(default_factory=list)


class _Hours(dict[int | None, OpenHours]):
    """The hours of schedules as they would be, compiled when first asked for."""

    def __init__(self, compiling: schedules.Compiling, before: AllHours) -> None:
        super().__init__({None: before[None]})
        self.compiling, self.before = compiling, before

    def __missing__(self, schedule: int | None) -> OpenHours:
        assert schedule is not None
        hours, before = self.compiling.of(schedule), self.before[schedule]
        hours = self[schedule] = before if before == hours else hours  # what is alike on both sides is judged once
        return hours


def prepare(change: Any, *, now: datetime) -> Prepared:
    """Read a change; raises Invalid with every fault, each under its place ("agreements.gold.targets.0.durations.1")."""
    if not isinstance(change, dict) or not all(isinstance(change.get(part, {}), dict) for part in ("agreements", "schedules")):
        raise Invalid("This is no change.", [FieldError("", "It is a JSON object.", '{"agreements": {"gold": {…}}, "schedules": {}}')])
    if "\\u0000" in orjson.dumps(change).decode():
        raise Invalid("This is no change.", [FieldError("", "It holds NUL characters, which are no text.")])
    errors = [
        FieldError(str(name), "A change has agreements and schedules.", '{"agreements": {…}, "schedules": {…}}')
        for name in set(change) - {"agreements", "schedules"}
    ]
    known = rulebook.current()
    versions, changed, warnings = _agreements(change.get("agreements", {}), known.rulebook, errors, now)
    hours = _schedules(change.get("schedules", {}), errors)
    if errors:
        raise Invalid("The change cannot be tried.", errors)
    after = Rulebook(versions, known.rulebook.uses)
    return Prepared(Side(known.rulebook, known.hours), Side(after, _Hours(hours, known.hours)), changed, warnings)


def _agreements(
    given: Mapping[str, Any], book: Rulebook, errors: list[FieldError], now: datetime
) -> tuple[tuple[Agreement, ...], tuple[int, ...], list[tuple[str, str]]]:
    """Return the versions with the changed agreements in place of their own, the changed ids, and warnings."""
    rows = {row.key: row for row in AgreementRow.objects.filter(key__in=list(given))}
    names = {pk: version.names for pk, version in newest_versions(rows.values()).items()}
    last = max((each.position for each in book.versions), default=0)
    made, warnings = list[Agreement](), list[tuple[str, str]]()
    for number, (key, definition) in enumerate(given.items(), 1):
        row = rows.get(key)
        if definition is None:
            continue
        judged = judge(definition, names=names.get(row.pk, []) if row else [], now=now)
        errors += field_errors(judged.refusals, f"agreements.{key}")
        warnings += [(f"agreements.{key}.{each.field}", each.message) for each in judged.warnings]
        position = definition.get("position") if isinstance(definition, dict) else None
        if not (position is None or (isinstance(position, int) and abs(position) < 2**31)):
            errors.append(FieldError(f"agreements.{key}.position", "A position is a whole number.", "10"))
            position = None
        made.append(_thought_of(row, key, judged, position if position is not None else row.position if row else last + number, -number))
    errors += [
        FieldError(f"agreements.{key}", "There is no such agreement to retire.", "Its key stands in its address bar and in exports.")
        for key, definition in given.items()
        if definition is None and key not in rows
    ]
    changed = {row.pk for row in rows.values()}
    kept = tuple(each for each in book.versions if each.agreement_id not in changed)
    return (*kept, *made), tuple(each.agreement_id for each in made), warnings


def _thought_of(row: AgreementRow | None, key: str, judged: Judged, position: int, number: int) -> Agreement:
    return Agreement(
        version_id=number,
        agreement_id=row.pk if row else number,
        number=1,
        name=row.name if row else key,
        position=position,
        applies=judged.applies,
        targets=judged.targets,
    )


def _schedules(given: Mapping[str, Any], errors: list[FieldError]) -> schedules.Compiling:
    ids = dict(Schedule.objects.filter(key__in=list(given)).values_list("key", "pk"))
    added = {}
    for key, data in given.items():
        if key not in ids:
            known = ", ".join(Schedule.objects.values_list("key", flat=True)[:20])
            errors.append(FieldError(f"schedules.{key}", "There is no schedule with this key.", f"There are: {known or 'none'}."))
            continue
        reading = read_definition(data)
        errors += field_errors(reading.errors, f"schedules.{key}")
        if reading.definition is not None:
            added[ids[key]] = [(None, reading.definition)]
    return schedules.hours_if(added)


_COUNT = "SELECT count(*) FROM sla_life l JOIN tickets_ticket t ON t.id = l.ticket_id WHERE l.opened_at >= %s AND {visible}"
_READ = (
    "SELECT l.ticket_id, coalesce(t.group_id, 0), t.priority, l.events FROM sla_life l"
    " JOIN tickets_ticket t ON t.id = l.ticket_id WHERE l.opened_at >= %s AND {visible} AND l.ticket_id > %s AND l.ticket_id <= %s"
    " ORDER BY l.ticket_id"
)
_BOUNDS = (
    "SELECT ticket_id FROM (SELECT ticket_id, row_number() OVER (ORDER BY ticket_id) AS n FROM sla_life WHERE opened_at >= %s) l"
    " WHERE n %% %s = 0 ORDER BY ticket_id"
)
_WIDEST = 2**63 - 1
_VISIBLE = "(t.group_id IS NULL OR NOT t.group_id = ANY(%s::bigint[]) OR t.requester_id = %s)"


def _asked(sql: str, actor: Actor, days: int, now: datetime) -> tuple[str, list[Any]]:
    since = now - timedelta(days=days)
    if not actor.hidden_team_ids:
        return sql.format(visible="true"), [since]
    return sql.format(visible=_VISIBLE), [since, sorted(actor.hidden_team_ids), actor.user_id]


def how_many(actor: Actor, days: int, *, now: datetime) -> int:
    """Return how many tickets a what-if over so many days looks at."""
    with connection.cursor() as cursor:
        cursor.execute(*_asked(_COUNT, actor, days, now))
        return int(cursor.fetchone()[0])


def run(actor: Actor, prepared: Prepared, days: int, *, now: datetime, progress: Progress = lambda count: None) -> dict[str, Any]:
    """Judge the tickets opened in the last `days` days before and after a change; returns a report that JSON can hold.

    `progress` is called with how many more tickets are done. Memory is bounded by the size of a portion.
    """
    began = time.perf_counter()
    judge_ = Judge([prepared.before, prepared.after], seconds(now))
    tally, under = Tally(most=LISTED), [Counter[int](), Counter[int]()]
    for tickets, teams, priorities, stored in _portions(*_asked(_READ, actor, days, now)):
        with no_collection():
            found = judge_.judge(stored)
        tally.add(*found.of, tickets=tickets, teams=np.array(teams), priorities=np.array(priorities))
        for kept, more in zip(under, found.under, strict=True):
            kept.update(more)
        progress(len(tickets))
    report = _report(tally, days)
    report["agreements"] = len(prepared.changed)
    report["under"] = [sum(each[pk] for pk in prepared.changed) for each in under]
    report["warnings"] = [list(each) for each in prepared.warnings]
    return {**report, "seconds": round(time.perf_counter() - began, 2)}


Portion = tuple[Sequence[int], Sequence[int], Sequence[int], Sequence[bytes]]


def _portions(sql: str, values: Sequence[Any]) -> Iterator[Portion]:
    bounds = [-_WIDEST, *(row[0] for row in statements.run(_BOUNDS, (values[0], _PORTION))), _WIDEST]
    for each in pairwise(bounds):
        if rows := psycopg.Cursor(connection.connection).execute(sql, [*values, *each], binary=True).fetchall():
            tickets, teams, priorities, stored = zip(*rows, strict=True)
            yield tickets, teams, priorities, stored


def _report(tally: Tally, days: int) -> dict[str, Any]:
    kinds = [(kind, Compared.of(pairs)) for kind, pairs in zip(KINDS, tally.kinds, strict=True)]
    teams = dict(Team.objects.filter(pk__in=list(tally.teams)).values_list("pk", "name"))
    by_team = [(teams.get(pk, "No group"), pk, Compared.of(pairs)) for pk, pairs in tally.teams.items()]
    by_priority = [(level, Compared.of(tally.priorities[level])) for level in sorted(tally.priorities)]
    return {
        "days": days,
        "tickets": tally.tickets,
        "kinds": [{"kind": kind, "label": KINDS[kind], **row.as_json()} for kind, row in kinds if _is_any(row)],
        "teams": [{"team": name, "id": pk, **row.as_json()} for name, pk, row in sorted(by_team, key=_gravest) if _is_any(row)],
        "priorities": [{"priority": level, **row.as_json()} for level, row in by_priority if _is_any(row)],
        "to_breached": _named(tally.flips[TO_BREACHED]),
        "to_met": _named(tally.flips[TO_MET]),
    }


def _is_any(row: Compared) -> bool:
    return any((side.met, side.breached, side.open) != (0, 0, 0) for side in (row.before, row.after))


def _gravest(row: tuple[str, int, Compared]) -> tuple[int, str]:
    return -(row[2].to_breached + row[2].to_met), row[0]


def _named(flips: Sequence[tuple[int, str]]) -> list[dict[str, Any]]:
    rows = Ticket.objects.select_related("group").only("number", "title", "priority", "group__name")
    found = rows.in_bulk([ticket for ticket, _ in flips])
    return [
        {
            "number": found[ticket].number,
            "title": found[ticket].title,
            "priority": found[ticket].priority,
            "team": group.name if (group := found[ticket].group) else "",
            "kind": kind,
        }
        for ticket, kind in flips
        if ticket in found
    ]
