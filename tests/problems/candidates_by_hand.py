"""Candidates made by hand for tests: tickets, what a look might have found of them, and looks that found it."""

from datetime import datetime, timedelta
from typing import Any

from pilothouse.people.testing import NamedPeople
from pilothouse.platform import access, clock
from pilothouse.platform.access import Source
from pilothouse.problems.actions.candidates import end_look, request_look
from pilothouse.problems.models import Candidate, CandidateTicket, MiningRun
from pilothouse.tickets.actions import open_ticket
from tests.organisation import NOW

SYSTEM = access.system(Source.CLI)


def opened(people: NamedPeople, count: int, *, group: str = "Network", title: str = "Tunnel drops", **more: Any) -> list[int]:
    rows = [
        open_ticket(
            actor=people.actor("adam"),
            now=NOW + timedelta(hours=at),
            title=title,
            group=people.teams[group].pk,
            requester=people.rita.pk,
            **more,
        )
        for at in range(count)
    ]
    return [row.pk for row in rows]


def found(ids: list[int], rank: int = 1, title: str = "Tunnel drops", **more: Any) -> dict[str, Any]:
    """One candidate as problems/mining.py gives it."""
    cost = {"tickets": len(ids), "hours": None, "hours_known": 0, "breaches": None, "reassignments": 3, "people": 1, "expected": 12.0}
    values = {
        "rank": rank,
        "title": title,
        "paragraph": f"{len(ids)} tickets belong together.",
        "confidence": "By chance alone, one group would show this with odds about 1 in 5,000,000; the bar was 1e-06.",
        "words": ["tunnel"],
        "facets": [
            {"fact": "os_version", "value": "14.2", "count": len(ids), "known": len(ids), "expected": 1.0, "chance": 1e-9, "same": []}
        ],
        "pair": None,
        "rhythm": {},
        "causes": [],
        "raised": None,
        "cost": {**cost, "low": 6.0, "high": 20.0, "expected_hours": None, "ranked_by": "11 tickets of the next quarter could be saved"},
        "ticket_count": len(ids),
        "first_at": "2026-03-02T09:00:00+00:00",
        "last_at": "2026-03-04T09:00:00+00:00",
        "weeks": {"first": 20514, "counts": [0, len(ids)], "usual": [1.0, 1.5], "marks": []},
    }
    return {"found": values | more, "ids": ids}


def kept(*candidates: dict[str, Any], now: datetime = NOW) -> MiningRun:
    """Let a look have found these."""
    run = request_look(actor=SYSTEM, now=now)
    told = {"tickets": 100, "families": 7, "groups_looked_at": 70, "remarks": [], "imbalances": [], "atlas": b""}
    return end_look(actor=SYSTEM, run_id=run.pk, found={**told, "candidates": list(candidates)}, since=now - timedelta(days=400), now=now)


def members(row: Candidate) -> set[int]:
    return set(CandidateTicket.objects.filter(candidate=row).values_list("ticket_id", flat=True))


def seed(tickets: list[int]) -> None:
    """Let a look have found two troubles in these tickets, one with all that evidence can hold."""
    onset = {"at": NOW.isoformat(), "before": 0.1, "after": 1.2, "count_before": 3, "count_after": 17, "strength": 9.0, "chance": 1e-12}
    cause = {
        "kind": "change",
        "key": "CHG0000099",
        "title": "Update of the client",
        "at": NOW.isoformat(),
        "why": "on the same CI",
        "score": 1.0,
    }
    rich = found(
        tickets[:20],
        title="VPN drops every few minutes on macOS 14.2 for everybody who works from a branch with averylongnamethatnobodycanbreak",
        rhythm={"onset": onset},
        causes=[{**cause, "chance": 0.01}],
    )
    kept(rich, found(tickets[20:26], 2, "Printer on floor 7 prints blank pages"), now=clock.now())
