"""The real logs of ../shared/data, or a fixed part of them; skipped, visibly, where they are absent. No row of them is kept here."""

import csv
import gzip
from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from pilothouse.cmdb.models import CI, Service
from pilothouse.connectors.importing import Report, Request, run_import
from pilothouse.connectors.profiles import PROFILES
from pilothouse.people.models import Team, User
from pilothouse.platform import access, clock, journal
from pilothouse.platform.access import Source
from pilothouse.platform.journal import Entry, instant_text
from pilothouse.tickets.actions.fields import journal_row
from pilothouse.tickets.engine.replay import fold
from pilothouse.tickets.models import Ticket, TicketStory

DATA = Path(__file__).resolve().parents[3] / "shared" / "data"
UCI = DATA / "uci-servicenow-incident-log" / "incident_event_log.csv.gz"
INCIDENTS = DATA / "bpic2014-rabobank" / "detail_incident.csv.gz"
ACTIVITIES = DATA / "bpic2014-rabobank" / "eventlog.csv.gz"
ACTOR = access.system(Source.IMPORT)
FROM_UCI = {
    "title": None,
    "caller_id": "requester",
    "opened_by": "opened_by",
    "cmdb_ci": "ci",
    "assignment_group": "group",
    "assigned_to": "assignee",
    "category": "category",
    "subcategory": "subcategory",
}
STATES = {
    "New": ("new", ""),
    "Active": ("in_progress", ""),
    "Awaiting User Info": ("on_hold", "caller"),
    "Awaiting Vendor": ("on_hold", "vendor"),
    "Awaiting Problem": ("on_hold", "problem"),
    "Awaiting Evidence": ("on_hold", "other"),
    "Resolved": ("resolved", ""),
    "Closed": ("closed", ""),
}
CHANNELS = {"Phone": "phone", "Self service": "portal", "Email": "email"}
ELSEWHERE = {  # what has a home in the ticket or in the entry itself; everything else must be found in extra
    "number", "incident_state", "caller_id", "opened_by", "opened_at", "sys_updated_by", "sys_updated_at", "contact_type", "category",
    "subcategory", "cmdb_ci", "impact", "urgency", "priority", "assignment_group", "assigned_to", "closed_code", "resolved_by",
    "resolved_at", "closed_at",
}  # fmt: skip


def imported(profile: str, *paths: Path, **more: Any) -> Report:
    return run_import(actor=ACTOR, request=Request(PROFILES[profile], paths, **more), now=clock.now())


