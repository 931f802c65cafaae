"""From a tree to a plan: names become ids, dates become instants, negation and lists become opposites and alternatives.

The caller looks the names up first (`names_in` says which), so that this stays pure. Unknown names come back as a mistake.
"""

import re
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta

from pilothouse.tickets.engine import fields
from pilothouse.tickets.engine.fields import Field, FieldType
from pilothouse.tickets.engine.lifecycle import DESK_KINDS, KINDS
from pilothouse.tickets.engine.queue_language import checks, flags, literals
from pilothouse.tickets.engine.queue_language.mistakes import Mistake
from pilothouse.tickets.engine.queue_language.plan import All, Any, Context, Operator, Opposite, Plan, Test, Written
from pilothouse.tickets.engine.queue_language.syntax import And, Compare, Node, Not, Op, Or, Query, Range, Text, Value

Names = Mapping[tuple[str, str], tuple[int, ...]]
_NUMBER = re.compile(r"([A-Za-z]{2,5})0*(\d{1,12})")
_PREFIXES = frozenset(prefix for _, prefix in KINDS.values())
_DESK_PREFIXES = tuple(KINDS[kind][1] for kind in DESK_KINDS)
_COMPARE: Mapping[Op, Operator] = {
    Op.LESS: Operator.LESS,
    Op.AT_MOST: Operator.AT_MOST,
    Op.MORE: Operator.MORE,
    Op.AT_LEAST: Operator.AT_LEAST,
}
# An age is the shorter the later its instant: opened<2d is opened_at > now - 2 days.
_YOUNGER: Mapping[Op, Operator] = {
    Op.LESS: Operator.MORE,
    Op.AT_MOST: Operator.AT_LEAST,
    Op.MORE: Operator.LESS,
    Op.AT_LEAST: Operator.AT_MOST,
}
_KEYWORDS: Mapping[str, str] = {"me": "person", "my-teams": "team", "my-team": "team", "mine": "team"}
NO_PLAN: Plan = All(())


def ticket_number(text: str) -> str | None:
    """Return the number a person means by INC12, inc-0000012 or REQ0000012 in its full form; None when it is none.

    >>> ticket_number("inc12"), ticket_number("REQ0000007"), ticket_number("VPN2")
    ('INC0000012', 'REQ0000007', None)
    """
    found = _NUMBER.fullmatch(text.replace("-", "", 1)) if text.isascii() else None
    if found is None or found[1].upper() not in _PREFIXES:
        return None
    return f"{found[1].upper()}{int(found[2]):07d}"


def names_in(query: Query) -> set[tuple[str, str]]:
    """Return the (kind of name, name) pairs that must be looked up before `resolve`; names are as typed."""
    return {
        (declared.names, value.text)
        for leaf in _leaves(query.where)
        if isinstance(leaf, Compare) and (declared := fields.BY_NAME.get(leaf.field)) and declared.type is FieldType.REFERENCE
        for value in leaf.values
        if isinstance(value, Value) and not _keyword(declared, value)
    }


def texts_in(query: Query) -> set[str]:
    """Return the words and phrases of free text: the caller says to `resolve` which of them the search does not know."""
    return {leaf.text for leaf in _leaves(query.where) if isinstance(leaf, Text) and not _is_number(leaf)}


def _leaves(node: Node | None) -> Iterator[Compare | Text]:
    match node:
        case Compare() | Text():
            yield node
        case Not():
            yield from _leaves(node.part)
        case And() | Or():
            for part in node.parts:
                yield from _leaves(part)


def _is_number(node: Text) -> bool:
    return not node.phrase and ticket_number(node.text) is not None


def _keyword(declared: Field, value: Value) -> str:
    """Return me, my-teams or none when the value is such a word for this field, else ""."""
    word = value.text.casefold().replace("_", "-")
    if value.quoted:
        return ""
    if word == checks.NONE and declared.can_be_none:
        return word
    return word if _KEYWORDS.get(word) == declared.names else ""


class _UnknownError(Exception):
    def __init__(self, mistake: Mistake) -> None:
        self.mistake = mistake


