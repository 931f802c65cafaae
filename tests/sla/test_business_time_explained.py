"""The words of a computation, and the year a schedule produces."""

import doctest
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st

from pilothouse.sla.engine.business_time import (
    Definition,
    HolidayCalendar,
    OpenHours,
    closings,
    compile_definition,
    explain_add,
    explain_elapsed,
    explaining,
    open_hours,
    year_of,
)
from tests.sla.schedules_at_random import WEEKS, definitions

HOUR = 3600
OFFICE = Definition(
    "Europe/Berlin", week=(((8 * HOUR, 12 * HOUR), (13 * HOUR, 17 * HOUR)),) * 5 + ((),) * 2, holidays=(HolidayCalendar("DE"),)
)
HOURS = compile_definition(OFFICE, 2011, 2030)
NAMES = closings(OFFICE, date(2026, 1, 1), date(2026, 12, 31))


def at(text: str, zone: str = "Europe/Berlin") -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).timestamp())


def test_the_modules_examples_hold() -> None:
    assert doctest.testmod(explaining).failed == 0
    assert doctest.testmod(open_hours).failed == 0


def test_friday_and_four_hours_in_words() -> None:
    told = explain_add(HOURS, at("2026-06-05T16:00"), 4 * HOUR, NAMES)
    assert told.words == "Fri 16:00 + 4 h = Mon 11:00: 1 h Friday, weekend closed, 3 h Monday."
    assert [step.open_seconds for step in told.steps] == [HOUR, 0, 3 * HOUR]


def test_holidays_are_named() -> None:
    told = explain_elapsed(HOURS, at("2026-04-02T09:00"), at("2026-04-07T10:00"), NAMES)
    assert told.words == "From Thu 09:00 to Tue 10:00 = 9 h: 7 h Thursday, Good Friday, weekend and Easter Monday closed, 2 h Tuesday."


def test_a_long_way_is_told_shortly_and_still_sums_up() -> None:
    told = explain_add(HOURS, at("2026-01-05T08:00"), 400 * HOUR, NAMES)
    assert len(told.steps) == 7 and sum(step.open_seconds for step in told.steps) == 400 * HOUR
    assert "on the" in told.words and "open days between" in told.words
    assert told.words.startswith("Mon 5 Jan 2026 08:00 + 400 h = ")


def test_changes_of_the_clock_are_noted() -> None:
    told = explain_elapsed(HOURS, at("2026-03-27T09:00"), at("2026-03-30T10:00"))
    assert told.notes == ("On Sun 29 Mar 2026 the clocks go forward 1 h.",)
    begun_that_day = explain_elapsed(HOURS, at("2026-03-29T00:10"), at("2026-03-30T10:00"))
    assert begun_that_day.notes == told.notes
    assert explain_elapsed(HOURS, at("2026-03-30T09:00"), at("2026-03-31T10:00")).notes == ()


def test_what_never_comes_is_said() -> None:
    told = explain_add(OpenHours.of([(0, 60)]), 0, 100)
    assert told.end is None
    assert told.words == "It never opens that long: from then on it opens for 1 min of the 1 min 40 s."


def test_counting_back() -> None:
    told = explain_add(HOURS, at("2026-06-08T11:00"), -4 * HOUR)
    assert told.words == "Mon 11:00 − 4 h = Fri 16:00: 1 h Friday, weekend closed, 3 h Monday."
    assert explain_elapsed(HOURS, at("2026-06-08T11:00"), at("2026-06-05T16:00")).seconds == -4 * HOUR


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_the_steps_sum_up_and_join(data: st.DataObject) -> None:
    zone, around = data.draw(st.sampled_from(WEEKS))
    hours = compile_definition(data.draw(definitions(zone, around)), around.year - 1, around.year + 1)
    start = int(around.timestamp()) + data.draw(st.integers(-3 * 86_400, 3 * 86_400))
    told = explain_elapsed(hours, start, start + data.draw(st.integers(1, 20 * 86_400)))
    assert told.end is not None
    assert sum(step.open_seconds for step in told.steps) == told.seconds == hours.elapsed(start, told.end)
    assert [step.start for step in told.steps] + [told.end] == [start] + [step.end for step in told.steps]


@settings(max_examples=30, deadline=None)
@given(st.data())
def test_a_year_has_every_day_and_every_open_second(data: st.DataObject) -> None:
    zone, around = data.draw(st.sampled_from(WEEKS))
    hours = compile_definition(data.draw(definitions(zone, around)), around.year, around.year)
    year = year_of(hours, around.year)
    assert sum(day.open_seconds for day in year) == hours.total
    assert len(year) in (365, 366)


def test_days_of_the_year() -> None:
    year = {each.day: each for each in year_of(HOURS, 2026, NAMES)}
    assert year[date(2026, 6, 5)].hours == "08:00-12:00, 13:00-17:00"
    assert year[date(2026, 6, 6)].hours == "closed"
    assert [closing.name for closing in year[date(2026, 5, 1)].closings] == ["Labor Day"]
    assert year[date(2026, 3, 29)].shift_seconds == HOUR and year[date(2026, 3, 29)].length_seconds == 23 * HOUR
    assert year[date(2026, 10, 25)].shift_seconds == -HOUR


def test_a_day_that_a_zone_left_out() -> None:
    apia = compile_definition(Definition("Pacific/Apia", week=(((9 * HOUR, 17 * HOUR),),) * 7), 2011, 2011)
    left_out = year_of(apia, 2011)[363]
    assert (left_out.day, left_out.length_seconds, left_out.open_seconds) == (date(2011, 12, 30), 0, 0)
    start = int(datetime(2011, 12, 29, 0, tzinfo=ZoneInfo("Pacific/Apia")).astimezone(UTC).timestamp())
    assert explain_add(apia, start, 12 * HOUR).words == "Thu 00:00 + 12 h = Sat 13:00: 8 h Thursday, 4 h Saturday."
