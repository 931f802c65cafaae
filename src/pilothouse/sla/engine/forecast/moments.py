"""Which instants in a ticket's life are learnt from, and how far its clock is at each event."""

from dataclasses import dataclass

import numpy as np

from pilothouse.sla.engine.forecast.history import HELD, NEVER, WORKING, Flags, History, Ints, Moments, added, elapsed, running_total

SHARES = (0.1, 0.25, 0.4, 0.5, 0.6, 0.75, 0.9)
UPDATES_AT_MOST = 6  # learnt from in one ticket: one that is written to a hundred times is still one ticket


@dataclass(frozen=True, slots=True)
class Progress:
    """At each event: the seconds that count so far, and those until the ticket's next event."""

    used: Ints
    then: Ints


def progress(history: History) -> Progress:
    """Return how far clocks are at each event. Open seconds while the clock runs; a row that still holds counts none yet."""
    until = history.until
    closed = history.counts & (until < NEVER)
    then = np.zeros(len(history.at), np.int64)
    then[closed] = elapsed(history, history.ticket[closed], history.at[closed], until[closed])
    return Progress(running_total(history, then) - then, then)


def used_at(history: History, at_events: Progress, moments: Moments) -> Ints:
    """Return the seconds that count of each moment's clock."""
    event = moments.event
    running = history.counts[event]
    more = np.zeros(len(moments), np.int64)
    more[running] = elapsed(history, history.ticket[event][running], history.at[event][running], moments.at[running])
    return at_events.used[event] + more


def sampled(history: History, at_events: Progress) -> Moments:
    """Return moments to learn from: each opening, some updates, and when fixed shares of the target were used.

    Only of tickets with an outcome, while they were open and had a target that was not used up yet.
    """
    chosen = _spread(history)
    parts = [Moments(chosen, history.at[chosen]), *(_at_share(history, at_events, share) for share in SHARES)]
    moments = Moments(np.concatenate([p.event for p in parts]), np.concatenate([p.at for p in parts]))
    moments = moments.only(is_open(history, at_events, moments) & (history.breached[history.ticket[moments.event]] >= 0))
    order = np.lexsort((moments.at, history.ticket[moments.event]))
    return Moments(moments.event[order], moments.at[order])


def every_event(history: History) -> Moments:
    """Return the moment of each event."""
    return Moments(np.arange(len(history.at)), history.at)


def openings(history: History) -> Moments:
    """Return the moment of each ticket's first event."""
    return Moments(history.first, history.at[history.first])


def at_instant(history: History, now: int) -> Moments:
    """Return the moment `now` of each ticket that has begun by then."""
    upto = np.flatnonzero(history.at <= now)
    last = upto[np.r_[history.ticket[upto][1:] != history.ticket[upto][:-1], True]] if len(upto) else upto
    return Moments(last, np.full(len(last), now, np.int64))


def is_open(history: History, at_events: Progress, moments: Moments) -> Flags:
    """Say of each moment whether the ticket was unresolved and its target not used up yet, with a target to be judged by."""
    stage, target = history.stage[moments.event], history.target[moments.event]
    return (stage <= HELD) & (target > 0) & (used_at(history, at_events, moments) <= target)


def _spread(history: History) -> Ints:
    """Choose each ticket's first event and up to UPDATES_AT_MOST others, evenly."""
    first = history.first
    counts = np.diff(np.r_[first, len(history.at)])
    place = np.arange(len(history.at)) - first[history.ticket]
    last = np.maximum(counts[history.ticket] - 1, 1)
    step = place * UPDATES_AT_MOST // last
    before = (place - 1) * UPDATES_AT_MOST // last
    return np.flatnonzero((place == 0) | (step != before))


def _at_share(history: History, at_events: Progress, share: float) -> Moments:
    """Return when this share of the target that held was reached, where it was reached between two events."""
    wanted = np.ceil(history.target * share).astype(np.int64) - at_events.used
    found = np.flatnonzero(history.counts & (history.target > 0) & (wanted > 0) & (wanted < at_events.then) & (history.stage == WORKING))
    at = added(history, history.ticket[found], history.at[found], wanted[found])
    reached = at >= 0
    return Moments(found[reached], at[reached])
