"""The arithmetic of folded clocks: counted seconds, deadlines, steps to come; one after the other, or with numpy for many; pure."""

from collections.abc import Sequence

import numpy as np

from pilothouse.sla.engine import steps as escalation
from pilothouse.sla.engine.business_time import OpenHours, business_day
from pilothouse.sla.engine.clock import AllHours, Clock, Watch
from pilothouse.sla.engine.rules import LONGEST_SECONDS, Duration

_MANY = 48  # from so many clocks on, numpy is faster than one after the other


def measure(clocks: Sequence[Clock], hours: AllHours) -> None:
    """Do the arithmetic of these clocks, in place."""
    if len(clocks) < _MANY:
        for clock in clocks:
            _measure_one(clock, hours)
    else:
        _measure_many(clocks, hours)
    for clock in clocks:
        if clock.watch is not None:
            _due_steps(clock, clock.watch, hours)


def _measure_one(clock: Clock, hours: AllHours) -> None:
    own = hours[clock.schedule]
    clock.target_seconds = seconds_of(clock.duration(clock.priority), own, clock.started)
    clock.elapsed = sum(own.elapsed(start, end) for start, end in clock.segments)
    clock.due = reached(clock, own, clock.target_seconds)
    first = hours[clock.original[1]]
    clock.original_due = first.add(clock.started, _original_seconds(clock, first))
    _judge(clock)


def _original_seconds(clock: Clock, first: OpenHours) -> int:
    """Return the first target in seconds of its schedule: mostly the present one, which is measured already."""
    if clock.original == (clock.priority, clock.schedule):
        return clock.target_seconds
    return seconds_of(clock.duration(clock.original[0]), first, clock.started)


def _judge(clock: Clock) -> None:
    if clock.stage == "achieved" and clock.ended is not None:
        clock.breached = clock.due is not None and clock.due < clock.ended


def reached(clock: Clock, hours: OpenHours, seconds: int) -> int | None:
    """Return the first instant at which the clock has counted so many seconds: past, or projected while it runs; else None."""
    found = last_stretch(clock, hours, seconds)
    return None if found is None else hours.add(*found)


def last_stretch(clock: Clock, hours: OpenHours, seconds: int) -> tuple[int, int] | None:
    """Return where the counted span begins in which so many seconds are reached, and how many of them fall into it."""
    used = 0
    for start, end in clock.segments:
        here = hours.elapsed(start, end)
        if used + here >= seconds:
            return start, seconds - used
        used += here
    return None if clock.running_since is None else (clock.running_since, seconds - used)


def seconds_of(duration: Duration, hours: OpenHours, start: int) -> int:
    """Return a duration in business seconds from an instant: its own, or those until its hour on its business day.

    Day 0 is the day itself; when its hour has passed already, the next business day.
    What the schedule never opens for gives the longest duration there is, which is never reached.
    """
    if not duration.is_relative:
        return duration.seconds
    due = business_day(hours, start, duration.days, duration.at)
    if due is not None and due <= start and duration.days == 0:
        due = business_day(hours, start, 1, duration.at)
    return LONGEST_SECONDS if due is None else max(1, hours.elapsed(start, due))


def _measure_many(clocks: Sequence[Clock], hours: AllHours) -> None:
    by_schedule: dict[int | None, list[Clock]] = {}
    for clock in clocks:
        by_schedule.setdefault(clock.schedule, []).append(clock)
    for schedule, own in by_schedule.items():
        _measure_alike(own, hours[schedule])
    for clock in clocks:
        _judge(clock)
    _original_dues(clocks, hours)


def _measure_alike(clocks: Sequence[Clock], hours: OpenHours) -> None:
    """Measure clocks of one schedule: their spans laid end to end, summed and cut where each passes its target."""
    for clock in clocks:
        clock.target_seconds = seconds_of(clock.duration(clock.priority), hours, clock.started)
    targets = np.array([clock.target_seconds for clock in clocks], dtype=np.int64)
    counts = np.array([len(clock.segments) for clock in clocks], dtype=np.int64)
    spans = np.array([span for clock in clocks for span in clock.segments], dtype=np.int64).reshape(-1, 2)
    lengths = hours.elapsed_many(spans[:, 0], spans[:, 1])
    ends = np.cumsum(counts)
    total = np.concatenate(([0], np.cumsum(lengths)))
    base = total[ends - counts]
    elapsed = total[ends] - base
    since = np.array([-1 if clock.running_since is None else clock.running_since for clock in clocks], dtype=np.int64)
    # The first span in which the target is reached; beyond the clock's own spans when it is not.
    reached_in = np.searchsorted(total[1:], base + targets, side="left")
    inside = (counts > 0) & (elapsed >= targets)
    starts = np.where(inside, spans[np.minimum(reached_in, max(len(spans) - 1, 0)), 0] if len(spans) else 0, since)
    used = np.where(inside, total[np.minimum(reached_in, len(total) - 1)] - base, elapsed)
    known = inside | (since >= 0)
    due = np.full(len(clocks), -1, dtype=np.int64)
    due[known] = hours.add_many(starts[known], (targets - used)[known])
    for clock, here, at in zip(clocks, elapsed.tolist(), due.tolist(), strict=True):
        clock.elapsed = here
        clock.due = None if at < 0 else at


def _original_dues(clocks: Sequence[Clock], hours: AllHours) -> None:
    by_schedule: dict[int | None, list[Clock]] = {}
    for clock in clocks:
        by_schedule.setdefault(clock.original[1], []).append(clock)
    for schedule, own in by_schedule.items():
        first = hours[schedule]
        starts = np.array([clock.started for clock in own], dtype=np.int64)
        targets = np.array([_original_seconds(clock, first) for clock in own], dtype=np.int64)
        for clock, at in zip(own, first.add_many(starts, targets).tolist(), strict=True):
            clock.original_due = None if at < 0 else at


def _due_steps(clock: Clock, watch: Watch, hours: AllHours) -> None:
    """Find the steps of a living clock that are due or yet to come."""
    steps, taken, own = clock.candidate.target.steps, clock.taken, hours[clock.schedule]
    known = watch.known if watch.moved is None else watch.moved
    order = escalation.thresholds(steps, clock.target_seconds)
    found = [(at, place) for threshold, place in order if (at := reached(clock, own, threshold)) is not None]
    coming = [(at, place) for at, place in found if at > known and place not in taken]
    if watch.moved is not None and len(coming) < len(found):
        passed = _passed(clock, watch, hours)
        put = [n for n, (at, place) in enumerate(found) if at <= known and place not in passed]
        if put and not any(place in taken for _, place in order[put[-1] :]):
            coming.insert(0, (watch.moved, found[put[-1]][1]))
    clock.step_instants = coming
    if coming:
        clock.next_step_at, clock.next_step = coming[0]


def _passed(clock: Clock, watch: Watch, hours: AllHours) -> set[int]:
    """Return the steps that were past when the clock became known, under its target of then."""
    own = hours[watch.schedule]
    target = seconds_of(clock.duration(watch.priority), own, clock.started)
    order = escalation.thresholds(clock.candidate.target.steps, target)
    return {place for threshold, place in order if (at := reached(clock, own, threshold)) is not None and at <= watch.known}
