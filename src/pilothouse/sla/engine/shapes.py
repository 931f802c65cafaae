"""Lives of one shape: tickets that the rules cannot tell apart but for the instants; pure.

What a fold makes of a life (which clocks, which events bound their segments, who wins) depends on the order of what happened, not on
when. Of an event only its effect is kept: for every path that the rules look at, the class of its value, which is what their tests
answer. Of a moment only its meaning: what the rules decide then, the priority, whose hours count, and which stay in a group it is.
Tickets with the same sequence of meanings have the same clocks, with other instants in them. The fold itself (folding.py, the only
place that knows the rules' meaning) is done once a shape, over a life whose instants are the numbers of its moments; the
arithmetic is then done for all tickets of the shape at once (columns.py).

What is done for every ticket is little: a line of a stored life that was met before has a known effect, and lives with the same
effects in the same order are one variant of a shape. A variant says at which of its events the moments of the shape began.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise, repeat
from typing import Any, NamedTuple, TypeVar

import numpy as np

from pilothouse.sla.engine.clock import Clock
from pilothouse.sla.engine.folding import fold_under
from pilothouse.sla.engine.lives import START, Event, read_line
from pilothouse.sla.engine.ragged import Numbers, within
from pilothouse.sla.engine.rules import CONDITIONS, Candidate, Rules
from pilothouse.tickets.engine.queue_language.plan import Plan, Test, evaluate, leaves

_WHOLE = frozenset({"kind", "state", "hold_reason", "priority"})  # paths of few values, which the kinds' own rules compare
_PLACES = {"ci_id": "ci", "service_id": "service", "site": "site"}
_MANY_VALUES = 200_000
_MANY_LINES = 30_000
_SHORT = 150  # longer lines, with titles in them, hardly come again
_STAYS = 100_000  # more than groups in one life
_UNTOLD = object()
_SOMEBODY = {"reply": -1}
NOTHING, _BEGINNING = 0, 1  # effects: an event that changes nothing the rules look at, and one that only begins a life
_K = TypeVar("_K")


class Effect(NamedTuple):
    """What an event does to what the rules look at."""

    puts: tuple[tuple[int, int], ...] = ()  # (place, class)
    group: Any = _UNTOLD  # where stays count: the group that the ticket goes to
    requester: Any = _UNTOLD  # where replies count: the requester that it gets
    author: Any = None  # where replies count: who replied


class _Moment(NamedTuple):
    event: int
    state: tuple[int, ...]
    group: Any
    is_reply: bool


@dataclass(slots=True)
class Shape:
    """The clocks of each rulebook for tickets of one shape; their instants are numbers of moments, their groups those of one ticket.

    Rules that differ only in how long targets are have the same clocks; which target each has there stands beside it.
    """

    clocks: tuple[list[tuple[Clock, Candidate]], ...]
    groups: Mapping[Any, int]  # the places of this ticket's groups in the order in which they appeared


class Variant(NamedTuple):
    """One way through events to a shape."""

    shape: int  # its number in the catalogue
    moments: tuple[int, ...]  # the event at which each moment of the shape began, among those with an effect
    groups: tuple[int, ...]  # in the order in which they appeared


@dataclass(slots=True)
class Catalogue:
    """Every shape and variant that was met, under whichever rules, in the order of their meeting."""

    shapes: list[Shape] = field(default_factory=list)
    variants: list[Variant] = field(default_factory=list)


class Shapes:
    """Sorts lives by shape under several rules at once (for instance those in force and those that are thought of)."""

    def __init__(self, rules: Sequence[Rules], catalogue: Catalogue) -> None:
        self.rules, self.catalogue = rules, catalogue
        self.by_reply = any(c.target.kind == "response" and c.target.rule == "replied" for each in rules for c in each.candidates)
        self.by_stay = any(c.target.kind == "ola" for each in rules for c in each.candidates)
        paths = [*_paths(rules), *(["requester_id"] if self.by_reply else [])]
        self.classes = {path: _Classes(path, rules) for path in paths}
        self.states = [tuple(each.of(START[path]) for path, each in self.classes.items())]
        self.effects = [Effect(), Effect()]
        self._numbers: dict[Effect, int] = {Effect(): NOTHING}
        self._of_lines: dict[bytes, int] = {}
        self._of_values: dict[tuple[Any, ...], int] = {}
        self._of_states = {self.states[0]: 0}
        self._steps: dict[tuple[int, int], tuple[int, int]] = {}
        self._of_meaning: dict[int, int] = {}
        self._meanings: dict[tuple[Any, ...], int] = {}
        self._shapes: dict[tuple[int, ...], int] = {}
        self._variants: dict[bytes, int] = {}  # by the effects of their events

    def sort(self, lines: Sequence[bytes], counts: Numbers) -> tuple[list[int], Numbers]:
        """Return the number of each life's variant, given the lines of all events and how many each life has, and of each event its
        effect: NOTHING, or another."""
        known = list(map(self._of_lines.get, lines))
        told = [self._effect(line) if number is None else number for line, number in zip(lines, known, strict=True)]
        effects, begins = np.array(told, np.int32), np.cumsum(counts) - counts
        effects[begins] = np.maximum(effects[begins], _BEGINNING)
        has_effect = effects != NOTHING
        keys, ends = effects[has_effect].tobytes(), (np.cumsum(within(has_effect, counts)) * effects.itemsize).tolist()
        return [self._variant(keys[begin:end]) for begin, end in pairwise([0, *ends])], effects.astype(np.int64)

    def _variant(self, key: bytes) -> int:
        found = self._variants.get(key)
        if found is None:
            found = self._variants[key] = self._vary(np.frombuffer(key, np.int32).tolist())
        return found

    def _effect(self, line: bytes) -> int:
        """Return the number of a line's effect. Most lines were met before; of the others, mostly what the rules look at."""
        if (number := self._of_lines.get(line)) is not None:
            return number  # met a moment ago
        changes, mark = read_line(line)
        author = mark.get("reply") if mark is not None and self.by_reply else None
        values = (author, *map(changes.get, self.classes, repeat(_UNTOLD)))
        if "tags" in changes:
            values = tuple(tuple(value) if isinstance(value, list) else value for value in values)
        found = self._of_values.get(values)
        if found is None:
            found = _kept(self._of_values, values, self._new_effect(changes, author))
        return _kept(self._of_lines, line, found) if len(line) < _SHORT else found

    def _new_effect(self, changes: Mapping[str, Any], author: Any) -> int:
        effect = Effect(
            tuple((place, each.of(changes[path])) for place, (path, each) in enumerate(self.classes.items()) if path in changes),
            changes.get("group_id", _UNTOLD) if self.by_stay else _UNTOLD,
            changes.get("requester_id", _UNTOLD) if self.by_reply else _UNTOLD,
            author,
        )
        number = self._numbers.setdefault(effect, len(self.effects))
        if number == len(self.effects):
            self.effects.append(effect)
        return number

    def _vary(self, numbers: Sequence[int]) -> int:
        key, moments, groups = self._walk(numbers)
        shape = self._shapes.get(key)
        if shape is None:
            shape = self._shapes[key] = len(self.catalogue.shapes)
            self.catalogue.shapes.append(Shape(self._fold(moments), groups))
        variant = Variant(shape, tuple([moment.event for moment in moments]), tuple(groups))
        self.catalogue.variants.append(variant)
        return len(self.catalogue.variants) - 1

    def _walk(self, numbers: Sequence[int]) -> tuple[tuple[int, ...], list[_Moment], dict[int, int]]:
        """Return the meanings of a life's moments, one after the other different, the moments, and the groups that it was in."""
        state, group, requester, last = 0, None, None, -1
        key, moments, groups = list[int](), list[_Moment](), dict[int, int]()
        for event, number in enumerate(numbers):
            _, goes_to, asks, author = self.effects[number]
            state, meaning = self._steps.get((state, number)) or self._step(state, number)
            if goes_to is not _UNTOLD:
                group = goes_to
            if asks is not _UNTOLD:
                requester = asks
            if group is not None:
                meaning += 1 + groups.setdefault(group, len(groups))
            is_reply = author is not None and author != requester
            if meaning != last or is_reply:
                key.append(-1 - meaning if is_reply else meaning)
                moments.append(_Moment(event, self.states[state], group, is_reply))
                last = meaning
        return tuple(key), moments, groups

    def _step(self, before: int, number: int) -> tuple[int, int]:
        """Return the state to which an effect leads from another, and its meaning, with room for stays."""
        after = list(self.states[before])
        for place, found in self.effects[number].puts:
            after[place] = found
        state = self._of_states.setdefault(tuple(after), len(self.states))
        if state == len(self.states):
            self.states.append(tuple(after))
        if state not in self._of_meaning:
            self._of_meaning[state] = self._meaning(self.states[state]) * _STAYS
        step = self._steps[before, number] = (state, self._of_meaning[state])
        return step

    def _meaning(self, state: tuple[int, ...]) -> int:
        """Return the number of what a state means to every rules: equal numbers fold alike."""
        snapshot = {**START, **self._standing(state)}
        places = [(kind, snapshot[path]) for path, kind in _PLACES.items()]
        hours = tuple(each.schedule_of(kind, key) for each in self.rules for kind, key in places)
        told = (snapshot["priority"], hours, *(id(each.decide(snapshot)) for each in self.rules))
        return self._meanings.setdefault(told, len(self._meanings))

    def _standing(self, state: Sequence[int]) -> dict[str, Any]:
        """Return for each path that the rules look at a value that stands for its class."""
        return {path: each.standing[found] for (path, each), found in zip(self.classes.items(), state, strict=True)}

    def _fold(self, moments: Sequence[_Moment]) -> tuple[list[tuple[Clock, Candidate]], ...]:
        events = []
        for number, moment in enumerate(moments):
            changes = self._standing(moment.state) | ({"group_id": moment.group} if self.by_stay else {})
            events.append(Event(number + 1, number, number, changes, _SOMEBODY if moment.is_reply else None))
        done: dict[Any, list[Clock]] = {}
        for rules in self.rules:
            if rules.structure not in done:
                done[rules.structure] = fold_under(0, events, rules)
        return tuple([(clock, rules.candidates[clock.candidate.place]) for clock in done[rules.structure]] for rules in self.rules)


