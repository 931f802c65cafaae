"""Kinds of tickets, their states, for each kind one table of transitions, and the guards; pure.

A guard looks at the ticket as it would be after the move and names what is missing. `refusals` is empty when the move may
be made. A room above adds guards that look into its own detail (tickets/actions/guards.py).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

STATES: dict[str, str] = {
    "new": "New",
    "assessed": "Assessed",
    "assigned": "Assigned",
    "scheduled": "Scheduled",
    "in_progress": "In progress",
    "analysis": "Root-cause analysis",
    "fixing": "Fix in progress",
    "on_hold": "On hold",
    "resolved": "Resolved",
    "closed": "Closed",
    "cancelled": "Cancelled",
}
DONE_STATES = ("resolved", "closed", "cancelled")
OPEN_STATES = tuple(state for state in STATES if state not in DONE_STATES)
HOLD_REASONS: dict[str, str] = {
    "caller": "Waiting for the caller",
    "vendor": "Waiting for a vendor",
    "change": "Waiting for a change",
    "problem": "Waiting for a problem",
    "other": "Other",
}
RESOLUTION_CODES: dict[str, str] = {
    "solved": "Solved",
    "workaround": "Solved by a workaround",
    "caller": "Solved by the caller",
    "not_reproducible": "Could not be reproduced",
    "no_fault": "Works as designed",
    "duplicate": "Duplicate",
    "fulfilled": "Request fulfilled",
    "rejected": "Request rejected",
    "other": "Other",
}
KINDS: dict[str, tuple[str, str]] = {
    "incident": ("Incident", "INC"),
    "request": ("Service request", "REQ"),
    "task": ("Task", "TASK"),
    "problem": ("Problem", "PRB"),
    "change": ("Change", "CHG"),
}
RAISED_KINDS = ("incident", "request")  # what a requester may raise
DESK_KINDS = (*RAISED_KINDS, "task")  # what the queue shows unless a query speaks of kinds
CHANNELS: dict[str, str] = {
    "phone": "Phone",
    "email": "E-mail",
    "portal": "Portal",
    "chat": "Chat",
    "monitoring": "Monitoring",
    "walk_in": "Walk-in",
    "other": "Other",
}

# From each state, where it may go. Nothing of the desk leaves closed or cancelled: a follow-up is raised instead.
TRANSITIONS: dict[str, tuple[str, ...]] = {
    "new": ("assigned", "in_progress", "on_hold", "resolved", "cancelled"),
    "assigned": ("new", "in_progress", "on_hold", "resolved", "cancelled"),
    "in_progress": ("new", "assigned", "on_hold", "resolved", "cancelled"),
    "on_hold": ("new", "assigned", "in_progress", "resolved", "cancelled"),
    "resolved": ("in_progress", "closed"),
    "closed": (),
    "cancelled": (),
}
# A problem that comes back reopens, also when it was closed: its evidence goes on.
_PROBLEM: dict[str, tuple[str, ...]] = {
    "new": ("assessed", "analysis", "cancelled"),
    "assessed": ("new", "analysis", "fixing", "cancelled"),
    "analysis": ("assessed", "fixing", "resolved", "cancelled"),
    "fixing": ("analysis", "resolved", "cancelled"),
    "resolved": ("analysis", "fixing", "closed"),
    "closed": ("analysis",),
    "cancelled": (),
}
_CHANGE: dict[str, tuple[str, ...]] = {
    "new": ("assessed", "scheduled", "cancelled"),
    "assessed": ("new", "scheduled", "cancelled"),
    "scheduled": ("assessed", "in_progress", "cancelled"),
    "in_progress": ("scheduled", "closed"),
    "closed": (),
    "cancelled": (),
}
TRANSITIONS_OF: dict[str, dict[str, tuple[str, ...]]] = dict.fromkeys(DESK_KINDS, TRANSITIONS) | {
    "problem": _PROBLEM,
    "change": _CHANGE,
}


@dataclass(frozen=True, slots=True)
class Refusal:
    """What stands in the way of a move: the field that is missing or wrong, why, and what to do."""

    field: str
    message: str
    hint: str = ""


def allowed(state: str, kind: str = "incident") -> tuple[str, ...]:
    """Return the states that a ticket of a kind may move to from this one."""
    return TRANSITIONS_OF[kind].get(state, ())


def refusals(before: str, after: str, ticket: Mapping[str, Any], *, note: str = "") -> list[Refusal]:
    """Say why a ticket may not move from `before` to `after`; `ticket` holds its fields as they would be after the move.

    Looks at kind (an incident when it is not said), group, assignee, hold_reason, resolution_code and resolution_notes. A state that
    this kind does not have is a refusal too.

    >>> refusals("assigned", "resolved", {"resolution_code": "solved", "resolution_notes": ""})[0].field
    'resolution_notes'
    """
    kind = ticket.get("kind", "incident")
    states = TRANSITIONS_OF[kind]
    if after not in states:
        return [Refusal("state", f"{_a(kind)} has no state “{after}”.", f"One of: {', '.join(states)}.")]
    if after not in allowed(before, kind):
        return [_no_way(before, after, kind)]
    guard = _CHANGE_GUARDS.get(after, _nothing) if kind == "change" else _GUARDS.get(after, _nothing)
    return guard(before, ticket, note)


def _a(kind: str) -> str:
    label = KINDS[kind][0].lower()
    return f"An {label}" if label[0] in "aeiou" else f"A {label}"


def _no_way(before: str, after: str, kind: str) -> Refusal:
    if before == after:
        return Refusal("state", f"It is {STATES[after].lower()} already.")
    if before == "closed" and not allowed(before, kind):
        return Refusal("state", "A closed ticket does not reopen.", "Raise a follow-up: it carries the link to this one.")
    if before == "cancelled":
        return Refusal("state", "A cancelled ticket does not come back.", "Raise a follow-up: it carries the link to this one.")
    ways = ", ".join(STATES[state].lower() for state in allowed(before, kind))
    return Refusal("state", f"{STATES[before]} does not lead to {STATES[after].lower()}.", f"From here: {ways}.")


def _nothing(before: str, ticket: Mapping[str, Any], note: str) -> list[Refusal]:
    return []


def _assigned(before: str, ticket: Mapping[str, Any], note: str) -> list[Refusal]:
    if ticket.get("group") or ticket.get("assignee"):
        return []
    return [Refusal("group", "An assigned ticket has a resolver group or an assignee.", "Choose one.")]


def _on_hold(before: str, ticket: Mapping[str, Any], note: str) -> list[Refusal]:
    if ticket.get("hold_reason") in HOLD_REASONS:
        return []
    return [Refusal("hold_reason", "A hold needs its reason.", f"One of: {', '.join(HOLD_REASONS)}.")]


def _worked_on(before: str, ticket: Mapping[str, Any], note: str) -> list[Refusal]:
    if before in DONE_STATES and not note.strip():
        return [Refusal("note", "A reopened ticket says why.", "Write what is still wrong.")]
    return []


def _resolved(before: str, ticket: Mapping[str, Any], note: str) -> list[Refusal]:
    found = []
    if not str(ticket.get("resolution_code") or "").strip():
        found.append(Refusal("resolution_code", "A resolved ticket has a resolution code.", "Choose how it was solved."))
    if not str(ticket.get("resolution_notes") or "").strip():
        found.append(Refusal("resolution_notes", "A resolved ticket says what was done.", "Write resolution notes."))
    return found


def _cancelled(before: str, ticket: Mapping[str, Any], note: str) -> list[Refusal]:
    return [] if note.strip() else [Refusal("note", "A cancelled ticket says why.", "Write a reason.")]


_GUARDS = {
    "assigned": _assigned,
    "on_hold": _on_hold,
    "in_progress": _worked_on,
    "analysis": _worked_on,
    "fixing": _worked_on,
    "resolved": _resolved,
    "cancelled": _cancelled,
}
_CHANGE_GUARDS = {"cancelled": _cancelled}

DEFAULT_MATRIX: dict[tuple[int, int], int] = {
    (1, 1): 1,
    (1, 2): 2,
    (2, 1): 2,
    (1, 3): 3,
    (2, 2): 3,
    (3, 1): 3,
    (2, 3): 4,
    (3, 2): 4,
    (3, 3): 5,
}


def priority(impact: int, urgency: int, matrix: Mapping[tuple[int, int], int] = DEFAULT_MATRIX) -> int:
    """Look up the priority (1 highest to 5) of an impact and an urgency (1 high, 2 medium, 3 low).

    >>> priority(1, 2)
    2
    """
    return matrix.get((impact, urgency), DEFAULT_MATRIX[impact, urgency])
