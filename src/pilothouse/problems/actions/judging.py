"""Judging fixes: the proof is brought up to date, and a problem that has come back is reopened with its evidence."""

from dataclasses import replace
from datetime import datetime

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
from pilothouse.problems.engine.proof import Back, Judged, came_back
from pilothouse.problems.models import Proof
from pilothouse.problems.proving import Fix
from pilothouse.problems.weeks import WEEK
from pilothouse.tickets.actions import move_ticket
from pilothouse.tickets.engine.lifecycle import DONE_STATES
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
    back = _back(problem, fix, judged)
    returned_at = proving.returned_at(problem)
    if judged.verdict != "none" and (back is not None or (returned_at is not None and returned_at >= fix.at)):
        judged = replace(judged, verdict="back")
    words = "" if back is None else back.words(judged)
    _keep(actor, problem, fix, judged, words, now)
    if words and problem.state in DONE_STATES:
        _reopen(actor, problem, words, now)
        return "came_back"
    return judged.verdict


def _keep(actor: Actor, problem: Ticket, fix: Fix, judged: Judged, back: str, now: datetime) -> None:
    """Keep the proof as of now, and journal a verdict that differs from the one before."""
    before, told = Proof.objects.filter(pk=problem.pk).values_list("verdict", "told").first() or (None, {})
    saved = proving.hours_saved(problem.pk, judged)
    said = back or told.get("back", "") if judged.verdict == "back" else ""
    values = {"change_id": fix.change_id, "fixed_at": fix.at, "verdict": judged.verdict, "told": {**proving.told(judged), "back": said}}
    Proof.objects.update_or_create(problem=problem, defaults={**values, "hours_saved_weekly": saved, "judged_at": now})
    if (before or "early") != judged.verdict:
        remains = f"{judged.ratio:.0%} remain ({judged.low:.0%} to {judged.high:.0%})" if judged.ratio is not None and not said else said
        changes = (Change("verdict", before, judged.verdict), Change("remaining", None, remains))
        journal.record(actor, [Draft("ticket", problem.pk, "problem.judged", changes)], now=now)


def _back(problem: Ticket, fix: Fix, judged: Judged) -> Back | None:
    """Return what shows that more came than what had remained: since it was resolved, or, of an open problem, since a fix that helped.

    Only whole weeks since the fix count.
    """
    weeks = len(judged.after)
    if problem.resolved_at is not None:
        weeks -= max(0, -((fix.at - problem.resolved_at) // WEEK))
    elif not Proof.objects.filter(pk=problem.pk, verdict__in=("fixed", "reduced", "back")).exists():
        return None
    return came_back([week.count for week in judged.before], [week.count for week in judged.after], max(0, weeks))


def _reopen(actor: Actor, problem: Ticket, words: str, now: datetime) -> None:
    """Reopen a problem with what came since as new evidence, and tell its owner."""
    assert problem.resolved_at is not None
    ids = proving.incidents_of(problem.pk)
    fresh = list(Ticket.objects.filter(pk__in=ids, opened_at__gte=problem.resolved_at).order_by("pk").values_list("pk", flat=True))
    since = f"{len(fresh)} came since it was resolved on {problem.resolved_at:%-d %b %Y}."
    found = {"title": problem.title, "paragraph": f"{words} {since}", "ticket_count": len(fresh)}
    freeze_evidence(actor, problem, found, fresh, now=now, verb="problem.came_back", note=words)
    move_ticket(actor=actor, ticket_id=problem.pk, state="analysis", now=now, note=words)
    notify_people(
        actor=actor,
        people=_owners(problem),
        kind=KIND,
        subject=f"{problem.number} came back: {problem.title}",
        text=f"{words} {since}",
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
