"""Exports as a spreadsheet opens them: everything is there, and no text becomes a formula."""

import csv
import io
import re
import tracemalloc
from datetime import datetime

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from openpyxl import load_workbook

from pilothouse.connectors.engine import ticket_columns
from pilothouse.connectors.engine.formats import open_table
from pilothouse.connectors.profiles import PROFILES
from pilothouse.platform.access import Actor
from pilothouse.platform.refusals import Invalid
from pilothouse.tickets.engine.fields import FIELDS
from pilothouse.tickets.engine.queue_language import Mistake
from pilothouse.tickets.exports import Export, export_tickets, neutral
from pilothouse.tickets.models import Ticket
from pilothouse.tickets.queries import list_tickets
from tests import kept
from tests.tickets import desk_of_tickets
from tests.tickets.desk_of_tickets import Desk
from tests.tickets.queries_at_random import NOW

pytestmark = pytest.mark.django_db
EVERY = [declared.name for declared in FIELDS]
DANGEROUS = ("=", "+", "-", "@")


desk = kept.for_the_module(desk_of_tickets.set_up)


def export(actor: Actor, text: str, kind: str, columns: list[str], *, byte_order_mark: bool = False) -> bytes:
    made = export_tickets(actor, text, kind=kind, now=NOW, columns=columns, byte_order_mark=byte_order_mark)
    assert isinstance(made, Export)
    return b"".join(made.chunks)


def as_csv(content: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(content.decode(), newline="")))


def as_xlsx(content: bytes) -> list[list[object]]:
    sheet = load_workbook(io.BytesIO(content)).active
    assert sheet is not None
    for cells in sheet.iter_rows():
        assert all(cell.data_type != "f" and cell.hyperlink is None for cell in cells)
    return [list(row) for row in sheet.iter_rows(values_only=True)]


def test_both_kinds_hold_the_list_in_its_order(desk: Desk) -> None:
    listed = [row.number for row in list_tickets(desk.agent, "is:open sort:priority,-opened", now=NOW, limit=200).rows]
    columns = ["number", "title", "priority", "group", "opened"]
    rows = as_csv(export(desk.agent, "is:open sort:priority,-opened", "csv", columns))
    assert rows[0] == ["Number", "Title", "Priority", "Group", "Opened (Europe/Berlin)"]
    assert [row[0] for row in rows[1:]] == listed
    sheet = as_xlsx(export(desk.agent, "is:open sort:priority,-opened", "xlsx", columns))
    assert [row[0] for row in sheet[1:]] == listed
    for texts, cells in zip(rows[1:], sheet[1:], strict=True):
        assert texts == ["" if cell is None else str(cell) for cell in cells]
        assert isinstance(cells[2], int)
        ticket = Ticket.objects.get(number=texts[0])
        assert datetime.fromisoformat(texts[4]) == ticket.opened_at
        assert texts[4].endswith(("+01:00", "+02:00"))


def test_every_column_can_be_exported(desk: Desk) -> None:
    rows = as_csv(export(desk.manager, "", "csv", EVERY))
    assert len(rows) == 61
    assert {len(row) for row in rows} == {len(EVERY)}
    assert len(as_xlsx(export(desk.manager, "", "xlsx", EVERY))) == 61


def test_who_chose_no_columns_gets_what_can_be_mined(desk: Desk) -> None:
    made = export_tickets(desk.manager, "sort:opened", kind="csv", now=NOW, columns=["priority", "number", "title", "opened"], more=True)
    assert isinstance(made, Export)
    content = b"".join(made.chunks)
    header = as_csv(content.removeprefix(b"\xef\xbb\xbf"))[0]
    assert header[:4] == ["Priority", "Number", "Title", "Opened (Europe/Berlin)"]
    assert len(set(header)) == len(header) and not [name for name in header if name.startswith(("Planned", "Actual"))]
    table = open_table(io.BytesIO(content), "tickets.csv")
    chosen = ticket_columns.choose(PROFILES.values(), table.header, list(table.rows), "tickets.csv")
    read = ticket_columns.read(chosen, open_table(io.BytesIO(content), "tickets.csv"), "tickets.csv")
    assert not read.remarks and read.tickets.times() is not None
    assert all("before it was opened" in reject.reason for reject in read.rejects)  # as it may be at this desk
    assert set(read.tickets.facts) <= {"CI", "service", "group", "assignee", "requester", "category", "subcategory"}


def test_a_person_exports_only_what_they_see(desk: Desk) -> None:
    own = as_csv(export(desk.requester, "", "csv", ["number"]))[1:]
    assert {row[0] for row in own} == {row.number for row in list_tickets(desk.requester, "", now=NOW, limit=200).rows}


def test_excel_is_told_that_it_is_utf_8(desk: Desk) -> None:
    assert export(desk.manager, "", "csv", [], byte_order_mark=True).startswith(b"\xef\xbb\xbf")
    assert not export(desk.manager, "", "csv", []).startswith(b"\xef\xbb\xbf")


