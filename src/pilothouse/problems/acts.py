"""What a problem's page offers in each state, and how problems are told in the timeline and the journal."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from django.db import transaction

from pilothouse.notifications import kinds
from pilothouse.platform.access import Actor
from pilothouse.platform.refusals import FieldError, Invalid
from pilothouse.problems import actions, queries
from pilothouse.problems.actions.judging import KIND
from pilothouse.problems.engine.proof import VERDICTS
from pilothouse.problems.forms import (
    DescribeForm,
    FixForm,
    GatherForm,
    KnownErrorForm,
    ResolveProblemForm,
    StartFixForm,
    TaskForm,
    WithdrawForm,
    described,
)
from pilothouse.tickets import acts, ticket_page, timeline
from pilothouse.tickets.actions import move_ticket
from pilothouse.tickets.acts import Act, Run
from pilothouse.tickets.forms import ReasonForm
from pilothouse.tickets.models import Ticket

Values = Mapping[str, Any]
Suits = Callable[[Ticket], bool] | None


def _to(state: str) -> Run:
    def run(actor: Actor, ticket: Ticket, values: Values, now: datetime) -> object:
        return move_ticket(actor=actor, ticket_id=ticket.pk, state=state, now=now, note=values.get("note", ""))

    return run


def _describe(actor: Actor, ticket: Ticket, values: Values, now: datetime) -> object:
    return actions.describe_problem(
        actor=actor, problem_id=ticket.pk, changes=values["changes"], now=now, expected_version=values["version"]
    )


def _known_error(actor: Actor, ticket: Ticket, values: Values, now: datetime) -> object:
    return actions.declare_known_error(
        actor=actor, problem_id=ticket.pk, workaround=values["workaround"], now=now, expected_version=values["version"]
    )


def _withdraw(actor: Actor, ticket: Ticket, values: Values, now: datetime) -> object:
    return actions.withdraw_known_error(actor=actor, problem_id=ticket.pk, note=values["note"], now=now, expected_version=values["version"])


def _fix(actor: Actor, ticket: Ticket, values: Values, now: datetime) -> object:
    if values["change"] is None:
        raise Invalid("Nothing was linked.", [FieldError("change", "Which change?", "Write its number.")])
    return actions.link_fix(actor=actor, problem_id=ticket.pk, change=values["change"], now=now)


def _start_fix(actor: Actor, ticket: Ticket, values: Values, now: datetime) -> object:
    with transaction.atomic():
        changes = {"cause": values["cause"]}
        actions.describe_problem(actor=actor, problem_id=ticket.pk, changes=changes, now=now, expected_version=values["version"])
        if values["change"] is not None:
            actions.link_fix(actor=actor, problem_id=ticket.pk, change=values["change"], now=now)
        return move_ticket(actor=actor, ticket_id=ticket.pk, state="fixing", now=now)


def _task(actor: Actor, ticket: Ticket, values: Values, now: datetime) -> object:
    given = {name: values[name] for name in ("title", "description", "group", "assignee")}
    return actions.add_task(actor=actor, problem_id=ticket.pk, now=now, **given)


def _resolve(actor: Actor, ticket: Ticket, values: Values, now: datetime) -> object:
    given = {name: values[name] for name in ("resolution_code", "resolution_notes", "change", "no_fix_reason")}
    return actions.resolve_problem(actor=actor, problem_id=ticket.pk, now=now, expected_version=values["version"], **given)


def _gather(actor: Actor, ticket: Ticket, values: Values, now: datetime) -> object:
    if not values["incidents"]:
        raise Invalid("Nothing was linked.", [FieldError("incidents", "Which incidents?", "Write their numbers.")])
    return actions.gather_incidents(actor=actor, problem_id=ticket.pk, ticket_ids=values["incidents"], now=now)


def _is_known_error(ticket: Ticket) -> bool:
    return queries.detail(ticket).known_error_at is not None


def _is_not_known_error(ticket: Ticket) -> bool:
    return not _is_known_error(ticket)


def _act(name: str, title: str, button: str, done: str, run: Run, form: Any = None, suits: Suits = None) -> Act:
    initial = described if form is not None else None
    return Act(name, title, button, done, run, form, bulk=False, undoable=False, suits=suits, initial=initial)


ACTS = (
    _act("assess", "Assessed", "Assessed", "{what} is assessed.", _to("assessed")),
    _act("analyse", "Look for the cause", "Look for the cause", "Root-cause analysis of {what} has begun.", _to("analysis")),
    _act("describe", "Describe", "Save", "Saved what is known of {what}.", _describe, DescribeForm),
    _act("known-error", "Known error", "Declare", "{what} is a known error.", _known_error, KnownErrorForm, suits=_is_not_known_error),
    _act(
        "withdraw-error", "Withdraw known error", "Withdraw", "{what} is no known error any more.", _withdraw, WithdrawForm,
        suits=_is_known_error,
    ),
    _act("start-fix", "Start the fix", "Start the fix", "The fix of {what} is in progress.", _start_fix, StartFixForm),
    _act("link-fix", "Link a fixing change", "Link", "Linked the fix of {what}.", _fix, FixForm),
    _act("add-task", "Add a task", "Add the task", "Added a task to {what}.", _task, TaskForm),
    _act("gather", "Link incidents", "Link", "Linked incidents to {what}.", _gather, GatherForm),
    _act("resolve-problem", "Resolve", "Resolve", "Resolved {what}.", _resolve, ResolveProblemForm),
    _act("reopen-problem", "Reopen", "Reopen", "Reopened {what}.", _to("analysis"), ReasonForm),
)  # fmt: skip
_ALWAYS = ("describe", "known-error", "withdraw-error", "add-task", "gather", "take", "assign")
OFFERED: Mapping[str, tuple[str, ...]] = {
    "new": ("analyse", "assess", *_ALWAYS, "priority", "cancel"),
    "assessed": ("analyse", "start-fix", *_ALWAYS, "priority", "cancel"),
    "analysis": ("start-fix", *_ALWAYS, "link-fix", "resolve-problem", "priority", "cancel"),
    "fixing": ("resolve-problem", "link-fix", *_ALWAYS, "priority", "cancel"),
    "resolved": ("close", "reopen-problem", "describe", "link-fix", "withdraw-error"),
    "closed": ("reopen-problem",),
    "cancelled": (),
}
acts.register("problem", ACTS, OFFERED)
ticket_page.HOMES["problem"] = ("Problems", "problems")
timeline.register(
    {
        "problem.evidenced": "froze the evidence",
        "problem.gathered": "linked incidents",
        "ticket.gathered": "linked it to a problem",
        "problem.proposed": "found that it looks like a problem",
        "problem.match_declined": "said that it is not of a problem",
        "problem.workaround_offered": "offered a workaround",
        "problem.described": "wrote down what is known",
        "problem.known_error_declared": "declared it a known error",
        "problem.known_error_withdrawn": "withdrew the known error",
        "problem.task_added": "added a task",
        "problem.came_back": "found that it has come back",
        "problem.judged": "judged the fix",
    },
    ("gathered", "problem.known_error_at"),
    {
        "problem.cause": timeline.Spoken("root cause", is_long=True),
        "problem.whys": timeline.Spoken("five whys", is_long=True),
        "problem.workaround": timeline.Spoken("workaround", is_long=True),
        "problem.promised_on": timeline.Spoken("fix promised for"),
        "problem.weekly_hours": timeline.Spoken("handling hours a week"),
        "verdict": timeline.Spoken("verdict", {key: words.lower() for key, words in VERDICTS.items()}),
        "problem.no_fix_reason": timeline.Spoken("why no change", is_long=True),
    },
)
kinds.register(KIND, "Problems", about="A problem of yours that was resolved has come back.")
