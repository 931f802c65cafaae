"""From one row a ticket to what happened: the row shows the end, its times show the way there; pure.

A new ticket was opened at its opening time, unresolved; it was resolved and closed at the times the row gives, and had whatever
else the row says by its last update. A ticket known from an earlier import simply moves on to what the row says.
"""

from collections.abc import Mapping as Map
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from pilothouse.connectors.engine.mapping import Snapshot
from pilothouse.connectors.engine.snapshots import Step

_RESOLUTION = ("resolution_code", "resolution_notes")
_LATER = ("state", "hold_reason", "hold_until", "resolved_at", "closed_at", *_RESOLUTION)


def life(snapshots: Sequence[Snapshot], before: Map[str, Any], now: datetime) -> list[Step]:
    """Return what happened to one ticket through these rows, comments included, in order of time where it is new."""
    found: list[Step] = []
    values = dict(before)
    for snapshot in snapshots:
        made = _moved(snapshot, values, now) if values else _new(snapshot, now)
        for step in made:
            values |= step.values
        found += made
    return found


def _moved(snapshot: Snapshot, before: Map[str, Any], now: datetime) -> list[Step]:
    differing = {n: v for n, v in snapshot.values.items() if before.get(n) != v and (n in before or v is not None)}
    step = Step(snapshot.at or now, snapshot.position, snapshot.author, differing)
    return [*_comments(snapshot, now), *([step] if differing else [])]


def _new(snapshot: Snapshot, now: datetime) -> list[Step]:
    row = snapshot.values
    opened_at = row.get("opened_at") or snapshot.at or now
    start = {name: value for name, value in row.items() if name not in _LATER}
    start["state"] = "assigned" if row.get("group") or row.get("assignee") else "new"
    opening = Step(opened_at, "", str(row.get("opened_by") or ""), start)
    later = [*_comments(snapshot, now), *_resolved(snapshot), *_closed(snapshot)]
    steps = [opening, *sorted(later, key=lambda step: step.at)]
    known: dict[str, Any] = {}
    for step in steps:
        known |= step.values
    rest = {name: value for name, value in row.items() if known.get(name) != value and value not in (None, "")}
    last = max(step.at for step in steps)
    return [*steps, Step(max(snapshot.at or last, last), "", snapshot.author, rest)] if rest else steps


def _resolved(snapshot: Snapshot) -> list[Step]:
    row = snapshot.values
    if row.get("resolved_at") is None or row.get("state") not in ("resolved", "closed"):
        return []
    facts = {name: row[name] for name in _RESOLUTION if row.get(name)}
    return [Step(row["resolved_at"], "", snapshot.author, {"state": "resolved", "resolved_at": row["resolved_at"], **facts})]


def _closed(snapshot: Snapshot) -> list[Step]:
    row = snapshot.values
    if row.get("closed_at") is None or row.get("state") not in ("closed", "cancelled"):
        return []
    facts = {name: row[name] for name in _RESOLUTION if row.get(name)}
    # A ticket closed in the minute in which it was resolved keeps that order.
    at = max(row["closed_at"], row.get("resolved_at") or row["closed_at"])
    return [Step(at, "", snapshot.author, {"state": row["state"], "closed_at": row["closed_at"], **facts})]


def _comments(snapshot: Snapshot, now: datetime) -> list[Step]:
    return [Step(c.at or snapshot.at or now, c.position, c.author, {}, verb="ticket.commented", note=c.text) for c in snapshot.comments]
