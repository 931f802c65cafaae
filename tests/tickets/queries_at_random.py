"""Random queries and tickets for the laws of the queue language; a module of strategies, not of tests."""

from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

from hypothesis import strategies as st

from pilothouse.tickets.engine.fields import BY_NAME, FIELDS, STATE_GROUPS, Field, FieldType
from pilothouse.tickets.engine.lifecycle import HOLD_REASONS, STATES
from pilothouse.tickets.engine.queue_language.flags import FLAGS, HAS
from pilothouse.tickets.engine.queue_language.literals import CALENDAR_WORDS
from pilothouse.tickets.engine.queue_language.syntax import (
    And,
    Compare,
    Node,
    Not,
    Op,
    Or,
    Query,
    Range,
    SortKey,
    Text,
    Value,
    is_bare_value,
    is_bare_word,
)

NOW = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
IDS = (1, 2, 3)
NAMES = {
    ("person", "Kofi Osei"): (1,),
    ("team", "network"): (2,),
    ("service", "mail"): (3,),
    ("ci", "srv-1"): (1, 2),
    ("ticket", "INC0000001"): (1,),
}
NAME_OF = {"person": "Kofi Osei", "team": "network", "service": "mail", "ci": "srv-1", "ticket": "INC0000001"}
WORDS = ("vpn", "disk", "mail", "red", "blue")  # words that are their own stems
CATEGORIES = ("", "Network", "Disk full", "a*b")

ORDERED = st.sampled_from([Op.LESS, Op.AT_MOST, Op.MORE, Op.AT_LEAST])
SAME = st.sampled_from([Op.HAS, Op.EQUALS, Op.DIFFERS])
LENGTHS = st.sampled_from(["90m", "3h", "1d", "2d", "1d12h", "2w", "1mo"])
STRETCHES = st.sampled_from([*CALENDAR_WORDS, "2026", "2026-11", "2026-11-22", "2026-11-23T09:30", "2026-11-23T09:30Z"])


def value(text: str) -> Value:
    """Return a value that is quoted exactly when it must be."""
    return Value(text, quoted=not is_bare_value(text))


def _literals(declared: Field) -> st.SearchStrategy[str]:
    match declared.type:
        case FieldType.CHOICE:
            words = [key.replace("_", "-") for key in declared.values if key]
            return st.sampled_from(words + (list(STATE_GROUPS) if declared.name == "state" else []))
        case FieldType.LEVEL:
            return st.sampled_from([str(level) for level in declared.levels])
        case FieldType.COUNT:
            return st.integers(0, 4).map(str)
        case FieldType.DURATION:
            return LENGTHS
        case FieldType.REFERENCE:
            return st.just(NAME_OF[declared.names])
        case FieldType.NUMBER:
            return st.sampled_from(["INC0000001", "inc2", "3"])
        case FieldType.TAGS:
            return st.sampled_from(WORDS)
        case FieldType.TEXT:
            return st.sampled_from([each for each in (*CATEGORIES, *WORDS, "NET*", "*") if each])
        case FieldType.INSTANT:
            return st.one_of(LENGTHS, STRETCHES)


def _values(declared: Field) -> st.SearchStrategy[tuple[Value | Range, ...]]:
    one: st.SearchStrategy[Value | Range] = _literals(declared).map(value)
    words = [word for word, names in (("me", "person"), ("my-teams", "team")) if declared.names == names] + ["none"] * declared.can_be_none
    if words:
        one = st.one_of(one, st.sampled_from(words).map(Value))
    if declared.comparable:
        one = st.one_of(one, _ranges(declared))
    return st.lists(one, min_size=1, max_size=3).map(tuple)


def _ranges(declared: Field) -> st.SearchStrategy[Range]:
    kinds = [LENGTHS, STRETCHES] if declared.type is FieldType.INSTANT else [_literals(declared)]
    return st.one_of([st.tuples(kind, kind, st.integers(0, 2)).map(_open_ended) for kind in kinds])


def _open_ended(drawn: tuple[str, str, int]) -> Range:
    low, high, shape = drawn
    return Range("" if shape == 1 else low, "" if shape == 2 else high)


@cache
def _compares(name: str) -> st.SearchStrategy[Compare]:
    declared = BY_NAME[name]
    equal = st.builds(Compare, st.just(declared.name), SAME, _values(declared))
    if not declared.comparable:
        return equal
    return st.one_of(equal, st.builds(Compare, st.just(declared.name), ORDERED, _literals(declared).map(lambda text: (value(text),))))


def _flags(name: str, words: list[str]) -> st.SearchStrategy[Compare]:
    return st.builds(Compare, st.just(name), SAME, st.lists(st.sampled_from(words).map(Value), min_size=1, max_size=2).map(tuple))