def test_a_mistake_comes_back_and_another_kind_is_refused(desk: Desk) -> None:
    assert isinstance(export_tickets(desk.manager, "grop:x", kind="csv", now=NOW), Mistake)
    with pytest.raises(Invalid):
        export_tickets(desk.manager, "", kind="pdf", now=NOW)


CELLS = st.text(
    alphabet=st.one_of(st.sampled_from("=+-@\t\r\n \u00a0\ufeff\u200b\"',;|＝1a(!"), st.characters(exclude_categories=["Cs", "Cn"])),
    max_size=12,
)


@given(CELLS)
@example("=cmd|' /C calc'!A0")
@example(" \t =1+1")
@example("\ufeff=1")
@example("\u00a0-2+3")
@example("\r=1")
@example("a;=1+1;b")
@example('a;"=1+1;b')
@example("a;\n=1")
@example(";;\ufeff@x")
def test_neutral_text_never_starts_a_formula(text: str) -> None:
    cell = neutral(text)
    assert cell.replace("'", "") == text.replace("'", "")
    assert not cell.strip().strip("\ufeff\u200b").strip().startswith(DANGEROUS)
    assert not cell.startswith(("\t", "\r", "\n"))
    for piece in re.split(r"[;|\t\r\n]", cell)[1:]:  # cells of a spreadsheet that knows other delimiters than the comma
        assert not piece.strip().strip('\ufeff\u200b"').strip().startswith(DANGEROUS)


def as_semicolons(content: bytes) -> list[str]:
    """The cells as a spreadsheet opens the file by a click where semicolons are the delimiter.

    A quotation mark has a meaning only where a cell begins, or within a cell that began with one.
    """
    cells: list[str] = []
    for line in content.decode().split("\r\n"):
        rest = line
        while rest:
            found = re.match(r'"((?:[^"]|"")*)"?([^;]*);?|([^;]*);?', rest, re.DOTALL)
            assert found
            cells.append((found[1] or "").replace('""', '"') + (found[2] or "") + (found[3] or ""))
            rest = rest[max(found.end(), 1) :]
    return cells


@pytest.mark.parametrize("title", ["a;=1+1;b", 'a;"=1+1;b', "a;  +1;b", "a\t=1", ";=cmd|' /C calc'!A0;", "a;＝1+1;"])
def test_semicolons_within_a_text_start_no_formula(desk: Desk, title: str) -> None:
    ticket = Ticket.objects.earliest("pk")
    Ticket.objects.filter(pk=ticket.pk).update(title=title, category=title)
    content = export(desk.manager, f"number:{ticket.number}", "csv", ["number", "title", "category", "state"])
    assert not [cell for cell in as_semicolons(content) if cell.strip(' "').startswith((*DANGEROUS, "＝"))]
    assert [
        cell for cell in as_semicolons(content.replace(b"'", b"")) if cell.strip(' "\t').startswith((*DANGEROUS, "＝"))
    ] or "\t" in title


@given(title=CELLS.filter(lambda text: "\x00" not in text), category=CELLS.filter(lambda text: "\x00" not in text))
@example(title='=HYPERLINK("http://x","y")', category="@SUM(1)")
@example(title="http://example.org", category="{=1}")
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_typed_text_becomes_a_formula_or_changes(desk: Desk, title: str, category: str) -> None:
    ticket = Ticket.objects.earliest("pk")
    Ticket.objects.filter(pk=ticket.pk).update(title=title, category=category)
    columns = ["title", "category", "bounces"]
    row = as_csv(export(desk.manager, f"number:{ticket.number}", "csv", columns))[1]
    assert row[:2] == [neutral(title), neutral(category)]
    assert row[2].isdigit()
    sheet = as_xlsx(export(desk.manager, f"number:{ticket.number}", "xlsx", columns))  # it asserts that no cell is a formula
    assert isinstance(sheet[1][2], int)
    if title.isprintable():
        assert (sheet[1][0] or "") == title


def test_rows_are_read_in_portions(desk: Desk) -> None:
    """The list is never held whole: what a long export holds at its peak does not grow with the rows."""
    template = Ticket.objects.earliest("pk")
    Ticket.objects.bulk_create([_copy(template, number) for number in range(6000)], batch_size=2000)
    peaks = []
    for text in ("number:INC0000001,REQ0000001", ""):
        made = export_tickets(desk.manager, text, kind="csv", now=NOW, columns=["number", "title"])
        assert isinstance(made, Export)
        tracemalloc.start()
        sizes = [len(chunk) for chunk in made.chunks]
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert sum(sizes) > 6000 * 40
    assert peaks[1] < 12_000_000
    with CaptureQueriesContext(connection) as taken:
        export(desk.manager, "", "csv", ["number", "group", "assignee"])
    assert len(taken) <= 1


def _copy(ticket: Ticket, number: int) -> Ticket:
    copy = Ticket(**{field.attname: getattr(ticket, field.attname) for field in Ticket._meta.concrete_fields if not field.primary_key})
    copy.number, copy.external_id, copy.title = f"INC9{number:06d}", "", "a title of some length " * 3
    return copy
