"""Escalation: taking the steps that fell due, passing on what nobody took up, taking it up.

A step is one journal entry on its ticket (`ticket.escalated`), which carries the clock and the step, when it was due, whom it told and
when it goes on to the next; everything else (the clock's next step, the list of open escalations) is derived from it. A ticket's row
is locked while its steps are taken, so that of several workers one takes it, and a step is taken once.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction

from pilothouse.notifications.actions import notify_many
from pilothouse.notifications.telling import Message
from pilothouse.platform import journal
from pilothouse.platform.access import Actor, Capability
from pilothouse.platform.journal import Change, Draft, instant_text
from pilothouse.platform.refusals import GuardRefused, Missing, Refused
from pilothouse.sla import rulebook, told
from pilothouse.sla.engine.clocks import step_name
from pilothouse.sla.engine.lives import ESCALATED, STEP_FIELD
from pilothouse.sla.engine.rules import Agreement, Candidate, Target
from pilothouse.sla.engine.steps import Step
from pilothouse.sla.escalations import ACKNOWLEDGED, PASSED_ON
from pilothouse.sla.models import Clock, Escalation
from pilothouse.tickets import actions as tickets
from pilothouse.tickets.access import get_ticket, require_work
from pilothouse.tickets.models import Ticket

KIND = "sla.escalation"
_MOST_TAGS = 30


@dataclass(frozen=True, slots=True)
class Due:
    """A step that is due on a ticket's clock."""

    ticket: Ticket
    clock: Clock
    agreement: Agreement
    target: Target
    place: int
    due_at: datetime

    @property
    def step(self) -> Step:
        return self.target.steps[self.place]

    @property
    def name(self) -> list[Any]:
        clock = self.clock
        return [*step_name(clock.kind, Candidate(0, self.agreement, self.target), clock.turn, clock.stay, clock.group_id), self.place]


def take_due_steps(*, actor: Actor, now: datetime, limit: int = 250) -> int:
    """Take up to so many steps that are due by now, in one transaction; returns how many.

    Found by the index on the next due instant. Tickets that somebody else holds are left for the next turn.
    """
    with transaction.atomic():
        due = Clock.objects.filter(next_step_at__lte=now).order_by("next_step_at").values_list("ticket_id", flat=True)[:limit]
        wanted = sorted(set(due))
        if not wanted:
            return 0
        locked = {t.pk: t for t in Ticket.objects.select_for_update(skip_locked=True, of=("self",)).filter(pk__in=wanted).order_by("pk")}
        clocks = Clock.objects.filter(ticket_id__in=list(locked), next_step_at__lte=now).order_by("next_step_at")
        return _take(actor, [found for clock in clocks if (found := _due(locked[clock.ticket_id], clock))], now)


def take_likely_steps(*, actor: Actor, now: datetime, limit: int = 500) -> int:
    """Take the steps that wait for the forecast ("when 60 % likely") and whose probability is reached; returns how many."""
    likely = _likeliest()
    if likely is None:
        return 0
    with transaction.atomic():
        living = Clock.objects.filter(kind="resolution", stage__in=("running", "paused"), ticket__forecast__probability__gte=likely)
        wanted = sorted(set(living.order_by("-ticket__forecast__probability").values_list("ticket_id", flat=True)[:limit]))
        locked = {t.pk: t for t in Ticket.objects.select_for_update(skip_locked=True, of=("self",)).filter(pk__in=wanted).order_by("pk")}
        clocks = Clock.objects.filter(ticket_id__in=list(locked), kind="resolution", stage__in=("running", "paused"))
        risks = dict(Ticket.objects.filter(pk__in=list(locked)).values_list("pk", "forecast__probability"))
        taken = {tuple(_named(row)) for row in Escalation.objects.filter(ticket_id__in=list(locked))}
        found = [due for clock in clocks for due in _likely(locked[clock.ticket_id], clock, risks[clock.ticket_id] or 0, now)]
        return _take(actor, [due for due in found if (due.ticket.pk, *due.name) not in taken], now)


def _named(row: Escalation) -> list[Any]:
    return [row.ticket_id, row.kind, row.agreement_version_id, row.target, row.turn, row.stay, row.group_id, row.step]


