"""Escalation: each step once, in time, to the right people, taken up or passed on; on real PostgreSQL with a clock that is moved."""

import logging
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest
from django.db import connection, connections, transaction

from pilothouse.notifications import actions as notifications
from pilothouse.notifications import delivering
from pilothouse.notifications.models import Delivery, Notification
from pilothouse.people.models import Membership, User
from pilothouse.people.testing import NamedPeople, make_people
from pilothouse.platform import access, clock, journal, projections
from pilothouse.platform.access import Source
from pilothouse.platform.refusals import Forbidden, GuardRefused, Missing
from pilothouse.sla import recounting, rulebook, schedules, told
from pilothouse.sla.actions import escalating
from pilothouse.sla.actions import schedules as schedule_actions
from pilothouse.sla.actions.agreements import change_agreement
from pilothouse.sla.models import AgreementVersion, Clock, Escalation
from pilothouse.tickets import actions
from pilothouse.tickets.history import History, Moment, record_histories
from pilothouse.tickets.models import Ticket
from tests.notifications.conftest import mail, web  # noqa: F401  the real receivers
from tests.notifications.receivers import MailServer, WebServer
from tests.sla.desk_of_agreements import agreement, target

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)  # a Monday
RULE = access.system(Source.RULE)
HALF: dict[str, Any] = {"share": 0.5, "tell": ["assignee"]}
OFFICE: dict[str, Any] = {"zone": "UTC", "week": dict.fromkeys(("mon", "tue", "wed", "thu", "fri"), "08:00-12:00, 13:00-17:00")}


@pytest.fixture(autouse=True)
def nine(request: pytest.FixtureRequest) -> Iterator[None]:
    rulebook.forget()
    schedules.forget()
    for aside in (escalating._due_aside, escalating._waiting_aside, escalating._likely_aside):
        aside.forget_all()
    with clock.at(NOW):
        yield


def later(hours: float) -> datetime:
    return NOW + timedelta(hours=hours)


def take(hours: float) -> int:
    return escalating.take_due_steps(actor=RULE, now=later(hours))


def pass_on(hours: float) -> int:
    return escalating.pass_on_escalations(actor=RULE, now=later(hours))


def agree(people: NamedPeople, *steps: dict[str, Any], **more: Any) -> Any:
    return agreement(people.actor("adam"), "Incidents", target(4, steps=list(steps), **more), now=NOW)


def open_one(people: NamedPeople, **more: Any) -> Ticket:
    given = {"title": "VPN drops", "group": people.teams["Network"].pk, "assignee": people.alan.pk, "priority": 3, **more}
    return actions.open_ticket(actor=people.actor("ana"), now=given.pop("now", NOW), **given)


def lead(people: NamedPeople, handle: str, team: str = "Network") -> None:
    Membership.objects.update_or_create(user=people.users[handle], team=people.teams[team], defaults={"is_lead": True})


def told_to(ticket: Ticket) -> list[tuple[int, list[int]]]:
    return list(Escalation.objects.filter(ticket=ticket).order_by("entry_id").values_list("step", "told"))


def escalated(ticket: Ticket) -> list[journal.Entry]:
    return [entry for entry in journal.entries_of("ticket", ticket.pk) if entry.verb == "ticket.escalated"]


def inboxes() -> list[tuple[str, str]]:
    return list(Notification.objects.filter(kind=told.KIND).order_by("id").values_list("person__email", "subject"))


def kept() -> list[list[Any]]:
    return [
        sorted(map(str, model.objects.values_list(*[f.attname for f in model._meta.fields if f.name != "id"])))
        for model in (Clock, Escalation)
    ]


def test_a_step_is_taken_once_at_its_time_and_journalled(people: NamedPeople) -> None:
    agree(people, HALF)
    ticket = open_one(people)
    assert (take(1.99), take(2), take(2), take(30)) == (0, 1, 0, 0)
    [entry] = escalated(ticket)
    assert (entry.source, entry.actor_id, entry.private, entry.happened_at) == ("rule", None, True, later(2))
    assert entry.note == "Incidents: resolution, at 50% of the time."
    [row] = Escalation.objects.all()
    assert (row.due_at, row.fired_at, row.told, row.kind, row.step) == (later(2), later(2), [people.alan.pk], "resolution", 0)
    assert inboxes() == [("alan@example.org", f"{ticket.number} P3: resolution due in 2 h of working time")]
    before = kept()
    projections.rebuild("sla_clock")
    assert kept() == before


