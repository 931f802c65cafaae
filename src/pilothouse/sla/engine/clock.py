"""A clock as a value: its parts, its modes, and the edges at which its mode changed; pure. How clocks are counted: clocks.py."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, NamedTuple

from pilothouse.sla.engine.business_time import OpenHours
from pilothouse.sla.engine.rules import Candidate, Duration

NONE, RUNNING, PAUSED, STOPPED, CANCELLED = range(5)
MODES = ("not started", "running", "paused", "stopped", "cancelled")

AllHours = Mapping[int | None, OpenHours]  # by schedule; None is always open


Governed = tuple[int, int, int | None, bool]  # the moment, its priority and schedule, whether time while resolved begins to count there


class Edge(NamedTuple):
    """Where a clock's mode changed: the journal entry behind it, the instant, the mode from then on."""

    seq: int
    at: int
    mode: int


class Watch(NamedTuple):
    """From when on steps fall due: what was past at `known`, under the priority and schedule of then, is passed over.

    `moved` is the last live change since then that may have put steps into the past; None: there was none.
    """

    known: int
    priority: int
    schedule: int | None
    moved: int | None


@dataclass(slots=True)
class Clock:
    """One clock; the module's docstring and models.Clock say what its parts mean. `segments` are its counted spans, closed ones only."""

    ticket: int
    kind: str
    candidate: Candidate
    turn: int
    stay: int
    group: int | None
    priority: int
    schedule: int | None
    stage: str
    started: int
    segments: list[tuple[int, int]]
    running_since: int | None
    ended: int | None
    edges: list[Edge]
    governed: "list[Governed]"  # living clocks with steps: where the target was in force
    original: tuple[int, int | None]  # the first target's priority and schedule
    taken: frozenset[int] = frozenset()
    watch: "Watch | None" = None  # of living clocks with steps
    target_seconds: int = 0
    elapsed: int = 0
    due: int | None = None
    original_due: int | None = None
    breached: bool | None = None
    next_step: int | None = None
    next_step_at: int | None = None
    step_instants: list[tuple[int, int]] = field(default_factory=list)  # (instant, step), due and yet to come

    @property
    def is_living(self) -> bool:
        return self.stage in ("running", "paused")

    @property
    def name(self) -> list[Any]:
        """What a taken step is noted under in the journal."""
        return step_name(self.kind, self.candidate, self.turn, self.stay, self.group)

    def duration(self, priority: int) -> Duration:
        return self.candidate.target.durations[priority]


def step_name(kind: str, candidate: Candidate, turn: int, stay: int, group: int | None) -> list[Any]:
    """Return a clock's name within its ticket, as journal entries of taken steps carry it."""
    return [kind, candidate.agreement.version_id, candidate.target.key, turn, stay, group]


def instant(seconds: int) -> datetime:
    """Return whole seconds since 1970 as an aware instant in UTC."""
    return datetime.fromtimestamp(seconds, UTC)
