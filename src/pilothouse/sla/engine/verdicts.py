"""Whether tickets met their targets, for many tickets at once: the arithmetic over lives sorted by shape (shapes.py); pure.

For every ticket and kind of target one verdict: none (no clock), met, open, or breached; the gravest of its clocks, in this order. A
clock that ended is judged as clocks.py judges it; one that still lives is breached when its deadline is before `now`.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from pilothouse.sla.engine.business_time import OpenHours
from pilothouse.sla.engine.clock import AllHours, Clock
from pilothouse.sla.engine.columns import ABSENT, Portion, Sheet
from pilothouse.sla.engine.durations import Lengths
from pilothouse.sla.engine.measuring import reached
from pilothouse.sla.engine.ragged import Numbers, summed
from pilothouse.sla.engine.rules import KINDS, Duration, Rulebook
from pilothouse.sla.engine.shapes import Shape
from pilothouse.sla.engine.sorting import Sorting

NONE, MET, OPEN, BREACHED = range(4)
PLACE: Mapping[str, int] = {kind: at for at, kind in enumerate(KINDS)}
Judged = NDArray[np.int8]


@dataclass(frozen=True, slots=True)
class Side:
    """Under what tickets are judged: agreements, whose hours, and the hours of the schedules."""

    rulebook: Rulebook
    hours: AllHours


@dataclass(slots=True)
class Verdicts:
    """For each side an array [kind, ticket], and for each side how many tickets had a clock under an agreement (by its id)."""

    of: list[Judged]
    under: list[Counter[int]]


class _Learnt:
    """What was learnt of shapes: their clocks that have a verdict as patterns, and for each what it is judged by."""

    def __init__(self, sides: Sequence[Side]) -> None:
        self.sides, self.sorting = sides, Sorting([side.rulebook for side in sides], self._take)
        self.hours, self.durations = dict[OpenHours, int](), dict[Duration, int]()  # their numbers
        self.columns: list[tuple[int, int, int, int]] = []  # of each pattern: its hours, its duration, its kind, a bit a side
        self.under: list[list[set[int]]] = []  # of each shape and side, the agreements (by id) that gave clocks

    def _take(self, shape: Shape) -> list[Clock]:
        """Take up a shape's clocks; one that two sides have alike is one pattern."""
        alike: dict[tuple[object, ...], int] = {}
        clocks, under = list[Clock](), [set[int]() for _ in self.sides]
        for place, side in enumerate(self.sides):
            for clock, candidate in shape.clocks[place]:
                if not _counts(clock):
                    continue
                hours = self.hours.setdefault(side.hours[clock.schedule], len(self.hours))
                duration = self.durations.setdefault(candidate.target.durations[clock.priority], len(self.durations))
                kind = PLACE[clock.kind]
                key = (hours, duration, kind, clock.started, tuple(clock.segments), clock.running_since, clock.ended)
                if key not in alike:
                    alike[key] = len(self.columns)
                    self.columns.append((hours, duration, kind, 0))
                    clocks.append(clock)
                *column, bits = self.columns[alike[key]]
                self.columns[alike[key]] = (*column, bits | 1 << place)  # type: ignore[assignment]
                under[place].add(candidate.agreement.agreement_id)
        self.under.append(under)
        return clocks


class Judge:
    """Judges portions of lives under several sides; what it learnt of shapes it keeps from one portion to the next."""

    def __init__(self, sides: Sequence[Side], now: int) -> None:
        self.sides, self.now, self.lengths, self.learnt = sides, now, Lengths(), _Learnt(sides)

    def judge(self, stored: Iterable[bytes]) -> Verdicts:
        """Return the verdicts on these stored lives, in their order."""
        if self.learnt.sorting.is_full:
            self.learnt = _Learnt(self.sides)
        portion = Portion.of(stored)
        sheet = self.learnt.sorting.sheet(portion)
        verdicts = Verdicts([np.zeros((len(KINDS), len(portion.counts)), np.int8) for _ in self.sides], self._under(sheet))
        hours, durations, kinds, bits = np.array(self.learnt.columns, np.int64).reshape(-1, 4).T[:, sheet.pattern]
        verdict = np.zeros(len(sheet.ticket), np.int8)
        for own, number in self.learnt.hours.items():
            if len(rows := np.flatnonzero(hours == number)):
                verdict[rows] = self._judge(sheet, rows, own, durations[rows])
        for place, judged in enumerate(verdicts.of):
            for gravity in (MET, OPEN, BREACHED):  # the gravest is written last, and stands
                rows = np.flatnonzero((verdict == gravity) & (bits >> place & 1).astype(bool))
                judged[kinds[rows], sheet.ticket[rows]] = gravity
        return verdicts

    def _under(self, sheet: Sheet) -> list[Counter[int]]:
        found = [Counter[int]() for _ in self.sides]
        shapes, counts = np.unique(sheet.shapes, return_counts=True)
        for shape, count in zip(shapes.tolist(), counts.tolist(), strict=True):
            for side, agreements in enumerate(self.learnt.under[shape]):
                found[side].update(dict.fromkeys(agreements, count))
        return found

    def _judge(self, sheet: Sheet, rows: Numbers, hours: OpenHours, durations: Numbers) -> Judged:
        """Judge rows of the same hours, all their spans laid end to end."""
        started, since, ended = (sheet.at(edge, rows) for edge in sheet.patterns.edges)
        starts, ends, widths = sheet.spans(rows)
        last, total = np.cumsum(widths), summed(hours.elapsed_many(starts, ends))
        elapsed = total[last] - total[last - widths]
        running = np.flatnonzero(since >= 0)
        elapsed[running] += hours.elapsed_many(since[running], np.maximum(since[running], self.now))
        targets = self.lengths.of(list(self.learnt.durations), durations, started, hours)
        living, ends_at = ended == ABSENT, np.where(ended == ABSENT, self.now, ended)
        found = np.where(elapsed > targets, BREACHED, np.where(living, OPEN, MET)).astype(np.int8)
        for row in np.flatnonzero(elapsed == targets).tolist():  # the deadline was reached: before the end, or with it?
            own = slice(last[row] - widths[row], last[row])
            clock = replace(
                sheet.patterns.clocks[sheet.pattern[rows[row]]],
                segments=list(zip(starts[own].tolist(), ends[own].tolist(), strict=True)),
                running_since=None if since[row] == ABSENT else int(since[row]),
            )
            due = reached(clock, hours, int(targets[row]))
            if due is not None and due < ends_at[row]:
                found[row] = BREACHED
        return found


def _counts(clock: Clock) -> bool:
    """Leave out what has no verdict: cancelled clocks, and sums of stays beside the stays."""
    return clock.stage != "cancelled" and not (clock.kind == "ola" and clock.stay == 0)
