"""Looking for what keeps coming back, and what becomes of what is found: the only writers of runs and candidates."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Count

from pilothouse.people.queries import require
from pilothouse.platform import journal
from pilothouse.platform.access import Actor, Capability
from pilothouse.platform.journal import Change, Draft
from pilothouse.platform.refusals import FieldError, GuardRefused, Invalid
from pilothouse.platform.texts import is_plain_text
from pilothouse.problems import candidate_queries
from pilothouse.problems.actions.records import open_problem
from pilothouse.problems.engine import standing
from pilothouse.problems.engine.identity import same_as
from pilothouse.problems.models import Candidate, CandidateTicket, MiningRun, TicketWatch
from pilothouse.tickets.models import CAUSED_BY, Ticket

_LONGEST_WAIT = timedelta(hours=3)  # afterwards one may ask again: its worker is gone for good
_RUNS_KEPT = 60
_GONE_KEPT = timedelta(days=180)
_RAISED_STANDS = timedelta(days=7)  # what was raised while tickets came in stays so long, also when no look confirms it
_QUARTER_WEEKS = 13
_LONGEST_TITLE, _LONGEST_REASON = 250, 2000


def request_look(*, actor: Actor, now: datetime) -> MiningRun:
    """Ask for a look over the tickets; the journal entry makes a worker begin. Raises Forbidden, GuardRefused while one is under way."""
    require(actor, Capability.STEER_TICKETS)
    with transaction.atomic():
        if MiningRun.objects.select_for_update().filter(ended_at=None, began_at__gt=now - _LONGEST_WAIT).exists():
            raise GuardRefused("A look is under way already; what it finds will stand here when it has ended.")
        row = MiningRun.objects.create(began_at=now)
        journal.record(actor, [Draft("mining_run", row.pk, "mining_run.requested")], now=now, new=True)
    return row


def note_stage(*, run_id: int, stage: str, tickets: int) -> None:
    """Keep what a look is at, for whoever watches."""
    MiningRun.objects.filter(pk=run_id, ended_at=None).update(stage=stage, ticket_count=tickets)


def fail_look(*, actor: Actor, run_id: int, fault: str, now: datetime) -> MiningRun:
    """Note that a look broke off; the candidates stay as they were."""
    require(actor, Capability.STEER_TICKETS)
    with transaction.atomic():
        row = MiningRun.objects.select_for_update().get(pk=run_id)
        row.ended_at, row.error, row.stage = now, fault[:2000], ""
        row.save(update_fields=["ended_at", "error", "stage"])
        journal.record(actor, [Draft("mining_run", row.pk, "mining_run.failed", note=fault[:500])], now=now)
    return row


def end_look(
    *, actor: Actor, run_id: int, found: Mapping[str, Any], since: datetime, now: datetime, began: datetime | None = None
) -> MiningRun:
    """Keep what a look found, all of it or nothing: candidates keep their identity, the dismissed stay away unless they changed.

    `found` is problems/mining.py's; `began` is when a worker began with it. What is no longer found is gone, and comes back under its
    old identity if it is found again. A run that has ended already is left alone.
    """
    require(actor, Capability.STEER_TICKETS)
    with transaction.atomic():
        run = MiningRun.objects.select_for_update().get(pk=run_id)
        if run.ended_at is not None:
            return run
        told = _keep(found["candidates"], run, now)
        TicketWatch.objects.update_or_create(pk=1, defaults={"atlas": found["atlas"], "atlas_run": run.pk})
        run.seconds = (now - (began or run.began_at)).total_seconds()
        _finish(run, found, since, now)
        _forget(now)
        counts = tuple(Change(name, None, count) for name, count in told.counts.items())
        drafts = [Draft("mining_run", run.pk, "mining_run.ended", counts), *told.drafts]
        journal.record(actor, drafts, now=now)
    return run


def _finish(run: MiningRun, found: Mapping[str, Any], since: datetime, now: datetime) -> None:
    run.ended_at, run.since, run.stage = now, since, ""
    run.ticket_count, run.family_count, run.group_count = found["tickets"], found["families"], found["groups_looked_at"]
    run.remarks, run.imbalances = found["remarks"], found["imbalances"]
    run.save()


def _forget(now: datetime) -> None:
    """Let go of old runs, and of what has been gone for half a year; the journal keeps that they were."""
    kept = list(MiningRun.objects.order_by("-id").values_list("pk", flat=True)[:_RUNS_KEPT])
    MiningRun.objects.exclude(pk__in=kept).delete()
    Candidate.objects.filter(state="gone", last_found_at__lt=now - _GONE_KEPT).delete()


@dataclass(frozen=True, slots=True)
class _Told:
    drafts: list[Draft]
    counts: dict[str, int]


def _keep(found: Sequence[Mapping[str, Any]], run: MiningRun, now: datetime) -> _Told:
    """Write the candidates of a look; returns what is to be journalled."""
    before = {row.pk: row for row in Candidate.objects.select_for_update(of=("self",)).select_related("problem").order_by("pk")}
    own = _members(before)
    keys = same_as(own, [each["ids"] for each in found])
    verbs, rows, fresh = list[str](), list[tuple[Candidate, Sequence[int]]](), 0
    for key, each in zip(keys, found, strict=True):
        row = before.get(key or 0)
        if row is None:
            row, verb = _new(each["found"], run, now), "candidate.found"
            fresh += 1
        else:
            verb = _found_again(row, each["found"], run, now)
        verbs.append(verb)
        rows.append((row, each["ids"]))
    found_now = [set(each["ids"]) for each in found]
    lost = [row for row in before.values() if row.run_id != run.pk and row.state == "open" and not _still_stands(row, own, found_now, now)]
    Candidate.objects.filter(pk__in=[row.pk for row in lost]).update(state="gone")
    _write_members(rows)
    taken = _take_known([row for row, _ in rows if row.state == "open"])
    _rank([row for row, _ in rows if row.state == "open"])
    drafts = [_told_of(row, verb) for verb, (row, _) in zip(verbs, rows, strict=True) if verb]
    drafts += [Draft("candidate", row.pk, "candidate.gone", (Change("state", "open", "gone"),)) for row in lost]
    drafts += taken
    return _Told(drafts, {"tickets": run.ticket_count, "candidates": len(found), "new": fresh, "gone": len(lost)})


def _still_stands(row: Candidate, own: Mapping[int, set[int]], found: Sequence[set[int]], now: datetime) -> bool:
    """Say whether a candidate was raised so lately that a look need not confirm it yet; what another holds by now needs not stand."""
    if row.run_id is not None or row.raised_at is None or now - row.raised_at >= _RAISED_STANDS:
        return False
    return not any(2 * len(own[row.pk] & tickets) >= len(own[row.pk]) for tickets in found)


def _members(candidates: Iterable[int]) -> dict[int, set[int]]:
    """Return the tickets of each of these candidates."""
    found: dict[int, set[int]] = {key: set() for key in candidates}
    for key, ticket in CandidateTicket.objects.filter(candidate__in=list(found)).values_list("candidate_id", "ticket_id"):
        found[key].add(ticket)
    return found


def _new(found: Mapping[str, Any], run: MiningRun, now: datetime) -> Candidate:
    return Candidate.objects.create(first_found_at=now, **_facts(found, run, now))


def _facts(found: Mapping[str, Any], run: MiningRun, now: datetime) -> dict[str, Any]:
    hours, raised = found["cost"].get("expected_hours"), found.get("raised")
    return {
        "run": run,
        "rank": found["rank"],
        "title": found["title"][:_LONGEST_TITLE],
        "found": dict(found),
        "ticket_count": found["ticket_count"],
        "weekly_hours": hours / _QUARTER_WEEKS if hours else None,
        "last_found_at": now,
        "raised_after": raised["tickets"] if raised else None,
    }


def _found_again(row: Candidate, found: Mapping[str, Any], run: MiningRun, now: datetime) -> str:
    """Bring a candidate up to date; returns the verb of what happened to it, or nothing."""
    verb = ""
    if row.state == "gone":
        row.state, verb = "open", "candidate.returned"
        row.returned_at, row.returned_because = now, "it is found again"
    elif row.state == "taken" and row.problem is not None and row.problem.state == "cancelled":
        row.state, verb = "open", "candidate.returned"
        row.returned_at, row.returned_because = now, f"{row.problem.number} was cancelled, and it is found again"
        row.problem = None
    elif row.state == "dismissed" and (why := standing.changed(row.dismissed_found or {}, found)):
        row.state, verb = "open", "candidate.returned"
        row.returned_at, row.returned_because = now, why[:250]
    for name, value in _facts(found, run, now).items():
        setattr(row, name, value)
    row.save()
    return verb


def _told_of(row: Candidate, verb: str) -> Draft:
    state = "open" if row.state == "taken" else row.state  # that it is taken is told by an entry of its own
    changes = (Change("state", None, state), Change("tickets", None, row.ticket_count), Change("rank", None, row.rank))
    return Draft("candidate", row.pk, verb, changes, note=row.returned_because if verb == "candidate.returned" else "")


def _rank(rows: Sequence[Candidate]) -> None:
    """Number those that are to be decided on from 1 in the miner's order: what is dismissed or a problem already leaves no gap."""
    for rank, row in enumerate(sorted(rows, key=lambda row: row.rank), 1):
        row.rank = rank
    Candidate.objects.bulk_update(rows, ["rank"])


