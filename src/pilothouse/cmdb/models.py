"""The CMDB's first part: services, configuration items (CIs), typed relationships."""

from django.contrib.postgres.indexes import GinIndex
from django.db import models

from pilothouse.cmdb.engine import CI_CLASSES, CRITICALITIES, ENVIRONMENTS, RELATIONS, STATUSES
from pilothouse.people.models import Team


def _choices(values: "list[str] | tuple[str, ...]") -> list[tuple[str, str]]:
    return [(value, value.replace("_", " ")) for value in values]


class Service(models.Model):
    """What the business uses and names; tickets and CIs point at it."""

    name = models.CharField(max_length=160, unique=True)
    key = models.SlugField(max_length=80, unique=True)
    description = models.TextField(blank=True, default="")
    owner_team = models.ForeignKey(Team, null=True, blank=True, on_delete=models.PROTECT, related_name="services")
    criticality = models.SmallIntegerField(choices=[(n, label) for n, label in CRITICALITIES.items()], default=3)
    status = models.CharField(max_length=20, choices=_choices(STATUSES), default="in_use")
    request_form = models.JSONField(default=list, blank=True)
    is_offered = models.BooleanField(default=True)
    version = models.IntegerField(default=1)

    class Meta:
        ordering = ("name",)

    def __str__(self) -> str:
        return self.name


class CI(models.Model):
    """A configuration item: something that is run, of a class that says which attributes it has."""

    name = models.CharField(max_length=200)
    ci_class = models.CharField(max_length=40, choices=_choices(list(CI_CLASSES)), default="other")
    attributes = models.JSONField(default=dict, blank=True)
    service = models.ForeignKey(Service, null=True, blank=True, on_delete=models.PROTECT, related_name="cis")
    owner_team = models.ForeignKey(Team, null=True, blank=True, on_delete=models.PROTECT, related_name="cis")
    criticality = models.SmallIntegerField(choices=[(n, label) for n, label in CRITICALITIES.items()], default=3)
    environment = models.CharField(max_length=20, choices=_choices(ENVIRONMENTS), default="production")
    status = models.CharField(max_length=20, choices=_choices(STATUSES), default="in_use")
    version = models.IntegerField(default=1)

    class Meta:
        ordering = ("name", "id")
        indexes = [
            models.Index(fields=["name", "id"], name="ci_name"),
            GinIndex(fields=["name"], name="ci_name_trigrams", opclasses=["gin_trgm_ops"]),
        ]

    def __str__(self) -> str:
        return self.name


class Relationship(models.Model):
    """`source` stands in `relation` to `target`: "depends on", "runs on", … Down is toward what is needed."""

    source = models.ForeignKey(CI, on_delete=models.CASCADE, related_name="downward")
    relation = models.CharField(max_length=30, choices=_choices(list(RELATIONS)))
    target = models.ForeignKey(CI, on_delete=models.CASCADE, related_name="upward")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["source", "relation", "target"], name="relationship_once"),
            models.CheckConstraint(condition=~models.Q(source=models.F("target")), name="relationship_not_itself"),
        ]
