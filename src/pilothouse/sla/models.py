"""Service levels: schedules and agreements in versions, and what is derived from the journal: lives, clocks, escalations.

Schedules and agreements are records with a journal of their own. A version is never changed: an edit makes a new one, which
holds from its `effective_from` on (none: since ever). `Life`, `Clock` and `Escalation` are projections of the tickets' journals.
"""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Round

from pilothouse.people.models import Team, User
from pilothouse.sla.engine.rules import KINDS, STAGES
from pilothouse.tickets.models import Ticket


class Schedule(models.Model):
    """Working time under a name: when clocks run and when people may be told."""

    name = models.CharField(max_length=120, unique=True)
    key = models.SlugField(max_length=60, unique=True)
    description = models.TextField(blank=True, default="")
    is_active = models.BooleanField(default=True)
    version = models.IntegerField(default=1)  # the number of its newest version

    class Meta:
        ordering = ("name",)

    def __str__(self) -> str:
        return self.name

    @property
    def newest(self) -> "ScheduleVersion":
        """Read its newest version."""
        return self.versions.latest("number")


class ScheduleVersion(models.Model):
    """One definition of a schedule (engine/business_time reads it); before `effective_from` the older version holds."""

    schedule = models.ForeignKey(Schedule, on_delete=models.CASCADE, related_name="versions")
    number = models.IntegerField()
    definition = models.JSONField()
    effective_from = models.DateTimeField(null=True, blank=True)
    recorded_at = models.DateTimeField()
    recorded_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+", db_index=False)
    note = models.CharField(max_length=500, blank=True, default="")

    class Meta:
        ordering = ("schedule", "number")
        constraints = [models.UniqueConstraint(fields=["schedule", "number"], name="schedule_version_once")]


class ScheduleUse(models.Model):
    """From an instant on, whose working time a schedule is: a service's, a CI's, a team's (by id), a site's (by name); rows are only added.

    The newest row of one that has begun counts; without a schedule it says that none is used any more. Clocks take the one in
    force when the ticket was opened.
    """

    USERS = (("service", "service"), ("ci", "CI"), ("team", "team"), ("site", "site"))

    kind = models.CharField(max_length=10, choices=USERS)
    record_id = models.BigIntegerField(null=True, blank=True)
    site = models.CharField(max_length=120, blank=True, default="")
    schedule = models.ForeignKey(Schedule, null=True, on_delete=models.PROTECT, related_name="uses")
    effective_from = models.DateTimeField(null=True, blank=True)  # none: since ever
    recorded_at = models.DateTimeField()

    class Meta:
        ordering = ("id",)
        constraints = [
            models.CheckConstraint(
                condition=(Q(kind="site") & ~Q(site="") & Q(record_id=None)) | (~Q(kind="site") & Q(site="") & Q(record_id__isnull=False)),
                name="schedule_use_of_something",
            ),
        ]


class PersonSite(models.Model):
    """At which site a person worked from an instant on, as the journal recorded it; a projection that clocks look requesters up in."""

    person = models.BigIntegerField()
    recorded_at = models.DateTimeField()
    site = models.CharField(max_length=120, blank=True, default="")

    class Meta:
        db_table = "sla_site"
        indexes = [models.Index(fields=["person", "-recorded_at"], name="site_of_person")]


class Agreement(models.Model):
    """A promise about tickets: which it applies to and its targets. Of several that match, the lowest position wins."""

    name = models.CharField(max_length=160, unique=True)
    key = models.SlugField(max_length=80, unique=True)
    position = models.IntegerField(default=100)
    is_active = models.BooleanField(default=True)  # a retired one gets no version that applies to anything
    version = models.IntegerField(default=1)

    class Meta:
        ordering = ("position", "id")

    def __str__(self) -> str:
        return self.name

    @property
    def newest(self) -> "AgreementVersion":
        """Read its newest version."""
        return self.versions.latest("number")


