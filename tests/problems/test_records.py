"""Problem records on the real database: opened with their evidence, followed to the end."""

from datetime import timedelta
from time import monotonic
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from pilothouse.people.models import User
from pilothouse.platform import clock, journal
from pilothouse.platform.refusals import Forbidden, GuardRefused, Invalid, StaleVersion
from pilothouse.problems import actions
from pilothouse.problems.engine.frozen import fingerprint
from pilothouse.problems.forms import DescribeForm
from pilothouse.problems.models import Evidence, Problem
from pilothouse.problems.problem_lists import review
from pilothouse.problems.problem_page import evidence_for, record_of
from pilothouse.problems.projections import ProblemDetails
from pilothouse.problems.selecting import ids_of
from pilothouse.tickets import actions as tickets
from pilothouse.tickets import acts
from pilothouse.tickets.actions.opening import open_practice_ticket
from pilothouse.tickets.models import Link, Ticket
from tests.organisation import NOW, Organisation, set_up

FOUND = {
    "title": "VPN client drops on macOS 14.2",
    "paragraph": "38 of 41 on macOS 14.2, expected 6.",
    "facets": [{"fact": "os", "value": "macOS 14.2", "count": 38, "known": 41, "expected": 6.03, "chance": 1e-19, "same": []}],
    "cost": {"expected_hours": 221.0, "ranked_by": "221 handling hours of the next quarter could be saved"},
}


@pytest.fixture
def org(db: None) -> Organisation:
    return set_up()


def incidents(org: Organisation, count: int, title: str = "VPN drops", **fields: Any) -> list[int]:
    many = [{"title": f"{title} {i}", "requester": org.rita.user_id, **fields} for i in range(count)]
    return [
        ticket.pk
        for start in range(0, count, 1000)
        for ticket in tickets.open_tickets(actor=org.ana, tickets=many[start : start + 1000], now=NOW)
    ]


def opened(org: Organisation, ids: list[int], **more: Any) -> Ticket:
    return actions.open_problem(actor=org.ana, now=NOW, title="VPN client drops", ticket_ids=ids, **more)


def test_a_candidate_becomes_a_record_with_its_evidence(org: Organisation) -> None:
    ids = incidents(org, 12, service=org.service, ci=org.ci)
    problem = opened(org, ids, found=FOUND)
    problem.refresh_from_db()
    assert problem.number.startswith("PRB") and problem.state == "new"
    assert (problem.group_id, problem.service_id, problem.ci_id) == (org.network, org.service, org.ci)  # the service's owner
    assert (problem.impact, problem.urgency) == (1, 2)  # 221 / 13 = 17 hours a week
    assert Problem.objects.get(pk=problem.pk).weekly_hours == 17.0
    evidence = Evidence.objects.get(problem=problem)
    assert evidence.sha256 == fingerprint(evidence.found, evidence.ticket_ids)  # as it came back from the database
    assert evidence.found["paragraph"] == FOUND["paragraph"] and evidence.ticket_ids == ids
    assert evidence.found["weeks"]["counts"] == [12]
    entries = journal.entries_of("ticket", problem.pk)
    told = next(entry for entry in entries if entry.verb == "problem.evidenced")
    assert told.after("evidence")["sha256"] == evidence.sha256
    links = Link.objects.filter(target=problem, relation="caused_by")
    assert sorted(links.values_list("ticket_id", flat=True)) == ids
    assert [entry.verb for entry in journal.entries_of("ticket", ids[0])][-1] == "ticket.gathered"


def test_thousands_are_linked_quickly_and_once(org: Organisation) -> None:
    ids = incidents(org, 3000)
    began = monotonic()
    problem = opened(org, ids)
    assert monotonic() - began < 15  # about 2 s alone; row by row it was a minute
    assert Link.objects.filter(target=problem).count() == 3000
    assert actions.gather_incidents(actor=org.ana, problem_id=problem.pk, ticket_ids=ids[:10], now=NOW) == []
    assert not journal.verify(["ticket"]).breaks


