"""Folding a life into clocks that are yet to be measured: which target won when, its modes, its segments; pure. clocks.py has the rules."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from pilothouse.sla.engine.clock import CANCELLED, NONE, PAUSED, RUNNING, STOPPED, Clock, Edge, Governed, Watch
from pilothouse.sla.engine.lives import START, Event
from pilothouse.sla.engine.rules import CANCELS, PAUSES, RESETS, STARTS, STOPS, Candidate, Decision, Rulebook, Rules

_LIVE_SECONDS = 60  # an entry recorded so soon after it happened is live, not history
_MOST_SHAPES = 20_000


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


def fold(ticket: int, life: Sequence[Event], rulebook: Rulebook) -> list[Clock]:
    """Return a ticket's clocks, yet to be measured."""
    return fold_under(ticket, life, rulebook.at(life[0].at)) if life else []


def fold_under(ticket: int, life: Sequence[Event], rules: Rules) -> list[Clock]:
    """Return a ticket's clocks under given rules, whenever it was opened; yet to be measured."""
    return _watched(ticket, *_moments(life, rules), rules) if rules.candidates else []


def _watched(ticket: int, moments: Sequence[_Moment], taken: Sequence[tuple[list[Any], int]], rules: Rules) -> list[Clock]:
    """Fold moments, and note with each clock from when on its steps fall due and which were taken."""
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


def fold_alike(ticket: int, life: Sequence[Event], rulebook: Rulebook) -> list[Clock]:
    """Return what `fold` does, for many: lives that rules cannot tell apart but by their instants are folded once.

    The first of a shape is folded with the numbers of its moments for instants and the order of its groups' appearance for groups;
    it and the others get their clocks by writing instants and groups in.
    """
    rules = rulebook.at(life[0].at) if life else None
    if rules is None or not rules.candidates:
        return []
    moments, taken = _moments(life, rules)
    if taken:
        return _watched(ticket, moments, taken, rules)
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
    segments = [(events[start].at, events[end].at) for start, end in pattern.segments]
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
        events[pattern.started].at,
        _joined(segments),
        None if pattern.running_since is None else events[pattern.running_since].at,
        None if pattern.ended is None else events[pattern.ended].at,
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


def _governance(course: _Course, governing: Sequence[int], start: int) -> list[Governed]:
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
