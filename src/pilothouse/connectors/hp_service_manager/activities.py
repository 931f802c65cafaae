"""From an incident and its activities to what happened; pure.

The incident's row has the final facts, the activities (role 1) have the instants, the group at each, and what was done. Each
activity becomes one step: a change of group or state, a public comment (something said to the customer, or by them), or a
private note with the activity's name. The log is not whole: where it has no “Reopen”, “Resolved” or “Closed” near the incident's own
time of it, that time makes one. No step lies before the one it follows.
"""

from collections.abc import Mapping as Map
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from pilothouse.connectors.engine.mapping import Snapshot
from pilothouse.connectors.engine.snapshots import Step

PUBLIC = frozenset({"communication with customer", "mail to customer", "update from customer", "callback request"})
_RANKS = {
    "open": 0,
    "reopen": 1,
    "assignment": 2,
    "reassignment": 2,
    "status change": 4,
    "pending vendor": 5,
    "resolved": 6,
    "closed": 7,
    "caused by ci": 8,
}
_OTHER_RANK = 3
_HELD = frozenset({"pending vendor", "external vendor assignment", "external vendor reassignment"})
_FINAL = ("state", "hold_reason", "reopened_at", "resolved_at", "closed_at", "resolution_code", "group")
_MILESTONES = {"Reopen": "reopened_at", "Resolved": "resolved_at", "Closed": "closed_at"}
_ENDED = ("resolved", "closed")
_NEAR = timedelta(seconds=60)  # the log writes some seconds after the incident
_UNDONE: Map[str, Any] = {"hold_reason": "", "resolved_at": None, "closed_at": None, "resolution_code": ""}


def tell(snapshots: Sequence[Snapshot], before: Map[str, Any], now: datetime) -> list[Step]:
    """Return what happened to one incident, in order; `before` are the last values known, empty for a new one."""
    incident = next((s.values for s in snapshots if s.role == 0), None)
    activities = sorted((s for s in snapshots if s.role == 1), key=_order)
    if incident is None and not before:
        return []
    values, incident = dict(before), incident or {}
    found = [_opening(incident, activities, now)] if not before else []
    for step in found:
        values |= step.values
    for step in _steps(activities if before else _completed(incident, activities), values, incident):
        values |= step.values
        found.append(step)
    return found + _closing(incident, values, found[-1].at if found else None, now)


def _order(activity: Snapshot) -> tuple[str, int, str, int]:
    name = activity.event.casefold()
    return (activity.order[1], _RANKS.get(name, _OTHER_RANK), name, activity.line)


def _opening(incident: Map[str, Any], activities: Sequence[Snapshot], now: datetime) -> Step:
    """The incident as it was opened: its facts without what only its end made known."""
    known = {name: value for name, value in incident.items() if name not in _FINAL}
    group = activities[0].values.get("group") if activities else None
    state = "assigned" if group else "new"
    known_at = [at for at in (incident.get("opened_at"), activities[0].at if activities else None) if at]
    return Step(min(known_at, default=now), "", "", {**known, **_UNDONE, "group": group, "state": state})


def _completed(incident: Map[str, Any], activities: Sequence[Snapshot]) -> list[Snapshot]:
    """Put a milestone where the incident says that there was one, unless the log tells it."""
    told = [(event, at) for event, name in _MILESTONES.items() if activities and (at := incident.get(name))]
    made = [_milestone(activities[0], event, at) for event, at in told if _is_missing(event, at, activities)]
    return sorted([*activities, *made], key=_order)


def _milestone(model: Snapshot, event: str, at: datetime) -> Snapshot:
    """Return an activity that the log lacks: of nobody's group, and without a position."""
    return replace(model, at=at, order=(0, at.isoformat()), event=event, position="", values={})


def _is_missing(event: str, at: datetime, activities: Sequence[Snapshot]) -> bool:
    """Say whether the log tells nothing of a milestone: no reopening near it, no end near or after it."""
    own = [a.at for a in activities if a.at and a.event.casefold() == event.casefold()]
    return all(abs(each - at) > _NEAR if event == "Reopen" else each < at - _NEAR for each in own)


def _steps(activities: Sequence[Snapshot], before: Map[str, Any], incident: Map[str, Any]) -> list[Step]:
    found: list[Step] = []
    values = dict(before)
    last_close = max((i for i, a in enumerate(activities) if a.event.casefold() == "closed"), default=-1)
    for i, activity in enumerate(activities):
        changes = _changes(activity, values)
        if i == last_close and incident.get("state") == "closed":
            changes |= {name: incident[name] for name in ("closed_at", "resolution_code", "resolved_at") if incident.get(name)}
        changes = {name: value for name, value in changes.items() if values.get(name) != value}
        if changes or activity.position:  # a milestone that changes nothing was none
            found.append(_step(activity, changes))
        values |= changes
    return found


def _changes(activity: Snapshot, values: Map[str, Any]) -> dict[str, Any]:
    name, state = activity.event.casefold(), values.get("state")
    changes: dict[str, Any] = {"group": activity.values["group"]} if activity.values.get("group") else {}
    if name == "reopen":
        if not activity.position and state not in _ENDED:
            return {}
        return {**changes, **_UNDONE, "state": "in_progress"}
    if name == "closed":
        return {**changes, "state": "closed", "hold_reason": "", "closed_at": activity.at}
    if state in ("closed", "cancelled"):
        return changes
    if name == "resolved":
        return {**changes, "state": "resolved", "hold_reason": "", "resolved_at": activity.at}
    if state == "resolved":
        return changes
    if name in _HELD:
        return {**changes, "state": "on_hold", "hold_reason": "vendor"}
    if name == "status change":
        return {**changes, "state": "in_progress", "hold_reason": ""}
    return {**changes, "state": "assigned"} if name in ("assignment", "reassignment") and state == "new" else changes


def _step(activity: Snapshot, changes: dict[str, Any]) -> Step:
    name = activity.event.casefold()
    at = activity.at
    if at is None:
        raise ValueError("an activity has an instant: its mapping requires the column")
    if name in PUBLIC:
        return Step(at, activity.position, "", changes, verb="ticket.commented", note=activity.event)
    if name in _RANKS and changes:
        return Step(at, activity.position, "", changes)
    return Step(at, activity.position, "", changes, verb="ticket.noted", note=activity.event or "Activity", private=True)


def _closing(incident: Map[str, Any], values: Map[str, Any], last: datetime | None, now: datetime) -> list[Step]:
    """What the incident's row says that its activities did not, not before the `last` of them.

    A row that is silent about the resolution of what has ended leaves what the log says of it.
    """
    known = {name: value for name, value in incident.items() if name not in ("group", "reopened_at")}
    if known.get("state") in _ENDED and known.get("resolved_at") is None:
        known.pop("resolved_at", None)
    missing = {name: value for name, value in known.items() if values.get(name) != value and (value is not None or name in values)}
    at = incident.get("closed_at") or incident.get("resolved_at") or now
    return [Step(max(at, last or at), "", "", missing)] if missing else []
