"""The public ServiceNow incident log (UCI data set 498) as a forecast's history.

Of a row only what was known at its instant (`sys_updated_at`) is read. `resolved_at`, `closed_at` and `closed_code`, which stand on
every row as they came out in the end, are not read. The label is `made_sla` of the row that closes the ticket, known from that row on.

The log names no target durations. They are taken from tickets that were closed before the cut: for each priority the duration
from opening to closing that best separates kept from missed (the highest balanced accuracy; `Log.targets`). A priority without both
outcomes gets the moderate one's.
"""

import csv
import gzip
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

import numpy as np

from pilothouse.sla.engine.forecast.history import (
    ENDED,
    HELD,
    NEVER,
    NOBODY,
    RESOLVED,
    UNKNOWN,
    WORKING,
    AlwaysOpen,
    Flags,
    History,
    Ints,
)

LOG = Path(__file__).parents[2] / "shared" / "data" / "uci-servicenow-incident-log" / "incident_event_log.csv.gz"
TRAINED_SHARE = 0.7
_STAGES = {"New": WORKING, "Active": WORKING, "Resolved": RESOLVED, "Closed": ENDED}  # every other state awaits something
_FACTS = {
    "category": "category",
    "subcategory": "subcategory",
    "symptom": "u_symptom",
    "channel": "contact_type",
    "site": "location",
    "requester": "caller_id",
    "opened_by": "opened_by",
    "hold_reason": "incident_state",
}
Row = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Log:
    """The log: its history with outcomes as they came out in the end, and where the first 70 % of tickets by opening end."""

    history: History
    cut: int
    targets: Mapping[int, int]  # priority -> seconds, estimated from what was closed before the cut

    @property
    def tested(self) -> Flags:
        """Which tickets were opened after the cut."""
        return self.history.opened >= self.cut


def read_log(path: Path = LOG) -> Log:
    """Read the log and estimate its targets."""
    return log_of(list(_rows(path)))


def _rows(path: Path) -> Iterator[Row]:
    with gzip.open(path, "rt", encoding="latin-1", newline="") as stream:
        yield from csv.DictReader(stream)


def log_of(rows: Sequence[Row]) -> Log:
    """Make the log of its rows; in any order of tickets."""
    ordered = sorted(rows, key=lambda row: (row["number"], _instant(row["sys_updated_at"]), int(row["sys_mod_count"])))
    history = _history(ordered)
    cut = int(np.sort(history.opened)[int(len(history.ids) * TRAINED_SHARE)])
    targets = _targets(history, cut)
    target = np.array([targets[int(p)] for p in history.priority], np.int64)
    return Log(replace(history, target=target), cut, targets)


@cache
def _instant(text: str) -> int:
    return int(datetime.strptime(text, "%d/%m/%Y %H:%M").replace(tzinfo=UTC).timestamp())


def _codes(values: Sequence[str]) -> tuple[Ints, list[str]]:
    names = sorted({value for value in values if value != "?"})
    places = {name: place for place, name in enumerate(names)}
    return np.array([places.get(value, NOBODY) for value in values], np.int64), names


def _history(rows: Sequence[Row]) -> History:
    numbers, ticket = np.unique([row["number"] for row in rows], return_inverse=True)
    starts = np.searchsorted(ticket, np.arange(len(numbers)))
    last = np.r_[starts[1:], len(rows)] - 1
    facts = {name: _codes([row[column] for row in rows]) for name, column in _FACTS.items()}
    group, groups = _codes([row["assignment_group"] for row in rows])
    assignee, assignees = _codes([row["assigned_to"] for row in rows])
    at = np.array([_instant(row["sys_updated_at"]) for row in rows], np.int64)
    stage = np.array([_STAGES.get(row["incident_state"], HELD) for row in rows], np.int64)
    opened = np.array([_instant(rows[i]["opened_at"]) for i in starts], np.int64)
    is_closed = stage[last] == ENDED
    return History(
        ids=np.arange(len(numbers)),
        opened=opened,
        breached=np.where(is_closed, np.array([rows[i]["made_sla"] == "false" for i in last], np.int64), UNKNOWN),
        decided=np.where(is_closed, at[last], NEVER),
        schedule=np.zeros(len(numbers), np.int64),
        ticket=ticket.astype(np.int64),
        at=at,
        stage=stage,
        counts=stage != ENDED,
        group=group,
        assignee=assignee,
        priority=np.array([int(row["priority"][0]) for row in rows], np.int64),
        target=np.zeros(len(rows), np.int64),
        facts={name: codes for name, (codes, _) in facts.items()},
        names={**{name: names for name, (_, names) in facts.items()}, "group": groups, "assignee": assignees},
        hours=(AlwaysOpen(),),
        begins=int(at.min()),
    )


def _targets(history: History, cut: int) -> dict[int, int]:
    last = np.r_[history.first[1:], len(history.at)] - 1
    known = (history.decided < cut) & (history.breached >= 0)
    lasted, priority = history.decided - history.opened, history.priority[last]
    found = {int(p): _best_split(lasted[known & (priority == p)], history.breached[known & (priority == p)]) for p in np.unique(priority)}
    moderate = found.get(3, 0) or next((seconds for seconds in found.values() if seconds), 0)
    return {p: seconds or moderate for p, seconds in found.items()} | {
        int(p): moderate for p in np.unique(history.priority) if int(p) not in found
    }


def _best_split(lasted: Ints, breached: Ints) -> int:
    """Return the duration above which tickets were missed, by the highest balanced accuracy; 0 where there is only one outcome."""
    if not 0 < breached.sum() < len(breached):
        return 0
    order = np.argsort(lasted, kind="stable")
    kept = np.cumsum(1 - breached[order]) / (1 - breached).sum()
    missed_below = np.cumsum(breached[order]) / breached.sum()
    best = int(np.argmax(kept - missed_below))
    return int(lasted[order][best])
