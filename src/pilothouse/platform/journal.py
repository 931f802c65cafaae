"""The journal: one append-only table of what happened, hash-chained per record.

Model. A record is (kind, record_id), for instance ("ticket", 17). Its entries are numbered 1, 2, 3 … (`seq`) and each
carries the hash of the one before it (`previous`; 32 zero bytes before the first), so that a changed, removed or
inserted entry breaks the chain at a place that `verify` names.

Canonical form. An entry is hashed as a JSON array, UTF-8, no white space, object keys sorted:
[kind, record_id, seq, verb, actor_id, happened_at, recorded_at, changes, note, private, source, request_id], where instants are
`YYYY-MM-DDTHH:MM:SS.ffffff+00:00` in UTC and changes is a list of [field, from, to] of JSON scalars, or lists or
objects of them (no floats: their text is not unique). hash = SHA-256(previous + canonical form).

Two instants: `happened_at` is when it happened in the world, `recorded_at` when Pilothouse learnt of it; they differ for
imports and back-dated notes. The table is partitioned by month of `recorded_at`.

`record` writes entries, heads and outbox, applies projections and notifies live pages in the caller's transaction.
"""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, NamedTuple

import orjson
from django.db import connection, transaction

from pilothouse.platform import journal_copy, outbox, projections
from pilothouse.platform.access import Actor
from pilothouse.platform.statements import run, wide

START = bytes(32)
CHANNEL = "pilothouse"
_NOTIFY_AT_MOST = 100  # more entries than this at once are told as one bulk event


class Change(NamedTuple):  # of which bulk work makes very many
    """One field's value before and after; values are JSON scalars, or lists or objects of them."""

    field: str
    before: Any
    after: Any


@dataclass(frozen=True, slots=True)
class Draft:
    """An entry to be recorded. `happened_at` None means now; `actor_id` None with `by_actor` False keeps the actor."""

    kind: str
    record_id: int
    verb: str
    changes: tuple[Change, ...] = ()
    note: str = ""
    private: bool = False
    happened_at: datetime | None = None
    recorded_at: datetime | None = None  # only bulk history of a simulated organisation sets it
    actor_id: int | None = None  # imports name who did it; None means the acting person


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry as it stands in the journal."""

    id: int
    kind: str
    record_id: int
    seq: int
    verb: str
    actor_id: int | None
    happened_at: datetime
    recorded_at: datetime
    changes: tuple[Change, ...]
    note: str
    private: bool
    source: str
    request_id: str
    previous: bytes = field(repr=False)
    hash: bytes = field(repr=False)

    def after(self, name: str, default: Any = None) -> Any:
        """Return the value that this entry gave a field, or the default when it did not touch it."""
        for change in self.changes:
            if change.field == name:
                return change.after
        return default

    def touches(self, *names: str) -> bool:
        """Say whether this entry changed one of these fields."""
        return any(change.field in names for change in self.changes)


def instant_text(at: datetime) -> str:
    """Write an aware instant in the journal's canonical form: UTC, always six decimals."""
    return at.astimezone(UTC).isoformat(timespec="microseconds")


def canonical(entry: Entry) -> bytes:
    """Return the canonical form of an entry, the bytes that are hashed after `previous`."""
    return _canonical_row(entry, [[c.field, c.before, c.after] for c in entry.changes])


def _canonical_row(entry: Any, changes: list[list[Any]]) -> bytes:
    row = [
        entry.kind,
        entry.record_id,
        entry.seq,
        entry.verb,
        entry.actor_id,
        instant_text(entry.happened_at),
        instant_text(entry.recorded_at),
        changes,
        entry.note,
        entry.private,
        entry.source,
        entry.request_id,
    ]
    return orjson.dumps(row, option=orjson.OPT_SORT_KEYS)


def link(entry: Entry) -> bytes:
    """Return the hash that an entry must carry."""
    return hashlib.sha256(entry.previous + canonical(entry)).digest()


