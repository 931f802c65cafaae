"""Agreements in words: what a definition says, line by line, for its page, for the journal and for what differs between versions; pure.

Lines keep the order of the definition, and each stands under a label of its own ("resolution P1", "resolution pauses on"), so two
definitions differ where lines of one label do. Values are words, or ids where the label ends in one of REFERENCES: who shows them
puts names there.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

from pilothouse.sla.engine.duration_text import write_duration, write_length
from pilothouse.sla.engine.rules import KINDS, PRIORITIES, RESPONSE_RULES, SCHEDULE_SOURCES, Duration
from pilothouse.sla.engine.steps import RECIPIENTS, Step, read_steps

REFERENCES: Mapping[str, str] = {"schedule": "schedule", "groups": "team"}  # the last word of a label, and what its ids are of
CONDITION_WORDS: Mapping[str, str] = {
    "start": "starts when",
    "pause": "also pauses while",
    "stop": "also stops when",
    "cancel": "is cancelled when",
    "reset": "begins anew when",
}
Names = Mapping[tuple[str, int], str]
Lines = dict[str, Any]


def lines(definition: Mapping[str, Any]) -> Lines:
    """Say what a definition holds as label -> words; a part that says nothing special has no line."""
    said: Lines = {"applies to": definition.get("applies_to") or "every ticket"}
    for target in definition.get("targets", []):
        key = target.get("key") or target["kind"]
        said |= {f"{key} {label}".strip(): value for label, value in _target(target).items() if value not in (None, "", [], False)}
    return said


def _target(target: Mapping[str, Any]) -> Lines:
    durations = target.get("durations", {})
    said: Lines = {"": KINDS[target["kind"]]}
    said |= {f"P{level}": write_duration(duration_of(durations[str(level)])) for level in PRIORITIES if str(level) in durations}
    said |= {
        "counts from": RESPONSE_RULES[target.get("rule") or "owned"] if target["kind"] == "response" else "",
        "schedule": target.get("schedule"),
        "hours first of": [SCHEDULE_SOURCES[each] for each in target.get("schedule_from", [])],
        "pauses on hold for": list(target.get("holds", [])),
        "counts time while resolved": target.get("count_resolved", False),
        "groups": sorted(target.get("groups", [])),
    }
    said |= {words: target.get(name, "") for name, words in CONDITION_WORDS.items()}
    steps, _ = read_steps(target.get("steps", []))
    return said | {f"step {place}": step_words(step) for place, step in enumerate(steps, 1)}


def duration_of(given: Mapping[str, Any]) -> Duration:
    """Return a sound duration of a definition as a value."""
    if "seconds" in given:
        return Duration(seconds=given["seconds"])
    hours, _, minutes = given["at"].partition(":")
    return Duration(days=given["days"], at=int(hours) * 3600 + int(minutes) * 60)


def step_words(step: Step, names: Names | None = None) -> str:
    """Say a step in one sentence: when, what, and what follows when nobody takes it up.

    >>> step_words(Step(share=0.75, tell=("assignee", "lead"), raise_priority=True))
    "at 75% of the time: tell the assignee and the group's lead, raise the priority"
    """
    names = names or {}
    acts = [f"tell {_listed(step.tell, names)}"] if step.tell else []
    acts += ["raise the priority"] if step.raise_priority else []
    acts += [f"reassign to {names.get(('team', step.reassign), f'group {step.reassign}')}"] if step.reassign else []
    acts += [f"flag it {step.flag}"] if step.flag else []
    said = f"{_when(step)}: {', '.join(acts)}"
    if step.any_hours:
        said += ", at any hour"
    if step.acknowledge:
        said += f"; unless acknowledged within {write_length(step.acknowledge)}"
        said += f", then tell {_listed(step.then, names)}" if step.then else ", remind them"
    return said


def _when(step: Step) -> str:
    return f"{write_length(step.before)} before the breach" if step.before is not None else step.words()


def _listed(recipients: Sequence[str], names: Names) -> str:
    said = [_recipient(each, names) for each in recipients]
    return " and ".join(filter(None, [", ".join(said[:-1]), said[-1]]))


def _recipient(recipient: str, names: Names) -> str:
    kind, _, number = recipient.partition(":")
    return names.get((kind, int(number)), f"{kind} {number}") if number else RECIPIENTS[kind]


def differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[tuple[str, Any, Any]]:
    """Return the lines (label, before, after) in which two sets of lines differ, in the order in which they stand."""
    labels = list(dict.fromkeys([*before, *after]))
    return [(label, before.get(label), after.get(label)) for label in labels if before.get(label) != after.get(label)]


def fingerprint(definition: Mapping[str, Any], names: Sequence[Any]) -> str:
    """Return the SHA-256 of a definition and of what its names stood for: the journal keeps it, so that a changed row is found out."""
    text = json.dumps([definition, list(names)], sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()
