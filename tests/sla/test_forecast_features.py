"""What was known at a moment: held against counting one by one, and blind to everything after it."""

import numpy as np
import pytest

from pilothouse.sla.engine.forecast import queueing
from pilothouse.sla.engine.forecast.features import Features, features, ground
from pilothouse.sla.engine.forecast.history import HELD, RESOLVED, WORKING, History, Moments
from pilothouse.sla.engine.forecast.moments import SHARES, at_instant, every_event, progress, sampled, used_at
from pilothouse.sla.engine.forecast.rates import table
from pilothouse.sla.engine.forecast.training import as_known_at, fit
from tests.sla.forecast_histories import history, with_another_future, without

DAY = 86_400


def seen(known: History, moments: Moments) -> Features:
    return features(known, ground(known), moments)


def test_queues_as_if_counted_one_by_one() -> None:
    known = history(1, 120)
    moments = every_event(known).only(known.group >= 0)
    found = seen(known, moments)
    length, ahead, done = (found.column(name) for name in ("queue_length", "ahead", "done_a_day"))
    for place in range(0, len(moments), 7):
        event, at = int(moments.event[place]), int(moments.at[place])
        group, own = known.group[event], known.ticket[event]
        last = {int(known.ticket[e]): e for e in np.flatnonzero(known.at <= at)}  # the last event of each ticket by then
        inside = [e for e in last.values() if known.stage[e] == WORKING and known.group[e] == group]
        assert length[place] == len(inside)
        rank = (known.priority[event], known.opened[own], own)
        assert ahead[place] == sum((known.priority[e], known.opened[known.ticket[e]], known.ticket[e]) < rank for e in inside)
        since, days = at - 14 * DAY, np.clip(at / DAY, 1, 14)
        finished = [
            e
            for e in np.flatnonzero((known.at <= at) & (known.at > since) & (known.stage == RESOLVED) & (known.group == group))
            if known.stage[e - 1] <= HELD
        ]
        assert done[place] == pytest.approx(len(finished) / days)


def test_counting_below_a_limit_within_a_range() -> None:
    draw = np.random.default_rng(3)
    values = draw.integers(0, 50, 200)
    begin = draw.integers(0, 200, 300)
    end, limit = begin + draw.integers(0, 200 - begin + 1), draw.integers(-1, 52, 300)
    counted = [int((values[b:e] < x).sum()) for b, e, x in zip(begin, end, limit, strict=True)]
    assert queueing.count_less(values, begin, end, limit).tolist() == counted


def test_a_clock_counts_open_hours_while_it_runs() -> None:
    known = history(2, 80)
    moments, at_events = at_instant(known, 20 * DAY), progress(known)
    used = used_at(known, at_events, moments)
    for event, total in zip(moments.event, used, strict=True):
        first = known.first[known.ticket[event]]
        hours = known.hours[known.schedule[known.ticket[event]]]
        edges = np.r_[known.at[first : event + 1], 20 * DAY]
        spans = hours.elapsed_many(edges[:-1], edges[1:])
        assert total == (spans * known.counts[first : event + 1]).sum()


def test_moments_are_of_open_tickets_whose_target_is_not_used_up() -> None:
    known = history(4)
    at_events = progress(known)
    moments = sampled(known, at_events)
    used, target = used_at(known, at_events, moments), known.target[moments.event]
    assert (known.stage[moments.event] <= HELD).all() and (used <= target).all()
    assert (known.breached[known.ticket[moments.event]] >= 0).all()
    exact = {round(float(share), 3) for share in used / target}
    assert set(SHARES) <= exact


@pytest.mark.parametrize("seed", range(4))
def test_nothing_after_a_moment_is_seen(seed: int) -> None:
    known = history(seed)
    for now in np.quantile(known.at, [0.2, 0.5, 0.9]).astype(int):
        moments = at_instant(known, int(now))
        past = every_event(known).only(known.at <= now)
        both = Moments(np.r_[past.event, moments.event], np.r_[past.at, moments.at])
        told = seen(known, both)
        other = with_another_future(known, int(now), seed + 100)
        assert not np.array_equal(other.at, known.at) and not np.array_equal(other.breached, known.breached)
        assert seen(other, both).values.tobytes() == told.values.tobytes()


@pytest.mark.parametrize("seed", range(4))
def test_what_has_not_happened_yet_may_as_well_be_gone(seed: int) -> None:
    known = history(seed)
    now = int(np.quantile(known.at, 0.6))
    shorter = without(as_known_at(known, now + 1), known.at > now)
    assert len(shorter.ids) < len(known.ids)
    whole, cut = seen(known, at_instant(known, now)), seen(shorter, at_instant(shorter, now))
    assert cut.values.tobytes() == whole.values.tobytes()


def test_a_model_is_blind_to_the_future_in_training_and_in_judging() -> None:
    known = history(7, 900)
    cut, now = int(np.quantile(known.opened, 0.6)), int(np.quantile(known.opened, 0.8))
    model = fit(as_known_at(known, cut), ground(known), cut)
    assert model is not None
    learnt_again = with_another_future(known, cut, 5)
    again = fit(as_known_at(learnt_again, cut), ground(learnt_again), cut)
    assert again is not None and again.as_json() == model.as_json()
    moments = at_instant(known, now)
    judged = model.probabilities(features(known, ground(known), moments, carried=model.carried))
    other = with_another_future(known, now, 6)
    assert model.probabilities(features(other, ground(other), moments, carried=model.carried)).tobytes() == judged.tobytes()


def test_rates_are_those_of_outcomes_known_then() -> None:
    known = history(8, 400)
    late = int(known.decided[known.breached >= 0].max()) + 1
    moments = Moments(known.first, np.full(len(known.ids), late))
    ordered = seen(known, moments).column("rate:category")
    carried = features(known, ground(known), moments, carried=table(known)).column("rate:category")
    assert np.allclose(ordered, carried)
    nobody = Moments(known.first, np.zeros(len(known.ids), np.int64))
    assert np.allclose(seen(known, nobody).column("rate:category"), 1)
