"""The loader on a real database: what is there equals what was drawn, whatever happened on the way."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest
from django.db import connection
from django.db.models import QuerySet

from pilothouse.changes.models import Change
from pilothouse.cmdb.models import CI, Relationship, Service
from pilothouse.demo import loader, service_levels
from pilothouse.demo.command import fill
from pilothouse.demo.engine.changes import changes_of
from pilothouse.demo.engine.generate import Arguments
from pilothouse.demo.engine.hours import instant
from pilothouse.demo.engine.planted import backup_since
from pilothouse.demo.sign_ins import PASSWORD
from pilothouse.people.models import Membership, Team, User
from pilothouse.platform import journal, projections
from pilothouse.platform.access import Source, system
from pilothouse.platform.models import OutboxMessage
from pilothouse.platform.refusals import GuardRefused, Invalid
from pilothouse.problems.engine.frozen import fingerprint
from pilothouse.problems.models import Evidence, Problem
from pilothouse.sla import escalations
from pilothouse.tickets.actions import open_ticket
from pilothouse.tickets.actions.fields import journal_row
from pilothouse.tickets.engine.lifecycle import RAISED_KINDS
from pilothouse.tickets.engine.replay import fold
from pilothouse.tickets.models import CAUSED_BY, Category, Ticket, TicketStory
from tests.demo.conftest import UNTIL
from tests.trees import Instance

pytestmark = pytest.mark.django_db
ARGUMENTS = Arguments(seed=7, tickets=600, days=25, until=UNTIL)
ACTOR = system(Source.CLI)


def _load(data: Path, arguments: Arguments = ARGUMENTS, *, force: bool = False) -> bool:
    return fill(arguments=arguments, data=data, now=UNTIL, force=force, workers=1).was_there


def _tickets() -> QuerySet[Ticket]:
    """What was raised; changes, problems and their tasks come beside them."""
    return Ticket.objects.filter(kind__in=RAISED_KINDS)


def _numbers() -> list[str]:
    return list(_tickets().order_by("id").values_list("number", flat=True))


@pytest.fixture
def few_escalations(monkeypatch: pytest.MonkeyPatch) -> None:
    """Escalate over an hour instead of two weeks, where escalations are not the point."""
    monkeypatch.setattr(service_levels, "_LOOKED_BACK", timedelta(hours=1))


def test_the_database_holds_what_was_drawn(tmp_path: Path) -> None:
    assert not _load(tmp_path)
    drawn = list(ARGUMENTS.generation().lives())
    tickets = list(_tickets().order_by("id").select_related("group", "assignee", "requester", "service", "ci", "parent", "merged_into"))
    assert [ticket.number for ticket in tickets] == [life.fields["number"] for life in drawn]
    org = ARGUMENTS.generation().organisation
    for ticket, life in zip(tickets, drawn, strict=True):
        held = life.fields
        assert (ticket.title, ticket.state, ticket.opened_at, ticket.resolved_at) == (
            held["title"],
            held["state"],
            held["opened_at"],
            held["resolved_at"],
        )
        assert (ticket.group.key if ticket.group else None) == (None if held["group"] is None else org.teams[held["group"]].key)
        assert (ticket.assignee.email if ticket.assignee else None) == (
            None if held["assignee"] is None else org.people[held["assignee"]].email
        )
        assert (ticket.parent.number if ticket.parent else None) == (
            None if held["parent"] is None else drawn[held["parent"]].fields["number"]
        )
        assert ticket.created_at == held["opened_at"]
    assert (User.objects.count(), Team.objects.count(), Service.objects.count(), CI.objects.count()) == (1200, 30, 40, 3000)
    assert Relationship.objects.count() == len(org.relations)
    assert Membership.objects.filter(is_lead=True).count() >= 30
    assert Category.objects.filter(is_active=True, parent=None).count() > 10
    assert User.objects.get(email="ana@demo.example").check_password(PASSWORD)
    _the_changes_are_there_with_the_one_that_broke_the_backup()
    _a_problem_is_there_with_its_incidents()
    _journals_fold_to_rows_chains_hold_and_projections_rebuild()


def _a_problem_is_there_with_its_incidents() -> None:
    """Of these few days there is one: what the last of the troubles brings."""
    problem = Ticket.objects.get(kind="problem")
    assert (problem.title, problem.state) == ("Forms on the intranet lose entries on phones", "new")
    evidence = Evidence.objects.get(problem=problem)
    assert evidence.sha256 == fingerprint(evidence.found, evidence.ticket_ids)
    assert OutboxMessage.objects.filter(topic="problems.learn", payload__record_id=problem.pk).count() == 1
    assert 3 <= len(evidence.ticket_ids) <= Ticket.objects.filter(links__relation=CAUSED_BY, links__target=problem).count()


def _the_changes_are_there_with_the_one_that_broke_the_backup() -> None:
    drawn = changes_of(ARGUMENTS.seed, ARGUMENTS.generation().world)
    assert list(Change.objects.order_by("pk").values_list("ticket__number", "ticket__state")) == [
        (life.fields["number"], life.fields["state"]) for life in drawn
    ]
    planted = Change.objects.get(ticket__number="CHG0004417")
    assert planted.actual_start_at == instant(backup_since(ARGUMENTS.generation().world))
    assert (planted.ticket.ci and planted.ticket.ci.name, planted.outcome, planted.type) == ("VaultKeep agent", "successful", "standard")


def _journals_fold_to_rows_chains_hold_and_projections_rebuild() -> None:
    for ticket in Ticket.objects.order_by("id")[:600:7]:
        entries = journal.entries_of("ticket", ticket.pk)
        assert fold(entries) == journal_row(ticket)
        assert all(entry.recorded_at == entry.happened_at for entry in entries)
    assert journal.verify().breaks == ()
    for name, model in (("ticket_story", TicketStory), ("change_detail", Change), ("problem_detail", Problem)):
        kept = list(model.objects.order_by("ticket_id").values())
        assert kept
        projections.rebuild(name)
        assert list(model.objects.order_by("ticket_id").values()) == kept


@pytest.mark.usefixtures("few_escalations")
def test_a_second_run_finds_it_there_and_writes_lost_facts_again(tmp_path: Path) -> None:
    assert not _load(tmp_path)
    before, first = _numbers(), (tmp_path / "demo-facts.json").read_text()
    assert _load(tmp_path)
    assert _load(tmp_path, Arguments(seed=8, tickets=900, days=30, until=UNTIL))
    (tmp_path / "demo-facts.json").unlink()
    _load(tmp_path)
    assert (tmp_path / "demo-facts.json").read_text() == first
    assert _numbers() == before
    _facts_name_tickets_that_are_there(tmp_path)


def _facts_name_tickets_that_are_there(data: Path) -> None:
    told = json.loads((data / "demo-facts.json").read_text())
    assert (told["seed"], told["tickets"], told["until"]) == (7, 600, UNTIL.isoformat())
    assert {fact["key"] for fact in told["facts"]} >= {"reboot", "vpn", "backup", "logon-storm", "bounces", "cmdb-wrong-os"}
    for fact in told["facts"]:
        assert Ticket.objects.filter(number__in=fact["tickets"]).count() == fact["count"], fact["key"]
    text = (data / "demo-facts.md").read_text()
    assert all(fact["finding"] in text for fact in told["facts"])


@pytest.mark.usefixtures("few_escalations")
def test_a_load_that_was_cut_off_goes_on_where_it_stood(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loader, "_BATCH", 100)
    begun = loader.begin(actor=ACTOR, arguments=ARGUMENTS, now=UNTIL)

    def stop_soon(count: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        loader.load(actor=ACTOR, begun=begun, now=UNTIL, told=stop_soon)
    assert 0 < _tickets().count() < 600
    other = Arguments(seed=99, tickets=700, days=30, until=UNTIL)
    assert not _load(tmp_path, other)  # goes on with what was begun
    assert sorted(_numbers()) == sorted(life.fields["number"] for life in ARGUMENTS.generation().lives())
    assert _load(tmp_path)


@pytest.mark.usefixtures("few_escalations")
def test_of_two_loaders_one_is_told_to_wait_and_writes_nothing_twice(tmp_path: Path) -> None:
    other = connection.copy()
    with other.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(hashtext('pilothouse demo'))")
        with pytest.raises(GuardRefused, match="Another process loads this demo"):
            _load(tmp_path)
        cursor.execute("SELECT pg_advisory_unlock_all()")
    other.close()
    begun = loader.begin(actor=ACTOR, arguments=ARGUMENTS, now=UNTIL)
    for _ in range(2):
        loader.load(actor=ACTOR, begun=begun, now=UNTIL)
    assert _tickets().count() == 600


@pytest.mark.usefixtures("few_escalations")
def test_other_peoples_tickets_are_left_alone(tmp_path: Path) -> None:
    mine = open_ticket(actor=ACTOR, now=UNTIL, title="A real one")
    with pytest.raises(GuardRefused, match="has tickets already"):
        _load(tmp_path)
    assert _numbers() == [mine.number]
    assert not _load(tmp_path, force=True)
    assert _tickets().count() == 601
    assert Ticket.objects.get(pk=mine.pk).title == "A real one"
    fresh = open_ticket(actor=ACTOR, now=UNTIL, title="And one more")
    assert fresh.number > max(number for number in _numbers() if number != fresh.number and number.startswith("INC"))


def test_too_few_tickets_are_refused_before_anything_is_written(tmp_path: Path) -> None:
    with pytest.raises(Invalid) as refused:
        _load(tmp_path, Arguments(seed=7, tickets=50, days=25, until=UNTIL))
    assert refused.value.errors[0].field == "tickets"
    assert not User.objects.exists()


@pytest.fixture
def empty(seed: Path, folder: Path) -> Iterator[Instance]:
    made = Instance(folder, seed)
    yield made
    made.stop()


def _histories(instance: Instance) -> list[tuple[str, list[tuple[datetime, str, str]]]]:
    """When and what the journal says of each ticket, and the notes, by number."""
    found: dict[str, list[tuple[datetime, str, str]]] = {}
    wanted = "SELECT t.number, e.happened_at, e.verb, e.note FROM tickets_ticket t JOIN journal_entry e ON e.kind = 'ticket'"
    ours = "e.record_id = t.id AND t.kind IN ('incident', 'request')"
    for number, *entry in instance.rows(f"{wanted} AND {ours} ORDER BY t.number, e.seq"):
        found.setdefault(number, []).append(tuple(entry))
    return list(found.items())


def _is_beside_its_life(entry: tuple[datetime, str, str]) -> bool:
    """Whether it tells of service levels, or of the problem that the ticket was linked to."""
    _, verb, note = entry
    return verb in (*escalations.VERBS, "ticket.gathered", "problem.workaround_offered", "problem.proposed") or (
        verb == "ticket.changed" and note.startswith("Escalation ")
    )


@pytest.mark.timeout(240)
def test_the_command_loads_with_two_processes_survives_a_kill_and_says_so(empty: Instance) -> None:
    arguments = ("demo", "--only-load", "--tickets", "600", "--days", "25", "--until", "2026-11-23T11:20+00:00")
    started = datetime(2026, 11, 23, 11, 20, tzinfo=UTC)
    moved = {"PILOTHOUSE_CLOCK": started.isoformat()}
    up = empty.up(**moved)
    loading = empty.start(*arguments, **moved)
    with psycopg.connect(empty.url, autocommit=True) as connection:
        while loading.poll() is None and not connection.execute("SELECT 1 FROM tickets_ticket LIMIT 1").fetchone():
            connection.execute("SELECT pg_sleep(0.05)")
    loading.kill()
    loading.wait()
    said = empty.command(*arguments, **moved)
    assert said.returncode == 0, said.stderr
    assert "is loaded: 600 tickets over 25 days until 2026-11-23 11:00 UTC" in said.stderr
    lives = ARGUMENTS.generation().lives()
    drawn = {life.fields["number"]: [event.at for event in life.events] for life in lives}
    histories = _histories(empty)
    assert [number for number, _ in histories] == sorted(drawn)
    for number, entries in histories:
        count = len(drawn[number])
        assert [at for at, _, _ in entries[:count]] == drawn[number]
        # The instance is up: what happens from its start on is its own worker's doing (it escalates, it closes what stayed resolved).
        assert [entry for entry in entries[count:] if entry[0] < started and not _is_beside_its_life(entry)] == []
    again = empty.command("demo", "--only-load")
    assert again.returncode == 0
    assert "there already" in again.stderr
    assert up.poll() is None
