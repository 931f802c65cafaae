"""Tickets: open, read, list by the queue language, change, move, follow up."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from django.http import HttpRequest, HttpResponse
from ninja import Router
from pydantic import Field

from pilothouse.people.models import User
from pilothouse.platform import clock
from pilothouse.platform.access import Actor
from pilothouse.platform.models import JournalEntry
from pilothouse.platform.refusals import FieldError, GuardRefused, Invalid
from pilothouse.platform.rest import (
    MAX_ID,
    MOST_ITEMS,
    EntryPage,
    actor_of,
    answer,
    chosen,
    entry_shape,
    expected_version,
    items,
    listing,
)
from pilothouse.tickets import actions, queries
from pilothouse.tickets.access import get_ticket
from pilothouse.tickets.engine import fields as declared
from pilothouse.tickets.engine.queue_language import Mistake
from pilothouse.tickets.models import Ticket
from pilothouse.tickets.rest import shapes
from pilothouse.tickets.rest.bodies import FollowUp, TicketChange, TicketIn, TicketsIn, Transition
from pilothouse.tickets.rest.references import resolved

router = Router(tags=["Tickets"])
Limit = Annotated[int, Field(ge=1, le=MOST_ITEMS)]
_LISTED = ("id", "version", *shapes.LIST_FIELDS, *shapes.UNLISTED_FIELDS)


class QueryRefused(Invalid):
    """The query has a mistake; the place and the mended query are told with it."""

    def __init__(self, text: str, mistake: Mistake) -> None:
        super().__init__(mistake.reason, [FieldError("q", mistake.message, mistake.hint)])
        self.more = {"at": mistake.at, "length": mistake.length, "suggestion": mistake.suggestion, "mended": mistake.mended(text)}


def found(actor: Actor, reference: str, *, lock: bool = False) -> Ticket:
    """Return the ticket of an address, by id or number."""
    by_id = reference.isascii() and reference.isdigit()
    if by_id and (len(reference) > 19 or int(reference) > MAX_ID):
        return get_ticket(actor, 0)
    return get_ticket(actor, int(reference) if by_id else reference.replace("\x00", "")[:40], lock=lock)


def shown(request: HttpRequest, actor: Actor, ticket: Ticket, *, status: int = 200) -> HttpResponse:
    """Answer with a ticket, its version's tag, and where it lies when it is new."""
    location = f"/api/v1/tickets/{ticket.pk}" if status == 201 else ""
    return answer(request, shapes.ticket_shape(actor, ticket), status=status, version=ticket.version, location=location)


@router.get("", response=shapes.TicketPage, summary="List tickets by the queue language")
def list_tickets(
    request: HttpRequest,
    q: Annotated[str, Field(max_length=1000, description="For instance: state:open group:network priority<=2 sort:-priority")] = "",
    cursor: Annotated[str, Field(max_length=2000)] = "",
    limit: Limit = 50,
    fields: Annotated[str, Field(max_length=1000, description="Comma-separated; id, number and version always come.")] = "",
) -> HttpResponse:
    """One page of the tickets that you may see. Follow `next_cursor` (or the Link header) for the next: nothing repeats or is
    skipped, however many tickets arrive meanwhile."""
    actor = actor_of(request)
    wanted = chosen(fields, _LISTED) if fields.strip() else list(shapes.DEFAULT_LIST)
    columns = [key for key in wanted if key in declared.BY_KEY] or ["number"]
    page = queries.list_tickets(actor, q, now=clock.now(), cursor=cursor, limit=limit, columns=columns)
    if page.error is not None:
        raise _list_refused(q, cursor, page.error)
    unlisted = _unlisted(page.rows, [key for key in wanted if key in shapes.UNLISTED_FIELDS])
    return items(request, [shapes.row_shape(row, wanted, unlisted.get(row.id, {})) for row in page.rows], page.next_cursor)


def _list_refused(text: str, cursor: str, mistake: Mistake) -> Invalid:
    if cursor and mistake.reason.startswith("This page belongs"):
        return Invalid(mistake.reason, [FieldError("cursor", mistake.reason, mistake.hint)])
    return QueryRefused(text, mistake)


def _unlisted(rows: Sequence[queries.Row], names: Sequence[str]) -> Mapping[int, Mapping[str, Any]]:
    """Read the long fields that lists do not carry as columns, in one query when any is wanted."""
    if not names or not rows:
        return {}
    return {row.pop("pk"): row for row in Ticket.objects.filter(pk__in=[row.id for row in rows]).values("pk", *names)}


@router.post("", response={201: shapes.TicketOut}, summary="Open a ticket")
def create_ticket(request: HttpRequest, body: TicketIn) -> HttpResponse:
    """Open an incident or a service request. The requester is yourself unless named; the priority comes from the matrix."""
    actor = actor_of(request)
    (values,) = _openable(actor, [body])
    ticket = actions.open_ticket(actor=actor, now=clock.now(), **values)
    return shown(request, actor, ticket, status=201)


@router.post("/bulk", response={201: shapes.OpenedPage}, summary="Open up to 1,000 tickets, all or none")
def create_tickets(request: HttpRequest, body: TicketsIn) -> HttpResponse:
    """Open many tickets in one transaction. One wrong ticket refuses all; each error is located: `tickets[3].title`."""
    actor = actor_of(request)
    values = _openable(actor, body.tickets, bulk=True)
    _refuse_known(values)
    made = actions.open_tickets(actor=actor, tickets=values, now=clock.now())
    return answer(request, {"tickets": [shapes.opened_shape(ticket) for ticket in made]}, status=201)


