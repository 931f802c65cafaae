"""The review's engine: what is usual, spans by the wall clock, the order to act, each ticket once."""

import doctest
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pilothouse.morning.engine import lines, spans, sparks, usual
from pilothouse.morning.engine.lines import Line, Section, once_each, order_to_act
from pilothouse.morning.engine.spans import Span

LONDON = ZoneInfo("Europe/London")
NOW = datetime(2026, 3, 3, 8, 30, tzinfo=UTC)  # a Tuesday


@pytest.mark.parametrize("module", [lines, spans, sparks, usual])
def test_the_examples_in_the_words_are_true(module: Any) -> None:
    assert doctest.testmod(module).failed == 0


@pytest.mark.parametrize(("mean", "spread"), [(3.0, 1.0), (40.0, 1.0), (40.0, 3.0), (900.0, 2.0)])
def test_the_interval_holds_about_eight_weeks_in_ten(mean: float, spread: float) -> None:
    """Counts drawn as the model says; discrete counts and a mean known from eight weeks only make it hold somewhat more."""
    dice = np.random.default_rng(7)

    def draw(size: int) -> Any:
        rates = mean if spread == 1 else dice.gamma(mean / (spread - 1), spread - 1, size)
        return dice.poisson(rates, size)

    held = 0
    for _ in range(600):
        *weeks, today = (int(count) for count in draw(9))
        found = usual.usual(weeks)
        assert found is not None
        held += found.verdict(today) == "usual"
    assert 0.72 < held / 600 < 0.95


@given(st.lists(st.integers(0, 2000), min_size=4, max_size=8))
def test_the_interval_holds_its_middle_and_does_not_depend_on_the_order(counts: list[int]) -> None:
    found = usual.usual(counts)
    if found is None:  # too many were unlike the others
        return
    assert 0 <= found.low <= found.middle + 1
    assert found.high >= found.middle - 1
    assert found.weeks + found.left_out == len(counts)
    assert usual.usual(counts[::-1]) == found


def test_a_holiday_among_the_weeks_is_left_out_and_said() -> None:
    found = usual.usual([62, 58, 0, 61, 66, 57, 63, 60])
    assert found is not None
    assert (found.left_out, found.weeks) == (1, 7)
    assert found.verdict(60) == "usual"
    assert (found.verdict(0), found.verdict(95)) == ("less", "more")


def test_three_weeks_are_too_few() -> None:
    assert usual.usual([3, 4, 5]) is None


def test_a_review_counts_from_the_last_one_or_from_the_evening_before() -> None:
    assert spans.since(NOW, None, LONDON) == datetime(2026, 3, 2, 17, tzinfo=UTC)
    last = NOW - timedelta(days=2)
    assert spans.since(NOW, last, LONDON) == last
    assert spans.since(NOW, NOW - timedelta(days=8), LONDON) == datetime(2026, 3, 2, 17, tzinfo=UTC)
    assert spans.since(NOW, None, ZoneInfo("Asia/Singapore")) == datetime(2026, 3, 2, 9, tzinfo=UTC)


def test_weeks_before_keep_the_wall_clock_over_daylight_saving() -> None:
    after = Span(datetime(2026, 3, 30, 16, tzinfo=UTC), datetime(2026, 3, 31, 7, 30, tzinfo=UTC))  # 17:00 to 08:30, summer time
    before = spans.same_in_weeks_before(after, LONDON, 2)
    assert before[0] == Span(datetime(2026, 3, 23, 17, tzinfo=UTC), datetime(2026, 3, 24, 8, 30, tzinfo=UTC))
    assert before[1].end - before[1].start == after.end - after.start


