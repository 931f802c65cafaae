"""Agreements as values: what applies to a ticket, which targets it then has, and how their clocks run; pure.

A definition is JSON, as the page writes it and `pilothouse sla what-if` reads it:

    {"applies_to": "kind:incident",
     "targets": [
       {"key": "resolution", "kind": "resolution",
        "durations": {"1": {"seconds": 14400}, "3": {"days": 1, "at": "16:00"}},
        "schedule": 4, "schedule_from": ["ci", "service", "site"],
        "holds": ["caller", "vendor"], "count_resolved": false,
        "start": "", "pause": "", "stop": "", "cancel": "", "reset": "",
        "groups": [], "rule": "", "steps": [...]}]}

- `applies_to`, `start`, `pause`, `stop`, `cancel`, `reset`: conditions in the queue language, "" meaning the kind's own rule alone.
- `kind`: response (stops at the first ownership, or the first public reply, as `rule` says: "owned", "replied"), resolution (stops
  when resolved), ola (runs while one of `groups`, or any group, owns the ticket), contract (runs while on hold for a vendor).
- `durations`: for each priority that has a target: business seconds, or "the so manieth business day at so much o'clock".
- `schedule`: whose hours count (None: always open), unless the CI, the service or the requester's site, in the order of `schedule_from`,
  has hours of its own.
- `holds`: the hold reasons that pause. A ticket that is resolved is not counted unless `count_resolved`.
- `steps`: what happens before the breach (engine/steps.py).

The first agreement by position that matches, and has a target of a kind for the ticket's priority, gives the ticket its clock of this kind.
"""

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from operator import itemgetter
from typing import Any

from pilothouse.sla.engine.steps import Step
from pilothouse.tickets.engine.queue_language.plan import Plan, Related, Test, Written, evaluate, leaves

KINDS: Mapping[str, str] = {
    "response": "Response",
    "resolution": "Resolution",
    "ola": "Operational level (OLA)",
    "contract": "Underpinning contract",
}
STAGES: Mapping[str, str] = {"running": "Running", "paused": "Paused", "achieved": "Ended", "cancelled": "Cancelled"}
RESPONSE_RULES: Mapping[str, str] = {"owned": "first human ownership", "replied": "first public reply"}
SCHEDULE_SOURCES: Mapping[str, str] = {"ci": "the CI", "service": "the service", "site": "the requester's site"}
PRIORITIES = (1, 2, 3, 4, 5)
CONDITIONS = ("start", "pause", "stop", "cancel", "reset")
LONGEST_SECONDS = 10 * 366 * 86400

# What a condition may look at: the facts of the moment, under the queue language's paths, and their journal names.
WATCHED: Mapping[str, str] = {
    "kind": "kind",
    "title": "title",
    "state": "state",
    "hold_reason": "hold_reason",
    "impact": "impact",
    "urgency": "urgency",
    "priority": "priority",
    "requester_id": "requester",
    "opened_by_id": "opened_by",
    "channel": "channel",
    "service_id": "service",
    "ci_id": "ci",
    "category": "category",
    "subcategory": "subcategory",
    "group_id": "group",
    "assignee_id": "assignee",
    "parent_id": "parent",
    "merged_into_id": "merged_into",
    "tags": "tags",
    "resolution_code": "resolution_code",
    "external_system": "external_system",
    "external_id": "external_id",
}
_LIVING = ("kind", "state", "hold_reason", "priority", "group_id", "merged_into_id", "assignee_id")  # what the kinds' own rules look at


@dataclass(frozen=True, slots=True)
class Condition:
    """A text in the queue language and what it means; an empty text has no plan."""

    text: str = ""
    plan: Plan | None = None

    def holds(self, snapshot: Mapping[str, Any], *, when_empty: bool) -> bool:
        """Say whether it holds for a ticket at a moment."""
        return when_empty if self.plan is None else evaluate(self.plan, snapshot)


NO_CONDITION = Condition()


@dataclass(frozen=True, slots=True)
class Duration:
    """How long a target gives: business seconds, or until `at` (local seconds after midnight) on the `days`-th business day after."""

    seconds: int = 0
    days: int = 0
    at: int = 0

    @property
    def is_relative(self) -> bool:
        return self.seconds == 0


@dataclass(frozen=True, slots=True)
class Target:
    """One target of an agreement; the module's docstring explains its parts."""

    key: str
    kind: str
    durations: Mapping[int, Duration]
    schedule: int | None = None
    schedule_from: tuple[str, ...] = ()
    holds: frozenset[str] = frozenset()
    count_resolved: bool = False
    rule: str = "owned"
    groups: frozenset[int] = frozenset()
    start: Condition = NO_CONDITION
    pause: Condition = NO_CONDITION
    stop: Condition = NO_CONDITION
    cancel: Condition = NO_CONDITION
    reset: Condition = NO_CONDITION
    steps: tuple[Step, ...] = ()


