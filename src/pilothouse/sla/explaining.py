"""The proof of a ticket's clocks: each span with the journal entry behind it, its arithmetic, the sum; and why there is no clock.

Nothing is read from the kept clocks: the ticket's journal is folded anew, so that the proof also tests them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from pilothouse.people.models import Team
from pilothouse.platform.access import Actor
from pilothouse.sla import rulebook
from pilothouse.sla.engine import lives
from pilothouse.sla.engine.business_time import OpenHours
from pilothouse.sla.engine.business_time.explaining import Explanation, duration_words, explain_add, explain_elapsed
from pilothouse.sla.engine.clock import MODES, RUNNING, STOPPED, Clock, instant
from pilothouse.sla.engine.clocks import count
from pilothouse.sla.engine.lives import START, Event, seconds
from pilothouse.sla.engine.measuring import last_stretch
from pilothouse.sla.engine.rules import KINDS, Agreement
from pilothouse.sla.models import Life, Schedule
from pilothouse.sla.rulebook import Known
from pilothouse.tickets import timeline
from pilothouse.tickets.models import Ticket

ALWAYS = "round the clock"
_UNREAD = "The ticket's journal has not been read for service levels: run `pilothouse rebuild sla_clock`."
_VERDICTS = {"running": "is running", "paused": "is paused", "achieved": "has ended", "cancelled": "was cancelled"}


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of a clock between two journal entries: what was counted of it, and the sum so far."""

    start: datetime
    end: datetime | None  # None: it goes on
    mode: str
    seq: int
    cause: str
    counted: int
    total: int
    words: str

    @property
    def is_counted(self) -> bool:
        return self.counted > 0


@dataclass(frozen=True, slots=True)
class Proof:
    """One clock, proved."""

    clock: Clock
    name: str
    agreement: str
    zone: str
    schedule: str
    target: str
    verdict: str
    elapsed: int
    share: int
    started: datetime
    due: datetime | None
    original_due: datetime | None
    spans: tuple[Span, ...]
    deadline: Explanation | None
    remaining: int
    is_breached: bool

    @property
    def calendar_seconds(self) -> int:
        """How long it took on the calendar, until it ended."""
        return (self.clock.ended or 0) - self.clock.started


@dataclass(frozen=True, slots=True)
class Absence:
    """Why a ticket has no clock of a kind: a line for each agreement in force, in order."""

    kind: str
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Explained:
    """Every clock of a ticket, and every kind that it has none of."""

    ticket: Ticket
    proofs: tuple[Proof, ...]
    absences: tuple[Absence, ...]


def explain(actor: Actor, ticket: Ticket, *, now: datetime) -> Explained:
    """Fold a ticket's journal and prove its clocks as of `now`; the caller has checked that the actor may read the ticket."""
    known, life = rulebook.current(), _life(ticket)
    causes = {line.seq: f"{line.who} {line.headline}".strip() for line in timeline.timeline(actor, ticket)}
    counted = count(ticket.pk, life, known.rulebook, known.hours)
    names = dict(Schedule.objects.values_list("id", "name"))
    teams = dict(Team.objects.filter(pk__in={clock.group for clock in counted if clock.group}).values_list("id", "name"))
    shown = _Shown(names, teams, causes, seconds(now))
    proofs = tuple(_prove(clock, known.hours[clock.schedule], shown) for clock in counted)
    return Explained(ticket, proofs, tuple(_absences(known, life, {clock.kind for clock in counted})))


def _life(ticket: Ticket) -> list[Event]:
    row = Life.objects.filter(ticket_id=ticket.pk).first()
    return lives.read(bytes(row.events)) if row else []


@dataclass(frozen=True, slots=True)
class _Shown:
    """What a proof is told with: names of schedules and teams, what each journal entry did, and the present."""

    schedules: Mapping[int, str]
    teams: Mapping[int, str]
    causes: Mapping[int, str]
    now: int


def _prove(clock: Clock, hours: OpenHours, shown: _Shown) -> Proof:
    agreement, now = clock.candidate.agreement, shown.now
    spans = tuple(_spans(clock, hours, shown.causes, now))
    used = spans[-1].total if spans else 0
    late = clock.breached if clock.breached is not None else clock.is_living and clock.due is not None and clock.due < now
    return Proof(
        clock=clock,
        name=_name(clock, shown.teams),
        agreement=f"{agreement.name}, version {agreement.number}",
        zone=hours.zone,
        schedule=shown.schedules.get(clock.schedule, "") if clock.schedule else ALWAYS,
        target=_target_words(clock),
        verdict=_verdict(clock, late=late),
        elapsed=used,
        share=round(100 * used / max(1, clock.target_seconds)),
        started=instant(clock.started),
        due=None if clock.due is None else instant(clock.due),
        original_due=None if clock.original_due is None else instant(clock.original_due),
        spans=spans,
        deadline=_deadline(clock, hours),
        remaining=clock.target_seconds - used,
        is_breached=late,
    )


