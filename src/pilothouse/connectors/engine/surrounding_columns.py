"""From tables to what surrounds the tickets: changes, CIs with their attributes, and how CIs hang together; pure.

Columns are told from their names, of which each kind has several: those of HP Service Manager, ServiceNow, Jira and plain English. A
table may have a row for each CI of a change; they are one change.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from pilothouse.connectors.engine.dates import Clock, formats_of
from pilothouse.connectors.engine.tables import BadFile, Row, Table
from pilothouse.problems.engine import naming
from pilothouse.problems.engine.columns import CLASS, Change, Changes
from pilothouse.problems.engine.naming import column_key

_EMPTY = frozenset({"", "#N/B", "NULL", "null", "None", "?"})
_NAMES: dict[str, tuple[str, ...]] = {
    "key": ("change id", "change number", "number", "change", "key", "issue key", "id"),
    "title": ("title", "short description", "summary", "subject", "change type", "type"),
    "cis": ("ci name (aff)", "configuration item", "cmdb ci", "configuration items", "ci", "cis", "ci name", "affected ci", "affected cis"),
    "service": ("service component wbs (aff)", "business service", "service", "service offering"),
    "kind": ("change type", "type", "category"),
    "start": ("actual start", "actual start date", "work start", "start", "start date", "started at"),
    "end": ("actual end", "actual end date", "work end", "end", "end date", "ended at", "implemented at", "closed at", "closed"),
    "planned start": ("planned start", "planned start date", "scheduled start", "scheduled start date"),
    "planned end": ("planned end", "planned end date", "scheduled end", "scheduled end date"),
}
_TIMES = ("start", "end", "planned start", "planned end")
# A mark is what a change is or needs; of a time only that there is one.
_MARKS = (
    "risk assessment",
    "risk",
    "change risk",
    "emergency change",
    "emergency",
    "cab-approval needed",
    "cab required",
    "cab approval needed",
)
_MARKED_BY_TIME = ("scheduled downtime start", "downtime start")
_CI_NAMES = ("ci name (aff)", "ci", "ci name", "name", "configuration item", "hostname", "host name", "ci name (cby)")
_CI_CLASSES = ("ci class", "class", "sys class name", "ci type", "type")
_SOURCES = ("source", "parent", "from", "child of", "depending", "ci")
_TARGETS = ("target", "child", "to", "depends on", "parent ci", "runs on", "related ci")
_SAMPLE = 2000
_UNIT = re.compile(r"\s*\([^()]*\)\s*$")  # a time's zone, as in our own exports: "Actual end (UTC)"
_BETWEEN = (";", "|", "\n")


@dataclass(frozen=True, slots=True)
class ReadChanges:
    """The changes of a file, and how many of its rows had no number or no time that can be read."""

    changes: Changes
    passed_over: int


def read_changes(table: Table, file: str, time_zone: str = "UTC") -> ReadChanges:
    """Read changes; times that name no zone are of `time_zone`, as the tickets' are.

    Raises BadFile where no column names the changes, or none says when they were carried out or planned.
    """
    timely = [_UNIT.sub("", name) for name in table.header]
    places = {name: _place(timely if name in _TIMES else table.header, wanted) for name, wanted in _NAMES.items()}
    if places["key"] < 0:
        raise BadFile(f"{file}: no column names the changes; one should be called {_listed(_NAMES['key'])}.")
    times = [places[name] for name in _TIMES if places[name] >= 0]
    if not times:
        raise BadFile(f"{file}: no column says when the changes were carried out; one should be called {_listed(_NAMES['end'])}.")
    rows = [row for row in table.rows if not row.fault]
    clock = Clock(_formats(rows, times, table.header), time_zone)
    marks = [i for i, name in enumerate(table.header) if column_key(name) in _MARKS]
    timed = [i for i, name in enumerate(table.header) if column_key(name) in _MARKED_BY_TIME]
    found: dict[str, tuple[Change, dict[str, None]]] = {}
    passed_over = 0
    for row in rows:
        change = _change(row, places, clock, _marks(row, table.header, marks, timed))
        if change is None:
            passed_over += 1
        elif change.key in found:
            found[change.key][1].update(dict.fromkeys(change.cis))
        else:
            found[change.key] = change, dict.fromkeys(change.cis)
    items = [replace(change, cis=tuple(cis)) for change, cis in found.values()]
    return ReadChanges(Changes(sorted(items, key=lambda change: (change.end, change.key))), passed_over)


def _change(row: Row, places: Mapping[str, int], clock: Clock, marks: tuple[str, ...]) -> Change | None:
    key = _cell(row, places["key"])[:80]
    instants = {name: int(at.timestamp()) for name in _TIMES if (at := clock.read(_cell(row, places[name]))) is not None}
    if not key or not instants:
        return None
    end = next(instants[name] for name in ("end", "planned end", "start", "planned start") if name in instants)
    start = min(next((instants[name] for name in ("start", "planned start") if name in instants), end), end)
    planned = tuple(instants[name] for name in ("planned start", "planned end") if name in instants)
    cis = tuple(dict.fromkeys(_names(_cell(row, places["cis"]))))
    return Change(
        key, _cell(row, places["title"])[:200], cis, start, end, _cell(row, places["service"]), _cell(row, places["kind"]), planned, marks
    )


def _names(cell: str) -> list[str]:
    for mark in _BETWEEN:
        cell = cell.replace(mark, "\0")
    return [name for each in cell.split("\0") if (name := each.strip()) and name not in _EMPTY]


def _marks(row: Row, header: Sequence[str], columns: Sequence[int], timed: Sequence[int]) -> tuple[str, ...]:
    said = [f"{header[i]} {value}" for i in columns if (value := _cell(row, i))]
    return (*said, *(header[i] for i in timed if _cell(row, i)))


def _formats(rows: Sequence[Row], places: Sequence[int], header: Sequence[str]) -> tuple[str, ...]:
    cells = dict.fromkeys(_cell(row, place) for row in rows[:_SAMPLE] for place in places)
    return formats_of([cell for cell in cells if cell], header[places[0]])


def _place(header: Sequence[str], wanted: Sequence[str]) -> int:
    keys = [column_key(name) for name in header]
    return next((keys.index(column_key(name)) for name in wanted if column_key(name) in keys), -1)


def _cell(row: Row, place: int) -> str:
    cell = row.cells[place].strip() if 0 <= place < len(row.cells) else ""
    return "" if cell in _EMPTY else cell


def _listed(names: Sequence[str]) -> str:
    return ", ".join(f"“{name}”" for name in names[:4])


def read_cis(table: Table, file: str) -> dict[str, dict[str, str]]:
    """Read CIs with their attributes: every column that is no id, under its own name. Raises BadFile where no column names them."""
    place = _place(table.header, _CI_NAMES)
    if place < 0:
        raise BadFile(f"{file}: no column names the CIs; one should be called {_listed(_CI_NAMES[1:])}.")
    klass = _place(table.header, _CI_CLASSES)
    found: dict[str, dict[str, str]] = {}
    for row in table.rows:
        if not row.fault and (name := _cell(row, place)):
            own = {
                CLASS if i == klass else column: value for i, column in enumerate(table.header) if i != place and (value := _cell(row, i))
            }
            found.setdefault(name, {}).update(own)
    shared = naming.shared(found.values())
    return {name: {each: value for each, value in own.items() if each in shared} for name, own in found.items()}


def read_relations(table: Table, file: str) -> list[tuple[str, str]]:
    """Read relations: each row a CI and one that it depends on. Without columns of known names the first two are taken."""
    source, target = _place(table.header, _SOURCES), _place(table.header, _TARGETS)
    if min(source, target) < 0 or source == target:
        source, target = 0, 1
    if len(table.header) < 2:
        raise BadFile(f"{file} has one column; a relation needs two: a CI, and the CI that it depends on.")
    pairs = [(_cell(row, source), _cell(row, target)) for row in table.rows if not row.fault]
    return [(a, b) for a, b in pairs if a and b and a != b]
