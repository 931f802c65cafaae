"""Whether tickets met their targets, for many tickets at once: the arithmetic over lives sorted by shape (shapes.py); pure.

For every ticket and kind of target one verdict: none (no clock), met, open, or breached; the gravest of its clocks, in this order. A
clock that ended is judged as clocks.py judges it; one that still lives is breached when its deadline is before `now`.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from pilothouse.sla.engine.business_time import OpenHours, business_day
from pilothouse.sla.engine.business_time.zones import date_of, instant_of
from pilothouse.sla.engine.clock import AllHours, Clock
from pilothouse.sla.engine.measuring import reached
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
    """One clock of one shape: all its tickets' spans, in rows. `sides` are the sides on which it is the same clock."""

    clock: Clock
    sides: list[int]
    tickets: Numbers
    started: Numbers
    starts: Numbers  # tickets x spans
    ends: Numbers
    since: Numbers | None
    ended: Numbers | None


class Judge:
    """Judges portions of lives under several sides; what it learnt of shapes it keeps from one portion to the next."""

    def __init__(self, sides: Sequence[Side], now: int) -> None:
        self.sides, self.now = sides, now
        self.known: dict[tuple[int, ...], Shapes] = {}
        self.days = _Days()

    def judge(self, lives: Iterable[Sequence[Stored]]) -> Verdicts:
        """Return the verdicts on these lives, in their order; each is looked at once, so they may be read while they are judged."""
        count = 0
        for life in lives:
            self._shapes(life[0][1]).add(count, life)
            count += 1
        verdicts = Verdicts([np.zeros((len(KINDS), count), np.int8) for _ in self.sides], [Counter() for _ in self.sides])
        shapes = [shape for known in self.known.values() for shape in known.filled()]
        by_hours: dict[int, tuple[OpenHours, list[_Block]]] = {}
        for shape in shapes:
            for place, clocks in enumerate(shape.clocks):
                for agreement in {clock.candidate.agreement.agreement_id for clock in clocks}:
                    verdicts.under[place][agreement] += len(shape.tickets)
            for block in self._blocks(shape):
                hours = self.sides[block.sides[0]].hours[block.clock.schedule]
                by_hours.setdefault(id(hours), (hours, []))[1].append(block)
            shape.tickets, shape.instants = [], []
        for hours, blocks in by_hours.values():
            self._judge(blocks, hours, verdicts)
        return verdicts

    def _shapes(self, opened: int) -> Shapes:
        rules = [side.rulebook.at(opened) for side in self.sides]
        key = tuple(map(id, rules))
        if key not in self.known:
            self.known[key] = Shapes(rules)
        return self.known[key]

    def _blocks(self, shape: Shape) -> Iterable[_Block]:
        """Return a shape's clocks with the instants of its tickets; a clock that two sides have alike is one block."""
        matrix, tickets = np.array(shape.instants, np.int64), np.array(shape.tickets, np.int64)
        alike: dict[tuple[object, ...], _Block] = {}
        for place, clocks in enumerate(shape.clocks):
            for clock in clocks:
                hours, duration = self.sides[place].hours[clock.schedule], clock.duration(clock.priority)
                key = (clock.kind, id(hours), duration, clock.started, tuple(clock.segments), clock.running_since, clock.ended)
                if key in alike:
                    alike[key].sides.append(place)
                else:
                    alike[key] = self._block(clock, place, tickets, matrix)
        return alike.values()

    def _block(self, clock: Clock, place: int, tickets: Numbers, matrix: Numbers) -> _Block:
        starts = matrix[:, [start for start, _ in clock.segments]]
        ends = matrix[:, [end for _, end in clock.segments]]
        since = None if clock.running_since is None else matrix[:, clock.running_since]
        if since is not None:
            starts = np.concatenate((starts, since[:, None]), axis=1)
            ends = np.concatenate((ends, np.maximum(since, self.now)[:, None]), axis=1)
        ended = None if clock.ended is None else matrix[:, clock.ended]
        return _Block(clock, [place], tickets, matrix[:, clock.started], starts, ends, since, ended)

    def _judge(self, blocks: Sequence[_Block], hours: OpenHours, verdicts: Verdicts) -> None:
        """Judge blocks of the same hours, all their rows laid end to end."""
        sizes = np.array([len(block.tickets) for block in blocks], np.int64)
        widths = np.repeat(np.array([block.starts.shape[1] for block in blocks], np.int64), sizes)
        lengths = hours.elapsed_many(*(np.concatenate([spans.ravel() for spans in each]) for each in _spans(blocks)))
        total, last = np.concatenate(([0], np.cumsum(lengths))), np.cumsum(widths)
        elapsed = total[last] - total[last - widths]
        targets = self._targets(blocks, sizes, hours)
        living = np.repeat(np.array([block.clock.is_living for block in blocks]), sizes)
        found = np.where(elapsed > targets, BREACHED, np.where(living, OPEN, MET)).astype(np.int8)
        begins = np.cumsum(sizes) - sizes
        for row in np.flatnonzero(elapsed == targets):  # the deadline was reached: before the end, or with it?
            at = int(np.searchsorted(begins, row, side="right")) - 1
            found[row] = self._exactly(blocks[at], hours, int(row - begins[at]), int(targets[row]))
        for block, begin, size in zip(blocks, begins.tolist(), sizes.tolist(), strict=True):
            for side in block.sides:
                judged = verdicts.of[side][PLACE[block.clock.kind]]
                judged[block.tickets] = np.maximum(judged[block.tickets], found[begin : begin + size])

    def _targets(self, blocks: Sequence[_Block], sizes: Numbers, hours: OpenHours) -> Numbers:
        """Return the target of every row in business seconds."""
        durations = [block.clock.duration(block.clock.priority) for block in blocks]
        targets = np.repeat(np.array([duration.seconds for duration in durations], np.int64), sizes)
        relative = {duration for duration in durations if duration.is_relative}
        if relative:
            started = np.concatenate([block.started for block in blocks])
            numbers = {duration: number for number, duration in enumerate(relative)}
            which = np.repeat(np.array([numbers.get(duration, -1) for duration in durations], np.int64), sizes)
            for duration, number in numbers.items():
                rows = which == number
                targets[rows] = self.days.targets(duration, hours, started[rows])
        return targets

    def _exactly(self, block: _Block, hours: OpenHours, row: int, target: int) -> int:
        due = _due(block, hours, row, target)
        end = self.now if block.ended is None else int(block.ended[row])
        late = due is not None and due < end
        return BREACHED if late else OPEN if block.clock.is_living else MET


