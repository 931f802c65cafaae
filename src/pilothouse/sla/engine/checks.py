"""Whether an agreement can do what it says: what is refused when it is saved, and what is warned about; pure.

`definitions` reads the parts; here they are held against each other: a target that nobody can meet, conditions that exclude each
other, a clock that ends as it begins, hours that never come, steps in an order nobody means. Each problem names its field in the
definition ("targets.0.durations.3"), the reason, and an example.

Times of targets are tried at every hour of two weeks from `now`: what is wrong there is told with the hour at which it shows.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from pilothouse.sla.engine.business_time import OpenHours
from pilothouse.sla.engine.duration_text import write_duration, write_length
from pilothouse.sla.engine.measuring import seconds_of
from pilothouse.sla.engine.possible import can_hold, quarrel
from pilothouse.sla.engine.problem import Problem
from pilothouse.sla.engine.rules import KINDS, LONGEST_SECONDS, PRIORITIES, Condition, Duration, Target
from pilothouse.sla.engine.steps import Step
from pilothouse.tickets.engine.queue_language.plan import All, Any, Operator, Opposite, Plan, Test

HOUR, TRIED_HOURS = 3600, 14 * 24


@dataclass(frozen=True, slots=True)
class Known:
    """What a definition may refer to: the hours of schedules by id (None: always open), and the ids of groups, people and webhooks.

    `webhooks` None: they are not looked at. Times are seconds since 1970 in UTC.
    """

    hours: Mapping[int | None, OpenHours]
    groups: frozenset[int]
    people: frozenset[int]
    now: int
    webhooks: frozenset[int] | None = None


def check(applies: Condition, targets: Sequence[Target], known: Known) -> list[Problem]:
    """Return what is wrong with an agreement and what looks wrong; warnings carry `is_warning`."""
    if not targets:
        return [Problem("targets", "It has no target, so nothing would be measured.", "Add a resolution target: P1 4h, P2 8h.")]
    if applies.plan is not None and not can_hold(applies.plan):
        return [_excludes("applies_to", applies, "No ticket can ever meet this")]
    problems = list(_twice(targets))
    for place, target in enumerate(targets):
        where = f"targets.{place}"
        found = [*_references(where, target, known), *_durations(where, target, known)]
        problems += found or [*_possible(where, applies, target), *_times(where, target, known)]
        problems += _steps(f"{where}.steps", target, known)
    return problems + list(_between(targets, known))


def _warning(field: str, message: str, hint: str = "") -> Problem:
    return Problem(field, message, hint, is_warning=True)


def _excludes(field: str, condition: Condition, message: str) -> Problem:
    assert condition.plan is not None
    paths = ", ".join(sorted(path.removesuffix("_id").replace("_", " ") for path in quarrel(condition.plan)))
    return Problem(
        field,
        f"{message}: what it asks of {paths} excludes itself.",
        "kind:incident kind:request is never true; for either of two write kind:incident,request.",
    )


def _twice(targets: Sequence[Target]) -> Iterator[Problem]:
    for place, target in enumerate(targets):
        for earlier in targets[:place]:
            both = sorted(set(earlier.durations) & set(target.durations))
            overlap = not earlier.groups or not target.groups or earlier.groups & target.groups
            if both and earlier.kind == target.kind and (target.kind != "ola" or overlap):
                words = ", ".join(f"P{priority}" for priority in both)
                yield _warning(
                    f"targets.{place}",
                    f"{words} has two targets of the kind {KINDS[target.kind].casefold()}: only the first one counts.",
                    "Leave the priority out of one of them, or give them different groups.",
                )


def _references(where: str, target: Target, known: Known) -> Iterator[Problem]:
    if target.schedule not in known.hours:
        yield Problem(f"{where}.schedule", "There is no such schedule.", "Choose one of the schedules, or none: every hour counts.")
    if unknown := sorted(target.groups - known.groups):
        yield Problem(f"{where}.groups", f"There is no group number {unknown[0]}.", "Leave it empty for any group.")


def _durations(where: str, target: Target, known: Known) -> Iterator[Problem]:
    if not target.durations:
        yield Problem(f"{where}.durations", "No priority has a duration: nothing would be measured.", "P1 4h, P2 8h.")
    hours = known.hours.get(target.schedule)
    if hours is not None and hours.next_open(known.now) is None:
        yield Problem(f"{where}.schedule", "This schedule never opens again, so the clock would never run.", "Mon to Fri 08:00-17:00.")
    elif hours is not None:
        for priority, duration in target.durations.items():
            if due_at(duration, hours, known.now) is None:
                text = f"The schedule does not open for {write_duration(duration)} in all the years that are known."
                yield Problem(f"{where}.durations.{priority}", text, "A shorter duration, or a schedule with more hours.")


def due_at(duration: Duration, hours: OpenHours, start: int) -> int | None:
    """Return when a target that starts at `start` is used up without a pause; None: never."""
    seconds = seconds_of(duration, hours, start)
    return None if seconds >= LONGEST_SECONDS else hours.add(start, seconds)


# What the kinds' own rules say, as plans (rules.py is their definition).
_ON_HOLD: Plan = Test("state", Operator.IN, ("on_hold",))
_FOR_VENDOR: Plan = All((_ON_HOLD, Test("hold_reason", Operator.IN, ("vendor",))))
_ENDED: Plan = Any((Test("state", Operator.IN, ("resolved", "closed", "cancelled")), Opposite(Test("merged_into_id", Operator.NULL))))
_OWNED: Plan = Opposite(Test("assignee_id", Operator.NULL))
_ROUTED: Plan = Opposite(Test("group_id", Operator.NULL))


def _runs(target: Target) -> Plan:
    """Return when a target's clock runs by the rules of its kind, its own conditions left out."""
    parts: list[Plan] = [Test("priority", Operator.IN, tuple(sorted(target.durations))), Opposite(_ENDED)]
    if target.kind == "response" and target.rule == "owned":
        parts.append(Opposite(_OWNED))
    if target.kind == "ola":
        parts.append(Test("group_id", Operator.IN, tuple(sorted(target.groups))) if target.groups else _ROUTED)
    if target.kind == "contract":
        parts.append(_FOR_VENDOR)
    elif target.holds:
        parts.append(Opposite(All((_ON_HOLD, Test("hold_reason", Operator.IN, tuple(sorted(target.holds)))))))
    return All(tuple(parts))


