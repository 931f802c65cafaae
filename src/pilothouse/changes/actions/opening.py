"""Opening a change: its ticket, and its plan as far as it is known."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import transaction

from pilothouse.changes.actions.detail import errors_in, once, record_plan
from pilothouse.changes.engine.detail import EMPTY
from pilothouse.people.queries import require
from pilothouse.platform.access import Actor, Capability
from pilothouse.platform.refusals import Invalid
from pilothouse.tickets.actions.opening import open_practice_ticket
from pilothouse.tickets.models import Ticket


def open_change(*, actor: Actor, now: datetime, plan: Mapping[str, Any] | None = None, **fields: Any) -> Ticket:
    """Open a change and return its ticket.

    `fields` are a ticket's (title, description, service, group, assignee, …), `plan` the detail's: type ("normal"), risk, reason,
    implementation_plan, rollback_plan, planned and actual times (aware datetimes), outcome, cis (ids; the first becomes the ticket's
    own CI). Raises Invalid with every fault at once, Forbidden.
    """
    require(actor, Capability.WORK_TICKETS)
    given = {**EMPTY, **_with_own_ci(plan or {}, fields)}
    with transaction.atomic():
        if errors := errors_in(given):
            raise Invalid("The change was not opened.", errors)
        own = {"ci": given["cis"][0]} if given["cis"] else {}
        made = open_practice_ticket(actor=actor, kind="change", now=now, **fields | own)
        # A change has its detail from the first, even an empty one: its type is journalled in any case.
        before = {**EMPTY, "type": None}
        record_plan(actor, made, before, given, now=now)
    return made


def _with_own_ci(plan: Mapping[str, Any], fields: Mapping[str, Any]) -> dict[str, Any]:
    """Let a ticket's own CI stand first among those that the change touches."""
    cis, own = plan.get("cis", []), fields.get("ci")
    return once({**plan, "cis": cis if own is None or not isinstance(cis, list) else [own, *cis]})
