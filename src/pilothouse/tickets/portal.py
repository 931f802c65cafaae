"""The requester's portal: raise, follow, answer, say that it is solved or is not. Staff use it for what they themselves raise."""

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods

from pilothouse.cmdb import queries as cmdb
from pilothouse.cmdb.models import Service
from pilothouse.cmdb.request_form import Question
from pilothouse.cmdb.request_form import read as read_form
from pilothouse.people.doors import posted_from, signed_in
from pilothouse.platform import clock
from pilothouse.platform.access import Actor, Capability
from pilothouse.platform.refusals import FieldError, Invalid, Missing
from pilothouse.tickets import actions, portal_page, side_panels
from pilothouse.tickets.models import Ticket
from pilothouse.tickets.portal_forms import AnswerForm, RaiseForm, WhyForm

_door = signed_in(Capability.RAISE_TICKETS)


@require_GET
@_door
def own_tickets(request: HttpRequest, actor: Actor) -> HttpResponseBase:
    """One's own tickets, those that wait for a word first."""
    requester = portal_page.as_requester(actor)
    show = request.GET.get("show", "open")
    show = show if show in portal_page.SHOWS else "open"
    page = portal_page.own(requester, show, request.GET.get("page", ""))
    shown = {
        "page": page,
        "rows": [(row, *portal_page.words_of(row)) for row in page.rows],
        "asked": [(row, *portal_page.words_of(row)) for row in portal_page.asked_of(requester)] if show == "open" else [],
        "show": show,
        "shows": portal_page.SHOWS,
    }
    return render(request, "portal/own.html", shown)


@require_GET
@_door
def choose(request: HttpRequest, actor: Actor) -> HttpResponseBase:
    """Choose the service that a ticket is about."""
    words = request.GET.get("q", "").strip()[:100].replace("\x00", "")
    found = cmdb.services(actor, offered=True)
    found = found.filter(name__icontains=words) | found.filter(description__icontains=words) if words else found
    return render(request, "portal/choose.html", {"services": found[:200], "words": words})


@require_http_methods(["GET", "POST"])
@_door
def raise_other(request: HttpRequest, actor: Actor) -> HttpResponseBase:
    """Raise a ticket about something that no service names."""
    return _raise(request, actor, None, [])


@require_http_methods(["GET", "POST"])
@_door
def raise_for_service(request: HttpRequest, actor: Actor, service_id: int) -> HttpResponseBase:
    """Raise a ticket about a service, with its own questions."""
    service = cmdb.services(actor, offered=True).filter(pk=service_id).first()
    if service is None:
        raise Missing("There is no such service.")
    return _raise(request, actor, service, read_form(service.request_form))


def _raise(request: HttpRequest, actor: Actor, service: Service | None, questions: list[Question]) -> HttpResponse:
    first = {"kind": "request" if questions else "incident"}
    posted = request.method == "POST"
    form = RaiseForm(request.POST if posted else None, request.FILES if posted else None, questions=questions, initial=first)
    if posted and form.carries_out(lambda values: _open(actor, service, form, values)):
        ticket: Ticket = form.result
        messages.success(request, f"Thank you: this is {ticket.number}. We answer here.", extra_tags=f"draft:raise-{_name(service)}")
        return HttpResponseRedirect(reverse("portal-ticket", args=[ticket.number]))
    return render(
        request, "portal/raise.html", {"form": form, "service": service, "draft": f"raise-{_name(service)}"}, status=form.answer_status
    )


def _name(service: Service | None) -> str:
    return str(service.pk) if service else "other"


def _open(actor: Actor, service: Service | None, form: RaiseForm, values: dict[str, Any]) -> Ticket:
    """Open the ticket with its file, both or neither: a refused file leaves no second ticket behind."""
    requester = portal_page.as_requester(actor)
    facts = {name: values[name] for name in ("kind", "title", "description", "urgency")}
    with transaction.atomic():
        ticket = actions.open_ticket(
            actor=requester, service=service.pk if service else None, extra=form.answers(), now=clock.now(), **facts
        )
        if values["file"] is not None:
            _attach(requester, ticket, values["file"])
    return ticket


def _attach(requester: Actor, ticket: Ticket, upload: "UploadedFile[bytes]") -> None:
    actions.attach_file(actor=requester, ticket_id=ticket.pk, name=upload.name or "file", content=upload, now=clock.now())  # type: ignore[arg-type]


