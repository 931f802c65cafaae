"""Search documents: a projection of the journal into text that PostgreSQL's full-text search reads.

A room says which of its fields make a record's text and which verbs are comments; the rest follows from the journal.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection

from pilothouse.platform import projections
from pilothouse.platform.journal import Entry
from pilothouse.platform.statements import run, wide


@dataclass(frozen=True, slots=True)
class Source:
    """How the entries of one kind become documents."""

    kind: str
    title: str
    body: str = ""
    comments: frozenset[str] = frozenset()


@dataclass(slots=True)
class _Text:
    """What a batch of entries says about one record's text: None where it says nothing."""

    title: str | None = None
    body: str | None = None
    is_new: bool = False  # it has no document yet


_sources: dict[str, Source] = {}
_COMMENTS = """
INSERT INTO search_document (kind, record_id, seq, private, title, body)
SELECT kind, record_id, seq, private, '', body
FROM unnest(%s::text[], %s::bigint[], %s::int[], %s::bool[], %s::text[]) d(kind, record_id, seq, private, body)
ON CONFLICT (kind, record_id, seq) DO NOTHING
"""


class SearchDocuments:
    """The `search` projection."""

    name = "search"

    @property
    def kinds(self) -> frozenset[str]:
        return frozenset(_sources)

    def clear(self) -> None:
        """Empty the documents."""
        with connection.cursor() as cursor:
            cursor.execute("DELETE FROM search_document WHERE kind = ANY(%s)", [sorted(_sources)])

    def apply(self, entries: Sequence[Entry]) -> None:
        """Write the documents that these entries change, one statement for records and one for comments."""
        texts: dict[tuple[str, int], _Text] = {}
        comments: list[Entry] = []
        for entry in entries:
            source = _sources[entry.kind]
            if entry.verb in source.comments:
                comments.append(entry)
            else:
                _read(source, entry, texts)
        if texts:
            _write_texts(texts)
        if comments:
            _write_comments(comments)


def _read(source: Source, entry: Entry, texts: dict[tuple[str, int], _Text]) -> None:
    """Note what an entry says about its record's text, if anything."""
    for name, _, after in entry.changes:
        if name == source.title or name == source.body:
            text = texts.setdefault((entry.kind, entry.record_id), _Text())
            text.is_new |= entry.seq == 1
            if name == source.title:
                text.title = str(after or "")
            else:
                text.body = _flat(after)


def _flat(value: Any) -> str:
    value = list(value.values()) if isinstance(value, dict) else value
    return " ".join(str(part) for part in value) if isinstance(value, list) else str(value or "")


_UPSERT_ONE = """
INSERT INTO search_document (kind, record_id, seq, private, title, body)
VALUES (%s, %s, 0, false, coalesce(%s::text, ''), coalesce(%s::text, ''))
ON CONFLICT (kind, record_id, seq) DO UPDATE SET
  title = coalesce(%s::text, search_document.title), body = coalesce(%s::text, search_document.body)
"""


def _write_texts(texts: dict[tuple[str, int], _Text]) -> None:
    if len(texts) == 1:
        (((kind, record_id), text),) = texts.items()
        run(_UPSERT_ONE, (kind, wide(record_id), text.title, text.body, text.title, text.body))
        return
    added = [(*key, text.title, text.body) for key, text in texts.items() if text.is_new]
    changed = [(*key, text.title, text.body) for key, text in texts.items() if not text.is_new]
    with connection.cursor() as cursor:
        if added:
            cursor.execute(_INSERT_MANY, [list(column) for column in zip(*added, strict=True)])
        if changed:
            _write_many(cursor, *(list(column) for column in zip(*changed, strict=True)))


_INSERT_MANY = """
INSERT INTO search_document (kind, record_id, seq, private, title, body)
SELECT kind, record_id, 0, false, coalesce(title, ''), coalesce(body, '')
FROM unnest(%s::text[], %s::bigint[], %s::text[], %s::text[]) d(kind, record_id, title, body)
ON CONFLICT (kind, record_id, seq) DO UPDATE SET title = EXCLUDED.title, body = EXCLUDED.body
"""


def _write_many(cursor: Any, kinds: list[str], ids: list[int], titles: list[str | None], bodies: list[str | None]) -> None:
    """Update the documents that exist, then insert the others: set-based, two statements."""
    cursor.execute(
        "WITH d AS (SELECT * FROM unnest(%s::text[], %s::bigint[], %s::text[], %s::text[]) d(kind, record_id, title, body)),"
        " changed AS (UPDATE search_document s SET title = coalesce(d.title, s.title), body = coalesce(d.body, s.body) FROM d"
        "   WHERE s.kind = d.kind AND s.record_id = d.record_id AND s.seq = 0 RETURNING s.kind, s.record_id)"
        " INSERT INTO search_document (kind, record_id, seq, private, title, body)"
        " SELECT kind, record_id, 0, false, coalesce(title, ''), coalesce(body, '') FROM d"
        " WHERE NOT EXISTS (SELECT 1 FROM changed c WHERE c.kind = d.kind AND c.record_id = d.record_id)",
        [kinds, ids, titles, bodies],
    )


def _write_comments(comments: Sequence[Entry]) -> None:
    columns: list[list[Any]] = [
        [c.kind for c in comments],
        [c.record_id for c in comments],
        [c.seq for c in comments],
        [c.private for c in comments],
    ]
    with connection.cursor() as cursor:
        cursor.execute(_COMMENTS, [*columns, [c.note for c in comments]])


def register(source: Source) -> None:
    """Let search follow a kind of record."""
    _sources[source.kind] = source


projections.register(SearchDocuments())