def resolve(query: Query, context: Context, names: Names, *, ignored: frozenset[str] = frozenset()) -> Plan | Mistake:
    """Return what a query's condition means here and now, or the first name that nobody bears.

    `context.now` is the instant that relative times count from, `context.zone` the zone whose days and weeks count.
    Free text that is `ignored` (the, and, of …) is left out, wherever it stands.
    """
    try:
        kept = None if query.where is None else _without(query.where, ignored)
        return NO_PLAN if kept is None else _node(kept, context, names)
    except _UnknownError as unknown:
        return unknown.mistake


def _without(node: Node, ignored: frozenset[str]) -> Node | None:
    """Return the tree without ignored words, or None when nothing is left of it."""
    match node:
        case Text():
            return None if node.text in ignored and not _is_number(node) else node
        case Not():
            part = _without(node.part, ignored)
            return None if part is None else Not(part)
        case And() | Or():
            parts = tuple(kept for part in node.parts if (kept := _without(part, ignored)) is not None)
            return type(node)(parts) if parts else None
        case Compare():
            return node


def _node(node: Node, context: Context, names: Names) -> Plan:
    match node:
        case Text():
            return _text(node)
        case Not():
            return Opposite(_node(node.part, context, names))
        case And():
            return All(tuple(_node(part, context, names) for part in node.parts))
        case Or():
            return Any(tuple(_node(part, context, names) for part in node.parts))
        case Compare():
            return _compare(node, context, names)


def _text(node: Text) -> Plan:
    number = None if node.phrase else ticket_number(node.text)
    if number is None:
        return Written(node.text)
    found = Test("number", Operator.IN, (number,))
    # Who types a change's number looks for what speaks of it as well.
    return found if number.startswith(_DESK_PREFIXES) else Any((found, Written(node.text)))


def _compare(compare: Compare, context: Context, names: Names) -> Plan:
    parts = tuple(_value(compare, value, context, names) for value in compare.values)
    whole = parts[0] if len(parts) == 1 else Any(parts)
    return Opposite(whole) if compare.op is Op.DIFFERS else whole


def _value(compare: Compare, value: Value | Range, context: Context, names: Names) -> Plan:
    if compare.field in flags.WORDS:
        assert isinstance(value, Value)  # checked when it was read
        return flags.WORDS[compare.field][value.text].plan(context)
    declared = fields.BY_NAME[compare.field]
    if isinstance(value, Range):
        return _range(declared, value, context)
    if value.text == checks.NONE and not value.quoted and declared.can_be_none:
        return _none(declared)
    match declared.type:
        case FieldType.REFERENCE:
            return _reference(declared, value, context, names)
        case FieldType.INSTANT:
            return _instant(declared, compare.op, value.text, context)
        case FieldType.LEVEL | FieldType.COUNT | FieldType.DURATION:
            return _number(declared, compare.op, value.text)
        case FieldType.CHOICE:
            return _choice(declared, value.text)
        case FieldType.TAGS:
            return Test(declared.path, Operator.OVERLAPS, (value.text,))
        case FieldType.NUMBER:
            return _ticket(value.text)
        case FieldType.TEXT:
            return _short_text(declared, compare.op, value)


def _none(declared: Field) -> Plan:
    if declared.type is FieldType.TAGS:
        return Test(declared.path, Operator.EMPTY)
    empty = declared.type is FieldType.TEXT or "" in declared.values
    return Test(declared.path, Operator.IN, ("",)) if empty else Test(declared.path, Operator.NULL)


def _reference(declared: Field, value: Value, context: Context, names: Names) -> Plan:
    match _keyword(declared, value):
        case "":
            ids = names.get((declared.names, value.text), ())
        case "me":
            return Test(declared.path, Operator.IN, context.me)
        case _:
            return Test(declared.path, Operator.IN, context.my_teams)
    if not ids:
        noun = {"person": "person", "team": "group", "service": "service", "ci": "CI", "ticket": "ticket"}[declared.names]
        raise _UnknownError(
            Mistake(value.at, value.length, f"There is no {noun} called {value.text}.", unknown=(declared.names, value.text))
        )
    return Test(declared.path, Operator.IN, ids)


