"""The forecast on the organisation's own tickets: their lives as columns, training, judging what is open.

Columns come from the stored lives (sla_life), portion by portion; the resolution clocks are folded from the same lives by the clock
engine. Of a past moment a clock says only what it knew then: its mode by the edges up to it, its target by the priority of then.
"""

from array import array
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from multiprocessing import get_context
from typing import Any

import numpy as np
from django.db import connection, transaction

from pilothouse.platform.background import stand_back
from pilothouse.platform.statements import run
from pilothouse.sla import forecast_child, rulebook
from pilothouse.sla.engine import lives
from pilothouse.sla.engine.clock import RUNNING, Clock
from pilothouse.sla.engine.folding import fold
from pilothouse.sla.engine.forecast.features import FLOW_DAYS, features, ground
from pilothouse.sla.engine.forecast.history import (
    CANCELLED,
    ENDED,
    HELD,
    NEVER,
    NOBODY,
    RESOLVED,
    UNKNOWN,
    WORKING,
    History,
    Hours,
    Ints,
)
from pilothouse.sla.engine.forecast.model import Model
from pilothouse.sla.engine.forecast.moments import at_instant, used_at
from pilothouse.sla.engine.forecast.reasons import by_rule, reasons
from pilothouse.sla.engine.forecast.training import BREACHES_AT_LEAST, ENDED_AT_LEAST, Trained
from pilothouse.sla.engine.lives import START, Event, seconds
from pilothouse.sla.engine.measuring import measure, seconds_of
from pilothouse.sla.engine.rules import Candidate
from pilothouse.sla.models import ForecastModel
from pilothouse.tickets.engine.lifecycle import OPEN_STATES

LEARNT_AT_MOST = 60_000  # tickets, the newest
_OPEN_AT_MOST = 200_000
_AT_ONCE = 2000
_STAGES = {"on_hold": HELD, "resolved": RESOLVED, "closed": ENDED, "cancelled": CANCELLED}  # every other is in work
_FACTS: Mapping[str, str] = {
    "kind": "kind",
    "channel": "channel",
    "category": "category",
    "subcategory": "subcategory",
    "service": "service_id",
    "ci": "ci_id",
    "hold_reason": "hold_reason",
    "requester": "requester_id",
    "opened_by": "opened_by_id",
    "group": "group_id",
    "assignee": "assignee_id",
}


_Seen = tuple[Event, int, Candidate | None]  # an event, the priority after it, and which target had won then


class _Codes:
    """Values of a fact and the numbers that stand for them; nothing is NOBODY."""

    def __init__(self) -> None:
        self.known: dict[Any, int] = {}

    def of(self, value: Any) -> int:
        return NOBODY if value in (None, "") else self.known.setdefault(value, len(self.known))

    @property
    def names(self) -> list[str]:
        return [str(value) for value in self.known]


_PLACES = {path: place for place, path in enumerate(_FACTS.values())}
_ROW = ("ticket", "at", "stage", "priority", *_FACTS)
_CLOCK_ROW = ("counts", "target")
_TICKET_ROW = ("ids", "opened", "breached", "decided", "schedule")