def _kept(memory: dict[_K, int], key: _K, value: int) -> int:
    """Remember something, and forget the rest when it has become much."""
    if len(memory) >= _MANY_LINES:
        memory.clear()
    memory[key] = value
    return value


def _paths(rules: Sequence[Rules]) -> list[str]:
    places = {source for each in rules for candidate in each.candidates for source in candidate.target.schedule_from}
    wanted = {path for each in rules for path in each.paths} | {path for path, source in _PLACES.items() if source in places}
    return [path for path in START if path in wanted]


class _Classes:
    """The values of one path in classes that no test, and no rule of a kind, tells apart."""

    def __init__(self, path: str, rules: Sequence[Rules]) -> None:
        self.path, self.is_whole, self.is_simple = path, path in _WHOLE, path != "tags"
        self.tests = list(
            {test for each in rules for plan in _plans(each) for test in leaves(plan) if isinstance(test, Test) and test.path == path}
        )
        self.uses = [each for each in rules if path in _PLACES]
        self.groups = [c.target.groups for each in rules for c in each.candidates if path == "group_id" and c.target.groups]
        self.numbers: dict[Any, int] = {}
        self.cache: dict[Any, int] = {}
        self.standing: dict[int, Any] = {}  # a value of each class

    def of(self, value: Any) -> int:
        """Return the class of a value."""
        key = tuple(value) if isinstance(value, list) else value
        found = self.cache.get(key)
        if found is None:
            if len(self.cache) >= _MANY_VALUES:
                self.cache.clear()
            found = self.cache[key] = self.numbers.setdefault(self._answers(value), len(self.numbers))
            self.standing.setdefault(found, value)
        return found

    def _answers(self, value: Any) -> Any:
        if self.is_whole:
            return value
        row: Mapping[str, Any] = {self.path: value}
        return (
            value is None,
            tuple(evaluate(test, row) for test in self.tests),
            tuple(each.schedule_of(_PLACES[self.path], value) for each in self.uses),
            tuple(value in groups for groups in self.groups),
        )


def _plans(rules: Rules) -> Iterator[Plan]:
    for agreement in rules.agreements:
        conditions = [agreement.applies, *(getattr(target, name) for target in agreement.targets for name in CONDITIONS)]
        yield from (condition.plan for condition in conditions if condition.plan is not None)
