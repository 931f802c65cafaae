"""Files that are not what they should be: each is refused with a sentence that helps, or its wrong rows are."""

import gzip
import io
import json
import zipfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from openpyxl import Workbook

from pilothouse.connectors.engine.csv_rows import read_csv
from pilothouse.connectors.engine.dates import formats_of, is_undecided
from pilothouse.connectors.engine.formats import Reading, open_table
from pilothouse.connectors.engine.tables import BadFile, faults
from pilothouse.connectors.importing import Request, run_import
from pilothouse.connectors.profiles import PROFILES
from pilothouse.platform import access
from pilothouse.platform.access import Source
from pilothouse.tickets.models import Ticket
from tests.connectors.files import LOG_HEADER, a_life, log_row, write_log

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
ACTOR = access.system(Source.IMPORT)


def refused(path: Path, profile: str = "servicenow-log") -> str:
    with pytest.raises(BadFile) as caught:
        run_import(actor=ACTOR, request=Request(PROFILES[profile], [path]), now=NOW)
    assert Ticket.objects.count() == 0
    return str(caught.value)


def _cut_gzip(path: Path) -> None:
    rows = [row for i in range(400) for row in a_life(f"INC{i:07d}")]
    write_log(path, rows)
    path.write_bytes(path.read_bytes()[:-2000])


def _bomb(path: Path) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
        archive.writestr("xl/worksheets/sheet1.xml", b"\x00" * 80_000_000)


