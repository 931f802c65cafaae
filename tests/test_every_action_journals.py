"""Every action journals: each public function of every actions module has a scenario here that shows a new entry.

A new action without a scenario fails this test; an action that has a reason to journal nothing says so in QUIET.
"""

import importlib
import inspect
import io
import pkgutil
from collections.abc import Callable
from typing import Any

import pytest

import pilothouse
from pilothouse.changes import actions as changes
from pilothouse.cmdb import actions as cmdb
from pilothouse.cmdb.models import CI, Relationship, Service
from pilothouse.morning import actions as morning
from pilothouse.notifications import actions as notifications
from pilothouse.notifications.models import Delivery
from pilothouse.people import actions as people
from pilothouse.people.models import Membership, Team, User
from pilothouse.platform import access
from pilothouse.platform.models import JournalEntry
from pilothouse.problems import actions as problems
from pilothouse.problems.models import Candidate, Match
from pilothouse.sla import actions as sla
from pilothouse.sla.engine.forecast.training import Trained
from pilothouse.tickets import actions as tickets
from pilothouse.tickets.actions.opening import open_practice_ticket
from tests import kept
from tests.organisation import NOW, PASSWORD, Organisation, set_up

# Functions that begin with a verb but record nothing about any record, and why.
QUIET = {
    "people.sign_in_waits": "it reads",
    "notifications.notify_people": "the delivery log is the record; who calls it journals why (docs/decisions/0006)",
    "notifications.notify_many": "as notify_people",
    "notifications.notify_webhook": "as notify_people",
    "notifications.mark_read": "what a person has read is theirs, and no history of any record",
    "notifications.mark_all_read": "as mark_read",
    "connectors.note_progress": "a progress bar's position is not history",
    "connectors.digest": "it is pure",
    "problems.keep_watch": "where the watch stands can be computed anew; what it raises is journalled: tests/problems/test_watching.py",
    "problems.learn_signature": "what was learnt follows from links, which are journalled",
    "problems.learn_what_is_missing": "what was learnt follows from links, which are journalled",
    "problems.match_ticket": "it journals what it links or proposes: tests/problems/test_matching.py",
    "problems.record_problem_histories": "it writes through tickets/history.py: tests/problems/test_histories.py",
    "problems.judge_fixes": "it journals a verdict that changes, and a return: tests/problems/test_proof_kept.py",
    "sla.ask_what_if": "a question is not history",
    "sla.answer_what_if": "an answer is not history; tests/sla/test_what_if.py holds it against real tickets",
    "connectors.import_batch": "it writes through tickets/history.py; tests/connectors holds its entries against the file",
    "connectors.request_import": "tests/connectors runs whole imports",
    "connectors.end_import": "tests/connectors runs whole imports",
}
Scenario = Callable[[Organisation], Any]
SCENARIOS: dict[str, Scenario] = {}


def scenario(name: str) -> Callable[[Scenario], Scenario]:
    def keep(act: Scenario) -> Scenario:
        SCENARIOS[name] = act
        return act

    return keep


def actions() -> dict[str, Callable[..., Any]]:
    """Return every public function that a module named `actions` offers, as `room.function`."""
    found = {}
    for module_info in pkgutil.walk_packages(pilothouse.__path__, "pilothouse."):
        room, _, name = module_info.name.removeprefix("pilothouse.").partition(".")
        if name == "actions":
            module = importlib.import_module(module_info.name)
            for each, value in inspect.getmembers(module, inspect.isfunction):
                if not each.startswith("_") and value.__module__.startswith(module_info.name):
                    found[f"{room}.{each}"] = value
    return found


def opened(org: Organisation, **more: Any) -> Any:
    return tickets.open_ticket(actor=org.ana, title="VPN", requester=org.rita.user_id, now=NOW, **more)


def closed(org: Organisation) -> Any:
    return tickets.move_ticket(actor=org.ana, ticket_id=opened(org).pk, state="cancelled", note="no", now=NOW)


def resolved(org: Organisation) -> Any:
    return tickets.move_ticket(
        actor=org.ana, ticket_id=opened(org).pk, state="resolved", resolution_code="solved", resolution_notes="Done.", now=NOW
    )


