"""HP Service Manager: an export of incidents, the log of activities on them, and an export of changes."""

from pilothouse.connectors.engine.mapping import Mapping
from pilothouse.connectors.engine.profiles import Profile
from pilothouse.connectors.hp_service_manager.activities import tell

_LEVELS = {"1": 1, "2": 1, "3": 2, "4": 3, "5": 3, "5 - very low": 3}  # five levels become three
_KINDS = {
    "incident": "incident",
    "complaint": "incident",
    "request for information": "request",
    "request for change": "request",
}
INCIDENTS = Mapping(
    system="hp-service-manager",
    key=("Incident ID",),
    columns={
        "state": ("Status",),
        "kind": ("Category",),
        "impact": ("Impact",),
        "urgency": ("Urgency",),
        "priority": ("Priority",),
        "ci": ("CI Name (aff)",),
        "service": ("Service Component WBS (aff)",),
        "opened_at": ("Open Time",),
        "reopened_at": ("Reopen Time",),
        "resolved_at": ("Resolved Time",),
        "closed_at": ("Close Time",),
        "resolution_code": ("Closure Code",),
    },
    required=("state", "opened_at"),
    values={
        "state": {
            "closed": "closed",
            "resolved": "resolved",
            "work in progress": "in_progress",
            "open": "new",
            "pending vendor": "on_hold:vendor",
        },
        "kind": _KINDS,
        "impact": _LEVELS,
        "urgency": _LEVELS,
    },
    defaults={"kind": "incident", "channel": "other"},
    title_from=("CI Subtype (aff)", "CI Name (aff)", "Category"),
    empty=frozenset({"", "#N/B"}),
    date_formats=("%d/%m/%Y %H:%M:%S", "%d/%m/%Y %H:%M"),
    decimal_comma=True,
)
ACTIVITIES = Mapping(
    system="hp-service-manager",
    key=("Incident ID",),
    columns={"group": ("Detail Incident Activity.Assignment Group", "Assignment Group")},
    updated=("Detail Incident Activity.DateStamp", "DateStamp"),
    event=("Detail Incident Activity.IncidentActivity_Type", "IncidentActivity_Type"),
    required=("updated", "event", "group"),
    strict=(),
    date_formats=("%Y-%m-%d %H:%M:%S", "%d-%m-%Y %H:%M:%S"),
    keep_others=False,
    many=True,
)
CHANGES = Mapping(
    system="hp-service-manager",
    key=("Change ID",),
    columns={
        "ci": ("CI Name (aff)",),
        "service": ("Service Component WBS (aff)",),
        "change.risk": ("Risk Assessment",),
        "change.type": ("Emergency Change",),
        "change.planned_start_at": ("Planned Start",),
        "change.planned_end_at": ("Planned End",),
        "change.actual_start_at": ("Actual Start",),
        "change.actual_end_at": ("Actual End",),
        "opened_at": ("Change record Open Time",),
        "closed_at": ("Change record Close Time",),
    },
    required=("opened_at", "change.planned_start_at"),
    values={
        "change.risk": {"minor change": "low", "business change": "moderate", "major business change": "high"},
        "change.type": {"y": "emergency", "n": "normal"},
    },
    strict=(),
    defaults={"kind": "change", "channel": "other"},
    title_from=("Change Type", "CI Subtype (aff)", "CI Name (aff)"),
    empty=frozenset({"", "#N/B"}),
    date_formats=("%d-%m-%Y %H:%M", "%d/%m/%Y %H:%M", "%d-%m-%Y %H:%M:%S"),
    decimal_comma=True,
    many=True,
    of_changes=True,
)

HP_SERVICE_MANAGER = Profile(
    "hp-service-manager",
    "HP Service Manager",
    "Incidents (“;” between columns, decimal commas), and as a second file the activity log, whose activities become the history;"
    " or changes, a row for each CI that they touch.",
    (INCIDENTS, ACTIVITIES, CHANGES),
    tell,
)
