"""The oracle of clocks: the words of engine/clocks.py, followed beat by beat with nothing remembered. Slow, plain; not a module of tests.

A beat is the greatest common step of all instants in a drawn case (a second, or a minute): time is walked beat by beat, and each is
counted or not by looking at how the ticket stands and whether the schedule is open then.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pilothouse.sla.engine.lives import START, Event
from pilothouse.sla.engine.rules import KINDS, Agreement, Candidate, Rulebook, Target
from pilothouse.tickets.engine.queue_language.plan import evaluate

Facts = Mapping[str, Any]
OpenAt = Callable[[int | None, int], bool]


@dataclass
class Hand:
    """A clock as a person would write it down."""

    name: tuple[Any, ...]  # kind, version, target's key, turn, stay, group
    stage: str
    priority: int
    schedule: int | None
    started: int
    ended: int | None
    elapsed: int
    due: int | None
    original_due: int | None
    breached: bool | None
    steps: list[tuple[int, int]]


@dataclass
class Case:
    """What a case is counted with; beyond `horizon` every schedule but the one that is always open is closed."""

    rulebook: Rulebook
    open_at: OpenAt
    beat: int
    horizon: int


def clocks_by_hand(life: Sequence[Event], case: Case) -> dict[tuple[Any, ...], Hand]:
    """Return the clocks of a life by name."""
    moments = _moments(life)
    candidates = _candidates(case.rulebook, life[0].at)
    taken = [tuple(event.mark["step"]) for event in life if event.mark and "step" in event.mark]
    found: list[_Clock] = []
    for kind in KINDS:
        if kind != "ola":
            found += _clocks(moments, [c for c in candidates if c.target.kind == kind], case, None, 0, None)
    stays: dict[int, int] = {}
    for group, own, left in _stays(moments):
        made = _clocks(own, [c for c in candidates if c.target.kind == "ola"], case, group, stays.get(group, 0) + 1, left)
        if made:
            stays[group] = stays.get(group, 0) + 1
        found += made
    found += [_sum([each for each in found if each.group == group]) for group, number in stays.items() if number > 1]
    return {each.name: _written(each, case, taken) for each in found}


Moment = tuple[Event, dict[str, Any], bool]  # the event, the ticket after it, whether it is an answer to the requester


def _moments(life: Sequence[Event]) -> list[Moment]:
    now, found = dict(START), list[Moment]()
    for event in life:
        now = {**now, **event.changes}
        author = (event.mark or {}).get("reply")
        if event.changes or not (event.mark and "step" in event.mark):
            found.append((event, now, author is not None and author != now["requester_id"]))
    return found


def _candidates(rulebook: Rulebook, opened: int) -> list[Candidate]:
    newest: dict[int, Agreement] = {}
    for version in rulebook.versions:
        if version.effective_from is None or version.effective_from <= opened:
            before = newest.get(version.agreement_id)
            if before is None or before.number < version.number:
                newest[version.agreement_id] = version
    order = sorted((each for each in newest.values() if not each.is_retired), key=lambda each: (each.position, each.agreement_id))
    return [Candidate(0, agreement, target) for agreement in order for target in agreement.targets]


def _holds(condition: Any, facts: Facts, empty: bool) -> bool:
    return empty if condition.plan is None else evaluate(condition.plan, facts)


def _wins(candidate: Candidate, facts: Facts) -> bool:
    target = candidate.target
    owned = target.kind != "ola" or not target.groups or facts["group_id"] in target.groups
    return owned and facts["priority"] in target.durations and _holds(candidate.agreement.applies, facts, True)


def _mode(target: Target, moments: Sequence[Moment]) -> list[tuple[int, str]]:
    """Return for each moment the turn and how the target's clock stands then."""
    found: list[tuple[int, str]] = []
    turn, has_begun, has_answered, reset_before = 1, False, False, False
    for _, facts, is_reply in moments:
        resets = _holds(target.reset, facts, False)
        if resets and not reset_before and has_begun:
            turn, has_begun, has_answered = turn + 1, False, False
        reset_before = resets
        waits = facts["state"] == "on_hold" and facts["hold_reason"] == "vendor"
        rests = _holds(target.pause, facts, False) or (
            not waits if target.kind == "contract" else facts["state"] == "on_hold" and facts["hold_reason"] in target.holds
        )
        has_begun = has_begun or (_holds(target.start, facts, True) and not (target.kind == "contract" and rests))
        gone = facts["state"] == "cancelled" or facts["merged_into_id"] is not None or _holds(target.cancel, facts, False)
        over = facts["state"] in ("resolved", "closed") or _holds(target.stop, facts, False)
        if target.kind == "response":
            over = over or (target.rule == "owned" and facts["assignee_id"] is not None) or (target.rule == "replied" and is_reply)
        if not has_begun:
            mode = "none"
        elif has_answered:
            mode = "stopped"
        elif gone:
            mode = "cancelled"
        elif over:
            mode, has_answered = "stopped", target.kind == "response"
        else:
            mode = "paused" if rests else "running"
        found.append((turn, mode))
    return found


