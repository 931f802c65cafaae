"""Whether a comparison makes sense for its field's type, before any name is looked up; pure.

`check` returns the comparison with its choices in canonical form (`in-progress`), or the first mistake in it.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from pilothouse.tickets.engine import fields
from pilothouse.tickets.engine.fields import Field, FieldType
from pilothouse.tickets.engine.queue_language import flags, literals
from pilothouse.tickets.engine.queue_language.mistakes import Mistake, closest
from pilothouse.tickets.engine.queue_language.syntax import Compare, Op, Range, Value

ORDERED = frozenset({Op.LESS, Op.AT_MOST, Op.MORE, Op.AT_LEAST})
GREATEST = 2_000_000_000
NONE = "none"
_FREE = frozenset({FieldType.REFERENCE, FieldType.NUMBER, FieldType.TEXT, FieldType.TAGS})  # any text may be a value
_ANY_DAY, _ANY_ZONE = datetime(2026, 1, 1, tzinfo=UTC), ZoneInfo("UTC")


def check(compare: Compare) -> Compare | Mistake:
    """Return the comparison in canonical form, or the first thing wrong with it."""
    if compare.field in flags.WORDS:
        return _check_flags(compare)
    declared = fields.BY_NAME[compare.field]
    if fault := _wrong_operator(compare, declared):
        return fault
    values: list[Value | Range] = []
    for value in compare.values:
        checked = _check_value(declared, compare.op, value)
        if isinstance(checked, Mistake):
            return checked
        values.append(checked)
    return replace(compare, values=tuple(values))


def _check_flags(compare: Compare) -> Compare | Mistake:
    if compare.op in ORDERED:
        return Mistake(compare.at, compare.length, f"{compare.field} takes no {compare.op}.", hint=f"Write {compare.field}:word.")
    values = []
    for value in compare.values:
        typed = value.text if isinstance(value, Value) else f"{value.low}..{value.high}"
        word = flags.find(compare.field, typed)
        if not word:
            known = flags.WORDS[compare.field]
            near = closest(typed, [*known, *(alias for alias, meant in flags.ALIASES.items() if meant in known)])
            return Mistake(
                value.at, value.length, f"{compare.field}: knows no {typed}.", near, "" if near else f"One of: {', '.join(known)}."
            )
        values.append(Value(word, False, value.at, value.length))
    return replace(compare, values=tuple(values))


def _wrong_operator(compare: Compare, declared: Field) -> Mistake | None:
    if compare.op not in ORDERED:
        return None
    if not declared.comparable:
        return Mistake(
            compare.at, compare.length, f"{declared.label} cannot be compared with {compare.op}.", hint=f"Write {declared.name}:value."
        )
    if len(compare.values) > 1:
        return Mistake(compare.values[1].at, compare.values[1].length, f"{compare.op} takes one value, not a list.")
    value = compare.values[0]
    if isinstance(value, Range):
        return Mistake(
            value.at, value.length, f"{compare.op} takes one value, not a range.", hint=f"Write {declared.name}:{value.low}..{value.high}."
        )
    if _is_none(declared, value):
        return Mistake(value.at, value.length, f"{compare.op} cannot be asked of none.", hint=f"Write {declared.name}:none.")
    return None


def _is_none(declared: Field, value: Value) -> bool:
    return declared.can_be_none and not value.quoted and value.text.casefold() == NONE


def _check_value(declared: Field, op: Op, value: Value | Range) -> Value | Range | Mistake:
    if isinstance(value, Range):
        return _check_range(declared, value)
    if _is_none(declared, value):
        return replace(value, text=NONE)
    if not value.text.strip():
        return Mistake(value.at, max(1, value.length), "There is nothing between these quotation marks.", hint=_for_none(declared))
    reading = _CHECKS[declared.type](declared, value.text)
    if reading is None:
        return _wrong_value(declared, value.text, value.at, value.length)
    return replace(value, text=reading, quoted=value.quoted and declared.type in _FREE)


def _for_none(declared: Field) -> str:
    return f"For tickets without it, write {declared.name}:none." if declared.can_be_none else ""


def _check_range(declared: Field, value: Range) -> Range | Mistake:
    if not declared.comparable:
        return Mistake(value.at, value.length, f"{declared.label} has no ranges.", hint=f'For the text itself, write {declared.name}:"…".')
    ends = []
    for text, at in ((value.low, value.at), (value.high, value.at + len(value.low) + 2)):
        reading = _CHECKS[declared.type](declared, text) if text else ""
        if reading is None:
            return _wrong_value(declared, text, at, len(text))
        ends.append(reading)
    if declared.type is FieldType.INSTANT and _is_length(value.low) != _is_length(value.high) and value.low and value.high:
        return Mistake(value.at, value.length, "A range has two dates or two lengths of time, not one of each.")
    return replace(value, low=ends[0], high=ends[1])


def _is_length(text: str) -> bool:
    return literals.length_seconds(text) is not None


def choice(declared: Field, text: str) -> str | None:
    """Return the canonical word for one of a choice's values or, for states, groups of values."""
    word = text.casefold().replace("_", "-").replace(" ", "-")
    known = [*(each.replace("_", "-") for each in declared.values if each), *(fields.STATE_GROUPS if declared.name == "state" else ())]
    if word in known or (word == NONE and "" in declared.values):
        return word
    return next(
        (key.replace("_", "-") for key, label in declared.values.items() if key and label.casefold().replace(" ", "-") == word), None
    )


