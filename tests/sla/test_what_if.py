"""What a change would have done: judged by shape as it is judged one by one, on real tickets, over a command and a worker."""

import json
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import numpy as np
import pytest
from django.db import connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pilothouse.platform import access, clock
from pilothouse.platform.refusals import Forbidden, Invalid, Missing
from pilothouse.sla import what_if, what_if_command
from pilothouse.sla.actions import what_ifs
from pilothouse.sla.actions.schedules import add_schedule
from pilothouse.sla.engine.business_time import Definition, always, compile_definition
from pilothouse.sla.engine.clocks import count_many
from pilothouse.sla.engine.definitions import read_targets
from pilothouse.sla.engine.lives import Event, read, write
from pilothouse.sla.engine.rules import KINDS, Agreement, Rulebook, Use
from pilothouse.sla.engine.verdicts import BREACHED, MET, OPEN, PLACE, Judge, Side
from pilothouse.sla.models import Clock, WhatIf
from pilothouse.sla.what_if_jobs import work_out
from pilothouse.tickets import actions as tickets
from pilothouse.tickets.models import Ticket
from tests.organisation import NOW, Organisation, set_up
from tests.sla.desk_of_agreements import agreement, definition, target
from tests.sla.test_checks import compiled
from tests.trees import Instance

# ---- judged by shape = judged one by one

OFFICE = compile_definition(
    Definition("Europe/London", tuple([((8 * 3600, 12 * 3600), (13 * 3600, 17 * 3600))] * 5 + [()] * 2)), 2025, 2027
)
NIGHT = compile_definition(Definition("America/New_York", ((),) * 5 + (((0, 86_400),),) * 2), 2025, 2027)
HOURS = {None: always(), 1: OFFICE, 2: NIGHT}
START = 1_772_000_000  # February 2026
CONDITIONS = [
    "",
    "kind:incident",
    "group:network",
    "is:assigned",
    "tag:vip",
    "title:vpn",
    "priority<=2",
    "hold:vendor",
    "is:unrouted",
    "is:reopened",
][:9]
DURATIONS = st.one_of(
    st.sampled_from([60, 3600, 4 * 3600, 9 * 3600]).map(lambda seconds: {"seconds": seconds}),
    st.tuples(st.integers(0, 3), st.sampled_from(["00:00", "08:00", "16:00", "17:00", "23:30"])).map(lambda d: {"days": d[0], "at": d[1]}),
)
_CONDITION = st.sampled_from(CONDITIONS)
TARGETS = st.fixed_dictionaries(
    {
        "kind": st.sampled_from(list(KINDS)),
        "durations": st.dictionaries(st.sampled_from("12345"), DURATIONS, min_size=1),
        "schedule": st.sampled_from([None, 1, 2]),
        "schedule_from": st.sampled_from([[], ["ci", "service"], ["site"]]),
        "holds": st.sampled_from([[], ["caller"], ["caller", "vendor", "other"]]),
        "count_resolved": st.booleans(),
        "rule": st.sampled_from(["owned", "replied"]),
        "groups": st.sampled_from([[], [3], [3, 4]]),
    },
    optional=dict.fromkeys(("start", "pause", "stop", "cancel", "reset"), _CONDITION),
)
BOOKS = st.lists(st.tuples(_CONDITION, st.lists(TARGETS, min_size=1, max_size=3), st.integers(0, 2)), min_size=1, max_size=3)
CHANGES = st.one_of(
    st.sampled_from(
        [
            {"state": "in_progress", "hold_reason": ""},
            {"state": "on_hold", "hold_reason": "caller"},
            {"state": "on_hold", "hold_reason": "vendor"},
            {"state": "resolved", "hold_reason": ""},
            {"state": "closed"},
            {"state": "cancelled"},
            {"assignee_id": 8},
            {"assignee_id": 9},
            {"assignee_id": None},
            {"requester_id": 6, "site": "Porto"},
            {"merged_into_id": 5},
            {"title": "vpn drops"},
            {"tags": ["vip", "x"]},
            {"tags": []},
            {"ci_id": 7},
            {"service_id": 2},
        ]
    ),
    st.integers(1, 5).map(lambda level: {"priority": level}),
    st.sampled_from([None, 3, 4, 5, 6]).map(lambda group: {"group_id": group}),
    st.just({}),
)
EVENTS = st.lists(st.tuples(st.integers(0, 40_000), CHANGES, st.sampled_from([None, None, None, 6, 8])), max_size=9)
LIVES = st.lists(
    st.tuples(st.integers(0, 400_000), st.integers(1, 5), st.sampled_from(["incident", "request"]), EVENTS), min_size=1, max_size=12
)


