"""A query's tickets as a file: CSV or XLSX, streamed, in bounded memory, in which no text can become a formula.

Who chose no columns gets those of the page and, behind them, what a reader of the file cannot look up: when a ticket was opened and
resolved, what it is about and where. `pilothouse mine` reads them.

Rows come through a cursor of the server, a few thousand at a time. Times are ISO 8601 in the actor's zone, which the column's
header names; references are names, choices their labels, lengths of time whole seconds.
"""

import csv
import io
import re
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any
from zoneinfo import ZoneInfo

from pilothouse.platform.access import Actor
from pilothouse.platform.refusals import FieldError, Invalid
from pilothouse.tickets import queries
from pilothouse.tickets.engine.fields import Field, FieldType
from pilothouse.tickets.engine.queue_language import Mistake

KINDS: Mapping[str, str] = {"csv": "text/csv; charset=utf-8", "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"}
MOST_XLSX_ROWS = 200_000  # a workbook is complete only at its end: more would keep the reader waiting for minutes
_ALSO = ("kind", "opened", "resolved", "closed", "requester", "service", "ci", "category", "subcategory", "channel", "reassignments")
_ALSO_OF: dict[str, tuple[str, ...]] = {}  # a kind of ticket: the columns of its own
_MORE = f"There are more than {MOST_XLSX_ROWS:,} tickets: narrow the query, or take the CSV."
_LONGEST_CELL = 32_767
_AT_ONCE = 2000
_CHUNK_BYTES = 256 * 1024
_BYTE_ORDER_MARK = "\ufeff"
# What a spreadsheet takes for the start of a formula, the full-width forms included; and what it skips before looking.
_STARTS = tuple("=+-@＝＋－＠")
_SKIPPED = "\ufeff\u200b\u200c\u200d\u2060\x00"
_BREAKS = tuple("\t\r\n")
# Where another cell begins for a spreadsheet that takes semicolons (as German ones do), tabs or bars for the delimiter: quotation marks do
# not protect what stands behind the first comma then.
_HIDDEN_START = re.compile(rf"""([;|\t\r\n])(?=(?:[^\S\t\r\n]|["{_SKIPPED}])*[{re.escape("".join(_STARTS))}])""")


@dataclass(frozen=True, slots=True)
class Export:
    """A file to send: its name, its type, and its bytes as they are made."""

    name: str
    content_type: str
    chunks: Iterator[bytes]


def register(kind: str, *columns: str) -> None:
    """Say which columns, by their names, an export has besides where a query finds tickets of a kind."""
    _ALSO_OF[kind] = columns


def export_tickets(
    actor: Actor, text: str, *, kind: str, now: datetime, columns: Iterable[str] = (), more: bool = False, byte_order_mark: bool = True
) -> Export | Mistake:
    """Return every visible ticket that a query finds, in its order, as a file of `kind` csv or xlsx; or the query's mistake.

    With `more` the columns are followed by those without which a file of tickets says little. `byte_order_mark` makes Excel read a CSV
    as UTF-8. Raises Invalid for another kind.
    """
    if kind not in KINDS:
        raise Invalid("There is no such kind of file.", [FieldError("kind", f"Not {kind}.", f"One of: {', '.join(KINDS)}.")])
    selection = queries.select(actor, text, now=now)
    if isinstance(selection, Mistake):
        return selection
    chosen, zone = queries.columns_of(columns), queries.zone_of(actor)
    if more:
        chosen = queries.columns_of([*(column.name for column in chosen), *_more_of(selection)])
    rows = _rows(selection, chosen, zone)
    header = [header_of(column, zone) for column in chosen]
    chunks = _csv(header, rows, byte_order_mark=byte_order_mark) if kind == "csv" else _xlsx(header, rows)
    name = f"tickets-{now.astimezone(zone):%Y-%m-%d-%H%M}.{kind}"
    return Export(name, KINDS[kind], chunks)


