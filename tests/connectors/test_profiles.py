"""The profiles beside the update log, on small files in the shape of the real ones."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from pilothouse.connectors.engine.mapping_file import apply_file
from pilothouse.connectors.engine.suggest import suggest
from pilothouse.connectors.engine.tables import BadFile
from pilothouse.connectors.importing import Report, Request, run_import
from pilothouse.connectors.profiles import PROFILES
from pilothouse.platform import access, journal
from pilothouse.platform.access import Source
from pilothouse.tickets.actions.fields import journal_row
from pilothouse.tickets.engine.replay import fold
from pilothouse.tickets.models import Ticket

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
ACTOR = access.system(Source.IMPORT)
pytestmark = pytest.mark.django_db


def imported(profile: Any, *paths: Path, **more: Any) -> Report:
    profile = PROFILES[profile] if isinstance(profile, str) else profile
    return run_import(actor=ACTOR, request=Request(profile, paths, **more), now=NOW)


def told(ticket: Ticket) -> list[tuple[str, str]]:
    entries = journal.entries_of("ticket", ticket.pk)
    assert fold(entries) == journal_row(ticket)
    return [(entry.verb, f"{entry.happened_at:%d %H:%M}") for entry in entries]


RECORD = {
    "number": "INC0010001",
    "short_description": "Mail is slow",
    "state": "7",
    "priority": "2",
    "opened_at": "2026-02-01 08:00:00",
    "sys_updated_on": "2026-02-05 10:00:00",
    "resolved_at": "2026-02-03 09:00:00",
    "closed_at": "2026-02-05 10:00:00",
    "close_code": "Solved (Permanently)",
    "close_notes": "Restarted",
    "assignment_group": {"display_value": "Mail", "link": "x"},
    "made_sla": "true",
}


def test_a_table_export_is_read_as_a_life(tmp_path: Path) -> None:
    (tmp_path / "incident.json").write_text(json.dumps({"result": [RECORD]}))
    imported("servicenow", tmp_path / "incident.json")
    ticket = Ticket.objects.get()
    assert told(ticket) == [("ticket.opened", "01 08:00"), ("ticket.resolved", "03 09:00"), ("ticket.closed", "05 10:00")]
    assert (ticket.resolution_code, ticket.resolution_notes, ticket.extra) == ("solved", "Restarted", {"made_sla": "true"})


def test_a_later_export_continues_and_the_same_one_adds_nothing(tmp_path: Path) -> None:
    early = {
        **RECORD,
        "state": "In Progress",
        "resolved_at": "",
        "closed_at": "",
        "close_code": "",
        "close_notes": "",
        "sys_updated_on": "2026-02-02 08:00:00",
    }
    (tmp_path / "a.json").write_text(json.dumps([early]))
    (tmp_path / "b.json").write_text(json.dumps([RECORD]))
    imported("servicenow", tmp_path / "a.json")
    imported("servicenow", tmp_path / "b.json")
    assert imported("servicenow", tmp_path / "b.json").counts["entries"] == 0
    ticket = Ticket.objects.get()
    assert told(ticket) == [("ticket.opened", "01 08:00"), ("ticket.started", "02 08:00"), ("ticket.closed", "05 10:00")]


def test_the_same_ticket_twice_in_one_table_is_rejected(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text(json.dumps([RECORD, {**RECORD, "priority": "1"}]))
    report = imported("servicenow", tmp_path / "a.json", rejects=tmp_path / "r.csv")
    assert (report.counts["tickets_new"], report.counts["rejected"]) == (1, 1)
    assert "The same ticket stands on line 1" in (tmp_path / "r.csv").read_text()


JIRA = """Summary,Issue key,Issue id,Issue Type,Status,Priority,Assignee,Reporter,Created,Updated,Resolved,Labels,Labels,Comment,Comment
Cannot print,DESK-7,1001,Bug,Done,High,Ann Bell,Bob Carr,03/Feb/26 9:15 AM,04/Feb/26 10:00 AM,04/Feb/26 10:00 AM,\
printer,floor2,"03/Feb/26 11:00 AM;Ann Bell;Which printer; the new one?","03/Feb/26 11:30 AM;Bob Carr;Yes"
"""


def test_jira_repeats_columns(tmp_path: Path) -> None:
    (tmp_path / "jira.csv").write_text(JIRA)
    imported("jira-csv", tmp_path / "jira.csv")
    ticket = Ticket.objects.get(number="DESK-7")
    assert told(ticket)[:3] == [("ticket.opened", "03 09:15"), ("ticket.commented", "03 11:00"), ("ticket.commented", "03 11:30")]
    assert (ticket.state, ticket.tags, ticket.priority) == ("closed", ["floor2", "printer"], 2)
    assert [e.note for e in journal.entries_of("ticket", ticket.pk) if e.note] == ["Which printer; the new one?", "Yes"]
    (tmp_path / "later.csv").write_text(JIRA.replace("04/Feb/26 10:00 AM,04", "05/Feb/26 10:00 AM,04").replace("floor2", "floor3"))
    assert imported("jira-csv", tmp_path / "later.csv").counts["entries"] == 1  # the comments came in before


HP_INCIDENTS = """CI Name (aff);Service Component WBS (aff);Incident ID;Status;Impact;Urgency;Priority;Category;Open Time;\
Resolved Time;Close Time;Handle Time (Hours);Closure Code;;
SUB1;WBS7;IM0000901;Closed;4;4;4;incident;05/02/2024 13:32:57;06/02/2024 09:50:27;06/02/2024 09:51:17;3,75;Softwäre;;
;;;;;;;;;;;;;;
"""
HP_LOG = """\ufeffIncident ID,Detail Incident Activity.IncidentActivity_Type,Detail Incident Activity.DateStamp,\
Detail Incident Activity.Assignment Group
IM0000901,Closed,2024-02-06 09:51:17,TEAM2
IM0000901,Open,2024-02-05 13:32:57,TEAM1
\ufeffIM0000901,Reassignment,2024-02-05 14:00:00,TEAM2
IM0000901,Pending vendor,2024-02-05 15:00:00,TEAM2
IM0000901,Communication with customer,2024-02-05 16:00:00,TEAM2
IM0000901,Update,2024-02-05 17:00:00,TEAM2
IM0000902,Open,2024-02-05 17:00:00,TEAM2
"""


def test_service_managers_activities_become_entries(tmp_path: Path) -> None:
    (tmp_path / "incidents.csv").write_text(HP_INCIDENTS, encoding="latin-1")
    (tmp_path / "log.csv").write_text(HP_LOG)
    report = imported("hp-service-manager", tmp_path / "incidents.csv", tmp_path / "log.csv", rejects=tmp_path / "r.csv")
    ticket = Ticket.objects.get()
    assert told(ticket) == [
        ("ticket.opened", "05 13:32"),
        ("ticket.noted", "05 13:32"),
        ("ticket.assigned", "05 14:00"),
        ("ticket.held", "05 15:00"),
        ("ticket.commented", "05 16:00"),
        ("ticket.noted", "05 17:00"),
        ("ticket.resolved", "06 09:50"),
        ("ticket.closed", "06 09:51"),
    ]
    assert ticket.group is not None
    assert (ticket.group.name, ticket.impact, ticket.priority, ticket.resolution_code) == ("TEAM2", 3, 4, "Softwäre")
    assert ticket.extra["Handle Time (Hours)"] == "3.75"
    assert report.counts["rejected"] == 1
    assert "no incident of this number" in (tmp_path / "r.csv").read_text()
    again = imported("hp-service-manager", tmp_path / "incidents.csv", tmp_path / "log.csv")
    assert again.counts["entries"] == 0


def test_service_managers_log_is_completed_from_the_incident(tmp_path: Path) -> None:
    """The log ends with the first close; the row knows of the reopening, and of an opening after the first activity."""
    header, _ = HP_INCIDENTS.split("\n", 1)
    reopened = header.replace("Resolved Time", "Reopen Time;Resolved Time") + (
        "\nSUB1;WBS7;IM0000901;Closed;4;4;4;incident;05/02/2024 13:33:57;04/03/2024 08:34:13;"
        "04/03/2024 08:34:32;04/03/2024 08:34:36;3,75;X;;\n"
    )
    (tmp_path / "incidents.csv").write_text(reopened, encoding="latin-1")
    (tmp_path / "log.csv").write_text(HP_LOG)
    imported("hp-service-manager", tmp_path / "incidents.csv", tmp_path / "log.csv")
    ticket = Ticket.objects.get()
    assert told(ticket)[:2] == [("ticket.opened", "05 13:32"), ("ticket.noted", "05 13:32")]
    assert told(ticket)[-4:] == [
        ("ticket.closed", "06 09:51"),
        ("ticket.reopened", "04 08:34"),
        ("ticket.resolved", "04 08:34"),
        ("ticket.closed", "04 08:34"),
    ]
    assert ticket.opened_at == datetime(2024, 2, 5, 13, 33, 57, tzinfo=UTC)
    first_close = next(e for e in journal.entries_of("ticket", ticket.pk) if e.verb == "ticket.closed")
    assert {c.field: c.after for c in first_close.changes}["closed_at"].startswith("2024-02-06")
    assert (ticket.story.reopen_count, ticket.closed_at) == (1, datetime(2024, 3, 4, 8, 34, 36, tzinfo=UTC))
    assert ticket.extra["Reopen Time"] == "04/03/2024 08:34:13"


OTHER = """Ticket ID,Subject,Status,Created,Last update,Team,Severity
T-1,No sound,Offen,13.02.2026 10:00,13.02.2026 10:00,Workplace,Critical
T-1,No sound,Erledigt,13.02.2026 10:00,14.02.2026 10:00,Workplace,Critical
"""
MAPPING = """
system = "house-desk"
key = "Ticket ID"
updated = "Last update"
history = true
time_zone = "Europe/Berlin"
date_formats = ["%d.%m.%Y %H:%M"]