def test_by_hand_it_takes_what_its_incidents_say(org: Organisation) -> None:
    ids = incidents(org, 2, impact=1, urgency=2)
    problem = opened(org, ids)
    assert (problem.impact, problem.urgency, problem.group_id) == (1, 2, None)
    assert Problem.objects.get(pk=problem.pk).weekly_hours is None


def test_who_does_not_steer_opens_none_and_nobody_links_what_they_do_not_see(org: Organisation) -> None:
    hidden = tickets.open_ticket(actor=org.adam, title="Salary", group=org.payroll, now=NOW)
    with pytest.raises(Forbidden):
        actions.open_problem(actor=org.alan, now=NOW, title="x")
    with pytest.raises(Invalid, match="No problem"):
        opened(org, [hidden.pk])
    with pytest.raises(Invalid):
        actions.open_problem(actor=org.ana, now=NOW + timedelta(hours=1), title="  ")
    assert not Ticket.objects.filter(kind="problem").exists()


def test_the_detail_is_the_fold_of_its_journal(org: Organisation) -> None:
    opened(org, incidents(org, 2), found=FOUND)
    kept = list(Problem.objects.values())
    projection = ProblemDetails()
    projection.clear()
    for entries in journal.stream(["ticket"]):
        projection.apply(entries)
    assert list(Problem.objects.values()) == kept


def moved(org: Organisation, problem: Ticket, state: str, **more: Any) -> Ticket:
    return tickets.move_ticket(actor=org.ana, ticket_id=problem.pk, state=state, now=NOW, **more)


def missing(refused: pytest.ExceptionInfo[GuardRefused]) -> set[str]:
    return {error.field for error in refused.value.errors}


def test_its_states_ask_for_what_they_need(org: Organisation) -> None:
    problem = moved(org, opened(org, []), "analysis")
    with pytest.raises(GuardRefused) as refused:
        moved(org, problem, "fixing")
    assert missing(refused) == {"cause"}
    actions.describe_problem(actor=org.ana, problem_id=problem.pk, changes={"cause": "A leak.", "whys": ["a", "", " b ", " "]}, now=NOW)
    assert Problem.objects.get(pk=problem.pk).whys == ["a", "b"]
    moved(org, problem, "fixing")
    task = actions.add_task(actor=org.ana, problem_id=problem.pk, title="Look at the log", group=org.database, now=NOW)
    assert task.number.startswith("TASK") and task.parent_id == problem.pk and task.state == "assigned"
    done: dict[str, Any] = {"actor": org.ana, "problem_id": problem.pk, "resolution_code": "solved", "resolution_notes": "x", "now": NOW}
    with pytest.raises(GuardRefused, match="No change") as refused:
        actions.resolve_problem(**done)
    assert missing(refused) == {"change", "tasks"} and task.number in str(refused.value.errors)
    moved(org, task, "cancelled", note="not needed")
    fix = open_practice_ticket(actor=org.ana, kind="change", title="New client", now=NOW)
    actions.resolve_problem(**done, change=fix.number, note="Told the team.")
    assert journal.entries_of("ticket", problem.pk)[-1].note == "Told the team."
    assert Link.objects.filter(ticket=problem, relation="fixed_by", target=fix).count() == 1
    moved(org, problem, "closed")
    with pytest.raises(GuardRefused):
        moved(org, problem, "analysis")
    assert moved(org, problem, "analysis", note="It is back.").resolved_at is None


def test_it_is_resolved_without_a_change_only_with_a_reason(org: Organisation) -> None:
    problem = moved(org, opened(org, []), "analysis")
    done: dict[str, Any] = {"actor": org.ana, "problem_id": problem.pk, "resolution_code": "other", "resolution_notes": "x", "now": NOW}
    assert actions.resolve_problem(**done, no_fix_reason="The vendor withdrew the update.").state == "resolved"


