"""What a change would have done: two verdicts of each ticket and kind of target, counted by kind, team and priority; pure.

Attainment is the share met of those that ended or are breached already. A ticket flips when both sides have a clock for it and only one
of them is breached: it was met, or still runs in time, on the other.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pilothouse.sla.engine.rules import KINDS
from pilothouse.sla.engine.verdicts import BREACHED, MET, NONE, OPEN, Judged

_PAIRS = 16  # four verdicts before, four after: before * 4 + after
TO_BREACHED, TO_MET = "to_breached", "to_met"
_FLIPS: Mapping[str, tuple[int, ...]] = {
    TO_BREACHED: (MET * 4 + BREACHED, OPEN * 4 + BREACHED),
    TO_MET: (BREACHED * 4 + MET, BREACHED * 4 + OPEN),
}
Pairs = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Side:
    """How many tickets of a row met, missed or still run against a target on one side."""

    met: int
    breached: int
    open: int

    @property
    def attainment(self) -> float | None:
        """The share that met its target; None when nothing has been judged."""
        judged = self.met + self.breached
        return self.met / judged if judged else None


@dataclass(frozen=True, slots=True)
class Compared:
    """One row: before, after, how many flip each way, and how many clocks come or go."""

    before: Side
    after: Side
    to_breached: int
    to_met: int
    gained: int
    lost: int

    @classmethod
    def of(cls, pairs: Pairs) -> "Compared":
        """Make a row of counts by pair of verdicts."""
        table = pairs.reshape(4, 4)
        before, after = table.sum(axis=1), table.sum(axis=0)
        first, then = (Side(int(each[MET]), int(each[BREACHED]), int(each[OPEN])) for each in (before, after))
        never = int(table[NONE, NONE])
        gained, lost = int(table[NONE].sum()) - never, int(table[:, NONE].sum()) - never
        to_breached, to_met = (int(sum(pairs[pair] for pair in pairs_of)) for pairs_of in _FLIPS.values())
        return cls(first, then, to_breached, to_met, gained, lost)

    def as_json(self) -> dict[str, Any]:
        """Write it for keeping and for the command line; attainments in per cent with two decimals."""
        said: dict[str, Any] = {}
        for name, side in (("before", self.before), ("after", self.after)):
            share = None if side.attainment is None else round(100 * side.attainment, 2)
            said[name] = {"met": side.met, "breached": side.breached, "open": side.open, "attainment": share}
        return {**said, "to_breached": self.to_breached, "to_met": self.to_met, "gained": self.gained, "lost": self.lost}


@dataclass(slots=True)
class Tally:
    """Adds up portions of verdicts; the newest flips are kept by ticket and kind, at most `most` each way."""

    most: int = 200
    tickets: int = 0
    kinds: Pairs = field(default_factory=lambda: np.zeros((len(KINDS), _PAIRS), np.int64))
    teams: dict[int, Pairs] = field(default_factory=dict)
    priorities: dict[int, Pairs] = field(default_factory=dict)
    flips: dict[str, list[tuple[int, str]]] = field(default_factory=lambda: {TO_BREACHED: [], TO_MET: []})

    def add(self, before: Judged, after: Judged, *, tickets: Sequence[int], teams: ArrayLike, priorities: ArrayLike) -> None:
        """Add a portion: two arrays [kind, ticket], and for each ticket its id, its team (0: none) and its priority."""
        pairs = before.astype(np.int64) * 4 + after
        self.tickets += len(tickets)
        for place, kind in enumerate(KINDS):
            self.kinds[place] += np.bincount(pairs[place], minlength=_PAIRS)
            for flip, found in self.flips.items():
                found += [(tickets[at], kind) for at in np.flatnonzero(np.isin(pairs[place], _FLIPS[flip])).tolist()]
        _spread(self.teams, np.asarray(teams, np.int64), pairs)
        _spread(self.priorities, np.asarray(priorities, np.int64), pairs)
        for flip, found in self.flips.items():
            self.flips[flip] = sorted(found, reverse=True)[: self.most]


def _spread(kept: dict[int, Pairs], labels: Pairs, pairs: Pairs) -> None:
    """Add the pairs of every kind to the rows of these labels."""
    values, places = np.unique(labels, return_inverse=True)
    size = len(values) * _PAIRS
    counts = sum((np.bincount(places * _PAIRS + row, minlength=size) for row in pairs), np.zeros(size, np.int64)).reshape(-1, _PAIRS)
    for value, row in zip(values.tolist(), counts, strict=True):
        kept[value] = kept.get(value, np.zeros(_PAIRS, np.int64)) + row