def _known_text() -> st.SearchStrategy[Text]:
    return st.one_of(
        st.sampled_from(WORDS).map(Text),
        st.tuples(st.sampled_from(WORDS), st.sampled_from(WORDS)).map(lambda two: Text(" ".join(two), True)),
    )


_any_character = st.characters(exclude_categories=["Cc", "Cs", "Cn"])
ANY_TEXT = st.text(_any_character, min_size=1, max_size=12).filter(str.strip).map(lambda text: Text(text, phrase=not is_bare_word(text)))
COMPARES = st.sampled_from([declared.name for declared in FIELDS]).flatmap(_compares)
FLAG_TERMS = st.one_of(_flags("is", list(FLAGS)), _flags("has", list(HAS)))
KNOWN_LEAVES: st.SearchStrategy[Node] = st.one_of(COMPARES, FLAG_TERMS, _known_text())
ANY_LEAVES: st.SearchStrategy[Node] = st.one_of(COMPARES, FLAG_TERMS, ANY_TEXT)


def trees(leaves: st.SearchStrategy[Node]) -> st.SearchStrategy[Node]:
    """Return random trees in normal form: no And in an And, no Or in an Or, groups of two or more."""

    def grow(part: st.SearchStrategy[Node]) -> st.SearchStrategy[Node]:
        several = st.lists(part, min_size=2, max_size=3)
        return st.one_of(
            part.map(Not),
            several.filter(lambda parts: not any(isinstance(each, And) for each in parts)).map(lambda parts: And(tuple(parts))),
            several.filter(lambda parts: not any(isinstance(each, Or) for each in parts)).map(lambda parts: Or(tuple(parts))),
        )

    return st.recursive(leaves, grow, max_leaves=6)


SORTS = st.lists(
    st.builds(SortKey, st.sampled_from([each.name for each in FIELDS if each.sortable]), st.booleans()),
    max_size=3,
    unique_by=lambda key: key.field,
).map(tuple)
KNOWN_TREES, ANY_QUERIES = trees(KNOWN_LEAVES), st.builds(Query, st.one_of(st.none(), trees(ANY_LEAVES)), SORTS)


@st.composite
def conditions(draw: st.DrawFn) -> Node:
    """Draw a condition whose words and names exist (composite: hypothesis would print the whole of a plain strategy)."""
    return draw(KNOWN_TREES)


@st.composite
def comparisons(draw: st.DrawFn) -> Compare:
    """Draw one comparison."""
    return draw(COMPARES)


@st.composite
def queries(draw: st.DrawFn) -> Query:
    """Draw a whole query; its free text is anything."""
    return draw(ANY_QUERIES)


_instants = st.sampled_from([NOW - timedelta(hours=hours) for hours in (-30, -1, 0, 1, 3, 20, 24, 30, 48, 49, 200, 400, 9000)])
_ids = st.sampled_from(IDS)
_texts = st.lists(st.sampled_from(WORDS), max_size=4).map(" ".join)


def rows() -> st.SearchStrategy[dict[str, Any]]:
    """Return random tickets as path -> value."""
    of_type = {
        FieldType.LEVEL: st.integers(1, 3),
        FieldType.COUNT: st.integers(0, 4),
        FieldType.DURATION: st.sampled_from([0, 5400, 86_400, 10**6]),
        FieldType.INSTANT: _instants,
        FieldType.REFERENCE: _ids,
        FieldType.NUMBER: st.sampled_from(["INC0000001", "INC0000002", "REQ0000003", "INC0000012"]),
        FieldType.TEXT: st.sampled_from([*CATEGORIES, *WORDS]),
        FieldType.TAGS: st.lists(st.sampled_from(WORDS), unique=True, max_size=2),
    }
    parts: dict[str, st.SearchStrategy[Any]] = {}
    for declared in FIELDS:
        one = st.sampled_from(list(declared.values)) if declared.type is FieldType.CHOICE else of_type[declared.type]
        parts[declared.path] = st.one_of(st.none(), one) if declared.nullable else one
    parts["state"] = st.sampled_from(list(STATES))
    parts["hold_reason"] = st.sampled_from(["", *HOLD_REASONS])
    parts["watchers"] = st.lists(_ids, unique=True, max_size=2)
    parts["sla__target_seconds"] = st.one_of(st.none(), st.just(3600))  # what is:timed looks at is no field
    parts["problem__promised_on"] = st.one_of(st.none(), st.sampled_from([(NOW + timedelta(days=days)).date() for days in (-2, 0, 2)]))
    parts["related"] = st.frozensets(st.sampled_from(["attachment", "child", "link", "comment", "breach", "escalation"]))
    parts["texts"] = st.lists(_texts, min_size=1, max_size=3)
    return st.fixed_dictionaries(parts)
