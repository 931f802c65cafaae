"""Configuration items: the list, a CI's page, and what editors of the CMDB change."""

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect, QueryDict
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from pilothouse.cmdb import actions, impact_tree, panels, queries
from pilothouse.cmdb.engine import CI_CLASSES, ENVIRONMENTS, RELATIONS, STATUSES, attribute_names
from pilothouse.cmdb.forms import CIForm, RelateForm, spoken
from pilothouse.cmdb.models import CI, Relationship
from pilothouse.people.doors import signed_in
from pilothouse.people.queries import teams
from pilothouse.platform import clock, journal, keyset, retelling
from pilothouse.platform.access import Actor, Capability
from pilothouse.platform.refusals import StaleVersion

READ, EDIT = Capability.READ_CMDB, Capability.EDIT_CMDB
_SHOWN_ENTRIES = 30


@require_GET
@signed_in(READ)
def cis(request: HttpRequest, actor: Actor) -> HttpResponseBase:
    """List CIs, narrowed by words, class, environment, status, service and owner."""
    names = ("q", "class", "environment", "status", "service", "team")
    asked = {name: request.GET.get(name, "").strip()[:200].replace("\x00", "") for name in names}
    found = _narrowed(queries.cis(actor, text=asked["q"], ci_class=asked["class"], status=asked["status"]), asked)
    shown = {
        "page": keyset.page(found, request.GET.get("page", ""), keys=("name", "id")),
        "count": found.count(),
        "asked": asked,
        "query": urlencode({name: value for name, value in asked.items() if value}),
        "classes": spoken(list(CI_CLASSES)),
        "environments": spoken(ENVIRONMENTS),
        "statuses": spoken(STATUSES),
        "services": queries.services(actor),
        "teams": teams(actor),
        "may_edit": actor.can(EDIT),
    }
    return render(request, "cmdb/cis.html", shown)


def _narrowed(found: "QuerySet[CI]", asked: dict[str, str]) -> "QuerySet[CI]":
    if asked["environment"]:
        found = found.filter(environment=asked["environment"])
    for name, column in (("service", "service_id"), ("team", "owner_team_id")):
        if asked[name].isascii() and asked[name].isdigit():
            found = found.filter(**{column: int(asked[name])})
    return found


@require_GET
@signed_in(READ)
def ci(request: HttpRequest, actor: Actor, ci_id: int) -> HttpResponseBase:
    """Show a CI: facts, attributes, relationships, impact both ways, what other rooms say of it, its journal."""
    return _ci_page(request, actor, ci_id, RelateForm())


def _ci_page(request: HttpRequest, actor: Actor, ci_id: int, form: RelateForm) -> HttpResponse:
    found = queries.ci(actor, ci_id)
    shown = {
        "ci": found,
        "attributes": [(name, found.attributes.get(name)) for name in attribute_names(found.ci_class, list(found.attributes))],
        "relationships": [_related(found.pk, each) for each in queries.relationships(actor, ci_id)],
        "up": impact_tree.build(ci_id, queries.impact(actor, ci_id, "up"), "up"),
        "down": impact_tree.build(ci_id, queries.impact(actor, ci_id, "down"), "down"),
        "panels": panels.gather(actor, "ci", ci_id),
        "lines": journal_lines("ci", ci_id),
        "form": form,
        "may_edit": actor.can(EDIT),
    }
    return render(request, "cmdb/ci.html", shown, status=form.answer_status)


def _related(ci_id: int, relationship: Relationship) -> tuple[int, str, CI]:
    down, up = RELATIONS.get(relationship.relation, (relationship.relation, relationship.relation))
    here = relationship.source_id == ci_id
    return relationship.pk, down if here else up, relationship.target if here else relationship.source


def journal_lines(kind: str, record_id: int) -> Sequence[retelling.Told]:
    """Tell a record's newest entries, the newest first."""
    return retelling.retell(list(reversed(journal.entries_of(kind, record_id)))[:_SHOWN_ENTRIES])


