"""What pages, REST, exports and other rooms read of tickets: lists by the queue language, counts, tickets like a ticket.

A list is paged by its keys, never by an offset: a page costs the same wherever it lies, and a ticket that arrives meanwhile
neither shifts nor repeats another.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.db.models import Q, QuerySet

from pilothouse.platform.access import Actor, Capability
from pilothouse.tickets import names, queue_sql
from pilothouse.tickets.access import visible
from pilothouse.tickets.engine import fields
from pilothouse.tickets.engine.fields import Field, FieldType
from pilothouse.tickets.engine.queue_language import Context, Mistake, Plan, Query, format_query, names_in, parse, resolve
from pilothouse.tickets.engine.queue_language.meaning import texts_in
from pilothouse.tickets.engine.queue_language.plan import of_the_desk
from pilothouse.tickets.models import Ticket

MOST_ROWS = 200
MOST_COUNTED = 1000
_ALWAYS = ("id", "version", "number", "title", "state", "priority")


@dataclass(frozen=True, slots=True)
class Named:
    """A record that a ticket refers to: its id and the name people know it by."""

    id: int
    name: str

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True, slots=True)
class Row:
    """One ticket of a list; `values` holds the asked columns by field name, references as Named, instants aware in UTC."""

    id: int
    number: str
    version: int
    title: str
    state: str
    priority: int
    values: Mapping[str, Any]
    beside: Mapping[str, tuple[Any, ...]] = field(default_factory=dict)  # what else a column shows (Field.beside)


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a list. With an `error` there are no rows; `query` is then None."""

    rows: tuple[Row, ...] = ()
    next_cursor: str = ""
    error: Mistake | None = None
    query: Query | None = None
    columns: tuple[Field, ...] = ()
    now: datetime | None = None


@dataclass(frozen=True, slots=True)
class Count:
    """How many tickets a query finds, counted up to 1,000."""

    value: int = 0
    error: Mistake | None = None

    def __str__(self) -> str:
        return "?" if self.error else (f"{MOST_COUNTED - 1}+" if self.value >= MOST_COUNTED else str(self.value))


@dataclass(frozen=True, slots=True)
class Selection:
    """A query understood for one actor at one instant: which tickets, in which order."""

    query: Query
    tickets: QuerySet[Ticket]
    keys: tuple[queue_sql.Key, ...]
    text: str


def zone_of(actor: Actor) -> ZoneInfo:
    """Return the actor's time zone; UTC when it is not known here."""
    try:
        return ZoneInfo(actor.time_zone)
    except (ZoneInfoNotFoundError, ValueError):
        return ZoneInfo("UTC")


def columns_of(chosen: Iterable[str]) -> tuple[Field, ...]:
    """Return the fields of the chosen columns, in order and once each; unknown names are left out, none means the default."""
    found = dict.fromkeys(declared for name in chosen if (declared := fields.find(name)))
    return tuple(found) or tuple(fields.BY_NAME[name] for name in fields.DEFAULT_COLUMNS)


def select(actor: Actor, text: str, *, now: datetime) -> Selection | Mistake:
    """Return the visible tickets that a query asks for, in its order; or the first mistake in it.

    Relative times count from `now`; days and weeks are those of the actor's zone.
    """
    return _select_all(actor, [text], now)[0]


def _select_all(actor: Actor, texts: Sequence[str], now: datetime) -> list[Selection | Mistake]:
    """Understand several queries with at most two looks at the database: one for names, one for words nobody searches by."""
    parsed = [parse(text) for text in texts]
    queries = [query for query in parsed if isinstance(query, Query)]
    known = names.look_up(actor, {name for query in queries for name in names_in(query)})
    ignored = _unsearchable({text for query in queries for text in texts_in(query)})
    context = _context(actor, now)
    return [
        query if isinstance(query, Mistake) else _understood(actor, query, resolve(query, context, known, ignored=ignored))
        for query in parsed
    ]


def _context(actor: Actor, now: datetime) -> Context:
    me = () if actor.user_id is None else (actor.user_id,)
    return Context(now=now, zone=zone_of(actor), me=me, my_teams=tuple(sorted(actor.team_ids)))


def _understood(actor: Actor, query: Query, plan: Plan | Mistake) -> Selection | Mistake:
    if isinstance(plan, Mistake):
        return replace(plan, suggestion=names.nearest(actor, *plan.unknown)) if plan.unknown else plan
    keys = tuple(queue_sql.keys_of(query.sort))
    asked = queue_sql.condition(of_the_desk(plan), private=reads_notes(actor))
    tickets = Ticket.objects.filter(visible(actor)).filter(asked)
    return Selection(query, queue_sql.ordered(tickets, keys), keys, format_query(query))


