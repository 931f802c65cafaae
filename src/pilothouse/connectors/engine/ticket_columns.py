"""From a file to the miner's columns: any profile or mapping, or none; what a column is, is told from its name where nobody says; pure.

Only what is needed is asked for: a table with any column. Of a log, the last row of each ticket is taken. Tickets stand in the order in
which they were opened, whatever the order of the rows, as the order of tickets moves the borders of families.

What is written when all is over (how it was resolved, how often it was passed on) is no fact of a ticket: it says how it was dealt with,
not what recurs. Nor is how it came in, which divides what machines report from what people do. Columns of both are not read at all.
"""

import re
from collections.abc import Iterable, Sequence
from collections.abc import Mapping as Map
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import chain, islice
from typing import Any

import numpy as np

from pilothouse.connectors.engine.dates import formats_of
from pilothouse.connectors.engine.mapping import LONGEST_TITLE, TEXTS, Mapping, Snapshot, Translator, dates_in
from pilothouse.connectors.engine.mapping_file import apply_file
from pilothouse.connectors.engine.profiles import Profile
from pilothouse.connectors.engine.suggest import suggest
from pilothouse.connectors.engine.tables import BadFile, Reject, Row, Table, faults
from pilothouse.problems.engine import naming
from pilothouse.problems.engine.columns import CI, MISSING, REQUESTER, Fact, Floats, Ints, Tickets, coded

_SAMPLE = 2000
_LINE = "line of the file"
_ANY_TIME = datetime(9000, 1, 1, tzinfo=UTC)  # an instant in the future is no fault here
_FACTS = {"ci": CI, "service": "service", "group": "group", "requester": REQUESTER, "assignee": "assignee"}
_KINDS = {"category": "category", "subcategory": "subcategory"}
_READ = (*_FACTS, *_KINDS, "title", "description", "resolution_notes", "opened_at", "resolved_at", "closed_at")
_LONGEST_TEXT = TEXTS["description"]
_SENTENCE = 20.0  # characters, on average, of a column that is text


@dataclass(frozen=True, slots=True)
class Read:
    """A file as columns, with what was left out; `profile` says how it was read, `time_zone` where its times are from."""

    tickets: Tickets
    rejects: tuple[Reject, ...]
    rows: int
    profile: str
    time_zone: str
    remarks: tuple[str, ...] = ()


@dataclass(slots=True)
class _Mended:
    """In how many rows something was left out so that the rest of the row could be read."""

    cut: int = 0
    nul: int = 0


def choose(profiles: Iterable[Profile], header: Sequence[str], rows: Sequence[Row], file: str) -> Profile:
    """Return the first profile that the header fits, else one drafted from the column names."""
    for profile in profiles:
        if profile.system and _fits(profile, header, file):
            return profile
    return drafted(header, rows, file)


def _fits(profile: Profile, header: Sequence[str], file: str) -> bool:
    try:
        Translator(profile.mappings[0], header, file, _ANY_TIME)
    except BadFile:
        return False
    return True


def drafted(header: Sequence[str], rows: Sequence[Row], file: str) -> Profile:
    """Draft a profile from the column names. A table without a ticket number is read by its lines."""
    text = suggest(header, [row.cells for row in rows if not row.fault], system="file")
    if not re.search(r"^key = ", text, re.MULTILINE):
        text = re.sub(r"^# key = .*$", f"key = {_toml(_LINE)}", text, flags=re.MULTILINE)
    base = Profile("drafted", "told from the column names", "", (Mapping(system="", key=(), columns={}),))
    made = apply_file(base, text)
    # Whether numbers repeat is not to be told from the first rows: in a log in order of time they may do so late.
    return replace(made, mappings=(replace(made.mappings[0], many=True),))


def _toml(text: str) -> str:
    return '"' + "".join(f"\\u{ord(c):04x}" if c in '"\\' or not c.isprintable() else c for c in text) + '"'


