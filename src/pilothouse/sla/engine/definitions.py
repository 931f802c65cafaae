"""Reading an agreement's definition from JSON: sound parts as values, everything else as problems with place, reason and example; pure."""

from collections.abc import Callable, Mapping
from typing import Any

from pilothouse.sla.engine.problem import Problem
from pilothouse.sla.engine.rules import (
    CONDITIONS,
    KINDS,
    LONGEST_SECONDS,
    NO_CONDITION,
    RESPONSE_RULES,
    SCHEDULE_SOURCES,
    Condition,
    Duration,
    Target,
)
from pilothouse.sla.engine.steps import read_steps
from pilothouse.tickets.engine.lifecycle import HOLD_REASONS
from pilothouse.tickets.engine.queue_language.meaning import NO_PLAN
from pilothouse.tickets.engine.queue_language.plan import of_the_desk

Compile = Callable[[str, str], Condition | Problem]


def read_targets(definition: Any, compile_condition: Compile) -> tuple[Condition, tuple[Target, ...], list[Problem]]:
    """Read a definition; `compile_condition(field, text)` reads a condition. What is wrong comes back as problems, never as an error."""
    if not isinstance(definition, dict):
        return NO_CONDITION, (), [Problem("definition", "A definition is a JSON object.", '{"applies_to": "kind:incident", "targets": []}')]
    reader = _Reader(compile_condition)
    applies = _of_the_desk(reader.condition("applies_to", definition.get("applies_to", "")))
    given = definition.get("targets", [])
    if not isinstance(given, list):
        reader.problems.append(Problem("targets", "Targets are a list.", '"targets": [{"key": "resolution", …}]'))
        given = []
    targets = tuple(target for place, each in enumerate(given) if (target := reader.target(f"targets.{place}", each)))
    keys = [target.key for target in targets]
    for key in sorted({key for key in keys if keys.count(key) > 1}):
        reader.problems.append(Problem("targets", f"Two targets have the key “{key}”.", "Each target has a key of its own."))
    return applies, targets, reader.problems


def _of_the_desk(applies: Condition) -> Condition:
    """An agreement that does not speak of kinds is about the desk's: problems and changes have their own clocks or none."""
    return Condition(applies.text, of_the_desk(NO_PLAN if applies.plan is None else applies.plan))


class _Reader:
    """Reads a definition and gathers what is wrong with it."""

    def __init__(self, compile_condition: Compile) -> None:
        self.compile, self.problems = compile_condition, list[Problem]()

    def wrong(self, place: str, message: str, hint: str = "") -> None:
        self.problems.append(Problem(place, message, hint))

    def condition(self, place: str, text: Any) -> Condition:
        if not isinstance(text, str):
            self.wrong(place, "A condition is a text in the queue language.", "kind:incident priority<=2")
            return NO_CONDITION
        if not text.strip():
            return NO_CONDITION
        found = self.compile(place, text.strip())
        if isinstance(found, Problem):
            self.problems.append(found)
            return NO_CONDITION
        return found

    def target(self, place: str, given: Any) -> Target | None:
        if not isinstance(given, dict):
            self.wrong(
                place, "A target is a JSON object.", '{"key": "resolution", "kind": "resolution", "durations": {"1": {"seconds": 14400}}}'
            )
            return None
        kind = str(given.get("kind"))
        if kind not in KINDS:
            self.wrong(f"{place}.kind", f"There is no kind of target “{kind}”.", f"One of: {', '.join(KINDS)}.")
            return None
        steps, problems = read_steps(given.get("steps", []))
        self.problems += [Problem(f"{place}.steps{where}", message, hint) for where, message, hint in problems]
        return Target(
            key=self.word(f"{place}.key", given.get("key", kind)),
            kind=kind,
            durations=self.durations(f"{place}.durations", given.get("durations", {})),
            schedule=self.number(f"{place}.schedule", given.get("schedule")),
            schedule_from=tuple(self.words(f"{place}.schedule_from", given.get("schedule_from", []), SCHEDULE_SOURCES)),
            holds=frozenset(self.words(f"{place}.holds", given.get("holds", []), HOLD_REASONS)),
            count_resolved=given.get("count_resolved") is True,
            rule=next(iter(self.words(f"{place}.rule", [given.get("rule") or "owned"], RESPONSE_RULES)), "owned"),
            groups=self.numbers(f"{place}.groups", given.get("groups", [])),
            steps=tuple(steps),
            **{name: self.condition(f"{place}.{name}", given.get(name, "")) for name in CONDITIONS},
        )

    def word(self, place: str, value: Any) -> str:
        if isinstance(value, str) and 0 < len(value) <= 40 and value.replace("-", "").replace("_", "").isalnum():
            return value
        self.wrong(place, "A key is a short word of letters, digits, - and _.", "resolution")
        return "target"

    def words(self, place: str, values: Any, known: Mapping[str, str]) -> list[str]:
        if not isinstance(values, list):
            self.wrong(place, "This is a list.", f"From: {', '.join(known)}.")
            return []
        for value in values:
            if not isinstance(value, str) or value not in known:
                self.wrong(place, f"There is no “{value}” here.", f"From: {', '.join(known)}.")
        return [value for value in values if isinstance(value, str) and value in known]

    def number(self, place: str, value: Any) -> int | None:
        if value is None or (isinstance(value, int) and not isinstance(value, bool) and 0 < value < 2**63):
            return value
        self.wrong(place, "A schedule is named by its number.", "null counts every hour of every day")
        return None

    def numbers(self, place: str, values: Any) -> frozenset[int]:
        if isinstance(values, list) and all(isinstance(value, int) and not isinstance(value, bool) for value in values):
            return frozenset(values)
        self.wrong(place, "Groups are a list of their numbers.", "[] is any group")
        return frozenset()

    def durations(self, place: str, given: Any) -> dict[int, Duration]:
        if not isinstance(given, dict):
            self.wrong(place, "Durations are given for each priority.", '{"1": {"seconds": 14400}}')
            return {}
        found = {}
        for priority, value in given.items():
            if str(priority) not in ("1", "2", "3", "4", "5"):
                self.wrong(place, f"There is no priority {priority}.", "1 to 5")
            elif duration := self.duration(f"{place}.{priority}", value):
                found[int(priority)] = duration
        return found

    def duration(self, place: str, value: Any) -> Duration | None:
        seconds, days, at = (value.get(name) for name in ("seconds", "days", "at")) if isinstance(value, dict) else (None, None, None)
        if isinstance(seconds, int) and not isinstance(seconds, bool) and days is None:
            if 0 < seconds <= LONGEST_SECONDS:
                return Duration(seconds=seconds)
            self.wrong(
                place,
                "A target is longer than nothing and shorter than ten years.",
                "4 h is 14400; leave out a priority without a target",
            )
        elif isinstance(days, int) and not isinstance(days, bool) and 0 <= days <= 366 and (clock := _clock_seconds(at)) is not None:
            return Duration(days=days, at=clock)
        else:
            self.wrong(
                place, "A target is a number of seconds, or an hour on a business day.", '{"seconds": 14400} or {"days": 1, "at": "16:00"}'
            )
        return None


def _clock_seconds(text: Any) -> int | None:
    """Read "16:00" as seconds after midnight."""
    parts = text.split(":") if isinstance(text, str) else []
    if len(parts) != 2 or not all(part.isascii() and part.isdigit() and len(part) == 2 for part in parts):
        return None
    hours, minutes = map(int, parts)
    return hours * 3600 + minutes * 60 if hours < 24 and minutes < 60 else None
