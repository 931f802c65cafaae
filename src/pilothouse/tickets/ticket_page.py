"""What the ticket page shows, gathered once: facts, conversation, relations, and the acts that its state and its reader allow."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pilothouse.people.queries import names
from pilothouse.platform.access import Actor, Capability
from pilothouse.tickets import timeline as journal_lines
from pilothouse.tickets.access import get_ticket, may_work, visible
from pilothouse.tickets.acts import ACTS, OFFERED, Act
from pilothouse.tickets.forms import CommentForm, DeskForm, FollowUpForm, LinkForm, MergeForm
from pilothouse.tickets.models import Attachment, Link, Ticket, TicketStory

_RELATIONS = {
    "relates_to": ("relates to", "relates to"),
    "blocks": ("blocks", "is blocked by"),
    "caused_by": ("is caused by", "causes"),
    "duplicates": ("duplicates", "is duplicated by"),
    "follows_up": ("follows up", "is followed up by"),
}
_WITH = ("requester", "opened_by", "service", "ci", "group", "assignee", "parent", "merged_into", "story")
SHOWN_AT_ONCE = 200


@dataclass(frozen=True, slots=True)
class Offer:
    """An act as the page offers it: its form, and whether it stands open because it was refused."""

    act: Act
    form: DeskForm | None
    open: bool = False


@dataclass(frozen=True, slots=True)
class Related:
    """A line of the links card."""

    words: str
    ticket: Ticket | None
    url: str
    label: str
    link_id: int


def read(actor: Actor, number: str) -> Ticket:
    """Read a ticket with everything its page names, in one query; Missing to whom may not see it."""
    found = Ticket.objects.select_related(*_WITH).filter(visible(actor), number=number.upper()).first()
    return found if found is not None else get_ticket(actor, number)


def read_by_id(actor: Actor, ticket_id: int) -> Ticket:
    """Read a ticket by its id, as `read` does by its number."""
    found = Ticket.objects.select_related(*_WITH).filter(visible(actor), pk=ticket_id).first()
    return found if found is not None else get_ticket(actor, ticket_id)


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
        "offers": offers(actor, ticket, forms) if works else [],
        "composer": forms.get("comment") or CommentForm(),
        "link_form": forms.get("link") or LinkForm(),
        "merge_form": forms.get("merge") or MergeForm(),
        "follow_up_form": forms.get("follow-up") or FollowUpForm(),
        "refused": set(forms),
        **_around(actor, ticket),
    }


def offers(actor: Actor, ticket: Ticket, refused: Mapping[str, DeskForm]) -> list[Offer]:
    """Give the acts that the ticket's state allows, each with a fresh form or the refused one."""
    offered = [ACTS[name] for name in OFFERED[ticket.state]]
    if ticket.assignee_id == actor.user_id:
        offered = [act for act in offered if act.name != "take"]
    return [_offer(actor, ticket, act, refused.get(act.name)) for act in offered]


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
    }
    return Offer(act, act.form(initial=initial, zone=actor.time_zone, auto_id=f"{act.name}_%s"))


def _around(actor: Actor, ticket: Ticket) -> dict[str, Any]:
    """Gather what hangs on the ticket and what stands beside it; only what the actor may see."""
    seen = Ticket.objects.filter(visible(actor))
    return {
        "links": _links(actor, ticket),
        "children": list(seen.filter(parent_id=ticket.pk).order_by("id")[:50]),
        "duplicates": list(seen.filter(merged_into_id=ticket.pk).order_by("id")[:50]),
        "attachments": list(Attachment.objects.filter(ticket_id=ticket.pk).select_related("added_by").order_by("id")),
        "watchers": sorted(names(ticket.watchers).values()) if ticket.watchers else [],
        "watching": actor.user_id in ticket.watchers,
        "same_ci": list(seen.filter(ci_id=ticket.ci_id).exclude(pk=ticket.pk).order_by("-updated_at")[:5]) if ticket.ci_id else [],
    }


def _links(actor: Actor, ticket: Ticket) -> list[Related]:
    here = Link.objects.filter(ticket_id=ticket.pk).select_related("target").order_by("id")
    there = Link.objects.filter(target_id=ticket.pk).select_related("ticket").order_by("id")
    out = [Related(_RELATIONS.get(link.relation, (link.relation, ""))[0], link.target, link.url, link.label, link.pk) for link in here]
    back = [Related(_RELATIONS.get(link.relation, ("", link.relation))[1], link.ticket, "", link.label, link.pk) for link in there]
    ids = [related.ticket.pk for related in (*out, *back) if related.ticket]
    seen = set(Ticket.objects.filter(visible(actor), pk__in=ids).values_list("pk", flat=True)) if ids else set()
    return [related for related in (*out, *back) if related.ticket is None or related.ticket.pk in seen]