@require_GET
@_door
def ticket(request: HttpRequest, actor: Actor, number: str) -> HttpResponseBase:
    """One ticket: what was said, what became of it, and what one may do now."""
    return _page(request, portal_page.as_requester(actor), number)


def _page(request: HttpRequest, requester: Actor, number: str, **forms: Any) -> HttpResponse:
    found = portal_page.read(requester, number)
    status = max((form.answer_status for form in forms.values()), default=200)
    shown = {
        "ticket": found,
        "state": portal_page.words_of(found),
        "events": portal_page.conversation(requester, found),
        "files": portal_page.files(found),
        "may": portal_page.offered(requester, found),
        "panels": side_panels.gather_for_portal(requester, found),
        "answer_form": AnswerForm(auto_id="answer_%s"),
        "reopen_form": WhyForm(auto_id="reopen_%s"),
        "cancel_form": WhyForm(auto_id="cancel_%s"),
        "follow_form": WhyForm(auto_id="follow_%s"),
        **forms,
    }
    return render(request, "portal/ticket.html", shown, status=status)


@posted_from("portal-ticket")
@_door
def answer(request: HttpRequest, actor: Actor, number: str) -> HttpResponseBase:
    """Write to the desk, with or without a file."""
    requester = portal_page.as_requester(actor)
    found = portal_page.read(requester, number)
    form = AnswerForm(request.POST, request.FILES, auto_id="answer_%s")
    if not form.carries_out(lambda values: _say(requester, found, values)):
        return _page(request, requester, number, answer_form=form)
    messages.success(request, "Sent.", extra_tags=f"draft:portal-{found.pk}")
    return HttpResponseRedirect(reverse("portal-ticket", args=[number]) + "#talk")


def _say(requester: Actor, found: Ticket, values: dict[str, Any]) -> None:
    with transaction.atomic():
        if values["text"].strip() or values["file"] is None:
            actions.comment_on_ticket(actor=requester, ticket_id=found.pk, text=values["text"], now=clock.now())
        if values["file"] is not None:
            _attach(requester, found, values["file"])


def _confirm(requester: Actor, found: Ticket, note: str) -> object:
    return actions.move_ticket(
        actor=requester, ticket_id=found.pk, state="closed", note=note or "Confirmed by the requester.", now=clock.now()
    )


def _reopen(requester: Actor, found: Ticket, note: str) -> object:
    return actions.move_ticket(actor=requester, ticket_id=found.pk, state="in_progress", note=note, now=clock.now())


def _cancel(requester: Actor, found: Ticket, note: str) -> object:
    return actions.move_ticket(actor=requester, ticket_id=found.pk, state="cancelled", note=note, now=clock.now())


def _follow_up(requester: Actor, found: Ticket, note: str) -> object:
    if not note.strip():
        raise Invalid("Nothing was raised.", [FieldError("note", "Say what is wrong now.")])
    return actions.follow_up_ticket(actor=requester, ticket_id=found.pk, description=note, now=clock.now())


_ACTS: dict[str, tuple[Callable[[Actor, Ticket, str], object], str, str]] = {
    "confirm": (_confirm, "", "Thank you. The ticket is closed."),
    "reopen": (_reopen, "reopen", "Reopened. The team is told."),
    "cancel": (_cancel, "cancel", "Cancelled."),
    "follow-up": (_follow_up, "follow", "Raised. It carries the link to the one before."),
}


@posted_from("portal-ticket")
@_door
def act(request: HttpRequest, actor: Actor, number: str) -> HttpResponseBase:
    """Confirm, reopen, cancel or follow up."""
    requester = portal_page.as_requester(actor)
    found = portal_page.read(requester, number)
    chosen = _ACTS.get(request.POST.get("do", ""))
    if chosen is None:
        raise Invalid("There is no such action.")
    run, name, done = chosen
    form = WhyForm(request.POST, auto_id=f"{name}_%s")
    if not form.carries_out(lambda values: run(requester, found, values["note"])):
        if not name:
            messages.error(request, " ".join(str(error) for errors in form.errors.values() for error in errors))
        return _page(request, requester, number, **{f"{name or 'reopen'}_form": form})
    messages.success(request, done)
    to = form.result.number if isinstance(form.result, Ticket) else number
    return HttpResponseRedirect(reverse("portal-ticket", args=[to]))
