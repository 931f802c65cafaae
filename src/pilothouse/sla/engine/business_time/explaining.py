"""One computation with working hours in words and numbers that a sceptic can check with a pencil; pure.

>>> from pilothouse.sla.engine.business_time.compiling import compile_definition
>>> from pilothouse.sla.engine.business_time.definition import Definition
>>> week = (((28800, 43200), (46800, 61200)),) * 5 + ((),) * 2
>>> hours = compile_definition(Definition("UTC", week=week), 2026, 2026)
>>> explain_add(hours, 1780675200, 4 * 3600).words
'Fri 16:00 + 4 h = Mon 11:00: 1 h Friday, weekend closed, 3 h Monday.'
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from itertools import groupby, pairwise
from zoneinfo import ZoneInfo

from pilothouse.sla.engine.business_time.definition import DAY_NAMES, Closing
from pilothouse.sla.engine.business_time.open_hours import OpenHours
from pilothouse.sla.engine.business_time.zones import EPOCH, date_of, instant_of, offsets

Names = Mapping[date, Sequence[str]]
SHORT = timedelta(days=6)  # within it a weekday's name says which day is meant
SPOKEN_DAYS = 8  # of more days the ones in the middle are told as one
KEPT = 3  # so many at either end
SATURDAY = 5


@dataclass(frozen=True, slots=True)
class Step:
    """A stretch of the way: a day's open time, closed days, or many days as one."""

    words: str
    start: int
    end: int
    open_seconds: int
    spans: tuple[tuple[int, int], ...] = ()
    days: int = 1

    @property
    def is_open(self) -> bool:
        return self.open_seconds > 0


@dataclass(frozen=True, slots=True)
class Explanation:
    """Where a computation begins, what it counts and where it ends; `end` is None when it never opens that long."""

    start: int
    end: int | None
    seconds: int
    zone: str
    words: str
    steps: tuple[Step, ...] = ()
    notes: tuple[str, ...] = ()  # changes of the clock on the way


def explain_add(hours: OpenHours, start: int, seconds: int, closings: Iterable[Closing] = ()) -> Explanation:
    """Explain `hours.add(start, seconds)`; `closings` name the holidays and exceptions on the way (compiling.closings)."""
    end = hours.add(start, seconds)
    if end is None:
        left = hours.elapsed(start, 2**60) if seconds > 0 else hours.elapsed(-(2**60), start)
        words = f"It never opens that long: from then on it opens for {duration_words(left)} of the {duration_words(abs(seconds))}."
        return Explanation(start, None, seconds, hours.zone, words)
    low, high = sorted((start, end))
    steps = tuple(_steps(hours, low, high, _named(closings)))
    begin, stop = (_moment(hours, at, start, end) for at in (start, end))
    sum_of = f"{begin} {'+' if seconds >= 0 else '−'} {duration_words(abs(seconds))} = {stop}"
    return Explanation(start, end, seconds, hours.zone, _sentence(sum_of, steps), steps, tuple(_clock_notes(hours, low, high)))


def explain_elapsed(hours: OpenHours, start: int, end: int, closings: Iterable[Closing] = ()) -> Explanation:
    """Explain `hours.elapsed(start, end)`; an end before the start is explained as the way back, and counts negative."""
    low, high = sorted((start, end))
    seconds = hours.elapsed(start, end)
    steps = tuple(_steps(hours, low, high, _named(closings)))
    sign = "−" if seconds < 0 else ""
    sum_of = f"From {_moment(hours, start, start, end)} to {_moment(hours, end, start, end)} = {sign}{duration_words(abs(seconds))}"
    return Explanation(start, end, seconds, hours.zone, _sentence(sum_of, steps), steps, tuple(_clock_notes(hours, low, high)))


