"""A schedule's definition in JSON: read with a list of what is wrong and how to put it right, and written back; pure.

    {"zone": "Europe/Berlin",
     "week": {"mon": "08:00-12:00, 13:00-17:00", "fri": "22:00-06:00"},
     "holidays": [{"country": "DE", "subdivision": "BY", "working": ["Assumption Day"]}],
     "days": [{"date": "12-24", "name": "Christmas Eve", "hours": "08:00-12:00"}, {"date": "2026-10-02", "name": "Bridge day"}],
     "exceptions": [{"from": "2026-12-31 12:00", "to": "2027-01-02 00:00", "open": false, "name": "stocktaking"}],
     "combine": {"how": "all", "schedules": [3, 4]}}

- `week`: for each day its hours, none when it is left out. An interval that ends at or before its start goes on into the next day.
- `holidays`: public holidays are closed, but for those named in `working`. `days` have their own hours in place of their
  weekday's and of a holiday's: none means closed. A date without a year is every year's.
- `exceptions` close, or open, a span of wall-clock time whatever the rest says; the later in the list goes before the earlier.
- `combine`: open when all of these schedules are and this one, or any of them or this one. Without `week` only they count.

Nothing that JSON can hold makes reading fail: what cannot be read is a problem with the place where it stands.
"""

import difflib
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import lru_cache
from itertools import pairwise
from typing import Any, Literal, TypeVar

from pilothouse.platform.time_zones import known_zones, offered_zones
from pilothouse.sla.engine.business_time.definition import (
    DAY_NAMES,
    DAYS,
    Combination,
    Definition,
    Exceptional,
    HolidayCalendar,
    Hours,
    Interval,
    OwnDay,
)
from pilothouse.sla.engine.problem import Problem, refusals, warnings

FULL_DAY = 86_400
MOST = 400  # entries in a list
LONGEST_NAME = 120
FIRST_YEAR, LAST_YEAR = 1970, 2200
PARTS = ("zone", "week", "holidays", "days", "exceptions", "combine")
HOURS_EXAMPLE = "Example: 08:00-12:00, 13:00-17:00"
INTERVAL = re.compile(r"(\d{1,2}):(\d\d)(?::(\d\d))?\s*(?:-|–|—|to)\s*(\d{1,2}):(\d\d)(?::(\d\d))?")
DATE = re.compile(r"(?:(\d{4})-)?(\d{2})-(\d{2})")
MOMENT = re.compile(r"(\d{4}-\d{2}-\d{2})[T ](\d{2}:\d{2}(?::\d{2})?)")


@dataclass(frozen=True, slots=True)
class Reading:
    """What was read: a definition unless a problem is more than a warning."""

    definition: Definition | None
    problems: tuple[Problem, ...]

    @property
    def errors(self) -> tuple[Problem, ...]:
        return refusals(self.problems)

    @property
    def warnings(self) -> tuple[Problem, ...]:
        return warnings(self.problems)


@dataclass
class _Report:
    problems: list[Problem] = field(default_factory=list)

    def refuse(self, place: str, message: str, hint: str = "") -> None:
        self.problems.append(Problem(place, message, hint))

    def warn(self, place: str, message: str, hint: str = "") -> None:
        self.problems.append(Problem(place, message, hint, is_warning=True))


def read_definition(data: object) -> Reading:
    """Read a definition from parsed JSON; never raises, whatever the JSON holds."""
    report = _Report()
    if not isinstance(data, dict):
        report.refuse("", "A schedule is a JSON object.", 'Example: {"zone": "Europe/Berlin", "week": {"mon": "08:00-17:00"}}')
        return Reading(None, tuple(report.problems))
    _unknown_keys(report, "", data, PARTS)
    definition = Definition(
        zone=_zone(report, data.get("zone")),
        week=_week(report, data.get("week")),
        holidays=_each(report, "holidays", data, _holiday_calendar),
        days=_each(report, "days", data, _own_day),
        exceptions=_each(report, "exceptions", data, _exception),
        combination=_combination(report, data.get("combine")),
    )
    _whole(report, definition)
    return Reading(None if refusals(report.problems) else definition, tuple(report.problems))


