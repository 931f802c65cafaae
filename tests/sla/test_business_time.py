"""Business time: laws over schedules drawn at random, against a count second by second, and cases worked out by hand."""

import struct
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from zoneinfo import TZPATH, ZoneInfo, available_timezones

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pilothouse.sla.engine.business_time import (
    Combination,
    Definition,
    Exceptional,
    HolidayCalendar,
    OpenHours,
    OwnDay,
    all_of,
    always,
    any_of,
    business_day,
    compile_definition,
    compile_versions,
    never,
)
from pilothouse.sla.engine.business_time.zones import instant_of, offset_at, offsets
from tests.sla.schedules_at_random import WEEKS, definitions, is_open_on_the_wall

HOUR = 3600
OFFICE = ((8 * HOUR, 12 * HOUR), (13 * HOUR, 17 * HOUR))
WEEK = (OFFICE,) * 5 + ((),) * 2
EDGES = st.integers(-500, 5_000)


def at(text: str, zone: str = "UTC") -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).timestamp())


def random_hours() -> st.SearchStrategy[OpenHours]:
    return st.lists(st.tuples(EDGES, EDGES), max_size=12).map(OpenHours.of)


# --- laws of the arithmetic, over any set of spans ---


@given(random_hours(), EDGES, EDGES, EDGES)
def test_elapsed_is_additive_and_grows(hours: OpenHours, one: int, two: int, three: int) -> None:
    assert hours.elapsed(one, two) + hours.elapsed(two, three) == hours.elapsed(one, three)
    assert hours.elapsed(one, two) == -hours.elapsed(two, one)
    low, high = sorted((two, three))
    assert hours.elapsed(one, low) <= hours.elapsed(one, high)


@given(random_hours(), EDGES, st.integers(-4_000, 4_000))
def test_add_undoes_elapsed(hours: OpenHours, start: int, seconds: int) -> None:
    end = hours.add(start, seconds)
    if end is None:
        left = hours.elapsed(start, 10**9) if seconds > 0 else hours.elapsed(-(10**9), start)
        assert left < abs(seconds)
        return
    assert hours.elapsed(start, end) == seconds
    if seconds:
        nearer = end - 1 if seconds > 0 else end + 1
        assert abs(hours.elapsed(start, nearer)) < abs(seconds), "there is an instant nearer to the start"
    assert end >= start if seconds >= 0 else end <= start


@given(random_hours(), EDGES, st.integers(0, 4_000), st.integers(0, 4_000))
def test_add_grows_and_adds_up(hours: OpenHours, start: int, some: int, more: int) -> None:
    first, both = hours.add(start, some), hours.add(start, some + more)
    if both is not None:
        assert first is not None and first <= both
        assert hours.add(first, more) == both if more else both == first
    later = hours.add(start + more, some)
    if later is not None:
        assert first is not None and first <= later


@given(random_hours(), st.lists(st.tuples(EDGES, EDGES, st.integers(-3_000, 3_000)), max_size=20))
def test_many_is_scalar(hours: OpenHours, rows: list[tuple[int, int, int]]) -> None:
    starts, ends, seconds = (np.array([row[place] for row in rows], np.int64) for place in range(3))
    assert hours.elapsed_many(starts, ends).tolist() == [hours.elapsed(row[0], row[1]) for row in rows]
    answers = [hours.add(row[0], row[2]) for row in rows]
    assert hours.add_many(starts, seconds).tolist() == [-1 if answer is None else answer for answer in answers]
    opened = [hours.next_open(row[0]) for row in rows]
    assert hours.next_open_many(starts).tolist() == [-1 if answer is None else answer for answer in opened]
    assert hours.is_open_many(starts).tolist() == [hours.is_open(row[0]) for row in rows]


@given(random_hours(), st.integers(-500, 4_800))
def test_scalar_is_counting(hours: OpenHours, start: int) -> None:
    seconds = [hours.is_open(second) for second in range(start, start + 200)]
    assert [hours.elapsed(start, start + length) for length in range(201)] == [sum(seconds[:length]) for length in range(201)]
    opened = hours.next_open(start)
    assert (opened - start if opened is not None and opened < start + 200 else None) == next(
        (place for place, is_open in enumerate(seconds) if is_open), None
    )
    assert sum(end - begin for begin, end in hours.between(start, start + 200)) == sum(seconds)


