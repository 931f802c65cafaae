"""The list of changes: what is asked of it, and a page of it.

A page is found by its edge (keyset), so that the hundredth costs what the first costs; the CIs of its rows are counted for the page
alone. A change is placed by its time: when the work began or is planned to, else when it was opened.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from django.db.models import BooleanField, Count, ExpressionWrapper, Q, QuerySet
from django.db.models.functions import Coalesce

from pilothouse.changes import queries
from pilothouse.changes.engine.detail import TYPES
from pilothouse.changes.models import AffectedCI, Change
from pilothouse.platform import keyset
from pilothouse.platform.access import Actor
from pilothouse.tickets.access import visible
from pilothouse.tickets.engine.lifecycle import DONE_STATES, OPEN_STATES
from pilothouse.tickets.models import Ticket

TABS = {"open": "Open", "scheduled": "Scheduled", "week": "This week", "done": "Done", "all": "All"}
_COMING = frozenset({"open", "scheduled", "week"})  # read from what is due on, what has no time last; the others from the latest back
_SIZE = 50


@dataclass(frozen=True, slots=True)
class Asked:
    """What a visitor asks for: a tab, words, a type, and the CI or service whose changes are meant."""

    show: str = "open"
    q: str = ""
    type: str = ""
    ci: int | None = None
    service: int | None = None

    def query(self, **other: str) -> str:
        """Write it as an address, with some of it replaced."""
        given = {"show": self.show, "q": self.q, "type": self.type, "ci": self.ci or "", "service": self.service or "", **other}
        return urlencode({name: value for name, value in given.items() if value})


def asked(given: Mapping[str, str]) -> Asked:
    """Read what is asked from an address; what makes no sense is left out."""
    words = given.get("q", "").strip()[:200].replace("\x00", "")
    show = given.get("show", "")
    kind = given.get("type", "")
    return Asked(
        show if show in TABS else "open", words, kind if kind in TYPES else "", _number(given.get("ci")), _number(given.get("service"))
    )


def _number(text: str | None) -> int | None:
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 18 else None


@dataclass(frozen=True, slots=True)
class Row:
    """A line of the list: the change, its ticket, and how many CIs it touches beyond the ticket's own."""

    change: Change
    more_cis: int
    ends: str  # the hour, where the work ends on the day on which it begins

    @property
    def ticket(self) -> Ticket:
        return self.change.ticket


@dataclass(frozen=True, slots=True)
class Listed:
    """A page of the list; `counts` are those of the tabs under the same words."""

    rows: Sequence[Row]
    before: str
    after: str
    counts: Mapping[str, int]


def page(actor: Actor, wanted: Asked, cursor: str, *, now: datetime) -> Listed:
    """Return one page of the changes that an actor may see."""
    fitting = narrowed(actor, wanted)
    placed = fitting.filter(_of_tab(wanted.show, actor, now)).annotate(placed_at=_placed(), has_no_time=_HAS_NO_TIME)
    joined = placed.select_related("ticket__service", "ticket__group", "ticket__ci")
    is_coming = wanted.show in _COMING
    keys = ("has_no_time", "placed_at", "ticket_id") if is_coming else ("placed_at", "ticket_id")
    found = keyset.page(joined, cursor, keys=keys, descending=not is_coming, size=_SIZE)
    more = _cis_of([row.pk for row in found.rows])
    zone = ZoneInfo(actor.time_zone)
    rows = [Row(row, max(0, more.get(row.pk, 0) - 1), same_day(row, zone)) for row in found.rows]
    return Listed(rows, found.before, found.after, _counts(fitting, actor, now))


def narrowed(actor: Actor, wanted: Asked) -> "QuerySet[Change]":
    """Return the changes that an actor may see and that fit what is asked, whatever the tab."""
    tickets = Ticket.objects.filter(visible(actor), kind="change")
    if wanted.service:
        tickets = tickets.filter(service_id=wanted.service)
    found = Change.objects.filter(ticket__in=tickets).alias(begins=queries.began(""), ends=queries.ended(""))
    if wanted.type:
        found = found.filter(type=wanted.type)
    if wanted.ci:
        found = found.filter(pk__in=AffectedCI.objects.filter(ci_id=wanted.ci).values("change_id"))
    if wanted.q:
        touching = AffectedCI.objects.filter(ci__name__icontains=wanted.q).values("change_id")
        named = Q(ticket__title__icontains=wanted.q) | Q(ticket__number__istartswith=wanted.q)
        found = found.filter(named | Q(ticket__service__name__icontains=wanted.q) | Q(pk__in=touching))
    return found


_HAS_NO_TIME = ExpressionWrapper(Q(begins__isnull=True), output_field=BooleanField())


def _placed() -> Coalesce:
    return Coalesce(queries.began(""), "ticket__opened_at")


def _of_tab(show: str, actor: Actor, now: datetime) -> Q:
    if show == "week":
        monday, next_monday = week_of(now, ZoneInfo(actor.time_zone))
        return ~Q(ticket__state="cancelled") & Q(begins__lt=next_monday, ends__gte=monday)
    states = {"open": OPEN_STATES, "scheduled": ("scheduled",), "done": DONE_STATES}
    return Q(ticket__state__in=states[show]) if show in states else Q()


def week_of(now: datetime, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """Return the half-open week, Monday to Monday, in which an instant lies in a zone.

    >>> from datetime import UTC
    >>> [f"{day:%a %-d %b}" for day in week_of(datetime(2026, 3, 4, 12, tzinfo=UTC), ZoneInfo("UTC"))]
    ['Mon 2 Mar', 'Mon 9 Mar']
    """
    today = now.astimezone(zone).date()
    monday = today - timedelta(days=today.weekday())
    return datetime.combine(monday, time.min, zone), datetime.combine(monday + timedelta(days=7), time.min, zone)


def same_day(change: Change, zone: ZoneInfo) -> str:
    """Return the hour at which the work ends, or is planned to, if that is on the day on which it begins in the reader's zone; else ""."""
    begins, ends = change.actual_start_at or change.planned_start_at, change.actual_end_at or change.planned_end_at
    if change.actual_start_at and not change.actual_end_at:
        ends = None
    if begins is None or ends is None or begins.astimezone(zone).date() != ends.astimezone(zone).date():
        return ""
    return f"{ends.astimezone(zone):%H:%M}"


def _cis_of(ids: list[int]) -> Mapping[int, int]:
    touched = AffectedCI.objects.filter(change_id__in=ids).values_list("change_id").annotate(count=Count("id"))
    return dict(touched.values_list("change_id", "count"))


def _counts(fitting: "QuerySet[Change]", actor: Actor, now: datetime) -> Mapping[str, int]:
    """Count every tab in one pass."""
    counted = {show: Count("pk", filter=_of_tab(show, actor, now)) for show in TABS if show != "all"}
    return fitting.aggregate(**counted, all=Count("pk"))
