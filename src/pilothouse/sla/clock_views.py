"""The proof of a ticket's clocks as a page, and taking up an escalation."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from pilothouse.people.doors import back, signed_in
from pilothouse.platform import clock
from pilothouse.platform.access import Actor, Capability
from pilothouse.sla import explaining
from pilothouse.sla.actions.escalating import acknowledge_escalation
from pilothouse.tickets.access import get_ticket


@require_GET
@signed_in(Capability.READ_TICKETS)
def proof(request: HttpRequest, actor: Actor, number: str) -> HttpResponse:
    """Show every clock of a ticket with what it counted, entry by entry."""
    ticket = get_ticket(actor, number)
    return render(request, "sla/proof.html", {"ticket": ticket, "found": explaining.explain(actor, ticket, now=clock.now())})


@require_POST
@signed_in(Capability.WORK_TICKETS)
def acknowledge(request: HttpRequest, actor: Actor, escalation_id: int) -> HttpResponse:
    """Take an escalation up, and go back to the ticket."""
    row = acknowledge_escalation(actor=actor, escalation_id=escalation_id, now=clock.now())
    return redirect(back(request, f"/tickets/{row.ticket.number}"))
