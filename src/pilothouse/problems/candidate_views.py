"""What keeps coming back: the ranked candidates, the evidence of one, and what may be done with it."""

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from pilothouse.people.doors import posted_from, signed_in
from pilothouse.platform import clock, keyset
from pilothouse.platform.access import Actor, Capability
from pilothouse.platform.forms import RefusableForm
from pilothouse.platform.refusals import GuardRefused
from pilothouse.problems import candidate_evidence, candidate_page, candidate_queries
from pilothouse.problems.actions.candidates import dismiss_candidate, request_look, restore_candidate, take_candidate
from pilothouse.problems.models import CANDIDATE_STATES

READ, STEER = Capability.READ_TICKETS, Capability.STEER_TICKETS
_ON_A_PAGE = 50


class DismissForm(RefusableForm):
    """Why a candidate is dismissed."""

    because = forms.CharField(
        label="Why is it no problem?",
        help_text="It stays away until there is half as much again, or new evidence.",
        widget=forms.Textarea(attrs={"rows": 3}),
        required=False,
        strip=True,
    )


@require_GET
@signed_in(READ)
def candidates(request: HttpRequest, actor: Actor) -> HttpResponseBase:
    """The candidates, ranked; `?state=` shows those that were dismissed, made problems, or are no longer found."""
    state = request.GET.get("state", "")
    state = state if state in CANDIDATE_STATES else "open"
    return render(request, "problems/candidates.html", {"page": candidate_page.listed(actor, state), "may_steer": actor.can(STEER)})


@require_GET
@signed_in(READ)
def looking(request: HttpRequest, actor: Actor) -> HttpResponseBase:
    """How far the look has come; a part of the page."""
    return render(request, "problems/parts/looked.html", {"looked": candidate_page.looked(), "may_steer": actor.can(STEER), "asked": True})


@require_POST
@signed_in(STEER)
def look(request: HttpRequest, actor: Actor) -> HttpResponseBase:
    """Ask for a look now, and go back to the page."""
    try:
        request_look(actor=actor, now=clock.now())
    except GuardRefused as refused:
        messages.warning(request, refused.message)
    return HttpResponseRedirect(reverse("problems-candidates"))


@require_GET
@signed_in(READ)
def candidate(request: HttpRequest, actor: Actor, candidate_id: int) -> HttpResponseBase:
    """One candidate with all of its evidence, and its tickets page by page."""
    return _page(request, actor, candidate_id, DismissForm())


def _page(request: HttpRequest, actor: Actor, candidate_id: int, form: DismissForm) -> HttpResponse:
    seen = candidate_queries.find(actor, candidate_id)
    rows = candidate_queries.tickets_of(actor, seen.row)
    tickets = keyset.page(rows, request.GET.get("page", ""), keys=("opened_at", "id"), descending=True, size=_ON_A_PAGE)
    shown: dict[str, Any] = {
        "page": candidate_evidence.whole(actor, seen),
        "tickets": tickets,
        "form": form,
        "may_steer": actor.can(STEER),
    }
    return render(request, "problems/candidate.html", shown, status=form.answer_status)


@posted_from("problems-candidate")
@signed_in(STEER)
def dismiss(request: HttpRequest, actor: Actor, candidate_id: int) -> HttpResponseBase:
    """Dismiss a candidate; what is wrong with the reason stands beside it."""
    form = DismissForm(request.POST)
    if not form.carries_out(lambda values: dismiss_candidate(actor=actor, candidate_id=candidate_id, now=clock.now(), **values)):
        return _page(request, actor, candidate_id, form)
    messages.success(request, "It is dismissed, and stays away until its evidence changes. You find it under Dismissed.")
    return HttpResponseRedirect(reverse("problems-candidates"))


@require_POST
@signed_in(STEER)
def restore(request: HttpRequest, actor: Actor, candidate_id: int) -> HttpResponseBase:
    """Bring a dismissed candidate back."""
    restore_candidate(actor=actor, candidate_id=candidate_id, now=clock.now())
    messages.success(request, "It stands among the candidates again.")
    return HttpResponseRedirect(reverse("problems-candidate", args=[candidate_id]))


@require_POST
@signed_in(STEER)
def open_problem(request: HttpRequest, actor: Actor, candidate_id: int) -> HttpResponseBase:
    """Open a problem record from a candidate, and go to it."""
    problem = take_candidate(actor=actor, candidate_id=candidate_id, now=clock.now())
    messages.success(request, f"{problem.number} is opened with this evidence; its incidents are linked.")
    return HttpResponseRedirect(reverse("ticket", args=[problem.number]))
