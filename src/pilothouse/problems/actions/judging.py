"""Judging fixes: the proof is brought up to date, and a problem that has come back is reopened with its evidence."""

from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Q, QuerySet

from pilothouse.changes.engine.detail import HELPED
from pilothouse.notifications.actions import notify_people
from pilothouse.people.models import Membership
from pilothouse.people.queries import require
from pilothouse.platform import journal
from pilothouse.platform.access import Actor, Capability
from pilothouse.platform.journal import Change, Draft
from pilothouse.problems import proving
from pilothouse.problems.actions.records import freeze_evidence
from pilothouse.problems.engine.proof import Judged, came_back
from pilothouse.problems.models import Proof
from pilothouse.problems.proving import Fix
from pilothouse.problems.weeks import WEEK
from pilothouse.tickets.actions import move_ticket
from pilothouse.tickets.models import FIXED_BY, Ticket

KIND = "problems.came_back"


def judge_fixes(*, actor: Actor, now: datetime) -> dict[str, int]:
    """Judge every fix that was carried out, and reopen what has come back; returns how many of each verdict, and how many came back.

    A verdict is journalled on the problem when it changes. Run again it changes nothing. Needs to steer tickets.
    """
    require(actor, Capability.STEER_TICKETS)
    found: dict[str, int] = {}
    for problem_id in fixed_problems(now).values_list("pk", flat=True):
        with transaction.atomic():
            problem = Ticket.objects.select_for_update(of=("self",)).get(pk=problem_id)
            outcome = _judge(actor, problem, now)
        found[outcome] = found.get(outcome, 0) + 1
    return found


def fixed_problems(now: datetime) -> "QuerySet[Ticket]":
    """Return the problems whose fix was carried out, or that were resolved, at most two years ago."""
    since = now - proving.MOST_AFTER * WEEK
    carried = {"actual_end_at__gte": since, "actual_end_at__lte": now, "outcome__in": HELPED}
    fixed = Q(links__relation=FIXED_BY, **{f"links__target__change__{name}": value for name, value in carried.items()})
    return Ticket.objects.filter(fixed | Q(resolved_at__gte=since), kind="problem").exclude(state="cancelled").order_by("pk").distinct()


def _judge(actor: Actor, problem: Ticket, now: datetime) -> str:
    fix = proving.fix_of(problem, now)
    if fix is None:
        return "early"
    judged = proving.look(problem, fix, now)
    _keep(actor, problem, fix, judged, now)
    if problem.state in ("resolved", "closed") and _is_back(problem, fix, judged):
        _reopen(actor, problem, judged, now)
        return "came_back"
    return judged.verdict


def _keep(actor: Actor, problem: Ticket, fix: Fix, judged: Judged, now: datetime) -> None:
    """Keep the proof as of now, and journal a verdict that differs from the one before."""
    before = Proof.objects.filter(pk=problem.pk).values_list("verdict", flat=True).first()
    saved = proving.hours_saved(problem.pk, judged)
    values: dict[str, Any] = {"change_id": fix.change_id, "fixed_at": fix.at, "verdict": judged.verdict, "told": proving.told(judged)}
    Proof.objects.update_or_create(problem=problem, defaults={**values, "hours_saved_weekly": saved, "judged_at": now})
    if (before or "early") != judged.verdict:
        remains = "" if judged.ratio is None else f"{judged.ratio:.0%} remain ({judged.low:.0%} to {judged.high:.0%})"
        changes = (Change("verdict", before, judged.verdict), Change("remaining", None, remains))
        journal.record(actor, [Draft("ticket", problem.pk, "problem.judged", changes)], now=now)


def _is_back(problem: Ticket, fix: Fix, judged: Judged) -> bool:
    """Say whether more came since the problem was resolved than what had remained of it; only whole weeks since the fix count."""
    assert problem.resolved_at is not None
    weeks = len(judged.after)
    resolved = weeks - max(0, -((fix.at - problem.resolved_at) // WEEK))
    return came_back([week.count for week in judged.before], [week.count for week in judged.after], max(0, resolved)) is not None


def _reopen(actor: Actor, problem: Ticket, judged: Judged, now: datetime) -> None:
    """Reopen a problem with what came since as new evidence, and tell its owner."""
    assert problem.resolved_at is not None
    ids = proving.incidents_of(problem.pk)
    fresh = list(Ticket.objects.filter(pk__in=ids, opened_at__gte=problem.resolved_at).order_by("pk").values_list("pk", flat=True))
    words = f"It came back: {len(fresh)} incident{'s' if len(fresh) != 1 else ''} since it was resolved on {problem.resolved_at:%-d %b %Y}."
    before = f" Before the fix there were {judged.rate:.1f} a week." if judged.rate else ""
    found = {"title": problem.title, "paragraph": words + before, "ticket_count": len(fresh)}
    freeze_evidence(actor, problem, found, fresh, now=now, verb="problem.came_back", note=words)
    move_ticket(actor=actor, ticket_id=problem.pk, state="analysis", now=now, note=words)
    notify_people(
        actor=actor,
        people=_owners(problem),
        kind=KIND,
        subject=f"{problem.number} came back: {problem.title}",
        text=words + before,
        path=f"/tickets/{problem.number}",
        about=("ticket", problem.pk),
        now=now,
    )


def _owners(problem: Ticket) -> list[int]:
    """Return who is told: the assignee, else the leads of its team, else the team."""
    if problem.assignee_id is not None:
        return [problem.assignee_id]
    if problem.group_id is None:
        return []
    members = Membership.objects.filter(team_id=problem.group_id, user__is_active=True)
    leads = list(members.filter(is_lead=True).values_list("user_id", flat=True))
    return leads or list(members.values_list("user_id", flat=True))
