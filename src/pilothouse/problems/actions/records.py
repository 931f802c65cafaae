"""Problem records: opening them with their evidence, gathering incidents, describing, known errors, fixes and tasks."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Count, Min

from pilothouse.cmdb.models import Service
from pilothouse.people.models import Membership
from pilothouse.people.queries import require
from pilothouse.platform import journal
from pilothouse.platform.access import Actor, Capability
from pilothouse.platform.journal import Change, Draft
from pilothouse.platform.refusals import FieldError, Invalid
from pilothouse.problems import weeks
from pilothouse.problems.engine.cost_levels import levels, weekly_hours_of, weekly_tickets_of
from pilothouse.problems.engine.frozen import fingerprint, plain
from pilothouse.problems.models import Evidence
from pilothouse.tickets.access import get_ticket, require_work, visible
from pilothouse.tickets.actions import assign_ticket
from pilothouse.tickets.actions.opening import open_practice_ticket
from pilothouse.tickets.engine.lifecycle import DESK_KINDS
from pilothouse.tickets.models import CAUSED_BY, Link, Ticket

_PROPOSE: Any = object()
_LONGEST_TITLE = 250
_MOST_WEEKS = 520


def open_problem(
    *,
    actor: Actor,
    now: datetime,
    title: str,
    description: str = "",
    found: Mapping[str, Any] | None = None,
    ticket_ids: Sequence[int] = (),
    weekly_hours: float | None = None,
    service: int | None = None,
    ci: int | None = None,
    group: int | None = _PROPOSE,
    assignee: int | None = _PROPOSE,
) -> Ticket:
    """Open a problem record, freeze its evidence, link its incidents, and return its ticket.

    `found` is a candidate as problems/data.py writes it (None: by hand); with `ticket_ids` it becomes the first Evidence, whose SHA-256
    is journalled. All tickets named are linked (incident "is caused by" problem), set-based. Without `service` or `ci` it takes those
    that most of its incidents share. Without `group` it is proposed to the team that owns the service, and to that team's lead when it
    has one. `weekly_hours` (handling hours; default: a thirteenth of what the finding expects of the next quarter) sets impact and
    urgency by engine/cost_levels.py; where no effort is recorded, the tickets a week that the finding expects do; without a finding,
    those of its most urgent incident count. Needs to steer tickets; raises Invalid, Forbidden. By hand (without `found`), a ticket
    that the actor may not see is refused.
    """
    require(actor, Capability.STEER_TICKETS)
    ids = sorted(set(ticket_ids))
    with transaction.atomic():
        _check_incidents(actor, ids, "No problem was opened.", by_hand=found is None)
        shared = _shared(ids)
        service, ci = service or shared["service"], ci or shared["ci"]
        hours = weekly_hours if weekly_hours is not None else weekly_hours_of(dict(found) if found else None)
        weekly = hours if hours is not None else weekly_tickets_of(dict(found) if found else None)
        impact, urgency = levels(weekly) if weekly is not None else (shared["impact"] or 3, shared["urgency"] or 3)
        values = {"title": title.strip()[:_LONGEST_TITLE], "description": description, "service": service, "ci": ci}
        problem = open_practice_ticket(
            actor=actor, kind="problem", now=now, impact=impact, urgency=urgency, category=shared["category"] or "", **values
        )
        freeze_evidence(actor, problem, found, ids, now=now, weekly_hours=hours)
        gather(actor, problem, ids, now=now)
        return _give(actor, problem, service, group, assignee, now)


def _check_incidents(actor: Actor, ids: Sequence[int], refusal: str, *, by_hand: bool) -> None:
    """Refuse what is no ticket of the desk, or none that the actor may see."""
    seen = Ticket.objects.filter(visible(actor)) if by_hand else Ticket.objects.all()
    known = seen.filter(pk__in=ids, kind__in=DESK_KINDS).count()
    if known != len(ids):
        lost = len(ids) - known
        message = f"{lost:,} of these {len(ids):,} tickets {'is' if lost == 1 else 'are'} not there, or no incidents."
        raise Invalid(refusal, [FieldError("incidents", message, "A problem gathers incidents and requests.")])


def _shared(ids: Sequence[int]) -> dict[str, Any]:
    """Return the service, CI and category that more than half of the incidents share, and the highest impact and urgency."""
    own = Ticket.objects.filter(pk__in=ids).order_by()
    shared: dict[str, Any] = dict(own.aggregate(impact=Min("impact"), urgency=Min("urgency")))
    for name in ("service", "ci", "category"):
        most = own.values_list(name).annotate(n=Count("pk")).order_by("-n", name).first()
        shared[name] = most[0] if most and 2 * most[1] > len(ids) else None
    return shared


def _give(actor: Actor, problem: Ticket, service: int | None, group: int | None, assignee: int | None, now: datetime) -> Ticket:
    """Give the problem to whom was named, or else to the service's owner."""
    if group is _PROPOSE:
        group = Service.objects.values_list("owner_team_id", flat=True).filter(pk=service).first() if service else None
    if assignee is _PROPOSE:
        leads = Membership.objects.filter(team_id=group, is_lead=True, user__is_active=True) if group else Membership.objects.none()
        assignee = leads.order_by("user_id").values_list("user_id", flat=True).first()
    if group is None and assignee is None:
        return problem
    return assign_ticket(actor=actor, ticket_id=problem.pk, group=group, assignee=assignee, now=now)