def read_hours(text: str) -> tuple[Hours, list[Problem]]:
    """Read a day's hours as people write them: "08:00-12:00, 13:00-17:00", "22:00-06:00", "closed"."""
    report = _Report()
    hours = _hours(report, "hours", text)
    return hours, report.problems


def write_definition(definition: Definition) -> dict[str, Any]:
    """Write a definition as JSON in its normal form, without what is empty; reading it gives the same definition."""
    data: dict[str, Any] = {"zone": definition.zone}
    if definition.week is not None:
        data["week"] = {day: hours_text(hours) for day, hours in zip(DAYS, definition.week, strict=True) if hours}
    parts: dict[str, list[dict[str, Any]]] = {
        "holidays": [
            _without_empty(country=each.country, subdivision=each.subdivision, working=list(each.working)) for each in definition.holidays
        ],
        "days": [_without_empty(date=day_text(own), name=own.name, hours=hours_text(own.hours)) for own in definition.days],
        "exceptions": [
            _without_empty(**{"from": moment_text(each.start), "to": moment_text(each.end), "open": each.is_open, "name": each.name})
            for each in definition.exceptions
        ],
    }
    data |= {part: rows for part, rows in parts.items() if rows}
    if definition.combination is not None:
        data["combine"] = {"how": definition.combination.how, "schedules": list(definition.combination.schedules)}
    return data


def hours_text(hours: Hours) -> str:
    """A day's hours as people write them; "" when there are none."""
    return ", ".join(f"{_clock(begin)}-{_clock(end, as_end=True)}" for begin, end in hours)


def day_text(own: OwnDay) -> str:
    """An own day's date: with its year, or without when it is every year's."""
    return (f"{own.year:04d}-" if own.year is not None else "") + f"{own.month:02d}-{own.day:02d}"


def moment_text(moment: datetime) -> str:
    """A wall-clock instant as it is written in exceptions."""
    return moment.strftime("%Y-%m-%d %H:%M:%S").removesuffix(":00")


@lru_cache(maxsize=1)
def countries() -> dict[str, tuple[str, ...]]:
    """The countries whose public holidays are known, by code, with the codes of their subdivisions."""
    import holidays  # heavy start-up: most processes never ask for a country

    return {code: tuple(parts) for code, parts in sorted(holidays.list_supported_countries(include_aliases=False).items())}


@lru_cache(maxsize=1)
def country_names() -> dict[str, str]:
    """The names in English of the countries whose public holidays are known, by code, in the order of the names."""
    from holidays.registry import COUNTRIES  # heavy start-up, as above

    named = {entry[1]: re.sub(r"(?<=[a-z])(?=[A-Z])", " ", entry[0]) for entry in COUNTRIES.values()}
    return dict(sorted(((code, named.get(code, code)) for code in countries()), key=lambda each: each[1]))


def _zone(report: _Report, value: object) -> str:
    if isinstance(value, str) and value in known_zones():
        return value
    if value in (None, ""):
        report.refuse("zone", "A schedule needs a time zone: its hours are read from the clocks there.", "Example: Europe/Berlin")
    else:
        known = offered_zones()
        like = difflib.get_close_matches(_shown(value), known, 1, 0.5) or [name for name in known if _shown(value).lower() in name.lower()]
        report.refuse("zone", f"There is no time zone {_shown(value)!r}.", f"Did you mean {like[0]}?" if like else "Example: Europe/Berlin")
    return "UTC"


def _week(report: _Report, value: object) -> tuple[Hours, ...] | None:
    if value is None:
        return None
    if not isinstance(value, dict):
        report.refuse("week", "The week is an object with a text for each day.", 'Example: {"mon": "08:00-12:00, 13:00-17:00"}')
        return None
    _unknown_keys(report, "week", value, DAYS)
    week = tuple(_hours(report, f"week.{day}", value.get(day, "")) for day in DAYS)
    for number, name in enumerate(DAY_NAMES):
        _into_next_day(report, number, name, week)
    return week


