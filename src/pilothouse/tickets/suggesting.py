"""What fields that name a record suggest as one types: people, staff, CIs, tickets, mentions."""

from collections.abc import Callable, Mapping

from django.db.models import Q

from pilothouse.cmdb.models import CI
from pilothouse.people.models import User
from pilothouse.platform.access import Actor
from pilothouse.tickets.access import visible
from pilothouse.tickets.models import Ticket

MOST = 8
Suggestion = tuple[str, str]  # the value to put in, and a line that explains it


def _people(actor: Actor, text: str, *, staff: bool = False) -> list[User]:
    found = User.objects.filter(Q(name__istartswith=text) | Q(name__icontains=f" {text}") | Q(email__istartswith=text), is_active=True)
    found = found.exclude(role="requester") if staff else found
    return list(found.order_by("name")[:MOST])


def people(actor: Actor, text: str) -> list[Suggestion]:
    """Anybody active, as "Name <address>"."""
    return [(f"{person.name} <{person.email}>", person.title or person.site) for person in _people(actor, text)]


def staff(actor: Actor, text: str) -> list[Suggestion]:
    """Active staff, as "Name <address>"."""
    return [(f"{person.name} <{person.email}>", person.title or person.role) for person in _people(actor, text, staff=True)]


def mentions(actor: Actor, text: str) -> list[Suggestion]:
    """Active staff, as the @name that a comment understands."""
    return [(f"@{person.email.partition('@')[0]}", person.name) for person in _people(actor, text, staff=True)]


def cis(actor: Actor, text: str) -> list[Suggestion]:
    """Configuration items by a part of their name."""
    found = CI.objects.filter(name__icontains=text).order_by("name")[:MOST]
    return [(ci.name, ci.ci_class.replace("_", " ")) for ci in found]


def tickets(actor: Actor, text: str) -> list[Suggestion]:
    """Tickets that the actor may see, by the beginning of their number."""
    found = Ticket.objects.filter(visible(actor), number__istartswith=text).order_by("-id")[:MOST]
    return [(ticket.number, ticket.title) for ticket in found]


SOURCES: Mapping[str, Callable[[Actor, str], list[Suggestion]]] = {
    "person": people,
    "staff": staff,
    "mention": mentions,
    "ci": cis,
    "ticket": tickets,
}


def suggest(actor: Actor, kind: str, text: str) -> list[Suggestion]:
    """Suggest up to eight values for a field of this kind; nothing for fewer than two letters."""
    source = SOURCES.get(kind)
    return source(actor, text.strip()) if source and len(text.strip()) >= 2 else []
