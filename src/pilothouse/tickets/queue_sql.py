"""From a plan to SQL: tests become a Q, sort keys an order, and the last row of a page the cursor that the next one starts after.

Q and its negation are complements here as in the plan: Django writes `NOT (x < v AND x IS NOT NULL)` for a column that may be
empty, and every test without a column of its own is an EXISTS.
"""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import reduce
from operator import or_
from typing import Any as Anything

from django.contrib.postgres.search import SearchQuery, SearchQueryCombinable
from django.core.signing import BadSignature, Signer
from django.db.models import Case, Exists, F, IntegerField, OrderBy, OuterRef, Q, QuerySet, Value, When
from django.db.models.expressions import Combinable

from pilothouse.platform.models import SearchDocument
from pilothouse.tickets.engine import fields
from pilothouse.tickets.engine.fields import Field, FieldType
from pilothouse.tickets.engine.lifecycle import STATES
from pilothouse.tickets.engine.queue_language.plan import All, Any, Operator, Opposite, Plan, Related, Test, Written
from pilothouse.tickets.engine.queue_language.syntax import SortKey
from pilothouse.tickets.models import Attachment, Link, Ticket

NOTHING = Q(pk__in=())
EVERYTHING = Q()
_SUFFIX: Mapping[Operator, str] = {
    Operator.SAME: "iexact",
    Operator.CONTAINS: "icontains",
    Operator.LESS: "lt",
    Operator.AT_MOST: "lte",
    Operator.MORE: "gt",
    Operator.AT_LEAST: "gte",
}
_REGEX_SIGNS = str.maketrans({sign: f"\\{sign}" for sign in r".^$+?()[]{}|\*"})


def condition(plan: Plan, *, private: bool) -> Q:
    """Return the filter on tickets that a plan asks for; `private` lets free text and comments look into work notes."""
    match plan:
        case Test():
            return _test(plan)
        case Written():
            return _union((plan,), private)
        case Related():
            return Q(Exists(_rows_behind(plan.kind, private)))
        case Opposite():
            inner = condition(plan.part, private=private)
            return NOTHING if inner == EVERYTHING else ~inner
        case All():
            whole = EVERYTHING
            for part in plan.parts:
                whole &= condition(part, private=private)
            return whole
        case Any():
            return _union(plan.parts, private)


def _union(parts: Sequence[Plan], private: bool) -> Q:
    """Return the OR of parts; an empty Q holds for every ticket, which Django's `|` would forget.

    Texts share one EXISTS, which the planner can turn into a join; several would each be read whole.
    """
    texts = [part.text for part in parts if isinstance(part, Written)]
    filters = [condition(part, private=private) for part in parts if not isinstance(part, Written)]
    if texts:
        filters.append(Q(Exists(_documents(private).filter(vector=_sought(texts)))))
    if EVERYTHING in filters:
        return EVERYTHING
    return reduce(or_, filters) if filters else NOTHING


def _sought(texts: Sequence[str]) -> SearchQueryCombinable:
    """Return the search for any of several words or phrases."""
    return reduce(or_, (SearchQuery(text, config="english", search_type="phrase") for text in texts))


def _documents(private: bool) -> QuerySet[SearchDocument]:
    """Return the ticket's documents that may be read, as the inside of an EXISTS."""
    documents = SearchDocument.objects.filter(kind="ticket", record_id=OuterRef("pk"))
    return documents if private else documents.filter(private=False)


def _test(test: Test) -> Q:
    path, value = test.path, test.value
    match test.operator:
        case Operator.IN:
            return Q(**{path: value[0]}) if len(value) == 1 else Q(**{f"{path}__in": value})
        case Operator.NULL:
            return Q(**{f"{path}__isnull": True})
        case Operator.EMPTY:
            return Q(**{path: []})
        case Operator.OVERLAPS:
            return Q(**{f"{path}__overlap": list(value)}) if value else NOTHING
        case Operator.LIKE:
            pattern = ".*".join(part.translate(_REGEX_SIGNS) for part in value.split("*"))
            return Q(**{f"{path}__iregex": f"^{pattern}$"})
        case operator:
            return Q(**{f"{path}__{_SUFFIX[operator]}": value})


RowsBehind = Callable[[OuterRef], QuerySet[Anything]]
_registered: dict[str, RowsBehind] = {}


def register_related(kind: str, rows: RowsBehind) -> None:
    """Let `Related(kind)` ask for rows of a room above, given the ticket's id."""
    _registered[kind] = rows


def _rows_behind(kind: str, private: bool) -> QuerySet[Anything]:
    """Return the rows of other tables, one of which must stand behind the ticket."""
    ticket = OuterRef("pk")
    if kind in _registered:
        return _registered[kind](ticket)
    match kind:
        case "attachment":
            attachments = Attachment.objects.filter(ticket_id=ticket)
            return attachments if private else attachments.filter(private=False)
        case "child":
            return Ticket.objects.filter(parent_id=ticket)
        case "link":
            return Link.objects.filter(Q(ticket_id=ticket) | Q(target_id=ticket))
    return _documents(private).filter(seq__gt=0)  # comments


