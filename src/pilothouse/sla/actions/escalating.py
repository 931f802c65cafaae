"""Escalation: taking the steps that fell due, passing on what nobody took up, taking it up.

A step is one journal entry on its ticket (`ticket.escalated`), which carries the clock and the step, when it was due, whom it told and
when it goes on to the next; everything else (the clock's next step, the list of open escalations) is derived from it. A ticket's row
is locked while its steps are taken, so that of several workers one takes it, and a step is taken once.

Steps are taken many at a time in one transaction. When one of them fails, they are taken again ticket by ticket, and the ticket whose
step fails is told in the log and put aside for a while (sla/aside.py): it holds up no other.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection, transaction

from pilothouse.notifications.actions import notify_many
from pilothouse.notifications.telling import Message
from pilothouse.platform import journal
from pilothouse.platform.access import Actor, Capability
from pilothouse.platform.journal import Change, Draft, instant_text
from pilothouse.platform.refusals import GuardRefused, Missing, Refused
from pilothouse.sla import rulebook, told
from pilothouse.sla.aside import LOST, Aside
from pilothouse.sla.engine.clock import step_name
from pilothouse.sla.engine.lives import ESCALATED, STEP_FIELD
from pilothouse.sla.engine.rules import Agreement, Candidate, Target
from pilothouse.sla.engine.steps import Step
from pilothouse.sla.escalations import ACKNOWLEDGED, PASSED_ON
from pilothouse.sla.models import Clock, Escalation
from pilothouse.tickets import actions as tickets
from pilothouse.tickets.access import get_ticket, require_work
from pilothouse.tickets.models import Ticket

_MOST_TAGS = 30
_ACTED_ON = ("state", "impact", "urgency", "priority", "group_id", "assignee_id", "tags")
_AROUND = ("group", "assignee")  # of tickets, for the words of messages
_due_aside, _waiting_aside, _likely_aside = Aside("A due step"), Aside("An unacknowledged escalation"), Aside("A likely breach")

# The limit counts tickets that nobody else holds: a long transaction over many tickets must not stand before all others.
_DUE = """
SELECT c.ticket_id FROM sla_clock c JOIN tickets_ticket t ON t.id = c.ticket_id
WHERE c.next_step_at <= %s AND NOT c.ticket_id = ANY(%s) ORDER BY c.next_step_at LIMIT %s FOR UPDATE OF t SKIP LOCKED
"""
_WAITING = """
SELECT e.ticket_id FROM sla_escalation e JOIN tickets_ticket t ON t.id = e.ticket_id
WHERE e.pass_on_at <= %s AND e.acknowledged_at IS NULL AND e.ended_at IS NULL AND NOT e.ticket_id = ANY(%s)
ORDER BY e.pass_on_at LIMIT %s FOR UPDATE OF t SKIP LOCKED
"""
_OF_THESE = "SELECT id FROM tickets_ticket WHERE id = ANY(%s) ORDER BY id FOR UPDATE SKIP LOCKED"


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
    """Take up to so many steps that are due by now; returns how many were dealt with, those put aside among them.

    Found by the index on the next due instant. Tickets that somebody else holds are left for the next turn.
    """

    def take(tickets: Sequence[Ticket]) -> int:
        held = {ticket.pk: ticket for ticket in tickets}
        clocks = Clock.objects.filter(ticket_id__in=list(held), next_step_at__lte=now).order_by("next_step_at", "id")
        return _take(actor, [_due(held[clock.ticket_id], clock) for clock in clocks], now)

    return _with_each(_DUE, [now, _due_aside.at(now), limit], take, _due_aside, now)


_Take = Callable[[Sequence[Ticket]], int]


def _with_each(wanted: str, values: list[Any], take: _Take, aside: Aside, now: datetime) -> int:
    """Lock the tickets that a statement finds and do something with all of them at once, or when that fails with each alone."""
    found: list[int] = []
    try:
        with transaction.atomic():
            found = _locked(wanted, values)
            return take(_tickets(found)) if found else 0
    except LOST:
        raise
    except Exception as fault:
        aside.tell(fault, len(found))
    return sum(_alone(ticket, take, aside, now) for ticket in found)


def _alone(ticket: int, take: _Take, aside: Aside, now: datetime) -> int:
    try:
        with transaction.atomic():
            found = _locked(_OF_THESE, [[ticket]])
            taken = take(_tickets(found)) if found else 0
    except LOST:
        raise
    except Exception:
        aside.put(ticket, now)
        return 1
    aside.forget(ticket)
    return taken


def _locked(statement: str, values: list[Any]) -> list[int]:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return sorted({row[0] for row in cursor.fetchall()})


def _tickets(ids: Iterable[int]) -> list[Ticket]:
    return list(Ticket.objects.filter(pk__in=list(ids)).select_related(*_AROUND).order_by("pk"))


def take_likely_steps(*, actor: Actor, now: datetime, limit: int = 500) -> int:
    """Take the steps that wait for the forecast ("when 60 % likely") and whose probability is reached; returns how many."""
    likely = _likeliest()
    if likely is None:
        return 0

    def take(tickets: Sequence[Ticket]) -> int:
        held = {ticket.pk: ticket for ticket in tickets}
        clocks = Clock.objects.filter(ticket_id__in=list(held), kind="resolution", stage__in=("running", "paused")).order_by("id")
        risks = dict(Ticket.objects.filter(pk__in=list(held)).values_list("pk", "forecast__probability"))
        taken = {(*_of_clock(row), row.step) for row in Escalation.objects.filter(ticket_id__in=list(held))}
        found = [due for clock in clocks for due in _likely(held[clock.ticket_id], clock, risks[clock.ticket_id] or 0, now)]
        return _take(actor, [due for due in found if (due.ticket.pk, *due.name) not in taken], now)

    total, last = 0, 0
    while portion := _portion(likely, last, now, limit):
        total += _with_each(_OF_THESE, [portion], take, _likely_aside, now)
        last = portion[-1]
    return total


def _portion(likely: float, last: int, now: datetime, limit: int) -> list[int]:
    """Return the next tickets whose breach is at least so likely: all of them come to their turn, not only the likeliest."""
    living = Clock.objects.filter(kind="resolution", stage__in=("running", "paused"), ticket__forecast__probability__gte=likely)
    later = living.filter(ticket_id__gt=last).exclude(ticket_id__in=_likely_aside.at(now))
    return list(later.order_by("ticket_id").values_list("ticket_id", flat=True).distinct()[:limit])


def _of_clock(row: Clock | Escalation) -> tuple[Any, ...]:
    """Return which clock it is."""
    return row.ticket_id, row.kind, row.agreement_version_id, row.target, row.turn, row.stay, row.group_id


def _likeliest() -> float | None:
    versions = rulebook.current().rulebook.versions
    return min((step.risk for v in versions for t in v.targets for step in t.steps if step.risk is not None), default=None)


def _target_of(clock: Clock) -> tuple[Agreement, Target] | None:
    return _found(clock, rulebook.lately()) or _found(clock, rulebook.current())


def _found(clock: Clock, known: rulebook.Known) -> tuple[Agreement, Target] | None:
    for agreement in known.rulebook.versions:
        if agreement.version_id == clock.agreement_version_id:
            return next(((agreement, target) for target in agreement.targets if target.key == clock.target), None)
    return None


def _due(ticket: Ticket, clock: Clock) -> Due:
    found = _target_of(clock)
    if found is None or clock.next_step is None or clock.next_step_at is None or clock.next_step >= len(found[1].steps):
        raise LookupError(f"Version {clock.agreement_version_id} has no step {clock.next_step} for “{clock.target}” any more.")
    return Due(ticket, clock, *found, clock.next_step, clock.next_step_at)


def _likely(ticket: Ticket, clock: Clock, risk: float, now: datetime) -> Iterable[Due]:
    found = _target_of(clock)
    steps = enumerate(found[1].steps) if found else ()
    return [Due(ticket, clock, *found, place, now) for place, step in steps if found and step.risk is not None and risk >= step.risk]


def _take(actor: Actor, due: Sequence[Due], now: datetime) -> int:
    if not due:
        return 0
    recipients = told.Recipients.of([each.ticket for each in due], now)
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
            after = tickets.change_ticket(actor=actor, ticket_id=ticket.pk, changes=changes, now=now, note=f"Escalation {step.words()}.")
        for name in _ACTED_ON:  # what is done next for this ticket, and what is told, goes by what it is now
            setattr(ticket, name, getattr(after, name))
    except Refused as refusal:
        text = f"The escalation could not change the ticket: {refusal.message}"
        tickets.comment_on_ticket(actor=actor, ticket_id=ticket.pk, text=text, private=True, now=now)


def _tell(actor: Actor, rounds: Sequence[_Round], recipients: told.Recipients, now: datetime) -> None:
    messages = []
    for each in rounds:
        due, text = each.due, told.words(each.due.ticket, each.due.clock, each.due.step, now)
        key = ":".join(map(str, (told.KIND, due.ticket.pk, *due.name)))
        path = f"/tickets/{due.ticket.number}"
        held = None if due.step.any_hours else recipients.hours(each.people, now)
        about = ("ticket", due.ticket.pk)
        if each.people:
            messages.append(Message(each.people, told.KIND, text.subject, text.body, path, due.ticket.priority <= 2, key, held, about))
        for hook in told.webhooks(due.step.tell):
            messages.append(Message((), told.KIND, text.subject, text.body, path, False, f"{key}:{hook}", None, about, hook))
    if messages:
        notify_many(actor=actor, messages=messages, now=now)


def pass_on_escalations(*, actor: Actor, now: datetime, limit: int = 200) -> int:
    """Tell the next in line of escalations that nobody took up in time; returns how many were passed on."""

    def take(tickets: Sequence[Ticket]) -> int:
        held = {ticket.pk: ticket for ticket in tickets}
        waiting = Escalation.objects.filter(ticket_id__in=list(held), pass_on_at__lte=now, acknowledged_at=None, ended_at=None)
        recipients = told.Recipients.of(tickets, now)
        clocks = {_of_clock(clock): clock for clock in Clock.objects.filter(ticket_id__in=list(held)).order_by("-id")}
        passed = [_passed(row, held[row.ticket_id], clocks.get(_of_clock(row)), recipients, now) for row in waiting.order_by("id")]
        journal.record(actor, [draft for _, draft, _ in passed], now=now)
        _tell_next(actor, passed, recipients, now)
        return len(passed)

    return _with_each(_WAITING, [now, _waiting_aside.at(now), limit], take, _waiting_aside, now)


_Passed = tuple[Escalation, Draft, tuple[tuple[int, ...], Due | None]]


def _passed(row: Escalation, ticket: Ticket, clock: Clock | None, recipients: told.Recipients, now: datetime) -> _Passed:
    found = _target_of(clock) if clock else None
    due = Due(ticket, clock, *found, row.step, row.due_at) if clock and found and row.step < len(found[1].steps) else None
    line = due.step.then[row.round - 1 :] if due else ()
    # Who stands next may be nobody, or somebody who was told already: the first in line with anybody new is next.
    news = [tuple(each for each in recipients.people([word], ticket) if each not in row.told) for word in line]
    place = next((n for n, people in enumerate(news) if people), len(line))
    people = news[place] if place < len(line) else ()
    goes_on = recipients.deadline(people, now, due.step) if due and place + 1 < len(line) else None
    changes = (
        Change("escalation_entry", None, row.entry_id),
        Change("round", row.round, row.round + max(1, min(place + 1, len(line)))),
        Change("told", list(row.told), [*row.told, *people]),
        Change("pass_on_at", instant_text(row.pass_on_at) if row.pass_on_at else None, instant_text(goes_on) if goes_on else None),
    )
    words = "Nobody acknowledged it in time." if people else "Nobody acknowledged it in time, and there is nobody else to tell."
    draft = Draft("ticket", ticket.pk, PASSED_ON, changes, note=words, private=True)
    return row, draft, (people, due)


def _tell_next(actor: Actor, passed: Sequence[_Passed], recipients: told.Recipients, now: datetime) -> None:
    messages = []
    for row, _, (people, due) in passed:
        if due is None or not people:
            continue
        text = told.words(due.ticket, due.clock, due.step, now, unacknowledged=True)
        held = None if due.step.any_hours else recipients.hours(people, now)
        key = f"{told.KIND}:{row.entry_id}:{row.round + 1}"
        path = f"/tickets/{due.ticket.number}"
        messages.append(Message(people, told.KIND, text.subject, text.body, path, True, key, held, ("ticket", due.ticket.pk)))
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
