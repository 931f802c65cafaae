"""How many tickets come in when: exact totals spread over hours by the rhythm of three sites, and the planted facts.

Times are whole seconds since 1970; the days of a plan are windows of 24 hours that end with the data.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from itertools import accumulate
from random import Random
from zoneinfo import ZoneInfo

from pilothouse.demo.engine.company import SITES
from pilothouse.demo.engine.hours import DAY, instant, works_on
from pilothouse.demo.engine.intent import ALARM, Intent
from pilothouse.demo.engine.planted import plant
from pilothouse.demo.engine.troubles import Course, Met, spread
from pilothouse.demo.engine.world import World

HOUR = 3600
# How the hours of a local day share the tickets of people.
_BY_HOUR = (1, 1, 1, 1, 1, 3, 9, 32, 100, 136, 128, 112, 78, 88, 112, 104, 84, 46, 18, 9, 6, 4, 3, 2)
_BY_WEEKDAY = (1.18, 1.04, 1.0, 0.98, 0.88, 0.07, 0.05)
_BY_MONTH = (1.10, 1.02, 1.03, 0.99, 1.0, 0.98, 0.95, 0.88, 1.04, 1.03, 1.04, 0.93)
_ALARM_BY_HOUR = (8, 12, 12, 10, 8, 6, 5, 5, 6, 6, 6, 5, 5, 5, 5, 5, 5, 5, 5, 6, 8, 7, 7, 7)
_ALARM_SHARE, _REQUEST_SHARE = 0.13, 0.33


class TooFew(ValueError):
    """So few tickets cannot carry the planted facts."""


@dataclass(frozen=True, slots=True)
class Day:
    """One day's work for the generator: what comes in, how many of it are requests, what is planted, where numbers begin.

    `troubles` says how many of the incidents that come in are a known trouble's.
    """

    index: int
    arrivals: tuple[tuple[int, int, int], ...]  # hour, stream, how many
    requests: int
    planted: tuple[Intent, ...]
    first_ordinal: int
    first_incident: int
    first_request: int
    troubles: tuple[Met, ...] = ()

    @property
    def count(self) -> int:
        """How many tickets the day opens."""
        return sum(count for *_, count in self.arrivals) + len(self.planted)

    @property
    def incidents(self) -> int:
        """How many incidents people report, those that are planted aside."""
        return sum(count for _, stream, count in self.arrivals if stream != ALARM) - self.requests


def make_plan(seed: int, world: World, tickets: int, first_numbers: tuple[int, int] = (1, 1), courses: Sequence[Course] = ()) -> list[Day]:
    """Spread exactly so many tickets over the days; raises TooFew when the planted facts do not fit."""
    rng = Random(f"{seed}/plan")
    planted = plant(Random(f"{seed}/planted"), world, tickets)
    if tickets < 1.5 * len(planted):
        days = (world.until - world.start) // DAY
        raise TooFew(
            f"{days} days carry {len(planted)} planted tickets: ask for at least {int(1.5 * len(planted)) + 1} tickets or for fewer days."
        )
    arrivals = _arrivals(rng, world, tickets - len(planted))
    plants: list[list[Intent]] = [[] for _ in arrivals]
    for intent in planted:
        plants[(intent.at - world.start) // DAY].append(intent)
    numbered = _numbered(arrivals, plants, first_numbers)
    met = spread(seed, world, courses, [day.incidents for day in numbered])
    return [replace(day, troubles=troubles) for day, troubles in zip(numbered, met, strict=True)]


def _arrivals(rng: Random, world: World, total: int) -> list[list[tuple[int, int, int]]]:
    slots = _scattered(rng, _slots(rng, world), total)
    days: list[list[tuple[int, int, int]]] = [[] for _ in range((world.until - world.start) // DAY)]
    # Systematic sampling: each slot gets its share, rounded so that the sum is exact.
    given, scale, start = 0, total / sum(weight for *_, weight in slots), rng.random()
    for (at, stream, _), so_far in zip(slots, accumulate(weight * scale for *_, weight in slots), strict=True):
        due = min(total, int(so_far + start))
        if due > given:
            days[(at - world.start) // DAY].append((at, stream, due - given))
            given = due
    if given < total:
        at, stream, _ = slots[-1]
        days[-1].append((at, stream, total - given))
    return days


def _scattered(rng: Random, slots: list[tuple[int, int, float]], total: int) -> list[tuple[int, int, float]]:
    """Scatter the weights as much as counts of independent events are scattered (their variance is their mean)."""
    scale = total / sum(weight for *_, weight in slots)
    expected = [max(0.05, weight * scale) for *_, weight in slots]
    return [(at, stream, weight * rng.gammavariate(k, 1 / k)) for (at, stream, weight), k in zip(slots, expected, strict=True)]


def _slots(rng: Random, world: World) -> list[tuple[int, int, float]]:
    """Return (hour, stream, weight) for every hour of the plan."""
    zones = [ZoneInfo(site.zone) for site in SITES]
    noise: dict[tuple[int, object], float] = {}
    slots: list[tuple[int, int, float]] = []
    for at in range(world.start, world.until, HOUR):
        growth = 0.92 + 0.16 * (at - world.start) / (world.until - world.start)
        people = 0.0
        for site, zone in enumerate(zones):
            local = instant(at).astimezone(zone)
            day = local.date()
            if (site, day) not in noise:
                month_end = 1.14 if (day + timedelta(days=2)).month != day.month else 1.0
                rhythm = _BY_WEEKDAY[day.weekday()] if works_on(site, day) else 0.05
                noise[site, day] = rng.lognormvariate(0, 0.09) * rhythm * _BY_MONTH[day.month - 1] * month_end
            weight = SITES[site].share * _BY_HOUR[local.hour] * noise[site, day] * growth
            people += weight
            slots.append((at, site, weight))
        slots.append((at, ALARM, _ALARM_BY_HOUR[instant(at).hour] * growth * rng.lognormvariate(0, 0.35)))
    human = sum(weight for _, stream, weight in slots if stream != ALARM)
    alarms = sum(weight for _, stream, weight in slots if stream == ALARM)
    share = _ALARM_SHARE / (1 - _ALARM_SHARE) * human / alarms
    return [(at, stream, weight * share if stream == ALARM else weight) for at, stream, weight in slots]


def _numbered(arrivals: list[list[tuple[int, int, int]]], plants: list[list[Intent]], first_numbers: tuple[int, int]) -> list[Day]:
    days: list[Day] = []
    ordinal, (incident, request), owed = 0, first_numbers, 0.0
    for index, (slots, planted) in enumerate(zip(arrivals, plants, strict=True)):
        human = sum(count for _, stream, count in slots if stream != ALARM)
        total = sum(count for *_, count in slots)
        owed += human * _REQUEST_SHARE
        requests = min(human, int(owed))
        owed -= requests
        days.append(Day(index, tuple(slots), requests, tuple(planted), ordinal, incident, request))
        ordinal += total + len(planted)
        incident += total - requests + len(planted)
        request += requests
    return days