def read(profile: Profile, table: Table, file: str) -> Read:
    """Read a table to its end. Raises BadFile where the profile does not fit it, or it breaks off."""
    mapping = _narrowed(profile.mappings[profile.role_of(table.header)])
    table = _numbered(table) if mapping.key == (_LINE,) else table
    first = list(islice(table.rows, _SAMPLE))
    mapping = replace(mapping, date_formats=mapping.date_formats or formats_of(*dates_in(mapping, table.header, first)))
    translator = Translator(mapping, table.header, file, _ANY_TIME)
    found: dict[str, tuple[tuple[int, str], dict[str, Any]]] = {}
    rejects: list[Reject] = []
    mended = _Mended()
    count = 0
    for row in chain(first, table.rows):
        count += 1
        reject = _take(_mended(row, translator, mended), translator, mapping, found, len(table.header))
        if reject is not None:
            rejects.append(reject)
    if rejects and not found:
        raise BadFile(f"{file}: no row could be read. {told(rejects[0])}")
    keys, lines = _in_order(found, numbered=mapping.key != (_LINE,))
    remarks = [*_remarks(table, translator, mended), *_folded(count - len(rejects), len(keys), translator)]
    columns = columns_of(keys, lines, titled="title" in translator._fields)
    return Read(columns, tuple(rejects), count, profile.label, mapping.time_zone, tuple(remarks))


def told(reject: Reject) -> str:
    """Say where a row is wrong, and why."""
    return f"Line {reject.line}{f', “{reject.column}”' if reject.column else ''}: {reject.reason}"


def _in_order(found: Map[str, tuple[tuple[int, str], dict[str, Any]]], *, numbered: bool) -> tuple[list[str], list[dict[str, Any]]]:
    """Order tickets by when they were opened, then by their number; where they have none, by all that they say."""

    def place(item: tuple[str, tuple[tuple[int, str], dict[str, Any]]]) -> tuple[datetime, str]:
        key, (_, values) = item
        return values.get("opened_at") or _ANY_TIME, key if numbered else str(sorted(values.items()))

    ordered = sorted(found.items(), key=place)
    return [key for key, _ in ordered], [values for _, (_, values) in ordered]


def _remarks(table: Table, translator: Translator, mended: _Mended) -> list[str]:
    said = []
    if not translator._fields:
        names = [name for name in table.header if name != _LINE]
        had = ", ".join(f"“{name}”" for name in names[:8]) + (", …" if len(names) > 8 else "")
        said.append(f"No column was understood by its name; the file has {had}. A mapping file (--map) can say what they are.")
    if table.blank.rows:
        said.append(f"Rows without any value, which were passed over: {table.blank.rows:,}.")
    if mended.cut:
        said.append(f"Rows of which a text was cut, as it was longer than is read: {mended.cut:,}.")
    if mended.nul:
        said.append(f"Rows of which NUL characters were left out: {mended.nul:,}.")
    return said


def _folded(rows: int, tickets: int, translator: Translator) -> list[str]:
    if rows <= tickets:
        return []
    name = translator.header[translator._key[0]]
    return [f"{rows:,} rows are {tickets:,} {'ticket' if tickets == 1 else 'tickets'}: of rows with the same “{name}” the last one counts."]


def _mended(row: Row, translator: Translator, mended: _Mended) -> Row:
    """Leave out of a row what would cost the whole of it: NUL characters, and the rest of a text that is longer than is read."""
    if row.fault or not row.cells or (max(map(len, row.cells)) <= LONGEST_TITLE and "\x00" not in "".join(row.cells)):
        return row
    cells = [cell.replace("\x00", "") for cell in row.cells]
    mended.nul += cells != list(row.cells)
    titles = translator._fields.get("title", ())
    cut = [cell[: LONGEST_TITLE if i in titles else _LONGEST_TEXT] for i, cell in enumerate(cells)]
    mended.cut += cut != cells
    return row._replace(cells=cut)


def _narrowed(mapping: Mapping) -> Mapping:
    """Leave out the fields that are not looked at: neither are their columns facts, nor does a strange value in them cost a row."""
    others = {name for field, names in mapping.columns.items() if field not in _READ for name in names}
    read = {field: names for field, names in mapping.columns.items() if field in _READ}
    return replace(mapping, strict=(), required=(), columns=read, ignore=mapping.ignore | others)


def _numbered(table: Table) -> Table:
    """Return the table with the line of each row as its last column, for tickets that have no number."""
    rows = (row if row.fault else row._replace(cells=[*row.cells, str(row.line)]) for row in table.rows)
    return replace(table, header=(*table.header, _LINE), rows=rows)


