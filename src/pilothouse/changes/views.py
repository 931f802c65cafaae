"""The pages of changes: the list, a new change, and the edit of a plan. A change's own page is its ticket's."""

from typing import Any
from zoneinfo import ZoneInfo

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods

from pilothouse.changes import actions, listing, queries
from pilothouse.changes.engine.detail import TYPES
from pilothouse.changes.forms import EditPlanForm, NewChangeForm, shown_values
from pilothouse.cmdb.models import CI, Service
from pilothouse.platform import clock
from pilothouse.platform.access import Actor, Capability
from pilothouse.platform.refusals import Missing, Refused, StaleVersion
from pilothouse.tickets import both_sides
from pilothouse.tickets.access import get_ticket, require_work
from pilothouse.tickets.doors import desk
from pilothouse.tickets.models import Ticket


@require_GET
@desk()
def changes(request: HttpRequest, actor: Actor) -> HttpResponseBase:
    """List changes: open, scheduled, this week, done; narrowed by words, type, CI and service."""
    asked = listing.asked(request.GET.dict())
    page = listing.page(actor, asked, request.GET.get("page", ""), now=clock.now())
    shown = {
        "page": page,
        "asked": asked,
        "tabs": [(words, asked.query(show=show), page.counts[show], show == asked.show) for show, words in listing.TABS.items()],
        "query": asked.query(),
        "types": TYPES.items(),
        "about": _about(asked),
        "is_narrowed": bool(asked.q or asked.type or asked.ci or asked.service),
        "may_open": actor.can(Capability.WORK_TICKETS),
    }
    return render(request, "changes/changes.html", shown)


def _about(asked: listing.Asked) -> str:
    """Name the CI and the service to which the list is narrowed."""
    named = [CI.objects.filter(pk=asked.ci) if asked.ci else None, Service.objects.filter(pk=asked.service) if asked.service else None]
    return ", ".join(name for rows in named if rows is not None for name in rows.values_list("name", flat=True))


@require_http_methods(["GET", "POST"])
@desk(Capability.WORK_TICKETS)
def new(request: HttpRequest, actor: Actor) -> HttpResponseBase:
    """Write a new change."""
    form = NewChangeForm(request.POST if request.method == "POST" else None, zone=actor.time_zone, initial=request.GET.dict())

    def open_it(_: dict[str, Any]) -> Ticket:
        return actions.open_change(actor=actor, now=clock.now(), plan=form.of_plan(), **form.of_ticket())

    if form.is_bound and form.carries_out(open_it):
        messages.success(request, f"Opened {form.result.number}.", extra_tags="draft:new-change")
        return HttpResponseRedirect(reverse("ticket", args=[form.result.number]))
    return render(request, "changes/new.html", {"form": form}, status=form.answer_status)


@require_http_methods(["GET", "POST"])
@desk(Capability.WORK_TICKETS)
def plan(request: HttpRequest, actor: Actor, number: str) -> HttpResponseBase:
    """Edit a change's detail. A stale version shows both sides field by field, with everything that was typed."""
    ticket = get_ticket(actor, number)
    if ticket.kind != "change":
        raise Missing(f"{ticket.number} is no change.")
    require_work(actor, ticket)
    initial = shown_values(queries.detail(ticket), ZoneInfo(actor.time_zone))
    if request.method == "GET":
        return _plan_page(request, ticket, EditPlanForm(initial=initial, zone=actor.time_zone), ticket.version)
    form = EditPlanForm(both_sides.settled(request.POST), initial=initial, zone=actor.time_zone)
    sent = request.POST.get("version", "")
    version = int(sent) if sent.isascii() and sent.isdigit() and len(sent) < 10 else ticket.version
    if not form.is_valid():
        return _plan_page(request, ticket, form, version, status=422)
    try:
        actions.plan_change(
            actor=actor,
            ticket_id=ticket.pk,
            plan=form.touched(),
            expected_version=version,
            note=request.POST.get("note", ""),
            now=clock.now(),
        )
    except StaleVersion as stale:
        current = shown_values(queries.detail(get_ticket(actor, number)), ZoneInfo(actor.time_zone))
        sides = both_sides.compared(request.POST, form, current, lambda data: EditPlanForm(data, initial=current, zone=actor.time_zone))
        again = sides.pop("form")
        return _plan_page(request, ticket, again, stale.version, status=stale.status, **sides, stale=stale)
    except Refused as refusal:
        form.refuse(refusal)
        return _plan_page(request, ticket, form, version, status=refusal.status)
    if form.touched():
        messages.success(request, f"Planned {ticket.number}.")
    return HttpResponseRedirect(reverse("ticket", args=[ticket.number]))


def _plan_page(request: HttpRequest, ticket: Ticket, form: EditPlanForm, version: int, *, status: int = 200, **more: Any) -> HttpResponse:
    return render(request, "changes/plan.html", {"ticket": ticket, "form": form, "version": version, **more}, status=status)
