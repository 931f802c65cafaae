"""Clocks: the fold of a ticket's life under the rules in force when it was opened; pure.

Every instant is whole seconds since 1970 (UTC), every interval half-open, every duration whole seconds.

Which target. At each event the rules name, for each kind, the winning target (rules.Rules.decide). The clock of a target is the fold
of the WHOLE life under that target's own conditions, so that a target which comes to apply later counts from the ticket's start with
every hold kept: a raised priority is retroactive. A target that no longer wins has its clock cancelled then. While a clock is
stopped (a resolved ticket), what changes on the ticket does not change its target: the verdict stands as it fell, until it is reopened.

Modes. After each event a target's clock is: not started, cancelled, stopped, paused, or running, the first that holds:
- it starts when `start` first holds (contract: when the ticket first waits for a vendor);
- cancelled while the ticket is cancelled or merged into another, or `cancel` holds (a response that stopped before stays as it fell);
- stopped while the ticket is resolved or closed, or `stop` holds; a response stops for good at the first ownership or public reply by
  somebody who is not the requester (as its `rule` says);
- paused while on hold for a reason in `holds`, or `pause` holds (contract: while not on hold for a vendor).
A reset (the event at which `reset` comes to hold) ends the clock as cancelled and begins the next `turn` at that instant.
Time is counted between one event and the next when the mode after the first was running; time while resolved is not counted, unless
the target says `count_resolved` and the ticket was reopened.

OLA: each unbroken stay of the ticket in a group is a clock of its own (`stay` 1, 2, …), which ends when the ticket leaves; a group with
several stays has their sum beside them (`stay` 0).

Arithmetic. elapsed = the sum of the schedule's open seconds over the counted segments. The target's deadline, `due`, is the first
instant at which elapsed reaches the target: past, or projected while the clock runs; None while it is paused or over before that. A
clock that ended at or before its deadline met its target; so the last open second belongs to it, and a ticket resolved on Saturday
against a deadline of Friday 17:00 has missed it. Living clocks are in breach when due < now.

Steps (engine/steps.py) fall due at the instant their threshold is crossed. A step whose instant was past already when its clock was
attached, or became known (imported history, a rule that reaches back), is passed over; when a live change (of the target, or a reopening
that counts the time while resolved) puts steps into the past, only the gravest of them falls due, at that change, unless a graver one
was taken before. A step that was taken is not due again.
"""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np

from pilothouse.sla.engine import steps as escalation
from pilothouse.sla.engine.business_time import OpenHours, business_day
from pilothouse.sla.engine.lives import START, Event
from pilothouse.sla.engine.rules import (
    CANCELS,
    LONGEST_SECONDS,
    PAUSES,
    RESETS,
    STARTS,
    STOPS,
    Candidate,
    Decision,
    Duration,
    Rulebook,
    Rules,
)

NONE, RUNNING, PAUSED, STOPPED, CANCELLED = range(5)
MODES = ("not started", "running", "paused", "stopped", "cancelled")
_LIVE_SECONDS = 60  # an entry recorded so soon after it happened is live, not history
_MOST_SHAPES = 20_000
_MANY = 48  # from so many clocks on, numpy is faster than one after the other


AllHours = Mapping[int | None, OpenHours]  # by schedule; None is always open


class Edge(NamedTuple):
    """Where a clock's mode changed: the journal entry behind it, the instant, the mode from then on."""

    seq: int
    at: int
    mode: int


_Governed = tuple[int, int, int | None, bool]  # the moment, its priority and schedule, whether time while resolved begins to count there


class Watch(NamedTuple):
    """From when on steps fall due: what was past at `known`, under the priority and schedule of then, is passed over.

    `moved` is the last live change since then that may have put steps into the past; None: there was none.
    """

    known: int
    priority: int
    schedule: int | None
    moved: int | None


