"""Whether tickets met their targets, for many tickets at once: the arithmetic over lives sorted by shape (shapes.py); pure.

For every ticket and kind of target one verdict: none (no clock), met, open, or breached; the gravest of its clocks, in this order. A
clock that ended is judged as clocks.py judges it; one that still lives is breached when its deadline is before `now`.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from pilothouse.sla.engine.business_time import OpenHours, business_day
from pilothouse.sla.engine.business_time.zones import date_of, instant_of
from pilothouse.sla.engine.clocks import AllHours, Clock, reached
from pilothouse.sla.engine.rules import KINDS, LONGEST_SECONDS, Duration, Rulebook
from pilothouse.sla.engine.shapes import Shape, Shapes, Stored

NONE, MET, OPEN, BREACHED = range(4)
PLACE: Mapping[str, int] = {kind: at for at, kind in enumerate(KINDS)}
Numbers = NDArray[np.int64]
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


@dataclass(slots=True)
class _Block:
    """One clock of one shape: all its tickets' spans, in rows."""

    clock: Clock
    tickets: Numbers
    started: Numbers
    starts: Numbers  # tickets x spans
    ends: Numbers
    since: Numbers | None
    ended: Numbers | None
    elapsed: Numbers = field(default_factory=lambda: np.empty(0, np.int64))


class Judge:
    """Judges portions of lives under several sides; what it learnt of shapes it keeps from one portion to the next."""

    def __init__(self, sides: Sequence[Side], now: int) -> None:
        self.sides, self.now = sides, now
        self.known: dict[tuple[int, ...], Shapes] = {}
        self.days = [_Days(side.hours) for side in sides]

    def judge(self, lives: Sequence[Sequence[Stored]]) -> Verdicts:
        """Return the verdicts on these lives, in their order."""
        for number, life in enumerate(lives):
            self._shapes(life[0][1]).add(number, life)
        verdicts = Verdicts([np.zeros((len(KINDS), len(lives)), np.int8) for _ in self.sides], [Counter() for _ in self.sides])
        shapes = [shape for known in self.known.values() for shape in known.filled()]
        for place in range(len(self.sides)):
            self._judge(place, shapes, verdicts)
        for shape in shapes:
            shape.tickets, shape.instants = [], []
        return verdicts

    def _shapes(self, opened: int) -> Shapes:
        rules = [side.rulebook.at(opened) for side in self.sides]
        key = tuple(map(id, rules))
        if key not in self.known:
            self.known[key] = Shapes(rules)
        return self.known[key]

    def _judge(self, place: int, shapes: Iterable[Shape], verdicts: Verdicts) -> None:
        by_schedule: dict[int | None, list[_Block]] = {}
        for shape in shapes:
            matrix = np.array(shape.instants, np.int64)
            tickets = np.array(shape.tickets, np.int64)
            for clock in shape.clocks[place]:
                by_schedule.setdefault(clock.schedule, []).append(self._block(clock, tickets, matrix))
            agreements = {clock.candidate.agreement.agreement_id for clock in shape.clocks[place]}
            verdicts.under[place].update(dict.fromkeys(agreements, len(tickets)))
        for schedule, blocks in by_schedule.items():
            hours = self.sides[place].hours[schedule]
            _measure(blocks, hours)
            for block in blocks:
                row, targets = verdicts.of[place][PLACE[block.clock.kind]], self.days[place].targets(block.clock, block.started)
                row[block.tickets] = np.maximum(row[block.tickets], self._verdict(block, hours, targets))

    def _block(self, clock: Clock, tickets: Numbers, matrix: Numbers) -> _Block:
        starts = matrix[:, [start for start, _ in clock.segments]]
        ends = matrix[:, [end for _, end in clock.segments]]
        since = None if clock.running_since is None else matrix[:, clock.running_since]
        if since is not None:
            starts = np.concatenate((starts, since[:, None]), axis=1)
            ends = np.concatenate((ends, np.maximum(since, self.now)[:, None]), axis=1)
        ended = None if clock.ended is None else matrix[:, clock.ended]
        return _Block(clock, tickets, matrix[:, clock.started], starts, ends, since, ended)

    def _verdict(self, block: _Block, hours: OpenHours, targets: Numbers) -> Judged:
        met = OPEN if block.clock.is_living else MET
        found = np.where(block.elapsed > targets, BREACHED, met).astype(np.int8)
        for row in np.flatnonzero(block.elapsed == targets):  # the deadline was reached: before the end, or with it?
            due = _due(block, hours, int(row), int(targets[row]))
            end = self.now if block.ended is None else int(block.ended[row])
            found[row] = BREACHED if due is not None and due < end else met
        return found


def _measure(blocks: Sequence[_Block], hours: OpenHours) -> None:
    """Count the open seconds of every span of these blocks in one go."""
    starts = np.concatenate([block.starts.ravel() for block in blocks])
    ends = np.concatenate([block.ends.ravel() for block in blocks])
    lengths, begin = hours.elapsed_many(starts, ends), 0
    for block in blocks:
        size = block.starts.size
        block.elapsed = lengths[begin : begin + size].reshape(block.starts.shape).sum(axis=1)
        begin += size


def _due(block: _Block, hours: OpenHours, row: int, target: int) -> int | None:
    spans = list(zip(block.starts[row].tolist(), block.ends[row].tolist(), strict=True))
    since = None if block.since is None else int(block.since[row])
    segments = [span for span in (spans if since is None else spans[:-1]) if span[1] > span[0]]
    return reached(replace(block.clock, segments=segments, running_since=since), hours, target)


class _Days:
    """Relative targets for many starts: the hour of a business day depends on the start's local day alone."""

    def __init__(self, hours: AllHours) -> None:
        self.hours = hours
        self.midnights: dict[str, list[int]] = {}
        self.dues: dict[tuple[int | None, Duration, int], tuple[int, int]] = {}

    def targets(self, clock: Clock, starts: Numbers) -> Numbers:
        """Return a clock's target in business seconds for each start: as clocks.seconds_of."""
        duration = clock.duration(clock.priority)
        if not duration.is_relative:
            return np.full(len(starts), duration.seconds, np.int64)
        hours = self.hours[clock.schedule]
        dues = np.array([self._due(clock.schedule, duration, day) for day in self._days(hours, starts)], np.int64).reshape(-1, 2)
        due = np.where((dues[:, 0] >= 0) & (dues[:, 0] <= starts) & (duration.days == 0), dues[:, 1], dues[:, 0])
        seconds = np.maximum(1, hours.elapsed_many(starts, np.maximum(due, starts)))
        return np.where(due < 0, LONGEST_SECONDS, seconds)

    def _days(self, hours: OpenHours, starts: Numbers) -> list[int]:
        """Return for each start the midnight of its local day."""
        zone = ZoneInfo(str(hours.zone))
        first, last = date_of(zone, int(starts.min())), date_of(zone, int(starts.max()))
        midnights = np.array([instant_of(zone, first + timedelta(days=day)) for day in range((last - first).days + 1)], np.int64)
        found: list[int] = midnights[np.searchsorted(midnights, starts, side="right") - 1].tolist()
        return found

    def _due(self, schedule: int | None, duration: Duration, day: int) -> tuple[int, int]:
        """Return when a target that begins on a day falls due, and when it would begin with the next day; -1: never."""
        key = (schedule, duration, day)
        if key not in self.dues:
            hours = self.hours[schedule]
            found = [business_day(hours, day, count, duration.at) for count in (duration.days, 1)]
            here, after = (-1 if due is None else due for due in found)
            self.dues[key] = (here, after)
        return self.dues[key]
