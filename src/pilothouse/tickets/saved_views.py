"""Saved views: the queue's tabs. Everybody has the default ones; teams and people keep their own beside them."""

from dataclasses import dataclass

from django.db.models import Q

from pilothouse.people.models import Team
from pilothouse.platform.access import Actor, Capability
from pilothouse.tickets.models import SavedView


@dataclass(frozen=True, slots=True)
class View:
    """A view as its reader meets it: `scope` is "default", "team" or "own"; default views have negative ids and are in code."""

    id: int
    name: str
    query: str
    scope: str
    columns: tuple[str, ...] = ()
    owner_id: int | None = None
    team_id: int | None = None


HOME = "is:mine is:open sort:priority,-updated"
DEFAULTS = (
    View(-1, "My work", HOME, "default"),
    View(-2, "My teams", "is:my-teams is:open sort:priority,opened", "default"),
    View(-3, "Unassigned", "is:my-teams is:open is:unassigned sort:priority,opened", "default"),
    View(-4, "Majors to be", "is:major-to-be sort:opened", "default"),
    View(-5, "Aging", "is:aging sort:opened", "default"),
    View(-6, "On hold", "is:on-hold sort:hold-until", "default"),
    View(-7, "Resolved lately", "is:recently-resolved sort:-resolved", "default"),
)


def views_of(actor: Actor) -> list[View]:
    """Return an actor's views: the default ones, those of their teams, their own; each group by position."""
    mine = Q(owner_id=actor.user_id) if actor.user_id else Q(pk__in=[])
    found = SavedView.objects.filter(mine | Q(team_id__in=list(actor.team_ids)) | Q(owner=None, team=None))
    kept = [view_of(row) for row in found.order_by("position", "id")]
    order = ("default", "team", "own")
    return [*DEFAULTS, *sorted(kept, key=lambda view: order.index(view.scope))]


def view_of(row: SavedView) -> View:
    """Return a kept row as its reader meets it."""
    scope = "own" if row.owner_id else ("team" if row.team_id else "default")
    return View(row.pk, row.name, row.query, scope, tuple(row.columns), row.owner_id, row.team_id)


def scopes(actor: Actor) -> list[tuple[str, str]]:
    """Return for whom an actor may keep a view: themselves; their teams, and everybody, for those who share views.

    Nobody, for those who change nothing (auditors) and for Pilothouse itself.
    """
    offered = [("own", "Only me")] if actor.can(Capability.WORK_TICKETS) and actor.user_id else []
    if actor.can(Capability.SHARE_VIEWS):
        teams = Team.objects.filter(pk__in=list(actor.team_ids)).order_by("name")
        offered += [(f"team:{team.pk}", f"Team {team.name}") for team in teams]
        offered.append(("default", "Everybody"))
    return offered
