"""Candidates: groups whose evidence stands, thinned so that each ticket is explained once.

Everything that a group shows (a facet, an onset, a burst, a period, hours that it keeps to) is a sign, with the tickets that it
explains. Of all signs that stand after false-discovery control over everything tested, the one that explains most beyond chance
comes first; what is left of the others without those tickets is tested again, and falls when it no longer stands.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from pilothouse.problems.engine.baseline import DAY, Calendar
from pilothouse.problems.engine.chance import discoveries
from pilothouse.problems.engine.columns import KIND, REQUESTER, SERVICE, SITE, Floats, Ints, Tickets
from pilothouse.problems.engine.facets import Comparison, Facet, independent
from pilothouse.problems.engine.groups import Group
from pilothouse.problems.engine.rhythm import Burst, Clockwork, Onset, Period, Rhythm, keeps, listen, listen_to_all

LEVEL = 0.001  # the share of signs that may be chance
_AGAIN = 0.1  # a sign that was found among many must pass so much of the bar again
_SUPPORT = 2e-5  # what else a candidate shows is one of some fifty things that are asked of it alone
_MOST = 200
_TIME_TESTS = 5
_PURE = 0.3
_MOST_LIFT = 5.0  # in doublings


@dataclass(frozen=True, slots=True, eq=False)
class Sign:
    """One thing that a group shows; `rows` are the tickets that it explains, `expected` so many of them by chance."""

    what: str
    group: Group
    rows: Ints
    expected: float
    chance: float
    evidence: Facet | Onset | Burst | Period | Clockwork

    @property
    def excess(self) -> float:
        """How many tickets more than by chance."""
        return len(self.rows) - self.expected

    @property
    def weight(self) -> float:
        """What it explains, the less the smaller a part of its group that is and the nearer to what is usual."""
        lift = len(self.rows) / max(self.expected, 0.05)
        return self.excess * len(self.rows) / max(self.group.size, 1) * min(math.log2(max(lift, 1.0)), _MOST_LIFT)


@dataclass(frozen=True, slots=True, eq=False)
class Candidate:
    """What keeps coming back: its tickets and everything they show. `sign` is what brought it up."""

    sign: Sign
    rows: Ints
    facets: tuple[Facet, ...]
    pair: Facet | None
    rhythm: Rhythm
    bar: float  # a chance below this stands


def signs(groups: Sequence[Group], tickets: Tickets, comparison: Comparison, calendar: Calendar | None) -> tuple[list[Sign], float]:
    """Return the signs of all groups that stand, and the chance below which one does."""
    found: list[Sign] = []
    for group, facets in zip(groups, comparison.screen(list(groups)), strict=True):
        for facet in facets:
            found.append(_of_facet(group, group.rows, facet, tickets))
    if calendar is not None and tickets.opened is not None:
        found += _of_all_times(groups, tickets.opened, calendar)
    tested = comparison.tested + _TIME_TESTS * len(groups)
    chances = [sign.chance for sign in found]
    stand = discoveries(chances, LEVEL, tested)
    bar = max((p for p, ok in zip(chances, stand, strict=True) if ok), default=0.0)
    return [sign for sign, ok in zip(found, stand, strict=True) if ok], bar


def _of_facet(group: Group, rows: Ints, facet: Facet, tickets: Tickets) -> Sign:
    inside = rows[tickets.facts[facet.fact].having(facet.value, rows)]
    return Sign(f"{facet.fact}={facet.value}", group, inside, facet.expected, facet.chance, facet)


def _of_all_times(groups: Sequence[Group], opened: Ints, calendar: Calendar) -> list[Sign]:
    timed = [group.rows[opened[group.rows] >= calendar.start] for group in groups]
    rhythms = listen_to_all([np.sort(opened[rows]) for rows in timed], calendar)
    return [
        sign
        for group, rows, rhythm in zip(groups, timed, rhythms, strict=True)
        for sign in _of_rhythm(group, rows, opened[rows], rhythm, calendar)
    ]


def _of_times(group: Group, rows: Ints, opened: Ints, calendar: Calendar) -> list[Sign]:
    rows = rows[opened[rows] >= calendar.start]
    return _of_rhythm(group, rows, opened[rows], listen(np.sort(opened[rows]), calendar), calendar)


def _of_rhythm(group: Group, rows: Ints, times: Ints, rhythm: Rhythm, calendar: Calendar) -> list[Sign]:
    found: list[Sign] = []
    if rhythm.onset:
        inside = rows[times >= rhythm.onset.at]
        found.append(Sign("onset", group, inside, len(inside) / rhythm.onset.strength, rhythm.onset.chance, rhythm.onset))
    if rhythm.stop:
        inside = rows[times < rhythm.stop.at]
        found.append(Sign("stop", group, inside, len(inside) / rhythm.stop.strength, rhythm.stop.chance, rhythm.stop))
    if rhythm.burst:
        inside = rows[(times >= rhythm.burst.start) & (times <= rhythm.burst.end)]
        found.append(Sign("burst", group, inside, rhythm.burst.expected, rhythm.burst.chance, rhythm.burst))
    if rhythm.period:
        found.append(Sign("period", group, rows, 0.24 * len(rows), rhythm.period.chance, rhythm.period))
    if rhythm.clockwork:
        inside = rows[keeps(times, rhythm.clockwork.words, calendar)]
        found.append(Sign("clockwork", group, inside, rhythm.clockwork.expected, rhythm.clockwork.chance, rhythm.clockwork))
    return found


def thinned(found: Sequence[Sign], bar: float, tickets: Tickets, comparison: Comparison, calendar: Calendar | None) -> list[Candidate]:
    """Return candidates that do not explain the same tickets twice, those that explain most first."""
    taken = np.full(len(tickets), -1, np.int64)
    kept: list[Candidate] = []
    for sign in sorted(found, key=lambda s: (-s.weight, s.chance, s.group.source, s.group.value, s.what)):
        if len(kept) == _MOST:
            break
        rest = sign.rows[taken[sign.rows] < 0]
        owner = _owner(sign, taken[sign.rows], kept, tickets)
        if owner >= 0:
            taken[rest] = owner
            rows = np.union1d(kept[owner].rows, rest)
            kept[owner] = _candidate(kept[owner].sign, rows, bar, tickets, comparison, calendar)
        elif len(rest) >= max(5, _PURE * len(sign.rows)) and (
            len(rest) == len(sign.rows) or _again(sign, taken, bar, tickets, comparison, calendar)
        ):
            whole = len(sign.rows) >= 0.75 * sign.group.size and len(rest) == len(sign.rows)
            candidate = _candidate(sign, sign.group.rows if whole else rest, bar, tickets, comparison, calendar)
            taken[candidate.rows[taken[candidate.rows] < 0]] = len(kept)
            kept.append(candidate)
    return kept


def _owner(sign: Sign, taken: Ints, kept: Sequence[Candidate], tickets: Tickets) -> int:
    """Return the candidate that a sign's tickets belong to: it shows the same, and has some of them or tickets of the same kind."""
    if sign.what != "clockwork" and ("=" not in sign.what or sign.what.startswith((SITE, REQUESTER))):
        return -1
    kind = _kind(sign.rows, tickets)
    for place, candidate in enumerate(kept):
        same = _says_the_same(sign, candidate)
        if same and (np.mean(taken == place) >= 0.2 or (kind and kind == _kind(candidate.rows, tickets))):
            return place
    return -1