@given(random_hours(), random_hours(), EDGES)
def test_hours_unite_and_intersect(one: OpenHours, two: OpenHours, second: int) -> None:
    assert any_of([one, two]).is_open(second) == (one.is_open(second) or two.is_open(second))
    assert all_of([one, two]).is_open(second) == (one.is_open(second) and two.is_open(second))
    assert all_of([one, always()]) == one == any_of([one, never()])
    opens, closes = any_of([one, two]).spans
    assert (closes > opens).all() and (opens[1:] > closes[:-1]).all(), "spans are sorted, and never touch"


# --- definitions against the clock on the wall ---


@settings(max_examples=120, deadline=None)
@given(st.data())
def test_compiled_is_what_the_wall_shows(data: st.DataObject) -> None:
    """Every quarter of an hour of the week of a change of clocks, and every second around its edges."""
    zone, around = data.draw(st.sampled_from(WEEKS))
    definition = data.draw(definitions(zone, around))
    hours = compile_definition(definition, around.year - 1, around.year + 1)
    middle = int(around.timestamp())
    for second in range(middle - 4 * 86_400, middle + 4 * 86_400, 900):
        assert hours.is_open(second) == is_open_on_the_wall(definition, second), (zone, second)
    edge = data.draw(
        st.sampled_from([middle, *(edge for span in hours.between(middle - 3 * 86_400, middle + 3 * 86_400) for edge in span)])
    )
    begin, end = edge - 90, edge + 90
    counted = np.cumsum([0, *(is_open_on_the_wall(definition, second) for second in range(begin, end))])
    assert hours.elapsed_many(np.full(181, begin), np.arange(begin, end + 1)).tolist() == counted.tolist()


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(sorted(available_timezones() - {"localtime", "Factory"})), st.integers(1995, 2036))
def test_every_zone_reads_its_wall(zone: str, year: int) -> None:
    definition = Definition(zone, week=(((9 * HOUR, 17 * HOUR + 1800),),) * 5 + (((22 * HOUR, 30 * HOUR),), ()))
    hours = compile_definition(definition, year, year)
    changes = [instant for instant, _ in offsets(zone, year, year)[1:]]
    for change in [*changes, at(f"{year}-06-30T12:00")]:
        for second in range(change - 30 * HOUR, change + 30 * HOUR, 1800):
            if (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=second)).astimezone(ZoneInfo(zone)).year == year:
                assert hours.is_open(second) == is_open_on_the_wall(definition, second), (zone, second)


def test_no_change_of_any_zone_is_missed() -> None:
    """The changes of every zone's own file, from 2005 on, are among those found by probing.

    A zone that has had the same changes as another in these years is probed once.
    """
    base = next((Path(folder) for folder in TZPATH if Path(folder).is_dir()), None)
    if base is None:
        pytest.skip("this machine has no zone files")
    names = {
        (base / name).read_bytes(): name for name in sorted(available_timezones()) if (base / name).is_file()
    }  # once each, not by alias
    assert len(names) > 300
    alike: dict[tuple[tuple[int, int], ...], str] = {}
    for name in names.values():
        zone = ZoneInfo(name)
        seconds = [at("2004-12-31T00:00"), *(s for s in _changes_in(base / name) if at("2004-12-31T00:00") < s < at("2040-01-01T00:00"))]
        shown = [(second, offset_at(zone, second)) for second in seconds]
        changes = tuple(after for before, after in pairwise(shown) if before[1] != after[1])
        alike.setdefault((shown[0], *changes), name)
    assert len(alike) > 100
    for (_, *changes), name in alike.items():
        assert {second for second, _ in changes} <= {instant for instant, _ in offsets(name, 2005, 2039)}, name


def _changes_in(file: Path) -> list[int]:
    """The instants of change in the second, 64-bit block of a TZif file (RFC 8536)."""
    data = file.read_bytes()

    def counts(offset: int) -> tuple[int, ...]:
        return struct.unpack(">6l", data[offset + 20 : offset + 44])

    utc, standard, leaps, times, types, letters = counts(0)
    second = 44 + times * 5 + types * 6 + letters + leaps * 8 + standard + utc
    number = counts(second)[3]
    return list(struct.unpack(f">{number}q", data[second + 44 : second + 44 + number * 8]))


@settings(max_examples=200)
@given(st.sampled_from(sorted({zone for zone, _ in WEEKS})), st.dates(date(2010, 1, 1), date(2030, 1, 1)), st.integers(0, 86_400))
def test_an_instant_of_wall_time_is_the_first_that_shows_it(zone: str, day: date, seconds: int) -> None:
    where = ZoneInfo(zone)
    instant = instant_of(where, day, seconds)
    wanted = datetime.combine(day, datetime.min.time()) + timedelta(seconds=seconds)

    def shown(second: int) -> datetime:
        return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=second)).astimezone(where).replace(tzinfo=None)

    assert shown(instant) >= wanted
    assert all(shown(instant - before) < wanted for before in (1, 60, 1800, 3599, 3600, 3601, 7200))