def typed(request: HttpRequest) -> QueryDict | None:
    """Return what was sent, or None where a form is only shown."""
    return request.POST if request.method == "POST" else None


@require_http_methods(["GET", "POST"])
@signed_in(EDIT)
def new_ci(request: HttpRequest, actor: Actor) -> HttpResponseBase:
    """Add a CI; the class decides which attributes are asked."""
    form = CIForm(_class_settled(request), ci_class=_class(request, "server"), initial=request.GET.dict())
    if form.is_bound and form.carries_out(lambda _: actions.add_ci(actor=actor, now=clock.now(), **form.facts())):
        messages.success(request, f"Added {form.result.name}.")
        return HttpResponseRedirect(reverse("ci", args=[form.result.pk]))
    return _edit_page(request, form, "New configuration item", reverse("cmdb"))


@require_http_methods(["GET", "POST"])
@signed_in(EDIT)
def edit_ci(request: HttpRequest, actor: Actor, ci_id: int) -> HttpResponseBase:
    """Change a CI; when somebody was quicker, say so and keep what was typed."""
    found = queries.ci(actor, ci_id)
    initial = {name: getattr(found, name) for name in CIForm.base_fields if name != "more"}
    form = CIForm(_class_settled(request), ci_class=_class(request, found.ci_class), kept=found.attributes, initial=initial)
    version = request.POST.get("version", "")

    def change(_: dict[str, Any]) -> CI:
        expected = int(version) if version.isascii() and version.isdigit() else None
        return actions.change_ci(actor=actor, ci_id=ci_id, changes=form.facts(), expected_version=expected, now=clock.now())

    if form.is_bound and form.carries_out(change):
        messages.success(request, f"Changed {form.result.name}.")
        return HttpResponseRedirect(reverse("ci", args=[ci_id]))
    stale = form.answer_status == StaleVersion.status
    more = {"version": found.version, "current": found if stale else None}
    return _edit_page(request, form, f"Edit {found.name}", reverse("ci", args=[ci_id]), **more)


def _class(request: HttpRequest, otherwise: str) -> str:
    chosen = (request.POST or request.GET).get("ci_class", otherwise)
    return chosen if chosen in CI_CLASSES else otherwise


def _class_settled(request: HttpRequest) -> QueryDict | None:
    """A form sent with "show" asks for the fields of another class only: it is shown again, unjudged."""
    return None if "show" in request.POST else typed(request)


def _edit_page(request: HttpRequest, form: CIForm, title: str, back_to: str, **more: object) -> HttpResponse:
    return render(request, "cmdb/edit_ci.html", {"form": form, "title": title, "back_to": back_to, **more}, status=form.answer_status)


@require_POST
@signed_in(EDIT)
def relate(request: HttpRequest, actor: Actor, ci_id: int) -> HttpResponseBase:
    """Relate a CI to another one."""
    found = queries.ci(actor, ci_id)
    form = RelateForm(request.POST)

    def add(values: dict[str, Any]) -> Relationship:
        relation, _, way = values["relation"].partition(":")
        source, target = (found.pk, values["target"]) if way == "down" else (values["target"], found.pk)
        return actions.relate_cis(actor=actor, source_id=source, relation=relation, target_id=target, now=clock.now())

    if not form.carries_out(add):
        return _ci_page(request, actor, ci_id, form)
    messages.success(request, "Related.")
    return HttpResponseRedirect(reverse("ci", args=[ci_id]) + "#relationships")


@require_POST
@signed_in(EDIT)
def unrelate(request: HttpRequest, actor: Actor, relationship_id: int) -> HttpResponseBase:
    """Take a relationship back."""
    back_to = request.POST.get("ci", "")
    actions.unrelate_cis(actor=actor, relationship_id=relationship_id, now=clock.now())
    messages.success(request, "The relationship is removed.")
    here = reverse("ci", args=[int(back_to)]) if back_to.isascii() and back_to.isdigit() else reverse("cmdb")
    return HttpResponseRedirect(here)
