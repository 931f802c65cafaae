"""Hints at causes: changes that ended shortly before an onset on the same or neighbouring CIs, and what all affected CIs depend on.

A change is scored by how often a change as near as it would end as shortly before any instant by chance (changes that near, per
day, times the days between), and by how much of the trouble is on what it touched. A hint is a hint: the chance that it shows is
that of this one change, not of the best of all.
"""

import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from pilothouse.problems.engine.baseline import DAY, Calendar
from pilothouse.problems.engine.candidates import Candidate
from pilothouse.problems.engine.columns import CI, SERVICE, Change, Changes, CIGraph, Tickets

_BEFORE = 14 * DAY
_AFTER = DAY  # the day of the onset is known, not the hour
_MOST_CIS = 400
_COVERAGE = 1.5  # a change on a tenth of the trouble's CIs must be so many powers of ten less likely by chance
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


def causes_of(
    candidate: Candidate,
    tickets: Tickets,
    near: Mapping[str, Sequence[str]],
    graph: CIGraph,
    changes: Changes,
    calendar: Calendar | None,
    *,
    most: int = 3,
    least: float = _LEAST_SCORE,
) -> list[Cause]:
    """Return hints, the best first: so many changes, one that stopped it, and one CI upstream of all."""
    shares = _ci_shares(candidate, tickets)
    found: list[Cause] = []
    if calendar is not None and len(changes):
        rhythm = candidate.rhythm
        start = _start(candidate, tickets)
        if start is not None:
            found += _changes(start, candidate, tickets, shares, near, changes, calendar, "change", least)[:most]
        if rhythm.stop:
            found += _changes(rhythm.stop.at, candidate, tickets, shares, near, changes, calendar, "fix", least)[:1]
    return found + _upstream(shares, graph)


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


def _ci_shares(candidate: Candidate, tickets: Tickets) -> dict[str, float]:
    fact = tickets.fact(CI)
    codes = fact.codes[candidate.rows]
    counts = Counter(codes[codes >= 0].tolist())
    total = sum(counts.values())
    return {fact.names[code]: count / total for code, count in counts.most_common(_MOST_CIS)} if total else {}


def _changes(
    start: int,
    candidate: Candidate,
    tickets: Tickets,
    shares: Mapping[str, float],
    near: Mapping[str, Sequence[str]],
    changes: Changes,
    calendar: Calendar,
    kind: str,
    least: float,
) -> list[Cause]:
    own = set(shares)
    beside = Counter[str]()
    for ci, share in shares.items():
        for other in near.get(ci, ()):
            beside[other] += share  # type: ignore[assignment]
    service = _service(candidate, tickets)
    words = _told(candidate, tickets)
    span = max((changes.items[-1].end - changes.items[0].end) / DAY, 1.0)
    closeness = [_closeness(change, own, shares, beside, service) for change in changes.items]
    kinds = Counter(change.kind for change in changes.items)
    ordered = np.sort(np.array(closeness))
    found = []
    for change, close in zip(changes.items, closeness, strict=True):
        gap = start - change.end
        if not -_AFTER <= gap <= _BEFORE:
            continue
        as_near = len(ordered) - int(np.searchsorted(ordered, close - 1e-9)) if close > 0 else kinds[change.kind]
        days = max(gap, 0) / DAY + 0.25
        chance = 1 - math.exp(-as_near / span * days)
        alike = _alike(change.title, words)
        score = -math.log10(max(chance, 1e-12)) + _COVERAGE * math.log10(max(close, _UNRELATED)) + alike
        if score < least:
            continue
        found.append(Cause(kind, change.key, change.title, change.end, _why(change, gap, close, shares, beside, alike), score, chance))
    return sorted(found, key=lambda cause: (-cause.score, cause.at, cause.key))


def _closeness(change: Change, own: set[str], shares: Mapping[str, float], beside: Mapping[str, float], service: str) -> float:
    """Return how much of the trouble is on what the change touched: its CIs (whole), their neighbours (half), the service (a tenth)."""
    same = sum(shares[ci] for ci in change.cis if ci in own)
    next_to = sum(min(beside[ci], 1.0) for ci in change.cis if ci in beside and ci not in own)
    by_service = 0.1 if service and change.service == service else 0.0
    return round(min(same, 1.0) + 0.5 * min(next_to, 1.0) + by_service, 3)


def _service(candidate: Candidate, tickets: Tickets) -> str:
    fact = tickets.fact(SERVICE)
    codes = fact.codes[candidate.rows]
    counts = Counter(codes[codes >= 0].tolist()).most_common(1)
    return fact.names[counts[0][0]] if counts and counts[0][1] >= 0.5 * len(codes) else ""


def _told(candidate: Candidate, tickets: Tickets) -> set[str]:
    rows = candidate.rows[np.linspace(0, len(candidate.rows) - 1, min(60, len(candidate.rows))).astype(np.int64)]
    counts = Counter(word for row in rows.tolist() for word in set(_significant(tickets.words_of(row))))
    return {word for word, count in counts.items() if count >= 0.15 * len(rows)}


def _significant(text: str) -> list[str]:
    return [word for word in re.findall(r"[^\W\d_]+", text[:3000].lower()) if len(word) > _STOP_WORDS]


def _alike(title: str, words: set[str]) -> float:
    own = set(_significant(title))
    return len(own & words) / len(own) if own else 0.0


def _why(change: Change, gap: int, close: float, shares: Mapping[str, float], beside: Mapping[str, float], alike: float) -> str:
    when = f"ended {span(gap)} before the first ticket" if gap >= 0 else f"ended {span(-gap)} after the first ticket of that day"
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


def _upstream(shares: Mapping[str, float], graph: CIGraph) -> list[Cause]:
    """Return what nearly all affected CIs depend on, when few others do."""
    if len(shares) < 3:
        return []
    above = graph.upstream()
    users = Counter(target for targets in above.values() for target in targets)
    held: dict[str, float] = {}
    for ci, share in shares.items():
        for target in above.get(ci, ()):
            held[target] = held.get(target, 0.0) + share
    total = max(len(above), 1)
    best = max(sorted(held), key=lambda ci: held[ci] - users[ci] / total, default="")
    if not best or held[best] < 0.7 or users[best] > 0.5 * total or held[best] < 3 * users[best] / total:
        return []
    usual = 100 * users[best] / total
    why = f"{100 * held[best]:.0f} % of the tickets are about CIs that depend on it, as {usual:.0f} % of all CIs do"
    return [Cause("upstream", best, "", 0, why, held[best])]