SCENARIOS |= {
    "tickets.open_ticket": opened,
    "tickets.open_tickets": lambda org: tickets.open_tickets(actor=org.ana, tickets=[{"title": "a"}, {"title": "b"}], now=NOW),
    "tickets.follow_up_ticket": lambda org: tickets.follow_up_ticket(actor=org.ana, ticket_id=closed(org).pk, now=NOW),
    "tickets.change_ticket": lambda org: tickets.change_ticket(actor=org.ana, ticket_id=opened(org).pk, changes={"impact": 1}, now=NOW),
    "tickets.assign_ticket": lambda org: tickets.assign_ticket(actor=org.ana, ticket_id=opened(org).pk, group=org.network, now=NOW),
    "tickets.move_ticket": lambda org: tickets.move_ticket(actor=org.ana, ticket_id=opened(org).pk, state="in_progress", now=NOW),
    "tickets.comment_on_ticket": lambda org: tickets.comment_on_ticket(actor=org.rita, ticket_id=opened(org).pk, text="Hi", now=NOW),
    "tickets.watch_ticket": lambda org: tickets.watch_ticket(actor=org.alan, ticket_id=opened(org).pk, now=NOW),
    "tickets.close_resolved_tickets": lambda org: (resolved(org), tickets.close_resolved_tickets(actor=org.ana, now=NOW, days=0)),
    "tickets.set_priority_matrix": lambda org: tickets.set_priority_matrix(actor=org.adam, matrix={(1, 1): 2}, now=NOW),
    "tickets.merge_ticket": lambda org: tickets.merge_ticket(actor=org.ana, ticket_id=opened(org).pk, into=opened(org).pk, now=NOW),
}


@scenario("tickets.unwatch_ticket")
def _(org: Organisation) -> None:
    ticket = opened(org, watchers=[org.alan.user_id])
    tickets.unwatch_ticket(actor=org.alan, ticket_id=ticket.pk, now=NOW)


@scenario("tickets.attach_file")
@scenario("tickets.remove_attachment")
def _(org: Organisation) -> None:
    ticket = opened(org)
    made = tickets.attach_file(actor=org.ana, ticket_id=ticket.pk, name="a.log", content=io.BytesIO(b"x"), now=NOW)
    tickets.remove_attachment(actor=org.ana, attachment_id=made.pk, now=NOW)


@scenario("tickets.link_ticket")
@scenario("tickets.unlink_ticket")
def _(org: Organisation) -> None:
    link = tickets.link_ticket(actor=org.ana, ticket_id=opened(org).pk, relation="blocks", target=opened(org).pk, now=NOW)
    tickets.unlink_ticket(actor=org.ana, link_id=link.pk, now=NOW)


@scenario("tickets.add_category")
@scenario("tickets.change_category")
def _(org: Organisation) -> None:
    made = tickets.add_category(actor=org.adam, name="Hardware", now=NOW)
    tickets.change_category(actor=org.adam, category_id=made.pk, changes={"is_active": False}, now=NOW)


@scenario("tickets.save_view")
@scenario("tickets.remove_view")
def _(org: Organisation) -> None:
    made = tickets.save_view(actor=org.ana, name="Mine", query="is:mine", now=NOW)
    tickets.remove_view(actor=org.ana, view_id=made.id, now=NOW)


@scenario("tickets.undo_changes")
def _(org: Organisation) -> None:
    ticket = opened(org)
    actor = org.ana.through(access.Source.PAGE, "r1")
    tickets.change_ticket(actor=actor, ticket_id=ticket.pk, changes={"impact": 1}, now=NOW)
    assert tickets.undo_changes(actor=actor, ticket_ids=[ticket.pk], request_id="r1", now=NOW) == {}


def _person(org: Organisation) -> Any:
    return people.add_person(actor=org.adam, email="new@example.org", name="New", role="agent", now=NOW)