class AgreementVersion(models.Model):
    """One definition of an agreement (engine/rules.py reads it), for tickets opened from `effective_from` on.

    `position` is the agreement's place then: an order changed later does not change which agreement won. `names` are the ids
    that the names in its conditions stood for when it was saved.
    """

    agreement = models.ForeignKey(Agreement, on_delete=models.CASCADE, related_name="versions")
    number = models.IntegerField()
    position = models.IntegerField()
    definition = models.JSONField()
    names = models.JSONField(default=list, blank=True)
    is_retired = models.BooleanField(default=False)
    effective_from = models.DateTimeField(null=True, blank=True)
    recorded_at = models.DateTimeField()
    recorded_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+", db_index=False)
    note = models.CharField(max_length=500, blank=True, default="")

    class Meta:
        ordering = ("agreement", "number")
        constraints = [models.UniqueConstraint(fields=["agreement", "number"], name="agreement_version_once")]


class WhatIf(models.Model):
    """A question: what would a change of agreements or schedules have done to the last days? Asked, answered, and gone after a day."""

    class State(models.TextChoices):
        WAITING = "waiting", "Waiting"
        RUNNING = "running", "Running"
        DONE = "done", "Done"
        FAILED = "failed", "Failed"

    asked_by = models.ForeignKey(User, null=True, on_delete=models.CASCADE, related_name="+", db_index=False)
    asked_at = models.DateTimeField(db_index=True)
    days = models.IntegerField()
    change = models.JSONField()  # sla/what_if.py says what it holds
    state = models.CharField(max_length=10, choices=State.choices, default=State.WAITING)
    done = models.IntegerField(default=0)
    total = models.IntegerField(default=0)
    result = models.JSONField(default=dict, blank=True)
    fault = models.TextField(blank=True, default="")

    class Meta:
        db_table = "sla_what_if"

    @property
    def is_over(self) -> bool:
        return self.state in (self.State.DONE, self.State.FAILED)


class Life(models.Model):
    """A ticket's journal condensed to what agreements may look at (engine/lives.py); a projection."""

    ticket = models.OneToOneField(Ticket, primary_key=True, on_delete=models.CASCADE, related_name="life", db_constraint=False)
    opened_at = models.DateTimeField()
    events = models.BinaryField()

    class Meta:
        db_table = "sla_life"
        indexes = [models.Index(fields=["opened_at"], name="life_opened")]


class Clock(models.Model):
    """One target of one ticket, measured: a projection, the fold of its life (engine/clocks.py says what each column means)."""

    ticket = models.ForeignKey(Ticket, on_delete=models.CASCADE, related_name="clocks", db_constraint=False, db_index=False)
    kind = models.CharField(max_length=10, choices=[(kind, kind) for kind in KINDS])
    target = models.CharField(max_length=40)  # the target's key in its agreement
    turn = models.SmallIntegerField(default=1)  # the how manieth of this agreement and target: a reset begins a new one
    stay = models.SmallIntegerField(default=0)  # OLA: the how manieth stay in a group, 0 is the sum of a group's stays
    group = models.ForeignKey(Team, null=True, on_delete=models.CASCADE, related_name="+", db_constraint=False, db_index=False)
    agreement_version = models.ForeignKey(
        AgreementVersion, on_delete=models.CASCADE, related_name="clocks", db_constraint=False, db_index=False
    )
    priority = models.SmallIntegerField()  # the priority whose duration counts
    stage = models.CharField(max_length=10, choices=[(stage, stage) for stage in STAGES])
    target_seconds = models.BigIntegerField()
    schedule = models.ForeignKey(Schedule, null=True, on_delete=models.CASCADE, related_name="+", db_constraint=False, db_index=False)
    started_at = models.DateTimeField()
    running_since = models.DateTimeField(null=True)
    elapsed_seconds = models.BigIntegerField()
    due_at = models.DateTimeField(null=True)
    original_due_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    breached = models.BooleanField(null=True)
    next_step = models.SmallIntegerField(null=True)
    next_step_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "sla_clock"
        indexes = [
            models.Index(fields=["ticket"], name="clock_ticket"),
            models.Index(fields=["next_step_at"], name="clock_next_step", condition=Q(next_step_at__isnull=False)),
            models.Index(fields=["due_at"], name="clock_due", condition=Q(stage="running")),
            models.Index(fields=["ended_at"], name="clock_ended", condition=Q(ended_at__isnull=False)),
        ]

    @property
    def is_living(self) -> bool:
        return self.stage in ("running", "paused")


