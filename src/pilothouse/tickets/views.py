"""The queue: the page, its live parts, the acts over a selection, views, export."""

from functools import lru_cache
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect, JsonResponse, StreamingHttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.safestring import SafeString
from django.views.decorators.http import require_GET, require_POST

from pilothouse.people.models import Team
from pilothouse.platform import clock
from pilothouse.platform.access import Actor, Capability
from pilothouse.platform.refusals import Invalid, Missing
from pilothouse.tickets import actions, desk_board, exports, side_panels, timeline
from pilothouse.tickets.access import get_ticket
from pilothouse.tickets.acts import ACTS, BULK, MOST_AT_ONCE, Act, Outcome, leads_for, perform
from pilothouse.tickets.doors import back, desk, remember_undo, wants_json
from pilothouse.tickets.engine.queue_language import Mistake
from pilothouse.tickets.forms import DeskForm
from pilothouse.tickets.models import Ticket
from pilothouse.tickets.queue_page import Address
from pilothouse.tickets.ticket_page import read_by_id

PREVIEW_LINES = 8


@require_GET
@desk()
def queue(request: HttpRequest, actor: Actor) -> HttpResponseBase:
    """The queue page."""
    asked = desk_board.asked(request.GET)
    page = desk_board.page(actor, asked, now=clock.now())
    page["preview"] = "off" if request.COOKIES.get("preview") == "off" else "on"
    teams = tuple(Team.objects.filter(is_active=True).values_list("pk", "name"))
    page["acts"] = [
        {"name": act.name, "title": act.title, "button": act.button, "fields": _empty_fields(act.name, actor.time_zone, teams)}
        for act in BULK
        if act.form
    ]
    page["leads"] = leads_for(actor)
    return render(request, "tickets/queue.html", {"page": page})


@lru_cache(maxsize=256)
def _empty_fields(name: str, time_zone: str, teams: tuple[tuple[int, str], ...]) -> SafeString:
    """Write the fields of an act's dialog; they are the same on every page until a team, which a field offers, changes."""
    form = ACTS[name].form
    assert form is not None
    return render_to_string("tickets/parts/act_fields.html", {"form": form(zone=time_zone, auto_id=f"{name}_%s")})


def _form(act: Act, actor: Actor, data: Any = None) -> DeskForm | None:
    return act.form(data, zone=actor.time_zone, auto_id=f"{act.name}_%s") if act.form else None


@require_GET
@desk()
def refresh(request: HttpRequest, actor: Actor) -> HttpResponseBase:
    """Answer, for tickets that changed: the rows on the page as they are now, and which others are new to this query."""
    asked = desk_board.asked(request.GET)
    found = desk_board.changes(actor, asked, _ids(request.GET.get("shown", "")), _ids(request.GET.get("others", "")), now=clock.now())
    page = {"may_work": actor.can(Capability.WORK_TICKETS)}
    rows = {row.id: render_to_string("tickets/parts/row.html", {"row": row, "page": page}, request) for row in found.rows}
    return JsonResponse({"rows": rows, "gone": found.gone, "fresh": found.fresh})


def _ids(text: str) -> list[int]:
    return [int(part) for part in text.split(",") if part.isdigit()][:MOST_AT_ONCE]


@require_GET
@desk()
def counts(request: HttpRequest, actor: Actor) -> HttpResponseBase:
    """Answer the counts of the actor's views."""
    return JsonResponse({str(view.id): view.count for view in desk_board.views(actor, "", now=clock.now())})


@require_GET
@desk()
def complete(request: HttpRequest, actor: Actor) -> HttpResponseBase:
    """Answer how the query could go on at the caret."""
    text = request.GET.get("q", "")[:2000]
    at = request.GET.get("at", "")
    return JsonResponse(desk_board.completion(actor, text, int(at) if at.isdigit() else len(text)))


@require_GET
@desk()
def preview(request: HttpRequest, actor: Actor, ticket_id: int) -> HttpResponseBase:
    """A ticket at a glance, for the pane beside the rows; the whole page without script."""
    ticket = read_by_id(actor, ticket_id)
    if request.headers.get("X-Part") != "preview":
        return HttpResponseRedirect(reverse("ticket", args=[ticket.number]))
    lines = timeline.timeline(actor, ticket)[:PREVIEW_LINES]
    shown = {"ticket": ticket, "lines": lines, "panels": side_panels.gather(actor, ticket), "brief": True}
    return render(request, "tickets/parts/preview.html", shown)


@require_POST
@desk()
def preview_choice(request: HttpRequest, actor: Actor) -> HttpResponseBase:
    """Keep whether the preview stands beside the rows."""
    response = HttpResponseRedirect(back(request, reverse("queue")))
    response.set_cookie("preview", "off" if request.POST.get("preview") == "off" else "on", max_age=365 * 86400, samesite="Lax")
    return response


@require_POST
@desk(Capability.WORK_TICKETS)
def act(request: HttpRequest, actor: Actor) -> HttpResponseBase:
    """Act on a selection. Without script, an act that needs words asks for them on a page of its own first."""
    chosen = ACTS.get(request.POST.get("action", ""))
    ids = [int(value) for value in request.POST.getlist("ids") if value.isdigit()]
    if chosen is None or not chosen.bulk:
        raise Invalid("There is no such action.")
    if len(ids) > MOST_AT_ONCE:
        raise Invalid(f"At most {MOST_AT_ONCE} tickets at once; these are {len(ids)}.")
    if not ids:
        messages.warning(request, "Choose at least one ticket.")
        return HttpResponseRedirect(back(request, reverse("queue")))
    if chosen.form and not request.POST.get("sent"):
        return _ask(request, actor, chosen, ids, _form(chosen, actor))
    form = _form(chosen, actor, request.POST)
    if form is not None and not form.is_valid():
        return _wrong(request, actor, chosen, ids, form)
    outcome = perform(actor, chosen, ids, form.cleaned_data if form else {}, now=clock.now())
    if outcome.done and chosen.undoable:
        remember_undo(request, actor, [ticket.pk for ticket in outcome.done])
    return _answer(request, actor, outcome, ids, form)


