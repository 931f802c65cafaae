"""`pilothouse mine` as it is typed: no server, no database; every bad file gives a sentence, never a traceback."""

import csv
import gzip
import io
import json
import os
import random
import subprocess
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Browser

from pilothouse.connectors.engine import ticket_columns
from pilothouse.connectors.engine.formats import open_table
from pilothouse.connectors.engine.tables import BadFile
from pilothouse.connectors.engine.ticket_columns import Read
from pilothouse.connectors.profiles import PROFILES
from tests.browser import SIZES, no_violations
from tests.problems.made import Desk, failing_client, reboots


def mine(*arguments: str | Path, where: Path) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if name != "DATABASE_URL"} | {"PILOTHOUSE_DATA": str(where / "none")}
    line = [sys.executable, "-m", "pilothouse.cli", "mine", *map(str, arguments)]
    return subprocess.run(line, capture_output=True, text=True, cwd=where, env=environment, timeout=100)


def write(path: Path, header: Sequence[str], rows: Sequence[Sequence[str]]) -> Path:
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([header, *rows])
    return path


@pytest.fixture(scope="module")
def export(tmp_path_factory: pytest.TempPathFactory) -> Path:
    desk = Desk(np.random.default_rng(4))
    desk.steady(2500)
    reboots(desk)
    failing_client(desk)
    hostile = "<script>alert(1)</script><img src=x onerror=alert(2)> \u202e\x1b[31m"
    header = ("Ticket Number", "Summary", "Created", "Configuration Item", "os", "Service", "Location")
    rows = [
        (
            f"T{i}",
            title + (hostile if fact == "tunnel" else ""),
            datetime.fromtimestamp(at, UTC).strftime("%d/%m/%Y %H:%M"),
            facts.get("CI", ""),
            facts.get("os", ""),
            facts.get("service", ""),
            facts.get("site", ""),
        )
        for i, (at, title, facts, fact) in enumerate(zip(desk.opened, desk.titles, desk.facts, desk.planted, strict=True))
    ]
    return write(tmp_path_factory.mktemp("mine") / "export.csv", header, rows)


