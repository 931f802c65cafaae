"""The generator: the same seed gives the same data, and every life could have happened."""

import hashlib
import os
import re
import statistics
import subprocess
import sys
from collections import Counter
from datetime import timedelta
from functools import cache
from random import Random
from zoneinfo import ZoneInfo

import pytest

from pilothouse.demo.engine.company import SITES
from pilothouse.demo.engine.context import context
from pilothouse.demo.engine.generate import Arguments, lives_of_day
from pilothouse.demo.engine.plan import TooFew
from pilothouse.demo.engine.scenarios import ALARMS, INCIDENTS, REQUESTS, planted
from pilothouse.demo.engine.specs import TicketLife
from pilothouse.platform.journal import Change
from pilothouse.tickets.engine.lifecycle import DEFAULT_MATRIX, OPEN_STATES, RESOLUTION_CODES, refusals
from pilothouse.tickets.engine.replay import EMPTY, fold
from tests.demo.conftest import UNTIL, Drawn


@cache
def _digest(seed: int) -> str:
    generation = Arguments(seed=seed, tickets=900, days=40, until=UNTIL).generation()
    digest = hashlib.sha256(repr(generation.organisation).encode())
    for life in generation.lives():
        digest.update(repr(life).encode())
    return digest.hexdigest()


def test_the_same_seed_gives_the_same_data_and_another_seed_other_data() -> None:
    assert _digest(7) == _digest.__wrapped__(7)
    assert _digest(7) != _digest(8)


@pytest.mark.parametrize("hash_seed", ["1", "2"])
def test_nothing_hangs_on_the_order_of_hashes(hash_seed: str) -> None:
    code = "from tests.demo.test_generate import _digest; print(_digest(7))"
    environment = {**os.environ, "PYTHONHASHSEED": hash_seed}
    said = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert said.stdout.strip() == _digest(7)


def test_lives_can_be_drawn_twice_from_one_plan() -> None:
    generation = Arguments(seed=3, tickets=900, days=40, until=UNTIL).generation()
    assert list(map(repr, generation.lives())) == list(map(repr, generation.lives()))


def test_too_few_tickets_are_refused_with_the_number_that_would_do() -> None:
    with pytest.raises(TooFew, match=r"ask for at least \d+ tickets"):
        Arguments(seed=7, tickets=100, days=400, until=UNTIL).generation()


def test_the_organisation_has_the_size_that_was_promised(drawn: Drawn) -> None:
    org = drawn.org
    assert [len(org.people), len(org.teams), len(org.services), len(org.cis)] == [1200, 30, 40, 3000]
    assert len({person.email for person in org.people}) == 1200
    assert len({ci.name for ci in org.cis}) == 3000
    assert {SITES[person.site].zone for person in org.people} == {"Europe/London", "Europe/Lisbon", "Asia/Singapore"}
    assert all(team.members and team.leads for team in org.teams)
    assert {p.role for p in org.people[:7]} == {"requester", "agent", "analyst", "manager", "auditor", "administrator"}
    assert len(org.relations) > 5000
    assert all(r.source != r.target for r in org.relations)


def test_there_are_exactly_so_many_tickets_numbered_in_order_of_opening(drawn: Drawn) -> None:
    assert [life.ordinal for life in drawn.lives] == list(range(12_000))
    for prefix in ("INC", "REQ"):
        numbers = [life.fields["number"] for life in drawn.lives if life.fields["number"].startswith(prefix)]
        assert numbers == [f"{prefix}{n:07d}" for n in range(1, len(numbers) + 1)]
        kind = {"INC": "incident", "REQ": "request"}[prefix]
        assert drawn.generation.highest_numbers()[kind] == len(numbers)
    opened = [life.fields["opened_at"] for life in drawn.lives]
    assert opened == sorted(opened)


