"""Guards of rooms above: what stands in the way of a move that only the practice's own detail can tell."""

from collections.abc import Callable, Mapping
from typing import Any

from pilothouse.tickets.engine.lifecycle import Refusal
from pilothouse.tickets.models import Ticket

Guard = Callable[[Ticket, Mapping[str, Any]], list[Refusal]]
_guards: dict[str, Guard] = {}


def register(kind: str, guard: Guard) -> None:
    """Let a room guard the moves of its kind: `guard(ticket, values)` sees the ticket before it and the values it brings."""
    _guards[kind] = guard


def refusals_of(ticket: Ticket, values: Mapping[str, Any]) -> list[Refusal]:
    """Say what the ticket's room holds against a move."""
    guard = _guards.get(ticket.kind)
    return guard(ticket, values) if guard else []