def duration_words(seconds: int) -> str:
    """Seconds in words: 5400 is "1 h 30 min".

    >>> duration_words(5400), duration_words(45), duration_words(0), duration_words(3601)
    ('1 h 30 min', '45 s', '0 h', '1 h 1 s')
    """
    parts = ((seconds // 3600, "h"), (seconds // 60 % 60, "min"), (seconds % 60, "s"))
    return " ".join(f"{number:,} {unit}" for number, unit in parts if number) or "0 h"


def local(zone: str, at: int) -> datetime:
    """An instant as the clock on the wall shows it."""
    return (EPOCH + timedelta(seconds=at)).astimezone(ZoneInfo(zone))


def day_words(day: date) -> str:
    """A day as it is spoken of where weekdays alone do not say which: "Fri 5 Jun 2026"."""
    return f"{day:%a} {day.day} {day:%b %Y}"


def _sentence(sum_of: str, steps: Sequence[Step]) -> str:
    return f"{sum_of}: {', '.join(step.words for step in steps)}." if len(steps) > 1 else f"{sum_of}."


def _moment(hours: OpenHours, at: int, start: int, end: int) -> str:
    wall = local(hours.zone, at)
    clock = wall.strftime("%H:%M:%S" if wall.second else "%H:%M")
    return f"{wall:%a} {clock}" if _is_short(start, end) else f"{day_words(wall.date())} {clock}"


def _is_short(start: int, end: int) -> bool:
    return timedelta(seconds=abs(end - start)) <= SHORT


def _named(closings: Iterable[Closing]) -> dict[date, list[str]]:
    names: dict[date, list[str]] = {}
    for closing in closings:
        if closing.name not in names.setdefault(closing.day, []):
            names[closing.day].append(closing.name)
    return names


def _steps(hours: OpenHours, start: int, end: int, names: Names) -> Iterator[Step]:
    days = list(_days(hours, start, end))
    steps: list[Step] = []
    for is_open, group in groupby(days, key=lambda each: each[1].is_open):
        if is_open:
            steps += [replace(step, words=_open_words(day, step, names, start, end)) for day, step in group]
        else:
            steps.append(_closed(list(group), names, start, end))
    yield from _shortened(steps) if sum(step.is_open for step in steps) > SPOKEN_DAYS else steps


def _days(hours: OpenHours, start: int, end: int) -> Iterator[tuple[date, Step]]:
    """Each calendar day from start to end with its open spans; one that a zone left out has no instants and is passed over."""
    zone = ZoneInfo(hours.zone)
    day, low = date_of(zone, start), start
    while low < end:
        day += timedelta(days=1)
        high = min(end, instant_of(zone, day))
        if high > low:
            spans = tuple(hours.between(low, high))
            yield day - timedelta(days=1), Step("", low, high, sum(stop - begin for begin, stop in spans), spans)
        low = max(low, high)


def _open_words(day: date, step: Step, names: Names, start: int, end: int) -> str:
    said = DAY_NAMES[day.weekday()] if _is_short(start, end) else f"{day:%a} {day.day} {day:%b}"
    named = f" ({', '.join(names[day])})" if day in names else ""
    return f"{duration_words(step.open_seconds)} {said}{named}"


def _closed(days: list[tuple[date, Step]], names: Names, start: int, end: int) -> Step:
    dates = [day for day, _ in days]
    said = list(dict.fromkeys(name for day in dates for name in names.get(day, ["weekend"] if day.weekday() >= SATURDAY else [])))
    other = any(day.weekday() < SATURDAY and day not in names for day in dates)
    if other or not said:
        one = DAY_NAMES[dates[0].weekday()] if _is_short(start, end) else f"{dates[0]:%a} {dates[0].day} {dates[0]:%b}"
        reach = one if len(dates) == 1 else f"{one} to {dates[-1]:%a} {dates[-1].day} {dates[-1]:%b}"
        said = [f"{reach} ({', '.join(said)})"] if said else [reach]
    return Step(f"{_and(said)} closed", days[0][1].start, days[-1][1].end, 0, days=len(days))


def _and(words: Sequence[str]) -> str:
    return f"{', '.join(words[:-1])} and {words[-1]}" if len(words) > 1 else words[0]


def _shortened(steps: list[Step]) -> list[Step]:
    """The first and last few steps, and those between as one."""
    first, middle, last = steps[:KEPT], steps[KEPT:-KEPT], steps[-KEPT:]
    seconds, open_days = sum(step.open_seconds for step in middle), sum(step.is_open for step in middle)
    spans = tuple(span for step in middle for span in step.spans)
    words = f"{duration_words(seconds)} on the {open_days:,} open days between"
    return [*first, Step(words, middle[0].start, middle[-1].end, seconds, spans, sum(step.days for step in middle)), *last]


def _clock_notes(hours: OpenHours, start: int, end: int) -> Iterator[str]:
    """Where the clock changes on the way, on the day that it shows then."""
    zone = ZoneInfo(hours.zone)
    known = offsets(hours.zone, date_of(zone, start).year, date_of(zone, end).year)
    for (_, before), (at, after) in pairwise(known):
        if start < at <= end:
            yield f"On {day_words(date_of(zone, at))} the clocks {shift_words(after - before)}."


def shift_words(shift: int) -> str:
    """How clocks change: 3600 is "go forward 1 h"."""
    return f"go {'forward' if shift > 0 else 'back'} {duration_words(abs(shift))}"
