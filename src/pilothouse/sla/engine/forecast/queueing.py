"""Queues as they stood at any past instant: who was in one, who was ahead, how much it got done; vectorised.

An interval is a while in which a ticket was in work in one group with one priority. How many of a queue's intervals held at an instant is
the number that had begun less the number that had ended; how many of them were ahead needs the same over a range of the queue's order,
which a wavelet matrix counts (Claude, Navarro: "The wavelet matrix", 2012).
"""

from dataclasses import dataclass

import numpy as np

from pilothouse.sla.engine.forecast.history import ENDED, HELD, NEVER, NOBODY, RESOLVED, WORKING, Floats, History, Ints

_SHIFT = 42  # instants take the low bits of a key, the queue the high ones
DAY = 86_400


def key(queue: Ints, at: Ints) -> Ints:
    """Return one number that sorts by queue, then instant."""
    return ((queue + 1) << _SHIFT) + at


@dataclass(frozen=True, slots=True)
class Whiles:
    """The intervals in which tickets were in a queue: [since, until)."""

    ticket: Ints
    queue: Ints
    priority: Ints
    since: Ints
    until: Ints


def whiles(history: History, queue: Ints) -> Whiles:
    """Return the intervals in which each ticket was in work in one queue (groups or assignees) with one priority."""
    inside = (history.stage == WORKING) & (queue != NOBODY)
    same = np.r_[False, (history.ticket[1:] == history.ticket[:-1]) & (queue[1:] == queue[:-1]) & inside[1:] & inside[:-1]]
    same[1:] &= history.priority[1:] == history.priority[:-1]
    begins = np.flatnonzero(inside & ~same)
    ends = np.flatnonzero(inside & ~np.r_[same[1:], False])  # the last event of each interval
    return Whiles(history.ticket[begins], queue[begins], history.priority[begins], history.at[begins], history.until[ends])


def inside_at(spans: Whiles, queue: Ints, at: Ints) -> Ints:
    """Count the tickets in each queue at each instant; what began or ended at that very second has done so."""
    begun = _count_upto(np.sort(key(spans.queue, spans.since)), queue, at)
    return begun - _count_upto(np.sort(key(spans.queue, np.minimum(spans.until, NEVER))), queue, at)


def _count_upto(keys: Ints, queue: Ints, at: Ints) -> Ints:
    """Count a queue's instants up to and with `at`."""
    found = np.searchsorted(keys, key(queue, at), "right") - np.searchsorted(keys, key(queue, np.zeros_like(at)), "left")
    return np.where(queue == NOBODY, 0, found)


def ahead_at(history: History, spans: Whiles, asking: "Asking") -> Ints:
    """Count the tickets of the same queue at that instant that come before: of a higher priority, or of the same and opened earlier."""
    order = np.lexsort((spans.ticket, history.opened[spans.ticket], spans.priority, spans.queue))
    begin, end = _places(history, spans, order, asking)
    begun = count_less(spans.since[order], begin, end, asking.at + 1)
    return begun - count_less(spans.until[order], begin, end, asking.at + 1)


@dataclass(frozen=True, slots=True)
class Asking:
    """Who asks for a place in a queue, and when."""

    ticket: Ints
    queue: Ints
    priority: Ints
    at: Ints


def _places(history: History, spans: Whiles, order: Ints, asking: Asking) -> tuple[Ints, Ints]:
    """Return, of each asker, where its queue begins in the order and where its own place in it is."""
    age = np.empty(len(history.ids), np.int64)
    age[np.lexsort((np.arange(len(age)), history.opened))] = np.arange(len(age))  # the rank of each ticket by opening
    ranked = _rank_key(spans.queue, spans.priority, age[spans.ticket])[order]
    begin = np.searchsorted(ranked, _rank_key(asking.queue, np.zeros_like(asking.priority), np.zeros_like(asking.ticket)))
    end = np.searchsorted(ranked, _rank_key(asking.queue, asking.priority, age[asking.ticket]))
    return np.where(asking.queue == NOBODY, 0, begin), np.where(asking.queue == NOBODY, 0, end)


def _rank_key(queue: Ints, priority: Ints, age: Ints) -> Ints:
    return ((queue + 1) << 36) + (priority << 32) + age


def count_less(values: Ints, begin: Ints, end: Ints, limit: Ints) -> Ints:
    """Count, for each query, the values at [begin, end) that are less than its limit.

    >>> count_less(np.array([5, 1, 4, 1, 3]), np.array([0, 1]), np.array([5, 3]), np.array([4, 2]))
    array([3, 1])
    """
    ranked = np.sort(values)
    ranks, wanted = np.searchsorted(ranked, values), np.searchsorted(ranked, limit)
    begin, end, found = begin.astype(np.int64), end.astype(np.int64), np.zeros(len(begin), np.int64)
    for bit in reversed(range(len(values).bit_length())):
        one = (ranks >> bit) & 1
        zeros = np.r_[0, np.cumsum(1 - one)]
        zero_begin, zero_end = zeros[begin], zeros[end]
        right = ((wanted >> bit) & 1) == 1
        found += np.where(right, zero_end - zero_begin, 0)
        begin = np.where(right, begin - zero_begin + zeros[-1], zero_begin)
        end = np.where(right, end - zero_end + zeros[-1], zero_end)
        ranks = np.concatenate([ranks[one == 0], ranks[one == 1]])
    return found


@dataclass(frozen=True, slots=True)
class Flow:
    """What went into and out of queues: sorted keys of queue and instant."""

    came: Ints
    done: Ints
    begins: int


def flow(history: History) -> Flow:
    """Return when groups got tickets and when they got them done (resolved or closed out of work)."""
    was_stage, was_group = history.before(history.stage, RESOLVED), history.before(history.group, NOBODY)
    done = ((history.stage == RESOLVED) | (history.stage == ENDED)) & (was_stage <= HELD) & ~history.starts
    group = np.where(history.group == NOBODY, was_group, history.group)
    came = (history.group != NOBODY) & (history.group != was_group) & (history.stage <= HELD)
    return Flow(np.sort(key(history.group[came], history.at[came])), np.sort(key(group[done], history.at[done])), history.begins)


def a_day(keys: Ints, begins: int, queue: Ints, at: Ints, days: int) -> Floats:
    """Return how many a day in the last so many days before each instant, or in as many as are on record (at least one)."""
    since = np.maximum(at - days * DAY, begins - 1)
    found = np.searchsorted(keys, key(queue, at), "right") - np.searchsorted(keys, key(queue, np.maximum(since, 0)), "right")
    spans = np.clip((at - begins) / DAY, 1.0, days)
    rate: Floats = np.where(queue == NOBODY, 0.0, found / spans)
    return rate
