"""The projection of a change's detail from its ticket's journal."""

from collections.abc import Mapping, Sequence
from typing import Any

from dateutil.parser import isoparse

from pilothouse.changes.engine.detail import EMPTY, INSTANTS, PREFIX, told, touched
from pilothouse.changes.models import AffectedCI, Change
from pilothouse.platform import projections
from pilothouse.platform.journal import Entry

_FIELDS = [name for name in EMPTY if name != "cis"]
_OPENED = "ticket.opened"


class ChangeDetails:
    """The `change_detail` projection: one row a change, and a row for each CI that it touches."""

    name = "change_detail"
    kinds = frozenset({"ticket"})

    def clear(self) -> None:
        """Empty both tables."""
        AffectedCI.objects.all().delete()
        Change.objects.all().delete()

    def apply(self, entries: Sequence[Entry]) -> None:
        """Move the details on; the ticket's row lock (or its head's) has put writers in a line."""
        by_ticket: dict[int, list[Entry]] = {}
        for entry in entries:
            if any(change.field.startswith(PREFIX) or _moves_own_ci(entry, change.field) for change in entry.changes):
                by_ticket.setdefault(entry.record_id, []).append(entry)
        if by_ticket:
            _write(by_ticket)


def _moves_own_ci(entry: Entry, field: str) -> bool:
    """Say whether a ticket's own CI changes; a new ticket's own stands in its detail already."""
    return field == "ci" and entry.verb != _OPENED


def _write(by_ticket: Mapping[int, Sequence[Entry]]) -> None:
    kept = Change.objects.in_bulk(list(by_ticket))
    planned = {ticket: values for ticket, own in by_ticket.items() if (values := told(own)) or ticket in kept}
    if not planned:
        return  # other kinds of tickets whose CI was changed
    rows = [_row(kept.get(ticket) or Change(ticket_id=ticket), values) for ticket, values in planned.items()]
    Change.objects.bulk_create(rows, update_conflicts=True, unique_fields=["ticket"], update_fields=_FIELDS, batch_size=500)
    _touch({ticket: own for ticket, own in by_ticket.items() if ticket in planned}, kept)


def _row(row: Change, values: Mapping[str, Any]) -> Change:
    for name, value in values.items():
        if name != "cis":
            setattr(row, name, isoparse(value) if name in INSTANTS and value else value)
    return row


def _touch(by_ticket: Mapping[int, Sequence[Entry]], kept: Mapping[int, Change]) -> None:
    before: dict[int, list[int]] = {}
    for ticket, ci in AffectedCI.objects.filter(change_id__in=list(kept)).order_by("id").values_list("change_id", "ci_id"):
        before.setdefault(ticket, []).append(ci)
    after = {ticket: touched(before.get(ticket, []), own) for ticket, own in by_ticket.items()}
    moved = {ticket: cis for ticket, cis in after.items() if cis != before.get(ticket, [])}
    AffectedCI.objects.filter(change_id__in=[ticket for ticket in moved if ticket in before]).delete()
    AffectedCI.objects.bulk_create([AffectedCI(change_id=ticket, ci_id=ci) for ticket, cis in moved.items() for ci in cis], batch_size=1000)


projections.register(ChangeDetails())
