"""What the walk sends: for each method and address, the body that a person allowed to do it would send."""

from collections.abc import Callable, Mapping
from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile

from tests.access_walk import World

Body = Mapping[str, Any] | Callable[[World], Mapping[str, Any]]
_PERSON = {"name": "Rita W.", "email": "rita@example.org", "role": "requester", "time_zone": "UTC", "is_active": "on"}
_NEW = {"name": "New one", "email": "new@example.org", "role": "requester", "time_zone": "UTC"}
_CI = {"name": "srv-1", "ci_class": "server", "criticality": "3", "environment": "test", "status": "in_use"}
_SERVICE = {"name": "Mail", "criticality": "3", "status": "in_use"}
_PASSWORD = {"password": "as quiet as a harbour", "again": "as quiet as a harbour"}
_MATRIX = {f"{i}-{u}": "3" for i in (1, 2, 3) for u in (1, 2, 3)}
_SCHEDULE = {"name": "Office", "zone": "UTC", "tue": "08:00-12:00", "holds": "now", "base": "1", "confirm": "yes"}
_PROMISE = {"name": "Bronze", "holds_from": "now", "targets": "1", "t0-kind": "resolution", "t0-d1": "8h", "confirm": "yes"}
_RAISED = {"kind": "incident", "title": "Help", "urgency": "3"}


def _selected(world: World) -> dict[str, Any]:
    return {"action": "take", "sent": "yes", "ids": [world.arguments["common"]["ticket_id"]]}


def _into(world: World) -> dict[str, Any]:
    return {"into": world.arguments["common"]["target"]}


def _linked(world: World) -> dict[str, Any]:
    return {"relation": "blocks", "target": world.arguments["common"]["target"]}


def _related(world: World) -> dict[str, Any]:
    return {"relation": "runs_on", "target": world.arguments["common"]["other_ci"]}


def _file(world: World) -> dict[str, Any]:
    return {"file": SimpleUploadedFile("b.txt", b"words")}


def _of_a_line(world: World) -> dict[str, Any]:
    key = f"unowned:{world.arguments['common']['ticket_id']}:1"
    return {"key": key, "done": key, "act": "comment", "audience": "note", "text": "Seen."}


