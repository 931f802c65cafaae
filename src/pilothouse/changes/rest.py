"""Changes over REST: list, read, open, plan, move. A change is a ticket too: what is said on it and attached is under /tickets."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any

from django.db.models import Prefetch, QuerySet
from django.http import HttpRequest, HttpResponse
from ninja import Router
from pydantic import BaseModel, Field

from pilothouse.changes import actions, listing
from pilothouse.changes.engine.detail import EMPTY, TYPES
from pilothouse.changes.engine.planning import LONGEST_PLAN, MOST_CIS
from pilothouse.changes.models import AffectedCI, Change
from pilothouse.people.queries import require
from pilothouse.platform import clock, rest
from pilothouse.platform.access import Actor, Capability
from pilothouse.platform.refusals import FieldError, Invalid, Missing
from pilothouse.platform.rest import MOST_ITEMS, Body, Instant, Ref, Reference, actor_of, answer, expected_version, only
from pilothouse.tickets.engine.lifecycle import TRANSITIONS_OF
from pilothouse.tickets.models import Ticket
from pilothouse.tickets.rest.bodies import Grade, Note, Text
from pilothouse.tickets.rest.records import found
from pilothouse.tickets.rest.references import resolved

router = Router(tags=["Changes"])
Limit = Annotated[int, Field(ge=1, le=MOST_ITEMS)]
Word = Annotated[str, Field(max_length=16)]
Plan = Annotated[str, Field(max_length=LONGEST_PLAN)]
_STATES = tuple(TRANSITIONS_OF["change"])
_DETAIL = tuple(name for name in EMPTY if name != "cis")


class ChangeOut(BaseModel):
    """A change: its ticket's facts and its detail; `cis` has the ticket's own CI first."""

    id: int
    number: str
    version: int
    title: str
    description: str
    state: str
    priority: int
    impact: int
    urgency: int
    service: Ref | None
    group: Ref | None
    assignee: Ref | None
    cis: list[Ref]
    type: str
    risk: str
    reason: str
    implementation_plan: str
    rollback_plan: str
    planned_start_at: datetime | None
    planned_end_at: datetime | None
    actual_start_at: datetime | None
    actual_end_at: datetime | None
    outcome: str
    opened_at: datetime
    updated_at: datetime
    closed_at: datetime | None
    external_system: str
    external_id: str


class ChangePage(BaseModel):
    """A page of changes, the newest first."""

    items: list[ChangeOut]
    next_cursor: str | None


class ChangeFacts(Body):
    """What a new change and a changed one have in common; an id or a name is understood for every reference."""

    description: Text = ""
    impact: Grade = 3
    urgency: Grade = 3
    service: Reference | None = None
    group: Reference | None = None
    assignee: Reference | None = None
    cis: Annotated[list[Reference], Field(default_factory=list, max_length=MOST_CIS)]
    type: Word = "normal"
    risk: Word = ""
    reason: Plan = ""
    implementation_plan: Plan = ""
    rollback_plan: Plan = ""
    planned_start_at: Instant | None = None
    planned_end_at: Instant | None = None
    actual_start_at: Instant | None = None
    actual_end_at: Instant | None = None
    outcome: Word = ""


class ChangeIn(ChangeFacts):
    """A new change."""

    title: Annotated[str, Field(min_length=1, max_length=250)]


class ChangePatch(ChangeFacts):
    """Fields to change; what is not named stays. A note goes into the journal beside the change."""

    title: Annotated[str, Field(min_length=1, max_length=250)] = ""
    note: Note = ""


class ChangeMove(Body):
    """A move to another state, with what it brings along."""

    state: Word
    note: Note = ""
    planned_start_at: Instant | None = None
    planned_end_at: Instant | None = None
    actual_start_at: Instant | None = None
    actual_end_at: Instant | None = None
    outcome: Word = ""


@router.get("/changes", response=ChangePage, summary="List changes")
def list_changes(
    request: HttpRequest,
    q: Annotated[str, Field(max_length=200, description="Words of the title, the number, a CI's or the service's name.")] = "",
    state: Annotated[str, Field(max_length=16, description=f"One of: {', '.join(_STATES)}.")] = "",
    type: Annotated[str, Field(max_length=16, description=f"One of: {', '.join(TYPES)}.")] = "",  # noqa: A002  the query's name
    ci: Annotated[int | None, Field(ge=1, le=rest.MAX_ID, description="The id of a CI that it touches.")] = None,
    service: Annotated[int | None, Field(ge=1, le=rest.MAX_ID, description="The id of its service.")] = None,
    cursor: Annotated[str, Field(max_length=2000)] = "",
    limit: Limit = 50,
    fields: Annotated[str, Field(max_length=1000)] = "",
) -> HttpResponse:
    """The changes that you may see, the newest first."""
    actor = actor_of(request)
    require(actor, Capability.READ_TICKETS)
    _require_known("state", state, _STATES)
    _require_known("type", type, TYPES)
    wanted = listing.Asked("all", q.strip().replace("\x00", ""), type, ci, service)
    rows = listing.narrowed(actor, wanted)
    rows = rows.filter(ticket__state=state) if state else rows
    return rest.listing(request, _whole(rows), _shape, keys=("ticket_id",), descending=True, cursor=cursor, limit=limit, fields=fields)


def _require_known(name: str, value: str, known: Sequence[str] | Mapping[str, str]) -> None:
    if value and value not in known:
        raise Invalid(f"There is no {name} “{value}”.", [FieldError(name, "It is not known.", f"One of: {', '.join(known)}.")])


@router.post("/changes", response={201: ChangeOut}, summary="Open a change")
def create_change(request: HttpRequest, body: ChangeIn) -> HttpResponse:
    """Open a change with its plan as far as it is known."""
    actor = actor_of(request)
    fields, plan = _parted(actor, body.given())
    given = {name: value for name, value in fields.items() if value is not None}
    made = actions.open_change(actor=actor, now=clock.now(), plan=plan, **given)
    return _shown(request, made, status=201)


@router.get("/changes/{reference}", response=ChangeOut, summary="Read a change")
def read_change(request: HttpRequest, reference: str, fields: Annotated[str, Field(max_length=1000)] = "") -> HttpResponse:
    """A change by id or number."""
    return _shown(request, _change(actor_of(request), reference), fields=fields)


@router.patch("/changes/{reference}", response=ChangeOut, summary="Plan a change")
def plan_change(request: HttpRequest, reference: str, body: ChangePatch) -> HttpResponse:
    """Change what you name. If-Match is required (428 without it); 412 brings both sides when somebody was quicker."""
    actor = actor_of(request)
    version = expected_version(request, required=True)
    ticket = _change(actor, reference)
    fields, plan = _parted(actor, body.given("note"))
    changed = actions.plan_change(
        actor=actor, ticket_id=ticket.pk, plan=plan, fields=fields, now=clock.now(), expected_version=version, note=body.note
    )
    return _shown(request, changed)


@router.post("/changes/{reference}/transition", response=ChangeOut, summary="Move a change to another state")
def move_change(request: HttpRequest, reference: str, body: ChangeMove) -> HttpResponse:
    """Move to new, assessed, scheduled, in_progress, closed or cancelled. 409 says what the move lacks."""
    actor = actor_of(request)
    version = expected_version(request)
    ticket = _change(actor, reference)
    moved = actions.move_change(
        actor=actor,
        ticket_id=ticket.pk,
        state=body.state,
        now=clock.now(),
        note=body.note,
        plan=body.given("note", "state"),
        expected_version=version,
    )
    return _shown(request, moved)


def _change(actor: Actor, reference: str) -> Ticket:
    ticket = found(actor, reference)
    if ticket.kind != "change":
        raise Missing(f"There is no change {reference}, or you may not see it.")
    return ticket


def _parted(actor: Actor, given: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Part what was sent into the ticket's fields and the plan's, with ids in place of names."""
    plan = {name: value for name, value in given.items() if name in EMPTY}
    (fields,) = resolved(actor, [{name: value for name, value in given.items() if name not in EMPTY}])
    if "cis" in plan:
        plan["cis"] = _ids_of(actor, plan["cis"])
    return dict(fields), plan


