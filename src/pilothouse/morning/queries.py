"""The whole review of one person at one instant, as the page, the terminal, the mail and the PDF show it. It reads, and writes nothing."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from pilothouse.morning import figures, tomorrow
from pilothouse.morning.asking import Asked, sections, with_marks
from pilothouse.morning.engine import spans
from pilothouse.morning.engine.lines import Section
from pilothouse.morning.engine.spans import Ahead, Span
from pilothouse.morning.models import MailTime, Mark, Review
from pilothouse.morning.scope import Scope, scope_of
from pilothouse.morning.tomorrow import Closed
from pilothouse.people.models import Membership, Team, User
from pilothouse.people.queries import require
from pilothouse.platform.access import Actor, Capability, Role
from pilothouse.platform.refusals import Missing
from pilothouse.tickets.access import visible
from pilothouse.tickets.models import Ticket
from pilothouse.tickets.queries import zone_of

LASTING = frozenset({"bounced"})  # a mark on these holds until there is news, the others' until the day ends
LASTS = timedelta(days=30)
_KEY = re.compile(r"(?P<section>[a-z]{1,20}):(?P<ticket>\d{1,18}):(?P<stamp>\d{1,18})")


@dataclass(frozen=True, slots=True)
class Risk:
    """How many targets are used up before the first and before the second instant of `ahead`, and in each hour until then."""

    ahead: Ahead
    first: int
    rest: int
    hours: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Morning:
    """A review. `last` is the review that it counts from, None when it counts from the night; `done` counts today's marks."""

    name: str
    zone: ZoneInfo
    span: Span
    last: datetime | None
    open_review: Review | None
    scope_words: str
    intake: figures.Intake
    breached: int
    met: figures.Met
    risk: Risk
    ages: tuple[figures.Age, ...]
    sections: tuple[Section, ...]
    tomorrow: tuple[Closed, ...]
    oldest_escalation: datetime | None
    done: int
    runs: bool

    @property
    def now(self) -> datetime:
        return self.span.end

    @property
    def waiting(self) -> int:
        """How many lines still ask, those not shown included."""
        return sum(section.asking for section in self.sections)

    @property
    def since_words(self) -> str:
        """Say from when it counts: "your last review, 08:42", "Mon 17:00"."""
        start, here = self.span.start.astimezone(self.zone), self.now.astimezone(self.zone)
        at = f"{start:%H:%M}" if start.date() == here.date() else f"{start:%a %H:%M}"
        return f"your last review, {at}" if self.last is not None else at

    @property
    def counts(self) -> dict[str, int]:
        """Return what stands in it: what came in and breached, and in each section what still asks."""
        waiting = {section.key: section.asking for section in self.sections}
        return {**waiting, "came_in": self.intake.total.count, "late": self.breached}

    def section(self, key: str) -> Section:
        """Return a section by its key."""
        return next(section for section in self.sections if section.key == key)


def since_of(actor: Actor, now: datetime) -> tuple[datetime, Review | None, bool]:
    """Return from when the actor's review counts, the review that is open, and whether it counts from an earlier one."""
    newest = Review.objects.filter(person_id=actor.user_id or 0).order_by("-id")[:2]
    open_one = next((review for review in newest if review.finished_at is None), None)
    last = next((review.finished_at for review in newest if review.finished_at is not None), None)
    zone = zone_of(actor)
    start = spans.since(now, last, zone)
    if open_one is not None and now - open_one.since_at <= spans.LONGEST:
        start = open_one.since_at
    return start, open_one, start == last


def morning(actor: Actor, *, now: datetime) -> Morning:
    """Return the actor's review at `now`; Forbidden for requesters."""
    require(actor, Capability.READ_TICKETS)
    scope, zone = scope_of(actor), zone_of(actor)
    start, open_one, from_last = since_of(actor, now)
    span, ahead = Span(start, now), spans.ahead(now, zone)
    teams = dict(Team.objects.values_list("id", "name"))
    late = figures.breached(scope, span)
    asked = Asked(scope, span, ahead, zone, late)
    done = marks(actor, now, zone)
    shown = tuple(with_marks(section, done) for section in sections(asked))
    escalations = next(section for section in shown if section.key == "escalated")
    return Morning(
        name=actor.name,
        zone=zone,
        span=span,
        last=start if from_last else None,
        open_review=open_one,
        scope_words=_scope_words(scope, teams),
        intake=figures.intake(scope, span, zone, teams),
        breached=len(late),
        met=figures.met(scope, now),
        risk=_risk(scope, now, ahead),
        ages=figures.ages(scope, now),
        sections=shown,
        tomorrow=tomorrow.closed(scope, now, zone, teams),
        oldest_escalation=_oldest(escalations),
        done=len(done),
        runs=actor.user_id is not None and actor.can(Capability.WORK_TICKETS),
    )