def record(actor: Actor, drafts: Sequence[Draft], *, now: datetime, new: bool = False, quiet: bool = False) -> list[Entry]:
    """Append entries in order, keep heads, outbox and projections, notify live pages; one transaction with the caller's.

    `new` says that every record in the batch is new, which saves reading the heads. `quiet` writes no outbox messages
    and no live events: history that is being loaded calls for no work. Returns the entries with their ids.
    """
    if not drafts:
        return []
    with transaction.atomic(savepoint=False):
        heads = {} if new else _lock_heads({(draft.kind, draft.record_id) for draft in drafts})
        entries = _chain(actor, drafts, heads, now)
        for month in sorted({_month(entry.recorded_at) for entry in entries}):
            ensure_month(month)
        stored = _store(entries, heads, new=new)
        if not quiet:
            outbox.write(stored, now)
            _notify(stored)
        projections.apply(stored)
    return stored


_Head = tuple[int, bytes]


def _lock_heads(records: set[tuple[str, int]]) -> dict[tuple[str, int], _Head]:
    """Lock the heads in one order, so that two batches over the same records wait instead of deadlocking.

    A record without a head gets one that stands before its first entry: a row must be there to be locked, or two writers of
    its first entry would fork the chain.
    """
    heads = _locked_head(*next(iter(records))) if len(records) == 1 else _locked_heads(records)
    if missing := records - heads.keys():
        kinds, ids = zip(*sorted(missing), strict=True)
        with connection.cursor() as cursor:
            cursor.execute(
                "INSERT INTO journal_head (kind, record_id, seq, hash) SELECT kind, record_id, 0, %s"
                " FROM unnest(%s::text[], %s::bigint[]) r(kind, record_id) ON CONFLICT DO NOTHING",
                [START, list(kinds), list(ids)],
            )
        heads |= _locked_heads(missing)
    return heads


def _locked_head(kind: str, record_id: int) -> dict[tuple[str, int], _Head]:
    row = run("SELECT seq, hash FROM journal_head WHERE kind = %s AND record_id = %s FOR UPDATE", (kind, wide(record_id))).fetchone()
    return {(kind, record_id): (row[0], bytes(row[1]))} if row else {}


def _locked_heads(records: set[tuple[str, int]]) -> dict[tuple[str, int], _Head]:
    kinds, ids = zip(*sorted(records), strict=True)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT kind, record_id, seq, hash FROM journal_head WHERE (kind, record_id) IN"
            " (SELECT * FROM unnest(%s::text[], %s::bigint[])) ORDER BY kind, record_id FOR UPDATE",
            [list(kinds), list(ids)],
        )
        return {(kind, record_id): (seq, bytes(hashed)) for kind, record_id, seq, hashed in cursor.fetchall()}


def _chain(actor: Actor, drafts: Sequence[Draft], heads: dict[tuple[str, int], _Head], now: datetime) -> list[Entry]:
    """Number and hash the drafts, moving `heads` on."""
    entries = []
    for draft in drafts:
        key = (draft.kind, draft.record_id)
        seq, previous = heads.get(key, (0, START))
        entry = _entry(actor, draft, seq + 1, previous, now)
        heads[key] = (entry.seq, entry.hash)
        entries.append(entry)
    return entries


@dataclass(slots=True)
class _Row:
    """An entry while its hash is being made."""

    kind: str
    record_id: int
    seq: int
    verb: str
    actor_id: int | None
    happened_at: datetime
    recorded_at: datetime
    note: str
    private: bool
    source: str
    request_id: str


