"""Deliveries: taken when due, sent outside any transaction, noted afterwards. The writer of the delivery log.

Taking moves `next_attempt_at` on by a lease in a short transaction of its own (SKIP LOCKED: two workers never take the same). A worker
killed between sending and noting leaves the delivery to be taken again when the lease is over: it is sent once more for each such
death, with the same Message-ID or delivery number, by which receivers know it again. Exactly once over a network there is not.
"""

import logging
import random
import time
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import connection, transaction
from django.db.models import QuerySet

from pilothouse import __version__
from pilothouse.notifications import mailer, outgoing, payloads
from pilothouse.notifications.engine import MOST_ATTEMPTS, after_quiet, pause_seconds
from pilothouse.notifications.mailer import Item, NotSent, Recipient
from pilothouse.notifications.models import Delivery, Webhook, WebhookSecret
from pilothouse.notifications.telling import wishes
from pilothouse.platform import clock

MAIL_LEASE = timedelta(minutes=5)  # longer than the slowest single mail, after the last moment in which one is begun
WEBHOOK_LEASE = timedelta(seconds=90)
AT_ONCE = 50
_BEGIN_SECONDS = 60.0  # of a batch: what has not been begun by then is given back
_SIDE_BY_SIDE = 8  # webhooks: one that hangs must not hold up the rest
_DIGESTS_AT_ONCE = 20
_LONGEST_DIGEST = 200
_GOES_AGAIN = frozenset({408, 421, 425, 429})
_LONGEST_RETRY_AFTER_SECONDS = 3600.0
_WORE_OUT = "Each worker that tried it ended before it could say how it went."
_log = logging.getLogger(__name__)
_TAKE = """
UPDATE notifications_delivery SET attempts = attempts + 1, next_attempt_at = %s WHERE id IN (
  SELECT id FROM notifications_delivery WHERE state = 'waiting' AND channel = %s AND next_attempt_at <= %s
  ORDER BY next_attempt_at LIMIT %s FOR UPDATE SKIP LOCKED)
RETURNING id
"""
_DUE_DIGESTS = """
SELECT person_id FROM notifications_delivery WHERE state = 'waiting' AND channel = 'digest' AND next_attempt_at <= %s
GROUP BY person_id ORDER BY min(next_attempt_at) LIMIT %s
"""
_DIGEST_LOCK = 0x5068_6467  # "Phdg": one worker at a time gathers a person's digest
_TAKE_DIGEST = """
UPDATE notifications_delivery SET attempts = attempts + 1, next_attempt_at = %s WHERE id IN (
  SELECT id FROM notifications_delivery WHERE state = 'waiting' AND channel = 'digest' AND person_id = %s AND next_attempt_at <= %s
  ORDER BY id LIMIT %s FOR UPDATE)
RETURNING id
"""


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a delivery did not go: in words without secrets; whether that is final; how long the other side asks to wait."""

    reason: str
    final: bool = False
    retry_after_seconds: float | None = None


def deliver_mail() -> bool:
    """Send the mails that are due, a batch of them in one session; says whether there may be more. Safe beside other workers."""
    batch = _loaded(_take("mail", MAIL_LEASE))
    _send_mails([[each] for each in _wanted(batch)])
    return len(batch) == AT_ONCE


def deliver_digests() -> bool:
    """Send the digests that are due, one mail a person; says whether there may be more."""
    with connection.cursor() as cursor:
        cursor.execute(_DUE_DIGESTS, [clock.now(), _DIGESTS_AT_ONCE])
        people = [person_id for (person_id,) in cursor.fetchall()]
    taken = [_loaded(_take_digest(person_id)) for person_id in people]
    _send_mails([wanted for batch in taken if (wanted := _wanted(batch))])
    return len(people) == _DIGESTS_AT_ONCE or any(len(batch) == _LONGEST_DIGEST for batch in taken)


def deliver_webhooks() -> bool:
    """Send what is due for webhooks, a few side by side; says whether there may be more."""
    batch = _loaded(_take("webhook", WEBHOOK_LEASE, _SIDE_BY_SIDE))
    secrets = {each.pk: each for each in WebhookSecret.objects.filter(pk__in={d.notification.webhook_id for d in batch})}
    ready = [(delivery, secrets.get(delivery.notification.webhook_id or 0), clock.now()) for delivery in batch]
    if ready:
        with ThreadPoolExecutor(len(ready), thread_name_prefix="webhook") as pool:  # its threads touch no database
            for (delivery, _, _), failure in zip(ready, pool.map(lambda each: _post(*each), ready), strict=True):
                _note([delivery], failure)
    return len(batch) == _SIDE_BY_SIDE


def _take(channel: str, lease: timedelta, at_most: int = AT_ONCE) -> list[int]:
    now = clock.now()
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_TAKE, [now + lease, channel, now, at_most])
        return [delivery_id for (delivery_id,) in cursor.fetchall()]


def _take_digest(person_id: int) -> list[int]:
    """Take what is due for one person's digest; nothing while another worker does."""
    now = clock.now()
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s, %s)", [_DIGEST_LOCK, person_id % 2**31])
        if not cursor.fetchone()[0]:
            return []
        cursor.execute(_TAKE_DIGEST, [now + MAIL_LEASE, person_id, now, _LONGEST_DIGEST])
        return [delivery_id for (delivery_id,) in cursor.fetchall()]


