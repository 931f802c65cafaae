"""Whether tickets met their targets, for many tickets at once: the arithmetic over lives sorted by shape (shapes.py); pure.

For every ticket and kind of target one verdict: none (no clock), met, open, or breached; the gravest of its clocks, in this order. A
clock that ended is judged as clocks.py judges it; one that still lives is breached when its deadline is before `now`.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from pilothouse.sla.engine.business_time import OpenHours
from pilothouse.sla.engine.clock import AllHours, Clock
from pilothouse.sla.engine.columns import ABSENT, Numbers, Patterns, Portion, Routes, Sheet, lay_out, numbers
from pilothouse.sla.engine.durations import Lengths
from pilothouse.sla.engine.measuring import reached
from pilothouse.sla.engine.rules import KINDS, Duration, Rulebook
from pilothouse.sla.engine.shapes import NOTHING, Catalogue, Shape, Shapes

NONE, MET, OPEN, BREACHED = range(4)
PLACE: Mapping[str, int] = {kind: at for at, kind in enumerate(KINDS)}
Judged = NDArray[np.int8]
_MOST_VARIANTS = 200_000  # more are forgotten, so that memory stays bounded


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
        self.sides, self.catalogue, self.patterns, self.routes = sides, Catalogue(), Patterns(), Routes()
        self.known: dict[tuple[int, ...], Shapes] = {}
        self.hours, self.durations = dict[OpenHours, int](), dict[Duration, int]()  # their numbers
        self.columns: list[tuple[int, int, int, int]] = []  # of each pattern: its hours, its duration, its kind, a bit a side
        self.under: list[list[set[int]]] = []  # of each shape and side, the agreements (by id) that gave clocks

    def shapes(self, opened: int) -> Shapes:
        """Return what sorts tickets opened at an instant."""
        rules = [side.rulebook.at(opened) for side in self.sides]
        key = tuple(map(id, rules))
        if key not in self.known:
            self.known[key] = Shapes(rules, self.catalogue)
        return self.known[key]

    def take_up(self) -> None:
        """Take up what the catalogue has got since."""
        for shape in self.catalogue.shapes[len(self.under) :]:
            self._take(shape)
        for variant in self.catalogue.variants[len(self.routes.shapes) :]:
            self.routes.add(variant)

    def _take(self, shape: Shape) -> None:
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
        self.patterns.add_shape(clocks)
        self.under.append(under)


class Judge:
    """Judges portions of lives under several sides; what it learnt of shapes it keeps from one portion to the next."""

    def __init__(self, sides: Sequence[Side], now: int) -> None:
        self.sides, self.now, self.lengths, self.learnt = sides, now, Lengths(), _Learnt(sides)
        self.bounds = np.array(sorted({bound for side in sides for bound in side.rulebook.bounds}), np.int64)

    def judge(self, stored: Iterable[bytes]) -> Verdicts:
        """Return the verdicts on these stored lives, in their order."""
        if len(self.learnt.catalogue.variants) > _MOST_VARIANTS:
            self.learnt = _Learnt(self.sides)
        portion = Portion.of(stored)
        sheet = self._sheet(portion)
        verdicts = Verdicts([np.zeros((len(KINDS), len(portion.lines)), np.int8) for _ in self.sides], self._under(sheet))
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

    def _sheet(self, portion: Portion) -> Sheet:
        opened, variants, effects = portion.opened, [0] * len(portion.lines), [list[int]()] * len(portion.lines)
        ruled = np.searchsorted(self.bounds, opened, side="right")
        for place in np.unique(ruled).tolist():
            own = np.flatnonzero(ruled == place).tolist()
            shapes = self.learnt.shapes(int(opened[own[0]]))
            for at in own:
                variant, effects[at] = shapes.sort(portion.lines[at])
                variants[at] = variant.number
        self.learnt.take_up()
        has_effect = np.fromiter(chain.from_iterable(effects), np.int64, len(portion.instants)) != NOTHING
        return lay_out(self.learnt.patterns, self.learnt.routes, numbers(variants), portion.only(has_effect))

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
        total, last = np.concatenate(([0], np.cumsum(hours.elapsed_many(starts, ends)))), np.cumsum(widths)
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
