"""A change's detail as a row, and the one way in which it is journalled."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db.models import F

from pilothouse.changes.engine.detail import EMPTY, PREFIX
from pilothouse.changes.engine.planning import PLANS, faults
from pilothouse.changes.models import AffectedCI, Change
from pilothouse.cmdb.models import CI
from pilothouse.platform import journal
from pilothouse.platform.access import Actor
from pilothouse.platform.journal import Change as Changed
from pilothouse.platform.journal import Draft
from pilothouse.platform.refusals import FieldError
from pilothouse.platform.texts import text_errors
from pilothouse.tickets.actions.fields import journal_value
from pilothouse.tickets.engine.lifecycle import Refusal
from pilothouse.tickets.models import Ticket

PLANNED, BEGUN, ENDED = "change.planned", "change.begun", "change.ended"


def detail_of(ticket_id: int) -> dict[str, Any]:
    """Return a change's detail in row form; the empty one where nothing has been said yet."""
    row = Change.objects.filter(pk=ticket_id).values(*(name for name in EMPTY if name != "cis")).first()
    if row is None:
        return dict(EMPTY)
    return {**row, "cis": list(AffectedCI.objects.filter(change_id=ticket_id).order_by("id").values_list("ci_id", flat=True))}


def as_errors(refusals: Sequence[Refusal]) -> list[FieldError]:
    """Return refusals the way actions raise them."""
    return [FieldError(each.field, each.message, each.hint) for each in refusals]


def errors_in(values: Mapping[str, Any], before: Mapping[str, Any] = EMPTY) -> list[FieldError]:
    """Say everything that is wrong with new values of the detail, the CIs that are not there among it."""
    texts = text_errors(Change, {name: value for name, value in values.items() if name in PLANS})
    return texts + as_errors(faults(values, before)) or _unknown_cis(values.get("cis", []))


def _unknown_cis(ids: list[int]) -> list[FieldError]:
    if not ids:
        return []
    known = set(CI.objects.filter(pk__in=ids).values_list("pk", flat=True))
    return [FieldError("cis", f"There is no CI {each}.", "Choose one that is in the CMDB.") for each in ids if each not in known]


def record_detail(
    actor: Actor, ticket: Ticket, before: Mapping[str, Any], values: Mapping[str, Any], *, now: datetime, verb: str, note: str = ""
) -> bool:
    """Journal what differs and move the ticket's version on; False when nothing does. The ticket's row is locked by the caller."""
    differing = {name: value for name, value in values.items() if before[name] != value}
    if not differing:
        return False
    changes = tuple(Changed(PREFIX + name, journal_value(before[name]), journal_value(value)) for name, value in differing.items())
    Ticket.objects.filter(pk=ticket.pk).update(version=F("version") + 1, updated_at=now)
    ticket.version, ticket.updated_at = ticket.version + 1, now
    journal.record(actor, [Draft("ticket", ticket.pk, verb, changes, note=note)], now=now)
    return True