def test_steps_go_by_business_time_and_holds(people: NamedPeople) -> None:
    office = schedule_actions.add_schedule(actor=people.actor("adam"), name="Office", definition=OFFICE, now=NOW)
    agree(people, {"before": 3600, "tell": ["assignee"]}, schedule=office.pk, holds=["caller"])
    ticket = open_one(people)
    actions.move_ticket(actor=people.actor("ana"), ticket_id=ticket.pk, state="on_hold", hold_reason="caller", now=later(1))
    assert take(48) == 0
    actions.move_ticket(actor=people.actor("ana"), ticket_id=ticket.pk, state="in_progress", now=later(2))  # 11:00, one hour used
    assert (take(4.99), take(5)) == (0, 1)  # 11-12 and 13-14 make three


def test_no_arrears_for_imported_history(people: NamedPeople) -> None:
    agree(people, HALF, {"share": 1, "tell": ["group"]})
    [made] = record_histories(
        actor=people.actor("adam"),
        histories=[History([Moment(later(-3), {"title": "old", "priority": 3, "opened_at": later(-3)})])],
        now=NOW,
    )
    assert take(0.5) == 0
    assert take(1) == 1  # the breach itself lies ahead
    assert [step for step, _ in told_to(Ticket.objects.get(pk=made.ticket_id))] == [1]


def test_no_arrears_when_an_agreement_reaches_back(people: NamedPeople) -> None:
    open_one(people)
    clock.move(hours=3)
    agreement(people.actor("adam"), "Late", target(4, steps=[HALF, {"share": 0.9, "tell": ["assignee"]}]), now=later(3))
    recounting.everything()
    assert (take(3.1), take(3.6)) == (0, 1)
    assert Escalation.objects.get().step == 1


def test_a_raised_priority_fires_only_the_gravest_step_it_puts_into_the_past(people: NamedPeople) -> None:
    steps = [HALF, {"share": 0.75, "tell": ["assignee"]}, {"share": 0.9, "tell": ["assignee"]}]
    durations = {"3": {"seconds": 40 * 3600}, "2": {"seconds": 10 * 3600}}
    agreement(people.actor("adam"), "Incidents", {**target(4, steps=steps), "durations": durations}, now=NOW)
    ticket = open_one(people)
    assert take(8) == 0
    actions.change_ticket(actor=people.actor("ana"), ticket_id=ticket.pk, changes={"priority": 2}, now=later(8))
    assert (take(8), take(8)) == (1, 0)
    assert [step for step, _ in told_to(ticket)] == [1]
    actions.change_ticket(actor=people.actor("ana"), ticket_id=ticket.pk, changes={"priority": 3}, now=later(8.5))
    assert take(8.6) == 0  # the half of forty hours is ahead again: due then
    assert (take(19.9), take(20)) == (0, 1)


def test_a_longer_target_brings_no_step_back(people: NamedPeople) -> None:
    steps = [{"share": 0.1, "tell": ["assignee"]}, HALF]
    durations = {"3": {"seconds": 10 * 3600}, "2": {"seconds": 12 * 3600}, "1": {"seconds": 3 * 3600}}
    agreement(people.actor("adam"), "Incidents", {**target(4, steps=steps), "durations": durations}, now=NOW)
    ticket = open_one(people, priority=2)
    actions.change_ticket(actor=people.actor("ana"), ticket_id=ticket.pk, changes={"priority": 1}, now=later(2))
    assert take(2) == 1
    assert [step for step, _ in told_to(ticket)] == [1]  # a tenth and the half went into the past at once
    actions.change_ticket(actor=people.actor("ana"), ticket_id=ticket.pk, changes={"priority": 3}, now=later(2.1))
    assert take(2.2) == 0


def test_who_is_told(people: NamedPeople) -> None:
    lead(people, "olga")
    words = ["assignee", "lead", "manager", "group", "watchers", "on_call", f"person:{people.adam.pk}"]
    agree(people, {"share": 0.5, "tell": words})
    ticket = open_one(people)
    for watcher in (people.rita.pk, people.audrey.pk):
        actions.watch_ticket(actor=people.actor("ana"), ticket_id=ticket.pk, user_id=watcher, now=NOW)
    take(2)
    expected = [people.alan.pk, people.olga.pk, people.mona.pk, people.audrey.pk, people.adam.pk]
    assert told_to(ticket) == [(0, expected)]  # the requester who watches is not of the house
    assert len(inboxes()) == 5