def _zip(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("log.csv", "number\n")


CASES: dict[str, tuple[str, Callable[[Path], object], str]] = {
    "empty": ("log.csv", lambda p: p.write_bytes(b""), "The file is empty"),
    "blank lines only": ("log.csv", lambda p: p.write_bytes(b"\n\n\n"), "The file is empty"),
    "cut gzip": ("log.csv.gz", _cut_gzip, "breaks off after line"),
    "gzip in name only": ("log.csv.gz", lambda p: p.write_text("number\n"), "its content is not gzip"),
    "missing columns": ("log.csv", lambda p: p.write_text("number,priority\nINC1,1\n"), "a column named: incident_state or state"),
    "a workbook named csv": ("log.csv", _bomb, "its content is an Excel workbook"),
    "text named xlsx": ("log.xlsx", lambda p: p.write_text("number\n1\n"), "its content is delimited text"),
    "text named json": ("log.json", lambda p: p.write_text("number\n1\n"), "its content is delimited text"),
    "zip bomb": ("log.xlsx", _bomb, "refused as a trap"),
    "zip of files": ("log.xlsx", _zip, "a zip archive, not a workbook"),
    "cut workbook": ("log.xlsx", lambda p: p.write_bytes(b"PK\x03\x04 and no more"), "The workbook is broken"),
    "pdf": ("log.csv", lambda p: p.write_bytes(b"%PDF-1.7"), "The content is a PDF"),
    "old workbook": ("log.xls", lambda p: p.write_bytes(b"\xd0\xcf\x11\xe0 old"), "save it as .xlsx"),
    "binary": ("log.csv", lambda p: p.write_bytes(b"a,b\n\x00\x01\x02"), "The content is not text"),
    "json cut": ("log.json", lambda p: p.write_text('[{"number": "INC1"}, {"num'), "breaks off"),
    "json list without end": ("log.json", lambda p: p.write_text('[{"number": "INC1"},'), "its list does not end"),
    "json of texts": ("log.json", lambda p: p.write_text('["a"]'), "where a record"),
    "deep json": ("log.json", lambda p: p.write_text("[" + '{"a":' * 200_000), "nested too deeply"),
    "no file": ("log.csv", lambda p: None, "No such file"),
    "open quotation": ("log.csv", lambda p: p.write_text(",".join(LOG_HEADER) + '\n"INC1' + ",x" * 200), "missing"),
}


@pytest.mark.django_db
@pytest.mark.parametrize("case", CASES)
def test_a_file_that_cannot_be_read_is_refused_whole(tmp_path: Path, case: str) -> None:
    name, write, said = CASES[case]
    write(tmp_path / name)
    if case == "open quotation":  # it reads as one row of one giant cell
        report = run_import(actor=ACTOR, request=Request(PROFILES["servicenow-log"], [tmp_path / name]), now=NOW)
        assert report.counts["rejected"] == 1
        return
    assert said in refused(tmp_path / name)


@pytest.mark.django_db
def test_a_wrong_encoding_names_the_rows(tmp_path: Path) -> None:
    rows = [log_row(), log_row(number="INC0000502", category="Käse")]
    path = write_log(tmp_path / "log.csv", rows, encoding="latin-1")
    profile = PROFILES["servicenow-log"].reading({"encoding": "utf-8"})
    report = run_import(actor=ACTOR, request=Request(profile, [path], rejects=tmp_path / "r.csv"), now=NOW)
    assert (report.counts["tickets_new"], report.counts["rejected"]) == (1, 1)
    assert "do not fit the file's encoding" in (tmp_path / "r.csv").read_text()
    told = run_import(actor=ACTOR, request=Request(PROFILES["servicenow-log"], [path]), now=NOW)
    assert told.counts["tickets_new"] == 1
    assert Ticket.objects.get(number="INC0000502").category == "Käse"


@pytest.mark.django_db
def test_mixed_date_formats_are_refused_where_the_profile_has_none(tmp_path: Path) -> None:
    path = tmp_path / "incidents.csv"
    path.write_text("number,state,opened_at,short_description\nINC1,New,13/02/2026 10:00,A\nINC2,New,02/14/2026 10:00,B\n")
    assert "mixes date formats" in refused(path, "servicenow")


@pytest.mark.django_db
def test_a_cell_of_ten_megabytes_rejects_its_row_only(tmp_path: Path) -> None:
    path = write_log(tmp_path / "log.csv", [log_row(category="x" * 10_000_000), log_row(number="INC0000502")])
    report = run_import(actor=ACTOR, request=Request(PROFILES["servicenow-log"], [path], rejects=tmp_path / "r.csv"), now=NOW)
    assert (report.counts["tickets_new"], report.counts["rejected"]) == (1, 1)
    assert "10,000,000 characters" in (tmp_path / "r.csv").read_text()


def table(content: bytes, name: str = "a.csv", reading: Reading | None = None) -> tuple[tuple[str, ...], list[tuple[int, list[str]]]]:
    found = open_table(io.BytesIO(content), name, reading or Reading())
    return found.header, [(row.line, list(row.cells)) for row in found.rows]


def test_delimiters_and_encodings_are_told() -> None:
    assert table("a;b\nä;1,5\n".encode("latin-1")) == (("a", "b"), [(2, ["ä", "1,5"])])
    assert table("\ufeffa\tb\n1\t2\n".encode()) == (("a", "b"), [(2, ["1", "2"])])
    assert table("a,b\n€,2\n".encode("cp1252")) == (("a", "b"), [(2, ["€", "2"])])
    assert table("a,b\n1,2\n".encode("utf-16")) == (("a", "b"), [(2, ["1", "2"])])
    assert table(gzip.compress(b"a,b\n1,2\n"), "a.csv.gz") == (("a", "b"), [(2, ["1", "2"])])
    assert table(b"a,b\n1,2\n", reading=Reading(delimiter=";")) == (("a,b",), [(2, ["1,2"])])


def test_a_stray_nul_costs_its_row_and_no_more() -> None:
    """It is in nearly every large export that some old system wrote; a file full of them is no text."""
    found = open_table(io.BytesIO(b"a,b\n1,x\x00y\n2,z\n"), "a.csv")
    wrong = [faults(row, 2, "a.csv", found.header) for row in found.rows]
    assert [each and each.reason for each in wrong] == ["The cell contains a NUL character.", None]
    for content in (bytes(range(256)) * 20, b"a,b\n" + b"1\x00,\x002\x00" * 50):
        with pytest.raises(BadFile, match="not text"):
            open_table(io.BytesIO(content), "a.csv")


def test_rows_without_any_value_are_counted() -> None:
    found = open_table(io.BytesIO(b"a,b\n1,2\n,\n\n,\n3,4\n"), "a.csv")
    assert [list(row.cells) for row in found.rows] == [["1", "2"], ["3", "4"]]
    assert found.blank.rows == 2


def test_lines_are_counted_where_a_row_begins() -> None:
    assert table(b'a,b\n"x\ny",2\n\n3,4\n,\n5\n') == (("a", "b"), [(2, ["x\ny", "2"]), (5, ["3", "4"]), (7, ["5", ""])])


def test_unnamed_columns_at_the_end_are_dropped_and_too_many_cells_are_a_fault() -> None:
    found = open_table(io.BytesIO(b"a,b,,\n1,2,,\n1,2,3\n"), "a.csv")
    rows = list(found.rows)
    assert (found.header, faults(rows[0], 2, "a.csv", found.header)) == (("a", "b"), None)
    wrong = faults(rows[1], 2, "a.csv", found.header)
    assert wrong is not None
    assert (wrong.line, wrong.reason[:19]) == (3, "The row has 3 cells")


def test_a_broken_line_of_json_is_its_own_fault() -> None:
    lines = ['{"a": 1}', '{"a": "cut off', "", '["no record"]', '{"a": 3, "b": 4} {"a": 5}', '{"a": 6},', "\udcff", '{"a": 7}']
    found = open_table(io.BytesIO("\n".join(lines).encode(errors="surrogateescape")), "a.jsonl")
    rows = list(found.rows)
    assert found.header == ("a", "b")
    assert [(row.line, list(row.cells)) for row in rows if not row.fault] == [
        (1, ["1", ""]),
        (5, ["3", "4"]),
        (5, ["5", ""]),
        (6, ["6", ""]),
        (8, ["7", ""]),
    ]
    wrong = [reject for row in rows if row.fault and (reject := faults(row, 2, "a.jsonl", found.header))]
    assert [(reject.line, reject.value) for reject in wrong] == [(2, '{"a": "cut off'), (4, '["no record"]'), (7, "?")]
    assert "no whole JSON record" in wrong[0].reason
    assert "a list where a record" in wrong[1].reason


def test_a_broken_first_line_of_json_does_not_hide_the_others() -> None:
    assert [row.fault != "" for row in open_table(io.BytesIO(b'{"a": 1\n{"a": 2}\n'), "a.jsonl").rows] == [True, False]


def test_names_of_late_records_are_columns_too() -> None:
    records = [{"number": str(i)} | ({"late": "x"} if i == 2999 else {}) for i in range(3000)]
    for text in ("\n".join(map(json.dumps, records)), json.dumps(records)):
        header, rows = table(gzip.compress(text.encode()), "a.json.gz")
        assert (header, rows[2999][1]) == (("number", "late"), ["2999", "x"])
        assert table(text.encode(), "a.json", Reading(columns=header))[1][0][1] == ["0", ""]


@pytest.mark.django_db
def test_broken_json_lines_are_rejected_and_the_rest_comes_in(tmp_path: Path) -> None:
    whole = [{"number": f"INC{i}", "state": "New", "opened_at": "2026-02-01 10:00:00", "short_description": "A"} for i in range(3)]
    lines = [*map(json.dumps, whole[:2]), '{"number": "INC9", "sta', json.dumps(whole[2] | {"u_late": "kept"})]
    (tmp_path / "log.jsonl").write_text("\n".join(lines))
    request = Request(PROFILES["servicenow"], [tmp_path / "log.jsonl"], rejects=tmp_path / "r.csv")
    report = run_import(actor=ACTOR, request=request, now=NOW)
    assert (report.counts["tickets_new"], report.counts["rejected"]) == (3, 1)
    assert "log.jsonl,3,," in (tmp_path / "r.csv").read_text()
    assert Ticket.objects.get(number="INC2").extra["u_late"] == "kept"


@pytest.mark.parametrize("form", ["array", "result", "lines", "pretty"])
def test_json_in_its_forms(form: str) -> None:
    records = [{"number": f"INC{i}", "caller": {"display_value": "Ann", "value": "9f"}, "tags": ["a", "b"], "n": i} for i in range(3000)]
    text = {
        "array": json.dumps(records),
        "result": json.dumps({"result": records}),
        "lines": "\n".join(json.dumps(record) for record in records),
        "pretty": json.dumps(records, indent=2),
    }[form]
    header, rows = table(text.encode(), "a.json")
    assert header == ("number", "caller", "tags", "n")
    assert [cells for _, cells in rows] == [[f"INC{i}", "Ann", "a\nb", str(i)] for i in range(3000)]
    assert rows[2][0] == {"array": 1, "result": 1, "lines": 3, "pretty": 26}[form]


def test_a_workbook(tmp_path: Path) -> None:
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(["Number", "Opened", "Count", "Flag"])
    sheet.append(["INC1", datetime(2026, 2, 3, 10, 30), 4.0, True])  # noqa: DTZ001  workbooks know no zones
    sheet.append([None, None])
    sheet.append(["INC2"])
    second = book.create_sheet("Other")
    second.append(["x"])
    book.save(tmp_path / "a.xlsx")
    content = (tmp_path / "a.xlsx").read_bytes()
    first, second_row = (2, ["INC1", "2026-02-03 10:30:00", "4", "true"]), (4, ["INC2", "", "", ""])
    assert table(content, "a.xlsx") == (("Number", "Opened", "Count", "Flag"), [first, second_row])
    found = open_table(io.BytesIO(content), "a.xlsx")
    assert len(list(found.rows)) == 2 and found.blank.rows == 1
    assert table(content, "a.xlsx", Reading(sheet="Other"))[0] == ("x",)
    with pytest.raises(BadFile, match="it has Sheet, Other"):
        table(content, "a.xlsx", Reading(sheet="No"))


def test_an_unknown_encoding_is_named() -> None:
    with pytest.raises(BadFile, match="no encoding “klingon”"):
        read_csv(io.BytesIO(b"a\n"), b"a\n", encoding="klingon")


def test_date_formats_are_told_from_a_column() -> None:
    assert formats_of(["1/2/2026 10:00", "13/2/2026 10:00"], "opened") == ("%d/%m/%Y %H:%M",)
    assert formats_of(["1/2/2026", "2/13/2026"], "opened") == ("%m/%d/%Y",)
    assert formats_of(["2026-02-13T10:00:00Z"], "opened") == ()
    assert formats_of(["01/Feb/26 10:15 AM"], "opened") == ("%d/%b/%y %I:%M %p",)
    assert is_undecided(["1/2/2026", "3/4/2026"])
    assert not is_undecided(["1/2/2026", "30/4/2026"])
