"""Counting clocks anew, in portions, when a version of an agreement or of a schedule reaches back to tickets that are there.

An agreement's version holds for tickets opened from its `effective_from` on; a schedule's moves every clock that is still living, or that
was at its `effective_from`. In between portions, the clocks counted are those of the new rules, the others wait.
"""

import logging
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection, transaction

from pilothouse.platform import outbox
from pilothouse.platform.statements import run
from pilothouse.sla import projections, rulebook
from pilothouse.sla.models import AgreementVersion, ScheduleUse, ScheduleVersion

VERBS = (
    "agreement.added",
    "agreement.changed",
    "agreement.retired",
    "agreement.reordered",
    "schedule.added",
    "schedule.changed",
    "schedule.used",
    "schedule.unused",
)
_PORTION = 2000
_LONGEST_WAIT_SECONDS = 900
_log = logging.getLogger(__name__)
# Hours that change from an instant on change what was over before it only where it looked beyond: its first deadline, or a deadline
# at an hour of a business day.
_TOUCHED = (
    "SELECT DISTINCT ticket_id FROM sla_clock WHERE ticket_id > %s AND (ended_at IS NULL OR ended_at >= %s OR original_due_at IS NULL"
    " OR original_due_at >= %s OR agreement_version_id = ANY(%s))"
)


@dataclass(frozen=True, slots=True)
class Recounted:
    """How many tickets were counted, and whether those were all that there are."""

    tickets: int
    was_everything: bool = False


def after(kind: str, record_id: int, since: datetime | None = None) -> Recounted:
    """Recount what versions of an agreement or a schedule concern that were recorded from `since` on (None: all that it has).

    Of several edits in a row, each one's job counts what it and those after it reach.
    """
    _wait_for_writers()
    return _agreement(record_id, since) if kind == "agreement" else _schedule(record_id, since)


def _wait_for_writers() -> None:
    """Wait until every transaction that is writing now has ended: it may have counted new tickets, not to be seen yet, as was known before.

    Whoever begins to write from now on reads the rulebook after what was committed.
    """
    if connection.in_atomic_block:
        return  # a caller's own transaction sees and writes nothing but its own
    end = time.monotonic() + _LONGEST_WAIT_SECONDS
    (begun,) = run("SELECT pg_snapshot_xmax(pg_current_snapshot())::text::bigint", ()).fetchone() or (0,)
    while (run("SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint", ()).fetchone() or (begun,))[0] < begun:
        if time.monotonic() > end:
            _log.warning("A transaction has been writing for %s s; clocks are counted anew beside it.", _LONGEST_WAIT_SECONDS)
            return
        time.sleep(0.05)


def everything(progress: Callable[[int], None] = lambda count: None) -> int:
    """Recount every ticket's clocks."""
    return _recount("SELECT ticket_id FROM sla_life WHERE ticket_id > %s", [], progress)


def _agreement(record_id: int, since: datetime | None) -> Recounted:
    rows = AgreementVersion.objects.filter(agreement_id=record_id)
    begins = list((rows if since is None else rows.filter(recorded_at__gte=since)).values_list("effective_from", flat=True))
    if not begins:
        return Recounted(0)
    if (first := _first(begins)) is None:
        return Recounted(everything(), was_everything=True)
    return Recounted(_recount("SELECT ticket_id FROM sla_life WHERE ticket_id > %s AND opened_at >= %s", [first]))


def _schedule(record_id: int, since: datetime | None) -> Recounted:
    versions, uses = ScheduleVersion.objects.filter(schedule_id=record_id), ScheduleUse.objects.all()
    if since is not None:
        versions, uses = versions.filter(recorded_at__gte=since), uses.filter(recorded_at__gte=since)
    begins = [begin for rows in (versions, uses) for begin in rows.values_list("effective_from", flat=True)]
    if not begins:
        return Recounted(0)
    if (first := _first(begins)) is None:
        return Recounted(everything(), was_everything=True)
    return Recounted(_recount(_TOUCHED, [first, first, _relative_versions()]))


def _first(begins: Sequence[datetime | None]) -> datetime | None:
    """Return the earliest of these, to the second as clocks count, None when one of them is since ever."""
    known = [begin for begin in begins if begin is not None]
    return min(known).replace(microsecond=0) if len(known) == len(begins) else None


def _relative_versions() -> list[int]:
    """Return the versions with targets like "next business day 16:00", whose length depends on hours that lie ahead."""
    versions = rulebook.current().rulebook.versions
    return [v.version_id for v in versions if any(d.is_relative for t in v.targets for d in t.durations.values())]


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
