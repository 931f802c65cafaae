"""Definitions in JSON: what is read, what is refused and warned about, and that nothing in JSON makes reading fail."""

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pilothouse.sla.engine.business_time.compiling import compile_definition
from pilothouse.sla.engine.business_time.reading import read_definition, read_hours, write_definition
from tests.sla.schedules_at_random import WEEKS, definitions

SOUND: dict[str, Any] = {
    "zone": "Europe/Berlin",
    "week": {"mon": "08:00-12:00, 13:00-17:00", "fri": "22:00-06:00"},
    "holidays": [{"country": "DE", "subdivision": "BY", "working": ["Assumption Day"]}],
    "days": [{"date": "12-24", "name": "Christmas Eve", "hours": "08:00-12:00"}, {"date": "2026-10-02", "name": "Bridge day"}],
    "exceptions": [{"from": "2026-12-31 12:00", "to": "2027-01-02 00:00", "open": False, "name": "stocktaking"}],
    "combine": {"how": "all", "schedules": [3, 4]},
}


def test_a_sound_definition_is_read_and_written_back() -> None:
    reading = read_definition(SOUND)
    assert reading.problems == () and reading.definition is not None
    assert write_definition(reading.definition) == SOUND


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(WEEKS).flatmap(lambda week: definitions(*week)))
def test_what_is_written_reads_as_the_same_hours(definition: Any) -> None:
    reading = read_definition(write_definition(definition))
    if reading.definition is None:
        assert {"week", "into"} & {
            word for problem in reading.errors for word in ("week", "into") if word in problem.message + problem.field
        }
        return
    year = definition.exceptions[0].start.year if definition.exceptions else 2025
    assert compile_definition(reading.definition, year, year) == compile_definition(definition, year, year)


@pytest.mark.parametrize(
    ("change", "field", "words"),
    [
        ({"zone": ""}, "zone", "needs a time zone"),
        ({"zone": "Europe/Berln"}, "zone", "Did you mean Europe/Berlin?"),
        ({"zone": "Hawaii Islands"}, "zone", "There is no time zone"),
        ({"zone": ["UTC"]}, "zone", "There is no time zone"),
        ({"week": {"mon": "08:00-12:00, 11:00-17:00"}}, "week.mon", "08:00-12:00 and 11:00-17:00 overlap"),
        ({"week": {"mon": "08:00-12:00, 11:00-17:00"}}, "week.mon", "Write 08:00-17:00"),
        ({"week": {"mon": "22:00-06:00", "tue": "05:00-12:00"}}, "week.mon", "runs into Tuesday's"),
        ({"week": {"sun": "22:00-06:00", "mon": "05:00-12:00"}}, "week.sun", "runs into Monday's"),
        ({"week": {"mon": "8 to 5"}}, "week.mon", "is no interval of the day"),
        ({"week": {"mon": "08:00-25:00"}}, "week.mon", "no clock shows"),
        ({"week": {"mon": "24:00-25:00"}}, "week.mon", "no clock shows"),
        ({"week": {"mon": "08:00-08:00"}}, "week.mon", "Round the clock is 00:00-24:00"),
        ({"week": {"monday": "08:00-12:00"}}, "week.monday", "Did you mean mon?"),
        ({"week": {"mon": 8}}, "week.mon", "Hours are a text"),
        ({"week": []}, "week", "The week is an object"),
        ({"week": {}, "days": [], "exceptions": [], "combine": None}, "week", "never opens"),
        ({"week": None, "combine": None}, "week", "has no hours"),
        ({"week": None}, "week", "change this schedule's own hours"),
        ({"holidays": [{"country": "XX"}]}, "holidays[0].country", "no public holidays for a country 'XX'"),
        ({"holidays": [{"country": "de"}]}, "holidays[0].country", "Did you mean DE?"),
        ({"holidays": [{}]}, "holidays[0].country", "needs a country"),
        ({"holidays": [{"country": "DE", "subdivision": "XX"}]}, "holidays[0].subdivision", "DE has BB"),
        ({"holidays": ["DE"]}, "holidays[0]", "is no object"),
        ({"holidays": {"country": "DE"}}, "holidays", "are a list"),
        ({"days": [{"date": "2026-02-30"}]}, "days[0].date", "There is no date '2026-02-30'"),
        ({"days": [{"date": "02-30"}]}, "days[0].date", "There is no date"),
        ({"days": [{"date": "9999-12-31"}]}, "days[0].date", "out of reach"),
        ({"days": [{"date": "12-24"}, {"date": "12-24"}]}, "days[1].date", "is there twice"),
        ({"days": [{"date": "12-24", "hours": "12:00"}]}, "days[0].hours", "is no interval of the day"),
        ({"exceptions": [{"from": "2026-12-31 12:00", "to": "2026-12-30 12:00"}]}, "exceptions[0].to", "before it starts"),
        ({"exceptions": [{"from": "2026-12-31 12:00", "to": "2026-12-31 12:00"}]}, "exceptions[0].to", "when it starts"),
        ({"exceptions": [{"from": "tomorrow", "to": "2026-12-30 12:00"}]}, "exceptions[0].from", "no date with a time"),
        ({"exceptions": [{"from": "2026-12-31 12:00", "to": "2027-01-01 12:00", "open": "yes"}]}, "exceptions[0].open", "open (true)"),
        ({"combine": {"how": "most", "schedules": [1]}}, "combine.how", "by all or any"),
        ({"combine": {"how": "all", "schedules": []}}, "combine.schedules", "needs the ids"),
        ({"combine": {"how": "all", "schedules": [True]}}, "combine.schedules", "needs the ids"),
        ({"combine": 3}, "combine", "is an object"),
        ({"timezone": "UTC"}, "timezone", "Did you mean zone?"),
    ],
)
def test_what_is_wrong_is_refused_with_place_reason_and_example(change: dict[str, Any], field: str, words: str) -> None:
    reading = read_definition({**SOUND, **change})
    assert reading.definition is None
    assert any(problem.field == field and words in f"{problem.message} {problem.hint}" for problem in reading.errors), reading.problems


