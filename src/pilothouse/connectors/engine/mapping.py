"""From a source's columns to a ticket's fields: what a profile or a mapping file says, and rows read by it; pure.

A row read is a Snapshot: the ticket as the source showed it at one instant. Its values have journal names; references (people,
teams, services, CIs) are still the source's names, and columns with no home are `extra.COLUMN`.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from collections.abc import Mapping as Map
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from pilothouse.connectors.engine.dates import Clock
from pilothouse.connectors.engine.tables import BadFile, Reject, Row
from pilothouse.problems.engine.naming import column_key

REFERENCES = {"requester": "person", "opened_by": "person", "assignee": "person", "group": "team", "service": "service", "ci": "ci"}
INSTANTS = ("opened_at", "resolved_at", "closed_at", "hold_until")
HINTS = ("reopened_at",)  # instants that no field of a ticket holds: a profile's story reads them, their column stays in `extra`
DETAIL = "change."  # fields of a change beyond its ticket's
DETAIL_INSTANTS = tuple(f"{DETAIL}{name}_at" for name in ("planned_start", "planned_end", "actual_start", "actual_end"))
DETAIL_CHOICES = tuple(f"{DETAIL}{name}" for name in ("type", "risk", "outcome"))
DETAIL_TEXTS = tuple(f"{DETAIL}{name}" for name in ("reason", "implementation_plan", "rollback_plan"))
CIS = f"{DETAIL}cis"  # made of the rows' CIs, by name
LEVELS = {"impact": 3, "urgency": 3, "priority": 5}
CHOICES = ("kind", "state", "channel")
TEXTS = {"title": 250, "category": 80, "subcategory": 80, "resolution_code": 40, "description": 200_000, "resolution_notes": 50_000}
FIELDS = (*CHOICES, *LEVELS, *REFERENCES, *INSTANTS, *TEXTS, "tags")
_LONGEST = {**TEXTS, **dict.fromkeys(DETAIL_TEXTS, 50_000)}
_ANY_TIME = ("hold_until", *HINTS, *DETAIL_INSTANTS)  # that may lie ahead
_KEPT = (*HINTS, *DETAIL_CHOICES)  # what the source said stays in `extra` as well
_NAME_LENGTHS = {"person": 160, "team": 120, "service": 160, "ci": 200}
LONGEST_EXTRA = 4000
LONGEST_TITLE = 2000
_COMMA_NUMBER = re.compile(r"-?\d+,\d+")
_ORDER = (
    ("opened_at", "resolved_at", "Resolved before it was opened"),
    ("opened_at", "closed_at", "Closed before it was opened"),
    (DETAIL_INSTANTS[0], DETAIL_INSTANTS[1], "The planned end is before the planned start"),
    (DETAIL_INSTANTS[2], DETAIL_INSTANTS[3], "The actual end is before the actual start"),
)
_SHORT = 80  # characters of a cell that is remembered
_MOST_REMEMBERED = 20_000
_CLOCK_SKEW = timedelta(minutes=5)  # a source's clock may run ahead this much


@dataclass(frozen=True, slots=True, kw_only=True)
class Mapping:
    """How a source's files are read. Each field names the columns it may stand in, the first that the file has is taken."""

    system: str
    key: tuple[str, ...]
    columns: Map[str, tuple[str, ...]]
    updated: tuple[str, ...] = ()  # the instant of a row; without it rows have no order but the file's
    revision: tuple[str, ...] = ()  # counts the updates of one ticket
    author: tuple[str, ...] = ()
    event: tuple[str, ...] = ()  # an activity log's column that says what happened
    comments: tuple[str, ...] = ()  # repeated columns of what was said, "instant;author;text"
    required: tuple[str, ...] = ()  # fields whose column must be there
    values: Map[str, Map[str, Any]] = field(default_factory=dict)  # field -> source's word (lower case) -> ours
    strict: tuple[str, ...] = ("state",)  # fields in which an unknown word rejects the row
    defaults: Map[str, Any] = field(default_factory=dict)
    title_from: tuple[str, ...] = ()  # columns that make a title where there is none
    final: Map[str, str] = field(default_factory=dict)  # value known only from an instant on: its name -> that instant's field
    empty: frozenset[str] = frozenset({""})
    date_formats: tuple[str, ...] = ()  # () tells them from the file
    time_zone: str = "UTC"
    keep_others: bool = True
    ignore: frozenset[str] = frozenset()  # columns that are left out
    decimal_comma: bool = False  # numbers in columns with no home are written 3,14
    many: bool = False  # several rows a ticket are its history; else a second row is a duplicate
    of_changes: bool = False  # a row is a change, or a CI that it touches; a row with other cells is another row
    encoding: str = ""
    delimiter: str = ""
    sheet: str = ""