def test_a_known_error_needs_a_workaround_and_keeps_it(org: Organisation) -> None:
    problem = opened(org, [])
    with pytest.raises(GuardRefused) as refused:
        actions.declare_known_error(actor=org.ana, problem_id=problem.pk, now=NOW)
    assert missing(refused) == {"workaround"}
    actions.declare_known_error(actor=org.ana, problem_id=problem.pk, workaround="Use the web client.", now=NOW)
    assert Problem.objects.get(pk=problem.pk).known_error_at == NOW
    with pytest.raises(GuardRefused):
        actions.describe_problem(actor=org.ana, problem_id=problem.pk, changes={"workaround": " "}, now=NOW)
    with pytest.raises(Invalid):
        actions.withdraw_known_error(actor=org.ana, problem_id=problem.pk, note=" ", now=NOW)
    actions.withdraw_known_error(actor=org.ana, problem_id=problem.pk, note="It does not help.", now=NOW)
    assert Problem.objects.get(pk=problem.pk).known_error_at is None


def test_two_who_write_at_once_lose_nothing(org: Organisation) -> None:
    problem = opened(org, [])
    seen = Ticket.objects.get(pk=problem.pk).version
    actions.describe_problem(actor=org.ana, problem_id=problem.pk, changes={"cause": "mine"}, expected_version=seen, now=NOW)
    with pytest.raises(StaleVersion) as stale:
        actions.describe_problem(actor=org.mona, problem_id=problem.pk, changes={"cause": "hers"}, expected_version=seen, now=NOW)
    assert (stale.value.current, stale.value.attempted) == ({"cause": "mine"}, {"cause": "hers"})
    wrong: dict[str, Any] = {"cause": "\x00", "whys": ["w"] * 11, "promised_on": "soon", "weekly_hours": 3}
    with pytest.raises(Invalid) as refused:
        actions.describe_problem(actor=org.ana, problem_id=problem.pk, changes=wrong, now=NOW)
    assert {error.field for error in refused.value.errors} == set(wrong)


def test_who_may(org: Organisation) -> None:
    problem = opened(org, [], group=org.network)
    for actor in (org.rita, org.olga, org.audrey):
        with pytest.raises(Forbidden):
            actions.describe_problem(actor=actor, problem_id=problem.pk, changes={"cause": "x"}, now=NOW)
    actions.describe_problem(actor=org.alan, problem_id=problem.pk, changes={"cause": "x"}, now=NOW)  # his team's


def test_a_form_that_was_overtaken_keeps_what_was_typed_and_shows_what_stands(org: Organisation) -> None:
    problem = opened(org, [])
    typed = {"version": str(Ticket.objects.get(pk=problem.pk).version), "cause": "mine", "why_1": "because", "promised_on": "2031-03-04"}
    actions.describe_problem(actor=org.mona, problem_id=problem.pk, changes={"cause": "hers"}, now=NOW)
    act = acts.ACTS["describe"]
    form = DescribeForm(typed)

    def save(values: dict[str, Any]) -> Any:
        return act.run(org.ana, problem, values, NOW)

    assert not form.carries_out(save)
    assert form.errors["cause"] == ["It now reads: hers. Saving again replaces it."] and form["cause"].value() == "mine"
    again = DescribeForm({**typed, "version": form["version"].value()})
    assert again.carries_out(save)
    detail = Problem.objects.get(pk=problem.pk)
    assert (detail.cause, detail.whys, str(detail.promised_on)) == ("mine", ["because"], "2031-03-04")


def test_evidence_tells_nobody_of_tickets_that_they_may_not_see(org: Organisation) -> None:
    hidden = tickets.open_ticket(actor=org.adam, title="Salary of Rita", group=org.payroll, now=NOW)
    problem = actions.open_problem(actor=org.adam, now=NOW, title="x", found={**FOUND, "words": ["salary"]}, ticket_ids=[hidden.pk])
    evidence = Evidence.objects.get(problem=problem)
    told, lost = evidence_for(org.ana, evidence)
    assert lost == 1 and told["words"] == [] and told["facets"] == evidence.found["facets"]
    told, lost = evidence_for(org.mona, evidence)
    assert lost == 0 and told["words"] == ["salary"]
    assert record_of(org.ana, problem)["incidents"] == [] and record_of(org.ana, problem)["incident_count"] == 1


