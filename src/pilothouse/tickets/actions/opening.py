"""Opening tickets: one, or up to a thousand of which all or none come in."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import orjson
from django.db import IntegrityError, connection, transaction

from pilothouse.people.queries import require
from pilothouse.platform import journal, journal_copy
from pilothouse.platform.access import Actor, Capability, Source
from pilothouse.platform.journal import Change, Draft
from pilothouse.platform.refusals import FieldError, GuardRefused, Invalid
from pilothouse.platform.statements import copy_rows, run, wide
from pilothouse.tickets.access import get_ticket
from pilothouse.tickets.actions.fields import ATTRIBUTES, Known, journal_value, look_up, reference_errors, row_values, value_errors
from pilothouse.tickets.engine.lifecycle import DESK_KINDS, KINDS, RAISED_KINDS, TRANSITIONS, TRANSITIONS_OF, priority
from pilothouse.tickets.engine.replay import EMPTY
from pilothouse.tickets.models import Link, Ticket

_OPENED = "ticket.opened"
_REQUESTER_SETS = {
    "kind",
    "title",
    "description",
    "service",
    "ci",
    "category",
    "subcategory",
    "urgency",
    "impact",
    "extra",
    "channel",
    "requester",
}
_STAFF_SETS = _REQUESTER_SETS | {"group", "assignee", "priority", "parent", "tags", "watchers", "external_system", "external_id"}
_DEFAULT_CHANNEL = {Source.PAGE: "other", Source.MAIL: "email", Source.RULE: "monitoring"}
MOST_AT_ONCE = 1000


def open_ticket(*, actor: Actor, now: datetime, **fields: Any) -> Ticket:
    """Open an incident, a service request or a task and return it.

    `fields` are journal names: kind ("incident"), title, description, requester (default: the actor), channel, service, ci,
    category, subcategory, impact, urgency, priority (default: the matrix), group, assignee, parent, tags, watchers, extra,
    external_system and external_id. Raises Invalid with every fault at once, Forbidden.
    """
    return open_tickets(actor=actor, tickets=[fields], now=now, _single=True)[0]


def open_practice_ticket(*, actor: Actor, kind: str, now: datetime, **fields: Any) -> Ticket:
    """Open a ticket of a kind that has a room of its own (problem, change): for that room, which adds its detail in the same transaction.

    Nobody is its requester unless one is named. Raises as `open_ticket`.
    """
    given = {"requester": None, **fields, "kind": kind}
    return open_tickets(actor=actor, tickets=[given], now=now, _single=True, _kinds=(kind,))[0]


def open_tickets(
    *, actor: Actor, tickets: Sequence[Mapping[str, Any]], now: datetime, _single: bool = False, _kinds: Sequence[str] = DESK_KINDS
) -> list[Ticket]:
    """Open up to 1,000 tickets in one transaction, all or none; an error's field is `tickets[3].title`."""
    require(actor, Capability.RAISE_TICKETS)
    if len(tickets) > MOST_AT_ONCE:
        raise Invalid(
            "Too many at once.", [FieldError("tickets", f"At most {MOST_AT_ONCE:,} tickets at once; these are {len(tickets):,}.")]
        )
    if not tickets:
        return []
    rows = [_complete(actor, fields, now) for fields in tickets]
    with transaction.atomic():
        kinds = _kinds if actor.is_staff else RAISED_KINDS
        known = look_up(rows, fresh=Counter(row["kind"] for row in rows if row["kind"] in kinds))
        if errors := _errors(actor, tickets, rows, known, kinds, single=_single):
            raise Invalid("The ticket was not opened." if _single else "No ticket was opened.", errors)
        made = _insert_once(rows, known, now)
        drafts = [_draft(pk, row) for pk, row in zip(known.row_ids, rows, strict=True)]
        journal.record(actor, drafts, now=now, new=True)
    return made


def _complete(actor: Actor, fields: Mapping[str, Any], now: datetime) -> dict[str, Any]:
    """Fill in what the caller left open."""
    row = {**EMPTY, "priority": None, "channel": _channel(actor), "requester": actor.user_id, **fields}
    row |= {"opened_by": actor.user_id, "opened_at": now, "state": _first_state(row)}
    row["title"] = row["title"].strip() if isinstance(row["title"], str) else row["title"]
    return row


def _first_state(row: Mapping[str, Any]) -> str:
    """A ticket that somebody has is assigned, where its kind knows such a state; a kind that does not exist is refused elsewhere."""
    kind = row["kind"] if isinstance(row["kind"], str) else ""
    return "assigned" if (row["group"] or row["assignee"]) and "assigned" in TRANSITIONS_OF.get(kind, TRANSITIONS) else "new"


def _channel(actor: Actor) -> str:
    return "portal" if not actor.is_staff else _DEFAULT_CHANNEL.get(actor.source, "other")


def _errors(
    actor: Actor, given: Sequence[Mapping[str, Any]], rows: Sequence[dict[str, Any]], known: Known, kinds: Sequence[str], *, single: bool
) -> list[FieldError]:
    errors: list[FieldError] = []
    for i, (fields, row) in enumerate(zip(given, rows, strict=True)):
        own = _field_errors(actor, fields, kinds) + value_errors(_doubtful(row)) + reference_errors(row, known)
        where = "" if single else f"tickets[{i}]."
        errors += [FieldError(where + error.field, error.message, error.hint) for error in own]
    return errors


