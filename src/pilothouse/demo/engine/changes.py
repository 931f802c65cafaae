"""The changes at the insurer: some fifteen a week on its CIs and services, and among them the one that broke the backup agent.

They are drawn before the tickets and hang on none; numbers run in order of opening through CHG0004417. Some of them are told anew as
the changes that mended a known trouble (troubles.py), which ends when they do.
"""

from random import Random
from typing import Any

from pilothouse.demo.engine.hours import DAY, instant
from pilothouse.demo.engine.planted import backup_since
from pilothouse.demo.engine.scenarios.changes import BACKUP_AGENT, CHANGES, NOTES, REASONS_BACK, REASONS_CANCELLED, ChangeScenario
from pilothouse.demo.engine.specs import Event, TicketLife
from pilothouse.demo.engine.troubles import courses_of, retell
from pilothouse.demo.engine.world import World
from pilothouse.tickets.engine.replay import EMPTY

BACKUP_CHANGE = 4417
_A_WEEK = 15
_HOUR = 3600
_WINDOWS = ((1, 20), (2, 20), (3, 19), (1, 21), (3, 21), (2, 6), (5, 9), (6, 7))  # weekday and hour at which work begins, UTC
_OUTCOMES = (("successful", 88), ("with_issues", 7), ("backed_out", 3), ("failed", 2))
_CIS = "change.cis"


def changes_of(seed: int, world: World) -> list[TicketLife]:
    """Draw every change of a demo, in order of opening; depends on nothing but its arguments."""
    lives = _drawn(seed, world)
    return retell(world, courses_of(world, lives), lives)


def _drawn(seed: int, world: World) -> list[TicketLife]:
    rng = Random(f"{seed}/changes")
    weeks = (world.until - world.start) / (7 * DAY)
    begins = sorted(_begins(rng, world) for _ in range(round(_A_WEEK * weeks)))
    estate = _Estate(world)
    drawn = [_Drawn(world, Random(f"{seed}/change/{i}"), at, estate) for i, at in enumerate(begins)]
    planted = _Drawn(world, Random(f"{seed}/change/backup"), backup_since(world), estate, BACKUP_AGENT)
    lives = sorted((each for each in [*drawn, planted] if each.opened_at < world.until), key=lambda each: each.opened_at)
    first = BACKUP_CHANGE - lives.index(planted)
    return [each.live(f"CHG{max(1, first) + i:07d}", i) for i, each in enumerate(lives)]


def _begins(rng: Random, world: World) -> int:
    """Draw when work begins: in a usual window of any week, up to two weeks after the end of the data."""
    weekday, hour = rng.choice(_WINDOWS)
    day = rng.randrange(world.start + 14 * DAY, world.until + 14 * DAY) // DAY
    day += (weekday - instant(day * DAY).weekday()) % 7 - (7 if rng.random() < 0.5 else 0)
    at = day * DAY + hour * _HOUR + rng.choice((0, 0, 1800))
    return max(at, world.start + 12 * DAY)


class _Estate:
    """What is changed: the CIs in use in production, by their class, and by their class, team and service."""

    def __init__(self, world: World) -> None:
        self.cis = world.org.cis
        self.of_class: dict[str, list[int]] = {}
        self.alike: dict[tuple[str, int, int | None], list[int]] = {}
        for i, ci in enumerate(self.cis):
            if ci.status == "in_use" and ci.environment == "production":
                self.of_class.setdefault(ci.ci_class, []).append(i)
                self.alike.setdefault((ci.ci_class, ci.team, ci.service), []).append(i)

    def draw(self, rng: Random, scenario: ChangeScenario) -> list[int]:
        """Draw a CI, and some that are alike."""
        first = rng.choice(self.of_class[scenario.on])
        ci = self.cis[first]
        alike = [i for i in self.alike[ci.ci_class, ci.team, ci.service] if i != first]
        return [first, *sorted(rng.sample(alike, min(len(alike), rng.randrange(scenario.most))))]