@dataclass(frozen=True, slots=True)
class Agreement:
    """One version of an agreement. `effective_from` and `recorded_at` are seconds since 1970; None is since ever."""

    version_id: int
    agreement_id: int
    number: int
    name: str
    position: int
    applies: Condition
    targets: tuple[Target, ...]
    effective_from: int | None = None
    recorded_at: int = 0
    is_retired: bool = False


@dataclass(frozen=True, slots=True)
class Candidate:
    """A target with its agreement, and its place in the order in which they are tried."""

    place: int
    agreement: Agreement
    target: Target


# What a target's conditions say of a ticket at a moment.
STARTS, PAUSES, STOPS, CANCELS, RESETS = 1, 2, 4, 8, 16


@dataclass(frozen=True, slots=True)
class Decision:
    """What the rules say of a ticket at a moment: the winning candidate per kind (None: no target), and every candidate's flags."""

    winners: Mapping[str, Candidate | None]
    flags: tuple[int, ...]


_MOST_REMEMBERED = 50_000


class Rules:
    """The agreements in force for a ticket opened at some instant, in order."""

    def __init__(self, agreements: Iterable[Agreement], uses: Mapping[tuple[str, Any], int] | None = None) -> None:
        ordered = sorted((each for each in agreements if not each.is_retired), key=lambda each: (each.position, each.agreement_id))
        self.agreements: tuple[Agreement, ...] = tuple(ordered)
        pairs = [(agreement, target) for agreement in ordered for target in agreement.targets]
        self.candidates = tuple(Candidate(place, agreement, target) for place, (agreement, target) in enumerate(pairs))
        self.kinds = tuple(kind for kind in KINDS if any(each.target.kind == kind for each in self.candidates))
        looked_at = {path for each in self.candidates for path in _paths(each)}
        self.paths: tuple[str, ...] = tuple(path for path in WATCHED if path in looked_at or path in _LIVING)
        self.looked_at = frozenset(self.paths)
        self._plain_values = itemgetter(*(path for path in self.paths if path != "tags"))  # several: what every kind looks at
        self._looks_at_tags = "tags" in self.looked_at  # the one list among them
        self.shapes: dict[Any, Any] = {}  # what clocks.py has folded under these rules
        self._decisions: dict[Any, Decision] = {}
        self.uses = uses or {}
        self._known: dict[tuple[Any, ...], Decision] = {}

    def decide(self, snapshot: Mapping[str, Any]) -> Decision:
        """Return what the rules say of a ticket given as path -> value (WATCHED); remembered by what they look at."""
        key = self._plain_values(snapshot)
        if self._looks_at_tags:
            key = (*key, tuple(snapshot["tags"]))
        found = self._known.get(key)
        if found is None:
            if len(self._known) >= _MOST_REMEMBERED:
                self._known.clear()
            found = self._known[key] = self._decide(snapshot)
        return found

    @cached_property
    def structure(self) -> tuple[Any, ...]:
        """Return what a fold depends on: rules of one structure give a life the same clocks but for how long their targets are."""
        places = {agreement.version_id: place for place, agreement in enumerate(self.agreements)}
        return (
            self.paths,
            frozenset(self.uses.items()),
            *(_structure(each, places[each.agreement.version_id]) for each in self.candidates),
        )

    def schedule_of(self, kind: str, key: Any) -> int | None:
        """Return the schedule that a CI, a service (by id) or a site (by name) has of its own."""
        return None if key is None else self.uses.get((kind, key))

    def _decide(self, snapshot: Mapping[str, Any]) -> Decision:
        applying = {each.version_id for each in self.agreements if each.applies.holds(snapshot, when_empty=True)}
        winners = {kind: self._winner(kind, applying, snapshot) for kind in self.kinds}
        flags = tuple(_flags(each.target, snapshot) for each in self.candidates)
        # Equal decisions are one: whoever holds two against each other need not look inside.
        told = (*(each.place if each else None for each in winners.values()), *flags)
        return self._decisions.setdefault(told, Decision(winners, flags))

    def _winner(self, kind: str, applying: set[int], snapshot: Mapping[str, Any]) -> Candidate | None:
        for each in self.candidates:
            target = each.target
            if target.kind != kind or each.agreement.version_id not in applying or snapshot["priority"] not in target.durations:
                continue
            if kind != "ola" or _is_owned(target, snapshot["group_id"]):
                return each
        return None


