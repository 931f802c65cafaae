"""The table of transitions and its guards, case by case."""

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pilothouse.tickets.engine.lifecycle import (
    DEFAULT_MATRIX,
    DONE_STATES,
    KINDS,
    OPEN_STATES,
    STATES,
    TRANSITIONS_OF,
    allowed,
    priority,
    refusals,
)

READY = {"group": 1, "assignee": None, "hold_reason": "vendor", "resolution_code": "solved", "resolution_notes": "Replaced it."}


def test_the_table_names_every_state_and_nothing_else() -> None:
    assert set(STATES) == {*OPEN_STATES, *DONE_STATES} == {state for table in TRANSITIONS_OF.values() for state in table}
    assert set(TRANSITIONS_OF) == set(KINDS)
    for table in TRANSITIONS_OF.values():
        assert {after for ways in table.values() for after in ways} <= set(table)


@pytest.mark.parametrize("kind", KINDS)
def test_a_complete_ticket_moves_along_the_table_of_its_kind_and_nowhere_else(kind: str) -> None:
    for before, after in product(STATES, STATES):
        found = refusals(before, after, {**READY, "kind": kind}, note="Because.")
        assert (not found) == (after in TRANSITIONS_OF[kind].get(before, ())), (before, after)
        assert all(r.field == "state" and r.message for r in found), (before, after)


def test_only_a_problem_comes_back_when_it_was_closed_and_it_says_why() -> None:
    assert [kind for kind in KINDS if allowed("closed", kind)] == ["problem"]
    assert [r.field for r in refusals("closed", "analysis", {**READY, "kind": "problem"})] == ["note"]
    assert refusals("resolved", "scheduled", {**READY, "kind": "problem"})[0].message == "A problem has no state “scheduled”."


@pytest.mark.parametrize(
    ("before", "after", "missing", "note", "fields"),
    [
        ("new", "assigned", {"group": None, "assignee": None}, "", ["group"]),
        ("new", "assigned", {"group": None, "assignee": 4}, "", []),
        ("in_progress", "on_hold", {"hold_reason": ""}, "", ["hold_reason"]),
        ("in_progress", "on_hold", {"hold_reason": "lunch"}, "", ["hold_reason"]),
        ("in_progress", "resolved", {"resolution_code": ""}, "", ["resolution_code"]),
        ("in_progress", "resolved", {"resolution_notes": "  "}, "", ["resolution_notes"]),
        ("in_progress", "resolved", {"resolution_code": "", "resolution_notes": ""}, "", ["resolution_code", "resolution_notes"]),
        ("resolved", "in_progress", {}, " ", ["note"]),
        ("resolved", "in_progress", {}, "Still broken.", []),
        ("new", "cancelled", {}, "", ["note"]),
        ("assigned", "in_progress", {}, "", []),
        ("new", "nowhere", {}, "", ["state"]),
    ],
)
def test_a_guard_names_everything_that_is_missing(
    before: str, after: str, missing: dict[str, object], note: str, fields: list[str]
) -> None:
    assert [r.field for r in refusals(before, after, {**READY, **missing}, note=note)] == fields


@pytest.mark.parametrize(("before", "word"), [("closed", "follow-up"), ("cancelled", "follow-up"), ("resolved", "From here")])
def test_a_way_that_is_not_there_says_what_to_do_instead(before: str, word: str) -> None:
    assert word in refusals(before, "on_hold", READY)[0].hint


@given(before=st.sampled_from(list(STATES)), after=st.sampled_from(list(STATES)), note=st.text(max_size=3))
def test_a_refusal_never_says_nothing(before: str, after: str, note: str) -> None:
    for found in refusals(before, after, {}, note=note):
        assert found.field
        assert found.message.endswith(".")
    assert set(allowed(before)) <= set(STATES)


@pytest.mark.parametrize(
    ("impact", "urgency", "expected"), [(1, 1, 1), (1, 2, 2), (2, 1, 2), (1, 3, 3), (2, 2, 3), (3, 1, 3), (2, 3, 4), (3, 2, 4), (3, 3, 5)]
)
def test_the_default_matrix(impact: int, urgency: int, expected: int) -> None:
    assert priority(impact, urgency) == expected


def test_a_cell_that_an_administrator_set_counts() -> None:
    assert priority(1, 1, {(1, 1): 3}) == 3
    assert priority(2, 2, {(1, 1): 3}) == DEFAULT_MATRIX[2, 2]