@dataclass(slots=True)
class Clock:
    """One clock; the module's docstring and models.Clock say what its parts mean. `segments` are its counted spans, closed ones only."""

    ticket: int
    kind: str
    candidate: Candidate
    turn: int
    stay: int
    group: int | None
    priority: int
    schedule: int | None
    stage: str
    started: int
    segments: list[tuple[int, int]]
    running_since: int | None
    ended: int | None
    edges: list[Edge]
    governed: "list[_Governed]"  # living clocks with steps: where the target was in force
    original: tuple[int, int | None]  # the first target's priority and schedule
    taken: frozenset[int] = frozenset()
    watch: "Watch | None" = None  # of living clocks with steps
    target_seconds: int = 0
    elapsed: int = 0
    due: int | None = None
    original_due: int | None = None
    breached: bool | None = None
    next_step: int | None = None
    next_step_at: int | None = None
    step_instants: list[tuple[int, int]] = field(default_factory=list)  # (instant, step), due and yet to come

    @property
    def is_living(self) -> bool:
        return self.stage in ("running", "paused")

    @property
    def name(self) -> list[Any]:
        """What a taken step is noted under in the journal."""
        return step_name(self.kind, self.candidate, self.turn, self.stay, self.group)

    def duration(self, priority: int) -> Duration:
        return self.candidate.target.durations[priority]


def step_name(kind: str, candidate: Candidate, turn: int, stay: int, group: int | None) -> list[Any]:
    """Return a clock's name within its ticket, as journal entries of taken steps carry it."""
    return [kind, candidate.agreement.version_id, candidate.target.key, turn, stay, group]


@dataclass(slots=True)
class _Moment:
    """A ticket right after an event."""

    index: int  # among the life's moments
    event: Event
    decision: Decision
    priority: int
    group: int | None
    schedules: tuple[int | None, int | None, int | None]  # that the CI, the service and the site have of their own
    is_reply: bool


def count(ticket: int, life: Sequence[Event], rulebook: Rulebook, hours: AllHours) -> list[Clock]:
    """Return a ticket's clocks, measured, in the order of kinds, stays and turns."""
    clocks = fold(ticket, life, rulebook)
    measure(clocks, hours)
    return clocks


def count_many(lives: Iterable[tuple[int, Sequence[Event]]], rulebook: Rulebook, hours: AllHours) -> list[Clock]:
    """Return the clocks of many tickets (id, life): as `count` of each but without their edges, faster."""
    clocks = [clock for ticket, life in lives for clock in _fold_alike(ticket, life, rulebook)]
    measure(clocks, hours)
    return clocks


def fold(ticket: int, life: Sequence[Event], rulebook: Rulebook) -> list[Clock]:
    """Return a ticket's clocks, yet to be measured."""
    if not life:
        return []
    rules = rulebook.at(life[0].at)
    if not rules.candidates:
        return []
    moments, taken = _moments(life, rules)
    clocks = _folded(ticket, moments, rules)
    events = [moment.event for moment in moments]
    for clock in clocks:
        if clock.governed:
            clock.watch = _watch(clock, events)
        if taken:
            clock.taken = frozenset(step for name, step in taken if name == clock.name)
    return clocks


def _folded(ticket: int, moments: Sequence[_Moment], rules: Rules) -> list[Clock]:
    clocks: list[Clock] = []
    for kind in rules.kinds:
        clocks += _stays(ticket, moments, rules) if kind == "ola" else _of_kind(ticket, kind, moments, rules, None)
    return clocks


def _fold_alike(ticket: int, life: Sequence[Event], rulebook: Rulebook) -> list[Clock]:
    """Return what `fold` does, for many: lives that rules cannot tell apart but by their instants are folded once.

    The first of a shape is folded with the numbers of its moments for instants and the order of its groups' appearance for groups;
    it and the others get their clocks by writing instants and groups in.
    """
    rules = rulebook.at(life[0].at) if life else None
    if rules is None or not rules.candidates:
        return []
    moments, taken = _moments(life, rules)
    if taken:
        return fold(ticket, life, rulebook)
    groups = list(dict.fromkeys(moment.group for moment in moments))
    numbers = {group: None if group is None else n for n, group in enumerate(groups)}
    shape = tuple((id(m.decision), m.priority, numbers[m.group], m.schedules, m.is_reply) for m in moments)
    patterns = rules.shapes.get(shape)
    if patterns is None:
        if len(rules.shapes) >= _MOST_SHAPES:
            rules.shapes.clear()
        plain = [
            _Moment(m.index, Event(m.index, m.index, 0, {}), m.decision, m.priority, numbers[m.group], m.schedules, m.is_reply)
            for m in moments
        ]
        patterns = rules.shapes[shape] = _folded(0, plain, rules)
    events = [moment.event for moment in moments]
    return [_written(ticket, pattern, events, groups) for pattern in patterns]