@dataclass(frozen=True, slots=True)
class Comment:
    """What somebody said, from a cell "instant;author;text"; `at` None: the cell is the text alone."""

    at: datetime | None
    author: str
    text: str

    @property
    def position(self) -> str:
        """What makes it the same comment again in a later export."""
        return f"comment {self.at.isoformat() if self.at else ''} {self.author} {self.text}"


@dataclass(slots=True)
class Snapshot:
    """A ticket as one row shows it. `at` None: the source does not say when; `position` names the row within its ticket."""

    file: str
    line: int
    role: int  # which of the profile's kinds of file it comes from
    order: tuple[int, str]  # revision and instant: its place among its ticket's rows
    position: str  # what makes it the same row again in another file; "" when nothing does
    at: datetime | None
    author: str
    event: str
    values: dict[str, Any]
    comments: tuple[Comment, ...] = ()


@dataclass(frozen=True, slots=True)
class Place:
    """Where a row belongs: its ticket and its order there."""

    key: str
    order: tuple[int, str]


_Read = Callable[[Row, str, Sequence[int], dict[str, Any]], Reject | None]


@dataclass(slots=True)
class _Field:
    """A field with the places it is read from, and what its cells said."""

    name: str
    places: list[int]
    read: _Read
    memory: dict[str, dict[str, Any]] = field(default_factory=dict)


def dates_in(mapping: Mapping, header: Sequence[str], rows: Iterable[Row]) -> tuple[list[str], str]:
    """Return the different values that the columns of a table's instants have in these rows, and the first such column's name."""
    fields = (*INSTANTS, *DETAIL_INSTANTS)
    names = {column_key(name) for name in (*mapping.updated, *(name for each in fields for name in mapping.columns.get(each, ())))}
    places = [i for i, name in enumerate(header) if column_key(name) in names]
    values = [row.cells[i].strip() for row in rows if not row.fault for i in places if i < len(row.cells)]
    return list(dict.fromkeys(value for value in values if value not in mapping.empty)), header[places[0]] if places else ""


