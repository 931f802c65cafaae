"""Counting clocks anew, in portions, when a version of an agreement or of a schedule reaches back to tickets that are there.

An agreement's version holds for tickets opened from its `effective_from` on; a schedule's moves every clock that is still living, or that
was at its `effective_from`. In between portions, the clocks counted are those of the new rules, the others wait.
"""

from collections.abc import Callable, Iterator
from typing import Any

from django.db import connection, transaction

from pilothouse.platform import outbox
from pilothouse.sla import projections
from pilothouse.sla.models import AgreementVersion, ScheduleUse, ScheduleVersion

VERBS = (
    "agreement.added",
    "agreement.changed",
    "agreement.retired",
    "agreement.reordered",
    "schedule.added",
    "schedule.changed",
    "schedule.retired",
    "schedule.used",
    "schedule.unused",
)
_PORTION = 2000


def after(kind: str, record_id: int) -> int:
    """Recount what the newest version of an agreement or a schedule concerns; returns how many tickets were counted."""
    return _agreement(record_id) if kind == "agreement" else _schedule(record_id)


def everything(progress: Callable[[int], None] = lambda count: None) -> int:
    """Recount every ticket's clocks."""
    return _recount("SELECT ticket_id FROM sla_life WHERE ticket_id > %s", [], progress)


def _agreement(record_id: int) -> int:
    newest = AgreementVersion.objects.filter(agreement_id=record_id).order_by("-number").first()
    if newest is None:
        return 0
    if newest.effective_from is None:
        return everything()
    return _recount("SELECT ticket_id FROM sla_life WHERE ticket_id > %s AND opened_at >= %s", [newest.effective_from])


def _schedule(record_id: int) -> int:
    version = ScheduleVersion.objects.filter(schedule_id=record_id).order_by("-number").first()
    use = ScheduleUse.objects.filter(schedule_id=record_id).order_by("-id").first()
    begins = [row.effective_from for row in (version, use) if row is not None]
    first = min((begin for begin in begins if begin is not None), default=None)
    if first is None or None in begins:
        return everything()
    return _recount("SELECT DISTINCT ticket_id FROM sla_clock WHERE ticket_id > %s AND (ended_at IS NULL OR ended_at >= %s)", [first])


def _recount(sql: str, values: list[Any], progress: Callable[[int], None] = lambda count: None) -> int:
    total = 0
    for tickets in _portions(sql, values):
        with transaction.atomic():
            total += projections.recount(tickets)
        progress(len(tickets))
    return total


def _portions(sql: str, values: list[Any]) -> Iterator[list[int]]:
    last = 0
    while True:
        with connection.cursor() as cursor:
            cursor.execute(f"{sql} ORDER BY ticket_id LIMIT {_PORTION}", [last, *values])
            tickets = [row[0] for row in cursor.fetchall()]
        if tickets:
            yield tickets
        if len(tickets) < _PORTION:
            return
        last = tickets[-1]


for _verb in VERBS:
    outbox.subscribe(_verb, "sla.recount")
