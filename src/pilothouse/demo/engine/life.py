"""A ticket while it lives: events are appended in order, and nothing happens at or after the end of the data."""

from typing import Any

from pilothouse.demo.engine.hours import instant
from pilothouse.demo.engine.specs import Event

_INSTANTS = frozenset({"opened_at", "resolved_at", "closed_at", "hold_until"})


class Life:
    """The ticket's row so far and its events; times are whole seconds since 1970."""

    def __init__(self, at: int, actor: int | None, fields: dict[str, Any], until: int) -> None:
        self.row: dict[str, Any] = {name: instant(value) if name in _INSTANTS else value for name, value in fields.items()}
        self.events = [Event(instant(at), actor, "ticket.opened", self.row.copy())]
        self.at = self.opened_at = at
        self.until = until

    def add(
        self, at: int, actor: int | None, verb: str, values: dict[str, Any] | None = None, note: str = "", *, private: bool = False
    ) -> None:
        """Let something happen, at the earliest when the last thing did; keeps only what differs."""
        self.at = max(self.at, at)
        if self.at >= self.until:
            return
        row, changes = self.row, {}
        for name, given in (values or {}).items():
            value = instant(given) if name in _INSTANTS and given is not None else given
            if row.get(name) != value:
                row[name] = changes[name] = value
        if changes or note:
            self.events.append(Event(instant(self.at), actor, verb, changes, note, private))

    @property
    def is_over(self) -> bool:
        """The data end before anything else can happen."""
        return self.at >= self.until
