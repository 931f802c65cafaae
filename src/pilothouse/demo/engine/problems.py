"""The problem records of the demo: how the work on each known trouble went, from its opening to where it stands at the end.

A record speaks of incidents by their numbers and of people, teams and services by their positions, as lives do.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from random import Random
from typing import Any

from pilothouse.demo.engine.facts import Member
from pilothouse.demo.engine.hours import DAY, instant
from pilothouse.demo.engine.organisation import RITA
from pilothouse.demo.engine.specs import Event
from pilothouse.demo.engine.troubles import Course
from pilothouse.demo.engine.world import World
from pilothouse.problems.engine.cost_levels import levels
from pilothouse.tickets.engine.lifecycle import priority

HOUR = 3600
LEAST = 3  # incidents that a problem is made of
_LEFT_TO_MATCH = 3 * DAY  # the latest incidents of a known error are left for the product to find
_MEAN_OF_MEDIAN = 1.4  # handling times are skewed: their mean lies above their median
_CLOSED_AFTER = 30 * DAY
_TURN = 14 * DAY  # somebody links what has come meanwhile
_Step = tuple[int, int | None, str, dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Gathering:
    """Incidents that were linked at one time, by a person or (None) by the product."""

    at: int
    by: int | None
    numbers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ProblemLife:
    """A problem record: its own events, the incidents linked, the change that was to fix it (number, when linked, by whom), its tasks."""

    key: str
    events: tuple[Event, ...]
    gathered: tuple[Gathering, ...]
    weekly_hours: float
    fix: tuple[str, int, int] | None = None
    tasks: tuple[tuple[Event, ...], ...] = ()


def problems_of(seed: int, world: World, courses: Sequence[Course], troubles: Mapping[str, Sequence[Member]]) -> list[ProblemLife]:
    """Draw the records, in order of opening; a trouble that has brought too few incidents has none."""
    made = [
        _Record(world, Random(f"{seed}/problem/{course.trouble.key}"), course, troubles[course.trouble.key]).live()
        for course in courses
        if len(troubles.get(course.trouble.key, ())) >= LEAST
    ]
    return sorted(made, key=lambda life: life.events[0].at)


class _Record:
    """A record while it is drawn; times are whole seconds since 1970."""

    def __init__(self, world: World, rng: Random, course: Course, members: Sequence[Member]) -> None:
        self.world, self.rng, self.course, self.trouble = world, rng, course, course.trouble
        self.met = [int(member.opened_at.timestamp()) for member in members]
        self.members = members
        self.service = world.service_keys[self.trouble.scenario.services[0]]
        self.team = world.org.services[self.service].team
        self.lead = world.org.teams[self.team].leads[0]
        self.person = world.member(rng, self.team)
        self.analyst = world.member(rng, world.desks[0])
        self.events: list[Event] = []
        self.opened = self.at = self._opened()
        self.known_at: int | None = None

    def _opened(self) -> int:
        """Some time after it began, once there are incidents enough, in the hours of the desk and before the end of the data."""
        wanted = max(self.course.began + int(self.trouble.lead * DAY), self.met[LEAST - 1] + HOUR)
        at = self.world.desk_hours[0].after(wanted, self.rng.randrange(600, 2 * HOUR))
        return max(min(at, self.world.until - 2 * HOUR), self.met[LEAST - 1] + 60)

    def live(self) -> ProblemLife:
        """Draw the record."""
        hours = self._weekly_hours()
        self._open(hours)
        self._work()
        gathered = self._gathered()
        fix = None if self.course.planned_at is None or not self._has("fixing") else (self.course.fix, self._when("fixing"), self.lead)
        return ProblemLife(self.trouble.key, tuple(self.events), gathered, hours, fix, tuple(self._tasks()))

    def _weekly_hours(self) -> float:
        weeks = max((self.opened - self.course.began) / (7 * DAY), 1.0)
        count = sum(at <= self.opened for at in self.met)
        return round(count / weeks * self.trouble.scenario.minutes * _MEAN_OF_MEDIAN / 60, 1)

    def _open(self, hours: float) -> None:
        impact, urgency = levels(hours)
        ci = self.world.application_of.get(self.service) if self.trouble.scenario.ci == "application" else None
        facts = {
            "kind": "problem",
            "title": self.trouble.title,
            "description": self.trouble.told,
            "state": "new",
            "impact": impact,
            "urgency": urgency,
            "priority": priority(impact, urgency),
            "opened_by": self.analyst,
            "channel": "other",
            "service": self.service,
            "ci": ci,
            "category": self.trouble.scenario.category,
            "subcategory": self.trouble.scenario.subcategory,
            "opened_at": instant(self.opened),
        }
        self.events.append(Event(instant(self.opened), self.analyst, "ticket.opened", {k: v for k, v in facts.items() if v is not None}))
        if self.trouble.has_owner:
            self._add(self.opened + 60, self.analyst, "ticket.assigned", {"group": self.team, "assignee": self.lead})

    def _add(self, at: float, actor: int | None, verb: str, values: Mapping[str, Any], note: str = "") -> bool:
        """Let something happen after what happened last, unless the data have ended by then."""
        at = max(self.at + 60, int(at))
        if at >= self.world.until:
            return False
        self.at = at
        self.events.append(Event(instant(at), actor, verb, values, note))
        return True

    def _after(self, days: float, since: int | None = None) -> int:
        """Return an instant about so many days later, in the team's hours."""
        at = (self.at if since is None else since) + int(days * self.rng.uniform(0.7, 1.3) * DAY)
        return self.world.team_hours(self.team).after(at, self.rng.randrange(300, 3 * HOUR))

    def _move(self, at: float, actor: int, state: str, note: str = "", **more: Any) -> bool:
        verb = {"resolved": "ticket.resolved", "closed": "ticket.closed", "cancelled": "ticket.cancelled"}.get(state, "ticket.changed")
        return self._add(at, actor, verb, {"state": state, **more}, note)

    def _has(self, state: str) -> bool:
        return any(event.changes.get("state") == state for event in self.events)

    def _when(self, state: str) -> int:
        return next(int(event.at.timestamp()) for event in self.events if event.changes.get("state") == state)

    def _work(self) -> None:
        """Go as far as the trouble's record has come."""
        trouble = self.trouble
        if trouble.state == "new" or not self._move(self._after(1.5), self.lead, "assessed"):
            return
        self._promise()
        if trouble.state == "cancelled":
            self._call_off()
            return
        self._work_around()
        if trouble.state == "assessed" or not self._move(self._after(2), self.lead, "analysis"):
            return
        self._find_the_cause()
        if (self.course.fix or trouble.state == "fixing") and not trouble.no_fix:
            self._fix()
        if trouble.state in ("resolved", "closed"):
            self._end()

    def _promise(self) -> None:
        if self.trouble.promised is not None:
            day = instant(self.world.until + self.trouble.promised * DAY).date()
            while day.weekday() > 4:
                day -= timedelta(days=1)
            self._add(self.at + 300, self.lead, "problem.described", {"problem.promised_on": day.isoformat()})

    def _call_off(self) -> None:
        at = self._after(18)
        self._move(at, self.lead, "cancelled", self.trouble.called_off, closed_at=instant(max(at, self.at + 60)))

    def _work_around(self) -> None:
        """Write the workaround down, and declare the known error where it is one."""
        if not self.trouble.workaround:
            return
        values: dict[str, Any] = {"problem.workaround": self.trouble.workaround}
        at = max(self._after(1.5), self.at + 60)
        if not self.trouble.is_known:
            self._add(at, self.person, "problem.described", values)
        elif self._add(at, self.lead, "problem.known_error_declared", {**values, "problem.known_error_at": instant(at)}):
            self.known_at = at

    def _find_the_cause(self) -> None:
        trouble, whys = self.trouble, self.trouble.whys
        if len(whys) > 1:
            self._add(self._after(2), self.person, "problem.described", {"problem.whys": list(whys[:1])})
        values = {"problem.cause": trouble.first_cause or trouble.cause}
        self._add(self._after(4), self.person, "problem.described", values | ({} if trouble.first_cause else {"problem.whys": list(whys)}))

    def _fix(self) -> None:
        """Go on with the change, or with work that needs none; where the change did not help, go back to the analysis."""
        trouble, course = self.trouble, self.course
        begun = self._move(course.planned_at or self._after(5), self.lead, "fixing")
        if not begun or course.fixed_at is None or trouble.state != "analysis":
            return
        note = f"{course.fix} was carried out, and as many come as before. Back to the cause."
        if self._move(self._after(35, course.fixed_at), self.lead, "analysis", note):
            self._add(
                self._after(6), self.person, "problem.described", {"problem.cause": trouble.cause, "problem.whys": list(trouble.whys)}
            )

    def _end(self) -> None:
        trouble, course = self.trouble, self.course
        if trouble.no_fix:
            self._add(self._after(12, course.ended), self.lead, "problem.described", {"problem.no_fix_reason": trouble.no_fix})
        elif course.fixed_at is None:
            return
        at = self._after(4, course.fixed_at or self.at)
        at = max(at, self.at + 60)
        done: dict[str, Any] = {"resolution_code": "solved", "resolution_notes": trouble.solved, "resolved_at": instant(at)}
        if self._move(at, self.lead, "resolved", **done) and trouble.state == "closed":
            at = self._after(_CLOSED_AFTER / DAY)
            self._move(at, self.lead, "closed", closed_at=instant(max(at, self.at + 60)))

    def _gathered(self) -> tuple[Gathering, ...]:
        """Those that were there when it was opened; then every other week, or, of a known error, each as it comes."""
        first = [member.number for member, at in zip(self.members, self.met, strict=True) if at <= self.opened]
        found = [Gathering(self.opened, self.analyst, tuple(first))]
        last = self.at if self.trouble.state == "cancelled" else self.world.until
        turns: dict[int, list[str]] = {}
        for member, at in zip(self.members, self.met, strict=True):
            if not self.opened < at < last:
                continue
            if self.known_at is not None and at > self.known_at:
                found += self._found_by_itself(member, at)
            else:
                turns.setdefault((at - self.opened) // _TURN, []).append(member.number)
        hours = self.world.desk_hours[0]
        for turn, numbers in turns.items():
            at = hours.after(self.opened + (turn + 1) * _TURN, self.rng.randrange(HOUR))
            if at < last:
                found.append(Gathering(at, self.analyst, tuple(numbers)))
        return tuple(sorted(found, key=lambda each: each.at))

    def _found_by_itself(self, member: Member, at: int) -> list[Gathering]:
        if member.requester != RITA and at >= self.world.until - _LEFT_TO_MATCH:
            return []
        soon = max(at, int(member.last_at.timestamp()) if member.is_open else at) + self.rng.randrange(5, 40)
        return [Gathering(min(soon, self.world.until - 1), None, (member.number,))]

    def _tasks(self) -> list[tuple[Event, ...]]:
        """Tasks of those who look for the cause, each begun, some done."""
        if not self._has("assessed"):
            return []
        since, made = self._when("assessed"), []
        for title, is_done in self.trouble.tasks:
            since = self.world.team_hours(self.team).after(since + self.rng.randrange(DAY, 3 * DAY), 600)
            made.append(tuple(self._task(title, since, is_done)))
        return [task for task in made if task]

    def _task(self, title: str, at: int, is_done: bool) -> list[Event]:
        person = self.world.member(self.rng, self.team)
        facts = {name: self.events[0].changes[name] for name in ("impact", "urgency", "priority", "service")}
        opened = {"kind": "task", "title": title, "state": "assigned", "group": self.team, "assignee": person, "opened_by": self.lead}
        steps: list[_Step] = [(at, self.lead, "ticket.opened", {**facts, **opened, "channel": "other", "opened_at": instant(at)})]
        steps.append((at + self.rng.randrange(HOUR, 2 * DAY), person, "ticket.started", {"state": "in_progress"}))
        if is_done:
            done = self.world.team_hours(self.team).after(at + self.rng.randrange(3 * DAY, 9 * DAY), 900)
            notes = {
                "resolution_code": "solved",
                "resolution_notes": "Done; what came of it stands in the problem.",
                "resolved_at": instant(done),
            }
            steps.append((done, person, "ticket.resolved", {"state": "resolved", **notes}))
            steps.append((done + 7 * DAY, None, "ticket.closed", {"state": "closed", "closed_at": instant(done + 7 * DAY)}))
        return [Event(instant(when), who, verb, values) for when, who, verb, values in steps if when < self.world.until]
