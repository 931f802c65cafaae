"""The list of problems, and the review: open problems by cost, age, owner and promised day; what was saved, and what came back."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce

from pilothouse.platform.access import Actor
from pilothouse.problems import costing, queries
from pilothouse.problems.engine.proof import VERDICTS
from pilothouse.problems.models import Evidence, Match, Problem, Proof
from pilothouse.problems.problem_page import TONES, is_overdue
from pilothouse.tickets.access import visible
from pilothouse.tickets.engine.lifecycle import DONE_STATES, OPEN_STATES
from pilothouse.tickets.models import CAUSED_BY, Link, Ticket

SHOWS = {"open": "Open", "known": "Known errors", "done": "Resolved and closed", "all": "All"}
SORTS = {"cost": "Cost", "age": "Age", "owner": "Owner", "promised": "Promised day"}
_ORDERS: dict[str, tuple[Any, ...]] = {
    "cost": (F("cost").desc(nulls_last=True), "priority", "opened_at"),
    "age": ("opened_at",),
    "owner": (F("assignee__name").asc(nulls_last=True), F("group__name").asc(nulls_last=True), "priority"),
    "promised": (F("problem__promised_on").asc(nulls_last=True), "priority"),
}
_SHOWN: dict[str, Q] = {
    "open": Q(state__in=OPEN_STATES),
    "known": Q(state__in=OPEN_STATES, problem__known_error_at__isnull=False),
    "done": Q(state__in=DONE_STATES),
    "all": Q(),
}
ON_A_PAGE = 50
_LATELY = timedelta(days=90)


@dataclass(frozen=True, slots=True)
class Row:
    """A problem in a list; `weekly_tickets` stand in where no hours are known."""

    ticket: Ticket
    detail: Problem
    incidents: int
    proposed: int
    is_overdue: bool
    verdict: str
    tone: str
    weekly_tickets: float | None


@dataclass(frozen=True, slots=True)
class Page:
    """A page of the list, and whether there are pages beside it."""

    rows: list[Row]
    number: int
    has_more: bool

    @property
    def has_stand_in(self) -> bool:
        """Whether a problem is among them whose cost is told in tickets."""
        return any(row.weekly_tickets is not None for row in self.rows)


def problems(actor: Actor, show: str, text: str = "") -> "QuerySet[Ticket]":
    """Return the problems that an actor may see: "open", "known" (errors), "done" or "all", with this text in title or number."""
    found = Ticket.objects.filter(_SHOWN[show], visible(actor), kind="problem")
    return found.filter(Q(title__icontains=text) | Q(number__icontains=text)) if text else found


def counts(actor: Actor) -> dict[str, int]:
    """Count the problems that an actor may see for each list, in one pass."""
    return problems(actor, "all").aggregate(**{show: Count("pk", filter=fits) for show, fits in _SHOWN.items()})


def listed(actor: Actor, *, show: str, sort: str, text: str, number: int, now: datetime) -> Page:
    """Return one page of 50, in the order asked for."""
    linked = Link.objects.filter(relation=CAUSED_BY, target=OuterRef("pk")).order_by().values("target").annotate(n=Count("pk")).values("n")
    looks = Match.objects.filter(problem=OuterRef("pk"), state="proposed").order_by().values("problem").annotate(n=Count("pk")).values("n")
    found = problems(actor, show, text).select_related("problem", "group", "assignee", "proof", "service")
    found = found.annotate(incidents=Coalesce(Subquery(linked), 0), looks=Coalesce(Subquery(looks), 0))
    found = found.annotate(cost=costing.cost(now))
    start = (number - 1) * ON_A_PAGE
    tickets = list(found.order_by(*_ORDERS[sort], "pk")[start : start + ON_A_PAGE + 1])
    return Page([_row(ticket, now.date()) for ticket in tickets[:ON_A_PAGE]], number, len(tickets) > ON_A_PAGE)


def _row(ticket: Any, today: date) -> Row:
    detail = queries.detail(ticket)
    proof = getattr(ticket, "proof", None)
    verdict = VERDICTS[proof.verdict] if proof is not None else ""
    overdue = is_overdue(detail.promised_on, ticket, today)
    tickets = ticket.cost if detail.weekly_hours is None else None
    tone = TONES[proof.verdict] if proof is not None else ""
    return Row(ticket, detail, ticket.incidents, ticket.looks, overdue, verdict, tone, tickets)


@dataclass(frozen=True, slots=True)
class Saved:
    """A fix that helped: what it saves a week, and has saved so far, in handling hours; None where none are known: then in tickets."""

    proof: Proof
    verdict: str
    remaining: str
    weekly: float | None
    so_far: float | None
    weekly_tickets: float
    tickets_so_far: float


@dataclass(frozen=True, slots=True)
class Review:
    """The problem review."""

    open: int
    weekly_hours: float
    uncosted: int
    weekly_tickets: float
    overdue: int
    unowned: int
    page: Page
    saved: list[Saved]
    saved_weekly: float
    saved_so_far: float
    saved_tickets: float
    returned: list[Evidence]


def review(actor: Actor, *, sort: str, now: datetime) -> Review:
    """Gather the review as of now: open problems, what fixes have saved (proved ones of the last two years), returns of 90 days."""
    opened = problems(actor, "open").select_related("problem")
    hours = list(opened.values_list("problem__weekly_hours", flat=True))
    uncosted = opened.filter(problem__weekly_hours=None).annotate(each=costing.weekly_tickets(now))
    saved = [_saved(proof, now) for proof in _proofs(actor)]
    first = Evidence.objects.filter(problem=OuterRef("problem"), pk__lt=OuterRef("pk"))
    returned = Evidence.objects.filter(Exists(first), recorded_at__gte=now - _LATELY, problem__in=problems(actor, "all"))
    return Review(
        open=len(hours),
        weekly_hours=sum(each for each in hours if each is not None),
        uncosted=hours.count(None),
        weekly_tickets=sum(each or 0 for each in uncosted.values_list("each", flat=True)),
        overdue=opened.filter(problem__promised_on__lt=now.date()).count(),
        unowned=opened.filter(assignee=None, group=None).count(),
        page=listed(actor, show="open", sort=sort, text="", number=1, now=now),
        saved=saved,
        saved_weekly=sum(each.weekly or 0 for each in saved),
        saved_so_far=sum(each.so_far or 0 for each in saved),
        saved_tickets=sum(each.weekly_tickets for each in saved if each.weekly is None),
        returned=list(returned.select_related("problem").order_by("-recorded_at")[:50]),
    )


def _proofs(actor: Actor) -> list[Proof]:
    rows = Proof.objects.filter(verdict__in=("fixed", "reduced"), problem__in=problems(actor, "all"))
    rows = rows.filter(Q(change__isnull=False) | Q(problem__resolved_at__isnull=False))  # reopened by hand, nothing has fixed it
    return list(rows.select_related("problem", "change").order_by(F("hours_saved_weekly").desc(nulls_last=True), "pk")[:100])


def _saved(proof: Proof, now: datetime) -> Saved:
    weeks = max(0.0, (now - proof.fixed_at) / timedelta(days=7))
    weekly = proof.hours_saved_weekly
    low, high = proof.told["low"], proof.told["high"]
    remaining = f"{proof.told['ratio']:.0%} remain ({low:.0%} to {high:.0%})"
    tickets = max(0.0, proof.told["rate"] * (1 - proof.told["ratio"]))
    so_far = None if weekly is None else weekly * weeks
    return Saved(proof, VERDICTS[proof.verdict], remaining, weekly, so_far, tickets, tickets * weeks)
