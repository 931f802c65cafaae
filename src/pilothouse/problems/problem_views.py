"""Pages of problem records: the list, the review, a problem's incidents, opening one by hand. Its own page is the ticket page."""

from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpRequest, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods

from pilothouse.people.doors import signed_in
from pilothouse.platform import clock, keyset
from pilothouse.platform.access import Actor, Capability
from pilothouse.platform.refusals import Refused
from pilothouse.problems import problem_lists as lists
from pilothouse.problems.actions.records import get_problem, open_problem
from pilothouse.problems.forms import OpenProblemForm
from pilothouse.tickets.access import get_ticket, visible
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
    """Open a problem by hand; `?incident=INC0000001,INC0000002` fills in what it is made from."""
    if request.method == "GET":
        return render(request, "problems/new.html", {"form": OpenProblemForm(initial=_from_incidents(request, actor))})
    form = OpenProblemForm(request.POST, zone=actor.time_zone)
    if form.carries_out(lambda values: _open(actor, values)):
        messages.success(request, f"Opened {form.result.number}.")
        return HttpResponseRedirect(reverse("ticket", args=[form.result.number]))
    return render(request, "problems/new.html", {"form": form}, status=form.answer_status)


def _from_incidents(request: HttpRequest, actor: Actor) -> dict[str, str]:
    named = request.GET.get("incident", "").replace("\x00", "")[:10_000].replace(",", " ").split()
    found = []
    for number in dict.fromkeys(named):
        try:
            found.append(get_ticket(actor, number))
        except Refused:
            continue
    return {"incidents": ", ".join(one.number for one in found), "title": found[0].title if found else ""}


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
