"""How often tickets of a kind breach against all tickets, as was known at each moment: among those whose outcome was known then.

1 is as often as all, 2 twice as often: what drifts for all drifts out of it, and so does that outcomes of tickets kept are known
sooner than those of others. A value seen rarely is drawn towards 1 (`PRIOR` tickets' weight). A model carries the counts that it
was trained with: what is judged by it is judged by what was known then.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from pilothouse.sla.engine.forecast.history import NOBODY, Floats, History, Ints, Moments
from pilothouse.sla.engine.forecast.queueing import key

PRIOR = 20.0
_SEEN = 5  # tickets of a value from which on a model carries it: less moves no rate
_STEP = 0.05  # a finer figure would tell trees the date, not the ticket


@dataclass(frozen=True, slots=True)
class Table:
    """Of each value of each fact: tickets with an outcome, and breaches among them; `""` names all tickets."""

    counts: Mapping[str, Mapping[str, tuple[int, int]]]

    @property
    def base(self) -> float:
        """The share of all tickets that breached."""
        number, breaches = self.counts[""][""]
        return (breaches + 1) / (number + 2)


def known_facts(history: History) -> dict[str, Ints]:
    """Return every fact by which tickets are alike, groups and assignees among them."""
    return {**history.facts, "group": history.group, "assignee": history.assignee}


def names_of(history: History, fact: str) -> "list[str]":
    """Return what the codes of a fact stand for; codes that are ids stand for themselves."""
    return list(history.names.get(fact, ()))


def rates_then(history: History, moments: Moments, until: int | None = None) -> dict[str, Floats]:
    """Return, for each fact, how often its value breaches against all, as known at each moment (and not after `until`)."""
    at = moments.at if until is None else np.minimum(moments.at, until)
    known = np.flatnonzero(history.breached >= 0)
    known = known[np.argsort(history.decided[known], kind="stable")]
    base = _base_then(history, known, at)
    last = _last_by(history, known)
    return {fact: _rate(history, values, known, last, moments, at, base) for fact, values in known_facts(history).items()}


def _base_then(history: History, known: Ints, at: Ints) -> Floats:
    count = np.searchsorted(history.decided[known], at, "right")
    breaches = np.r_[0, np.cumsum(history.breached[known])][count]
    base: Floats = (breaches + 1) / (count + 2)
    return base


def _last_by(history: History, tickets: Ints) -> Ints:
    """Return each ticket's last event by the instant at which its outcome was known (its first, when there is none)."""
    places = np.searchsorted(key(history.ticket, history.at), key(tickets, history.decided[tickets]), "right") - 1
    found: Ints = np.maximum(places, history.first[tickets])
    return found


def _rate(history: History, values: Ints, known: Ints, last: Ints, moments: Moments, at: Ints, base: Floats) -> Floats:
    theirs = values[last]
    keys = key(theirs, history.decided[known])
    order = np.argsort(keys, kind="stable")
    keys = keys[order]
    breaches = np.r_[0, np.cumsum(history.breached[known][order])]
    value = values[moments.event]
    end, begin = np.searchsorted(keys, key(value, at), "right"), np.searchsorted(keys, key(value, np.zeros_like(at)), "left")
    number, missed = end - begin, breaches[end] - breaches[begin]
    return np.where(value == NOBODY, np.nan, _stepped((missed + PRIOR * base) / (number + PRIOR) / base))


def _stepped(rates: Floats) -> Floats:
    found: Floats = np.round(rates / _STEP) * _STEP
    return found


def table(history: History) -> Table:
    """Return the counts as known at the end of a history, to be carried by a model."""
    known = np.flatnonzero(history.breached >= 0)
    last = _last_by(history, known)
    missed = history.breached[known]
    counts: dict[str, dict[str, tuple[int, int]]] = {"": {"": (len(known), int(missed.sum()))}}
    for fact, values in known_facts(history).items():
        names = names_of(history, fact)
        found, where = np.unique(values[last], return_inverse=True)
        number, breaches = np.bincount(where, minlength=len(found)), np.bincount(where, weights=missed, minlength=len(found))
        counts[fact] = {
            names[int(v)] if names else str(int(v)): (int(n), int(b))
            for v, n, b in zip(found, number, breaches, strict=True)
            if v != NOBODY and n >= _SEEN
        }
    return Table(counts)


def rates_by_table(history: History, moments: Moments, carried: Table) -> dict[str, Floats]:
    """Return, for each fact, how often its value breaches against all, by a table's counts."""
    return {fact: _by_table(history, fact, values[moments.event], carried) for fact, values in known_facts(history).items()}


def _by_table(history: History, fact: str, values: Ints, carried: Table) -> Floats:
    counts, names, base = carried.counts.get(fact, {}), names_of(history, fact), carried.base
    found, where = np.unique(values, return_inverse=True)
    rates = np.full(len(found), np.nan)
    for place, value in enumerate(found):
        if value != NOBODY:
            number, missed = counts.get(names[int(value)] if names else str(int(value)), (0, 0))
            rates[place] = (missed + PRIOR * base) / (number + PRIOR) / base
    return _stepped(rates)[where]
