"""From a ticket's snapshots to what happened: the difference between one and the next; pure.

Final values. Some sources repeat on every row what became known only at the end (when it was resolved, by whom, with which
code). A mapping names them with the instant from which each is known; before it they are empty, so that history holds no
knowledge of the future. Where that instant itself is missing, they are known once the ticket is resolved or closed.
"""

from collections.abc import Mapping as Map
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pilothouse.connectors.engine.mapping import DETAIL_INSTANTS, INSTANTS, Snapshot

_DONE = ("resolved", "closed")
_TIMES = frozenset((*INSTANTS, *DETAIL_INSTANTS))
_BLANK: Map[str, Any] = {"resolution_code": "", "resolution_notes": ""}


@dataclass(slots=True)
class Step:
    """What one row says happened: the values that changed at an instant, who did it, and what was said."""

    at: datetime
    position: str
    author: str
    values: dict[str, Any]
    verb: str = ""
    note: str = ""
    private: bool = False


def known_then(values: Map[str, Any], at: datetime | None, final: Map[str, str]) -> dict[str, Any]:
    """Return a snapshot's values without the final ones that were not known yet at `at` (None: everything is known)."""
    known = dict(values)
    if at is not None:
        known |= {name: _BLANK.get(name) for name, since in final.items() if name in values and not _is_known(values, at, since)}
    return known


def _is_known(values: Map[str, Any], at: datetime, since: str) -> bool:
    instant = values.get(since)
    return instant <= at if instant is not None else values.get("state") in _DONE


def steps(snapshots: Sequence[Snapshot], before: Map[str, Any], final: Map[str, str], now: datetime) -> list[Step]:
    """Return what happened from `before` (the last values known, empty for a new ticket) through these snapshots, in order.

    The first step of a new ticket carries every value. A row without an instant happened now, or if it is the
    first, when its ticket was opened.
    """
    found: list[Step] = []
    last = dict(before)
    for snapshot in snapshots:
        values = known_then(snapshot.values, snapshot.at, final)
        # A name never met before is news only with a value.
        differing = {name: value for name, value in values.items() if last.get(name) != value}
        at = snapshot.at or (now if last else values.get("opened_at") or now)
        if differing or not last:
            found.append(Step(at, snapshot.position, snapshot.author, differing))
        last |= values
    return found


def written(values: Map[str, Any]) -> dict[str, Any]:
    """Return values as JSON keeps them; `read_back` is its inverse."""
    return {name: value.isoformat() if isinstance(value, datetime) else value for name, value in values.items() if value is not None}


def read_back(values: Map[str, Any]) -> dict[str, Any]:
    """Return values as they were before `written`, without those that were empty."""
    return {name: datetime.fromisoformat(value) if name in _TIMES else value for name, value in values.items()}
