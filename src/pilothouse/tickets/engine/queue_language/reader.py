"""Reading a query: text in, a tree or the first mistake out; never an exception.

    query    = any
    any      = all ("OR" all)*
    all      = one+                      ("AND" between parts is allowed and says nothing new)
    one      = ("-" | "NOT") one | "(" any ")" | field op value ("," value)* | word | "phrase"
    value    = bare | "quoted" | low..high

`sort:key,-key` may stand anywhere outside parentheses. What a value must look like follows from its field's type.
"""

import re
import unicodedata
from dataclasses import dataclass, field
from functools import lru_cache

from pilothouse.tickets.engine import fields
from pilothouse.tickets.engine.queue_language.checks import check
from pilothouse.tickets.engine.queue_language.mistakes import Mistake, closest
from pilothouse.tickets.engine.queue_language.syntax import (
    FIELD_START,
    WORDS_APART,
    Compare,
    Node,
    Not,
    Op,
    Query,
    Range,
    SortKey,
    Text,
    Value,
    both,
    either,
)

LONGEST = 2000
DEEPEST = 30
MOST_TERMS = 100
_SPACE = re.compile(r"\s+")
_WORD = re.compile(r'[^\s()"]+')
_PLAIN = re.compile(r'[^\s(),"]+')
_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"', re.DOTALL)
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_APART = re.compile(r"(OR|AND|NOT)(?=[\s()]|$)")


class _ReadError(Exception):
    """Carries the first mistake out of the depth of the reader."""

    def __init__(self, mistake: Mistake) -> None:
        self.mistake = mistake


@lru_cache(maxsize=1024)
def parse(text: str) -> Query | Mistake:
    """Read a query; the mistake says where its first wrong word is, why, and what was probably meant.

    Field names come back in their canonical form, choices too (`State:In_Progress` is `state:in-progress`); names of people,
    groups and other records are not looked up here (see `meaning.resolve`).

    >>> parse("grop:network").message
    'There is no field grop. Did you mean group?'
    """
    if fault := _unreadable(text):
        return fault
    try:
        return _Reader(text).query()
    except _ReadError as stop:
        return stop.mistake


def _unreadable(text: str) -> Mistake | None:
    if len(text) > LONGEST:
        return Mistake(LONGEST, 1, f"The query is longer than {LONGEST} characters.")
    for at, each in enumerate(text):
        if unicodedata.category(each) in {"Cc", "Cs", "Cn"} and not each.isspace():
            return Mistake(at, 1, "This character cannot be searched for.")
    return None


