"""The inbox and how one is told; only ever one's own."""

from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from pilothouse.notifications import actions, kinds, queries
from pilothouse.notifications.forms import PreferenceForm
from pilothouse.people.doors import back, signed_in
from pilothouse.platform import clock, keyset
from pilothouse.platform.access import Actor


@require_GET
@signed_in()
def inbox(request: HttpRequest, actor: Actor) -> HttpResponseBase:
    """Show what one was told: unread first, then the rest, newest first."""
    unread = request.GET.get("show") == "unread"
    page = keyset.page(queries.inbox(actor, unread=unread), request.GET.get("page", ""), keys=("is_unread", "id"), descending=True)
    shown = {
        "page": page,
        "lines": [(each, kinds.get(each.kind).word) for each in page.rows],
        "unread": unread,
        "count": queries.unread_count(actor),
        "most": queries.MOST_COUNTED,
        "newest": max((each.pk for each in page.rows), default=0),
        "query": urlencode({"show": "unread"} if unread else {}),
    }
    return render(request, "notifications/inbox.html", shown)


@require_GET
def count(request: HttpRequest) -> HttpResponse:
    """Answer the mark in the top bar; 401 to a stranger, which the page passes over."""
    actor: Actor | None = getattr(request, "actor", None)
    if actor is None or actor.user_id is None:
        return HttpResponse(status=401)
    shown = {"unread_count": queries.unread_count(actor), "inbox": reverse("inbox")}
    response = render(request, "notifications/parts/mark.html", shown)
    response["Cache-Control"] = "no-store"
    return response


@require_POST
@signed_in()
def open_it(request: HttpRequest, actor: Actor, notification_id: int) -> HttpResponseBase:
    """Mark a notification as read and go to what it is about."""
    found = actions.mark_read(actor=actor, notification_id=notification_id, now=clock.now())
    return HttpResponseRedirect(found.path or reverse("inbox"))


@require_POST
@signed_in()
def read(request: HttpRequest, actor: Actor, notification_id: int) -> HttpResponseBase:
    """Mark a notification as read and stay."""
    actions.mark_read(actor=actor, notification_id=notification_id, now=clock.now())
    return HttpResponseRedirect(back(request, reverse("inbox")))


@require_POST
@signed_in()
def read_all(request: HttpRequest, actor: Actor) -> HttpResponseBase:
    """Mark everything that the page could show as read; what came since stays unread."""
    newest = request.POST.get("up_to", "")
    up_to = int(newest) if newest.isascii() and newest.isdigit() and len(newest) < 19 else None
    done = actions.mark_all_read(actor=actor, now=clock.now(), up_to=up_to)
    messages.success(request, f"Marked {done} as read." if done else "Nothing was unread.")
    return HttpResponseRedirect(reverse("inbox"))


@require_http_methods(["GET", "POST"])
@signed_in()
def preferences(request: HttpRequest, actor: Actor) -> HttpResponseBase:
    """Show and set how one is told."""
    form = PreferenceForm(request.POST if request.method == "POST" else None, kept=queries.preference(actor))
    if form.is_bound and form.carries_out(lambda _: actions.set_preferences(actor=actor, now=clock.now(), **form.wanted())):
        messages.success(request, "Saved. It holds for what is told from now on.")
        return HttpResponseRedirect(reverse("notification-preferences"))
    return render(request, "notifications/preferences.html", {"form": form, "zone": actor.time_zone}, status=form.answer_status)
