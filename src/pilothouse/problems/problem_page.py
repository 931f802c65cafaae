"""What a problem's page shows in its panels: evidence, cause and workaround, tasks and fixes, the proof of fix, proposed incidents."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from pilothouse.changes.queries import fixes_of
from pilothouse.platform import clock
from pilothouse.platform.access import Actor, Capability
from pilothouse.problems import candidate_evidence, costing, queries
from pilothouse.problems.candidate_evidence import Told
from pilothouse.problems.candidate_queries import hidden_causes
from pilothouse.problems.engine.proof import VERDICTS
from pilothouse.problems.engine.veil import veiled
from pilothouse.problems.models import Evidence, Match, Proof
from pilothouse.problems.proof_picture import picture
from pilothouse.tickets import side_panels
from pilothouse.tickets.access import may_work, visible
from pilothouse.tickets.models import CAUSED_BY, Link, Ticket

FEW = 10
TONES = {"early": "", "fixed": "ok", "reduced": "ok", "none": "danger", "back": "danger"}


@dataclass(frozen=True, slots=True)
class Seen:
    """A frozen evidence as one reader may see it; `hidden` tickets are counted, never told."""

    row: Evidence
    told: Told
    tickets: int
    hidden: int


def record_of(actor: Actor, ticket: Ticket) -> dict[str, Any]:
    """Gather a problem's own panels for its page; nothing for other kinds."""
    if ticket.kind != "problem" or not actor.can(Capability.READ_TICKETS):
        return {}
    detail = queries.detail(ticket)
    seen = Ticket.objects.filter(visible(actor))
    linked = seen.filter(links__relation=CAUSED_BY, links__target=ticket)
    proof = Proof.objects.filter(pk=ticket.pk).select_related("change").first()
    return {
        "ticket": ticket,
        "detail": detail,
        "weekly_tickets": costing.tickets_a_week(ticket, clock.now()) if detail.weekly_hours is None else None,
        "is_overdue": is_overdue(detail.promised_on, ticket, clock.now().date()),
        "evidence": [_evidence(actor, row) for row in Evidence.objects.filter(problem=ticket).order_by("-id")],
        "incidents": list(linked.order_by("-opened_at", "-pk")[:FEW]),
        "incident_count": Link.objects.filter(relation=CAUSED_BY, target=ticket).count(),
        "tasks": list(seen.filter(parent=ticket, kind="task").select_related("group", "assignee").order_by("pk")),
        "fixes": (fixes := fixes_of(actor, ticket.pk)),
        "is_fix_done": any(fix.change.actual_end_at is not None for fix in fixes),
        "proof": proof,
        "judged": judged_words(proof) if proof else None,
        "picture": picture(proof) if proof else None,
        "proposed": _proposed(actor, ticket),
        "may_work": may_work(actor, ticket),
    }


def is_overdue(promised_on: date | None, ticket: Ticket, today: date) -> bool:
    """Say whether a fix was promised for a day that has passed, and the problem is still open."""
    return promised_on is not None and promised_on < today and ticket.is_open


def _evidence(actor: Actor, row: Evidence) -> Seen:
    found, hidden = evidence_for(actor, row)
    return Seen(row, candidate_evidence.told(actor, found), len(row.ticket_ids), hidden)


def evidence_for(actor: Actor, row: Evidence) -> tuple[Mapping[str, Any], int]:
    """Return what a reader may be told of a frozen evidence, and how many of its tickets are hidden from them."""
    seen = Ticket.objects.filter(visible(actor), pk__in=row.ticket_ids).count() if actor.hidden_team_ids else len(row.ticket_ids)
    hidden, causes = len(row.ticket_ids) - seen, hidden_causes([row.found], actor.hidden_team_ids)
    return veiled(row.found, tickets_hidden=bool(hidden), causes=causes), hidden


def _proposed(actor: Actor, ticket: Ticket) -> list[Match]:
    rows = Match.objects.filter(problem=ticket, state="proposed", ticket__in=Ticket.objects.filter(visible(actor)))
    return list(rows.select_related("ticket").order_by("-score", "-pk")[:50])


def judged_words(proof: Proof) -> dict[str, Any]:
    """Say a proof in words: the verdict, what remains, and on what basis."""
    told = proof.told
    weeks, before = len(told["after"]), len(told["before"])
    basis = (
        f"{told['came']} incident{'' if told['came'] == 1 else 's'} came in the {weeks} whole week{'' if weeks == 1 else 's'} since;"
        f" without the fix {told['expected']:.0f} were expected, from {before} week{'' if before == 1 else 's'} before"
        f" ({told['rate']:.1f} a week) and from what all other tickets did."
    )
    return {
        "verdict": VERDICTS[proof.verdict],
        "tone": TONES[proof.verdict],
        "basis": basis if weeks and before else "No whole week has passed on both sides of the fix yet.",
        "back": told.get("back", ""),
        "remains": _remains(told) if told["ratio"] is not None and proof.verdict != "back" else "",
        "confidence": _confidence(told["confidence"]),
        "saved": f"{proof.hours_saved_weekly:.1f}" if proof.hours_saved_weekly is not None else "",
    }


def _remains(told: Mapping[str, Any]) -> str:
    high = f"{told['high']:.0%}" if told["high"] < 10 else "any number"
    return (
        f"{told['ratio']:.0%} of the incidents remain; between {told['low']:.0%} and {high}, with 95 % confidence over all weeks of looking"
    )


def _confidence(share: float) -> str:
    return "over 99.9 %" if share > 0.999 else f"{100 * share:.1f} %" if share > 0.5 else ""


side_panels.register("problem", side_panels.SidePanel("problems/parts/record.html", record_of, main=True))