def level(declared: Field, text: str) -> int | None:
    """Read a level by its number, `p` and its number, or its name.

    >>> level(fields.BY_NAME["priority"], "P1"), level(fields.BY_NAME["impact"], "medium")
    (1, 2)
    """
    word = text.casefold()
    by_name = {label.casefold(): number for number, label in declared.levels.items()}
    number = by_name.get(word) or (int(word[-1]) if word.removeprefix("p") in {str(each) for each in declared.levels} else None)
    return number if number in declared.levels else None


def count(declared: Field, text: str) -> int | None:
    """Read a whole number from 0 to two thousand million."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 11 and int(text) <= GREATEST else None


def _level_text(declared: Field, text: str) -> str | None:
    number = level(declared, text)
    return None if number is None else str(number)


def _count_text(declared: Field, text: str) -> str | None:
    number = count(declared, text)
    return None if number is None else str(number)


def _instant_text(declared: Field, text: str) -> str | None:
    known = _is_length(text) or literals.stretch(text, _ANY_DAY, _ANY_ZONE) is not None
    return text.casefold().replace("_", "-") if known and not text[0].isdigit() else (text if known else None)


def _duration_text(declared: Field, text: str) -> str | None:
    return text if _is_length(text) else None


def _any_text(declared: Field, text: str) -> str | None:
    return text


_CHECKS: Mapping[FieldType, Callable[[Field, str], str | None]] = {
    FieldType.CHOICE: choice,
    FieldType.LEVEL: _level_text,
    FieldType.COUNT: _count_text,
    FieldType.INSTANT: _instant_text,
    FieldType.DURATION: _duration_text,
    FieldType.REFERENCE: _any_text,
    FieldType.NUMBER: _any_text,
    FieldType.TEXT: _any_text,
    FieldType.TAGS: _any_text,
}
_HINTS: Mapping[FieldType, str] = {
    FieldType.COUNT: "It takes a whole number.",
    FieldType.INSTANT: "It takes a length of time (3h, 2d), a word (today, this-week) or a date (2026-11-23, 2026-11).",
    FieldType.DURATION: "It takes a length of time: 30m, 3h, 2d, 1w.",
}


def _wrong_value(declared: Field, text: str, at: int, length: int) -> Mistake:
    known = known_words(declared)
    near = closest(text, known)
    hint = _HINTS.get(declared.type, f"One of: {', '.join(known)}.")
    if declared.type is FieldType.LEVEL:
        hint = "It takes " + ", ".join(f"{number} ({label.casefold()})" for number, label in declared.levels.items()) + "."
    return Mistake(at, max(1, length), f"{declared.label} is never {text}.", near, "" if near else hint)


def known_words(declared: Field) -> list[str]:
    """Return the words that a field's value may be, as far as they are fixed: for suggestions and completion."""
    words = list(fields.STATE_GROUPS) if declared.name == "state" else []
    words += [each.replace("_", "-") for each in declared.values if each]
    if declared.type is FieldType.LEVEL:
        words += [str(number) for number in declared.levels] + [label.casefold() for label in declared.levels.values()]
    if declared.type is FieldType.INSTANT:
        words += literals.CALENDAR_WORDS
    if declared.names == "person":
        words.append("me")
    if declared.names == "team":
        words.append("my-teams")
    if declared.can_be_none or "" in declared.values:
        words.append(NONE)
    return words
