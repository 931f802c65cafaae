"""Imports: the runs, and what each source's tickets became."""

from django.contrib.postgres.fields import ArrayField
from django.db import models

from pilothouse.people.models import User
from pilothouse.tickets.models import Ticket


class ImportRun(models.Model):
    """One import of files: what was asked, how far it is, what came of it. A run that was cut off is continued by running it again."""

    class State(models.TextChoices):
        WAITING = "waiting", "Waiting"
        RUNNING = "running", "Running"
        DONE = "done", "Done"
        FAILED = "failed", "Failed"

    profile = models.CharField(max_length=40)
    files = models.JSONField(default=list)  # names; those of a page's run lie in its folder
    options = models.JSONField(default=dict)
    is_dry = models.BooleanField(default=False)
    state = models.CharField(max_length=10, choices=State.choices, default=State.WAITING)
    requested_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+", db_index=False)
    requested_at = models.DateTimeField()
    started_at = models.DateTimeField(null=True)
    progress_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    stage = models.CharField(max_length=40, blank=True, default="")
    done = models.BigIntegerField(default=0)
    total = models.BigIntegerField(default=0)
    report = models.JSONField(default=dict)
    fault = models.TextField(blank=True, default="")

    class Meta:
        ordering = ("-id",)


class ImportedTicket(models.Model):
    """What imports know of one ticket of a source: which rows have come in, and the values that the last one showed.

    It makes a second run of the same file add nothing, and later rows add only what they changed.
    """

    ticket = models.OneToOneField(Ticket, primary_key=True, on_delete=models.CASCADE, related_name="+")
    system = models.CharField(max_length=40)
    external_id = models.CharField(max_length=80)
    positions = ArrayField(models.BigIntegerField(), default=list)
    last_revision = models.BigIntegerField(default=0)
    last_instant = models.CharField(max_length=40, blank=True, default="")
    values = models.JSONField(default=dict)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["system", "external_id"], name="imported_once")]
