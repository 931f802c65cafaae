"""Importing into a real database: history, idempotence, continuation, names, rejects."""

import csv
import random
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from pilothouse.cmdb.models import CI, Service
from pilothouse.connectors.importing import Report, Request, run_import
from pilothouse.connectors.models import ImportedTicket
from pilothouse.connectors.profiles import PROFILES
from pilothouse.people.models import Team, User
from pilothouse.people.testing import NamedPeople
from pilothouse.platform import access, journal, projections
from pilothouse.platform.access import Source
from pilothouse.platform.refusals import Forbidden
from pilothouse.tickets import actions
from pilothouse.tickets.actions.fields import journal_row
from pilothouse.tickets.engine.replay import fold
from pilothouse.tickets.models import Category, Ticket, TicketStory
from tests.connectors.files import a_life, log_row, write_log

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
ACTOR = access.system(Source.IMPORT)
pytestmark = pytest.mark.django_db


def imported(*paths: Path, profile: str = "servicenow-log", now: datetime = NOW, **more: Any) -> Report:
    return run_import(actor=ACTOR, request=Request(PROFILES[profile], paths, **more), now=now)


def rejected(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def at(text: str) -> datetime:
    return datetime.strptime(text, "%d/%m/%Y %H:%M").replace(tzinfo=UTC)


def test_each_row_becomes_an_entry_at_its_instant(tmp_path: Path) -> None:
    imported(write_log(tmp_path / "log.csv", a_life()))
    ticket = Ticket.objects.get(number="INC0000501")
    entries = journal.entries_of("ticket", ticket.pk)
    assert [(e.verb, e.happened_at) for e in entries] == [
        ("ticket.opened", at("4/3/2024 08:05")),
        ("ticket.assigned", at("4/3/2024 08:30")),
        ("ticket.held", at("4/3/2024 09:00")),
        ("ticket.resolved", at("5/3/2024 10:00")),
        ("ticket.closed", at("10/3/2024 12:00")),
    ]
    assert {e.recorded_at for e in entries} == {NOW}
    assert {e.source for e in entries} == {"import"}
    assert fold(entries) == journal_row(ticket)
    assert (ticket.state, ticket.closed_at, ticket.resolution_code) == ("closed", at("10/3/2024 12:00"), "code 6")
    assert ticket.group is not None
    assert (ticket.group.name, ticket.priority, ticket.external_id) == ("Group 1", 2, "INC0000501")


def test_what_only_the_end_knew_is_not_known_before(tmp_path: Path) -> None:
    imported(write_log(tmp_path / "log.csv", a_life()))
    entries = journal.entries_of("ticket", Ticket.objects.get().pk)
    early, resolved = fold(entries[:3]), fold(entries[:4])
    assert (early["resolved_at"], early["closed_at"], early["resolution_code"], early["extra"].get("resolved_by")) == (None, None, "", None)
    assert resolved["resolution_code"] == "code 6"
    assert resolved["extra"]["resolved_by"] == "Resolved by 9"
    assert resolved["closed_at"] is None


def test_the_story_is_kept_as_if_it_had_happened_here(tmp_path: Path) -> None:
    imported(write_log(tmp_path / "log.csv", a_life()))
    story = TicketStory.objects.get()
    assert (story.reassignment_count, story.bounce_count, story.hold_seconds) == (2, 1, 25 * 3600)
    kept = list(TicketStory.objects.values())
    projections.rebuild("ticket_story")
    assert list(TicketStory.objects.values()) == kept
    assert not journal.verify().breaks


def test_rows_in_any_order_give_the_same_history(tmp_path: Path) -> None:
    rows = [row for i in range(30) for row in a_life(f"INC{i + 1:07d}")]
    random.Random(3).shuffle(rows)
    imported(write_log(tmp_path / "log.csv", rows))
    assert Ticket.objects.count() == 30
    assert {len(journal.entries_of("ticket", t.pk)) for t in Ticket.objects.all()} == {5}
    assert set(Ticket.objects.values_list("state", flat=True)) == {"closed"}


def test_a_second_run_adds_nothing(tmp_path: Path) -> None:
    path = write_log(tmp_path / "log.csv.gz", a_life())
    imported(path)
    heads = _heads()
    again = imported(path)
    assert (again.counts["entries"], again.counts["rows_known"], again.counts["tickets_new"]) == (0, 5, 0)
    assert _heads() == heads
    assert not again.added.get("person")


def _heads() -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT kind, record_id, seq, hash FROM journal_head ORDER BY 1, 2")
        return list(cursor.fetchall())


def test_newer_rows_append_only_what_is_new(tmp_path: Path, people: NamedPeople) -> None:
    rows = a_life()
    imported(write_log(tmp_path / "march.csv", rows[:3]))
    ticket = Ticket.objects.get()
    actions.change_ticket(actor=people.actor("adam"), ticket_id=ticket.pk, changes={"urgency": 1, "tags": ["vip"]}, now=NOW)
    report = imported(write_log(tmp_path / "april.csv", rows))
    assert (report.counts["rows_known"], report.counts["entries"], report.counts["tickets_continued"]) == (3, 2, 1)
    ticket.refresh_from_db()
    entries = journal.entries_of("ticket", ticket.pk)
    assert (ticket.state, ticket.tags, ticket.urgency) == ("closed", ["vip"], 1)  # what people did here stands
    assert len(entries) == 6
    assert fold(entries) == journal_row(ticket)
    assert not journal.verify(["ticket"]).breaks


def test_an_older_row_than_what_came_in_is_rejected(tmp_path: Path) -> None:
    rows = a_life()
    imported(write_log(tmp_path / "a.csv", [rows[0], rows[2]]))
    report = imported(write_log(tmp_path / "b.csv", rows[:3]), rejects=tmp_path / "r.csv")
    assert (report.counts["entries"], report.counts["rejected"]) == (0, 1)
    assert "Older than what was imported" in rejected(tmp_path / "r.csv")[0]["reason"]


def test_a_dry_run_says_it_and_writes_nothing(tmp_path: Path) -> None:
    path = write_log(tmp_path / "log.csv", a_life())
    before = _heads()
    report = imported(path, dry=True)
    assert (report.counts["tickets_new"], report.counts["entries"]) == (1, 5)
    assert sorted(report.added["team"]) == ["Group 1", "Group 2"]
    assert (Ticket.objects.count(), Team.objects.count(), User.objects.count()) == (0, 0, 0)
    assert _heads() == before


def test_wrong_rows_are_listed_and_do_not_stop_the_rest(tmp_path: Path) -> None:
    rows = [
        *a_life(),
        log_row(number="INC0000502", incident_state="-100"),
        log_row(number="INC0000503", sys_updated_at="2024-31-31"),
        log_row(number="INC0000504", closed_at="1/3/2024 08:00"),
        log_row(number="INC0000505", sys_updated_at="4/3/2090 08:00"),
        log_row(number="INC0000506", priority="9 - Odd"),
        log_row(number="?"),
        log_row(number="INC0000507", sys_updated_at="3/28/2024 08:00"),
        log_row(number="INC0000508", caller_id="x" * 1_100_000),
        log_row(number="INC0000509"),
        log_row(number="INC0000509", priority="1 - Critical"),
        log_row(number="INC0000509"),
    ]
    report = imported(write_log(tmp_path / "log.csv", rows), rejects=tmp_path / "r.csv")
    found = {(r["line"], r["column"]): r["reason"] for r in rejected(tmp_path / "r.csv")}
    assert report.counts["rejected"] == len(found) == 9
    assert "no state" in found["7", "incident_state"]
    assert "Not a date" in found["8", "sys_updated_at"]
    assert "before it was opened" in found["9", "closed_at"]
    assert "in the future" in found["10", "sys_updated_at"]
    assert "from 1 to 5" in found["11", "priority"]
    assert "no ticket number" in found["12", "number"]
    assert "other way round" in found["13", "sys_updated_at"]
    assert "1,100,000 characters" in found["14", "caller_id"]
    assert "stands on line 15" in found["16", ""]
    assert sorted(Ticket.objects.values_list("number", flat=True)) == ["INC0000501", "INC0000509"]


def test_a_rejected_value_is_no_formula_in_a_spreadsheet(tmp_path: Path) -> None:
    imported(
        write_log(tmp_path / "log.csv", [log_row(incident_state='=HYPERLINK("x")'), log_row(incident_state="-100")]),
        rejects=tmp_path / "r.csv",
    )
    assert [r["value"] for r in rejected(tmp_path / "r.csv")] == ['\'=HYPERLINK("x")', "-100"]


def test_the_unknown_are_added_inactive_and_the_known_are_found(tmp_path: Path, people: NamedPeople) -> None:
    name = User.objects.get(pk=people.alan.pk).name
    team = Team.objects.first()
    assert team is not None
    row = log_row(assignment_group=team.name.upper(), assigned_to=name, cmdb_ci="srv-17")
    report = imported(write_log(tmp_path / "log.csv", [row]))
    ticket = Ticket.objects.get()
    assert (ticket.group_id, ticket.assignee_id) == (team.pk, people.alan.pk)
    assert sorted(report.added["person"]) == ["Caller 1", "Opened by 2", "Updated by 3"]
    assert not User.objects.get(name="Caller 1").is_active
    assert CI.objects.get(name="srv-17").status == "unknown"
    assert not Category.objects.get(name="Category 7").is_active
    assert not report.added.get("team")


def test_the_sources_number_is_kept_when_it_is_free_and_new_ones_start_behind(tmp_path: Path, people: NamedPeople) -> None:
    mine = actions.open_ticket(actor=people.actor("adam"), now=NOW, title="First here")
    imported(write_log(tmp_path / "log.csv", a_life(mine.number) + a_life("INC0009000")))
    there = Ticket.objects.get(external_id=mine.number)
    assert there.number != mine.number
    assert Ticket.objects.get(external_id="INC0009000").number == "INC0009000"
    assert actions.open_ticket(actor=people.actor("adam"), now=NOW, title="Next").number > "INC0009000"


def test_the_time_zone_of_the_file(tmp_path: Path) -> None:
    profile = PROFILES["servicenow-log"].reading({"time_zone": "Europe/Amsterdam"})
    path = write_log(
        tmp_path / "log.csv", [log_row(), log_row(sys_mod_count="1", sys_updated_at="31/3/2024 03:30", incident_state="Active")]
    )
    run_import(actor=ACTOR, request=Request(profile, [path]), now=NOW)
    entries = journal.entries_of("ticket", Ticket.objects.get().pk)
    assert [e.happened_at for e in entries] == [datetime(2024, 3, 4, 7, 5, tzinfo=UTC), datetime(2024, 3, 31, 1, 30, tzinfo=UTC)]


def test_only_who_may_import_may(tmp_path: Path, people: NamedPeople) -> None:
    request = Request(PROFILES["servicenow-log"], [write_log(tmp_path / "log.csv", a_life())])
    for handle in ("rita", "alan", "mona", "audrey"):
        with pytest.raises(Forbidden):
            run_import(actor=people.actor(handle), request=request, now=NOW)
    assert run_import(actor=people.actor("ana").through(Source.IMPORT), request=request, now=NOW).counts["tickets_new"] == 1


def test_what_was_imported_is_searchable_and_remembered(tmp_path: Path) -> None:
    imported(write_log(tmp_path / "log.csv", a_life()))
    with connection.cursor() as cursor:
        cursor.execute("SELECT title FROM search_document WHERE kind = 'ticket'")
        assert cursor.fetchall() == [("Category 7, Subcategory 8",)]
    kept = ImportedTicket.objects.get()
    assert (kept.last_revision, len(kept.positions)) == (5, 5)
    assert Service.objects.count() == 0
