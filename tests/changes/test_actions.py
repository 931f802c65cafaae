"""Changes through their actions: what each step needs, what it sets, what is refused and in which words."""

from datetime import timedelta
from typing import Any

import pytest

from pilothouse.changes import actions
from pilothouse.changes.actions.detail import detail_of
from pilothouse.changes.engine.detail import EMPTY
from pilothouse.platform import journal
from pilothouse.platform.refusals import Forbidden, GuardRefused, Invalid, Missing, Refused, StaleVersion
from pilothouse.tickets import actions as tickets
from pilothouse.tickets.models import Ticket
from tests.organisation import NOW, Organisation, set_up

PLAN = {"planned_start_at": NOW + timedelta(days=1), "planned_end_at": NOW + timedelta(days=1, hours=2), "rollback_plan": "Put 7.4.1 back."}


@pytest.fixture
def org(db: None) -> Organisation:
    return set_up()


def opened(org: Organisation, **plan: Any) -> Ticket:
    return actions.open_change(actor=org.ana, title="Update the backup agent", service=org.service, plan=plan, now=NOW)


def moved(org: Organisation, ticket: Ticket, state: str, hours: float = 0, **more: Any) -> Ticket:
    return actions.move_change(actor=org.ana, ticket_id=ticket.pk, state=state, now=NOW + timedelta(hours=hours), **more)


def said(refused: pytest.ExceptionInfo[Refused]) -> dict[str, str]:
    return {error.field: error.message for error in refused.value.errors}


def test_a_change_from_its_plan_to_its_outcome(org: Organisation) -> None:
    ticket = opened(org, cis=[org.ci, org.other_ci], **PLAN)
    assert (ticket.kind, ticket.number[:3], ticket.ci_id, ticket.requester_id) == ("change", "CHG", org.ci, None)
    moved(org, ticket, "assessed")
    moved(org, ticket, "scheduled")
    moved(org, ticket, "in_progress", 25)
    done = moved(org, ticket, "closed", 26, plan={"outcome": "successful"})
    detail = detail_of(ticket.pk)
    assert done.state == "closed" and detail["cis"] == [org.ci, org.other_ci] and detail["outcome"] == "successful"
    assert (detail["actual_start_at"], detail["actual_end_at"]) == (NOW + timedelta(hours=25), NOW + timedelta(hours=26))
    verbs = [entry.verb for entry in journal.entries_of("ticket", ticket.pk)]
    own = ["change.begun", "ticket.started", "change.ended", "ticket.closed"]
    assert verbs == ["ticket.opened", "change.planned", "ticket.changed", "ticket.changed", *own]


def test_a_change_without_a_rollback_plan_is_sent_back(org: Organisation) -> None:
    ticket = opened(org, **{**PLAN, "rollback_plan": " "})
    with pytest.raises(GuardRefused, match="A change without a rollback plan is sent back") as refused:
        moved(org, ticket, "scheduled")
    assert set(said(refused)) == {"rollback_plan"}
    with pytest.raises(GuardRefused, match="rollback"):  # nor by the ticket's own way
        tickets.move_ticket(actor=org.ana, ticket_id=ticket.pk, state="scheduled", now=NOW)
    actions.plan_change(actor=org.ana, ticket_id=ticket.pk, plan={"type": "standard"}, now=NOW)
    assert moved(org, ticket, "scheduled").state == "scheduled"


@pytest.mark.parametrize(
    ("plan", "field", "words"),
    [
        ({"planned_end_at": NOW}, "planned_end_at", "before the planned start"),
        ({"type": "urgent"}, "type", "no type “urgent”"),
        ({"type": None}, "type", "no type"),
        ({"risk": "huge"}, "risk", "no risk"),
        ({"cis": [10**9]}, "cis", "no CI 1000000000"),
        ({"cis": ["srv"]}, "cis", "not configuration items"),
        ({"reason": "a\x00b"}, "reason", "not a text"),
        ({"reason": "a" * 50_001}, "reason", "At most 50,000"),
        ({"planned_start_at": "soon"}, "planned_start_at", "not an instant"),
        ({"colour": "red"}, "colour", "no such field"),
    ],
)
def test_what_is_wrong_is_named_and_nothing_is_written(org: Organisation, plan: dict[str, Any], field: str, words: str) -> None:
    ticket = opened(org, **PLAN)
    before = detail_of(ticket.pk), Ticket.objects.get(pk=ticket.pk).version
    with pytest.raises(Invalid) as refused:
        actions.plan_change(actor=org.ana, ticket_id=ticket.pk, plan=plan, now=NOW)
    assert words in said(refused)[field]
    assert before == (detail_of(ticket.pk), Ticket.objects.get(pk=ticket.pk).version)
    with pytest.raises(Invalid):
        opened(org, **{**PLAN, **plan})


