"""What is said of a candidate: what and where, in plain words, and no figure that contradicts another."""

from dataclasses import replace

import numpy as np
import pytest

from pilothouse.problems.engine.baseline import DAY, HOUR, calendar_of
from pilothouse.problems.engine.candidates import Candidate, Sign
from pilothouse.problems.engine.causes import Surroundings, changes_before
from pilothouse.problems.engine.columns import Change, Changes, CIGraph, Fact, Tickets, coded
from pilothouse.problems.engine.costs import Cost, cost_of
from pilothouse.problems.engine.facets import Facet, independent
from pilothouse.problems.engine.groups import Group
from pilothouse.problems.engine.rhythm import Burst, Onset, Rhythm
from pilothouse.problems.engine.telling import Told, tell
from pilothouse.problems.engine.veil import veiled
from tests.problems.made import START

OUTAGE = START + 30 * DAY
BURST = Burst(OUTAGE, OUTAGE + HOUR, 20, 0.2, 1e-14)


@pytest.fixture(scope="module")
def tickets() -> Tickets:
    """A ticket a day for 40 days, and twelve in an hour about one server."""
    opened = sorted([*(START + day * DAY for day in range(40)), *(OUTAGE + i * 60 for i in range(12))])
    is_outage = [OUTAGE < at < OUTAGE + HOUR or (at == OUTAGE) for at in opened]
    facts = {
        "CI": coded("SRV-1" if out else "WS-2" for out in is_outage),
        "service": coded("mail" if out else "printing" for out in is_outage),
        "group": coded("Payroll" if out else "Desk" for out in is_outage),
    }
    return Tickets([str(i) for i in range(len(opened))], opened=np.array(opened), titles=["no mail"] * len(opened), facts=facts)


@pytest.fixture(scope="module")
def outage(tickets: Tickets) -> Candidate:
    rows = np.flatnonzero(tickets.fact("CI").having("SRV-1"))
    sign = Sign("burst", Group("CI", "SRV-1", rows), rows, 0.2, 1.8254e-15, BURST)
    onset = Onset(OUTAGE, 0.0, 1.3, 0, len(rows), 9.0, 1e-12)
    return Candidate(sign, rows, (), None, Rhythm(onset=onset, burst=BURST), 3e-6)


def _told(candidate: Candidate, tickets: Tickets) -> Told:
    assert tickets.opened is not None
    calendar = calendar_of(tickets.opened)
    return tell(candidate, cost_of(candidate, tickets, calendar), (), tickets, None, calendar)


def test_what_and_where_are_said_where_nothing_is_out_of_proportion(outage: Candidate, tickets: Tickets) -> None:
    told = _told(outage, tickets)
    assert "They are about SRV-1 (all) and the service mail (all)." in told.paragraph
    assert [(each.fact, each.value) for each in told.shared] == [("CI", "SRV-1"), ("service", "mail"), ("group", "Payroll")]
    assert "Payroll" not in told.paragraph
    shared = [{"fact": each.fact, "value": each.value, "count": each.count} for each in told.shared]
    assert "Payroll" not in str(veiled({"ticket_count": 13, "shared": shared}, tickets_hidden=True, causes=set()))


def test_a_burst_says_how_many_are_the_candidates_and_an_outage_has_no_weekly_rate(outage: Candidate, tickets: Tickets) -> None:
    told = _told(outage, tickets)
    own = len(outage.rows)
    assert f"A burst of 20 of that kind in 60 minutes on 31 January 2025, expected 0.2; {own} of these are among them." in told.paragraph
    assert "a week" not in told.paragraph and "Since" not in told.paragraph
    slow = replace(outage, rhythm=replace(outage.rhythm, burst=replace(BURST, count=3)))
    assert f"Since 31 January 2025: {own}, 1.3 a day; before it none." in _told(slow, tickets).paragraph


def test_a_day_is_one_day_and_people_are_no_cost(outage: Candidate, tickets: Tickets) -> None:
    own = replace(outage, rows=outage.rows[1:])
    people = coded(["rita", *(f"person {i}" for i in range(len(tickets) - 1))])
    told = _told(own, replace(tickets, facts={**tickets.facts, "requester": people})).paragraph
    assert (
        told.startswith(f"{len(own.rows)} tickets belong together, all on 31 January 2025.") and f" It hit {len(own.rows)} people." in told
    )


def test_chances_are_said_in_words(outage: Candidate, tickets: Tickets) -> None:
    sure = _told(outage, tickets).confidence
    assert sure == (
        "How sure: in one group, such a burst would be seen by chance alone with odds of less than 1 in a trillion;"
        " so much was looked at that only odds below 1 in 330,000 count."
    )


def test_a_denominator_that_is_not_the_tickets_is_explained(outage: Candidate, tickets: Tickets) -> None:
    few, many = Facet("site", "Leeds", 8, 10, 1.0, 1e-9), Facet("os_version", "14.2", 30, 40, 2.0, 1e-9)
    plain = Facet("site", "Leeds", 8, len(outage.rows), 1.0, 1e-9)
    assert "out of" not in _told(replace(outage, facets=(plain,)), tickets).paragraph
    assert "Where it is out of fewer" in _told(replace(outage, facets=(few,)), tickets).paragraph
    assert "Where a count is out of more" in _told(replace(outage, facets=(many,)), tickets).paragraph


def test_of_values_that_hold_the_same_tickets_the_one_that_people_say_leads() -> None:
    codes = np.array([0] * 8 + [1] * 8, np.int32)
    facts = {
        "os_build": Fact(codes, ("23C64", "22G1")),
        "os_version": Fact(codes, ("14.2", "13.6")),
        "os": Fact(np.zeros(16, np.int32), ("macOS",)),
    }
    build, version = Facet("os_build", "23C64", 8, 10, 1.0, 1e-12), Facet("os_version", "14.2", 8, 10, 1.05, 1e-11)
    (found,) = independent([build, version], np.arange(10), facts)
    assert (found.fact, found.value, found.same, found.words) == ("os_version", "14.2", ("os_build 23C64",), "macOS 14.2")
    elsewhere = Fact(np.array([0] * 8 + [1] * 7 + [0], np.int32), ("14.2", "13.6"))  # the version has one more than the build
    (kept,) = independent([build, version], np.arange(10), facts | {"os_version": elsewhere})
    assert (kept.fact, kept.words) == ("os_build", "macOS 23C64")


def test_a_change_is_told_to_have_ended_when_it_did_though_it_was_planned_for_longer(tickets: Tickets) -> None:
    ended = OUTAGE - 3 * HOUR
    change = Change("C-1", "", ("SRV-1",), ended - HOUR, ended, planned=(ended - HOUR, ended + HOUR))
    rows = np.flatnonzero(tickets.fact("CI").having("SRV-1"))
    (cause,) = changes_before(OUTAGE, rows, tickets, Surroundings(CIGraph(), Changes([change])), least=-np.inf)
    assert cause.at == ended and cause.why.startswith("ended 3.0 hours before the first ticket")


def test_time_that_passed_is_not_called_work(outage: Candidate, tickets: Tickets) -> None:
    def said(hours: float) -> tuple[Cost, str]:
        timed = replace(tickets, effort=np.full(len(tickets), hours * 3600))
        return cost_of(outage, timed, None), _told(outage, timed).paragraph

    assert f"{2 * len(outage.rows)} handling hours (known for" in said(2)[1]
    assert "hours until they were done (known for" in said(244)[1] and "handling" not in said(244)[1]
