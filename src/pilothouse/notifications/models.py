"""Telling people: messages, how each went out, what people prefer, and the webhooks of other tools.

A notification is one message to one person, or to one webhook. Its deliveries are the log of how it left the house; the inbox needs
none, it is the table of notifications itself.
"""

from datetime import time

from django.db import models
from django.db.models import F, Q

from pilothouse.notifications.engine import DEFAULT_DIGEST_AT
from pilothouse.people.models import User


class Webhook(models.Model):
    """A place of another tool that is told by HTTP. Its address is a secret and lies in `WebhookSecret`; here is its host only."""

    class Kind(models.TextChoices):
        SLACK = "slack", "Slack"
        TEAMS = "teams", "Microsoft Teams"
        JSON = "json", "Signed JSON"

    name = models.CharField(max_length=80)
    kind = models.CharField(max_length=10, choices=Kind)
    host = models.CharField(max_length=255)
    made_at = models.DateTimeField()
    retired_at = models.DateTimeField(null=True)
    version = models.IntegerField(default=1)

    class Meta:
        ordering = ("name",)
        constraints = [models.UniqueConstraint(fields=["name"], condition=Q(retired_at=None), name="webhook_name_once")]

    def __str__(self) -> str:
        return self.name


class WebhookSecret(models.Model):
    """What only the sender reads: the whole address, which lets in whoever knows it, and the key that signs JSON."""

    webhook = models.OneToOneField(Webhook, on_delete=models.CASCADE, primary_key=True, related_name="secret")
    url = models.TextField()
    signing_key = models.CharField(max_length=80)


class Notification(models.Model):
    """One message to one person or webhook; what is unread is what the person has not marked or opened."""

    person = models.ForeignKey(User, null=True, on_delete=models.CASCADE, related_name="+", db_index=False)
    webhook = models.ForeignKey(Webhook, null=True, on_delete=models.PROTECT, related_name="+", db_index=False)
    kind = models.CharField(max_length=60)
    subject = models.CharField(max_length=200)
    text = models.TextField(blank=True, default="")
    path = models.CharField(max_length=500, blank=True, default="")
    is_urgent = models.BooleanField(default=False)
    dedup_key = models.CharField(max_length=200, blank=True, default="")
    about_kind = models.CharField(max_length=30, blank=True, default="")
    about_id = models.BigIntegerField(null=True)
    not_before = models.DateTimeField(null=True)
    made_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+", db_index=False)
    made_at = models.DateTimeField()
    read_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(person__isnull=False, webhook=None) | Q(person=None, webhook__isnull=False), name="notification_to_one"
            )
        ]
        indexes = [
            models.Index(fields=["person", "-id"], name="notification_inbox", condition=Q(person__isnull=False)),
            models.Index(fields=["person", "-id"], name="notification_unread", condition=Q(person__isnull=False, read_at=None)),
            models.Index(fields=["dedup_key", "made_at"], name="notification_dedup", condition=~Q(dedup_key="")),
            models.Index(fields=["made_at"], name="notification_made"),
        ]


class Delivery(models.Model):
    """One way out of the house for a notification: mail, a place in a digest, or a webhook; the delivery log.

    `next_attempt_at` of a waiting one is when it may be taken. Taking it moves that on by a lease, so that a worker that dies while it
    sends leaves it to another.
    """

    class Channel(models.TextChoices):
        MAIL = "mail", "mail"
        DIGEST = "digest", "mail, digest"
        WEBHOOK = "webhook", "webhook"

    class State(models.TextChoices):
        WAITING = "waiting", "waiting"
        SENT = "sent", "sent"
        FAILED = "failed", "failed"
        DROPPED = "dropped", "dropped"

    notification = models.ForeignKey(Notification, on_delete=models.CASCADE, related_name="deliveries")
    channel = models.CharField(max_length=10, choices=Channel)
    person = models.ForeignKey(User, null=True, on_delete=models.CASCADE, related_name="+", db_index=False)
    state = models.CharField(max_length=10, choices=State, default=State.WAITING)
    attempts = models.SmallIntegerField(default=0)
    next_attempt_at = models.DateTimeField()
    made_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    last_error = models.CharField(max_length=500, blank=True, default="")

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(state="waiting") | Q(ended_at__isnull=False), name="delivery_ends_once"),
        ]
        indexes = [
            models.Index(F("channel"), F("next_attempt_at"), name="delivery_due", condition=Q(state="waiting")),
            models.Index(fields=["person", "next_attempt_at"], name="delivery_digest", condition=Q(state="waiting", channel="digest")),
            models.Index(fields=["state", "-id"], name="delivery_by_state"),
        ]


class Preference(models.Model):
    """How one person wants to be told; without a row, everything by its kind's own rule and no quiet hours.

    `mail` maps a kind to at_once, digest or none. Hours are those of the person's zone.
    """

    person = models.OneToOneField(User, on_delete=models.CASCADE, primary_key=True, related_name="+")
    mail = models.JSONField(default=dict)
    quiet_from = models.TimeField(null=True)
    quiet_until = models.TimeField(null=True)
    urgent_passes = models.BooleanField(default=True)
    digest_at = models.TimeField(default=time(DEFAULT_DIGEST_AT.hour))
    version = models.IntegerField(default=1)
