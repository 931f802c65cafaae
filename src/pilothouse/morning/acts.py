"""What a line lets one do without leaving the page: each act a form and one call of an action, told in words afterwards."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django import forms

from pilothouse.morning import actions, queries
from pilothouse.morning.engine.lines import names_in_words
from pilothouse.platform.access import Actor
from pilothouse.platform.refusals import Invalid
from pilothouse.sla.actions.escalating import acknowledge_escalation
from pilothouse.tickets.acts import ACTS as TICKET_ACTS
from pilothouse.tickets.engine.lifecycle import priority
from pilothouse.tickets.forms import AssignForm, CommentForm, DeskForm, PriorityForm, ProseField
from pilothouse.tickets.models import PriorityRule, Ticket

Values = Mapping[str, Any]
Run = Callable[[Actor, Ticket, Values, datetime], str]
Fill = Callable[[Actor, Ticket, str], dict[str, Any]]


class NudgeForm(DeskForm):
    """A word to whoever has the ticket; it stands on the ticket as a private note."""

    text = ProseField(
        required=False,
        label="Private note",
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="They are told at once; it stays on the ticket.",
    )


class AcknowledgeForm(DeskForm):
    """Taking an escalation up needs no words."""


@dataclass(frozen=True, slots=True)
class Act:
    """`run` answers what was done, in words; `fill` what its form begins with."""

    name: str
    title: str
    button: str
    form: type[DeskForm]
    run: Run
    fill: Fill = lambda actor, ticket, reason: {}
    undoable: bool = False


def _nudge(actor: Actor, ticket: Ticket, values: Values, now: datetime) -> str:
    actions.nudge_ticket(actor=actor, ticket_id=ticket.pk, text=values["text"], now=now)
    return f"nudged {names_in_words([person.name for person in queries.nudged(ticket)])}"


def _nudge_text(actor: Actor, ticket: Ticket, reason: str) -> dict[str, Any]:
    handles = " ".join(f"@{person.email.partition('@')[0]}" for person in queries.nudged(ticket))
    return {"text": f"{handles} {ticket.number}: {reason}. Where does it stand, and what do you need?".strip()}


def _assign(actor: Actor, ticket: Ticket, values: Values, now: datetime) -> str:
    after = TICKET_ACTS["assign"].run(actor, ticket, values, now)
    assert isinstance(after, Ticket)
    return f"assigned to {after.assignee.name if after.assignee else after.group.name if after.group else 'nobody'}"


def _raise(actor: Actor, ticket: Ticket, values: Values, now: datetime) -> str:
    after = TICKET_ACTS["priority"].run(actor, ticket, values, now)
    assert isinstance(after, Ticket)
    return f"priority is {after.priority} now, it was {ticket.priority}"


def _one_higher(actor: Actor, ticket: Ticket, reason: str) -> dict[str, Any]:
    """Begin with the least change of urgency and impact that gives a higher priority."""
    matrix = {(rule.impact, rule.urgency): rule.priority for rule in PriorityRule.objects.all()}
    ways = [(impact, urgency) for impact in range(1, ticket.impact + 1) for urgency in range(1, ticket.urgency + 1)]
    higher = [way for way in ways if priority(*way, matrix) < ticket.priority]
    impact, urgency = max(higher, key=lambda way: (sum(way), way[0]), default=(ticket.impact, ticket.urgency))
    return {"impact": impact, "urgency": urgency}


def _comment(actor: Actor, ticket: Ticket, values: Values, now: datetime) -> str:
    TICKET_ACTS["comment"].run(actor, ticket, values, now)
    return "replied to the requester" if values["audience"] == "reply" else "left a private note"


def _acknowledge(actor: Actor, ticket: Ticket, values: Values, now: datetime) -> str:
    section, _ = queries.read_key(values["key"])
    if section != "escalated":
        raise Invalid("Only an escalation can be acknowledged.")
    acknowledge_escalation(actor=actor, escalation_id=queries.stamp(values["key"]), now=now)
    return "taken up"


ACTS: Mapping[str, Act] = {
    act.name: act
    for act in (
        Act("acknowledge", "Acknowledge", "I take it up", AcknowledgeForm, _acknowledge),
        Act("nudge", "Nudge", "Nudge", NudgeForm, _nudge, _nudge_text),
        Act("assign", "Assign", "Assign", AssignForm, _assign, undoable=True),
        Act("raise", "Raise", "Change the priority", PriorityForm, _raise, _one_higher, undoable=True),
        Act("comment", "Comment", "Send", CommentForm, _comment),
    )
}