class Translator:
    """Reads the rows of one file by a mapping; counts what it mended."""

    def __init__(self, mapping: Mapping, header: Sequence[str], file: str, now: datetime, *, role: int = 0) -> None:
        self.mapping, self.file, self.role, self.header, self.latest = mapping, file, role, tuple(header), now + _CLOCK_SKEW
        self.clock = Clock(mapping.date_formats, mapping.time_zone)
        self.warnings: Counter[str] = Counter()
        self._where: dict[str, list[int]] = {}
        for i, name in enumerate(header):
            self._where.setdefault(column_key(name), []).append(i)
        self._require()
        self._fields = {name: found for name, names in mapping.columns.items() if (found := self._find(names))}
        self._key = self._find(mapping.key)
        self._updated, self._revision = self._find(mapping.updated), self._find(mapping.revision)
        self._author, self._event = self._find(mapping.author), self._find(mapping.event)
        self._comments = self._find(mapping.comments)
        self._title_from = [i for name in mapping.title_from for i in self._find((name,))]
        self._others = self._unmapped() if mapping.keep_others else []
        self._readers = [_Field(name, places, self._reader(name)) for name, places in self._fields.items()]

    def _require(self) -> None:
        asked = {"updated": self.mapping.updated, "revision": self.mapping.revision, "event": self.mapping.event}
        wanted = [self.mapping.key, *(asked.get(name) or self.mapping.columns.get(name, (name,)) for name in self.mapping.required)]
        missing = [" or ".join(dict.fromkeys(names)) for names in wanted if not self._find(names)]
        if missing:
            has = ", ".join(self.header[:12]) + (", …" if len(self.header) > 12 else "")
            lacks = "; ".join(missing)
            raise BadFile(f"{self.file} lacks what this profile needs, a column named: {lacks}. The file has: {has}.")

    def _find(self, names: Sequence[str]) -> list[int]:
        """Return the places of the first of these columns that the header has; a repeated column has several."""
        return next((self._where[column_key(name)] for name in names if column_key(name) in self._where), [])

    def _unmapped(self) -> list[tuple[int, str]]:
        used = {i for name, places in self._fields.items() if name not in _KEPT for i in places} | {
            *self._key,
            *self._updated,
            *self._author,
            *self._event,
            *self._comments,
        }
        ignored = {column_key(name) for name in self.mapping.ignore}
        names: dict[str, int] = {}
        for i, name in enumerate(self.header):
            if i not in used and name and column_key(name) not in ignored:
                names.setdefault(name[:80], i)
        return [(i, f"extra.{name}") for name, i in names.items()]

    def text(self, row: Row, places: Sequence[int]) -> str:
        """Return the cell at the first of these places that holds something."""
        for i in places:
            cell = row.cells[i].strip().lstrip("\ufeff")
            if cell not in self.mapping.empty:
                return cell
        return ""

    def place(self, row: Row) -> Place | Reject:
        """Say where a row belongs, without reading the rest of it."""
        key = self.text(row, self._key)
        if not key or len(key) > 80:
            return self._reject(
                row, self._key, key, "The row has no ticket number." if not key else "The ticket number is longer than 80 characters."
            )
        revision, updated = self.text(row, self._revision), self.text(row, self._updated)
        if revision and not revision.isdecimal():
            return self._reject(row, self._revision, revision, "Not a whole number.")
        at = self._instant(row, self._updated, updated) if updated else None
        if isinstance(at, Reject):
            return at
        return Place(key, (int(revision or 0), at.isoformat() if at else ""))

    def _reject(self, row: Row, places: Sequence[int], value: str, reason: str) -> Reject:
        return Reject(self.file, row.line, self.header[places[0]] if places else "", value[:200], reason)

    def _instant(self, row: Row, places: Sequence[int], text: str) -> datetime | Reject:
        at = self.clock.read(text)
        if at is None:
            return self._reject(row, places, text, self.clock.reason(text))
        if at > self.latest:
            return self._reject(row, places, text, f"This time is in the future; is the time zone {self.mapping.time_zone} right?")
        return at

    def snapshot(self, row: Row) -> Snapshot | Reject:
        """Read a row; the first thing wrong with it rejects it."""
        updated = self.text(row, self._updated)
        at = self._instant(row, self._updated, updated) if updated else None
        if isinstance(at, Reject):
            return at
        values: dict[str, Any] = dict(self.mapping.defaults)
        for reader in self._readers:
            found = self._read(reader, row)
            if isinstance(found, Reject):
                return found
            values |= found
        for i, name in self._others:
            values[name] = self._extra(row.cells[i].strip(), name)
        self._entitle(row, values)
        return self._ordered(row, values) or self._shown(row, at, values)

    def _read(self, field: "_Field", row: Row) -> dict[str, Any] | Reject:
        """Return what a field's cells say; what short cells say is remembered, as they repeat."""
        cell = row.cells[field.places[0]] if len(field.places) == 1 else None
        if cell is not None and (known := field.memory.get(cell)) is not None:
            return known
        values: dict[str, Any] = {}
        if reject := field.read(row, field.name, field.places, values):
            return reject
        if cell is not None and len(cell) <= _SHORT:
            if len(field.memory) >= _MOST_REMEMBERED:
                field.memory.clear()
            field.memory[cell] = values
        return values

    def _extra(self, cell: str, name: str) -> str | None:
        if cell in self.mapping.empty:
            return None
        if self.mapping.decimal_comma and _COMMA_NUMBER.fullmatch(cell):
            return cell.replace(",", ".")
        return cell if len(cell) <= LONGEST_EXTRA else self._cut(cell, LONGEST_EXTRA, name.removeprefix("extra."))

    def _shown(self, row: Row, at: datetime | None, values: dict[str, Any]) -> Snapshot:
        revision, when, event = self.text(row, self._revision), at.isoformat() if at else "", self.text(row, self._event)
        position = " ".join(filter(None, (revision, when, event, str(values.get("group") or "") if event else "")))
        if self.mapping.of_changes:
            position = "\x1f".join(row.cells)
        order = (int(revision or 0), when)
        said = tuple(self._comment(cell) for i in self._comments if (cell := row.cells[i].strip()))
        return Snapshot(self.file, row.line, self.role, order, position, at, self.text(row, self._author)[:160], event, values, said)

    def _comment(self, cell: str) -> Comment:
        when, _, rest = cell.partition(";")
        author, divided, text = rest.partition(";")
        at = self.clock.read(when.strip())
        return Comment(at, author.strip()[:160], text.strip()) if at is not None and divided else Comment(None, "", cell)

    def _reader(self, name: str) -> _Read:
        if name in (*INSTANTS, *HINTS, *DETAIL_INSTANTS):
            return self._read_instant
        if name in LEVELS:
            return self._read_level
        if name in (*CHOICES, *DETAIL_CHOICES) or name == "resolution_code":
            return self._read_choice
        if name in REFERENCES:
            return self._read_reference
        return self._read_tags if name == "tags" else self._read_text

    def _read_instant(self, row: Row, name: str, places: Sequence[int], values: dict[str, Any]) -> Reject | None:
        text = self.text(row, places)
        at = None
        if text:
            found = self._instant(row, places, text) if name not in _ANY_TIME else self.clock.read(text)
            if isinstance(found, Reject):
                return found
            at = found
        values[name] = at
        return None

    def _read_level(self, row: Row, name: str, places: Sequence[int], values: dict[str, Any]) -> Reject | None:
        text = self.text(row, places)
        if not text:
            return None
        level = self.mapping.values.get(name, {}).get(text.casefold())
        if level is None:
            digits = text.split("-")[0].strip().removeprefix("P").removeprefix("p")
            level = int(digits) if digits.isdecimal() and len(digits) == 1 else None
        if level is None or not 1 <= level <= LEVELS[name]:
            return self._reject(row, places, text, f"Not a {name} from 1 to {LEVELS[name]}.")
        values[name] = level
        return None

    def _read_choice(self, row: Row, name: str, places: Sequence[int], values: dict[str, Any]) -> Reject | None:
        text = self.text(row, places)
        if not text:
            return self._reject(row, places, text, f"The row has no {name}.") if name in self.mapping.strict else None
        known = self.mapping.values.get(name, {})
        if text.casefold() in known:
            self._choose(name, known[text.casefold()], values)
        elif name in self.mapping.strict:
            words = ", ".join(list(known)[:12])
            return self._reject(
                row, places, text, f"“{text[:40]}” is no {name} that this profile knows ({words}); a mapping file can add it."
            )
        elif name == "resolution_code":
            values[name] = text if len(text) <= TEXTS[name] else self._cut(text, TEXTS[name], name)
        else:
            values[f"extra.{self.header[places[0]]}"[:86]] = text[:LONGEST_EXTRA]
        return None

    def _choose(self, name: str, value: Any, values: dict[str, Any]) -> None:
        if name == "state":
            value, _, reason = str(value).partition(":")
            values["hold_reason"] = reason or ("other" if value == "on_hold" else "")
        values[name] = value

    def _read_reference(self, row: Row, name: str, places: Sequence[int], values: dict[str, Any]) -> Reject | None:
        text = " ".join(self.text(row, places).split())
        longest = _NAME_LENGTHS[REFERENCES[name]]
        if len(text) > longest:
            return self._reject(row, places, text, f"A name of more than {longest} characters.")
        values[name] = text or None
        return None

    def _read_tags(self, row: Row, name: str, places: Sequence[int], values: dict[str, Any]) -> Reject | None:
        cells = [self.text(row, (i,)) for i in places]
        words = [word.strip()[:40] for cell in cells for part in cell.split("\n") for word in part.split(",")]
        values[name] = sorted({word for word in words if word})[:30]
        return None

    def _read_text(self, row: Row, name: str, places: Sequence[int], values: dict[str, Any]) -> Reject | None:
        text = self.text(row, places)
        longest = _LONGEST[name]
        if name == "title":
            text = " ".join(text.split())
            if len(text) > LONGEST_TITLE:
                return self._reject(row, places, text, f"A title of {len(text):,} characters; this is no title.")
        values[name] = text if len(text) <= longest else self._cut(text, longest, name)
        return None

    def _cut(self, text: str, longest: int, name: str) -> str:
        self.warnings[f"{name}: cut to {longest:,} characters"] += 1
        return text[: longest - 1] + "…"

    def _entitle(self, row: Row, values: dict[str, Any]) -> None:
        if not values.get("title"):
            parts = [text for i in self._title_from if (text := self.text(row, (i,)))]
            values["title"] = ", ".join(parts)[:250] or f"Imported {self.text(row, self._key)}"

    def _ordered(self, row: Row, values: Map[str, Any]) -> Reject | None:
        """Refuse a ticket that was resolved or closed before it was opened, and a change whose work ends before it begins."""
        for start, end, words in _ORDER:
            if (begun := values.get(start)) and (ended := values.get(end)) and ended < begun:
                places = self._fields[end]
                return self._reject(row, places, self.text(row, places), f"{words} ({begun:%Y-%m-%d %H:%M} UTC).")
        return None