SCENARIOS |= {
    "people.add_person": _person,
    "people.change_person": lambda org: people.change_person(
        actor=org.adam, user_id=org.rita.user_id or 0, changes={"site": "Porto"}, now=NOW
    ),
    "people.set_password": lambda org: people.set_password(actor=org.adam, user_id=org.rita.user_id or 0, password=PASSWORD, now=NOW),
    "people.add_team": lambda org: people.add_team(actor=org.adam, name="Storage", now=NOW),
    "people.change_team": lambda org: people.change_team(actor=org.adam, team_id=org.network, changes={"name": "Networks"}, now=NOW),
    "people.set_members": lambda org: people.set_members(actor=org.adam, team_id=org.payroll, members=[org.alan.user_id or 0], now=NOW),
    "people.issue_token": lambda org: people.issue_token(actor=org.alan, name="script", now=NOW),
    "people.note_sign_in": lambda org: people.note_sign_in(user_id=org.alan.user_id or 0, actor=org.alan, now=NOW),
    "people.note_sign_out": lambda org: people.note_sign_out(actor=org.alan, now=NOW),
    "people.note_failed_sign_in": lambda org: people.note_failed_sign_in(email="alan@example.org", address="10.0.0.1", now=NOW),
    "people.add_people_in_bulk": lambda org: people.add_people_in_bulk(
        actor=org.adam, people=[User(email="a@example.org", name="A", created_at=NOW)], now=NOW
    ),
    "people.add_teams_in_bulk": lambda org: people.add_teams_in_bulk(actor=org.adam, teams=[Team(name="A", key="a")], now=NOW),
    "people.add_memberships_in_bulk": lambda org: people.add_memberships_in_bulk(
        actor=org.adam, memberships=[Membership(team_id=org.payroll, user_id=org.alan.user_id)], now=NOW
    ),
    "cmdb.add_ci": lambda org: cmdb.add_ci(actor=org.ana, name="srv-9", now=NOW),
    "cmdb.change_ci": lambda org: cmdb.change_ci(actor=org.ana, ci_id=org.ci, changes={"status": "retired"}, now=NOW),
    "cmdb.add_service": lambda org: cmdb.add_service(actor=org.ana, name="Mail", now=NOW),
    "cmdb.change_service": lambda org: cmdb.change_service(actor=org.ana, service_id=org.service, changes={"criticality": 1}, now=NOW),
    "cmdb.add_services_in_bulk": lambda org: cmdb.add_services_in_bulk(actor=org.adam, services=[Service(name="M", key="m")], now=NOW),
    "cmdb.add_cis_in_bulk": lambda org: cmdb.add_cis_in_bulk(actor=org.adam, cis=[CI(name="srv-8")], now=NOW),
    "cmdb.relate_in_bulk": lambda org: cmdb.relate_in_bulk(
        actor=org.adam, relationships=[Relationship(source_id=org.ci, relation="uses", target_id=org.other_ci)], now=NOW
    ),
}


def _webhook(org: Organisation) -> Any:
    return notifications.add_webhook(actor=org.adam, name="Desk", kind="slack", url="https://hooks.example.org/x", now=NOW)[0]


SCENARIOS |= {
    "notifications.set_preferences": lambda org: notifications.set_preferences(actor=org.alan, urgent_passes=False, now=NOW),
    "notifications.add_webhook": _webhook,
    "notifications.change_webhook": lambda org: notifications.change_webhook(
        actor=org.adam, webhook_id=_webhook(org).pk, name="Other", now=NOW
    ),
    "notifications.retire_webhook": lambda org: notifications.retire_webhook(actor=org.adam, webhook_id=_webhook(org).pk, now=NOW),
    "notifications.try_webhook": lambda org: notifications.try_webhook(actor=org.adam, webhook_id=_webhook(org).pk, now=NOW),
}


@scenario("notifications.try_mail")
@scenario("notifications.retry_delivery")
@scenario("notifications.retry_failed_deliveries")
def _(org: Organisation) -> None:
    notifications.try_mail(actor=org.adam, now=NOW)
    Delivery.objects.update(state="failed", ended_at=NOW)
    notifications.retry_failed_deliveries(actor=org.adam, now=NOW)
    Delivery.objects.update(state="failed", ended_at=NOW)
    notifications.retry_delivery(actor=org.adam, delivery_id=Delivery.objects.get().pk, now=NOW)


@scenario("people.revoke_token")
def _(org: Organisation) -> None:
    made = people.issue_token(actor=org.alan, name="script", now=NOW)
    people.revoke_token(actor=org.alan, token_id=made.token.pk, now=NOW)


@scenario("cmdb.relate_cis")
@scenario("cmdb.unrelate_cis")
def _(org: Organisation) -> None:
    made = cmdb.relate_cis(actor=org.ana, source_id=org.ci, relation="depends_on", target_id=org.other_ci, now=NOW)
    cmdb.unrelate_cis(actor=org.ana, relationship_id=made.pk, now=NOW)


