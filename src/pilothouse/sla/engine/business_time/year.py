"""The year that a schedule produces, day by day, as the clock on the wall shows it; pure."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from zoneinfo import ZoneInfo

from pilothouse.sla.engine.business_time.definition import Closing
from pilothouse.sla.engine.business_time.explaining import local
from pilothouse.sla.engine.business_time.open_hours import OpenHours
from pilothouse.sla.engine.business_time.zones import instant_of, offset_at


@dataclass(frozen=True, slots=True)
class Day:
    """One calendar day: its open spans as the wall shows them, how long they are, why it differs, and how its clock changes."""

    day: date
    spans: tuple[tuple[str, str], ...]
    open_seconds: int
    closings: tuple[Closing, ...]
    shift_seconds: int  # the clock goes forward (positive) or back on this day
    length_seconds: int  # 0: a day that the zone left out

    @property
    def hours(self) -> str:
        """The spans as they are written in a definition; "closed" when there are none."""
        return ", ".join(f"{begin}-{end}" for begin, end in self.spans) or "closed"


def year_of(hours: OpenHours, year: int, closings: Iterable[Closing] = ()) -> list[Day]:
    """Say of each day of a year, in `hours.zone`, when it is open; `closings` name holidays, own days and exceptions."""
    named: dict[date, list[Closing]] = {}
    for closing in closings:
        named.setdefault(closing.day, []).append(closing)
    return [_day(hours, day, tuple(named.get(day, ()))) for day in days_of(year)]


def days_of(year: int) -> Iterator[date]:
    """Every calendar day of a year."""
    day = date(year, 1, 1)
    while day.year == year:
        yield day
        day += timedelta(days=1)


def _day(hours: OpenHours, day: date, closings: tuple[Closing, ...]) -> Day:
    zone = ZoneInfo(hours.zone)
    start, end = instant_of(zone, day), instant_of(zone, day + timedelta(days=1))
    spans = list(hours.between(start, end))
    written = tuple((_clock(hours.zone, begin), _clock(hours.zone, stop) if stop < end else "24:00") for begin, stop in spans)
    opened = sum(stop - begin for begin, stop in spans)
    return Day(day, written, opened, closings, offset_at(zone, end) - offset_at(zone, start), end - start)


def _clock(zone: str, at: int) -> str:
    wall = local(zone, at)
    return wall.strftime("%H:%M:%S" if wall.second else "%H:%M")
