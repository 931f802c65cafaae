"""How CIs and services are spoken of in the journal."""

from django.urls import reverse

from pilothouse.cmdb.engine import RELATIONS
from pilothouse.cmdb.models import CI, Service
from pilothouse.platform import retelling

_FIELDS = {"service": "service", "owner_team": "team"}

retelling.register(
    "ci",
    retelling.Kind(
        "CI",
        lambda ids: dict(CI.objects.filter(pk__in=list(ids)).values_list("id", "name")),
        lambda pk, name: reverse("ci", args=[pk]),
        {**_FIELDS, **dict.fromkeys(RELATIONS, "ci")},
    ),
)
retelling.register(
    "service",
    retelling.Kind(
        "service",
        lambda ids: dict(Service.objects.filter(pk__in=list(ids)).values_list("id", "name")),
        lambda pk, name: reverse("service", args=[pk]),
        _FIELDS,
    ),
)
