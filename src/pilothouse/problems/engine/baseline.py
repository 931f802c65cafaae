"""How many tickets a group would have on each day, had it only the rhythm of the whole.

Two rhythms are mixed: that of all tickets (people: working days, holidays, growth), and one that knows no weekdays but follows the
weeks (machines). The share of the group's tickets at the week-end says how much of each. Weekday rhythm, holidays, seasons and
growth are so in what is expected, and nothing of them is found again as a pattern.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from pilothouse.problems.engine.columns import MISSING, Bools, Floats, Ints

DAY = 86_400
HOUR = 3_600
_THURSDAY = 3  # 1 January 1970; Monday is 0
LISTENED = 800  # days, the last ones, in which periods are looked for
_LONGEST_PERIOD, _SHORTEST_PERIOD = 120.0, 2.5  # days


@dataclass(frozen=True, eq=False)
class Calendar:
    """The days from the first ticket to the last; `first` counts days since 1970. Shares of days sum to one."""

    first: int
    daily: Floats  # tickets a day
    level: Floats  # tickets a day, had the days of a week been alike
    working: Bools
    hourly: Floats  # tickets in each of the week's 168 hours
    start: int
    end: int

    @property
    def days(self) -> int:
        """How many days there are."""
        return len(self.daily)

    @cached_property
    def frequencies(self) -> Floats:
        """The frequencies (a day) at which periods are looked for."""
        return np.arange(1 / _LONGEST_PERIOD, 1 / _SHORTEST_PERIOD, 1 / (6 * min(max(self.days, 12), LISTENED)))

    @cached_property
    def skipped(self) -> int:
        """How many days at the beginning are too old to be listened to for periods."""
        return max(0, self.days - LISTENED)

    @cached_property
    def turns(self) -> NDArray[np.complex64]:
        """Where each day that is listened to (a column) stands on the circle of each frequency (a row)."""
        days = np.arange(self.skipped, self.days) + 0.5
        return np.asarray(np.exp(2j * np.pi * np.outer(self.frequencies, days)), dtype=np.complex64)

    @cached_property
    def months(self) -> Ints:
        """Which month each day is in, counted since the year 0."""
        days = (datetime.fromtimestamp((self.first + d) * DAY, UTC) for d in range(self.days))
        return np.array([day.year * 12 + day.month for day in days], np.int64)

    @cached_property
    def working_days(self) -> tuple[Ints, Ints]:
        """Each day's number among the working days of its month, from the first and from the last; 0 for a day off."""
        forward, backward = np.zeros(self.days, np.int64), np.zeros(self.days, np.int64)
        for month in np.unique(self.months):
            days = np.flatnonzero((self.months == month) & self.working)
            if month != self.months[0]:  # of the first month the beginning may be missing, of the last the end
                forward[days] = np.arange(1, len(days) + 1)
            if month != self.months[-1]:
                backward[days] = np.arange(len(days), 0, -1)
        return forward, backward

    @cached_property
    def rhythms(self) -> tuple[Floats, Floats, float, float]:
        """The shares of days by the rhythm of people and by that of machines, and how much of each is on days off."""
        human, even = self.daily / self.daily.sum(), self.level / self.level.sum()
        return human, even, float(human[~self.working].sum()), float(even[~self.working].sum())

    def place(self, times: Ints) -> Ints:
        """Return the day of each instant, counted from the first."""
        return times // DAY - self.first

    def shape(self, times: Ints) -> Floats:
        """Return what share of a group's tickets each day would have by chance; `times` are the group's own."""
        resting = float(np.mean(~self.working[self.place(times)])) if len(times) else 0.0
        human, even, low, high = self.rhythms
        mixed = float(np.clip((resting - low) / (high - low), 0, 1)) if high - low > 0.02 else 0.0
        found = (1 - mixed) * human + mixed * even + 1e-9
        return np.asarray(found / found.sum())


def calendar_of(times: Ints) -> Calendar | None:
    """Return the calendar of all tickets; None when their times do not differ by a day at least."""
    known = times[times != MISSING]
    if known.size < 2 or known.max() - known.min() < DAY:
        return None
    first = int(known.min() // DAY)
    daily = np.bincount(known // DAY - first).astype(np.float64)
    width = np.ones(7)
    level = np.convolve(daily, width, "same") / np.convolve(np.ones(len(daily)), width, "same") if len(daily) >= 7 else daily.copy()
    weekday = (np.arange(len(daily)) + first + _THURSDAY) % 7
    usual = np.array([daily[weekday == d].mean() if (weekday == d).any() else 0.0 for d in range(7)])
    working = (usual[weekday] >= 0.35 * usual.max()) & (daily >= 0.3 * level)
    hourly = np.bincount(hour_of_week(known), minlength=168).astype(np.float64)
    return Calendar(first, daily, level, working, hourly, int(known.min()), int(known.max()))


def weekday_of(times: Ints) -> Ints:
    """Return the weekday of each instant in UTC: 0 is Monday."""
    return (times // DAY + _THURSDAY) % 7


def hour_of_week(times: Ints) -> Ints:
    """Return the hour of the week in UTC: 0 is Monday 00:00 to 01:00."""
    return weekday_of(times) * 24 + times % DAY // HOUR
