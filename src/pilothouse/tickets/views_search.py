"""The search page: tickets, their comments, services and CIs."""

from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import render
from django.views.decorators.http import require_GET

from pilothouse.platform.access import Actor
from pilothouse.tickets.doors import desk
from pilothouse.tickets.engine.queue_language.syntax import quote
from pilothouse.tickets.queue_page import Address
from pilothouse.tickets.search import MOST_HITS, ConfigurationHit, Results, search

WHERE = {"comment": "in a comment", "note": "in a work note"}


@require_GET
@desk()
def search_page(request: HttpRequest, actor: Actor) -> HttpResponseBase:
    """What the words of `q` find, the best first."""
    text = request.GET.get("q", "").strip()
    results = search(actor, text, limit=MOST_HITS)
    page = {
        "text": text,
        "results": results,
        "tickets": [(hit, WHERE.get(hit.where, "")) for hit in results.tickets],
        "configuration": [(hit, _tickets_on(hit)) for hit in results.configuration],
        "summary": _summary(results) if text else "",
        "queue_url": Address(_as_query(results.searched or text)).url() if text else "",
    }
    return render(request, "tickets/search.html", {"page": page})


def _summary(results: Results) -> str:
    found = len(results.tickets)
    return f"{'the best ' if found == MOST_HITS else ''}{found} ticket{'' if found == 1 else 's'}"


def _tickets_on(hit: ConfigurationHit) -> str:
    """Return the queue of open tickets on a CI or service."""
    return Address(f"{hit.kind}:{quote(hit.name)} is:open").url()


def _as_query(text: str) -> str:
    """Write the words for the queue, where they can be narrowed and sorted without a limit."""
    words = [word for word in text.replace('"', " ").split() if not word.startswith("-")]
    return " ".join(quote(word) for word in words)
