"""Changing tickets: fields, assignment, state; undoing; closing what has stayed resolved; the priority matrix."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from dateutil.parser import isoparse
from django.conf import settings
from django.db import transaction

from pilothouse.people.models import Membership
from pilothouse.people.queries import require
from pilothouse.platform import journal
from pilothouse.platform.access import Actor, Capability
from pilothouse.platform.journal import Change, Draft, Entry
from pilothouse.platform.refusals import FieldError, Forbidden, GuardRefused, Invalid, Missing
from pilothouse.platform.texts import is_plain_text
from pilothouse.tickets.access import get_ticket, require_work
from pilothouse.tickets.actions.details import require_version
from pilothouse.tickets.actions.fields import (
    ATTRIBUTES,
    INSTANTS,
    Known,
    changes_between,
    journal_value,
    look_up,
    reference_errors,
    row_values,
    value_errors,
)
from pilothouse.tickets.actions.guards import refusals_of
from pilothouse.tickets.engine.lifecycle import DESK_KINDS, DONE_STATES, TRANSITIONS_OF, priority, refusals
from pilothouse.tickets.models import PriorityRule, Ticket

CHANGEABLE = (
    "title",
    "description",
    "impact",
    "urgency",
    "priority",
    "requester",
    "channel",
    "service",
    "ci",
    "category",
    "subcategory",
    "group",
    "assignee",
    "parent",
    "tags",
    "hold_reason",
    "hold_until",
    "resolution_code",
    "resolution_notes",
    "extra",
)
_VERBS = {"on_hold": "ticket.held", "resolved": "ticket.resolved", "closed": "ticket.closed", "cancelled": "ticket.cancelled"}
# What a requester may do to their own ticket's state: cancel it, say that it is solved, say that it is not.
_REQUESTER_MOVES = {"cancelled", "closed", "in_progress"}
LONGEST_NOTE = 50_000
UNDO_WITHIN = timedelta(minutes=30)
UNDOABLE = frozenset(
    {
        "ticket.changed",
        "ticket.assigned",
        "ticket.held",
        "ticket.resumed",
        "ticket.resolved",
        "ticket.reopened",
        "ticket.cancelled",
        "ticket.closed",
    }
)


def change_ticket(
    *, actor: Actor, ticket_id: int, changes: Mapping[str, Any], now: datetime, expected_version: int | None = None, note: str = ""
) -> Ticket:
    """Change fields of a ticket and return it; what follows from a change is changed with it.

    `changes` has journal names (CHANGEABLE) and `state`. A new group clears the assignee unless one is given; a first
    assignment moves new to assigned; impact or urgency set the priority by the matrix unless it is given. Raises
    StaleVersion when `expected_version` is not the row's, Invalid, GuardRefused, Forbidden, Missing.
    """
    with transaction.atomic():
        ticket = get_ticket(actor, ticket_id, lock=True)
        _require_change(actor, ticket, changes)
        require_version(ticket, expected_version, changes)
        if unknown := [name for name in changes if name not in (*CHANGEABLE, "state")]:
            raise Invalid("Nothing was changed.", [FieldError(name, "This field is not changed here.") for name in unknown])
        if not is_plain_text(note) or len(note) > LONGEST_NOTE:
            raise Invalid("Nothing was changed.", [FieldError("note", f"A note is a text of at most {LONGEST_NOTE:,} characters.")])
        known = look_up([changes])
        if errors := value_errors(changes) + reference_errors(changes, known) or _own_errors(ticket, changes):
            raise Invalid("Nothing was changed.", errors)
        _apply(actor, ticket, _with_consequences(ticket, changes, known, now), now=now, note=note)
    return ticket


def _require_change(actor: Actor, ticket: Ticket, changes: Mapping[str, Any]) -> None:
    own = actor.user_id is not None and ticket.requester_id == actor.user_id
    if own and actor.can(Capability.RAISE_TICKETS) and _is_requesters_move(ticket, changes):
        return
    require_work(actor, ticket)


def _is_requesters_move(ticket: Ticket, changes: Mapping[str, Any]) -> bool:
    state = changes.get("state")
    if set(changes) != {"state"} or not isinstance(state, str) or state not in _REQUESTER_MOVES:
        return False
    return state != "in_progress" or ticket.state == "resolved"


def _own_errors(ticket: Ticket, changes: Mapping[str, Any]) -> list[FieldError]:
    errors = []
    if changes.get("parent") is not None and _is_above(ticket.pk, changes["parent"]):
        errors.append(FieldError("parent", "A ticket cannot be its own parent, nor its child's child."))
    if "state" not in changes and ticket.state == "on_hold" and changes.get("hold_reason") == "":
        errors.append(FieldError("hold_reason", "A hold needs its reason.", "Resume the ticket to end the hold."))
    if changes.get("state", ticket.state) != "on_hold":
        given = [name for name in ("hold_reason", "hold_until") if changes.get(name)]
        errors += [FieldError(name, "The ticket is not on hold.", "Put it on hold with this.") for name in given]
    return errors


def _is_above(ticket_id: int, parent_id: int | None) -> bool:
    """Say whether `ticket_id` stands in the line of parents that begins at `parent_id`."""
    for _ in range(50):
        if parent_id is None:
            return False
        if parent_id == ticket_id:
            return True
        parent_id = Ticket.objects.values_list("parent_id", flat=True).filter(pk=parent_id).first()
    return True


def _with_consequences(ticket: Ticket, changes: Mapping[str, Any], known: Known, now: datetime) -> dict[str, Any]:
    values = dict(changes)
    if "title" in values:
        values["title"] = values["title"].strip()
    regrouped = values.get("group", ticket.group_id) != ticket.group_id
    if regrouped and "assignee" not in values and ticket.assignee_id and not _is_member(ticket.assignee_id, values["group"]):
        values["assignee"] = None
    if {"impact", "urgency"} & set(values) and "priority" not in values:
        values["priority"] = priority(values.get("impact", ticket.impact), values.get("urgency", ticket.urgency), known.matrix)
    if "state" not in values:
        values |= _state_from_assignment(ticket, values)
    if values.get("state", ticket.state) != ticket.state:
        values |= _state_dates(ticket, values, now)
    return values


def _is_member(user_id: int, team_id: int | None) -> bool:
    return team_id is not None and Membership.objects.filter(user_id=user_id, team_id=team_id).exists()


def _state_from_assignment(ticket: Ticket, values: Mapping[str, Any]) -> dict[str, Any]:
    group, assignee = values.get("group", ticket.group_id), values.get("assignee", ticket.assignee_id)
    if "assigned" not in TRANSITIONS_OF[ticket.kind]:
        return {}
    if ticket.state == "new" and (group or assignee):
        return {"state": "assigned"}
    if ticket.state == "assigned" and not group and not assignee:
        return {"state": "new"}
    return {"state": "assigned"} if ticket.state == "in_progress" and ticket.assignee_id and not assignee and group else {}


def _state_dates(ticket: Ticket, values: Mapping[str, Any], now: datetime) -> dict[str, Any]:
    after = values["state"]
    more: dict[str, Any] = {}
    if ticket.state == "on_hold":
        more |= {"hold_reason": "", "hold_until": None}
    if ticket.state in DONE_STATES and after not in DONE_STATES:
        more |= {"resolved_at": None, "closed_at": None, "resolution_code": "", "resolution_notes": ""}
    if after == "resolved":
        more["resolved_at"] = now
    if after in ("closed", "cancelled"):
        more["closed_at"] = now
    return more


def _apply(actor: Actor, ticket: Ticket, values: Mapping[str, Any], *, now: datetime, note: str = "", verb: str = "") -> list[Entry]:
    """Guard, write and journal a locked ticket's new values; nothing happens when nothing differs (unless there is a note)."""
    before = row_values(ticket)
    after_state = values.get("state", ticket.state)
    guarded = "state" in values and (after_state != ticket.state or not _differs(before, values))
    if guarded and (found := refusals(ticket.state, after_state, {**before, **values}, note=note) or refusals_of(ticket, values)):
        raise GuardRefused(found[0].message, [FieldError(r.field, r.message, r.hint) for r in found])
    return write_changes(actor, ticket, values, now=now, note=note, verb=verb)


