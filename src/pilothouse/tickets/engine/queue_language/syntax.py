"""The tree of a query, and its one way of being written (`format_query`): parse(format_query(tree)) == tree.

A query is a condition and an order. Places in the text (`at`) ride along for messages and do not count in comparisons.
"""

import re
from dataclasses import dataclass, replace
from dataclasses import field as attribute
from enum import StrEnum

WORDS_APART = frozenset({"OR", "AND", "NOT"})
FIELD_START = re.compile(r"([A-Za-z][A-Za-z_-]*)(!=|<=|>=|:|=|<|>)")
_BARE_VALUE = re.compile(r'[^\s(),"\\]+')
_BARE_WORD = re.compile(r'[^\s()"\\-][^\s()"\\]*')


class Op(StrEnum):
    """How a field is compared; `!=` is the complement of `=`."""

    HAS = ":"
    EQUALS = "="
    DIFFERS = "!="
    LESS = "<"
    AT_MOST = "<="
    MORE = ">"
    AT_LEAST = ">="


@dataclass(frozen=True, slots=True)
class Value:
    """One value as typed; `quoted` keeps words such as me and none from meaning anything special."""

    text: str
    quoted: bool = False
    at: int = attribute(default=0, compare=False)
    length: int = attribute(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Range:
    """`low..high`, both included; an empty end is open."""

    low: str
    high: str
    at: int = attribute(default=0, compare=False)
    length: int = attribute(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Compare:
    """A field against one value, or any of several."""

    field: str
    op: Op
    values: tuple[Value | Range, ...]
    at: int = attribute(default=0, compare=False)
    length: int = attribute(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Text:
    """A word or a "phrase" to find in the ticket's text and comments."""

    text: str
    phrase: bool = False
    at: int = attribute(default=0, compare=False)
    length: int = attribute(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Not:
    """Everything that `part` is not."""

    part: "Node"


@dataclass(frozen=True, slots=True)
class And:
    """All of two or more parts, none of them an And."""

    parts: tuple["Node", ...]


@dataclass(frozen=True, slots=True)
class Or:
    """Any of two or more parts, none of them an Or."""

    parts: tuple["Node", ...]


Node = Compare | Text | Not | And | Or


@dataclass(frozen=True, slots=True)
class SortKey:
    """One key of the order; the next decides among equals, and the ticket's id last."""

    field: str
    descending: bool = False


@dataclass(frozen=True, slots=True)
class Query:
    """A condition (None: every ticket) and an order (empty: the caller's default)."""

    where: Node | None = None
    sort: tuple[SortKey, ...] = ()

    @property
    def terms(self) -> tuple[Node, ...]:
        """The parts that all must hold: what a page shows as removable chips."""
        if isinstance(self.where, And):
            return self.where.parts
        return () if self.where is None else (self.where,)

    def without(self, term: Node) -> "Query":
        """Return the query without one of its terms."""
        return replace(self, where=both(*(each for each in self.terms if each != term)))

    def also(self, *terms: Node) -> "Query":
        """Return the query narrowed by further terms; one that it has already is not added again."""
        return replace(self, where=both(*self.terms, *(term for term in terms if term not in self.terms)))


def both(*parts: Node) -> Node | None:
    """Return the And of parts, flattened; one part is itself, none is None."""
    flat = tuple(each for part in parts for each in (part.parts if isinstance(part, And) else (part,)))
    return flat[0] if len(flat) == 1 else (And(flat) if flat else None)


def either(parts: tuple[Node, ...]) -> Node:
    """Return the Or of one or more parts, flattened."""
    flat = tuple(each for part in parts for each in (part.parts if isinstance(part, Or) else (part,)))
    return flat[0] if len(flat) == 1 else Or(flat)


def is_bare_word(text: str) -> bool:
    """Say whether a free-text word can stand without quotation marks."""
    return bool(_BARE_WORD.fullmatch(text)) and text not in WORDS_APART and not FIELD_START.match(text)


def is_bare_value(text: str) -> bool:
    """Say whether a value can stand without quotation marks."""
    return bool(_BARE_VALUE.fullmatch(text)) and ".." not in text


def quote(text: str) -> str:
    """Write text between quotation marks.

    >>> print(quote('5" disk'))
    "5\\" disk"
    """
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def format_query(query: Query) -> str:
    """Write a query the one canonical way: the condition, then the order.

    >>> format_query(Query(Not(Compare("is", Op.HAS, (Value("open"),))), (SortKey("priority", True),)))
    '-is:open sort:-priority'
    """
    order = ",".join(f"{'-' if key.descending else ''}{key.field}" for key in query.sort)
    # An order beside a bare OR would belong to its last part: the parentheses keep the two apart for a reader.
    where = "" if query.where is None else format_node(query.where, inside=bool(order) and isinstance(query.where, Or))
    return " ".join(part for part in (where, f"sort:{order}" if order else "") if part)


def format_node(node: Node, *, inside: bool = False) -> str:
    """Write one part of a query; `inside` puts parentheses around a group that stands in another."""
    match node:
        case Compare():
            return f"{node.field}{node.op}{','.join(map(_format_value, node.values))}"
        case Text():
            return quote(node.text) if node.phrase or not is_bare_word(node.text) else node.text
        case Not():
            return f"-{format_node(node.part, inside=True)}"
        case And():
            text = " ".join(format_node(part, inside=isinstance(part, Or)) for part in node.parts)
        case Or():
            text = " OR ".join(format_node(part) for part in node.parts)
    return f"({text})" if inside else text


def _format_value(value: Value | Range) -> str:
    if isinstance(value, Range):
        return f"{value.low}..{value.high}"
    return quote(value.text) if value.quoted or not is_bare_value(value.text) else value.text
