"""What a candidate costs, and will cost in the next quarter if nothing is done."""

from dataclasses import dataclass

import numpy as np

from pilothouse.problems.engine.baseline import DAY, Calendar
from pilothouse.problems.engine.candidates import Candidate
from pilothouse.problems.engine.chance import poisson_interval
from pilothouse.problems.engine.columns import REQUESTER, Floats, Tickets
from pilothouse.problems.engine.saying import hours_noun

QUARTER = 91
_RECENT = 91  # days from which the forecast is made
_SAVED = "of the next quarter could be saved"


@dataclass(frozen=True, slots=True)
class Cost:
    """What it costs. Whatever is not known is None; `weight` is what candidates are ranked by, `basis` says so in words."""

    tickets: int
    hours: float | None
    hours_known: int
    breaches: int | None
    reassignments: int | None
    people: int | None
    expected: float | None  # tickets of the next quarter
    low: float | None
    high: float | None
    expected_hours: float | None
    weight: float
    basis: str


def counted(number: float, one: str, many: str = "") -> str:
    """Return a number with its noun.

    >>> counted(1.2, "ticket"), counted(1200, "person", "people")
    ('1 ticket', '1,200 people')
    """
    written = f"{number:,.0f}"
    return f"{written} {one if written == '1' else many or one + 's'}"


def cost_of(candidate: Candidate, tickets: Tickets, calendar: Calendar | None) -> Cost:
    """Count what a candidate's tickets cost, and forecast the next quarter from the last (90 % interval of a Poisson mean)."""
    rows = candidate.rows
    hours, known = _hours(tickets.effort, rows)
    expected, low, high = _forecast(candidate, tickets, calendar)
    each = hours / known if hours is not None and known else None
    expected_hours = expected * each if expected is not None and each is not None else None
    # Only what exceeds chance would go away.
    share = float(np.clip(candidate.sign.excess / max(len(candidate.sign.rows), 1), 0, 1))
    if expected_hours is not None and expected_hours > 0:
        saved, noun = expected_hours * share, hours_noun(hours or 0, known)
        weight, basis = 1e6 + saved, f"{counted(saved, noun.replace('hours', 'hour', 1), noun)} {_SAVED}"
    elif expected:
        weight, basis = 1e3 + expected * share, f"{counted(expected * share, 'ticket')} {_SAVED}"
    else:
        past = float(len(rows)) * share
        none = ", none expected to come" if expected is not None else ""
        weight, basis = past / (1 + past) * 1e3, f"{counted(past, 'ticket')} beyond chance so far{none}"
    people = tickets.fact(REQUESTER).codes[rows]
    return Cost(
        len(rows), hours, known, _sum(tickets.breached, rows), _sum(tickets.reassigned, rows),
        len(np.unique(people[people >= 0])) if (people >= 0).any() else None,
        expected, low, high, expected_hours, weight, basis,
    )  # fmt: skip


def _hours(effort: Floats | None, rows: np.ndarray) -> tuple[float | None, int]:
    if effort is None:
        return None, 0
    own = effort[rows]
    own = own[~np.isnan(own)]
    return (float(own.sum()) / 3600, len(own)) if len(own) else (None, 0)


def _sum(column: Floats | None, rows: np.ndarray) -> int | None:
    if column is None or np.isnan(column[rows]).all():
        return None
    return int(np.nansum(column[rows]))


def _forecast(candidate: Candidate, tickets: Tickets, calendar: Calendar | None) -> tuple[float | None, float | None, float | None]:
    if calendar is None or tickets.opened is None:
        return None, None, None
    times = tickets.opened[candidate.rows]
    since = calendar.end - _RECENT * DAY
    if candidate.rhythm.onset:
        since = max(since, candidate.rhythm.onset.at)
    days = max((calendar.end - max(since, calendar.start)) / DAY, 7.0)
    count = int((times >= since).sum())
    if candidate.rhythm.burst and candidate.sign.what == "burst" and candidate.rhythm.burst.end < calendar.end - 2 * DAY:
        count = int((times > candidate.rhythm.burst.end).sum())  # what is over will not go on at its rate
        days = max((calendar.end - candidate.rhythm.burst.end) / DAY, 7.0)
    low, high = poisson_interval(count)
    scale = QUARTER / days
    return count * scale, low * scale, high * scale
