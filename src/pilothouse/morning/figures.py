"""The figures of a review, each from an index: what came in against what is usual, what breached, how old the open ones are."""

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.db import connection

from pilothouse.morning.engine.lines import AGE_EDGES_DAYS, AGES
from pilothouse.morning.engine.spans import Span, same_in_weeks_before
from pilothouse.morning.engine.usual import WEEKS, Usual, usual
from pilothouse.morning.scope import Scope
from pilothouse.tickets.engine.lifecycle import DONE_STATES, OPEN_STATES
from pilothouse.tickets.models import Ticket

HOURS = 24
DAYS = 14
_Place = tuple[int | None, int]  # team and priority
_Fits = Callable[[_Place], bool]
_OPEN = ", ".join(f"'{state}'" for state in OPEN_STATES)
_DONE = ", ".join(f"'{state}'" for state in DONE_STATES)


@dataclass(frozen=True, slots=True)
class Came:
    """How many came in, and what is usual; `name` is the team's or the priority's."""

    name: str
    count: int
    usual: Usual | None

    @property
    def verdict(self) -> str:
        """Say how it lies to what is usual; "" while nothing is known."""
        return self.usual.verdict(self.count) if self.usual else ""


@dataclass(frozen=True, slots=True)
class Intake:
    """What came in over the span; `hours` are the last 24, oldest first, `usual_hours` their mean in the weeks before."""

    total: Came
    teams: tuple[Came, ...]
    priorities: tuple[Came, ...]
    hours: tuple[int, ...]
    usual_hours: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Met:
    """Targets that ended in the last seven days and how many were missed; `days` are the misses of 14 days, oldest first."""

    ended: int
    missed: int
    days: tuple[int, ...]

    @property
    def share(self) -> float | None:
        """The share that was met, in percent; None when nothing ended."""
        return 100 * (1 - self.missed / self.ended) if self.ended else None


@dataclass(frozen=True, slots=True)
class Age:
    """Open tickets of an age, and how many there were at the same time last week."""

    words: str
    count: int
    before: int

    @property
    def change(self) -> str:
        """Write the difference with its sign."""
        return f"{self.count - self.before:+d}" if self.count != self.before else "0"


_INTAKE = """
WITH weeks AS (
  SELECT * FROM unnest(%s::int[], %s::timestamptz[], %s::timestamptz[], %s::timestamptz[]) w(week, first_at, since_at, end_at)
)
SELECT week, slot, group_id, priority, grouping(slot), count(*), count(*) FILTER (WHERE counted)
FROM (
  SELECT w.week, t.group_id, t.priority, t.opened_at >= w.since_at AS counted,
    CASE WHEN t.opened_at >= w.end_at - interval '24 hours'
      THEN 23 - least(23, floor(date_part('epoch', w.end_at - t.opened_at) / 3600)::int) END AS slot
  FROM weeks w JOIN tickets_ticket t ON t.opened_at >= w.first_at AND t.opened_at < w.end_at
  WHERE {scope}
) came
GROUP BY GROUPING SETS ((week, group_id, priority), (week, slot))
"""


