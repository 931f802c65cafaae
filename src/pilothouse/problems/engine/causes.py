"""Hints at causes: changes that began or ended shortly before an onset on the same or neighbouring CIs, and what all CIs depend on.

A change is scored by how often a change as near, and of a kind as rare, begins or ends as shortly before any instant by chance (such
changes a day, times the days between), and by how much of the trouble is on what it touched. How rare its kind is says what it is
worth: most changes are routine, and a change that needed an approval, a downtime or an assessment as a business risk is one of few.
Nothing is learnt of which changes brought trouble before. A hint is a hint: the chance that it shows is that of this one change, not
of the best of all.
"""

import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from pilothouse.problems.engine.baseline import DAY, Calendar
from pilothouse.problems.engine.candidates import Candidate
from pilothouse.problems.engine.columns import CI, SERVICE, Change, Changes, CIGraph, Fact, Floats, Ints, Tickets

_BEFORE = 14 * DAY
_AFTER = DAY  # of a stop the day is known, not the hour
_MOST_CIS = 400
_COVERAGE = 0.5  # a change on a hundredth of the trouble's CIs must be ten times less likely by chance
_LEAST_SCORE = 0.5
_UNRELATED = 0.01  # a change that touched nothing near may still be it, when changes of its kind are rare
_STOP_WORDS = 4  # letters; shorter words tell nothing


@dataclass(frozen=True, slots=True)
class Cause:
    """A hint: `kind` is "change", "fix" (what stopped it) or "upstream". `chance` is None where nothing was tested."""

    kind: str
    key: str
    title: str
    at: int
    why: str
    score: float
    chance: float | None = None


class Surroundings:
    """The CI graph and the changes, made ready to be asked for each candidate."""

    def __init__(self, graph: CIGraph, changes: Changes) -> None:
        pairs = sorted({(source, target) for source, target in graph.pairs if source != target})
        self.beside: dict[str, dict[str, None]] = {}
        self.above: dict[str, list[str]] = {}
        for source, target in pairs:
            self.above.setdefault(source, []).append(target)
            self.beside.setdefault(source, {})[target] = None
            self.beside.setdefault(target, {})[source] = None
        self.users = Counter(target for _, target in pairs)
        self.changes = changes.items
        self._on: dict[str, list[int]] = {}
        self._for: dict[str, list[int]] = {}
        for place, change in enumerate(self.changes):
            for ci in change.cis:
                self._on.setdefault(ci, []).append(place)
            self._for.setdefault(change.service, []).append(place)
        instants = [sorted({change.start, change.end, *change.planned}) for change in self.changes]
        width = max(map(len, instants), default=1)
        self._instants = np.array([[*own, *[own[-1]] * (width - len(own))] for own in instants], np.int64).reshape(-1, width)
        self._rarity = _rarity(self.changes)
        self._span = max((self.changes[-1].end - self.changes[0].end) / DAY, 1.0) if self.changes else 1.0

    def gaps(self, at: int, late: int) -> Ints:
        """Return how long before an instant each change began or ended last; -1 where it did neither, up to `late` after it."""
        past = np.where(self._instants <= at + late, at - self._instants, np.iinfo(np.int64).max)
        found = past.min(axis=1) if len(past) else np.empty(0, np.int64)
        return np.where(found > _BEFORE, -1, np.maximum(found, 0))

    def closeness(self, shares: Mapping[str, float], services: Mapping[str, float]) -> tuple[Floats, dict[str, float]]:
        """Return how much of a trouble is on what each change touched, and how much is beside each CI.

        Its own CIs count whole, their neighbours half, its services a tenth.
        """
        near: dict[str, float] = {}
        for ci, share in shares.items():
            for other in self.beside.get(ci, ()):
                near[other] = near.get(other, 0.0) + share
        same, next_to, by_service = np.zeros((3, len(self.changes)))
        for ci, share in shares.items():
            same[self._on.get(ci, [])] += share
        for ci, share in near.items():
            if ci not in shares:
                next_to[self._on.get(ci, [])] += min(share, 1.0)
        for service, share in services.items():
            by_service[self._for.get(service, [])] = 0.1 * share
        return np.round(np.minimum(same, 1) + 0.5 * np.minimum(next_to, 1) + by_service, 3), near

    def a_day(self, closeness: Floats) -> Floats:
        """Return for each change how many a day are as near and as rare."""
        levels, place = np.unique(-closeness, return_inverse=True)
        kinds, kind = np.unique(-self._rarity, return_inverse=True)
        table = np.zeros((len(levels), len(kinds)))
        np.add.at(table, (place, kind), 1)
        return np.asarray(table.cumsum(axis=0).cumsum(axis=1)[place, kind] / self._span)


def _rarity(changes: Sequence[Change]) -> Floats:
    """Return how rare each change's marks (without any: its kind) are: the sum of -log10 of their shares; what most have counts little."""
    marks = [set(change.marks or ((change.kind,) if change.kind else ())) for change in changes]
    counts = Counter(mark for own in marks for mark in own)
    return np.array([sum(-math.log10(counts[mark] / len(changes)) for mark in own) for own in marks]).round(6)


def causes_of(
    candidate: Candidate, tickets: Tickets, around: Surroundings, calendar: Calendar | None, *, most: int = 3, least: float = _LEAST_SCORE
) -> list[Cause]:
    """Return hints, the best first: so many changes, one that stopped it, and one CI upstream of all."""
    found: list[Cause] = []
    if calendar is not None and len(around.changes):
        start = _start(candidate, tickets)
        if start is not None:
            found += changes_before(start, candidate.rows, tickets, around, least=least)[:most]
        if candidate.rhythm.stop:
            found += changes_before(candidate.rhythm.stop.at, candidate.rows, tickets, around, kind="fix", least=least)[:1]
    return found + _upstream(_shares(tickets.fact(CI), candidate.rows), around)


