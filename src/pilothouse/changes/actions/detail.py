"""A change's detail as a row, and the one way in which it is journalled."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from pilothouse.changes.engine.detail import EMPTY, PREFIX
from pilothouse.changes.engine.planning import PLANS, faults
from pilothouse.changes.models import AffectedCI, Change
from pilothouse.cmdb.models import CI
from pilothouse.platform.access import Actor
from pilothouse.platform.refusals import FieldError
from pilothouse.platform.texts import text_errors
from pilothouse.tickets.actions.details import record_detail
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


def once(plan: Mapping[str, Any]) -> dict[str, Any]:
    """Return a plan that names each CI once, in order; what is no list of ids stays as it is, to be refused."""
    cis = plan.get("cis")
    whole = isinstance(cis, list) and all(isinstance(each, int) for each in cis)
    return {**plan, "cis": list(dict.fromkeys(cis or []))} if whole else dict(plan)


def record_plan(
    actor: Actor,
    ticket: Ticket,
    before: Mapping[str, Any],
    values: Mapping[str, Any],
    *,
    now: datetime,
    verb: str = PLANNED,
    note: str = "",
) -> bool:
    """Journal what differs of a change's detail, and move the version of its locked ticket on; False when nothing does."""
    return record_detail(actor, ticket, values, before=before, prefix=PREFIX, verb=verb, now=now, note=note)