def reads_notes(actor: Actor) -> bool:
    """Say whether private work notes are the actor's to read: staff's."""
    return actor.is_staff and actor.can(Capability.READ_TICKETS)


def _unsearchable(texts: Iterable[str]) -> frozenset[str]:
    """Return the texts of which nothing is left to search by: words such as the, or signs alone."""
    wanted = sorted(set(texts))
    if not wanted:
        return frozenset()
    with connection.cursor() as cursor:
        cursor.execute("SELECT t FROM unnest(%s::text[]) t WHERE numnode(phraseto_tsquery('english', t)) = 0", [wanted])
        return frozenset(row[0] for row in cursor.fetchall())


def list_tickets(
    actor: Actor,
    text: str,
    *,
    now: datetime,
    cursor: str = "",
    limit: int = 50,
    columns: Iterable[str] = (),
) -> Page:
    """Return one page of the visible tickets that a query asks for.

    `cursor` is the `next_cursor` of the page before ("" for the first); it keeps that page's `now`, so that `opened<2d` does
    not drift while paging. `limit` is held between 1 and 200. `columns` are field names, aliases or keys.
    """
    understood = select(actor, text, now=now)
    if isinstance(understood, Mistake):
        return Page(error=understood)
    start = queue_sql.read_cursor(cursor, understood.keys, understood.text, actor.user_id) if cursor else None
    if cursor and start is None:
        return Page(error=Mistake(0, 1, "This page belongs to another list.", hint="Start from its first page."))
    if start is not None and start.now != now:
        understood = select(actor, text, now=start.now)
        assert isinstance(understood, Selection)  # it was understood a moment ago, and names are read again only for it
    return _page(actor, understood, start, max(1, min(limit, MOST_ROWS)), columns_of(columns), now)


def _page(
    actor: Actor, selection: Selection, start: queue_sql.Cursor | None, limit: int, columns: tuple[Field, ...], now: datetime
) -> Page:
    keys, tickets = selection.keys, selection.tickets
    if start is not None:
        tickets, now = tickets.filter(queue_sql.after(keys, start.values, start.last_id)), start.now
    places = list(tickets.values_list("pk", *(key.name for key in keys))[: limit + 1])
    more = ""
    if len(places) > limit:
        last = places[limit - 1]
        more = queue_sql.write_cursor(queue_sql.Cursor(now, tuple(last[1:]), last[0]), selection.text, actor.user_id)
    rows = rows_of([place[0] for place in places[:limit]], columns)
    return Page(rows, more, None, selection.query, columns, now)


def rows_of(ids: Sequence[int], columns: Sequence[Field]) -> tuple[Row, ...]:
    """Return tickets as rows in the order of their ids given, names included, in one query.

    Finding the ids and reading the rows are two steps so that names are joined to a page, never to the whole list.
    """
    if not ids:
        return ()
    found = {record["id"]: record for record in Ticket.objects.filter(pk__in=ids).values(*paths_of(columns))}
    return tuple(_row(found[each], columns) for each in ids if each in found)


def paths_of(columns: Sequence[Field]) -> list[str]:
    """Return the ORM paths that columns need, ids and names."""
    wanted = [path for column in columns for path in (column.path, column.shown, *column.beside)]
    return list(dict.fromkeys([*_ALWAYS, *wanted]))


def _row(record: Mapping[str, Any], columns: Sequence[Field]) -> Row:
    return Row(
        record["id"],
        record["number"],
        record["version"],
        record["title"],
        record["state"],
        record["priority"],
        {column.name: value_of(record, column) for column in columns},
        {column.name: tuple(record[path] for path in column.beside) for column in columns if column.beside},
    )


def value_of(record: Mapping[str, Any], column: Field) -> Any:
    """Return a column's value: a reference as Named (or None), anything else as it is."""
    value = record[column.path]
    return Named(value, record[column.shown]) if column.type is FieldType.REFERENCE and value is not None else value


