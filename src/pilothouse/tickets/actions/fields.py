"""How a ticket's fields are named in the journal and in the row, and what values they take."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cache
from typing import Any

from pilothouse.platform.journal import Change, instant_text
from pilothouse.platform.refusals import FieldError
from pilothouse.platform.statements import run, wide
from pilothouse.platform.texts import is_plain_text
from pilothouse.tickets.engine.lifecycle import CHANNELS, DEFAULT_MATRIX, HOLD_REASONS, KINDS, RESOLUTION_CODES
from pilothouse.tickets.engine.replay import EMPTY
from pilothouse.tickets.models import Ticket

# Journal name -> attribute of the row; those that refer carry an id.
REFERENCES = {
    "requester": "person",
    "opened_by": "person",
    "assignee": "person",
    "group": "team",
    "service": "service",
    "ci": "ci",
    "parent": "ticket",
    "merged_into": "ticket",
}
ATTRIBUTES = {name: f"{name}_id" if name in REFERENCES else name for name in EMPTY}
INSTANTS = ("opened_at", "resolved_at", "closed_at", "hold_until")
_CHOICES: dict[str, Mapping[str, Any]] = {
    "kind": KINDS,
    "channel": CHANNELS,
    "hold_reason": {"": "", **HOLD_REASONS},
    "resolution_code": {"": "", **RESOLUTION_CODES},
}
_LENGTHS = {
    "title": 250,
    "category": 80,
    "subcategory": 80,
    "description": 200_000,
    "resolution_notes": 50_000,
    "external_system": 40,
    "external_id": 80,
}
_RANGES = {"impact": (1, 3), "urgency": (1, 3), "priority": (1, 5)}
_MOST_TAGS = 30
_MOST_WATCHERS = 200
_LARGEST_ID = 2**63 - 1


def journal_value(value: Any) -> Any:
    """Return a field's value as the journal writes it: instants and days as text, everything else as it is."""
    return instant_text(value) if isinstance(value, datetime) else value.isoformat() if isinstance(value, date) else value


def row_values(ticket: Ticket) -> dict[str, Any]:
    """Return a ticket's fields under their journal names, in row form (ids, datetimes)."""
    return {name: getattr(ticket, attribute) for name, attribute in ATTRIBUTES.items()}


def journal_row(ticket: Ticket) -> dict[str, Any]:
    """Return a ticket's fields as the fold of its journal must give them."""
    return {name: journal_value(value) for name, value in row_values(ticket).items()}


