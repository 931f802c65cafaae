"""Starting points for a new agreement: what most desks promise, to be changed as one likes."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

_NEAR = {"share": 0.75, "tell": ["assignee", "lead"]}
_OVER = {"share": 1, "tell": ["lead", "manager"], "acknowledge": 1800, "then": ["manager"]}


@dataclass(frozen=True, slots=True)
class Start:
    """A starting point: the agreement's name, what it is in a line, and its definition."""

    key: str
    name: str
    text: str
    definition: Mapping[str, Any]


def _hours(first: int, *hours: float) -> dict[str, Any]:
    return {str(level): {"seconds": int(value * 3600)} for level, value in enumerate(hours, first)}


def _days(first: int, *days: int) -> dict[str, Any]:
    return {str(level): {"days": value, "at": "17:00"} for level, value in enumerate(days, first)}


def starts(schedule: int | None) -> list[Start]:
    """Return the starting points; `schedule` is whose hours count where not every hour does (None: every hour)."""
    office: dict[str, Any] = {} if schedule is None else {"schedule": schedule}
    holds: dict[str, Any] = {"holds": ["caller", "vendor"]}
    urgent = [
        {"key": "response-urgent", "kind": "response", "durations": _hours(1, 0.25, 0.5)},
        {
            "key": "resolution-urgent",
            "kind": "resolution",
            "durations": _hours(1, 4, 8),
            **holds,
            "steps": [{"share": 0.5, "tell": ["assignee"]}, _NEAR, _OVER],
        },
    ]
    usual = [
        {"key": "response", "kind": "response", "durations": _hours(3, 4, 8, 8), **office},
        {"key": "resolution", "kind": "resolution", "durations": _days(3, 3, 5, 10), **holds, **office, "steps": [_NEAR, _OVER]},
    ]
    request = [
        {"key": "response", "kind": "response", "durations": _hours(1, 4, 4, 8, 8, 8), **office},
        {"key": "fulfilment", "kind": "resolution", "durations": _days(1, 1, 2, 5, 8, 10), **holds, **office, "steps": [_NEAR]},
    ]
    group = [{"key": "group", "kind": "ola", "durations": _hours(1, 2, 4, 8, 16, 16), **holds, **office, "steps": [_NEAR]}]
    vendor = [{"key": "vendor", "kind": "contract", "durations": _hours(1, 4, 8, 24, 40, 40), **office, "steps": [_NEAR]}]
    return [
        Start(
            "incidents",
            "Standard incident agreement",
            "P1 and P2 round the clock: answered in 15 and 30 minutes, solved in 4 and 8 hours; the others in working hours.",
            {"applies_to": "kind:incident", "targets": urgent + usual},
        ),
        Start(
            "requests",
            "Service requests",
            "Answered in 4 to 8 hours, fulfilled in 1 to 10 business days.",
            {"applies_to": "kind:request", "targets": request},
        ),
        Start(
            "groups",
            "Between groups",
            "An OLA: how long each group may keep a ticket; each stay has a clock of its own.",
            {"targets": group},
        ),
        Start(
            "vendors",
            "Vendors",
            "An underpinning contract: how long a vendor may take; it runs while a ticket waits for one.",
            {"targets": vendor},
        ),
        Start(
            "empty",
            "",
            "One resolution target, and every field yours to fill.",
            {"targets": [{"key": "resolution", "kind": "resolution", "durations": {}}]},
        ),
    ]
