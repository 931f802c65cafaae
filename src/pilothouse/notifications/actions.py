"""The only writers of messages, preferences and webhooks.

Preferences and webhooks journal. Messages do not: the tables of notifications and deliveries are themselves the append-only account of
who was told what and how it went, and whoever lets people be told journals why on the record that it is about (docs/decisions/0006).
"""

import secrets
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, time, timedelta
from typing import Any
from urllib.parse import urlsplit

from django.db import transaction

from pilothouse.notifications import kinds
from pilothouse.notifications.models import Delivery, Notification, Preference, Webhook, WebhookSecret
from pilothouse.notifications.outgoing import address_faults
from pilothouse.notifications.telling import Message, write_down
from pilothouse.people.queries import require
from pilothouse.platform import journal
from pilothouse.platform.access import Actor, Capability
from pilothouse.platform.journal import Change, Draft
from pilothouse.platform.refusals import FieldError, Forbidden, GuardRefused, Invalid, Missing
from pilothouse.platform.texts import text_errors

_PREFERENCES = ("mail", "quiet_from", "quiet_until", "urgent_passes", "digest_at")
_MOST_RETRIED = 1000


def notify_people(
    *,
    actor: Actor,
    people: Iterable[int],
    kind: str,
    subject: str,
    text: str = "",
    path: str = "",
    urgency: str = "normal",
    dedup_key: str = "",
    not_before: Mapping[int, datetime] | datetime | None = None,
    about: tuple[str, int] | None = None,
    now: datetime,
) -> list[int]:
    """Tell people something: in their inbox at once, by mail as each prefers; returns the ids of the notifications made.

    `subject` is one line, `text` short markdown, `path` a path of this site ("/tickets/INC0000001"). `urgency` is normal or urgent:
    urgent mail passes quiet hours and digests for who allows it. `not_before` (aware, UTC; one instant or one a person) holds back mail,
    not the inbox. A `dedup_key` already told to a person within a day is not told again; inactive people are left out. Writes in
    the caller's transaction and sends nothing: it is cheap to call inside one.
    """
    told = Message(tuple(people), kind, subject, text, path, _is_urgent(urgency), dedup_key, not_before, about)
    return notify_many(actor=actor, messages=[told], now=now)[0]


def notify_many(*, actor: Actor, messages: Sequence[Message], now: datetime) -> list[list[int]]:
    """Write many messages at the cost of one (a handful of round trips); returns for each the ids of what was made."""
    with transaction.atomic(savepoint=False):
        return write_down(messages, made_by=actor.user_id, now=now)


def notify_webhook(
    *,
    actor: Actor,
    webhook_id: int,
    kind: str,
    subject: str,
    text: str = "",
    path: str = "",
    urgency: str = "normal",
    dedup_key: str = "",
    not_before: datetime | None = None,
    about: tuple[str, int] | None = None,
    now: datetime,
) -> int | None:
    """Tell a webhook something, as `notify_people` does people; None when it is retired, unknown or was told already."""
    told = Message((), kind, subject, text, path, _is_urgent(urgency), dedup_key, not_before, about, webhook_id)
    made = notify_many(actor=actor, messages=[told], now=now)[0]
    return made[0] if made else None


def _is_urgent(urgency: str) -> bool:
    if urgency not in ("normal", "urgent"):
        raise ValueError(f"A message is normal or urgent, not {urgency!r}.")
    return urgency == "urgent"


def mark_read(*, actor: Actor, notification_id: int, now: datetime) -> Notification:
    """Mark a notification of one's own as read; one that is read stays as it is. Missing when it is not one's own."""
    with transaction.atomic():
        found = Notification.objects.select_for_update().filter(pk=notification_id, person_id=actor.user_id or 0).first()
        if found is None:
            raise Missing("There is no such notification.")
        if found.read_at is None:
            found.read_at = now
            found.save(update_fields=["read_at"])
    return found


def mark_all_read(*, actor: Actor, now: datetime, up_to: int | None = None) -> int:
    """Mark one's own unread notifications as read, those up to an id when it is given; returns how many."""
    unread = Notification.objects.filter(person_id=actor.user_id or 0, read_at=None)
    return (unread if up_to is None else unread.filter(pk__lte=up_to)).update(read_at=now)


