"""Whose morning it is: of the tickets that somebody may see, those that their review is about.

Who steers (analyst, manager, administrator) and who audits reviews everything they see; an agent what is with their teams.
"""

from dataclasses import dataclass
from typing import Any

from django.db.models import Q

from pilothouse.platform.access import Actor, Capability
from pilothouse.tickets.access import visible


@dataclass(frozen=True, slots=True)
class Scope:
    """The tickets of a review: `teams` None for all but the hidden ones."""

    actor: Actor
    teams: frozenset[int] | None
    hidden: frozenset[int]

    @property
    def tickets(self) -> Q:
        """The filter over tickets."""
        return visible(self.actor) if self.teams is None else visible(self.actor) & Q(group_id__in=list(self.teams - self.hidden))

    def sql(self, alias: str) -> tuple[str, list[Any]]:
        """Return the condition on `alias`.group_id and its values: the same tickets, but for a reader's own in a hidden team."""
        if self.teams is not None:
            return f"{alias}.group_id = ANY(%s::bigint[])", [sorted(self.teams - self.hidden)]
        if self.hidden:
            return f"({alias}.group_id IS NULL OR {alias}.group_id <> ALL(%s::bigint[]))", [sorted(self.hidden)]
        return "true", []


def scope_of(actor: Actor) -> Scope:
    """Return what an actor's review is about."""
    narrow = actor.can(Capability.WORK_TICKETS) and not actor.can(Capability.STEER_TICKETS)
    return Scope(actor, actor.team_ids if narrow else None, actor.hidden_team_ids)