def _written(ticket: int, pattern: Clock, events: Sequence[Event], groups: Sequence[int | None]) -> Clock:
    """Return the clock of a pattern with a ticket's own instants and groups."""
    at = [event.at for event in events]
    segments = [(at[start], at[end]) for start, end in pattern.segments]
    clock = Clock(
        ticket,
        pattern.kind,
        pattern.candidate,
        pattern.turn,
        pattern.stay,
        None if pattern.group is None else groups[pattern.group],
        pattern.priority,
        pattern.schedule,
        pattern.stage,
        at[pattern.started],
        _joined(segments),
        None if pattern.running_since is None else at[pattern.running_since],
        None if pattern.ended is None else at[pattern.ended],
        [],
        pattern.governed,
        pattern.original,
    )
    if clock.governed:
        clock.watch = _watch(clock, events)
    return clock


_PLACES = frozenset({"ci_id", "service_id", "site"})


def _moments(life: Sequence[Event], rules: Rules) -> tuple[list[_Moment], list[tuple[list[Any], int]]]:
    snapshot, moments, taken = dict(START), list[_Moment](), list[tuple[list[Any], int]]()
    decision: Decision | None = None
    schedules: tuple[int | None, int | None, int | None] = (None, None, None)
    for event in life:
        changes = event.changes
        snapshot.update(changes)
        is_reply = False
        if event.mark is not None:
            if "step" in event.mark:
                *name, step = event.mark["step"]
                taken.append((name, step))
                if not changes:
                    continue
            else:
                author = event.mark["reply"]
                is_reply = author is not None and author != snapshot["requester_id"]
        if decision is None or not rules.looked_at.isdisjoint(changes):
            decision = rules.decide(snapshot)
        if rules.uses and not _PLACES.isdisjoint(changes):
            own = rules.schedule_of
            schedules = (own("ci", snapshot["ci_id"]), own("service", snapshot["service_id"]), own("site", snapshot["site"]))
        moments.append(_Moment(len(moments), event, decision, snapshot["priority"], snapshot["group_id"], schedules, is_reply))
    return moments, taken


def _of_kind(ticket: int, kind: str, moments: Sequence[_Moment], rules: Rules, left: Edge | None) -> list[Clock]:
    """Return the clocks of a kind over these moments; `left` is where an OLA's stay ended."""
    modes: dict[int, tuple[list[int], list[int]]] = {}
    governed: dict[int, list[int]] = {}
    lost: dict[int, int] = {}
    current: Candidate | None = None
    for i, moment in enumerate(moments):
        if current is not None and i > 0:
            own = modes[current.place][0]
            if own[i] == own[i - 1] == STOPPED:
                continue  # the verdict stands
        winner = moment.decision.winners.get(kind)
        if winner is not current:
            if current is not None:
                lost[current.place] = i
            if winner is not None:
                lost.pop(winner.place, None)
                if winner.place not in modes:
                    modes[winner.place] = _modes(winner, moments)
            current = winner
        if winner is not None:
            governed.setdefault(winner.place, []).append(i)
    return [
        clock
        for place, indices in governed.items()
        for clock in _turns(_Course(ticket, rules, rules.candidates[place], moments, *modes[place], indices, lost.get(place), left))
    ]


def _modes(candidate: Candidate, moments: Sequence[_Moment]) -> tuple[list[int], list[int]]:
    """Return the mode after each event under a target's own conditions, and the events at which it was reset."""
    target, place = candidate.target, candidate.place
    is_contract, is_response = target.kind == "contract", target.kind == "response"
    by_reply = is_response and target.rule == "replied"
    started = latched = False
    before, modes, resets = 0, list[int](), list[int]()
    for i, moment in enumerate(moments):
        flags = moment.decision.flags[place]
        if flags & RESETS and not before & RESETS and started:
            started = latched = False
            resets.append(i)
        before = flags
        if not started:
            started = bool(flags & STARTS) and not (is_contract and flags & PAUSES)
        if not started:
            modes.append(NONE)
        elif flags & CANCELS and not latched:
            modes.append(CANCELLED)
        elif latched or flags & STOPS or (by_reply and moment.is_reply):
            latched = is_response
            modes.append(STOPPED)
        else:
            modes.append(PAUSED if flags & PAUSES else RUNNING)
    return modes, resets


