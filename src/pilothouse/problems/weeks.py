"""How many incidents came each week, counted by the database: a problem's own, and all others as what they are held against.

A week here is seven days from a Monday, in UTC.
"""

from collections.abc import Sequence
from datetime import date, datetime, timedelta

from django.db import connection

from pilothouse.tickets.engine.lifecycle import RAISED_KINDS

_COUNT = """
SELECT date_trunc('week', opened_at AT TIME ZONE 'UTC')::date AS monday, count(*) FILTER (WHERE id = ANY(%s)), count(*)
FROM tickets_ticket WHERE opened_at >= %s AND opened_at < %s AND kind = ANY(%s) GROUP BY monday
"""


def monday(at: datetime) -> date:
    """Return the Monday that begins an instant's week, in UTC (the instant is aware and in UTC)."""
    return at.date() - timedelta(days=at.weekday())


def counts(ticket_ids: Sequence[int], first: date, end: datetime) -> tuple[list[int], list[int]]:
    """Count incidents and requests opened in each week from `first` (a Monday) until `end`: those named, and all the others."""
    with connection.cursor() as cursor:
        cursor.execute(_COUNT, [list(ticket_ids), first, end, list(RAISED_KINDS)])
        found = {monday: (own, everything - own) for monday, own, everything in cursor.fetchall()}
    weeks = [first + timedelta(days=7 * i) for i in range((monday(end) - first).days // 7 + 1)]
    pairs = [found.get(week, (0, 0)) for week in weeks]
    return [own for own, _ in pairs], [others for _, others in pairs]
