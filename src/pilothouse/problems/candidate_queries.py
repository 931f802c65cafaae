"""Reads of what the miner found, for one reader: what comes of tickets that the reader may not see is counted, never told.

A candidate of whose tickets more than half are hidden from its reader is not there for them. Of one with some hidden tickets the typical
words are not told, which are theirs too, and its title is that of most tickets that may be seen; possible causes are told only where the
reader may see the change.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Count, Q, QuerySet

from pilothouse.people.models import Team
from pilothouse.people.queries import require
from pilothouse.platform.access import Actor, Capability
from pilothouse.platform.refusals import Missing
from pilothouse.platform.statements import run
from pilothouse.problems.engine.columns import ASSIGNEE, GROUP, REQUESTER
from pilothouse.problems.engine.veil import neutral, veiled
from pilothouse.problems.models import Candidate, CandidateTicket, MiningRun
from pilothouse.tickets.access import visible
from pilothouse.tickets.models import Ticket

MOST_LISTED = 300
_MOSTLY = 0.5
_OF_PEOPLE = frozenset({ASSIGNEE, REQUESTER})
Found = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Seen:
    """A candidate as one reader may see it: `found` is what may be told, `hidden` how many of its tickets may not.

    `why_back` says why it came back, "" where that names a change that the reader may not see.
    """

    row: Candidate
    found: Found
    hidden: int
    why_back: str

    @property
    def title(self) -> str:
        """Its title for this reader."""
        return str(self.found["title"])


def listed(actor: Actor, state: str = "open") -> list[Seen]:
    """Return the candidates in a state in order of their rank, at most 300: those that are dismissed or gone, the latest first."""
    require(actor, Capability.READ_TICKETS)
    order = ("rank", "-raised_at", "id") if state == "open" else ("-dismissed_at", "-last_found_at", "-id")
    rows = Candidate.objects.filter(state=state).select_related("problem").defer("dismissed_found").order_by(*order)
    return _seen(actor, rows[:MOST_LISTED])


def find(actor: Actor, candidate_id: int) -> Seen:
    """Return one candidate; Missing when there is none, or most of its tickets are hidden from the actor."""
    require(actor, Capability.READ_TICKETS)
    rows = Candidate.objects.filter(pk=candidate_id).select_related("problem", "dismissed_by", "run")
    found = _seen(actor, rows)
    if not found:
        raise Missing("There is no such candidate.")
    return found[0]


def for_everybody(row: Candidate) -> dict[str, Any]:
    """Return what may be told of a candidate to whoever reads tickets at all: nothing of restricted teams' tickets."""
    restricted = frozenset(Team.objects.filter(is_restricted=True).values_list("pk", flat=True))
    hidden = _hidden_counts([row.pk], restricted, None)
    titles = _titles([*hidden], restricted)
    causes = hidden_causes([row.found], restricted)
    return dict(veiled(row.found, tickets_hidden=row.pk in hidden, causes=causes, title=titles.get(row.pk, "")))


def counts(actor: Actor) -> dict[str, int]:
    """Return how many candidates there are in each state; hidden ones count, too."""
    require(actor, Capability.READ_TICKETS)
    return dict(Candidate.objects.order_by().values_list("state").annotate(n=Count("pk")))


def fresh_since(actor: Actor, since: datetime) -> list[tuple[int, str]]:
    """Return id and title of the open candidates that were first found, or came back, since an instant, in order of their rank."""
    require(actor, Capability.READ_TICKETS)
    fresh = Candidate.objects.filter(Q(first_found_at__gte=since) | Q(returned_at__gte=since), state="open")
    rows = list(fresh.only("title", "ticket_count").order_by("rank", "id")[:MOST_LISTED])
    veil = _veil(actor, rows)
    return [(row.pk, row.title if row.pk not in veil.hidden else veil.titles.get(row.pk) or neutral(row.found)) for row in veil.shown]


def uneven(actor: Actor, run: MiningRun) -> list[Mapping[str, Any]]:
    """Return where a look found load uneven: nothing of hidden teams, and of people only to who sees every team."""
    if not actor.hidden_team_ids:
        return list(run.imbalances)
    names = set(Team.objects.filter(pk__in=list(actor.hidden_team_ids)).values_list("name", flat=True))
    return [each for each in run.imbalances if each["fact"] not in _OF_PEOPLE and (each["fact"] != GROUP or each["value"] not in names)]