@dataclass
class _Clock:
    candidate: Candidate
    turn: int
    stay: int
    group: int | None
    marks: list[tuple[int, str]]  # from this instant on it stands so
    governing: list[tuple[int, int, int, int | None, bool]]  # at, recorded, priority, schedule, whether it was reopened there
    counts_resolved: bool

    @property
    def name(self) -> tuple[Any, ...]:
        return (
            self.candidate.target.kind,
            self.candidate.agreement.version_id,
            self.candidate.target.key,
            self.turn,
            self.stay,
            self.group,
        )


def _schedule(target: Target, facts: Facts, case: Case, opened: int) -> int | None:
    keys = {"ci": facts["ci_id"], "service": facts["service_id"], "site": facts["site"]}
    for source in target.schedule_from:
        uses = [u for u in case.rulebook.uses if (u.kind, u.key) == (source, keys[source]) and (u.effective_from or 0) <= opened]
        last = uses[-1] if uses else None
        if keys[source] is not None and last is not None and last.schedule is not None:
            return last.schedule
    return target.schedule


def _clocks(
    moments: list[Moment], candidates: list[Candidate], case: Case, group: int | None, stay: int, left: Event | None
) -> list[_Clock]:
    opened = case.opened  # type: ignore[attr-defined]
    modes = {id(each): _mode(each.target, moments) for each in candidates}
    present: Candidate | None = None
    governed: dict[int, list[int]] = {}
    lost: dict[int, int] = {}
    for i, (_, facts, _) in enumerate(moments):
        if present is not None and modes[id(present)][i][1] == modes[id(present)][i - 1][1] == "stopped":
            continue
        winner = next((each for each in candidates if _wins(each, facts)), None)
        if present is not None and winner is not present:
            lost[id(present)] = i
        if winner is not None:
            lost.pop(id(winner), None)
            governed.setdefault(id(winner), []).append(i)
        present = winner
    found = []
    for each in candidates:
        for turn in sorted({number for number, _ in modes[id(each)]}):
            own = [i for i, (number, _) in enumerate(modes[id(each)]) if number == turn]
            end = min(lost.get(id(each), len(moments)), own[-1] + 1)
            begun = [i for i in own if i < end and modes[id(each)][i][1] != "none"]
            won = [i for i in governed.get(id(each), []) if i < end]
            if not begun or not won:
                continue
            marks = [(moments[i][0].at, modes[id(each)][i][1]) for i in begun]
            if end < len(moments):
                marks.append((moments[end][0].at, "cancelled"))
            elif left is not None and marks[-1][1] in ("running", "paused"):
                marks.append((left.at, "stopped"))
            marks = [mark for n, mark in enumerate(marks) if n == 0 or marks[n - 1][1] != mark[1]]
            inside = [i for i in won if i >= own[0]] or won[-1:]
            governing = []
            for i in inside:
                event, facts, _ = moments[i]
                back = i > 0 and modes[id(each)][i - 1][1] == "stopped" != modes[id(each)][i][1] and i > begun[0]
                governing.append((event.at, event.recorded, facts["priority"], _schedule(each.target, facts, case, opened), back))
            found.append(_Clock(each, turn, stay, group, marks, governing, each.target.count_resolved))
    return found


def _stays(moments: list[Moment]) -> list[tuple[int, list[Moment], Event | None]]:
    found: list[tuple[int, list[Moment], Event | None]] = []
    rest = moments
    while rest:
        group = rest[0][1]["group_id"]
        length = next((n for n, (_, facts, _) in enumerate(rest) if facts["group_id"] != group), len(rest))
        if group is not None:
            found.append((group, rest[:length], rest[length][0] if length < len(rest) else None))
        rest = rest[length:]
    return found


def _sum(clocks: list[_Clock]) -> _Clock:
    """A group's stays, of each the clock that counts: not one that was cancelled, unless all of all stays were."""
    counted = [each for each in clocks if each.marks[-1][1] != "cancelled"]
    if not counted:
        counted = [[each for each in clocks if each.stay == stay][-1] for stay in sorted({each.stay for each in clocks})]
    last = counted[-1]
    marks = [mark for each in counted for mark in each.marks]
    whole = _Clock(last.candidate, 1, 0, last.group, marks, last.governing, False)
    whole.governing_first = counted[0].governing[0]  # type: ignore[attr-defined]
    whole.parts = counted  # type: ignore[attr-defined]
    return whole


