"""The demo's service levels: office hours at each site, four agreements, and the escalations of its last two weeks.

They hold since ever, so that every ticket's clocks are written in the load's own transactions. Escalations are taken at the instants
at which they fell due, by the product's own action; most of them somebody took up.
"""

import random
from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from django.db import transaction
from django.db.models import Min

from pilothouse.demo.engine.company import LEEDS, PORTO, SINGAPORE, SITES, TEAMS
from pilothouse.people.models import Team
from pilothouse.people.queries import actor_of
from pilothouse.platform.access import Actor
from pilothouse.sla.actions import agreements, schedules
from pilothouse.sla.actions.escalating import acknowledge_escalation, take_due_steps
from pilothouse.sla.actions.forecasting import request_training
from pilothouse.sla.models import Agreement, Clock, Escalation, ForecastModel

HOUR, MINUTE = 3600, 60
_HOLIDAYS: Mapping[int, dict[str, Any]] = {
    LEEDS: {"country": "GB", "subdivision": "ENG"},
    PORTO: {"country": "PT"},
    SINGAPORE: {"country": "SG"},
}
_NEAR = {"share": 0.75, "tell": ["assignee", "lead"], "acknowledge": 30 * MINUTE, "then": ["lead", "manager"]}
_LAST = {"share": 0.9, "tell": ["lead"], "flag": "breach-near", "acknowledge": 30 * MINUTE, "then": ["manager"]}
_OVER = {"share": 1, "tell": ["lead", "manager"], "acknowledge": 60 * MINUTE, "then": ["manager"]}
_STEPS = [{"share": 0.5, "tell": ["assignee"]}, _NEAR, _LAST, _OVER]
_LOOKED_BACK = timedelta(days=14)
_TICK = timedelta(minutes=20)
_TAKEN_UP = 0.93


def bring_in(*, actor: Actor, now: datetime) -> None:
    """Add the schedules and the agreements, unless there are agreements already; they hold since ever."""
    if Agreement.objects.exists():
        return
    offices = {site: _office(actor, site, now) for site in (LEEDS, PORTO, SINGAPORE)}
    for key, _, site, _, _ in TEAMS:
        team = Team.objects.get(key=key)
        schedules.use_schedule(actor=actor, schedule_id=offices[site], kind="team", record_id=team.pk, now=now, since_ever=True)
    for name, definition in _agreements(offices[LEEDS]).items():
        agreements.add_agreement(actor=actor, name=name, definition=definition, now=now, since_ever=True)


def _office(actor: Actor, site: int, now: datetime) -> int:
    place = SITES[site]
    week = dict.fromkeys(("mon", "tue", "wed", "thu", "fri"), "08:00-18:00")
    definition = {"zone": place.zone, "week": week, "holidays": [_HOLIDAYS[site]]}
    made = schedules.add_schedule(
        actor=actor, name=f"{place.city} office hours", definition=definition, description=f"{place.building}, {place.city}.", now=now
    )
    schedules.use_schedule(actor=actor, schedule_id=made.pk, kind="site", site=place.city, now=now, since_ever=True)
    return made.pk


def _hours(*hours: float, first: int = 1) -> dict[str, dict[str, int]]:
    return {str(priority): {"seconds": int(value * HOUR)} for priority, value in enumerate(hours, first)}


def _agreements(office: int) -> dict[str, dict[str, Any]]:
    """Return the agreements in order: urgent incidents count every hour, the rest the working time of the requester's site."""
    local = {"schedule": office, "schedule_from": ["site"]}
    solve = {"kind": "resolution", "holds": ["caller", "vendor"], "steps": _STEPS}
    fulfil = {str(p): {"days": days, "at": "17:00"} for p, days in ((1, 2), (2, 3), (3, 5), (4, 8), (5, 10))}
    return {
        "Urgent incidents": {
            "applies_to": "kind:incident priority<=2",
            "targets": [
                {"key": "response", "kind": "response", "durations": _hours(0.5, 2)},
                {"key": "resolution", "durations": _hours(8, 16), **solve},
            ],
        },
        "Incidents": {
            "applies_to": "kind:incident",
            "targets": [
                {"key": "response", "kind": "response", "durations": _hours(6, 12, 16, first=3), **local},
                {"key": "resolution", "durations": _hours(20, 40, 60, first=3), **solve, **local},
                {"key": "group", "kind": "ola", "holds": ["caller", "vendor"], "durations": _hours(8, 12, 20, 30, 40), **local},
            ],
        },
        "Service requests": {
            "applies_to": "kind:request",
            "targets": [
                {"key": "response", "kind": "response", "durations": _hours(8, 8, 12, 24, 24), **local},
                {"key": "fulfilment", "durations": fulfil, **solve, **local},
            ],
        },
        "Vendors": {
            "targets": [{"key": "vendor", "kind": "contract", "durations": _hours(8, 20, 40, 50, 80), "schedule": office}],
        },
    }


def escalate(*, actor: Actor, seed: int, until: datetime) -> int:
    """Take the steps that living clocks have owed for so long, and take most of them up; returns how many were taken.

    What fell due before the last two weeks is taken when they begin. Each instant is one transaction, so that a load that was cut off
    goes on as if it had not been.
    """
    taken, at = 0, until - _LOOKED_BACK
    while at < until:
        with transaction.atomic():
            taken += _take_all(actor, at)
            _take_up(seed, at)
        first = Clock.objects.aggregate(first=Min("next_step_at"))["first"]
        at = max(at + _TICK, first + _TICK) if first else until
    return taken


def _take_all(actor: Actor, at: datetime) -> int:
    taken = 0
    while found := take_due_steps(actor=actor, now=at):
        taken += found
    return taken


def _take_up(seed: int, at: datetime) -> None:
    """Let those who were told take up what was told them at this instant, but for a few.

    Ids depend on which process loaded what first, so nothing here goes by them.
    """
    fired = Escalation.objects.filter(fired_at=at, acknowledged_at=None, ended_at=None).select_related("ticket")
    for row in fired.order_by("ticket__number", "due_at", "kind", "target", "turn", "stay", "step"):
        rng = random.Random(f"{seed} {row.ticket.number} {row.kind} {row.target} {row.turn} {row.stay} {row.step}")
        who = next((actor for person in row.told if (actor := _person(person))), None)
        if who is not None and rng.random() < _TAKEN_UP:
            acknowledge_escalation(actor=who, escalation_id=row.pk, now=at + timedelta(minutes=rng.randrange(2, 25)))


def learn(*, actor: Actor, now: datetime) -> None:
    """Ask for a first training of the forecast, unless one was asked for; the worker does it when it runs."""
    if not ForecastModel.objects.exists():
        request_training(actor=actor, now=now)


@cache
def _person(user_id: int) -> Actor | None:
    return actor_of(user_id)
