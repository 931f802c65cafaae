"""Drafting a mapping file from a table's header and first rows; pure."""

import json
import re
from collections.abc import Iterable, Mapping, Sequence

from pilothouse.connectors.engine.dates import formats_of, is_undecided
from pilothouse.connectors.engine.mapping import FIELDS, INSTANTS, LEVELS
from pilothouse.connectors.engine.tables import BadFile
from pilothouse.problems.engine.naming import column_key

_COLUMN_WORDS: Mapping[str, tuple[str, ...]] = {
    "title": ("title", "subject", "summary", "short description", "name", "headline"),
    "description": ("description", "body", "details", "text", "comment"),
    "state": ("state", "status", "incident state", "ticket status"),
    "kind": ("kind", "type", "ticket type", "issue type", "record type"),
    "channel": ("channel", "via", "source", "contact type", "origin"),
    "impact": ("impact",),
    "urgency": ("urgency",),
    "priority": ("priority", "prio", "severity"),
    "requester": ("requester", "caller", "caller id", "reporter", "customer", "requested by", "raised by", "contact"),
    "opened_by": ("opened by", "created by", "creator", "submitter"),
    "assignee": ("assignee", "assigned to", "agent", "owner", "technician"),
    "group": ("group", "team", "assignment group", "resolver group", "queue", "support group", "assigned group"),
    "service": ("service", "business service"),
    "ci": ("ci", "configuration item", "cmdb ci", "asset", "device"),
    "category": ("category",),
    "subcategory": ("subcategory", "sub category"),
    "opened_at": ("opened at", "opened", "created at", "created", "creation date", "open time", "created time", "date opened", "submitted"),
    "resolved_at": ("resolved at", "resolved", "resolved time", "resolution date", "solved at", "solved"),
    "closed_at": ("closed at", "closed", "close time", "closed time", "date closed"),
    "resolution_code": ("resolution code", "close code", "closed code", "closure code", "resolution"),
    "resolution_notes": ("resolution notes", "close notes", "solution"),
    "tags": ("tags", "labels"),
}
_KEY_WORDS = ("number", "ticket number", "ticket id", "id", "key", "issue key", "incident id", "case number", "reference", "ticket", "no")
_UPDATED_WORDS = (
    "updated at",
    "updated",
    "last updated",
    "modified",
    "last modified",
    "last update",
    "sys updated on",
    "sys updated at",
    "updated time",
)
_STATE_WORDS: Mapping[str, str] = {
    "new": "new", "open": "new", "to do": "new", "logged": "new", "submitted": "new", "assigned": "assigned", "active": "in_progress",
    "in progress": "in_progress", "in process": "in_progress", "work in progress": "in_progress", "working": "in_progress",
    "pending": "on_hold:other", "on hold": "on_hold:other", "hold": "on_hold:other", "waiting": "on_hold:caller",
    "waiting for customer": "on_hold:caller", "awaiting user info": "on_hold:caller", "awaiting vendor": "on_hold:vendor",
    "resolved": "resolved", "solved": "resolved", "fixed": "resolved", "closed": "closed", "done": "closed", "completed": "closed",
    "cancelled": "cancelled", "canceled": "cancelled", "rejected": "cancelled",
}  # fmt: skip
_LEVEL_WORDS: Mapping[str, int] = {
    "critical": 1,
    "urgent": 1,
    "highest": 1,
    "high": 2,
    "medium": 3,
    "normal": 3,
    "moderate": 3,
    "low": 4,
    "lowest": 5,
    "planning": 5,
}
_KIND_WORDS: Mapping[str, str] = {
    "incident": "incident",
    "problem": "incident",
    "bug": "incident",
    "request": "request",
    "service request": "request",
    "question": "request",
    "task": "request",
}
_MOST_WORDS = 40
_UNIT = re.compile(r"\s*\([^()]*\)\s*$")  # a column that names its unit or zone, as our own exports do: "Opened (UTC)"