def _says_the_same(sign: Sign, candidate: Candidate) -> bool:
    if isinstance(sign.evidence, Clockwork):
        other = candidate.sign.evidence
        return isinstance(other, Clockwork) and sign.evidence.words.split()[:1] == other.words.split()[:1]
    return any(sign.what == f"{f.fact}={f.value}" or sign.what.replace("=", " ", 1) in f.same for f in candidate.facets)


def _kind(rows: Ints, tickets: Tickets) -> tuple[str, str] | None:
    """Return the service (else the category) that most of these tickets have, when nearly all have it."""
    for name in (SERVICE, *KIND):
        if (tickets.fact(name).codes[rows] >= 0).any():
            value = tickets.fact(name).mostly(rows, 0.8)
            return (name, value) if value else None
    return None


def _again(sign: Sign, taken: Ints, bar: float, tickets: Tickets, comparison: Comparison, calendar: Calendar | None) -> bool:
    """Test a sign once more on the tickets of its group that nothing explains yet."""
    rows = sign.group.rows[taken[sign.group.rows] < 0]
    name, divided, value = sign.what.partition("=")
    if divided:
        facet = comparison.test(rows, name, tickets.facts[name].names.index(value))
        return facet is not None and facet.chance <= bar * _AGAIN and facet.share >= _PURE
    if calendar is None or tickets.opened is None:
        return False
    return any(again.what == sign.what and again.chance <= bar * _AGAIN for again in _of_times(sign.group, rows, tickets.opened, calendar))


