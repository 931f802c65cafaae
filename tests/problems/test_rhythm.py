"""What times tell: a period with jitter and missed beats is found, an onset is dated, and chance shows nothing."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from pilothouse.problems.engine.baseline import DAY, HOUR, Calendar, calendar_of
from pilothouse.problems.engine.chance import binomial_tail, discoveries, poisson_tail
from pilothouse.problems.engine.columns import Ints
from pilothouse.problems.engine.rhythm import listen
from tests.problems.made import START, Desk


@pytest.fixture(scope="module")
def everything() -> Ints:
    desk = Desk(np.random.default_rng(11))
    desk.steady(8000)
    return np.sort(np.array(desk.opened, dtype=np.int64))


@pytest.fixture(scope="module")
def calendar(everything: Ints) -> Calendar:
    found = calendar_of(everything)
    assert found is not None
    return found


@given(days=st.one_of(st.floats(4, 6), st.floats(8, 18)), seed=st.integers(0, 10_000))
@settings(max_examples=40, deadline=None)
def test_a_period_is_found_whatever_it_is(calendar: Calendar, days: float, seed: int) -> None:
    rng = np.random.default_rng(seed)
    beats = START + 5 * DAY + np.arange(0, 350 * DAY, days * DAY)
    kept = rng.random(len(beats)) > 0.12
    times = np.sort(beats + rng.normal(0, 0.03 * days * DAY, len(beats)))[kept].astype(np.int64)
    times = times[(times > calendar.start) & (times < calendar.end)]
    period = listen(times, calendar).period
    assert period is not None
    assert abs(period.days - days) < 0.02 * days
    assert period.chance < 1e-3


def test_chance_shows_nothing(everything: Ints, calendar: Calendar) -> None:
    rng = np.random.default_rng(1)
    least = 1.0
    for _ in range(150):
        rhythm = listen(np.sort(rng.choice(everything, int(rng.integers(6, 300)), replace=False)), calendar)
        for found in (rhythm.onset, rhythm.stop, rhythm.burst, rhythm.period, rhythm.clockwork):
            least = min(least, found.chance if found else 1.0)
    assert least > 1e-5  # of 750 tests


@given(first=st.integers(180, 300), seed=st.integers(0, 1000))
@settings(max_examples=30, deadline=None)
def test_an_onset_is_dated(everything: Ints, calendar: Calendar, first: int, seed: int) -> None:
    late = everything[everything >= START + first * DAY]
    times = np.sort(np.random.default_rng(seed).choice(late, 40, replace=False))
    onset = listen(times, calendar).onset
    assert onset is not None
    assert onset.at >= times[0] // DAY * DAY
    assert onset.count_before <= 6  # stragglers long before the rest do not begin it
    assert onset.count_before == int((times < onset.at).sum())


def test_hours_of_the_week_are_found_and_office_hours_are_not(everything: Ints, calendar: Calendar) -> None:
    mondays = np.array([START + (5 + 7 * week) * DAY + 8 * HOUR + i * 600 for week in range(48) for i in range(4)], dtype=np.int64)
    clockwork = listen(mondays, calendar).clockwork
    assert clockwork is not None and clockwork.words.startswith("Mondays")
    assert listen(mondays, calendar).period is None
    assert listen(everything[::20], calendar).clockwork is None


@given(n=st.integers(1, 60), k=st.integers(0, 60), p=st.floats(0.01, 0.99))
def test_tails_are_exact(n: int, k: int, p: float) -> None:
    assert float(binomial_tail(k, n, p)) == pytest.approx(float(stats.binom.sf(k - 1, n, p)), abs=1e-9) or k > n
    assert float(poisson_tail(k, n * p)) == pytest.approx(float(stats.poisson.sf(k - 1, n * p)), abs=1e-9)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=50), st.integers(0, 1000))
def test_more_tests_make_no_more_discoveries(chances: list[float], more: int) -> None:
    few = discoveries(chances, 0.05, len(chances) + more)
    many = discoveries(chances, 0.05)
    assert not (few & ~many).any()
