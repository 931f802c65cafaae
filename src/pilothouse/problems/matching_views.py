"""Answering a proposal: from the incident's page, or from the problem's."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponseBase, HttpResponseRedirect
from django.urls import reverse
from django.views.decorators.http import require_POST

from pilothouse.people.doors import back, signed_in
from pilothouse.platform import clock
from pilothouse.platform.access import Actor, Capability
from pilothouse.platform.refusals import GuardRefused
from pilothouse.problems.actions.matching import answer_match


@require_POST
@signed_in(Capability.WORK_TICKETS)
def answer(request: HttpRequest, actor: Actor, match_id: int) -> HttpResponseBase:
    """Link a proposed incident to its problem, or decline it (`do` is accept or decline)."""
    accept = request.POST.get("do") == "accept"
    try:
        match = answer_match(actor=actor, match_id=match_id, accept=accept, now=clock.now())
    except GuardRefused as refused:  # answered by somebody else meanwhile
        messages.warning(request, refused.message)
        return HttpResponseRedirect(back(request, reverse("problems")))
    done = "Linked {} to {}." if accept else "{} is not taken for {} any more."
    messages.success(request, done.format(match.ticket.number, match.problem.number))
    return HttpResponseRedirect(back(request, reverse("ticket", args=[match.ticket.number])))