def _take(row: Row, translator: Translator, mapping: Mapping, found: dict[str, Any], width: int) -> Reject | None:
    reject = faults(row, width, translator.file, translator.header)
    snapshot = reject or translator.snapshot(row)
    if isinstance(snapshot, Reject):
        return snapshot
    key = translator.text(row, translator._key)[:80]
    if mapping.many and key:
        before = found.get(key)
        if before is None or snapshot.order >= before[0]:
            found[key] = snapshot.order, _joined(before[1] if before else {}, snapshot)
    else:
        found[key if key and key not in found else f"line {row.line}"] = snapshot.order, snapshot.values
    return None


def _joined(before: Map[str, Any], snapshot: Snapshot) -> dict[str, Any]:
    return {**before, **{name: value for name, value in snapshot.values.items() if value not in (None, "")}}


def columns_of(keys: Sequence[str], lines: Sequence[Map[str, Any]], *, titled: bool) -> Tickets:
    """Return tickets as columns from values under journal names; `extra.` columns become facts where they are some.

    Not `titled`: the source has no titles, and those that there are only repeat other columns.
    """
    extras = sorted({name for values in lines for name in values if name.startswith("extra.")})
    return Tickets(
        keys,
        opened=_instants(lines, ("opened_at",)),
        ended=_instants(lines, ("resolved_at", "closed_at")),
        titles=_texts(lines, "title") if titled else None,
        texts=_texts(lines, "description") or (None if titled else _longest(lines, extras)),
        notes=_texts(lines, "resolution_notes"),
        facts=_facts(lines, extras),
        effort=_effort(lines, extras),
        reassigned=_numbers(lines, [name for name in extras if naming.is_reassignments(_plain(name))]),
        breached=_breached(lines),
    )


def _plain(name: str) -> str:
    return name.removeprefix("extra.")


def _texts(lines: Sequence[Map[str, Any]], name: str) -> list[str] | None:
    found = [str(values.get(name) or "") for values in lines]
    return found if any(found) else None


def _longest(lines: Sequence[Map[str, Any]], extras: Sequence[str]) -> list[str] | None:
    """Return the column that holds sentences where no column is named for them: the longest, of which hardly two are alike."""
    sample = lines[:: max(1, len(lines) // 500)]
    best, length = "", _SENTENCE
    for name in extras:
        cells = [str(values.get(name) or "") for values in sample]
        own = sum(map(len, cells)) / max(len(cells), 1)
        if own >= length and len(set(cells)) > 0.5 * len(cells) and sum(" " in cell for cell in cells) > 0.5 * len(cells):
            best, length = name, own
    return _texts(lines, best) if best else None


def _instants(lines: Sequence[Map[str, Any]], names: Sequence[str]) -> Ints | None:
    found = [next((values[name] for name in names if values.get(name) is not None), None) for values in lines]
    if not any(at is not None for at in found):
        return None
    return np.array([int(at.timestamp()) if at is not None else MISSING for at in found], dtype=np.int64)


def _facts(lines: Sequence[Map[str, Any]], extras: Sequence[str]) -> dict[str, Fact]:
    facts = {}
    for field, name in {**_FACTS, **_KINDS}.items():
        fact = coded(str(values[field]) if values.get(field) else None for values in lines)
        if len(fact.names) > 1 or (fact.names and field == "ci"):
            facts[name] = fact
    for column in extras:
        named = naming.fact_of(_plain(column))
        if named is None or named in facts:
            continue
        fact = coded(str(values[column]) if values.get(column) else None for values in lines)
        if naming.is_fact(len(fact.names), int((fact.codes >= 0).sum())):
            facts[named] = fact
    return facts


def _numbers(lines: Sequence[Map[str, Any]], columns: Sequence[str]) -> Floats | None:
    if not columns:
        return None
    return np.array([naming.number(str(values.get(columns[0]))) for values in lines], dtype=np.float64)


def _effort(lines: Sequence[Map[str, Any]], extras: Sequence[str]) -> Floats | None:
    """Return handling time in seconds from the column that says it."""
    for column in extras:
        if (unit := naming.effort_unit(_plain(column))) is not None:
            found = _numbers(lines, [column])
            return found * unit if found is not None and np.isfinite(found).any() else None
    return None


def _breached(lines: Sequence[Map[str, Any]]) -> Floats | None:
    if not any("extra.made_sla" in values for values in lines):
        return None
    return np.array([naming.breach(str(values.get("extra.made_sla"))) for values in lines], dtype=np.float64)
