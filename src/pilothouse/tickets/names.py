"""Names in queries: which records a person means by a name, what was probably meant by a wrong one, and what could be typed.

A key, number or e-mail address, or the whole name, decides; failing these, every record of which a word begins with the text.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.db import connection

from pilothouse.platform.access import Actor, Capability
from pilothouse.tickets.engine.queue_language import Vocabulary, ticket_number
from pilothouse.tickets.engine.queue_language.syntax import is_bare_value, quote

_AT_MOST = 200  # records that one half-typed name may stand for
_TABLES: Mapping[str, tuple[str, str, str, Capability | None]] = {
    # kind: (table, second unique name, explanation, capability that naming one takes)
    "person": ("people_user", "lower(email)", "email", Capability.READ_PEOPLE),
    "team": ("people_team", "key", "description", None),
    "service": ("cmdb_service", "key", "description", None),
    "ci": ("cmdb_ci", "lower(name)", "ci_class", Capability.READ_CMDB),
}


def _may_name(actor: Actor, kind: str) -> bool:
    needed = _TABLES[kind][3]
    return needed is None or actor.can(needed)


def _pattern(text: str) -> str:
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%"


def look_up(actor: Actor, wanted: Iterable[tuple[str, str]]) -> dict[tuple[str, str], tuple[int, ...]]:
    """Return the ids that each (kind, name) stands for, in one round trip; a name that nobody bears is left out.

    A requester names people and CIs to no avail: whom the organisation employs is not theirs to try out.
    """
    parts: list[str] = []
    values: list[Any] = []
    for kind, text in sorted(wanted):
        if kind == "ticket":
            parts.append("(SELECT %s::text, %s::text, id, true FROM tickets_ticket WHERE number = %s)")
            values += [kind, text, ticket_number(text) or text.strip().upper()]
        elif _may_name(actor, kind):
            parts.append(_find(kind))
            folded, pattern = text.strip().casefold(), _pattern(text.strip())
            values += [kind, text, folded, folded, folded, folded, pattern, f"% {pattern}"]
    if not parts:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(" UNION ALL ".join(parts), values)
        return _best(cursor.fetchall())


def _find(kind: str) -> str:
    table, second, _, _ = _TABLES[kind]
    return (
        f"(SELECT %s::text, %s::text, id, lower(name) = %s OR {second} = %s FROM {table}"
        f" WHERE {second} = %s OR lower(name) = %s OR name ILIKE %s OR name ILIKE %s LIMIT {_AT_MOST})"
    )


def _best(rows: Sequence[tuple[str, str, int, bool]]) -> dict[tuple[str, str], tuple[int, ...]]:
    exact: dict[tuple[str, str], list[int]] = {}
    near: dict[tuple[str, str], list[int]] = {}
    for kind, text, record_id, is_exact in rows:
        (exact if is_exact else near).setdefault((kind, text), []).append(record_id)
    return {key: tuple(sorted(ids)) for key, ids in {**near, **exact}.items()}


def nearest(actor: Actor, kind: str, text: str) -> str:
    """Return the name most like a wrong one, ready to stand in a query, or "" when none is like it."""
    if kind not in _TABLES or not _may_name(actor, kind):
        return ""
    table = _TABLES[kind][0]
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT name FROM {table} WHERE name %% %s ORDER BY similarity(name, %s) DESC, name LIMIT 1", [text, text])
        row = cursor.fetchone()
    return _written(row[0]) if row else ""


def _written(name: str) -> str:
    return name if is_bare_value(name) else quote(name)


def vocabulary(actor: Actor) -> Vocabulary:
    """Return the names that completion offers this actor."""

    def names(kind: str, start: str, limit: int) -> list[tuple[str, str]]:
        if kind == "category":
            return _select(
                "SELECT name, '' FROM tickets_category WHERE parent_id IS NULL AND is_active AND name ILIKE %s ORDER BY name", start, limit
            )
        if kind == "tag":
            return _select(_TAGS, start, limit) if actor.can(Capability.READ_TICKETS) else []
        if kind not in _TABLES or not _may_name(actor, kind):
            return []
        table, _, label, _ = _TABLES[kind]
        active = "status <> 'retired'" if kind in {"service", "ci"} else "is_active"
        return _select(
            f"SELECT name, left({label}, 80) FROM {table} WHERE {active} AND (name ILIKE %s OR name ILIKE %s) ORDER BY name",
            start,
            limit,
            inner=True,
        )

    return names


# The planner's statistics know the common tags: listing them all would read every ticket.
_TAGS = (
    "SELECT tag, '' FROM pg_stats, unnest(most_common_elems::text::text[]) tag"
    " WHERE tablename = 'tickets_ticket' AND attname = 'tags' AND tag ILIKE %s ORDER BY tag"
)


def _select(sql: str, start: str, limit: int, *, inner: bool = False) -> list[tuple[str, str]]:
    pattern = _pattern(start)
    with connection.cursor() as cursor:
        cursor.execute(f"{sql} LIMIT %s", [pattern, f"% {pattern}", limit] if inner else [pattern, limit])
        return [(name, label) for name, label in cursor.fetchall()]