def test_incidents_by_id_and_number_are_looked_up_in_one_query(org: Organisation, django_assert_num_queries: Any) -> None:
    ids = incidents(org, 3)
    numbers = list(Ticket.objects.filter(pk__in=ids).order_by("pk").values_list("number", flat=True))
    with django_assert_num_queries(1):
        assert ids_of(org.ana, [ids[0], numbers[1].lower(), str(ids[2])]) == ids
    with pytest.raises(Invalid) as refused:
        ids_of(org.ana, [ids[0], "INC9999999"])
    assert refused.value.errors[0].message.startswith("There is no ticket INC9999999")


def test_more_than_a_thousand_selected_are_refused_and_what_is_no_incident_is_left_out(org: Organisation, client: Client) -> None:
    client.force_login(User.objects.get(pk=org.ana.user_id))
    (first,) = incidents(org, 1, title="Sign-in fails")
    problem = opened(org, [])
    chosen = {"from": "selection", "ids": [first, problem.pk]}
    page = client.post("/problems/new", chosen).content.decode()
    assert "1 of 2 is left out" in page and 'value="Sign-in fails 0"' in page
    refused = client.post("/problems/new", {"from": "selection", "ids": list(range(1, 1002))})
    assert (refused.status_code, "At most 1,000 tickets at once; these are 1,001." in refused.content.decode()) == (422, True)


def test_its_page_reads_its_detail_once_and_the_list_counts_in_one_pass(org: Organisation) -> None:
    problem = opened(org, incidents(org, 3))
    client = Client()
    client.force_login(User.objects.get(pk=org.ana.user_id))
    with CaptureQueriesContext(connection) as asked:
        assert client.get(f"/tickets/{problem.number}").status_code == 200
        assert sum(query["sql"].startswith('SELECT "problems_problem"') for query in asked.captured_queries) == 1
    with CaptureQueriesContext(connection) as asked:
        assert client.get("/problems").status_code == 200
        assert sum("COUNT(" in query["sql"] and "tickets_ticket" in query["sql"] for query in asked.captured_queries) == 2  # with the rows


def test_where_no_effort_is_recorded_tickets_a_week_stand_in(org: Organisation) -> None:
    unmeasured = {**FOUND, "cost": {"expected": 221.0, "expected_hours": None, "ranked_by": "221 tickets of the next quarter"}}
    problem = opened(org, incidents(org, 12, impact=3, urgency=3), found=unmeasured)
    problem.refresh_from_db()
    assert (problem.impact, problem.urgency) == (1, 2)  # 221 / 13 = 17 tickets a week
    assert Problem.objects.get(pk=problem.pk).weekly_hours is None  # no hours are made up
    less, more = (opened(org, incidents(org, 1), weekly_hours=hours) for hours in (5.9, 6.1))
    lists = review(org.ana, sort="cost", now=NOW + timedelta(days=14))
    assert [row.ticket.pk for row in lists.page.rows] == [more.pk, problem.pk, less.pk]
    assert [row.weekly_tickets for row in lists.page.rows] == [None, 6.0, None]  # 12 in two weeks
    assert (lists.weekly_hours, lists.uncosted, lists.weekly_tickets) == (12.0, 1, 6.0)
    client = Client()
    with clock.at(NOW + timedelta(days=14)):
        client.force_login(User.objects.get(pk=org.ana.user_id))
        assert (
            "<b>12.0 h</b>a week they cost; 1 without recorded effort: 6.0 tickets a week"
            in client.get("/problems/review").content.decode()
        )
        assert "tickets a week stand in for handling hours" in client.get("/problems").content.decode()
        assert "costs 6.0 tickets a week; no effort is recorded" in client.get(f"/tickets/{problem.number}").content.decode()
