"""Links between tickets and to elsewhere; merging duplicates."""

from datetime import datetime
from urllib.parse import urlsplit

from django.db import IntegrityError, transaction

from pilothouse.people.queries import require
from pilothouse.platform import journal
from pilothouse.platform.access import Actor, Capability
from pilothouse.platform.journal import Change, Draft
from pilothouse.platform.refusals import FieldError, GuardRefused, Invalid, Missing
from pilothouse.platform.texts import is_plain_text
from pilothouse.tickets.access import get_ticket, require_work
from pilothouse.tickets.actions.changing import move_ticket, write_changes
from pilothouse.tickets.engine.lifecycle import DESK_KINDS
from pilothouse.tickets.models import CAUSED_BY, FIXED_BY, Link, Ticket

# relation -> how the other end reads it
RELATIONS: dict[str, tuple[str, str]] = {
    "relates_to": ("relates to", "relates to"),
    "blocks": ("blocks", "is blocked by"),
    CAUSED_BY: ("is caused by", "causes"),
    "duplicates": ("duplicates", "is duplicated by"),
    "follows_up": ("follows up", "is followed up by"),
    FIXED_BY: ("is fixed by", "fixes"),
}


def link_ticket(
    *, actor: Actor, ticket_id: int, relation: str, now: datetime, target: int | str | None = None, url: str = "", label: str = ""
) -> Link:
    """Link a ticket to another (by id or number) or to an http(s) address; the same link twice is refused."""
    with transaction.atomic():
        ticket = get_ticket(actor, ticket_id, lock=True)
        require_work(actor, ticket)
        other = get_ticket(actor, target) if target is not None and target != "" else None
        errors = _link_errors(ticket, relation, other, url)
        if not is_plain_text(label):
            errors.append(FieldError("label", "This is not a text."))
        if errors:
            raise Invalid("They were not linked.", errors)
        try:
            with transaction.atomic():
                link = Link.objects.create(ticket=ticket, relation=relation, target=other, url=url, label=label[:200])
        except IntegrityError as error:
            raise Invalid("They were not linked.", [FieldError("target", "This link stands already.")]) from error
        journal.record(actor, _link_drafts(link, "ticket.linked", gone=False), now=now)
    return link


def _link_errors(ticket: Ticket, relation: str, other: Ticket | None, url: str) -> list[FieldError]:
    errors = []
    if relation not in RELATIONS:
        errors.append(FieldError("relation", "There is no such relation.", f"One of: {', '.join(RELATIONS)}."))
    if (other is None) == (url == ""):
        errors.append(FieldError("target", "A link leads to a ticket or to an address.", "Give one of them."))
    if other is not None and other.pk == ticket.pk:
        errors.append(FieldError("target", "A ticket is not linked to itself."))
    if url and not _is_address(url):
        errors.append(FieldError("url", "This is not a web address.", "It begins with https:// and has at most 500 characters."))
    return errors


def _is_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return is_plain_text(url) and url.isprintable() and len(url) <= 500 and parts.scheme in ("http", "https") and bool(parts.hostname)
    except ValueError:  # brackets that hold no address
        return False


def _link_drafts(link: Link, verb: str, *, gone: bool) -> list[Draft]:
    here = {"relation": link.relation, "ticket": link.target_id, "url": link.url, "label": link.label}
    drafts = [Draft("ticket", link.ticket_id, verb, (Change("link", here, None) if gone else Change("link", None, here),))]
    if link.target_id is not None:
        there = {"relation": f"{link.relation}:reverse", "ticket": link.ticket_id, "url": "", "label": link.label}
        drafts.append(Draft("ticket", link.target_id, verb, (Change("link", there, None) if gone else Change("link", None, there),)))
    return drafts


def unlink_ticket(*, actor: Actor, link_id: int, now: datetime) -> None:
    """Take a link back."""
    with transaction.atomic():
        link = Link.objects.filter(pk=link_id).first()
        if link is None:
            raise Missing("There is no such link.")
        require_work(actor, get_ticket(actor, link.ticket_id, lock=True))
        journal.record(actor, _link_drafts(link, "ticket.unlinked", gone=True), now=now)
        link.delete()


def merge_ticket(*, actor: Actor, ticket_id: int, into: int | str, now: datetime, note: str = "") -> Ticket:
    """Merge a duplicate into another ticket and return that one.

    The duplicate is resolved as such and closed, its requester and watchers watch the other. Neither may be merged already.
    """
    require(actor, Capability.WORK_TICKETS)
    with transaction.atomic():
        duplicate, target = _two(actor, ticket_id, into)
        if duplicate.state != "resolved":
            notes = note or f"Duplicate of {target.number}."
            duplicate = move_ticket(
                actor=actor, ticket_id=duplicate.pk, state="resolved", now=now, resolution_code="duplicate", resolution_notes=notes
            )
        values = {"merged_into": target.pk, "state": "closed", "closed_at": now}
        write_changes(actor, duplicate, values, now=now, note=note, verb="ticket.merged")
        before = target.watchers
        target.watchers = sorted({*before, *duplicate.watchers, *filter(None, [duplicate.requester_id])})
        target.updated_at = now
        target.save(update_fields=["watchers", "updated_at"])
        changes = (Change("duplicate", None, duplicate.pk), Change("watchers", before, target.watchers))
        journal.record(actor, [Draft("ticket", target.pk, "ticket.absorbed", changes)], now=now)
    return target


def _two(actor: Actor, ticket_id: int, into: int | str) -> tuple[Ticket, Ticket]:
    """Lock both tickets in the order of their ids and check that they may be merged."""
    first = get_ticket(actor, ticket_id)
    second = get_ticket(actor, into)
    if first.pk == second.pk:
        raise Invalid("They were not merged.", [FieldError("into", "A ticket is not merged into itself.")])
    if first.kind != second.kind and not {first.kind, second.kind} <= set(DESK_KINDS):
        raise Invalid("They were not merged.", [FieldError("into", f"{second.number} is of another kind.", "Link them instead.")])
    locked = {pk: get_ticket(actor, pk, lock=True) for pk in sorted((first.pk, second.pk))}
    duplicate, target = locked[first.pk], locked[second.pk]
    require_work(actor, duplicate)
    if duplicate.merged_into_id is not None or duplicate.state in ("closed", "cancelled"):
        raise GuardRefused(f"{duplicate.number} is {duplicate.state} already.")
    if target.merged_into_id is not None or target.state in ("closed", "cancelled"):
        raise GuardRefused(f"{target.number} is {target.state}: merge into an open ticket.")
    return duplicate, target
