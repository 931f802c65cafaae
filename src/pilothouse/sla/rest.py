"""Service levels over REST: a ticket's clocks and their proof, escalations that wait, taking one up."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from ninja import Router
from pydantic import BaseModel, Field

from pilothouse.people.queries import names, require
from pilothouse.platform import clock
from pilothouse.platform.access import Capability
from pilothouse.platform.rest import actor_of, answer, record_id
from pilothouse.sla import explaining
from pilothouse.sla.actions.escalating import acknowledge_escalation
from pilothouse.sla.explaining import Explained, Proof
from pilothouse.sla.models import Escalation
from pilothouse.tickets.access import get_ticket, visible
from pilothouse.tickets.models import Ticket

router = Router(tags=["Service levels"])
_AT_MOST = 200


class SpanOut(BaseModel):
    """A stretch of a clock between two journal entries."""

    start: str
    end: str | None
    mode: str
    entry: int = Field(description="The journal entry of the ticket that began it.")
    counted_seconds: int
    total_seconds: int
    words: str


class ClockOut(BaseModel):
    """One clock, proved: every instant in UTC, every length in whole seconds of the schedule's open time."""

    name: str
    kind: str
    agreement: str
    target: str
    schedule: str
    zone: str
    stage: str
    verdict: str
    is_breached: bool
    target_seconds: int
    elapsed_seconds: int
    remaining_seconds: int
    started_at: str
    due_at: str | None
    original_due_at: str | None
    spans: list[SpanOut]


class AbsenceOut(BaseModel):
    """Why there is no clock of a kind."""

    kind: str
    reasons: list[str]


class ClocksOut(BaseModel):
    """A ticket's clocks."""

    ticket: str
    clocks: list[ClockOut]
    absent: list[AbsenceOut]


class EscalationOut(BaseModel):
    """An escalation that nobody has taken up, or that somebody just did."""

    id: int
    ticket: str
    kind: str
    due_at: str
    fired_at: str
    told: list[str]
    acknowledged_at: str | None
    acknowledged_by: str | None


class EscalationList(BaseModel):
    """Escalations."""

    items: list[EscalationOut]
    next_cursor: str | None


def _clock(proof: Proof) -> dict[str, Any]:
    return {
        "name": proof.name,
        "kind": proof.clock.kind,
        "agreement": proof.agreement,
        "target": proof.target,
        "schedule": proof.schedule,
        "zone": proof.zone,
        "stage": proof.clock.stage,
        "verdict": proof.verdict,
        "is_breached": proof.is_breached,
        "target_seconds": proof.clock.target_seconds,
        "elapsed_seconds": proof.elapsed,
        "remaining_seconds": proof.remaining,
        "started_at": proof.started.isoformat(),
        "due_at": proof.due.isoformat() if proof.due else None,
        "original_due_at": proof.original_due.isoformat() if proof.original_due else None,
        "spans": [
            {
                "start": span.start.isoformat(),
                "end": span.end.isoformat() if span.end else None,
                "mode": span.mode,
                "entry": span.seq,
                "counted_seconds": span.counted,
                "total_seconds": span.total,
                "words": span.words,
            }
            for span in proof.spans
        ],
    }


def shape(found: Explained) -> dict[str, Any]:
    """Return the proof of a ticket's clocks as JSON."""
    absent = [{"kind": each.kind, "reasons": list(each.reasons)} for each in found.absences]
    return {"ticket": found.ticket.number, "clocks": [_clock(proof) for proof in found.proofs], "absent": absent}


@router.get("/tickets/{reference}/clocks", response=ClocksOut, summary="Prove a ticket's clocks")
def clocks(request: HttpRequest, reference: str) -> HttpResponse:
    """Every clock of a ticket, folded from its journal just now, with the entry behind each span; and why others are absent."""
    actor = actor_of(request)
    require(actor, Capability.READ_TICKETS)
    ticket = get_ticket(actor, reference)
    return answer(request, shape(explaining.explain(actor, ticket, now=clock.now())))


def _escalations(rows: list[Escalation]) -> list[dict[str, Any]]:
    people = names({person for row in rows for person in (*row.told, row.acknowledged_by) if person})
    return [
        {
            "id": row.pk,
            "ticket": row.ticket.number,
            "kind": row.kind,
            "due_at": row.due_at.isoformat(),
            "fired_at": row.fired_at.isoformat(),
            "told": [people.get(person, "") for person in row.told],
            "acknowledged_at": row.acknowledged_at.isoformat() if row.acknowledged_at else None,
            "acknowledged_by": people.get(row.acknowledged_by or 0),
        }
        for row in rows
    ]


@router.get("/escalations", response=EscalationList, summary="List escalations that nobody has taken up")
def escalations(request: HttpRequest) -> HttpResponse:
    """The newest 200 on tickets that you may see."""
    actor = actor_of(request)
    require(actor, Capability.READ_TICKETS)
    seen = Ticket.objects.filter(visible(actor))
    waiting = Escalation.objects.filter(acknowledged_at=None, ended_at=None, ticket__in=seen).select_related("ticket")
    return answer(request, {"items": _escalations(list(waiting.order_by("-fired_at", "-id")[:_AT_MOST])), "next_cursor": None})


@router.post("/escalations/{number}/acknowledge", response=EscalationOut, summary="Take an escalation up")
def acknowledge(request: HttpRequest, number: str) -> HttpResponse:
    """It is passed on no further. 409 when somebody took it up before."""
    row = acknowledge_escalation(actor=actor_of(request), escalation_id=record_id(number, "escalation"), now=clock.now())
    return answer(request, _escalations([row])[0])
