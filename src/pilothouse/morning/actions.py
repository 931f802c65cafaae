"""The only writers of reviews: starting, marking lines, ending; nudging; when one is mailed. Each journals."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from django.db import transaction

from pilothouse.morning.engine import spans
from pilothouse.morning.models import MailTime, Mark, Review
from pilothouse.morning.queries import LASTS, nudged, read_key, since_of
from pilothouse.notifications.actions import notify_people
from pilothouse.people.models import User
from pilothouse.people.queries import require
from pilothouse.platform import journal
from pilothouse.platform.access import Actor, Capability
from pilothouse.platform.journal import Change, Draft, Entry
from pilothouse.platform.refusals import FieldError, GuardRefused, Invalid, Missing
from pilothouse.tickets import actions as tickets
from pilothouse.tickets.access import get_ticket
from pilothouse.tickets.queries import zone_of

NUDGE = "morning.nudge"


def start_review(*, actor: Actor, now: datetime) -> Review:
    """Return the actor's open review, or start one; from when it counts is fixed now."""
    require(actor, Capability.WORK_TICKETS)
    if actor.user_id is None:
        raise Invalid("A review is a person's.")
    with transaction.atomic():
        User.objects.select_for_update().get(pk=actor.user_id)  # two first marks at once start one review
        start, open_one, _ = since_of(actor, now)
        if open_one is not None:
            return open_one
        made = Review.objects.create(person_id=actor.user_id, since_at=start, started_at=now)
        draft = Draft("review", made.pk, "review.started", (Change("since", None, start.isoformat()),))
        journal.record(actor, [draft], now=now, new=True)
    return made


def mark_line(*, actor: Actor, key: str, now: datetime, how: str = "done", request_id: str = "") -> Mark:
    """Mark a line of the review as done and say how; once more says anew how. `request_id` names what undoing takes back."""
    section, ticket_id = read_key(key)
    with transaction.atomic():
        review = start_review(actor=actor, now=now)
        ticket = get_ticket(actor, ticket_id)
        values = {"review": review, "section": section, "ticket": ticket, "how": how[:200], "request_id": request_id, "marked_at": now}
        made, _ = Mark.objects.update_or_create(person_id=actor.user_id, key=key, defaults=values)
        changes = (Change("line", None, section), Change("ticket", None, ticket.pk), Change("how", None, made.how))
        journal.record(actor, [Draft("review", review.pk, "review.line_done", changes)], now=now)
    return made


def unmark_line(*, actor: Actor, key: str, now: datetime) -> str:
    """Take back a mark and the changes that doing the line made; returns why a change could not be taken back, or "".

    What is said or told (a comment, a nudge, an acknowledgement) stays.
    """
    require(actor, Capability.WORK_TICKETS)
    section, ticket_id = read_key(key)
    with transaction.atomic():
        mark = Mark.objects.select_for_update().filter(person_id=actor.user_id or 0, key=key).first()
        if mark is None:
            raise Missing("This line is not marked as done.")
        refused = ""
        if mark.request_id:
            whose = actor.through(actor.source)
            refused = tickets.undo_changes(actor=whose, ticket_ids=[ticket_id], request_id=mark.request_id, now=now).get(ticket_id, "")
        changes = (Change("line", section, None), Change("ticket", ticket_id, None), Change("how", mark.how, None))
        review_id = mark.review_id
        mark.delete()
        journal.record(actor, [Draft("review", review_id, "review.line_undone", changes)], now=now)
    return refused


def finish_review(*, actor: Actor, counts: Mapping[str, int], now: datetime) -> Review:
    """End the actor's review, starting it if nothing was marked; the next one counts from now. `counts` are what stood in it."""
    if wrong := [name for name, count in counts.items() if not isinstance(count, int) or count < 0]:
        raise GuardRefused(f"Counts are whole numbers: {', '.join(wrong)}.")
    with transaction.atomic():
        review = start_review(actor=actor, now=now)
        review.finished_at, review.counts = now, {**counts, "done": Mark.objects.filter(review=review).count()}
        review.save(update_fields=["finished_at", "counts"])
        Mark.objects.filter(person_id=actor.user_id, marked_at__lt=now - LASTS).delete()
        changes = tuple(Change(name, None, count) for name, count in sorted(review.counts.items()))
        journal.record(actor, [Draft("review", review.pk, "review.finished", changes)], now=now)
    return review


def nudge_ticket(*, actor: Actor, ticket_id: int, text: str, now: datetime) -> Entry:
    """Nudge whoever has a ticket: a private note on it, and word to the assignee, or the group's leads, or its members."""
    with transaction.atomic():
        ticket = get_ticket(actor, ticket_id)
        people = nudged(ticket)
        if not people:
            raise Invalid("Nobody was nudged.", [FieldError("text", "Nobody has this ticket.", "Assign it instead.")])
        entry = tickets.comment_on_ticket(actor=actor, ticket_id=ticket_id, text=text, private=True, now=now)
        notify_people(
            actor=actor,
            people=[person.pk for person in people if person.pk != actor.user_id],
            kind=NUDGE,
            subject=f"{actor.name} asks about {ticket.number}: {ticket.title}",
            text=text,
            path=f"/tickets/{ticket.number}",
            dedup_key=f"nudge:{entry.id}",
            about=("ticket", ticket.pk),
            now=now,
        )
    return entry


def set_mail_time(*, actor: Actor, minute: int | None, days: Iterable[int] = (1, 2, 3, 4, 5), now: datetime) -> MailTime | None:
    """Let oneself be mailed the review at so many minutes past midnight on these ISO weekdays, in one's zone; None ends it."""
    require(actor, Capability.READ_TICKETS)
    if actor.user_id is None:
        raise Invalid("Mail goes to a person.")
    days = sorted(set(days))
    if minute is not None and (not 0 <= minute < 1440 or not days or not set(days) <= set(range(1, 8))):
        raise Invalid("Nothing was changed.", [FieldError("days", "Choose a time of day and at least one weekday.")])
    with transaction.atomic():
        before = MailTime.objects.select_for_update().filter(pk=actor.user_id).first()
        was = _said(before) if before and before.next_at else None
        after = _kept(actor, before, minute, days, now)
        change = Change("morning_mail", was, _said(after) if after else None)
        if change.before != change.after:
            journal.record(actor, [Draft("person", actor.user_id, "person.morning_mail_set", (change,))], now=now)
    return after


def _kept(actor: Actor, before: MailTime | None, minute: int | None, days: list[int], now: datetime) -> MailTime | None:
    if minute is None:
        MailTime.objects.filter(pk=actor.user_id).update(next_at=None)
        return None
    values: dict[str, Any] = {"minute": minute, "days": days, "next_at": spans.next_at(now, minute, days, zone_of(actor))}
    return MailTime.objects.update_or_create(person_id=actor.user_id, defaults=values)[0]


def _said(mail: MailTime) -> str:
    return f"{spans.clock(mail.minute)} {spans.days_in_words(mail.days)}"
