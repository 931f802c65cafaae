"""The quick actions of the queue and of the ticket page: each a name, a form, and one call of a ticket action.

One act runs over one ticket or over a selection; every ticket stands for itself, so one refusal does not stop the rest.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from pilothouse.platform.access import Actor, Capability
from pilothouse.platform.refusals import FieldError, Invalid, Refused
from pilothouse.tickets import actions
from pilothouse.tickets.access import get_ticket
from pilothouse.tickets.forms import AssignForm, CommentForm, DeskForm, HoldForm, PriorityForm, ReasonForm, ResolveForm
from pilothouse.tickets.models import Ticket

MOST_AT_ONCE = 500
Values = Mapping[str, Any]
Run = Callable[[Actor, Ticket, Values, datetime], object]


@dataclass(frozen=True, slots=True)
class Act:
    """`done` is the sentence about what happened: "Resolved {what}."; `bulk` shows it in the queue.

    `suits` says whether a ticket's page offers it, where the state alone does not tell; `initial` fills its form from a room's detail.
    """

    name: str
    title: str
    button: str
    done: str
    run: Run
    form: type[DeskForm] | None = None
    bulk: bool = True
    undoable: bool = True
    suits: Callable[[Ticket], bool] | None = None
    initial: Callable[[Ticket], Values] | None = None


@dataclass(frozen=True, slots=True)
class Lead:
    """Where the queue's selection leads for what is no act on each ticket: the name of a page that is sent the ids as a form.

    `to` is the address's name, `key` its key in the queue, `needs` what one must be able to do to be offered it.
    """

    name: str
    title: str
    button: str
    to: str
    key: str
    needs: Capability


@dataclass(frozen=True, slots=True)
class Refusal:
    """One ticket that an act did not touch, and why."""

    number: str
    reasons: tuple[str, ...]


@dataclass(slots=True)
class Outcome:
    """What an act did: the tickets it touched, and those that refused."""

    act: Act
    done: list[Ticket] = field(default_factory=list)
    refused: list[Refusal] = field(default_factory=list)
    first_refusal: Refused | None = None

    @property
    def summary(self) -> str:
        """One sentence about the whole."""
        if not self.refused:
            return self.act.done.format(what=_what(self.done))
        if not self.done:
            return "Nothing was changed."
        return f"{self.act.done.format(what=_what(self.done))} {len(self.refused)} refused."


def _what(tickets: list[Ticket]) -> str:
    return tickets[0].number if len(tickets) == 1 else f"{len(tickets)} tickets"


def _take(actor: Actor, ticket: Ticket, values: Values, now: datetime) -> object:
    changes: dict[str, Any] = {"assignee": actor.user_id}
    if ticket.group_id is None and len(actor.team_ids) == 1:
        changes["group"] = next(iter(actor.team_ids))
    return actions.change_ticket(actor=actor, ticket_id=ticket.pk, changes=changes, now=now)


def _assign(actor: Actor, ticket: Ticket, values: Values, now: datetime) -> object:
    changes = {name: values[name] for name in ("group", "assignee") if values[name]}
    if not changes:
        raise Invalid(
            "Nothing was changed.", [FieldError("group", "Choose a group or a person.", "To take a person off, edit the ticket.")]
        )
    return actions.assign_ticket(actor=actor, ticket_id=ticket.pk, now=now, note=values["note"], **changes)


def _priority(actor: Actor, ticket: Ticket, values: Values, now: datetime) -> object:
    changes = {"impact": values["impact"], "urgency": values["urgency"]}
    return actions.change_ticket(actor=actor, ticket_id=ticket.pk, changes=changes, now=now, note=values["note"])


def _hold(actor: Actor, ticket: Ticket, values: Values, now: datetime) -> object:
    more = {"hold_reason": values["hold_reason"], "hold_until": values["hold_until"]}
    if ticket.state == "on_hold":
        return actions.change_ticket(actor=actor, ticket_id=ticket.pk, changes=more, now=now, note=values["note"])
    return actions.move_ticket(actor=actor, ticket_id=ticket.pk, state="on_hold", now=now, note=values["note"], **more)


def _comment(actor: Actor, ticket: Ticket, values: Values, now: datetime) -> object:
    private = values["audience"] == "note"
    return actions.comment_on_ticket(actor=actor, ticket_id=ticket.pk, text=values["text"], private=private, now=now)


def _resolve(actor: Actor, ticket: Ticket, values: Values, now: datetime) -> object:
    more = {"resolution_code": values["resolution_code"], "resolution_notes": values["resolution_notes"]}
    return actions.move_ticket(actor=actor, ticket_id=ticket.pk, state="resolved", now=now, **more)


def _to(state: str) -> Run:
    def run(actor: Actor, ticket: Ticket, values: Values, now: datetime) -> object:
        return actions.move_ticket(actor=actor, ticket_id=ticket.pk, state=state, now=now, note=values.get("note", ""))

    return run


def _resume(actor: Actor, ticket: Ticket, values: Values, now: datetime) -> object:
    state = "in_progress" if ticket.assignee_id else ("assigned" if ticket.group_id else "new")
    return actions.move_ticket(actor=actor, ticket_id=ticket.pk, state=state, now=now)


ACTS: dict[str, Act] = {
    act.name: act
    for act in (
        Act("take", "Assign to me", "Assign to me", "Assigned {what} to you.", _take),
        Act("assign", "Assign", "Assign", "Assigned {what}.", _assign, AssignForm),
        Act("priority", "Change the priority", "Change", "Changed the priority of {what}.", _priority, PriorityForm),
        Act("hold", "Put on hold", "Put on hold", "Put {what} on hold.", _hold, HoldForm),
        Act("comment", "Comment", "Send", "Commented on {what}.", _comment, CommentForm, undoable=False),
        Act("resolve", "Resolve", "Resolve", "Resolved {what}.", _resolve, ResolveForm),
        Act("start", "Start work", "Start work", "Started work on {what}.", _to("in_progress"), bulk=False),
        Act("resume", "Resume", "Resume", "Resumed {what}.", _resume, bulk=False),
        Act("reopen", "Reopen", "Reopen", "Reopened {what}.", _to("in_progress"), ReasonForm, bulk=False),
        Act("close", "Close", "Close", "Closed {what}.", _to("closed"), bulk=False),
        Act("cancel", "Cancel ticket", "Cancel the ticket", "Cancelled {what}.", _to("cancelled"), ReasonForm, bulk=False),
    )
}
BULK = tuple(act for act in ACTS.values() if act.bulk)

# What the ticket page offers in each state, the likeliest first; a practice registers its own.
_OFFERED: Mapping[str, tuple[str, ...]] = {
    "new": ("take", "assign", "start", "resolve", "hold", "priority", "cancel"),
    "assigned": ("start", "resolve", "hold", "take", "assign", "priority", "cancel"),
    "in_progress": ("resolve", "hold", "take", "assign", "priority", "cancel"),
    "on_hold": ("resume", "resolve", "hold", "take", "assign", "priority", "cancel"),
    "resolved": ("close", "reopen"),
    "closed": (),
    "cancelled": (),
}
_practices: dict[str, Mapping[str, tuple[str, ...]]] = {}
_leads: dict[str, Lead] = {}


def register(kind: str, own: Iterable[Act], offered: Mapping[str, tuple[str, ...]]) -> None:
    """Add a practice's acts, and say which of all acts the page of its kind offers in each state."""
    ACTS.update({act.name: act for act in own})
    _practices[kind] = offered


