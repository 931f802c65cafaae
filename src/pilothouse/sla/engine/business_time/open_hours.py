"""Compiled working time: answers in microseconds for one ticket, in one or two binary searches an array for many; pure.

Let f(t) be the open seconds before t. It is a sum of whole spans and a piece of one, found by one binary search; then

    elapsed(s, e) = f(e) - f(s)          add(s, d) = the smallest t >= s with f(t) = f(s) + d

Instants are whole seconds since 1970 in UTC, spans are half-open: the second in which a span ends is closed.

>>> hours = OpenHours.of([(100, 200), (300, 400)])
>>> hours.elapsed(150, 350), hours.add(150, 100), hours.add(150, 50), hours.next_open(200), hours.is_open(200)
(100, 350, 200, 300, False)
"""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pilothouse.sla.engine.business_time import spans as sets
from pilothouse.sla.engine.business_time.spans import FIRST, LAST, Spans

Instants = NDArray[np.int64]
NEVER = -1  # what the vectorised functions answer where the scalar ones answer None
LONG_AGO = -(2**62)


class OpenHours:
    """When work is done: an immutable set of open spans. Outside the years that it was compiled for it is closed."""

    __slots__ = ("_after", "_before", "_close_of", "_closes", "_earned", "_lead", "_opens", "_shift", "_starts", "total", "zone")

    def __init__(self, spans: Spans, zone: str = "UTC") -> None:
        opens, closes = (np.array(side, np.int64) for side in spans)
        lengths = closes - opens
        after = np.cumsum(lengths)
        before = after - lengths
        self.zone = zone  # whose days "business day" and the explanations mean
        self.total = int(after[-1]) if len(after) else 0
        # For one question: arrays of machine integers, which bisect reads quickly and thirty years of which are small.
        self._opens: array[int] = array("q", opens.tobytes())
        self._closes: array[int] = array("q", closes.tobytes())
        self._before: array[int] = array("q", before.tobytes())
        # For many: f(t) = min(t, close_of[i]) + lead[i] with i = the number of opens <= t; entry 0 stands for "before all spans".
        self._starts = _frozen(opens)
        self._close_of = _frozen(np.concatenate(([LONG_AGO], closes)))
        self._lead = _frozen(np.concatenate(([-LONG_AGO], before - opens)))
        self._earned = _frozen(before)
        self._after = _frozen(closes)
        self._shift = _frozen(np.concatenate(([0], opens - before)))

    @classmethod
    def of(cls, pairs: Iterable[tuple[int, int]], zone: str = "UTC") -> OpenHours:
        """Make open hours of spans (start, end) in any order."""
        return cls(sets.spans_of(pairs), zone)

    @property
    def spans(self) -> Spans:
        """The open spans as two read-only arrays: where each opens, and where it closes."""
        return self._starts, self._after

    def __len__(self) -> int:
        return len(self._opens)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, OpenHours):
            return NotImplemented
        return self.zone == other.zone and self._opens == other._opens and self._closes == other._closes

    def __hash__(self) -> int:
        return hash((self.zone, self.total, len(self._opens)))

    def elapsed(self, start: int, end: int) -> int:
        """Count the open seconds in [start, end); the negative of the swap when end is before start."""
        return self._open_before(end) - self._open_before(start)

    def add(self, start: int, seconds: int) -> int | None:
        """Find the smallest instant at or after `start` with so many open seconds between; None when it never opens that long.

        No seconds give `start` itself. Negative ones count back: the largest instant at or before `start` with so many between.
        """
        if seconds == 0:
            return start
        goal = self._open_before(start) + seconds
        if goal < 0 or goal > self.total:
            return None
        place = (bisect_left(self._before, goal) if seconds > 0 else bisect_right(self._before, goal)) - 1
        return self._opens[place] + goal - self._before[place]

    def next_open(self, at: int) -> int | None:
        """Find the first open instant at or after `at`; None when it never opens again."""
        place = bisect_right(self._closes, at)
        return max(at, self._opens[place]) if place < len(self._opens) else None

    def is_open(self, at: int) -> bool:
        """Say whether the second that begins at `at` is open."""
        place = bisect_right(self._opens, at) - 1
        return place >= 0 and at < self._closes[place]

    def between(self, start: int, end: int) -> Iterator[tuple[int, int]]:
        """The open spans in [start, end), cut to it, in order."""
        for place in range(bisect_right(self._closes, start), bisect_left(self._opens, end)):
            yield max(start, self._opens[place]), min(end, self._closes[place])

    def elapsed_many(self, starts: ArrayLike, ends: ArrayLike) -> Instants:
        """Count the open seconds of many pairs [start, end): `elapsed` for each."""
        return self._open_before_many(_instants(ends)) - self._open_before_many(_instants(starts))

    def add_many(self, starts: ArrayLike, seconds: ArrayLike) -> Instants:
        """Find for many starts when so many open seconds are over: `add` for each, -1 where it answers None."""
        begun, wanted = np.broadcast_arrays(_instants(starts), _instants(seconds))
        goal = self._open_before_many(begun) + wanted
        found = np.asarray(goal + self._shift[np.searchsorted(self._earned, goal, side="left")])
        back = wanted < 0
        if back.any():
            found[back] = goal[back] + self._shift[np.searchsorted(self._earned, goal[back], side="right")]
        np.copyto(found, NEVER, where=(goal < 0) | (goal > self.total))
        np.copyto(found, begun, where=wanted == 0)
        return found

    def next_open_many(self, at: ArrayLike) -> Instants:
        """Find for many instants the first open one at or after each; -1 where it never opens again."""
        instants = _instants(at)
        place = np.searchsorted(self._after, instants, side="right")
        opens = np.append(self._starts, 0)[place]  # nothing opens behind the last span
        return np.where(place == len(self), NEVER, np.maximum(instants, opens))

    def is_open_many(self, at: ArrayLike) -> NDArray[np.bool_]:
        """Say for many instants whether the second that begins there is open."""
        instants = _instants(at)
        held: NDArray[np.bool_] = instants < self._close_of[np.searchsorted(self._starts, instants, side="right")]
        return held

    def cut(self, start: int, end: int) -> OpenHours:
        """The same hours in [start, end), closed elsewhere."""
        return OpenHours(sets.within(self.spans, start, end), self.zone)

    def _open_before(self, at: int) -> int:
        place = bisect_right(self._opens, at) - 1
        if place < 0:
            return 0
        return self._before[place] + min(at, self._closes[place]) - self._opens[place]

    def _open_before_many(self, at: Instants) -> Instants:
        place = np.searchsorted(self._starts, at, side="right")
        passed: Instants = np.minimum(at, self._close_of[place])
        passed += self._lead[place]
        return passed


