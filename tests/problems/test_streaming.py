"""The streaming miner: what is planted is raised after few tickets, chance keeps to the budget, and looks may be cut anywhere."""

import json
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from pilothouse.problems.engine.baseline import DAY, HOUR
from pilothouse.problems.engine.evidence import WINDOWS, beats, crowding
from pilothouse.problems.engine.streaming import A_WEEK, Alarm, Watch, look, told
from pilothouse.problems.engine.streams import Arrival
from tests.problems.made import START, Desk, failing_client, reboots


def arrivals(desk: Desk, seed: int | None = None) -> list[Arrival]:
    """Return a desk's tickets in order of time; with a seed, dealt anew to the same instants."""
    order = np.argsort(np.array(desk.opened), kind="stable")
    rows = order if seed is None else np.random.default_rng(seed).permutation(order)
    return [
        Arrival(f"{desk.planted[row]}:{row}", desk.opened[at], desk.titles[row], facts=desk.facts[row])
        for at, row in zip(order.tolist(), rows.tolist(), strict=True)
    ]


@pytest.fixture(scope="module")
def desk() -> Desk:
    made = Desk(np.random.default_rng(4))
    made.steady(3000)
    reboots(made)
    failing_client(made)
    for minutes in (0, 7, 11, 19, 30, 42, 60, 61, 90):
        made.add(START + 250 * DAY + 9 * HOUR + minutes * 60, "core switch down, no network", "major", CI="CORE-1", site="site 1")
    return made


@pytest.fixture(scope="module")
def raised(desk: Desk) -> Sequence[Alarm]:
    return look(None, arrivals(desk)).raised


def _about(raised: Sequence[Alarm], planted: str) -> Alarm:
    return next(a for a in raised if sum(key.startswith(planted) for key in a.tickets[: a.count]) >= 0.5 * a.count)


def test_a_burst_is_raised_after_few_tickets(raised: Sequence[Alarm]) -> None:
    alarm = _about(raised, "major")
    assert alarm.what == "burst"
    assert alarm.count <= 6
    assert alarm.seconds <= 45 * 60
    assert "raised after" in told(alarm) and "expected" in told(alarm) and ", by chance alone " in told(alarm)


def test_a_period_is_raised_after_few_beats(raised: Sequence[Alarm]) -> None:
    alarm = _about(raised, "reboot")
    assert alarm.what == "period" and alarm.value == "SRV-17"
    assert alarm.days is not None and abs(alarm.days - 10) < 0.2
    assert alarm.count <= 12


def test_a_client_that_begins_to_fail_is_raised_while_few_of_its_tickets_are_there(raised: Sequence[Alarm]) -> None:
    alarm = _about(raised, "tunnel")
    assert alarm.raised_at > START + 200 * DAY
    assert alarm.count <= 22


@pytest.mark.parametrize("a_week", [A_WEEK, 10.0])
def test_shuffled_tickets_keep_to_the_budget(desk: Desk, a_week: float) -> None:
    weeks = desk.days / 7
    count = len(look(None, arrivals(desk, 0), a_week=a_week).raised)
    assert count <= a_week * weeks
    assert a_week == A_WEEK or count > 0  # the budget is spent, not merely kept


def test_few_streams_in_memory_raise_no_more_by_chance(desk: Desk) -> None:
    looked = look(None, arrivals(desk, 1), a_week=5.0, most_streams=120)
    assert len(looked.state["streams"]) <= 120
    assert len(looked.raised) <= 5.0 * desk.days / 7


def test_looks_may_be_cut_anywhere(desk: Desk, raised: Sequence[Alarm]) -> None:
    cuts = [0, 1, 700, 701, 2500]
    every, state, found, joined = arrivals(desk), None, list[Alarm](), 0
    for first, last in zip([0, *cuts], [*cuts, len(every)], strict=True):
        looked = look(state, every[first:last])
        state = json.loads(json.dumps(looked.state))
        found += looked.raised
        joined += len(looked.joined)
    assert [(a.number, a.what, a.value, a.count, a.raised_at) for a in found] == [
        (a.number, a.what, a.value, a.count, a.raised_at) for a in raised
    ]
    assert joined > 40


@given(st.lists(st.integers(0, 400), min_size=1, max_size=6), st.floats(0.1, 5))
@settings(max_examples=20, deadline=None)
def test_no_week_spends_more_than_its_budget(counts: list[int], a_week: float) -> None:
    watch = Watch(a_week)
    for week, count in enumerate(counts):
        for i in range(count):
            watch.take(Arrival(str(i), START + week * 7 * DAY + i, facts={"CI": f"C{i % 50}"}))
        assert 0 <= watch.left <= a_week


@given(count=st.sampled_from(WINDOWS[:4]), more=st.integers(0, 40), window=st.integers(15, 60), places=st.integers(100, 5000))
def test_a_crowd_is_never_less_likely_than_shuffling_makes_it(count: int, more: int, window: int, places: int) -> None:
    others, share = count - 1 + more, (window - 1) / (places - 1)
    chance = crowding(count, count + more, share, 1.0)
    exact = float(stats.hypergeom.sf(count - 2, places - 1, others, window - 1))
    assert chance is None or chance >= exact * (1 - 1e-9) - 1e-15
    assert chance is None or chance == pytest.approx(float(stats.binom.sf(count - 2, others, share)), rel=1e-6)


@given(count=st.integers(2, 12), more=st.integers(0, 400), share=st.floats(1e-5, 0.3), level=st.floats(1e-9, 0.5))
def test_what_is_passed_over_would_not_have_stood(count: int, more: int, share: float, level: float) -> None:
    exact = float(stats.binom.sf(count - 2, count - 1 + more, share))
    if crowding(count, count + more, share, level) is None:
        assert exact > level * (1 - 1e-9) or count - 1 < 2 * (count - 1 + more) * share


@given(seed=st.integers(0, 10_000))
@settings(max_examples=60, deadline=None)
def test_events_at_any_times_keep_to_no_period(seed: int) -> None:
    times = np.sort(np.random.default_rng(seed).uniform(0, 300 * DAY, 20)).astype(np.int64)
    found = beats(times)
    assert found is None or found.chance > 1e-4


@pytest.mark.parametrize("instants", [[START] * 400, [START - i * HOUR for i in range(400)]])
def test_times_that_tell_nothing_raise_nothing(instants: list[int]) -> None:
    """All tickets of one instant, sorted by CI; and times that run backwards, which all count as the first."""
    every = [Arrival(str(i), at, "printer", facts={"CI": f"C{i // 20}"}) for i, at in enumerate(instants)]
    assert look(None, every).raised == ()


def test_strange_tickets_are_taken() -> None:
    every = [
        Arrival("", 0),
        Arrival("x", -5, "\x00\x07" * 10, "word " * 200_000, {"CI": "\x1b=="}),
        Arrival("y", 2**40, facts={"os": ""}),
    ]
    state = look(None, every).state
    assert look(json.loads(json.dumps(state)), every).state["taken"] == 6
