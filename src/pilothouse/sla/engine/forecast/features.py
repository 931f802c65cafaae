"""What was known of a ticket at a moment, as numbers: the matrix that the trees read.

Everything here is computed from events at or before the moment; tests alter all that comes after and see the same bits.
Of the ticket's own events those up to the moment's event count, of other tickets' all that happened by that second.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from pilothouse.sla.engine.forecast import queueing
from pilothouse.sla.engine.forecast.history import (
    HELD,
    NEVER,
    NOBODY,
    RESOLVED,
    WORKING,
    Flags,
    Floats,
    History,
    Ints,
    Moments,
    added,
    running_total,
)
from pilothouse.sla.engine.forecast.moments import Progress, progress, used_at
from pilothouse.sla.engine.forecast.queueing import DAY
from pilothouse.sla.engine.forecast.rates import Table, rates_by_table, rates_then

HOUR = 3600.0
RECENT_DAYS, FLOW_DAYS = 2, 14
_LONGEST = 10_000.0  # days: a wait without end

# Of each feature: the factor it belongs to, in the words of a reason.
THEMES: Mapping[str, str] = {
    "share_used": "time",
    "left_hours": "time",
    "left_calendar_hours": "time",
    "target_hours": "time",
    "age_hours": "time",
    "priority": "priority",
    "queue_length": "queue",
    "ahead": "queue",
    "done_a_day": "queue",
    "done_a_day_recent": "queue",
    "came_a_day_recent": "queue",
    "wait_days": "queue",
    "wait_of_left": "queue",
    "assignee_load": "assignee",
    "has_assignee": "assignee",
    "has_group": "queue",
    "is_running": "holds",
    "reassignments": "moves",
    "bounces": "moves",
    "reopens": "moves",
    "hours_in_group": "moves",
    "updates": "updates",
    "hours_since_update": "updates",
    "holds": "holds",
    "hold_hours": "holds",
    "is_held": "holds",
    "hour": "hour",
    "weekday": "hour",
    "opened_hour": "hour",
    "opened_weekday": "hour",
}
RATE = "rate:"  # the rest: how often tickets of the same value have breached


@dataclass(frozen=True, slots=True)
class Features:
    """A row a moment, a column a feature; `queue` has what the reason in words says of queues."""

    names: Sequence[str]
    values: Floats

    def column(self, name: str) -> Floats:
        """Return one feature of every moment."""
        return self.values[:, list(self.names).index(name)]


def theme(name: str) -> str:
    """Return the factor a feature belongs to.

    >>> theme("bounces"), theme("rate:category")
    ('moves', 'category')
    """
    return THEMES.get(name) or name.removeprefix(RATE)


@dataclass(frozen=True, slots=True)
class Ground:
    """What is computed once of a history, whatever the moments: how far clocks are, what had happened to each ticket, the queues."""

    at_events: Progress
    reassignments: Ints
    bounces: Ints
    reopens: Ints
    holds: Ints
    held_seconds: Ints
    in_group_since: Ints
    groups: queueing.Whiles
    assignees: queueing.Whiles
    flow: queueing.Flow


def ground(history: History) -> Ground:
    """Return what every moment's features are read from."""
    was_group = history.before(history.group, NOBODY)
    arrived = (history.group != was_group) & (history.group != NOBODY)
    was_stage = history.before(history.stage, WORKING)
    until = history.until
    held = np.where((history.stage == HELD) & (until < NEVER), until - history.at, 0)
    return Ground(
        progress(history),
        running_total(history, (arrived & (was_group != NOBODY)).astype(np.int64)),
        running_total(history, _returns(history, arrived)),
        running_total(history, ((was_stage >= RESOLVED) & (history.stage <= HELD)).astype(np.int64)),
        running_total(history, ((history.stage == HELD) & (was_stage != HELD)).astype(np.int64)),
        running_total(history, held) - held,
        _since(history, history.group != was_group),
        queueing.whiles(history, history.group),
        queueing.whiles(history, history.assignee),
        queueing.flow(history),
    )


def _returns(history: History, arrived: Flags) -> Ints:
    """Mark the events by which a ticket came back to a group that had had it before."""
    places = np.flatnonzero(arrived)
    pairs = (history.ticket[places] << 24) + history.group[places] % (1 << 24)
    _, firsts = np.unique(pairs, return_index=True)
    found = np.zeros(len(history.at), np.int64)
    found[places] = 1
    found[places[firsts]] = 0
    return found


