"""A problem's detail as its journal tells it; pure.

The ticket's entries carry the detail's fields as `problem.NAME`; the last value of each counts. Instants are ISO 8601 texts in UTC,
dates ISO 8601 days.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from pilothouse.tickets.engine.replay import Happened, detail_told

PREFIX = "problem."
EMPTY: Mapping[str, Any] = {
    "cause": "",  # the root cause, in words
    "whys": [],  # the five whys: each an answer to the one before
    "workaround": "",  # offered on every matching incident once it is a known error
    "known_error_at": None,
    "promised_on": None,  # the day by which the fix is promised
    "weekly_hours": None,  # what it costs in handling hours a week, as its evidence says; the journal keeps it as a text
    "no_fix_reason": "",  # why it is resolved without a change
}
INSTANTS = ("known_error_at",)
DAYS = ("promised_on",)
NUMBERS = ("weekly_hours",)


def told(entries: Iterable[Happened]) -> dict[str, Any]:
    """Return the fields of the detail that these entries set, each with its last value, in journal form."""
    return detail_told(entries, PREFIX, EMPTY)
