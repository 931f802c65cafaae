"""Moving a change from state to state, with what each move needs and sets."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import transaction

from pilothouse.changes.actions.detail import BEGUN, ENDED, PLANNED, detail_of, record_plan
from pilothouse.changes.actions.planning import locked_change, require_sound
from pilothouse.changes.engine.planning import BACK, missing, settled
from pilothouse.platform.access import Actor
from pilothouse.platform.refusals import FieldError, GuardRefused
from pilothouse.tickets.actions import guards, move_ticket
from pilothouse.tickets.engine.lifecycle import Refusal, allowed
from pilothouse.tickets.models import Ticket

_VERBS = {"in_progress": BEGUN, "closed": ENDED}


def move_change(
    *,
    actor: Actor,
    ticket_id: int,
    state: str,
    now: datetime,
    note: str = "",
    plan: Mapping[str, Any] | None = None,
    expected_version: int | None = None,
) -> Ticket:
    """Move a change to a state and return its ticket; `plan` carries fields of the detail that come with the move (outcome, times).

    Starting sets the actual start, closing the actual end, where they are empty; one sent back from the work has not begun.
    Raises GuardRefused with everything that is missing (changes/engine/planning.py), Invalid, StaleVersion, Forbidden, Missing.
    """
    with transaction.atomic():
        ticket, before = locked_change(actor, ticket_id, plan or {}, expected_version)
        values = dict(plan or {})
        require_sound(before, values, note)
        if BACK.get(ticket.state) == state and not note.strip():
            error = FieldError("note", "A change that is sent back says why.", "Write what is missing or what went wrong.")
            raise GuardRefused(error.message, [error])
        if state in allowed(ticket.state, "change"):
            values |= settled(state, before, values, now)
            record_plan(actor, ticket, before, values, now=now, verb=_VERBS.get(state, PLANNED))
        return move_ticket(actor=actor, ticket_id=ticket_id, state=state, now=now, note=note)


def guard(ticket: Ticket, values: Mapping[str, Any]) -> list[Refusal]:
    """Say what a change lacks for a move, by whatever way it is moved."""
    return missing(values["state"], detail_of(ticket.pk))


guards.register("change", guard)
