"""The rows of escalations, derived from the journal's entries about them; part of the projection `sla_clock` (projections.py)."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol

from dateutil.parser import isoparse
from django.db import connection

from pilothouse.sla.engine.lives import ESCALATED, STEP_FIELD, Event
from pilothouse.sla.models import Escalation
from pilothouse.tickets.engine.replay import Happened

ACKNOWLEDGED = "ticket.escalation_acknowledged"
PASSED_ON = "ticket.escalation_passed_on"
VERBS = frozenset({ESCALATED, ACKNOWLEDGED, PASSED_ON})


class Told(Happened, Protocol):
    """What rows need of a journal entry."""

    @property
    def id(self) -> int: ...
    @property
    def record_id(self) -> int: ...


def apply(entries: Iterable[Told]) -> None:
    """Move the rows on by these entries, in the order of the journal."""
    ours = [entry for entry in entries if entry.verb in VERBS]
    if taken := [_row(entry) for entry in ours if entry.verb == ESCALATED]:
        Escalation.objects.bulk_create(taken, batch_size=500)
    for entry in ours:
        if entry.verb != ESCALATED:
            _move(entry)


def _row(entry: Told) -> Escalation:
    values = {change.field: change.after for change in entry.changes}
    kind, version, target, turn, stay, group, step = values[STEP_FIELD]
    return Escalation(
        entry_id=entry.id,
        ticket_id=entry.record_id,
        kind=kind,
        agreement_version_id=version,
        target=target,
        turn=turn,
        stay=stay,
        group_id=group,
        step=step,
        due_at=isoparse(values["due_at"]),
        fired_at=entry.happened_at,
        told=values["told"],
        pass_on_at=_instant(values.get("pass_on_at")),
    )


def _instant(text: str | None) -> datetime | None:
    return isoparse(text) if text else None


def _move(entry: Told) -> None:
    values: Mapping[str, Any] = {change.field: change.after for change in entry.changes}
    row = Escalation.objects.filter(entry_id=values["escalation_entry"]).first()
    if row is None:
        return
    if entry.verb == ACKNOWLEDGED:
        row.acknowledged_at, row.acknowledged_by = entry.happened_at, entry.actor_id
    else:
        row.told, row.pass_on_at, row.round = values["told"], _instant(values.get("pass_on_at")), values.get("round", row.round + 1)
    row.save(update_fields=["acknowledged_at", "acknowledged_by", "told", "pass_on_at", "round"])


def were_taken(life: Sequence[Event]) -> bool:
    """Say whether steps were ever taken in a life."""
    return any(event.mark is not None and "step" in event.mark for event in life)


def end_with_clocks(tickets: Sequence[int]) -> None:
    """Let the escalations of these tickets be over exactly when their clocks are."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE sla_escalation e SET ended_at = coalesce(c.ended_at, CASE WHEN c.ticket_id IS NULL THEN e.fired_at END)"
            " FROM sla_escalation own LEFT JOIN sla_clock c ON c.ticket_id = own.ticket_id AND c.kind = own.kind AND c.target = own.target"
            " AND c.turn = own.turn AND c.stay = own.stay AND c.group_id IS NOT DISTINCT FROM own.group_id"
            " AND c.agreement_version_id = own.agreement_version_id"
            " WHERE own.id = e.id AND e.ticket_id = ANY(%s)",
            [list(tickets)],
        )