def last_runs() -> tuple[MiningRun | None, MiningRun | None]:
    """Return the last look that has ended, and the one that is under way if there is one."""
    rows = list(MiningRun.objects.order_by("-id")[:2])
    running = next((row for row in rows if row.ended_at is None), None)
    ended = next((row for row in rows if row.ended_at is not None), None)
    return ended, running


def last_good_run() -> MiningRun | None:
    """Return the last look that found what stands on the page."""
    return MiningRun.objects.filter(ended_at__isnull=False, error="").first()


def tickets_of(actor: Actor, candidate: Candidate) -> "QuerySet[Ticket]":
    """Return a candidate's tickets that the actor may see."""
    own = CandidateTicket.objects.filter(candidate=candidate).values("ticket_id")
    return Ticket.objects.filter(visible(actor), pk__in=own).select_related("group")


@dataclass(frozen=True, slots=True)
class _Veil:
    """What a reader may see of candidates: those of whose tickets not too many are hidden, how many are, and titles to tell instead."""

    shown: list[Candidate]
    hidden: Mapping[int, int]
    titles: Mapping[int, str]


def _veil(actor: Actor, rows: Sequence[Candidate]) -> _Veil:
    hidden = _hidden_counts([row.pk for row in rows], actor.hidden_team_ids, actor.user_id)
    shown = [row for row in rows if hidden.get(row.pk, 0) <= _MOSTLY * row.ticket_count]
    return _Veil(shown, hidden, _titles([row.pk for row in shown if row.pk in hidden], actor.hidden_team_ids))


def _seen(actor: Actor, rows: Iterable[Candidate]) -> list[Seen]:
    veil = _veil(actor, list(rows))
    causes = hidden_causes([row.found for row in veil.shown], actor.hidden_team_ids)
    return [
        Seen(
            row,
            veiled(row.found, tickets_hidden=row.pk in veil.hidden, causes=causes, title=veil.titles.get(row.pk, "")),
            veil.hidden.get(row.pk, 0),
            "" if any(cause in row.returned_because for cause in causes) else row.returned_because,
        )
        for row in veil.shown
    ]


def _hidden_counts(candidates: Sequence[int], teams: frozenset[int], own: int | None) -> dict[int, int]:
    """Return how many tickets of each candidate are with these teams, and not the reader's own."""
    if not teams:
        return {}
    theirs = CandidateTicket.objects.filter(candidate__in=candidates, ticket__group__in=list(teams))
    if own is not None:
        theirs = theirs.exclude(ticket__requester=own)
    return dict(theirs.order_by().values_list("candidate").annotate(n=Count("pk")))


_TITLES = """
SELECT k.id, (SELECT mode() WITHIN GROUP (ORDER BY latest.title) FROM (
  SELECT t.title FROM problems_candidateticket c JOIN tickets_ticket t ON t.id = c.ticket_id
  WHERE c.candidate_id = k.id AND (t.group_id IS NULL OR NOT t.group_id = ANY(%s::bigint[])) ORDER BY c.ticket_id DESC LIMIT 20) latest)
FROM unnest(%s::bigint[]) k(id)
"""


def _titles(candidates: Sequence[int], teams: frozenset[int]) -> dict[int, str]:
    """Return, for each of these candidates, the title that most of its latest tickets have that are with no such team."""
    rows = run(_TITLES, (list(teams), list(candidates))).fetchall() if candidates else []
    return {candidate: title for candidate, title in rows if title}


def hidden_causes(found: Iterable[Found], teams: frozenset[int]) -> frozenset[str]:
    """Return the numbers of possible causes that are with these teams."""
    numbers = {cause["key"] for each in found for cause in each.get("causes", ()) if cause.get("kind") != "upstream"}
    if not numbers or not teams:
        return frozenset()
    return frozenset(Ticket.objects.filter(number__in=numbers, group__in=list(teams)).values_list("number", flat=True))
