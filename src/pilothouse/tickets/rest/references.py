"""Names in place of ids: one look at the database when a request uses any, none when it does not.

What one may not see cannot be named: for whom it is hidden, a name leads nowhere.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from django.db import connection

from pilothouse.platform.access import Actor, Capability
from pilothouse.platform.refusals import FieldError, Invalid
from pilothouse.tickets.access import visible
from pilothouse.tickets.actions.fields import REFERENCES
from pilothouse.tickets.models import Ticket

_FIND = {
    "person": ("SELECT %s::text, %s::text, id FROM people_user WHERE lower(email) = lower(%s)", 1, Capability.READ_PEOPLE),
    "team": ("SELECT %s::text, %s::text, id FROM people_team WHERE key = %s OR name = %s", 2, Capability.READ_PEOPLE),
    "service": ("SELECT %s::text, %s::text, id FROM cmdb_service WHERE key = %s OR name = %s", 2, None),
    "ci": ("SELECT %s::text, %s::text, id FROM cmdb_ci WHERE name = %s LIMIT 2", 1, Capability.READ_CMDB),
}
_HINTS = {
    "person": "An id or an e-mail address.",
    "team": "An id, a key or a name.",
    "service": "An id, a key or a name.",
    "ci": "An id or a name.",
    "ticket": "An id or a number.",
}
Named = tuple[str, str]


def resolved(actor: Actor, rows: Sequence[dict[str, Any]], *, bulk: bool = False) -> Sequence[dict[str, Any]]:
    """Return the rows with ids in place of names; Invalid names every one that leads nowhere or is not unique."""
    wanted = {(kind, row[name]) for row in rows for name, kind in REFERENCES.items() if isinstance(row.get(name), str)}
    if not wanted:
        return rows
    found = _find(actor, wanted)
    errors = [
        FieldError(f"tickets[{i}].{name}" if bulk else name, _fault(kind, row[name], found), _HINTS[kind])
        for i, row in enumerate(rows)
        for name, kind in REFERENCES.items()
        if isinstance(row.get(name), str) and len(found.get((kind, row[name]), ())) != 1
    ]
    if errors:
        raise Invalid("A name leads nowhere; nothing was changed.", errors)
    return [{name: _id(found, name, value) for name, value in row.items()} for row in rows]


def _id(found: Mapping[Named, Sequence[int]], name: str, value: Any) -> Any:
    return found[REFERENCES[name], value][0] if name in REFERENCES and isinstance(value, str) else value


def _fault(kind: str, name: str, found: Mapping[Named, Sequence[int]]) -> str:
    word = "CI" if kind == "ci" else kind
    return f"Several {word}s are named “{name}”." if (kind, name) in found else f"There is no {word} “{name}”."


def _find(actor: Actor, wanted: set[Named]) -> dict[Named, list[int]]:
    parts: list[str] = []
    values: list[Any] = []
    for kind, name in sorted(wanted):
        sql, times, needed = _FIND.get(kind, ("", 0, None))
        if sql and (needed is None or actor.can(needed)):
            parts.append(f"({sql})")
            values += [kind, name, *([name] * times)]
    found: dict[Named, list[int]] = {}
    if parts:
        with connection.cursor() as cursor:
            cursor.execute(" UNION ALL ".join(parts), values)
            for kind, name, record_id in cursor.fetchall():
                found.setdefault((kind, name), []).append(record_id)
    return {**found, **_tickets(actor, {name for kind, name in wanted if kind == "ticket"})}


def _tickets(actor: Actor, numbers: set[str]) -> dict[Named, list[int]]:
    if not numbers:
        return {}
    by_number = {number.strip().upper(): number for number in numbers}
    rows = Ticket.objects.filter(visible(actor), number__in=list(by_number)).values_list("number", "pk")
    return {("ticket", by_number[number]): [pk] for number, pk in rows}
