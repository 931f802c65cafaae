"""Pages of problem records: the list, the review, a problem's incidents, opening one by hand. Its own page is the ticket page."""

from collections.abc import Sequence
from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpRequest, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods

from pilothouse.people.doors import signed_in
from pilothouse.platform import clock, keyset
from pilothouse.platform.access import Actor, Capability
from pilothouse.platform.refusals import Invalid
from pilothouse.problems import problem_lists as lists
from pilothouse.problems.actions.records import get_problem, open_problem
from pilothouse.problems.engine.titles import proposed
from pilothouse.problems.forms import OpenProblemForm
from pilothouse.problems.selecting import MOST_SELECTED, Incident, incidents_by_id, incidents_named, is_id
from pilothouse.tickets.access import visible
from pilothouse.tickets.doors import back
from pilothouse.tickets.models import CAUSED_BY, Ticket

READ, STEER = Capability.READ_TICKETS, Capability.STEER_TICKETS
_MOST_PAGES = 1000


@require_GET
@signed_in(READ)
def problems(request: HttpRequest, actor: Actor) -> HttpResponseBase:
    """The problems by what they cost, their age, owner or promised day."""
    show, sort = _choice(request, "show", lists.SHOWS, "open"), _choice(request, "sort", lists.SORTS, "cost")
    text, page = request.GET.get("q", "").replace("\x00", "").strip()[:200], request.GET.get("page", "1")
    number = min(max(1, int(page)), _MOST_PAGES) if page.isascii() and page.isdigit() and len(page) < 6 else 1
    counts = lists.counts(actor)
    shown = {
        "page": lists.listed(actor, show=show, sort=sort, text=text, number=number, now=clock.now()),
        "show": show,
        "sort": sort,
        "q": text,
        "counts": [(key, words, counts[key]) for key, words in lists.SHOWS.items()],
        "sorts": lists.SORTS.items(),
        "query": urlencode({"show": show, "sort": sort, "q": text}),
        "may_open": actor.can(STEER),
    }
    return render(request, "problems/problems.html", shown)


def _choice(request: HttpRequest, name: str, known: dict[str, str], fallback: str) -> str:
    value = request.GET.get(name, "")
    return value if value in known else fallback


@require_GET
@signed_in(READ)
def review(request: HttpRequest, actor: Actor) -> HttpResponseBase:
    """The problem review."""
    sort = _choice(request, "sort", lists.SORTS, "cost")
    found = lists.review(actor, sort=sort, now=clock.now())
    return render(request, "problems/review.html", {"review": found, "sort": sort, "sorts": lists.SORTS.items(), "page": found.page})


@require_GET
@signed_in(READ)
def incidents(request: HttpRequest, actor: Actor, number: str) -> HttpResponseBase:
    """The incidents of a problem, the latest first, page by page."""
    problem = get_problem(actor, number)
    own = Ticket.objects.filter(visible(actor), links__relation=CAUSED_BY, links__target=problem).select_related("group")
    page = keyset.page(own, request.GET.get("page", ""), keys=("opened_at", "pk"), descending=True, size=50)
    return render(request, "problems/incidents.html", {"problem": problem, "page": page, "count": own.count()})


@require_http_methods(["GET", "POST"])
@signed_in(STEER)
def new(request: HttpRequest, actor: Actor) -> HttpResponseBase:
    """Open a problem by hand.

    `?incident=INC0000001,INC0000002`, or a selection of the queue sent as `ids`, fills in what it is made from.
    """
    if request.method == "GET":
        return _offered(request, incidents_named(actor, request.GET.get("incident", "")))
    if request.POST.get("from") == "selection":
        return _from_selection(request, actor)
    form = OpenProblemForm(request.POST, zone=actor.time_zone)
    if form.carries_out(lambda values: _open(actor, values)):
        messages.success(request, f"Opened {form.result.number}.")
        return HttpResponseRedirect(reverse("ticket", args=[form.result.number]))
    return render(request, "problems/new.html", {"form": form}, status=form.answer_status)


def _from_selection(request: HttpRequest, actor: Actor) -> HttpResponseBase:
    ids = {int(value) for value in request.POST.getlist("ids") if is_id(value)}
    if len(ids) > MOST_SELECTED:
        raise Invalid(f"At most {MOST_SELECTED:,} tickets at once; these are {len(ids):,}.")
    if not ids:
        messages.warning(request, "Choose at least one ticket.")
        return HttpResponseRedirect(back(request, reverse("queue")))
    found = incidents_by_id(actor, ids)
    if lost := len(ids) - len(found):
        messages.warning(
            request, f"{lost:,} of {len(ids):,} {'is' if lost == 1 else 'are'} left out: a problem gathers incidents and requests."
        )
    return _offered(request, found)


def _offered(request: HttpRequest, found: Sequence[Incident]) -> HttpResponseBase:
    """Show the form with these incidents filled in, and the title that says most about them."""
    initial = {"incidents": ", ".join(each.number for each in found), "title": proposed([each.title for each in found])}
    return render(request, "problems/new.html", {"form": OpenProblemForm(initial=initial), "count": len(found)})


def _open(actor: Actor, values: dict[str, object]) -> Ticket:
    given = {name: values[name] for name in ("group", "assignee") if values[name] is not None}
    return open_problem(
        actor=actor,
        now=clock.now(),
        title=str(values["title"]),
        description=str(values["description"]),
        ticket_ids=values["incidents"],  # type: ignore[arg-type]  # the form cleans them to ids
        **given,  # type: ignore[arg-type]
    )
