"""What every reader gives: a table of text, row by row; and what is said when a file or a row is wrong.

A file that cannot be read at all raises BadFile, with a sentence for a person. A row that is wrong is a Reject: a value with its
file, line and reason, which never stops the rows after it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

LONGEST_CELL = 1_000_000  # characters; a longer one is a broken file, not a ticket
LONGEST_LINE = 100_000_000
MOST_COLUMNS = 2_000


class BadFile(Exception):
    """The file as a whole cannot be imported; the message says why and what to do."""


class Row(NamedTuple):
    """One row: the line it begins on (from 1, the header is a line too), and its cells in the header's order.

    With a `fault` it could not be read; its only cell is what stands there.
    """

    line: int
    cells: Sequence[str]
    fault: str = ""


@dataclass(frozen=True, slots=True)
class Reject:
    """A row that is not imported, and why; `value` is cut to what fits a report."""

    file: str
    line: int
    column: str
    value: str
    reason: str


@dataclass(slots=True)
class Blank:
    """How many rows without any value were passed over so far; lines without anything are none."""

    rows: int = 0


@dataclass(frozen=True, slots=True)
class Table:
    """A file opened: its header, its rows (readable once), and what it turned out to be. `blank` counts while rows are read."""

    header: tuple[str, ...]
    rows: Iterator[Row]
    format: str
    encoding: str = ""
    delimiter: str = ""
    blank: Blank = field(default_factory=Blank)


def tidy_header(cells: Sequence[str]) -> tuple[str, ...]:
    """Return a header without marks and outer blanks; columns without a name at the end are dropped.

    >>> tidy_header(["\\ufeffNumber", " State ", "", ""])
    ('Number', 'State')
    """
    names = [cell.replace("\ufeff", "").replace("\x00", "").strip() for cell in cells]
    while names and not names[-1]:
        names.pop()
    if not names:
        raise BadFile("The file has no header: its first line names no columns.")
    if len(names) > MOST_COLUMNS:
        raise BadFile(f"The header has {len(names):,} columns; at most {MOST_COLUMNS:,} are read.")
    return tuple(names)


def fitted(cells: Sequence[str], width: int) -> Sequence[str]:
    """Return a row of exactly the header's width: missing cells are empty, empty cells beyond it are dropped."""
    if len(cells) == width:
        return cells
    if len(cells) < width:
        return [*cells, *[""] * (width - len(cells))]
    return cells if any(cells[width:]) else cells[:width]


def faults(row: Row, width: int, file: str, header: Sequence[str]) -> Reject | None:
    """Say what is wrong with a row before anything is understood of it: its width, bytes that are no text, giant cells."""
    if row.fault:
        return Reject(file, row.line, "", _shown(row.cells[0]), row.fault)
    if len(row.cells) > width:
        return Reject(
            file,
            row.line,
            "",
            row.cells[width][:80],
            f"The row has {len(row.cells)} cells, the header {width}; is a quotation mark missing?",
        )
    whole = "".join(row.cells)
    if len(whole) <= LONGEST_CELL and whole.isascii() and "\x00" not in whole:
        return None  # as nearly all are
    for name, cell in zip(header, row.cells, strict=True):
        if len(cell) > LONGEST_CELL:
            return Reject(file, row.line, name, cell[:80], f"The cell has {len(cell):,} characters; at most {LONGEST_CELL:,} are taken.")
        if not cell.isascii() and not _is_text(cell):
            return Reject(
                file, row.line, name, _shown(cell), "The bytes do not fit the file's encoding; say the right one (utf-8, cp1252, latin-1)."
            )
        if "\x00" in cell:
            return Reject(file, row.line, name, _shown(cell), "The cell contains a NUL character.")
    return None


def _shown(cell: str) -> str:
    """Return the beginning of a cell as a report can bear it."""
    return cell[:80].encode("utf-8", "replace").decode().replace("\x00", "␀")


def _is_text(cell: str) -> bool:
    try:
        cell.encode()
    except UnicodeEncodeError:  # a surrogate stands for a byte that could not be decoded
        return False
    return True