def _entry(actor: Actor, draft: Draft, seq: int, previous: bytes, now: datetime) -> Entry:
    row = _Row(
        draft.kind,
        draft.record_id,
        seq,
        draft.verb,
        draft.actor_id if draft.actor_id is not None else actor.user_id,
        draft.happened_at or now,
        draft.recorded_at or now,
        draft.note,
        draft.private,
        str(actor.source),
        actor.request_id,
    )
    hashed = hashlib.sha256(previous + _canonical_row(row, [[c.field, c.before, c.after] for c in draft.changes])).digest()
    return Entry(
        0,
        row.kind,
        row.record_id,
        seq,
        row.verb,
        row.actor_id,
        row.happened_at,
        row.recorded_at,
        draft.changes,
        row.note,
        row.private,
        row.source,
        row.request_id,
        previous,
        hashed,
    )


_INSERT = """
WITH entry AS (
  INSERT INTO journal_entry (kind, record_id, seq, verb, actor_id, happened_at, recorded_at, changes, note, private, source,
                             request_id, previous, hash)
  SELECT * FROM unnest(%s::text[], %s::bigint[], %s::int[], %s::text[], %s::bigint[], %s::timestamptz[], %s::timestamptz[],
                       %s::jsonb[], %s::text[], %s::bool[], %s::text[], %s::text[], %s::bytea[], %s::bytea[])
  RETURNING id, kind, record_id, seq
), head AS (
  INSERT INTO journal_head (kind, record_id, seq, hash)
  SELECT * FROM unnest(%s::text[], %s::bigint[], %s::int[], %s::bytea[])
  ON CONFLICT (kind, record_id) DO UPDATE SET seq = EXCLUDED.seq, hash = EXCLUDED.hash
)
SELECT id, kind, record_id, seq FROM entry
"""


_INSERT_ONE = """
WITH head AS (
  INSERT INTO journal_head (kind, record_id, seq, hash) VALUES (%s, %s, %s, %s)
  ON CONFLICT (kind, record_id) DO UPDATE SET seq = EXCLUDED.seq, hash = EXCLUDED.hash
)
INSERT INTO journal_entry (kind, record_id, seq, hash, verb, actor_id, happened_at, recorded_at, changes, note, private, source,
                           request_id, previous)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s::text::jsonb, %s, %s, %s, %s, %s) RETURNING id
"""


def _store(entries: list[Entry], heads: dict[tuple[str, int], _Head], *, new: bool) -> list[Entry]:
    """Write entries and heads by the way that suits their number, and return the entries with their ids."""
    if len(entries) >= journal_copy.WORTH_IT:
        return _copy(entries, heads, new=new)
    return [_insert_one(entries[0])] if len(entries) == 1 else _insert(entries, heads)


def _insert_one(e: Entry) -> Entry:
    """Insert one entry, which is its record's last, with its head."""
    place = (e.kind, wide(e.record_id), wide(e.seq), e.hash)
    changes = orjson.dumps([[c.field, c.before, c.after] for c in e.changes]).decode()
    rest = (e.verb, wide(e.actor_id), e.happened_at, e.recorded_at, changes, e.note, e.private, e.source, e.request_id, e.previous)
    row = run(_INSERT_ONE, (*place, *place, *rest)).fetchone()
    assert row is not None
    return _with_id(e, row[0])


def _insert(entries: list[Entry], heads: dict[tuple[str, int], _Head]) -> list[Entry]:
    """Insert a few entries and their heads in one round trip, and return the entries with their ids."""
    touched = {(entry.kind, entry.record_id) for entry in entries}
    columns: list[list[Any]] = [
        [e.kind for e in entries],
        [e.record_id for e in entries],
        [e.seq for e in entries],
        [e.verb for e in entries],
        [e.actor_id for e in entries],
        [e.happened_at for e in entries],
        [e.recorded_at for e in entries],
        [orjson.dumps([[c.field, c.before, c.after] for c in e.changes]).decode() for e in entries],
        [e.note for e in entries],
        [e.private for e in entries],
        [e.source for e in entries],
        [e.request_id for e in entries],
        [e.previous for e in entries],
        [e.hash for e in entries],
        [kind for kind, _ in touched],
        [record_id for _, record_id in touched],
        [heads[key][0] for key in touched],
        [heads[key][1] for key in touched],
    ]
    with connection.cursor() as cursor:
        cursor.execute(_INSERT, columns)
        ids = {(kind, record_id, seq): entry_id for entry_id, kind, record_id, seq in cursor.fetchall()}
    return [_with_id(entry, ids[entry.kind, entry.record_id, entry.seq]) for entry in entries]