def _openable(actor: Actor, bodies: Sequence[TicketIn], *, bulk: bool = False) -> Sequence[dict[str, Any]]:
    """Return what the action takes: ids for names; a null that means "choose for me" is left out."""
    rows = [{name: value for name, value in body.given().items() if value is not None} for body in bodies]
    watchers = {watcher for row in rows for watcher in row.get("watchers", ())}
    if watchers and (unknown := watchers - set(User.objects.filter(pk__in=watchers).values_list("pk", flat=True))):
        raise Invalid("The ticket was not opened.", [FieldError("watchers", f"There is no person {min(unknown)}.")])
    return resolved(actor, rows, bulk=bulk)


def _refuse_known(rows: Sequence[dict[str, Any]]) -> None:
    """Locate the tickets of other systems that are here already, or twice in the request; the action would name none of them."""
    sent = [(row.get("external_system", ""), row["external_id"]) if row.get("external_id") else None for row in rows]
    if not any(sent):
        return
    here = Ticket.objects.filter(external_id__in=[each[1] for each in sent if each]).values_list("external_system", "external_id")
    seen, text = set(here), "A ticket of this other system's number is here already."
    errors = []
    for at, each in enumerate(sent):
        if each is not None and each in seen:
            errors.append(FieldError(f"tickets[{at}].external_id", text, "Change that one instead."))
        elif each is not None:
            seen.add(each)
    if errors:
        raise GuardRefused("No ticket was opened.", errors)


@router.get("/{reference}", response=shapes.TicketOut, summary="Read a ticket")
def read_ticket(request: HttpRequest, reference: str, fields: Annotated[str, Field(max_length=1000)] = "") -> HttpResponse:
    """A ticket by id or number. `fields=` may also name its figures: reassignment_count, bounce_count, reopen_count, …"""
    actor = actor_of(request)
    ticket = found(actor, reference)
    wanted = chosen(fields, (*shapes.OWN_FIELDS, *shapes.STORY_FIELDS)) if fields.strip() else list(shapes.OWN_FIELDS)
    shape = shapes.ticket_shape(actor, ticket)
    figures = [name for name in wanted if name in shapes.STORY_FIELDS]
    if figures:
        (row,) = queries.rows_of([ticket.pk], queries.columns_of(figures))
        shape |= {declared.BY_KEY[key].key: shapes.value_shape(row.values[declared.BY_KEY[key].name]) for key in figures}
    return answer(request, {"id": ticket.pk, **{name: shape[name] for name in wanted}}, version=ticket.version)


@router.patch("/{reference}", response=shapes.TicketOut, summary="Change a ticket's fields")
def change_ticket(request: HttpRequest, reference: str, body: TicketChange) -> HttpResponse:
    """Change what you name. If-Match is required (428 without it); 412 brings both sides when somebody was quicker."""
    actor = actor_of(request)
    version = expected_version(request, required=True)
    ticket = found(actor, reference)
    (changes,) = resolved(actor, [body.given("note")])
    changed = actions.change_ticket(
        actor=actor, ticket_id=ticket.pk, changes=changes, now=clock.now(), expected_version=version, note=body.note
    )
    return shown(request, actor, changed)


@router.post("/{reference}/transition", response=shapes.TicketOut, summary="Move a ticket to another state")
def move_ticket(request: HttpRequest, reference: str, body: Transition) -> HttpResponse:
    """Move to new, assigned, in_progress, on_hold, resolved, closed or cancelled. 409 says what the move lacks."""
    actor = actor_of(request)
    version = expected_version(request)
    ticket = found(actor, reference)
    (more,) = resolved(actor, [body.given("note", "state")])
    moved = actions.move_ticket(
        actor=actor, ticket_id=ticket.pk, state=body.state, now=clock.now(), note=body.note, expected_version=version, **more
    )
    return shown(request, actor, moved)


@router.post("/{reference}/follow-up", response={201: shapes.TicketOut}, summary="Follow up a closed ticket")
def follow_up(request: HttpRequest, reference: str, body: FollowUp) -> HttpResponse:
    """Open a new ticket that carries the facts of a closed or cancelled one and is linked to it."""
    actor = actor_of(request)
    ticket = found(actor, reference)
    made = actions.follow_up_ticket(actor=actor, ticket_id=ticket.pk, now=clock.now(), description=body.description)
    return shown(request, actor, made, status=201)


@router.get("/{reference}/journal", response=EntryPage, summary="Read a ticket's journal")
def read_journal(
    request: HttpRequest, reference: str, cursor: Annotated[str, Field(max_length=2000)] = "", limit: Limit = 50
) -> HttpResponse:
    """Everything that happened to a ticket, oldest first; private notes are for staff."""
    actor = actor_of(request)
    return listing(request, entries_of(actor, found(actor, reference)), entry_shape, keys=("seq",), cursor=cursor, limit=limit)


def entries_of(actor: Actor, ticket: Ticket) -> Any:
    """Return the entries of a ticket's journal that an actor may read."""
    entries = JournalEntry.objects.filter(kind="ticket", record_id=ticket.pk, recorded_at__gte=ticket.created_at)
    return entries if queries.reads_notes(actor) else entries.filter(private=False)
