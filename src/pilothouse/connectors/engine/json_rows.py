"""Reading JSON: an array of objects, one object a line, or ServiceNow's {"result": [...]}; element by element.

The file is read twice: once for the names that occur, once for the records, so that memory holds one record and the names. What is no
record is a fault of its own line where the rest can still be told apart (one object a line, or a list's element that is no object); a
list whose text is broken is refused whole.
"""

import codecs
import json
from collections.abc import Iterator, Sequence
from typing import Any, BinaryIO, NamedTuple

from pilothouse.connectors.engine.tables import MOST_COLUMNS, BadFile, Row, Table

_CHUNK = 1 << 16
_LARGEST_ELEMENT = 64_000_000  # characters
_SHOWN = 200  # characters of a broken line
_decoder = json.JSONDecoder()


class _Element(NamedTuple):
    """A record and the line it begins on; or what is there instead, and why it is none."""

    line: int
    record: dict[str, Any]
    fault: str = ""
    text: str = ""


def read_json(stream: BinaryIO, *, encoding: str = "", columns: Sequence[str] = ()) -> Table:
    """Open JSON; the columns are the names that occur in any record, in the order in which they are met.

    `columns`, found when the file was opened before, saves reading it through for them. An object inside an object gives its
    display_value (ServiceNow) or its name; a list its parts, a line each.
    """
    encoding = encoding or "utf-8-sig"
    if not columns:
        start = stream.tell()
        columns = _names(_elements(_Text(stream, encoding)))
        stream.seek(start)
    header = tuple(columns)
    rows = (_row(element, header) for element in _elements(_Text(stream, encoding)))
    return Table(header, rows, "json", encoding.removesuffix("-sig"))


def _names(elements: Iterator[_Element]) -> tuple[str, ...]:
    """Return the names that the records have; BadFile when there is no record."""
    names: dict[str, None] = {}
    fault = ""
    for element in elements:
        names.update(dict.fromkeys(element.record))
        fault = fault or (element.fault and f"Line {element.line}: {element.fault}")
        if len(names) > MOST_COLUMNS:
            raise BadFile(f"The records have more than {MOST_COLUMNS:,} names; at most that many are read.")
    if not names:
        raise BadFile(fault or "The file has no records.")
    return tuple(names)


def _row(element: _Element, header: Sequence[str]) -> Row:
    if element.fault:
        return Row(element.line, (element.text,), element.fault)
    return Row(element.line, [_text(element.record.get(name)) for name in header])


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

    def take_line(self) -> str:
        """Read to the end of this line."""
        searched = self.at
        while (end := self.window.find("\n", searched)) < 0:
            searched = len(self.window) - self.at
            if searched > _LARGEST_ELEMENT:
                raise BadFile(f"Line {self.line} is longer than {_LARGEST_ELEMENT:,} characters.")
            if not self.more():
                end = len(self.window)
                break
        found, self.at = self.window[self.at : end], min(end + 1, len(self.window))
        self.line += 1
        return found

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


def _elements(text: _Text) -> Iterator[_Element]:
    start = text.skip()
    if start == "":
        raise BadFile("The file is empty.")
    if start == "{" and _opens_result(text):
        yield from _array(text)
    elif start == "[":
        text.at += 1
        yield from _array(text)
    elif _is_by_line(text):
        yield from _by_line(text)
    else:
        yield from _one_after_another(text)


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


def _array(text: _Text) -> Iterator[_Element]:
    while (found := text.skip(" \t\r\n,")) != "]":
        if found == "":
            raise BadFile(f"The JSON breaks off after line {text.line}: its list does not end. Was it copied to the end?")
        line = text.line
        yield _element(text.take(), line)


def _one_after_another(text: _Text) -> Iterator[_Element]:
    while text.skip(" \t\r\n,"):
        line = text.line
        yield _element(text.take(), line)


def _is_by_line(text: _Text) -> bool:
    """Say whether one of the first two lines is an object by itself: what is printed over many lines begins otherwise."""
    while text.window.count("\n", text.at) < 2 and len(text.window) < _LARGEST_ELEMENT and text.more():
        pass
    return any(line.startswith("{") and not _on(line, 1)[0].fault for line in text.window[text.at :].split("\n", 2)[:2])


def _by_line(text: _Text) -> Iterator[_Element]:
    while text.skip():
        line = text.line
        yield from _on(text.take_line(), line)


def _on(text: str, line: int) -> list[_Element]:
    """Return what stands on one line: usually one record, or why it cannot be read."""
    found: list[_Element] = []
    rest = text.strip(" \t\r,")
    try:
        while rest:
            value, end = _decoder.raw_decode(rest)
            found.append(_element(value, line))
            rest = rest[end:].lstrip(" \t,")
    except ValueError as error:
        why = error.msg if isinstance(error, json.JSONDecodeError) else str(error)
        found.append(
            _Element(line, {}, f"The line is no whole JSON record ({why}); was it cut, or is a quotation mark missing?", rest[:_SHOWN])
        )
    except RecursionError:
        found.append(_Element(line, {}, "The record is nested too deeply.", rest[:_SHOWN]))
    return found or [_Element(line, {}, "The line holds no record.", text[:_SHOWN])]


def _element(value: Any, line: int) -> _Element:
    if isinstance(value, dict):
        return _Element(line, value)
    what = {list: "a list", str: "a text", type(None): "null"}.get(type(value), "a value")
    return _Element(line, {}, f"There is {what} where a record (an object) is expected.", json.dumps(value)[:_SHOWN])
