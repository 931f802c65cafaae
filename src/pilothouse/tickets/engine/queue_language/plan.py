"""What a query means once its names and dates are known: a tree of tests, each true or false of a ticket, never unknown.

A test of an absent value is false; so its opposite is true, and `-x` is everything that `x` is not. `evaluate` is the plain
definition that the database's answer is held against.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any as Anything
from zoneinfo import ZoneInfo

from pilothouse.tickets.engine.lifecycle import DESK_KINDS


@dataclass(frozen=True, slots=True)
class Context:
    """Who asks and when: `me` is the ids of the asking person (one, or none for a machine)."""

    now: datetime
    zone: ZoneInfo
    me: tuple[int, ...] = ()
    my_teams: tuple[int, ...] = ()


class Operator(StrEnum):
    """How a test compares the ticket's value with its own."""

    IN = "in"
    SAME = "same"  # text, letter case ignored
    CONTAINS = "contains"  # text, letter case ignored
    LIKE = "like"  # text with * for any letters, letter case ignored
    NULL = "null"
    EMPTY = "empty"  # a list without members
    OVERLAPS = "overlaps"  # a list with one of these
    LESS = "<"
    AT_MOST = "<="
    MORE = ">"
    AT_LEAST = ">="


@dataclass(frozen=True, slots=True)
class Test:
    """A ticket's value at `path` against a value."""

    path: str
    operator: Operator
    value: Anything = None


@dataclass(frozen=True, slots=True)
class Related:
    """There is an attachment, a child, a link or a comment that the asker may read."""

    kind: str


@dataclass(frozen=True, slots=True)
class Written:
    """The words stand, one after the other, in the ticket's text or in one comment that the asker may read."""

    text: str


@dataclass(frozen=True, slots=True)
class All:
    """Every part holds; with no part, always."""

    parts: tuple["Plan", ...]


@dataclass(frozen=True, slots=True)
class Any:
    """At least one part holds; with no part, never."""

    parts: tuple["Plan", ...]


@dataclass(frozen=True, slots=True)
class Opposite:
    """The part does not hold."""

    part: "Plan"


Plan = Test | Related | Written | All | Any | Opposite
Row = Mapping[str, Anything]
_NAMES_KINDS = frozenset({"kind", "number", "change", "problem"})  # also by a field of theirs: change__planned_start_at


def of_the_desk(plan: Plan) -> Plan:
    """Narrow a plan to the desk's kinds of tickets, unless it speaks of kinds, of what only a kind has, or of a ticket's number."""
    if any(isinstance(leaf, Test) and leaf.path.partition("__")[0] in _NAMES_KINDS for leaf in leaves(plan)):
        return plan
    return All((plan, Test("kind", Operator.IN, DESK_KINDS)))


def leaves(plan: Plan) -> Iterator[Test | Related | Written]:
    """Yield the tests that a plan is made of, from left to right, negated ones too."""
    match plan:
        case All() | Any():
            for part in plan.parts:
                yield from leaves(part)
        case Opposite():
            yield from leaves(plan.part)
        case leaf:
            yield leaf


def evaluate(plan: Plan, row: Row) -> bool:
    """Say whether a plan holds for a ticket given as path -> value, with `related` (kinds) and `texts` beside.

    >>> evaluate(Opposite(Test("assignee_id", Operator.IN, (7,))), {"assignee_id": None})
    True
    """
    match plan:
        case All():
            return all(evaluate(part, row) for part in plan.parts)
        case Any():
            return any(evaluate(part, row) for part in plan.parts)
        case Opposite():
            return not evaluate(plan.part, row)
        case Related():
            return plan.kind in row["related"]
        case Written():
            return any(_stands_in(plan.text, text) for text in row["texts"])
        case Test():
            return _holds(plan, row[plan.path])


def _stands_in(words: str, text: str) -> bool:
    """Say whether the words follow each other in the text (the database also knows word stems)."""
    sought, found = (re.findall(r"\w+", each.casefold()) for each in (words, text))
    return any(found[at : at + len(sought)] == sought for at in range(len(found)))


def _holds(test: Test, value: Anything) -> bool:
    if test.operator is Operator.NULL:
        return value is None
    return value is not None and _COMPARE[test.operator](value, test.value)


def _like(value: str, pattern: str) -> bool:
    return re.fullmatch(".*".join(map(re.escape, pattern.casefold().split("*"))), value.casefold(), re.DOTALL) is not None


_COMPARE: Mapping[Operator, Callable[[Anything, Anything], bool]] = {
    Operator.IN: lambda value, among: value in among,
    Operator.SAME: lambda value, other: value.casefold() == other.casefold(),
    Operator.CONTAINS: lambda value, part: part.casefold() in value.casefold(),
    Operator.LIKE: _like,
    Operator.EMPTY: lambda value, _: not value,
    Operator.OVERLAPS: lambda value, among: not set(value).isdisjoint(among),
    Operator.LESS: lambda value, other: value < other,
    Operator.AT_MOST: lambda value, other: value <= other,
    Operator.MORE: lambda value, other: value > other,
    Operator.AT_LEAST: lambda value, other: value >= other,
}
