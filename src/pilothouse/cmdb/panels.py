"""What other rooms show on a CI's or a service's page: each registers a panel, so that the CMDB knows nothing of them."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from pilothouse.platform.access import Actor

Gather = Callable[[Actor, str, int], dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Panel:
    """A template and what it is given, from the reader, the kind ("ci" or "service") and the record's id."""

    template: str
    gather: Gather


_panels: dict[str, Panel] = {}


def register(name: str, panel: Panel) -> None:
    """Add a panel; a second one of the same name replaces the first."""
    _panels[name] = panel


def gather(actor: Actor, kind: str, record_id: int) -> list[tuple[str, dict[str, Any]]]:
    """Return each panel's template and what it shows of this record to this reader."""
    return [(panel.template, panel.gather(actor, kind, record_id)) for panel in _panels.values()]
