"""The ticket page and what is done on it. Each form is an ordinary POST answered by a redirect, or by the page with its refusal."""

import unicodedata
from typing import Any, BinaryIO, cast
from urllib.parse import quote

from django.contrib import messages
from django.http import FileResponse, HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from pilothouse.people.doors import posted_from, signed_in
from pilothouse.platform import clock
from pilothouse.platform.access import Actor, Capability
from pilothouse.platform.refusals import Invalid, Missing, Refused, StaleVersion
from pilothouse.tickets import actions, both_sides, ticket_page
from pilothouse.tickets.access import get_ticket, require_work
from pilothouse.tickets.actions.attaching import stored_at
from pilothouse.tickets.acts import ACTS, perform
from pilothouse.tickets.doors import address, back, desk, remember_undo
from pilothouse.tickets.forms import (
    CommentForm,
    DeskForm,
    EditTicketForm,
    FollowUpForm,
    LinkForm,
    MergeForm,
    NewTicketForm,
    shown_values,
)
from pilothouse.tickets.models import Attachment, Ticket
from pilothouse.tickets.queries import similar_tickets
from pilothouse.tickets.suggesting import suggest


def _page(
    request: HttpRequest, actor: Actor, number: str, *, refused: dict[str, DeskForm] | None = None, status: int = 200
) -> HttpResponse:
    ticket = ticket_page.read(actor, number)
    shown = ticket_page.context(actor, ticket, request.GET.dict(), refused=refused)
    setattr(request, "stands_below", reverse(shown["home"][1]))  # noqa: B010  the request's class does not know it
    return render(request, "tickets/ticket.html", shown, status=status)


def _to(number: str, anchor: str = "") -> HttpResponseRedirect:
    return HttpResponseRedirect(reverse("ticket", args=[number]) + anchor)


@require_GET
@desk(Capability.RAISE_TICKETS)
def _own_ticket(request: HttpRequest, actor: Actor, number: str) -> HttpResponseBase:
    """A requester follows a ticket in the portal."""
    get_ticket(actor, number)
    target = address("portal-ticket", number)
    if not target:
        raise Missing("There is no such page.")
    return redirect(target)


@require_GET
def ticket(request: HttpRequest, number: str) -> HttpResponseBase:
    """The ticket page."""
    actor: Actor | None = getattr(request, "actor", None)
    if actor is not None and not actor.is_staff:
        return _own_ticket(request, number)
    return _staff_ticket(request, number)


@desk()
def _staff_ticket(request: HttpRequest, actor: Actor, number: str) -> HttpResponseBase:
    return _page(request, actor, number)


@posted_from("ticket")
@desk()
def act(request: HttpRequest, actor: Actor, number: str) -> HttpResponseBase:
    """Do a quick action; a refusal reopens its form with what is missing."""
    ticket = get_ticket(actor, number)
    chosen = ACTS.get(request.POST.get("action", ""))
    if chosen is None:
        raise Invalid("There is no such action.")
    form = chosen.form(request.POST, zone=actor.time_zone, auto_id=f"{chosen.name}_%s") if chosen.form else None
    if form is not None and not form.is_valid():
        return _page(request, actor, number, refused={chosen.name: form}, status=422)
    outcome = perform(actor, chosen, [ticket.pk], form.cleaned_data if form else {}, now=clock.now())
    if outcome.first_refusal is not None:
        return _refused(request, actor, number, chosen.name, form, outcome.first_refusal)
    if chosen.undoable:
        remember_undo(request, actor, [ticket.pk])
    messages.success(request, outcome.summary)
    return HttpResponseRedirect(back(request, reverse("ticket", args=[number])))


def _refused(request: HttpRequest, actor: Actor, number: str, name: str, form: DeskForm | None, refusal: Refused) -> HttpResponse:
    if form is None:
        messages.error(request, " ".join([f"{e.message} {e.hint}".strip() for e in refusal.errors]) or refusal.message)
        return _page(request, actor, number, status=refusal.status)
    form.refuse(refusal)
    return _page(request, actor, number, refused={name: form}, status=refusal.status)


@posted_from("ticket")
@desk()
def comment(request: HttpRequest, actor: Actor, number: str) -> HttpResponseBase:
    """Write a reply or a note, with or without a file."""
    ticket = get_ticket(actor, number)
    form = CommentForm(request.POST)
    upload = request.FILES.get("file")
    if not form.is_valid():
        return _page(request, actor, number, refused={"comment": form}, status=422)
    private = form.cleaned_data["audience"] == "note"
    try:
        if form.cleaned_data["text"] or upload is None:
            actions.comment_on_ticket(actor=actor, ticket_id=ticket.pk, text=form.cleaned_data["text"], private=private, now=clock.now())
        if upload is not None:
            actions.attach_file(
                actor=actor,
                ticket_id=ticket.pk,
                name=upload.name or "file",
                content=cast(BinaryIO, upload),
                private=private,
                now=clock.now(),
            )
    except Refused as refusal:
        return _refused(request, actor, number, "comment", form, refusal)
    sent = "Sent to the requester." if ticket.requester_id else "Sent to the watchers."
    messages.success(request, "Noted, for colleagues only." if private else sent, extra_tags=f"draft:comment-{ticket.pk}")
    return _to(number)