def _write_members(rows: Sequence[tuple[Candidate, Sequence[int]]]) -> None:
    """Let candidates have these tickets, and no others; tickets that are gone since they were read are left out."""
    CandidateTicket.objects.filter(candidate__in=[row.pk for row, _ in rows]).delete()
    wanted = {ticket for _, tickets in rows for ticket in tickets}
    there = set(Ticket.objects.filter(pk__in=wanted).values_list("pk", flat=True))
    made = [CandidateTicket(candidate_id=row.pk, ticket_id=ticket) for row, tickets in rows for ticket in tickets if ticket in there]
    CandidateTicket.objects.bulk_create(made, batch_size=5000)


def _take_known(rows: Sequence[Candidate]) -> list[Draft]:
    """Take those that a problem is about already: at least half of their tickets are linked to one that is not cancelled."""
    linked = CandidateTicket.objects.filter(candidate__in=[row.pk for row in rows], ticket__links__relation=CAUSED_BY)
    linked = linked.exclude(ticket__links__target__state="cancelled").order_by()
    shares = (
        linked.values_list("candidate_id", "ticket__links__target_id")
        .annotate(count=Count("pk"))
        .order_by("count", "-ticket__links__target_id")
    )
    most = {candidate: (problem, count) for candidate, problem, count in shares}
    drafts = []
    for row in rows:
        problem, count = most.get(row.pk, (None, 0))
        if problem is not None and 2 * count >= row.ticket_count:
            row.state, row.problem_id = "taken", problem
            row.save(update_fields=["state", "problem"])
            changes = (Change("state", "open", "taken"), Change("problem", None, problem))
            drafts.append(Draft("candidate", row.pk, "candidate.taken", changes))
    return drafts