def _line(org: Organisation) -> str:
    return f"unowned:{opened(org, group=org.network).pk}:1"


SCENARIOS |= {
    "morning.start_review": lambda org: morning.start_review(actor=org.ana, now=NOW),
    "morning.mark_line": lambda org: morning.mark_line(actor=org.ana, key=_line(org), now=NOW),
    "morning.finish_review": lambda org: morning.finish_review(actor=org.ana, counts={"act": 2}, now=NOW),
    "morning.nudge_ticket": lambda org: morning.nudge_ticket(
        actor=org.ana, ticket_id=opened(org, group=org.network).pk, text="How does it stand?", now=NOW
    ),
    "morning.set_mail_time": lambda org: morning.set_mail_time(actor=org.ana, minute=450, now=NOW),
}


@scenario("morning.unmark_line")
def _(org: Organisation) -> None:
    key = _line(org)
    morning.mark_line(actor=org.ana, key=key, now=NOW)
    morning.unmark_line(actor=org.ana, key=key, now=NOW)


def _problem(org: Organisation, **more: Any) -> Any:
    return problems.open_problem(actor=org.ana, title="VPN drops", now=NOW, **more)


SCENARIOS |= {
    "problems.open_problem": _problem,
    "problems.gather_incidents": lambda org: problems.gather_incidents(
        actor=org.ana, problem_id=_problem(org).pk, ticket_ids=[opened(org).pk], now=NOW
    ),
    "problems.describe_problem": lambda org: problems.describe_problem(
        actor=org.ana, problem_id=_problem(org).pk, changes={"cause": "A leak."}, now=NOW
    ),
    "problems.add_task": lambda org: problems.add_task(actor=org.ana, problem_id=_problem(org).pk, title="Look", now=NOW),
    "problems.link_fix": lambda org: problems.link_fix(
        actor=org.ana,
        problem_id=_problem(org).pk,
        change=open_practice_ticket(actor=org.ana, kind="change", title="C", now=NOW).pk,
        now=NOW,
    ),
}


@scenario("problems.request_look")
@scenario("problems.end_look")
@scenario("problems.dismiss_candidate")
@scenario("problems.restore_candidate")
@scenario("problems.take_candidate")
def _(org: Organisation) -> None:
    found = {"rank": 1, "title": "VPN drops", "paragraph": "", "ticket_count": 1, "cost": {"expected_hours": None}}
    told = {"tickets": 1, "families": 1, "groups_looked_at": 1, "remarks": [], "imbalances": [], "atlas": b""}
    run = problems.request_look(actor=org.ana, now=NOW)
    told["candidates"] = [{"found": found, "ids": [opened(org).pk]}]
    problems.end_look(actor=org.ana, run_id=run.pk, found=told, since=NOW, now=NOW)
    candidate = Candidate.objects.get().pk
    problems.dismiss_candidate(actor=org.ana, candidate_id=candidate, because="Known.", now=NOW)
    problems.restore_candidate(actor=org.ana, candidate_id=candidate, now=NOW)
    problems.take_candidate(actor=org.ana, candidate_id=candidate, now=NOW)


SCENARIOS["problems.fail_look"] = lambda org: problems.fail_look(
    actor=org.ana, run_id=problems.request_look(actor=org.ana, now=NOW).pk, fault="No memory.", now=NOW
)


@scenario("problems.declare_known_error")
@scenario("problems.withdraw_known_error")
def _(org: Organisation) -> None:
    made = _problem(org)
    problems.declare_known_error(actor=org.ana, problem_id=made.pk, workaround="Restart it.", now=NOW)
    problems.withdraw_known_error(actor=org.ana, problem_id=made.pk, note="It does not help.", now=NOW)


@scenario("problems.answer_match")
def _(org: Organisation) -> None:
    match = Match.objects.create(ticket=opened(org), problem=_problem(org), score=1, reason="shares “vpn”", found_at=NOW)
    problems.answer_match(actor=org.ana, match_id=match.pk, accept=True, now=NOW)


