"""A small desk, written straight into the tables: what the laws of reading are held against. A module of rows, not of tests."""

import random
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from pilothouse.cmdb.models import CI, Service
from pilothouse.people.models import Membership, Team, User
from pilothouse.platform.access import Actor, Role
from pilothouse.platform.models import SearchDocument
from pilothouse.sla.models import Clock, Escalation, Forecast, TicketClock
from pilothouse.tickets.engine.fields import FIELDS
from pilothouse.tickets.engine.lifecycle import HOLD_REASONS, STATES
from pilothouse.tickets.models import Attachment, Link, Ticket, TicketStory
from tests.tickets.queries_at_random import CATEGORIES, NOW, WORDS

_HOURS = (-30, 0, 1, 3, 20, 24, 30, 48, 49, 200, 400, 9000)


@dataclass(frozen=True)
class Desk:
    """The people and records that the tickets refer to, and an actor in each role that matters."""

    people: tuple[User, ...]
    teams: tuple[Team, ...]
    agent: Actor
    outsider: Actor
    manager: Actor
    requester: Actor


def actor(user: User, role: Role, teams: tuple[Team, ...] = (), hidden: tuple[Team, ...] = ()) -> Actor:
    """Return a person as an actor in Berlin."""
    return Actor(user.pk, user.name, role, frozenset(t.pk for t in teams), frozenset(t.pk for t in hidden), time_zone="Europe/Berlin")


def set_up(count: int = 60, seed: int = 7) -> Desk:
    """Make people, teams and `count` tickets at random; the third team is restricted."""
    people = tuple(
        User.objects.create(email=f"p{number}@example.org", name=name, created_at=NOW)
        for number, name in enumerate(("Kofi Osei", "Dana Whitlock", "Rita Marsh", "Olga Petrova"))
    )
    teams = tuple(
        Team.objects.create(name=name, key=key, is_restricted=key == "payroll")
        for name, key in (("Network", "network"), ("Database operations", "db-ops"), ("Payroll", "payroll"))
    )
    Membership.objects.create(user=people[0], team=teams[0])
    services = [Service.objects.create(name=name, key=name) for name in ("mail", "vpn")]
    cis = [CI.objects.create(name=name) for name in ("srv-1", "srv-2")]
    _tickets(random.Random(seed), count, people, teams, services, cis)
    return Desk(
        people,
        teams,
        agent=actor(people[0], Role.AGENT, teams[:1], teams[2:]),
        outsider=actor(people[3], Role.AGENT, teams[1:2], teams[2:]),
        manager=actor(people[0], Role.MANAGER, teams[:1]),
        requester=actor(people[2], Role.REQUESTER),
    )


def _tickets(dice: random.Random, count: int, people: Any, teams: Any, services: Any, cis: Any) -> None:
    def some(records: Any) -> Any:
        return dice.choice([*records, None])

    def at(nullable: bool = False) -> datetime | None:
        return None if nullable and dice.random() < 0.4 else NOW - timedelta(hours=dice.choice(_HOURS))

    tickets: list[Ticket] = []
    for number in range(1, count + 1):
        kind = dice.choice(["incident", "incident", "request"])
        ticket = Ticket.objects.create(
            kind=kind,
            number=f"{'INC' if kind == 'incident' else 'REQ'}{number:07d}",
            title=" ".join(dice.choices(WORDS, k=3)),
            state=dice.choice(list(STATES)),
            hold_reason=dice.choice(["", *HOLD_REASONS]),
            hold_until=at(nullable=True),
            impact=dice.randint(1, 3),
            urgency=dice.randint(1, 3),
            priority=dice.randint(1, 5),
            requester=some(people),
            opened_by=some(people),
            channel=dice.choice(["phone", "walk_in"]),
            service=some(services),
            ci=some(cis),
            category=dice.choice(CATEGORIES),
            subcategory=dice.choice(["", "vpn", "NET*", "net%"]),
            group=some(teams),
            assignee=some(people),
            resolution_code=dice.choice(["", "disk"]),
            parent=dice.choice([*tickets[:3], None, None]),
            merged_into=dice.choice([*tickets[:3], None, None]),
            tags=dice.sample(WORDS, k=dice.randint(0, 2)),
            watchers=[person.pk for person in dice.sample(people, k=dice.randint(0, 2))],
            opened_at=at(),
            updated_at=at(),
            resolved_at=at(nullable=True),
            closed_at=at(nullable=True),
            created_at=NOW,
            external_id=str(number) if dice.random() < 0.3 else "",
            external_system="old",
        )
        tickets.append(ticket)
        _around(dice, ticket, tickets, at)


