"""Agreements: the overview of service levels, an agreement's page, and what administrators change, shown before it is saved."""

from typing import Any

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect, QueryDict
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from pilothouse.cmdb.views import journal_lines
from pilothouse.people.doors import address, signed_in
from pilothouse.platform import clock
from pilothouse.platform.access import Actor, Capability
from pilothouse.sla import agreement_pages as pages
from pilothouse.sla import judging, rulebook, what_if
from pilothouse.sla.actions import agreements as actions
from pilothouse.sla.actions import what_ifs
from pilothouse.sla.agreement_forms import AgreementForm, grown
from pilothouse.sla.agreement_starts import starts
from pilothouse.sla.engine.lives import seconds
from pilothouse.sla.engine.problem import Problem
from pilothouse.sla.engine.rules import KINDS
from pilothouse.sla.models import Agreement, AgreementVersion, Schedule, WhatIf

READ, EDIT = Capability.READ_TICKETS, Capability.CONFIGURE
_FEW = 100_000  # tickets
_CONTROLS = {"csrfmiddlewaretoken", "add", "add_step", "back", "confirm", "days"}


@require_GET
@signed_in(READ)
def overview(request: HttpRequest, actor: Actor) -> HttpResponseBase:
    """The agreements in order, their targets, and how this month went."""
    retired = "retired" in request.GET
    shown = {
        "agreements": pages.overview(actor, now=clock.now(), retired=retired),
        "retired": retired,
        "hidden": 0 if retired else Agreement.objects.filter(is_active=False).count(),
        "schedules": Schedule.objects.filter(is_active=True).count(),
        "schedules_address": address("schedules"),
        "forecast_address": address("sla-forecast"),
        "starts": starts(None),
        "may_edit": actor.can(EDIT),
    }
    return render(request, "sla/agreements.html", shown)


@require_GET
@signed_in(READ)
def agreement(request: HttpRequest, actor: Actor, agreement_id: int) -> HttpResponseBase:
    """An agreement: what it applies to, its targets and steps in words, its versions, its journal."""
    found = pages.agreement(actor, agreement_id)
    shown = {
        "shown": pages.shown(found, now=clock.now()),
        "versions": pages.versions(found),
        "lines": journal_lines("agreement", found.pk),
        "may_edit": actor.can(EDIT),
    }
    return render(request, "sla/agreement.html", shown)


@require_http_methods(["GET", "POST"])
@signed_in(EDIT)
def new_agreement(request: HttpRequest, actor: Actor) -> HttpResponseBase:
    """Add an agreement, from a starting point or from nothing."""
    schedule = Schedule.objects.filter(is_active=True).values_list("pk", flat=True).first()
    offered = starts(schedule)
    start = next((each for each in offered if each.key == request.GET.get("start")), offered[0])
    form = _form(request, actor, start.definition, {"name": start.name})
    return _answer(request, actor, form, None) or _edit_page(request, form, None)


@require_http_methods(["GET", "POST"])
@signed_in(EDIT)
def edit_agreement(request: HttpRequest, actor: Actor, agreement_id: int) -> HttpResponseBase:
    """Change an agreement: what is typed is checked and shown with what it would have done, then saved as a new version."""
    found = pages.agreement(actor, agreement_id)
    last = found.newest
    form = _form(request, actor, last.definition, {"name": found.name, "base": last.number})
    return _answer(request, actor, form, last) or _edit_page(request, form, last)


def _form(request: HttpRequest, actor: Actor, definition: Any, initial: dict[str, Any]) -> AgreementForm:
    data = request.POST if request.method == "POST" else None
    more = grown(data) if data is not None else None
    form = AgreementForm(more[0] if more else data, definition=definition, initial=initial, zone=actor.time_zone)
    form.added = more[1] if more else ""
    if more or (data is not None and "back" in data):
        form.unjudged()
    return form


def _answer(request: HttpRequest, actor: Actor, form: AgreementForm, last: AgreementVersion | None) -> HttpResponse | None:
    """Review what was typed, or save it; None: the form is to be shown (again)."""
    if request.method != "POST" or _CONTROLS & {"add", "add_step", "back"} & set(request.POST):
        return None
    if "confirm" in request.POST:
        if not form.carries_out(lambda _: _save(actor, form, last)):
            return None
        messages.success(request, f"Saved {form.result.name}.")
        return HttpResponseRedirect(reverse("agreement", args=[form.result.pk]))
    return _review(request, actor, form, last) if form.carries_out(lambda _: _rehearse(actor, form, last)) else None


