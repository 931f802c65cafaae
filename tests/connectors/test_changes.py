"""Changes from files: their life in order, their CIs, wrong rows with their reason, a second run; and the real log of a bank's changes."""

import csv
import gzip
from collections import Counter, defaultdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from pilothouse.changes.actions.detail import detail_of
from pilothouse.changes.models import AffectedCI, Change
from pilothouse.changes.queries import changes_for_mining
from pilothouse.cmdb.models import CI
from pilothouse.connectors.importing import Report, Request, run_import
from pilothouse.connectors.profiles import PROFILES
from pilothouse.platform import access, journal, projections
from pilothouse.platform.access import Source
from pilothouse.tickets import queries as queue
from pilothouse.tickets.actions.fields import journal_row
from pilothouse.tickets.engine.replay import fold
from pilothouse.tickets.models import Ticket

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
ACTOR = access.system(Source.IMPORT)
DATA = Path(__file__).resolve().parents[3] / "shared" / "data" / "bpic2014-rabobank" / "detail_change.csv.gz"
pytestmark = pytest.mark.django_db

HEADER = (
    "CI Name (aff);CI Type (aff);CI Subtype (aff);Service Component WBS (aff);Change ID;Change Type;Risk Assessment;Emergency Change;"
    "Planned Start;Planned End;Actual Start;Actual End;Change record Open Time;Change record Close Time;Originated from"
)
ROWS = (
    "SRV1;computer;Server;WBS7;C901;Release Type 11;Business Change;N;5-2-2026 20:00;5-2-2026 23:00;5-2-2026 20:10;5-2-2026 21:00;"
    "1-2-2026 9:13;6-2-2026 8:00;Problem",
    "SRV2;computer;Server;WBS8;C901;Release Type 11;Business Change;N;5-2-2026 20:00;5-2-2026 23:00;5-2-2026 20:10;5-2-2026 21:00;"
    "1-2-2026 9:13;6-2-2026 8:00;Problem",
    "SRV1;computer;Server;WBS7;C902;Standard Activity Type 3;Minor Change;N;7-2-2026 20:00;7-2-2026 23:00;;;4-2-2026 9:13;;Incident",
    "SRV1;computer;Server;WBS7;C903;Release Type 1;Minor Change;Y;7-2-2026 20:00;7-2-2026 19:00;;;4-2-2026 9:13;;Incident",
    "SRV1;computer;Server;WBS7;C904;Release Type 1;Minor Change;Y;7-2-2026 20:00;7-2-2026 21:00;3-2-2026 10:00;;4-2-2026 9:13;;Incident",
)


def imported(*paths: Path, profile: str = "hp-service-manager", **more: Any) -> Report:
    return run_import(actor=ACTOR, request=Request(PROFILES[profile], paths, **more), now=NOW)


def written(path: Path, *rows: str, header: str = HEADER) -> Path:
    path.write_text("\n".join([header, *rows]) + "\n")
    return path


def at(text: str) -> datetime:
    return datetime.strptime(text, "%d-%m-%Y %H:%M").replace(tzinfo=UTC)


def test_a_change_is_planned_begun_ended_and_closed(tmp_path: Path) -> None:
    report = imported(written(tmp_path / "c.csv", *ROWS), rejects=tmp_path / "r.csv")
    assert (report.counts["tickets_new"], report.counts["rejected"]) == (3, 1)
    change = Change.objects.get(ticket__number="C901")
    ticket, detail = change.ticket, detail_of(change.pk)
    entries = journal.entries_of("ticket", ticket.pk)
    assert [(entry.verb, entry.happened_at) for entry in entries] == [
        ("ticket.opened", at("1-2-2026 9:13")),
        ("change.planned", at("1-2-2026 9:13")),
        ("change.begun", at("5-2-2026 20:10")),
        ("change.ended", at("5-2-2026 21:00")),
        ("ticket.closed", at("6-2-2026 8:00")),
    ]
    assert fold(entries) == journal_row(ticket)
    assert (ticket.kind, ticket.external_id, ticket.state, ticket.title) == ("change", "C901", "closed", "Release Type 11, Server, SRV1")
    assert [CI.objects.get(pk=pk).name for pk in detail["cis"]] == ["SRV1", "SRV2"]
    assert ticket.ci is not None
    assert ticket.service is not None
    assert (ticket.ci.name, ticket.service.name) == ("SRV1", "WBS7")
    assert (change.type, change.risk, change.planned_end_at) == ("normal", "moderate", at("5-2-2026 23:00"))
    assert {name: ticket.extra[name] for name in ("Change Type", "Risk Assessment", "Originated from")} == {
        "Change Type": "Release Type 11",
        "Risk Assessment": "Business Change",
        "Originated from": "Problem",
    }
    assert [Change.objects.get(ticket__number=number).type for number in ("C902", "C904")] == ["standard", "emergency"]
    assert Ticket.objects.get(number="C902").state == "scheduled"
    early = Ticket.objects.get(number="C904")  # its work began before the record was opened: history stays in order
    assert [entry.happened_at for entry in journal.entries_of("ticket", early.pk)] == [at("4-2-2026 9:13")] * 3
    assert detail_of(early.pk)["actual_start_at"] == at("3-2-2026 10:00")


