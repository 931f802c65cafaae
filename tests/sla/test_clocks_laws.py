"""Clocks: laws over lives, agreements and schedules drawn at random, against a person with a pencil (clocks_by_hand)."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from pilothouse.sla.engine import lives, measuring
from pilothouse.sla.engine.clock import Clock
from pilothouse.sla.engine.clocks import count, count_many
from pilothouse.sla.engine.columns import ABSENT, Portion
from pilothouse.sla.engine.counting import Counted, Counting
from pilothouse.sla.engine.lives import Event
from tests.sla.clocks_by_hand import clocks_by_hand
from tests.sla.lives_at_random import Drawn, cases

LAW = settings(max_examples=40, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))


def named(clocks: list[Clock]) -> dict[tuple[Any, ...], Clock]:
    found = {tuple(clock.name): clock for clock in clocks}
    assert len(found) == len(clocks), "two clocks of one name"
    return found


def told(clock: Clock) -> tuple[Any, ...]:
    """Everything that a row shows of a clock, and how it was counted."""
    return (
        *(clock.ticket, *clock.name, clock.priority, clock.schedule, clock.stage, clock.started, clock.running_since, clock.ended),
        *(clock.segments, clock.target_seconds, clock.elapsed, clock.due, clock.original_due, clock.breached),
        *(clock.next_step, clock.next_step_at, clock.step_instants),
    )


@given(drawn=cases())
@settings(LAW, max_examples=150)
def test_clocks_are_what_a_person_with_a_pencil_finds(drawn: Drawn) -> None:
    [life] = drawn.lives
    found, expected = named(count(1, life, drawn.rulebook, drawn.hours)), clocks_by_hand(life, drawn.case(life))
    assert found.keys() == expected.keys()
    for name, hand in expected.items():
        clock = found[name]
        assert (clock.stage, clock.priority, clock.schedule, clock.started, clock.ended) == (
            hand.stage, hand.priority, hand.schedule, hand.started, hand.ended
        ), name  # fmt: skip
        assert (clock.elapsed, clock.due, clock.original_due, clock.breached) == (
            hand.elapsed, hand.due, hand.original_due, hand.breached
        ), name  # fmt: skip
        assert clock.step_instants == hand.steps, name
        assert (clock.next_step_at, clock.next_step) == (hand.steps[0] if hand.steps else (None, None))


@given(drawn=cases(lives_each=4))
@LAW
def test_many_are_counted_as_one_by_one(drawn: Drawn) -> None:
    one = [told(clock) for n, life in enumerate(drawn.lives) for clock in count(n, life, drawn.rulebook, drawn.hours)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(measuring, "_MANY", 1)
        assert [told(clock) for clock in count_many(enumerate(drawn.lives), drawn.rulebook, drawn.hours)] == one


@given(drawn=cases(lives_each=6))
@settings(LAW, max_examples=120)
def test_columns_hold_what_is_counted_one_by_one(drawn: Drawn) -> None:
    counting = Counting(drawn.rulebook, drawn.hours)
    for portion in (drawn.lives[:2], drawn.lives):  # what was learnt of the first portion serves the second
        counted = counting.count(Portion.of(map(lives.write, portion)))
        left = set(counted.left.tolist())
        one = [clock for n, life in enumerate(portion) if n not in left for clock in count(n, life, drawn.rulebook, drawn.hours)]
        assert list(_rows(counted)) == [_row(clock) for clock in one]
        for place in left:
            assert any(clock.watch for clock in count(place, portion[place], drawn.rulebook, drawn.hours))


def _row(clock: Clock) -> tuple[Any, ...]:
    measured = (clock.target_seconds, clock.elapsed, clock.due, clock.original_due)
    return (
        clock.ticket,
        clock.name,
        clock.priority,
        clock.schedule,
        clock.stage,
        clock.started,
        clock.running_since,
        clock.ended,
        *measured,
    )


def _rows(counted: Counted) -> Iterator[tuple[Any, ...]]:
    columns = (counted.ticket, counted.pattern, counted.group, counted.started, counted.since, counted.ended)
    measured = (counted.target, counted.elapsed, counted.due, counted.original_due)
    for row in zip(*(column.tolist() for column in (*columns, *measured)), strict=True):
        ticket, pattern, group, *rest = [None if value == ABSENT else value for value in row]
        clock = counted.patterns[pattern]
        yield (ticket, [*clock.name[:5], group], clock.priority, clock.schedule, clock.stage, *rest)


@given(drawn=cases())
@LAW
def test_elapsed_and_due_agree(drawn: Drawn) -> None:
    [life] = drawn.lives
    for clock in count(1, life, drawn.rulebook, drawn.hours):
        hours = drawn.hours[clock.schedule]
        assert all(a < b for a, b in clock.segments)
        assert all(a[1] <= b[0] for a, b in zip(clock.segments, clock.segments[1:], strict=False))
        assert clock.elapsed == sum(hours.elapsed(a, b) for a, b in clock.segments)
        spans = [*clock.segments, *([(clock.running_since, 2**40)] if clock.running_since is not None else [])]
        if clock.due is not None:
            assert sum(hours.elapsed(a, min(b, clock.due)) for a, b in spans if a < clock.due) == clock.target_seconds
            assert sum(hours.elapsed(a, min(b, clock.due - 1)) for a, b in spans if a < clock.due) == clock.target_seconds - 1
        else:
            assert sum(hours.elapsed(a, b) for a, b in spans) < clock.target_seconds
        assert (clock.stage == "running") == (clock.running_since is not None)
        assert (clock.ended is None) == clock.is_living
        assert (clock.breached is None) == (clock.stage != "achieved")


@given(drawn=cases(kinds=("ola",)))
@LAW
def test_the_sum_of_a_groups_stays_is_their_sum(drawn: Drawn) -> None:
    [life] = drawn.lives
    found = count(1, life, drawn.rulebook, drawn.hours)
    for whole in (clock for clock in found if clock.stay == 0):
        stays = [clock for clock in found if clock.group == whole.group and clock.stay and clock.stage != "cancelled"]
        if stays and all(clock.schedule == whole.schedule for clock in stays):
            assert whole.elapsed == sum(clock.elapsed for clock in stays)
            assert len(stays) == len({clock.stay for clock in stays})


@given(drawn=cases())
@LAW
def test_what_is_over_does_not_depend_on_what_comes(drawn: Drawn) -> None:
    """What was known at an event is what the clocks of the life until then say; a stay that the ticket has left stands for good."""
    [life] = drawn.lives
    whole = named(count(1, life, drawn.rulebook, drawn.hours))
    for n in range(1, len(life)):
        early = count(1, life[:n], drawn.rulebook, drawn.hours)
        # Events far in the future change nothing that is read as of now: the fold of a prefix looks at nothing else.
        assert [told(c) for c in count(1, life[:n], drawn.rulebook, drawn.hours)] == [told(c) for c in early]
        for clock in early:
            after = whole.get(tuple(clock.name))
            if clock.kind == "ola" and clock.stay and clock.ended is not None and clock.group != _group(life[:n]):
                assert after is not None
                assert told(after) == told(clock)
            if after is not None and clock.turn == 1 == after.turn:
                assert after.started == clock.started
                assert after.original_due == clock.original_due or clock.kind == "ola"


def _group(life: list[Event]) -> int | None:
    return next((event.changes["group_id"] for event in reversed(life) if "group_id" in event.changes), None)


@given(drawn=cases())
@LAW
def test_lives_come_back_as_they_were_stored_and_never_run_backwards(drawn: Drawn) -> None:
    [life] = drawn.lives
    assert lives.read(lives.write(life)) == life
    assert [event.at for event in life] == sorted(event.at for event in life)
    assert [event.seq for event in life] == sorted({event.seq for event in life})


@given(drawn=cases())
@LAW
def test_a_step_that_was_taken_is_not_due_again(drawn: Drawn) -> None:
    [life] = drawn.lives
    for _ in range(6):
        due = [clock for clock in count(1, life, drawn.rulebook, drawn.hours) if clock.next_step is not None]
        if not due:
            return
        clock, at = due[0], max(life[-1].at, due[0].next_step_at or 0)
        life = [*life, Event(life[-1].seq + 1, at, at, {}, {"step": [*clock.name, clock.next_step]})]
        again = named(count(1, life, drawn.rulebook, drawn.hours))[tuple(clock.name)]
        assert clock.next_step not in [place for _, place in again.step_instants]
        assert len(again.step_instants) < len(clock.step_instants)
        assert told(replace(again, taken=clock.taken))[:15] == told(clock)[:15]
