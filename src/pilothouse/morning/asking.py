"""The lines of a review: which tickets ask for action and why. Each kind of line is found by an index and then put into words."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet, Window

from pilothouse.morning.engine.lines import Line, Section, length, names_in_words, once_each, order_to_act, reason_of_due
from pilothouse.morning.engine.spans import Ahead, Span
from pilothouse.morning.scope import Scope
from pilothouse.people import queries as people
from pilothouse.sla.models import Clock, Escalation
from pilothouse.tickets.engine.lifecycle import DONE_STATES, HOLD_REASONS, OPEN_STATES
from pilothouse.tickets.models import CAUSED_BY, Link, Ticket

MOST = 25
BOUNCES = 2
_HELD_FOR = ("change", "problem", "other")
_FACTS = ("number", "title", "priority", "state", "group__name", "assignee__name", "hold_reason", "hold_until", "forecast__probability")
_MORE_FACTS = ("forecast__reason", "parent__number", "parent__state", "story__bounce_count", "story__reassignment_count")
Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Asked:
    """What every kind of line needs to know: whose review, of which span, what lies ahead, in whose zone."""

    scope: Scope
    span: Span
    ahead: Ahead
    zone: ZoneInfo
    late: Mapping[int, datetime]  # tickets of which a target ran out in the span

    @property
    def now(self) -> datetime:
        return self.span.end

    def clock(self, at: datetime) -> str:
        """Write an instant as the reader's clock shows it; with the weekday when it is another day, the date when it is far."""
        there, here = at.astimezone(self.zone), self.now.astimezone(self.zone)
        if there.date() == here.date():
            return f"{there:%H:%M}"
        return f"{there:%a %H:%M}" if abs((there - here).days) < 6 else f"{there:%-d %b %H:%M}"

    def tickets(self) -> "QuerySet[Ticket]":
        """The open tickets of the review."""
        return Ticket.objects.filter(self.scope.tickets, state__in=OPEN_STATES)


@dataclass(frozen=True, slots=True)
class Found:
    """Tickets of one kind of line, each with what only this kind knows, and how many there are in all."""

    rows: Sequence[tuple[int, Row]]
    count: int


@dataclass(frozen=True, slots=True)
class Words:
    """What a kind of line says of one ticket; `stamp` is what its key changes with."""

    reason: str
    acts: tuple[str, ...]
    stamp: int = 0
    brief: str = ""
    due_at: datetime | None = None
    asked_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of line: its section's words, how its tickets are found, and what it says of one."""

    key: str
    title: str
    note: str
    empty: str
    find: Callable[[Asked], Found]
    say: Callable[[Asked, Row], Words]


def sections(asked: Asked, only: str = "") -> list[Section]:
    """Return every section with its lines; a ticket stands in the first that has it, an escalation always in its own.

    `only` names the one section to read.
    """
    found = [(kind, kind.find(asked)) for kind in KINDS if only in ("", kind.key)]
    facts = _facts(pk for _, each in found for pk, _ in each.rows)
    names = people.names(person for _, each in found for _, more in each.rows for person in more.get("told", ()))
    made = [_section(asked, kind, each, facts, names) for kind, each in found]
    return once_each(made, always=frozenset({"escalated"}))


def _facts(ids: Iterable[int]) -> dict[int, Row]:
    return {row["pk"]: row for row in Ticket.objects.filter(pk__in=set(ids)).values("pk", *_FACTS, *_MORE_FACTS)}


def _section(asked: Asked, kind: Kind, found: Found, facts: Mapping[int, Row], names: Mapping[int, str]) -> Section:
    lines = [_line(asked, kind, {**facts[pk], **more, "names": names}) for pk, more in found.rows if pk in facts]
    if kind.key == "act":
        lines = order_to_act(lines, asked.now, asked.ahead.first)
    return Section(kind.key, kind.title, kind.note, kind.empty, tuple(lines), max(found.count, len(lines)))


def _line(asked: Asked, kind: Kind, row: Row) -> Line:
    said = kind.say(asked, row)
    return Line(
        key=f"{kind.key}:{row['pk']}:{said.stamp}",
        section=kind.key,
        ticket_id=row["pk"],
        number=row["number"],
        title=row["title"],
        priority=row["priority"],
        group=row["group__name"] or "",
        assignee=row["assignee__name"] or "",
        reason=said.reason,
        acts=said.acts,
        brief=said.brief,
        due_at=said.due_at,
        probability=row["forecast__probability"],
        is_late=said.due_at is not None and said.due_at <= asked.now,
        asked_at=said.asked_at,
    )


