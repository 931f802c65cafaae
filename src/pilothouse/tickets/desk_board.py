"""The queue page's contents: views with counts, the rows of a query, what changed since, completion."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from django.db import connection
from django.http import QueryDict

from pilothouse.platform.access import Actor, Capability
from pilothouse.tickets import names, queries, saved_views
from pilothouse.tickets import queue_page as parts
from pilothouse.tickets.access import visible
from pilothouse.tickets.engine import queue_language
from pilothouse.tickets.engine.fields import BY_KEY, Field
from pilothouse.tickets.models import Ticket
from pilothouse.tickets.queue_page import ROWS, Address

LONGEST_TRAIL = 8


@dataclass(frozen=True, slots=True)
class Asked:
    """What the address of the page asks for; `trail` holds the cursors of the pages before this one, "" being the first."""

    place: Address
    cursor: str
    trail: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Cell:
    """One value of a row."""

    key: str
    type: str
    value: Any
    beside: tuple[Any, ...] = ()


@dataclass(frozen=True, slots=True)
class Row:
    """A ticket as a row; `left` says that it no longer fits the query."""

    id: int
    number: str
    version: int
    hold_reason: str
    cells: tuple[Cell, ...]
    left: bool = False


@dataclass(frozen=True, slots=True)
class View:
    """A tab: a saved view with its address and its count, "" when it is not counted yet."""

    id: int
    name: str
    url: str
    count: str
    current: bool
    mine: bool
    scope: str


def asked(values: QueryDict) -> Asked:
    """Read the address; without a query the page shows the actor's first view."""
    columns = parts.columns_asked(values.getlist("columns"))
    query = values.get("q")
    trail = tuple(values.get("trail", "").split("~")) if values.get("cursor") else ()
    return Asked(Address(saved_views.HOME if query is None else query.strip()[:2000], columns), values.get("cursor", ""), trail)


def shown_names(what: Asked) -> list[str]:
    """Give the names of the columns that the page shows, for an export of the same."""
    return [field.name for field in parts.shown_columns(what.place.columns)]


def page(actor: Actor, what: Asked, *, now: datetime) -> dict[str, Any]:
    """Gather the page of a query."""
    place, since = what.place, _last_entry()
    fields = parts.shown_columns(place.columns)
    found = queries.list_tickets(actor, place.query, now=now, cursor=what.cursor, limit=ROWS, columns=_needed(fields))
    total = queries.count_tickets(actor, place.query, now=now)
    tabs = _tabs(actor, place.query, total)
    works = actor.can(Capability.WORK_TICKETS)
    return {
        "title": next((view.name for view in tabs if view.current), "Queue"),
        "query": place.query,
        "mistake": parts.mistake_shown(found.error, place) if found.error else None,
        "views": tabs,
        "current_view": next((view for view in tabs if view.current), None),
        "facets": parts.facets(found.query, place, parts.teams_offered(actor)),
        "chips": parts.chips(found.query, place),
        "columns": parts.columns(fields, found.query, place),
        "all_columns": parts.all_columns(fields),
        "columns_text": ",".join(place.columns),
        "default_columns": not place.columns,
        "rows": [_row(row, fields) for row in found.rows],
        "cursor": what.cursor,
        "since": since,
        "may_work": works,
        "may_open": works,
        "view_scopes": saved_views.scopes(actor),
        **_addresses(what, found.next_cursor),
        **_sums(what, len(found.rows), total),
    }


def _sums(what: Asked, shown: int, total: queries.Count) -> dict[str, str]:
    """Say how many tickets there are in all, and which of them this page shows."""
    if total.error:
        return {"summary": "", "range": ""}
    before = len(what.trail) * ROWS
    known_place = len(what.trail) < LONGEST_TRAIL
    place = f"{before + 1:,} to {before + shown:,} of {total}" if known_place and shown else f"{shown} of {total}"
    return {"summary": f"{total} ticket{'' if total.value == 1 else 's'}", "range": place if shown else "none"}


def _addresses(what: Asked, next_cursor: str) -> dict[str, str]:
    place = what.place
    trail = [*what.trail, what.cursor][-LONGEST_TRAIL:]
    older = place.url(cursor=next_cursor, trail="~".join(trail)) if next_cursor else ""
    newer = ""
    if what.cursor:
        back, before = what.trail[-1] if what.trail else "", what.trail[:-1]
        newer = place.url(cursor=back, trail="~".join(before)) if back else place.url()
    return {
        "first_url": place.url(),
        "open_url": place.of("state:open"),
        "older_url": older,
        "newer_url": newer,
        "refresh_url": place.url("queue-refresh"),
        "csv_url": place.url("queue-export", "csv"),
        "xlsx_url": place.url("queue-export", "xlsx"),
    }


