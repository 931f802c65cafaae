"""Literals of time: lengths (`2d`, `1d12h`) and stretches of the calendar (`today`, `2026-11`, `2026-11-23T09:30`).

A stretch is half-open, [start, end), in the reader's time zone: a date is its whole day, a month its whole month, a clock time its
minute. Weeks start on Monday. A day that daylight saving shortens or lengthens is as long as it is.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

_LENGTH = re.compile(r"(?:\d+(?:mo|[smhdwy]))+", re.IGNORECASE)
_PART = re.compile(r"(\d+)(mo|[smhdwy])", re.IGNORECASE)
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 7 * 86_400, "mo": 30 * 86_400, "y": 365 * 86_400}
_LONGEST_SECONDS = 100 * 365 * 86_400
_DATE = re.compile(r"(\d{4})(?:-(\d{1,2})(?:-(\d{1,2})(?:[T_](\d{1,2}):(\d{2})(Z)?)?)?)?", re.IGNORECASE)
FIRST_YEAR, LAST_YEAR = 1900, 2999


@dataclass(frozen=True, slots=True)
class Stretch:
    """A half-open stretch of time between two aware UTC instants."""

    start: datetime
    end: datetime


def length_seconds(text: str) -> int | None:
    """Read a length as seconds (mo is 30 days, y 365 days); None when it is not one, or longer than 100 years.

    >>> length_seconds("2d"), length_seconds("1d12h"), length_seconds("soon")
    (172800, 129600, None)
    """
    if not text.isascii() or not _LENGTH.fullmatch(text):
        return None
    seconds = sum(int(count[:12]) * _SECONDS[unit.lower()] for count, unit in _PART.findall(text))
    return seconds if seconds <= _LONGEST_SECONDS else None


def _day(of: date) -> tuple[date, date]:
    return of, of + timedelta(days=1)


def _week(of: date) -> tuple[date, date]:
    monday = of - timedelta(days=of.weekday())
    return monday, monday + timedelta(days=7)


def _month(of: date) -> tuple[date, date]:
    first = of.replace(day=1)
    return first, (first + timedelta(days=31)).replace(day=1)


def _year(of: date) -> tuple[date, date]:
    return date(of.year, 1, 1), date(of.year + 1, 1, 1)


def _before(of: date, stretch: Callable[[date], tuple[date, date]]) -> tuple[date, date]:
    return stretch(stretch(of)[0] - timedelta(days=1))


def _after(of: date, stretch: Callable[[date], tuple[date, date]]) -> tuple[date, date]:
    return stretch(stretch(of)[1])


CALENDAR_WORDS: Mapping[str, Callable[[date], tuple[date, date]]] = {
    "today": _day,
    "yesterday": lambda of: _before(of, _day),
    "tomorrow": lambda of: _after(of, _day),
    "this-week": _week,
    "last-week": lambda of: _before(of, _week),
    "next-week": lambda of: _after(of, _week),
    "this-month": _month,
    "last-month": lambda of: _before(of, _month),
    "this-year": _year,
    "last-year": lambda of: _before(of, _year),
}


def stretch(text: str, now: datetime, zone: ZoneInfo) -> Stretch | None:
    """Read a calendar word, date, month, year or minute as a stretch in `zone`; None when it is none of them.

    >>> stretch("today", datetime(2026, 11, 23, 10, tzinfo=UTC), ZoneInfo("Europe/Berlin")).start.isoformat()
    '2026-11-22T23:00:00+00:00'
    """
    word = text.casefold().replace("_", "-") if not text[:1].isdigit() else text
    if days := CALENDAR_WORDS.get(word):
        return _between(*days(now.astimezone(zone).date()), zone)
    found = _DATE.fullmatch(text) if text.isascii() else None
    if found is None or not FIRST_YEAR <= int(found[1]) <= LAST_YEAR:
        return None
    try:
        return _minute(found, zone) if found[4] else _dated(found, zone)
    except ValueError:  # 2026-02-30, 25:00
        return None


def _dated(found: re.Match[str], zone: ZoneInfo) -> Stretch:
    year, month, day = int(found[1]), int(found[2] or 1), int(found[3] or 1)
    whole = _day if found[3] else (_month if found[2] else _year)
    return _between(*whole(date(year, month, day)), zone)


def _minute(found: re.Match[str], zone: ZoneInfo) -> Stretch:
    at = time(int(found[4]), int(found[5]), tzinfo=UTC if found[6] else zone)
    start = datetime.combine(date(int(found[1]), int(found[2]), int(found[3])), at).astimezone(UTC)
    return Stretch(start, start + timedelta(minutes=1))


def _between(first: date, last: date, zone: ZoneInfo) -> Stretch:
    """Return midnight to midnight; a midnight that daylight saving skips is the first instant after the gap."""
    return Stretch(*(datetime.combine(day, time(), tzinfo=zone).astimezone(UTC) for day in (first, last)))
