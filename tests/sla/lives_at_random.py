"""Agreements, schedules and lives drawn by hypothesis, small enough to be walked beat by beat (clocks_by_hand). Not a module of tests."""

from dataclasses import dataclass
from datetime import datetime
from functools import cache, lru_cache
from typing import Any

from hypothesis import strategies as st

from pilothouse.sla.engine.business_time import OpenHours, always
from pilothouse.sla.engine.clock import instant
from pilothouse.sla.engine.lives import Event, condense
from pilothouse.sla.engine.rules import KINDS, NO_CONDITION, Agreement, Condition, Duration, Rulebook, Target, Use
from pilothouse.sla.engine.steps import Step
from pilothouse.tickets.engine.queue_language.plan import All, Operator, Opposite, Test
from tests.sla.clocks_by_hand import Case

NOON = 1_772_445_600  # Monday 2 March 2026, 10:00 UTC
HOLDS = ("caller", "vendor", "change")
TAGS = ("vip", "wait", "done", "drop", "again")


def tagged(tag: str) -> Condition:
    return Condition(f"tag:{tag}", Test("tags", Operator.OVERLAPS, (tag,)))


def untagged(tag: str) -> Condition:
    return Condition(f"-tag:{tag}", Opposite(Test("tags", Operator.OVERLAPS, (tag,))))


URGENT = Condition("priority<=2", Test("priority", Operator.AT_MOST, 2))
NETWORK = Condition("category:network", All((Test("category", Operator.SAME, "network"),)))


# A strategy is looked at when it is first drawn from; made anew for each draw, that costs more than the drawing.
@lru_cache(typed=True)
def among(*options: Any) -> st.SearchStrategy[Any]:
    return st.sampled_from(options)


@cache
def whole(least: int, most: int) -> st.SearchStrategy[int]:
    return st.integers(least, most)


_ANY = st.sampled_from([NO_CONDITION, tagged("vip"), untagged("vip"), URGENT, NETWORK])


def _rarely(*conditions: Condition) -> st.SearchStrategy[Condition]:
    return st.sampled_from([NO_CONDITION, NO_CONDITION, NO_CONDITION, *conditions])


@dataclass(frozen=True)
class Change:
    field: str
    after: Any


@dataclass(frozen=True)
class Entry:
    """A journal entry as far as a life looks at it."""

    seq: int
    verb: str
    actor_id: int | None
    happened_at: datetime
    recorded_at: datetime
    changes: tuple[Change, ...]


@dataclass
class Drawn:
    """A case: a rulebook, the hours of its schedules, lives, and what the oracle needs."""

    rulebook: Rulebook
    hours: dict[int | None, OpenHours]
    lives: list[list[Event]]
    beat: int

    def case(self, life: list[Event]) -> Case:
        spans = {schedule: set(_beats(hours, self.beat)) for schedule, hours in self.hours.items() if schedule is not None}
        made = Case(self.rulebook, lambda schedule, at: schedule is None or at in spans[schedule], self.beat, NOON + 1200 * self.beat)
        made.opened = life[0].at  # type: ignore[attr-defined]
        return made


def _beats(hours: OpenHours, beat: int) -> list[int]:
    starts, ends = hours.spans
    return [t for start, end in zip(starts.tolist(), ends.tolist(), strict=True) for t in range(start, end, beat)]


_EITHER = st.booleans()
_CUTS = st.sets(whole(-60, 700), max_size=10)
_PRIORITIES = st.sets(whole(1, 4), min_size=1)
_PLACES = st.lists(among("ci", "service", "site"), unique=True, max_size=2)
_SOME_HOLDS = st.sets(among(*HOLDS))
_STARTS, _PAUSES, _STOPS = _rarely(URGENT, tagged("vip")), _rarely(tagged("wait")), _rarely(tagged("done"))
_CANCELS, _RESETS = _rarely(tagged("drop")), _rarely(tagged("again"))
_USES = st.lists(
    st.builds(Use, st.just("ci"), among(1, 2), among(1, 2, None), among(None, NOON - 5))
    | st.builds(Use, st.just("site"), st.just("Bergen"), among(1, 2, None), among(None, NOON + 5)),
    max_size=3,
)


@st.composite
def _hours(draw: st.DrawFn, beat: int) -> OpenHours:
    cuts = sorted(draw(_CUTS))
    return OpenHours.of([(NOON + a * beat, NOON + b * beat) for a, b in zip(cuts[::2], cuts[1::2], strict=False)])


STEPS = st.lists(
    st.one_of(
        st.builds(Step, share=among(0.25, 0.5, 0.75, 1.0, 1.5), tell=st.just(("assignee",))),
        st.builds(Step, before=among(1, 60, 600), flag=st.just("near")),
    ),
    max_size=4,
).map(tuple)


@cache
@st.composite
def _target(draw: st.DrawFn, number: int, beat: int, kinds: tuple[str, ...]) -> Target:
    priorities = draw(_PRIORITIES)
    return Target(
        key=f"t{number}",
        kind=draw(among(*kinds)),
        durations={p: Duration(seconds=beat * 4 * draw(whole(1, 60))) for p in sorted(priorities)},
        schedule=draw(among(None, 1, 2)),
        schedule_from=tuple(draw(_PLACES)),
        holds=frozenset(draw(_SOME_HOLDS)),
        count_resolved=draw(_EITHER),
        rule=draw(among("owned", "replied")),
        groups=frozenset(draw(among((), (), (1,), (1, 2)))),
        start=draw(_STARTS),
        pause=draw(_PAUSES),
        stop=draw(_STOPS),
        cancel=draw(_CANCELS),
        reset=draw(_RESETS),
        steps=tuple(s if s.before is None else Step(before=s.before * beat, flag="near") for s in draw(STEPS)) if draw(_EITHER) else (),
    )