@require_http_methods(["GET", "POST"])
@desk(Capability.WORK_TICKETS)
def new(request: HttpRequest, actor: Actor) -> HttpResponseBase:
    """Write a ticket down for somebody."""
    form = NewTicketForm(request.POST if request.method == "POST" else None, zone=actor.time_zone, initial=request.GET.dict())
    status = 200
    if request.method == "POST":
        status = 422
        if form.is_valid():
            try:
                made = actions.open_ticket(actor=actor, now=clock.now(), **_given(form.cleaned_data))
                messages.success(request, f"Opened {made.number}.", extra_tags="draft:new-ticket")
                return _to(made.number)
            except Refused as refusal:
                form.refuse(refusal)
                status = refusal.status
    return render(request, "tickets/new.html", {"form": form, "categories": form.categories()}, status=status)


def _given(values: dict[str, Any]) -> dict[str, Any]:
    """Leave out what was left empty, so that the action's defaults apply."""
    return {name: value for name, value in values.items() if value not in (None, "", [])}


@require_http_methods(["GET", "POST"])
@desk(Capability.WORK_TICKETS)
def edit(request: HttpRequest, actor: Actor, number: str) -> HttpResponseBase:
    """Edit the facts. A stale version shows both sides field by field, with everything that was typed."""
    ticket = ticket_page.read(actor, number)
    require_work(actor, ticket)
    if request.method == "GET":
        form = EditTicketForm(initial=shown_values(ticket), zone=actor.time_zone)
        return _edit_page(request, ticket, form, ticket.version)
    form = EditTicketForm(both_sides.settled(request.POST), initial=shown_values(ticket), zone=actor.time_zone)
    shown_version = request.POST.get("version", "")
    version = int(shown_version) if shown_version.isdigit() else ticket.version
    if not form.is_valid():
        return _edit_page(request, ticket, form, version, status=422)
    try:
        actions.change_ticket(
            actor=actor,
            ticket_id=ticket.pk,
            changes=form.touched(),
            expected_version=version,
            note=request.POST.get("note", ""),
            now=clock.now(),
        )
    except StaleVersion as stale:
        return _both_sides(request, actor, form, stale)
    except Refused as refusal:
        form.refuse(refusal)
        return _edit_page(request, ticket, form, version, status=refusal.status)
    if form.touched():
        remember_undo(request, actor, [ticket.pk])
        messages.success(request, f"Changed {ticket.number}.")
    return _to(ticket.number)


def _edit_page(request: HttpRequest, ticket: Ticket, form: EditTicketForm, version: int, *, status: int = 200) -> HttpResponse:
    shown = {"ticket": ticket, "form": form, "version": version, "categories": form.categories()}
    return render(request, "tickets/edit.html", shown, status=status)


def _both_sides(request: HttpRequest, actor: Actor, form: EditTicketForm, stale: StaleVersion) -> HttpResponse:
    """Show the form again on the row as it is now."""
    ticket = Ticket.objects.select_related("requester", "assignee", "ci", "parent", "service", "group").get(
        pk=get_ticket(actor, form_number(request)).pk
    )
    current = shown_values(ticket)
    shown = both_sides.compared(request.POST, form, current, lambda data: EditTicketForm(data, initial=current, zone=actor.time_zone))
    more = {"ticket": ticket, "version": stale.version, "stale": stale, "categories": form.categories()}
    return render(request, "tickets/edit.html", {**shown, **more}, status=stale.status)


def form_number(request: HttpRequest) -> str:
    """Give the ticket's number from the address of the form."""
    return str(request.resolver_match.kwargs["number"]) if request.resolver_match else ""


@require_POST
@desk()
def watch(request: HttpRequest, actor: Actor, number: str) -> HttpResponseBase:
    """Watch, or stop watching."""
    ticket = get_ticket(actor, number)
    change = actions.watch_ticket if request.POST.get("on") == "yes" else actions.unwatch_ticket
    change(actor=actor, ticket_id=ticket.pk, now=clock.now())
    return _to(number)