def _acts(row: Row, first: str = "") -> tuple[str, ...]:
    """Return what a line offers, the likeliest first; nobody can be nudged where nobody has the ticket."""
    acts = ["nudge", "assign", "raise", "comment"] if row["assignee__name"] else ["assign", "nudge", "raise", "comment"]
    if not row["assignee__name"] and not row["group__name"]:
        acts.remove("nudge")
    return (first, *acts) if first else tuple(acts)


def _listed(tickets: "QuerySet[Ticket]", order: Sequence[Any], **paths: str) -> Found:
    """Return the first tickets of a list, with values under names of our own, and how many there are; in one pass."""
    counted = tickets.annotate(all_of_them=Window(Count("pk")))
    rows = list(counted.order_by(*order).values_list("pk", "all_of_them", *paths.values())[:MOST])
    count = rows[0][1] if rows else 0
    return Found([(pk, dict(zip(paths, values, strict=True))) for pk, _, *values in rows], count)


def _find_due(asked: Asked) -> Found:
    due = asked.tickets().filter(sla__stage="running", sla__due_at__gte=asked.span.start, sla__due_at__lt=asked.ahead.last)
    ahead = _listed(due.filter(sla__due_at__gte=asked.now), ("sla__due_at", "pk"), due_at="sla__due_at", kind="sla__kind")
    past = _listed(due.filter(sla__due_at__lt=asked.now), ("priority", "sla__due_at", "pk"), due_at="sla__due_at", kind="sla__kind")
    return Found([*past.rows, *ahead.rows], past.count + ahead.count)


def _say_due(asked: Asked, row: Row) -> Words:
    reason = reason_of_due(row["kind"], row["due_at"], asked.now, asked.clock)
    if row["forecast__probability"] is not None and row["due_at"] > asked.now:
        why = row["forecast__reason"]
        reason = f"{reason}; {row['forecast__probability']:.0%} likely to miss it{f': {why}' if why else ''}"
    return Words(reason, _acts(row), int(row["due_at"].timestamp()), due_at=row["due_at"])


def _find_escalated(asked: Asked) -> Found:
    mine = Q(ticket__in=Ticket.objects.filter(asked.scope.tickets, state__in=OPEN_STATES))
    waiting = Escalation.objects.filter(mine, acknowledged_at__isnull=True, ended_at__isnull=True)
    fields = ("ticket_id", "pk", "fired_at", "told", "round", "kind")
    rows = list(waiting.order_by("fired_at").values(*fields)[:MOST])
    count = len(rows) if len(rows) < MOST else waiting.count()
    renamed = [{"escalation": row["pk"], **{name: row[name] for name in ("fired_at", "told", "round", "kind")}} for row in rows]
    return Found([(row["ticket_id"], more) for row, more in zip(rows, renamed, strict=True)], count)


def _say_escalated(asked: Asked, row: Row) -> Words:
    told = names_in_words([row["names"].get(person, f"person {person}") for person in row["told"]]) or "nobody"
    again = f", round {row['round']}" if row["round"] > 1 else ""
    since = length((asked.now - row["fired_at"]).total_seconds())
    reason = f"told {told} at {asked.clock(row['fired_at'])}{again}; nobody took it up for {since}"
    pk = row["escalation"]
    return Words(reason, _acts(row, "acknowledge"), pk, "escalated", asked_at=row["fired_at"])


def _find_unowned(asked: Asked) -> Found:
    late = Clock.objects.filter(kind="response", stage="running", due_at__lt=asked.now)
    tickets = asked.tickets().filter(assignee__isnull=True, clocks__in=late)
    return _listed(tickets, ("priority", "clocks__due_at", "pk"), due_at="clocks__due_at")


def _say_unowned(asked: Asked, row: Row) -> Words:
    late = length((asked.now - row["due_at"]).total_seconds())
    return Words(f"nobody owns it, {late} past its response target", _acts(row), int(row["due_at"].timestamp()), "nobody owns it")