def freeze_evidence(
    actor: Actor,
    problem: Ticket,
    found: Mapping[str, Any] | None,
    ids: Sequence[int],
    *,
    now: datetime,
    weekly_hours: float | None = None,
    verb: str = "problem.evidenced",
    note: str = "",
) -> Evidence:
    """Keep what is known now as evidence, with the weeks in which its tickets came, and journal its hash; in the caller's transaction."""
    made = evidence_of(problem.pk, found, ids, now=now)
    made.save()
    changes = [Change("evidence", None, named(made))]
    if verb == "problem.evidenced":  # the first: also what it costs
        changes.insert(0, Change("problem.weekly_hours", None, None if weekly_hours is None else f"{weekly_hours:.1f}"))
    journal.record(actor, [Draft("ticket", problem.pk, verb, tuple(changes), note=note)], now=now)
    return made


def evidence_of(problem_id: int, found: Mapping[str, Any] | None, ids: Sequence[int], *, now: datetime) -> Evidence:
    """Make (and do not save) the evidence of what is known now: the finding, and the weeks in which its tickets came, with their hash."""
    kept = plain({"weeks": _weeks(ids, now), **(found or {})})
    return Evidence(problem_id=problem_id, recorded_at=now, found=kept, ticket_ids=list(ids), sha256=fingerprint(kept, ids))


def named(evidence: Evidence) -> dict[str, Any]:
    """Return an evidence as the journal names it."""
    count = len(evidence.ticket_ids)
    return {"name": f"{count:,} tickets, SHA-256 {evidence.sha256[:12]}…", "sha256": evidence.sha256, "tickets": count}


def _weeks(ids: Sequence[int], now: datetime) -> dict[str, Any] | None:
    """Count the tickets of each week until now, beside what the rhythm of all others would give them (data.py's form of a picture)."""
    first_at = Ticket.objects.filter(pk__in=ids).aggregate(at=Min("opened_at"))["at"] if ids else None
    if first_at is None:
        return None
    first = max(weeks.monday(first_at), weeks.monday(now - timedelta(days=7 * _MOST_WEEKS)))
    found = weeks.counts(ids, first, now + timedelta(microseconds=1))
    own, others = [week.count for week in found], [week.others for week in found]
    share = sum(own) / max(sum(others), 1)
    return {"first": (first - date(1970, 1, 1)).days, "marks": [], "counts": own, "usual": [round(share * each, 2) for each in others]}


def gather(actor: Actor, problem: Ticket, ids: Sequence[int], *, now: datetime, note: str = "") -> list[int]:
    """Link incidents to a problem as caused by it, all at once, and return those that were not linked yet; in the caller's transaction."""
    known = set(Link.objects.filter(relation=CAUSED_BY, target=problem, ticket_id__in=ids).values_list("ticket_id", flat=True))
    fresh = sorted(set(ids) - known - {problem.pk})
    if not fresh:
        return []
    Link.objects.bulk_create([Link(ticket_id=pk, relation=CAUSED_BY, target=problem) for pk in fresh], batch_size=1000)
    here = {"relation": CAUSED_BY, "ticket": problem.pk, "url": "", "label": ""}
    drafts = [Draft("ticket", pk, "ticket.gathered", (Change("link", None, here),), note=note, private=True) for pk in fresh]
    drafts.append(Draft("ticket", problem.pk, "problem.gathered", (Change("incidents", None, len(fresh)), Change("gathered", None, fresh))))
    journal.record(actor, drafts, now=now)
    return fresh


def gather_incidents(*, actor: Actor, problem_id: int, ticket_ids: Sequence[int], now: datetime) -> list[int]:
    """Link incidents to a problem by hand; returns those that were not linked yet. Raises Invalid, Forbidden, Missing."""
    with transaction.atomic():
        problem = get_problem(actor, problem_id, lock=True)
        require_work(actor, problem)
        ids = sorted(set(ticket_ids))
        _check_incidents(actor, ids, "Nothing was linked.", by_hand=True)
        return gather(actor, problem, ids, now=now)


def get_problem(actor: Actor, reference: int | str, *, lock: bool = False) -> Ticket:
    """Return a problem's ticket by id or number if the actor may see it; raises Missing, also for who reads no tickets at large."""
    require(actor, Capability.READ_TICKETS)
    ticket = get_ticket(actor, reference, lock=lock)
    if ticket.kind != "problem":
        raise Invalid(f"{ticket.number} is no problem.", [FieldError("problem", f"{ticket.number} is no problem.")])
    return ticket
