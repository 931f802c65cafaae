"""Laws of what becomes of candidates from look to look: identity, coming back after a dismissal, what a stranger is told."""

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pilothouse.problems.engine.identity import LEAST_SHARED, same_as
from pilothouse.problems.engine.standing import changed
from pilothouse.problems.engine.veil import veiled

GROUPS = st.lists(st.sets(st.integers(1, 30), min_size=1, max_size=12), max_size=8)


def _overlap(a: set[int], b: set[int]) -> float:
    return len(a & b) / len(a | b)


@given(GROUPS, GROUPS)
def test_identity_is_one_to_one_and_only_where_enough_is_shared(before: list[set[int]], now: list[set[int]]) -> None:
    found = same_as(dict(enumerate(before, 1)), now)
    kept = [key for key in found if key is not None]
    assert len(kept) == len(set(kept))
    for key, own in zip(found, now, strict=True):
        if key is not None:
            assert len(own & before[key - 1]) >= LEAST_SHARED * min(len(own), len(before[key - 1]))


@given(GROUPS, GROUPS)
def test_no_two_that_are_not_matched_share_more_than_each_with_its_own(before: list[set[int]], now: list[set[int]]) -> None:
    found = same_as(dict(enumerate(before, 1)), now)
    owner = {key: place for place, key in enumerate(found) if key is not None}
    for place, own in enumerate(now):
        for key, other in enumerate(before, 1):
            if len(own & other) < LEAST_SHARED * min(len(own), len(other)):
                continue
            mine, theirs = found[place], owner.get(key)
            better_for_us = mine is None or _overlap(own, other) > _overlap(own, before[mine - 1])
            better_for_it = theirs is None or _overlap(own, other) > _overlap(now[theirs], other)
            assert not (better_for_us and better_for_it)


@given(GROUPS, GROUPS, st.randoms(use_true_random=False))
def test_the_order_in_which_candidates_come_makes_no_difference(before: list[set[int]], now: list[set[int]], rng: Any) -> None:
    now = [own for place, own in enumerate(now) if own not in now[:place]]  # of two that are alike one must lose
    found = same_as(dict(enumerate(before, 1)), now)
    order = list(range(len(now)))
    rng.shuffle(order)
    keys = list(enumerate(before, 1))
    rng.shuffle(keys)
    again = same_as(dict(keys), [now[place] for place in order])
    told, retold = ({frozenset(now[p]): k for p, k in pairs} for pairs in (enumerate(found), zip(order, again, strict=True)))
    assert {own for own, key in told.items() if key is None} == {own for own, key in retold.items() if key is None} or _ties(before, now)


def _ties(before: list[set[int]], now: list[set[int]]) -> bool:
    """Whether two pairs share equally much, so that either choice is as good."""
    scores = [_overlap(own, other) for own in now for other in before if own & other]
    return len(scores) != len(set(scores))


@given(st.lists(st.sets(st.integers(1, 300), min_size=3, max_size=12), max_size=8))
def test_the_same_tickets_are_the_same_candidates(groups: list[set[int]]) -> None:
    apart: list[set[int]] = []
    for own in groups:
        rest = own - set().union(*apart, set())
        if rest:
            apart.append(rest)
    assert same_as(dict(enumerate(apart, 1)), apart) == list(range(1, len(apart) + 1))


def evidence(count: int = 40, **more: Any) -> dict[str, Any]:
    facets = more.pop("facets", [("os_version", "14.2")])
    return {
        "title": "Tunnel drops",
        "paragraph": "40 tickets belong together.",
        "words": ["tunnel"],
        "ticket_count": count,
        "facets": [{"fact": fact, "value": value, "same": []} for fact, value in facets],
        "rhythm": {"period": {"days": more["period"]}} if "period" in more else {},
        "causes": [
            {"kind": "change", "key": key, "title": f"Title of {key}", "why": "on the same CI", "chance": 0.01}
            for key in more.get("causes", ())
        ],
        "weeks": {"marks": [[1, key] for key in more.get("causes", ())]},
    }


@given(st.integers(1, 500), st.integers(0, 900))
def test_dismissed_evidence_changes_once_it_has_grown_by_half_and_by_five(before: int, now: int) -> None:
    assert bool(changed(evidence(before), evidence(now))) == (2 * now >= 3 * before and now >= before + 5)


@given(st.integers(1, 500), st.floats(2.5, 100), st.lists(st.sampled_from(["CHG1", "CHG2"]), unique=True))
def test_what_stands_as_it_was_dismissed_stays_away_also_when_it_shows_less(count: int, period: float, causes: list[str]) -> None:
    full = evidence(count, period=period, causes=causes)
    assert changed(full, full) == ""
    assert changed(full, evidence(count // 2, facets=[])) == ""


def test_a_new_facet_period_or_cause_brings_it_back() -> None:
    assert changed(evidence(), evidence(facets=[("os_version", "14.2"), ("site", "Leeds")])) == "it concentrates on site Leeds"
    assert changed(evidence(), evidence(period=10.0)) == "it recurs every 10.0 days"
    assert changed(evidence(period=10.0), evidence(period=10.5)) == ""
    assert changed(evidence(period=10.0), evidence(period=5.0)) == "it recurs every 5.0 days"
    assert changed(evidence(causes=["CHG1"]), evidence(causes=["CHG1", "CHG2"])) == "CHG2 may be its cause"


def _told(causes: list[Mapping[str, Any]]) -> str:
    first, second = causes
    said = f"Possible cause: change {first['key']} {first['title']}, {first['why']} (by chance: 1 %)."
    ended = f"It stopped after change {second['key']} {second['title']}, {second['why']} (by chance: 2 %)."
    return f"40 tickets belong together. {said} {ended} Odds are low."


@given(st.sets(st.sampled_from(["CHG1", "CHG2"])), st.booleans())
def test_hidden_words_are_not_told(hidden: set[str], tickets: bool) -> None:
    found = evidence(causes=["CHG1", "CHG2"])
    found["paragraph"] = _told(found["causes"])
    told = str(veiled(found, tickets_hidden=tickets, causes=hidden))
    assert all((key in told) == (key not in hidden) for key in ("CHG1", "CHG2"))
    assert ("unnel" in told) != tickets
    assert "40 tickets belong together." in told and "Odds are low." in told


@pytest.mark.parametrize(("source", "is_told"), [("word", False), ("named", False), ("CI", True)])
def test_what_was_raised_tells_no_word_of_a_hidden_ticket(source: str, is_told: bool) -> None:
    found = evidence() | {"source": source, "paragraph": f"{source} severance: 6 tickets within 3.0 hours."}
    assert ("severance" in str(veiled(found, tickets_hidden=True, causes=set()))) == is_told
    assert "severance" in str(veiled(found, tickets_hidden=False, causes=set()))


def test_a_cause_that_cannot_be_told_from_the_rest_takes_the_rest_with_it() -> None:
    found = evidence(causes=["CHG1"]) | {"paragraph": "Everything began with CHG1, they say."}
    assert veiled(found, tickets_hidden=False, causes={"CHG1"})["paragraph"] == ""
