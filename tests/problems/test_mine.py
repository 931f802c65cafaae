"""The miner as a whole: what is planted is found with its basis, what is not is not, and nothing makes it stumble."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pilothouse.problems.engine.baseline import DAY
from pilothouse.problems.engine.causes import Surroundings, changes_before
from pilothouse.problems.engine.columns import MISSING, BadTickets, Change, Changes, CIGraph, Fact, Tickets, coded
from pilothouse.problems.engine.mine import Mined, mine
from tests.problems.made import START, Desk, failing_client, reboots


@pytest.fixture(scope="module")
def desk() -> Desk:
    made = Desk(np.random.default_rng(4))
    made.steady(4000)
    reboots(made)
    failing_client(made)
    return made


@pytest.fixture(scope="module")
def changes() -> Changes:
    rng = np.random.default_rng(9)
    noise = [
        Change(f"C{i}", "routine work", (f"WS-{rng.integers(200)}",), (at := START + int(rng.integers(0, 350)) * DAY), at)
        for i in range(200)
    ]
    true = Change("C-TRUE", "new tunnel software", ("tunnel client",), START + 209 * DAY, START + 209 * DAY + 3600)
    return Changes(sorted([*noise, true], key=lambda change: change.end))


@pytest.fixture(scope="module")
def graph() -> CIGraph:
    return CIGraph(pairs=[(f"WS-{i}", "tunnel client") for i in range(200)] + [("WS-1", "WS-1")])


@pytest.fixture(scope="module")
def mined(desk: Desk, graph: CIGraph, changes: Changes) -> Mined:
    return mine(desk.tickets(), graph, changes)


def _finding(mined: Mined, rows: set[int]) -> "tuple[float, int]":
    best, place = 0.0, -1
    for i, finding in enumerate(mined.findings):
        hit = len(rows & set(finding.candidate.rows.tolist()))
        if hit / max(len(finding.candidate.rows), len(rows)) > best:
            best, place = hit / max(len(finding.candidate.rows), len(rows)), i
    return best, place


def test_a_reboot_with_jitter_and_missed_beats_is_found_with_its_period(mined: Mined, desk: Desk) -> None:
    overlap, place = _finding(mined, desk.rows("reboot"))
    period = mined.findings[place].candidate.rhythm.period
    assert overlap > 0.9
    assert period is not None and abs(period.days - 10) < 0.1
    assert period.events < period.due  # some beats were missed
    assert "SRV-17" in mined.findings[place].told.title


def test_a_client_that_fails_on_one_system_is_found_with_facet_onset_and_change(mined: Mined, desk: Desk) -> None:
    overlap, place = _finding(mined, desk.rows("tunnel"))
    finding = mined.findings[place]
    assert overlap > 0.6  # tickets about tokens of the same service are too few to be a family of their own
    assert finding.candidate.facets[0].value == "system 5"
    assert finding.candidate.facets[0].expected < 0.35 * finding.candidate.facets[0].count
    assert finding.candidate.rhythm.onset is not None
    assert abs(finding.candidate.rhythm.onset.at - START - 212 * DAY) < 6 * DAY  # the first of them came on day 212
    assert finding.causes[0].key == "C-TRUE"
    assert "system 5, expected" in finding.told.paragraph and "C-TRUE" in finding.told.paragraph


def test_nothing_else_is_found(mined: Mined, desk: Desk) -> None:
    planted = desk.rows("reboot") | desk.rows("tunnel")
    for finding in mined.findings:
        assert len(planted & set(finding.candidate.rows.tolist())) > 0.6 * len(finding.candidate.rows)


def test_each_candidate_says_when_it_would_have_been_raised(mined: Mined, desk: Desk) -> None:
    _, reboot = _finding(mined, desk.rows("reboot"))
    _, tunnel = _finding(mined, desk.rows("tunnel"))
    beats, crowd = mined.findings[reboot].raised, mined.findings[tunnel].raised
    assert beats is not None and beats.what == "period" and beats.tickets <= 12
    assert crowd is not None and START + 200 * DAY < crowd.at < START + 260 * DAY
    assert f"after {crowd.tickets} tickets" in mined.findings[tunnel].told.paragraph


def test_changes_count_by_how_near_and_how_rare_they_are(mined: Mined, desk: Desk, graph: CIGraph) -> None:
    at = START + 205 * DAY
    rows = np.array(sorted(desk.rows("tunnel")), dtype=np.int64)
    usual = [Change(f"C{i}", "", (f"X{i}",), t := START + (i + 1) * DAY, t, marks=("risk low",)) for i in range(300)]
    near = Change("C-NEAR", "", ("tunnel client",), at - 2 * DAY, at - 2 * DAY, marks=("risk low",))
    rare = Change("C-RARE", "", ("X",), at - DAY, at - DAY, marks=("risk high",))
    planned = Change("C-PLANNED", "", ("Y",), at + DAY, at + DAY, planned=(at - DAY,), marks=("risk high",))
    late = Change("C-LATE", "", ("tunnel client",), at + 3600, at + 3600, marks=("risk high",))
    changes = Changes(sorted([*usual, near, rare, planned, late], key=lambda change: change.end))
    told = [cause.key for cause in changes_before(at, rows, mined.tickets, Surroundings(graph, changes), least=-np.inf)]
    assert told[0] == "C-NEAR"
    assert set(told[1:3]) == {"C-RARE", "C-PLANNED"}  # two of 304 are of high risk
    assert "C-LATE" not in told and len(told) < 30


def test_the_same_input_gives_the_same_output(mined: Mined, desk: Desk, graph: CIGraph, changes: Changes) -> None:
    again = mine(desk.tickets(), graph, changes)
    assert [f.told for f in again.findings] == [f.told for f in mined.findings]
    assert np.array_equal(again.families.labels, mined.families.labels)


@pytest.mark.parametrize("seed", range(3))
def test_shuffled_times_and_facts_hold_next_to_nothing(desk: Desk, seed: int) -> None:
    rng, tickets = np.random.default_rng(seed), desk.tickets()
    assert tickets.opened is not None
    shuffled = {name: Fact(rng.permutation(fact.codes), fact.names) for name, fact in tickets.facts.items()}
    found = mine(replace(tickets, opened=rng.permutation(tickets.opened), facts=shuffled)).findings
    assert len(found) <= 1


def test_a_weekday_rhythm_is_no_period() -> None:
    desk = Desk(np.random.default_rng(2))
    desk.steady(3000)
    for week in range(50):
        desk.add(START + (week * 7 + 5) * DAY + 10 * 3600, "weekly report late", CI="REPORT")
    assert all(finding.candidate.rhythm.period is None for finding in mine(desk.tickets()).findings)


_TEXTS = st.one_of(
    st.just(""), st.text(max_size=60), st.sampled_from(["x" * 5000, "\x00\x07\x1b[31m", "INC0001 10.0.0.1", "größe 漢字漢字"])
)
_INSTANTS = st.one_of(st.just(MISSING), st.integers(START, START + 90 * DAY), st.just(START))


@given(
    rows=st.lists(st.tuples(_TEXTS, _INSTANTS, st.sampled_from(["", "a", "b", "c"])), max_size=60), timed=st.booleans(), told=st.booleans()
)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_nothing_makes_it_stumble(rows: list[tuple[str, int, str]], timed: bool, told: bool) -> None:
    tickets = Tickets(
        [str(i) for i in range(len(rows))],
        opened=np.array([at for _, at, _ in rows], dtype=np.int64) if timed else None,
        texts=[text for text, _, _ in rows] if told else None,
        facts={"CI": coded(ci for *_, ci in rows), "category": coded(ci for *_, ci in rows)},
    )
    mined = mine(tickets, CIGraph(pairs=[("a", "a"), ("a", "b"), ("b", "a")]))
    assert len(mined.families.labels) == len(rows)
    assert mined.remarks


@pytest.mark.parametrize("count", [0, 1, 400])
def test_tickets_that_are_all_alike_show_nothing(count: int) -> None:
    tickets = Tickets(
        ["T"] * count,
        opened=np.full(count, START),
        titles=["the same"] * count,
        texts=["again"] * count,
        facts={"CI": coded(["X"] * count)},
    )
    mined = mine(tickets)
    assert mined.findings == ()
    assert count == 1 or any("opened" in remark for remark in mined.remarks)  # one ticket has no instant to differ from


def test_half_of_the_rows_empty_and_a_text_of_a_megabyte() -> None:
    desk = Desk(np.random.default_rng(7))
    desk.steady(600)
    tickets = desk.tickets()
    titles = [title if i % 2 else "" for i, title in enumerate(tickets.titles or ())]
    titles[0] = "word " * 200_000
    mined = mine(replace(tickets, titles=titles))
    assert (mined.families.labels[2::2] == -1).all()
    assert mined.findings == ()


def test_columns_that_do_not_fit_together_are_named() -> None:
    with pytest.raises(BadTickets, match="titles"):
        Tickets(["a", "b"], titles=["only one"])