def _copy(entries: list[Entry], heads: dict[tuple[str, int], _Head], *, new: bool) -> list[Entry]:
    """Copy many entries, and return them with their ids."""
    ids = journal_copy.copy_entries(entries)
    if new:
        journal_copy.copy_heads(heads)
    else:
        journal_copy.move_heads(heads)
    return [_with_id(entry, entry_id) for entry, entry_id in zip(entries, ids, strict=True)]


def _with_id(entry: Entry, entry_id: int) -> Entry:
    object.__setattr__(entry, "id", entry_id)  # the one moment in which an entry is not yet frozen
    return entry


def _notify(entries: Sequence[Entry]) -> None:
    """Tell live pages what changed; PostgreSQL delivers it when the transaction commits."""
    if len(entries) > _NOTIFY_AT_MOST:
        payloads = [orjson.dumps({"id": entries[-1].id, "kind": entries[-1].kind, "bulk": len(entries)}).decode()]
    else:
        payloads = [
            orjson.dumps(
                {"id": e.id, "kind": e.kind, "record": e.record_id, "verb": e.verb, "actor": e.actor_id, "private": e.private}
            ).decode()
            for e in entries
        ]
    run("SELECT pg_notify(%s, payload) FROM unnest(%s::text[]) payload", (CHANNEL, payloads))


_months_known: set[str] = set()


