"""Whose morning it is: of the desk's tickets that somebody may see, those that their review is about.

Who steers (analyst, manager, administrator) and who audits reviews everything they see; an agent what is with their teams.
"""

from dataclasses import dataclass
from typing import Any

from django.db.models import Q

from pilothouse.platform.access import Actor, Capability
from pilothouse.tickets.access import visible
from pilothouse.tickets.engine.lifecycle import DESK_KINDS

_DESK = ", ".join(f"'{kind}'" for kind in DESK_KINDS)


@dataclass(frozen=True, slots=True)
class Scope:
    """The tickets of a review: `teams` None for all but the hidden ones."""

    actor: Actor
    teams: frozenset[int] | None
    hidden: frozenset[int]

    @property
    def tickets(self) -> Q:
        """The filter over tickets."""
        seen = visible(self.actor) & Q(kind__in=DESK_KINDS)
        return seen if self.teams is None else seen & Q(group_id__in=list(self.teams - self.hidden))

    def sql(self, alias: str) -> tuple[str, list[Any]]:
        """Return the condition on the tickets `alias` and its values: the same tickets, but for a reader's own in a hidden team."""
        desk = f"{alias}.kind IN ({_DESK})"
        if self.teams is not None:
            return f"{desk} AND {alias}.group_id = ANY(%s::bigint[])", [sorted(self.teams - self.hidden)]
        if self.hidden:
            return f"{desk} AND ({alias}.group_id IS NULL OR {alias}.group_id <> ALL(%s::bigint[]))", [sorted(self.hidden)]
        return desk, []


def scope_of(actor: Actor) -> Scope:
    """Return what an actor's review is about."""
    narrow = actor.can(Capability.WORK_TICKETS) and not actor.can(Capability.STEER_TICKETS)
    return Scope(actor, actor.team_ids if narrow else None, actor.hidden_team_ids)
