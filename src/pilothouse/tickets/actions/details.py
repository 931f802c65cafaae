"""What a practice writes beside its ticket's own fields: journalled under a prefix, guarded by the ticket's version."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db.models import F

from pilothouse.platform import journal
from pilothouse.platform.access import Actor
from pilothouse.platform.journal import Change, Draft
from pilothouse.platform.refusals import StaleVersion
from pilothouse.tickets.actions.fields import journal_value, row_values
from pilothouse.tickets.models import Ticket


def require_version(ticket: Ticket, expected: int | None, changes: Mapping[str, Any], detail: Mapping[str, Any] | None = None) -> None:
    """Raise StaleVersion with both sides unless a locked ticket has the expected version, or none is; `detail` are a practice's fields."""
    if expected is None or expected == ticket.version:
        return
    current = {**row_values(ticket), **(detail or {})}
    raise StaleVersion(
        f"{ticket.number} was changed by somebody else while you were editing.",
        version=ticket.version,
        current={name: current.get(name) for name in changes},
        attempted=changes,
    )


def record_detail(
    actor: Actor,
    ticket: Ticket,
    values: Mapping[str, Any],
    *,
    before: Mapping[str, Any],
    prefix: str,
    verb: str,
    now: datetime,
    note: str = "",
) -> bool:
    """Journal what differs and move the ticket's version on; False when nothing does. The ticket's row is locked by the caller.

    `before` and `values` are in row form; the journal names each field with the prefix.
    """
    differing = {name: value for name, value in values.items() if before[name] != value}
    if not differing:
        return False
    changes = tuple(Change(prefix + name, journal_value(before[name]), journal_value(value)) for name, value in differing.items())
    Ticket.objects.filter(pk=ticket.pk).update(version=F("version") + 1, updated_at=now)
    ticket.version, ticket.updated_at = ticket.version + 1, now
    journal.record(actor, [Draft("ticket", ticket.pk, verb, changes, note=note)], now=now)
    return True