def _into_next_day(report: _Report, number: int, name: str, week: tuple[Hours, ...]) -> None:
    following = (number + 1) % 7
    for begin, end in week[number]:
        for next_begin, next_end in week[following]:
            if end - FULL_DAY > next_begin:
                report.refuse(
                    f"week.{DAYS[number]}",
                    f"{name}'s {hours_text(((begin, end),))} runs into {DAY_NAMES[following]}'s {hours_text(((next_begin, next_end),))}.",
                    f"Let {name}'s end by {_clock(next_begin)}, or {DAY_NAMES[following]}'s begin at {_clock(end, as_end=True)}.",
                )
                return


def _hours(report: _Report, place: str, value: object) -> Hours:
    if value is None or (isinstance(value, str) and value.strip().lower() in ("", "closed", "-", "–")):
        return ()
    if not isinstance(value, str) or len(value) > 1000:
        report.refuse(place, f"Hours are a text, not {_shown(value)}.", HOURS_EXAMPLE)
        return ()
    read = [_interval(report, place, part.strip()) for part in re.split(r"[,;]", value) if part.strip()]
    hours = sorted(interval for interval in read if interval is not None)
    _no_overlaps(report, place, hours)
    return _joined(hours)


def _interval(report: _Report, place: str, text: str) -> Interval | None:
    found = INTERVAL.fullmatch(text)
    if found is None:
        report.refuse(place, f"{_shown(text)!r} is no interval of the day.", HOURS_EXAMPLE)
        return None
    hour, minute, second, end_hour, end_minute, end_second = (int(part or 0) for part in found.groups())
    begin, end = hour * 3600 + minute * 60 + second, end_hour * 3600 + end_minute * 60 + end_second
    if max(minute, second, end_minute, end_second) > 59 or begin >= FULL_DAY or end > FULL_DAY:
        report.refuse(place, f"{text!r} has a time that no clock shows.", "Times go from 00:00 to 24:00. Example: 13:00-24:00")
        return None
    if begin == end:
        report.refuse(place, f"{text!r} begins and ends at the same time.", "Round the clock is 00:00-24:00.")
        return None
    return begin, end if end > begin else end + FULL_DAY


def _no_overlaps(report: _Report, place: str, hours: list[Interval]) -> None:
    for (begin, end), (next_begin, next_end) in pairwise(hours):
        if next_begin < end:
            one, two = hours_text(((begin, end),)), hours_text(((next_begin, next_end),))
            union = hours_text(((begin, max(end, next_end)),))
            report.refuse(
                place, f"{one} and {two} overlap: the time in both would be meant twice.", f"Write {union} if one goes on into the other."
            )
            return


def _joined(hours: list[Interval]) -> Hours:
    """Intervals that touch are one: 08:00-12:00, 12:00-17:00 is 08:00-17:00, as far as one interval can say it."""
    joined: list[Interval] = []
    for begin, end in hours:
        first = joined[-1][0] if joined and joined[-1][1] == begin else begin
        if first != begin and (end - first < FULL_DAY or (first, end) == (0, FULL_DAY)):
            joined[-1] = (first, end)
        else:
            joined.append((begin, end))
    return tuple(joined)


def _holiday_calendar(report: _Report, place: str, value: dict[str, Any]) -> HolidayCalendar | None:
    _unknown_keys(report, place, value, ("country", "subdivision", "working"))
    country, subdivision = value.get("country"), value.get("subdivision") or ""
    if not isinstance(country, str) or country not in countries():
        like = [code for code in countries() if code == _shown(country).upper()[:2]]
        report.refuse(
            f"{place}.country",
            f"There are no public holidays for a country {_shown(country)!r}." if country else "A holiday calendar needs a country.",
            f"Did you mean {like[0]}? Countries are written as two letters (ISO 3166)."
            if like
            else "Countries are two letters. Example: DE, US, IN",
        )
        return None
    parts = countries()[country]
    if not isinstance(subdivision, str) or (subdivision and subdivision not in parts):
        known = f"{country} has {', '.join(parts[:60])}." if parts else f"{country} is not divided: leave it empty."
        report.refuse(f"{place}.subdivision", f"{country} has no holidays of its own for {_shown(subdivision)!r}.", known)
        return None
    working = value.get("working") or []
    if not isinstance(working, list) or not all(isinstance(name, str) for name in working):
        report.refuse(f"{place}.working", "The holidays that are worked are a list of names.", 'Example: ["Labor Day"]')
        return None
    return HolidayCalendar(country, subdivision, tuple(working))


