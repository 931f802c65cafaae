"""The morning review: who reviewed what when, which lines are done, and who is mailed when. What a review shows is read, not kept."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q

from pilothouse.people.models import User
from pilothouse.tickets.models import Ticket


class Review(models.Model):
    """A person's review from its first mark to its end; the next one counts from `finished_at`."""

    person = models.ForeignKey(User, on_delete=models.PROTECT, related_name="reviews", db_index=False)
    since_at = models.DateTimeField()
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)
    counts = models.JSONField(default=dict)  # what stood in it when it ended, by section

    class Meta:
        constraints = [models.UniqueConstraint(fields=["person"], name="review_one_at_a_time", condition=Q(finished_at__isnull=True))]
        indexes = [models.Index("person", F("finished_at").desc(), name="review_last")]


class Mark(models.Model):
    """A line that a person has done, by the line's key: a line whose reason changes has another key and asks anew.

    `request_id` names the changes that doing it made, which undoing takes back.
    """

    person = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+", db_index=False)
    review = models.ForeignKey(Review, on_delete=models.CASCADE, related_name="marks")
    key = models.CharField(max_length=80)
    section = models.CharField(max_length=20)
    ticket = models.ForeignKey(Ticket, on_delete=models.CASCADE, related_name="+", db_index=False)
    how = models.CharField(max_length=200)
    request_id = models.CharField(max_length=64, blank=True, default="")
    marked_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["person", "key"], name="mark_once")]
        indexes = [models.Index(fields=["person", "marked_at"], name="mark_recent")]


class MailTime(models.Model):
    """When a person is mailed the review, on the clocks of their zone; `next_at` is that as an instant, none when switched off."""

    person = models.OneToOneField(User, primary_key=True, on_delete=models.CASCADE, related_name="+")
    minute = models.SmallIntegerField()  # minutes past midnight
    days = ArrayField(models.SmallIntegerField())  # ISO weekdays, Monday is 1
    next_at = models.DateTimeField(null=True)
    sent_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "morning_mail_time"
        constraints = [models.CheckConstraint(condition=Q(minute__range=(0, 1439)), name="mail_time_of_day")]
        indexes = [models.Index(fields=["next_at"], name="mail_time_due", condition=Q(next_at__isnull=False))]
