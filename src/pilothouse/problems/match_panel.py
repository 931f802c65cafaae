"""What problems show on an incident's page, and in the portal on its requester's: the problem it is of, its workaround, proposals."""

from dataclasses import dataclass
from typing import Any

from django.urls import reverse

from pilothouse.platform.access import Actor, Capability
from pilothouse.problems import queries
from pilothouse.problems.models import Match, Problem
from pilothouse.tickets import side_panels
from pilothouse.tickets.access import may_work, visible
from pilothouse.tickets.engine.lifecycle import DONE_STATES, RAISED_KINDS
from pilothouse.tickets.models import CAUSED_BY, Ticket


@dataclass(frozen=True, slots=True)
class Offered:
    """A problem beside an incident: what it is, why it is here, and what helps meanwhile."""

    problem: Ticket
    detail: Problem
    match: Match | None
    is_linked: bool

    @property
    def is_offered(self) -> bool:
        """Whether it is a known error, whose workaround is given to everybody."""
        return self.detail.known_error_at is not None


def beside_incident(actor: Actor, ticket: Ticket) -> dict[str, Any]:
    """Gather the problems that an incident is linked to or looks like, for who reads tickets at large."""
    if ticket.kind not in RAISED_KINDS or not actor.can(Capability.READ_TICKETS):
        return {}
    seen = Ticket.objects.filter(visible(actor), kind="problem").select_related("problem")
    linked = list(seen.filter(linked_from__ticket=ticket, linked_from__relation=CAUSED_BY).order_by("pk")[:10])
    matches = {match.problem_id: match for match in Match.objects.filter(ticket=ticket).exclude(state="declined").order_by("-score")}
    proposed = list(seen.filter(pk__in=[pk for pk, match in matches.items() if match.state == "proposed"]))
    offered = [_offered(problem, matches.get(problem.pk), is_linked=True) for problem in linked]
    offered += [_offered(problem, matches[problem.pk], is_linked=False) for problem in proposed if problem not in linked]
    may_open = actor.can(Capability.STEER_TICKETS) and not linked
    works = may_work(actor, ticket)
    if not offered and not may_open and not (works and ticket.is_open):  # what comes while it is looked at needs a place to come to
        return {}
    new = f"{reverse('problem-new')}?incident={ticket.number}" if may_open else ""
    return {"ticket": ticket, "offered": offered, "may_work": works, "new": new}


def _offered(problem: Any, match: Match | None, *, is_linked: bool) -> Offered:
    return Offered(problem, queries.detail(problem), match, is_linked)


def in_the_portal(actor: Actor, ticket: Ticket) -> dict[str, Any]:
    """Gather the workarounds of the known errors that an incident is linked to, and nothing else of them."""
    if not ticket.is_open:
        return {}
    known = Problem.objects.filter(
        known_error_at__isnull=False, ticket__linked_from__ticket=ticket, ticket__linked_from__relation=CAUSED_BY
    )
    workarounds = list(known.exclude(ticket__state__in=DONE_STATES).exclude(workaround="").values_list("workaround", flat=True)[:3])
    return {"workarounds": workarounds} if workarounds else {}


side_panels.register("problem-of", side_panels.SidePanel("problems/parts/beside_incident.html", beside_incident))
side_panels.register_in_portal("problem-of", side_panels.SidePanel("problems/parts/in_portal.html", in_the_portal))