def _own_day(report: _Report, place: str, value: dict[str, Any]) -> OwnDay | None:
    _unknown_keys(report, place, value, ("date", "name", "hours"))
    hours, name, text = _hours(report, f"{place}.hours", value.get("hours")), _name(report, place, value), value.get("date")
    found = DATE.fullmatch(text) if isinstance(text, str) else None
    try:
        if found is None:
            raise ValueError
        year, month, day = (int(part) if part else None for part in found.groups())
        datetime(year or 2000, month or 0, day or 0)  # noqa: DTZ001 - only to see whether the date exists
    except ValueError:
        report.refuse(f"{place}.date", f"There is no date {_shown(text)!r}.", "Examples: 2026-12-24, or 12-24 for every year")
        return None
    if year is not None and not _known_year(report, f"{place}.date", year):
        return None
    return OwnDay(month or 0, day or 0, year, name, hours)


def _exception(report: _Report, place: str, value: dict[str, Any]) -> Exceptional | None:
    _unknown_keys(report, place, value, ("from", "to", "open", "name"))
    name, is_open = _name(report, place, value), value.get("open", False)
    start, end = _moment(report, f"{place}.from", value.get("from")), _moment(report, f"{place}.to", value.get("to"))
    if not isinstance(is_open, bool):
        report.refuse(f"{place}.open", "An exception is open (true) or closed (false).")
        return None
    if start is None or end is None:
        return None
    if end <= start:
        report.refuse(
            f"{place}.to",
            f"The exception ends at {moment_text(end)}, {'when' if end == start else 'before'} it starts ({moment_text(start)}).",
            f"Example: from {moment_text(start)} to {moment_text(start + timedelta(days=1))}",
        )
        return None
    return Exceptional(start, end, is_open, name)


def _moment(report: _Report, place: str, value: object) -> datetime | None:
    found = MOMENT.fullmatch(value) if isinstance(value, str) else None
    try:
        if found is None:
            raise ValueError
        moment = datetime.fromisoformat(f"{found[1]} {found[2]}")
    except ValueError:
        report.refuse(place, f"{_shown(value)!r} is no date with a time.", "Example: 2026-12-31 12:00, as the clock on the wall shows it")
        return None
    return moment if _known_year(report, place, moment.year) else None


def _known_year(report: _Report, place: str, year: int) -> bool:
    if not FIRST_YEAR <= year <= LAST_YEAR:
        report.refuse(place, f"The year {year} is out of reach.", f"Years go from {FIRST_YEAR} to {LAST_YEAR}.")
    return FIRST_YEAR <= year <= LAST_YEAR


def _combination(report: _Report, value: object) -> Combination | None:
    if value is None:
        return None
    example = 'Example: {"how": "all", "schedules": [3, 4]}'
    if not isinstance(value, dict):
        report.refuse("combine", "A combination is an object.", example)
        return None
    _unknown_keys(report, "combine", value, ("how", "schedules"))
    how, schedules = value.get("how"), value.get("schedules")
    kinds: dict[str, Literal["all", "any"]] = {"all": "all", "any": "any"}
    if not isinstance(how, str) or how not in kinds:
        report.refuse("combine.how", f"Schedules combine by all or any, not {_shown(how)!r}.", example)
        return None
    if not isinstance(schedules, list) or not schedules or not all(type(each) is int and 0 < each < 2**63 for each in schedules):
        report.refuse("combine.schedules", "A combination needs the ids of the schedules that it combines.", example)
        return None
    return Combination(kinds[how], tuple(dict.fromkeys(schedules)))