def test_an_export_that_no_profile_knows_is_read_by_its_column_names(export: Path, tmp_path: Path) -> None:
    done = mine(export, where=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "told from the column names" in done.stdout
    assert "every 10.0 days" in " ".join(done.stdout.split())
    assert "\x1b" not in done.stdout and "Traceback" not in done.stderr
    assert not (tmp_path / "none").exists()  # no instance was made


def test_json_says_the_same_with_every_basis(export: Path, tmp_path: Path) -> None:
    done = mine(export, "--json", where=tmp_path)
    found = json.loads(done.stdout)
    reboot = next(each for each in found["candidates"] if "period" in each["rhythm"])
    assert abs(reboot["rhythm"]["period"]["days"] - 10) < 0.1
    assert {"events", "due", "jitter", "chance"} <= set(reboot["rhythm"]["period"])
    tunnel = next(each for each in found["candidates"] if each["facets"])
    assert tunnel["facets"][0]["value"] == "system 5"
    assert {"count", "known", "expected", "chance"} <= set(tunnel["facets"][0])
    assert len(reboot["tickets"]) == reboot["ticket_count"]
    assert mine(export, "--json", where=tmp_path).stdout == done.stdout


def test_the_page_stands_alone_and_hostile_text_stays_text(export: Path, tmp_path: Path, chromium: Browser) -> None:
    out = tmp_path / "report.html"
    done = mine(export, "--html", out, where=tmp_path)
    assert done.returncode == 0, done.stderr
    text = out.read_text()
    assert "<script" not in text and "<img" not in text and "\u202e" not in text
    assert "http:" not in text.replace("http-equiv", "") and "https:" not in text
    for width, scheme in SIZES:
        page = chromium.new_page(viewport={"width": width, "height": 800}, color_scheme=scheme, bypass_csp=True)  # axe is a script
        asked: list[str] = []
        page.on("request", lambda request, asked=asked: asked.append(request.url))
        page.goto(out.as_uri())
        assert asked == [out.as_uri()]
        assert page.locator("article svg").count() >= 2
        no_violations(page)
        page.close()


def read(content: str) -> Read:
    """Read a file as the command does where no profile is named."""
    table = open_table(io.BytesIO(content.encode()), "t.csv")
    chosen = ticket_columns.choose(PROFILES.values(), table.header, list(table.rows)[:500], "t.csv")
    return ticket_columns.read(chosen, open_table(io.BytesIO(content.encode()), "t.csv"), "t.csv")


_END_WRITTEN = "State,Channel,Reassignments,Bounces,Reopens,Held (seconds),Hold reason,Resolution code,Resolution,First owned (UTC)"


@pytest.mark.parametrize("numbered", [True, False])
def test_rows_in_any_order_are_the_same_tickets_and_what_is_written_at_the_end_is_no_fact(*, numbered: bool) -> None:
    header = f"{'Number' if numbered else 'Remark'},Title,Opened (UTC),CI,Site,{_END_WRITTEN}"
    rows = [
        f"T{i},printer {i % 7},2026-01-{i % 28 + 1:02d}T10:{i % 3:02d}:00+00:00,P{i % 5},S{i % 2},"
        f"New {i % 4},phone {i % 3},{i % 4},{i % 2},{i % 2},{i % 9},for {i % 3},code {i % 3},end {i % 4},2026-02-0{i % 5 + 1}T10:00Z"
        for i in range(600)
    ]
    dealt = list(rows)
    random.Random(4).shuffle(dealt)
    first, *others = (read("\n".join([header, *order])) for order in (rows, rows[::-1], dealt))
    assert set(first.tickets.facts) == {"CI", "site"} and first.remarks == ()
    assert first.tickets.reassigned is not None and set(first.tickets.reassigned.tolist()) == {0, 1, 2, 3}
    for each in others:
        assert each.tickets.titles == first.tickets.titles
        assert np.array_equal(np.asarray(each.tickets.opened), np.asarray(first.tickets.opened))
        assert not numbered or list(each.tickets.keys) == list(first.tickets.keys)
        for name, fact in first.tickets.facts.items():
            assert each.tickets.facts[name].names == fact.names and np.array_equal(each.tickets.facts[name].codes, fact.codes)


_REMARKED = {
    "half the rows empty": ("number,title\n" + "1,a\n,\n" * 200, "Rows without any value, which were passed over: 200."),
    "one number in every row": (
        "number,title\n" + "1,a\n" * 400,
        "400 rows are 1 ticket: of rows with the same “number” the last one counts.",
    ),
    "no column understood": ("foo,bar\n1,2\n3,4\n", "No column was understood by its name; the file has “foo”, “bar”. A mapping file"),
    "a text of a megabyte": (f"number,title,description\n1,{'x' * 3000},{'y' * 1_048_576}\n", "as it was longer than is read: 1."),
    "a NUL": ("number,title\n1,a\x00b\n", "Rows of which NUL characters were left out: 1."),
}


@pytest.mark.parametrize("name", _REMARKED)
def test_what_a_reader_may_not_expect_is_said(name: str) -> None:
    content, said = _REMARKED[name]
    found = read(content)
    assert not found.rejects and len(found.tickets) >= 1
    assert any(said in remark for remark in found.remarks), found.remarks


def test_a_file_of_which_no_row_can_be_read_is_refused_with_the_reason() -> None:
    with pytest.raises(BadFile, match=r"no row could be read\. Line 2, “Opened”: Not a date in the form ISO 8601"):
        read("Number,Title,Opened\n1,a,yesterday\n2,b,soon\n")


_HEADER = ("number", "title", "opened", "ci")
_BAD: dict[str, Sequence[Sequence[str]]] = {
    "one ticket": [("1", "printer", "2026-01-01 10:00", "P1")],
    "all times equal": [(str(i), "printer", "2026-01-01 10:00", f"P{i % 7}") for i in range(300)],
    "all tickets identical": [("1", "printer", "2026-01-01 10:00", "P1")] * 200,
    "half the rows empty": [(str(i), "printer broken" if i % 2 else "", "2026-01-01 10:00" if i % 2 else "", "") for i in range(200)],
    "a text of a megabyte": [("1", "word " * 190_000, "2026-01-01 10:00", ""), *[(str(i), "x", "2026-01-02 10:00", "") for i in range(60)]],
    "control characters": [(str(i), "a\x07\x1b[2Jb \x85", f"2026-01-{i % 28 + 1:02d} 10:00", "\x08") for i in range(100)],
    "no rows": [],
}

_SAID = {"one ticket": "There is one ticket;", "all tickets identical": "200 rows are 1 ticket: of rows with the same “number”"}


@pytest.mark.parametrize("name", _BAD)
def test_bad_input_gives_a_sensible_answer(name: str, tmp_path: Path) -> None:
    done = mine(write(tmp_path / "bad.csv", _HEADER, _BAD[name]), "--html", tmp_path / "out.html", "--json", where=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    found = json.loads(done.stdout)
    assert found["candidates"] == [] and found["remarks"]
    assert _SAID.get(name, "") in found["remarks"][0]
    assert len(_BAD[name]) != 1 or not any("same instant" in remark for remark in found["remarks"])


@pytest.fixture
def beside(tmp_path: Path) -> list[str | Path]:
    """Files of changes (one of them three days before the tunnels begin to drop), CIs and relations, as options."""
    noise = [(f"C{i}", f"{i % 28 + 1}-{i % 12 + 1}-2025 10:00", "", f"WS-{i}", "routine", "N") for i in range(150)]
    true = ("C-TRUE", "19-07-2025 20:00", "19-07-2025 22:00", "tunnel client", "new software", "Y")
    header = ("Change ID", "Planned Start", "Actual End", "CI Name (aff)", "Change Type", "CAB-approval needed")
    changes = write(tmp_path / "changes.csv", header, [*noise, true, ("C-NEVER", "", "", "WS-1", "routine", "N")])
    pairs = [(f"WS-{i}", "tunnel client") for i in range(200)]
    relations = write(tmp_path / "relations.csv", ("CI", "Depends on"), [*pairs, ("WS-1", "WS-1"), ("", "WS-2")])
    cis = write(tmp_path / "cis.csv", ("Name", "Class", "Serial"), [(f"WS-{i}", "laptop", f"S{i}") for i in range(200)])
    return ["--changes", changes, "--relations", relations, "--cis", cis]


def test_changes_and_relations_hint_at_causes(export: Path, beside: list[str | Path], tmp_path: Path) -> None:
    done = mine(export, *beside, "--json", where=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "1 rows without a number or a time" in done.stderr
    tunnel = next(each for each in json.loads(done.stdout)["candidates"] if any(f["value"] == "system 5" for f in each["facets"]))
    [cause, *_] = tunnel["causes"]
    assert (cause["key"], cause["at"]) == ("C-TRUE", "2025-07-19T22:00:00+00:00")
    assert tunnel["raised"]["tickets"] >= 4 and tunnel["raised"]["seconds"] > 0


def test_a_mapping_file_gives_changes_the_zone_of_the_tickets(export: Path, beside: list[str | Path], tmp_path: Path) -> None:
    """Both were written by one clock: in July New York is four hours behind UTC."""
    columns = {"title": "Summary", "opened_at": "Created", "ci": "Configuration Item", "service": "Service", "state": "os"}
    lines = ['system = "ours"', 'key = "Ticket Number"', 'time_zone = "America/New_York"', "[columns]"]
    mapping = tmp_path / "ours.toml"
    mapping.write_text("\n".join([*lines, *(f'{name} = "{column}"' for name, column in columns.items())]))
    done = mine(export, "--map", mapping, *beside, "--json", where=tmp_path)
    assert done.returncode == 0, done.stderr
    causes = [cause for each in json.loads(done.stdout)["candidates"] for cause in each["causes"] if cause["key"] == "C-TRUE"]
    assert {cause["at"] for cause in causes} == {"2025-07-20T02:00:00+00:00"}


@pytest.mark.parametrize(
    ("option", "header", "says"),
    [
        ("--changes", ("a", "b"), "no column names the changes"),
        ("--changes", ("number", "b"), "no column says when"),
        ("--cis", ("a", "b"), "no column names the CIs"),
        ("--relations", ("a",), "needs two"),
    ],
)
def test_files_beside_the_tickets_that_do_not_fit_are_named(option: str, header: Sequence[str], says: str, tmp_path: Path) -> None:
    tickets = write(tmp_path / "t.csv", ("number", "title"), [("1", "printer")])
    done = mine(tickets, option, write(tmp_path / "beside.csv", header, [("1",) * len(header)]), where=tmp_path)
    assert done.returncode == 1
    assert says in done.stderr and "beside.csv" in done.stderr and "Traceback" not in done.stderr


def test_no_time_column_is_said(tmp_path: Path) -> None:
    rows = [(str(i), f"printer {i % 5} broken", f"P{i % 9}") for i in range(300)]
    done = mine(write(tmp_path / "t.csv", ("number", "title", "ci"), rows), where=tmp_path)
    assert done.returncode == 0
    assert "No ticket says when it was opened" in done.stdout


@pytest.mark.parametrize(
    ("content", "arguments", "code", "says"),
    [
        (b"", (), 1, "empty"),
        (b"%PDF-1.7", (), 1, "PDF"),
        (gzip.compress(b"number,title\n1,a\n" * 5000, mtime=0)[:60], (), 1, "breaks off"),
        (b"a,b\n1,2\n", ("--profile", "nothing"), 2, "no profile"),
        (b"a,b\n1,2\n", ("--profile", "servicenow"), 1, "lacks"),
        (b"a,b\n1,2\n", ("--mapping", "missing.toml"), 1, "missing.toml"),
        (b"a,b\n1,2\n", ("--map", "missing.toml"), 1, "missing.toml"),
        (b"number,title\n1,a\n", ("--changes", "missing.csv"), 1, "missing.csv"),
    ],
)
def test_what_cannot_be_read_is_named(content: bytes, arguments: Sequence[str], code: int, says: str, tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(content)
    done = mine(path, *arguments, where=tmp_path)
    assert done.returncode == code, done.stderr
    assert says in done.stderr and "Traceback" not in done.stderr


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    done = mine(tmp_path / "nothing.csv", where=tmp_path)
    assert done.returncode == 1 and "No such file" in done.stderr
