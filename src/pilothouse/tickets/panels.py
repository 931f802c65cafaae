"""What tickets add to other rooms' pages: the tickets on a CI or a service, and how tickets are spoken of in the journal."""

from collections.abc import Iterable, Mapping
from typing import Any

from django.urls import reverse

from pilothouse.cmdb import panels
from pilothouse.cmdb.models import CI, Service
from pilothouse.platform import retelling
from pilothouse.platform.access import Actor, Capability
from pilothouse.tickets.access import visible
from pilothouse.tickets.actions.fields import REFERENCES
from pilothouse.tickets.engine.lifecycle import DESK_KINDS, OPEN_STATES
from pilothouse.tickets.engine.queue_language.syntax import quote
from pilothouse.tickets.models import Category, SavedView, Ticket
from pilothouse.tickets.queue_page import Address
from pilothouse.tickets.timeline import VERBS

_SHOWN = 8


def tickets_on(actor: Actor, kind: str, record_id: int) -> dict[str, Any]:
    """Gather the desk's newest tickets on a record that the reader may see, the open ones first, and where all of them are."""
    if not actor.can(Capability.READ_TICKETS):
        return {"tickets": []}
    found = Ticket.objects.filter(visible(actor), kind__in=DESK_KINDS, **{f"{kind}_id": record_id})
    opened = list(found.filter(state__in=OPEN_STATES).order_by("priority", "-id")[:_SHOWN])
    done = list(found.exclude(state__in=OPEN_STATES).order_by("-id")[: _SHOWN - len(opened)])
    model = CI if kind == "ci" else Service
    name = model.objects.values_list("name", flat=True).get(pk=record_id)
    return {
        "tickets": [*opened, *done],
        "open_count": found.filter(state__in=OPEN_STATES).count(),
        "all_address": Address(f"{kind}:{quote(name)}").url(),
        "new_address": f"{reverse('ticket-new')}?{kind}={name if kind == 'ci' else record_id}"
        if actor.can(Capability.WORK_TICKETS)
        else "",
    }


def _numbers(ids: Iterable[int]) -> Mapping[int, str]:
    return dict(Ticket.objects.filter(pk__in=list(ids)).values_list("id", "number"))


def _categories(ids: Iterable[int]) -> Mapping[int, str]:
    return dict(Category.objects.filter(pk__in=list(ids)).values_list("id", "name"))


def _views(ids: Iterable[int]) -> Mapping[int, str]:
    return dict(SavedView.objects.filter(pk__in=list(ids)).values_list("id", "name"))


panels.register("tickets", panels.Panel("tickets/parts/tickets_on.html", tickets_on))
retelling.register(
    "ticket",
    retelling.Kind(
        "ticket",
        _numbers,
        lambda pk, number: reverse("ticket", args=[number]),
        {**REFERENCES, "watchers": "person", "mentions": "person"},
        VERBS,
    ),
)
retelling.register("category", retelling.Kind("category", _categories, fields={"parent": "category"}))
retelling.register("priority_matrix", retelling.Kind("priority matrix", lambda ids: dict.fromkeys(ids, "priority matrix")))
retelling.register("view", retelling.Kind("view", _views))
