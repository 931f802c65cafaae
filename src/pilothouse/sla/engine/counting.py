"""The clocks of many tickets counted in columns, as clocks.py counts them one by one; pure.

Clocks that have steps to come look at when each of their events was recorded: tickets with such clocks are left to clocks.py.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pilothouse.sla.engine.business_time import NEVER, OpenHours
from pilothouse.sla.engine.clock import AllHours, Clock
from pilothouse.sla.engine.columns import ABSENT, Portion, Sheet
from pilothouse.sla.engine.durations import Lengths
from pilothouse.sla.engine.ragged import Numbers, summed
from pilothouse.sla.engine.rules import Duration, Rulebook
from pilothouse.sla.engine.shapes import Shape
from pilothouse.sla.engine.sorting import Sorting


@dataclass(frozen=True, slots=True)
class Counted:
    """Clocks in columns. `pattern` is a place in `patterns`; ABSENT stands for what a clock has not."""

    patterns: Sequence[Clock]
    ticket: Numbers  # the places of their tickets in the portion, rising
    pattern: Numbers
    group: Numbers
    started: Numbers
    since: Numbers
    ended: Numbers
    target: Numbers
    elapsed: Numbers
    due: Numbers
    original_due: Numbers
    left: Numbers  # the places of tickets whose clocks are to be counted one by one


class Counting:
    """Counts portions of lives under a rulebook; what it learnt of shapes it keeps from one portion to the next."""

    def __init__(self, rulebook: Rulebook, hours: AllHours) -> None:
        self.rulebook, self.hours, self.lengths = rulebook, hours, Lengths()
        self.table = np.zeros((5, 0), np.int64)  # `columns` as an array
        self._forget()

    def count(self, portion: Portion) -> Counted:
        """Return the clocks of these lives, in the order of the lives and of clocks.count."""
        if self.sorting.is_full:
            self._forget()
        sheet = self.sorting.sheet(portion)
        is_left = np.array(self.left, bool)[sheet.shapes]
        rows = np.flatnonzero(~is_left[sheet.ticket])
        if len(self.columns) > self.table.shape[1]:
            self.table = np.array(self.columns, np.int64).reshape(-1, 5).T
        started, since, ended = (sheet.at(edge, rows) for edge in sheet.patterns.edges)
        own_hours, duration, first_hours, first_duration, group = self.table
        pattern = sheet.pattern[rows]
        target, elapsed, due, first_due = (np.full(len(rows), ABSENT, np.int64) for _ in range(4))
        counted = Counted(
            *(sheet.patterns.clocks, sheet.ticket[rows], pattern, sheet.group(group, rows), started, since, ended),
            *(target, elapsed, due, first_due, np.flatnonzero(is_left)),
        )
        for hours, number in self.numbered.items():
            here = np.flatnonzero(own_hours[pattern] == number)
            if len(here):
                self._measure(counted, sheet, rows, here, duration[pattern[here]], hours)
        for hours, number in self.numbered.items():
            here = np.flatnonzero(first_hours[pattern] == number)
            if len(here):
                targets = self.lengths.of(list(self.durations), first_duration[pattern[here]], started[here], hours)
                counted.original_due[here] = hours.add_many(started[here], targets)
        return counted

    def _forget(self) -> None:
        self.sorting = Sorting([self.rulebook], self._take)
        self.numbered, self.durations = dict[OpenHours, int](), dict[Duration, int]()
        # Of each pattern: its hours and duration, those that were its first, and its place among its ticket's groups.
        self.columns: list[tuple[int, int, int, int, int]] = []
        self.table = self.table[:, :0]
        self.left: list[bool] = []  # of each shape, whether a clock of it has steps to come

    def _take(self, shape: Shape) -> list[Clock]:
        [pairs] = shape.clocks
        clocks = [clock for clock, _ in pairs]
        self.left.append(any(clock.governed for clock in clocks))
        for clock in clocks:
            priority, schedule = clock.original
            group = ABSENT if clock.group is None else shape.groups[clock.group]
            own = (self._number(clock.schedule), self._length(clock.duration(clock.priority)))
            self.columns.append((*own, self._number(schedule), self._length(clock.duration(priority)), group))
        return clocks

    def _number(self, schedule: int | None) -> int:
        return self.numbered.setdefault(self.hours[schedule], len(self.numbered))

    def _length(self, duration: Duration) -> int:
        return self.durations.setdefault(duration, len(self.durations))

    def _measure(self, counted: Counted, sheet: Sheet, rows: Numbers, here: Numbers, durations: Numbers, hours: OpenHours) -> None:
        """Do the arithmetic of rows of the same hours: their spans laid end to end, summed and cut where each passes its target."""
        starts, ends, widths = sheet.spans(rows[here])
        last, total = np.cumsum(widths), summed(hours.elapsed_many(starts, ends))
        base, since = total[last - widths], counted.since[here]
        elapsed, targets = total[last] - base, self.lengths.of(list(self.durations), durations, counted.started[here], hours)
        inside: NDArray[np.bool_] = elapsed >= targets
        due = np.full(len(here), NEVER, np.int64)
        reached = np.searchsorted(total[1:], (base + targets)[inside], side="left")  # the span in which each target is reached
        due[inside] = hours.add_many(starts[reached], targets[inside] - (total[reached] - base[inside]))
        runs = ~inside & (since != ABSENT)
        due[runs] = hours.add_many(since[runs], (targets - elapsed)[runs])
        counted.target[here], counted.elapsed[here], counted.due[here] = targets, elapsed, due
