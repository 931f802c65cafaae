"""When people work: local office hours at each site, week-ends and company holidays; whole seconds since 1970 (UTC).

The holidays are the company's own closing days, near enough for a demo; real calendars are the business of SLA calendars.
"""

from bisect import bisect_right
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

from dateutil.easter import easter

from pilothouse.demo.engine.company import LEEDS, PORTO, SITES

DAY = 86_400
_LUNAR_NEW_YEAR = {2024: (2, 10), 2025: (1, 29), 2026: (2, 17), 2027: (2, 6), 2028: (1, 26), 2029: (2, 13), 2030: (2, 3)}


def instant(seconds: int) -> datetime:
    """Return whole seconds since 1970 as an aware datetime in UTC."""
    return datetime.fromtimestamp(seconds, UTC)


def holidays(site: int, year: int) -> frozenset[date]:
    """Return a site's closing days in a year."""
    sunday = easter(year)
    shared = {date(year, 1, 1), sunday - timedelta(days=2), date(year, 12, 25)}
    if site == LEEDS:
        return frozenset(
            shared
            | {sunday + timedelta(days=1), date(year, 12, 26)}
            | {_monday(year, month, last) for month, last in ((5, False), (5, True), (8, True))}
        )
    if site == PORTO:
        fixed = ((4, 25), (5, 1), (6, 10), (6, 24), (8, 15), (10, 5), (11, 1), (12, 1), (12, 8))
        return frozenset(shared | {date(year, month, day) for month, day in fixed})
    lunar = date(year, *_LUNAR_NEW_YEAR[year]) if year in _LUNAR_NEW_YEAR else date(year, 2, 1)
    return frozenset(shared | {lunar, lunar + timedelta(days=1), date(year, 5, 1), date(year, 8, 9)})


def _monday(year: int, month: int, last: bool) -> date:
    """Return the first or the last Monday of a month of 31 days."""
    day = date(year, month, 31 if last else 7)
    return day - timedelta(days=day.weekday())


def works_on(site: int, day: date) -> bool:
    """Say whether a site's offices are open on a local date."""
    return day.weekday() < 5 and day not in holidays(site, day.year)


class Hours:
    """A team's working time as intervals [start, end) in seconds since 1970, for adding working seconds quickly."""

    def __init__(self, site: int, first: int, last: int, *, opens: int = 8, closes: int = 18) -> None:
        zone = ZoneInfo(SITES[site].zone)
        closed = {day for year in range(instant(first).year, instant(last).year + 1) for day in holidays(site, year)}
        self.starts: list[int] = []
        self.ends: list[int] = []
        day = instant(first).date()
        while day <= instant(last).date():
            if day.weekday() < 5 and day not in closed:
                self.starts.append(int(datetime.combine(day, time(opens), zone).timestamp()))
                self.ends.append(int(datetime.combine(day, time(closes), zone).timestamp()))
            day += timedelta(days=1)
        self.before = [0]
        for start, end in zip(self.starts, self.ends, strict=True):
            self.before.append(self.before[-1] + end - start)
        assert all(a < b for a, b in pairwise(self.starts))

    def position(self, at: int) -> int:
        """Return how many working seconds have passed at an instant."""
        i = bisect_right(self.starts, at) - 1
        return 0 if i < 0 else self.before[i] + min(at, self.ends[i]) - self.starts[i]

    def after(self, at: int, seconds: float) -> int:
        """Return the instant after so many working seconds; past the last interval, the calendar time goes on from there."""
        target = self.position(at) + int(seconds)
        i = min(bisect_right(self.before, target) - 1, len(self.starts) - 1)
        return max(at, self.starts[i] + target - self.before[i])

    def is_open(self, at: int) -> bool:
        """Say whether an instant lies in working time."""
        i = bisect_right(self.starts, at) - 1
        return i >= 0 and at < self.ends[i]