def changes_between(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[Change, ...]:
    """Return what differs, as journal changes, in the order of `after`."""
    return tuple(
        Change(name, journal_value(before.get(name)), journal_value(value)) for name, value in after.items() if before.get(name) != value
    )


def value_errors(values: Mapping[str, Any]) -> list[FieldError]:
    """Say what is wrong with values that need no look at the database."""
    errors = []
    for name, value in values.items():
        if problem := _problem(name, value):
            errors.append(FieldError(name, *problem))
    return errors


def _problem(name: str, value: Any) -> tuple[str, str] | None:
    if name in _CHOICES:
        known = isinstance(value, str) and value in _CHOICES[name]
        return None if known else (f"There is no {_words(name)} “{value}”.", f"One of: {', '.join(filter(None, _CHOICES[name]))}.")
    if name in _RANGES:
        low, high = _RANGES[name]
        fits = isinstance(value, int) and not isinstance(value, bool) and low <= value <= high
        return None if fits else (f"{_words(name).capitalize()} is a number from {low} to {high}.", "")
    if name in _LENGTHS:
        return _text_problem(name, value)
    if name == "state":
        return None if isinstance(value, str) else ("A state is a word.", "")
    if name == "tags":
        return _tags_problem(value)
    if name == "watchers":
        return _watchers_problem(value)
    if name in INSTANTS:
        aware = value is None or (isinstance(value, datetime) and value.tzinfo is not None)
        return None if aware else ("This is not an instant.", "For instance 2026-11-24T16:00:00Z.")
    return _extra_problem(value) if name == "extra" else None


def _is_id(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 < value <= _LARGEST_ID


def _watchers_problem(value: Any) -> tuple[str, str] | None:
    good = isinstance(value, list) and len(value) <= _MOST_WATCHERS and all(_is_id(one) for one in value)
    return None if good else (f"At most {_MOST_WATCHERS} people, each by their number.", "")


def _text_problem(name: str, value: Any) -> tuple[str, str] | None:
    if not is_plain_text(value):
        return "This is not a text.", "Letters, digits and signs; no NUL characters."
    if name == "title" and not value.strip():
        return "A ticket has a title.", "Say in one line what is wrong or wanted."
    if len(value) > _LENGTHS[name]:
        return f"At most {_LENGTHS[name]:,} characters; this has {len(value):,}.", "Shorten it, or attach a file."
    return None


def _tags_problem(value: Any) -> tuple[str, str] | None:
    good = isinstance(value, list) and len(value) <= _MOST_TAGS and all(_is_tag(tag) for tag in value)
    return None if good else (f"At most {_MOST_TAGS} tags of 1 to 40 characters, without commas.", "")


def _is_tag(tag: Any) -> bool:
    return is_plain_text(tag) and 0 < len(tag.strip()) <= len(tag) <= 40 and not set(tag) & {",", "\n"}


def _extra_problem(value: Any) -> tuple[str, str] | None:
    if not isinstance(value, dict) or len(value) > 100:
        return "At most 100 named values.", ""
    good = all(is_plain_text(k) and 0 < len(k) <= 80 and _is_plain(v) for k, v in value.items())
    return None if good else ("Each is a short name with a text, a whole number, yes or no.", "")


def _is_plain(value: Any) -> bool:
    if isinstance(value, int):
        return -_LARGEST_ID <= value <= _LARGEST_ID
    return value is None or (is_plain_text(value) and len(value) <= 4000)


def _words(name: str) -> str:
    return name.replace("_", " ")


@dataclass(frozen=True, slots=True)
class Known:
    """What one look at the database knows: the ids that exist, the priority matrix, fresh numbers by kind, and fresh ids."""

    ids: dict[str, frozenset[int]]
    matrix: dict[tuple[int, int], int]
    numbers: dict[str, list[str]]
    row_ids: list[int] = field(default_factory=list)


_LOOK = """
SELECT 'person', id FROM people_user WHERE id = ANY(%s::text::bigint[])
UNION ALL SELECT 'team', id FROM people_team WHERE id = ANY(%s::text::bigint[])
UNION ALL SELECT 'service', id FROM cmdb_service WHERE id = ANY(%s::text::bigint[])
UNION ALL SELECT 'ci', id FROM cmdb_ci WHERE id = ANY(%s::text::bigint[])
UNION ALL SELECT 'ticket', id FROM tickets_ticket WHERE id = ANY(%s::text::bigint[])
UNION ALL SELECT 'cell', impact * 100 + urgency * 10 + priority FROM tickets_priorityrule
"""
_DRAW_IDS = "UNION ALL SELECT 'row', nextval('tickets_ticket_id_seq') FROM generate_series(1, %s)\n"
SEQUENCES = {kind: f"ticket_{kind}_number" for kind in KINDS}


@cache
def _look_sql(kinds: tuple[str, ...]) -> str:
    draws = [f"UNION ALL SELECT '{kind}', nextval('{SEQUENCES[kind]}') FROM generate_series(1, %s)\n" for kind in kinds]
    return "".join([_LOOK, *draws, *([_DRAW_IDS] if kinds else [])])


def look_up(rows: Sequence[Mapping[str, Any]], *, fresh: Mapping[str, int] | None = None) -> Known:
    """Ask, in one round trip, which of the rows' references exist, for the matrix, and for `fresh` numbers (how many of each kind)."""
    wanted: dict[str, set[int]] = {kind: set() for kind in ("person", "team", "service", "ci", "ticket")}
    for row in rows:
        for name, kind in REFERENCES.items():
            if _is_id(row.get(name)):
                wanted[kind].add(row[name])
        wanted["person"].update(filter(_is_id, row["watchers"] if isinstance(row.get("watchers"), list) else ()))
    found: dict[str, list[int]] = {}
    drawn = dict(fresh or {})
    counts = [*drawn.values(), sum(drawn.values())] if drawn else []
    for what, value in run(_look_sql(tuple(drawn)), [*(_array(ids) for ids in wanted.values()), *map(wide, counts)]):
        found.setdefault(what, []).append(value)
    numbers = {kind: [f"{KINDS[kind][1]}{n:07d}" for n in sorted(found.get(kind, ()))] for kind in KINDS}
    return Known(
        {kind: frozenset(found.get(kind, ())) for kind in wanted}, _matrix(found.get("cell", ())), numbers, sorted(found.get("row", ()))
    )


def _array(ids: Iterable[int]) -> str:
    """Write ids as PostgreSQL reads an array; psycopg's own way looks at each element's type."""
    return f"{{{','.join(map(str, ids))}}}"


def _matrix(cells: Iterable[int]) -> dict[tuple[int, int], int]:
    return {**DEFAULT_MATRIX, **{(cell // 100, cell // 10 % 10): cell % 10 for cell in cells}}


def reference_errors(values: Mapping[str, Any], known: Known) -> list[FieldError]:
    """Say which references lead nowhere."""
    errors = [
        FieldError(name, f"There is no {kind if kind != 'ci' else 'CI'} {values[name]}.")
        for name, kind in REFERENCES.items()
        if values.get(name) is not None and (not _is_id(values[name]) or values[name] not in known.ids[kind])
    ]
    watchers = values["watchers"] if isinstance(values.get("watchers"), list) else []
    return errors + [
        FieldError("watchers", f"There is no person {one}.") for one in watchers if _is_id(one) and one not in known.ids["person"]
    ]