@dataclass(slots=True)
class _Course:
    """A target's way through a life: its modes, where it was reset, at which events it won, where it lost for good."""

    ticket: int
    rules: Rules
    candidate: Candidate
    moments: Sequence[_Moment]
    modes: list[int]
    resets: list[int]
    governed: list[int]
    lost: int | None
    left: Edge | None

    def schedule(self, i: int) -> int | None:
        target = self.candidate.target
        if target.schedule_from:
            ci, service, site = self.moments[i].schedules
            for source in target.schedule_from:
                own = ci if source == "ci" else service if source == "service" else site
                if own is not None:
                    return own
        return target.schedule


def _turns(course: _Course) -> Iterator[Clock]:
    bounds = [0, *course.resets, len(course.moments)]
    for turn, (first, last) in enumerate(pairwise(bounds), 1):
        if last > first and (clock := _clock(course, turn, first, last)) is not None:
            yield clock


def _clock(course: _Course, turn: int, first: int, last: int) -> Clock | None:
    """Return the clock of the events [first, last), None when it never started or never applied in them."""
    moments, modes, lost = course.moments, course.modes, course.lost
    if lost is not None and lost < first:
        return None
    is_lost, is_reset = lost is not None and lost < last, last < len(moments)
    end = lost if is_lost and lost is not None else last
    start = next((i for i in range(first, end) if modes[i] != NONE), None)
    won = [i for i in course.governed if i < end]
    if start is None or not won:
        return None
    governing = [i for i in won if i >= first] or won[-1:]
    edges = _edges(moments, modes, start, end)
    if (is_lost or is_reset) and edges[-1].mode != CANCELLED:
        closing = moments[end if is_lost else last].event
        edges.append(Edge(closing.seq, closing.at, CANCELLED))
    elif course.left is not None and edges[-1].mode in (RUNNING, PAUSED):
        edges.append(Edge(course.left.seq, course.left.at, STOPPED))
    segments, running_since = _segments(edges, count_resolved=course.candidate.target.count_resolved)
    mode = edges[-1].mode
    is_watched = mode in (RUNNING, PAUSED) and bool(course.candidate.target.steps)
    deciding = governing[-1]
    return Clock(
        ticket=course.ticket,
        kind=course.candidate.target.kind,
        candidate=course.candidate,
        turn=turn,
        stay=0,
        group=None,
        priority=moments[deciding].priority,
        schedule=course.schedule(deciding),
        stage="running" if mode == RUNNING else "paused" if mode == PAUSED else "achieved" if mode == STOPPED else "cancelled",
        started=edges[0].at,
        segments=segments,
        running_since=running_since,
        ended=edges[-1].at if mode in (STOPPED, CANCELLED) else None,
        edges=edges,
        governed=_governance(course, governing, start) if is_watched else [],
        original=(moments[governing[0]].priority, course.schedule(governing[0])),
    )


def _edges(moments: Sequence[_Moment], modes: Sequence[int], start: int, end: int) -> list[Edge]:
    event = moments[start].event
    edges = [Edge(event.seq, event.at, modes[start])]
    for i in range(start + 1, end):
        if modes[i] != edges[-1].mode:
            event = moments[i].event
            edges.append(Edge(event.seq, event.at, modes[i]))
    return edges


def _segments(edges: Sequence[Edge], *, count_resolved: bool) -> tuple[list[tuple[int, int]], int | None]:
    """Return the counted spans between edges, and since when the clock runs (None: it does not)."""
    counted = (
        (here.at, after.at)
        for here, after in pairwise(edges)
        if here.mode == RUNNING or (count_resolved and here.mode == STOPPED and after.mode in (RUNNING, PAUSED))
    )
    return _joined(counted), edges[-1].at if edges[-1].mode == RUNNING else None


