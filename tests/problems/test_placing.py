"""New tickets join families as the old ones did, and say which candidates they are like."""

import time

import numpy as np
import pytest

from pilothouse.problems.engine.columns import Tickets, coded
from pilothouse.problems.engine.mine import Mined, mine
from pilothouse.problems.engine.placing import Placer
from tests.problems.made import START, Desk, failing_client, reboots


@pytest.fixture(scope="module")
def mined() -> Mined:
    desk = Desk(np.random.default_rng(4))
    desk.steady(3000)
    reboots(desk)
    failing_client(desk)
    return mine(desk.tickets())


def test_old_tickets_are_placed_in_their_own_family(mined: Mined) -> None:
    placer, titles = Placer(mined), mined.tickets.titles
    assert titles is not None
    placed = [placer.place(title).family for title in titles[:300]]
    assert np.mean(np.array(placed) == mined.families.labels[:300]) > 0.99


def test_a_new_ticket_is_like_the_candidate_that_it_belongs_to(mined: Mined) -> None:
    placer = Placer(mined)
    tunnel = next(f.rank for f in mined.findings if f.candidate.facets)
    reboot = next(f.rank for f in mined.findings if f.candidate.rhythm.period)
    assert placer.place("tunnel disconnects every minute").like[0].rank == tunnel
    assert placer.place("", "something odd on srv-17 again").like[0].rank == reboot
    assert placer.place("printer is slow").like == ()
    nowhere = placer.place("qwertz 4711")
    assert nowhere.family == -1 and nowhere.like == ()


def test_placing_takes_less_than_twenty_milliseconds(mined: Mined) -> None:
    placer = Placer(mined)
    began = time.process_time()
    for i in range(50):
        placer.place(f"tunnel drops in calls {i}", "since the update", CI="WS-5")
    assert (time.process_time() - began) / 50 < 0.02


def test_without_texts_the_kind_places() -> None:
    kinds = [f"kind {i % 4}" for i in range(200)]
    tickets = Tickets([str(i) for i in range(200)], opened=START + np.arange(200) * 3600, facts={"category": coded(kinds)})
    placer = Placer(mine(tickets))
    assert placer.place("", category="kind 2").family == 2
    assert placer.place("", category="no such kind").family == -1
