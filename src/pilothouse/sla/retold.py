"""How schedules are spoken of in the journal."""

from pilothouse.people.doors import address
from pilothouse.platform import retelling
from pilothouse.sla.engine.business_time.wording import COMBINED
from pilothouse.sla.models import Schedule

retelling.register(
    "schedule",
    retelling.Kind(
        "schedule",
        lambda ids: dict(Schedule.objects.filter(pk__in=list(ids)).values_list("id", "name")),
        lambda pk, name: address("schedule", pk),
        {"service": "service", "ci": "ci", "team": "team", **dict.fromkeys(COMBINED.values(), "schedule")},
        {"schedule.used": "is used from now on", "schedule.unused": "is used no more"},
    ),
)
