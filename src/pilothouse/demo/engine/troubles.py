"""The course of each known trouble: when it began, which change was to mend it, and how many incidents it brings on a day.

A trouble takes the place of tickets that come in anyway, so that all others stay as they are: of a day's incidents some become its own.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from random import Random

from pilothouse.demo.engine.hours import DAY, instant
from pilothouse.demo.engine.organisation import RITA
from pilothouse.demo.engine.scenarios.troubles import TROUBLES, Trouble
from pilothouse.demo.engine.specs import Event, TicketLife
from pilothouse.demo.engine.world import World

_MARGIN = 7 * DAY  # a trouble that began less than this after the beginning of the data is left out
_AT_MOST = 0.3  # of the incidents of a week
_TO_COME = ("new", "assessed", "scheduled")


@dataclass(frozen=True, slots=True)
class Course:
    """A trouble in these data; times are whole seconds since 1970. `fix` is the number of the change, `fixed_at` when it was done."""

    trouble: Trouble
    began: int
    fix: str = ""
    planned_at: int | None = None  # when the change was opened
    fixed_at: int | None = None
    ended: int | None = None
    back: int | None = None

    def weekly(self, at: int) -> float:
        """Return how many incidents a week come at an instant."""
        trouble = self.trouble
        if at < self.began or (self.ended is not None and at >= self.ended):
            return 0.0
        if self.fixed_at is None or at < self.fixed_at or (self.back is not None and at >= self.back):
            return trouble.weekly
        return trouble.weekly * (trouble.remedy.remains if trouble.remedy else 1.0)


@dataclass(frozen=True, slots=True)
class Met:
    """So many of a day's incidents are one trouble's; one of them is the signed-in requester's where `asks`."""

    course: Course
    count: int
    asks: bool = False


def courses_of(world: World, changes: Sequence[TicketLife]) -> list[Course]:
    """Return the troubles that fit into the data, each with the change that was to mend it, among these."""
    courses: list[Course] = []
    for trouble in TROUBLES:
        began = world.until - trouble.since * DAY
        if began >= world.start + _MARGIN:
            courses.append(_course(world, trouble, began, changes, {course.fix for course in courses}))
    return courses


def _course(world: World, trouble: Trouble, began: int, changes: Sequence[TicketLife], taken: set[str]) -> Course:
    over, back = (None if days is None else world.until - days * DAY for days in (trouble.over, trouble.back))
    found = _change(world, trouble, changes, taken)
    if found is None:
        return Course(trouble, began, ended=over)
    ended = _ended(found)
    return Course(
        trouble,
        began,
        found.fields["number"],
        int(found.fields["opened_at"].timestamp()),
        None if ended is None else int(ended.at.timestamp()),
        over,
        back,
    )


def _change(world: World, trouble: Trouble, changes: Sequence[TicketLife], taken: set[str]) -> TicketLife | None:
    """Return the team's change that lies nearest to when the trouble was mended; of those to come the first, whosever it is."""
    remedy = trouble.remedy
    if remedy is None:
        return None
    free = [life for life in changes if life.fields["number"] not in taken and life.fields["number"] != "CHG0004417"]
    if remedy.days < 0:
        return next((life for life in free if life.fields["state"] in _TO_COME), None)
    team, wanted = world.team_keys[remedy.team], world.until - remedy.days * DAY
    done = [life for life in free if life.fields["group"] == team and life.fields["state"] == "closed" and _helped(life)]
    return min(done, key=lambda life: abs(life.events[-2].at.timestamp() - wanted), default=None)


def _ended(life: TicketLife) -> Event | None:
    return next((event for event in life.events if event.verb == "change.ended"), None)


def _helped(life: TicketLife) -> bool:
    event = _ended(life)
    return event is not None and event.changes.get("change.outcome") == "successful"


def retell(world: World, courses: Sequence[Course], changes: Sequence[TicketLife]) -> list[TicketLife]:
    """Return the changes, those that were to mend a trouble in its words; their times and people stay."""
    by_number = {course.fix: course.trouble for course in courses if course.fix}
    return [_retold(world, by_number[number], life) if (number := life.fields["number"]) in by_number else life for life in changes]


def _retold(world: World, trouble: Trouble, life: TicketLife) -> TicketLife:
    remedy = trouble.remedy
    assert remedy is not None
    service = world.service_keys[trouble.scenario.services[0]]
    ci = world.org.ci(remedy.ci) if remedy.ci else world.application_of[service]
    facts = {"title": remedy.title, "service": service, "ci": ci}
    plans = {
        "change.type": "normal",
        "change.reason": remedy.reason,
        "change.implementation_plan": remedy.plan,
        "change.rollback_plan": remedy.rollback,
        "change.cis": (ci,),
    }
    told: Mapping[str, Mapping[str, object]] = {"ticket.opened": facts, "change.planned": plans}
    events = tuple(replace(event, changes={**event.changes, **told.get(event.verb, {})}) for event in life.events)
    return replace(life, fields={**life.fields, **facts}, events=events)


def spread(seed: int, world: World, courses: Sequence[Course], incidents: Sequence[int]) -> list[tuple[Met, ...]]:
    """Say for each day how many of its incidents are each trouble's; `incidents` are how many people report on each day."""
    usual = max(sum(incidents) / max(len(incidents) / 7, 1), 1.0)  # a week
    middles = [world.start + index * DAY + DAY // 2 for index in range(len(incidents))]
    most = max((sum(course.weekly(at) for course in courses) for at in middles), default=0.0)
    share = min(1.0, _AT_MOST * usual / max(most, 1.0)) / usual  # of a small demo's incidents not too many are known
    days: list[list[Met]] = [[] for _ in incidents]
    asking = _asking_day(incidents)
    for course in courses:
        rng = Random(f"{seed}/trouble/{course.trouble.key}")
        owed = rng.random()
        for index, (at, count) in enumerate(zip(middles, incidents, strict=True)):
            owed += course.weekly(at) * count * share * rng.lognormvariate(0, 0.3)
            asks = course.trouble.asks and index == asking
            if due := max(int(owed), int(asks)):
                days[index].append(Met(course, due, asks))
            owed -= int(owed)
    return [tuple(met) for met in days]


def _asking_day(incidents: Sequence[int]) -> int:
    """Return the last day but one on which people reported much: the requester who signs in wrote then."""
    last = list(enumerate(incidents))[-6:-1]
    return max(last, key=lambda day: (2 * day[1] > max(count for _, count in last), day[0]))[0] if last else -1


def requester_of(met: Met, stream: int, place: int) -> int | None:
    """Return who reports the n-th of them, where it is settled."""
    return RITA if met.asks and place == 0 and stream == 0 else None


def opened_by(course: Course) -> float:
    """Return when the record of a trouble was opened, in seconds since 1970, before working hours are looked at."""
    return course.began + course.trouble.lead * DAY


def day_of(at: float) -> str:
    """Write an instant's day."""
    return f"{instant(int(at)):%-d %B %Y}"
