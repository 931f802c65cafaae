"""Whether conditions can hold together: a search over the few values that they tell apart; pure and bounded.

Two tickets that no test tells apart need not both be tried. So of each path only a handful of values matters: those that the
tests name, one that none names, and for lists and numbers what lies beside. The search gives each path its values in turn and
turns back where the conditions are already false. A question that is too large is answered "possible": a doubt refuses nothing.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import combinations, permutations
from typing import Any as Anything

from pilothouse.sla.engine.rules import paths_of
from pilothouse.tickets.engine.lifecycle import CHANNELS, HOLD_REASONS, KINDS, RESOLUTION_CODES, STATES
from pilothouse.tickets.engine.queue_language.plan import All, Any, Operator, Opposite, Plan, Test, evaluate, leaves

MOST_STEPS = 20_000
_MOST_WORDS = 4
_OTHER = "\N{SYMBOL FOR NULL} something else"  # a text that nobody types
_FIXED: Mapping[str, Sequence[Anything]] = {
    "kind": tuple(KINDS),
    "state": tuple(STATES),
    "hold_reason": ("", *HOLD_REASONS),
    "channel": tuple(CHANNELS),
    "resolution_code": ("", *RESOLUTION_CODES),
    "impact": (1, 2, 3),
    "urgency": (1, 2, 3),
    "priority": (1, 2, 3, 4, 5),
}
# A ticket that is not on hold has no reason to be.
_LAWFUL: Plan = Any((Test("hold_reason", Operator.IN, ("",)), Test("state", Operator.IN, ("on_hold",))))


class _TooLargeError(Exception):
    """There are more cases than are worth trying."""


def can_hold(*plans: Plan | None) -> bool:
    """Say whether some ticket can meet all of these plans at one moment; True as well when there is no telling.

    >>> incident, request = (Test("kind", Operator.IN, (kind,)) for kind in ("incident", "request"))
    >>> can_hold(incident, request), can_hold(Any((incident, request)))
    (False, True)
    """
    whole = All(tuple(plan for plan in plans if plan is not None))
    try:
        return _search(whole)
    except _TooLargeError:
        return True


def quarrel(plan: Plan) -> set[str]:
    """Name the paths of the smallest parts of a plan that exclude each other; all of its paths when it is no list of parts."""
    parts = plan.parts if isinstance(plan, All) else (plan,)
    for size in (1, 2, 3):
        for few in combinations(parts, min(size, len(parts))):
            if not can_hold(*few):
                return {path for part in few for path in paths_of(part)}
    return paths_of(plan)


def _search(plan: Plan) -> bool:
    paths = sorted(paths_of(plan))
    if "hold_reason" in paths:
        plan, paths = All((plan, _LAWFUL)), sorted({*paths, "state"})
    tests = list(_tests(plan))
    values = {path: _values(path, [test for test in tests if test.path == path]) for path in paths}
    steps, waiting = 0, [dict[str, Anything]()]
    order = sorted(paths, key=lambda path: len(values[path]))
    while waiting:
        steps += 1
        if steps > MOST_STEPS:
            raise _TooLargeError
        given = waiting.pop()
        known = _known(plan, given)
        if known is True:
            return True
        if known is None:
            path = order[len(given)]
            waiting.extend({**given, path: value} for value in reversed(values[path]))
    return False


def _tests(plan: Plan) -> Iterator[Test]:
    for leaf in leaves(plan):
        if not isinstance(leaf, Test):
            raise _TooLargeError
        yield leaf


def _known(plan: Plan, given: Mapping[str, Anything]) -> bool | None:
    """Evaluate as far as the given values go; None: they do not decide it."""
    match plan:
        case Test():
            return evaluate(plan, given) if plan.path in given else None
        case Opposite():
            found = _known(plan.part, given)
            return None if found is None else not found
        case All():
            return _joined((_known(part, given) for part in plan.parts), decisive=False)
        case Any():
            return _joined((_known(part, given) for part in plan.parts), decisive=True)
    raise _TooLargeError


def _joined(found: Iterable[bool | None], *, decisive: bool) -> bool | None:
    answer: bool | None = not decisive
    for each in found:
        if each is decisive:
            return decisive
        answer = None if each is None else answer
    return answer


def _values(path: str, tests: Sequence[Test]) -> Sequence[Anything]:
    if path in _FIXED:
        return _FIXED[path]
    if path == "tags":
        return _lists(sorted({tag for test in tests for tag in test.value or ()}))
    if path.endswith("_id") and path != "external_id":
        named = sorted({pk for test in tests for pk in test.value or ()})
        return (*named, None, -1)
    return _texts(tests)


def _lists(words: Sequence[str]) -> Sequence[list[str]]:
    if len(words) > 2 * _MOST_WORDS:
        raise _TooLargeError
    return [[*few, *more] for size in range(len(words) + 1) for few in combinations(words, size) for more in ((), (_OTHER,))]


def _texts(tests: Sequence[Test]) -> Sequence[str | None]:
    whole = {text for test in tests if test.operator is Operator.IN for text in test.value}
    whole |= {test.value for test in tests if test.operator is Operator.SAME}
    pieces = {test.value.replace("*", "") for test in tests if test.operator in (Operator.CONTAINS, Operator.LIKE)}
    if len(pieces) > _MOST_WORDS:
        raise _TooLargeError
    joined = {" ".join(row) for size in range(1, len(pieces) + 1) for row in permutations(sorted(pieces), size)}
    return sorted({"", _OTHER, *whole, *joined, *(f"{_OTHER} {text} {_OTHER}" for text in joined)})
