"""What the command palette offers: tickets by number, views, actions, pages; the page itself adds its shortcuts and a search."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass
from itertools import islice
from typing import Any

from django.urls import reverse

from pilothouse.platform.access import Actor, Capability
from pilothouse.tickets.access import visible
from pilothouse.tickets.engine.queue_language import ticket_number
from pilothouse.tickets.models import Ticket
from pilothouse.tickets.queue_page import Address
from pilothouse.tickets.saved_views import views_of
from pilothouse.web.navigation import first_url, rail

MOST_PER_GROUP = 8


@dataclass(frozen=True, slots=True)
class Choice:
    """One line of the palette: where it leads, and a hint at its right."""

    label: str
    url: str
    hint: str = ""


def matches(label: str, words: str) -> bool:
    """Say whether every typed word begins a word of the label.

    >>> matches("Resolved lately", "la res"), matches("Aging", "gin")
    (True, False)
    """
    parts = label.lower().split()
    return all(any(part.startswith(word) for part in parts) for word in words.lower().split())


def _tickets(actor: Actor, words: str) -> Iterable[Choice]:
    """Tickets by number: INC0000012, inc12, or 12 of either kind."""
    bare = words.isascii() and words.isdigit()
    numbers = [number for each in ([f"INC{words}", f"REQ{words}"] if bare else [words]) if (number := ticket_number(each))]
    found = Ticket.objects.filter(visible(actor), number__in=numbers).only("number", "title", "state") if numbers else []
    return (
        Choice(f"{ticket.number} {ticket.title}", reverse("ticket", args=[ticket.number]), ticket.state.replace("_", " "))
        for ticket in found
    )


def _views(actor: Actor, words: str) -> Iterable[Choice]:
    if not actor.can(Capability.READ_TICKETS):
        return []
    return (Choice(view.name, Address(view.query, view.columns).url(), "view") for view in views_of(actor) if matches(view.name, words))


def _actions(actor: Actor, words: str) -> Iterable[Choice]:
    offered = [("New ticket", "ticket-new", Capability.WORK_TICKETS), ("New change", "change-new", Capability.WORK_TICKETS)]
    offered += [("Raise a request", "portal-raise", Capability.RAISE_TICKETS)]
    return (Choice(label, url) for label, name, needs in offered if actor.can(needs) and matches(label, words) and (url := first_url(name)))


def _pages(actor: Actor, words: str) -> Iterable[Choice]:
    links = [link for _, group in rail(actor, "") for link in group]
    return (Choice(link.label, link.url) for link in links if matches(link.label, words))


SOURCES: Mapping[str, Callable[[Actor, str], Iterable[Choice]]] = {
    "Tickets": _tickets,
    "Actions": _actions,
    "Views": _views,
    "Pages": _pages,
}


def entries(actor: Actor, words: str) -> list[dict[str, Any]]:
    """Ask every source, keep the first few of each, and leave out empty groups."""
    asked = {name: list(islice(source(actor, words.strip()), MOST_PER_GROUP)) for name, source in SOURCES.items()}
    return [{"name": name, "choices": [asdict(choice) for choice in choices]} for name, choices in asked.items() if choices]
