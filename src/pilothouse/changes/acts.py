"""What the page of a change offers in each state: assess, schedule, start, close with its outcome, send back, cancel."""

from datetime import datetime

from pilothouse.changes import actions
from pilothouse.changes.engine.planning import BACK
from pilothouse.changes.forms import BackForm, CloseForm, ScheduleForm
from pilothouse.platform.access import Actor
from pilothouse.tickets import acts
from pilothouse.tickets.acts import Act, Run, Values
from pilothouse.tickets.forms import ReasonForm
from pilothouse.tickets.models import Ticket


def _to(state: str) -> Run:
    def run(actor: Actor, ticket: Ticket, values: Values, now: datetime) -> object:
        plan = {name: value for name, value in values.items() if name != "note" and value not in (None, "")}
        note = values.get("note", "")
        return actions.move_change(actor=actor, ticket_id=ticket.pk, state=state, now=now, note=note, plan=plan)

    return run


def _back(actor: Actor, ticket: Ticket, values: Values, now: datetime) -> object:
    state = BACK.get(ticket.state, ticket.state)
    return actions.move_change(actor=actor, ticket_id=ticket.pk, state=state, now=now, note=values["note"])


acts.register(
    "change",
    (
        Act("change-assess", "Assess", "Assess", "Assessed {what}.", _to("assessed"), bulk=False, undoable=False),
        Act("change-schedule", "Schedule", "Schedule", "Scheduled {what}.", _to("scheduled"), ScheduleForm, bulk=False, undoable=False),
        Act("change-start", "Start", "Start", "Started {what}.", _to("in_progress"), bulk=False, undoable=False),
        Act("change-close", "Close with its outcome", "Close", "Closed {what}.", _to("closed"), CloseForm, bulk=False, undoable=False),
        Act("change-back", "Send back", "Send back", "Sent {what} back.", _back, BackForm, bulk=False, undoable=False),
        Act(
            "change-cancel",
            "Cancel change",
            "Cancel the change",
            "Cancelled {what}.",
            _to("cancelled"),
            ReasonForm,
            bulk=False,
            undoable=False,
        ),
    ),
    {
        "new": ("change-assess", "change-schedule", "take", "assign", "priority", "change-cancel"),
        "assessed": ("change-schedule", "change-back", "take", "assign", "priority", "change-cancel"),
        "scheduled": ("change-start", "change-back", "take", "assign", "priority", "change-cancel"),
        "in_progress": ("change-close", "change-back", "take", "assign"),
        "closed": (),
        "cancelled": (),
    },
)
