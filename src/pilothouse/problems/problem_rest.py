"""Problem records over REST: list, read, open, describe, move, known error, evidence. A problem is a ticket too: the rest is there.

`/problems` was taken: it lists the kinds of faults that the interface answers with.
"""

from datetime import date, datetime
from typing import Annotated, Any

from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from ninja import Router
from pydantic import BaseModel, Field

from pilothouse.people.queries import require
from pilothouse.platform import clock, rest
from pilothouse.platform.access import Actor, Capability
from pilothouse.platform.refusals import FieldError, Invalid, Missing
from pilothouse.platform.rest import MOST_ITEMS, Body, Ref, Reference, actor_of, answer, expected_version, only
from pilothouse.problems import actions, problem_lists, queries
from pilothouse.problems.actions.describing import DESCRIBED, MOST_WHYS
from pilothouse.problems.models import Evidence
from pilothouse.problems.problem_page import evidence_for
from pilothouse.problems.selecting import MOST_SELECTED, ids_of
from pilothouse.tickets.actions import change_ticket, move_ticket
from pilothouse.tickets.models import Ticket
from pilothouse.tickets.rest.bodies import Grade, Note, Text
from pilothouse.tickets.rest.records import found
from pilothouse.tickets.rest.references import resolved

router = Router(tags=["Problem records"])
Limit = Annotated[int, Field(ge=1, le=MOST_ITEMS)]
Long = Annotated[str, Field(max_length=50_000)]


class ProblemOut(BaseModel):
    """A problem: its ticket's facts and its detail. `proof` is the verdict on its fix, as last looked at."""

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
    cause: str
    whys: list[str]
    workaround: str
    known_error_at: datetime | None
    promised_on: date | None
    weekly_hours: float | None = Field(description="What it costs in handling hours a week, as its evidence says.")
    no_fix_reason: str
    proof: str | None = Field(description="early, fixed, reduced, none or back (it came back); null before a fix was carried out.")
    resolution_code: str
    resolution_notes: str
    opened_at: datetime
    updated_at: datetime
    resolved_at: datetime | None
    closed_at: datetime | None


class ProblemPage(BaseModel):
    """A page of problems, the newest first."""

    items: list[ProblemOut]
    next_cursor: str | None


class EvidenceOut(BaseModel):
    """What was known when a problem was opened, or came back: `found` as the miner gave it, without what you may not see."""

    recorded_at: datetime
    sha256: str
    ticket_count: int
    hidden_count: int
    found: dict[str, Any]


class EvidenceList(BaseModel):
    """A problem's evidence, the latest first."""

    items: list[EvidenceOut]
    next_cursor: str | None


class ProblemIn(Body):
    """A new problem; without a group it is proposed to the team that owns the service of its incidents."""

    title: Annotated[str, Field(min_length=1, max_length=250)]
    description: Text = ""
    incidents: Annotated[list[Reference], Field(default_factory=list, max_length=MOST_SELECTED)]
    weekly_hours: Annotated[float, Field(ge=0, le=100_000)] | None = None
    service: Reference | None = None
    ci: Reference | None = None
    group: Reference | None = None
    assignee: Reference | None = None


class ProblemPatch(Body):
    """Fields to change; what is not named stays. A note goes into the journal beside the change."""

    title: Annotated[str, Field(min_length=1, max_length=250)] = ""
    description: Text = ""
    impact: Grade = 3
    urgency: Grade = 3
    service: Reference | None = None
    group: Reference | None = None
    assignee: Reference | None = None
    cause: Long = ""
    whys: Annotated[list[Annotated[str, Field(max_length=2000)]], Field(default_factory=list, max_length=MOST_WHYS)]
    workaround: Long = ""
    promised_on: Annotated[date, Field(strict=False)] | None = None
    no_fix_reason: Long = ""
    note: Note = ""


class ProblemMove(Body):
    """A move to another state, with what it needs; `change` is the fixing change (id or number)."""

    state: Annotated[str, Field(max_length=12)]
    note: Note = ""
    change: Reference | None = None
    no_fix_reason: Long = ""
    resolution_code: Annotated[str, Field(max_length=40)] = ""
    resolution_notes: Long = ""


