"""Lives of one shape: tickets that the rules cannot tell apart but for the instants; pure.

What a fold makes of a life (which clocks, which events bound their segments, who wins) depends on the order of what happened, not on
when. So of each moment only its class is kept: for every path that the rules look at, the answers of their tests on its value.
Tickets with the same sequence of classes have the same clocks, with other instants in them. The fold itself (clocks.py, the only
place that knows the rules' meaning) is done once a shape, over a life whose instants are the numbers of its moments; the
arithmetic is then done for all tickets of the shape at once.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pilothouse.sla.engine.clock import Clock
from pilothouse.sla.engine.folding import fold_under
from pilothouse.sla.engine.lives import START, Event
from pilothouse.sla.engine.rules import CONDITIONS, Rules
from pilothouse.tickets.engine.queue_language.plan import Plan, Test, evaluate, leaves

_WHOLE = frozenset({"kind", "state", "hold_reason", "priority"})  # paths of few values, which the kinds' own rules compare
_PLACES = {"ci_id": "ci", "service_id": "service", "site": "site"}
_MANY_VALUES = 200_000
_ORDINALS = 100_000  # more than groups in one life
Stored = Sequence[Any]  # an event as lives.write stores it


@dataclass(slots=True)
class Shape:
    """The clocks of each rulebook for tickets of one shape, their instants being numbers of moments; and the tickets that have it."""

    clocks: tuple[list[Clock], ...]
    tickets: list[int] = field(default_factory=list)
    instants: list[list[int]] = field(default_factory=list)


class Shapes:
    """Sorts lives by shape under several rules at once (for instance those in force and those that are thought of)."""

    def __init__(self, rules: Sequence[Rules]) -> None:
        self.rules = rules
        self.by_reply = any(c.target.kind == "response" and c.target.rule == "replied" for each in rules for c in each.candidates)
        self.by_stay = any(c.target.kind == "ola" for each in rules for c in each.candidates)
        classes = {path: _Classes(path, rules) for path in [*_paths(rules), *(["requester_id"] if self.by_reply else [])]}
        self.place = {path: (at, each, self.by_stay and path == "group_id") for at, (path, each) in enumerate(classes.items())}
        self.start = [each.of(START[path]) for path, each in classes.items()]
        self.known: dict[tuple[int, ...], int] = {}
        self.shapes: dict[tuple[int, ...], Shape] = {}

    def add(self, ticket: int, life: Sequence[Stored]) -> None:
        """Put a ticket (by any number) to its shape."""
        key, instants = self._moments(life)
        shape = self.shapes.get(key)
        if shape is None:
            shape = self.shapes[key] = Shape(self._fold(life))
        shape.tickets.append(ticket)
        shape.instants.append(instants)

    def filled(self) -> list[Shape]:
        """Return the shapes that have tickets."""
        return [shape for shape in self.shapes.values() if shape.tickets]

    def _moments(self, life: Sequence[Stored], numbers: list[int] | None = None) -> tuple[tuple[int, ...], list[int]]:
        """Return the classes of a life's moments, one after the other different, and their instants.

        `numbers` is given to learn the number of each event's moment. The busiest loop of a what-if: it is written to be short.
        """
        state, groups, requester, is_new = list(self.start), dict[Any, int](), None, True
        place_of, known, by_reply, is_reply = self.place.get, self.known, self.by_reply, False
        key, instants = list[int](), list[int]()
        for event in life:
            for path, value in event[3].items():
                place = place_of(path)
                if place is None:
                    continue
                here, classes, is_stay = place
                found = classes.cache.get(value) if classes.is_simple else None
                if found is None:
                    found = classes.of(value)
                if is_stay:
                    found = found * _ORDINALS + groups.setdefault(value, len(groups))
                if state[here] != found:
                    state[here], is_new = found, True
                if by_reply and path == "requester_id":
                    requester = value
            if by_reply:
                is_reply = len(event) > 4 and "reply" in event[4] and event[4]["reply"] not in (None, requester)
            if is_new or is_reply:
                moment = tuple(state)
                number = known.get(moment)
                if number is None:
                    number = known[moment] = len(known)
                key.append(-1 - number if is_reply else number)
                instants.append(event[1])
                is_new = False
            if numbers is not None:
                numbers.append(len(key) - 1)
        return tuple(key), instants

    def _fold(self, life: Sequence[Stored]) -> tuple[list[Clock], ...]:
        numbers, groups = list[int](), dict[Any, int]()
        self._moments(life, numbers)
        events = [
            Event(event[0], number, number, self._standing(event[3], groups), event[4] if len(event) > 4 else None)
            for event, number in zip(life, numbers, strict=True)
        ]
        return tuple([clock for clock in fold_under(0, events, rules) if _counts(clock)] for rules in self.rules)

    def _standing(self, changes: Mapping[str, Any], groups: dict[Any, int]) -> dict[str, Any]:
        """Put for each value one that stands for its class: the rules then meet few different tickets, whose decisions they remember."""
        standing = dict(changes)
        for path, value in changes.items():
            _, classes, is_stay = self.place.get(path, (0, None, False))
            if classes is None or path == "requester_id":
                continue
            if not is_stay:
                standing[path] = classes.standing[classes.of(value)]
            elif value is not None and classes.is_plain(value):
                standing[path] = -1 - groups.setdefault(value, len(groups))  # another group, whichever it is
        return standing


def _counts(clock: Clock) -> bool:
    """Leave out what has no verdict: cancelled clocks, and sums of stays beside the stays."""
    return clock.stage != "cancelled" and not (clock.kind == "ola" and clock.stay == 0)


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

    def is_plain(self, value: Any) -> bool:
        """Say whether no test and no target names this value."""
        row: Mapping[str, Any] = {self.path: value}
        unnamed: Mapping[str, Any] = {self.path: -1}
        return not any(value in groups for groups in self.groups) and all(evaluate(t, row) == evaluate(t, unnamed) for t in self.tests)

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
