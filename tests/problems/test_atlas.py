"""Families that a look leaves behind: unpacked they place as before, and new ones count what they would have counted from the beginning."""

import json
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pilothouse.problems.engine.atlas import Atlas, atlas_of
from pilothouse.problems.engine.baseline import DAY, HOUR
from pilothouse.problems.engine.columns import FAMILY, Tickets, coded
from pilothouse.problems.engine.families import gather
from pilothouse.problems.engine.streaming import look, regrouped, told
from pilothouse.problems.engine.streams import Arrival
from pilothouse.problems.engine.words import read
from tests.problems.made import START, Desk, failing_client


@pytest.fixture(scope="module")
def tickets() -> Tickets:
    desk = Desk(np.random.default_rng(4))
    desk.steady(3000)
    failing_client(desk)
    return desk.tickets()


@pytest.fixture(scope="module")
def atlas(tickets: Tickets) -> Atlas:
    words = read(tickets)
    made = atlas_of(gather(tickets, words), words)
    assert made is not None
    return made


def test_an_unpacked_atlas_places_as_the_one_that_was_packed(tickets: Tickets, atlas: Atlas) -> None:
    unpacked = Atlas.of(atlas.packed())
    assert tickets.titles is not None
    for title in (*tickets.titles[::7], "", "qwertz", "tunnel tunnel tunnel", "größe\x00 of a mailbox"):
        ours, theirs = atlas.place(title), unpacked.place(title)
        assert (ours.family, atlas.family(title)) == (theirs.family, unpacked.family(title))
        assert ours.nearness == pytest.approx(theirs.nearness, abs=2e-3)


def test_old_tickets_are_placed_in_their_own_family(tickets: Tickets, atlas: Atlas) -> None:
    words = read(tickets)
    labels, titles = gather(tickets, words).labels, tickets.titles
    assert titles is not None
    placed = [atlas.place(title).family for title in titles[:300]]
    assert np.mean(np.array(placed) == labels[:300]) > 0.99


def test_placing_takes_less_than_twenty_milliseconds(atlas: Atlas) -> None:
    began = time.process_time()
    for i in range(50):
        atlas.family(f"tunnel drops in calls {i}", "since the update")
    assert (time.process_time() - began) / 50 < 0.02


def test_families_are_named_by_words_of_their_tickets_and_no_two_alike(tickets: Tickets, atlas: Atlas) -> None:
    assert len(set(atlas.names)) == len(atlas.names)
    assert tickets.titles is not None
    tunnel = next(title for title in tickets.titles if "tunnel" in title)
    assert "tunnel" in atlas.family(tunnel)
    assert atlas.family("qwertz 4711") == ""


def test_tickets_without_texts_leave_no_atlas() -> None:
    kinds = Tickets([str(i) for i in range(90)], facts={"category": coded(f"kind {i % 4}" for i in range(90))})
    assert atlas_of(gather(kinds, read(kinds)), read(kinds)) is None


_FAMILIES = ("", "a, b", "c", "d (2)")
_taken = st.lists(
    st.tuples(st.integers(0, 40 * HOUR), st.sampled_from(_FAMILIES), st.sampled_from(_FAMILIES), st.sampled_from(("", "14.1", "14.2"))),
    max_size=60,
)


def _arrivals(rows: list[tuple[int, str, str, str]], which: int) -> list[Arrival]:
    """Return tickets that come one after another, of the families before (1) or after (2) a look."""
    made, at = [], START
    for i, row in enumerate(rows):
        at += row[0]
        facts = {FAMILY: str(row[which]), "os_version": row[3], "CI": f"C{i % 3}"}
        made.append(Arrival(str(i), at, facts={name: value for name, value in facts.items() if value}))
    return made


@given(_taken)
@settings(deadline=None)
def test_new_families_have_what_they_would_have_had(rows: list[tuple[int, str, str, str]]) -> None:
    """Regrouped streams = those of a watch that had known these families from the beginning."""
    before, after = look(None, _arrivals(rows, 1)).state, look(None, _arrivals(rows, 2)).state
    if not rows:
        assert regrouped(before, []) == before
        return
    found = json.loads(json.dumps(regrouped(json.loads(json.dumps(before)), _arrivals(rows, 2))))
    expected = json.loads(json.dumps(after))
    began = expected["began"]
    of_families = {key for key in {*found["streams"], *expected["streams"]} if key.startswith(FAMILY)}
    for key in of_families:
        ours, theirs = found["streams"].get(key), expected["streams"].get(key)
        if ours is None or theirs is None:  # only of tickets that no longer count
            assert all(at < began for _, at, _ in (ours or theirs)[4])
            continue
        assert ours[:2] == theirs[:2] and ours[2] == 0
        assert ours[4] == [each for each in theirs[4] if each[1] >= began][-len(ours[4]) :]
    assert {key: value for key, value in found["streams"].items() if key not in of_families} == {
        key: value for key, value in json.loads(json.dumps(before))["streams"].items() if not key.startswith(FAMILY)
    }


def _steady(count: int = 400) -> list[Arrival]:
    return [Arrival(f"s{i}", START + i * 5 * HOUR, facts={FAMILY: f"usual {i % 9}"}) for i in range(count)]


def _burst(at: int, family: str, count: int = 8) -> list[Arrival]:
    return [Arrival(f"b{i}", at + i * 300, facts={FAMILY: family, "os_version": "14.2"}) for i in range(count)]


def test_a_family_that_crowds_is_raised_and_stays_raised_under_its_new_name() -> None:
    steady = _steady()
    crowd = _burst(steady[-1].at, "tunnel, drops")
    first = look(None, [*steady, *crowd])
    [alarm] = first.raised
    assert alarm.source.startswith(FAMILY) and "tunnel, drops" in told(alarm)
    renamed = [Arrival(each.key, each.at, facts={**each.facts, FAMILY: "tunnel, vpn"}) for each in crowd]
    state = regrouped(first.state, [*steady, *renamed])
    more = look(state, [Arrival(f"m{i}", crowd[-1].at + i * 600, facts={FAMILY: "tunnel, vpn"}) for i in range(1, 7)])
    assert more.raised == () and [number for _, number in more.joined] == [alarm.number] * 6


def test_what_an_alarm_explained_stays_explained_in_new_families() -> None:
    steady = _steady()
    crowd = _burst(steady[-1].at, "tunnel, drops")
    later = [Arrival(f"l{i}", crowd[-1].at + 10 * DAY + i * 5 * HOUR, facts={FAMILY: f"usual {i % 9}"}) for i in range(40)]
    state = look(None, [*steady, *crowd, *later]).state
    assert not state["active"]
    renamed = [Arrival(each.key, each.at, facts={**each.facts, FAMILY: "tunnel, vpn"}) for each in crowd]
    state = regrouped(state, [*steady, *renamed, *later])
    again = look(state, [Arrival("one", later[-1].at + HOUR, facts={FAMILY: "tunnel, vpn", "os_version": "14.2"})])
    assert again.raised == ()
