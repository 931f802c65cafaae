"""Where the load is uneven: values of a fact whose volume rises, whose tickets take longer and longer, or that pass tickets back.

Where nothing stands out beyond chance, nothing is said.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from pilothouse.problems.engine.baseline import DAY, Calendar
from pilothouse.problems.engine.chance import binomial_tail, discoveries
from pilothouse.problems.engine.columns import ASSIGNEE, GROUP, MISSING, REQUESTER, SERVICE, SITE, Ints, Tickets
from pilothouse.problems.engine.groups import parts
from pilothouse.problems.engine.rhythm import trend

LEVEL = 0.001
FACTS = ("category", GROUP, SERVICE, ASSIGNEE, REQUESTER, SITE)
_LEAST = 30


@dataclass(frozen=True, slots=True)
class Imbalance:
    """Something uneven: `what` is "volume", "time to resolve" or "passed back"; `words` say it with its basis."""

    what: str
    fact: str
    value: str
    ratio: float
    words: str
    chance: float


def imbalances(tickets: Tickets, calendar: Calendar | None) -> tuple[Imbalance, ...]:
    """Return what is uneven, the largest first, after false-discovery control over every value of every fact."""
    found = [*_over_time(tickets, calendar), *_bounces(tickets)]
    stand = discoveries([each.chance for each in found], LEVEL)
    kept = [each for each, ok in zip(found, stand, strict=True) if ok and each.ratio >= 1.5]
    return tuple(sorted(kept, key=lambda each: (each.chance, -each.ratio, each.fact, each.value)))


def _over_time(tickets: Tickets, calendar: Calendar | None) -> Iterator[Imbalance]:
    if calendar is None or tickets.opened is None:
        return
    for name in FACTS:
        fact = tickets.fact(name)
        for code, every in parts(fact.codes):
            rows = every[tickets.opened[every] != MISSING]
            if len(rows) < _LEAST:
                break
            yield from _volume(name, fact.names[code], tickets.opened[rows], calendar)
            yield from _duration(name, fact.names[code], rows, tickets, calendar)


def _volume(name: str, value: str, times: Ints, calendar: Calendar) -> Iterator[Imbalance]:
    shape = calendar.shape(times)
    ratio, chance = trend(np.bincount(calendar.place(times), minlength=calendar.days).astype(np.float64), shape)
    words = f"{len(times):,} tickets; in the last quarter of the time {ratio:.1f} times the rate of before, seasons taken out"
    yield Imbalance("volume", name, value, ratio, words, chance)


def _duration(name: str, value: str, rows: Ints, tickets: Tickets, calendar: Calendar) -> Iterator[Imbalance]:
    """Compare how many late tickets take longer than the median of the early ones: an exact sign test, whatever the distribution."""
    if tickets.ended is None or tickets.opened is None:
        return
    done = rows[tickets.ended[rows] != MISSING]
    edge = calendar.start + (calendar.end - calendar.start) * 3 // 4
    latest = calendar.end - 14 * DAY  # those of the last days that take long are not done yet
    early = done[tickets.opened[done] < edge]
    late = done[(tickets.opened[done] >= edge) & (tickets.opened[done] < latest)]
    if len(early) < _LEAST or len(late) < 15:
        return
    before = (tickets.ended[early] - tickets.opened[early]) / 3600
    after = (tickets.ended[late] - tickets.opened[late]) / 3600
    middle = float(np.median(before))
    longer = int((after > middle).sum())
    ratio = float(np.median(after)) / max(middle, 1 / 60)
    words = f"median {np.median(after):.1f} h for {len(late):,} late tickets, {middle:.1f} h for {len(early):,} earlier ones"
    yield Imbalance("time to resolve", name, value, ratio, words, float(binomial_tail(longer, len(late), 0.5)))


def _bounces(tickets: Tickets) -> Iterator[Imbalance]:
    """Count for each group the tickets that it passed back to a group that had held them before."""
    if tickets.journeys is None:
        return
    held: dict[str, int] = {}
    back: dict[str, int] = {}
    for journey in tickets.journeys:
        for group in set(journey):
            held[group] = held.get(group, 0) + 1
        for group in {journey[i] for i in range(len(journey) - 1) if journey[i + 1] in journey[:i]}:
            back[group] = back.get(group, 0) + 1
    total, returned = sum(held.values()), sum(back.values())
    for group in sorted(held):
        others = (returned - back.get(group, 0) + 1) / (total - held[group] + 1)
        count = back.get(group, 0)
        if held[group] >= _LEAST and count >= 10:
            ratio = count / held[group] / others
            words = f"{count:,} of the {held[group]:,} tickets that it held went back to who had them before"
            words += f" ({100 * count / held[group]:.0f} %; elsewhere {100 * others:.1f} %)"
            yield Imbalance("passed back", GROUP, group, ratio, words, float(binomial_tail(count, held[group], min(others, 1.0))))
