"""What service levels show beside a ticket: its clocks as they stand, and the escalations nobody has taken up."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pilothouse.people.queries import names
from pilothouse.platform import clock as time
from pilothouse.platform.access import Actor, Capability
from pilothouse.sla import told
from pilothouse.sla.engine.business_time.explaining import duration_words
from pilothouse.sla.engine.rules import KINDS
from pilothouse.sla.models import Clock, Escalation, Forecast
from pilothouse.tickets import side_panels
from pilothouse.tickets.access import may_work
from pilothouse.tickets.models import Ticket

_ORDER = {kind: place for place, kind in enumerate(KINDS)}


@dataclass(frozen=True, slots=True)
class Line:
    """A clock in one line: its name, how much of the target is used, its verdict in a word and a tone for it."""

    name: str
    share: int
    used: str
    target: str
    words: str
    tone: str
    due_at: datetime | None
    is_running: bool
    is_over: bool

    @property
    def bar(self) -> int:
        """How far its bar reaches."""
        return min(100, max(0, self.share))


def clocks_beside(actor: Actor, ticket: Ticket) -> dict[str, Any]:
    """Gather a ticket's clocks and open escalations for its page; nothing for who does not read tickets at large."""
    if not actor.can(Capability.READ_TICKETS):
        return {}
    now = time.now()
    found = sorted(Clock.objects.filter(ticket_id=ticket.pk).select_related("group"), key=_place)
    return {
        "ticket": ticket,
        "lines": [line_of(clock, now) for clock in found if clock.stage != "cancelled"],
        "cancelled": sum(clock.stage == "cancelled" for clock in found),
        "escalations": open_escalations(ticket),
        "may_work": may_work(actor, ticket),
        "me": actor.user_id,
        "forecast": Forecast.objects.filter(ticket_id=ticket.pk).first() if ticket.is_open else None,
    }


def _place(clock: Clock) -> tuple[Any, ...]:
    return (_ORDER[clock.kind], clock.started_at, clock.stay, clock.turn)


def line_of(clock: Clock, now: datetime) -> Line:
    """Put a clock in a line as of now."""
    used = told.used(clock, now)
    share = round(100 * used / max(1, clock.target_seconds))
    words, tone = _state(clock, used, now)
    target, running, over = duration_words(clock.target_seconds), clock.stage == "running", not clock.is_living
    return Line(_name(clock), share, duration_words(used), target, words, tone, clock.due_at, running, over)


def _name(clock: Clock) -> str:
    if clock.kind != "ola":
        return KINDS[clock.kind]
    group = clock.group.name if clock.group else "a group"
    return f"OLA {group}, all stays" if clock.stay == 0 else f"OLA {group}" + (f", stay {clock.stay}" if clock.stay > 1 else "")


def _state(clock: Clock, used: int, now: datetime) -> tuple[str, str]:
    if clock.stage == "achieved":
        return ("missed", "danger") if clock.breached else ("met", "ok")
    if clock.due_at is not None and clock.due_at < now:
        return "breached", "danger"
    if clock.stage == "paused":
        return f"paused, {duration_words(max(0, clock.target_seconds - used))} left", ""
    return f"{duration_words(max(0, clock.target_seconds - used))} left", "warn" if 4 * used >= 3 * clock.target_seconds else ""


@dataclass(frozen=True, slots=True)
class Open:
    """An escalation that nobody has taken up."""

    id: int
    words: str
    fired_at: datetime
    told: tuple[str, ...]


def open_escalations(ticket: Ticket) -> list[Open]:
    """Return a ticket's escalations that wait for somebody, the newest first."""
    rows = list(Escalation.objects.filter(ticket_id=ticket.pk, acknowledged_at=None, ended_at=None).order_by("-id"))
    known: Mapping[int, str] = names({person for row in rows for person in row.told})
    return [Open(row.pk, KINDS[row.kind], row.fired_at, tuple(known.get(person, "?") for person in row.told)) for row in rows]


side_panels.register("clocks", side_panels.SidePanel("sla/parts/beside_ticket.html", clocks_beside))
