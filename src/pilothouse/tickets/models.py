"""The work item: one table for every kind of ticket, and what hangs on it."""

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower

from pilothouse.cmdb.models import CI, Service
from pilothouse.people.models import Team, User
from pilothouse.tickets.engine.lifecycle import CHANNELS, HOLD_REASONS, KINDS, OPEN_STATES, RESOLUTION_CODES, STATES


def _choices(labels: dict[str, str]) -> list[tuple[str, str]]:
    return list(labels.items())


class Ticket(models.Model):
    """An incident or a service request. Only tickets/actions.py writes it; its journal folds to this row."""

    kind = models.CharField(max_length=12, choices=[(key, label) for key, (label, _) in KINDS.items()])
    number = models.CharField(max_length=40, unique=True)
    title = models.CharField(max_length=250)
    description = models.TextField(blank=True, default="")
    state = models.CharField(max_length=12, choices=_choices(STATES), default="new")
    hold_reason = models.CharField(max_length=12, choices=_choices(HOLD_REASONS), blank=True, default="")
    hold_until = models.DateTimeField(null=True, blank=True)
    impact = models.SmallIntegerField(default=3)
    urgency = models.SmallIntegerField(default=3)
    priority = models.SmallIntegerField(default=5)
    requester = models.ForeignKey(User, null=True, blank=True, on_delete=models.PROTECT, related_name="requested")
    opened_by = models.ForeignKey(User, null=True, blank=True, on_delete=models.PROTECT, related_name="opened", db_index=False)
    channel = models.CharField(max_length=12, choices=_choices(CHANNELS), default="other")
    service = models.ForeignKey(Service, null=True, blank=True, on_delete=models.PROTECT, related_name="tickets")
    ci = models.ForeignKey(CI, null=True, blank=True, on_delete=models.PROTECT, related_name="tickets")
    category = models.CharField(max_length=80, blank=True, default="")
    subcategory = models.CharField(max_length=80, blank=True, default="")
    group = models.ForeignKey(Team, null=True, blank=True, on_delete=models.PROTECT, related_name="tickets", db_index=False)
    assignee = models.ForeignKey(User, null=True, blank=True, on_delete=models.PROTECT, related_name="assigned", db_index=False)
    resolution_code = models.CharField(max_length=40, choices=_choices(RESOLUTION_CODES), blank=True, default="")
    resolution_notes = models.TextField(blank=True, default="")
    parent = models.ForeignKey("self", null=True, blank=True, on_delete=models.PROTECT, related_name="children", db_index=False)
    merged_into = models.ForeignKey("self", null=True, blank=True, on_delete=models.PROTECT, related_name="duplicates", db_index=False)
    tags = ArrayField(models.CharField(max_length=40), default=list, blank=True)
    watchers = ArrayField(models.BigIntegerField(), default=list, blank=True)
    extra = models.JSONField(default=dict, blank=True)
    opened_at = models.DateTimeField()
    updated_at = models.DateTimeField()
    resolved_at = models.DateTimeField(null=True, blank=True)
    closed_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField()  # recorded; the journal's partitions before it hold nothing of this ticket
    version = models.IntegerField(default=1)
    external_system = models.CharField(max_length=40, blank=True, default="")
    external_id = models.CharField(max_length=80, blank=True, default="")

    class Meta:
        ordering = ("-id",)
        constraints = [
            models.UniqueConstraint(fields=["external_system", "external_id"], name="ticket_external_once", condition=~Q(external_id="")),
            models.CheckConstraint(condition=Q(priority__range=(1, 5)), name="ticket_priority_1_to_5"),
            models.CheckConstraint(condition=Q(impact__range=(1, 3), urgency__range=(1, 3)), name="ticket_impact_urgency_1_to_3"),
            models.CheckConstraint(condition=Q(state__in=list(STATES)), name="ticket_state"),
        ]
        indexes = [
            models.Index(fields=["priority", "-opened_at", "-id"], name="ticket_open_priority", condition=Q(state__in=OPEN_STATES)),
            models.Index(fields=["group", "priority", "-opened_at"], name="ticket_open_group", condition=Q(state__in=OPEN_STATES)),
            models.Index(fields=["assignee", "priority"], name="ticket_open_assignee", condition=Q(state__in=OPEN_STATES)),
            models.Index(fields=["resolved_at"], name="ticket_resolved", condition=Q(state="resolved")),
            models.Index(fields=["-resolved_at"], name="ticket_resolved_at", condition=Q(resolved_at__isnull=False)),
            models.Index(fields=["-updated_at", "-id"], name="ticket_updated"),
            models.Index(fields=["-opened_at", "-id"], name="ticket_opened"),
            models.Index(fields=["parent"], name="ticket_parent", condition=Q(parent__isnull=False)),
            models.Index(fields=["merged_into"], name="ticket_merged", condition=Q(merged_into__isnull=False)),
            models.Index(fields=["group", "-updated_at"], name="ticket_group_updated"),
            models.Index(fields=["assignee", "-updated_at"], name="ticket_assignee_updated"),
            GinIndex(fields=["tags"], name="ticket_tags"),
            GinIndex(fields=["watchers"], name="ticket_watchers"),
        ]

    def __str__(self) -> str:
        return f"{self.number} {self.title}"

    @property
    def is_open(self) -> bool:
        return self.state in OPEN_STATES


