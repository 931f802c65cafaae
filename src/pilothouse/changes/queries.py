"""What is read of changes: for pages and REST, for the miner that looks for causes, for problems that wait for a fix.

A change's time is when it was carried out (its actual times), else when that was planned; half-open, in UTC.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from django.db.models import QuerySet
from django.db.models.functions import Coalesce

from pilothouse.changes.models import AffectedCI, Change
from pilothouse.platform.access import Actor
from pilothouse.platform.statements import run
from pilothouse.tickets.access import visible
from pilothouse.tickets.models import FIXED_BY, Link, Ticket


class Carried(NamedTuple):
    """A change as the miner reads it: the fields of problems/engine/columns.Change, times in whole seconds since 1970 UTC.

    CIs and the service are ids: who reads tickets beside them gives both the same names.
    """

    key: str
    title: str
    cis: tuple[int, ...]
    start: int
    end: int
    service: int | None
    kind: str
    planned: tuple[int, ...]
    marks: tuple[str, ...]


# The CIs of changes are gathered once for all of them; what was never carried out can have caused nothing.
_FOR_MINING = """
SELECT t.number, t.title, coalesce(touched.cis, '{}'), floor(extract(epoch FROM c.began))::bigint,
       ceil(extract(epoch FROM greatest(c.began, c.ended)))::bigint, t.service_id, c.type, c.planned, c.marks
FROM (
    SELECT ticket_id, type,
           array_remove(ARRAY[floor(extract(epoch FROM planned_start_at)), ceil(extract(epoch FROM planned_end_at))], NULL)::bigint[]
               planned,
           array_remove(ARRAY['type ' || type, 'risk ' || nullif(risk, '')], NULL) marks,
           coalesce(actual_start_at, planned_start_at) began,
           coalesce(actual_end_at, planned_end_at, actual_start_at, planned_start_at) ended
    FROM changes_change
) c
JOIN tickets_ticket t ON t.id = c.ticket_id AND t.state IN ('scheduled', 'in_progress', 'closed')
LEFT JOIN (
    SELECT change_id, array_agg(ci_id ORDER BY id) cis FROM changes_affectedci GROUP BY 1
) touched ON touched.change_id = c.ticket_id
WHERE c.began IS NOT NULL AND greatest(c.began, c.ended) >= %s AND c.began < %s
ORDER BY greatest(c.began, c.ended), t.id
"""


def changes_for_mining(since: datetime, until: datetime) -> list[Carried]:
    """Return the changes whose time touches [since, until), in order of their end, for the search for causes.

    Reads every team's changes: what is shown of them goes through `visible` again. 20,000 take a fifth of a second.
    """
    return [Carried._make(tuple(value) if isinstance(value, list) else value for value in row) for row in run(_FOR_MINING, [since, until])]


def began(prefix: str = "change__") -> Coalesce:
    """When the work began, or is planned to begin; `prefix` leads from what is queried to the change."""
    return Coalesce(f"{prefix}actual_start_at", f"{prefix}planned_start_at")


def ended(prefix: str = "change__") -> Coalesce:
    """When the work ended, or is planned to end; when it began, where no end is recorded."""
    return Coalesce(*(f"{prefix}{name}_at" for name in ("actual_end", "planned_end", "actual_start", "planned_start")))


def changes(actor: Actor) -> "QuerySet[Ticket]":
    """Return the changes that an actor may see, with their detail."""
    return Ticket.objects.filter(visible(actor), kind="change").select_related("change")


@dataclass(frozen=True, slots=True)
class Span:
    """A half-open span of time; an end that is None is open."""

    start: datetime | None = None
    end: datetime | None = None


def changes_on(actor: Actor, cis: Iterable[int], span: Span, *, limit: int = 20) -> list[Ticket]:
    """Return the visible changes on any of these CIs whose time touches the span, the latest first; cancelled ones are left out."""
    touching = AffectedCI.objects.filter(ci_id__in=list(cis)).values("change_id")
    found = changes(actor).filter(pk__in=touching).exclude(state="cancelled").annotate(began=began(), ended=ended())
    if span.start is not None:
        found = found.filter(ended__gte=span.start)
    if span.end is not None:
        found = found.filter(began__lt=span.end)
    return list(found.order_by("-began", "-pk")[:limit])


def fixes_of(actor: Actor, ticket_id: int) -> list[Ticket]:
    """Return the visible changes that are linked to a ticket (a problem) as its fix, the oldest link first."""
    links = Link.objects.filter(ticket_id=ticket_id, relation=FIXED_BY, target__kind="change").order_by("id")
    order = [pk for pk in links.values_list("target_id", flat=True) if pk is not None]
    found = changes(actor).in_bulk(order)
    return [found[pk] for pk in order if pk in found]


def detail(ticket: Ticket) -> Change:
    """Return a change's detail; an empty one where the ticket has none."""
    return getattr(ticket, "change", None) or Change(ticket=ticket)
