"""The worker's part of the morning: mailing the review at the time that each person chose."""

from pilothouse.morning import mailing
from pilothouse.platform import clock
from pilothouse.platform.jobs import every

SECONDS = 20.0


def mail_reviews() -> bool:
    """Mail the review to whom it is due; returns whether there is more to do."""
    return mailing.send_due(clock.now())


every(SECONDS, "morning.mail_reviews", mail_reviews)