def _likeliest() -> float | None:
    versions = rulebook.current().rulebook.versions
    return min((step.risk for v in versions for t in v.targets for step in t.steps if step.risk is not None), default=None)


def _target_of(clock: Clock) -> tuple[Agreement, Target] | None:
    for agreement in rulebook.current().rulebook.versions:
        if agreement.version_id == clock.agreement_version_id:
            return next(((agreement, target) for target in agreement.targets if target.key == clock.target), None)
    return None


def _due(ticket: Ticket, clock: Clock) -> Due | None:
    found = _target_of(clock)
    if found is None or clock.next_step is None or clock.next_step_at is None:
        return None
    return Due(ticket, clock, *found, clock.next_step, clock.next_step_at)


def _likely(ticket: Ticket, clock: Clock, risk: float, now: datetime) -> Iterable[Due]:
    found = _target_of(clock)
    steps = enumerate(found[1].steps) if found else ()
    return [Due(ticket, clock, *found, place, now) for place, step in steps if found and step.risk is not None and risk >= step.risk]


def _take(actor: Actor, due: Sequence[Due], now: datetime) -> int:
    if not due:
        return 0
    recipients = told.Recipients.of(each.ticket for each in due)
    rounds = [_Round(each, recipients.people(each.step.tell, each.ticket), now) for each in due]
    journal.record(actor, [_escalated(each, recipients) for each in rounds], now=now)
    for each in rounds:
        _act(actor, each.due, now)
    _tell(actor, rounds, recipients, now)
    return len(due)


@dataclass(frozen=True, slots=True)
class _Round:
    """A step being taken: whom it tells now."""

    due: Due
    people: tuple[int, ...]
    at: datetime


def _escalated(each: _Round, recipients: told.Recipients) -> Draft:
    due, clock = each.due, each.due.clock
    goes_on = recipients.deadline(each.people, each.at, due.step) if due.step.acknowledge and due.step.then else None
    changes = (
        Change(STEP_FIELD, None, due.name),
        Change("due_at", None, instant_text(due.due_at)),
        Change("told", None, list(each.people)),
        Change("pass_on_at", None, instant_text(goes_on) if goes_on else None),
    )
    words = f"{due.agreement.name}: {told.KIND_WORDS[clock.kind]}, {due.step.words()}."
    return Draft("ticket", due.ticket.pk, ESCALATED, changes, note=words, private=True)


def _act(actor: Actor, due: Due, now: datetime) -> None:
    """Do what else the step says. What the ticket does not allow any more is told in the log of the ticket, not raised."""
    step, ticket = due.step, due.ticket
    changes: dict[str, Any] = {}
    if step.raise_priority and ticket.priority > 1:
        changes["priority"] = ticket.priority - 1
    if step.reassign is not None and ticket.group_id != step.reassign:
        changes["group"] = step.reassign
    if step.flag and step.flag not in ticket.tags and len(ticket.tags) < _MOST_TAGS:
        changes["tags"] = [*ticket.tags, step.flag]
    if not changes:
        return
    try:
        with transaction.atomic():
            tickets.change_ticket(actor=actor, ticket_id=ticket.pk, changes=changes, now=now, note=f"Escalation {step.words()}.")
    except Refused as refusal:
        text = f"The escalation could not change the ticket: {refusal.message}"
        tickets.comment_on_ticket(actor=actor, ticket_id=ticket.pk, text=text, private=True, now=now)


def _tell(actor: Actor, rounds: Sequence[_Round], recipients: told.Recipients, now: datetime) -> None:
    messages = []
    for each in rounds:
        due, text = each.due, told.words(each.due.ticket, each.due.clock, each.due.step, now)
        key = ":".join(map(str, (KIND, due.ticket.pk, *due.name)))
        path = f"/tickets/{due.ticket.number}"
        held = None if due.step.any_hours else recipients.hours(each.people, now)
        about = ("ticket", due.ticket.pk)
        if each.people:
            messages.append(Message(each.people, KIND, text.subject, text.body, path, due.ticket.priority <= 2, key, held, about))
        for hook in told.webhooks(due.step.tell):
            messages.append(Message((), KIND, text.subject, text.body, path, False, f"{key}:{hook}", None, about, hook))
    if messages:
        notify_many(actor=actor, messages=messages, now=now)


