"""A change's detail as its journal tells it; pure.

The ticket's entries carry the detail's fields as `change.NAME`; the last value of each counts. Instants are ISO 8601 texts in UTC.
`change.cis` is the list of the ids of all CIs that it touches, the ticket's own first; when the ticket's own CI (`ci`) changes
elsewhere, the new one takes the old one's place in the list.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from pilothouse.tickets.engine.replay import Happened, detail_told

PREFIX = "change."
TYPES: Mapping[str, str] = {"standard": "Standard", "normal": "Normal", "emergency": "Emergency"}
RISKS: Mapping[str, str] = {"low": "Low", "moderate": "Moderate", "high": "High"}
OUTCOMES: Mapping[str, str] = {
    "successful": "Successful",
    "with_issues": "Successful with issues",
    "backed_out": "Backed out",
    "failed": "Failed",
}
HELPED = ("", "successful", "with_issues")  # outcomes of a change that did what it was for; "": nobody has said yet
EMPTY: Mapping[str, Any] = {
    "type": "normal",
    "risk": "",
    "reason": "",
    "implementation_plan": "",
    "rollback_plan": "",
    "planned_start_at": None,
    "planned_end_at": None,
    "actual_start_at": None,
    "actual_end_at": None,
    "outcome": "",
    "cis": [],
}
INSTANTS = ("planned_start_at", "planned_end_at", "actual_start_at", "actual_end_at")


def told(entries: Iterable[Happened]) -> dict[str, Any]:
    """Return the fields of the detail that these entries set, each with its last value, in journal form."""
    return detail_told(entries, PREFIX, EMPTY)


def touched(cis: Iterable[int], entries: Iterable[Happened]) -> list[int]:
    """Return the ids of the CIs that a change touches after these entries; `cis` are those before them, the ticket's own first."""
    now = list(cis)
    for entry in entries:
        for change in entry.changes:
            if change.field == f"{PREFIX}cis":
                now = list(dict.fromkeys(change.after or []))
            elif change.field == "ci":
                now = _with_own(now, change.before, change.after)
    return now


def _with_own(cis: list[int], before: int | None, after: int | None) -> list[int]:
    rest = [each for each in cis if each not in (before, after)]
    return rest if after is None else [after, *rest]