def test_wrong_rows_are_listed_and_nothing_comes_in_twice(tmp_path: Path) -> None:
    path = written(tmp_path / "c.csv", *ROWS)
    imported(path, rejects=tmp_path / "r.csv")
    with (tmp_path / "r.csv").open(newline="") as file:
        (wrong,) = csv.DictReader(file)
    assert (wrong["line"], wrong["column"], wrong["value"]) == ("5", "Planned End", "7-2-2026 19:00")
    assert wrong["reason"].startswith("The planned end is before the planned start")
    before = list(Change.objects.order_by("pk").values())
    again = imported(path)
    assert (again.counts["entries"], list(Change.objects.order_by("pk").values())) == (0, before)
    ended = ROWS[2].replace(";;;4-2-2026 9:13;;", ";7-2-2026 20:30;7-2-2026 21:00;4-2-2026 9:13;8-2-2026 8:00;")
    later = imported(written(tmp_path / "later.csv", *ROWS[:2], ended, ROWS[2].replace("SRV1", "SRV3")))
    assert later.counts["tickets_continued"] == 1
    moved = Ticket.objects.get(number="C902")
    assert moved.state == "closed"
    assert [CI.objects.get(pk=pk).name for pk in detail_of(moved.pk)["cis"]] == ["SRV1", "SRV3"]
    kept = list(Change.objects.order_by("pk").values())
    projections.rebuild("change_detail")
    assert list(Change.objects.order_by("pk").values()) == kept


def test_a_dry_run_counts_and_writes_nothing(tmp_path: Path) -> None:
    report = imported(written(tmp_path / "c.csv", *ROWS), dry=True)
    assert (report.counts["tickets_new"], report.counts["rejected"], Ticket.objects.count(), CI.objects.count()) == (3, 1, 0, 0)


def test_servicenows_change_table(tmp_path: Path) -> None:
    header = "number,short_description,state,type,risk,cmdb_ci,start_date,end_date,work_start,work_end,opened_at,closed_at,"
    header += "close_code,backout_plan"
    path = written(
        tmp_path / "change_request.csv",
        "CHG0000077,Patch,Closed,Standard,Moderate,srv-9,2026-02-05 20:00:00,2026-02-05 22:00:00,2026-02-05 20:05:00,2026-02-05 20:50:00,"
        "2026-02-01 08:00:00,2026-02-06 08:00:00,Successful with issues,Put it back",
        "CHG0000078,Wait,Authorize,Normal,Low,srv-9,2026-04-05 20:00:00,2026-04-05 22:00:00,,,2026-02-01 08:00:00,,,",
        header=header,
    )
    assert imported(path, profile="servicenow").counts["rejected"] == 0
    done, waits = Change.objects.order_by("pk")
    assert (done.ticket.number, done.ticket.state, done.type, done.risk) == ("CHG0000077", "closed", "standard", "moderate")
    assert (done.outcome, done.rollback_plan, waits.ticket.state) == ("with_issues", "Put it back", "assessed")
    assert waits.planned_start_at == datetime(2026, 4, 5, 20, tzinfo=UTC)


@pytest.mark.skipif(not DATA.exists(), reason="../shared/data/bpic2014-rabobank is not here")
def test_a_part_of_the_banks_changes_comes_in_whole(tmp_path: Path) -> None:
    """The first 3,000 rows: each change with its CIs, its times and its words; the second run adds nothing."""
    with gzip.open(DATA, "rt", encoding="utf-8-sig") as file:
        lines = [next(file) for _ in range(3001)]
    path = tmp_path / "detail_change.csv"
    path.write_text("".join(lines), encoding="utf-8")
    report = imported(path, rejects=tmp_path / "r.csv")
    rows = list(csv.DictReader(lines, delimiter=";"))
    by_change: dict[str, list[dict[str, str]]] = defaultdict(list)
    for row in rows:
        by_change[row["Change ID"]].append(row)
    assert report.counts["tickets_new"] == Change.objects.count() == len(by_change)
    assert report.counts["rejected"] == 0
    touched = Counter(AffectedCI.objects.values_list("change__ticket__number", flat=True))
    assert touched == {number: len({row["CI Name (aff)"] for row in own}) for number, own in by_change.items()}
    for change in Change.objects.select_related("ticket", "ticket__service")[:200]:
        first = by_change[change.ticket.number][0]
        assert change.actual_end_at == (at(first["Actual End"]) if first["Actual End"] else None)
        assert change.planned_start_at == (at(first["Planned Start"]) if first["Planned Start"] else None)
        assert (change.type == "emergency") == (first["Emergency Change"] == "Y")
        assert change.ticket.extra["Risk Assessment"] == first["Risk Assessment"]
    assert imported(path).counts["entries"] == 0
    read = changes_for_mining(datetime(2000, 1, 1, tzinfo=UTC), NOW)
    assert len(read) > 0.9 * len(by_change)
    assert all(each.start <= each.end for each in read)
    page = queue.list_tickets(ACTOR, "outcome:none sort:planned-start", now=NOW)
    assert len(page.rows) == 50