# --- cases worked out by hand ---


def office(zone: str = "Europe/Berlin", **more: object) -> OpenHours:
    return compile_definition(Definition(zone, week=WEEK, **more), 2010, 2030)  # type: ignore[arg-type]


def test_friday_afternoon_and_four_hours() -> None:
    hours = office()
    assert hours.add(at("2026-06-05T16:00", "Europe/Berlin"), 4 * HOUR) == at("2026-06-08T11:00", "Europe/Berlin")
    assert hours.elapsed(at("2026-06-05T16:00", "Europe/Berlin"), at("2026-06-08T11:00", "Europe/Berlin")) == 4 * HOUR


def test_a_span_is_half_open() -> None:
    hours = office()
    assert not hours.is_open(at("2026-06-05T12:00", "Europe/Berlin"))
    assert hours.is_open(at("2026-06-05T11:59:59", "Europe/Berlin"))
    assert hours.add(at("2026-06-05T11:00", "Europe/Berlin"), HOUR) == at("2026-06-05T12:00", "Europe/Berlin")
    assert hours.next_open(at("2026-06-05T12:00", "Europe/Berlin")) == at("2026-06-05T13:00", "Europe/Berlin")


@pytest.mark.parametrize(
    ("day", "interval", "worked"),
    [
        ("2025-03-30", (0, 24 * HOUR), 23 * HOUR),  # the clock skips 02:00-03:00
        ("2025-10-26", (0, 24 * HOUR), 25 * HOUR),  # and shows 02:00-03:00 twice
        ("2025-03-29", (22 * HOUR, 30 * HOUR), 7 * HOUR),  # night shifts over both
        ("2025-10-25", (22 * HOUR, 30 * HOUR), 9 * HOUR),
        ("2025-03-30", (2 * HOUR, 3 * HOUR), 0),  # an hour that does not exist
        ("2025-10-26", (2 * HOUR, 3 * HOUR), 2 * HOUR),  # an hour that exists twice
        ("2025-03-30", (9000, 4 * HOUR), HOUR),  # it begins in the skipped hour, so when the clock has skipped it
        ("2025-10-26", (9000, 4 * HOUR), 2 * HOUR),  # half an hour of the first pass, 02:30-04:00 of the second
    ],
)
def test_changes_of_the_clock_in_berlin(day: str, interval: tuple[int, int], worked: int) -> None:
    own = OwnDay(*(int(part) for part in (day[5:7], day[8:10], day[:4])), hours=(interval,))
    hours = compile_definition(Definition("Europe/Berlin", week=((),) * 7, days=(own,)), 2025, 2025)
    assert hours.total == worked


def test_half_an_hour_in_lord_howe() -> None:
    hours = compile_definition(Definition("Australia/Lord_Howe", week=(((0, 86_400),),) * 7), 2025, 2025)
    zone = ZoneInfo("Australia/Lord_Howe")
    lengths = {
        day: hours.elapsed(instant_of(zone, day), instant_of(zone, day + timedelta(days=1)))
        for day in (date(2025, 4, 6), date(2025, 10, 5), date(2025, 7, 1))
    }
    assert lengths == {date(2025, 4, 6): 88_200, date(2025, 10, 5): 84_600, date(2025, 7, 1): 86_400}


def test_apia_had_no_30_december_2011() -> None:
    hours = compile_definition(Definition("Pacific/Apia", week=(((9 * HOUR, 17 * HOUR),),) * 7), 2011, 2012)
    start = at("2011-12-29T16:00", "Pacific/Apia")
    assert hours.add(start, 2 * HOUR) == at("2011-12-31T10:00", "Pacific/Apia")


def test_a_holiday_takes_the_night_shift_that_begins_on_it() -> None:
    nights = Definition("Europe/Berlin", week=(((22 * HOUR, 30 * HOUR),),) * 7, holidays=(HolidayCalendar("DE"),))
    hours = compile_definition(nights, 2025, 2026)
    worked = list(hours.between(at("2025-04-30T12:00", "Europe/Berlin"), at("2025-05-03T12:00", "Europe/Berlin")))
    assert worked == [
        (at("2025-04-30T22:00", "Europe/Berlin"), at("2025-05-01T06:00", "Europe/Berlin")),
        (at("2025-05-02T22:00", "Europe/Berlin"), at("2025-05-03T06:00", "Europe/Berlin")),
    ]


