"""Filling the instance: the demo organisation by its own loader, then copies of its tickets by SQL up to the size wanted.

What SQL copies: the ticket's row, its story, its search document, and its first journal entry with its head. The copies carry no
comments and no later entries, their chains are not hashed, and their search vectors are computed by the database as always.
"""

import time

import psycopg

from bench.instance import Instance

_COLUMNS = """SELECT string_agg(quote_ident(attname), ', ' ORDER BY attnum) FROM pg_attribute
WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped AND attgenerated = '' AND attname <> ALL(%s)"""
_INDEXES = ("SELECT indexname, indexdef FROM pg_indexes WHERE tablename IN ('tickets_ticket', 'search_document')"
            " AND indexdef NOT LIKE '%UNIQUE%'")  # fmt: skip


def demo(instance: Instance, tickets: int) -> float:
    """Load the demo organisation with the product's own loader; returns seconds."""
    since = time.monotonic()
    if instance.command("demo", "--only-load", f"--tickets={tickets}").wait():
        raise RuntimeError(f"The demo was not loaded:\n{instance.said('demo')}")
    return time.monotonic() - since


def settled(instance: Instance) -> float:
    """Wait until the worker has done what the load asked of it (the first look at all tickets); returns seconds.

    What a newcomer's first minute is like is measured elsewhere; a figure about one thing should not be about two.
    """
    since = time.monotonic()
    while instance.run("SELECT 1 FROM procrastinate_jobs WHERE status = 'doing' OR (status = 'todo' AND scheduled_at IS NULL) LIMIT 1"):
        time.sleep(0.5)
    with psycopg.connect(instance.url, autocommit=True) as connection:
        connection.execute("VACUUM ANALYZE")
        connection.execute("CHECKPOINT")
    return time.monotonic() - since


def copy_up_to(instance: Instance, wanted: int) -> float:
    """Copy tickets until there are `wanted`; returns seconds. Indexes are dropped meanwhile and made again."""
    since = time.monotonic()
    with psycopg.connect(instance.url, autocommit=True) as connection:
        (have,) = connection.execute("SELECT count(*) FROM tickets_ticket").fetchone() or (0,)
        if have >= wanted:
            return 0.0
        connection.execute("SET synchronous_commit = off")
        connection.execute("SET session_replication_role = replica")  # copies of rows refer to what the rows refer to
        connection.execute("SET maintenance_work_mem = '512MB'")
        indexes = connection.execute(_INDEXES).fetchall()
        for name, _ in indexes:
            connection.execute(f'DROP INDEX "{name}"')  # type: ignore[arg-type]
        _copy(connection, wanted - have)
        for _, definition in indexes:
            connection.execute(definition)
        for table in ("tickets_ticket", "tickets_story", "search_document", "journal_entry", "journal_head"):
            connection.execute(f"VACUUM ANALYZE {table}")  # type: ignore[arg-type]
        connection.execute("CHECKPOINT")
    return time.monotonic() - since


def columns(connection: psycopg.Connection, table: str, *but: str) -> str:
    """Return the names of a table's own columns, without those named."""
    return str((connection.execute(_COLUMNS, [table, list(but)]).fetchone() or ("",))[0])


def _copy(connection: psycopg.Connection, count: int) -> None:
    with connection.transaction():
        connection.execute(
            "CREATE TEMP TABLE copied ON COMMIT DROP AS SELECT nextval(pg_get_serial_sequence('tickets_ticket', 'id')) AS new_id,"
            " t.id AS old_id, n AS round FROM generate_series(1, 100000) n, LATERAL (SELECT id FROM tickets_ticket"
            " WHERE n > 0 ORDER BY id LIMIT 20000) t LIMIT %(count)s",
            {"count": count},
            prepare=False,
        )
        connection.execute("ANALYZE copied")
        ticket = columns(connection, "tickets_ticket", "id", "number", "opened_at", "updated_at", "parent_id", "merged_into_id")
        shift = "make_interval(hours => c.round * 7)"
        connection.execute(
            f"INSERT INTO tickets_ticket (id, number, opened_at, updated_at, {ticket})"
            f" SELECT c.new_id, 'CPY' || lpad(c.new_id::text, 8, '0'),"
            f" t.opened_at - {shift}, t.updated_at - {shift}, {ticket} FROM copied c JOIN tickets_ticket t ON t.id = c.old_id"  # type: ignore[arg-type]
        )
        story = columns(connection, "tickets_story", "ticket_id")
        connection.execute(
            f"INSERT INTO tickets_story (ticket_id, {story}) SELECT c.new_id, {story} FROM copied c"
            " JOIN tickets_story s ON s.ticket_id = c.old_id"  # type: ignore[arg-type]
        )
        connection.execute(
            "INSERT INTO search_document (kind, record_id, seq, private, title, body) SELECT 'ticket', c.new_id, 0, false, d.title, d.body"
            " FROM copied c JOIN search_document d ON d.kind = 'ticket' AND d.record_id = c.old_id AND d.seq = 0"
        )
        entry = columns(connection, "journal_entry", "id", "record_id")
        connection.execute(
            f"INSERT INTO journal_entry (record_id, {entry}) SELECT c.new_id, {entry} FROM copied c"
            " JOIN journal_entry e ON e.kind = 'ticket' AND e.record_id = c.old_id AND e.seq = 1"  # type: ignore[arg-type]
        )
        connection.execute("INSERT INTO journal_head (kind, record_id, seq, hash) SELECT 'ticket', new_id, 1, sha256('copy') FROM copied")