class TicketStory(models.Model):
    """How a ticket's handling went: a projection of its journal (tickets/engine/replay.py says what each figure means)."""

    ticket = models.OneToOneField(Ticket, primary_key=True, on_delete=models.CASCADE, related_name="story")
    reassignment_count = models.IntegerField(default=0)
    bounce_count = models.IntegerField(default=0)
    reopen_count = models.IntegerField(default=0)
    hold_seconds = models.BigIntegerField(default=0)
    hold_started_at = models.DateTimeField(null=True)
    first_owned_at = models.DateTimeField(null=True)
    first_reply_at = models.DateTimeField(null=True)
    last_entry_at = models.DateTimeField(null=True)
    comment_count = models.IntegerField(default=0)
    requester = models.BigIntegerField(null=True)
    group = models.BigIntegerField(null=True)
    left = ArrayField(models.BigIntegerField(), default=list)
    state = models.CharField(max_length=12, default="new")

    class Meta:
        db_table = "tickets_story"
        indexes = [
            models.Index(fields=["bounce_count", "ticket"], name="story_bounced", condition=Q(bounce_count__gt=0)),
            models.Index(fields=["reopen_count", "ticket"], name="story_reopened", condition=Q(reopen_count__gt=0)),
        ]


CAUSED_BY, FIXED_BY = "caused_by", "fixed_by"  # relations that practices read: an incident, by a problem; a problem, by a change


class Link(models.Model):
    """A ticket's link to another ticket (one direction is kept, both are shown) or to an address elsewhere."""

    ticket = models.ForeignKey(Ticket, on_delete=models.CASCADE, related_name="links")
    relation = models.CharField(max_length=30)
    target = models.ForeignKey(Ticket, null=True, on_delete=models.CASCADE, related_name="linked_from")
    url = models.URLField(max_length=500, blank=True, default="")
    label = models.CharField(max_length=200, blank=True, default="")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["ticket", "relation", "target"], name="link_once", condition=Q(target__isnull=False)),
            models.CheckConstraint(
                condition=(Q(target__isnull=False) & Q(url="")) | (Q(target__isnull=True) & ~Q(url="")), name="link_one_end"
            ),
        ]


class Attachment(models.Model):
    """A file on a ticket; its bytes lie in the attachments folder under their SHA-256."""

    ticket = models.ForeignKey(Ticket, on_delete=models.CASCADE, related_name="attachments")
    name = models.CharField(max_length=200)
    sha256 = models.CharField(max_length=64)
    size = models.BigIntegerField()
    content_type = models.CharField(max_length=100)
    private = models.BooleanField(default=False)
    added_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+", db_index=False)
    added_at = models.DateTimeField()


class PriorityRule(models.Model):
    """One cell of the priority matrix, which an administrator edits."""

    impact = models.SmallIntegerField()
    urgency = models.SmallIntegerField()
    priority = models.SmallIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["impact", "urgency"], name="priority_cell_once"),
            models.CheckConstraint(condition=Q(priority__range=(1, 5)), name="priority_cell_1_to_5"),
        ]


class Category(models.Model):
    """A category (parent empty) or a subcategory that forms offer; imports add inactive ones."""

    name = models.CharField(max_length=80)
    parent = models.ForeignKey("self", null=True, blank=True, on_delete=models.PROTECT, related_name="subcategories")
    is_active = models.BooleanField(default=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(Lower("name"), name="category_once", condition=Q(parent__isnull=True)),
            models.UniqueConstraint(Lower("name"), "parent", name="subcategory_once", condition=Q(parent__isnull=False)),
        ]
        ordering = ("name",)

    def __str__(self) -> str:
        return self.name


class SavedView(models.Model):
    """A saved query with its columns: a person's (owner), a team's, or everybody's default (neither)."""

    name = models.CharField(max_length=80)
    owner = models.ForeignKey(User, null=True, blank=True, on_delete=models.CASCADE, related_name="views")
    team = models.ForeignKey(Team, null=True, blank=True, on_delete=models.CASCADE, related_name="views")
    query = models.CharField(max_length=1000)
    columns = ArrayField(models.CharField(max_length=40), default=list, blank=True)
    position = models.SmallIntegerField(default=100)
    version = models.IntegerField(default=1)

    class Meta:
        ordering = ("position", "id")
        constraints = [models.CheckConstraint(condition=Q(owner__isnull=True) | Q(team__isnull=True), name="view_owner_or_team")]
