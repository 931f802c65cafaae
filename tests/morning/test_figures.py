"""The figures and the lines, which PostgreSQL finds by indexes, against plain Python over all rows; over desks drawn at random."""

import random
from collections import Counter
from datetime import datetime, timedelta
from typing import Any

import pytest

from pilothouse.morning import asking, figures, queries
from pilothouse.morning.engine import spans
from pilothouse.morning.engine.spans import Span
from pilothouse.morning.scope import scope_of
from pilothouse.platform.access import Actor
from pilothouse.sla.models import Agreement, AgreementVersion, Clock, Escalation, Forecast, TicketClock
from pilothouse.tickets.access import sees
from pilothouse.tickets.engine.lifecycle import DONE_STATES, OPEN_STATES
from pilothouse.tickets.models import Ticket, TicketStory
from tests import kept
from tests.tickets import desk_of_tickets
from tests.tickets.queries_at_random import NOW

SEEDS = range(4)
BUCKETS = ((0, 1), (2, 7), (8, 30), (31, 90), (91, 10**6))


class Drawn:
    """A desk at random: tickets, stories, clocks, escalations, forecasts, written straight into the tables."""

    def __init__(self, seed: int) -> None:
        self.dice = random.Random(seed)
        self.desk = desk_of_tickets.set_up(count=150, seed=seed)
        for model in (Forecast, TicketClock, Clock, Escalation):  # the desk has some for the queue's sake
            model.objects.all().delete()
        self.version = AgreementVersion.objects.create(
            agreement=Agreement.objects.create(name="Desk", key="desk"), number=1, position=1, definition={}, recorded_at=NOW
        )
        for ticket in Ticket.objects.all():
            self._consistent(ticket)
            if ticket.is_open:
                self._living(ticket)
            else:
                self._ended(ticket)

    def at(self, *, within_hours: int = 240) -> datetime:
        return NOW + timedelta(minutes=self.dice.randint(-within_hours * 60, within_hours * 60))

    def _consistent(self, ticket: Ticket) -> None:
        """What the lifecycle promises: the done have ended, the open have not, holds have their reason, stories the state."""
        past = ticket.opened_at + timedelta(hours=self.dice.choice([0, 5, 100, 2000]))
        ticket.resolved_at = min(past, NOW) if ticket.state in ("resolved", "closed") else None
        ticket.closed_at = min(past, NOW) if ticket.state in ("closed", "cancelled") else None
        ticket.updated_at = max(ticket.resolved_at or ticket.opened_at, ticket.closed_at or ticket.opened_at)
        ticket.save()
        TicketStory.objects.filter(pk=ticket.pk).update(state=ticket.state)

    def _living(self, ticket: Ticket) -> None:
        due, kind = self.at(within_hours=40), self.dice.choice(["response", "resolution"])
        stage = "running" if ticket.state != "on_hold" else "paused"
        common = {"kind": kind, "stage": stage, "due_at": due, "target_seconds": 3600, "elapsed_seconds": 0}
        Clock.objects.create(ticket=ticket, agreement_version=self.version, priority=3, target="x", started_at=ticket.opened_at, **common)
        TicketClock.objects.create(ticket=ticket, **common)
        if self.dice.random() < 0.6:
            Forecast.objects.create(ticket=ticket, probability=self.dice.random(), reason="because", by_model=True, judged_at=NOW)
        if self.dice.random() < 0.3:
            taken = self.at() if self.dice.random() < 0.4 else None
            Escalation.objects.create(
                entry_id=ticket.pk,
                ticket=ticket,
                kind=kind,
                target="x",
                agreement_version=self.version,
                step=1,
                due_at=NOW,
                fired_at=NOW - timedelta(minutes=self.dice.randint(1, 900)),
                told=[person.pk for person in self.desk.people[:2]],
                acknowledged_at=taken,
            )

    def _ended(self, ticket: Ticket) -> None:
        ended = ticket.resolved_at or ticket.closed_at
        due = (ended or NOW) + timedelta(hours=self.dice.choice([-30, -1, 3]))
        for kind in ("response", "resolution", "ola"):
            Clock.objects.create(
                ticket=ticket,
                agreement_version=self.version,
                priority=3,
                target="x",
                kind=kind,
                stage=self.dice.choice(["achieved", "achieved", "cancelled"]),
                target_seconds=3600,
                elapsed_seconds=3600,
                started_at=ticket.opened_at,
                due_at=due,
                ended_at=ended,
                breached=due < (ended or NOW),
            )


pytestmark = [pytest.mark.django_db, pytest.mark.xdist_group("figures")]
drawn = kept.for_the_module(Drawn, each=SEEDS)


def readers(drawn: Drawn) -> list[Actor]:
    return [drawn.desk.manager, drawn.desk.agent, drawn.desk.outsider]


def in_scope(actor: Actor) -> list[Ticket]:
    """The tickets of an actor's review, by the rule of one ticket."""
    scope = scope_of(actor)
    return [ticket for ticket in Ticket.objects.all() if sees(actor, ticket) and (scope.teams is None or ticket.group_id in scope.teams)]


