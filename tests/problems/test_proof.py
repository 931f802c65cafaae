"""Laws of the proof of fix: no fix is found where there is none, however often one looks; a true one is found soon."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pilothouse.problems.engine.proof import ALPHA, Week, came_back, judge

SEASON = [100, 130, 90, 60, 110, 140, 120, 80]  # what the whole desk has


def drawn(rng: np.random.Generator, weeks: int, rate: float, heaps: float, *, first: int = 0) -> list[Week]:
    """Draw weeks whose incidents follow the season, with a variance `heaps` times their mean."""
    others = [int(rng.poisson(SEASON[(first + i) % len(SEASON)])) for i in range(weeks)]
    means = [rate * SEASON[(first + i) % len(SEASON)] / np.mean(SEASON) for i in range(weeks)]
    if heaps > 1:
        means = [rng.gamma(mean / (heaps - 1), heaps - 1) for mean in means]
    return [Week(int(rng.poisson(mean)), other) for mean, other in zip(means, others, strict=True)]


@pytest.mark.parametrize(("rate", "heaps"), [(1.0, 1.0), (5.0, 1.0), (5.0, 3.0)])
def test_without_a_fix_hardly_any_is_found_in_half_a_year_of_looking(rate: float, heaps: float) -> None:
    rng = np.random.default_rng(int(rate * 10 + heaps))
    runs = 50
    false = 0
    for _ in range(runs):
        before, after = drawn(rng, 20, rate, heaps), drawn(rng, 26, rate, heaps, first=20)
        looks = (judge(before, after[:k]).verdict for k in range(1, len(after) + 1))
        false += any(verdict in ("fixed", "reduced") for verdict in looks)
    assert false <= ALPHA * runs + 2 * (ALPHA * runs) ** 0.5


@pytest.mark.parametrize(("rate", "soon", "share"), [(2.0, 16, 0.5), (5.0, 6, 0.85), (20.0, 2, 0.85)])
def test_a_drop_of_nine_tenths_is_found_soon(rate: float, soon: int, share: float) -> None:
    rng = np.random.default_rng(7)
    found = [judge(drawn(rng, 20, rate, 1.5), drawn(rng, soon, rate / 10, 1.5, first=20)).verdict for _ in range(40)]
    assert sum(verdict in ("fixed", "reduced") for verdict in found) >= 40 * share
    late = [judge(drawn(rng, 20, rate, 1.5), drawn(rng, 26, rate / 20, 1.5, first=20)).verdict for _ in range(20)]
    assert late.count("fixed") >= 20 * (share - 0.15)


def test_the_interval_holds_the_truth_and_half_a_drop_is_no_fix() -> None:
    rng = np.random.default_rng(3)
    told = [judge(drawn(rng, 30, 8, 1.5), drawn(rng, 12, 4, 1.5, first=30)) for _ in range(60)]
    assert sum(each.low <= 0.5 <= each.high for each in told) >= 57
    assert not [each for each in told if each.verdict in ("fixed", "none")]
    assert sum(each.verdict == "reduced" for each in told) > 30


def test_what_goes_on_is_said_to_go_on() -> None:
    rng = np.random.default_rng(5)
    told = [judge(drawn(rng, 26, 10, 1.0), drawn(rng, 16, 10, 1.0, first=26)).verdict for _ in range(30)]
    assert told.count("none") >= 27 and "fixed" not in told


def test_a_quiet_season_is_no_fix() -> None:
    quiet = judge([Week(6, 200)] * 20, [Week(3, 100)] * 10)
    assert quiet.verdict in ("none", "early") and quiet.ratio == pytest.approx(1, abs=0.02)
    assert [week.expected for week in quiet.after] == [pytest.approx(3, abs=0.05)] * 10
    assert quiet.after[0].low <= 3 <= quiet.after[0].high


@settings(deadline=None, max_examples=60)
@given(st.lists(st.integers(0, 40), max_size=30), st.lists(st.integers(0, 40), max_size=20), st.integers(0, 10_000))
def test_whatever_comes_there_is_an_answer(before: list[int], after: list[int], others: int) -> None:
    told = judge([Week(n, others) for n in before], [Week(n, others) for n in after])
    assert told.verdict in ("early", "fixed", "reduced", "none")
    assert 0 <= told.low <= told.high and 0 <= told.confidence <= 1
    assert told.ratio is None or told.low - 1e-3 <= told.ratio <= told.high + 1e-3
    assert not after or not sum(before) or told.ratio is not None
    if not sum(before) or not after:
        assert told.verdict == "early"


def test_it_comes_back_only_when_more_comes_than_remained() -> None:
    before = [5] * 12
    assert came_back(before, [0, 0, 0, 0, 2], 1) is None  # two are no return
    back = came_back(before, [0] * 6 + [5, 5], 4)
    assert back is not None and (back.incidents, back.weeks) == (10, 2)
    assert came_back(before, [0] * 6 + [5, 5], 0) is None  # it was never resolved
    assert came_back(before, [1] * 20, 10) is None
    assert came_back([], [9], 1) is not None


def test_what_remained_seldom_counts_as_a_return() -> None:
    rng, false = np.random.default_rng(11), 0
    for _ in range(200):
        counts = [week.count for week in drawn(rng, 20, 5, 1.5)], [week.count for week in drawn(rng, 60, 0.5, 1.5, first=20)]
        false += any(came_back(counts[0], counts[1][:k], k - 8) for k in range(9, 61))
    assert false <= 6