class TicketClock(models.Model):
    """The clock of each ticket that the queue shows, one row a ticket with a living clock: the one that is due first; a projection."""

    ticket = models.OneToOneField(Ticket, primary_key=True, on_delete=models.CASCADE, related_name="sla", db_constraint=False)
    kind = models.CharField(max_length=10)
    stage = models.CharField(max_length=10)
    due_at = models.DateTimeField(null=True)
    target_seconds = models.BigIntegerField()
    elapsed_seconds = models.BigIntegerField()
    running_since = models.DateTimeField(null=True)
    schedule = models.ForeignKey(Schedule, null=True, on_delete=models.CASCADE, related_name="+", db_constraint=False, db_index=False)

    class Meta:
        db_table = "sla_ticket"
        indexes = [models.Index(fields=["due_at", "ticket"], name="sla_ticket_due")]


class Escalation(models.Model):
    """A step that was taken before or at a breach: whom it told, and who took it up; a projection of `ticket.escalated` and after."""

    entry_id = models.BigIntegerField(unique=True)  # the journal entry that took it
    ticket = models.ForeignKey(Ticket, on_delete=models.CASCADE, related_name="escalations", db_constraint=False, db_index=False)
    kind = models.CharField(max_length=10)
    target = models.CharField(max_length=40)
    turn = models.SmallIntegerField(default=1)
    stay = models.SmallIntegerField(default=0)
    group = models.ForeignKey(Team, null=True, on_delete=models.CASCADE, related_name="+", db_constraint=False, db_index=False)
    agreement_version = models.ForeignKey(AgreementVersion, on_delete=models.CASCADE, related_name="+", db_constraint=False, db_index=False)
    step = models.SmallIntegerField()
    due_at = models.DateTimeField()  # when the step fell due
    fired_at = models.DateTimeField()
    told = ArrayField(models.BigIntegerField(), default=list)  # people, in the order in which they were told
    round = models.SmallIntegerField(default=1)  # how often it went on to the next person
    pass_on_at = models.DateTimeField(null=True)  # when it goes on unless acknowledged
    acknowledged_at = models.DateTimeField(null=True)
    acknowledged_by = models.BigIntegerField(null=True)
    ended_at = models.DateTimeField(null=True)  # its clock ended before anybody took it up

    class Meta:
        db_table = "sla_escalation"
        indexes = [
            models.Index(fields=["ticket"], name="escalation_ticket"),
            models.Index(
                fields=["pass_on_at"],
                name="escalation_pass_on",
                condition=Q(pass_on_at__isnull=False, acknowledged_at__isnull=True, ended_at__isnull=True),
            ),
            models.Index(fields=["-fired_at"], name="escalation_open", condition=Q(acknowledged_at__isnull=True, ended_at__isnull=True)),
        ]


class Forecast(models.Model):
    """The probability that an open ticket breaches, as last judged, and the reason in words; computed, not journalled."""

    ticket = models.OneToOneField(Ticket, primary_key=True, on_delete=models.CASCADE, related_name="forecast", db_constraint=False)
    probability = models.FloatField()
    percent = models.GeneratedField(
        expression=Round(F("probability") * 100, output_field=models.SmallIntegerField()),
        output_field=models.SmallIntegerField(),
        db_persist=True,
    )
    reason = models.CharField(max_length=300)
    by_model = models.BooleanField()  # False: the share-of-time rule stood in
    judged_at = models.DateTimeField()

    class Meta:
        db_table = "sla_forecast"
        indexes = [models.Index(F("probability").desc(), "ticket", name="forecast_probability")]


class ForecastModel(models.Model):
    """A trained model with its validation report; the newest that is in use judges."""

    trained_at = models.DateTimeField()
    is_used = models.BooleanField(default=False)
    why = models.CharField(max_length=500)  # why it is used, or why not
    parameters = models.JSONField()
    report = models.JSONField()

    class Meta:
        db_table = "sla_forecast_model"
        ordering = ("-trained_at",)

    @classmethod
    def last_trained(cls) -> "ForecastModel | None":
        """Read the training that ended last, without its parameters."""
        return cls.objects.exclude(report={}).order_by("-trained_at", "-pk").defer("parameters").first()