def _whole(report: _Report, definition: Definition) -> None:
    """What no part shows alone: whether it opens at all, and what cannot take effect."""
    if (
        definition.combination is None
        and definition.week is None
        and not any(problem.field.startswith("week") for problem in report.problems)
    ):
        report.refuse("week", "The schedule has no hours.", 'Give at least one day some. Example: {"mon": "08:00-17:00"}')
    has_hours = (
        any(definition.week or ()) or any(own.hours for own in definition.days) or any(each.is_open for each in definition.exceptions)
    )
    if definition.week is not None and not has_hours and not report.problems:
        if definition.combination is None or definition.combination.how == "all":
            report.refuse(
                "week", "The schedule never opens: no day has hours.", HOURS_EXAMPLE + ", or leave the week out to combine others."
            )
    elif has_hours and not any(definition.week or ()) and definition.week is not None:
        report.warn("week", "No weekday has hours: the schedule opens only on its own days and exceptions.")
    if definition.week is None and definition.combination is not None and (definition.holidays or definition.days or definition.exceptions):
        report.refuse(
            "week",
            "Holidays, days and exceptions change this schedule's own hours, and it has none.",
            "Give it hours of its own (00:00-24:00 every day leaves all to the combination), or leave them out.",
        )
    _repeated_days(report, definition.days)
    _crossing_exceptions(report, definition.exceptions)


def _repeated_days(report: _Report, days: Sequence[OwnDay]) -> None:
    seen: dict[str, int] = {}
    for place, own in enumerate(days):
        if day_text(own) in seen:
            report.refuse(f"days[{place}].date", f"{day_text(own)} is there twice.", "Give a date all its hours in one line.")
        seen[day_text(own)] = place


def _crossing_exceptions(report: _Report, exceptions: Sequence[Exceptional]) -> None:
    for place, later in enumerate(exceptions):
        for earlier in exceptions[:place]:
            if earlier.is_open != later.is_open and earlier.start < later.end and later.start < earlier.end:
                both = moment_text(max(earlier.start, later.start))
                report.warn(f"exceptions[{place}]", f"An open and a closed exception cross from {both}: the later in the list counts.")
                return


Read = TypeVar("Read")


def _each(
    report: _Report, part: str, data: dict[str, Any], read: Callable[[_Report, str, dict[str, Any]], Read | None]
) -> tuple[Read, ...]:
    rows = data.get(part)
    if rows is None:
        return ()
    if not isinstance(rows, list) or len(rows) > MOST:
        report.refuse(part, f"{part.capitalize()} are a list of at most {MOST} objects.", f'Example: {{"{part}": []}}')
        return ()
    found = []
    for number, row in enumerate(rows):
        if isinstance(row, dict):
            found.append(read(report, f"{part}[{number}]", row))
        else:
            report.refuse(f"{part}[{number}]", f"{_shown(row)} is no object.", "Each is an object in braces: { }")
    return tuple(row for row in found if row is not None)


def _name(report: _Report, place: str, value: dict[str, Any]) -> str:
    name = value.get("name") or ""
    if not isinstance(name, str) or len(name) > LONGEST_NAME:
        report.refuse(f"{place}.name", f"A name is a text of at most {LONGEST_NAME} characters.")
        return ""
    return name


def _unknown_keys(report: _Report, place: str, value: dict[Any, Any], known: Sequence[str]) -> None:
    for key in value:
        if key not in known:
            like = difflib.get_close_matches(_shown(key), known, 1)
            hint = f"Did you mean {like[0]}?" if like else f"It may have {', '.join(known)}."
            report.refuse(f"{place}.{_shown(key)}".lstrip("."), f"{_shown(key)!r} is not known here.", hint)


def _clock(seconds: int, *, as_end: bool = False) -> str:
    within = seconds if as_end and seconds == FULL_DAY else seconds % FULL_DAY
    return f"{within // 3600:02d}:{within // 60 % 60:02d}" + (f":{within % 60:02d}" if within % 60 else "")


def _shown(value: object) -> str:
    """A value from outside in a message: cut, and without what cannot be printed."""
    return "".join(letter if letter.isprintable() else "?" for letter in str(value)[:60])


def _without_empty(**values: Any) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value not in ("", [], None)}