def register_lead(lead: Lead) -> None:
    """Let the queue's selection lead to a page of a room above."""
    _leads[lead.name] = lead


def leads_for(actor: Actor) -> list[Lead]:
    """Return where an actor's selection may lead."""
    return [lead for lead in _leads.values() if actor.can(lead.needs)]


def offered(ticket: Ticket) -> list[Act]:
    """Return the acts that a ticket's state allows, the likeliest first."""
    acts = (ACTS[name] for name in _practices.get(ticket.kind, _OFFERED).get(ticket.state, ()))
    return [act for act in acts if act.suits is None or act.suits(ticket)]


def perform(actor: Actor, act: Act, ids: Iterable[int], values: Values, *, now: datetime) -> Outcome:
    """Run an act over tickets, each in a transaction of its own; refusals are gathered, nothing else is caught."""
    outcome = Outcome(act)
    for ticket_id in dict.fromkeys(ids):
        number = f"ticket {ticket_id}"
        try:
            ticket = get_ticket(actor, ticket_id)
            number = ticket.number
            act.run(actor, ticket, values, now)
            outcome.done.append(ticket)
        except Refused as refusal:
            outcome.first_refusal = outcome.first_refusal or refusal
            reasons = tuple(f"{error.message} {error.hint}".strip() for error in refusal.errors) or (refusal.message,)
            outcome.refused.append(Refusal(number, reasons))
    return outcome