def _faults(life: TicketLife) -> list[str]:
    """Walk a life through the lifecycle's table and guards."""
    found: list[str] = []
    row = dict(EMPTY)
    last = life.events[0].at
    for i, event in enumerate(life.events):
        before = row["state"]
        row |= {name: value for name, value in event.changes.items() if name in EMPTY}
        if event.at < last:
            found.append(f"{event.verb} goes back in time")
        if i and row["state"] != before:
            # Positions begin with 0, ids with 1: the guards look at whether there is one.
            holders = {name: None if row[name] is None else row[name] + 1 for name in ("group", "assignee")}
            found += [r.message for r in refusals(before, row["state"], {**row, **holders}, note=event.note)]
        if (row["state"] == "on_hold") != bool(row["hold_reason"]):
            found.append("a hold and its reason go together")
        if (row["state"] in ("resolved", "closed")) > (row["resolved_at"] is not None):
            found.append("resolved without an instant")
        last = event.at
    return found


def test_every_life_obeys_the_lifecycle(drawn: Drawn) -> None:
    faults = {life.fields["number"]: found for life in drawn.lives if (found := _faults(life))}
    assert faults == {}


def test_folding_the_events_gives_the_row(drawn: Drawn) -> None:
    class Entry:
        def __init__(self, event: object) -> None:
            self.changes = [Change(name, None, value) for name, value in event.changes.items()]  # type: ignore[attr-defined]

    for life in drawn.lives:
        assert fold([Entry(event) for event in life.events]) == life.fields, life.fields["number"]  # type: ignore[misc]


def test_everything_happens_within_the_data(drawn: Drawn) -> None:
    start = UNTIL - timedelta(days=400)
    for life in drawn.lives:
        assert start <= life.events[0].at
        assert life.events[-1].at < UNTIL
        assert life.fields["opened_at"] == life.events[0].at


def test_priorities_follow_the_matrix_and_fall_as_at_a_real_desk(drawn: Drawn) -> None:
    assert all(life.fields["priority"] == DEFAULT_MATRIX[life.fields["impact"], life.fields["urgency"]] for life in drawn.lives)
    share = {p: n / len(drawn.lives) for p, n in Counter(life.fields["priority"] for life in drawn.lives).items()}
    assert 0.001 < share[1] < 0.012
    assert 0.015 < share[2] < 0.08
    assert share[2] < share[3] < share[4]


def test_tickets_go_to_members_of_the_team_that_holds_them(drawn: Drawn) -> None:
    for life in drawn.lives:
        group = None
        for event in life.events:
            group = event.changes.get("group", group)
            assignee = event.changes.get("assignee")
            assert assignee is None or (group is not None and assignee in drawn.org.teams[group].members)


def test_related_tickets_exist(drawn: Drawn) -> None:
    merged = [life for life in drawn.lives if life.fields["merged_into"] is not None]
    children = [life for life in drawn.lives if life.fields["parent"] is not None]
    assert len(merged) > 40
    assert len(children) > 40
    for life in merged:
        target = drawn.lives[life.fields["merged_into"]]
        assert target.ordinal != life.ordinal
        assert target.fields["number"] in life.fields["resolution_notes"]
        assert any(event.verb == "ticket.absorbed" and event.changes["duplicate"] == life.ordinal for event in target.events)
        assert life.fields["requester"] in target.fields["watchers"]
    assert all("major" in drawn.lives[child.fields["parent"]].fields["tags"] for child in children)


def test_people_call_in_office_hours_of_their_sites_and_machines_at_all_hours(drawn: Drawn) -> None:
    local = [
        life.fields["opened_at"].astimezone(ZoneInfo(SITES[person.site].zone)) for life in drawn.lives if (person := drawn.requester(life))
    ]
    assert sum(8 <= at.hour < 18 for at in local) / len(local) > 0.8
    assert sum(at.weekday() >= 5 for at in local) / len(local) < 0.06
    by_weekday = Counter(at.weekday() for at in local)
    assert by_weekday[0] == max(by_weekday.values())
    alarms = [life.fields["opened_at"] for life in drawn.lives if life.fields["channel"] == "monitoring"]
    assert sum(at.weekday() >= 5 for at in alarms) / len(alarms) > 0.2
    christmas = [at for at in local if (at.month, at.day) == (12, 25)]
    assert len(christmas) < 15