def _around(dice: random.Random, ticket: Ticket, tickets: list[Ticket], at: Any) -> None:
    TicketStory.objects.create(
        ticket=ticket,
        reassignment_count=dice.randint(0, 4),
        bounce_count=dice.randint(0, 2),
        reopen_count=dice.randint(0, 2),
        hold_seconds=dice.choice([0, 5400, 86_400, 10**6]),
        first_owned_at=at(nullable=True),
        first_reply_at=at(nullable=True),
    )
    if dice.random() < 0.6:
        TicketClock.objects.create(
            ticket=ticket, kind="resolution", stage="running", due_at=at(nullable=True), target_seconds=3600, elapsed_seconds=60
        )
    if dice.random() < 0.6:
        Forecast.objects.create(ticket=ticket, probability=dice.random(), reason="", by_model=False, judged_at=NOW)
    SearchDocument.objects.create(kind="ticket", record_id=ticket.pk, title=ticket.title, body=" ".join(dice.choices(WORDS, k=2)))
    for seq in range(2, 2 + dice.randint(0, 2)):
        SearchDocument.objects.create(
            kind="ticket", record_id=ticket.pk, seq=seq, private=dice.random() < 0.5, body=" ".join(dice.choices(WORDS, k=3))
        )
    if dice.random() < 0.3:
        Attachment.objects.create(
            ticket=ticket, name="a", sha256="0" * 64, size=1, content_type="text/plain", private=dice.random() < 0.5, added_at=NOW
        )
    if dice.random() < 0.3 and len(tickets) > 1:
        Link.objects.create(ticket=ticket, relation="related", target=tickets[0])
    clock = {"kind": "resolution", "target": "resolution", "agreement_version_id": 1}
    if dice.random() < 0.3:
        counted = {"priority": 1, "stage": "achieved", "target_seconds": 1, "elapsed_seconds": 1, "started_at": NOW, "ended_at": NOW}
        Clock.objects.create(ticket=ticket, breached=dice.random() < 0.5, **counted, **clock)
    if dice.random() < 0.3:
        taken = {"entry_id": ticket.pk, "step": 0, "due_at": NOW, "fired_at": NOW}
        Escalation.objects.create(ticket=ticket, acknowledged_at=dice.choice([None, NOW]), **taken, **clock)


def as_rows(*, private: bool) -> dict[int, dict[str, Any]]:
    """Return every ticket as the evaluator wants it, by id; `private` lets work notes count."""
    open_to_all = {} if private else {"private": False}
    rows = {
        row["id"]: row
        for row in Ticket.objects.values(
            "id", "watchers", "sla__target_seconds", "problem__promised_on", *{declared.path for declared in FIELDS}
        )
    }
    for each in rows.values():
        each["related"], each["texts"] = set(), []
    for document in SearchDocument.objects.filter(kind="ticket", **open_to_all):
        rows[document.record_id]["texts"].append(f"{document.title} {document.body}")
        rows[document.record_id]["related"] |= {"comment"} if document.seq else set()
    for attachment in Attachment.objects.filter(**open_to_all):
        rows[attachment.ticket_id]["related"].add("attachment")
    for link in Link.objects.all():
        for end in (link.ticket_id, link.target_id):
            rows[end]["related"].add("link")
    for clock in Clock.objects.filter(breached=True):
        rows[clock.ticket_id]["related"].add("breach")
    for escalation in Escalation.objects.filter(acknowledged_at=None, ended_at=None):
        rows[escalation.ticket_id]["related"].add("escalation")
    for row in list(rows.values()):
        if row["parent_id"]:
            rows[row["parent_id"]]["related"].add("child")
    return rows
