"""Sets of time as sorted, disjoint, half-open spans in two int64 arrays, and their union, intersection and difference; pure.

Every set operation is one sweep: each edge counts one more or one less, and an instant belongs to the result where at least
`needed` of the sets hold it. Spans that touch become one.
"""

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

Edges = NDArray[np.int64]
Spans = tuple[Edges, Edges]

FIRST = -62_135_596_800  # 0001-01-01: nothing is before
LAST = 253_402_300_800  # 10000-01-01: nothing is at or after it

NONE: Spans = (np.empty(0, np.int64), np.empty(0, np.int64))
EVER: Spans = (np.array([FIRST], np.int64), np.array([LAST], np.int64))


def spans_of(pairs: Iterable[tuple[int, int]]) -> Spans:
    """Make a set of any pairs (start, end), in any order, overlapping or not; empty and backward ones count nothing."""
    kept = [(start, end) for start, end in pairs if end > start]
    return united(np.array([start for start, _ in kept], np.int64), np.array([end for _, end in kept], np.int64))


def united(starts: Edges, ends: Edges) -> Spans:
    """Make a set of spans in any order, overlapping or not, each longer than nothing."""
    return swept([(starts, ends)], 1)


def swept(sets: Sequence[Spans], needed: int) -> Spans:
    """Say where at least `needed` of the sets hold an instant: 1 is their union, their number their intersection."""
    edges = np.concatenate([edge for span in sets for edge in span] or [NONE[0]])
    steps = np.concatenate(
        [np.full(len(side), step, np.int64) for span in sets for side, step in zip(span, (1, -1), strict=True)] or [NONE[0]]
    )
    if not len(edges):
        return NONE
    order = np.argsort(edges, kind="stable")
    edges, held = edges[order], np.cumsum(steps[order])
    last_of_instant = np.append(edges[1:] != edges[:-1], True)
    edges, inside = edges[last_of_instant], held[last_of_instant] >= needed
    changes = np.flatnonzero(np.diff(inside.astype(np.int8), prepend=0))
    return edges[changes[0::2]], edges[changes[1::2]]


def without(spans: Spans, taken: Spans) -> Spans:
    """Take the second set away from the first."""
    return swept([spans, inverse(taken)], 2)


def inverse(spans: Spans) -> Spans:
    """Everything from FIRST to LAST that the set does not hold."""
    starts, ends = np.concatenate(([FIRST], spans[1])), np.concatenate((spans[0], [LAST]))
    kept = ends > starts
    return starts[kept], ends[kept]


def within(spans: Spans, start: int, end: int) -> Spans:
    """Cut a set to [start, end)."""
    low = int(np.searchsorted(spans[1], start, side="right"))
    high = int(np.searchsorted(spans[0], end, side="left"))
    return np.maximum(spans[0][low:high], start), np.minimum(spans[1][low:high], end)
