"""The projection of a change's detail from its ticket's journal."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db import connection

from pilothouse.changes.engine.detail import EMPTY, INSTANTS, PREFIX, told, touched
from pilothouse.changes.models import AffectedCI, Change
from pilothouse.platform import projections
from pilothouse.platform.journal import Entry
from pilothouse.platform.statements import copy_rows

_FIELDS = [name for name in EMPTY if name != "cis"]
_OPENED = "ticket.opened"
_COPY_FROM = 50  # rows; a copy costs more than a few inserts


class ChangeDetails:
    """The `change_detail` projection: one row a change, and a row for each CI that it touches."""

    name = "change_detail"
    kinds = frozenset({"ticket"})

    def clear(self) -> None:
        """Empty both tables."""
        with connection.cursor() as cursor:
            cursor.execute("DELETE FROM changes_affectedci")
            cursor.execute("DELETE FROM changes_change")

    def apply(self, entries: Sequence[Entry]) -> None:
        """Move the details on; the ticket's row lock (or its head's) has put writers in a line."""
        by_ticket: dict[int, list[Entry]] = {}
        for entry in entries:
            if _opens_change(entry) or _tells_of_change(entry):
                by_ticket.setdefault(entry.record_id, []).append(entry)
        if by_ticket:
            _write(by_ticket)


def _opens_change(entry: Entry) -> bool:
    """Say whether a change is opened, by whatever room: it has its detail from then on, even if nothing is said of it."""
    return entry.verb == _OPENED and any(change.field == "kind" and change.after == "change" for change in entry.changes)


def _tells_of_change(entry: Entry) -> bool:
    """Say whether an entry may speak of a change's detail: by its own fields, or by another CI of a known ticket."""
    return any(change.field.startswith(PREFIX) or (change.field == "ci" and entry.verb != _OPENED) for change in entry.changes)


def _write(by_ticket: Mapping[int, Sequence[Entry]]) -> None:
    kept = Change.objects.in_bulk(list(by_ticket))
    planned = {ticket: values for ticket, own in by_ticket.items() if (values := told(own)) or ticket in kept or _opens_change(own[0])}
    if not planned:
        return  # other kinds of tickets whose CI was changed
    fresh = [_row(Change(ticket_id=ticket), values) for ticket, values in planned.items() if ticket not in kept]
    known = [_row(kept[ticket], values) for ticket, values in planned.items() if ticket in kept]
    if len(fresh) < _COPY_FROM:
        Change.objects.bulk_create(fresh)
    else:
        columns = ", ".join(f'"{name}"' for name in ("ticket_id", *_FIELDS))
        copy_rows(f"changes_change ({columns})", ([row.pk, *(getattr(row, name) for name in _FIELDS)] for row in fresh))
    Change.objects.bulk_update(known, _FIELDS, batch_size=200)
    _touch({ticket: own for ticket, own in by_ticket.items() if ticket in planned}, kept)


def _row(row: Change, values: Mapping[str, Any]) -> Change:
    for name, value in values.items():
        if name != "cis":
            setattr(row, name, datetime.fromisoformat(value) if name in INSTANTS and value else value)
    return row


def _touch(by_ticket: Mapping[int, Sequence[Entry]], kept: Mapping[int, Change]) -> None:
    before: dict[int, list[int]] = {}
    touching = AffectedCI.objects.filter(change_id__in=list(kept)).order_by("id").values_list("change_id", "ci_id") if kept else ()
    for ticket, ci in touching:
        before.setdefault(ticket, []).append(ci)
    after = {ticket: touched(before.get(ticket, []), own) for ticket, own in by_ticket.items()}
    moved = {ticket: cis for ticket, cis in after.items() if cis != before.get(ticket, [])}
    if renewed := [ticket for ticket in moved if ticket in before]:
        AffectedCI.objects.filter(change_id__in=renewed).delete()
    pairs = [(ticket, ci) for ticket, cis in moved.items() for ci in cis]
    if len(pairs) < _COPY_FROM:
        AffectedCI.objects.bulk_create([AffectedCI(change_id=ticket, ci_id=ci) for ticket, ci in pairs])
    else:
        copy_rows('changes_affectedci ("change_id", "ci_id")', pairs)


projections.register(ChangeDetails())