def _differs(before: Mapping[str, Any], values: Mapping[str, Any]) -> bool:
    return any(before[name] != value for name, value in values.items())


def write_changes(actor: Actor, ticket: Ticket, values: Mapping[str, Any], *, now: datetime, note: str, verb: str = "") -> list[Entry]:
    """Write these values into a locked ticket and journal what they change; nothing differs, nothing is written.

    The caller has checked access and guards, in the same transaction.
    """
    before = row_values(ticket)
    changes = changes_between(before, values)
    if not changes:
        return []
    verb = verb or verb_of(before, values)
    for change in changes:
        setattr(ticket, ATTRIBUTES[change.field], values[change.field])
    ticket.version += 1
    ticket.updated_at = now
    ticket.save(update_fields=[*(ATTRIBUTES[change.field] for change in changes), "version", "updated_at"])
    return journal.record(actor, [Draft("ticket", ticket.pk, verb, changes, note=note)], now=now)


def verb_of(before: Mapping[str, Any], values: Mapping[str, Any]) -> str:
    """Name the entry of a change after what changed most: the state, then the group or the assignee, then anything."""
    after = values.get("state", before["state"])
    if after != before["state"] and after in _VERBS:
        return _VERBS[after]
    if before["state"] in DONE_STATES and after not in DONE_STATES:
        return "ticket.reopened"
    if before["state"] == "on_hold" and after != "on_hold":
        return "ticket.resumed"
    moved = any(before[name] != values.get(name, before[name]) for name in ("group", "assignee"))
    if moved:
        return "ticket.assigned"
    return "ticket.started" if after == "in_progress" and before["state"] != after else "ticket.changed"


_KEEP: Any = object()


def assign_ticket(
    *,
    actor: Actor,
    ticket_id: int,
    now: datetime,
    group: int | None = _KEEP,
    assignee: int | None = _KEEP,
    note: str = "",
    expected_version: int | None = None,
) -> Ticket:
    """Give a ticket to a resolver group, a person, or both; None takes it away; what is not named stays."""
    changes = {name: value for name, value in (("group", group), ("assignee", assignee)) if value is not _KEEP}
    return change_ticket(actor=actor, ticket_id=ticket_id, changes=changes, now=now, note=note, expected_version=expected_version)


