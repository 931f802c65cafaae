"""The proof of fix on the real database: weeks of incidents, a change that ends, what the daily look makes of it."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from pilothouse.notifications.models import Notification
from pilothouse.platform import access, journal
from pilothouse.platform.refusals import Invalid
from pilothouse.problems import actions
from pilothouse.problems.models import Evidence, Problem, Proof
from pilothouse.problems.problem_lists import review
from pilothouse.problems.problem_page import record_of
from pilothouse.tickets import actions as tickets
from pilothouse.tickets.history import History, Moment, record_histories
from pilothouse.tickets.models import Ticket
from tests.organisation import NOW, Organisation, set_up

WEEK, DAY = timedelta(days=7), timedelta(days=1)
BEGAN = NOW - 12 * WEEK


@pytest.fixture
def org(db: None) -> Organisation:
    return set_up()


def incidents(org: Organisation, first: datetime, weeks: int, weekly: int, title: str = "Backup failed") -> list[int]:
    """Open so many a week, evenly, all within [first, first + weeks)."""
    step = WEEK / weekly
    at = [first + i * step + step / 2 for i in range(weeks * weekly)]
    facts = [{"title": f"{title} {i}", "kind": "incident", "state": "new", "opened_at": each} for i, each in enumerate(at)]
    made = [History([Moment(each, fact)]) for each, fact in zip(at, facts, strict=True)]
    return [one.ticket_id for one in record_histories(actor=access.system(), histories=made, now=NOW)]


def carried_out(at: datetime, outcome: str) -> str:
    """Record a change that ended at an instant, and return its number."""
    begin = {"kind": "change", "title": "New agent", "state": "closed", "opened_at": at - DAY}
    end = {"change.actual_start_at": (at - DAY).isoformat(), "change.actual_end_at": at.isoformat(), "change.outcome": outcome}
    history = History([Moment(at - DAY, begin), Moment(at, end, verb="change.carried_out")])
    return record_histories(actor=access.system(), histories=[history], now=at)[0].number


def fixed_problem(org: Organisation, ids: list[int]) -> Ticket:
    """A problem whose fixing change ended at NOW, resolved a month later."""
    made = actions.open_problem(
        actor=org.ana, now=NOW - DAY, title="Backups fail", ticket_ids=ids, weekly_hours=6, group=org.network, assignee=org.alan.user_id
    )
    change = carried_out(NOW, "successful")
    tickets.move_ticket(actor=org.ana, ticket_id=made.pk, state="analysis", now=NOW)
    done: dict[str, Any] = {"resolution_code": "solved", "resolution_notes": "The agent was renewed."}
    actions.resolve_problem(actor=org.ana, problem_id=made.pk, change=change, now=NOW + 4 * WEEK, **done)
    return Ticket.objects.get(pk=made.pk)


def test_a_change_that_was_backed_out_fixes_nothing(org: Organisation) -> None:
    problem = fixed_problem(org, incidents(org, BEGAN, 12, 5))
    for at, outcome in ((NOW + WEEK, "backed_out"), (NOW + 2 * WEEK, "failed")):
        actions.link_fix(actor=org.ana, problem_id=problem.pk, change=carried_out(at, outcome), now=at)
    judged(NOW + 5 * WEEK)
    assert Proof.objects.get(pk=problem.pk).fixed_at == NOW  # by the change that held


def test_a_change_that_was_done_before_it_began_or_is_suspected_of_it_is_no_fix(org: Organisation) -> None:
    early, cause, fix = (carried_out(at, "successful") for at in (BEGAN - DAY, BEGAN + WEEK, NOW))
    found = {"title": "Backups fail", "causes": [{"kind": "change", "key": cause}]}
    ids = incidents(org, BEGAN, 12, 5)
    problem = actions.open_problem(actor=org.ana, now=NOW, title="Backups fail", ticket_ids=ids, found=found)
    with pytest.raises(Invalid) as refused:
        actions.link_fix(actor=org.ana, problem_id=problem.pk, change=early, now=NOW)
    assert "before the first incident" in refused.value.errors[0].message
    with pytest.raises(Invalid) as refused:
        actions.link_fix(actor=org.ana, problem_id=problem.pk, change=cause, now=NOW)
    assert "suspected" in refused.value.errors[0].message
    actions.link_fix(actor=org.ana, problem_id=problem.pk, change=fix, now=NOW)
    Evidence.objects.all().delete()  # no whole finding, which the page would tell
    assert record_of(org.ana, problem)["is_fix_done"]


def judged(at: datetime) -> dict[str, int]:
    return actions.judge_fixes(actor=access.system(), now=at)


def test_a_fix_is_proved_week_by_week_and_what_comes_back_reopens(org: Organisation) -> None:
    incidents(org, BEGAN, 30, 40, "Other things")
    problem = fixed_problem(org, incidents(org, BEGAN, 12, 5))
    assert judged(NOW + DAY) == {"early": 1}
    assert judged(NOW + 5 * WEEK) == {"fixed": 1}
    proof = Proof.objects.get(pk=problem.pk)
    assert proof.fixed_at == NOW and proof.told["before"] == [5] * 11 and [week[0] for week in proof.told["after"]] == [0] * 5
    assert all(4.5 < week[1] < 5.5 and week[2] <= 5 <= week[3] for week in proof.told["after"])
    assert proof.hours_saved_weekly == 6.0 and proof.told["confidence"] > 0.99
    told = [entry for entry in journal.entries_of("ticket", problem.pk) if entry.verb == "problem.judged"]
    assert [entry.after("verdict") for entry in told] == ["fixed"]
    assert judged(NOW + 5 * WEEK) == {"fixed": 1}  # again: nothing new
    assert len([e for e in journal.entries_of("ticket", problem.pk) if e.verb == "problem.judged"]) == 1

    again = incidents(org, NOW + 6 * WEEK, 2, 5)
    actions.gather_incidents(actor=org.ana, problem_id=problem.pk, ticket_ids=again, now=NOW + 8 * WEEK)
    assert judged(NOW + 8 * WEEK) == {"came_back": 1}
    problem.refresh_from_db()
    assert problem.state == "analysis" and problem.resolved_at is None
    evidence = Evidence.objects.filter(problem=problem).last()
    words = "It came back: 10 incidents in the last 2 weeks, 5.0 a week. Before the fix there were 5.0 a week, and 0.0 from then"
    assert evidence is not None and evidence.ticket_ids == again and words in evidence.found["paragraph"]
    proof.refresh_from_db()  # a relapse saves nothing, whatever part remains over all weeks
    assert proof.verdict == "back" and proof.hours_saved_weekly is None and words in proof.told["back"]
    assert review(org.ana, sort="cost", now=NOW + 8 * WEEK).saved == []
    back = next(entry for entry in journal.entries_of("ticket", problem.pk) if entry.verb == "ticket.reopened")
    assert back.actor_id is None and "came back" in back.note
    notification = Notification.objects.get()
    assert notification.person_id == org.alan.user_id and "came back" in notification.subject
    assert judged(NOW + 8 * WEEK + DAY) == {"back": 1}
    done: dict[str, Any] = {"resolution_code": "solved", "resolution_notes": "Once more.", "no_fix_reason": "It was replaced."}
    actions.resolve_problem(actor=org.ana, problem_id=problem.pk, now=NOW + 9 * WEEK, **done)
    judged(NOW + 14 * WEEK)  # the second attempt is judged by its own weeks
    proof.refresh_from_db()
    assert (proof.fixed_at, proof.change_id, proof.verdict) == (NOW + 9 * WEEK, None, "reduced")
    assert not journal.verify(["ticket"]).breaks


def test_what_goes_on_is_no_fix_and_a_straggler_no_return(org: Organisation) -> None:
    ids = incidents(org, BEGAN, 24, 5)
    problem = fixed_problem(org, ids)
    assert judged(NOW + 12 * WEEK).keys() <= {"none", "came_back"}
    assert Proof.objects.get(pk=problem.pk).verdict == "none" and Proof.objects.get(pk=problem.pk).hours_saved_weekly is None
    other = fixed_problem(org, incidents(org, BEGAN, 12, 5))
    actions.gather_incidents(actor=org.ana, problem_id=other.pk, ticket_ids=incidents(org, NOW + 6 * WEEK, 1, 1), now=NOW + 8 * WEEK)
    judged(NOW + 8 * WEEK)
    assert Ticket.objects.get(pk=other.pk).state == "resolved" and Problem.objects.get(pk=other.pk).weekly_hours == 6.0


def test_a_relapse_before_anybody_resolved_it_is_no_fix_either(org: Organisation) -> None:
    problem = fixed_problem(org, incidents(org, BEGAN, 12, 5))
    judged(NOW + 5 * WEEK)
    tickets.move_ticket(actor=org.ana, ticket_id=problem.pk, state="analysis", note="Not sure.", now=NOW + 5 * WEEK)
    again = incidents(org, NOW + 6 * WEEK, 3, 5)
    actions.gather_incidents(actor=org.ana, problem_id=problem.pk, ticket_ids=again, now=NOW + 9 * WEEK)
    assert judged(NOW + 9 * WEEK) == {"back": 1}
    assert Proof.objects.get(pk=problem.pk).hours_saved_weekly is None and Evidence.objects.filter(problem=problem).count() == 1
