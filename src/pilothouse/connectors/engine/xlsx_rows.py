"""Reading Excel workbooks (.xlsx), row by row. A workbook is a zip archive from a stranger: its sizes are looked at first."""

import zipfile
from collections.abc import Iterator
from datetime import date, datetime, time
from typing import Any, BinaryIO

from pilothouse.connectors.engine.tables import MOST_COLUMNS, BadFile, Blank, Row, Table, fitted, tidy_header

LARGEST_UNPACKED = 4_000_000_000  # bytes
LARGEST_SHARED = 400_000_000  # bytes of shared texts, which are held in memory
_HIGHEST_RATIO = 200
_SMALL = 50_000_000  # below this a high ratio does no harm
_BROKEN = (zipfile.BadZipFile, KeyError, ValueError, OSError, EOFError, SyntaxError)


def read_xlsx(stream: BinaryIO, *, sheet: str = "") -> Table:
    """Open a workbook's sheet (the first unless named); memory holds its shared texts and one row."""
    from openpyxl import load_workbook  # heavy start-up: who reads no workbook does without
    from openpyxl.utils.exceptions import InvalidFileException

    _check_sizes(stream)
    try:
        book = load_workbook(stream, read_only=True, data_only=True, keep_links=False)
    except (InvalidFileException, *_BROKEN) as error:
        raise BadFile(f"The workbook cannot be opened ({error}); save it again as .xlsx without a password.") from error
    if sheet and sheet not in book.sheetnames:
        raise BadFile(f"The workbook has no sheet “{sheet}”; it has {', '.join(book.sheetnames)}.")
    page: Any = book[sheet] if sheet else book.worksheets[0]
    blank = Blank()
    rows = _cells(page, blank)
    first = next(rows, None)
    if first is None:
        raise BadFile("The sheet is empty.")
    header = tidy_header(first.cells)
    return Table(header, (Row(row.line, fitted(row.cells, len(header))) for row in rows), "xlsx", blank=blank)


def _check_sizes(stream: BinaryIO) -> None:
    try:
        with zipfile.ZipFile(stream) as archive:
            parts = archive.infolist()
    except zipfile.BadZipFile as error:
        raise BadFile(f"The workbook is broken ({error}); was it copied to the end?") from error
    unpacked, packed = sum(part.file_size for part in parts), sum(part.compress_size for part in parts)
    shared = sum(part.file_size for part in parts if part.filename.endswith("sharedStrings.xml"))
    if unpacked > LARGEST_UNPACKED or (unpacked > _SMALL and unpacked > packed * _HIGHEST_RATIO):
        raise BadFile(f"The workbook unpacks from {packed:,} to {unpacked:,} bytes; that is refused as a trap. Save it as CSV.")
    if shared > LARGEST_SHARED:
        raise BadFile(f"The workbook's texts take {shared:,} bytes; that is more than is held in memory. Save it as CSV.")
    if not any(part.filename == "[Content_Types].xml" for part in parts):
        raise BadFile("This is a zip archive, not a workbook; unpack it and import the files in it.")
    stream.seek(0)


def _cells(page: Any, blank: Blank) -> Iterator[Row]:
    """Yield the rows that hold something; those without a value count where one that holds something follows."""
    last = 0
    try:
        for line, values in enumerate(page.iter_rows(values_only=True, max_col=MOST_COLUMNS + 1), start=1):
            if any(value is not None and value != "" for value in values):
                blank.rows += line - last - 1 if last else 0
                last = line
                yield Row(line, [_text(value) for value in values])
    except _BROKEN as error:
        raise BadFile(f"The workbook breaks off ({error}); was it copied to the end?") from error


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() else repr(value)
    if isinstance(value, datetime):
        return value.isoformat(sep=" ", timespec="seconds")
    return value.isoformat() if isinstance(value, date | time) else str(value)