def test_closing_needs_an_outcome_and_both_actual_times(org: Organisation) -> None:
    ticket = opened(org, **PLAN)
    for state in ("scheduled", "in_progress"):
        moved(org, ticket, state)
    with pytest.raises(GuardRefused) as refused:
        moved(org, ticket, "closed")
    assert set(said(refused)) == {"outcome"}
    with pytest.raises(GuardRefused) as refused:
        tickets.move_ticket(actor=org.ana, ticket_id=ticket.pk, state="closed", now=NOW)
    assert set(said(refused)) == {"outcome", "actual_end_at"}
    with pytest.raises(Invalid, match=r"Nothing was changed\."):
        moved(org, ticket, "closed", plan={"outcome": "failed", "actual_end_at": NOW - timedelta(days=1)})
    moved(org, ticket, "closed", plan={"outcome": "failed", "actual_end_at": NOW + timedelta(minutes=5)})
    assert detail_of(ticket.pk)["actual_end_at"] == NOW + timedelta(minutes=5)
    with pytest.raises(GuardRefused, match="outcome"):
        actions.plan_change(actor=org.ana, ticket_id=ticket.pk, plan={"outcome": ""}, now=NOW)


def test_what_is_sent_back_says_why_and_has_not_begun(org: Organisation) -> None:
    ticket = opened(org, **PLAN)
    for state in ("scheduled", "in_progress"):
        moved(org, ticket, state)
    with pytest.raises(GuardRefused, match="says why"):
        moved(org, ticket, "scheduled")
    back = moved(org, ticket, "scheduled", note="The supplier did not come.")
    assert back.state == "scheduled" and detail_of(ticket.pk)["actual_start_at"] is None
    with pytest.raises(GuardRefused, match="planned start"):
        actions.plan_change(actor=org.ana, ticket_id=ticket.pk, plan={"planned_start_at": None}, now=NOW)


def test_an_older_version_is_refused_with_both_sides(org: Organisation) -> None:
    ticket = opened(org, **PLAN)
    actions.plan_change(actor=org.mona, ticket_id=ticket.pk, plan={"risk": "high"}, now=NOW)
    with pytest.raises(StaleVersion) as stale:
        actions.plan_change(actor=org.ana, ticket_id=ticket.pk, plan={"risk": "low"}, now=NOW, expected_version=ticket.version)
    assert (stale.value.current, stale.value.attempted) == ({"risk": "high"}, {"risk": "low"})
    assert stale.value.version == ticket.version + 1
    actions.plan_change(actor=org.ana, ticket_id=ticket.pk, plan={"risk": "low"}, now=NOW, expected_version=stale.value.version)


def test_who_may(org: Organisation) -> None:
    for actor in (org.rita, org.audrey):
        with pytest.raises(Forbidden):
            actions.open_change(actor=actor, title="t", now=NOW)
    ticket = actions.open_change(actor=org.ana, title="t", group=org.network, now=NOW)
    assert ticket.state == "new"
    actions.plan_change(actor=org.alan, ticket_id=ticket.pk, plan={"risk": "low"}, now=NOW)
    for actor in (org.olga, org.audrey):
        with pytest.raises(Forbidden):
            actions.plan_change(actor=actor, ticket_id=ticket.pk, plan={"risk": "high"}, now=NOW)
    incident = tickets.open_ticket(actor=org.ana, title="t", now=NOW)
    with pytest.raises(Missing, match="is no change"):
        actions.move_change(actor=org.ana, ticket_id=incident.pk, state="assessed", now=NOW)
    with pytest.raises(Missing):
        actions.plan_change(actor=org.rita, ticket_id=ticket.pk, plan={}, now=NOW)


def test_facts_of_the_ticket_change_with_the_plan_and_a_new_own_ci_takes_the_old_ones_place(org: Organisation) -> None:
    ticket = opened(org, cis=[org.ci])
    actions.plan_change(actor=org.ana, ticket_id=ticket.pk, plan={"cis": [org.other_ci, org.ci]}, fields={"title": "Wider"}, now=NOW)
    now = Ticket.objects.get(pk=ticket.pk)
    assert (now.title, now.ci_id, detail_of(ticket.pk)["cis"]) == ("Wider", org.other_ci, [org.other_ci, org.ci])
    tickets.change_ticket(actor=org.ana, ticket_id=ticket.pk, changes={"ci": org.ci}, now=NOW)
    assert detail_of(ticket.pk)["cis"] == [org.ci]
    with pytest.raises(Invalid, match="Nothing was changed"):
        actions.plan_change(actor=org.ana, ticket_id=ticket.pk, plan={"risk": "low"}, fields={"number": "X"}, now=NOW)
    assert detail_of(ticket.pk)["risk"] == ""


def test_what_was_cancelled_is_followed_up_by_a_change_of_its_own(org: Organisation) -> None:
    ticket = opened(org, cis=[org.ci, org.other_ci])
    moved(org, ticket, "cancelled", note="No longer needed.")
    after = tickets.follow_up_ticket(actor=org.ana, ticket_id=ticket.pk, now=NOW)
    assert (after.kind, after.number[:3], after.state, after.title) == ("change", "CHG", "new", ticket.title)
    assert detail_of(after.pk) == {**EMPTY, "cis": [org.ci]}
    actions.plan_change(actor=org.ana, ticket_id=after.pk, plan={"risk": "low"}, now=NOW)