def test_who_has_left_is_not_told_and_somebody_else_is(people: NamedPeople) -> None:
    lead(people, "olga")
    agree(people, HALF)
    ticket = open_one(people)
    User.objects.filter(pk=people.alan.pk).update(is_active=False)
    take(2)
    assert told_to(ticket) == [(0, [people.olga.pk])]


def test_a_restricted_ticket_is_told_only_to_who_may_see_it(people: NamedPeople) -> None:
    agree(people, {"share": 0.5, "tell": [f"person:{people.alan.pk}", f"person:{people.mona.pk}", f"person:{people.ana.pk}"]})
    made = actions.open_ticket(actor=people.actor("adam"), title="Salaries", group=people.teams["Payroll"].pk, priority=3, now=NOW)
    take(2)
    assert told_to(made) == [(0, [people.mona.pk])]


def test_a_step_that_finds_nobody_is_journalled_all_the_same(people: NamedPeople) -> None:
    User.objects.filter(pk=people.mona.pk).update(is_active=False)
    agree(people, {"share": 0.5, "tell": ["watchers"], "acknowledge": 600, "then": ["manager", f"person:{people.adam.pk}"]})
    ticket = open_one(people)
    assert take(2) == 1
    assert told_to(ticket) == [(0, [])]
    assert (pass_on(2.1), pass_on(2.2)) == (0, 1)  # no manager is there either: the person after is told at once
    row = Escalation.objects.get()
    assert (row.told, row.round, row.pass_on_at) == ([people.adam.pk], 3, None)
    before = kept()
    projections.rebuild("sla_clock")
    assert kept() == before


def test_what_nobody_acknowledges_goes_on_person_by_person(people: NamedPeople) -> None:
    lead(people, "olga")
    agree(people, {"share": 0.5, "tell": ["assignee"], "acknowledge": 600, "then": ["assignee", "lead", "manager"]})
    ticket = open_one(people)
    take(2)
    assert pass_on(2.1) == 0
    assert pass_on(2 + 1 / 6) == 1
    assert told_to(ticket) == [(0, [people.alan.pk, people.olga.pk])]  # the assignee knows: next is the lead
    assert (pass_on(2.3), pass_on(2 + 2 / 6), pass_on(9)) == (0, 1, 0)
    assert told_to(ticket) == [(0, [people.alan.pk, people.olga.pk, people.mona.pk])]
    assert inboxes()[1] == ("olga@example.org", f"Not acknowledged: {ticket.number} P3: resolution due in 1 h 50 min of working time")


def test_acknowledged_it_goes_no_further(people: NamedPeople) -> None:
    agree(people, {"share": 0.5, "tell": ["assignee"], "acknowledge": 600, "then": ["manager"]})
    ticket = open_one(people)
    take(2)
    row = Escalation.objects.get()
    taken = escalating.acknowledge_escalation(actor=people.actor("alan"), escalation_id=row.pk, now=later(2.1), note="On it.")
    assert (taken.acknowledged_by, taken.acknowledged_at) == (people.alan.pk, later(2.1))
    with pytest.raises(GuardRefused):
        escalating.acknowledge_escalation(actor=people.actor("mona"), escalation_id=row.pk, now=later(2.2))
    assert pass_on(3) == 0
    assert [entry.verb for entry in journal.entries_of("ticket", ticket.pk)][-1] == "ticket.escalation_acknowledged"


@pytest.mark.parametrize(
    ("handle", "refusal"),
    [("alan", None), ("ana", None), ("mona", None), ("adam", None), ("olga", Forbidden), ("audrey", Forbidden), ("rita", Missing)],
)
def test_who_may_acknowledge(people: NamedPeople, handle: str, refusal: type[Exception] | None) -> None:
    agree(people, HALF)
    open_one(people)
    take(2)
    row = Escalation.objects.get()
    if refusal is None:
        assert escalating.acknowledge_escalation(actor=people.actor(handle), escalation_id=row.pk, now=later(3)).acknowledged_by
    else:
        with pytest.raises(refusal):
            escalating.acknowledge_escalation(actor=people.actor(handle), escalation_id=row.pk, now=later(3))


