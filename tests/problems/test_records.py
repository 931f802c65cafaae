"""Problem records on the real database: opened with their evidence, followed to the end."""

from datetime import timedelta
from time import monotonic
from typing import Any

import pytest

from pilothouse.platform import journal
from pilothouse.platform.refusals import Forbidden, Invalid
from pilothouse.problems import actions
from pilothouse.problems.engine.frozen import fingerprint
from pilothouse.problems.models import Evidence, Problem
from pilothouse.problems.projections import ProblemDetails
from pilothouse.tickets import actions as tickets
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
