"""Reads of messages: one's own inbox, how one is told, webhooks, and the delivery log."""

from datetime import datetime, timedelta

from django.db.models import Case, IntegerField, Max, Q, QuerySet, Value, When

from pilothouse.notifications.models import Delivery, Notification, Preference, Webhook
from pilothouse.people.queries import require
from pilothouse.platform.access import Actor, Capability
from pilothouse.platform.refusals import Missing
from pilothouse.platform.statements import run, wide

MOST_COUNTED = 100
_UNREAD = "SELECT count(*) FROM (SELECT 1 FROM notifications_notification WHERE person_id = %s AND read_at IS NULL LIMIT %s) n"


def unread_count(actor: Actor) -> int:
    """Return how many of one's own notifications are unread; 100 stands for as many or more."""
    if actor.user_id is None:
        return 0
    row = run(_UNREAD, (wide(actor.user_id), wide(MOST_COUNTED))).fetchone()
    return int(row[0]) if row else 0


def inbox(actor: Actor, *, unread: bool = False) -> "QuerySet[Notification]":
    """Return one's own notifications, with `is_unread` 1 or 0 to sort by; nobody reads another's."""
    state = Case(When(read_at=None, then=Value(1)), default=Value(0), output_field=IntegerField())
    found = Notification.objects.filter(person_id=actor.user_id or 0).annotate(is_unread=state)
    return found.filter(read_at=None) if unread else found


def preference(actor: Actor) -> Preference:
    """Return how one is told; an unsaved one with the defaults when nothing was ever set."""
    return Preference.objects.filter(person_id=actor.user_id or 0).first() or Preference(person_id=actor.user_id or 0)


def webhooks(actor: Actor) -> "QuerySet[Webhook]":
    """Return the webhooks in use, by name, for those who steer or configure; their addresses are not among the columns."""
    if not actor.can(Capability.STEER_TICKETS):
        require(actor, Capability.CONFIGURE)
    return Webhook.objects.filter(retired_at=None)


def webhook(actor: Actor, webhook_id: int) -> Webhook:
    """Return one webhook in use; Missing otherwise."""
    found = webhooks(actor).filter(pk=webhook_id).first()
    if found is None:
        raise Missing("There is no such webhook.")
    return found


def last_deliveries(webhooks: "QuerySet[Webhook]") -> dict[int, Delivery]:
    """Return each webhook's newest delivery."""
    newest = Delivery.objects.filter(channel=Delivery.Channel.WEBHOOK, notification__webhook__in=webhooks)
    ids = newest.values("notification__webhook").annotate(newest=Max("id")).values_list("newest", flat=True)
    found = Delivery.objects.filter(pk__in=list(ids)).select_related("notification")
    return {each.notification.webhook_id or 0: each for each in found}


def deliveries(actor: Actor, *, state: str = "", channel: str = "", text: str = "") -> "QuerySet[Delivery]":
    """Return the delivery log for administrators, narrowed by state, channel, and words of the recipient or the subject."""
    require(actor, Capability.CONFIGURE)
    found = Delivery.objects.select_related("notification", "notification__webhook", "person")
    if state:
        found = found.filter(state=state)
    if channel:
        found = found.filter(channel=channel)
    if text:
        words = ("person__name", "person__email", "notification__subject", "notification__webhook__name")
        asked = Q()
        for name in words:
            asked |= Q(**{f"{name}__icontains": text})
        found = found.filter(asked)
    return found


def delivery_counts(now: datetime) -> dict[str, int]:
    """Return how many deliveries wait past their instant, and how many failed within a day."""
    waiting = Delivery.objects.filter(state=Delivery.State.WAITING)
    return {
        "waiting": waiting.count(),
        "trying": waiting.filter(attempts__gt=0).count(),
        "failed": Delivery.objects.filter(state=Delivery.State.FAILED, ended_at__gt=now - timedelta(days=1)).count(),
    }
