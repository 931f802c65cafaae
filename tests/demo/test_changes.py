"""The drawn changes: the same seed gives the same, each could have happened, and the one that broke the backup agent is among them."""

from collections import Counter
from itertools import pairwise
from typing import Any

from pilothouse.changes.engine.detail import EMPTY, OUTCOMES, RISKS, TYPES
from pilothouse.changes.engine.planning import missing
from pilothouse.demo.engine.changes import changes_of
from pilothouse.demo.engine.planted import backup_since
from pilothouse.tickets.engine.lifecycle import refusals
from tests.demo.conftest import UNTIL, Drawn


def test_the_same_seed_gives_the_same_changes(drawn: Drawn) -> None:
    world = drawn.generation.world
    assert repr(changes_of(7, world)) == repr(changes_of(7, world)) != repr(changes_of(8, world))


def test_each_change_could_have_happened(drawn: Drawn) -> None:
    lives = changes_of(7, drawn.generation.world)
    numbers = [life.fields["number"] for life in lives]
    assert numbers == [f"CHG{int(numbers[0][3:]) + i:07d}" for i in range(len(lives))]
    assert 12 <= len(lives) / (400 / 7) <= 18
    states, outcomes = Counter(life.fields["state"] for life in lives), Counter[str]()
    for life in lives:
        detail: dict[str, Any] = dict(EMPTY)
        state = "new"
        assert life.events[-1].at < UNTIL
        assert all(before.at <= after.at for before, after in pairwise(life.events))
        for event in life.events[1:]:
            detail |= {name.removeprefix("change."): value for name, value in event.changes.items() if name.startswith("change.")}
            if after := event.changes.get("state"):
                assert refusals(state, after, {"kind": "change"}, note=event.note) == []
                assert missing(after, detail) == []
                state = after
        assert detail["type"] in TYPES
        assert detail["risk"] in RISKS
        outcomes[detail["outcome"]] += 1
    assert states["closed"] > 0.85 * len(lives)
    assert min(states["scheduled"], states["cancelled"]) > 5
    assert set(outcomes) == {"", *OUTCOMES}
    assert outcomes["successful"] > 0.75 * len(lives)


def test_the_backup_agents_change_went_in_when_the_trouble_began(drawn: Drawn) -> None:
    world = drawn.generation.world
    (planted,) = [life for life in changes_of(7, world) if life.fields["number"] == "CHG0004417"]
    begun = next(event for event in planted.events if event.verb == "change.begun")
    assert begun.at.timestamp() == backup_since(world)
    first = min(life.fields["opened_at"] for life in drawn.lives if "backup" in life.facts)
    assert planted.events[-1].at < first
