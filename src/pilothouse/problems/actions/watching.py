"""What the watch over arriving tickets raises: a candidate at once, and a message to those who steer."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from django.db import transaction

from pilothouse.notifications.actions import notify_people
from pilothouse.people.models import Team, User
from pilothouse.people.queries import require
from pilothouse.platform import journal
from pilothouse.platform.access import Actor, Capability, Role
from pilothouse.platform.journal import Change, Draft
from pilothouse.platform.statements import run
from pilothouse.problems import candidate_queries
from pilothouse.problems.engine.columns import FAMILY
from pilothouse.problems.engine.saying import capital, one_in
from pilothouse.problems.models import Candidate, CandidateTicket, TicketWatch
from pilothouse.tickets.models import Ticket

RAISED = "problems.raised"
_LONGEST_TITLE = 250
_REMEMBERED = 300  # alarms whose tickets still join


def keep_watch(
    *,
    actor: Actor,
    state: bytes,
    last_ticket_id: int,
    raised: Sequence[Mapping[str, Any]],
    joined: Sequence[Sequence[Any]],
    grouped_by: int,
    now: datetime,
) -> int:
    """Keep where the watch stands and what it raised, in one transaction; returns how many troubles were raised.

    `raised` are alarms of engine/streaming.py, whose tickets are named by their ids; `joined` pairs of ticket and alarm,
    `grouped_by` the look by whose atlas they have families. More of what a look has found already, dismissed or not, is no news.
    """
    require(actor, Capability.STEER_TICKETS)
    with transaction.atomic():
        TicketWatch.objects.get_or_create(pk=1)
        kept = TicketWatch.objects.select_for_update().get(pk=1)
        candidates: dict[str, int] = dict(kept.joined)
        news = [alarm for alarm in raised if not _is_known([int(key) for key in alarm["tickets"]])]
        for alarm in news:
            candidates[str(alarm["number"])] = _raise(actor, alarm, now).pk
        _join(candidates, joined)
        kept.state, kept.last_ticket_id, kept.grouped_by = state, last_ticket_id, grouped_by
        kept.joined = dict(list(candidates.items())[-_REMEMBERED:])
        kept.save(update_fields=["state", "last_ticket_id", "grouped_by", "joined"])
    return len(news)


_KNOWN = """
SELECT count(DISTINCT a.id) FROM tickets_ticket a JOIN tickets_ticket b ON lower(b.title) = lower(a.title)
JOIN problems_candidateticket m ON m.ticket_id = b.id JOIN problems_candidate c ON c.id = m.candidate_id
WHERE a.id = ANY(%s::bigint[]) AND c.run_id IS NOT NULL AND c.state <> 'gone' GROUP BY c.id ORDER BY 1 DESC LIMIT 1
"""


def _is_known(tickets: Sequence[int]) -> bool:
    """Say whether at least half of these tickets have titles of one candidate that stands, is dismissed or was made a problem."""
    most = run(_KNOWN, (list(tickets),)).fetchone()
    return most is not None and 2 * int(most[0]) >= len(tickets)


def _raise(actor: Actor, alarm: Mapping[str, Any], now: datetime) -> Candidate:
    tickets = list(Ticket.objects.filter(pk__in=[int(key) for key in alarm["tickets"]]).order_by("opened_at", "pk"))
    row = Candidate.objects.create(
        rank=0,
        title=_title(alarm, tickets),
        found=_found(alarm, tickets),
        ticket_count=len(tickets),
        first_found_at=now,
        last_found_at=now,
        raised_after=alarm["count"],
        raised_at=now,
    )
    CandidateTicket.objects.bulk_create([CandidateTicket(candidate=row, ticket=ticket) for ticket in tickets])
    changes = (Change("state", None, "open"), Change("tickets", None, len(tickets)))
    journal.record(actor, [Draft("candidate", row.pk, "candidate.raised", changes, note=alarm["told"][:500])], now=now, new=True)
    _tell(actor, row, alarm, now)
    return row


def _title(alarm: Mapping[str, Any], tickets: Sequence[Ticket]) -> str:
    titles = Counter(ticket.title for ticket in tickets)
    first = min(titles, key=lambda title: (-titles[title], title)) if titles else ""
    named = "" if alarm["source"] in ("word", FAMILY) else alarm["value"].rpartition("; ")[2]
    said = first if named.casefold() in first.casefold() else f"{named}: {first}"
    return said[:_LONGEST_TITLE]


def _found(alarm: Mapping[str, Any], tickets: Sequence[Ticket]) -> dict[str, Any]:
    """Return an alarm in the form of a candidate, with what is known of it so far."""
    instants = [datetime.fromtimestamp(alarm[name], UTC).isoformat() for name in ("first_at", "raised_at")]
    odds, bar = one_in(alarm["chance"]), one_in(alarm["level"])
    return {
        "rank": 0,
        "title": _title(alarm, tickets),
        "source": alarm["source"],
        "paragraph": f"{capital(alarm['told'])}. It was raised while the tickets came in; the next look says more.",
        "confidence": f"By chance alone, this would be seen with odds of {odds}; only what is below {bar} counts.",
        "words": [],
        "facets": [],
        "rhythm": {},
        "causes": [],
        "cost": {},
        "raised": {"what": alarm["what"], "at": instants[1], "tickets": alarm["count"], "seconds": alarm["raised_at"] - alarm["first_at"]},
        "ticket_count": len(tickets),
        "first_at": instants[0],
        "last_at": instants[1],
        "weeks": None,
    }


def _tell(actor: Actor, row: Candidate, alarm: Mapping[str, Any], now: datetime) -> None:
    """Tell analysts and managers; of what is mostly a restricted team's only managers hear, and nobody hears its words."""
    restricted = Team.objects.filter(is_restricted=True).values("pk")
    hidden = CandidateTicket.objects.filter(candidate=row, ticket__group__in=restricted).count()
    roles = [Role.MANAGER.value] if 2 * hidden > row.ticket_count else [Role.ANALYST.value, Role.MANAGER.value]
    shown = candidate_queries.for_everybody(row)
    notify_people(
        actor=actor,
        people=User.objects.filter(role__in=roles, is_active=True).values_list("pk", flat=True),
        kind=RAISED,
        subject=f"Raised after {alarm['count']} tickets: {shown['title']}",
        text="" if hidden else str(shown.get("paragraph", "")),
        path=f"/problems/candidates/{row.pk}",
        dedup_key=f"candidate:{row.pk}",
        about=("candidate", row.pk),
        now=now,
    )


def _join(candidates: Mapping[str, int], joined: Sequence[Sequence[Any]]) -> None:
    """Let tickets join the candidates of their alarms, as long as these are open."""
    pairs = {(candidates[str(alarm)], int(ticket)) for ticket, alarm in joined if str(alarm) in candidates}
    is_open = set(Candidate.objects.filter(pk__in={key for key, _ in pairs}, state="open", run=None).values_list("pk", flat=True))
    there = set(Ticket.objects.filter(pk__in={ticket for _, ticket in pairs}).values_list("pk", flat=True))
    made = [CandidateTicket(candidate_id=key, ticket_id=ticket) for key, ticket in sorted(pairs) if key in is_open and ticket in there]
    CandidateTicket.objects.bulk_create(made, ignore_conflicts=True)
    for row in Candidate.objects.filter(pk__in=is_open):
        row.ticket_count = row.members.count()
        row.found = {**row.found, "ticket_count": row.ticket_count}
        row.save(update_fields=["ticket_count", "found"])
