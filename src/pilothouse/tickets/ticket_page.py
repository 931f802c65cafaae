"""What the ticket page shows, gathered once: facts, conversation, relations, and the acts that its state and its reader allow."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models import Q

from pilothouse.people.models import User
from pilothouse.people.queries import names
from pilothouse.platform.access import Actor, Capability
from pilothouse.tickets import side_panels
from pilothouse.tickets import timeline as journal_lines
from pilothouse.tickets.access import get_ticket, may_work, visible
from pilothouse.tickets.actions.relating import RELATIONS
from pilothouse.tickets.acts import Act, offered
from pilothouse.tickets.forms import CommentForm, DeskForm, FollowUpForm, LinkForm, MergeForm
from pilothouse.tickets.models import CAUSED_BY, Attachment, Link, Ticket, TicketStory

_PEOPLE, _TICKETS = ("requester", "opened_by", "assignee"), ("parent", "merged_into")
SHOWN_AT_ONCE = 200
HOMES: dict[str, tuple[str, str]] = {}  # by kind: the list that its page leads back to (words, URL name); rooms above add theirs


@dataclass(frozen=True, slots=True)
class Offer:
    """An act as the page offers it: its form, and whether it stands open because it was refused."""

    act: Act
    form: DeskForm | None
    open: bool = False


_MOST_IN_ROW, _LIKELIEST = 7, 3


@dataclass(frozen=True, slots=True)
class Related:
    """A line of the links card."""

    words: str
    ticket: Ticket | None
    url: str
    label: str
    link_id: int


def read(actor: Actor, number: str) -> Ticket:
    """Read a ticket with everything its page names; Missing to whom may not see it."""
    return _with_relations(actor, get_ticket(actor, number))


def read_by_id(actor: Actor, ticket_id: int) -> Ticket:
    """Read a ticket by its id, as `read` does by its number."""
    return _with_relations(actor, get_ticket(actor, ticket_id))


def _with_relations(actor: Actor, ticket: Ticket) -> Ticket:
    """Read what the ticket points at. One join of ten tables costs PostgreSQL more to plan than these few looks by key.

    A parent, or the ticket it was merged into, that the actor may not see is left out.
    """
    known = ticket._state.fields_cache
    people = User.objects.in_bulk({pk for name in _PEOPLE if (pk := getattr(ticket, f"{name}_id"))})
    tickets = Ticket.objects.filter(visible(actor)).in_bulk({pk for name in _TICKETS if (pk := getattr(ticket, f"{name}_id"))})
    for name in _PEOPLE:
        known[name] = people.get(getattr(ticket, f"{name}_id"))
    for name in _TICKETS:
        known[name] = tickets.get(getattr(ticket, f"{name}_id"))
    return ticket


def context(actor: Actor, ticket: Ticket, chosen: Mapping[str, str], *, refused: Mapping[str, DeskForm] | None = None) -> dict[str, Any]:
    """Gather the page; `chosen` holds the timeline's filters, `refused` the bound form of an act that did not go through."""
    lines = journal_lines.timeline(actor, ticket)
    kept = journal_lines.chosen(lines, chosen.get("show", "all"), chosen.get("verb", ""))
    works = may_work(actor, ticket)
    forms = refused or {}
    return {
        "ticket": ticket,
        "story": getattr(ticket, "story", None) or TicketStory(ticket=ticket),
        "lines": kept if chosen.get("whole") else kept[:SHOWN_AT_ONCE],
        "hidden_lines": 0 if chosen.get("whole") else max(0, len(kept) - SHOWN_AT_ONCE),
        "show": chosen.get("show", "all"),
        "verb": chosen.get("verb", ""),
        "verbs": journal_lines.verbs(lines),
        "filters": journal_lines.FILTERS,
        "may_work": works,
        "may_comment": actor.can(Capability.RAISE_TICKETS),
        "may_note": actor.can(Capability.WORK_TICKETS),
        **_toolbar(offers(actor, ticket, forms) if works else [], forms),
        "composer": forms.get("comment") or CommentForm(initial={"audience": _audience(actor, ticket)}),
        "link_form": forms.get("link") or LinkForm(),
        "merge_form": forms.get("merge") or MergeForm(),
        "follow_up_form": forms.get("follow-up") or FollowUpForm(),
        "refused": set(forms),
        "home": HOMES.get(ticket.kind, ("Queue", "queue")),
        "panels": side_panels.gather(actor, ticket),
        "main_panels": side_panels.gather(actor, ticket, main=True),
        **_around(actor, ticket),
    }