def _structure(candidate: Candidate, place: int) -> tuple[Any, ...]:
    target, applies = candidate.target, candidate.agreement.applies.plan
    plans = tuple(getattr(target, name).plan for name in CONDITIONS)
    same = (target.kind, target.schedule, target.schedule_from, target.holds, target.count_resolved, target.rule, target.groups)
    return (place, applies, frozenset(target.durations), *same, *plans, bool(target.steps))


def _is_owned(target: Target, group: int | None) -> bool:
    return group is not None and (not target.groups or group in target.groups)


def _paths(candidate: Candidate) -> set[str]:
    target = candidate.target
    conditions = (candidate.agreement.applies, *(getattr(target, name) for name in CONDITIONS))
    return {path for each in conditions if each.plan is not None for path in paths_of(each.plan)}


def paths_of(plan: Plan) -> set[str]:
    """Return the paths that a plan looks at; free text and related records are no paths."""
    return {leaf.path for leaf in leaves(plan) if isinstance(leaf, Test)}


def looks_beyond(plan: Plan) -> str:
    """Name what a condition looks at that is no fact of the moment ("" when all is well): rules cannot be replayed over it."""
    return next(filter(None, map(_beyond, leaves(plan))), "")


def _beyond(leaf: Test | Related | Written) -> str:
    match leaf:
        case Test():
            return "" if leaf.path in WATCHED else leaf.path
        case Written():
            return "free text"
        case Related():
            return leaf.kind


def _flags(target: Target, snapshot: Mapping[str, Any]) -> int:
    flags = STARTS if target.start.holds(snapshot, when_empty=True) else 0
    flags |= PAUSES if _pauses(target, snapshot) else 0
    flags |= STOPS if _stops(target, snapshot) else 0
    flags |= CANCELS if _cancels(target, snapshot) else 0
    return flags | (RESETS if target.reset.holds(snapshot, when_empty=False) else 0)


def _pauses(target: Target, snapshot: Mapping[str, Any]) -> bool:
    on_hold = snapshot["state"] == "on_hold"
    if target.kind == "contract":
        return not (on_hold and snapshot["hold_reason"] == "vendor") or target.pause.holds(snapshot, when_empty=False)
    return (on_hold and snapshot["hold_reason"] in target.holds) or target.pause.holds(snapshot, when_empty=False)


def _stops(target: Target, snapshot: Mapping[str, Any]) -> bool:
    if target.stop.holds(snapshot, when_empty=False) or snapshot["state"] in ("resolved", "closed"):
        return True
    return target.kind == "response" and target.rule == "owned" and snapshot["assignee_id"] is not None


def _cancels(target: Target, snapshot: Mapping[str, Any]) -> bool:
    gone = snapshot["state"] == "cancelled" or snapshot["merged_into_id"] is not None
    return gone or target.cancel.holds(snapshot, when_empty=False)


@dataclass(frozen=True, slots=True)
class Use:
    """From an instant on, whose hours a schedule is: a CI's or service's (by id), or a site's (by name); None: no longer any."""

    kind: str
    key: Any
    schedule: int | None
    effective_from: int | None = None


@dataclass(frozen=True)
class Rulebook:
    """Every version of every agreement; `at` gives those in force for a ticket opened at an instant.

    Of an agreement's versions the newest counts whose effective_from is not after the instant; of the uses of one CI, service or site
    the last in the order given (that of their adding). Boundaries are half-open: a version holds for tickets opened at its
    effective_from itself.
    """

    versions: tuple[Agreement, ...]
    uses: tuple[Use, ...] = ()
    _bounds: list[int] = field(default_factory=list, repr=False)
    _rules: dict[int, Rules] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        instants = [*(each.effective_from for each in self.versions), *(each.effective_from for each in self.uses)]
        self._bounds.extend(sorted({at for at in instants if at is not None}))

    @property
    def bounds(self) -> Sequence[int]:
        """The instants from which on other rules are in force, in order."""
        return self._bounds

    def at(self, opened: int) -> Rules:
        """Return the rules in force for a ticket opened at this instant (seconds since 1970)."""
        place = bisect_right(self._bounds, opened)
        if place not in self._rules:
            self._rules[place] = Rules(self._in_force(opened), self._uses(opened))
        return self._rules[place]

    def _in_force(self, opened: int) -> list[Agreement]:
        newest: dict[int, Agreement] = {}
        for each in sorted(self.versions, key=lambda each: each.number):
            if each.effective_from is None or each.effective_from <= opened:
                newest[each.agreement_id] = each
        return list(newest.values())

    def _uses(self, opened: int) -> dict[tuple[str, Any], int]:
        newest = {
            (each.kind, each.key): each.schedule for each in self.uses if each.effective_from is None or each.effective_from <= opened
        }
        return {key: schedule for key, schedule in newest.items() if schedule is not None}