def _loaded(ids: Sequence[int]) -> list[Delivery]:
    found = Delivery.objects.filter(pk__in=ids).select_related("notification", "notification__webhook", "person")
    return list(found.order_by("id")) if ids else []


def _wanted(batch: Sequence[Delivery]) -> list[Delivery]:
    """Drop, with the reason, what need not or cannot be mailed any more; return the rest."""
    rest = []
    for delivery in batch:
        person = delivery.person
        if person is None or not person.is_active:
            _end([delivery], Delivery.State.DROPPED, "The person is no longer active.")
        elif delivery.notification.read_at is not None:
            _end([delivery], Delivery.State.DROPPED, "Read in the inbox before the mail was due.")
        elif delivery.attempts > MOST_ATTEMPTS:
            _end([delivery], Delivery.State.FAILED, _WORE_OUT)
        elif not settings.SMTP_URL:
            _end([delivery], Delivery.State.DROPPED, "No mail server is set (PILOTHOUSE_SMTP_URL).")
        else:
            rest.append(delivery)
    return rest


def _send_mails(mails: Sequence[Sequence[Delivery]]) -> None:
    """Send mails in one session, each for one or more deliveries of one person, and note how each went at once."""
    rest, began = list(mails), time.monotonic()
    if not rest:
        return
    try:
        with mailer.session() as session:
            while rest and time.monotonic() - began < _BEGIN_SECONDS:
                failure = _mail(session, rest[0])
                _note(rest.pop(0), failure)
    except NotSent as error:  # the server is not to be had: none of the rest can go now
        for deliveries in rest:
            _note(deliveries, Failure(str(error), final=error.final))
    else:
        _give_back([delivery for deliveries in rest for delivery in deliveries])


def _mail(session: mailer.Session, deliveries: Sequence[Delivery]) -> Failure | None:
    """Send one mail; returns why it did not go. A server that went away is the caller's affair (NotSent)."""
    person, now = deliveries[0].person, clock.now()
    assert person is not None  # `_wanted` let nothing else pass
    to, items = Recipient(person.name, person.email), [_item(delivery) for delivery in deliveries]
    try:
        if deliveries[0].channel == Delivery.Channel.DIGEST:
            session.send(mailer.digest(to, items, [delivery.pk for delivery in deliveries], now))
        else:
            session.send(mailer.single(to, items[0], deliveries[0].pk, now))
    except NotSent as error:
        if error.away:
            raise
        return Failure(str(error), final=error.final)
    except Exception as error:  # a fault of ours with one message must not hold up the others
        _log.exception("Delivery %s could not be mailed.", deliveries[0].pk)
        return Failure(f"It could not be written ({type(error).__name__}).")
    return None


def _item(delivery: Delivery) -> Item:
    told = delivery.notification
    thread = f"{told.about_kind}-{told.about_id}" if told.about_id else ""
    return Item(told.kind, told.subject, told.text, told.path, told.is_urgent, told.made_at, thread)