@st.composite
def rulebooks(draw: st.DrawFn, beat: int, kinds: tuple[str, ...] = tuple(KINDS)) -> Rulebook:
    """Up to three agreements, some in two versions, some of which reach back; and whose hours CIs, services and sites have."""
    versions, version_id = list[Agreement](), 0
    for agreement in range(1, draw(whole(1, 3)) + 1):
        for number in range(1, draw(among(1, 1, 2)) + 1):
            version_id += 1
            recorded = NOON + beat * draw(among(-1000, -1000, 100, 400))
            versions.append(
                Agreement(
                    version_id=version_id,
                    agreement_id=agreement,
                    number=number,
                    name=f"a{agreement}",
                    position=draw(whole(1, 3)),
                    applies=draw(_ANY),
                    targets=tuple(draw(_target(n, beat, kinds)) for n in range(draw(whole(1, 3)))),
                    effective_from=draw(among(None, None, NOON, NOON - 1, NOON + 1)),
                    recorded_at=recorded,
                    is_retired=number == 2 and draw(whole(0, 3)) == 0,
                )
            )
    return Rulebook(tuple(versions), tuple(draw(_USES)))


_MOVES = st.one_of(
    among("assigned", "in_progress", "resolved", "resolved", "closed", "cancelled").map(lambda s: {"state": s, "hold_reason": ""}),
    st.sampled_from(HOLDS).map(lambda reason: {"state": "on_hold", "hold_reason": reason}),
    st.just({"state": "in_progress", "hold_reason": ""}),
    whole(1, 5).map(lambda priority: {"priority": priority}),
    whole(1, 3).map(lambda priority: {"priority": priority}),
    among(1, 2, None).map(lambda group: {"group": group, "assignee": None}),
    among(7, None).map(lambda person: {"assignee": person}),
    st.sets(st.sampled_from(TAGS), max_size=2).map(lambda tags: {"tags": sorted(tags)}),
    among("network", "printing").map(lambda category: {"category": category}),
    among(1, 2, None).map(lambda ci: {"ci": ci}),
    among(5, 6).map(lambda person: {"requester": person}),
    among(99, None, None).map(lambda other: {"merged_into": other}),
)


@st.composite
def lives(draw: st.DrawFn, beat: int, rulebook: Rulebook) -> list[Event]:
    """A ticket's journal, condensed: live, imported late, or back-dated entries, comments, and steps that were taken."""
    delay = draw(among(0, 0, 0, 500))  # imported history is recorded long after
    at = NOON + draw(whole(-2, 2))  # around a version's effective_from
    at -= (at - NOON) % beat
    opened = {"kind": "incident", "priority": draw(whole(1, 4)), "requester": 5, "group": draw(among(None, 1, 2))}
    entries = [_entry(1, "ticket.opened", None, at, at + delay * beat, opened)]
    for seq in range(2, draw(whole(0, 10)) + 2):
        at += beat * draw(among(0, 1, 5, 20, 60))
        what = draw(whole(0, 9))
        happened = at - beat * draw(among(*[0] * 8, 3, 200))
        recorded = max(at + delay * beat, happened)
        if what == 0:
            entries.append(_entry(seq, "ticket.commented", draw(among(5, 7, None)), happened, recorded, {}))
        elif what == 1:
            entries.append(_taken(draw, seq, at, recorded, rulebook))
        else:
            entries.append(_entry(seq, "ticket.changed", 7, happened, recorded, draw(_MOVES)))
    return condense(entries, site_of=lambda person, recorded: "Bergen" if person == 5 else "")


def _entry(seq: int, verb: str, actor: int | None, at: int, recorded: int, changes: dict[str, Any]) -> Entry:
    return Entry(seq, verb, actor, instant(at), instant(recorded), tuple(Change(name, value) for name, value in changes.items()))


def _taken(draw: st.DrawFn, seq: int, at: int, recorded: int, rulebook: Rulebook) -> Entry:
    version = draw(st.sampled_from(rulebook.versions))
    target = draw(st.sampled_from(version.targets))
    stay, group = (draw(whole(0, 2)), draw(among(1, 2))) if target.kind == "ola" else (0, None)
    name = [target.kind, version.version_id, target.key, 1, stay, group, draw(whole(0, 3))]
    return _entry(seq, "ticket.escalated", None, at, recorded, {"escalation": name})


@st.composite
def cases(draw: st.DrawFn, *, lives_each: int = 1, beats: tuple[int, ...] = (1, 60), kinds: tuple[str, ...] = tuple(KINDS)) -> Drawn:
    """A rulebook, its schedules, and some lives under it."""
    beat = draw(st.sampled_from(beats))
    rulebook = draw(rulebooks(beat, kinds))
    hours: dict[int | None, OpenHours] = {None: always(), 1: draw(_hours(beat)), 2: draw(_hours(beat))}
    return Drawn(rulebook, hours, [draw(lives(beat, rulebook)) for _ in range(lives_each)], beat)