def suggest(header: Sequence[str], rows: Iterable[Sequence[str]], *, system: str) -> str:
    """Draft a mapping file (TOML) for a table; what could not be told is left as a comment that begins with `# ?`."""
    sample = list(rows)
    key = _first(header, _KEY_WORDS)
    found = {field: column for field in FIELDS if (column := _first(header, _COLUMN_WORDS.get(field, ()), taken={key}))}
    updated = _first(header, _UPDATED_WORDS)
    lines = [f"system = {_text(system)}"]
    lines += _line("key", key, "the column with the ticket's number")
    lines += [f"updated = {_text(updated)}"] if updated else ["# updated = ?  the column with the time of the last update, if there is one"]
    lines += [f"history = {'true' if _repeats(header, sample, key) else 'false'}  # true: several rows a ticket, one an update"]
    lines += ['time_zone = "UTC"  # the zone that the file\'s times are in', *_dates(header, sample, found, updated), "", "[columns]"]
    for field in FIELDS:
        if field in found:
            lines.append(f"{field} = {_text(found[field])}")
        elif field in ("state", "opened_at", "title"):
            lines.append(f"# {field} = ?")
    lines += _values(header, sample, found)
    return "\n".join(lines) + "\n"


def _text(value: str) -> str:
    return json.dumps(value, ensure_ascii=False)  # a JSON string is a TOML string


def _line(name: str, value: str, what: str) -> list[str]:
    return [f"{name} = {_text(value)}"] if value else [f"# {name} = ?  {what}"]


def _first(header: Sequence[str], words: Sequence[str], taken: Iterable[str] = ()) -> str:
    free = [name for name in reversed(header) if name not in set(taken)]
    names = {column_key(_UNIT.sub("", name)): name for name in free} | {column_key(name): name for name in free}
    return next((names[word] for word in words if word in names), "")


def _column(header: Sequence[str], sample: Sequence[Sequence[str]], name: str) -> list[str]:
    place = list(header).index(name)
    return [row[place].strip() for row in sample if place < len(row) and row[place].strip()]


def _repeats(header: Sequence[str], sample: Sequence[Sequence[str]], key: str) -> bool:
    values = _column(header, sample, key) if key else []
    return len(set(values)) < len(values)


def _dates(header: Sequence[str], sample: Sequence[Sequence[str]], found: Mapping[str, str], updated: str) -> list[str]:
    names = [found[field] for field in INSTANTS if field in found] + ([updated] if updated else [])
    values = [value for name in names for value in _column(header, sample, name) if value != "?"]
    try:
        formats = formats_of(values, names[0] if names else "")
    except BadFile as fault:
        return [f"# ? {fault}", "# date_formats = [?]"]
    if not formats:
        return ["# date_formats = []  dates are in ISO 8601, which needs no format"]
    doubt = "  # ? every date reads both ways: is the day first?" if is_undecided(values) else ""
    return [f"date_formats = [{', '.join(_text(each) for each in formats)}]{doubt}"]


def _values(header: Sequence[str], sample: Sequence[Sequence[str]], found: Mapping[str, str]) -> list[str]:
    lines: list[str] = []
    for field in ("state", "kind", *LEVELS):
        if field in found:
            words = list(dict.fromkeys(_column(header, sample, found[field])))[:_MOST_WORDS]
            pairs = [_pair(field, word) for word in words if not _speaks_for_itself(field, word)]
            lines += ["", f"[values.{field}]", *pairs] if pairs else []
    return lines


def _speaks_for_itself(field: str, word: str) -> bool:
    """A level that begins with its number needs no translation."""
    return field in LEVELS and word[:1].isdigit() and 1 <= int(word[:1]) <= LEVELS[field]


def _pair(field: str, word: str) -> str:
    plain = word.casefold()
    if field in LEVELS:
        level = _LEVEL_WORDS.get(plain)
        shown = str({1: 1, 2: 1, 3: 2}.get(level, 3) if level and LEVELS[field] == 3 else level) if level else ""
    else:
        told = (_STATE_WORDS if field == "state" else _KIND_WORDS).get(plain, "")
        shown = _text(told) if told else ""
    return f"{_text(word)} = {shown}" if shown else f"# ? {_text(word)} = "
