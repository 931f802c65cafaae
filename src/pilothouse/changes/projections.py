"""The projection of a change's detail from its ticket's journal."""

from collections.abc import Mapping, Sequence
from typing import Any

from dateutil.parser import isoparse

from pilothouse.changes.engine.detail import EMPTY, INSTANTS, PREFIX, told
from pilothouse.changes.models import AffectedCI, Change
from pilothouse.platform import projections
from pilothouse.platform.journal import Entry

_FIELDS = [name for name in EMPTY if name != "cis"]


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
            if any(change.field.startswith(PREFIX) for change in entry.changes):
                by_ticket.setdefault(entry.record_id, []).append(entry)
        if by_ticket:
            _write({ticket: told(own) for ticket, own in by_ticket.items()})


def _write(changed: Mapping[int, Mapping[str, Any]]) -> None:
    kept = Change.objects.in_bulk(list(changed))
    rows = []
    for ticket, values in changed.items():
        row = kept.get(ticket) or Change(ticket_id=ticket)
        for name, value in values.items():
            if name != "cis":
                setattr(row, name, isoparse(value) if name in INSTANTS and value else value)
        rows.append(row)
    Change.objects.bulk_create(rows, update_conflicts=True, unique_fields=["ticket"], update_fields=_FIELDS, batch_size=500)
    touched = {ticket: list(dict.fromkeys(values["cis"])) for ticket, values in changed.items() if "cis" in values}
    if touched:
        AffectedCI.objects.filter(change_id__in=[ticket for ticket in touched if ticket in kept]).delete()
        AffectedCI.objects.bulk_create(
            [AffectedCI(change_id=ticket, ci_id=ci) for ticket, cis in touched.items() for ci in cis], batch_size=1000
        )


projections.register(ChangeDetails())
