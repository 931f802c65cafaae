"""The journal's way for many entries at once: ids are drawn first, then COPY takes entries and heads.

COPY gives no ids back and costs a few round trips, so that a handful of entries goes through one INSERT instead.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import orjson
from django.db import connection

if TYPE_CHECKING:
    from pilothouse.platform.journal import Entry

WORTH_IT = 200  # entries from which COPY is quicker
_ENTRIES = (
    "COPY journal_entry (id, kind, record_id, seq, verb, actor_id, happened_at, recorded_at, changes, note, private, source, request_id,"
    " previous, hash) FROM STDIN"
)
_HEADS = "COPY journal_head (kind, record_id, seq, hash) FROM STDIN"


def copy_entries(entries: "Sequence[Entry]") -> list[int]:
    """Copy entries into the journal and return their ids, in order."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT nextval(pg_get_serial_sequence('journal_entry', 'id')) FROM generate_series(1, %s)", [len(entries)])
        ids = [row[0] for row in cursor.fetchall()]
        with cursor.copy(_ENTRIES) as copy:
            for entry_id, e in zip(ids, entries, strict=True):
                changes = orjson.dumps([[c.field, c.before, c.after] for c in e.changes]).decode()
                happened = e.happened_at.isoformat()
                recorded = happened if e.recorded_at is e.happened_at else e.recorded_at.isoformat()
                copy.write_row(
                    (
                        entry_id, e.kind, e.record_id, e.seq, e.verb, e.actor_id, happened, recorded, changes, e.note, e.private, e.source,
                        e.request_id, e.previous, e.hash,
                    )
                )  # fmt: skip
    return ids


def copy_heads(heads: Mapping[tuple[str, int], tuple[int, bytes]]) -> None:
    """Copy the heads of records that are all new."""
    with connection.cursor() as cursor, cursor.copy(_HEADS) as copy:
        for (kind, record_id), (seq, hashed) in heads.items():
            copy.write_row((kind, record_id, seq, hashed))


def move_heads(heads: Mapping[tuple[str, int], tuple[int, bytes]]) -> None:
    """Move the heads of records on, making those that are new."""
    columns: list[Any] = [
        [kind for kind, _ in heads],
        [record_id for _, record_id in heads],
        [seq for seq, _ in heads.values()],
        [hashed for _, hashed in heads.values()],
    ]
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO journal_head (kind, record_id, seq, hash) SELECT * FROM unnest(%s::text[], %s::bigint[], %s::int[], %s::bytea[])"
            " ON CONFLICT (kind, record_id) DO UPDATE SET seq = EXCLUDED.seq, hash = EXCLUDED.hash",
            columns,
        )