def intake(scope: Scope, span: Span, zone: ZoneInfo, teams: Mapping[int, str]) -> Intake:
    """Return what came in over the span by team and priority, against the same span of the eight weeks before.

    A ticket counts for the team and the priority that it has now, then as today. Weeks before the first ticket do not count.
    """
    spans = [span, *same_in_weeks_before(span, zone, WEEKS)]
    first = Ticket.objects.order_by("opened_at").values_list("opened_at", flat=True).first()
    weeks = [week for week, each in enumerate(spans) if week == 0 or (first is not None and first <= each.start)]
    counts, slots = _came(scope, {week: spans[week] for week in weeks})
    before = [week for week in weeks if week]

    def came(name: str, fits: _Fits) -> Came:
        own = [sum(count for place, count in counts[week].items() if fits(place)) for week in weeks]
        return Came(name, own[0], usual(own[1:]))

    def of_team(group: int | None) -> Came:
        if group is None:  # what came in earlier has been routed since: nothing to compare with
            return Came("not routed yet", sum(count for place, count in counts[0].items() if place[0] is None), None)
        return came(teams.get(group, f"team {group}"), lambda place: place[0] == group)

    def of_priority(level: int) -> Came:
        return came(str(level), lambda place: place[1] == level)

    by_team = [of_team(group) for group in {group for week in weeks for group, _ in counts[week]}]
    return Intake(
        came("all", lambda place: True),
        tuple(sorted(filter(_worth_a_line, by_team), key=lambda each: (each.verdict != "more", -each.count, each.name))),
        tuple(of_priority(level) for level in range(1, 6)),
        tuple(slots[0][hour] for hour in range(HOURS)),
        tuple(sum(slots[week][hour] for week in before) / len(before) for hour in range(HOURS)) if before else (),
    )


def _worth_a_line(came: Came) -> bool:
    return came.count > 0 or came.verdict == "less"


def _came(scope: Scope, spans: Mapping[int, Span]) -> tuple[dict[int, Counter[_Place]], dict[int, Counter[int]]]:
    """Count by week what came in: by team and priority over the span, and by hour over its last 24."""
    where, values = scope.sql("t")
    firsts = [min(span.start, span.end - timedelta(hours=HOURS)) for span in spans.values()]
    columns: list[Any] = [list(spans), firsts, [span.start for span in spans.values()], [span.end for span in spans.values()]]
    counts: dict[int, Counter[_Place]] = defaultdict(Counter)
    slots: dict[int, Counter[int]] = defaultdict(Counter)
    with connection.cursor() as cursor:
        cursor.execute(_INTAKE.format(scope=where), [*columns, *values])
        for week, slot, group, priority, is_total, count, in_span in cursor.fetchall():
            if is_total:
                counts[week][group, priority] = in_span
            elif slot is not None:
                slots[week][slot] = count
    return counts, slots


_AGES = """
SELECT 'now', width_bucket(t.opened_at, %s::timestamptz[]), count(*) FROM tickets_ticket t
WHERE t.state IN ({open}) AND t.opened_at <= %s AND {scope} GROUP BY 2
UNION ALL
SELECT 'then', width_bucket(t.opened_at, %s::timestamptz[]), count(*) FROM tickets_ticket t
WHERE t.state IN ({open}) AND t.opened_at <= %s AND {scope} GROUP BY 2
UNION ALL
SELECT 'then', width_bucket(t.opened_at, %s::timestamptz[]), count(*) FROM tickets_ticket t
WHERE t.state IN ({done}) AND coalesce(t.resolved_at, t.closed_at) > %s AND t.opened_at <= %s AND {scope} GROUP BY 2
"""


def ages(scope: Scope, now: datetime) -> tuple[Age, ...]:
    """Return the open tickets by age in whole days, beside those that were open seven days before.

    What was resolved since, or cancelled, was open then; what was resolved before and reopened since counts as open then, too.
    """
    then = now - timedelta(days=7)
    where, values = scope.sql("t")
    edges, edges_then = _edges(now), _edges(then)
    sql = _AGES.format(open=_OPEN, done=_DONE, scope=where)
    counted: Counter[tuple[str, int]] = Counter()
    with connection.cursor() as cursor:
        cursor.execute(sql, [edges, now, *values, edges_then, then, *values, edges_then, then, then, *values])
        for when, bucket, count in cursor.fetchall():
            counted[when, bucket] += count
    newest = len(AGE_EDGES_DAYS)
    return tuple(Age(words, counted["now", newest - at], counted["then", newest - at]) for at, words in enumerate(AGES))


