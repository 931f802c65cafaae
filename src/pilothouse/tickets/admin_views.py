"""Settings of the desk: the priority matrix, categories, the request form of each service, the views that everybody has."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect, QueryDict
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from pilothouse.cmdb import actions as cmdb_actions
from pilothouse.cmdb import queries as cmdb
from pilothouse.cmdb.request_form import read as read_form
from pilothouse.people.doors import signed_in
from pilothouse.platform import clock
from pilothouse.platform.access import Actor, Capability
from pilothouse.platform.refusals import Missing, Refused
from pilothouse.tickets import actions, saved_views
from pilothouse.tickets.admin_forms import CategoryForm, MatrixForm, RequestForm, ViewForm
from pilothouse.tickets.engine.lifecycle import DEFAULT_MATRIX
from pilothouse.tickets.models import Category, PriorityRule, SavedView
from pilothouse.tickets.queue_page import Address

_door = signed_in(Capability.CONFIGURE)


def _typed(request: HttpRequest) -> QueryDict | None:
    return request.POST if request.method == "POST" else None


@require_GET
@_door
def overview(request: HttpRequest, actor: Actor) -> HttpResponseBase:
    """Say what can be set, and how much of it there is."""
    shown = {
        "category_count": Category.objects.filter(is_active=True).count(),
        "form_count": sum(bool(service.request_form) for service in cmdb.services(actor)),
        "view_count": SavedView.objects.filter(owner=None, team=None).count(),
    }
    return render(request, "settings/overview.html", shown)


@require_http_methods(["GET", "POST"])
@_door
def matrix(request: HttpRequest, actor: Actor) -> HttpResponseBase:
    """Edit the priority matrix; tickets keep the priority they have."""
    now_set = {**DEFAULT_MATRIX, **{(rule.impact, rule.urgency): rule.priority for rule in PriorityRule.objects.all()}}
    form = MatrixForm(_typed(request), matrix=now_set)
    if form.is_bound and form.carries_out(lambda _: actions.set_priority_matrix(actor=actor, matrix=form.matrix(), now=clock.now())):
        messages.success(request, "The matrix is set. Tickets keep their priority until impact or urgency changes.")
        return HttpResponseRedirect(reverse("settings-matrix"))
    return render(request, "settings/matrix.html", {"form": form}, status=form.answer_status)


@require_http_methods(["GET", "POST"])
@_door
def categories(request: HttpRequest, actor: Actor) -> HttpResponseBase:
    """List categories with their subcategories, and add one."""
    form = CategoryForm(_typed(request))

    def add(values: dict[str, Any]) -> Category:
        parent = values["parent"].pk if values["parent"] else None
        return actions.add_category(actor=actor, name=values["name"], parent=parent, now=clock.now())

    if form.is_bound and form.carries_out(add):
        messages.success(request, f"Added “{form.result.name}”.")
        return HttpResponseRedirect(reverse("settings-categories"))
    return _categories_page(request, form)


def _categories_page(request: HttpRequest, form: CategoryForm, *, status: int | None = None) -> HttpResponse:
    found = Category.objects.filter(parent=None).prefetch_related("subcategories").order_by("-is_active", "name")
    return render(request, "settings/categories.html", {"categories": found, "form": form}, status=status or form.answer_status)


@require_POST
@_door
def change_category(request: HttpRequest, actor: Actor, category_id: int) -> HttpResponseBase:
    """Rename a category, or switch it on or off."""
    changes: dict[str, Any] = {"name": request.POST["name"]} if "name" in request.POST else {}
    if "active" in request.POST:
        changes["is_active"] = request.POST["active"] == "yes"
    try:
        changed = actions.change_category(actor=actor, category_id=category_id, changes=changes, now=clock.now())
    except Missing:
        raise
    except Refused as refusal:
        messages.error(request, " ".join(f"{error.message} {error.hint}".strip() for error in refusal.errors) or refusal.message)
        return _categories_page(request, CategoryForm(), status=refusal.status)
    messages.success(request, f"Changed “{changed.name}”.")
    return HttpResponseRedirect(reverse("settings-categories"))


@require_GET
@_door
def forms(request: HttpRequest, actor: Actor) -> HttpResponseBase:
    """List the services and how much each one's form asks."""
    found = [(service, len(read_form(service.request_form))) for service in cmdb.services(actor)]
    return render(request, "settings/forms.html", {"services": found})


@require_http_methods(["GET", "POST"])
@_door
def form(request: HttpRequest, actor: Actor, service_id: int) -> HttpResponseBase:
    """Edit a service's request form: a row a question."""
    service = cmdb.service(actor, service_id)
    form = RequestForm(_typed(request), questions=read_form(service.request_form))

    def keep(_: dict[str, Any]) -> object:
        changes = {"request_form": form.questions()}
        return cmdb_actions.change_service(actor=actor, service_id=service_id, changes=changes, now=clock.now())

    if form.is_bound and form.carries_out(keep):
        messages.success(request, f"The form of {service.name} is saved.")
        return HttpResponseRedirect(reverse("settings-form", args=[service_id]))
    return render(request, "settings/form.html", {"form": form, "service": service}, status=form.answer_status)


@require_http_methods(["GET", "POST"])
@_door
def views(request: HttpRequest, actor: Actor) -> HttpResponseBase:
    """List the views that everybody has, and add one."""
    form = ViewForm(_typed(request))
    if form.is_bound and form.carries_out(lambda values: actions.save_view(actor=actor, scope="default", now=clock.now(), **values)):
        messages.success(request, f"Everybody has the view “{form.result.name}” now.")
        return HttpResponseRedirect(reverse("settings-views"))
    own = [(view, Address(view.query, tuple(view.columns)).url()) for view in SavedView.objects.filter(owner=None, team=None)]
    built_in = [(view, Address(view.query, view.columns).url()) for view in saved_views.DEFAULTS]
    return render(request, "settings/views.html", {"form": form, "own": own, "built_in": built_in}, status=form.answer_status)


@require_POST
@_door
def remove_view(request: HttpRequest, actor: Actor, view_id: int) -> HttpResponseBase:
    """Take a view away from everybody."""
    if not SavedView.objects.filter(pk=view_id, owner=None, team=None).exists():
        raise Missing("There is no such view for everybody.")
    gone = actions.remove_view(actor=actor, view_id=view_id, now=clock.now())
    messages.success(request, f"Removed the view “{gone.name}”.")
    return HttpResponseRedirect(reverse("settings-views"))