def _joined(spans: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return spans in order without empty ones, those that touch made one."""
    found: list[tuple[int, int]] = []
    for start, end in spans:
        if end > start:
            if found and found[-1][1] == start:
                found[-1] = (found[-1][0], end)
            else:
                found.append((start, end))
    return found


def _governance(course: _Course, governing: Sequence[int], start: int) -> list[_Governed]:
    """Return where a clock was governed, by which priority and schedule, and whether it was reopened there and counts that time."""
    moments, modes, counts = course.moments, course.modes, course.candidate.target.count_resolved
    return [
        (moments[i].index, moments[i].priority, course.schedule(i), counts and i > start and modes[i - 1] == STOPPED != modes[i])
        for i in governing
    ]


def _watch(clock: Clock, events: Sequence[Event]) -> Watch:
    """Return what steps have to pass over: what was history when the clock was attached, or became known later than it happened.

    `events` are those of the life's moments.
    """
    ruled = clock.candidate.agreement.recorded_at
    (first, priority, schedule, _), *later = clock.governed
    watch = Watch(max(events[first].recorded, ruled), priority, schedule, None)
    for i, here, own, is_reopened in later:
        event = events[i]
        if event.recorded - event.at > _LIVE_SECONDS or event.recorded <= ruled:
            watch = Watch(max(watch.known, event.recorded), here, own, None)
        elif is_reopened or here != priority or own != schedule:
            watch = watch._replace(moved=max(watch.known, event.recorded))
        priority, schedule = here, own
    return watch


def _stays(ticket: int, moments: Sequence[_Moment], rules: Rules) -> list[Clock]:
    """Return the OLA clocks: one for each stay in a group, and the sum of a group's stays when it had several."""
    found: list[Clock] = []
    stays: dict[int, int] = {}
    first = 0
    while first < len(moments):
        group = moments[first].group
        last = next((i for i in range(first, len(moments)) if moments[i].group != group), len(moments))
        if group is not None:
            left = Edge(moments[last].event.seq, moments[last].event.at, STOPPED) if last < len(moments) else None
            clocks = _of_kind(ticket, "ola", moments[first:last], rules, left)
            if clocks:
                stays[group] = stays.get(group, 0) + 1
            for clock in clocks:
                clock.stay, clock.group = stays[group], group
            found += clocks
        first = last
    return found + [_sum([each for each in found if each.group == group]) for group, number in stays.items() if number > 1]


def _sum(clocks: Sequence[Clock]) -> Clock:
    """Return the sum of a group's stays, under the target of the last of them."""
    # One clock a stay: beside the one that counts there may be others that a reset or another target ended.
    latest = {each.stay: each for each in sorted(clocks, key=lambda each: each.stage != "cancelled")}
    counted = [each for _, each in sorted(latest.items()) if each.stage != "cancelled"] or [each for _, each in sorted(latest.items())]
    last = counted[-1]
    segments = _joined(segment for each in counted for segment in each.segments)
    return Clock(
        ticket=last.ticket,
        kind="ola",
        candidate=last.candidate,
        turn=1,
        stay=0,
        group=last.group,
        priority=last.priority,
        schedule=last.schedule,
        stage=last.stage,
        started=counted[0].started,
        segments=segments,
        running_since=last.running_since,
        ended=last.ended,
        edges=[edge for each in counted for edge in each.edges],
        governed=last.governed,
        original=counted[0].original,
    )


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
    priority, schedule = clock.original
    first = hours[schedule]
    clock.original_due = first.add(clock.started, seconds_of(clock.duration(priority), first, clock.started))
    _judge(clock)


def _judge(clock: Clock) -> None:
    if clock.stage == "achieved" and clock.ended is not None:
        clock.breached = clock.due is not None and clock.due < clock.ended


def reached(clock: Clock, hours: OpenHours, seconds: int) -> int | None:
    """Return the first instant at which the clock has counted so many seconds: past, or projected while it runs; else None."""
    used = 0
    for start, end in clock.segments:
        here = hours.elapsed(start, end)
        if used + here >= seconds:
            return hours.add(start, seconds - used)
        used += here
    return None if clock.running_since is None else hours.add(clock.running_since, seconds - used)


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
        targets = np.array([seconds_of(clock.duration(clock.original[0]), first, clock.started) for clock in own], dtype=np.int64)
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


def instant(seconds: int) -> datetime:
    """Return whole seconds since 1970 as an aware instant in UTC."""
    return datetime.fromtimestamp(seconds, UTC)


def events_until(life: Sequence[Event], recorded: int) -> Sequence[Event]:
    """Return the events that were recorded by an instant: the life as it was known then."""
    return life[: bisect_right([event.recorded for event in life], recorded)]
