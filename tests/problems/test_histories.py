"""Problems that were worked on elsewhere, in bulk: what is kept equals what their journal tells."""

from datetime import timedelta
from typing import Any

import pytest

from pilothouse.changes.actions import open_change
from pilothouse.platform import journal, projections
from pilothouse.problems.actions import Fixed, Gathered, PastProblem, record_problem_histories
from pilothouse.problems.engine.frozen import fingerprint
from pilothouse.problems.models import Evidence, Problem
from pilothouse.tickets import actions as tickets
from pilothouse.tickets.actions.fields import journal_row
from pilothouse.tickets.engine.replay import fold
from pilothouse.tickets.history import Moment
from pilothouse.tickets.models import Link, Ticket
from tests.organisation import NOW, Organisation, set_up

pytestmark = pytest.mark.django_db


@pytest.fixture
def org(db: None) -> Organisation:
    return set_up()


def _at(days: float) -> Any:
    return NOW + timedelta(days=days)


def past(org: Organisation, first: list[int], later: list[int], change: int) -> PastProblem:
    by = org.ana.user_id
    opened = {"kind": "problem", "title": "VPN drops", "state": "new", "opened_by": by, "opened_at": _at(1)}
    known = {"problem.workaround": "Sign in anew.", "problem.known_error_at": _at(2), "problem.promised_on": "2026-12-24"}
    task = {"kind": "task", "title": "Ask the maker", "state": "assigned", "group": org.network, "opened_at": _at(2.5)}
    return PastProblem(
        moments=[
            Moment(_at(1), opened, by, recorded_at=_at(1)),
            Moment(_at(2), known, by, "problem.known_error_declared", recorded_at=_at(2)),
            Moment(_at(3), {"problem.cause": "A leak.", "problem.whys": ["It leaks."]}, by, "problem.described", recorded_at=_at(3)),
            Moment(_at(4), {"state": "analysis"}, by, recorded_at=_at(4)),
        ],
        gathered=[Gathered(_at(1), by, first), Gathered(_at(3.5), None, later)],
        weekly_hours=2.5,
        fixed=Fixed(_at(3.7), by, change),
        tasks=[[Moment(_at(2.5), task, by, "ticket.opened", recorded_at=_at(2.5))]],
    )


def test_a_history_becomes_a_record_with_links_evidence_fix_and_tasks(org: Organisation) -> None:
    made = tickets.open_tickets(actor=org.ana, tickets=[{"title": f"VPN drops {i}"} for i in range(5)], now=NOW)
    ids = [ticket.pk for ticket in made]
    change = open_change(actor=org.ana, title="New client", now=NOW)
    (pk,) = record_problem_histories(actor=org.ana, problems=[past(org, ids[:3], ids[3:], change.pk)], now=_at(9))
    detail = Problem.objects.get(pk=pk)
    assert (detail.weekly_hours, detail.known_error_at, detail.whys, detail.cause) == (2.5, _at(2), ["It leaks."], "A leak.")
    assert set(Link.objects.filter(relation="caused_by", target=pk).values_list("ticket_id", flat=True)) == set(ids)
    assert Link.objects.filter(ticket=pk, relation="fixed_by", target=change).exists()
    assert Ticket.objects.get(parent=pk).kind == "task"
    evidence = Evidence.objects.get(problem=pk)
    assert (evidence.ticket_ids, evidence.sha256) == (ids[:3], fingerprint(evidence.found, ids[:3]))
    assert (evidence.recorded_at, evidence.found["weeks"]["counts"]) == (_at(1), [5 - 2])


def test_its_journal_tells_it_in_order_and_holds(org: Organisation) -> None:
    made = tickets.open_tickets(actor=org.ana, tickets=[{"title": f"VPN drops {i}"} for i in range(4)], now=NOW)
    ids = [ticket.pk for ticket in made]
    change = open_change(actor=org.ana, title="New client", now=NOW)
    (pk,) = record_problem_histories(actor=org.ana, problems=[past(org, ids[:3], ids[3:], change.pk)], now=_at(9))
    entries = journal.entries_of("ticket", pk)
    assert [entry.verb for entry in entries] == [
        "ticket.opened",
        "problem.evidenced",
        "problem.gathered",
        "problem.known_error_declared",
        "problem.task_added",
        "problem.described",
        "problem.gathered",
        "ticket.linked",
        "ticket.changed",
    ]
    assert all(entry.happened_at == entry.recorded_at for entry in entries)
    assert fold(entries) == journal_row(Ticket.objects.get(pk=pk))
    offered = [entry.verb for entry in journal.entries_of("ticket", ids[3])]
    assert offered == ["ticket.opened", "ticket.gathered", "problem.workaround_offered"]
    assert journal.verify().breaks == ()
    kept = list(Problem.objects.values())
    projections.rebuild("problem_detail")
    assert list(Problem.objects.values()) == kept