@dataclass(slots=True)
class _Reader:
    text: str
    at: int = 0
    depth: int = 0
    terms: int = 0
    sort: list[SortKey] = field(default_factory=list)

    def query(self) -> Query:
        self._space()
        where = self._any() if self.at < len(self.text) else None
        if self.at < len(self.text):
            raise _ReadError(Mistake(self.at, 1, "This parenthesis closes nothing."))
        return Query(where, tuple(self.sort))

    def _space(self) -> None:
        if found := _SPACE.match(self.text, self.at):
            self.at = found.end()

    def _apart(self, word: str) -> bool:
        """Step over OR, AND or NOT if it stands here."""
        found = _APART.match(self.text, self.at)
        if found is None or found[1] != word:
            return False
        self.at = found.end()
        self._space()
        return True

    def _any(self) -> Node | None:
        start, parts = self.at, [self._all()]
        while True:
            at = self.at
            if not self._apart("OR"):
                break
            parts.append(self._all())
            if parts[-1] is None or parts[-2] is None:
                raise _ReadError(Mistake(at, 2, "OR needs something on both sides.", hint='To search for the word, write "OR".'))
        whole = [part for part in parts if part is not None]
        if not whole and not self.sort:
            raise _ReadError(Mistake(start, 1, "Something to look for is missing here."))
        return either(tuple(whole)) if whole else None

    def _all(self) -> Node | None:
        parts: list[Node] = []
        while self.at < len(self.text) and self.text[self.at] != ")":
            found = _APART.match(self.text, self.at)
            if found and found[1] == "OR":
                break
            if self._apart("AND"):
                continue
            if (part := self._one()) is not None:
                parts.append(part)
        return both(*parts)

    def _one(self) -> Node | None:
        at = self.at
        if self._apart("NOT") or self._minus():
            return Not(self._negated(at))
        if self.text[self.at] == "(":
            return self._group()
        self.terms += 1
        if self.terms > MOST_TERMS:
            raise _ReadError(Mistake(self.at, 1, f"The query has more than {MOST_TERMS} terms."))
        node = self._term()
        self._space()
        return node

    def _minus(self) -> bool:
        if self.text[self.at] != "-":
            return False
        self.at += 1
        return True

    def _negated(self, start: int) -> Node:
        """Read what a minus sign negates; it stands directly after the sign."""
        self._deeper(start)
        if self.at >= len(self.text) or self.text[self.at].isspace() or self.text[self.at] == ")" or _APART.match(self.text, self.at):
            raise _ReadError(Mistake(start, 1, "There is nothing here to negate.", hint='To search for a dash, write "-".'))
        part = self._one()
        self.depth -= 1
        if part is None:
            raise _ReadError(Mistake(start, 1, "An order cannot be negated.", hint="Write sort:-priority."))
        return part

    def _deeper(self, at: int) -> None:
        self.depth += 1
        if self.depth > DEEPEST:
            raise _ReadError(Mistake(at, 1, f"The query is nested deeper than {DEEPEST} levels."))

    def _group(self) -> Node:
        opened = self.at
        self._deeper(opened)
        self.at += 1
        self._space()
        if self.text[self.at : self.at + 1] == ")":
            raise _ReadError(Mistake(opened, 2, "There is nothing between these parentheses."))
        node = self._any()
        if self.text[self.at : self.at + 1] != ")":
            raise _ReadError(Mistake(opened, 1, "This parenthesis is never closed."))
        self.at += 1
        self.depth -= 1
        self._space()
        if node is None:
            raise _ReadError(Mistake(opened, 1, "There is nothing to look for between these parentheses."))
        return node

    def _term(self) -> Node | None:
        at = self.at
        if self.text[at] == '"':
            text = self._quoted()
            if not text.strip():
                raise _ReadError(Mistake(at, self.at - at, "There is nothing between these quotation marks."))
            return Text(text, True, at, self.at - at)
        if found := FIELD_START.match(self.text, at):
            return self._compare(found)
        found = _WORD.match(self.text, at)
        if found is None:
            raise _ReadError(Mistake(at, 1, "This cannot start a term."))
        self.at = found.end()
        return _word(found[0], at)

    def _quoted(self) -> str:
        found = _QUOTED.match(self.text, self.at)
        if found is None:
            raise _ReadError(Mistake(self.at, 1, "This quotation mark is never closed."))
        self.at = found.end()
        return _ESCAPE.sub(r"\1", found[1])

    def _compare(self, found: re.Match[str]) -> Node | None:
        name, op = found[1], Op(found[2])
        self.at = found.end()
        values = self._values(found)
        if name.casefold() == "sort":
            self._sort(found, op, values)
            return None
        compare = Compare(_field_name(name, found.start()), op, values, found.start(), self.at - found.start())
        checked = check(compare)
        if isinstance(checked, Mistake):
            raise _ReadError(checked)
        return checked

    def _values(self, found: re.Match[str]) -> tuple[Value | Range, ...]:
        values = [self._value(found)]
        while self.text[self.at : self.at + 1] == ",":
            self.at += 1
            values.append(self._value(found))
        if len(values) > MOST_TERMS:
            raise _ReadError(Mistake(found.start(), len(found[0]), f"The list has more than {MOST_TERMS} values."))
        return tuple(values)

    def _value(self, found: re.Match[str]) -> Value | Range:
        at = self.at
        if self.text[at : at + 1] == '"':
            return Value(self._quoted(), True, at, self.at - at)
        plain = _PLAIN.match(self.text, at)
        if plain is None:
            raise _ReadError(
                Mistake(
                    found.start(),
                    self.at - found.start(),
                    f"{found[1].casefold()} needs a value after {self.text[at - 1]}",
                    hint=_example(found[1]),
                )
            )
        self.at = plain.end()
        return _plain(plain[0], at)

    def _sort(self, found: re.Match[str], op: Op, values: tuple[Value | Range, ...]) -> None:
        if self.depth:
            raise _ReadError(
                Mistake(found.start(), len(found[0]), "An order cannot stand in a group or be negated.", hint="Write it at the end.")
            )
        if op not in {Op.HAS, Op.EQUALS}:
            raise _ReadError(Mistake(found.start(), len(found[0]), "An order is written sort:field or sort:-field."))
        for value in values:
            key = _sort_key(value)
            if all(key.field != other.field for other in self.sort):
                self.sort.append(key)


def _word(text: str, at: int) -> Node:
    """Take a word; a backslash or a word that needs them comes back as if it had stood in quotation marks."""
    return Text(text, "\\" in text or text in WORDS_APART, at, len(text))


def _plain(text: str, at: int) -> Value | Range:
    low, dots, high = text.partition("..")
    if not dots or not (low or high):
        return Value(text, "\\" in text or ".." in text, at, len(text))
    return Range(low, high, at, len(text))


def _field_name(name: str, at: int) -> str:
    word = name.casefold().replace("_", "-")
    if word in {"is", "has"}:
        return word
    if declared := fields.find(name):
        return declared.name
    near = closest(word, [*fields.BY_NAME, "is", "has", "sort"])
    hint = "" if near else "Write the text in quotation marks to search for it."
    raise _ReadError(Mistake(at, len(name), f"There is no field {name}.", near, hint))


def _example(name: str) -> str:
    declared = fields.find(name)
    if declared is None:
        return ""
    return next((f"For instance {declared.name}:{value.replace('_', '-')}." for value in declared.values if value), declared.help)


def _sort_key(value: Value | Range) -> SortKey:
    text = value.text if isinstance(value, Value) else f"{value.low}..{value.high}"
    descending = text.startswith("-")
    word = text.lstrip("+-")
    declared = fields.find(word)
    if declared is not None and declared.sortable:
        return SortKey(declared.name, descending)
    sortable = [name for name, each in fields.BY_NAME.items() if each.sortable]
    near = closest(word, sortable)
    skipped = len(text) - len(word)
    raise _ReadError(Mistake(value.at + skipped, max(1, len(word)), f"Tickets cannot be sorted by {word or 'nothing'}.", near))