def _ids_of(actor: Actor, cis: Sequence[int | str]) -> list[int]:
    try:
        return [row["ci"] for row in resolved(actor, [{"ci": each} for each in cis], bulk=True)]
    except Invalid as fault:
        errors = [FieldError(e.field.replace("tickets[", "cis[").removesuffix(".ci"), e.message, e.hint) for e in fault.errors]
        raise Invalid(fault.message, errors) from fault


def _whole(rows: "QuerySet[Change]") -> "QuerySet[Change]":
    touched = Prefetch("affected", queryset=AffectedCI.objects.select_related("ci").order_by("id"))
    return rows.select_related("ticket__service", "ticket__group", "ticket__assignee").prefetch_related(touched)


def _shown(request: HttpRequest, ticket: Ticket, *, status: int = 200, fields: str = "") -> HttpResponse:
    change = _whole(Change.objects.filter(pk=ticket.pk)).first() or Change(ticket=ticket)
    location = f"/api/v1/changes/{ticket.pk}" if status == 201 else ""
    return answer(request, only(_shape(change), fields), status=status, version=change.ticket.version, location=location)


def _shape(change: Change) -> dict[str, Any]:
    ticket = change.ticket
    plain = ("number", "version", "title", "description", "state", "priority", "impact", "urgency")
    own = ("opened_at", "updated_at", "closed_at", "external_system", "external_id")
    return {
        "id": ticket.pk,
        **{name: getattr(ticket, name) for name in plain},
        **{name: rest.ref(getattr(ticket, name)) for name in ("service", "group", "assignee")},
        "cis": [rest.ref(each.ci) for each in change.affected.all()],
        **{name: getattr(change, name) for name in _DETAIL},
        **{name: getattr(ticket, name) for name in own},
    }