def _month(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-01")


def ensure_month(month: str) -> None:
    """Make the partition of a month (`YYYY-MM-01`) unless it is there; a worker makes months ahead, so this is rare."""
    if month in _months_known:
        return
    with connection.cursor() as cursor:
        cursor.execute("SELECT journal_ensure_month(%s::date)", [month])
    # Known only once committed: a transaction that fails takes its new partition with it.
    transaction.on_commit(lambda: _months_known.add(month))


def forget_months() -> None:
    """Forget which partitions exist; for tests that drop or restore databases under a running process."""
    _months_known.clear()


_COLUMNS = "id, kind, record_id, seq, verb, actor_id, happened_at, recorded_at, changes, note, private, source, request_id, previous, hash"


def _read(row: Sequence[Any]) -> Entry:
    changes = tuple(Change(*change) for change in (row[8] if isinstance(row[8], list) else orjson.loads(row[8])))
    entry_id, kind, record_id, seq, verb, actor_id, happened_at, recorded_at, _, note, private, source, request_id, *hashes = row
    previous, hashed = (bytes(value) for value in hashes)
    return Entry(
        entry_id,
        kind,
        record_id,
        seq,
        verb,
        actor_id,
        happened_at,
        recorded_at,
        changes,
        note,
        private,
        source,
        request_id,
        previous,
        hashed,
    )


_OF_RECORD = f"SELECT {_COLUMNS} FROM journal_entry WHERE kind = %s AND record_id = %s AND recorded_at >= %s ORDER BY seq"


def entries_of(kind: str, record_id: int, *, since: datetime | None = None) -> list[Entry]:
    """Return a record's entries in order; `since` (its recorded creation) lets PostgreSQL skip older partitions."""
    values = (kind, wide(record_id), since or datetime.min.replace(tzinfo=UTC))
    return [_read(row) for row in run(_OF_RECORD, values)]


def stream(kinds: Iterable[str] | None = None, *, batch: int = 5000) -> Iterator[list[Entry]]:
    """Yield the journal in batches, records in order of their kind and id and entries in order; bounded memory."""
    where = "WHERE kind = ANY(%s)" if kinds is not None else ""
    with transaction.atomic(), connection.chunked_cursor() as cursor:
        cursor.execute(
            f"SELECT {_COLUMNS} FROM journal_entry {where} ORDER BY kind, record_id, seq",
            [sorted(kinds)] if kinds is not None else [],
        )
        while rows := cursor.fetchmany(batch):
            yield [_read(row) for row in rows]


@dataclass(frozen=True, slots=True)
class Break:
    """The first broken entry of a chain, and why it is broken."""

    kind: str
    record_id: int
    seq: int
    entry_id: int | None
    reason: str


@dataclass(frozen=True, slots=True)
class Verification:
    """What `verify` found: how much it read, and every broken chain's first broken entry."""

    entries: int
    records: int
    breaks: tuple[Break, ...]


def verify(kinds: Iterable[str] | None = None, *, progress: Callable[[int], None] = lambda count: None) -> Verification:
    """Walk every chain against its hashes and its head; bounded memory. Names the first broken entry of each chain."""
    heads = _Heads(kinds)
    breaks: list[Break] = []
    key: tuple[str, int] | None = None
    seq, previous, broken, count = 0, START, False, 0
    for entries in stream(kinds):
        for entry in entries:
            if (entry.kind, entry.record_id) != key:
                if key is not None and not broken:
                    breaks += heads.check(key, seq, previous)
                key, seq, previous, broken = (entry.kind, entry.record_id), 0, START, False
            if not broken and (reason := _fault(entry, seq, previous)):
                breaks.append(Break(entry.kind, entry.record_id, entry.seq, entry.id, reason))
                broken = True
            seq, previous = entry.seq, entry.hash
        count += len(entries)
        progress(len(entries))
    if key is not None and not broken:
        breaks += heads.check(key, seq, previous)
    return Verification(count, heads.count(), tuple(breaks) + tuple(heads.without_entries()))


def _fault(entry: Entry, seq: int, previous: bytes) -> str:
    if entry.seq != seq + 1:
        return f"entry {seq + 1} is missing" if entry.seq > seq + 1 else f"entry {entry.seq} stands twice"
    if entry.previous != previous:
        return "it does not carry the hash of the entry before it"
    if link(entry) != entry.hash:
        return "its content does not match its hash"
    return ""


class _Heads:
    """The heads to hold chains against, read per record so that memory stays bounded."""

    def __init__(self, kinds: Iterable[str] | None) -> None:
        self.kinds = sorted(kinds) if kinds is not None else None

    def check(self, key: tuple[str, int], seq: int, hashed: bytes) -> list[Break]:
        with connection.cursor() as cursor:
            cursor.execute("SELECT seq, hash FROM journal_head WHERE kind = %s AND record_id = %s", list(key))
            row = cursor.fetchone()
        if row is None:
            return [Break(*key, seq, None, "the record has no head")]
        if row[0] != seq:
            return [Break(*key, seq + 1, None, f"the head stands at entry {row[0]}, the journal ends at entry {seq}")]
        return [] if bytes(row[1]) == hashed else [Break(*key, seq, None, "the head does not carry the last entry's hash")]

    def _where(self) -> tuple[str, list[Any]]:
        return ("AND h.kind = ANY(%s)", [self.kinds]) if self.kinds is not None else ("", [])

    def count(self) -> int:
        where, values = self._where()
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT count(*) FROM journal_head h WHERE true {where}", values)
            return int(cursor.fetchone()[0])

    def without_entries(self) -> list[Break]:
        where, values = self._where()
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT h.kind, h.record_id FROM journal_head h WHERE NOT EXISTS (SELECT 1 FROM journal_entry e"
                f" WHERE e.kind = h.kind AND e.record_id = h.record_id) {where} ORDER BY 1, 2 LIMIT 1000",
                values,
            )
            return [Break(kind, record_id, 1, None, "every entry of the record is missing") for kind, record_id in cursor.fetchall()]