def test_the_live_queue_looks_alive() -> None:
    generation = Arguments(seed=7, tickets=60_000, days=400, until=UNTIL).generation()
    # The last quarter of a year holds nearly all that is open; drawing it alone keeps the test short.
    lives = [life for day in generation.plan[-90:] for life in lives_of_day(7, generation.world, day)]
    waiting = [life for life in lives if life.fields["state"] in OPEN_STATES]
    age = [(UNTIL - life.fields["opened_at"]) / timedelta(days=1) for life in waiting]
    assert 300 < len(waiting) < 1800
    assert sum(life.fields["assignee"] is None for life in waiting) > 40
    assert sum(life.fields["state"] == "on_hold" for life in waiting) > 40
    assert sum(life.fields["state"] == "in_progress" for life in waiting) > 40
    assert sum(days < 1 / 12 for days in age) > 20
    assert sum(days > 14 for days in age) > 20
    closing = [life for life in lives if life.fields["state"] == "resolved"]
    assert all(UNTIL - life.fields["resolved_at"] <= timedelta(days=7, hours=1) for life in closing)


def test_texts_are_those_of_many_people(drawn: Drawn) -> None:
    told = [life for life in drawn.lives if life.fields["requester"] is not None]
    descriptions = {life.fields["description"] for life in told}
    assert len(descriptions) / len(told) > 0.9
    everything = "\n".join(descriptions)
    for pattern in (r"Hi team", r"Kind regards", r"\| Larkfield Insurance \|", r"```", r"confidential", r"Bom dia"):
        assert len(re.findall(pattern, everything)) > 20, pattern
    assert sum("URGENT" in life.fields["title"] for life in told) > 20
    assert not re.search(r"\{[a-z_]+\}", everything)
    assert statistics.median(len(text) for text in descriptions) > 80


def test_comments_go_both_ways_and_notes_are_private(drawn: Drawn) -> None:
    comments = [(life, event) for life in drawn.lives for event in life.events if event.verb == "ticket.commented"]
    by_requester = sum(event.actor == life.fields["requester"] for life, event in comments)
    assert 0.2 < by_requester / len(comments) < 0.8
    assert all(event.note.strip() for _, event in comments)
    assert all(event.private for life in drawn.lives for event in life.events if event.verb == "ticket.noted")


def test_holds_reopens_and_channels_occur_as_they_do(drawn: Drawn) -> None:
    verbs = Counter(event.verb for life in drawn.lives for event in life.events)
    assert 0.005 < verbs["ticket.reopened"] / len(drawn.lives) < 0.06
    reasons = Counter(event.changes.get("hold_reason") for life in drawn.lives for event in life.events if event.verb == "ticket.held")
    assert set(reasons) == {"caller", "vendor", "change", "problem", "other"}
    assert reasons["caller"] == max(reasons.values())
    channels = Counter(life.fields["channel"] for life in drawn.lives)
    assert set(channels) == {"phone", "email", "portal", "chat", "walk_in", "monitoring"}


def test_every_scenario_can_be_told(drawn: Drawn) -> None:
    words = context(Random(1), drawn.org, site=1, service=3, ci=40)
    for scenario in (*INCIDENTS, *ALARMS, *REQUESTS, *planted.EVERY):
        texts = [*scenario.titles, *scenario.bodies, *scenario.errors, *scenario.checks, *scenario.questions, *scenario.answers]
        assert all(text.format_map(words) for text in [*texts, *(notes for _, notes in scenario.fixes)] if text), scenario.key
        assert bool(scenario.questions) == bool(scenario.answers), scenario.key
        assert {code for code, _ in scenario.fixes} <= set(RESOLUTION_CODES), scenario.key
        assert all(drawn.org.service(key) >= 0 for key in scenario.services)
        assert all(len(title) < 120 for title in scenario.titles)