def _spans(blocks: Sequence[_Block]) -> tuple[list[Numbers], list[Numbers]]:
    return [block.starts for block in blocks], [block.ends for block in blocks]


def _due(block: _Block, hours: OpenHours, row: int, target: int) -> int | None:
    spans = list(zip(block.starts[row].tolist(), block.ends[row].tolist(), strict=True))
    since = None if block.since is None else int(block.since[row])
    segments = [span for span in (spans if since is None else spans[:-1]) if span[1] > span[0]]
    return reached(replace(block.clock, segments=segments, running_since=since), hours, target)


class _Days:
    """Relative targets for many starts: the hour of a business day depends on the start's local day alone."""

    def __init__(self) -> None:
        self.dues: dict[tuple[int, Duration, int], tuple[int, int]] = {}

    def targets(self, duration: Duration, hours: OpenHours, starts: Numbers) -> Numbers:
        """Return a relative target in business seconds for each start: as clocks.seconds_of."""
        days, places = self._days(hours, starts)
        dues = np.array([self._due(duration, hours, day) for day in days], np.int64).reshape(-1, 2)[places]
        due = np.where((dues[:, 0] >= 0) & (dues[:, 0] <= starts) & (duration.days == 0), dues[:, 1], dues[:, 0])
        seconds = np.maximum(1, hours.elapsed_many(starts, np.maximum(due, starts)))
        return np.where(due < 0, LONGEST_SECONDS, seconds)

    def _days(self, hours: OpenHours, starts: Numbers) -> tuple[list[int], Numbers]:
        """Return the midnights of the local days of these starts, and which of them each start has."""
        zone = ZoneInfo(str(hours.zone))
        first, last = date_of(zone, int(starts.min())), date_of(zone, int(starts.max()))
        midnights = np.array([instant_of(zone, first + timedelta(days=day)) for day in range((last - first).days + 1)], np.int64)
        used, places = np.unique(np.searchsorted(midnights, starts, side="right") - 1, return_inverse=True)
        return midnights[used].tolist(), places

    def _due(self, duration: Duration, hours: OpenHours, day: int) -> tuple[int, int]:
        """Return when a target that begins on a day falls due, and when it would begin with the next day; -1: never."""
        key = (id(hours), duration, day)
        if key not in self.dues:
            found = [business_day(hours, day, count, duration.at) for count in (duration.days, 1)]
            here, after = (-1 if due is None else due for due in found)
            self.dues[key] = (here, after)
        return self.dues[key]
