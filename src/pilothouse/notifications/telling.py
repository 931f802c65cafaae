"""How messages are written down: set-based, one round trip for each table whatever their number, in the caller's transaction.

Nothing is sent here. Each message gets its inbox row, and a delivery for each way in which the recipient wants it; the worker's loop
(jobs.py) takes those when they are due. `actions.notify_people` is the door to this.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import orjson

from pilothouse.notifications import kinds
from pilothouse.notifications.engine import Hours, after_quiet, next_digest, one_line
from pilothouse.platform.statements import run

DEDUP_WINDOW = timedelta(days=1)  # a second message of the same dedup key to the same person within it is not made
LONGEST_TEXT = 10_000


@dataclass(frozen=True, slots=True)
class Message:
    """A message to people: subject (one line), text (short markdown), path of ours, kind, urgency, and how it is not said twice.

    `not_before` holds back what leaves the house (mail, webhooks), not the inbox: an instant for all, or one for each person.
    """

    people: tuple[int, ...]
    kind: str
    subject: str
    text: str = ""
    path: str = ""
    urgent: bool = False
    dedup_key: str = ""
    not_before: Mapping[int, datetime] | datetime | None = None
    about: tuple[str, int] | None = None
    webhook_id: int | None = None  # to a webhook instead of people

    def holds_until(self, person_id: int | None) -> datetime | None:
        """Return the instant before which nothing leaves the house for this person."""
        if self.not_before is None or isinstance(self.not_before, datetime):
            return self.not_before
        return self.not_before.get(person_id) if person_id is not None else None


_LOCK = "SELECT pg_advisory_xact_lock(hashtextextended('notify:' || k, 0)) FROM unnest(%s::text[]) k"
_NUMBERS = "SELECT nextval(pg_get_serial_sequence('notifications_notification', 'id')) FROM generate_series(1, %s)"
_INSERT = """
INSERT INTO notifications_notification (id, person_id, webhook_id, kind, subject, text, path, is_urgent, dedup_key, about_kind, about_id,
  not_before, made_by_id, made_at, read_at)
SELECT a.id, a.person_id, a.webhook_id, a.kind, a.subject, a.text, a.path, a.is_urgent, a.dedup_key, a.about_kind, a.about_id,
  a.not_before, %s::bigint, %s::timestamptz, NULL
FROM unnest(%s::bigint[], %s::bigint[], %s::bigint[], %s::text[], %s::text[], %s::text[], %s::text[], %s::bool[], %s::text[], %s::text[],
  %s::bigint[], %s::timestamptz[])
  a(id, person_id, webhook_id, kind, subject, text, path, is_urgent, dedup_key, about_kind, about_id, not_before)
LEFT JOIN people_user u ON u.id = a.person_id LEFT JOIN notifications_webhook w ON w.id = a.webhook_id
WHERE (u.is_active OR (w.id IS NOT NULL AND w.retired_at IS NULL))
  AND (a.dedup_key = '' OR NOT EXISTS (SELECT 1 FROM notifications_notification n WHERE n.dedup_key = a.dedup_key
    AND n.made_at > %s::timestamptz AND n.person_id IS NOT DISTINCT FROM a.person_id AND n.webhook_id IS NOT DISTINCT FROM a.webhook_id))
