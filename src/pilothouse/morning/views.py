"""The morning review: the page, its acts and marks, its end, and how else it reaches its reader."""

import json
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from pilothouse.morning import actions, mailing, pdf, queries
from pilothouse.morning.acts import ACTS, Act
from pilothouse.morning.board import board, finished_page, shown_line
from pilothouse.morning.engine import spans
from pilothouse.morning.engine.lines import Line
from pilothouse.morning.forms import MailTimeForm
from pilothouse.morning.models import MailTime
from pilothouse.people.doors import signed_in
from pilothouse.platform import clock
from pilothouse.platform.access import Actor, Capability
from pilothouse.platform.refusals import Missing, Refused
from pilothouse.problems.candidate_queries import fresh_since
from pilothouse.tickets.access import get_ticket
from pilothouse.tickets.forms import DeskForm
from pilothouse.tickets.models import Ticket

READ, RUN = Capability.READ_TICKETS, Capability.WORK_TICKETS


@require_GET
@signed_in(READ)
def review(request: HttpRequest, actor: Actor) -> HttpResponseBase:
    """The review as it stands now."""
    now = clock.now()
    shown, mail = queries.morning(actor, now=now), queries.mail_time(actor)
    page = board(shown, fresh_since(actor, shown.span.start))
    return render(request, "morning/review.html", {"page": page, "mail": mail, "mail_form": _mail_form(mail)})


def _mail_form(kept: MailTime | None) -> MailTimeForm:
    return MailTimeForm(initial={"at": spans.clock(kept.minute), "days": kept.days} if kept else None, auto_id="mail_%s")


@require_http_methods(["GET", "POST"])
@signed_in(RUN)
def act(request: HttpRequest, actor: Actor) -> HttpResponseBase:
    """Ask for what an act needs, then do it and mark the line; a part of the page to our script, a page of its own without it."""
    sent = request.POST if request.method == "POST" else request.GET
    chosen, key = ACTS.get(sent.get("act", "")), sent.get("key", "")
    if chosen is None:
        raise Missing("There is no such action.")
    _, ticket_id = queries.read_key(key)
    ticket, now = get_ticket(actor, ticket_id), clock.now()
    if request.method == "GET":
        line = _line(actor, key)
        return _ask(request, chosen, key, ticket, _form(chosen, actor, initial=chosen.fill(actor, ticket, line.reason if line else "")))
    form = _form(chosen, actor, request.POST)
    if not form.is_valid():
        return _ask(request, chosen, key, ticket, form, 422)
    before = _line(actor, key)
    try:
        how = chosen.run(actor, ticket, {**form.cleaned_data, "key": key}, now)
    except Refused as refusal:
        form.refuse(refusal)
        return _ask(request, chosen, key, ticket, form, refusal.status)
    actions.mark_line(actor=actor, key=key, how=how, request_id=actor.request_id if chosen.undoable else "", now=now)
    return _answer(request, actor, key, before, f"{ticket.number}: {how}.")


def _form(chosen: Act, actor: Actor, data: Any = None, **more: Any) -> DeskForm:
    return chosen.form(data, zone=actor.time_zone, auto_id=f"{chosen.name}_%s", **more)


def _ask(request: HttpRequest, chosen: Act, key: str, ticket: Ticket, form: DeskForm, status: int = 200) -> HttpResponse:
    in_line = bool(request.headers.get("HX-Request"))
    part = "morning/parts/act.html" if in_line else "morning/act.html"
    shown = {"act": chosen, "key": key, "in_line": in_line, "ticket": ticket, "form": form}
    return render(request, part, shown, status=status)


def _line(actor: Actor, key: str) -> Line | None:
    found = queries.find_line(actor, key, now=clock.now())
    return found.lines[0] if found else None


def _answer(request: HttpRequest, actor: Actor, key: str, before: Line | None, said: str) -> HttpResponse:
    """Give the line as it is now; without script the page it stands on."""
    if not request.headers.get("HX-Request"):
        messages.success(request, said)
        return HttpResponseRedirect(reverse("morning"))
    line = _line(actor, key) or (before and shown_line(actor, before, key, now=clock.now()))
    if line is None:
        return HttpResponse("")
    answer = render(request, "morning/parts/line.html", {"line": line, "runs": True})
    answer.headers["HX-Trigger-After-Settle"] = json.dumps({"morning-said": {"said": said, "key": key}})
    return answer


@require_POST
@signed_in(RUN)
def mark(request: HttpRequest, actor: Actor) -> HttpResponseBase:
    """Mark a line as done, or take that back together with what was done."""
    undo = request.POST.get("undo", "")
    key, now = undo or request.POST.get("done", ""), clock.now()
    before = _line(actor, key)
    if undo:
        refused = actions.unmark_line(actor=actor, key=key, now=now)
        return _answer(request, actor, key, before, refused or "Taken back.")
    actions.mark_line(actor=actor, key=key, now=now)
    return _answer(request, actor, key, before, "Done.")


@require_POST
@signed_in(RUN)
def finish(request: HttpRequest, actor: Actor) -> HttpResponseBase:
    """End the review; the next one counts from here."""
    now = clock.now()
    shown = queries.morning(actor, now=now)
    ended = actions.finish_review(actor=actor, counts=shown.counts, now=now)
    return HttpResponseRedirect(reverse("morning-review", args=[ended.pk]))


@require_GET
@signed_in(READ)
def finished(request: HttpRequest, actor: Actor, review_id: int) -> HttpResponseBase:
    """A review that has ended: what stood in it and what was done."""
    return render(request, "morning/finished.html", {"page": finished_page(actor, queries.finished(actor, review_id))})


@require_GET
@signed_in(READ)
def as_pdf(request: HttpRequest, actor: Actor) -> HttpResponseBase:
    """The review as a document."""
    now = clock.now()
    shown = queries.morning(actor, now=now)
    name = f"morning-{shown.now.astimezone(shown.zone):%Y-%m-%d}.pdf"
    return HttpResponse(
        pdf.document(shown), content_type="application/pdf", headers={"Content-Disposition": f'attachment; filename="{name}"'}
    )


@require_POST
@signed_in(READ)
def mail_now(request: HttpRequest, actor: Actor) -> HttpResponseBase:
    """Mail oneself the review as it stands."""
    mailing.send(actor, now=clock.now())
    messages.success(request, "It is on its way to your mail and in your inbox here.")
    return HttpResponseRedirect(reverse("morning"))


@require_POST
@signed_in(READ)
def mail_time(request: HttpRequest, actor: Actor) -> HttpResponseBase:
    """Set when one is mailed the review."""
    if request.POST.get("do") == "never":
        actions.set_mail_time(actor=actor, minute=None, now=clock.now())
        messages.success(request, "You are not mailed the review any more.")
        return HttpResponseRedirect(reverse("morning"))
    form = MailTimeForm(request.POST, auto_id="mail_%s")
    if form.carries_out(lambda values: actions.set_mail_time(actor=actor, minute=values["minute"], days=values["days"], now=clock.now())):
        kept = form.result
        messages.success(request, f"You are mailed the review at {spans.clock(kept.minute)}, {spans.days_in_words(kept.days)}.")
        return HttpResponseRedirect(reverse("morning"))
    return render(request, "morning/mail_time.html", {"mail_form": form}, status=form.answer_status)