_NEVER_EMPTY = ("title", "channel")


def _doubtful(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values that have to be looked at: what was left as an empty ticket has it is right, but for what may not be empty."""
    doubtful = {name: value for name, value in row.items() if name not in EMPTY or value is not EMPTY[name] or name in _NEVER_EMPTY}
    if row["priority"] is None:
        del doubtful["priority"]
    return doubtful


def _field_errors(actor: Actor, fields: Mapping[str, Any], kinds: Sequence[str]) -> list[FieldError]:
    may = _STAFF_SETS if actor.is_staff else _REQUESTER_SETS
    errors = [FieldError(name, "This field is not set when a ticket is opened.") for name in fields if name not in may]
    if (kind := fields.get("kind", kinds[0])) not in kinds and isinstance(kind, str) and kind in KINDS:
        errors.append(FieldError("kind", f"No {KINDS[kind][0].lower()} is opened here.", f"One of: {', '.join(kinds)}."))
    if not actor.is_staff and fields.get("requester", actor.user_id) != actor.user_id:
        errors.append(FieldError("requester", "You raise tickets for yourself."))
    return errors


def _insert_once(rows: Sequence[dict[str, Any]], known: Known, now: datetime) -> list[Ticket]:
    """Insert; a ticket that another system's number has already brought in is refused in words."""
    if not any(row["external_id"] for row in rows):
        return _insert(rows, known, now)
    try:
        with transaction.atomic():
            return _insert(rows, known, now)
    except IntegrityError as error:
        text = "A ticket of this other system's number is here already."
        raise GuardRefused("No ticket was opened.", [FieldError("external_id", text, "Change that one instead.")]) from error


def _insert(rows: Sequence[dict[str, Any]], known: Known, now: datetime) -> list[Ticket]:
    numbers = {kind: iter(fresh) for kind, fresh in known.numbers.items()}
    for row in rows:
        row["number"] = next(numbers[row["kind"]])
        if row["priority"] is None:
            row["priority"] = priority(row["impact"], row["urgency"], known.matrix)
    stored = [[pk, *(_stored(name, row[name]) for name in EMPTY), now, now, 1] for pk, row in zip(known.row_ids, rows, strict=True)]
    if len(rows) >= journal_copy.WORTH_IT:
        copy_rows(f"tickets_ticket ({_COLUMNS})", stored)
    else:
        _insert_rows(stored)
    return [_ticket(pk, row, now) for pk, row in zip(known.row_ids, rows, strict=True)]


_ATTRIBUTES = [field.attname for field in Ticket._meta.concrete_fields]


def _ticket(pk: int, row: Mapping[str, Any], now: datetime) -> Ticket:
    values = {attribute: row[name] for name, attribute in ATTRIBUTES.items()}
    values |= {"id": pk, "created_at": now, "updated_at": now, "version": 1}
    return Ticket.from_db(connection.alias, _ATTRIBUTES, [values[attribute] for attribute in _ATTRIBUTES])


_COLUMNS = ", ".join(f'"{column}"' for column in ("id", *ATTRIBUTES.values(), "created_at", "updated_at", "version"))
_INSERT_ONE = f"INSERT INTO tickets_ticket ({_COLUMNS}) VALUES ({', '.join(['%s'] * (len(ATTRIBUTES) + 4))})"


def _stored(name: str, value: Any) -> Any:
    return orjson.dumps(value).decode() if name == "extra" else value


def _insert_rows(rows: Sequence[list[Any]]) -> None:
    for row in rows:
        run(_INSERT_ONE, [wide(value) for value in row])


def _draft(pk: int, row: Mapping[str, Any]) -> Draft:
    """Return the first entry: every field that is not empty, from null."""
    changes = [Change(name, None, journal_value(row[name])) for name, empty in EMPTY.items() if row[name] != empty]
    return Draft("ticket", pk, _OPENED, tuple(changes))


_CARRIED = ("kind", "title", "requester", "service", "ci", "category", "subcategory", "impact", "urgency", "group", "tags")


def follow_up_ticket(*, actor: Actor, ticket_id: int, now: datetime, description: str = "") -> Ticket:
    """Open a follow-up of a closed or cancelled ticket: its facts are carried over, and the two are linked."""
    with transaction.atomic():
        old = get_ticket(actor, ticket_id)
        if old.state not in ("closed", "cancelled"):
            raise GuardRefused(
                f"{old.number} is still open.", [FieldError("state", "A follow-up follows a closed ticket.", "Reopen or change this one.")]
            )
        values = row_values(old)
        carried = {name: values[name] for name in _CARRIED if actor.is_staff or name in _REQUESTER_SETS}
        if not actor.is_staff:
            carried["requester"] = actor.user_id
        carried["description"] = description or f"Follow-up of {old.number}."
        made = open_tickets(actor=actor, tickets=[carried], now=now, _single=True, _kinds=(*DESK_KINDS, old.kind))[0]
        Link.objects.create(ticket=made, relation="follows_up", target=old)
        link = Change("link", None, {"relation": "follows_up", "ticket": old.pk})
        back = Change("link", None, {"relation": "followed_up_by", "ticket": made.pk})
        drafts = [Draft("ticket", made.pk, "ticket.linked", (link,)), Draft("ticket", old.pk, "ticket.linked", (back,))]
        journal.record(actor, drafts, now=now)
    return made