def _name(clock: Clock, teams: Mapping[int, str]) -> str:
    parts = [KINDS[clock.kind]]
    if clock.kind == "ola":
        parts += [teams.get(clock.group or 0, "a group"), "all stays" if clock.stay == 0 else f"stay {clock.stay}"]
    if clock.turn > 1:
        parts.append(f"turn {clock.turn}")
    return ", ".join(parts)


def _target_words(clock: Clock) -> str:
    duration = clock.duration(clock.priority)
    words = duration_words(clock.target_seconds)
    if duration.is_relative:
        day = {0: "the same business day", 1: "the next business day"}.get(duration.days, f"{duration.days} business days later")
        words = f"{day} at {duration.at // 3600:02}:{duration.at % 3600 // 60:02}, which is {words} of working time"
    return f"P{clock.priority}: {words}"


def _verdict(clock: Clock, *, late: bool) -> str:
    if clock.stage == "achieved":
        return "missed its target" if late else "met its target"
    return f"{_VERDICTS[clock.stage]}{' and has breached' if late else ''}"


def _spans(clock: Clock, hours: OpenHours, causes: Mapping[int, str], now: int) -> list[Span]:
    """Lay out the spans between edges; of the sum of an OLA's stays, time in other groups is no span of it."""
    found: list[Span] = []
    total, counted = 0, set(clock.segments)
    for i, edge in enumerate(clock.edges):
        after = clock.edges[i + 1].at if i + 1 < len(clock.edges) else None
        end = after if after is not None else (max(now, edge.at) if edge.mode == RUNNING else None)
        is_counted = edge.mode == RUNNING or any(start <= edge.at and end is not None and end <= stop for start, stop in counted)
        counting = explain_elapsed(hours, edge.at, end) if is_counted and end is not None else None
        open_seconds, words = (counting.seconds, counting.words) if counting else (0, "")
        total += open_seconds
        stop = None if after is None else instant(after)
        mode = "counted while resolved" if is_counted and edge.mode == STOPPED else MODES[edge.mode]
        found.append(Span(instant(edge.at), stop, mode, edge.seq, causes.get(edge.seq, ""), open_seconds, total, words))
    return found


def _deadline(clock: Clock, hours: OpenHours) -> Explanation | None:
    """Explain the last addition that gives the deadline: what was left of the target, from the span in which it is used up."""
    found = None if clock.due is None else last_stretch(clock, hours, clock.target_seconds)
    return None if found is None else explain_add(hours, *found)


def _absences(known: Known, life: Sequence[Event], present: set[str]) -> list[Absence]:
    missing = [kind for kind in KINDS if kind not in present]
    if not life:
        return [Absence(kind, (_UNREAD,)) for kind in missing]
    rules = known.rulebook.at(life[0].at)
    if not rules.agreements:
        opened = instant(life[0].at)
        words = f"No agreement was in force when the ticket was opened ({opened:%d %b %Y %H:%M} UTC)."
        return [Absence(kind, (words,)) for kind in missing]
    snapshot = dict(START)
    for event in life:
        snapshot.update(event.changes)
    return [Absence(kind, tuple(_why_not(each, kind, snapshot) for each in rules.agreements)) for kind in missing]


def _why_not(agreement: Agreement, kind: str, snapshot: Mapping[str, object]) -> str:
    targets = [target for target in agreement.targets if target.kind == kind]
    if not targets:
        return f"{agreement.name} has no target of this kind."
    if not agreement.applies.holds(snapshot, when_empty=True):
        return f"{agreement.name} applies to “{agreement.applies.text}”, which does not hold for this ticket."
    if not any(snapshot["priority"] in target.durations for target in targets):
        return f"{agreement.name} has no target for priority {snapshot['priority']}."
    if kind == "ola":
        return f"{agreement.name}: no group that its target names has owned the ticket."
    if kind == "contract":
        return f"{agreement.name}: the ticket has not waited for a vendor."
    return f"{agreement.name}: its clock has not started (“{targets[0].start.text}” has not held)."


def local(at: datetime, zone: str) -> str:
    """Write an instant as the clock on the wall shows it, to the second."""
    return f"{at.astimezone(ZoneInfo(zone)):%a %d %b %Y %H:%M:%S}"