def _edges(at: datetime) -> list[datetime]:
    """The oldest instants of each age but the oldest: a whole number of days old belongs to the older one."""
    return [at - timedelta(days=days) + timedelta(microseconds=1) for days in reversed(AGE_EDGES_DAYS)]


_MET = """
SELECT floor(date_part('epoch', %s - c.ended_at) / 86400)::int, count(*), count(*) FILTER (WHERE c.breached)
FROM sla_clock c WHERE c.stage = 'achieved' AND c.ended_at > %s AND c.ended_at <= %s AND c.kind IN ('response', 'resolution') GROUP BY 1
"""
# What ended for a ticket changed the ticket: those of few teams are found by their teams.
_MET_OF_TEAMS = """
SELECT floor(date_part('epoch', %s - c.ended_at) / 86400)::int, count(*), count(*) FILTER (WHERE c.breached)
FROM tickets_ticket t JOIN sla_clock c ON c.ticket_id = t.id
WHERE t.group_id = ANY(%s::bigint[]) AND t.updated_at > %s
  AND c.stage = 'achieved' AND c.ended_at > %s AND c.ended_at <= %s AND c.kind IN ('response', 'resolution') GROUP BY 1
"""


def met(scope: Scope, now: datetime) -> Met:
    """Return how many response and resolution targets ended in the last seven days and how many were missed."""
    since = now - timedelta(days=DAYS)
    ended, missed = Counter[int](), Counter[int]()

    def add(sql: str, values: list[Any], sign: int = 1) -> None:
        with connection.cursor() as cursor:
            cursor.execute(sql, values)
            for day, all_of_them, late in cursor.fetchall():
                ended[day] += sign * all_of_them
                missed[day] += sign * late

    if scope.teams is None:
        add(_MET, [now, since, now])
    else:
        add(_MET_OF_TEAMS, [now, sorted(scope.teams - scope.hidden), since, since, now])
    if scope.teams is None and scope.hidden:
        add(_MET_OF_TEAMS, [now, sorted(scope.hidden), since, since, now], -1)
    week = range(7)
    return Met(sum(ended[d] for d in week), sum(missed[d] for d in week), tuple(missed[d] for d in reversed(range(DAYS))))


_BREACHED = """
SELECT ticket_id, min(due_at) FROM (
  SELECT c.ticket_id, c.due_at FROM sla_clock c
  WHERE c.stage = 'achieved' AND c.breached AND c.ended_at >= %s AND c.ended_at <= %s AND c.due_at >= %s
  UNION ALL
  SELECT s.ticket_id, s.due_at FROM sla_ticket s WHERE s.due_at >= %s AND s.due_at < %s
) late JOIN tickets_ticket t ON t.id = late.ticket_id
WHERE {scope} GROUP BY 1
"""


def breached(scope: Scope, span: Span) -> dict[int, datetime]:
    """Return the tickets of which a target ran out in the span, and when the first did."""
    where, values = scope.sql("t")
    with connection.cursor() as cursor:
        cursor.execute(_BREACHED.format(scope=where), [span.start, span.end, span.start, span.start, span.end, *values])
        return dict(cursor.fetchall())


_AHEAD = """
SELECT width_bucket(s.due_at, %s::timestamptz[]), count(*) FROM sla_ticket s JOIN tickets_ticket t ON t.id = s.ticket_id
WHERE s.due_at >= %s AND s.due_at < %s AND s.stage = 'running' AND t.state IN ({open}) AND {scope} GROUP BY 1
"""


def due_ahead(scope: Scope, edges: list[datetime]) -> tuple[int, ...]:
    """Count the open tickets whose running target is used up between each edge and the next; edges ascend."""
    where, values = scope.sql("t")
    with connection.cursor() as cursor:
        cursor.execute(_AHEAD.format(open=_OPEN, scope=where), [edges, edges[0], edges[-1], *values])
        counted = dict(cursor.fetchall())
    return tuple(counted.get(at, 0) for at in range(1, len(edges)))