def dismiss_candidate(*, actor: Actor, candidate_id: int, because: str, now: datetime) -> Candidate:
    """Dismiss a candidate and say why; it stays away until its evidence changes (problems/engine/standing.py).

    Raises Invalid without a reason, GuardRefused unless it is open, Forbidden, Missing.
    """
    require(actor, Capability.STEER_TICKETS)
    because = because.strip()
    errors = list[FieldError]()
    if not is_plain_text(because):
        errors = [FieldError("because", "This is not a text.", "Letters, digits and signs; no NUL characters.")]
    elif not because:
        errors = [FieldError("because", "Say why, for whoever sees it next.", "The server is being replaced in March.")]
    elif len(because) > _LONGEST_REASON:
        errors = [FieldError("because", f"At most {_LONGEST_REASON:,} characters; these are {len(because):,}.")]
    if errors:
        raise Invalid("It was not dismissed.", errors)
    with transaction.atomic():
        row = _locked(actor, candidate_id, "open", "dismissed")
        row.state, row.dismissed_by_id, row.dismissed_at, row.dismissed_because = "dismissed", actor.user_id, now, because
        row.dismissed_found = row.found
        row.save()
        changes = (Change("state", "open", "dismissed"), Change("tickets", None, row.ticket_count))
        journal.record(actor, [Draft("candidate", row.pk, "candidate.dismissed", changes, note=because)], now=now)
    return row


def restore_candidate(*, actor: Actor, candidate_id: int, now: datetime) -> Candidate:
    """Bring a dismissed candidate back. Raises GuardRefused unless it is dismissed, Forbidden, Missing."""
    require(actor, Capability.STEER_TICKETS)
    with transaction.atomic():
        row = _locked(actor, candidate_id, "dismissed", "brought back")
        row.state, row.dismissed_found = "open", None
        row.save()
        journal.record(actor, [Draft("candidate", row.pk, "candidate.restored", (Change("state", "dismissed", "open"),))], now=now)
    return row


def take_candidate(*, actor: Actor, candidate_id: int, now: datetime) -> Ticket:
    """Open a problem record from a candidate, with its evidence frozen and its tickets linked; returns the problem's ticket.

    Where tickets of restricted teams are among its tickets, the record's title and evidence name none of their words. Raises
    GuardRefused unless it is open, Forbidden, Missing.
    """
    require(actor, Capability.STEER_TICKETS)
    with transaction.atomic():
        row = _locked(actor, candidate_id, "open", "made a problem")
        shown = candidate_queries.for_everybody(row)
        tickets = list(CandidateTicket.objects.filter(candidate=row).order_by("ticket_id").values_list("ticket_id", flat=True))
        problem = open_problem(
            actor=actor,
            now=now,
            title=shown["title"],
            description=shown.get("paragraph", ""),
            found=shown,
            ticket_ids=tickets,
            weekly_hours=row.weekly_hours,
        )
        row.state, row.problem_id = "taken", problem.pk
        row.save(update_fields=["state", "problem"])
        changes = (Change("state", "open", "taken"), Change("problem", None, problem.pk))
        journal.record(actor, [Draft("candidate", row.pk, "candidate.taken", changes)], now=now)
    return problem


def _locked(actor: Actor, candidate_id: int, state: str, word: str) -> Candidate:
    candidate_queries.find(actor, candidate_id)
    row = Candidate.objects.select_for_update().get(pk=candidate_id)
    if row.state != state:
        raise GuardRefused(f"It cannot be {word}: it is {row.get_state_display().lower()} now. Load the page again to see who did it.")
    return row