@dataclass(slots=True)
class _Columns:
    """The columns of a history while lives are read: rows one after another, as plain numbers."""

    now: int
    codes: list[_Codes] = field(default_factory=lambda: [_Codes() for _ in _FACTS])
    rows: "array[int]" = field(default_factory=lambda: array("q"))
    clocked: "array[int]" = field(default_factory=lambda: array("q"))
    tickets: "array[int]" = field(default_factory=lambda: array("q"))
    count: int = 0
    hours: list[Hours] = field(default_factory=list)
    places: dict[int | None, int] = field(default_factory=dict)

    def add(self, ticket: int, life: Sequence[Event], own: Sequence[Clock], known: rulebook.Known) -> None:
        """Add a ticket: its events, and what its resolution clocks (in order of their ends) said after each."""
        snapshot, facts, seen = dict(START), [NOBODY] * len(_FACTS), list[_Seen]()
        rules = known.rulebook.at(life[0].at)
        for event in life:
            snapshot.update(event.changes)
            for path, value in event.changes.items():
                if (place := _PLACES.get(path)) is not None:
                    facts[place] = self.codes[place].of(value)
            self.rows.extend((self.count, event.at, _stage(snapshot), snapshot["priority"], *facts))
            winner = rules.decide(snapshot).winners.get("resolution") if own else None
            seen.append((event, snapshot["priority"], winner))
        for counts, target in _clocked(seen, own, known):
            self.clocked.extend((counts, target))
        self.tickets.extend((ticket, life[0].at, *_outcome(own, self.now), self._hours(own[0].original[1] if own else None, known)))
        self.count += 1

    def _hours(self, schedule: int | None, known: rulebook.Known) -> int:
        if schedule not in self.places:
            self.places[schedule] = len(self.hours)
            self.hours.append(known.hours[schedule])
        return self.places[schedule]

    def history(self, begins: int) -> History:
        """Return what was gathered."""
        rows, tickets, clocked = _split(self.rows, _ROW), _split(self.tickets, _TICKET_ROW), _split(self.clocked, _CLOCK_ROW)
        names = {name: codes.names for name, codes in zip(_FACTS, self.codes, strict=True)}
        facts = {name: rows.pop(name) for name in _FACTS if name not in ("group", "assignee")}
        more: dict[str, Any] = {**rows, **tickets, "counts": clocked["counts"].astype(bool), "target": clocked["target"]}
        return History(**more, facts=facts, names=names, hours=tuple(self.hours), begins=begins)


def _split(numbers: "array[int]", names: Sequence[str]) -> dict[str, Ints]:
    table = np.frombuffer(numbers, np.int64).reshape(-1, len(names)) if numbers else np.zeros((0, len(names)), np.int64)
    return {name: np.ascontiguousarray(table[:, place]) for place, name in enumerate(names)}


def _stage(snapshot: Mapping[str, Any]) -> int:
    return CANCELLED if snapshot["merged_into_id"] is not None else _STAGES.get(snapshot["state"], WORKING)


def _clocked(seen: Sequence[_Seen], own: Sequence[Clock], known: rulebook.Known) -> Iterator[tuple[bool, int]]:
    """Give, after each event, whether the clock in force then was running, and its target under the priority of then (0: none).

    A clock counts from the ticket's start even when its agreement came to apply later; before that nobody knew of it.
    """
    if not own:
        yield from ((False, 0) for _ in seen)
        return
    targets: dict[tuple[int, int], int] = {}
    place = edge = 0
    for event, priority, winner in seen:
        while place < len(own) - 1 and (ended := own[place].ended) is not None and ended <= event.at:
            place, edge = place + 1, 0
        clock = own[place]
        while edge < len(clock.edges) and clock.edges[edge].seq <= event.seq:
            edge += 1
        if (place, priority) not in targets:
            targets[place, priority] = _target(clock, priority, known)
        is_known = winner is clock.candidate
        yield edge > 0 and clock.edges[edge - 1].mode == RUNNING, targets[place, priority] if is_known else 0


def _target(clock: Clock, priority: int, known: rulebook.Known) -> int:
    if priority not in clock.candidate.target.durations:
        return 0
    return seconds_of(clock.duration(priority), known.hours[clock.original[1]], clock.started)


def _outcome(own: Sequence[Clock], now: int) -> tuple[int, int]:
    """Return whether the target was missed, and since when that is known."""
    if not own:
        return UNKNOWN, int(NEVER)
    last = own[-1]
    if last.stage == "achieved" and last.ended is not None:
        return (1, last.due or last.ended) if last.breached else (0, last.ended)
    if last.is_living and last.due is not None and last.due < now:
        return 1, last.due
    return UNKNOWN, int(NEVER)