@pytest.mark.parametrize(
    ("hour", "first", "last"),
    [
        (8, "before noon", "before the day ends"),
        (12, "within two hours", "before the day ends"),
        (15, "before the day ends", "before noon tomorrow"),
        (19, "before noon tomorrow", "before tomorrow ends"),
    ],
)
def test_what_lies_ahead_depends_on_the_hour(hour: int, first: str, last: str) -> None:
    now = datetime(2026, 3, 3, hour, 30, tzinfo=UTC)
    found = spans.ahead(now, LONDON)
    assert (found.first_words, found.last_words) == (first, last)
    assert now < found.first <= found.last


def test_mail_goes_at_the_clocks_hour_on_both_sides_of_a_change() -> None:
    friday = datetime(2026, 3, 27, 12, tzinfo=UTC)
    monday = spans.next_at(friday, 450, range(1, 6), LONDON)
    assert monday == datetime(2026, 3, 30, 6, 30, tzinfo=UTC)
    assert spans.next_at(friday, 450, [5], LONDON) == datetime(2026, 4, 3, 6, 30, tzinfo=UTC)
    assert spans.next_at(friday, 450, [], LONDON) is None


def test_an_hour_that_the_clocks_skip_is_the_one_after() -> None:
    assert spans.local(LONDON, date(2026, 3, 29), time(1, 30)) == datetime(2026, 3, 29, 1, 30, tzinfo=UTC)  # shows 02:30


def line(number: str, *, minutes: float = 0, priority: int = 3, probability: float | None = None, ticket: int = 0) -> Line:
    due = NOW + timedelta(minutes=minutes)
    return Line(f"act:{number}:1", "act", ticket or int(number), number, "", priority, "", "", number, (), due, probability, brief=number)


def test_one_acts_on_what_is_past_then_on_what_is_near_and_likely() -> None:
    noon = NOW + timedelta(hours=4)
    asked = [
        line("1", minutes=600),
        line("2", minutes=90, probability=0.1),
        line("3", minutes=200, probability=0.9),
        line("4", minutes=-10, priority=4),
        line("5", minutes=-5, priority=1),
        line("6", minutes=100),
    ]
    assert [each.number for each in order_to_act(asked, NOW, noon)] == ["5", "4", "6", "3", "2", "1"]


@given(st.lists(st.tuples(st.integers(-500, 900), st.integers(1, 5), st.none() | st.floats(0, 1)), max_size=12))
def test_the_order_loses_nothing_and_does_not_depend_on_where_it_began(drawn: list[tuple[int, int, float | None]]) -> None:
    asked = [line(str(at), minutes=m, priority=p, probability=q, ticket=at + 1) for at, (m, p, q) in enumerate(drawn)]
    ordered = order_to_act(asked, NOW, NOW + timedelta(hours=3))
    assert order_to_act(asked[::-1], NOW, NOW + timedelta(hours=3)) == ordered
    assert sorted(each.number for each in ordered) == sorted(each.number for each in asked)


@given(st.lists(st.lists(st.integers(1, 6), unique=True, max_size=6), min_size=1, max_size=4))
def test_each_ticket_stands_once_and_says_its_other_reasons(drawn: list[list[int]]) -> None:
    made = [Section(str(at), "", "", "", tuple(line(str(pk), ticket=pk) for pk in own), len(own) + 2) for at, own in enumerate(drawn)]
    kept = once_each(made)
    standing = [each.ticket_id for section in kept for each in section.lines]
    assert sorted(standing) == sorted({pk for own in drawn for pk in own})
    for section, own in zip(kept, drawn, strict=True):
        assert section.count - len(section.lines) == 2
        assert {each.ticket_id for each in section.lines} <= set(own)
    also = {each.ticket_id: bool(each.also) for section in kept for each in section.lines}
    assert also == {pk: sum(pk in own for own in drawn) > 1 for pk in also}


def test_escalations_keep_their_own_section() -> None:
    made = [Section("act", "", "", "", (line("1"),), 1), Section("escalated", "", "", "", (line("1"),), 1)]
    kept = once_each(made, always=frozenset({"escalated"}))
    assert [len(section.lines) for section in kept] == [1, 1]