def set_preferences(*, actor: Actor, now: datetime, **changes: Any) -> Preference:
    """Set how one is told: `mail` (kind -> at_once, digest, none), `quiet_from`, `quiet_until`, `urgent_passes`, `digest_at`.

    Times are of one's own zone, to the minute. Only what is given changes, in `mail` only the kinds that it names.
    Messages already waiting keep their instant.
    """
    if actor.user_id is None:
        raise Forbidden("Preferences are somebody's own.")
    if errors := _preference_errors(changes):
        raise Invalid("Nothing was saved.", errors)
    with transaction.atomic():
        kept, _ = Preference.objects.select_for_update().get_or_create(person_id=actor.user_id)
        before = {name: getattr(kept, name) for name in _PREFERENCES}
        after = {**before, **changes, "mail": {**before["mail"], **changes.get("mail", {})}}
        if (after["quiet_from"] is None) != (after["quiet_until"] is None):
            missing = "quiet_from" if after["quiet_from"] is None else "quiet_until"
            raise Invalid("Nothing was saved.", [FieldError(missing, "Quiet hours have a beginning and an end.", "Give both, or neither.")])
        moved = [Change(name, _told(before[name]), _told(value)) for name, value in after.items() if before[name] != value]
        if moved:
            for name, value in after.items():
                setattr(kept, name, value)
            kept.version += 1
            kept.save()
            journal.record(actor, [Draft("person", actor.user_id, "person.notifications_set", tuple(moved))], now=now)
    return kept


def _told(value: Any) -> Any:
    return value.strftime("%H:%M") if isinstance(value, time) else value


def _preference_errors(changes: Mapping[str, Any]) -> list[FieldError]:
    errors = [FieldError(name, "There is no such preference.") for name in sorted(set(changes) - set(_PREFERENCES))]
    known = {kind.key for kind in kinds.known()}
    for kind, choice in dict(changes.get("mail") or {}).items():
        if choice not in kinds.MAIL_CHOICES or kind not in known:
            errors.append(FieldError("mail", f"“{kind}” cannot be “{choice}”.", f"One of: {', '.join(kinds.MAIL_CHOICES)}."))
    for name in ("quiet_from", "quiet_until", "digest_at"):
        value = changes.get(name)
        if not (isinstance(value, time) or (value is None and (name != "digest_at" or name not in changes))):
            errors.append(FieldError(name, "This is not a time of day.", "For instance 08:00."))
    return errors


def add_webhook(*, actor: Actor, name: str, kind: str, url: str, now: datetime) -> tuple[Webhook, str]:
    """Add a webhook; returns it with the key that signs its JSON, which is shown this once. The address is never shown again."""
    require(actor, Capability.CONFIGURE)
    values = {"name": name.strip(), "kind": kind, "host": _host(url)}
    if errors := _webhook_errors(values, url):
        raise Invalid("The webhook was not added.", errors)
    signing_key = f"whsec_{secrets.token_urlsafe(32)}"
    with transaction.atomic():
        made = Webhook.objects.create(made_at=now, **values)
        WebhookSecret.objects.create(webhook=made, url=url.strip(), signing_key=signing_key)
        changes = tuple(Change(field, None, value) for field, value in values.items())
        journal.record(actor, [Draft("webhook", made.pk, "webhook.added", changes)], now=now, new=True)
    return made, signing_key


def change_webhook(*, actor: Actor, webhook_id: int, now: datetime, name: str | None = None, url: str = "") -> Webhook:
    """Rename a webhook or give it another address (an empty `url` keeps the one it has); the journal tells the host only."""
    require(actor, Capability.CONFIGURE)
    with transaction.atomic():
        found = _webhook(webhook_id)
        before = {"name": found.name, "host": found.host}
        after = {"name": found.name if name is None else name.strip(), "host": _host(url) if url else found.host}
        if errors := _webhook_errors({**after, "kind": found.kind}, url or None, own_id=webhook_id):
            raise Invalid("The webhook was not changed.", errors)
        changes = [Change(field, before[field], value) for field, value in after.items() if before[field] != value]
        if url:
            WebhookSecret.objects.filter(webhook=found).update(url=url.strip())
            changes.append(Change("address", None, "set anew"))
        if changes:
            found.name, found.host, found.version = after["name"], after["host"], found.version + 1
            found.save()
            journal.record(actor, [Draft("webhook", webhook_id, "webhook.changed", tuple(changes))], now=now)
    return found


def retire_webhook(*, actor: Actor, webhook_id: int, now: datetime) -> Webhook:
    """Retire a webhook: it is told nothing more, what waits for it is dropped, and its address and key are forgotten."""
    require(actor, Capability.CONFIGURE)
    with transaction.atomic():
        found = _webhook(webhook_id)
        found.retired_at, found.version = now, found.version + 1
        found.save(update_fields=["retired_at", "version"])
        WebhookSecret.objects.filter(webhook=found).delete()
        waiting = Delivery.objects.filter(notification__webhook=found, state=Delivery.State.WAITING)
        waiting.update(state=Delivery.State.DROPPED, ended_at=now, last_error="The webhook was retired.")
        journal.record(actor, [Draft("webhook", webhook_id, "webhook.retired")], now=now)
    return found


