"""Comments to the requester, private work notes, mentions, watchers."""

import re
from collections.abc import Iterable
from datetime import datetime

from django.db import transaction
from django.db.models import Value
from django.db.models.functions import Lower, StrIndex, Substr

from pilothouse.people.models import User
from pilothouse.people.queries import actor_of
from pilothouse.platform import journal
from pilothouse.platform.access import Actor, Capability, Source, system
from pilothouse.platform.journal import Change, Draft, Entry
from pilothouse.platform.refusals import FieldError, Forbidden, Invalid
from pilothouse.platform.texts import is_plain_text
from pilothouse.tickets.access import get_ticket, sees
from pilothouse.tickets.actions.changing import move_ticket
from pilothouse.tickets.engine.replay import COMMENTED, NOTED
from pilothouse.tickets.models import Ticket

_MENTION = re.compile(r"(?<![\w@.])@([\w.+-]{1,64}\w)")
_LONGEST = 100_000
_MOST_MENTIONS = 20


def comment_on_ticket(*, actor: Actor, ticket_id: int, text: str, now: datetime, private: bool = False) -> Entry:
    """Write a comment to the requester, or a private work note; returns its journal entry.

    `@name` mentions the person of staff whose e-mail address begins so; they become watchers. A requester's answer ends a
    hold that waited for them.
    """
    if errors := _errors(text):
        raise Invalid("The comment was not sent.", errors)
    with transaction.atomic():
        ticket = get_ticket(actor, ticket_id, lock=True)
        _require_word(actor, private=private)
        mentioned = _mentioned(text, ticket) if actor.is_staff else []
        changes = _watch_changes(ticket, mentioned)
        Ticket.objects.filter(pk=ticket.pk).update(updated_at=now, watchers=ticket.watchers)
        draft = Draft("ticket", ticket.pk, NOTED if private else COMMENTED, changes, note=text.strip(), private=private)
        entry = journal.record(actor, [draft], now=now)[0]
        if _answers_hold(actor, ticket, private=private):
            _resume(actor, ticket, now)
    return entry


def _errors(text: str) -> list[FieldError]:
    if not text.strip():
        return [FieldError("text", "There is nothing to send.", "Write a comment first.")]
    if len(text) > _LONGEST or not is_plain_text(text):
        return [FieldError("text", f"At most {_LONGEST:,} characters of plain text; this has {len(text):,}.", "Attach a file instead.")]
    return []


def _require_word(actor: Actor, *, private: bool) -> None:
    if private and not actor.can(Capability.WORK_TICKETS):
        raise Forbidden("Work notes are for those who work on tickets.")
    if not actor.can(Capability.RAISE_TICKETS):
        raise Forbidden(f"Your role ({actor.role}) may read this, not write.")


def _mentioned(text: str, ticket: Ticket) -> list[int]:
    """Return the ids of active staff whom the text mentions and who may see the ticket."""
    handles = {handle.lower() for handle in _MENTION.findall(text)[:_MOST_MENTIONS]}
    if not handles:
        return []
    local = Lower(Substr("email", 1, StrIndex("email", Value("@")) - 1))
    found = User.objects.annotate(handle=local).filter(handle__in=handles, is_active=True).exclude(role="requester")
    actors = ((user_id, actor_of(user_id)) for user_id in found.values_list("id", flat=True))
    return sorted(user_id for user_id, actor in actors if actor is not None and sees(actor, ticket))


def _watch_changes(ticket: Ticket, mentioned: Iterable[int]) -> tuple[Change, ...]:
    mentioned = list(mentioned)
    if not mentioned:
        return ()
    before, ticket.watchers = ticket.watchers, sorted({*ticket.watchers, *mentioned})
    changes = [Change("mentions", None, mentioned)]
    if before != ticket.watchers:
        changes.append(Change("watchers", before, ticket.watchers))
    return tuple(changes)


def _answers_hold(actor: Actor, ticket: Ticket, *, private: bool) -> bool:
    return not private and ticket.state == "on_hold" and ticket.hold_reason == "caller" and actor.user_id == ticket.requester_id


def _resume(actor: Actor, ticket: Ticket, now: datetime) -> None:
    """Take the ticket off hold in Pilothouse's own name: the requester's role does not move tickets."""
    back = "in_progress" if ticket.assignee_id else ("assigned" if ticket.group_id else "new")
    rule = system(Source.RULE, actor.request_id)
    move_ticket(actor=rule, ticket_id=ticket.pk, state=back, now=now, note="The requester answered.")


def watch_ticket(*, actor: Actor, ticket_id: int, now: datetime, user_id: int | None = None) -> Ticket:
    """Watch a ticket, or let somebody else watch it (staff); watching twice changes nothing."""
    return _set_watch(actor, ticket_id, user_id, now, on=True)


def unwatch_ticket(*, actor: Actor, ticket_id: int, now: datetime, user_id: int | None = None) -> Ticket:
    """Stop watching a ticket, or let somebody else stop (staff)."""
    return _set_watch(actor, ticket_id, user_id, now, on=False)


def _set_watch(actor: Actor, ticket_id: int, user_id: int | None, now: datetime, *, on: bool) -> Ticket:
    who = actor.user_id if user_id is None else user_id
    if who is None or not actor.can(Capability.RAISE_TICKETS) or (who != actor.user_id and not actor.can(Capability.WORK_TICKETS)):
        raise Forbidden("You may not set who watches this ticket.")
    with transaction.atomic():
        ticket = get_ticket(actor, ticket_id, lock=True)
        if not User.objects.filter(pk=who).exists():
            raise Invalid("Nothing was changed.", [FieldError("user", "There is no such person.")])
        before = ticket.watchers
        after = sorted({*before, who}) if on else sorted(set(before) - {who})
        if after != before:
            ticket.watchers = after
            ticket.save(update_fields=["watchers"])
            verb = "ticket.watched" if on else "ticket.unwatched"
            journal.record(actor, [Draft("ticket", ticket.pk, verb, (Change("watchers", before, after),))], now=now)
    return ticket
