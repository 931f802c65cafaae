"""Reading delimited text: encoding and delimiter are told from the first bytes, or given."""

import codecs
import contextlib
import csv
import io
from collections.abc import Iterator
from typing import BinaryIO, Protocol

from pilothouse.connectors.engine.tables import LONGEST_LINE, BadFile, Blank, Row, Table, fitted, tidy_header

_DELIMITERS = (",", ";", "\t", "|")
_MARKS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
_UNDEFINED_IN_CP1252 = frozenset(b"\x81\x8d\x8f\x90\x9d")


class _Reader(Protocol):
    """What csv.reader returns; the module gives it no public name."""

    @property
    def line_num(self) -> int: ...
    def __next__(self) -> list[str]: ...


csv.field_size_limit(LONGEST_LINE)


def sniff_encoding(sample: bytes) -> str:
    """Tell the encoding of these first bytes: a mark, else UTF-8 if they are, else cp1252 if its letters occur, else latin-1.

    >>> sniff_encoding("Größe".encode()), sniff_encoding("Größe".encode("latin-1")), sniff_encoding(b"10 \\x80")
    ('utf-8', 'latin-1', 'cp1252')
    """
    for mark, encoding in _MARKS:
        if sample.startswith(mark):
            return encoding
    if _is_utf8(sample):
        return "utf-8"
    high = {byte for byte in sample if 0x80 <= byte <= 0x9F}
    return "cp1252" if high and not high & _UNDEFINED_IN_CP1252 else "latin-1"


def _is_utf8(sample: bytes) -> bool:
    try:
        codecs.getincrementaldecoder("utf-8")().decode(sample)  # a character cut by the end of the sample is no fault
    except UnicodeDecodeError:
        return False
    return True


def sniff_delimiter(line: str) -> str:
    """Tell the delimiter of a header: the candidate that occurs most outside quotation marks.

    >>> sniff_delimiter('a;"b,c,d";e')
    ';'
    """
    plain = "".join(line.split('"')[::2])
    return max(_DELIMITERS, key=plain.count)


def read_csv(stream: BinaryIO, sample: bytes, *, encoding: str = "", delimiter: str = "") -> Table:
    """Open delimited text; `sample` are its first bytes, which are still in the stream. Memory does not grow with the file."""
    encoding = _known(encoding) if encoding else sniff_encoding(sample)
    text = io.TextIOWrapper(stream, encoding, errors="surrogateescape" if not encoding.startswith("utf-16") else "replace", newline="")
    try:
        first = _first_line(text)
    except BadFile:
        _let_go(text)
        raise
    delimiter = delimiter or sniff_delimiter(first)
    reader = csv.reader(_lines(first, text), delimiter=delimiter)
    header = tidy_header(_next(reader) or [])
    blank = Blank()
    return Table(header, _rows(reader, len(header), blank), "csv", encoding, delimiter, blank)


def _known(encoding: str) -> str:
    try:
        return codecs.lookup(encoding).name
    except LookupError:
        raise BadFile(f"There is no encoding “{encoding}”; for instance utf-8, cp1252 or latin-1.") from None


def _first_line(text: io.TextIOWrapper) -> str:
    while line := text.readline(LONGEST_LINE):
        if line.strip():
            return line
    raise BadFile("The file is empty.")


def _lines(first: str, text: io.TextIOWrapper) -> Iterator[str]:
    try:
        yield first
        number = 1
        while line := text.readline(LONGEST_LINE):
            number += 1
            if len(line) >= LONGEST_LINE:
                raise BadFile(f"Line {number} is longer than {LONGEST_LINE:,} characters; this is no table.")
            yield line
    finally:
        _let_go(text)


def _let_go(text: io.TextIOWrapper) -> None:
    """Leave the stream to its owner, who closes it (and may have)."""
    with contextlib.suppress(ValueError):
        text.detach()


def _rows(reader: "_Reader", width: int, blank: Blank) -> Iterator[Row]:
    before = reader.line_num
    while (cells := _next(reader)) is not None:
        if any(cells):
            yield Row(before + 1, fitted(cells, width))
        elif len(cells) > 1:
            blank.rows += 1
        before = reader.line_num


def _next(reader: "_Reader") -> list[str] | None:
    try:
        return next(reader)
    except StopIteration:
        return None
    except csv.Error as error:
        raise BadFile(f"After line {reader.line_num} the file cannot be read ({error}); is a quotation mark missing?") from error
