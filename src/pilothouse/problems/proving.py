"""What the proof of fix is made of: the weeks of a problem's incidents around its fix, read from the database, and the verdict as kept."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Min

from pilothouse.changes.engine.detail import HELPED
from pilothouse.changes.models import Change
from pilothouse.problems.engine.proof import Judged, Week, judge
from pilothouse.problems.models import Evidence, Problem
from pilothouse.problems.weeks import WEEK, count_weeks
from pilothouse.tickets.models import CAUSED_BY, FIXED_BY, Link, Ticket

MOST_BEFORE, MOST_AFTER = 52, 104


@dataclass(frozen=True, slots=True)
class Fix:
    """When a problem was fixed, and by which change; None when it was resolved without one."""

    at: datetime
    change_id: int | None


def incidents_of(problem_id: int) -> list[int]:
    """Return the ids of the incidents that are linked to a problem as caused by it."""
    return list(Link.objects.filter(target_id=problem_id, relation=CAUSED_BY).order_by("ticket_id").values_list("ticket_id", flat=True))


def fix_of(problem: Ticket, now: datetime) -> Fix | None:
    """Return the last fixing change that was carried out and held, or the resolution of a problem that needed none.

    A return ends what was done before it: resolved again since then without another change, the problem is fixed by that resolution.
    """
    done = Ticket.objects.filter(
        linked_from__ticket=problem, linked_from__relation=FIXED_BY, change__actual_end_at__lte=now, change__outcome__in=HELPED
    )
    last = done.order_by("-change__actual_end_at").select_related("change").first()
    resolved_at = problem.resolved_at if problem.resolved_at is not None and problem.resolved_at <= now else None
    if last is not None and last.change.actual_end_at is not None:
        back_at = returned_at(problem)
        if back_at is None or resolved_at is None or not last.change.actual_end_at <= back_at <= resolved_at:
            return Fix(last.change.actual_end_at, last.pk)
    return Fix(resolved_at, None) if resolved_at is not None else None


def why_no_fix(problem: Ticket, change: Ticket) -> str:
    """Say why a change cannot have fixed a problem: it was done before the problem began, or is suspected of it; else nothing."""
    done_at = Change.objects.filter(pk=change.pk).values_list("actual_end_at", flat=True).first()
    if done_at is None:
        return ""
    first_at = Ticket.objects.filter(pk__in=incidents_of(problem.pk)).aggregate(at=Min("opened_at"))["at"]
    if first_at is not None and done_at <= first_at:
        return f"{change.number} was done on {done_at:%-d %b %Y}, before the first incident of {first_at:%-d %b %Y}."
    found = Evidence.objects.filter(problem=problem).values_list("found__causes", flat=True)
    suspected = (cause for causes in found for cause in causes or () if cause.get("kind") == "change")
    if any(cause.get("key") == change.number for cause in suspected):
        return f"{change.number} was done before the trouble began: it is suspected of having caused it."
    return ""


def returned_at(problem: Ticket) -> datetime | None:
    """Return when a problem was last found to have come back: each evidence after its first says so."""
    later = Evidence.objects.filter(problem=problem).order_by("pk").values_list("recorded_at", flat=True)[1:]
    return max(later, default=None)


def before_and_after(ids: Sequence[int], fixed_at: datetime, now: datetime) -> tuple[list[Week], list[Week]]:
    """Return the whole weeks before a fix and after it. Those before begin after the first incident, which is why one began to look."""
    first_at = Ticket.objects.filter(pk__in=ids).aggregate(at=Min("opened_at"))["at"] if ids else None
    weeks_before = min(MOST_BEFORE, max(0, (fixed_at - first_at) // WEEK)) if first_at is not None else 0
    weeks_after = min(MOST_AFTER, max(0, (now - fixed_at) // WEEK))
    counted = count_weeks(ids, fixed_at - weeks_before * WEEK, fixed_at, fixed_at + weeks_after * WEEK)
    empty = Week(0, 0)
    return [counted.get(-i, empty) for i in range(weeks_before, 0, -1)], [counted.get(i, empty) for i in range(weeks_after)]


def hours_saved(problem_id: int, judged: Judged) -> float | None:
    """Return the handling hours that a fix saves each week: what the problem cost a week, less the part that remains."""
    hours = Problem.objects.filter(pk=problem_id).values_list("weekly_hours", flat=True).first()
    if hours is None or judged.ratio is None or judged.verdict not in ("fixed", "reduced"):
        return None
    return float(hours) * max(0.0, 1 - judged.ratio)


def told(judged: Judged) -> dict[str, Any]:
    """Return a judgement as it is kept: plain values for JSON."""
    return {
        "ratio": judged.ratio,
        "low": judged.low,
        "high": judged.high,
        "confidence": judged.confidence,
        "rate": round(judged.rate, 2),
        "dispersion": round(judged.dispersion, 2),
        "before": [week.count for week in judged.before],
        "after": [[week.count, week.expected, week.low, week.high] for week in judged.after],
        "expected": round(judged.expected, 1),
        "came": judged.came,
    }


def look(problem: Ticket, fix: Fix, now: datetime) -> Judged:
    """Judge a problem's fix as of now."""
    return judge(*before_and_after(incidents_of(problem.pk), fix.at, now))