def _in_order(own: Sequence[Clock]) -> list[Clock]:
    return sorted(own, key=lambda clock: (clock.ended is None, clock.ended or 0, clock.turn))


def load(tickets: Sequence[int], now: int, begins: int, *, clocked: frozenset[int] | None = None) -> History:
    """Read the lives of these tickets as a history, in portions; with `clocked`, only theirs are measured (others only queue)."""
    known, columns = rulebook.current(), _Columns(now)
    for first in range(0, len(tickets), _AT_ONCE):
        portion = _lives(tickets[first : first + _AT_ONCE])
        folded: dict[int, list[Clock]] = {ticket: [] for ticket, _ in portion}
        wanted = [each for each in portion if clocked is None or each[0] in clocked]
        for clock in _resolutions(wanted, known):
            folded[clock.ticket].append(clock)
        for ticket, life in portion:
            columns.add(ticket, life, _in_order(folded[ticket]), known)
    return columns.history(begins)


def _lives(tickets: Sequence[int]) -> list[tuple[int, list[Event]]]:
    sql = "SELECT ticket_id, events FROM sla_life WHERE ticket_id = ANY(%s::bigint[]) ORDER BY ticket_id"
    found = ((ticket, lives.read(bytes(events))) for ticket, events in run(sql, ([*tickets],)))
    return [(ticket, life) for ticket, life in found if life]


def _resolutions(portion: Sequence[tuple[int, list[Event]]], known: rulebook.Known) -> list[Clock]:
    if known.is_empty:
        return []
    found = [clock for ticket, life in portion for clock in fold(ticket, life, known.rulebook) if clock.kind == "resolution"]
    measure(found, known.hours)
    return found


_LEARNT = "SELECT ticket_id FROM sla_life ORDER BY opened_at DESC LIMIT %s"
_OPEN = "SELECT id FROM tickets_ticket WHERE state = ANY(%s) ORDER BY id DESC LIMIT %s"
_LATELY = "SELECT id FROM tickets_ticket WHERE updated_at >= %s AND NOT state = ANY(%s)"
_BEGINS = "SELECT min(opened_at) FROM sla_life"
_ENDED = "SELECT count(*), count(*) FILTER (WHERE breached) FROM sla_clock WHERE kind = 'resolution' AND ended_at IS NOT NULL"


def ended_clocks() -> tuple[int, int]:
    """Return how many resolution clocks have ended, and how many of them breached."""
    row = run(_ENDED, ()).fetchone() or (0, 0)
    return int(row[0]), int(row[1])


def learnt_from(now: datetime) -> History:
    """Return the history that a model is trained on: the newest tickets, and what is open."""
    newest = {row[0] for row in run(_LEARNT, (LEARNT_AT_MOST,))} | set(_open())
    found = load(sorted(newest), seconds(now), 0)
    return replace(found, begins=int(found.opened.min()) if len(found.opened) else 0)


def trained(now: datetime) -> Trained:
    """Train on what there is, in a process of its own: the libraries that training needs are large, and this one lives on.

    Without the outcomes that a model needs nothing is read.
    """
    ended, breaches = ended_clocks()
    if ended < ENDED_AT_LEAST or breaches < BREACHES_AT_LEAST:
        there = f"{ended:,} tickets with an outcome and {breaches:,} breaches"
        why = f"Too little history: {there}; a model needs {ENDED_AT_LEAST} and {BREACHES_AT_LEAST}."
        counts = {"ended": ended, "breaches": breaches}
        return Trained(None, {"counts": counts, "ended_clocks": ended}, is_used=False, why=why)
    history = learnt_from(now)
    with ProcessPoolExecutor(1, mp_context=get_context("spawn"), initializer=stand_back) as alone:
        found = alone.submit(forecast_child.train, history, seconds(now)).result()
    return replace(found, report={**found.report, "ended_clocks": ended})