def _possible(where: str, applies: Condition, target: Target) -> Iterator[Problem]:
    """Hold a target's conditions against each other: some ticket must have a clock that starts, runs and ends."""
    for name in ("start", "pause", "stop", "cancel", "reset"):
        condition: Condition = getattr(target, name)
        if condition.plan is not None and not can_hold(condition.plan):
            yield _excludes(f"{where}.{name}", condition, "This is never true")
            return
    of_kind = Test("priority", Operator.IN, tuple(sorted(target.durations)))
    if not can_hold(applies.plan, of_kind):
        yield Problem(
            f"{where}.durations",
            "The agreement applies to none of the priorities that have a duration here.",
            "priority<=2 with durations for P1 and P2.",
        )
        return
    for priority in sorted(target.durations):
        if not can_hold(applies.plan, Test("priority", Operator.IN, (priority,))):
            yield _warning(f"{where}.durations.{priority}", f"The agreement never applies to P{priority}: this duration is not used.")
    running = All(tuple(plan for plan in (applies.plan, target.start.plan, _runs(target)) if plan is not None))
    yield from _never_runs(where, applies, target, running) if not can_hold(running) else _at_odds(where, applies, target, running)


def _never_runs(where: str, applies: Condition, target: Target, running: Plan) -> Iterator[Problem]:
    if target.start.plan is not None and can_hold(applies.plan, _runs(target)):
        yield Problem(f"{where}.start", "No ticket that the agreement applies to ever meets this while its clock could run.", "state:new")
        return
    reason = {
        "contract": ("applies_to", "A contract's clock runs while a ticket waits for a vendor; the agreement applies to none that does."),
        "ola": (f"{where}.groups", "The agreement applies to no ticket of these groups."),
        "response": (
            "applies_to",
            "A response is measured until somebody owns the ticket; the agreement applies to none without an owner.",
        ),
    }
    field, text = reason.get(target.kind, ("applies_to", "The agreement applies only to tickets whose clock has ended or is paused."))
    yield Problem(field, text, "kind:incident, without a state: the clock itself knows when it ends.")


_ALWAYS = {
    "cancel": ("It holds for every ticket that the agreement applies to: each clock would be cancelled as it starts.", "tag:duplicate"),
    "stop": ("It holds while the clock would run: each clock would end as it starts.", "state:resolved"),
    "pause": ("It holds all the time: the clock would never run.", "state:on-hold"),
}


def _at_odds(where: str, applies: Condition, target: Target, running: Plan) -> Iterator[Problem]:
    for name, (text, example) in _ALWAYS.items():
        plan = getattr(target, name).plan
        if plan is not None and not can_hold(running, Opposite(plan)):
            yield Problem(f"{where}.{name}", text, example)
            return
    ends = [plan for name in _ALWAYS if (plan := getattr(target, name).plan) is not None]
    if ends and not can_hold(running, *(Opposite(plan) for plan in ends)):
        yield Problem(f"{where}.stop", "Stop, pause and cancel together leave the clock no moment to run.", "Leave one of them empty.")
    for name in (*_ALWAYS, "reset"):
        plan = getattr(target, name).plan
        if plan is not None and not can_hold(applies.plan, plan):
            yield _warning(f"{where}.{name}", "No ticket that the agreement applies to ever meets this: it has no effect.")
    if target.reset.plan is not None and not can_hold(running, Opposite(target.reset.plan)):
        yield _warning(f"{where}.reset", "It holds all the time; a clock begins anew only when this becomes true.", "state:new")


