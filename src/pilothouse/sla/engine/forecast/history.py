"""The columns that a forecast learns from and judges by: what happened to tickets, one row an event.

Times are whole seconds since 1970 UTC, intervals half-open. A row carries what held from its instant until the ticket's next row;
rows are sorted by ticket, then time. A ticket's outcome is `breached` (1, 0, or UNKNOWN), known from `decided` on: when its clock
ended, or when it ran past the target, whichever came first.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

WORKING, HELD, RESOLVED, ENDED, CANCELLED = range(5)  # stages: in a queue, on hold, resolved, closed, cancelled or merged
UNKNOWN = -1
NOBODY = -1  # no group, no assignee, no value
NEVER = np.int64(1) << 40  # an instant after all others


class Hours(Protocol):
    """When clocks run (engine/business_time has the calendars)."""

    def elapsed_many(self, starts: Ints, ends: Ints) -> Ints:
        """Return the open seconds of each [start, end)."""
        ...

    def add_many(self, starts: Ints, seconds: Ints) -> Ints:
        """Return for each start the instant at which so many open seconds have passed, -1 where that never comes."""
        ...


class AlwaysOpen:
    """Around the clock."""

    def elapsed_many(self, starts: Ints, ends: Ints) -> Ints:
        return ends - starts

    def add_many(self, starts: Ints, seconds: Ints) -> Ints:
        return starts + seconds


@dataclass(frozen=True, slots=True)
class History:
    """Tickets, and what happened to them; every ticket has at least one event."""

    ids: Ints
    opened: Ints
    breached: Ints
    decided: Ints  # NEVER while the outcome is unknown
    schedule: Ints  # which of `hours` its clock runs by
    ticket: Ints  # of each event: the index of its ticket; rising
    at: Ints
    stage: Ints
    counts: Flags  # the clock runs from here on, in open hours
    group: Ints
    assignee: Ints
    priority: Ints
    target: Ints  # seconds of the target that held, 0: none
    facts: Mapping[str, Ints]  # other things known, as codes into `names`
    names: Mapping[str, Sequence[str]]  # of each fact, what its codes stand for
    hours: Sequence[Hours]
    begins: int  # since when tickets are on record

    @property
    def first(self) -> Ints:
        """The index of each ticket's first event."""
        return np.searchsorted(self.ticket, np.arange(len(self.ids))).astype(np.int64)

    @property
    def starts(self) -> Flags:
        """Whether an event is its ticket's first."""
        return np.r_[True, self.ticket[1:] != self.ticket[:-1]] if len(self.ticket) else np.zeros(0, bool)

    @property
    def until(self) -> Ints:
        """Until when each event's row holds: the instant of the ticket's next event, or NEVER."""
        if not len(self.at):
            return self.at
        return np.where(np.r_[self.ticket[1:] == self.ticket[:-1], False], np.r_[self.at[1:], NEVER], NEVER)

    def before(self, of: Ints, nothing: int) -> Ints:
        """Return a column's values one event earlier; `nothing` at a ticket's first."""
        return np.where(self.starts, nothing, np.r_[nothing, of[:-1]]) if len(of) else of


@dataclass(frozen=True, slots=True)
class Moments:
    """Instants in the lives of tickets: the ticket's last event by then, and the instant."""

    event: Ints
    at: Ints

    def __len__(self) -> int:
        return len(self.at)

    def only(self, wanted: Flags) -> "Moments":
        """Return those that are wanted."""
        return Moments(self.event[wanted], self.at[wanted])


def elapsed(history: History, tickets: Ints, starts: Ints, ends: Ints) -> Ints:
    """Return the open seconds of each [start, end) by the hours of each one's ticket."""
    return _by_hours(history, tickets, starts, ends, adding=False)


def added(history: History, tickets: Ints, starts: Ints, seconds: Ints) -> Ints:
    """Return when so many open seconds have passed since each start, by the hours of each one's ticket; -1: never."""
    return _by_hours(history, tickets, starts, seconds, adding=True)


def _by_hours(history: History, tickets: Ints, starts: Ints, others: Ints, *, adding: bool) -> Ints:
    schedule = history.schedule[tickets]
    found = np.zeros(len(starts), np.int64)
    for number in np.unique(schedule):
        own = schedule == number
        hours = history.hours[int(number)]
        found[own] = (hours.add_many if adding else hours.elapsed_many)(starts[own], others[own])
    return found


def running_total(history: History, values: Ints) -> Ints:
    """Return the sum of a ticket's values up to and with each event."""
    if not len(values):
        return values
    total = np.cumsum(values)
    first = history.first[history.ticket]
    return total - total[first] + values[first]