def _open() -> list[int]:
    return [row[0] for row in run(_OPEN, (list(OPEN_STATES), _OPEN_AT_MOST))]


@dataclass(frozen=True, slots=True)
class Judgement:
    """What the forecast says of one ticket."""

    ticket: int
    probability: float
    reason: str
    by_model: bool


def judge_open(now: datetime) -> list[Judgement]:
    """Judge every open ticket with a living resolution clock: by the model in use, else by the share of its time that is used."""
    at = seconds(now)
    rows = run("SELECT DISTINCT ticket_id FROM sla_clock WHERE kind = 'resolution' AND stage IN ('running', 'paused')", ())
    judged = frozenset(row[0] for row in rows)
    if not judged:
        return []
    since = now - timedelta(days=FLOW_DAYS)
    lately = [row[0] for row in run(_LATELY, (since, list(OPEN_STATES)))]
    begins = run(_BEGINS, ()).fetchone()
    history = load(sorted({*judged, *_open(), *lately}), at, seconds(begins[0]) if begins and begins[0] else at, clocked=judged)
    return _judge(history, at, model_in_use())


def _judge(history: History, now: int, model: Model | None) -> list[Judgement]:
    known = ground(history)
    moments = at_instant(history, now)
    event = moments.event
    moments = moments.only((history.stage[event] <= HELD) & (history.target[event] > 0))
    found = features(history, known, moments, carried=model.carried if model else None)
    past = used_at(history, known.at_events, moments) > history.target[moments.event]
    judged = model.judge(found) if model else None
    probability = np.where(past, 1.0, judged.probability if judged else by_rule(found.column("share_used")))
    ids = history.ids[history.ticket[moments.event]]
    told = reasons(found, past, judged)
    return [
        Judgement(ticket, share, reason, judged is not None)
        for ticket, share, reason in zip(ids.tolist(), probability.tolist(), told, strict=True)
    ]


def model_in_use() -> Model | None:
    """Return the model that judges, None while the rule stands in."""
    row = ForecastModel.objects.filter(is_used=True).order_by("-trained_at", "-pk").first()
    return Model.from_json(row.parameters) if row else None


_WRITE = """
INSERT INTO sla_forecast (ticket_id, probability, reason, by_model, judged_at)
SELECT t, p, r, m, %s FROM unnest(%s::bigint[], %s::float8[], %s::text[], %s::bool[]) j(t, p, r, m)
ON CONFLICT (ticket_id) DO UPDATE
SET probability = EXCLUDED.probability, reason = EXCLUDED.reason, by_model = EXCLUDED.by_model, judged_at = EXCLUDED.judged_at
"""


def write_forecasts(judged: Sequence[Judgement], now: datetime) -> None:
    """Replace the table of forecasts by these, in one transaction. Computed, so not journalled."""
    columns = (
        [each.ticket for each in judged],
        [each.probability for each in judged],
        [each.reason for each in judged],
        [each.by_model for each in judged],
    )
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext('sla_forecast'))")  # two that judge at once would deadlock
        cursor.execute(_WRITE, [now, *columns])
        cursor.execute("DELETE FROM sla_forecast WHERE NOT ticket_id = ANY(%s)", [columns[0]])


def refresh(now: datetime) -> int:
    """Judge what is open and write it down; returns how many tickets."""
    judged = judge_open(now)
    write_forecasts(judged, now)
    return len(judged)


RETRAINED_AFTER = timedelta(days=7)
GROWN_SHARE = 0.10


def is_due(now: datetime) -> bool:
    """Say whether it is time to train: never yet, a week ago, or a tenth more tickets have ended since."""
    last = ForecastModel.last_trained()
    ended, _ = ended_clocks()
    if last is None:
        return ended > 0
    before = int(last.report.get("ended_clocks", 0))
    return now - last.trained_at >= RETRAINED_AFTER or ended > before * (1 + GROWN_SHARE)
