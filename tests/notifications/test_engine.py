"""When a message may reach somebody: table tests with both changes of the clocks, and laws."""

from datetime import UTC, datetime, time, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pilothouse.notifications.engine import Hours, after_quiet, next_digest, one_line, pause_seconds, zone_of

BERLIN = "Europe/Berlin"


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("now", "quiet", "then"),
    [
        ("2026-11-23T20:59:59", (22, 7), "2026-11-23T20:59:59"),
        ("2026-11-23T21:00:00", (22, 7), "2026-11-24T06:00:00"),
        ("2026-11-24T05:59:59", (22, 7), "2026-11-24T06:00:00"),
        ("2026-11-24T06:00:00", (22, 7), "2026-11-24T06:00:00"),
        ("2026-11-24T11:30:00", (12, 14), "2026-11-24T13:00:00"),
        ("2026-11-24T11:30:00", (9, 9), "2026-11-24T11:30:00"),
        ("2026-03-28T22:00:00", (22, 7), "2026-03-29T05:00:00"),  # the night that is an hour short
        ("2026-10-24T21:00:00", (22, 7), "2026-10-25T06:00:00"),  # and the one that is an hour long
        ("2026-03-28T22:00:00", (22, 2), "2026-03-29T01:00:00"),  # until an hour that there is not
        ("2026-10-25T00:15:00", (22, 2), "2026-10-25T00:15:00"),  # 02:15 the first time: past its end
        ("2026-10-25T00:15:00", (1, 2.5), "2026-10-25T00:30:00"),  # until 02:30 the first time
        ("2026-10-25T01:15:00", (1, 2.5), "2026-10-25T01:30:00"),  # and 02:15 the second: until 02:30 comes again
    ],
)
def test_quiet_hours_end(now: str, quiet: tuple[float, float], then: str) -> None:
    start, end = (time(int(hour), int(hour % 1 * 60)) for hour in quiet)
    hours = Hours(BERLIN, start, end)
    assert after_quiet(at(now), hours, urgent=False) == at(then)
    assert after_quiet(at(now), hours, urgent=True) == at(now)


def test_urgent_ones_wait_for_who_says_so() -> None:
    hours = Hours(BERLIN, time(22), time(7), urgent_passes=False)
    assert after_quiet(at("2026-11-23T23:00:00"), hours, urgent=True) == at("2026-11-24T06:00:00")


def test_the_digest_comes_at_its_time_of_day() -> None:
    hours = Hours(BERLIN, digest_at=time(8))
    assert next_digest(at("2026-11-23T06:59:59"), hours) == at("2026-11-23T07:00:00")
    assert next_digest(at("2026-11-23T07:00:00"), hours) == at("2026-11-24T07:00:00")
    assert next_digest(at("2026-03-28T12:00:00"), hours) == at("2026-03-29T06:00:00")


INSTANTS = st.integers(1_577_836_800, 2_051_222_400).map(lambda seconds: datetime.fromtimestamp(seconds, UTC))
TIMES = st.times().map(lambda moment: moment.replace(second=0, microsecond=0))
ZONES = st.sampled_from([BERLIN, "America/St_Johns", "Australia/Lord_Howe", "Asia/Kathmandu", "Pacific/Apia", "UTC", "Nowhere/None"])


@settings(max_examples=300, deadline=None)
@given(INSTANTS, ZONES, TIMES, TIMES)
def test_what_waits_for_quiet_hours_waits_a_day_at_most_and_never_into_the_past(now: datetime, zone: str, start: time, end: time) -> None:
    hours = Hours(zone, start, end)
    then = after_quiet(now, hours, urgent=False)
    assert now <= then <= now + timedelta(hours=26)
    if then != now and start != end:
        shown = then.astimezone(zone_of(zone)).time()
        assert shown == end or shown >= end  # later only where the clocks leave the hour out


@settings(max_examples=300, deadline=None)
@given(INSTANTS, ZONES, TIMES)
def test_a_digest_is_ahead_and_within_a_day(now: datetime, zone: str, moment: time) -> None:
    then = next_digest(now, Hours(zone, digest_at=moment))
    assert now < then <= now + timedelta(hours=26)


@given(st.integers(1, 100), st.floats(0, 0.999))
def test_pauses_grow_up_to_an_hour(attempts: int, luck: float) -> None:
    assert 16 <= pause_seconds(attempts, luck) <= 3600 * 1.2


@settings(deadline=None)
@given(st.text(max_size=400))
def test_one_line_is_one_line(text: str) -> None:
    line = one_line(text)
    assert len(line) <= 200
    assert not set(line) & {"\r", "\n", "\x00", "\u2028", "\u2029", "\x85"}
    assert line == one_line(line)