@posted_from("ticket")
@desk()
def link(request: HttpRequest, actor: Actor, number: str) -> HttpResponseBase:
    """Link to another ticket or to an address."""
    ticket = get_ticket(actor, number)
    form = LinkForm(request.POST)
    if not form.is_valid():
        return _page(request, actor, number, refused={"link": form}, status=422)
    try:
        actions.link_ticket(actor=actor, ticket_id=ticket.pk, now=clock.now(), **form.cleaned_data)
    except Refused as refusal:
        return _refused(request, actor, number, "link", form, refusal)
    return _to(number, "#links")


@require_POST
@desk()
def unlink(request: HttpRequest, actor: Actor, number: str, link_id: int) -> HttpResponseBase:
    """Take a link back."""
    get_ticket(actor, number)
    actions.unlink_ticket(actor=actor, link_id=link_id, now=clock.now())
    return _to(number, "#links")


@posted_from("ticket")
@desk(Capability.WORK_TICKETS)
def merge(request: HttpRequest, actor: Actor, number: str) -> HttpResponseBase:
    """Merge this duplicate into another ticket."""
    ticket = get_ticket(actor, number)
    form = MergeForm(request.POST)
    if not form.is_valid():
        return _page(request, actor, number, refused={"merge": form}, status=422)
    into = form.cleaned_data["into"]
    if into is None:
        form.add_error("into", "Name the ticket that stays.")
        return _page(request, actor, number, refused={"merge": form}, status=422)
    try:
        target = actions.merge_ticket(actor=actor, ticket_id=ticket.pk, into=into, note=form.cleaned_data["note"], now=clock.now())
    except Refused as refusal:
        return _refused(request, actor, number, "merge", form, refusal)
    messages.success(request, f"Merged {ticket.number} into {target.number}.")
    return _to(target.number)


@posted_from("ticket")
@desk(Capability.RAISE_TICKETS)
def follow_up(request: HttpRequest, actor: Actor, number: str) -> HttpResponseBase:
    """Raise a follow-up of a closed ticket."""
    ticket = get_ticket(actor, number)
    form = FollowUpForm(request.POST)
    if not form.is_valid():
        return _page(request, actor, number, refused={"follow-up": form}, status=422)
    try:
        made = actions.follow_up_ticket(actor=actor, ticket_id=ticket.pk, description=form.cleaned_data["description"], now=clock.now())
    except Refused as refusal:
        return _refused(request, actor, number, "follow-up", form, refusal)
    messages.success(request, f"Opened {made.number}, which follows up {ticket.number}.")
    return _to(made.number)


@require_GET
@signed_in()
def attachment(request: HttpRequest, actor: Actor, attachment_id: int) -> HttpResponseBase:
    """Hand out a file: always as a download, never to be shown or sniffed by the browser."""
    found = _attachment(actor, attachment_id)
    path = stored_at(found.sha256)
    if not path.is_file():
        raise Missing("The file is not in the store. An administrator can find out why with `pilothouse doctor`.")
    response = FileResponse(path.open("rb"), content_type=found.content_type)
    plain = unicodedata.normalize("NFKD", found.name).encode("ascii", "ignore").decode().replace('"', "") or "file"
    response["Content-Disposition"] = f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(found.name)}"
    response["X-Content-Type-Options"] = "nosniff"
    response["Content-Security-Policy"] = "default-src 'none'; sandbox"
    response["Cache-Control"] = "private, no-store"
    return response


def _attachment(actor: Actor, attachment_id: int) -> Attachment:
    found = Attachment.objects.select_related("ticket").filter(pk=attachment_id).first()
    if found is None or (found.private and not actor.can(Capability.READ_TICKETS)):
        raise Missing("There is no such file.")
    get_ticket(actor, found.ticket_id)
    return found


@require_POST
@desk()
def remove_attachment(request: HttpRequest, actor: Actor, attachment_id: int) -> HttpResponseBase:
    """Take a file off its ticket."""
    found = _attachment(actor, attachment_id)
    actions.remove_attachment(actor=actor, attachment_id=attachment_id, now=clock.now())
    messages.success(request, f"Removed {found.name}.")
    return _to(found.ticket.number, "#files")


@require_GET
@desk()
def suggestions(request: HttpRequest, actor: Actor, kind: str) -> HttpResponseBase:
    """Suggest values for a field that names a record."""
    found = suggest(actor, kind, request.GET.get("q", ""))
    return JsonResponse({"items": [{"value": value, "label": label} for value, label in found]})


@require_GET
@desk()
def similar(request: HttpRequest, actor: Actor, number: str) -> HttpResponseBase:
    """Tickets that read alike; a part for the ticket page, or a page of its own without script."""
    ticket = ticket_page.read(actor, number)
    template = "tickets/parts/similar.html" if request.headers.get("HX-Request") else "tickets/similar.html"
    return render(request, template, {"ticket": ticket, "similar": similar_tickets(actor, ticket)})
