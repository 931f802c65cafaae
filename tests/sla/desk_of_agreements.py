"""Agreements as tests make them; not a module of tests."""

from datetime import datetime
from typing import Any

from pilothouse.platform.access import Actor
from pilothouse.sla.actions.agreements import add_agreement
from pilothouse.sla.models import Agreement
from tests.organisation import NOW


def target(hours: float = 4, kind: str = "resolution", **more: Any) -> dict[str, Any]:
    """A target of so many hours for every priority; `more` are further parts."""
    durations = {str(level): {"seconds": int(hours * 3600)} for level in range(1, 6)}
    return {"key": kind, "kind": kind, "durations": durations, **more}


def definition(*targets: dict[str, Any], applies_to: str = "kind:incident") -> dict[str, Any]:
    """A definition with these targets, or with one of four hours."""
    return {"applies_to": applies_to, "targets": list(targets) or [target()]}


def agreement(actor: Actor, name: str = "Incidents", *targets: dict[str, Any], now: datetime = NOW, **more: Any) -> Agreement:
    """An agreement that holds since ever."""
    applies_to = more.pop("applies_to", "kind:incident")
    made = definition(*targets, applies_to=applies_to)
    return add_agreement(actor=actor, name=name, definition=made, now=now, **{"since_ever": True, **more})
