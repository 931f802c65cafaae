"""What a schedule says, as values. The JSON form that gives them is described and read in `reading`; pure."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
DAY_NAMES = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")

Interval = tuple[int, int]  # seconds since the midnight on which it begins; beyond 86,400 it goes on into the next day
Hours = tuple[Interval, ...]


@dataclass(frozen=True, slots=True)
class HolidayCalendar:
    """The public holidays of a country or of a part of it, as the `holidays` library knows them, less those named in `working`."""

    country: str
    subdivision: str = ""
    working: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class OwnDay:
    """A day of one's own: every year when `year` is None. It has `hours` in place of its weekday's, none when it is a holiday."""

    month: int
    day: int
    year: int | None = None
    name: str = ""
    hours: Hours = ()


@dataclass(frozen=True, slots=True)
class Exceptional:
    """A span of wall-clock time that is closed, or open, whatever the week says; of two, the later in the list counts."""

    start: datetime  # naive: what the wall shows
    end: datetime
    is_open: bool = False
    name: str = ""


@dataclass(frozen=True, slots=True)
class Combination:
    """Other schedules by id: open when all of them are (and this one's own hours, if it has any), or when any of them is."""

    how: Literal["all", "any"]
    schedules: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Definition:
    """One version of a schedule. `week` is None when it has no hours of its own and only combines others."""

    zone: str
    week: tuple[Hours, ...] | None = None
    holidays: tuple[HolidayCalendar, ...] = ()
    days: tuple[OwnDay, ...] = ()
    exceptions: tuple[Exceptional, ...] = ()
    combination: Combination | None = None


@dataclass(frozen=True, slots=True)
class Closing:
    """Why a calendar day differs from its weekday: the holiday, day or exception by name."""

    day: date
    name: str
    kind: Literal["holiday", "own", "closed", "open"]
