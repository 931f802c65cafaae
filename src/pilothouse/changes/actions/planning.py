"""Planning a change: its detail, with the version that was shown."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import transaction

from pilothouse.changes.actions.detail import as_errors, detail_of, errors_in, once, record_plan
from pilothouse.changes.engine.planning import missing
from pilothouse.platform.access import Actor
from pilothouse.platform.refusals import FieldError, GuardRefused, Invalid, Missing
from pilothouse.platform.texts import is_plain_text
from pilothouse.tickets.access import get_ticket, require_work
from pilothouse.tickets.actions import change_ticket
from pilothouse.tickets.actions.changing import CHANGEABLE, LONGEST_NOTE
from pilothouse.tickets.actions.details import require_version
from pilothouse.tickets.models import Ticket


def plan_change(
    *,
    actor: Actor,
    ticket_id: int,
    plan: Mapping[str, Any],
    now: datetime,
    fields: Mapping[str, Any] | None = None,
    expected_version: int | None = None,
    note: str = "",
) -> Ticket:
    """Change fields of a change's detail (`plan`) and of its ticket (`fields`: title, service, group, …) and return the ticket.

    The first of `cis` becomes the ticket's own CI. Raises StaleVersion when `expected_version` is not the row's, Invalid,
    GuardRefused when the change's state needs what would be emptied, Forbidden, Missing.
    """
    with transaction.atomic():
        ticket, before = locked_change(actor, ticket_id, {**(fields or {}), **plan}, expected_version)
        values = once(plan)
        require_sound(before, values, note)
        if gone := [refusal for refusal in missing(ticket.state, {**before, **values}) if refusal.field in values]:
            raise GuardRefused(gone[0].message, as_errors(gone))
        own = {**(fields or {}), **_own_ci(ticket, before, values, fields or {})}
        if unknown := [name for name in own if name not in CHANGEABLE]:
            raise Invalid("Nothing was changed.", [FieldError(name, "This field is not changed here.") for name in unknown])
        if own:
            ticket = change_ticket(actor=actor, ticket_id=ticket_id, changes=own, now=now, note=note)
        if values:
            before = detail_of(ticket_id) if own else before  # a new CI of the ticket's has moved the list on
            record_plan(actor, ticket, before, values, now=now, note=note)
    return ticket


def locked_change(actor: Actor, ticket_id: int, changes: Mapping[str, Any], expected_version: int | None) -> tuple[Ticket, dict[str, Any]]:
    """Lock a change for its actor and return it with its detail; Missing, Forbidden, StaleVersion with both sides."""
    ticket = get_ticket(actor, ticket_id, lock=True)
    if ticket.kind != "change":
        raise Missing(f"{ticket.number} is no change.")
    require_work(actor, ticket)
    detail = detail_of(ticket_id)
    require_version(ticket, expected_version, changes, detail)
    return ticket, detail


def require_sound(before: Mapping[str, Any], values: Mapping[str, Any], note: str) -> None:
    """Raise Invalid with all that is wrong with new values of the detail, or with the note."""
    errors = errors_in(values, before)
    if not is_plain_text(note) or len(note) > LONGEST_NOTE:
        errors.append(FieldError("note", f"A note is a text of at most {LONGEST_NOTE:,} characters."))
    if errors:
        raise Invalid("Nothing was changed.", errors)


def _own_ci(ticket: Ticket, before: Mapping[str, Any], values: Mapping[str, Any], fields: Mapping[str, Any]) -> dict[str, Any]:
    """Return the CI that the ticket gets: the first of a new list, unless one was named beside it."""
    if "cis" not in values or "ci" in fields or values["cis"] == before["cis"]:
        return {}
    own = values["cis"][0] if values["cis"] else None
    return {"ci": own} if own != ticket.ci_id else {}
