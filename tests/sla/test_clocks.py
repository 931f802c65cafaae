"""Clocks by hand: a case for each bug that service desks are known for, and for each sentence of engine/clocks.py."""

from typing import Any

import pytest

from pilothouse.sla.engine.business_time import OpenHours, always
from pilothouse.sla.engine.clock import Clock
from pilothouse.sla.engine.clocks import count
from pilothouse.sla.engine.lives import Event, condense
from pilothouse.sla.engine.rules import NO_CONDITION, Agreement, Duration, Rulebook, Target, Use
from pilothouse.sla.engine.steps import Step
from tests.sla.lives_at_random import URGENT, Entry, _entry, tagged

T0, H = 1_772_445_600, 3600  # Monday 2 March 2026, 10:00 UTC
DAY = 24 * H
OFFICE = OpenHours.of([(T0 - 2 * H + day * DAY, T0 + 7 * H + day * DAY) for day in range(5)])  # Monday to Friday, 08:00-17:00
HOURS: dict[int | None, OpenHours] = {None: always(), 1: OFFICE, 2: OpenHours.of([(T0, T0 + 2 * H)])}


def target(kind: str = "resolution", hours: float = 4, **more: Any) -> Target:
    durations = more.pop("durations", {p: Duration(seconds=int(hours * H)) for p in range(1, 6)})
    return Target(key=more.pop("key", kind), kind=kind, durations=durations, **more)


def book(*targets: Target, **more: Any) -> Rulebook:
    made = Agreement(1, 1, 1, "a", 10, more.pop("applies", NO_CONDITION), targets, **more)
    return Rulebook((made,))


def life(*told: tuple[float, dict[str, Any]], delay: int = 0) -> list[Event]:
    """A life of (hours after T0, what changed); a public comment is {"reply": person}, a taken step {"step": name}."""
    entries: list[Entry] = []
    for seq, (hours, changes) in enumerate(told, 1):
        at = T0 + int(hours * H)
        if "reply" in changes:
            entries.append(_entry(seq, "ticket.commented", changes["reply"], at, at + delay, {}))
        elif "step" in changes:
            entries.append(_entry(seq, "ticket.escalated", None, at, at + delay, {"escalation": changes["step"]}))
        else:
            entries.append(_entry(seq, "ticket.changed", 7, at, at + delay, changes))
    return condense(entries)


NEW = {"priority": 3, "requester": 5}
HOLD = {"state": "on_hold", "hold_reason": "caller"}
WORK = {"state": "in_progress", "hold_reason": ""}
DONE = {"state": "resolved"}


def one(told: list[Event], rules: Rulebook, *, kind: str = "resolution", stay: int = 0, turn: int = 1) -> Clock:
    [found] = [
        c for c in count(1, told, rules, HOURS) if (c.kind, c.stay, c.turn) == (kind, stay, turn) and (c.stage != "cancelled" or turn)
    ]
    return found


def after(hours: float) -> int:
    return T0 + int(hours * H)


def test_peers_lose_the_hold_when_the_priority_changes() -> None:
    durations = {3: Duration(seconds=8 * H), 1: Duration(seconds=4 * H)}
    rules = book(target(durations=durations, holds=frozenset({"caller"})))
    clock = one(life((0, NEW), (1, HOLD), (5, WORK), (6, {"priority": 1})), rules)
    assert (clock.elapsed, clock.due, clock.original_due) == (1 * H, after(8), after(8))  # 1 h, four held, then 3 h more
    assert (clock.target_seconds, clock.segments, clock.running_since) == (4 * H, [(T0, after(1))], after(5))


def test_peers_count_reopened_time_as_hold_or_as_work() -> None:
    told = life((0, NEW), (1, DONE), (10, WORK), (11, {**DONE}))
    assert (one(told, book(target())).elapsed, one(told, book(target())).breached) == (2 * H, False)
    counted = one(told, book(target(count_resolved=True)))
    assert (counted.elapsed, counted.due, counted.breached) == (11 * H, after(4), True)
    still_done = one(life((0, NEW), (1, DONE), (10, {"title": "x"})), book(target(count_resolved=True)))
    assert (still_done.elapsed, still_done.ended) == (1 * H, after(1))