def try_webhook(*, actor: Actor, webhook_id: int, now: datetime) -> int:
    """Send a webhook a message to see whether it arrives; returns the notification's id, whose delivery tells how it went."""
    require(actor, Capability.CONFIGURE)
    with transaction.atomic():
        found = _webhook(webhook_id)
        subject, text = "Pilothouse reaches this place", f"{actor.name} tried the webhook “{found.name}”. Nothing needs to be done."
        made = notify_webhook(
            actor=actor, webhook_id=webhook_id, kind=kinds.TEST, subject=subject, text=text, path="/settings/webhooks", now=now
        )
        assert made is not None  # it is not retired, and has no dedup key
        journal.record(actor, [Draft("webhook", webhook_id, "webhook.tried")], now=now)
    return made


def retry_delivery(*, actor: Actor, delivery_id: int, now: datetime) -> Delivery:
    """Try a failed or dropped delivery again, from its first attempt; GuardRefused when it waits already or was sent."""
    require(actor, Capability.CONFIGURE)
    with transaction.atomic():
        found = Delivery.objects.select_for_update().filter(pk=delivery_id).first()
        if found is None:
            raise Missing("There is no such delivery.")
        if found.state not in (Delivery.State.FAILED, Delivery.State.DROPPED):
            raise GuardRefused("Only what failed or was dropped is tried again.")
        found.state, found.attempts, found.next_attempt_at, found.ended_at = Delivery.State.WAITING, 0, now, None
        found.save(update_fields=["state", "attempts", "next_attempt_at", "ended_at"])
        journal.record(actor, [Draft("delivery", delivery_id, "delivery.retried")], now=now)
    return found


def retry_failed_deliveries(*, actor: Actor, now: datetime) -> int:
    """Try everything again that failed within the last week, a thousand at most; returns how many. For the day after an outage."""
    require(actor, Capability.CONFIGURE)
    with transaction.atomic():
        since = now - timedelta(days=7)
        failed = Delivery.objects.select_for_update().filter(state=Delivery.State.FAILED, ended_at__gt=since)
        ids = list(failed.order_by("id").values_list("id", flat=True)[:_MOST_RETRIED])
        Delivery.objects.filter(pk__in=ids).update(state=Delivery.State.WAITING, attempts=0, next_attempt_at=now, ended_at=None)
        journal.record(actor, [Draft("delivery", delivery_id, "delivery.retried") for delivery_id in ids], now=now)
    return len(ids)


def try_mail(*, actor: Actor, now: datetime) -> int:
    """Mail oneself a message to see whether mail arrives, past quiet hours where urgent mail passes; returns the notification's id."""
    require(actor, Capability.CONFIGURE)
    if actor.user_id is None:
        raise Forbidden("A test mail goes to somebody.")
    with transaction.atomic():
        [made] = notify_people(
            actor=actor,
            people=[actor.user_id],
            kind=kinds.TEST,
            subject="Pilothouse reaches you by mail",
            text="If you read this as mail, it goes out. Nothing needs to be done.",
            path="/settings/deliveries",
            urgency="urgent",
            now=now,
        )
        journal.record(actor, [Draft("person", actor.user_id, "person.mail_tried")], now=now)
    return made


def _webhook(webhook_id: int) -> Webhook:
    found = Webhook.objects.select_for_update().filter(pk=webhook_id, retired_at=None).first()
    if found is None:
        raise Missing("There is no such webhook.")
    return found


def _host(url: str) -> str:
    try:
        return (urlsplit(url.strip()).hostname or "")[:255]
    except ValueError:
        return ""


def _webhook_errors(values: Mapping[str, Any], url: str | None, own_id: int = 0) -> list[FieldError]:
    if errors := text_errors(Webhook, values):
        return errors
    if not values["name"]:
        errors.append(FieldError("name", "A webhook has a name.", "Say where it leads: “Network team in Slack”."))
    if Webhook.objects.filter(name=values["name"], retired_at=None).exclude(pk=own_id).exists():
        errors.append(FieldError("name", "A webhook has this name already.", "Choose another."))
    if values["kind"] not in Webhook.Kind.values:
        errors.append(FieldError("kind", "There is no such kind.", f"One of: {', '.join(Webhook.Kind.values)}."))
    if url is not None:
        errors += [FieldError("url", fault) for fault in address_faults(url.strip())]
    return errors
