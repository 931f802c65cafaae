"""What a problem's moves need: a cause before a fix, a fix or a reason before it is resolved, no open tasks at the end."""

from collections.abc import Mapping
from typing import Any

from pilothouse.problems import queries
from pilothouse.problems.models import Problem
from pilothouse.tickets.actions import guards
from pilothouse.tickets.engine.lifecycle import OPEN_STATES, Refusal
from pilothouse.tickets.models import FIXED_BY, Link, Ticket

_NAMED = 5


def stands_in_the_way(ticket: Ticket, values: Mapping[str, Any]) -> list[Refusal]:
    """Say what a problem still lacks for the state that it would go to."""
    after = values.get("state", ticket.state)
    detail = queries.detail(ticket)
    if after == "fixing" and not detail.cause.strip():
        return [Refusal("cause", "A fix begins with a root cause.", "Write down the cause first.")]
    if after == "resolved":
        return [*_without_fix(ticket, detail), *_open_tasks(ticket)]
    return _open_tasks(ticket) if after == "closed" else []


def _without_fix(ticket: Ticket, detail: Problem) -> list[Refusal]:
    if detail.no_fix_reason.strip() or Link.objects.filter(ticket=ticket, relation=FIXED_BY).exists():
        return []
    return [Refusal("change", "No change has fixed it.", "Link the change that did, or say why none was needed.")]


def _open_tasks(ticket: Ticket) -> list[Refusal]:
    tasks = Ticket.objects.filter(parent=ticket, kind="task", state__in=OPEN_STATES).order_by("id")
    numbers = list(tasks.values_list("number", flat=True)[: _NAMED + 1])
    if not numbers:
        return []
    more = " and more" if len(numbers) > _NAMED else ""
    are = "is still open" if len(numbers) == 1 else "are still open"
    return [Refusal("tasks", f"{', '.join(numbers[:_NAMED])}{more} {are}.", "Finish or cancel them first.")]


guards.register("problem", stands_in_the_way)