def test_peers_escalate_at_midnight() -> None:
    rules = book(target(hours=8, schedule=1, steps=(Step(share=0.9, tell=("assignee",)), Step(before=60, tell=("assignee",)))))
    clock = one(life((5, NEW)), rules)  # Monday 15:00: two hours today, six tomorrow
    assert clock.step_instants == [(T0 - 2 * H + DAY + int(5.2 * H), 0), (T0 - 2 * H + DAY + 6 * H - 60, 1)]
    assert all(OFFICE.is_open(at - 1) for at, _ in clock.step_instants)


def test_peers_give_a_second_team_a_spent_clock() -> None:
    rules = book(target("ola", 2))
    told = life((0, {**NEW, "group": 1}), (3, {"group": 2}), (4, {"group": 1}), (4.5, DONE))
    stays = {(c.group, c.stay): (c.elapsed / H, c.stage, c.breached) for c in count(1, told, rules, HOURS)}
    assert stays == {
        (1, 1): (3, "achieved", True),
        (2, 1): (1, "achieved", False),
        (1, 2): (0.5, "achieved", False),
        (1, 0): (3.5, "achieved", True),
    }


def test_peers_have_two_calendars_that_disagree() -> None:
    """Elapsed and due come from the same hours: when elapsed reaches the target, the clock is due, to the second."""
    told = life((0, NEW), (5.5, HOLD), (26, WORK), (27, DONE))
    clock = one(told, book(target(hours=6.5, schedule=1, holds=frozenset({"caller"}))))
    assert (clock.elapsed, clock.due, clock.breached) == (int(6.5 * H), after(27), False)
    late = one(told, book(target(durations={3: Duration(seconds=int(6.5 * H) - 1)}, schedule=1, holds=frozenset({"caller"}))))
    assert (late.due, late.breached) == (after(27) - 1, True)


def test_the_last_open_second_belongs_to_the_target_and_saturday_does_not() -> None:
    rules = book(target(hours=7 + 4 * 9, schedule=1))  # until Friday 17:00
    friday = 4 * 24 + 7
    assert one(life((0, NEW), (friday, DONE)), rules).breached is False
    assert one(life((0, NEW), (friday + 20, DONE)), rules).breached is True


@pytest.mark.parametrize("gone", [{"state": "cancelled"}, {"merged_into": 9, "state": "closed"}])
def test_cancelled_or_merged_it_is_cancelled_and_may_come_back(gone: dict[str, Any]) -> None:
    told = life((0, NEW), (1, gone), (5, {"state": "in_progress", "merged_into": None}), (6, {"title": "x"}))
    assert (one(told[:2], book(target())).stage, one(told[:2], book(target())).ended) == ("cancelled", after(1))
    assert (one(told, book(target())).elapsed, one(told, book(target())).running_since) == (1 * H, after(5))


def test_undo_of_a_resolution_goes_on_as_a_reopening() -> None:
    clock = one(life((0, NEW), (1, DONE), (1.5, WORK)), book(target()))
    assert (clock.stage, clock.elapsed, clock.due) == ("running", 1 * H, after(4.5))