def _spans(clock: _Clock) -> list[tuple[int, int | None]]:
    """The spans in which time is counted; the last one may be open."""
    parts = getattr(clock, "parts", None)
    if parts:
        return [span for each in parts for span in _spans(each)]
    found: list[tuple[int, int | None]] = []
    marks = clock.marks
    for n, (at, mode) in enumerate(marks):
        until = marks[n + 1][0] if n + 1 < len(marks) else None
        other = next((later for _, later in marks[n:] if later != mode), "")
        if mode == "running" or (mode == "stopped" and clock.counts_resolved and other in ("running", "paused")):
            found.append((at, until))
    return found


def _written(clock: _Clock, case: Case, taken: list[tuple[Any, ...]]) -> Hand:
    target, last = clock.candidate.target, clock.governing[-1]
    _, _, priority, schedule, _ = last
    stage = {"running": "running", "paused": "paused", "stopped": "achieved", "cancelled": "cancelled"}[clock.marks[-1][1]]
    ended = None
    if stage in ("achieved", "cancelled"):
        ended = clock.marks[-1][0]
        for at, mode in reversed(clock.marks):
            if mode != clock.marks[-1][1]:
                break
            ended = at
    spans, started, beat = _spans(clock), clock.marks[0][0], case.beat
    seconds = target.durations[priority].seconds
    elapsed = sum(beat for a, b in spans if b is not None for t in range(a, b, beat) if case.open_at(schedule, t))
    due = _reached(spans, schedule, seconds, case)
    first = getattr(clock, "governing_first", clock.governing[0])
    original = _reached([(started, None)], first[3], target.durations[first[2]].seconds, case)
    breached = None if stage != "achieved" else due is not None and ended is not None and due < ended
    steps: list[tuple[int, int]] = []
    if stage in ("running", "paused") and target.steps:
        steps = _steps(clock, spans, case, {each[6] for each in taken if each[:6] == clock.name})
    return Hand(clock.name, stage, priority, schedule, started, ended, elapsed, due, original, breached, steps)


def _reached(spans: list[tuple[int, int | None]], schedule: int | None, seconds: int, case: Case) -> int | None:
    used = 0
    for start, end in spans:
        if seconds == 0:
            return start
        t = start
        while t < (case.horizon if end is None else end):
            if case.open_at(schedule, t):
                used += case.beat
                if used == seconds:
                    return t + case.beat
            t += case.beat
    return None


def _steps(clock: _Clock, spans: list[tuple[int, int | None]], case: Case, taken: set[int]) -> list[tuple[int, int]]:
    """Live through the changes of the target as they became known, and note what is passed over, what is put into the past."""
    target, ruled = clock.candidate.target, clock.candidate.agreement.recorded_at

    def instants(priority: int, schedule: int | None) -> list[tuple[int, int, int]]:
        """Return (threshold, place, instant) of the steps that are reached, in their order."""
        seconds = target.durations[priority].seconds
        order = sorted((threshold, place) for place, step in enumerate(target.steps) if (threshold := step.threshold(seconds)) is not None)
        known = [(threshold, place, _reached(spans, schedule, threshold, case)) for threshold, place in order]
        return [(threshold, place, at) for threshold, place, at in known if at is not None]

    at, recorded, priority, schedule, _ = clock.governing[0]
    known = max(recorded, ruled)
    over = {place for _, place, at in instants(priority, schedule) if at <= known}
    since, moved = known, False
    before = (priority, schedule)
    for at, recorded, priority, schedule, back in clock.governing[1:]:
        if recorded - at > 60 or recorded <= ruled:
            since = known = max(known, recorded)
            over, moved = {place for _, place, at in instants(priority, schedule) if at <= known}, False
        elif (priority, schedule) != before or (back and clock.counts_resolved):
            since, moved = max(known, recorded), True
        before = (priority, schedule)
    now = instants(*before)
    coming = [(at, place) for _, place, at in now if at > since and place not in taken]
    put = [(threshold, place) for threshold, place, at in now if at <= since and place not in over] if moved else []
    seconds = target.durations[before[0]].seconds
    everything = sorted((threshold, place) for place, step in enumerate(target.steps) if (threshold := step.threshold(seconds)) is not None)
    if put and not any(each >= put[-1] and each[1] in taken for each in everything):
        coming.insert(0, (since, put[-1][1]))
    return coming