def _times(where: str, target: Target, known: Known) -> Iterator[Problem]:
    """Try relative targets at many hours: some leave no working time at all, some are due earlier than they say."""
    hours = known.hours[target.schedule]
    for priority, duration in sorted(target.durations.items()):
        if not duration.is_relative:
            continue
        field, said = f"{where}.durations.{priority}", write_duration(duration)
        tried = {start: seconds_of(duration, hours, start) for start in _hours_from(known.now)}
        hopeless = [start for start, seconds in tried.items() if seconds <= 1]
        if len(hopeless) == len(tried):
            yield Problem(field, f"“{said}” leaves no working time at any hour: it can never be met.", "next business day 16:00")
            continue
        if hopeless:
            text = f"“{said}” leaves no working time to a ticket opened {_at(hopeless[0], hours)}: it could only be late."
            yield _warning(field, text, "An hour well inside the schedule's hours: next business day 16:00.")
        dues = [due for start, seconds in tried.items() if seconds > 1 and (due := hours.add(start, seconds)) is not None]
        if not hopeless and all(_of_day(due, hours) != duration.at for due in dues):
            text = f"“{said}” lies outside the hours of the schedule: time stops counting earlier, {_at(dues[0], hours)}."
            yield _warning(field, text, "An hour at which the schedule is open.")


def _hours_from(now: int) -> range:
    begin = now - now % HOUR
    return range(begin, begin + TRIED_HOURS * HOUR, HOUR)


def _between(targets: Sequence[Target], known: Known) -> Iterator[Problem]:
    """Warn of a response that may come after the resolution."""
    resolutions = [target for target in targets if target.kind == "resolution"]
    for place, response in enumerate(targets):
        if response.kind != "response" or response.schedule not in known.hours:
            continue
        for resolution in resolutions:
            for priority in PRIORITIES:
                if (text := _later(response, resolution, priority, known)) and resolution.schedule in known.hours:
                    yield _warning(f"targets.{place}.durations.{priority}", text, "A response is due before the resolution: 15m and 4h.")


def _later(response: Target, resolution: Target, priority: int, known: Known) -> str:
    first, second = response.durations.get(priority), resolution.durations.get(priority)
    early, late = known.hours.get(response.schedule), known.hours.get(resolution.schedule)
    if first is None or second is None or early is None or late is None:
        return ""
    for start in _hours_from(known.now):
        answer, solved = due_at(first, early, start), due_at(second, late, start)
        if answer is not None and solved is not None and answer > solved:
            return (
                f"The response of P{priority} may be due after its resolution: of a ticket opened {_at(start, late)} the answer is due"
                f" {_at(answer, late)}, the resolution {_at(solved, late)}."
            )
    return ""


def _steps(where: str, target: Target, known: Known) -> Iterator[Problem]:
    for place, step in enumerate(target.steps):
        for recipient in (*step.tell, *step.then):
            kind, _, number = recipient.partition(":")
            if kind == "person" and int(number) not in known.people:
                yield Problem(
                    f"{where}.{place}.tell", f"There is no active person number {number}.", "assignee, lead, or a person's address."
                )
            if kind == "webhook" and known.webhooks is not None and int(number) not in known.webhooks:
                yield Problem(f"{where}.{place}.tell", f"There is no webhook number {number}.", "One of the webhooks in the settings.")
        if step.reassign is not None and step.reassign not in known.groups:
            yield Problem(f"{where}.{place}.reassign", f"There is no active group number {step.reassign}.", "Choose one of the groups.")
    yield from _odd_order(where, target)


def _odd_order(where: str, target: Target) -> Iterator[Problem]:
    lengths = {priority: duration.seconds for priority, duration in target.durations.items() if not duration.is_relative}
    for place, step in enumerate(target.steps):
        whole = [priority for priority, seconds in sorted(lengths.items()) if step.before is not None and step.before >= seconds]
        if whole and step.before is not None:
            words = f"{write_length(step.before)} before the breach is all of the time of P{whole[0]} ({write_length(lengths[whole[0]])})"
            yield _warning(f"{where}.{place}.before", f"{words}: the step is taken as soon as the clock starts.", "At 75 % of the time.")
        if place and (priority := _comes_before(step, target.steps[place - 1], lengths)):
            text = f"For P{priority} this step comes before the one above it ({target.steps[place - 1].words()})."
            yield _warning(f"{where}.{place}", text, "50 %, 75 %, 90 %, 100 %.")


def _comes_before(step: Step, above: Step, lengths: Mapping[int, int]) -> int:
    """Return a priority for which a step is due before the one above it, or 0."""
    for priority, seconds in sorted((lengths or {1: 100_000}).items()):
        own, earlier = step.threshold(seconds), above.threshold(seconds)
        if own is not None and earlier is not None and own < earlier:
            return priority
    return 0


def _local(instant: int, hours: OpenHours) -> datetime:
    return datetime.fromtimestamp(instant, UTC).astimezone(ZoneInfo(str(hours.zone)))


def _of_day(instant: int, hours: OpenHours) -> int:
    local = _local(instant, hours)
    return local.hour * 3600 + local.minute * 60


def _at(instant: int, hours: OpenHours) -> str:
    return f"{_local(instant, hours):%a %H:%M}"