def test_a_verdict_stands_while_resolved_whatever_changes_on_the_ticket() -> None:
    durations = {3: Duration(seconds=2 * H), 1: Duration(seconds=H // 2)}
    told = life((0, NEW), (1, DONE), (2, {"priority": 1}), (3, WORK), (3.5, DONE))
    assert (one(told[:3], book(target(durations=durations))).breached, one(told[:3], book(target(durations=durations))).priority) == (
        False,
        3,
    )
    assert (one(told, book(target(durations=durations))).breached, one(told, book(target(durations=durations))).priority) == (True, 1)


def test_a_response_stops_for_good_at_the_first_answer_that_is_not_the_requesters() -> None:
    rules = book(target("response", 1, rule="replied"), target("resolution"))
    told = life((0, NEW), (0.2, {"reply": 5}), (0.5, {"reply": 7}), (3, DONE), (4, WORK), (9, {"reply": 7}))
    clock = one(told, rules, kind="response")
    assert (clock.stage, clock.elapsed, clock.ended, clock.breached) == ("achieved", H // 2, after(0.5), False)
    owned = book(target("response", 1, rule="owned"))
    assert one(life((0, NEW), (2, {"assignee": 7}), (3, {"assignee": None})), owned, kind="response").breached is True


def test_a_contract_runs_while_the_vendor_is_waited_for() -> None:
    vendor = {"state": "on_hold", "hold_reason": "vendor"}
    told = life((0, NEW), (1, vendor), (2, HOLD), (3, vendor), (5, WORK))
    clock = one(told, book(target("contract", 8)), kind="contract")
    assert (clock.started, clock.stage, clock.elapsed, clock.segments) == (
        after(1),
        "paused",
        3 * H,
        [(after(1), after(2)), (after(3), after(5))],
    )
    assert count(1, told[:1], book(target("contract", 8)), HOURS) == []


def test_a_reset_ends_the_clock_and_begins_the_next_turn() -> None:
    rules = book(target(reset=tagged("again")))
    told = life((0, NEW), (1, {"tags": ["again"]}), (2, {"tags": []}), (3, {"tags": ["again"]}))
    found = [(c.turn, c.stage, c.started, c.elapsed) for c in count(1, told, rules, HOURS)]
    assert found == [(1, "cancelled", T0, H), (2, "cancelled", after(1), 2 * H), (3, "running", after(3), 0)]


def test_a_target_that_comes_to_apply_later_counts_from_the_start_and_the_other_is_cancelled() -> None:
    first = Agreement(1, 1, 1, "urgent", 1, URGENT, (target(hours=2, key="fast"),))
    second = Agreement(2, 2, 1, "rest", 2, NO_CONDITION, (target(hours=8),))
    told = life((0, NEW), (1, HOLD), (2, {**WORK, "priority": 1}))
    found = {c.candidate.target.key: (c.stage, c.elapsed, c.due) for c in count(1, told, Rulebook((first, second)), HOURS)}
    assert found == {"resolution": ("cancelled", 2 * H, None), "fast": ("running", 0, after(2))}


def test_the_versions_in_force_at_the_opening_count_to_the_second() -> None:
    old = Agreement(1, 1, 1, "a", 1, NO_CONDITION, (target(hours=1),))
    new = Agreement(2, 1, 2, "a", 1, NO_CONDITION, (target(hours=2),), effective_from=T0)
    retired = Agreement(3, 1, 3, "a", 1, NO_CONDITION, (target(hours=2),), effective_from=T0 + 1, is_retired=True)
    rules = Rulebook((old, new, retired))
    [before] = count(1, life((-1 / H, NEW)), rules, HOURS)
    [at] = count(1, life((0, NEW)), rules, HOURS)
    assert (before.target_seconds, at.target_seconds, count(1, life((1 / H, NEW)), rules, HOURS)) == (H, 2 * H, [])


def test_the_newest_use_of_a_schedule_counts_also_when_it_reaches_back() -> None:
    uses = (Use("ci", 1, 2, T0 - 9), Use("ci", 1, 1, None), Use("site", "Bergen", 2, None), Use("site", "Bergen", None, T0))
    rules = Rulebook(book(target(schedule_from=("ci",))).versions, uses)
    assert one(life((0, {**NEW, "ci": 1})), rules).schedule == 1
    assert Rulebook(rules.versions, uses).at(T0 - 1).schedule_of("site", "Bergen") == 2
    assert Rulebook(rules.versions, uses).at(T0).schedule_of("site", "Bergen") is None


def test_entries_never_run_backwards_and_fractions_are_floored() -> None:
    told = life((0, NEW), (3, HOLD), (1, WORK), (4, DONE))
    assert [event.at for event in told] == [T0, after(3), after(3), after(4)]
    assert one(told, book(target(holds=frozenset({"caller"})))).elapsed == 4 * H


def test_next_business_day_at_an_hour() -> None:
    durations = {3: Duration(days=1, at=16 * H)}
    clock = one(life((0, NEW)), book(target(durations=durations, schedule=1)))
    assert (clock.due, clock.target_seconds) == (T0 + DAY + 6 * H, 15 * H)
    friday = one(life((4 * 24.0, NEW)), book(target(durations=durations, schedule=1)))
    assert friday.due is None  # this schedule ends on Friday: there is no next business day


def steps(*shares: float) -> tuple[Step, ...]:
    return tuple(Step(share=share, tell=("assignee",)) for share in shares)


def test_steps_past_at_the_attaching_are_passed_over() -> None:
    rules = book(target(steps=steps(0.5, 0.75, 1)), recorded_at=T0 - DAY)
    late = life((0, NEW), delay=int(2.5 * H))
    assert one(late, rules).step_instants == [(after(3), 1), (after(4), 2)]
    reaching = book(target(steps=steps(0.5, 0.75, 1)), recorded_at=after(3))
    assert one(life((0, NEW)), reaching).step_instants == [(after(4), 2)]


def test_a_live_retarget_fires_the_gravest_of_what_it_puts_into_the_past() -> None:
    durations = {3: Duration(seconds=20 * H), 2: Duration(seconds=10 * H), 1: Duration(seconds=4 * H)}
    rules = book(target(durations=durations, steps=steps(0.5, 0.75, 1)))
    told = [(0, NEW), (7.5, {"priority": 2})]
    assert one(life(*told), rules).step_instants == [(after(7.5), 1), (after(10), 2)]
    taken = ["resolution", 1, "resolution", 1, 0, None, 1]
    told += [(7.6, {"step": taken})]
    assert one(life(*told), rules).step_instants == [(after(10), 2)]
    assert one(life(*told, (8, {"priority": 1})), rules).step_instants == [(after(8), 2)]
    # Back to the longest: three quarters were told, and the half lies ahead once more.
    assert one(life(*told, (8, {"priority": 3})), rules).step_instants == [(after(10), 0), (after(20), 2)]


def test_a_longer_target_brings_back_nothing_less_grave_than_what_was_told() -> None:
    durations = {3: Duration(seconds=8 * H), 2: Duration(seconds=6 * H), 1: Duration(seconds=4 * H)}
    rules = book(target(durations=durations, steps=steps(0.25, 0.5)))
    told = life(
        (0, {**NEW, "priority": 2}),
        (2.2, {"priority": 1}),
        (2.3, {"step": ["resolution", 1, "resolution", 1, 0, None, 1]}),
        (3, {"priority": 3}),
    )
    assert one(told, rules).step_instants == []


def test_what_was_past_at_the_import_is_not_fired_by_a_later_retarget() -> None:
    durations = {3: Duration(seconds=8 * H), 1: Duration(seconds=7 * H)}
    rules = book(target(durations=durations, steps=steps(0.5, 0.9)))
    imported = life((0, NEW), delay=5 * H)
    live = Event(2, after(5.5), after(5.5), {"priority": 1})
    assert one([*imported, live], rules).step_instants == [(after(6.3), 1)]


def test_a_reopening_that_counts_the_time_while_resolved_fires_one_step() -> None:
    rules = book(target(hours=10, count_resolved=True, steps=steps(0.3, 0.5, 0.9)))
    assert one(life((0, NEW), (1, DONE), (6, WORK)), rules).step_instants == [(after(6), 1), (after(9), 2)]
