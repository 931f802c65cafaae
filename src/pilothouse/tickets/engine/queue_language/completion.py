"""Completion as you type: what could stand where the cursor is, and which part of the text it replaces."""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from pilothouse.tickets.engine import fields
from pilothouse.tickets.engine.fields import Field, FieldType
from pilothouse.tickets.engine.queue_language import checks, flags, literals
from pilothouse.tickets.engine.queue_language.syntax import is_bare_value, quote

MOST = 12
_BEFORE = re.compile(r'(?:[^\s()"]|"(?:[^"\\]|\\.)*(?:"|$))*$')
_FIELD = re.compile(r"([A-Za-z][A-Za-z_-]*)(!=|<=|>=|:|=|<|>)(.*)", re.DOTALL)
_LAST_ITEM = re.compile(r'(?:[^",]|"(?:[^"\\]|\\.)*(?:"|$))*$')
_LENGTHS = ("1h", "4h", "1d", "2d", "7d", "30d")


@dataclass(frozen=True, slots=True)
class Suggestion:
    """One continuation: the text to put in, and a line that explains it."""

    text: str
    label: str = ""


@dataclass(frozen=True, slots=True)
class Completion:
    """Continuations of a query, and the half-open range [start, end) of its text that each of them replaces."""

    start: int
    end: int
    suggestions: tuple[Suggestion, ...]


Vocabulary = Callable[[str, str, int], Sequence[tuple[str, str]]]


def complete(text: str, cursor: int, vocabulary: Vocabulary) -> Completion:
    """Return at most 12 continuations for the word at the cursor.

    `vocabulary(kind, start, limit)` returns (name, explanation) pairs of people, teams, services, CIs, categories, tags or
    tickets whose name begins with, or has a word that begins with, `start`.
    """
    cursor = max(0, min(cursor, len(text)))
    before = _BEFORE.search(text, 0, cursor)
    word = before[0] if before else ""
    sign = len(word) - len(word.lstrip("-"))
    start, word = cursor - len(word) + sign, word[sign:]
    if found := _FIELD.fullmatch(word):
        return _values(found, cursor, vocabulary)
    if word.startswith('"'):
        return Completion(start, cursor, ())
    return Completion(start, cursor, tuple(_best(word, _field_words())))


def _best(typed: str, known: Iterator[Suggestion], most: int = MOST) -> list[Suggestion]:
    """Return the suggestions that begin with what was typed, then those with a later word that does."""
    folded = typed.casefold().replace("_", "-")
    begin, inside = [], []
    for each in known:
        bare = each.text.casefold().strip('"')
        if bare.rstrip(":") == folded and not bare.endswith(":"):
            continue
        if bare.startswith(folded):
            begin.append(each)
        elif folded and re.search(rf"[\s-]{re.escape(folded)}", bare):
            inside.append(each)
    return (begin + inside)[:most]


def _field_words() -> Iterator[Suggestion]:
    yield Suggestion("is:", "A condition, for instance is:open")
    yield Suggestion("has:", "Something that it has, for instance has:attachment")
    for declared in fields.FIELDS:
        yield Suggestion(f"{declared.name}:", declared.help)
    yield Suggestion("sort:", "The order, for instance sort:priority,-opened")


def _values(found: re.Match[str], cursor: int, vocabulary: Vocabulary) -> Completion:
    """Complete the last item of a field's list of values."""
    name, listed = found[1], found[3]
    last = _LAST_ITEM.search(listed)
    item = last[0] if last else ""
    if name.casefold() == "sort":
        skipped = len(item) - len(item.lstrip("-"))
        return Completion(cursor - len(item) + skipped, cursor, tuple(_best(item[skipped:], _sort_words())))
    start = cursor - len(item)
    typed = item.lstrip('"').replace('\\"', '"').rstrip('"')
    return Completion(start, cursor, tuple(_known_values(name, typed, vocabulary)))


def _sort_words() -> Iterator[Suggestion]:
    return (Suggestion(declared.name, declared.label) for declared in fields.FIELDS if declared.sortable)


def _known_values(name: str, typed: str, vocabulary: Vocabulary) -> list[Suggestion]:
    words = flags.WORDS.get(name.casefold())
    if words is not None:
        return _best(typed, (Suggestion(word, flag.help) for word, flag in words.items()), MOST * 3)
    declared = fields.find(name)
    if declared is None:
        return []
    fixed = _best(typed, _fixed_values(declared))
    if declared.names and len(fixed) < MOST:
        named = vocabulary(declared.names, typed, MOST - len(fixed))
        fixed += [Suggestion(each if is_bare_value(each) else quote(each), label) for each, label in named]
    return fixed[:MOST]


def _fixed_values(declared: Field) -> Iterator[Suggestion]:
    labels = {key.replace("_", "-"): label for key, label in declared.values.items()}
    for word in checks.known_words(declared):
        if declared.type is not FieldType.LEVEL or word.isdigit():
            yield Suggestion(word, declared.levels.get(int(word), "") if word.isdigit() else labels.get(word, ""))
    if declared.type in {FieldType.INSTANT, FieldType.DURATION}:
        for length in _LENGTHS:
            yield Suggestion(
                length, f"{literals.length_seconds(length) or 0:,} seconds" if declared.type is FieldType.DURATION else "ago, or ahead"
            )
