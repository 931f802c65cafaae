"""Histories at random for the tests of the forecast, and the same history with another future."""

from dataclasses import replace

import numpy as np

from pilothouse.sla.engine.forecast.history import (
    CANCELLED,
    ENDED,
    HELD,
    NEVER,
    RESOLVED,
    UNKNOWN,
    WORKING,
    AlwaysOpen,
    Flags,
    History,
    Ints,
)

HOUR = 3600
_EVENT_COLUMNS = ("ticket", "at", "stage", "counts", "group", "assignee", "priority", "target")
_TICKET_COLUMNS = ("ids", "opened", "breached", "decided", "schedule")


class HalfDays:
    """Open from midnight to noon, UTC."""

    def elapsed_many(self, starts: Ints, ends: Ints) -> Ints:
        return self._open_before(ends) - self._open_before(starts)

    def add_many(self, starts: Ints, seconds: Ints) -> Ints:
        half = 12 * HOUR
        wanted = self._open_before(starts) + seconds
        days, rest = wanted // half, wanted % half
        at = np.where(rest == 0, (days - 1) * 2 * half + half, days * 2 * half + rest)
        return np.where(seconds == 0, starts, np.maximum(at, starts))

    @staticmethod
    def _open_before(at: Ints) -> Ints:
        half = 12 * HOUR
        return at // (2 * half) * half + np.minimum(at % (2 * half), half)


def history(seed: int, tickets: int = 300, *, groups: int = 4, days: int = 60) -> History:
    """Make tickets with lives at random; those of group 0, and those that wait long, breach more often than others."""
    draw = np.random.default_rng(seed)
    rows: list[tuple[int, ...]] = []
    opened = np.sort(draw.integers(0, days * 24 * HOUR, tickets))
    outcome, decided = np.full(tickets, UNKNOWN), np.full(tickets, NEVER)
    category = draw.integers(0, 5, tickets)
    for ticket in range(tickets):
        group, priority = int(draw.integers(-1, groups)), int(draw.integers(2, 5))
        slow = 0.4 + 1.2 * (group == 0) + 0.5 * (category[ticket] == 1)
        target = (4, 8, 24)[priority - 2] * HOUR
        at, used = int(opened[ticket]), 0
        rows.append((ticket, at, WORKING, 1, group, -1, priority, target))
        for _ in range(int(draw.integers(0, 5))):
            step = int(draw.exponential(target * slow / 4)) + 1
            used += step * rows[-1][3]
            at += step
            stage = HELD if draw.random() < 0.2 else WORKING
            group = int(draw.integers(0, groups)) if draw.random() < 0.3 else group
            rows.append((ticket, at, stage, int(stage == WORKING), group, int(draw.integers(-1, 6)), priority, target))
        step = int(draw.exponential(target * slow / 2)) + 1
        used, at = used + step * rows[-1][3], at + step
        stage = CANCELLED if draw.random() < 0.05 else RESOLVED
        rows.append((ticket, at, stage, 0, group, rows[-1][5], priority, target))
        if stage == RESOLVED:
            outcome[ticket], decided[ticket] = int(used > target), at
            rows.append((ticket, at + 24 * HOUR, ENDED, 0, group, rows[-1][5], priority, target))
    columns = dict(zip(_EVENT_COLUMNS, np.array(rows, np.int64).T, strict=True))
    return History(
        ids=np.arange(tickets) + 1000,
        opened=opened,
        breached=outcome.astype(np.int64),
        decided=decided.astype(np.int64),
        schedule=draw.integers(0, 2, tickets),
        counts=columns.pop("counts").astype(bool),
        facts={"category": category[columns["ticket"]]},
        names={"category": [f"category {number}" for number in range(5)]},
        hours=(AlwaysOpen(), HalfDays()),
        begins=0,
        **columns,
    )


def without(known: History, dropped: Flags) -> History:
    """Return a history without some events; a ticket whose events are all gone is gone."""
    kept = ~dropped
    there = np.unique(known.ticket[kept])
    number = np.full(len(known.ids), -1)
    number[there] = np.arange(len(there))
    events = {name: getattr(known, name)[kept] for name in _EVENT_COLUMNS}
    events["ticket"] = number[events["ticket"]]
    tickets = {name: getattr(known, name)[there] for name in _TICKET_COLUMNS}
    return replace(known, **events, **tickets, facts={name: values[kept] for name, values in known.facts.items()})


def with_another_future(known: History, now: int, seed: int) -> History:
    """Return the same tickets with everything after `now` made up anew: what happened, when, and how it came out."""
    draw = np.random.default_rng(seed)
    later, unknown = known.at > now, known.decided > now
    shuffled = draw.permutation(np.flatnonzero(later))
    columns = {}
    for name in ("stage", "counts", "group", "assignee", "priority", "target"):
        columns[name] = getattr(known, name).copy()
        columns[name][later] = columns[name][shuffled]
    at = known.at.copy()
    at[later] = now + 1 + draw.integers(0, 90 * 24 * HOUR, int(later.sum()))
    at = at[np.lexsort((at, known.ticket))]
    breached, decided = known.breached.copy(), known.decided.copy()
    breached[unknown] = draw.integers(-1, 2, int(unknown.sum()))
    decided[unknown] = np.where(breached[unknown] == UNKNOWN, NEVER, now + 1 + draw.integers(0, 10**6, int(unknown.sum())))
    facts = {name: np.where(later, values[draw.permutation(len(values))], values) for name, values in known.facts.items()}
    return replace(known, at=at, breached=breached, decided=decided, facts=facts, **columns)