def always(zone: str = "UTC") -> OpenHours:
    """Round the clock, every day of every year."""
    return OpenHours(sets.EVER, zone)


def never(zone: str = "UTC") -> OpenHours:
    """No hours at all."""
    return OpenHours(sets.NONE, zone)


def any_of(hours: Iterable[OpenHours], zone: str = "UTC") -> OpenHours:
    """Unite: open when at least one of them is."""
    return OpenHours(sets.swept([each.spans for each in hours], 1), zone)


def all_of(hours: Iterable[OpenHours], zone: str = "UTC") -> OpenHours:
    """Intersect: open when every one of them is; of none, never."""
    every = [each.spans for each in hours]
    return OpenHours(sets.swept(every, len(every)) if every else sets.NONE, zone)


def followed_by(older: OpenHours, newer: OpenHours, at: int | None) -> OpenHours:
    """The older hours before `at`, the newer ones from it on; None: the newer ones since ever. The zone is the newer one's."""
    if at is None:
        return newer
    return any_of([older.cut(FIRST, at), newer.cut(at, LAST)], newer.zone)


def _instants(values: ArrayLike) -> Instants:
    return np.asarray(values, np.int64)


def _frozen(values: Instants) -> Instants:
    values = np.ascontiguousarray(values, np.int64)
    values.setflags(write=False)
    return values