def _start(candidate: Candidate, tickets: Tickets) -> int | None:
    """Return when it began: the first ticket since the onset, or of the burst."""
    assert tickets.opened is not None
    times = tickets.opened[candidate.rows]
    if candidate.sign.what == "burst" and candidate.rhythm.burst:
        return candidate.rhythm.burst.start
    if candidate.rhythm.onset:
        since = times[times >= candidate.rhythm.onset.at]
        return int(since.min()) if len(since) else candidate.rhythm.onset.at
    return candidate.rhythm.burst.start if candidate.rhythm.burst else None


def _shares(fact: Fact, rows: Ints) -> dict[str, float]:
    """Return which share of the tickets that have a fact has each value."""
    codes = fact.codes[rows]
    counts = Counter(codes[codes >= 0].tolist())
    total = sum(counts.values())
    return {fact.names[code]: count / total for code, count in counts.most_common(_MOST_CIS)} if total else {}


def changes_before(
    start: int, rows: Ints, tickets: Tickets, around: Surroundings, *, kind: str = "change", least: float = _LEAST_SCORE
) -> list[Cause]:
    """Return changes that began or ended in the fourteen days before an instant, the likeliest cause of these tickets first."""
    shares = _shares(tickets.fact(CI), rows)
    closeness, near = around.closeness(shares, _shares(tickets.fact(SERVICE), rows))
    gaps = around.gaps(start, _AFTER if kind == "fix" else 0)
    chances = -np.expm1(-around.a_day(closeness) * (gaps / DAY + 0.25)) if len(gaps) else gaps.astype(np.float64)
    scores = -np.log10(np.maximum(chances, 1e-12)) + _COVERAGE * np.log10(np.maximum(closeness, _UNRELATED))
    words = _told(rows, tickets)
    found: list[tuple[int, Cause]] = []
    for place in np.flatnonzero((gaps >= 0) & (scores >= least - 1)).tolist():  # a title that is all in the tickets' words adds 1
        change = around.changes[place]
        alike = _alike(change.title, words)
        if scores[place] + alike >= least:
            at = min(start - int(gaps[place]), change.end)  # by the plan it may end later than it did
            why = _why(change, start, start - at, shares, near, alike)
            score, chance = float(scores[place]) + alike, float(chances[place])
            found.append((int(gaps[place]), Cause(kind, change.key, change.title, at, why, score, chance)))
    return [cause for _, cause in sorted(found, key=lambda each: (-each[1].score, each[0], each[1].key))]


def _told(every: Ints, tickets: Tickets) -> set[str]:
    rows = every[np.linspace(0, len(every) - 1, min(60, len(every))).astype(np.int64)]
    counts = Counter(word for row in rows.tolist() for word in set(_significant(tickets.words_of(row))))
    return {word for word, count in counts.items() if count >= 0.15 * len(rows)}


def _significant(text: str) -> list[str]:
    return [word for word in re.findall(r"[^\W\d_]+", text[:3000].lower()) if len(word) > _STOP_WORDS]


def _alike(title: str, words: set[str]) -> float:
    own = set(_significant(title))
    return len(own & words) / len(own) if own else 0.0


def _why(change: Change, start: int, gap: int, shares: Mapping[str, float], beside: Mapping[str, float], alike: float) -> str:
    last = start - gap
    did = "ended" if last >= change.end else "began" if last == change.start else "was planned for"
    when = f"{did} {span(gap)} before the first ticket" if gap else "ended on the day of the last ticket"
    hit = [ci for ci in change.cis if ci in shares]
    nearby = [ci for ci in change.cis if ci in beside and ci not in shares]
    where = f"on {hit[0]}, which {100 * shares[hit[0]]:.0f} % of the tickets are about" if hit else ""
    if nearby and not hit:
        where = f"on {nearby[0]}, next to what {100 * min(beside[nearby[0]], 1):.0f} % of the tickets are about"
    same = "on the same service" if not hit and not nearby else ""
    words = "; its title has their words" if alike >= 0.3 else ""
    return f"{when}, {where or same or 'on nothing that is known to be near'}{words}"


def span(seconds: int) -> str:
    """Say how long: days, hours or minutes.

    >>> span(172_800), span(7_200), span(90)
    ('2.0 days', '2.0 hours', '2 minutes')
    """
    if seconds >= 1.5 * DAY:
        return f"{seconds / DAY:.1f} days"
    return f"{seconds / 3600:.1f} hours" if seconds >= 3600 else f"{max(seconds, 0) / 60:.0f} minutes"


def _upstream(shares: Mapping[str, float], around: Surroundings) -> list[Cause]:
    """Return what nearly all affected CIs depend on, when few others do."""
    if len(shares) < 3:
        return []
    held: dict[str, float] = {}
    for ci, share in shares.items():
        for target in around.above.get(ci, ()):
            held[target] = held.get(target, 0.0) + share
    total, users = max(len(around.above), 1), around.users
    best = max(sorted(held), key=lambda ci: held[ci] - users[ci] / total, default="")
    if not best or held[best] < 0.7 or users[best] > 0.5 * total or held[best] < 3 * users[best] / total:
        return []
    usual = 100 * users[best] / total
    why = f"{100 * held[best]:.0f} % of the tickets are about CIs that depend on it, as {usual:.0f} % of all CIs do"
    return [Cause("upstream", best, "", 0, why, held[best])]
