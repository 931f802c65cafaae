"""Reads of the CMDB."""

from typing import Literal

from django.db import connection
from django.db.models import QuerySet

from pilothouse.cmdb.engine import Step, impact_walk
from pilothouse.cmdb.models import CI, Relationship, Service
from pilothouse.people.queries import require
from pilothouse.platform.access import Actor, Capability
from pilothouse.platform.refusals import Missing


def cis(actor: Actor, *, text: str = "", ci_class: str = "", status: str = "") -> "QuerySet[CI]":
    """Return CIs by name, narrowed by a part of the name, a class, a status; staff only."""
    require(actor, Capability.READ_CMDB)
    found = CI.objects.select_related("service", "owner_team")
    if text:
        found = found.filter(name__icontains=text)
    if ci_class:
        found = found.filter(ci_class=ci_class)
    return found.filter(status=status) if status else found


def ci(actor: Actor, ci_id: int) -> CI:
    """Return one CI; Missing for requesters and unknown ids."""
    found = CI.objects.select_related("service", "owner_team").filter(pk=ci_id).first() if actor.can(Capability.READ_CMDB) else None
    if found is None:
        raise Missing("There is no such CI.")
    return found


def services(actor: Actor, *, offered: bool = False) -> "QuerySet[Service]":
    """Return services by name; a requester sees those that are offered."""
    found = Service.objects.select_related("owner_team")
    return found.filter(is_offered=True, status="in_use") if offered or not actor.can(Capability.READ_CMDB) else found


def service(actor: Actor, service_id: int) -> Service:
    """Return one service that the actor may see, or Missing."""
    found = services(actor).filter(pk=service_id).first()
    if found is None:
        raise Missing("There is no such service.")
    return found


def relationships(actor: Actor, ci_id: int) -> "QuerySet[Relationship]":
    """Return the relationships in which a CI stands at either end."""
    require(actor, Capability.READ_CMDB)
    both = Relationship.objects.filter(source_id=ci_id) | Relationship.objects.filter(target_id=ci_id)
    return both.select_related("source", "target").order_by("relation", "id")


_WALK = {
    "down": ("source_id", "target_id"),
    "up": ("target_id", "source_id"),
}


def impact(actor: Actor, ci_id: int, direction: Literal["up", "down"], *, depth: int = 6) -> list[tuple[Step, CI]]:
    """Return what a CI needs (down) or what is hit when it fails (up), nearest first, with the way that leads there.

    The database gathers the edges within `depth`; the engine walks them.
    """
    ci(actor, ci_id)
    here, there = _WALK[direction]
    with connection.cursor() as cursor:
        cursor.execute(
            f"WITH RECURSIVE near(id, far) AS (SELECT %s::bigint, 0 UNION SELECT r.{there}, far + 1 FROM near JOIN cmdb_relationship r"
            f" ON r.{here} = near.id WHERE far < %s) SELECT DISTINCT r.source_id, r.relation, r.target_id FROM cmdb_relationship r"
            f" WHERE r.{here} IN (SELECT id FROM near)",
            [ci_id, depth],
        )
        steps = impact_walk(ci_id, cursor.fetchall(), direction, depth=depth)
    by_id = CI.objects.select_related("service", "owner_team").in_bulk([step.ci for step in steps])
    return [(step, by_id[step.ci]) for step in steps]
