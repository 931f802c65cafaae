"""The projection of a problem's detail from its ticket's journal."""

from collections.abc import Sequence
from datetime import date
from typing import Any

from dateutil.parser import isoparse

from pilothouse.platform import projections
from pilothouse.platform.journal import Entry
from pilothouse.problems.engine.detail import DAYS, EMPTY, INSTANTS, NUMBERS, PREFIX, told
from pilothouse.problems.models import Problem


class ProblemDetails:
    """The `problem_detail` projection: one row a problem."""

    name = "problem_detail"
    kinds = frozenset({"ticket"})

    def clear(self) -> None:
        """Empty the table."""
        Problem.objects.all().delete()

    def apply(self, entries: Sequence[Entry]) -> None:
        """Move the details on; the ticket's row lock (or its head's) has put writers in a line."""
        by_ticket: dict[int, list[Entry]] = {}
        for entry in entries:
            if any(change.field.startswith(PREFIX) for change in entry.changes):
                by_ticket.setdefault(entry.record_id, []).append(entry)
        kept = Problem.objects.in_bulk(list(by_ticket)) if by_ticket else {}
        rows = []
        for ticket, own in by_ticket.items():
            row = kept.get(ticket) or Problem(ticket_id=ticket)
            for name, value in told(own).items():
                setattr(row, name, _row_value(name, value))
            rows.append(row)
        Problem.objects.bulk_create(rows, update_conflicts=True, unique_fields=["ticket"], update_fields=list(EMPTY), batch_size=500)


def _row_value(name: str, value: Any) -> Any:
    if not value:
        return value
    if name in DAYS:
        return date.fromisoformat(value)
    return isoparse(value) if name in INSTANTS else float(value) if name in NUMBERS else value


projections.register(ProblemDetails())