@scenario("problems.resolve_problem")
def _(org: Organisation) -> None:
    made = _problem(org)
    tickets.move_ticket(actor=org.ana, ticket_id=made.pk, state="analysis", now=NOW)
    done = {"resolution_code": "other", "resolution_notes": "Done.", "no_fix_reason": "It went away."}
    problems.resolve_problem(actor=org.ana, problem_id=made.pk, now=NOW, **done)


WEEK = {"zone": "UTC", "week": {"mon": "08:00-17:00"}}


def _office(org: Organisation) -> int:
    return sla.add_schedule(actor=org.adam, name="Office", definition=WEEK, now=NOW).pk


SCENARIOS |= {
    "sla.add_schedule": _office,
    "sla.change_schedule": lambda org: sla.change_schedule(actor=org.adam, schedule_id=_office(org), name="Desk", now=NOW),
    "sla.retire_schedule": lambda org: sla.retire_schedule(actor=org.adam, schedule_id=_office(org), now=NOW),
}


def _asked(org: Organisation) -> int:
    return sla.request_training(actor=org.adam, now=NOW).pk


SCENARIOS |= {
    "sla.request_training": _asked,
    "sla.end_training": lambda org: sla.end_training(
        actor=org.adam, model_id=_asked(org), trained=Trained(None, {"counts": {}}, is_used=False, why="Too little history."), now=NOW
    ),
    "sla.fail_training": lambda org: sla.fail_training(actor=org.adam, model_id=_asked(org), fault="MemoryError: full", now=NOW),
}


PROMISE = {"targets": [{"kind": "resolution", "durations": {"1": {"seconds": 14400}}}]}


def _agreement(org: Organisation, name: str = "Gold") -> int:
    return sla.add_agreement(actor=org.adam, name=name, definition=PROMISE, now=NOW).pk


SCENARIOS |= {
    "sla.add_agreement": _agreement,
    "sla.change_agreement": lambda org: sla.change_agreement(actor=org.adam, agreement_id=_agreement(org), name="Silver", now=NOW),
    "sla.retire_agreement": lambda org: sla.retire_agreement(actor=org.adam, agreement_id=_agreement(org), now=NOW),
    "sla.reorder_agreements": lambda org: sla.reorder_agreements(
        actor=org.adam, order=[_agreement(org), _agreement(org, "Silver")][::-1], now=NOW
    ),
}


@scenario("sla.use_schedule")
@scenario("sla.unuse_schedule")
def _(org: Organisation) -> None:
    sla.use_schedule(actor=org.adam, schedule_id=_office(org), kind="team", record_id=org.network, now=NOW)
    sla.unuse_schedule(actor=org.adam, kind="team", record_id=org.network, now=NOW)


def _change(org: Organisation) -> int:
    return changes.open_change(actor=org.ana, title="Update", now=NOW).pk


SCENARIOS |= {
    "changes.open_change": _change,
    "changes.plan_change": lambda org: changes.plan_change(actor=org.ana, ticket_id=_change(org), plan={"risk": "low"}, now=NOW),
    "changes.move_change": lambda org: changes.move_change(actor=org.ana, ticket_id=_change(org), state="assessed", now=NOW),
}


def test_every_action_has_a_scenario_or_a_reason() -> None:
    missing = set(actions()) - set(SCENARIOS) - set(QUIET)
    assert not missing, f"Give these a scenario in {__file__}: {sorted(missing)}"
    gone = (set(SCENARIOS) | set(QUIET)) - set(actions())
    assert not gone, f"These are gone: {sorted(gone)}"


org = kept.for_the_module(set_up)


@pytest.mark.django_db
@pytest.mark.parametrize("name", sorted(SCENARIOS))
def test_it_journals(name: str, org: Organisation, settings: Any, tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The action itself, watched while its scenario runs: at least one entry more after it than before."""
    settings.ATTACHMENTS = tmp_path
    room, function = name.split(".")
    module = importlib.import_module(f"pilothouse.{room}.actions")
    act, grown = actions()[name], []

    def watched(*arguments: Any, **named: Any) -> Any:
        before = JournalEntry.objects.count()
        made = act(*arguments, **named)
        grown.append(JournalEntry.objects.count() - before)
        return made

    monkeypatch.setattr(module, function, watched)
    SCENARIOS[name](org)
    assert grown, f"The scenario of {name} does not call it."
    assert min(grown) > 0, f"{name} wrote no journal entry."