def move_ticket(
    *, actor: Actor, ticket_id: int, state: str, now: datetime, note: str = "", expected_version: int | None = None, **more: Any
) -> Ticket:
    """Move a ticket to a state; `more` may carry hold_reason, hold_until, resolution_code, resolution_notes, group, assignee.

    Raises GuardRefused with every missing thing: tickets/engine/lifecycle.py has the table.
    """
    changes = {"state": state, **more}
    return change_ticket(actor=actor, ticket_id=ticket_id, changes=changes, now=now, note=note, expected_version=expected_version)


def undo_changes(*, actor: Actor, ticket_ids: Iterable[int], request_id: str, now: datetime) -> dict[int, str]:
    """Undo what the actor did to these tickets in one request; returns a refusal's sentence per ticket that was not undone.

    A change is undone by giving its fields their earlier values back, as a new entry (`ticket.undone`). It must be the
    actor's own, younger than 30 minutes, and nobody may have changed those fields since.
    """
    refused: dict[int, str] = {}
    for ticket_id in sorted(set(ticket_ids)):
        try:
            with transaction.atomic():
                _undo(actor, ticket_id, request_id, now)
        except (GuardRefused, Forbidden, Missing) as refusal:
            refused[ticket_id] = refusal.message
    return refused


def _undo(actor: Actor, ticket_id: int, request_id: str, now: datetime) -> None:
    ticket = get_ticket(actor, ticket_id, lock=True)
    entries = journal.entries_of("ticket", ticket_id, since=ticket.created_at)
    own = [e for e in entries if e.request_id == request_id and e.actor_id == actor.user_id and e.verb in UNDOABLE]
    if not own or not request_id or now - own[-1].recorded_at > UNDO_WITHIN:
        raise GuardRefused(f"There is nothing of yours to undo on {ticket.number}.")
    values = _earlier_values(own)
    current = {name: journal_value(value) for name, value in row_values(ticket).items()}
    if any(current[change.field] != change.after for change in _latest(own)):
        raise GuardRefused(f"{ticket.number} was changed again since; undo would overwrite it.")
    write_changes(actor, ticket, values, now=now, note=f"Undid entry {own[-1].seq}.", verb="ticket.undone")


def _latest(entries: Iterable[Entry]) -> list[Change]:
    return list({change.field: change for entry in entries for change in entry.changes}.values())


def _earlier_values(entries: Iterable[Entry]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for entry in entries:
        for change in entry.changes:
            if change.field not in values:
                values[change.field] = isoparse(change.before) if change.field in INSTANTS and change.before else change.before
    return values


def close_resolved_tickets(*, actor: Actor, now: datetime, days: int | None = None, batch: int = 500) -> int:
    """Close the desk's tickets that have stayed resolved for N days (PILOTHOUSE_AUTO_CLOSE_DAYS); returns how many.

    Safe to run twice at once: each batch skips rows that another worker holds.
    """
    require(actor, Capability.STEER_TICKETS)
    before = now - timedelta(days=settings.AUTO_CLOSE_DAYS if days is None else days)
    closed = 0
    while True:
        with transaction.atomic():
            due = Ticket.objects.select_for_update(skip_locked=True, of=("self",)).filter(
                state="resolved", resolved_at__lte=before, kind__in=DESK_KINDS
            )
            tickets = list(due.order_by("resolved_at")[:batch])
            for ticket in tickets:
                write_changes(actor, ticket, {"state": "closed", "closed_at": now}, now=now, note="Closed after staying resolved.")
        closed += len(tickets)
        if len(tickets) < batch:
            return closed


def set_priority_matrix(*, actor: Actor, matrix: Mapping[tuple[int, int], int], now: datetime) -> None:
    """Set cells of the priority matrix {(impact, urgency): priority}; open tickets keep the priority that they have."""
    require(actor, Capability.CONFIGURE)
    for (impact, urgency), value in matrix.items():
        if impact not in (1, 2, 3) or urgency not in (1, 2, 3) or value not in (1, 2, 3, 4, 5):
            raise Invalid(
                "The matrix was not changed.", [FieldError(f"{impact}-{urgency}", "Impact and urgency are 1 to 3, priority 1 to 5.")]
            )
    with transaction.atomic():
        before = {(r.impact, r.urgency): r.priority for r in PriorityRule.objects.select_for_update()}
        changes = tuple(Change(f"{i}-{u}", before.get((i, u)), p) for (i, u), p in matrix.items() if before.get((i, u)) != p)
        rows = [PriorityRule(impact=i, urgency=u, priority=p) for (i, u), p in matrix.items()]
        PriorityRule.objects.bulk_create(rows, update_conflicts=True, unique_fields=["impact", "urgency"], update_fields=["priority"])
        if changes:
            journal.record(actor, [Draft("priority_matrix", 1, "priority_matrix.changed", changes)], now=now)