RETURNING id
"""
_DELIVER = """
INSERT INTO notifications_delivery (notification_id, channel, person_id, state, attempts, next_attempt_at, made_at, ended_at, last_error)
SELECT d.notification_id, d.channel, d.person_id, 'waiting', 0, d.at, %s::timestamptz, NULL, ''
FROM unnest(%s::bigint[], %s::text[], %s::bigint[], %s::timestamptz[]) d(notification_id, channel, person_id, at)
"""
_HOURS = """
SELECT u.id, u.time_zone, p.mail, p.quiet_from, p.quiet_until, coalesce(p.urgent_passes, true), p.digest_at
FROM people_user u LEFT JOIN notifications_preference p ON p.person_id = u.id WHERE u.id = ANY(%s::bigint[])
"""


@dataclass(frozen=True, slots=True)
class Wish:
    """How one person wants to be told."""

    hours: Hours
    mail: Mapping[str, str]

    def channel(self, kind: str) -> str:
        """Return how a kind is mailed to them: at_once, digest or none."""
        chosen = self.mail.get(kind)
        return chosen if chosen in kinds.MAIL_CHOICES else kinds.get(kind).mail


def wishes(people: Iterable[int]) -> dict[int, Wish]:
    """Return how each of these people wants to be told, in one query."""
    found = {}
    for person_id, zone, mail, quiet_from, quiet_until, passes, digest_at in run(_HOURS, (sorted(set(people)),)).fetchall():
        hours = Hours(zone, quiet_from, quiet_until, passes)
        found[person_id] = Wish(replace(hours, digest_at=digest_at) if digest_at else hours, orjson.loads(mail) if mail else {})
    return found


def write_down(messages: Sequence[Message], *, made_by: int | None, now: datetime) -> list[list[int]]:
    """Write messages and their deliveries in the caller's transaction; returns for each message the ids of what was made of it.

    Left out are people who are not active, retired webhooks, and what was said already within the dedup window. Concurrent writers of
    one dedup key wait for each other.
    """
    told: list[list[int]] = [[] for _ in messages]
    rows = _rows([_clean(message) for message in messages])
    if not rows:
        return told
    if locked := sorted({row.message.dedup_key for row in rows if row.message.dedup_key}):
        run(_LOCK, (locked,))
    made = _insert(rows, made_by, now)
    _insert_deliveries(made, now)
    for number, row in made:
        told[row.place].append(number)
    return told


@dataclass(frozen=True, slots=True)
class _Row:
    place: int
    person_id: int | None
    message: Message


def _rows(messages: Sequence[Message]) -> list[_Row]:
    """Lay out one row a recipient; a dedup key counts within the batch too."""
    rows, said = [], set()
    for place, message in enumerate(messages):
        for person_id in [None] if message.webhook_id is not None else dict.fromkeys(message.people):
            mark = (message.dedup_key, person_id, message.webhook_id)
            if message.dedup_key and mark in said:
                continue
            said.add(mark)
            rows.append(_Row(place, person_id, message))
    return rows


def _clean(message: Message) -> Message:
    """Make a message storable and its subject one line; a path that leads elsewhere is dropped."""
    ours = message.path.startswith("/") and not message.path.startswith(("//", "/\\")) and one_line(message.path, 500) == message.path
    text = message.text.replace("\x00", "").encode(errors="ignore").decode()[:LONGEST_TEXT]
    return replace(message, subject=one_line(message.subject) or "(no subject)", text=text, path=message.path if ours else "")


def _insert(rows: Sequence[_Row], made_by: int | None, now: datetime) -> list[tuple[int, _Row]]:
    """Write the rows that are to be written; returns their ids beside them."""
    numbers = [number for (number,) in run(_NUMBERS, (len(rows),)).fetchall()]
    columns: list[list[Any]] = [
        numbers,
        [row.person_id for row in rows],
        [row.message.webhook_id for row in rows],
        [row.message.kind for row in rows],
        [row.message.subject for row in rows],
        [row.message.text for row in rows],
        [row.message.path for row in rows],
        [row.message.urgent for row in rows],
        [row.message.dedup_key for row in rows],
        [row.message.about[0] if row.message.about else "" for row in rows],
        [row.message.about[1] if row.message.about else None for row in rows],
        [row.message.holds_until(row.person_id) for row in rows],
    ]
    kept = {number for (number,) in run(_INSERT, (made_by, now, *columns, now - DEDUP_WINDOW)).fetchall()}
    return [(number, row) for number, row in zip(numbers, rows, strict=True) if number in kept]


def _insert_deliveries(made: Sequence[tuple[int, _Row]], now: datetime) -> None:
    wanted = wishes(row.person_id for _, row in made if row.person_id is not None)
    due = [(number, row.person_id, *found) for number, row in made if (found := _way(row, wanted.get(row.person_id or 0), now))]
    if due:
        numbers, people, ways, instants = (list(column) for column in zip(*due, strict=True))
        run(_DELIVER, (now, numbers, ways, people, instants))


def _way(row: _Row, wish: Wish | None, now: datetime) -> tuple[str, datetime] | None:
    """Choose the channel of a row and when it is due; None when the inbox is all."""
    message = row.message
    at = max(now, message.holds_until(row.person_id) or now)
    if wish is None:
        return ("webhook", at) if message.webhook_id is not None else None
    mail = wish.channel(message.kind)
    if mail == "none":
        return None
    if mail == "digest" and not (message.urgent and wish.hours.urgent_passes):
        return "digest", next_digest(at, wish.hours)
    return "mail", after_quiet(at, wish.hours, urgent=message.urgent)
