"""How many incidents came each week, counted by the database: a problem's own, and all others as what they are held against."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta

from pilothouse.platform.statements import run
from pilothouse.problems.engine.proof import Week
from pilothouse.tickets.engine.lifecycle import RAISED_KINDS

WEEK = timedelta(days=7)
_COUNT = """
SELECT floor(extract(epoch FROM opened_at - %s) / 604800)::int AS week, count(*) FILTER (WHERE id = ANY(%s::bigint[])), count(*)
FROM tickets_ticket WHERE opened_at >= %s AND opened_at < %s AND kind = ANY(%s) GROUP BY week
"""


def count_weeks(ids: Sequence[int], first: datetime, zero: datetime, end: datetime) -> dict[int, Week]:
    """Count the tickets named, and all others, opened in [first, end), by the week from `zero` in which they came (-1: the one before)."""
    found = run(_COUNT, [zero, list(ids), first, end, list(RAISED_KINDS)])
    return {week: Week(own, everything - own) for week, own, everything in found}


def monday(at: datetime) -> date:
    """Return the Monday that begins an instant's week, in UTC (the instant is aware and in UTC)."""
    return at.date() - timedelta(days=at.weekday())


def counts(ids: Sequence[int], first: date, end: datetime) -> list[Week]:
    """Count incidents and requests opened in each calendar week (in UTC) from `first`, a Monday, until `end`."""
    zero = datetime.combine(first, time.min, UTC)
    found, empty = count_weeks(ids, zero, zero, end), Week(0, 0)
    return [found.get(week, empty) for week in range((monday(end) - first).days // 7 + 1)]
