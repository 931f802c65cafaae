"""Why a ticket is likely or unlikely to breach, in words: its group's queue and pace, the time left, and the strongest factor; pure.

"resolves 6 a day, 14 ahead of it, 3 h left; its category breaches 1.8 times as often as others". At most LONGEST characters.
"""

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from pilothouse.sla.engine.forecast.features import RATE, Features
from pilothouse.sla.engine.forecast.history import Flags, Floats, Ints
from pilothouse.sla.engine.forecast.model import Judged
from pilothouse.sla.engine.forecast.report import RULE_SHARE

LONGEST = 300
RULE_LIKELY = 0.6  # what the rule gives at 75 % of the time
Row = Mapping[str, float]
_WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


def by_rule(share_used: Floats) -> Floats:
    """Return what stands in for a probability where no model is used: 60 % at 75 % of the time, 80 % at the end of it, 100 % past it."""
    found: Floats = np.where(share_used > 1, 1.0, share_used * RULE_LIKELY / RULE_SHARE)
    return np.clip(found, 0.0, 1.0)


def reasons(found: Features, past: Flags, judged: Judged | None) -> list[str]:
    """Return the reason of each moment; `past` are those whose target is used up already, `judged` None where the rule stands in."""
    strongest = _strongest(judged) if judged else None
    rows = found.values.tolist()
    return [
        _reason(dict(zip(found.names, row, strict=True)), is_past=bool(past[place]), factor=_factor(judged, strongest, place))
        for place, row in enumerate(rows)
    ]


def _strongest(judged: Judged) -> Ints:
    """Return the theme that moved each score most in the direction in which it went."""
    likely = judged.probability >= 0.5
    found: Ints = np.argmax(np.where(likely[:, None], judged.shares, -judged.shares), axis=1)
    return found


def _factor(judged: Judged | None, strongest: Ints | None, place: int) -> str:
    return "" if judged is None or strongest is None else judged.themes[int(strongest[place])]


def _reason(row: Row, *, is_past: bool, factor: str) -> str:
    if is_past:
        return "Its target is used up already."
    parts = [*_queue(row), _left(row)]
    more = f"; {_words(factor, row)}" if factor else f"; by rule: {100 * row['share_used']:.0f} % of its time is used"
    return (", ".join(parts) + more)[:LONGEST]


def _queue(row: Row) -> list[str]:
    if not row["has_group"]:
        return ["no group has it"]
    done = row["done_a_day"]
    pace = "group resolved none in two weeks" if done == 0 else f"group resolves {done:.0f} a day" if done >= 2 else _slowly(done)
    return [pace, f"{row['ahead']:.0f} ahead of it"]


def _slowly(done: float) -> str:
    """
    >>> _slowly(0.5), _slowly(1.43)
    ('group resolves 3.5 a week', 'group resolves 10 a week')
    """
    return f"group resolves {float(f'{done * 7:.1f}'):g} a week"


def _left(row: Row) -> str:
    left = f"{_duration(row['left_hours'])} left"
    return f"on hold, {left} when it goes on" if row["is_held"] and not row["is_running"] else left


def _duration(hours: float) -> str:
    """
    >>> _duration(0.4), _duration(3.2), _duration(200)
    ('24 min', '3 h', '200 h')
    """
    return f"{hours * 60:.0f} min" if hours < 1.5 else f"{hours:.0f} h"


def _words(factor: str, row: Row) -> str:
    told = _TOLD.get(factor)
    if told:
        return told(row)
    rate = row.get(RATE + factor, np.nan)
    name = factor.replace("_", " ")
    if np.isnan(rate):
        return f"it has no {name}"
    if 0.85 <= rate <= 1.15:
        return f"its {name} breaches about as often as others"
    return f"its {name} breaches {rate:.1f} times as often as others"


def _moves(row: Row) -> str:
    bounced = f", {row['bounces']:.0f} of them back" if row["bounces"] else ""
    reopened = f"reopened {_times(row['reopens'])}" if row["reopens"] else ""
    moved = (
        f"moved {_times(row['reassignments'])}{bounced}" if row["reassignments"] else f"{_duration(row['hours_in_group'])} in this group"
    )
    return ", ".join(part for part in (moved, reopened) if part)


def _times(number: float) -> str:
    return {1: "once", 2: "twice"}.get(int(number), f"{number:.0f} times")


def _holds(row: Row) -> str:
    return f"on hold {_times(row['holds'])}, {_duration(row['hold_hours'])} in all" if row["holds"] else "never on hold"


def _assignee(row: Row) -> str:
    return f"its assignee has {row['assignee_load']:.0f} in work" if row["has_assignee"] else "nobody has taken it"


_TOLD: Mapping[str, Callable[[Row], str]] = {
    "time": lambda row: f"{100 * row['share_used']:.0f} % of its time is used",
    "queue": lambda row: f"{row['queue_length']:.0f} in the group's queue, {row['came_a_day_recent']:.0f} a day come in",
    "priority": lambda row: f"priority {row['priority']:.0f}",
    "assignee": _assignee,
    "moves": _moves,
    "updates": lambda row: f"{row['updates']:.0f} updates, the last {_duration(row['hours_since_update'])} ago",
    "holds": _holds,
    "hour": lambda row: f"opened on a {_WEEKDAYS[int(row['opened_weekday'])]} at {row['opened_hour']:.0f} h UTC",
}


def themes_told() -> Sequence[str]:
    """Return the themes that have words of their own; every other is a fact with a breach rate."""
    return list(_TOLD)