def test_what_is_odd_is_warned_about() -> None:
    crossing = [
        {"from": "2026-12-31 12:00", "to": "2027-01-02 00:00"},
        {"from": "2027-01-01 12:00", "to": "2027-01-01 13:00", "open": True},
    ]
    reading = read_definition({**SOUND, "exceptions": crossing})
    assert reading.definition is not None and "the later in the list counts" in reading.warnings[0].message
    reading = read_definition({"zone": "UTC", "week": {}, "days": [{"date": "12-24", "hours": "08:00-12:00"}]})
    assert reading.definition is not None and "No weekday has hours" in reading.warnings[0].message


def test_hours_as_people_write_them() -> None:
    for text in ("08:00-12:00, 13:00-17:00", "8:00 – 12:00; 13:00 to 17:00", "13:00-17:00,08:00-10:00,10:00-12:00"):
        assert read_hours(text) == (((28_800, 43_200), (46_800, 61_200)), [])
    assert read_hours("closed") == ((), [])
    assert read_hours("22:00-06:00") == (((79_200, 108_000),), [])
    assert read_hours("00:00-24:00") == (((0, 86_400),), [])


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.sampled_from(["UTC", "DE", "08:00-12:00", "12-24", "2026-01-01 08:00"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    *SOUND,
                    "mon",
                    "sun",
                    "country",
                    "subdivision",
                    "working",
                    "date",
                    "name",
                    "hours",
                    "from",
                    "to",
                    "open",
                    "how",
                    "schedules",
                ]
            )
            | st.text(),
            inner,
            max_size=6,
        )
    ),
    max_leaves=25,
)


@settings(max_examples=300, deadline=None)
@given(JSON, st.sampled_from([None, *SOUND]))
def test_nothing_in_json_makes_reading_fail(data: Any, part: str | None) -> None:
    reading = read_definition({**SOUND, part: data} if part else data)
    assert reading.definition is not None or reading.errors
    if reading.definition is not None:
        hours = compile_definition(reading.definition, 2025, 2026)
        assert hours.elapsed(0, int(datetime(2027, 1, 2, tzinfo=UTC).timestamp())) == hours.total