def count_views(actor: Actor, texts: Sequence[str], *, now: datetime) -> list[Count]:
    """Count many queries in one round trip, each up to 1,000 (shown as 999+); a wrong query gives its mistake."""
    understood = _select_all(actor, texts, now)
    parts, values = [], []
    for number, selection in enumerate(understood):
        if isinstance(selection, Selection) and (counted := _count_sql(selection)):
            parts.append(f"SELECT {number}, ({counted[0]})")
            values += counted[1]
    found: dict[int, int] = {}
    if parts:
        with connection.cursor() as cursor:
            cursor.execute(" UNION ALL ".join(parts), values)
            found = dict(cursor.fetchall())
    return [
        Count(error=selection) if isinstance(selection, Mistake) else Count(found.get(number, 0))
        for number, selection in enumerate(understood)
    ]


def _count_sql(selection: Selection) -> tuple[str, list[Any]] | None:
    """Return the SQL that counts up to the cap, or None when nothing can match (Django refuses to write such SQL)."""
    limited = selection.tickets.order_by().values("pk")[:MOST_COUNTED]
    try:
        sql, values = limited.query.sql_with_params()
    except EmptyResultSet:
        return None
    return f"SELECT count(*) FROM ({sql}) counted", list(values)


def count_tickets(actor: Actor, text: str, *, now: datetime) -> Count:
    """Count one query, up to 1,000."""
    return count_views(actor, [text], now=now)[0]


def tickets_on_ci(actor: Actor, ticket: Ticket, *, limit: int = 10) -> tuple[Row, ...]:
    """Return the newest other visible tickets on the same CI."""
    if ticket.ci_id is None:
        return ()
    same = Ticket.objects.filter(visible(actor), ci_id=ticket.ci_id).exclude(pk=ticket.pk).order_by("-opened_at", "-pk")
    return rows_of(list(same.values_list("pk", flat=True)[:limit]), columns_of(()))


def similar_tickets(actor: Actor, ticket: Ticket, *, limit: int = 5) -> tuple[Row, ...]:
    """Return visible tickets whose text shares the rarest words of this one's title, the most alike first.

    Looks at the newest few hundred that share two of the title's six rarest words (one, when it has no more).
    """
    ids = _alike(ticket)
    seen = set(Ticket.objects.filter(visible(actor), pk__in=ids).values_list("pk", flat=True))
    return rows_of([each for each in ids if each in seen][:limit], columns_of(()))


# The planner's statistics say how common a word is: what they do not list is rare. Two shared rare words make a ticket alike;
# the pairs are looked up in the index alone, and only the newest that match are read and ranked.
_ALIKE = """
WITH common AS MATERIALIZED (
  SELECT e.word, s.most_common_elem_freqs[e.at] share FROM pg_stats s, unnest(s.most_common_elems::text::text[]) WITH ORDINALITY e(word, at)
  WHERE s.schemaname = current_schema() AND s.tablename = 'search_document' AND s.attname = 'vector'
), words AS MATERIALIZED (
  SELECT t.lexeme word, coalesce(c.share, 0) share
  FROM unnest(to_tsvector('english', %(title)s)) t LEFT JOIN common c ON c.word = t.lexeme
  WHERE coalesce(c.share, 0) < 0.1 ORDER BY 2, length(t.lexeme) DESC LIMIT 6
), sought AS MATERIALIZED (
  SELECT coalesce(
    (SELECT string_agg(format('(%%L & %%L)', a.word, b.word), ' | ')
     FROM words a JOIN words b ON a.word < b.word WHERE a.share * b.share < 0.0004),
    (SELECT format('%%L', word) FROM words ORDER BY share LIMIT 1))::tsquery pairs,
    (SELECT string_agg(format('%%L', word), ' | ') FROM words)::tsquery any_word
)
SELECT newest.record_id FROM sought, LATERAL (
  SELECT d.record_id, d.vector FROM search_document d
  WHERE d.vector @@ sought.pairs AND d.kind = 'ticket' AND d.seq = 0 AND d.record_id <> %(id)s
  ORDER BY d.id DESC LIMIT 300
) newest
ORDER BY ts_rank(newest.vector, sought.any_word, 1) DESC, newest.record_id DESC LIMIT 50
"""


def _alike(ticket: Ticket) -> list[int]:
    with connection.cursor() as cursor:
        cursor.execute(_ALIKE, {"title": ticket.title, "id": ticket.pk})
        return [row[0] for row in cursor.fetchall()]


def filter_for(actor: Actor, text: str, *, now: datetime) -> Q | Mistake:
    """Return a query's filter for other rooms that narrow their own lists of tickets by it."""
    understood = select(actor, text, now=now)
    return understood if isinstance(understood, Mistake) else Q(pk__in=understood.tickets.order_by().values("pk"))