class KnownError(Body):
    """Declare a known error (with its workaround, unless one is written already), or withdraw it (with a note)."""

    known: bool
    workaround: Long | None = None
    note: Note = ""


@router.get("/problem-records", response=ProblemPage, summary="List problems")
def list_problems(
    request: HttpRequest,
    show: Annotated[str, Field(max_length=10, description=f"One of: {', '.join(problem_lists.SHOWS)}.")] = "all",
    q: Annotated[str, Field(max_length=200, description="Words of the title, or the number.")] = "",
    cursor: Annotated[str, Field(max_length=2000)] = "",
    limit: Limit = 50,
    fields: Annotated[str, Field(max_length=1000)] = "",
) -> HttpResponse:
    """The problems that you may see, the newest first."""
    actor = actor_of(request)
    require(actor, Capability.READ_TICKETS)
    if show not in problem_lists.SHOWS:
        raise Invalid("There is no such list.", [FieldError("show", "It is not known.", f"One of: {', '.join(problem_lists.SHOWS)}.")])
    rows = _whole(problem_lists.problems(actor, show, q.strip().replace("\x00", "")))
    return rest.listing(request, rows, _shape, keys=("pk",), descending=True, cursor=cursor, limit=limit, fields=fields)


@router.post("/problem-records", response={201: ProblemOut}, summary="Open a problem")
def create_problem(request: HttpRequest, body: ProblemIn) -> HttpResponse:
    """Open a problem by hand, from incidents. From a candidate it is opened there, with its evidence."""
    actor = actor_of(request)
    require(actor, Capability.STEER_TICKETS)
    given = {name: value for name, value in body.given("incidents").items() if value is not None}
    (values,) = resolved(actor, [given])
    made = actions.open_problem(actor=actor, now=clock.now(), ticket_ids=ids_of(actor, body.incidents), **values)
    return _shown(request, made, status=201)


@router.get("/problem-records/{reference}", response=ProblemOut, summary="Read a problem")
def read_problem(request: HttpRequest, reference: str, fields: Annotated[str, Field(max_length=1000)] = "") -> HttpResponse:
    """A problem by id or number."""
    return _shown(request, _problem(actor_of(request), reference), fields=fields)


@router.patch("/problem-records/{reference}", response=ProblemOut, summary="Describe a problem")
def change_problem(request: HttpRequest, reference: str, body: ProblemPatch) -> HttpResponse:
    """Change what you name. If-Match is required (428 without it); 412 brings both sides when somebody was quicker."""
    actor = actor_of(request)
    version = expected_version(request, required=True)
    ticket = _problem(actor, reference)
    given = body.given("note")
    (fields,) = resolved(actor, [{name: value for name, value in given.items() if name not in DESCRIBED}])
    changes = {name: value for name, value in given.items() if name in DESCRIBED}
    with transaction.atomic():
        if changes or not fields:
            actions.describe_problem(
                actor=actor, problem_id=ticket.pk, changes=changes, now=clock.now(), expected_version=version, note=body.note
            )
        if fields:
            change_ticket(
                actor=actor,
                ticket_id=ticket.pk,
                changes=fields,
                now=clock.now(),
                expected_version=None if changes else version,
                note=body.note,
            )
    return _shown(request, ticket)


@router.post("/problem-records/{reference}/transition", response=ProblemOut, summary="Move a problem to another state")
def move_problem(request: HttpRequest, reference: str, body: ProblemMove) -> HttpResponse:
    """Move to new, assessed, analysis, fixing, resolved, closed or cancelled. 409 says what the move lacks."""
    actor = actor_of(request)
    version = expected_version(request)
    ticket = _problem(actor, reference)
    change = None if body.change is None else _fix(actor, body.change)
    with transaction.atomic():
        if body.state == "resolved":
            done = {"resolution_code": body.resolution_code, "resolution_notes": body.resolution_notes, "no_fix_reason": body.no_fix_reason}
            actions.resolve_problem(
                actor=actor, problem_id=ticket.pk, change=change, now=clock.now(), expected_version=version, note=body.note, **done
            )
        else:
            moved = move_ticket(
                actor=actor, ticket_id=ticket.pk, state=body.state, now=clock.now(), note=body.note, expected_version=version
            )
            if change is not None:
                actions.link_fix(actor=actor, problem_id=moved.pk, change=change, now=clock.now())
    return _shown(request, ticket)


