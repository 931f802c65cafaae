"""What rooms above show on a ticket's page, beside it or in its main column: each registers a panel; tickets know nothing of them."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from pilothouse.platform.access import Actor
from pilothouse.tickets.models import Ticket

Gather = Callable[[Actor, Ticket], dict[str, Any]]


@dataclass(frozen=True, slots=True)
class SidePanel:
    """A template, and what it is given as `panel`; one that gathers nothing is not shown."""

    template: str
    gather: Gather
    main: bool = False  # below the description


_panels: dict[str, SidePanel] = {}
_portal: dict[str, SidePanel] = {}


def register(name: str, panel: SidePanel) -> None:
    """Add a panel; a second one of the same name replaces the first."""
    _panels[name] = panel


def register_in_portal(name: str, panel: SidePanel) -> None:
    """Add a panel to what a requester sees of their own ticket in the portal; it tells nothing of the desk's own."""
    _portal[name] = panel


def gather_for_portal(requester: Actor, ticket: Ticket) -> list[tuple[str, dict[str, Any]]]:
    """Return each portal panel's template and what it shows of this ticket."""
    return [(panel.template, found) for panel in _portal.values() if (found := panel.gather(requester, ticket))]


def gather(actor: Actor, ticket: Ticket, *, main: bool = False) -> list[tuple[str, dict[str, Any]]]:
    """Return each panel's template and what it shows of this ticket to this reader."""
    return [(panel.template, found) for panel in _panels.values() if panel.main is main and (found := panel.gather(actor, ticket))]