def test_an_outsider_who_was_told_may_acknowledge(people: NamedPeople) -> None:
    agree(people, {"share": 0.5, "tell": [f"person:{people.olga.pk}"]})
    open_one(people)
    take(2)
    row = Escalation.objects.get()
    assert (
        escalating.acknowledge_escalation(actor=people.actor("olga"), escalation_id=row.pk, now=later(3)).acknowledged_by == people.olga.pk
    )
    with pytest.raises(Missing):
        escalating.acknowledge_escalation(actor=people.actor("olga"), escalation_id=row.pk + 999, now=later(3))


def test_it_is_over_when_its_clock_is(people: NamedPeople) -> None:
    agree(people, {"share": 0.5, "tell": ["assignee"], "acknowledge": 600, "then": ["manager"]})
    ticket = open_one(people)
    take(2)
    ended = {"state": "resolved", "resolution_code": "solved", "resolution_notes": "x"}
    actions.move_ticket(actor=people.actor("ana"), ticket_id=ticket.pk, now=later(2.05), **ended)
    assert Escalation.objects.get().ended_at == later(2.05)
    assert pass_on(4) == 0


def test_what_else_a_step_does_is_done_by_the_rule(people: NamedPeople) -> None:
    database = people.teams["Database"].pk
    agree(people, {"share": 0.5, "raise_priority": True, "reassign": database, "flag": "near"}, {"share": 0.5, "flag": "second"})
    ticket = open_one(people)
    assert take(2) == 1
    assert take(2.01) == 1
    ticket.refresh_from_db()
    assert (ticket.priority, ticket.group_id, sorted(ticket.tags)) == (2, database, ["near", "second"])
    done = [entry for entry in journal.entries_of("ticket", ticket.pk) if entry.note.startswith("Escalation")]
    assert [entry.source for entry in done] == ["rule", "rule"]


def test_steps_of_two_clocks_at_one_instant_keep_each_others_work(people: NamedPeople) -> None:
    flags = [{"share": 0.5, "flag": "response-near", "raise_priority": True}], [{"share": 0.5, "flag": "near", "raise_priority": True}]
    targets = target(4, "response", rule="replied", steps=flags[0]), target(4, steps=flags[1])
    agreement(people.actor("adam"), "Incidents", *targets, now=NOW)
    ticket = open_one(people)
    assert take(2) == 2
    ticket.refresh_from_db()
    assert (sorted(ticket.tags), ticket.priority) == (["near", "response-near"], 1)


def test_what_the_ticket_does_not_allow_is_told_on_it(people: NamedPeople) -> None:
    agree(people, {"share": 0.5, "reassign": people.teams["Database"].pk})
    version = AgreementVersion.objects.get()
    version.definition["targets"][0]["steps"][0]["reassign"] = 999_999
    version.save()
    rulebook.forget()
    ticket = open_one(people)
    assert take(2) == 1
    last = journal.entries_of("ticket", ticket.pk)[-1]
    assert (last.verb, last.private) == ("ticket.noted", True)
    assert last.note.startswith("The escalation could not change the ticket")


def test_mail_waits_for_the_recipients_hours_unless_told_at_any_hour(people: NamedPeople) -> None:
    office = schedule_actions.add_schedule(actor=people.actor("adam"), name="Office", definition=OFFICE, now=NOW)
    schedule_actions.use_schedule(
        actor=people.actor("adam"), schedule_id=office.pk, kind="team", record_id=people.teams["Network"].pk, since_ever=True, now=NOW
    )
    agree(people, HALF, {"share": 0.75, "tell": ["assignee"], "any_hours": True})
    at = NOW + timedelta(days=4, hours=9)  # Friday 18:00: half the time is used up at 20:00
    open_one(people, now=at)
    assert escalating.take_due_steps(actor=RULE, now=at + timedelta(hours=2)) == 1
    assert escalating.take_due_steps(actor=RULE, now=at + timedelta(hours=3)) == 1
    monday = datetime(2026, 3, 9, 8, 0, tzinfo=UTC)
    assert list(Delivery.objects.order_by("id").values_list("next_attempt_at", flat=True)) == [monday, at + timedelta(hours=3)]
    assert Notification.objects.filter(kind=told.KIND, person=people.alan).count() == 2  # the inbox does not wait


