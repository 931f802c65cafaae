"""Jira: the CSV that a search exports. It repeats columns (Labels, Comment, Watchers), once for each value."""

from pilothouse.connectors.engine.mapping import Mapping
from pilothouse.connectors.engine.profiles import Profile

_STATES = {
    "open": "new",
    "to do": "new",
    "new": "new",
    "backlog": "new",
    "reopened": "in_progress",
    "in progress": "in_progress",
    "work in progress": "in_progress",
    "in review": "in_progress",
    "selected for development": "assigned",
    "waiting for support": "assigned",
    "escalated": "in_progress",
    "pending": "on_hold:other",
    "waiting for customer": "on_hold:caller",
    "waiting for vendor": "on_hold:vendor",
    "blocked": "on_hold:other",
    "resolved": "resolved",
    "done": "closed",
    "completed": "closed",
    "closed": "closed",
    "canceled": "cancelled",
    "cancelled": "cancelled",
    "declined": "cancelled",
}
_PRIORITIES = {
    "blocker": 1,
    "highest": 1,
    "critical": 1,
    "high": 2,
    "major": 2,
    "medium": 3,
    "normal": 3,
    "low": 4,
    "minor": 4,
    "lowest": 5,
    "trivial": 5,
}
_KINDS = {
    "incident": "incident",
    "bug": "incident",
    "[system] incident": "incident",
    "service request": "request",
    "[system] service request": "request",
    "service request with approvals": "request",
    "task": "request",
    "story": "request",
}
_CODES = {
    "done": "solved",
    "fixed": "solved",
    "resolved": "solved",
    "won't do": "rejected",
    "won't fix": "rejected",
    "duplicate": "duplicate",
    "cannot reproduce": "not_reproducible",
    "declined": "rejected",
}
_MAPPING = Mapping(
    system="jira",
    key=("Issue key", "Key"),
    columns={
        "title": ("Summary",),
        "description": ("Description",),
        "state": ("Status",),
        "kind": ("Issue Type",),
        "priority": ("Priority",),
        "requester": ("Reporter",),
        "opened_by": ("Creator",),
        "assignee": ("Assignee",),
        "group": ("Custom field (Team)", "Project name"),
        "category": ("Component/s", "Components"),
        "opened_at": ("Created",),
        "resolved_at": ("Resolved",),
        "resolution_code": ("Resolution",),
        "tags": ("Labels",),
    },
    updated=("Updated",),
    comments=("Comment", "Comments"),
    required=("title", "state", "opened_at"),
    values={"state": _STATES, "priority": _PRIORITIES, "kind": _KINDS, "resolution_code": _CODES},
    defaults={"kind": "request", "channel": "other"},
    empty=frozenset({"", "Unassigned", "Unresolved"}),
    ignore=frozenset({"Issue id", "Log Work", "Watchers", "Attachment"}),
)

JIRA_CSV = Profile(
    "jira-csv", "Jira, CSV export", "The CSV of a Jira search (all fields or current fields): one row an issue.", (_MAPPING,)
)