def _fix(actor: Actor, reference: int | str) -> int:
    try:
        return found(actor, str(reference)).pk
    except Missing as missing:
        fault = FieldError("change", f"There is no change {reference}, or you may not see it.", "An id or a number.")
        raise Invalid("A name leads nowhere; nothing was changed.", [fault]) from missing


@router.post("/problem-records/{reference}/known-error", response=ProblemOut, summary="Declare or withdraw a known error")
def known_error(request: HttpRequest, reference: str, body: KnownError) -> HttpResponse:
    """A known error's workaround is offered on every matching incident, to its requester too."""
    actor = actor_of(request)
    version = expected_version(request)
    ticket, now = _problem(actor, reference), clock.now()
    if body.known:
        actions.declare_known_error(actor=actor, problem_id=ticket.pk, workaround=body.workaround, now=now, expected_version=version)
    else:
        actions.withdraw_known_error(actor=actor, problem_id=ticket.pk, note=body.note, now=now, expected_version=version)
    return _shown(request, ticket)


@router.get("/problem-records/{reference}/evidence", response=EvidenceList, summary="Read a problem's evidence")
def read_evidence(request: HttpRequest, reference: str) -> HttpResponse:
    """What was frozen when the problem was opened, and each time it came back."""
    actor = actor_of(request)
    ticket = _problem(actor, reference)
    rows = Evidence.objects.filter(problem=ticket).order_by("-id")
    return answer(request, {"items": [_evidence(actor, row) for row in rows], "next_cursor": None})


def _evidence(actor: Actor, row: Evidence) -> dict[str, Any]:
    told, hidden = evidence_for(actor, row)
    return {
        "recorded_at": row.recorded_at,
        "sha256": row.sha256,
        "ticket_count": len(row.ticket_ids),
        "hidden_count": hidden,
        "found": {name: value for name, value in told.items() if name != "tickets"},
    }


def _problem(actor: Actor, reference: str) -> Ticket:
    ticket = found(actor, reference)
    if ticket.kind != "problem" or not actor.can(Capability.READ_TICKETS):
        raise Missing(f"There is no problem {reference}, or you may not see it.")
    return ticket


def _whole(rows: "QuerySet[Ticket]") -> "QuerySet[Ticket]":
    return rows.select_related("problem", "proof", "service", "group", "assignee")


def _shown(request: HttpRequest, ticket: Ticket, *, status: int = 200, fields: str = "") -> HttpResponse:
    whole = _whole(Ticket.objects.filter(pk=ticket.pk)).get()
    location = f"/api/v1/problem-records/{ticket.pk}" if status == 201 else ""
    return answer(request, only(_shape(whole), fields), status=status, version=whole.version, location=location)


_PLAIN = ("number", "version", "title", "description", "state", "priority", "impact", "urgency", "resolution_code", "resolution_notes")
_TIMES = ("opened_at", "updated_at", "resolved_at", "closed_at")
_DETAIL = ("cause", "whys", "workaround", "known_error_at", "promised_on", "weekly_hours", "no_fix_reason")


def _shape(ticket: Any) -> dict[str, Any]:
    detail = queries.detail(ticket)
    proof = getattr(ticket, "proof", None)
    shape = {
        "id": ticket.pk,
        **{name: getattr(ticket, name) for name in (*_PLAIN, *_TIMES)},
        **{name: rest.ref(getattr(ticket, name)) for name in ("service", "group", "assignee")},
        **{name: getattr(detail, name) for name in _DETAIL},
        "proof": proof.verdict if proof is not None else None,
    }
    return {name: shape[name] for name in ProblemOut.model_fields}
