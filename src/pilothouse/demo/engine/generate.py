"""The whole demo from a seed: the organisation at once, the lives of its tickets lazily, day by day, in order of opening."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from random import Random

from pilothouse.demo.engine.changes import changes_of
from pilothouse.demo.engine.drawing import draw, draw_of
from pilothouse.demo.engine.handling import Handling
from pilothouse.demo.engine.hours import DAY, instant
from pilothouse.demo.engine.intent import ALARM, Intent
from pilothouse.demo.engine.life import Life
from pilothouse.demo.engine.organisation import build
from pilothouse.demo.engine.plan import HOUR, Day, make_plan
from pilothouse.demo.engine.related import Child, Duplicate, Major, duplicate_of
from pilothouse.demo.engine.specs import Organisation, TicketLife
from pilothouse.demo.engine.troubles import Course, Met, courses_of, requester_of
from pilothouse.demo.engine.world import World, look_around
from pilothouse.tickets.engine.lifecycle import KINDS
from pilothouse.tickets.engine.replay import EMPTY

_REPEATED = 0.014


@dataclass(frozen=True, slots=True)
class Generation:
    """A demo to be: its organisation, its plan, and `lives()` to draw the tickets."""

    seed: int
    tickets: int
    world: World
    plan: list[Day]
    courses: tuple[Course, ...] = ()

    @property
    def organisation(self) -> Organisation:
        return self.world.org

    @property
    def lived_since(self) -> datetime:
        """When the organisation was written down: a day before its first ticket."""
        return instant(self.world.start - DAY)

    @property
    def lived_until(self) -> datetime:
        """When the data end."""
        return instant(self.world.until)

    def lives(self) -> Iterator[TicketLife]:
        """Yield every ticket's life in order of opening; a day's at a time is in memory."""
        for day in self.plan:
            yield from lives_of_day(self.seed, self.world, day)

    def highest_numbers(self) -> dict[str, int]:
        """Return the highest number of each kind that the lives carry."""
        last = self.plan[-1]
        return {"incident": last.first_incident + last.count - last.requests - 1, "request": last.first_request + last.requests - 1}


@dataclass(frozen=True, slots=True)
class Arguments:
    """What a demo is made from: exactly so many tickets over so many days that end at `until` (cut to the hour, UTC).

    The same arguments give the same data. `first_*` are the first numbers that the tickets carry.
    """

    seed: int
    tickets: int
    days: int
    until: datetime
    first_incident: int = 1
    first_request: int = 1

    def generation(self) -> Generation:
        """Draw the organisation and plan the tickets; raises plan.TooFew when the planted facts do not fit."""
        end = int(self.until.timestamp()) // HOUR * HOUR
        world = look_around(build(self.seed), end - self.days * DAY, end)
        courses = tuple(courses_of(world, changes_of(self.seed, world)))
        plan = make_plan(self.seed, world, self.tickets, (self.first_incident, self.first_request), courses)
        return Generation(self.seed, self.tickets, world, plan, courses)


def lives_of_day(seed: int, world: World, day: Day) -> list[TicketLife]:
    """Draw and live the tickets of one day; depends on nothing but its arguments, so days may be drawn anywhere."""
    rng = Random(f"{seed}/day/{day.index}")
    intents = _intents(seed, rng, world, day)
    _number(intents, day)
    lived: dict[int, Life] = {}
    for intent in intents:
        # A day is drawn as often as it is asked for: nothing drawn may stay in the plan's intents.
        lived[intent.ordinal] = _live(Random(f"{seed}/{intent.ordinal}"), world, intent, lived)
    return [TicketLife(i.ordinal, {**EMPTY, **lived[i.ordinal].row}, tuple(lived[i.ordinal].events), i.facts, i.trouble) for i in intents]


def _intents(seed: int, rng: Random, world: World, day: Day) -> list[Intent]:
    arrivals = [(at + rng.randrange(HOUR), stream) for at, stream, count in day.arrivals for _ in range(count)]
    human = [i for i, (_, stream) in enumerate(arrivals) if stream != ALARM]
    requests = set(rng.sample(human, day.requests))
    drawn = [draw(rng, world, at, stream, "request" if i in requests else "incident") for i, (at, stream) in enumerate(arrivals)]
    drawn.sort(key=lambda intent: intent.at)
    for i, intent in enumerate(drawn):
        if i and intent.stream != ALARM and rng.random() < _REPEATED:
            _repeat(rng, world, intent, drawn[max(0, i - 8) : i])
    _trouble(Random(f"{seed}/troubles/{day.index}"), world, day, drawn)
    return sorted([*drawn, *day.planted], key=lambda intent: intent.at)


def _trouble(rng: Random, world: World, day: Day, drawn: list[Intent]) -> None:
    """Let some of a day's incidents be known troubles instead; duplicates and what they repeat stay."""
    repeated = {id(intent.twin) for intent in drawn if intent.twin is not None}
    free = [i for i, e in enumerate(drawn) if e.kind == "incident" and e.stream != ALARM and e.twin is None and id(e) not in repeated]
    rng.shuffle(free)
    for met in day.troubles:
        fits = [i for i in free if met.course.weekly(drawn[i].at) > 0]
        if met.asks:
            fits.sort(key=lambda i: drawn[i].stream)  # the requester sits in Leeds
        for place, i in enumerate(fits[: met.count]):
            free.remove(i)
            drawn[i] = _met(rng, world, met, drawn[i], place)


def _met(rng: Random, world: World, met: Met, instead: Intent, place: int) -> Intent:
    trouble, requester = met.course.trouble, requester_of(met, instead.stream, place)
    intent = Intent(instead.at, trouble.scenario, instead.stream, requester=requester, trouble=trouble.key)
    if requester is not None:
        intent.solved_at = world.until + DAY  # it is open when they look
    draw_of(rng, world, intent)
    intent.path, intent.passed_on = intent.path[-1:], ()  # known by now: nobody sends it to and fro
    return intent


def _repeat(rng: Random, world: World, intent: Intent, earlier: list[Intent]) -> None:
    """Turn an arrival into a duplicate of one shortly before, if one fits."""
    fits = [e for e in earlier if e.kind == intent.kind and e.stream != ALARM and e.twin is None and not e.at_desk]
    if fits:
        duplicate_of(rng, world, intent, rng.choice(fits))
        draw_of(rng, world, intent)


def _number(intents: list[Intent], day: Day) -> None:
    following = {"incident": day.first_incident, "request": day.first_request}
    for offset, intent in enumerate(intents):
        intent.ordinal = day.first_ordinal + offset
        intent.number = f"{KINDS[intent.kind][1]}{following[intent.kind]:07d}"
        following[intent.kind] += 1


def _live(rng: Random, world: World, intent: Intent, lived: dict[int, Life]) -> Life:
    if intent.parent is not None:
        return Child(world, rng, intent).follow(intent.parent)
    if "major" in intent.tags:
        return Major(world, rng, intent).command()
    if intent.twin is not None and intent.twin.ordinal in lived:
        merged = Duplicate(world, rng, intent).merge(intent.twin, lived[intent.twin.ordinal])
        if merged is not None:
            return merged
    return Handling(world, rng, intent).run()
