"""Telling what a file is by its content, and opening it; its name is held against what was found."""

import gzip
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import PurePath
from typing import BinaryIO, cast

from pilothouse.connectors.engine.csv_rows import read_csv
from pilothouse.connectors.engine.json_rows import read_json
from pilothouse.connectors.engine.tables import BadFile, Row, Table
from pilothouse.connectors.engine.xlsx_rows import read_xlsx

_SAMPLE = 1 << 18
_GZIP = b"\x1f\x8b"
_ZIP = b"PK\x03\x04"
_KNOWN_OTHERS = (
    (b"%PDF", "a PDF"),
    (b"\xd0\xcf\x11\xe0", "an old Excel workbook (.xls); save it as .xlsx or CSV"),
    (b"PAR1", "a Parquet file"),
)
_CLAIMS = {".csv": "csv", ".tsv": "csv", ".txt": "csv", ".xlsx": "xlsx", ".json": "json", ".jsonl": "json", ".ndjson": "json"}
_CONTROLS = tuple(bytes([byte]) for byte in range(0x20) if byte not in b"\t\n\x0b\x0c\r\x1b")
_NAMES = {"csv": "delimited text", "xlsx": "an Excel workbook", "json": "JSON"}


@dataclass(frozen=True, slots=True)
class Reading:
    """How a file is to be read where its content should not decide.

    `columns` are the names that an earlier opening of the same file found; a JSON file need not be read through for them again.
    """

    encoding: str = ""
    delimiter: str = ""
    sheet: str = ""
    columns: tuple[str, ...] = ()


def open_table(stream: BinaryIO, name: str, reading: Reading = Reading()) -> Table:
    """Open a seekable binary stream as a table. Raises BadFile with what is wrong; rows raise it too where a file breaks off."""
    claim = PurePath(name.lower())
    packed = stream.read(2) == _GZIP
    stream.seek(0)
    if claim.suffix == ".gz" and not packed:
        raise BadFile("The file is named .gz, but its content is not gzip.")
    if packed:
        stream = cast("BinaryIO", gzip.GzipFile(fileobj=stream))
    sample = _sample(stream)
    found = _format(sample)
    claimed = _CLAIMS.get(PurePath(claim.stem).suffix if claim.suffix == ".gz" else claim.suffix)
    if claimed and claimed != found:
        raise BadFile(f"The file is named as {_NAMES[claimed]}, but its content is {_NAMES[found]}; name it for what it is.")
    table = _open(found, stream, sample, reading)
    return replace(table, rows=_guarded(table.rows))


def _open(found: str, stream: BinaryIO, sample: bytes, reading: Reading) -> Table:
    try:
        if found == "xlsx":
            return read_xlsx(stream, sheet=reading.sheet)
        if found == "json":
            return read_json(stream, encoding=reading.encoding, columns=reading.columns)
        return read_csv(stream, sample, encoding=reading.encoding, delimiter=reading.delimiter)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise BadFile(_broken_gzip(0)) from error


def _sample(stream: BinaryIO) -> bytes:
    try:
        sample = stream.read(_SAMPLE)
    except (EOFError, zlib.error, gzip.BadGzipFile):
        sample = _what_there_is(stream)
    if not sample:
        raise BadFile("The file is empty.")
    stream.seek(0)
    return sample


def _what_there_is(stream: BinaryIO) -> bytes:
    """Read the beginning of a compressed file that breaks off within the sample; the rows will say where it ends."""
    stream.seek(0)
    sample = b""
    try:
        while piece := stream.read(512):
            sample += piece
    except (EOFError, zlib.error, gzip.BadGzipFile):
        pass
    if not sample:
        raise BadFile(_broken_gzip(0))
    return sample


def _format(sample: bytes) -> str:
    if sample.startswith(_ZIP):
        return "xlsx"
    for mark, what in _KNOWN_OTHERS:
        if sample.startswith(mark):
            raise BadFile(f"The content is {what}. CSV, XLSX and JSON can be imported, each also as .gz.")
    if _is_binary(sample[:4096]) and not sample.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise BadFile("The content is not text. CSV, XLSX and JSON can be imported, each also as .gz.")
    start = sample.removeprefix(b"\xef\xbb\xbf").lstrip()[:2]
    return "json" if start[:1] in (b"{", b"[") else "csv"


def _is_binary(start: bytes) -> bool:
    """Say whether these bytes are no text. A NUL strays into the cell of an export now and then; what is no text is full of such."""
    controls = sum(start.count(byte) for byte in _CONTROLS)
    return b"\x00" in start and controls > max(2, len(start) // 20)


def _guarded(rows: Iterator[Row]) -> Iterator[Row]:
    line = 1
    try:
        for row in rows:
            line = row.line
            yield row
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise BadFile(_broken_gzip(line)) from error


def _broken_gzip(line: int) -> str:
    where = f" after line {line:,}" if line else ""
    return f"The compressed file breaks off{where}. Copy it again; nothing of it was imported."
