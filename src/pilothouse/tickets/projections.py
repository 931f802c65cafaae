"""The projections of a ticket's journal: its story, and the documents that search reads."""

from collections.abc import Mapping, Sequence
from dataclasses import fields
from operator import attrgetter
from typing import Any

from pilothouse.platform import journal_copy, projections, search
from pilothouse.platform.journal import Entry
from pilothouse.platform.statements import copy_rows, run, wide
from pilothouse.tickets.engine.replay import COMMENTED, NOTED, Story, fold_story
from pilothouse.tickets.models import TicketStory

_FIELDS = [f.name for f in fields(Story)]
_values = attrgetter(*_FIELDS)
_COLUMNS = ", ".join(f'"{name}"' for name in ("ticket_id", *_FIELDS))
_INSERT_ONE = f"INSERT INTO {TicketStory._meta.db_table} ({_COLUMNS}) VALUES ({', '.join(['%s'] * (len(_FIELDS) + 1))})"


class TicketStories:
    """The `ticket_story` projection: one row a ticket, moved on by the fold that also rebuilds it."""

    name = "ticket_story"
    kinds = frozenset({"ticket"})

    def clear(self) -> None:
        """Empty the table."""
        TicketStory.objects.all().delete()

    def apply(self, entries: Sequence[Entry]) -> None:
        """Move the stories of these tickets on; the ticket's row lock (or its head's) has put writers in a line."""
        by_ticket: dict[int, list[Entry]] = {}
        for entry in entries:
            by_ticket.setdefault(entry.record_id, []).append(entry)
        opened = {record_id for record_id, own in by_ticket.items() if own[0].seq == 1}
        kept = _kept([record_id for record_id in by_ticket if record_id not in opened])
        stories = {record_id: fold_story(kept.get(record_id, Story()), own) for record_id, own in by_ticket.items()}
        _add([(record_id, *_values(stories[record_id])) for record_id in by_ticket if record_id not in kept])
        _update({record_id: stories[record_id] for record_id in kept})


def _kept(ids: Sequence[int]) -> dict[int, Story]:
    if not ids:
        return {}
    rows = TicketStory.objects.filter(ticket_id__in=ids).values("ticket_id", *_FIELDS)
    return {row.pop("ticket_id"): Story(**row) for row in rows}


def _add(rows: list[tuple[Any, ...]]) -> None:
    if len(rows) >= journal_copy.WORTH_IT:
        copy_rows(f"{TicketStory._meta.db_table} ({_COLUMNS})", rows)
        return
    for row in rows:
        run(_INSERT_ONE, [wide(value) for value in row])


def _update(stories: Mapping[int, Story]) -> None:
    if len(stories) == 1:
        ((ticket_id, story),) = stories.items()
        TicketStory.objects.filter(pk=ticket_id).update(**dict(zip(_FIELDS, _values(story), strict=True)))
    elif stories:
        rows = [TicketStory(ticket_id=each, **dict(zip(_FIELDS, _values(story), strict=True))) for each, story in stories.items()]
        TicketStory.objects.bulk_create(rows, update_conflicts=True, unique_fields=["ticket"], update_fields=_FIELDS, batch_size=500)


projections.register(TicketStories())
search.register(search.Source(kind="ticket", title="title", body="description", comments=frozenset({COMMENTED, NOTED})))