def _choice(declared: Field, word: str) -> Plan:
    if declared.name == "state" and word in fields.STATE_GROUPS:
        return Test(declared.path, Operator.IN, fields.STATE_GROUPS[word])
    stored = "" if word == checks.NONE else next(key for key in declared.values if key.replace("_", "-") == word)
    return Test(declared.path, Operator.IN, (stored,))


def _ticket(text: str) -> Plan:
    """Find by full or short number; a bare 12 is number 12 of every kind; anything else as it stands, in capitals."""
    if number := ticket_number(text):
        return Test("number", Operator.IN, (number,))
    if text.isascii() and text.isdigit() and len(text) <= 12:
        return Test("number", Operator.IN, tuple(f"{prefix}{int(text):07d}" for prefix in sorted(_PREFIXES)))
    return Test("number", Operator.IN, (text.upper(), text))


def _short_text(declared: Field, op: Op, value: Value) -> Plan:
    if "*" in value.text and not value.quoted:
        return Test(declared.path, Operator.LIKE, value.text)
    if declared.contains and op is Op.HAS:
        return Test(declared.path, Operator.CONTAINS, value.text)
    return Test(declared.path, Operator.SAME, value.text)


def _measure(declared: Field, text: str) -> int:
    reading = {FieldType.LEVEL: checks.level, FieldType.COUNT: checks.count}.get(declared.type)
    measured = literals.length_seconds(text) if reading is None else reading(declared, text)
    assert measured is not None  # checked when it was read
    return measured


def _number(declared: Field, op: Op, text: str) -> Plan:
    measured = _measure(declared, text)
    if op in _COMPARE:
        return Test(declared.path, _COMPARE[op], measured)
    return Test(declared.path, Operator.IN, (measured,))


def _stretch(text: str, context: Context) -> literals.Stretch:
    found = literals.stretch(text, context.now, context.zone)
    assert found is not None  # checked when it was read
    return found


def _from_now(declared: Field, seconds: int, context: Context) -> datetime:
    length = timedelta(seconds=seconds)
    return context.now + length if declared.ahead else context.now - length


def _instant(declared: Field, op: Op, text: str, context: Context) -> Plan:
    seconds = literals.length_seconds(text)
    if seconds is not None:
        how = _COMPARE if declared.ahead else _YOUNGER
        return Test(declared.path, how.get(op, how[Op.AT_MOST]), _from_now(declared, seconds, context))
    within = _stretch(text, context)
    match op:
        case Op.LESS:
            return Test(declared.path, Operator.LESS, within.start)
        case Op.AT_MOST:
            return Test(declared.path, Operator.LESS, within.end)
        case Op.MORE:
            return Test(declared.path, Operator.AT_LEAST, within.end)
        case Op.AT_LEAST:
            return Test(declared.path, Operator.AT_LEAST, within.start)
    return _within(declared.path, within.start, within.end)


def _within(path: str, start: datetime | None, end: datetime | None) -> Plan:
    tests = ((Operator.AT_LEAST, start), (Operator.LESS, end))
    return All(tuple(Test(path, operator, at) for operator, at in tests if at is not None))


def _range(declared: Field, value: Range, context: Context) -> Plan:
    if declared.type is not FieldType.INSTANT:
        ends = ((Operator.AT_LEAST, value.low), (Operator.AT_MOST, value.high))
        return All(tuple(Test(declared.path, operator, _measure(declared, text)) for operator, text in ends if text))
    if literals.length_seconds(value.low or value.high) is not None:
        nearer, farther = (Op.AT_LEAST, Op.AT_MOST)
        lengths = ((nearer, value.low), (farther, value.high))
        return All(tuple(_instant(declared, op, text, context) for op, text in lengths if text))
    start = _stretch(value.low, context).start if value.low else None
    return _within(declared.path, start, _stretch(value.high, context).end if value.high else None)