def a_third(path: Path) -> dict[str, list[dict[str, str]]]:
    """Write every third incident of the UCI log, whole, and those with a trap (the state -100); returns the rows by incident."""
    found: dict[str, list[dict[str, str]]] = defaultdict(list)
    with gzip.open(UCI, "rt", encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            found[row["number"]].append(row)
    traps = {number for number, rows in found.items() if any(row["incident_state"] == "-100" for row in rows)}
    chosen = {number: rows for number, rows in found.items() if number in traps or int(number.removeprefix("INC")) % 3 == 0}
    with path.open("w", encoding="utf-8", newline="") as out:
        writer = csv.DictWriter(out, next(iter(found.values()))[0])
        writer.writeheader()
        writer.writerows(row for rows in chosen.values() for row in rows)
    return chosen


def instant(text: str) -> datetime | None:
    return None if text == "?" else datetime.strptime(text, "%d/%m/%Y %H:%M").replace(tzinfo=UTC)


def expected(row: dict[str, str], names: dict[str, dict[int | None, str]]) -> dict[str, Any]:
    """The row as it must come back, knowing nothing that only later rows could know."""
    at = instant(row["sys_updated_at"])
    assert at is not None
    state, reason = STATES[row["incident_state"]]
    resolved, closed = instant(row["resolved_at"]), instant(row["closed_at"])
    is_resolved = resolved <= at if resolved else state in ("resolved", "closed")
    return {
        "number": row["number"],
        "state": state,
        "hold_reason": reason,
        "opened_at": instant_text(instant(row["opened_at"]) or at),
        "resolved_at": instant_text(resolved) if resolved and resolved <= at else None,
        "closed_at": instant_text(closed) if closed and closed <= at else None,
        "resolution_code": row["closed_code"] if is_resolved and row["closed_code"] != "?" else "",
        "impact": int(row["impact"][0]),
        "urgency": int(row["urgency"][0]),
        "priority": int(row["priority"][0]),
        "channel": CHANNELS.get(row["contact_type"], "other"),
        "resolved_by": row["resolved_by"] if is_resolved and row["resolved_by"] != "?" else None,
        **{field: " ".join(row[column].split()) if row[column] != "?" else "" for column, field in FROM_UCI.items() if field},
        **{f"extra.{c}": row[c] if row[c] != "?" else None for c in row if c not in ELSEWHERE},
    }


def shown(folded: dict[str, Any], names: dict[str, dict[int | None, str]], wanted: dict[str, Any]) -> dict[str, Any]:
    """The folded ticket in the same form."""
    found = {name: folded["extra"].get(name.removeprefix("extra.")) for name in wanted if name.startswith("extra.")}
    for name in ("requester", "opened_by", "assignee", "group", "ci"):
        found[name] = names[{"group": "team", "ci": "ci"}.get(name, "person")].get(folded[name], "")
    found["resolved_by"] = folded["extra"].get("resolved_by")
    return {**found, **{name: folded[name] for name in wanted if name not in found}}


def entries_by_ticket() -> Iterator[list[Entry]]:
    own: list[Entry] = []
    for batch in journal.stream(["ticket"]):
        for entry in batch:
            if own and own[0].record_id != entry.record_id:
                yield own
                own = []
            own.append(entry)
    yield own


@pytest.mark.timeout(300)
@pytest.mark.django_db
@pytest.mark.skipif(not UCI.exists(), reason="the UCI log is not in ../shared/data")
def test_every_row_of_the_servicenow_log_comes_back_from_the_journal(tmp_path: Path) -> None:
    log = a_third(tmp_path / "log.csv")
    written = sum(len(rows) for rows in log.values()) - 5
    assert len(log) > 8_000 and written > 45_000
    report = imported("servicenow-log", tmp_path / "log.csv", rejects=tmp_path / "rejects.csv")
    assert (report.counts["tickets_new"], report.counts["entries"], report.counts["rejected"]) == (len(log), written, 5)
    with (tmp_path / "rejects.csv").open(newline="") as file:
        rejected = list(csv.DictReader(file))
    assert {(r["column"], r["value"]) for r in rejected} == {("incident_state", "-100")}
    names: dict[str, dict[int | None, str]] = {
        "person": dict(User.objects.values_list("id", "name")),
        "team": dict(Team.objects.values_list("id", "name")),
        "ci": dict(CI.objects.values_list("id", "name")),
    }
    tickets = {t.pk: t for t in Ticket.objects.all()}
    stories = dict(TicketStory.objects.values_list("ticket_id", "reopen_count"))
    compared = 0
    for entries in entries_by_ticket():
        ticket = tickets[entries[0].record_id]
        rows = sorted(log[ticket.number], key=lambda r: (int(r["sys_mod_count"]), instant(r["sys_updated_at"])))
        rows = [row for row in rows if row["incident_state"] != "-100"]
        assert len(rows) == len(entries)
        folded: dict[str, Any] | None = None
        for entry, row in zip(entries, rows, strict=True):
            folded = fold([entry], folded)
            wanted = expected(row, names)
            assert shown(folded, names, wanted) == wanted
            assert entry.happened_at == instant(row["sys_updated_at"])
            assert names["person"].get(entry.actor_id, "?") == row["sys_updated_by"]
            compared += 1
        assert folded == journal_row(ticket)
        assert ticket.updated_at >= entries[-1].happened_at
    assert compared == written
    assert len(stories) == len(log)


@pytest.mark.timeout(300)
@pytest.mark.django_db
@pytest.mark.skipif(not ACTIVITIES.exists(), reason="the BPI Challenge 2014 files are not in ../shared/data")
def test_some_of_the_service_manager_incidents_with_their_activities(tmp_path: Path) -> None:
    incidents, activities = tmp_path / "incidents.csv", tmp_path / "activities.csv"
    with gzip.open(INCIDENTS, "rt", encoding="latin-1", newline="") as file:
        lines = file.readlines()
    with gzip.open(ACTIVITIES, "rt", encoding="utf-8", newline="") as file:
        events = file.readlines()
    incidents.write_text("".join([lines[0], *(line for line in lines[1:] if _is_chosen(line.split(";")[4]))]), encoding="latin-1")
    activities.write_text("".join([events[0], *(line for line in events[1:] if _is_chosen(line.split(",")[0]))]), encoding="utf-8")
    report = imported("hp-service-manager", activities, incidents, rejects=tmp_path / "rejects.csv")
    assert report.counts["rejected"] == 0
    assert report.counts["tickets_new"] == Ticket.objects.count() > 400
    tickets = {t.number: t for t in Ticket.objects.select_related("ci", "service", "group")}
    log = _activities(activities)
    with incidents.open(encoding="latin-1", newline="") as file:
        for row in csv.DictReader(file, delimiter=";"):
            if row["Incident ID"]:
                _check_incident(row, tickets[row["Incident ID"]], log[row["Incident ID"]])
    for entries in entries_by_ticket():
        _check_history(entries, log[fold(entries)["number"]])
    assert Service.objects.exists()
    again = imported("hp-service-manager", incidents, activities)
    assert again.counts["entries"] == 0


def _is_chosen(number: str) -> bool:
    return number.lstrip("\ufeff").strip().endswith("07")


def _activities(path: Path) -> dict[str, list[tuple[datetime, str, str]]]:
    """The log by incident: when, what, which group; some numbers in the middle of the file bear a mark."""
    found: dict[str, list[tuple[datetime, str, str]]] = defaultdict(list)
    with path.open(encoding="utf-8-sig", newline="") as file:
        for row in list(csv.reader(file))[1:]:
            at = datetime.strptime(row[2], "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC)
            found[row[0].lstrip("\ufeff")].append((at, row[1], row[3]))
    return found


def _check_incident(row: dict[str, str], ticket: Ticket, log: list[tuple[datetime, str, str]]) -> None:
    assert ticket.state == {"Closed": "closed", "Work in progress": "in_progress"}[row["Status"]]
    assert str(ticket.priority) == row["Priority"]
    assert ticket.ci is not None
    assert ticket.ci.name == row["CI Name (aff)"]
    assert ticket.group is not None
    assert ticket.group.name in {group for at, _, group in log if at == max(log)[0]}
    logged = max((at for at, what, _ in log if what == "Resolved"), default=None) if ticket.state == "closed" else None
    for value, text, otherwise in (
        (ticket.opened_at, row["Open Time"], None),
        (ticket.resolved_at, row["Resolved Time"], logged),
        (ticket.closed_at, row["Close Time"], None),
    ):
        assert value == (datetime.strptime(text, "%d/%m/%Y %H:%M:%S").replace(tzinfo=UTC) if text else otherwise)
    folded = fold(journal.entries_of("ticket", ticket.pk)) if ticket.pk % 5 == 0 else None
    assert folded is None or folded == journal_row(ticket)


def _check_history(entries: list[Entry], log: list[tuple[datetime, str, str]]) -> None:
    """Every activity is an entry of its own instant, no entry lies before another, none knows what comes later."""
    instants = [entry.happened_at for entry in entries]
    assert instants == sorted(instants)
    assert not Counter(at for at, _, _ in log) - Counter(instants)
    for entry in entries:
        for change in entry.changes:
            if change.field in ("resolved_at", "closed_at") and change.after:
                assert datetime.fromisoformat(change.after) <= entry.happened_at
    reopened = sum(entry.verb == "ticket.reopened" for entry in entries)
    assert reopened >= sum(what == "Reopen" for _, what, _ in log)