def _post(delivery: Delivery, secret: WebhookSecret | None, now: datetime) -> Failure | None:
    """Send one delivery to its webhook; returns why it did not go."""
    webhook = delivery.notification.webhook
    if secret is None or webhook is None:
        return Failure("The webhook was retired.", final=True)
    if delivery.attempts > MOST_ATTEMPTS:
        return Failure(_WORE_OUT, final=True)
    body = payloads.written(_payload(delivery, webhook))
    headers = {
        "Content-Type": "application/json",
        "User-Agent": f"Pilothouse/{__version__}",
        "X-Pilothouse-Delivery": str(delivery.pk),
    }
    if webhook.kind == Webhook.Kind.JSON:
        headers["X-Pilothouse-Signature"] = payloads.signature(secret.signing_key, int(now.timestamp()), body)
    try:
        answer = outgoing.post(secret.url, body, headers)
    except outgoing.Refuses as refusal:
        return Failure(str(refusal), final=True)
    except outgoing.Unreachable as error:
        return Failure(str(error))
    if 200 <= answer.status < 300:
        return None
    if 300 <= answer.status < 400:
        return Failure(f"{webhook.host} answered {answer.status}: redirects are not followed.", final=True)
    final = answer.status < 500 and answer.status not in _GOES_AGAIN
    return Failure(f"{webhook.host} answered {answer.status}.", final=final, retry_after_seconds=answer.retry_after_seconds)


def _payload(delivery: Delivery, webhook: Webhook) -> dict[str, object]:
    item, told = _item(delivery), delivery.notification
    shown: dict[str, Any] = {"subject": item.subject, "text": item.linked_text, "url": item.url, "urgent": item.is_urgent}
    if webhook.kind == Webhook.Kind.SLACK:
        return payloads.slack(**shown)
    if webhook.kind == Webhook.Kind.TEAMS:
        return payloads.teams(**shown)
    about = f"{told.about_kind}/{told.about_id}" if told.about_id else ""
    return payloads.plain(delivery=delivery.pk, kind=told.kind, about=about, made_at=told.made_at, **shown)


def _note(deliveries: Sequence[Delivery], failure: Failure | None) -> None:
    """Note how an attempt went: sent, failed for good, or when it is tried again."""
    if failure is None:
        _end(deliveries, Delivery.State.SENT)
    elif failure.final or deliveries[0].attempts >= MOST_ATTEMPTS:
        _end(deliveries, Delivery.State.FAILED, failure.reason)
    else:
        # One instant for all of a digest: its parts go again in one mail.
        _waiting(deliveries).update(next_attempt_at=_again(deliveries[0], failure), last_error=failure.reason[:500])


def _again(delivery: Delivery, failure: Failure) -> datetime:
    """Return when a failed attempt is repeated: after a growing pause, and not in the person's quiet hours."""
    pause = pause_seconds(delivery.attempts, random.random())  # noqa: S311  spreads load, guards nothing
    if failure.retry_after_seconds is not None:
        pause = min(max(pause, failure.retry_after_seconds), _LONGEST_RETRY_AFTER_SECONDS)
    at = clock.now() + timedelta(seconds=pause)
    if delivery.channel != Delivery.Channel.MAIL or delivery.person_id is None:
        return at
    return after_quiet(at, wishes([delivery.person_id])[delivery.person_id].hours, urgent=delivery.notification.is_urgent)


def _waiting(deliveries: Iterable[Delivery]) -> QuerySet[Delivery]:
    return Delivery.objects.filter(pk__in=[delivery.pk for delivery in deliveries], state=Delivery.State.WAITING)


def _end(deliveries: Iterable[Delivery], state: Delivery.State, reason: str = "") -> None:
    _waiting(deliveries).update(state=state, ended_at=clock.now(), last_error=reason[:500])


def _give_back(deliveries: Sequence[Delivery]) -> None:
    """Let another turn take what this one did not come to; it is no attempt."""
    for delivery in deliveries:
        _waiting([delivery]).update(next_attempt_at=clock.now(), attempts=max(0, delivery.attempts - 1))
