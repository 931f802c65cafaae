"""From what a schedule says to the instants at which it is open; pure.

Order: the week's hours, in their place those of holidays and own days, then the exceptions in the order of the list, then the
combination with other schedules. An interval belongs to the day on which it begins, so a holiday takes the night shift that
would begin on it and leaves the one that began the evening before.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from itertools import groupby
from zoneinfo import ZoneInfo

import numpy as np

from pilothouse.sla.engine.business_time import spans as sets
from pilothouse.sla.engine.business_time.definition import Closing, Definition, Exceptional, HolidayCalendar, Hours
from pilothouse.sla.engine.business_time.open_hours import OpenHours, all_of, any_of, followed_by, never
from pilothouse.sla.engine.business_time.spans import Spans
from pilothouse.sla.engine.business_time.zones import DAY, EPOCH_DAY, date_of, day_number, instant_of, instants_of, offsets

LOCAL_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - the wall clock's
LANGUAGE = "en_US"
Version = tuple[int | None, Definition]  # from when on it holds (None: since ever), and what it says


def compile_versions(
    versions: Sequence[Version], first_year: int, last_year: int, others: Mapping[int, OpenHours] | None = None
) -> OpenHours:
    """Compile all versions of a schedule, oldest first, into one; each holds from its instant on until a newer one does.

    A newer version that holds from an earlier instant than an older one replaces it wholly. The result knows the years from
    `first_year` to `last_year` (inclusive, in local time) and is closed outside them. `others` are the schedules it combines.
    """
    hours = never()
    for effective_from, definition in versions:
        hours = followed_by(hours, compile_definition(definition, first_year, last_year, others), effective_from)
    return hours


def compile_definition(definition: Definition, first_year: int, last_year: int, others: Mapping[int, OpenHours] | None = None) -> OpenHours:
    """Compile one definition for the years from `first_year` to `last_year`; a combined schedule missing in `others` is never open."""
    own = OpenHours(
        instants_of(_local_spans(definition, first_year, last_year), offsets(definition.zone, first_year, last_year)), definition.zone
    )
    if definition.combination is None:
        return own
    joined = [(others or {}).get(schedule, never()) for schedule in definition.combination.schedules]
    joined = [*joined, own] if definition.week is not None else joined
    return all_of(joined, definition.zone) if definition.combination.how == "all" else any_of(joined, definition.zone)


def closings(definition: Definition, first: date, last: date) -> list[Closing]:
    """The holidays, own days and exceptions that touch the days from `first` to `last` (inclusive), with their names."""
    named = _holidays(definition.holidays, first.year, last.year)
    found = [Closing(day, name, "holiday") for day, name in named.items() if first <= day <= last]
    for own in definition.days:
        days = (_day(year, own.month, own.day) for year in ([own.year] if own.year else range(first.year, last.year + 1)))
        found += [Closing(day, own.name or "Own day", "own") for day in days if day is not None and first <= day <= last]
    for exception in definition.exceptions:
        found += [
            Closing(day, exception.name or ("Extra hours" if exception.is_open else "Closed"), "open" if exception.is_open else "closed")
            for day in _days_of(exception)
            if first <= day <= last
        ]
    return sorted(found, key=lambda closing: closing.day)


def business_day(hours: OpenHours, start: int, count: int, seconds: int) -> int | None:
    """Find the instant `seconds` after midnight (wall clock of `hours.zone`) on the `count`-th business day after that of `start`.

    A business day is one on which the hours open at all. 0 is the day of `start`, or the next business day if it is none;
    1 the first business day after the day of `start`. None when there is no such day.
    """
    zone = ZoneInfo(hours.zone)
    day: date | None = date_of(zone, start)
    for begin in [0] if count == 0 else [1] * count:
        day = None if day is None else open_day(hours, day + timedelta(days=begin))
    return None if day is None else instant_of(zone, day, seconds)


def open_day(hours: OpenHours, day: date) -> date | None:
    """Find the first day, from this one on, on which the hours open; None when they never do again."""
    zone = ZoneInfo(hours.zone)
    opened = hours.next_open(instant_of(zone, day))
    return None if opened is None else date_of(zone, opened)


def _local_spans(definition: Definition, first_year: int, last_year: int) -> Spans:
    weeks = definition.week or ((),) * 7
    days = np.arange(day_number(date(first_year, 1, 1)) - 1, day_number(date(last_year + 1, 1, 1)), dtype=np.int64)
    special = _special_hours(definition, first_year, last_year)
    plain = days[~np.isin(days, np.fromiter(special, np.int64, len(special)))]
    starts, ends = [sets.NONE[0]], [sets.NONE[0]]
    for weekday, hours in enumerate(weeks):
        of_weekday = plain[(plain + 3) % 7 == weekday] * DAY  # 1970-01-01 was a Thursday
        for begin, end in hours:
            starts.append(of_weekday + begin)
            ends.append(of_weekday + end)
    own = [(day * DAY + begin, day * DAY + end) for day, hours in special.items() for begin, end in hours]
    usual = sets.swept([sets.united(np.concatenate(starts), np.concatenate(ends)), sets.spans_of(own)], 1)
    whole = (day_number(date(first_year, 1, 1)) * DAY, day_number(date(last_year + 1, 1, 1)) * DAY)
    return sets.within(_with_exceptions(usual, definition.exceptions), *whole)


def _special_hours(definition: Definition, first_year: int, last_year: int) -> dict[int, Hours]:
    """The days that do not have their weekday's hours, by day number; an own day goes before a public holiday."""
    if definition.week is None:
        return {}
    special: dict[int, Hours] = {day_number(day): () for day in _holidays(definition.holidays, first_year, last_year)}
    for own in sorted(definition.days, key=lambda own: own.year is not None):  # one year's day goes before every year's
        for year in [own.year] if own.year is not None else range(first_year - 1, last_year + 1):
            day = _day(year, own.month, own.day)
            if day is not None:
                special[day_number(day)] = own.hours
    return special


def _holidays(calendars: Iterable[HolidayCalendar], first_year: int, last_year: int) -> dict[date, str]:
    named: dict[date, str] = {}
    for calendar in calendars:
        for day, name in sorted(public_holidays(calendar.country, calendar.subdivision, first_year - 1, last_year).items()):
            if name not in calendar.working:
                named.setdefault(day, name)
    return named


def public_holidays(country: str, subdivision: str, first_year: int, last_year: int) -> dict[date, str]:
    """A country's public holidays with their names, in English where the library knows them so, from one year to another."""
    import holidays  # heavy start-up: most schedules have no country's holidays

    kind = getattr(holidays, country)
    language = LANGUAGE if LANGUAGE in kind.supported_languages else kind.default_language
    known = holidays.country_holidays(
        country, subdiv=subdivision or None, years=range(first_year, last_year + 1), language=language, expand=False
    )
    return dict(known.items())


def _with_exceptions(usual: Spans, exceptions: Sequence[Exceptional]) -> Spans:
    for is_open, group in groupby(exceptions, key=lambda exception: exception.is_open):
        changed = sets.spans_of((_wall(exception.start), _wall(exception.end)) for exception in group)
        usual = sets.swept([usual, changed], 1) if is_open else sets.without(usual, changed)
    return usual


def _wall(moment: datetime) -> int:
    return int((moment - LOCAL_EPOCH).total_seconds())


def _days_of(exception: Exceptional) -> list[date]:
    last = (exception.end - timedelta(seconds=1)).date()
    return [EPOCH_DAY + timedelta(days=number) for number in range(day_number(exception.start.date()), day_number(last) + 1)]


def _day(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:  # 29 February in most years
        return None