def _candidate(sign: Sign, rows: Ints, bar: float, tickets: Tickets, comparison: Comparison, calendar: Calendar | None) -> Candidate:
    """Gather all that the tickets of a sign show. What brought them up is told as it was found, in the whole group."""
    own = sign.evidence if isinstance(sign.evidence, Facet) else None
    facets = [facet for facet in comparison.of(rows, sign.group) if facet.chance <= _SUPPORT and not (own and _same(facet, own))]
    chosen = independent([own, *facets] if own else facets, rows, tickets.facts)
    rhythm = Rhythm()
    if calendar is not None and tickets.opened is not None:
        times = np.sort(tickets.opened[rows])
        rhythm = standing(listen(times[times >= calendar.start], calendar), max(bar, _SUPPORT))
        rhythm = _told_by(_sharper(rhythm, rows, chosen, tickets, calendar), sign)
    pair = comparison.paired(rows, *chosen[:2]) if len(chosen) > 1 and chosen[0].fact != chosen[1].fact else None
    return Candidate(sign, rows, tuple(chosen), pair, rhythm, bar)


def _sharper(rhythm: Rhythm, rows: Ints, chosen: Sequence[Facet], tickets: Tickets, calendar: Calendar) -> Rhythm:
    """Take the onset from the tickets that have the strongest facet, where these show it more clearly than all do."""
    if not chosen or tickets.opened is None:
        return rhythm
    times = np.sort(tickets.opened[rows[tickets.facts[chosen[0].fact].having(chosen[0].value, rows)]])
    onset = standing(listen(times[times >= calendar.start], calendar), _SUPPORT).onset
    if onset is not None and (rhythm.onset is None or onset.chance < rhythm.onset.chance):
        return replace(rhythm, onset=onset)
    return rhythm


def _told_by(rhythm: Rhythm, sign: Sign) -> Rhythm:
    found = sign.evidence
    if isinstance(found, Burst):
        return replace(rhythm, burst=found)
    if isinstance(found, Period):
        return replace(rhythm, period=found)
    return replace(rhythm, clockwork=found) if isinstance(found, Clockwork) else rhythm


def _same(a: Facet, b: Facet) -> bool:
    return (a.fact, a.value) == (b.fact, b.value)


def standing(rhythm: Rhythm, bar: float) -> Rhythm:
    """Return what stands of a rhythm."""
    good = {
        name: found
        for name in ("onset", "stop", "burst", "period", "clockwork")
        if (found := getattr(rhythm, name)) and found.chance <= bar
    }
    rising = rhythm.trend_chance <= bar and "onset" not in good
    return Rhythm(**good, trend=rhythm.trend if rising else 0.0, trend_chance=rhythm.trend_chance if rising else 1.0)


def rates(candidate: Candidate, opened: Ints, calendar: Calendar) -> Floats:
    """Return tickets a week over the calendar."""
    times = opened[candidate.rows]
    weeks = (times[times >= calendar.start] - calendar.first * DAY) // (7 * DAY)
    return np.bincount(weeks, minlength=calendar.days // 7 + 1).astype(np.float64)