def _ask(request: HttpRequest, actor: Actor, chosen: Act, ids: list[int], form: DeskForm | None, status: int = 200) -> HttpResponse:
    tickets = list(Ticket.objects.filter(pk__in=ids).values_list("number", flat=True)) if len(ids) == 1 else []
    about = tickets[0] if tickets else f"{len(ids)} tickets"
    shown = {"act": {"name": chosen.name, "title": chosen.title, "button": chosen.button, "form": form}, "ids": ids, "about": about}
    return render(request, "tickets/act.html", {**shown, "next": back(request, reverse("queue"))}, status=status)


def _wrong(request: HttpRequest, actor: Actor, chosen: Act, ids: list[int], form: DeskForm) -> HttpResponse:
    if not wants_json(request):
        return _ask(request, actor, chosen, ids, form, status=422)
    reasons = [str(error) for errors in form.errors.values() for error in errors]
    return JsonResponse(
        {"summary": "Nothing was changed.", "done": [], "undo": False, "refused": [{"number": chosen.title, "reasons": reasons}]}
    )


def _answer(request: HttpRequest, actor: Actor, outcome: Outcome, ids: list[int], form: DeskForm | None) -> HttpResponse:
    if wants_json(request):
        refused = [{"number": one.number, "reasons": one.reasons} for one in outcome.refused]
        undo = outcome.act.undoable and bool(outcome.done)
        return JsonResponse({"summary": outcome.summary, "done": [ticket.pk for ticket in outcome.done], "undo": undo, "refused": refused})
    if outcome.first_refusal is not None and not outcome.done and form is not None:
        form.refuse(outcome.first_refusal)
        return _ask(request, actor, outcome.act, ids, form, status=outcome.first_refusal.status)
    (messages.warning if outcome.refused else messages.success)(request, outcome.summary)
    for one in outcome.refused[:20]:
        messages.error(request, f"{one.number}: {' '.join(one.reasons)}")
    return HttpResponseRedirect(back(request, reverse("queue")))


@require_POST
@desk(Capability.WORK_TICKETS)
def undo(request: HttpRequest, actor: Actor) -> HttpResponseBase:
    """Undo the last action of this session; once."""
    kept = request.session.pop("undo", None)
    if kept is None:
        return _undone(request, "There is nothing to undo.", [], {})
    refused = actions.undo_changes(actor=actor, ticket_ids=kept["ids"], request_id=kept["request_id"], now=clock.now())
    done = [ticket_id for ticket_id in kept["ids"] if ticket_id not in refused]
    what = get_ticket(actor, done[0]).number if len(done) == 1 else f"{len(done)} tickets"
    return _undone(request, f"Undone on {what}." if done else "Nothing was undone.", done, refused)


def _undone(request: HttpRequest, summary: str, done: list[int], refused: dict[int, str]) -> HttpResponse:
    if wants_json(request):
        reasons = [{"number": "", "reasons": [sentence]} for sentence in refused.values()]
        return JsonResponse({"summary": summary, "done": done, "undo": False, "refused": reasons})
    (messages.success if done else messages.warning)(request, " ".join([summary, *refused.values()]))
    return HttpResponseRedirect(back(request, reverse("queue")))


@require_GET
@desk()
def export(request: HttpRequest, actor: Actor, kind: str) -> HttpResponseBase:
    """The whole query as a file, CSV or XLSX; cells cannot become formulas."""
    if kind not in exports.KINDS:
        raise Missing("There is no such kind of file.")
    asked = desk_board.asked(request.GET)
    columns, more = desk_board.shown_names(asked), not asked.place.columns
    made = exports.export_tickets(actor, asked.place.query, kind=kind, now=clock.now(), columns=columns, more=more)
    if isinstance(made, Mistake):
        return HttpResponseRedirect(asked.place.url())  # the queue page shows the mistake where it stands
    return StreamingHttpResponse(
        made.chunks, content_type=made.content_type, headers={"Content-Disposition": f'attachment; filename="{made.name}"'}
    )


@require_POST
@desk()
def save_view(request: HttpRequest, actor: Actor) -> HttpResponseBase:
    """Keep the query and its columns under a name."""
    typed = request.POST
    columns = [name for name in typed.get("columns", "").split(",") if name]
    scope = typed.get("scope", "own")
    view = actions.save_view(
        actor=actor, name=typed.get("name", ""), query=typed.get("query", ""), columns=columns, scope=scope, now=clock.now()
    )
    messages.success(request, f"Saved the view “{view.name}”.")
    return HttpResponseRedirect(Address(view.query, view.columns).url())


@require_POST
@desk()
def drop_view(request: HttpRequest, actor: Actor, view_id: int) -> HttpResponseBase:
    """Remove a view of one's own."""
    view = actions.remove_view(actor=actor, view_id=view_id, now=clock.now())
    messages.success(request, f"Removed the view “{view.name}”.")
    return HttpResponseRedirect(reverse("queue"))
