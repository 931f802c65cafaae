"""When a candidate would have been raised, had its tickets been watched as they came: the tests of the stream, asked of one group.

The tickets of the group that brought the candidate up are taken as a stream (see `streaming`), with the same level for each question.
Families, and what is comparable, are known from all tickets here, which a watcher at that time would not have known.
"""

from dataclasses import dataclass

import numpy as np
from scipy import special  # type: ignore[import-untyped]

from pilothouse.problems.engine.baseline import DAY
from pilothouse.problems.engine.candidates import Candidate
from pilothouse.problems.engine.columns import MISSING, Bools, Ints, Tickets
from pilothouse.problems.engine.evidence import LEAST_LIFT, WIDEST, WINDOWS, beats, is_look_for_beats
from pilothouse.problems.engine.facets import Comparison, Facet
from pilothouse.problems.engine.streaming import A_WEEK, FOR_BEATS

_STREAMS = 15  # of a ticket, about
_LOOKS_FOR_FACETS = (5, 6, 8, 10, 13, 17, 22, 29, 38, 50, 66, 87, 115, 152, 200, 265, 350)


@dataclass(frozen=True, slots=True)
class Raised:
    """When the evidence sufficed: after how many tickets, how long after the first of them, by what ("burst", "period", "facet")."""

    what: str
    at: int
    tickets: int
    seconds: int


class Order:
    """The tickets in order of their times; made once for all candidates."""

    def __init__(self, tickets: Tickets) -> None:
        opened = tickets.opened if tickets.opened is not None else np.full(len(tickets), MISSING)
        order = np.argsort(opened, kind="stable")
        order = order[opened[order] != MISSING]
        self.opened = opened
        self.first, self.last = (np.full(len(tickets), -1, np.int64) for _ in range(2))  # places of its instant: no order within
        self.first[order] = np.searchsorted(opened[order], opened[order], side="left")
        self.last[order] = np.searchsorted(opened[order], opened[order], side="right") - 1
        self.start = int(opened[order[0]]) if len(order) else 0
        weeks = max((int(opened[order[-1]]) - self.start) / (7 * DAY), 1.0) if len(order) else 1.0
        self.allowance = A_WEEK / max(len(order) / weeks, 50.0) / _STREAMS


def raised_of(candidate: Candidate, comparison: Comparison, order: Order) -> Raised | None:
    """Return when a candidate would have been raised first; None when only all of its tickets together show it."""
    rows = candidate.sign.group.rows
    rows = rows[order.first[rows] >= 0]
    rows = rows[np.argsort(order.first[rows], kind="stable")]
    own = np.isin(rows, candidate.rows)
    found = [_crowded(rows, own, order), _beats(rows[own], order), _facet(candidate, rows, comparison, order)]
    return min((each for each in found if each is not None), key=lambda each: (each.at, each.tickets), default=None)


def _crowded(rows: Ints, own: Bools, order: Order) -> Raised | None:
    """Return the first crowd, at least half of which is the candidate's."""
    times, mine = order.opened[rows], np.concatenate(([0], np.cumsum(own)))
    best: tuple[int, int] | None = None
    for count in WINDOWS:
        last = np.arange(count - 1, len(rows))
        if not len(last):
            break
        first = last - count + 1
        share = np.maximum(
            (order.last[rows[last]] - order.first[rows[first]]) / np.maximum(order.last[rows[last]], 1),
            (times[last] - times[first]) / np.maximum(times[last] - order.start, 1),
        )
        hits, others = float(count - 1), last.astype(np.float64)
        chance = np.where(others > hits, special.betainc(hits, np.maximum(others - hits + 1, 1), np.minimum(share, 1)), share**hits)
        level = order.allowance * (1 - FOR_BEATS) / len(WINDOWS)
        stands = (chance <= level) & (share < WIDEST) & (hits >= LEAST_LIFT * others * share)
        at = np.flatnonzero(stands & (mine[last + 1] - mine[first] >= 0.5 * count))
        if len(at) and (best is None or last[at[0]] < best[0]):
            best = int(last[at[0]]), count
    return None if best is None else _raised("burst", times, best[0] - best[1] + 1, best[0])


def _beats(rows: Ints, order: Order) -> Raised | None:
    times = order.opened[rows]
    events = np.flatnonzero(np.concatenate(([True], np.diff(times) > 20 * 3600)))
    for count, last in enumerate(events.tolist(), 1):
        if is_look_for_beats(count):
            period = beats(times[max(last + 1 - max(WINDOWS), 0) : last + 1])
            if period is not None and period.chance <= order.allowance * FOR_BEATS:
                return _raised("period", times, 0, last)
    return None


def _facet(candidate: Candidate, rows: Ints, comparison: Comparison, order: Order) -> Raised | None:
    """Return when the facet that brought the candidate up stood."""
    if not isinstance(found := candidate.sign.evidence, Facet):
        return None
    code = comparison.tickets.facts[found.fact].names.index(found.value)
    for count in _LOOKS_FOR_FACETS:
        if count > len(rows):
            break
        early = comparison.test(rows[:count], found.fact, code)
        if early is not None and early.chance <= order.allowance:
            return _raised("facet", order.opened[rows], 0, count - 1)
    return None


def _raised(what: str, times: Ints, first: int, last: int) -> Raised:
    return Raised(what, int(times[last]), last - first + 1, int(times[last] - times[first]))