def test_ages_are_those_of_the_open_tickets_and_of_a_week_before(drawn: Drawn) -> None:
    def naive(tickets: list[Ticket], at: datetime) -> list[int]:
        days = Counter((at - ticket.opened_at).days for ticket in tickets if ticket.opened_at <= at)
        return [sum(count for age, count in days.items() if low <= age <= high) for low, high in BUCKETS]

    then = NOW - timedelta(days=7)
    for actor in readers(drawn):
        own = in_scope(actor)
        open_then = [t for t in own if t.is_open or (t.resolved_at or t.closed_at or NOW) > then]
        found = figures.ages(scope_of(actor), NOW)
        assert [age.count for age in found] == naive([t for t in own if t.is_open], NOW)
        assert [age.before for age in found] == naive(open_then, then)


def test_what_came_in_is_counted_by_team_and_priority(drawn: Drawn) -> None:
    span = Span(NOW - timedelta(hours=40), NOW)
    for actor in readers(drawn):
        own = [t for t in in_scope(actor) if span.start <= t.opened_at < span.end]
        found = figures.intake(scope_of(actor), span, queries.zone_of(actor), {team.pk: team.name for team in drawn.desk.teams})
        assert found.total.count == len(own)
        assert [came.count for came in found.priorities] == [sum(t.priority == level for t in own) for level in range(1, 6)]
        names = Counter(t.group.name if t.group else "not routed yet" for t in own)
        assert {came.name: came.count for came in found.teams if came.count} == names
        assert sum(found.hours) == sum(NOW - timedelta(hours=24) <= t.opened_at for t in own)


def test_what_is_usual_is_made_of_the_weeks_that_have_history(drawn: Drawn) -> None:
    """The oldest tickets of the desk are over a year old, so all eight weeks count."""
    span = Span(NOW - timedelta(hours=200), NOW)
    found = figures.intake(scope_of(drawn.desk.manager), span, queries.zone_of(drawn.desk.manager), {})
    assert found.total.usual is not None
    assert found.total.usual.weeks + found.total.usual.left_out == 8


def test_breaches_and_attainment(drawn: Drawn) -> None:
    span = Span(NOW - timedelta(hours=16), NOW)
    for actor in readers(drawn):
        own = {ticket.pk for ticket in in_scope(actor)}
        clocks = list(Clock.objects.filter(ticket_id__in=own))
        ended = [c for c in clocks if c.stage == "achieved" and c.ended_at]
        late = {c.ticket_id for c in ended if c.breached and c.due_at and span.start <= c.due_at}
        living = {c.ticket_id for c in clocks if c.is_living and c.due_at and span.start <= c.due_at < span.end}
        assert set(figures.breached(scope_of(actor), span)) == late | living
        week = [c for c in ended if c.ended_at and NOW - timedelta(days=7) < c.ended_at <= NOW and c.kind in ("response", "resolution")]
        found = figures.met(scope_of(actor), NOW)
        assert (found.ended, found.missed) == (len(week), sum(bool(c.breached) for c in week))


def test_lines_are_the_tickets_that_ask(drawn: Drawn, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asking, "MOST", 1000)
    for actor in readers(drawn):
        shown = queries.morning(actor, now=NOW)
        own = {ticket.pk: ticket for ticket in in_scope(actor)}
        expected = naive_lines(own, shown.span.start, spans.ahead(NOW, shown.zone).last)
        seen: set[int] = set()
        for section in shown.sections:
            wanted = expected[section.key] if section.key == "escalated" else expected[section.key] - seen
            assert {line.ticket_id for line in section.lines} == wanted, section.key
            assert section.count == len(section.lines)
            seen |= {line.ticket_id for line in section.lines}
        assert shown.risk.first + shown.risk.rest == sum(
            t.sla.due_at is not None and NOW <= t.sla.due_at < shown.risk.ahead.last and t.sla.stage == "running"
            for t in Ticket.objects.filter(pk__in=own, state__in=OPEN_STATES).select_related("sla")
        )


def naive_lines(own: dict[int, Ticket], since: datetime, last: datetime) -> dict[str, set[int]]:
    opened = {pk: ticket for pk, ticket in own.items() if ticket.is_open}
    clocks = {clock.ticket_id: clock for clock in TicketClock.objects.filter(ticket_id__in=opened)}
    running = {pk: clock for pk, clock in clocks.items() if clock.stage == "running" and clock.due_at}
    stories = {story.ticket_id: story for story in TicketStory.objects.filter(ticket_id__in=opened)}
    ended = Clock.objects.filter(ticket_id__in=own, stage="achieved", breached=True, due_at__gte=since, ended_at__lte=NOW)
    return {
        "act": {pk for pk, clock in running.items() if clock.due_at and since <= clock.due_at < last},
        "escalated": {
            row.ticket_id for row in Escalation.objects.filter(ticket_id__in=opened) if row.acknowledged_at is None and row.ended_at is None
        },
        "unowned": {
            pk
            for pk, clock in running.items()
            if clock.kind == "response" and clock.due_at and clock.due_at < NOW and opened[pk].assignee_id is None
        },
        "holds": {pk for pk, ticket in opened.items() if ticket.state == "on_hold" and has_run_out(ticket)},
        "bounced": {pk for pk, story in stories.items() if story.bounce_count >= 2},
        "breached": {clock.ticket_id for clock in ended}
        | {pk for pk, clock in clocks.items() if clock.due_at and since <= clock.due_at < NOW},
    }


def has_run_out(ticket: Ticket) -> Any:
    done = ticket.parent is not None and ticket.parent.state in DONE_STATES
    return (ticket.hold_until is not None and ticket.hold_until < NOW) or (done and ticket.hold_reason in ("change", "problem", "other"))
