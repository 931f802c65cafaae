"""How schedules and agreements are spoken of in the journal."""

from pilothouse.people.doors import address
from pilothouse.platform import retelling
from pilothouse.sla.engine.business_time.wording import COMBINED
from pilothouse.sla.engine.words import REFERENCES
from pilothouse.sla.models import Agreement, Schedule

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


class _OfTargets(dict[str, str]):
    """A target's lines carry its key before them ("resolution schedule"): the last word says what the ids are of."""

    def get(self, label: str, default: str = "") -> str:  # type: ignore[override]
        return REFERENCES.get(label.rpartition(" ")[2], default)


retelling.register(
    "agreement",
    retelling.Kind(
        "agreement",
        lambda ids: dict(Agreement.objects.filter(pk__in=list(ids)).values_list("id", "name")),
        lambda pk, name: address("agreement", pk),
        _OfTargets(),
        {"agreement.reordered": "moved in the order"},
    ),
)