def _toolbar(found: list[Offer], refused: Mapping[str, DeskForm]) -> dict[str, Any]:
    """Part the acts: where there are too many for one row, the likeliest stand there and the others under More."""
    shown = found if len(found) <= _MOST_IN_ROW else found[:_LIKELIEST]
    more = found[len(shown) :]
    return {"offers": shown, "more_offers": more, "more_is_open": any(offer.open for offer in more) or "merge" in refused}


def _audience(actor: Actor, ticket: Ticket) -> str:
    """Where nobody waits for a reply, what is written is for colleagues unless one says otherwise."""
    return "note" if ticket.requester_id is None and actor.can(Capability.WORK_TICKETS) else "reply"


def offers(actor: Actor, ticket: Ticket, refused: Mapping[str, DeskForm]) -> list[Offer]:
    """Give the acts that the ticket's state allows, each with a fresh form or the refused one."""
    acts = [act for act in offered(ticket) if act.name != "take" or ticket.assignee_id != actor.user_id]
    return [_offer(actor, ticket, act, refused.get(act.name)) for act in acts]


def _offer(actor: Actor, ticket: Ticket, act: Act, refused: DeskForm | None) -> Offer:
    if act.form is None or refused is not None:
        return Offer(act, refused, open=refused is not None)
    initial = {
        "impact": ticket.impact,
        "urgency": ticket.urgency,
        "hold_reason": ticket.hold_reason,
        "hold_until": ticket.hold_until,
        "resolution_code": ticket.resolution_code,
        "resolution_notes": ticket.resolution_notes,
        "group": ticket.group_id,
        **(act.initial(ticket) if act.initial else {}),
    }
    return Offer(act, act.form(initial=initial, zone=actor.time_zone, auto_id=f"{act.name}_%s"))


def _around(actor: Actor, ticket: Ticket) -> dict[str, Any]:
    """Gather what hangs on the ticket and what stands beside it; only what the actor may see."""
    seen = Ticket.objects.filter(visible(actor))
    below = list(seen.filter(Q(parent_id=ticket.pk) | Q(merged_into_id=ticket.pk)).order_by("id")[:100])
    return {
        "links": _links(actor, ticket),
        "children": [each for each in below if each.parent_id == ticket.pk],
        "duplicates": [each for each in below if each.merged_into_id == ticket.pk],
        "attachments": list(Attachment.objects.filter(ticket_id=ticket.pk).select_related("added_by").order_by("id")),
        "watchers": sorted(names(ticket.watchers).values()) if ticket.watchers else [],
        "watching": actor.user_id in ticket.watchers,
        "same_ci": list(seen.filter(ci_id=ticket.ci_id).exclude(pk=ticket.pk).order_by("-updated_at")[:5]) if ticket.ci_id else [],
    }


def _links(actor: Actor, ticket: Ticket) -> list[Related]:
    """Read the links of both directions; one whose other end the actor may not see is left out."""
    rows = Link.objects.filter(Q(ticket_id=ticket.pk) | Q(target_id=ticket.pk)).order_by("id")
    if ticket.kind == "problem":  # its incidents, which may be thousands, stand in a panel of their own
        rows = rows.exclude(target_id=ticket.pk, relation=CAUSED_BY)
    links = list(rows)
    links.sort(key=lambda link: link.ticket_id != ticket.pk)
    others = {link: link.target_id if link.ticket_id == ticket.pk else link.ticket_id for link in links}
    seen = Ticket.objects.filter(visible(actor)).in_bulk({pk for pk in others.values() if pk})
    return [_related(ticket, link, seen.get(other or 0)) for link, other in others.items() if other is None or other in seen]


def _related(ticket: Ticket, link: Link, other: Ticket | None) -> Related:
    outward = link.ticket_id == ticket.pk
    words = RELATIONS.get(link.relation, (link.relation, link.relation))[0 if outward else 1]
    return Related(words, other, link.url, link.label, link.pk)