def _needed(fields: Sequence[Field]) -> list[str]:
    """The columns to read: those shown, and the hold reason that the state's word needs."""
    return [*(field.name for field in fields), BY_KEY["hold_reason"].name]


def _row(row: queries.Row, fields: Sequence[Field], *, left: bool = False) -> Row:
    cells = tuple(Cell(field.key, str(field.type), row.values[field.name], row.beside.get(field.name, ())) for field in fields)
    return Row(row.id, row.number, row.version, row.values[BY_KEY["hold_reason"].name] or "", cells, left)


@dataclass(frozen=True, slots=True)
class Changed:
    """What a live page is told: rows as they are now, rows to be seen no more, and ids that are new to the query."""

    rows: list[Row]
    gone: list[int]
    fresh: list[int]


def changes(actor: Actor, what: Asked, shown: Iterable[int], others: Iterable[int], *, now: datetime) -> Changed:
    """Say what became of tickets on the page (`shown`) and which of the `others` now fit its query."""
    shown, others = list(shown), list(others)
    selection = queries.select(actor, what.place.query, now=now)
    fitting: set[int] = set()
    fresh: list[int] = []
    if isinstance(selection, queries.Selection):
        fitting = set(selection.tickets.order_by().filter(pk__in=shown).values_list("pk", flat=True))
        fresh = _fresh(selection, others) if others and not what.cursor else []
    seen = list(Ticket.objects.filter(visible(actor), pk__in=shown).values_list("pk", flat=True))
    fields = parts.shown_columns(what.place.columns)
    rows = queries.rows_of(seen, queries.columns_of(_needed(fields)))
    return Changed([_row(row, fields, left=row.id not in fitting) for row in rows], sorted(set(shown) - set(seen)), fresh)


def _fresh(selection: queries.Selection, others: Sequence[int]) -> list[int]:
    """Which tickets would stand on the first page now; one that changed on a later page is no news."""
    if not selection.tickets.order_by().filter(pk__in=others).exists():
        return []
    first = set(selection.tickets.values_list("pk", flat=True)[:ROWS])
    return [pk for pk in others if pk in first]


def _last_entry() -> int:
    """The journal's newest id: what happens after it, the live page is told even if it connects later."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT last_value FROM journal_entry_id_seq")
        return int(cursor.fetchone()[0])


def views(actor: Actor, query: str, *, now: datetime) -> list[View]:
    """Give the actor's views as tabs: default ones, then their teams', then their own, each with its count."""
    kept = saved_views.views_of(actor)
    counts = queries.count_views(actor, [view.query for view in kept], now=now)
    canonical = _canonical(query)
    return [_tab(actor, view, str(count), canonical) for view, count in zip(kept, counts, strict=True)]


def _tabs(actor: Actor, query: str, total: queries.Count) -> list[View]:
    """Give the tabs of a page that is to be seen soon: only the current view is counted, the page asks for the others."""
    canonical = _canonical(query)
    tabs = [_tab(actor, view, "", canonical) for view in saved_views.views_of(actor)]
    return [replace(tab, count=str(total)) if tab.current else tab for tab in tabs]


def _tab(actor: Actor, view: saved_views.View, count: str, canonical: str) -> View:
    mine = view.id > 0 and (view.owner_id == actor.user_id or actor.can(Capability.SHARE_VIEWS))
    url = Address(view.query, view.columns).url()
    return View(view.id, view.name, url, count, _canonical(view.query) == canonical, mine, view.scope)


def _canonical(text: str) -> str:
    """Write a query the one canonical way, so that spaces and order of typing do not hide which view one is in."""
    read = queue_language.parse(text)
    return text if isinstance(read, queue_language.Mistake) else queue_language.format_query(read)


def completion(actor: Actor, text: str, at: int) -> dict[str, Any]:
    """Say how a query could go on at the caret, and which part of its text that replaces."""
    found = queue_language.complete(text, at, names.vocabulary(actor))
    items = [{"insert": each.text, "help": each.label} for each in found.suggestions]
    return {"items": items, "start": found.start, "end": found.end}
