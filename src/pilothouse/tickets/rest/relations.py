"""Links, merging and watching."""

from typing import Any

from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from ninja import Router
from pydantic import BaseModel

from pilothouse.platform import clock
from pilothouse.platform.access import Actor
from pilothouse.platform.refusals import Missing
from pilothouse.platform.rest import actor_of, answer, nothing, record_id
from pilothouse.tickets import actions
from pilothouse.tickets.access import visible
from pilothouse.tickets.models import Link, Ticket
from pilothouse.tickets.rest.bodies import LinkIn, MergeIn
from pilothouse.tickets.rest.records import found, shown
from pilothouse.tickets.rest.shapes import LinkOut, TicketOut, link_shapes

router = Router(tags=["Tickets"])
_MOST_LINKS = 500


class LinkList(BaseModel):
    """A ticket's links."""

    items: list[LinkOut]
    next_cursor: str | None


def _links(ticket: Ticket) -> list[Link]:
    return list(Link.objects.filter(Q(ticket=ticket) | Q(target=ticket)).order_by("id")[:_MOST_LINKS])


def _shapes(actor: Actor, ticket: Ticket, links: list[Link]) -> list[dict[str, object]]:
    others = {end for link in links for end in (link.ticket_id, link.target_id) if end is not None and end != ticket.pk}
    seen = dict(Ticket.objects.filter(visible(actor), pk__in=others).values_list("pk", "number"))
    return link_shapes(ticket, links, seen)


@router.get("/{reference}/links", response=LinkList, summary="List links")
def list_links(request: HttpRequest, reference: str) -> HttpResponse:
    """Links from either end, to tickets that you may see and to addresses elsewhere."""
    actor = actor_of(request)
    ticket = found(actor, reference)
    return answer(request, {"items": _shapes(actor, ticket, _links(ticket)), "next_cursor": None})


@router.post("/{reference}/links", response={201: LinkOut}, summary="Link to a ticket or an address")
def link(request: HttpRequest, reference: str, body: LinkIn) -> HttpResponse:
    """`relation` is relates_to, blocks, caused_by, duplicates, follows_up or fixed_by; give `target` or `url`."""
    actor = actor_of(request)
    ticket = found(actor, reference)
    target = None if body.target is None else found(actor, str(body.target)).pk
    facts: dict[str, Any] = {"relation": body.relation, "target": target, "url": body.url, "label": body.label}
    made = actions.link_ticket(actor=actor, ticket_id=ticket.pk, now=clock.now(), **facts)
    return answer(request, _shapes(actor, ticket, [made])[0], status=201)


@router.delete("/{reference}/links/{number}", response={204: None}, summary="Take a link back")
def unlink(request: HttpRequest, reference: str, number: str) -> HttpResponse:
    """Take a link back, from either end."""
    actor = actor_of(request)
    ticket, link_id = found(actor, reference), record_id(number, "link")
    if not Link.objects.filter(Q(ticket=ticket) | Q(target=ticket), pk=link_id).exists():
        raise Missing("There is no such link.")
    actions.unlink_ticket(actor=actor, link_id=link_id, now=clock.now())
    return nothing()


@router.post("/{reference}/merge", response=TicketOut, summary="Merge a duplicate into another ticket")
def merge(request: HttpRequest, reference: str, body: MergeIn) -> HttpResponse:
    """Close this one as a duplicate; answers with the ticket that it was merged into."""
    actor = actor_of(request)
    duplicate, into = found(actor, reference), found(actor, str(body.into))
    return shown(request, actor, actions.merge_ticket(actor=actor, ticket_id=duplicate.pk, into=into.pk, now=clock.now(), note=body.note))


def _watcher(actor: Actor, who: str) -> int | None:
    return actor.user_id if who == "me" else record_id(who, "person")


@router.put("/{reference}/watchers/{who}", response=TicketOut, summary="Watch a ticket")
def watch(request: HttpRequest, reference: str, who: str) -> HttpResponse:
    """`who` is a person's id or `me`; watching twice changes nothing."""
    actor = actor_of(request)
    ticket = found(actor, reference)
    return shown(request, actor, actions.watch_ticket(actor=actor, ticket_id=ticket.pk, user_id=_watcher(actor, who), now=clock.now()))


@router.delete("/{reference}/watchers/{who}", response={204: None}, summary="Stop watching a ticket")
def unwatch(request: HttpRequest, reference: str, who: str) -> HttpResponse:
    """`who` is a person's id or `me`."""
    actor = actor_of(request)
    ticket = found(actor, reference)
    actions.unwatch_ticket(actor=actor, ticket_id=ticket.pk, user_id=_watcher(actor, who), now=clock.now())
    return nothing()