def pass_on_escalations(*, actor: Actor, now: datetime, limit: int = 200) -> int:
    """Tell the next in line of escalations that nobody took up in time; returns how many were passed on."""
    with transaction.atomic():
        waiting = Escalation.objects.filter(pass_on_at__lte=now, acknowledged_at=None, ended_at=None).order_by("pass_on_at")[:limit]
        wanted = sorted({row.ticket_id for row in waiting})
        if not wanted:
            return 0
        locked = {t.pk: t for t in Ticket.objects.select_for_update(skip_locked=True, of=("self",)).filter(pk__in=wanted).order_by("pk")}
        still = Escalation.objects.filter(ticket_id__in=list(locked), pass_on_at__lte=now, acknowledged_at=None, ended_at=None)
        recipients = told.Recipients.of(locked.values())
        passed = [found for row in still.order_by("id") if (found := _passed(row, locked[row.ticket_id], recipients, now))]
        journal.record(actor, [draft for _, draft, _ in passed], now=now)
        _tell_next(actor, passed, recipients, now)
    return len(passed)


_Passed = tuple[Escalation, Draft, tuple[tuple[int, ...], Due | None]]


def _passed(row: Escalation, ticket: Ticket, recipients: told.Recipients, now: datetime) -> _Passed:
    clock = Clock.objects.filter(
        ticket_id=row.ticket_id,
        kind=row.kind,
        target=row.target,
        turn=row.turn,
        stay=row.stay,
        group_id=row.group_id,
        agreement_version_id=row.agreement_version_id,
    ).first()
    found = _target_of(clock) if clock else None
    due = Due(ticket, clock, *found, row.step, row.due_at) if clock and found and row.step < len(found[1].steps) else None
    line = due.step.then[row.round - 1 :] if due else ()
    people = tuple(each for each in recipients.people(line[:1], ticket) if each not in row.told) if line else ()
    goes_on = recipients.deadline(people, now, due.step) if due and len(line) > 1 else None
    changes = (
        Change("escalation_entry", None, row.entry_id),
        Change("told", list(row.told), [*row.told, *people]),
        Change("pass_on_at", instant_text(row.pass_on_at) if row.pass_on_at else None, instant_text(goes_on) if goes_on else None),
    )
    draft = Draft("ticket", ticket.pk, PASSED_ON, changes, note="Nobody acknowledged it in time.", private=True)
    return row, draft, (people, due)


def _tell_next(actor: Actor, passed: Sequence[_Passed], recipients: told.Recipients, now: datetime) -> None:
    messages = []
    for row, _, (people, due) in passed:
        if due is None or not people:
            continue
        text = told.words(due.ticket, due.clock, due.step, now, unacknowledged=True)
        held = None if due.step.any_hours else recipients.hours(people, now)
        key = f"{KIND}:{row.entry_id}:{row.round + 1}"
        path = f"/tickets/{due.ticket.number}"
        messages.append(Message(people, KIND, text.subject, text.body, path, True, key, held, ("ticket", due.ticket.pk)))
    if messages:
        notify_many(actor=actor, messages=messages, now=now)


def acknowledge_escalation(*, actor: Actor, escalation_id: int, now: datetime, note: str = "") -> Escalation:
    """Take an escalation up: it is passed on no further. Whoever may work the ticket may, and whoever was told.

    Missing for who may not see the ticket; GuardRefused when somebody took it up before.
    """
    with transaction.atomic():
        row = Escalation.objects.filter(pk=escalation_id).first()
        if row is None:
            raise Missing("There is no such escalation.")
        ticket = get_ticket(actor, row.ticket_id, lock=True)
        if actor.user_id not in row.told or not actor.can(Capability.WORK_TICKETS):
            require_work(actor, ticket)
        row.refresh_from_db()
        if row.acknowledged_at is not None:
            raise GuardRefused("Somebody has taken this up already.")
        journal.record(actor, [_acknowledged(row, note)], now=now)
    row.refresh_from_db()
    return row


def _acknowledged(row: Escalation, note: str) -> Draft:
    return Draft("ticket", row.ticket_id, ACKNOWLEDGED, (Change("escalation_entry", None, row.entry_id),), note=note, private=True)
