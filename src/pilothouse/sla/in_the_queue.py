"""What service levels add to the queue: the fields `due` and `risk`, and the words `is:breached`, `is:at-risk`, `is:escalated`."""

from datetime import datetime, timedelta
from typing import Any

from django.db.models import OuterRef, QuerySet

from pilothouse.sla import told
from pilothouse.sla.engine.rules import KINDS
from pilothouse.sla.models import Clock, Escalation, TicketClock
from pilothouse.tickets import queue_sql, timeline
from pilothouse.tickets.engine import fields
from pilothouse.tickets.engine.fields import Field, FieldType
from pilothouse.tickets.engine.queue_language import flags
from pilothouse.tickets.engine.queue_language.flags import OPEN, Flag
from pilothouse.tickets.engine.queue_language.plan import All, Context, Operator, Plan, Related, Test
from pilothouse.tickets.engine.queue_language.plan import Any as Either

SOON = timedelta(hours=2)
LIKELY_PERCENT = 60
WARN_PERCENT = 75
_CLOCK = ("stage", "kind", "target_seconds", "elapsed_seconds", "running_since", "schedule_id")
DUE = Field(
    name="due",
    key="due_at",
    label="Due",
    type=FieldType.INSTANT,
    path="sla__due_at",
    aliases=("sla",),
    nullable=True,
    ahead=True,
    default_column=True,
    beside=tuple(f"sla__{name}" for name in _CLOCK),
    width="12ch",
    help="When its next service level is used up; due<2h is within two hours from now, or past.",
)
RISK = Field(
    name="risk",
    key="risk",
    label="Risk",
    type=FieldType.COUNT,
    path="forecast__percent",
    nullable=True,
    beside=("forecast__reason",),
    width="6ch",
    help="How likely it misses its resolution target, in percent; risk>=60.",
)


def _breached(context: Context) -> Plan:
    return Either((_past(context), Related("breach")))


def _past(context: Context) -> Plan:
    return Test("sla__due_at", Operator.LESS, context.now)


def _at_risk(context: Context) -> Plan:
    likely = Test("forecast__percent", Operator.AT_LEAST, LIKELY_PERCENT)
    return All((OPEN, Either((Test("sla__due_at", Operator.LESS, context.now + SOON), likely))))


def _breaches(ticket: OuterRef) -> QuerySet[Any]:
    return Clock.objects.filter(ticket_id=ticket, breached=True)


def _escalations(ticket: OuterRef) -> QuerySet[Any]:
    return Escalation.objects.filter(ticket_id=ticket, acknowledged_at=None, ended_at=None)


def clock_of(ticket: int, due_at: datetime | None, beside: tuple[Any, ...]) -> TicketClock | None:
    """Return the clock that a row of the queue carries (`due` and what stands beside it), None when it has none."""
    if not beside or beside[0] is None:
        return None
    return TicketClock(ticket_id=ticket, due_at=due_at, **dict(zip(_CLOCK, beside, strict=True)))


def share_used(clock: TicketClock, now: datetime) -> int:
    """Return how much of its time a clock has used by now, in percent of its target; over 100 past it."""
    return round(100 * told.used(clock, now) / max(1, clock.target_seconds))


def countdown(clock: TicketClock, share: int, now: datetime) -> tuple[str, str]:
    """Return what is left until the deadline on the calendar, short ("18m", "3h", "-12m", "paused"), and the tone it is said in.

    `share` is how much is used (`share_used`).
    """
    if clock.due_at is None or clock.stage == "paused":
        return "paused", ""
    left = int((clock.due_at - now).total_seconds())
    tone = "danger" if left < 0 else "warn" if share >= WARN_PERCENT else ""
    return ("-" if left < 0 else "") + _short(abs(left)), tone


def _short(seconds: int) -> str:
    """Write a length as web/static/pilothouse/js/countdown.js goes on writing it."""
    if seconds >= 2 * 86400:
        return f"{seconds // 86400}d"
    if seconds >= 3 * 3600:
        return f"{seconds // 3600}h"
    return f"{seconds // 60}m" if seconds < 3600 else f"{seconds // 3600}h{seconds % 3600 // 60:02}"


def countdown_words(clock: TicketClock, share: int) -> str:
    """Say the clock in words, for the tooltip and for who cannot see the bar."""
    return f"{KINDS[clock.kind]}: {share} % of {told.length(clock.target_seconds)} used"


fields.register(DUE, before="opened")
fields.register(RISK, before="opened")
flags.register(
    {
        "breached": Flag(_breached, "It has missed a service level."),
        "at-risk": Flag(_at_risk, f"Open, and due within {SOON.seconds // 3600} hours, or {LIKELY_PERCENT} % likely to miss its target."),
        "escalated": Flag(lambda _: Related("escalation"), "Somebody was told, and nobody has taken it up."),
        "timed": Flag(lambda _: Test("sla__target_seconds", Operator.MORE, 0), "A service level is running on it."),
    }
)
queue_sql.register_related("breach", _breaches)
queue_sql.register_related("escalation", _escalations)
timeline.register(
    {
        "ticket.escalated": "escalated it",
        "ticket.escalation_acknowledged": "took the escalation up",
        "ticket.escalation_passed_on": "passed the escalation on",
    },
    ("escalation", "escalation_entry", "due_at", "pass_on_at", "told", "round"),
)