def _save(actor: Actor, form: AgreementForm, last: AgreementVersion | None) -> Agreement:
    values = {"name": form.cleaned_data["name"], "definition": form.definition(), "note": form.cleaned_data["note"], **form.since()}
    if last is None:
        return actions.add_agreement(actor=actor, now=clock.now(), **values)
    base = form.cleaned_data["base"]
    return actions.change_agreement(actor=actor, agreement_id=last.agreement_id, now=clock.now(), expected_version=base, **values)


def _rehearse(actor: Actor, form: AgreementForm, last: AgreementVersion | None) -> Agreement:
    """Save and take it back: whatever would be refused is refused now."""
    with transaction.atomic():
        made = _save(actor, form, last)
        transaction.set_rollback(True)
    return made


def _review(request: HttpRequest, actor: Actor, form: AgreementForm, last: AgreementVersion | None) -> HttpResponse:
    now, definition = clock.now(), form.definition()
    key = last.agreement.key if last else f"new: {form.cleaned_data['name']}"  # no key of another has a colon
    sent = request.POST.get("days", "")
    days = int(sent) if sent in {str(each) for each in what_if.DAYS} else what_if.DEFAULT_DAYS
    asked = what_ifs.ask_what_if(actor=actor, change={"agreements": {key: definition}}, days=days, now=now)
    shown = {
        "title": last.agreement.name if last else form.cleaned_data["name"],
        "number": last.number + 1 if last else 1,
        "said": pages.differing(last.definition if last else None, definition),
        "warnings": _warnings(definition, last, few=asked.total <= _FEW),
        "since_ever": form.since()["since_ever"],
        "asked": asked,
        "choices": what_if.DAYS,
        "typed": _typed(request.POST),
        "here": request.get_full_path(),
    }
    return render(request, "sla/agreement_review.html", shown)


def _warnings(definition: Any, last: AgreementVersion | None, *, few: bool) -> list[Problem]:
    """Return the warnings; of so many tickets that looking for takers would be slow, only the panel tells what it would get."""
    now = clock.now()
    judged = judging.judge(definition, names=last.names if last else [], now=now)
    place = last.agreement.position if last else None
    others = [
        each for each in rulebook.current().rulebook.at(seconds(now)).agreements if last is None or each.agreement_id != last.agreement_id
    ]
    earlier = [each for each in others if place is None or each.position < place]
    return [*judged.warnings, *(judging.reach(judged, earlier, now=now) if few else [])]


def _typed(data: QueryDict) -> list[tuple[str, str]]:
    return [(name, str(value)) for name in data for value in data.getlist(name) if name not in _CONTROLS]


def _edit_page(request: HttpRequest, form: AgreementForm, last: AgreementVersion | None) -> HttpResponse:
    shown = {
        "form": form,
        "kinds": KINDS.items(),
        "agreement": last.agreement if last else None,
        "back_to": reverse("agreement", args=[last.agreement_id]) if last else reverse("service-levels"),
        "here": request.get_full_path(),
    }
    return render(request, "sla/agreement_edit.html", shown, status=form.answer_status)


@require_POST
@signed_in(EDIT)
def move_agreement(request: HttpRequest, actor: Actor, agreement_id: int) -> HttpResponseBase:
    """Move an agreement up or down by one place."""
    found = pages.agreement(actor, agreement_id)
    order = list(Agreement.objects.filter(is_active=True).values_list("pk", flat=True))
    if found.pk in order:
        at = order.index(found.pk)
        to = min(max(at + (-1 if request.POST.get("way") == "up" else 1), 0), len(order) - 1)
        order.insert(to, order.pop(at))
        if actions.reorder_agreements(actor=actor, order=order, now=clock.now()):
            messages.success(request, f"Moved {found.name}. Tickets opened from now on are tried in this order.")
    return HttpResponseRedirect(reverse("service-levels"))


@require_POST
@signed_in(EDIT)
def retire_agreement(request: HttpRequest, actor: Actor, agreement_id: int) -> HttpResponseBase:
    """Let an agreement apply to no new ticket."""
    pages.agreement(actor, agreement_id)
    gone = actions.retire_agreement(actor=actor, agreement_id=agreement_id, now=clock.now(), note=request.POST.get("note", "").strip())
    messages.success(request, f"Retired {gone.name}. Tickets opened before now keep their clocks.")
    return HttpResponseRedirect(reverse("service-levels"))


@require_GET
@signed_in(EDIT)
def what_if_panel(request: HttpRequest, actor: Actor, asked_id: int) -> HttpResponseBase:
    """What a change would have done: worked out here when it is little, else asked for again while a worker does it."""
    asked = what_ifs.find_what_if(actor, asked_id)
    if asked.state == WhatIf.State.WAITING and asked.total <= what_ifs.AT_ONCE:
        asked = what_ifs.answer_what_if(actor=actor, asked=asked, now=clock.now())
    return render(request, "sla/parts/what_if.html", {"asked": asked, "kinds": KINDS})