@dataclass(frozen=True, slots=True)
class Key:
    """One key of an order as SQL sees it; `name` is the annotation or column that carries it."""

    field: Field
    descending: bool
    name: str
    expression: Combinable | None
    nullable: bool

    @property
    def ordering(self) -> OrderBy:
        column = F(self.name)
        last = True if self.nullable else None
        return column.desc(nulls_last=last) if self.descending else column.asc(nulls_last=last)


NEWEST_FIRST = SortKey("opened", descending=True)


def keys_of(sort: Sequence[SortKey]) -> list[Key]:
    """Return the keys of an order: states by their place in a ticket's life, names by their letters, absent values last.

    Among equals the newest opened comes first: the partial indexes over open tickets run that way.
    """
    whole = sort if any(key.field == NEWEST_FIRST.field for key in sort) else (*sort, NEWEST_FIRST)
    return [_key(number, fields.BY_NAME[key.field], key.descending) for number, key in enumerate(whole)]


def _key(number: int, declared: Field, descending: bool) -> Key:
    nullable = declared.nullable  # a story is as old as its ticket: the join to it never comes back empty
    if declared.name == "state":
        ranks = [When(state=state, then=Value(rank)) for rank, state in enumerate(STATES)]
        return Key(declared, descending, f"key_{number}", Case(*ranks, default=Value(len(ranks)), output_field=IntegerField()), False)
    if "__" in declared.shown:
        return Key(declared, descending, f"key_{number}", F(declared.shown), nullable)
    return Key(declared, descending, declared.shown, None, nullable)


def ordered(tickets: QuerySet[Ticket], keys: Sequence[Key]) -> QuerySet[Ticket]:
    """Put tickets in order, by id among equals (the way the last key runs, so that one index can serve both)."""
    tickets = tickets.annotate(**{key.name: key.expression for key in keys if key.expression is not None})
    return tickets.order_by(*(key.ordering for key in keys), "-pk" if id_descends(keys) else "pk")


def id_descends(keys: Sequence[Key]) -> bool:
    """Say whether the id runs downwards among equals."""
    return not keys or keys[-1].descending


def after(keys: Sequence[Key], values: Sequence[Anything], last_id: int) -> Q:
    """Return the filter for the rows that come after a row with these key values and id.

    (a > 1) OR (a = 1 AND (b > 2 OR (b = 2 AND id > 3))), and a >= 1 beside it, which an index can start from.
    """
    whole = Q(pk__lt=last_id) if id_descends(keys) else Q(pk__gt=last_id)
    for key, value in reversed(list(zip(keys, values, strict=True))):
        same = Q(**{f"{key.name}__isnull": True}) if value is None else Q(**{key.name: value})
        later = _later(key, value)
        whole = (same & whole) if later is None else later | (same & whole)
    if keys and not keys[0].nullable:
        whole &= Q(**{f"{keys[0].name}__{'lte' if keys[0].descending else 'gte'}": values[0]})
    return whole


def _later(key: Key, value: Anything) -> Q | None:
    if value is None:
        return None  # absent values are last
    later = Q(**{f"{key.name}__{'lt' if key.descending else 'gt'}": value})
    return later | Q(**{f"{key.name}__isnull": True}) if key.nullable else later


@dataclass(frozen=True, slots=True)
class Cursor:
    """Where a page ended, and the instant from which the whole list counts its relative times."""

    now: datetime
    values: tuple[Anything, ...]
    last_id: int


def _fingerprint(query: str, actor_id: int | None) -> str:
    return hashlib.sha256(f"{actor_id}:{query}".encode()).hexdigest()[:16]


def write_cursor(cursor: Cursor, query: str, actor_id: int | None) -> str:
    """Write a cursor as an opaque, signed word that only this query of this person can be continued with."""
    values = [value.isoformat() if isinstance(value, datetime) else value for value in cursor.values]
    return Signer(salt="queue").sign_object([_fingerprint(query, actor_id), cursor.now.isoformat(), values, cursor.last_id])


def read_cursor(text: str, keys: Sequence[Key], query: str, actor_id: int | None) -> Cursor | None:
    """Read a cursor; None when it is forged, damaged, or belongs to another query or person."""
    try:
        mark, now, values, last_id = Signer(salt="queue").unsign_object(text)
    except (BadSignature, ValueError, UnicodeError):
        return None
    if mark != _fingerprint(query, actor_id) or len(values) != len(keys):
        return None
    return Cursor(datetime.fromisoformat(now), tuple(map(_read_value, keys, values)), last_id)


def _read_value(key: Key, value: Anything) -> Anything:
    return datetime.fromisoformat(value) if value is not None and key.field.type is FieldType.INSTANT else value
