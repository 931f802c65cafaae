"""Reading JSON: an array of objects, one object a line, or ServiceNow's {"result": [...]}; element by element."""

import codecs
import json
from collections.abc import Iterator
from itertools import chain
from typing import Any, BinaryIO

from pilothouse.connectors.engine.tables import MOST_COLUMNS, BadFile, Row, Table

_CHUNK = 1 << 16
_LARGEST_ELEMENT = 64_000_000  # characters
_HEADER_FROM = 200  # elements that are looked at for the names of columns
_decoder = json.JSONDecoder()


def read_json(stream: BinaryIO, *, encoding: str = "") -> Table:
    """Open JSON; the columns are the names that occur in the first 200 objects (a later name that is new is left out).

    An object inside an object gives its display_value (ServiceNow) or its name; a list its parts, a line each.
    """
    objects = _objects(_Text(stream, encoding or "utf-8-sig"))
    first = [found for _, found in zip(range(_HEADER_FROM), objects, strict=False)]
    if not first:
        raise BadFile("The file has no records.")
    header = tuple(dict.fromkeys(name for _, record in first for name in record))
    if len(header) > MOST_COLUMNS:
        raise BadFile(f"The records have {len(header):,} names; at most {MOST_COLUMNS:,} are read.")
    rows = (Row(line, [_text(record.get(name)) for name in header]) for line, record in chain(first, objects))
    return Table(header, rows, "json", encoding or "utf-8")


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return "\n".join(_text(part) for part in value)
    if isinstance(value, dict):
        shown = (value.get(name) for name in ("display_value", "name", "value"))
        return next((_text(part) for part in shown if part is not None), json.dumps(value, ensure_ascii=False))
    return str(value)


class _Text:
    """The file's text through a window that moves on: `at` is the place in `window`, `line` the line of it."""

    def __init__(self, stream: BinaryIO, encoding: str) -> None:
        self.stream, self.window, self.at, self.line, self.ended = stream, "", 0, 1, False
        self.decoder = codecs.getincrementaldecoder(encoding)(errors="surrogateescape")

    def more(self) -> bool:
        """Take in the next bytes, dropping what has been read; False at the end."""
        if self.ended:
            return False
        data = self.stream.read(_CHUNK)
        self.ended = not data
        self.window, self.at = self.window[self.at :] + self.decoder.decode(data, self.ended), 0
        return True

    def skip(self, characters: str = " \t\r\n") -> str:
        """Move to the next character that is not one of these and return it; "" at the end."""
        while True:
            while self.at < len(self.window) and (found := self.window[self.at]) in characters:
                self.line += found == "\n"
                self.at += 1
            if self.at < len(self.window):
                return self.window[self.at]
            if not self.more():
                return ""

    def take(self) -> Any:
        """Read one JSON value at this place."""
        while True:
            try:
                value, end = _decoder.raw_decode(self.window, self.at)
            except ValueError as error:
                if len(self.window) - self.at > _LARGEST_ELEMENT:
                    raise BadFile(f"The record on line {self.line} is larger than {_LARGEST_ELEMENT:,} characters.") from error
                if not self.more():
                    raise BadFile(f"The JSON breaks off or is wrong in the record on line {self.line}: {error}.") from error
            except RecursionError as error:
                raise BadFile(f"The record on line {self.line} is nested too deeply.") from error
            else:
                if end < len(self.window) or not self.more():
                    self.line += self.window.count("\n", self.at, end)
                    self.at = end
                    return value


def _objects(text: _Text) -> Iterator[tuple[int, dict[str, Any]]]:
    start = text.skip()
    if start == "":
        raise BadFile("The file is empty.")
    if start == "{" and _opens_result(text):
        yield from _array(text)
    elif start == "[":
        text.at += 1
        yield from _array(text)
    else:
        yield from _lines(text)


def _opens_result(text: _Text) -> bool:
    """Say whether the file is {"result": [ …, and if so move behind the bracket."""
    while len(text.window) - text.at < 200 and text.more():
        pass
    ahead = text.window[text.at : text.at + 200]
    squeezed = "".join(ahead.split())
    for name in ("result", "records", "issues"):
        if squeezed.startswith(f'{{"{name}":['):
            text.line += ahead.count("\n", 0, ahead.index("["))
            text.at += ahead.index("[") + 1
            return True
    return False


def _array(text: _Text) -> Iterator[tuple[int, dict[str, Any]]]:
    while (found := text.skip(" \t\r\n,")) != "]":
        if found == "":
            raise BadFile(f"The JSON breaks off after line {text.line}: its list does not end. Was it copied to the end?")
        line = text.line
        yield line, _record(text.take(), line)


def _lines(text: _Text) -> Iterator[tuple[int, dict[str, Any]]]:
    while text.skip(" \t\r\n,"):
        line = text.line
        yield line, _record(text.take(), line)


def _record(value: Any, line: int) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise BadFile(f"Line {line} holds {type(value).__name__} where a record (an object) is expected.")
    return value
