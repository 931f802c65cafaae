"""What a change's detail may hold, and what must stand in it before the change moves on; pure.

Values are in row form: instants are aware datetimes, CIs a list of ids. A plan is half-open: the work ends before `planned_end_at`.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from pilothouse.changes.engine.detail import EMPTY, INSTANTS, OUTCOMES, RISKS, TYPES
from pilothouse.tickets.engine.lifecycle import Refusal

PLANS = ("reason", "implementation_plan", "rollback_plan")
LONGEST_PLAN = 50_000
MOST_CIS = 1000
_CHOICES: Mapping[str, tuple[str, Mapping[str, str], bool]] = {
    "type": ("type", TYPES, False),
    "risk": ("risk", RISKS, True),
    "outcome": ("outcome", OUTCOMES, True),
}
_PAIRS = (("planned_start_at", "planned_end_at", "planned"), ("actual_start_at", "actual_end_at", "actual"))
_LARGEST_ID = 2**63 - 1
BACK: Mapping[str, str] = {"assessed": "new", "scheduled": "assessed", "in_progress": "scheduled"}  # where a change is sent back to


def faults(values: Mapping[str, Any], before: Mapping[str, Any] = EMPTY) -> list[Refusal]:
    """Say what is wrong with new values of the detail; `before` holds the others as they stand.

    >>> [fault.field for fault in faults({"type": "urgent"})]
    ['type']
    """
    found = [fault for name, value in values.items() if (fault := _fault(name, value))]
    return found or _backwards(values, {**before, **values})


def _fault(name: str, value: Any) -> Refusal | None:
    if name in _CHOICES:
        return _no_choice(name, value)
    if name in PLANS:
        return _too_long(name, value)
    if name in INSTANTS:
        aware = value is None or (isinstance(value, datetime) and value.tzinfo is not None)
        return None if aware else Refusal(name, "This is not an instant.", "For instance 2026-11-24T16:00:00Z.")
    if name == "cis":
        return _no_cis(value)
    return Refusal(name, "A change has no such field.", f"One of: {', '.join(EMPTY)}.")


def _no_choice(name: str, value: Any) -> Refusal | None:
    word, known, may_be_empty = _CHOICES[name]
    if isinstance(value, str) and (value in known or (may_be_empty and not value)):
        return None
    return Refusal(name, f"There is no {word} “{value}”.", f"One of: {', '.join(known)}.")


def _too_long(name: str, value: Any) -> Refusal | None:
    if isinstance(value, str) and len(value) > LONGEST_PLAN:  # what is no text at all is the actions' to refuse
        return Refusal(name, f"At most {LONGEST_PLAN:,} characters; this has {len(value):,}.", "Shorten it, or attach a file.")
    return None


def _no_cis(value: Any) -> Refusal | None:
    ids = value if isinstance(value, list) else [None]
    if not all(isinstance(each, int) and not isinstance(each, bool) and 0 < each <= _LARGEST_ID for each in ids):
        return Refusal("cis", "These are not configuration items.", "Name each by its number.")
    if len(ids) > MOST_CIS:
        return Refusal(
            "cis", f"At most {MOST_CIS:,} configuration items; these are {len(ids):,}.", "Name the service, or split the change."
        )
    return None


def _backwards(values: Mapping[str, Any], after: Mapping[str, Any]) -> list[Refusal]:
    """Refuse an end before its start, beside the one of the two that was given."""
    found = []
    for start, end, word in _PAIRS:
        if (start in values or end in values) and after[start] and after[end] and after[end] < after[start]:
            beside = end if end in values else start
            hint = f"It starts {_said(after[start])} and ends {_said(after[end])}: one of the two is wrong."
            found.append(Refusal(beside, f"The {word} end is before the {word} start.", hint))
    return found


def _said(at: datetime) -> str:
    return f"{at:%-d %b %Y %H:%M} {at.tzname() or ''}".strip()


def missing(state: str, detail: Mapping[str, Any]) -> list[Refusal]:
    """Say what a change lacks to be in a state: a plan to be scheduled or carried out, an outcome and its times to be closed.

    >>> [one.field for one in missing("scheduled", EMPTY)]
    ['planned_start_at', 'planned_end_at', 'rollback_plan']
    """
    if state in ("scheduled", "in_progress"):
        return [*_lacking(detail, _TIMES), *_without_rollback(detail)]
    return _lacking(detail, _ENDS) if state == "closed" else []


_TIMES = (
    Refusal("planned_start_at", "A scheduled change has a planned start.", "Say when the work begins."),
    Refusal("planned_end_at", "A scheduled change has a planned end.", "Say by when the work is done."),
)
_ENDS = (
    Refusal("outcome", "A closed change has an outcome.", f"One of: {', '.join(OUTCOMES)}."),
    Refusal("actual_start_at", "A closed change says when the work began.", "Start it, or give its actual start."),
    Refusal("actual_end_at", "A closed change says when the work ended.", "Close it with its outcome on its page, or give its actual end."),
)


def _lacking(detail: Mapping[str, Any], wanted: tuple[Refusal, ...]) -> list[Refusal]:
    return [refusal for refusal in wanted if not detail[refusal.field]]


def _without_rollback(detail: Mapping[str, Any]) -> list[Refusal]:
    if detail["type"] == "standard" or detail["rollback_plan"].strip():
        return []
    return [Refusal("rollback_plan", "A change without a rollback plan is sent back.", "Write how it is undone when it fails.")]


def settled(state: str, detail: Mapping[str, Any], given: Mapping[str, Any], now: datetime) -> dict[str, Any]:
    """Return what a move sets of itself: the actual start of what starts and the actual end of what closes, where they are empty.

    What is sent back from the work has not begun. An end is never set before its start.
    """
    after = {**detail, **given}
    if state == "in_progress" and not after["actual_start_at"]:
        return {"actual_start_at": now}
    if state == "closed" and not after["actual_end_at"]:
        return {"actual_end_at": max(now, after["actual_start_at"] or now)}
    return {"actual_start_at": None} if state == "scheduled" and detail["actual_start_at"] else {}