def _more_of(selection: queries.Selection) -> Iterator[str]:
    yield from _ALSO
    for kind, columns in _ALSO_OF.items():
        if selection.tickets.filter(kind=kind).exists():
            yield from columns


def header_of(column: Field, zone: ZoneInfo) -> str:
    """Return a column's header: its label, with the zone of its times and the unit of its lengths."""
    unit = {FieldType.INSTANT: zone.key, FieldType.DURATION: "seconds"}.get(column.type)
    return f"{column.label} ({unit})" if unit else column.label


def _rows(selection: queries.Selection, columns: Sequence[Field], zone: ZoneInfo) -> Iterator[list[str | int]]:
    records = selection.tickets.values(*queries.paths_of(columns)).iterator(chunk_size=_AT_ONCE)
    return ([_cell(record[column.shown], column, zone) for column in columns] for record in records)


def _cell(value: Any, column: Field, zone: ZoneInfo) -> str | int:
    """Return a value as a cell: a number stays one, everything else is text."""
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.astimezone(zone).isoformat(timespec="seconds")
    if isinstance(value, int):
        return value
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return column.values.get(value, value) if value else ""


def neutral(text: str) -> str:
    """Return text that a spreadsheet takes for text: an apostrophe goes before what it would take for a formula.

    >>> neutral("=1+1"), neutral("  @SUM(A1)"), neutral("a=b; c"), neutral("a;=1+1;b")
    ("'=1+1", "'  @SUM(A1)", 'a=b; c', "a;'=1+1;b")
    """
    text = _HIDDEN_START.sub(r"\1'", text)
    start = text.lstrip().lstrip(_SKIPPED).lstrip()
    return f"'{text}" if start.startswith(_STARTS) or text.startswith(_BREAKS) else text


def _csv(header: Sequence[str], rows: Iterable[Sequence[str | int]], *, byte_order_mark: bool) -> Iterator[bytes]:
    """Write CSV as RFC 4180 has it: CRLF, every text quoted, numbers bare."""
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer, quoting=csv.QUOTE_NONNUMERIC, lineterminator="\r\n")
    buffer.write(_BYTE_ORDER_MARK if byte_order_mark else "")
    writer.writerow(header)
    for row in rows:
        writer.writerow([cell if isinstance(cell, int) else neutral(cell) for cell in row])
        if buffer.tell() > _CHUNK_BYTES:
            yield _emptied(buffer)
    yield _emptied(buffer)


def _emptied(buffer: io.StringIO) -> bytes:
    text = buffer.getvalue()
    buffer.seek(0)
    buffer.truncate()
    return text.encode()


def _xlsx(header: Sequence[str], rows: Iterator[Sequence[str | int]]) -> Iterator[bytes]:
    """Write XLSX row by row to a file that goes when it has been sent; texts are written as texts, whatever they look like."""
    from xlsxwriter import Workbook  # heavy start-up: most processes write no workbook

    with tempfile.TemporaryFile(suffix=".xlsx") as file:
        with Workbook(file, {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False}) as book:
            sheet = book.add_worksheet("Tickets")
            sheet.freeze_panes(1, 0)
            bold = book.add_format({"bold": True})
            for at, title in enumerate(header):
                sheet.write_string(0, at, title, bold)
            for number, row in enumerate(islice(rows, MOST_XLSX_ROWS), start=1):
                _write_row(sheet.write_string, sheet.write_number, number, row)
            if next(rows, None) is not None:
                sheet.write_string(MOST_XLSX_ROWS + 1, 0, _MORE)
        file.seek(0)
        while chunk := file.read(_CHUNK_BYTES):
            yield chunk


def _write_row(text: Callable[..., Any], number: Callable[..., Any], at: int, row: Sequence[str | int]) -> None:
    for column, cell in enumerate(row):
        if isinstance(cell, int):
            number(at, column, cell)
        elif cell:
            text(at, column, cell[:_LONGEST_CELL])