BODIES: dict[tuple[str, str], Body] = {
    ("POST", "queue/act"): _selected,
    ("POST", "queue/views"): {"name": "Mine", "query": "is:mine"},
    ("POST", "theme"): {"theme": "dark"},
    ("POST", "morning/act"): _of_a_line,
    ("POST", "morning/mark"): _of_a_line,
    ("POST", "morning/mail-time"): {"at": "07:30", "days": ["1"]},
    ("POST", "tickets/new"): {"kind": "incident", "title": "Printer", "channel": "phone", "impact": "3", "urgency": "3"},
    ("POST", "tickets/<str:number>/edit"): {"title": "Other", "channel": "phone", "impact": "3", "urgency": "3"},
    ("POST", "tickets/<str:number>/act"): {"action": "start"},
    ("POST", "tickets/<str:number>/comment"): {"audience": "reply", "text": "Hello"},
    ("POST", "tickets/<str:number>/watch"): {"on": "yes"},
    ("POST", "tickets/<str:number>/links"): _linked,
    ("POST", "tickets/<str:number>/merge"): _into,
    ("POST", "tickets/<str:number>/follow-up"): {"description": "Again"},
    ("POST", "portal/raise/other"): _RAISED,
    ("POST", "portal/raise/service/<int:service_id>"): _RAISED,
    ("POST", "portal/tickets/<str:number>/answer"): {"text": "Hello"},
    ("POST", "portal/tickets/<str:number>/act"): {"do": "cancel", "note": "Gone"},
    ("POST", "service-levels/agreements/new"): _PROMISE,
    ("POST", "service-levels/agreements/<int:agreement_id>/edit"): _PROMISE,
    ("POST", "service-levels/agreements/<int:agreement_id>/move"): {"way": "down"},
    ("POST", "service-levels/schedules/new"): {"name": "Late", "zone": "UTC", "mon": "16:00-20:00"},
    ("POST", "service-levels/schedules/<int:schedule_id>/edit"): _SCHEDULE,
    ("POST", "service-levels/schedules/<int:schedule_id>/uses"): {"kind": "team", "user": "Network"},
    ("POST", "service-levels/schedules/<int:schedule_id>/uses/remove"): {"kind": "site", "site": "Porto"},
    ("POST", "settings/priorities"): _MATRIX,
    ("POST", "settings/categories"): {"name": "Mail"},
    ("POST", "settings/categories/<int:category_id>"): {"name": "Networks"},
    ("POST", "settings/forms/<int:service_id>"): {"rows": "0"},
    ("POST", "settings/views"): {"name": "Vital", "query": "priority:1"},
    ("POST", "cmdb/cis/new"): _CI,
    ("POST", "changes/new"): {"title": "Update", "type": "normal", "impact": "3", "urgency": "3"},
    ("POST", "changes/<str:number>/plan"): {"type": "standard"},
    ("POST", "cmdb/cis/<int:ci_id>/edit"): _CI,
    ("POST", "cmdb/cis/<int:ci_id>/relate"): {"relation": "runs_on:down", "target": "vpn-2"},
    ("POST", "cmdb/services/new"): _SERVICE,
    ("POST", "cmdb/services/<int:service_id>/edit"): _SERVICE,
    ("POST", "profile"): {"name": "Somebody", "time_zone": "UTC"},
    ("POST", "profile/password"): {"current": "wrong", **_PASSWORD},
    ("POST", "profile/notifications"): {"quiet_from": "22:00", "quiet_until": "07:00", "digest_at": "08:00"},
    ("POST", "settings/webhooks"): {"name": "Ops", "kind": "slack", "url": "https://hooks.example.org/y"},
    ("POST", "settings/webhooks/<int:webhook_id>"): {"name": "Ops"},
    ("POST", "profile/tokens"): {"name": "x", "days": "30"},
    ("POST", "people/new"): _NEW,
    ("POST", "people/<int:user_id>/edit"): _PERSON,
    ("POST", "people/<int:user_id>/password"): _PASSWORD,
    ("POST", "teams/new"): {"name": "Mail", "time_zone": "UTC"},
    ("POST", "teams/<int:team_id>/edit"): {"name": "Net", "time_zone": "UTC"},
    ("POST", "teams/<int:team_id>/members"): {"do": "add", "email": "olga@example.org"},
    ("POST", "problems/candidates/<int:candidate_id>/dismiss"): {"because": "Known."},
    ("POST", "api/v1/candidates/<number>/dismiss"): {"because": "Known."},
    ("POST", "problems/new"): {"title": "VPN"},
    ("POST", "problems/matches/<int:match_id>"): {"do": "accept"},
    ("POST", "api/v1/problem-records"): {"title": "VPN"},
    ("PATCH", "api/v1/problem-records/<reference>"): {"cause": "A leak."},
    ("POST", "api/v1/problem-records/<reference>/known-error"): {"known": True, "workaround": "Restart it."},
    ("POST", "api/v1/problem-records/<reference>/transition"): {"state": "assessed"},
    ("POST", "api/v1/tickets"): {"title": "Printer"},
    ("POST", "api/v1/tickets/bulk"): {"tickets": [{"title": "Printer"}]},
    ("PATCH", "api/v1/tickets/<reference>"): {"title": "Other"},
    ("POST", "api/v1/tickets/<reference>/transition"): {"state": "in_progress"},
    ("POST", "api/v1/tickets/<reference>/follow-up"): {"description": "Again"},
    ("POST", "api/v1/tickets/<reference>/comments"): {"text": "Hello"},
    ("POST", "api/v1/tickets/<reference>/links"): _linked,
    ("POST", "api/v1/tickets/<reference>/merge"): _into,
    ("POST", "api/v1/views"): {"name": "Mine", "query": "is:mine"},
    ("PUT", "api/v1/priority-matrix"): {"cells": [{"impact": 1, "urgency": 1, "priority": 1}]},
    ("POST", "api/v1/changes"): {"title": "Update"},
    ("PATCH", "api/v1/changes/<reference>"): {"type": "standard"},
    ("POST", "api/v1/changes/<reference>/transition"): {"state": "assessed"},
    ("POST", "api/v1/services"): {"name": "Mail"},
    ("PATCH", "api/v1/services/<number>"): {"name": "Mail"},
    ("POST", "api/v1/cis"): {"name": "srv-1"},
    ("PATCH", "api/v1/cis/<number>"): {"name": "srv-1"},
    ("POST", "api/v1/cis/<number>/relationships"): _related,
    ("POST", "api/v1/tickets/<reference>/attachments"): _file,
}
