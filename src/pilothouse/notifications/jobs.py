"""The worker's part of telling people: three loops that deliver what is due, and the end of what is old."""

from datetime import datetime, timedelta

from procrastinate.contrib.django import app

from pilothouse.notifications import delivering
from pilothouse.notifications.models import Notification
from pilothouse.platform import clock, jobs

KEPT_DAYS = 400
_AT_ONCE = 5000

jobs.every(1, "notifications.mail", delivering.deliver_mail)
jobs.every(5, "notifications.digest", delivering.deliver_digests)
jobs.every(1, "notifications.webhooks", delivering.deliver_webhooks)


@app.periodic(cron="41 2 * * *")
@app.task(name="notifications.forget", queueing_lock="notifications.forget")
def forget(timestamp: int) -> None:
    """Remove notifications and their deliveries after 400 days, in portions."""
    while forget_before(clock.now() - timedelta(days=KEPT_DAYS)) == _AT_ONCE:
        pass


def forget_before(instant: datetime) -> int:
    """Remove a portion of what was made before an instant; returns how many notifications."""
    old = list(Notification.objects.filter(made_at__lt=instant).order_by("made_at").values_list("id", flat=True)[:_AT_ONCE])
    Notification.objects.filter(pk__in=old).delete()
    return len(old)