def test_the_time_to_acknowledge_begins_with_the_recipients_hours(people: NamedPeople) -> None:
    office = schedule_actions.add_schedule(actor=people.actor("adam"), name="Office", definition=OFFICE, now=NOW)
    schedule_actions.use_schedule(
        actor=people.actor("adam"), schedule_id=office.pk, kind="team", record_id=people.teams["Network"].pk, since_ever=True, now=NOW
    )
    agree(people, {"share": 0.5, "tell": ["assignee"], "acknowledge": 600, "then": ["manager"]})
    open_one(people, now=NOW + timedelta(days=4, hours=9))
    escalating.take_due_steps(actor=RULE, now=NOW + timedelta(days=4, hours=11))
    assert Escalation.objects.get().pass_on_at == datetime(2026, 3, 9, 8, 10, tzinfo=UTC)


def test_hours_that_begin_later_hold_nothing_back_yet(people: NamedPeople) -> None:
    office = schedule_actions.add_schedule(actor=people.actor("adam"), name="Office", definition=OFFICE, now=NOW)
    schedule_actions.use_schedule(
        actor=people.actor("adam"), schedule_id=office.pk, kind="team", record_id=people.teams["Network"].pk,
        effective_from=later(24 * 30), now=NOW,
    )  # fmt: skip
    ticket = open_one(people)
    found = told.Recipients.of([ticket], later(10))
    assert found.hours([people.alan.pk], later(10)) == {}


def test_mail_and_webhook_arrive(people: NamedPeople, mail: MailServer, web: WebServer) -> None:  # noqa: F811
    hook, _ = notifications.add_webhook(actor=people.actor("adam"), name="Net", kind="slack", url=web.url(), now=NOW)
    agree(people, {"share": 0.5, "tell": ["assignee", f"webhook:{hook.pk}"]})
    ticket = open_one(people, title="*VPN* [drops](https://elsewhere.example)")
    clock.move(hours=2)
    assert take(2) == 1
    for work in (delivering.deliver_mail, delivering.deliver_webhooks):
        while work():
            pass
    [arrived] = mail.arrived
    assert mail.keeper.to == [["alan@example.org"]]
    assert arrived["Subject"] == f"{ticket.number} P3: resolution due in 2 h of working time"
    body = arrived.get_body(["plain"]).get_content()  # type: ignore[union-attr]
    assert "Resolution target 4 h; 2 h of it are used. Due Mon 02 Mar 13:00 (UTC)." in body
    html = arrived.get_body(["html"]).get_content()  # type: ignore[union-attr]
    assert f'href="https://desk.example/tickets/{ticket.number}/clocks"' in html
    assert f"https://desk.example/tickets/{ticket.number}/clocks" in body
    assert 'href="https://elsewhere' not in html  # a title is no markdown
    [call] = web.calls
    assert ticket.number.encode() in call.body


def test_an_edited_agreement_without_the_step_does_not_stop_the_loop(people: NamedPeople, caplog: pytest.LogCaptureFixture) -> None:
    """Versions are never changed; were one to be, or to read no more, its clocks are put aside and told in the log."""
    made = agree(people, HALF, {"share": 0.6, "tell": ["assignee"]})
    broken, well = open_one(people), open_one(people)
    Clock.objects.filter(ticket=broken).update(next_step=7)
    with caplog.at_level(logging.WARNING, "pilothouse"):
        assert take(2) == 2
    assert (len(escalated(broken)), len(escalated(well))) == (0, 1)
    assert f"ticket {broken.pk} failed" in caplog.text
    assert take(2.001) == 0  # left alone for a while
    change_agreement(actor=people.actor("adam"), agreement_id=made.pk, definition={"targets": [target(4)]}, since_ever=True, now=later(2.1))
    recounting.after("agreement", made.pk)
    assert take(4) == 0
    assert Escalation.objects.get(ticket=well).ended_at is not None


def test_a_poisoned_ticket_stops_no_other_and_is_tried_again(people: NamedPeople, caplog: pytest.LogCaptureFixture) -> None:
    agree(people, {"share": 0.5, "flag": "near", "tell": ["assignee"]})
    poisoned, well = open_one(people), [open_one(people) for _ in range(3)]
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")  # a table with pending triggers cannot be altered
        cursor.execute(
            f"ALTER TABLE tickets_ticket ADD CONSTRAINT poison CHECK (NOT ('near' = ANY(tags) AND id = {poisoned.pk})) NOT VALID"
        )
    with caplog.at_level(logging.WARNING, "pilothouse"):
        assert take(2) == 4
    assert [len(escalated(ticket)) for ticket in (poisoned, *well)] == [0, 1, 1, 1]
    assert caplog.text.count("it is put aside") == 1
    assert take(2.001) == 0
    assert take(2.01) == 1  # half a minute later: it fails once more
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("ALTER TABLE tickets_ticket DROP CONSTRAINT poison")
    assert (take(2.02), take(2.03)) == (0, 1)
    assert len(escalated(poisoned)) == 1
    assert len(inboxes()) == 4


