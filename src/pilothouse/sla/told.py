"""Whom an escalation tells, when they work, and what it says."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from zoneinfo import ZoneInfo

from pilothouse.notifications import kinds
from pilothouse.people.models import Membership, Team, User
from pilothouse.platform.access import CAPABILITIES, Capability, Role
from pilothouse.sla import rulebook, schedule_queries
from pilothouse.sla.engine.clock import instant
from pilothouse.sla.engine.lives import seconds
from pilothouse.sla.engine.steps import Step
from pilothouse.sla.models import Clock, TicketClock
from pilothouse.tickets.models import Ticket

_SEES_RESTRICTED = frozenset(role for role, own in CAPABILITIES.items() if Capability.SEE_RESTRICTED in own)
KIND = "sla.escalation"
_SIGNS, _ESCAPED = re.compile(r"([\\`*_\[\]<>])"), r"\\\1"  # what markdown would read in a title
KIND_WORDS = {"response": "response", "resolution": "resolution", "ola": "operational level", "contract": "underpinning contract"}


@dataclass(slots=True)
class Recipients:
    """The people around some tickets: members and leads of their groups, managers, and the hours of their teams; read together."""

    members: dict[int, list[int]] = field(default_factory=dict)  # active people by team
    leads: dict[int, list[int]] = field(default_factory=dict)
    managers: list[int] = field(default_factory=list)
    schedules: dict[int, int] = field(default_factory=dict)  # a team's working time
    teams: dict[int, list[int]] = field(default_factory=dict)  # teams by person
    staff: dict[int, str] = field(default_factory=dict)  # active people and their roles, requesters left out
    restricted: frozenset[int] = frozenset()

    @classmethod
    def of(cls, tickets: Sequence[Ticket], now: datetime) -> "Recipients":
        """Read what is needed to tell people about these tickets, in a handful of queries whatever their number."""
        groups = {ticket.group_id for ticket in tickets if ticket.group_id}
        found = cls()
        people = User.objects.filter(is_active=True).exclude(role=Role.REQUESTER)
        found.staff = dict(people.order_by("id").values_list("id", "role"))
        found.managers = [person for person, role in found.staff.items() if role == Role.MANAGER]
        found.restricted = frozenset(Team.objects.filter(pk__in=groups, is_restricted=True).values_list("pk", flat=True))
        rows = Membership.objects.filter(team_id__in=groups, user_id__in=found.staff)
        for team, person, leads in rows.order_by("user_id").values_list("team_id", "user_id", "is_lead"):
            found.members.setdefault(team, []).append(person)
            if leads:
                found.leads.setdefault(team, []).append(person)
        found.schedules = schedule_queries.schedules_of_teams(now)
        for team, person in Membership.objects.filter(team_id__in=found.schedules).values_list("team_id", "user_id"):
            found.teams.setdefault(person, []).append(team)
        return found

    def people(self, recipients: Sequence[str], ticket: Ticket) -> tuple[int, ...]:
        """Return the people that words like "assignee", "lead", "person:12" mean for a ticket, each once, in order.

        Only staff who are active and may see the ticket: an escalation is the house's affair, also to a requester who watches.
        """
        meant = dict.fromkeys(person for word in recipients for person in self._meant(word, ticket))
        return tuple(person for person in meant if self._may_know(person, ticket))

    def _may_know(self, person: int, ticket: Ticket) -> bool:
        if person not in self.staff:
            return False
        inside = ticket.group_id not in self.restricted or person in self.members.get(ticket.group_id or 0, ())
        return inside or self.staff[person] in _SEES_RESTRICTED or person == ticket.requester_id

    def _meant(self, word: str, ticket: Ticket) -> Sequence[int]:
        group = ticket.group_id or 0
        kind, _, number = word.partition(":")
        if kind == "person":
            return [int(number)]
        if word == "assignee":
            return [ticket.assignee_id] if ticket.assignee_id in self.staff and ticket.assignee_id else self._meant("lead", ticket)
        if word == "watchers":
            return list(ticket.watchers)
        if word == "group":
            return self.members.get(group, [])
        if word in ("lead", "on_call"):  # until there are rotations, a group's lead is on call for it
            return self.leads.get(group) or self.members.get(group) or self.managers
        if word == "manager":
            return [person for person in self.managers if person in self.members.get(group, [])] or self.managers
        return []

    def hours(self, people: Sequence[int], now: datetime) -> dict[int, datetime]:
        """Return from when on each person works who does not work now; people without a team schedule always do."""
        found = {person: at for person in people if (at := self._opens(person, now)) is not None}
        return {person: at for person, at in found.items() if at > now}

    def _opens(self, person: int, now: datetime) -> datetime | None:
        known = rulebook.lately().hours
        opens = [known[self.schedules[team]].next_open(seconds(now)) for team in self.teams.get(person, ()) if team in self.schedules]
        first = min((at for at in opens if at is not None), default=None)
        return None if first is None else max(instant(first), now)

    def deadline(self, people: Sequence[int], now: datetime, step: Step) -> datetime | None:
        """Return when an escalation goes on to the next: so many seconds after the first of the people works."""
        if not step.acknowledge:
            return None
        held = {} if step.any_hours else self.hours(people, now)
        begins = min((held.get(person, now) for person in people), default=now)
        return instant(seconds(begins) + step.acknowledge)


def webhooks(recipients: Sequence[str]) -> list[int]:
    """Return the webhooks among recipients."""
    return [int(word.partition(":")[2]) for word in recipients if word.startswith("webhook:")]


@dataclass(frozen=True, slots=True)
class Text:
    """What is said: a subject of one line, and the proof in brief."""

    subject: str
    body: str


def words(ticket: Ticket, clock: Clock, step: Step, now: datetime, *, unacknowledged: bool = False) -> Text:
    """Write the message of a step: what is due when, what was counted so far, and where the proof is."""
    what = KIND_WORDS[clock.kind]
    left = _left(clock, now)
    subject = f"{ticket.number} P{ticket.priority}: {what} {left}"
    lines = [
        f"**{_SIGNS.sub(_ESCAPED, ' '.join(ticket.title.split()))}**",
        f"{what.capitalize()} target {length(clock.target_seconds)}; {length(used(clock, now))} of it are used. {_due_words(clock)}",
        f"State: {ticket.get_state_display().lower()}. Group: {ticket.group.name if ticket.group else 'none'}."
        f" Assignee: {ticket.assignee.name if ticket.assignee else 'nobody'}.",
        f"[The proof, second by second](/tickets/{ticket.number}/clocks)",
    ]
    if unacknowledged:
        subject = f"Not acknowledged: {subject}"
        lines.insert(0, "Nobody has acknowledged this escalation; it is yours now.")
    return Text(subject[:200], "\n\n".join(lines))


def _due_words(clock: Clock) -> str:
    if clock.due_at is None:
        return "It is paused."
    zone = ZoneInfo(rulebook.lately().hours[clock.schedule_id].zone)
    return f"Due {clock.due_at.astimezone(zone):%a %d %b %H:%M} ({zone.key})."


def _left(clock: Clock, now: datetime) -> str:
    if clock.due_at is None:
        return f"is paused with {length(clock.target_seconds - clock.elapsed_seconds)} left"
    late = clock.target_seconds - used(clock, now)
    return f"due in {length(late)} of working time" if clock.due_at > now else "has breached"


def used(clock: Clock | TicketClock, now: datetime) -> int:
    """Return the business seconds that a clock has counted by now."""
    if clock.running_since is None:
        return clock.elapsed_seconds
    hours = rulebook.lately().hours[clock.schedule_id]
    return clock.elapsed_seconds + max(0, hours.elapsed(seconds(clock.running_since), seconds(now)))


def length(total: int) -> str:
    """Write a length of time in hours and minutes.

    >>> length(5400), length(59), length(-7200)
    ('1 h 30 min', '59 s', '-2 h')
    """
    sign, total = ("-", -total) if total < 0 else ("", total)
    hours, minutes = total // 3600, total % 3600 // 60
    parts = [f"{hours} h"] * (hours > 0) + [f"{minutes} min"] * (minutes > 0)
    return sign + (" ".join(parts) or f"{total} s")


kinds.register(KIND, "Escalations", about="A service level is near its breach, or past it, and you are asked to act.")
