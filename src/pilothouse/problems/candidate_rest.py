"""Candidates over REST: what keeps coming back, the evidence of one, looking now, dismissing, bringing back, opening a problem."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from ninja import Router
from pydantic import BaseModel, Field

from pilothouse.platform import clock
from pilothouse.platform.refusals import FieldError, Invalid
from pilothouse.platform.rest import Body, actor_of, answer, record_id
from pilothouse.problems import candidate_queries
from pilothouse.problems.actions.candidates import dismiss_candidate, request_look, restore_candidate, take_candidate
from pilothouse.problems.candidate_queries import Seen
from pilothouse.problems.models import CANDIDATE_STATES

router = Router(tags=["Candidates"])
_TICKETS = 5000


class CandidateOut(BaseModel):
    """Something that keeps coming back, as the last look found it."""

    id: int
    state: str = Field(description="open, dismissed, taken (made a problem) or gone")
    rank: int = Field(description="0: raised while tickets came in, and not looked at since")
    title: str
    paragraph: str
    confidence: str
    ranked_by: str
    ticket_count: int
    hidden_count: int = Field(description="How many of its tickets you may not see")
    first_found_at: str
    last_found_at: str
    raised_after: int | None
    problem: str | None
    dismissed_because: str
    returned_because: str


class CandidateWhole(CandidateOut):
    """A candidate with all of its evidence."""

    found: dict[str, Any] = Field(description="Facets, rhythm, causes, cost: each number with the counts and the chance that it rests on")
    tickets: list[str] = Field(description="The numbers of its tickets that you may see, the first 5,000")


class CandidateList(BaseModel):
    """Candidates."""

    items: list[CandidateOut]
    next_cursor: str | None


class DismissBody(Body):
    """Why a candidate is dismissed."""

    because: str = Field(max_length=2000)


class LookOut(BaseModel):
    """A look that was asked for."""

    id: int
    asked_at: str


class ProblemOut(BaseModel):
    """The problem record that was opened."""

    problem: str


def shape(seen: Seen) -> dict[str, Any]:
    """Return a candidate as its reader may see it."""
    row, found = seen.row, seen.found
    return {
        "id": row.pk,
        "state": row.state,
        "rank": row.rank,
        "title": seen.title,
        "paragraph": str(found.get("paragraph", "")),
        "confidence": str(found.get("confidence", "")),
        "ranked_by": str(found.get("cost", {}).get("ranked_by", "")),
        "ticket_count": row.ticket_count,
        "hidden_count": seen.hidden,
        "first_found_at": row.first_found_at.isoformat(),
        "last_found_at": row.last_found_at.isoformat(),
        "raised_after": row.raised_after,
        "problem": row.problem.number if row.problem else None,
        "dismissed_because": row.dismissed_because,
        "returned_because": seen.why_back,
    }


@router.get("/candidates", response=CandidateList, summary="List what keeps coming back")
def candidates(request: HttpRequest, state: str = "open") -> HttpResponse:
    """Those of the last look in order of their rank, at most 300; `state` is open, dismissed, taken or gone."""
    if state not in CANDIDATE_STATES:
        raise Invalid("There is no such state.", [FieldError("state", "No such state.", f"One of: {', '.join(CANDIDATE_STATES)}.")])
    return answer(request, {"items": [shape(each) for each in candidate_queries.listed(actor_of(request), state)], "next_cursor": None})


@router.post("/candidates/look", response={202: LookOut}, summary="Look over the tickets now")
def look(request: HttpRequest) -> HttpResponse:
    """A worker looks; the list changes when it has ended. 409 while a look is under way."""
    run = request_look(actor=actor_of(request), now=clock.now())
    return answer(request, {"id": run.pk, "asked_at": run.began_at.isoformat()}, status=202)


@router.get("/candidates/{number}", response=CandidateWhole, summary="Read a candidate with its evidence")
def candidate(request: HttpRequest, number: str) -> HttpResponse:
    """All that is known of it, and its tickets."""
    actor = actor_of(request)
    seen = candidate_queries.find(actor, record_id(number, "candidate"))
    tickets = candidate_queries.tickets_of(actor, seen.row).order_by("opened_at", "id").values_list("number", flat=True)[:_TICKETS]
    return answer(request, {**shape(seen), "found": dict(seen.found), "tickets": list(tickets)})


@router.post("/candidates/{number}/dismiss", response=CandidateOut, summary="Dismiss a candidate")
def dismiss(request: HttpRequest, number: str, body: DismissBody) -> HttpResponse:
    """It stays away until its evidence changes. 409 unless it is open."""
    return _acted(request, dismiss_candidate, number, because=body.because)


@router.post("/candidates/{number}/restore", response=CandidateOut, summary="Bring a dismissed candidate back")
def restore(request: HttpRequest, number: str) -> HttpResponse:
    """409 unless it is dismissed."""
    return _acted(request, restore_candidate, number)


def _acted(request: HttpRequest, act: Any, number: str, **more: Any) -> HttpResponse:
    actor, key = actor_of(request), record_id(number, "candidate")
    act(actor=actor, candidate_id=key, now=clock.now(), **more)
    return answer(request, shape(candidate_queries.find(actor, key)))


@router.post("/candidates/{number}/problem", response={201: ProblemOut}, summary="Open a problem from a candidate")
def open_problem(request: HttpRequest, number: str) -> HttpResponse:
    """Its evidence is frozen into the record and its tickets are linked. 409 unless it is open."""
    problem = take_candidate(actor=actor_of(request), candidate_id=record_id(number, "candidate"), now=clock.now())
    return answer(request, {"problem": problem.number}, status=201, location=f"/api/v1/tickets/{problem.number}")
