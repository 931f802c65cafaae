"""Services: the list, a service's page, and what editors of the CMDB change."""

from django.contrib import messages
from django.db.models import Count
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods

from pilothouse.cmdb import actions, panels, queries
from pilothouse.cmdb.forms import ServiceForm
from pilothouse.cmdb.request_form import read as read_form
from pilothouse.cmdb.views import EDIT, READ, journal_lines, typed
from pilothouse.people.doors import address, signed_in
from pilothouse.platform import clock
from pilothouse.platform.access import Actor, Capability

_SHOWN_CIS = 50


@require_GET
@signed_in(READ)
def services(request: HttpRequest, actor: Actor) -> HttpResponseBase:
    """List services with how many CIs each has."""
    found = queries.services(actor).annotate(ci_count=Count("cis")).order_by("criticality", "name")
    return render(request, "cmdb/services.html", {"services": found, "may_edit": actor.can(EDIT)})


@require_GET
@signed_in(READ)
def service(request: HttpRequest, actor: Actor, service_id: int) -> HttpResponseBase:
    """Show a service: facts, CIs, request form, what other rooms say of it, its journal."""
    found = queries.service(actor, service_id)
    shown = {
        "service": found,
        "cis": queries.cis(actor).filter(service_id=service_id).order_by("criticality", "name")[:_SHOWN_CIS],
        "ci_count": found.cis.count(),
        "questions": read_form(found.request_form),
        "form_address": address("settings-form", service_id) if actor.can(Capability.CONFIGURE) else "",
        "panels": panels.gather(actor, "service", service_id),
        "lines": journal_lines("service", service_id),
        "may_edit": actor.can(EDIT),
    }
    return render(request, "cmdb/service.html", shown)


@require_http_methods(["GET", "POST"])
@signed_in(EDIT)
def new_service(request: HttpRequest, actor: Actor) -> HttpResponseBase:
    """Add a service."""
    form = ServiceForm(typed(request))
    if form.is_bound and form.carries_out(lambda values: actions.add_service(actor=actor, now=clock.now(), **values)):
        messages.success(request, f"Added {form.result.name}.")
        return HttpResponseRedirect(reverse("service", args=[form.result.pk]))
    return _page(request, form, "New service", reverse("services"))


@require_http_methods(["GET", "POST"])
@signed_in(EDIT)
def edit_service(request: HttpRequest, actor: Actor, service_id: int) -> HttpResponseBase:
    """Change a service's facts."""
    found = queries.service(actor, service_id)
    here = reverse("service", args=[service_id])
    form = ServiceForm(typed(request), initial={name: getattr(found, name) for name in ServiceForm.base_fields})
    if form.is_bound and form.carries_out(
        lambda values: actions.change_service(actor=actor, service_id=service_id, changes=values, now=clock.now())
    ):
        messages.success(request, f"Changed {form.result.name}.")
        return HttpResponseRedirect(here)
    return _page(request, form, f"Edit {found.name}", here)


def _page(request: HttpRequest, form: ServiceForm, title: str, back_to: str) -> HttpResponse:
    return render(request, "cmdb/edit_service.html", {"form": form, "title": title, "back_to": back_to}, status=form.answer_status)
