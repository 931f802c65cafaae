"""Targets' durations as people write them: "15m", "4h", "1h 30m", "next business day 16:00"; pure.

A day is no length of its own where a schedule counts: "3d" is 72 hours round the clock, but nobody means 72 working hours by it. So
it is read only where every hour counts, and elsewhere answered with both ways to say what is meant.
"""

import re

from pilothouse.sla.engine.rules import LONGEST_SECONDS, Duration

_UNITS = {"m": 60, "h": 3600, "d": 86400, "w": 7 * 86400}
_UNIT = r"(?P<unit>s|m|h|d|w)(?:ec|in|inute|our|r|ay|eek)?s?"
_LENGTH = re.compile(rf"(?P<number>\d{{1,6}}(?:\.\d{{1,2}})?)\s*{_UNIT}")
_WHOLE = re.compile(rf"(?:\d{{1,6}}(?:\.\d{{1,2}})?\s*{_UNIT.replace('?P<unit>', '?:')}\s*)+")
_RELATIVE = re.compile(
    r"(?P<count>same|next|\d{1,3})(?:st|nd|rd|th)?\s*(?:business|working|b)\s*(?:days?|d)\s*(?:,|at)?\s*(?P<hours>\d{1,2})[:.](?P<minutes>\d{2})"
)
EXAMPLES = "15m, 4h, 1h 30m, next business day 16:00, 3 business days 17:00"


def read_duration(text: str, *, always_open: bool = False) -> Duration | str:
    """Read a duration; a text comes back that says what is wrong with it. `always_open`: every hour of every day counts.

    >>> read_duration("1h 30m").seconds, read_duration("next business day 16:00")
    (5400, Duration(seconds=0, days=1, at=57600))
    >>> read_duration("3d")
    'How long is a day here? Write 24h for hours that count, or “3 business days 17:00”.'
    """
    words = " ".join(text.casefold().split())
    if found := _RELATIVE.fullmatch(words):
        return _relative(found)
    if not _WHOLE.fullmatch(words):
        return f"“{text.strip()[:40]}” is no length of time. Write, for instance: {EXAMPLES}."
    parts = [(float(found["number"]), found["unit"]) for found in _LENGTH.finditer(words)]
    if not always_open and any(unit in "dw" for _, unit in parts):
        days = next(number * (7 if unit == "w" else 1) for number, unit in parts if unit in "dw")
        return f"How long is a day here? Write {8 * days:g}h for hours that count, or “{days:g} business days 17:00”."
    seconds = round(sum(number * _UNITS.get(unit, 1) for number, unit in parts))
    if seconds <= 0:
        return "A target is longer than nothing. Leave it empty for a priority without a target."
    return Duration(seconds=seconds) if seconds <= LONGEST_SECONDS else "A target is shorter than ten years."


def _relative(found: re.Match[str]) -> Duration | str:
    hours, minutes = int(found["hours"]), int(found["minutes"])
    if hours > 23 or minutes > 59:
        return f"There is no {hours}:{minutes:02} on a clock. Write, for instance: next business day 16:00."
    days = {"same": 0, "next": 1}.get(found["count"])
    return Duration(days=int(found["count"]) if days is None else days, at=hours * 3600 + minutes * 60)


def write_duration(duration: Duration) -> str:
    """Write a duration so that `read_duration` reads it again.

    >>> write_duration(Duration(seconds=5400)), write_duration(Duration(days=1, at=57600))
    ('1h 30m', 'next business day 16:00')
    """
    if duration.is_relative:
        count = {0: "same business day", 1: "next business day"}.get(duration.days, f"{duration.days} business days")
        return f"{count} {duration.at // 3600:02}:{duration.at % 3600 // 60:02}"
    return write_length(duration.seconds)


def write_length(seconds: int) -> str:
    """Write a length of time in hours, minutes and seconds.

    >>> write_length(14400), write_length(61), write_length(0)
    ('4h', '1m 1s', '0m')
    """
    hours, rest = divmod(seconds, 3600)
    parts = [(hours, "h"), (rest // 60, "m"), (rest % 60, "s")]
    return " ".join(f"{number}{unit}" for number, unit in parts if number) or "0m"


def duration_as_json(duration: Duration) -> dict[str, int | str]:
    """Return a duration in the form in which a definition holds it."""
    if duration.is_relative:
        return {"days": duration.days, "at": f"{duration.at // 3600:02}:{duration.at % 3600 // 60:02}"}
    return {"seconds": duration.seconds}