def lives_of(drawn: Sequence[Any]) -> list[list[Event]]:
    made = []
    for begin, priority, kind, events in drawn:
        at = START + begin
        life = [Event(1, at, at, {"kind": kind, "priority": priority, "requester_id": 6, "title": "printer", "group_id": 3})]
        for seq, (pause, changes, author) in enumerate(events, 2):
            at += pause
            life.append(Event(seq, at, at, dict(changes), {"reply": author} if author else None))
        made.append(read(write(life)))
    return made


def book_of(drawn: Sequence[Any], number: int) -> Rulebook:
    versions = []
    for place, (applies_to, targets, since) in enumerate(drawn):
        named = [{**each, "key": f"t{at}"} for at, each in enumerate(targets)]
        applies, read_, problems = read_targets({"applies_to": applies_to, "targets": named}, compiled)
        assert not problems
        since_at = None if not since else START + since * 100_000
        versions.append(Agreement(100 * number + place, place, 1, f"A{place}", place, applies, read_, since_at))
    return Rulebook(tuple(versions), (Use("ci", 7, 2, START + 150_000), Use("service", 2, 1), Use("site", "Porto", 2)))


def one_by_one(lives: Sequence[Sequence[Event]], side: Side, now: int) -> Any:
    found = np.zeros((len(KINDS), len(lives)), np.int8)
    for each in count_many(list(enumerate(lives)), side.rulebook, side.hours):
        if each.stage == "cancelled" or (each.kind == "ola" and each.stay == 0):
            continue
        late = each.breached or (each.is_living and each.due is not None and each.due < now)
        verdict = BREACHED if late else OPEN if each.is_living else MET
        found[PLACE[each.kind], each.ticket] = max(found[PLACE[each.kind], each.ticket], verdict)
    return found


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(BOOKS, BOOKS, LIVES, st.integers(0, 900_000))
def test_many_are_judged_by_shape_as_one_by_one(before: Any, after: Any, drawn: Any, ahead: int) -> None:
    sides, lives = [Side(book_of(each, number), HOURS) for number, each in enumerate((before, after))], lives_of(drawn)
    now = max(START + ahead, *(life[-1].at for life in lives), 0)  # nothing has happened yet that lies ahead
    judge = Judge(sides, now)
    for portion in (lives[: len(lives) // 2], lives):  # what it learnt of the first portion serves the second
        if portion:
            found = judge.judge([write(life) for life in portion])
            for place, side in enumerate(sides):
                assert found.of[place].tolist() == one_by_one(portion, side, now).tolist()


# ---- on tickets


@pytest.fixture
def org(db: None) -> Organisation:
    return set_up()


LATER = NOW + timedelta(days=3)


def resolved(org: Organisation, hours: float, title: str = "VPN", **more: Any) -> Ticket:
    made = tickets.open_ticket(actor=org.ana, title=title, group=org.network, now=NOW, **more)
    then = NOW + timedelta(hours=hours)
    tickets.move_ticket(actor=org.ana, ticket_id=made.pk, state="resolved", resolution_code="solved", resolution_notes="x", now=then)
    return made


def asked(org: Organisation, change: Any, days: int = 30) -> dict[str, Any]:
    return what_if.run(org.adam, what_if.prepare(change, now=LATER), days, now=LATER)


def test_before_is_what_is_kept_and_flips_are_listed(org: Organisation) -> None:
    gold = agreement(org.adam, "Gold", target(4), target(1, "response"))
    quick, slow, late = resolved(org, 1), resolved(org, 3, "Slow one"), resolved(org, 5)
    tickets.open_ticket(actor=org.ana, title="Open", group=org.database, now=LATER)
    tickets.open_ticket(actor=org.ana, title="No clock", kind="request", now=NOW)
    report = asked(org, {"agreements": {"gold": definition(target(2))}})
    assert report["tickets"] == 5
    [response, resolution] = report["kinds"]
    assert resolution["before"] == {"met": 2, "breached": 1, "open": 1, "attainment": 66.67}
    assert resolution["after"] == {"met": 1, "breached": 2, "open": 1, "attainment": 33.33}
    kept = Clock.objects.filter(kind="resolution", stage="achieved")
    assert {clock.ticket_id: clock.breached for clock in kept} == {quick.pk: False, slow.pk: False, late.pk: True}
    assert (resolution["to_breached"], resolution["to_met"], resolution["gained"], resolution["lost"]) == (1, 0, 0, 0)
    assert (response["lost"], response["after"]["met"]) == (4, 0)
    [flip] = report["to_breached"]
    assert flip == {"number": slow.number, "title": "Slow one", "priority": slow.priority, "team": "Network", "kind": "resolution"}
    assert [row["team"] for row in report["teams"]] == ["Network", "Database"]
    assert report["under"] == [4, 4]
    assert sum(row["before"]["breached"] for row in report["priorities"]) == sum(row["before"]["breached"] for row in report["kinds"])
    assert gold.versions.count() == 1
    assert not WhatIf.objects.exists()


def test_no_change_flips_nothing_and_an_agreement_can_be_new_or_go(org: Organisation) -> None:
    agreement(org.adam, "Gold")
    resolved(org, 5)
    same = asked(org, {"agreements": {"gold": definition()}})
    assert same["kinds"][0]["before"] == same["kinds"][0]["after"]
    assert asked(org, {})["under"] == [0, 0]
    gone = asked(org, {"agreements": {"gold": None}})
    assert (gone["kinds"][0]["lost"], gone["to_met"]) == (1, [])
    first = asked(org, {"agreements": {"new": {**definition(target(8)), "position": 1}}})
    assert (len(first["to_met"]), first["under"]) == (1, [0, 1])
    last = asked(org, {"agreements": {"new": definition(target(8))}})
    assert (last["to_met"], last["under"]) == ([], [0, 0])


@pytest.mark.django_db(transaction=True)
def test_progress_is_noted_between_portions_where_others_see_it(org: Organisation, monkeypatch: pytest.MonkeyPatch) -> None:
    agreement(org.adam, "Gold")
    for hours in (1, 3, 5):
        resolved(org, hours)
    prepared, noted = what_if.prepare({"agreements": {"gold": definition(target(2))}}, now=LATER), list[tuple[int, bool]]()
    whole = what_if.run(org.adam, prepared, 30, now=LATER)
    monkeypatch.setattr(what_if, "_PORTION", 1)
    report = what_if.run(org.adam, prepared, 30, now=LATER, progress=lambda count: noted.append((count, connection.in_atomic_block)))
    assert noted == [(1, False)] * 3
    assert {**report, "seconds": 0} == {**whole, "seconds": 0}


def test_a_schedule_is_tried_too(org: Organisation) -> None:
    office = {"zone": "UTC", "week": {"mon": "08:00-12:00"}}
    made = add_schedule(actor=org.adam, name="Office", definition=office, now=NOW)
    agreement(org.adam, "Gold", target(4, schedule=made.pk))
    resolved(org, 5)  # Monday 9:00 to 14:00: 3 h of the morning
    report = asked(org, {"schedules": {"office": {"zone": "UTC", "week": {"mon": "08:00-17:00"}}}})
    assert len(report["to_breached"]) == 1


def test_a_change_that_cannot_be_read_says_where(org: Organisation) -> None:
    agreement(org.adam, "Gold")
    cases: list[tuple[Any, str]] = [
        ([], ""),
        ({"agreement": {}}, "agreement"),
        ({"agreements": {"gold": definition(target(0))}}, "agreements.gold.targets.0.durations.1"),
        ({"agreements": {"gold": definition(applies_to="kind:incident kind:request")}}, "agreements.gold.applies_to"),
        ({"agreements": {"gold": {**definition(), "position": "first"}}}, "agreements.gold.position"),
        ({"agreements": {"nowhere": None}}, "agreements.nowhere"),
        ({"agreements": {"gold": 7}}, "agreements.gold.definition"),
        ({"schedules": {"nowhere": {}}}, "schedules.nowhere"),
        ({"agreements": {"gold": definition(applies_to="tag:\x00")}}, ""),
    ]
    for change, field in cases:
        with pytest.raises(Invalid) as caught:
            what_if.prepare(change, now=LATER)
        assert field in [error.field for error in caught.value.errors], (change, caught.value.errors)


def test_tickets_of_hidden_teams_are_not_looked_at(org: Organisation) -> None:
    agreement(org.adam, "Gold")
    tickets.open_ticket(actor=org.adam, title="Pay", group=org.payroll, now=NOW)
    assert what_if.how_many(org.adam, 30, now=LATER) == 1
    assert what_if.how_many(org.ana, 30, now=LATER) == 0


def test_a_question_is_answered_once_and_is_ones_own(org: Organisation, monkeypatch: pytest.MonkeyPatch) -> None:
    agreement(org.adam, "Gold")
    resolved(org, 5)
    change = {"agreements": {"gold": definition(target(8))}}
    with pytest.raises(Forbidden):
        what_ifs.ask_what_if(actor=org.ana, change=change, now=LATER)
    with pytest.raises(Invalid):
        what_ifs.ask_what_if(actor=org.adam, change=change, days=0, now=LATER)
    question = what_ifs.ask_what_if(actor=org.adam, change=change, now=LATER)
    with pytest.raises(Missing):
        what_ifs.find_what_if(org.ana, question.pk)
    answered = what_ifs.answer_what_if(actor=org.adam, asked=question, now=LATER)
    assert (answered.state, answered.done, len(answered.result["to_met"])) == ("done", 1, 1)
    monkeypatch.setattr(what_ifs, "AT_ONCE", 0)
    by_worker = what_ifs.ask_what_if(actor=org.adam, change=change, now=LATER)
    with clock.at(LATER):
        work_out(by_worker.pk)
        work_out(by_worker.pk)
    assert what_ifs.find_what_if(org.adam, by_worker.pk).state == "done"
    what_ifs.ask_what_if(actor=org.adam, change=change, now=LATER + timedelta(days=2))
    assert WhatIf.objects.count() == 1  # yesterday's are gone


def test_the_command_tells_words_and_json(org: Organisation, tmp_path: Any) -> None:
    agreement(org.adam, "Gold")
    slow = resolved(org, 3, "Slow [red]one[/red]")
    file = tmp_path / "change.json"
    file.write_text(json.dumps({"agreements": {"gold": definition(target(2))}}))
    with clock.at(LATER):
        said = what_if_command.tell(file, days=30, as_json=False, progress=lambda count: None)
        report = json.loads(what_if_command.tell(file, days=30, as_json=True, progress=lambda count: None))
    assert f"{slow.number}  P{slow.priority}  Resolution  Network: Slow [red]one[/red]" in said
    assert "100.0 %" in said
    assert report["kinds"][0]["after"]["breached"] == 1
    file.write_text("{,")
    with pytest.raises(Invalid, match="no JSON"):
        what_if_command.read_change(file)


@pytest.mark.xdist_group("cli")
def test_the_command_line(desk: Instance, tmp_path: Any) -> None:
    file = tmp_path / "change.json"
    file.write_text(json.dumps({"agreements": {"gold": definition(target(2))}}))
    done = desk.command("sla", "what-if", str(file), "--days", "30", "--json")
    assert (done.returncode, json.loads(done.stdout)["tickets"]) == (0, 0), done.stderr
    file.write_text(json.dumps({"agreements": {"gold": definition(target(0))}}))
    refused = desk.command("sla", "what-if", str(file))
    assert refused.returncode == 1
    assert "agreements.gold.targets.0.durations.1" in refused.stderr
    assert "Traceback" not in refused.stderr


def test_a_machine_sees_every_ticket(org: Organisation) -> None:
    tickets.open_ticket(actor=org.adam, title="Pay", group=org.payroll, now=NOW)
    assert what_if.how_many(access.system(), 30, now=LATER) == 1
