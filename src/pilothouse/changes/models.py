"""What a change has beyond the ticket that it is: its type, its times, its plans, and the CIs that it touches."""

from django.db import models
from django.db.models import F, Q

from pilothouse.changes.engine.detail import OUTCOMES, RISKS, TYPES
from pilothouse.cmdb.models import CI
from pilothouse.tickets.models import Ticket


class Change(models.Model):
    """The detail of a ticket of kind change: a projection of its journal (changes/engine/detail.py folds it)."""

    ticket = models.OneToOneField(Ticket, primary_key=True, on_delete=models.CASCADE, related_name="change")
    type = models.CharField(max_length=12, choices=list(TYPES.items()), default="normal")
    risk = models.CharField(max_length=12, choices=[("", ""), *RISKS.items()], blank=True, default="")
    reason = models.TextField(blank=True, default="")
    implementation_plan = models.TextField(blank=True, default="")
    rollback_plan = models.TextField(blank=True, default="")
    planned_start_at = models.DateTimeField(null=True)
    planned_end_at = models.DateTimeField(null=True)
    actual_start_at = models.DateTimeField(null=True)
    actual_end_at = models.DateTimeField(null=True)
    outcome = models.CharField(max_length=16, choices=[("", ""), *OUTCOMES.items()], blank=True, default="")

    class Meta:
        indexes = [
            models.Index(fields=["actual_end_at", "ticket"], name="change_ended", condition=Q(actual_end_at__isnull=False)),
            models.Index(fields=["planned_start_at", "ticket"], name="change_planned", condition=Q(planned_start_at__isnull=False)),
        ]
        constraints = [
            models.CheckConstraint(condition=Q(planned_end_at__gte=F("planned_start_at")), name="change_planned_forwards"),
            models.CheckConstraint(condition=Q(actual_end_at__gte=F("actual_start_at")), name="change_carried_out_forwards"),
        ]


class AffectedCI(models.Model):
    """A CI that a change touches; the ticket's own CI is the first of them."""

    change = models.ForeignKey(Change, on_delete=models.CASCADE, related_name="affected")
    ci = models.ForeignKey(CI, on_delete=models.PROTECT, related_name="changes")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["change", "ci"], name="change_touches_once")]
