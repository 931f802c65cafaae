"""Pictures of schedules: the year as twelve months of days, and a computation as a line for each day; values for templates."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import groupby
from zoneinfo import ZoneInfo

from pilothouse.sla.engine.business_time import Day, Definition, Explanation, OpenHours, Version, closings, year_of
from pilothouse.sla.engine.business_time.definition import DAY_NAMES, Closing
from pilothouse.sla.engine.business_time.explaining import day_words, duration_words, shift_words
from pilothouse.sla.engine.business_time.zones import date_of, instant_of

MOST_LINES = 14
WIDTH = 1440


@dataclass(frozen=True, slots=True)
class Cell:
    """One day of the calendar: how it looks, and what is said of it."""

    number: int
    look: str  # open, closed, special (its hours are not its weekday's), none (left out)
    said: str
    mark: str = ""  # the clock changes on this day
    is_today: bool = False


@dataclass(frozen=True, slots=True)
class Month:
    """One month: its weeks of seven cells (None outside it), its sum, and the days with a name."""

    name: str
    weeks: Sequence[Sequence[Cell | None]]
    hours: str
    named: Sequence[tuple[str, str]]


def months_of(hours: OpenHours, versions: Sequence[Version], year: int, today: date) -> list[Month]:
    """Draw a year: each day in force under the version that holds then."""
    days = year_of(hours, year, closings_of(versions, hours.zone, date(year, 1, 1), date(year, 12, 31)))
    return [_month(list(group), today) for _, group in groupby(days, key=lambda day: day.day.month)]


def closings_of(versions: Sequence[Version], zone: str, first: date, last: date) -> list[Closing]:
    """The holidays, own days and exceptions between two days, of the versions that hold on each."""
    found: list[Closing] = []
    for begin, end, definition in _reigns(versions, zone, first, last):
        found += closings(definition, begin, end) if begin <= end else []
    return sorted(found, key=lambda closing: closing.day)


def _reigns(versions: Sequence[Version], zone: str, first: date, last: date) -> Iterable[tuple[date, date, Definition]]:
    """Each version with the days of the range on which it holds: until the first newer one begins."""
    for place, (begins, definition) in enumerate(versions):
        begin = first if begins is None else max(first, date_of(ZoneInfo(zone), begins))
        newer = [later for later, _ in versions[place + 1 :]]
        if None in newer:
            continue
        ends = min((date_of(ZoneInfo(zone), later) - timedelta(days=1) for later in newer if later is not None), default=last)
        yield begin, min(last, ends), definition


def _month(days: Sequence[Day], today: date) -> Month:
    first = days[0].day
    cells: list[Cell | None] = [None] * first.weekday() + [_cell(day, today) for day in days]
    cells += [None] * (-len(cells) % 7)
    weeks = [cells[place : place + 7] for place in range(0, len(cells), 7)]
    named = [(_number(group), name) for name, group in _runs(days)]
    return Month(f"{first:%B}", weeks, duration_words(sum(day.open_seconds for day in days)), named)


def _runs(days: Sequence[Day]) -> Iterable[tuple[str, list[Day]]]:
    """The month's names with the days that bear them in a row; changes of the clock are among them."""
    names: dict[str, list[Day]] = {}
    for day in days:
        for name in dict.fromkeys(closing.name for closing in day.closings):
            names.setdefault(name, []).append(day)
        if day.shift_seconds:
            names.setdefault(f"the clocks {shift_words(day.shift_seconds)}", []).append(day)
        if not day.length_seconds:
            names.setdefault("a day that this zone left out", []).append(day)
    return sorted(names.items(), key=lambda each: each[1][0].day)


def _number(days: Sequence[Day]) -> str:
    return f"{days[0].day.day}" if len(days) == 1 else f"{days[0].day.day}–{days[-1].day.day}"


def _cell(day: Day, today: date) -> Cell:
    names = dict.fromkeys(closing.name for closing in day.closings)
    said = [day_words(day.day), day.hours + (f" ({duration_words(day.open_seconds)})" if day.open_seconds else ""), *names]
    if day.shift_seconds:
        said.append(f"the clocks {shift_words(day.shift_seconds)}")
    look = "none" if not day.length_seconds else "special" if day.closings else "open" if day.open_seconds else "closed"
    if look == "special" and not day.open_seconds:
        look = "holiday"
    mark = "↑" if day.shift_seconds > 0 else "↓" if day.shift_seconds < 0 else ""
    return Cell(day.day.day, look, ", ".join(said), mark, day.day == today)


@dataclass(frozen=True, slots=True)
class Bar:
    """A stretch of a day's line, in minutes of its 1,440."""

    x: float
    width: float
    counted: bool


@dataclass(frozen=True, slots=True)
class Line:
    """A day of a computation: its open hours, the part that counts, where it starts and ends; or days left out between."""

    label: str
    bars: Sequence[Bar]
    counted: str
    marks: Sequence[float] = ()
    is_gap: bool = False


def lines_of(hours: OpenHours, told: Explanation) -> list[Line]:
    """Draw a computation day by day; of many days those in the middle are left out and counted."""
    if told.end is None:
        return []
    low, high = sorted((told.start, told.end))
    zone = ZoneInfo(hours.zone)
    first, last = date_of(zone, low), date_of(zone, high)
    days = [first + timedelta(days=number) for number in range((last - first).days + 1)]
    if len(days) <= MOST_LINES:
        return [_line(hours, day, low, high) for day in days]
    half = MOST_LINES // 2
    head, middle, tail = days[:half], days[half:-half], days[-half:]
    seconds = hours.elapsed(instant_of(zone, middle[0]), instant_of(zone, tail[0]))
    gap = Line(f"{len(middle):,} days", (), duration_words(seconds), is_gap=True)
    return [*(_line(hours, day, low, high) for day in head), gap, *(_line(hours, day, low, high) for day in tail)]


def _line(hours: OpenHours, day: date, low: int, high: int) -> Line:
    zone = ZoneInfo(hours.zone)
    start, end = instant_of(zone, day), instant_of(zone, day + timedelta(days=1))
    scale = WIDTH / max(end - start, 1)
    bars = [Bar((a - start) * scale, (b - a) * scale, counted=False) for a, b in hours.between(start, end)]
    bars += [Bar((a - start) * scale, (b - a) * scale, counted=True) for a, b in hours.between(max(start, low), min(end, high))]
    counted = hours.elapsed(max(start, low), max(start, min(end, high)))
    marks = [(at - start) * scale for at in (low, high) if start <= at < end]
    return Line(f"{DAY_NAMES[day.weekday()][:3]} {day.day} {day:%b}", bars, duration_words(counted) if counted else "–", marks)


def nearest_year(asked: str, today: date, first: int, last: int) -> int:
    """The year that was asked for, within reach; this year when none was."""
    year = int(asked) if asked.isascii() and asked.isdigit() and len(asked) == 4 else today.year
    return min(max(year, first), last)