def _scope_words(scope: Scope, teams: Mapping[int, str]) -> str:
    """Say whose tickets they are when they are not all."""
    if scope.teams is None:
        return ""
    return " and ".join(sorted(teams.get(team, "") for team in scope.teams)) or "no team"


def _risk(scope: Scope, now: datetime, ahead: Ahead) -> Risk:
    hours = max(1, -(-int((ahead.last - now).total_seconds()) // 3600))
    marks_at = sorted({now, ahead.first, ahead.last, *(ahead.last - timedelta(hours=back) for back in range(1, hours))})
    counts = figures.due_ahead(scope, marks_at)
    first = sum(count for at, count in zip(marks_at, counts, strict=False) if at < ahead.first)
    by_hour = [0] * hours
    for at, count in zip(marks_at, counts, strict=False):
        by_hour[min(hours - 1, int((at - now).total_seconds()) // 3600)] += count
    return Risk(ahead, first, sum(counts) - first, tuple(by_hour))


def _oldest(section: Section) -> datetime | None:
    return min((line.asked_at for line in section.lines if line.asked_at and not line.done), default=None)


def marks(actor: Actor, now: datetime, zone: ZoneInfo) -> dict[str, tuple[str, bool]]:
    """Return what the actor has done, by line key: today's marks, and of what lasts those of a month."""
    midnight = datetime.combine(now.astimezone(zone).date(), datetime.min.time(), tzinfo=zone).astimezone(UTC)
    rows = Mark.objects.filter(person_id=actor.user_id or 0, marked_at__gt=now - LASTS)
    return {row.key: (row.how, bool(row.request_id)) for row in rows if row.marked_at >= midnight or row.section in LASTING}


def find_line(actor: Actor, key: str, *, now: datetime) -> Section | None:
    """Return the section of a line with this line alone in it, as it stands now; None when it asks no more."""
    scope, zone = scope_of(actor), zone_of(actor)
    start, _, _ = since_of(actor, now)
    span = Span(start, now)
    kind = key.partition(":")[0]
    late = figures.breached(scope, span) if kind == "breached" else {}
    done = marks(actor, now, zone)
    for section in sections(Asked(scope, span, spans.ahead(now, zone), zone, late), only=kind):
        for line in with_marks(section, done).lines:
            if line.key == key:
                return Section(section.key, section.title, section.note, section.empty, (line,), 1)
    return None


@dataclass(frozen=True, slots=True)
class Finished:
    """A review that has ended, with what was done in it, oldest first."""

    review: Review
    marks: tuple[Mark, ...]
    seconds: float


def finished(actor: Actor, review_id: int) -> Finished:
    """Return a review that has ended: one's own, or anybody's for managers, auditors and administrators; Missing otherwise.

    Of its marks, those on tickets that the reader may see.
    """
    require(actor, Capability.READ_TICKETS)
    found = Review.objects.select_related("person").filter(pk=review_id, finished_at__isnull=False).first()
    oversees = actor.role in (Role.MANAGER, Role.AUDITOR, Role.ADMINISTRATOR) and actor.can(Capability.READ_JOURNAL)
    if found is None or found.finished_at is None or (found.person_id != actor.user_id and not oversees):
        raise Missing("There is no such review.")
    seen = Ticket.objects.filter(visible(actor))
    own = Mark.objects.filter(review=found, ticket__in=seen).select_related("ticket").order_by("marked_at")
    return Finished(found, tuple(own), (found.finished_at - found.started_at).total_seconds())


def mail_time(actor: Actor) -> MailTime | None:
    """Return when the actor is mailed the review; None when never."""
    return MailTime.objects.filter(pk=actor.user_id or 0, next_at__isnull=False).first()


def read_key(key: str) -> tuple[str, int]:
    """Return the section and the ticket's id of a line's key; Missing when it is none."""
    found = _KEY.fullmatch(key)
    if found is None:
        raise Missing("There is no such line.")
    return found["section"], int(found["ticket"])


def stamp(key: str) -> int:
    """Return the last part of a line's key: of an escalation its id."""
    found = _KEY.fullmatch(key)
    return int(found["stamp"]) if found else 0


def nudged(ticket: Ticket) -> list[User]:
    """Return whom a nudge is for: the assignee, else the group's leads, else up to five of its members."""
    if ticket.assignee_id:
        return list(User.objects.filter(pk=ticket.assignee_id, is_active=True))
    members = Membership.objects.filter(team_id=ticket.group_id or 0, user__is_active=True).select_related("user").order_by("user__name")
    leads = [member.user for member in members if member.is_lead]
    return leads or [member.user for member in members[:5]]