def test_own_days_and_exceptions_in_order() -> None:
    hours = office(
        days=(OwnDay(12, 24, None, "Christmas Eve", ((8 * HOUR, 12 * HOUR),)),),
        exceptions=(
            Exceptional(datetime.fromisoformat("2026-12-24T10:00"), datetime.fromisoformat("2026-12-28T00:00"), False, "moving"),
            Exceptional(datetime.fromisoformat("2026-12-26T09:00"), datetime.fromisoformat("2026-12-26T10:00"), True, "hand-over"),
        ),
    )
    begin, end = at("2026-12-24T00:00", "Europe/Berlin"), at("2026-12-28T00:00", "Europe/Berlin")
    assert [(second - begin) // HOUR for span in hours.between(begin, end) for second in span] == [8, 10, 57, 58]
    assert hours.elapsed(at("2027-12-24T00:00", "Europe/Berlin"), at("2027-12-25T00:00", "Europe/Berlin")) == 4 * HOUR


def test_a_working_holiday_is_worked() -> None:
    on_labour_day = at("2025-05-01T10:00", "Europe/Berlin")
    assert not office(holidays=(HolidayCalendar("DE"),)).is_open(on_labour_day)
    assert office(holidays=(HolidayCalendar("DE", working=("Labor Day",)),)).is_open(on_labour_day)


def test_versions_hold_from_their_instant_on() -> None:
    early = Definition("UTC", week=WEEK)
    late = Definition("UTC", week=(((10 * HOUR, 12 * HOUR),),) * 7)
    change = at("2026-03-04T11:00")
    hours = compile_versions([(None, early), (change, late)], 2025, 2027)
    assert hours.elapsed(at("2026-03-03T00:00"), at("2026-03-04T00:00")) == 8 * HOUR
    assert hours.elapsed(at("2026-03-04T00:00"), at("2026-03-05T00:00")) == 3 * HOUR + HOUR
    assert hours.elapsed(at("2026-03-07T00:00"), at("2026-03-09T00:00")) == 4 * HOUR
    since_ever = compile_versions([(None, early), (change, late), (None, early)], 2025, 2027)
    assert since_ever == compile_definition(early, 2025, 2027)


def test_schedules_combine() -> None:
    office_hours = office()
    late = Definition("Europe/Berlin", week=(((16 * HOUR, 20 * HOUR),),) * 7, combination=Combination("all", (7,)))
    both = compile_definition(late, 2026, 2026, {7: office_hours})
    day = at("2026-06-05T00:00", "Europe/Berlin")
    assert both.elapsed(day, day + 86_400) == HOUR
    either = compile_definition(Definition("Europe/Berlin", combination=Combination("any", (7, 8))), 2026, 2026, {7: office_hours})
    assert either.elapsed(day, day + 7 * 86_400) == 40 * HOUR


def test_next_business_day_at_four() -> None:
    hours = office(holidays=(HolidayCalendar("DE"),))
    for start, count, due in [
        ("2026-06-04T18:00", 1, "2026-06-05T16:00"),
        ("2026-06-05T09:00", 1, "2026-06-08T16:00"),
        ("2026-06-05T09:00", 0, "2026-06-05T16:00"),
        ("2026-06-06T09:00", 0, "2026-06-08T16:00"),
        ("2026-04-30T09:00", 2, "2026-05-05T16:00"),
        ("2026-10-23T09:00", 1, "2026-10-26T16:00"),  # over the change of the clock
    ]:
        assert business_day(hours, at(start, "Europe/Berlin"), count, 16 * HOUR) == at(due, "Europe/Berlin"), start
    assert business_day(never(), 0, 1, 0) is None


def test_round_the_clock_and_never() -> None:
    assert always().add(10, 100) == 110 and always().elapsed(-50, 50) == 100 and always().next_open(7) == 7
    assert never().add(10, 1) is None and never().add(10, 0) == 10 and never().next_open(0) is None
    assert never().add_many([1, 2], [5, 0]).tolist() == [-1, 2]
    assert never().next_open_many([1, 2]).tolist() == [-1, -1]


def test_spans_never_touch_over_years() -> None:
    hours = compile_definition(Definition("Europe/Berlin", week=(((0, 86_400),),) * 7), 2000, 2040)
    assert len(hours) == 1
    opens, closes = office().spans
    assert all(close < nxt for close, nxt in pairwise(np.column_stack((opens, closes)).ravel().tolist()))
