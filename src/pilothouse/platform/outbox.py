"""The outbox: a room subscribes a job to a verb; an entry with that verb writes a message in its own transaction.

The relay (platform/jobs.py) turns messages into procrastinate jobs and removes them, in one transaction, so that a job is
neither lost with a crash nor made twice.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from django.db import connection

if TYPE_CHECKING:
    from pilothouse.platform.journal import Entry

_subscriptions: dict[str, set[str]] = {}


def subscribe(verb: str, task: str) -> None:
    """Let every entry with this verb defer the procrastinate task of this name with `entry_id`, `kind`, `record_id`."""
    _subscriptions.setdefault(verb, set()).add(task)


def write(entries: Sequence["Entry"], now: datetime) -> None:
    """Write the messages that these entries call for."""
    rows = [(task, entry) for entry in entries for task in sorted(_subscriptions.get(entry.verb, ()))]
    if not rows:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO outbox (topic, payload, written_at) SELECT topic, jsonb_build_object('entry_id', entry_id, 'kind', kind,"
            " 'record_id', record_id), %s"
            " FROM unnest(%s::text[], %s::bigint[], %s::text[], %s::bigint[]) m(topic, entry_id, kind, record_id)",
            [now, [task for task, _ in rows], [e.id for _, e in rows], [e.kind for _, e in rows], [e.record_id for _, e in rows]],
        )
        cursor.execute("SELECT pg_notify('pilothouse_outbox', '')")