[columns]
title = "Subject"
state = "Status"
opened_at = "Created"
group = "Team"
priority = "Severity"

[values.state]
"Offen" = "new"
"Erledigt" = "closed"
[values.priority]
"Critical" = 1
"""


def test_any_table_with_a_mapping_file(tmp_path: Path) -> None:
    (tmp_path / "other.csv").write_text(OTHER)
    imported(apply_file(PROFILES["generic"], MAPPING), tmp_path / "other.csv")
    ticket = Ticket.objects.get(external_system="house-desk", external_id="T-1")
    assert told(ticket) == [("ticket.opened", "13 09:00"), ("ticket.closed", "14 09:00")]
    assert (ticket.number, ticket.priority) == ("T-1", 1)


@pytest.mark.parametrize(
    ("said", "answer"),
    [
        ("", "must say: system, key"),
        ('system = "x"\nkey = "k"', "must name the columns of: state, opened_at"),
        ('sistem = "x"', "Did you mean “system”"),
        ("[columns]\nstatus = 'Status'", "a ticket has no “status”. Did you mean “state”"),
        ("[values.state]\nOpen = 'nwe'", "Did you mean “new”"),
        ("[values.state]\nOpen = 'on_hold:nobody'", "hold's reasons have no “nobody”"),
        ("[values.priority]\nHigh = 7", "from 1 to 5"),
        ("history = 'yes'", "must be true or false"),
        ("time_zone = 'Mars/Base'", "no time zone “Mars/Base”"),
        ("not toml", "is not TOML"),
    ],
)
def test_a_mapping_files_mistakes_are_named(said: str, answer: str) -> None:
    with pytest.raises(BadFile) as caught:
        apply_file(PROFILES["generic"], said)
    assert answer in str(caught.value)


def test_a_mapping_file_is_drafted_and_works_once_the_doubts_are_settled(tmp_path: Path) -> None:
    lines = [line.split(",") for line in OTHER.splitlines()]
    draft = suggest(lines[0], lines[1:], system="other")
    assert 'key = "Ticket ID"' in draft
    assert "history = true" in draft
    assert 'date_formats = ["%d.%m.%Y %H:%M"]' in draft
    assert '"Critical" = 1' in draft
    assert '# ? "Offen" = ' in draft
    settled = draft.replace('# ? "Offen" = ', '"Offen" = "new"').replace('# ? "Erledigt" = ', '"Erledigt" = "closed"')
    (tmp_path / "other.csv").write_text(OTHER)
    assert imported(apply_file(PROFILES["generic"], settled), tmp_path / "other.csv").counts["rejected"] == 0
    assert Ticket.objects.get().state == "closed"
