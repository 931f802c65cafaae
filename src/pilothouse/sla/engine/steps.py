"""Escalation steps as values: when before a breach something happens, and what; pure.

A step in JSON:

    {"share": 0.75,                      at three quarters of the time; or
     "before": 1800,                     half an hour (business time) before the time is used up; or
     "risk": 0.6,                        when the forecast says a breach is 60 % likely
     "tell": ["assignee", "group", "lead", "manager", "on_call", "watchers", "person:12", "webhook:3"],
     "raise_priority": true, "reassign": 7, "flag": "breach-near",
     "any_hours": false,                 false: people are told in their working hours
     "acknowledge": 900,                 unless acknowledged within so many seconds of their hours, the next of `then` is told
     "then": ["lead", "manager"]}

A step has its threshold in business seconds of the clock: share x target (rounded up), or target - before, never under 0.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

RECIPIENTS: Mapping[str, str] = {
    "assignee": "the assignee",
    "group": "everybody in the group",
    "lead": "the group's lead",
    "manager": "managers in the group, or else all managers",
    "on_call": "whoever is on call for the group",
    "watchers": "the watchers",
}
NUMBERED: Mapping[str, str] = {"person": "a person", "webhook": "a webhook"}
MOST_STEPS = 20
_KNOWN = frozenset({"share", "before", "risk", "tell", "raise_priority", "reassign", "flag", "any_hours", "acknowledge", "then"})


@dataclass(frozen=True, slots=True)
class Step:
    """One step; exactly one of share, before and risk says when."""

    share: float | None = None
    before: int | None = None
    risk: float | None = None
    tell: tuple[str, ...] = ()
    raise_priority: bool = False
    reassign: int | None = None
    flag: str = ""
    any_hours: bool = False
    acknowledge: int = 0
    then: tuple[str, ...] = ()

    def threshold(self, target_seconds: int) -> int | None:
        """Return after how many business seconds of the clock the step is due; None: the forecast decides.

        >>> Step(share=0.5).threshold(3601), Step(before=1800).threshold(3600), Step(before=7200).threshold(3600)
        (1801, 1800, 0)
        """
        if self.share is not None:
            return math.ceil(round(self.share * target_seconds, 6))
        return None if self.before is None else max(0, target_seconds - self.before)

    def words(self) -> str:
        """Say when, for people."""
        if self.share is not None:
            return f"at {self.share:.0%} of the time"
        if self.before is not None:
            return f"{self.before // 60} min before the breach"
        return f"when {self.risk:.0%} likely to breach"


Fault = tuple[str, str, str]  # where (".0.share"), message, hint


def read_steps(given: Any) -> tuple[list[Step], list[Fault]]:
    """Read steps from JSON; returns those that are sound and what is wrong with the others."""
    if not isinstance(given, list) or len(given) > MOST_STEPS:
        return [], [("", f"Steps are a list of at most {MOST_STEPS}.", '[{"share": 0.75, "tell": ["assignee"]}]')]
    steps, faults = [], list[Fault]()
    for place, each in enumerate(given):
        found = _faults(each)
        faults += [(f".{place}{where}", message, hint) for where, message, hint in found]
        if not found:
            steps.append(_step(each))
    return steps, faults


def _step(given: Mapping[str, Any]) -> Step:
    said = {name: value for name, value in given.items() if value is not None}
    values: dict[str, Any] = {name: tuple(value) if isinstance(value, list) else value for name, value in said.items()}
    return Step(**values)


def _faults(given: Any) -> list[Fault]:
    if not isinstance(given, dict):
        return [("", "A step is a JSON object.", '{"share": 0.75, "tell": ["assignee"]}')]
    faults = [(f".{name}", f"A step has no “{name}”.", f"It has: {', '.join(sorted(_KNOWN))}.") for name in sorted(set(given) - _KNOWN)]
    faults += _when(given) + _whom(given, "tell") + _whom(given, "then")
    if not any(given.get(name) for name in ("tell", "raise_priority", "reassign", "flag")):
        faults.append(("", "This step does nothing.", "Tell somebody, raise the priority, reassign or flag."))
    return faults + _rest(given)


def _when(given: Mapping[str, Any]) -> list[Fault]:
    said = [name for name in ("share", "before", "risk") if given.get(name) is not None]
    if len(said) != 1:
        return [("", "A step says when in one way.", "share 0.75, or before 1800 (seconds), or risk 0.6")]
    value = given[said[0]]
    if isinstance(value, bool) or not isinstance(value, int | float):
        return [(f".{said[0]}", "This is a number.", "0.75")]
    if said[0] == "before" and not (isinstance(value, int) and 0 < value <= 366 * 86400):
        return [(".before", "The time before the breach is whole seconds, at least one.", "1800 is half an hour")]
    if said[0] == "share" and not 0 < value <= 3:
        return [(".share", "The share lies above 0 and up to 3.", "0.75 is three quarters of the time, 1 the breach itself")]
    if said[0] == "risk" and not 0 < value < 1:
        return [(".risk", "The probability lies between 0 and 1.", "0.6")]
    return []


def _whom(given: Mapping[str, Any], name: str) -> list[Fault]:
    values = given.get(name, [])
    if isinstance(values, list) and all(isinstance(value, str) and _is_recipient(value) for value in values):
        return []
    return [(f".{name}", "These are not all people that can be told.", f"{', '.join(RECIPIENTS)}, person:12, webhook:3")]


def _is_recipient(value: str) -> bool:
    kind, _, number = value.partition(":")
    return value in RECIPIENTS or (kind in NUMBERED and number.isascii() and number.isdigit())


def _rest(given: Mapping[str, Any]) -> list[Fault]:
    faults: list[Fault] = []
    for name in ("raise_priority", "any_hours"):
        if not isinstance(given.get(name, False), bool):
            faults.append((f".{name}", "This is true or false.", "true"))
    for name in ("reassign", "acknowledge"):
        value = given.get(name)
        if value is not None and (isinstance(value, bool) or not isinstance(value, int) or value < 0):
            faults.append((f".{name}", "This is a whole number.", "900"))
    flag = given.get("flag", "")
    if not isinstance(flag, str) or len(flag) > 40:
        faults.append((".flag", "A flag is a tag of at most 40 letters.", "breach-near"))
    if given.get("then") and not given.get("acknowledge"):
        faults.append((".then", "Without a time to acknowledge it never goes on to the next.", '"acknowledge": 900'))
    return faults


def thresholds(steps: Sequence[Step], target_seconds: int) -> list[tuple[int, int]]:
    """Return (threshold, place of the step) of the steps that the clock itself makes due, the earliest first."""
    found = [(threshold, place) for place, step in enumerate(steps) if (threshold := step.threshold(target_seconds)) is not None]
    return sorted(found)