class _Drawn:
    """A change while it is drawn; times are whole seconds since 1970."""

    def __init__(self, world: World, rng: Random, begins: int, estate: _Estate, scenario: ChangeScenario | None = None) -> None:
        self.world, self.rng, self.begins = world, rng, begins
        self.is_planted = scenario is not None
        self.scenario = scenario or rng.choices(CHANGES, [each.weight for each in CHANGES])[0]
        self.cis = [world.org.ci("VaultKeep agent")] if self.is_planted else estate.draw(rng, self.scenario)
        self.length = int(rng.uniform(*self.scenario.hours) * 2) * 1800 + 1800
        self.opened_at = self._opened_at()
        self.is_urgent = not self.is_planted and rng.random() < 0.02
        self.events: list[Event] = []
        self.at = self.opened_at

    def _opened_at(self) -> int:
        """Some days before the work, in the hours of the team."""
        lead = 6 * DAY if self.is_planted else int(self.rng.uniform(2, 10) * DAY)
        team = self.world.org.cis[self.cis[0]].team
        return self.world.team_hours(team).after(self.begins - lead, self.rng.randrange(60, 6 * _HOUR))

    def live(self, number: str, ordinal: int) -> TicketLife:
        """Live it from its opening to its outcome, as far as the data go."""
        org, scenario = self.world.org, self.scenario
        ci = org.cis[self.cis[0]]
        self.team = ci.team
        self.person = self.world.member(self.rng, self.team)
        title = self.rng.choice(scenario.titles).format(ci=ci.name, release=f"{self.rng.randrange(2, 9)}.{self.rng.randrange(1, 30)}")
        row = {
            **EMPTY,
            "kind": "change",
            "number": number,
            "title": title,
            "impact": 2 if scenario.risk == "high" else 3,
            "priority": 4 if scenario.risk == "high" else 5,
            "opened_by": self.person,
            "channel": "other",
            "service": ci.service,
            "ci": self.cis[0],
            "group": self.team,
            "assignee": self.person,
            "opened_at": instant(self.opened_at),
        }
        self._add(self.opened_at, "ticket.opened", {name: value for name, value in row.items() if value != EMPTY[name]})
        self._plan()
        self._go_through()
        for event in self.events[1:]:
            row |= {name: value for name, value in event.changes.items() if name in row}
        return TicketLife(ordinal, row, tuple(self.events), ())

    def _add(self, at: int, verb: str, changes: dict[str, Any], note: str = "", actor: int | None = None) -> bool:
        """Let something happen unless the data have ended by then."""
        self.at = max(self.at, at)
        if self.at >= self.world.until:
            return False
        self.events.append(Event(instant(self.at), self.person if actor is None else actor, verb, changes, note))
        return True

    def _plan(self) -> None:
        values: dict[str, Any] = {
            "change.type": "emergency" if self.is_urgent else self.scenario.type,
            "change.risk": self.scenario.risk,
            "change.reason": self.scenario.reason,
            "change.implementation_plan": self.scenario.plan,
            "change.rollback_plan": self.scenario.rollback,
            "change.planned_start_at": instant(self.begins),
            "change.planned_end_at": instant(self.begins + self.length),
            _CIS: tuple(self.cis),
        }
        self._add(self.opened_at + self.rng.randrange(5, 900), "change.planned", values)

    def _go_through(self) -> None:
        """Assess, perhaps send back once, schedule, carry out, close; or cancel before that."""
        lead = self.world.org.teams[self.team].leads[0]
        span = max(_HOUR, self.begins - self.at)
        if not self._add(self._in_hours(span * self.rng.uniform(0.05, 0.3)), "ticket.changed", {"state": "assessed"}, actor=lead):
            return
        if not self.is_planted and self.rng.random() < 0.05:
            self._add(self._in_hours(span * 0.1), "ticket.changed", {"state": "new"}, self.rng.choice(REASONS_BACK), lead)
            self._add(self._in_hours(span * 0.2), "ticket.changed", {"state": "assessed"}, actor=lead)
        if not self.is_planted and self.rng.random() < 0.04:
            at = self._in_hours(span * 0.1)
            self._add(
                at, "ticket.cancelled", {"state": "cancelled", "closed_at": instant(max(at, self.at))}, self.rng.choice(REASONS_CANCELLED)
            )
            return
        if self._add(self._in_hours(span * self.rng.uniform(0.05, 0.2)), "ticket.changed", {"state": "scheduled"}, actor=lead):
            self._carry_out()

    def _in_hours(self, seconds: float) -> int:
        """Return an instant so much later, in the team's hours, but before the work begins."""
        return min(self.world.team_hours(self.team).after(self.at + int(seconds), 0), max(self.at, self.begins - 600))

    def _carry_out(self) -> None:
        begun = self.begins if self.is_planted else self.begins + self.rng.randrange(0, 900)
        outcome = "successful" if self.is_planted else self.rng.choices([o for o, _ in _OUTCOMES], [w for _, w in _OUTCOMES])[0]
        ended = begun + int(self.length * self.rng.uniform(0.5, 0.95 if outcome == "successful" else 1.6))
        if not self._add(begun, "change.begun", {"state": "in_progress", "change.actual_start_at": instant(max(begun, self.at))}):
            return
        if not self._add(ended, "change.ended", {"change.actual_end_at": instant(max(ended, self.at)), "change.outcome": outcome}):
            return
        closed = max(self.world.team_hours(self.team).after(self.at, self.rng.randrange(600, 5 * _HOUR)), self.at)
        self._add(closed, "ticket.closed", {"state": "closed", "closed_at": instant(closed)}, self.rng.choice(NOTES[outcome]))
