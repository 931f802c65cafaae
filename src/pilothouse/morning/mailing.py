"""The review by mail: handed to the notifications, which know how each person is reached; when it is due, the worker's loop asks."""

from datetime import datetime, timedelta

from django.db import transaction

from pilothouse.morning import queries, telling
from pilothouse.morning.engine import spans
from pilothouse.morning.models import MailTime
from pilothouse.notifications.actions import notify_people
from pilothouse.people.queries import actor_of
from pilothouse.platform.access import Actor, Capability, Source
from pilothouse.tickets.queries import zone_of

KIND = "morning.review"
AT_ONCE = 10
LATEST = timedelta(hours=4)  # a mail that could not go for so long waits for its next day


def send(actor: Actor, *, now: datetime) -> None:
    """Tell a person their review as it stands; it reaches them as they have chosen for this kind of message."""
    shown = queries.morning(actor, now=now)
    assert actor.user_id is not None
    notify_people(
        actor=actor,
        people=[actor.user_id],
        kind=KIND,
        subject=f"Morning review: {telling.headline(shown)}",
        text=telling.as_markdown(shown),
        path="/morning",
        now=now,
    )


def send_due(now: datetime) -> bool:
    """Send the review to whom it is due, a few at a time; returns whether there may be more. Workers share the work.

    Each is sent and planned anew in one transaction: a worker that dies in between sends none twice.
    """
    count = 0
    while count < AT_ONCE and _send_next(now):
        count += 1
    return count == AT_ONCE


def _send_next(now: datetime) -> bool:
    with transaction.atomic():
        mail = MailTime.objects.select_for_update(skip_locked=True).filter(next_at__lte=now).order_by("next_at").first()
        if mail is None:
            return False
        actor = actor_of(mail.person_id, source=Source.SYSTEM, request_id=f"morning-{mail.person_id}-{int(now.timestamp())}")
        if actor is None or not actor.can(Capability.READ_TICKETS):  # no longer here, or no longer of the desk
            mail.next_at = None
        else:
            _send_or_plan(mail, actor, now)
        mail.save(update_fields=["next_at", "sent_at"])
    return True


def _send_or_plan(mail: MailTime, actor: Actor, now: datetime) -> None:
    """Send unless it is due only later by the clocks of the zone that the person has by now, or was due too long ago."""
    zone = zone_of(actor)
    due = spans.next_at(now - LATEST, mail.minute, mail.days, zone)
    if due is not None and due <= now and (mail.sent_at is None or mail.sent_at < due):
        send(actor, now=now)
        mail.sent_at = now
    mail.next_at = spans.next_at(now, mail.minute, mail.days, zone)