def test_a_deactivated_agreement_or_future_schedule_keeps_the_loop_quiet(people: NamedPeople) -> None:
    agree(people, HALF)
    open_one(people)
    AgreementVersion.objects.update(definition={"targets": "no more"})
    rulebook.forget()
    assert take(2) == 1  # put aside
    assert Escalation.objects.count() == 0


def at_once(work: Any, workers: int) -> list[BaseException]:
    gate, faults = threading.Barrier(workers), list[BaseException]()

    def run() -> None:
        try:
            with clock.at(NOW):
                gate.wait(10)
                work()
        except BaseException as fault:
            faults.append(fault)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run) for _ in range(workers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return faults


@pytest.mark.django_db(transaction=True)
def test_workers_that_race_take_each_step_once() -> None:
    people = make_people()
    agree(people, {**HALF, "acknowledge": 60, "then": ["manager"]})
    titles = [{"title": f"n{n}", "group": people.teams["Network"].pk, "assignee": people.alan.pk, "priority": 3} for n in range(60)]
    made = actions.open_tickets(actor=people.actor("ana"), tickets=titles, now=NOW)
    taken: list[int] = []

    def work() -> None:
        for _ in range(12):
            taken.append(escalating.take_due_steps(actor=RULE, now=later(2), limit=10))
            taken.append(escalating.pass_on_escalations(actor=RULE, now=later(3), limit=10))

    assert at_once(work, 3) == []
    take(2), pass_on(3)
    assert [len(escalated(ticket)) for ticket in made] == [1] * 60
    assert set(Escalation.objects.values_list("round", flat=True)) == {2}
    assert Notification.objects.filter(kind=told.KIND).count() == 120
    assert journal.verify(["ticket"]).breaks == ()


@pytest.mark.django_db(transaction=True)
def test_tickets_that_somebody_holds_do_not_stand_before_the_others() -> None:
    people = make_people()
    agree(people, HALF)
    held, rest = [[open_one(people) for _ in range(4)] for _ in range(2)]
    with transaction.atomic():
        list(Ticket.objects.select_for_update().filter(pk__in=[ticket.pk for ticket in held]))
        counts: list[int] = []
        assert at_once(lambda: counts.append(escalating.take_due_steps(actor=RULE, now=later(2), limit=4)), 1) == []
        assert counts == [4]
    assert [len(escalated(ticket)) for ticket in (*held, *rest)] == [0] * 4 + [1] * 4
    assert take(2) == 4


_KILL = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid = ANY(%s) AND wait_event_type = 'Lock'"


def _address() -> dict[str, Any]:
    return {
        name: value for name, value in connection.get_connection_params().items() if name in ("host", "port", "dbname", "user", "password")
    }


@pytest.mark.django_db(transaction=True)
def test_a_worker_killed_in_the_middle_leaves_nothing_half_done() -> None:
    people = make_people()
    agree(people, {**HALF, "flag": "near"})
    ticket = open_one(people)
    backends: list[int] = []

    def work() -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_backend_pid()")
            backends.append(cursor.fetchone()[0])
        escalating.take_due_steps(actor=RULE, now=later(2))

    with transaction.atomic():  # the worker waits here: after its journal entry, before its messages
        with connection.cursor() as cursor:
            cursor.execute("LOCK TABLE notifications_notification IN ACCESS EXCLUSIVE MODE")
        dying = threading.Thread(target=lambda: faults.extend(at_once(work, 1)))
        faults: list[BaseException] = []
        dying.start()
        with psycopg.connect(**_address(), autocommit=True) as other:
            for _ in range(400):
                if other.execute(_KILL, [backends]).fetchall():
                    break
                time.sleep(0.05)
        dying.join(30)
    assert len(faults) == 1
    assert (escalated(ticket), Notification.objects.count(), Ticket.objects.get().tags) == ([], 0, [])
    assert (take(2), take(2)) == (1, 0)
    assert (len(escalated(ticket)), Ticket.objects.get().tags) == (1, ["near"])