def _since(history: History, changed: Flags) -> Ints:
    """Return, at each event, the instant of the last event that is marked, or of the ticket's first."""
    marks = np.where(changed | history.starts, np.arange(len(history.at)), 0)
    return history.at[np.maximum.accumulate(marks)] if len(marks) else history.at


def features(history: History, known: Ground, moments: Moments, *, carried: Table | None = None, until: int | None = None) -> Features:
    """Return the features of moments. Breach rates come from a model's table, or as known then (and not after `until`)."""
    rates = rates_by_table(history, moments, carried) if carried else rates_then(history, moments, until)
    columns: dict[str, Floats | Ints] = {
        **_time(history, known, moments),
        **_story(history, known, moments),
        **_queue(history, known, moments),
        **{RATE + fact: values for fact, values in rates.items()},
    }
    left = np.maximum(np.asarray(columns["left_calendar_hours"]) / 24, 0.01)
    columns["wait_of_left"] = np.minimum(np.asarray(columns["wait_days"]) / left, _LONGEST)
    return Features(list(columns), np.column_stack([np.asarray(c, np.float64) for c in columns.values()]))


def _time(history: History, known: Ground, moments: Moments) -> dict[str, Floats | Ints]:
    event, ticket = moments.event, history.ticket[moments.event]
    target, used = history.target[event], used_at(history, known.at_events, moments)
    left = np.maximum(target - used, 0)
    due = added(history, ticket, moments.at, left)
    opened = history.opened[ticket]
    return {
        "share_used": np.where(target > 0, used / np.maximum(target, 1), np.nan),
        "left_hours": np.where(target > 0, left / HOUR, np.nan),
        "left_calendar_hours": np.where((target > 0) & (due >= 0), (due - moments.at) / HOUR, np.nan),
        "target_hours": np.where(target > 0, target / HOUR, np.nan),
        "age_hours": (moments.at - opened) / HOUR,
        "hour": moments.at % DAY // 3600,
        "weekday": (moments.at // DAY + 3) % 7,
        "opened_hour": opened % DAY // 3600,
        "opened_weekday": (opened // DAY + 3) % 7,
    }


def _story(history: History, known: Ground, moments: Moments) -> dict[str, Floats | Ints]:
    event = moments.event
    held = history.stage[event] == HELD
    return {
        "priority": history.priority[event],
        "reassignments": known.reassignments[event],
        "bounces": known.bounces[event],
        "reopens": known.reopens[event],
        "updates": event - history.first[history.ticket[event]],
        "holds": known.holds[event],
        "hold_hours": (known.held_seconds[event] + np.where(held, moments.at - history.at[event], 0)) / HOUR,
        "is_held": held.astype(np.int64),
        "is_running": history.counts[event].astype(np.int64),
        "hours_in_group": (moments.at - known.in_group_since[event]) / HOUR,
        "hours_since_update": (moments.at - history.at[event]) / HOUR,
    }


def _queue(history: History, known: Ground, moments: Moments) -> dict[str, Floats | Ints]:
    event, at = moments.event, moments.at
    group, assignee = history.group[event], history.assignee[event]
    asking = queueing.Asking(history.ticket[event], group, history.priority[event], at)
    ahead = queueing.ahead_at(history, known.groups, asking)
    done = queueing.a_day(known.flow.done, known.flow.begins, group, at, FLOW_DAYS)
    return {
        "queue_length": queueing.inside_at(known.groups, group, at),
        "ahead": ahead,
        "done_a_day": done,
        "done_a_day_recent": queueing.a_day(known.flow.done, known.flow.begins, group, at, RECENT_DAYS),
        "came_a_day_recent": queueing.a_day(known.flow.came, known.flow.begins, group, at, RECENT_DAYS),
        "wait_days": np.where(ahead > 0, np.minimum(ahead / np.maximum(done, 1e-4), _LONGEST), 0.0),
        "assignee_load": queueing.inside_at(known.assignees, assignee, at),
        "has_assignee": (assignee != NOBODY).astype(np.int64),
        "has_group": (group != NOBODY).astype(np.int64),
    }