def _find_holds(asked: Asked) -> Found:
    blocker = Link.objects.filter(relation="blocks", target=OuterRef("pk"), ticket__state__in=DONE_STATES)
    cause = Link.objects.filter(relation=CAUSED_BY, ticket=OuterRef("pk"), target__state__in=DONE_STATES)
    waits = Q(hold_reason__in=_HELD_FOR) & (Q(parent__state__in=DONE_STATES) | Exists(blocker) | Exists(cause))
    tickets = Ticket.objects.filter(asked.scope.tickets, Q(hold_until__lt=asked.now) | waits, state="on_hold")
    return _listed(tickets, ("priority", F("hold_until").asc(nulls_last=True), "pk"))


def _say_holds(asked: Asked, row: Row) -> Words:
    until, waiting = row["hold_until"], HOLD_REASONS.get(row["hold_reason"], "On hold").lower()
    if until is not None and until < asked.now:
        reason = f"{waiting} until {asked.clock(until)}, which has passed"
    elif row["parent__state"] in DONE_STATES:
        reason = f"{waiting}, but its parent {row['parent__number']} is {row['parent__state']}"
    else:
        reason = f"{waiting}, but what it waits for is done"
    return Words(reason, _acts(row), int(until.timestamp()) if until else 0, "its hold has run out")


def _find_bounced(asked: Asked) -> Found:
    tickets = asked.tickets().filter(story__bounce_count__gte=BOUNCES, story__state__in=OPEN_STATES)
    return _listed(tickets, ("-story__bounce_count", "priority", "pk"))


def _say_bounced(asked: Asked, row: Row) -> Words:
    bounces, moves = row["story__bounce_count"], row["story__reassignment_count"]
    times = {2: "twice"}.get(bounces, f"{bounces} times")
    return Words(f"bounced {times} in {moves} reassignments", _acts(row), bounces, f"bounced {times}")


def _find_late(asked: Asked) -> Found:
    """Tickets of which a target ran out and that need no warning any more: they are held, or done."""
    span = {"sla__due_at__gte": asked.span.start, "sla__due_at__lt": asked.now}
    warned = set(asked.tickets().filter(pk__in=list(asked.late), sla__stage="running", **span).values_list("pk", flat=True))
    rest = sorted(asked.late.keys() - warned, key=lambda pk: asked.late[pk], reverse=True)
    return Found([(pk, {"due_at": asked.late[pk]}) for pk in rest[:MOST]], len(rest))


def _say_late(asked: Asked, row: Row) -> Words:
    state = row["state"].replace("_", " ")
    return Words(f"a target ran out at {asked.clock(row['due_at'])}; {state} now", ("comment",), int(row["due_at"].timestamp()))


_SAID = {
    "act": ("Act first", "in the order to act", "Nothing runs out before the day ends."),
    "escalated": ("Escalated, not acknowledged", "the oldest first", "Every escalation was taken up."),
    "unowned": ("Nobody owns it", "past the response target", "Everything that is due an answer has an owner."),
    "holds": ("Holds that have run out", "what they waited for has passed", "Every hold still has its reason."),
    "bounced": ("Bounced twice or more", "back at a group that gave it away", "No open ticket goes to and fro."),
    "breached": ("Breached, no longer running", "since your last review", "Nothing else missed its target."),
}
KINDS = (
    Kind("act", *_SAID["act"], _find_due, _say_due),
    Kind("escalated", *_SAID["escalated"], _find_escalated, _say_escalated),
    Kind("unowned", *_SAID["unowned"], _find_unowned, _say_unowned),
    Kind("holds", *_SAID["holds"], _find_holds, _say_holds),
    Kind("bounced", *_SAID["bounced"], _find_bounced, _say_bounced),
    Kind("breached", *_SAID["breached"], _find_late, _say_late),
)


def with_marks(section: Section, marks: Mapping[str, tuple[str, bool]]) -> Section:
    """Say of each line what was done about it, by its key: how, and whether that can be taken back."""
    return replace(section, lines=tuple(_marked(line, marks.get(line.key)) for line in section.lines))


def _marked(line: Line, mark: tuple[str, bool] | None) -> Line:
    return replace(line, done=mark[0], undoable=mark[1]) if mark else line
