"""Schedules as compiled working time, kept by each process until somebody adds a version: one small look says so.

Rows of versions are only ever added, so their number and highest id tell whether another process has added one.
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pilothouse.platform import clock
from pilothouse.platform.statements import run
from pilothouse.sla.engine.business_time import Definition, OpenHours, Version, always, compile_versions, never, read_definition
from pilothouse.sla.engine.lives import seconds
from pilothouse.sla.models import ScheduleVersion

FIRST_YEAR = 1995
YEARS_AHEAD = 15
_STAMP = "SELECT coalesce(max(id), 0), count(*) FROM sla_scheduleversion"
_log = logging.getLogger(__name__)


@dataclass
class Compiling:
    """The versions of every schedule, and the hours of those that were asked for."""

    versions: Mapping[int, Sequence[Version]]
    last_year: int
    hours: dict[int, OpenHours] = field(default_factory=dict)

    def of(self, schedule: int, asked: tuple[int, ...] = ()) -> OpenHours:
        """Compile a schedule and those that it combines; one that is not there, or that leads back to itself, is never open."""
        if schedule in asked:
            return never()
        if schedule not in self.hours:
            versions = self.versions.get(schedule, ())
            others = {other: self.of(other, (*asked, schedule)) for _, each in versions for other in combined(each)}
            self.hours[schedule] = compile_versions(versions, FIRST_YEAR, self.last_year, others)
        return self.hours[schedule]


_known: tuple[tuple[Any, ...], Compiling] | None = None


def hours_of(schedule: int | None) -> OpenHours:
    """Return a schedule's working time, all its versions in one; None is round the clock."""
    return always() if schedule is None else _current().of(schedule)


def all_versions() -> Mapping[int, Sequence[Version]]:
    """Return the versions of every schedule, retired ones too, by id and oldest first."""
    return _current().versions


def hours_if(added: Mapping[int, Sequence[Version]]) -> Compiling:
    """Return the hours of every schedule as they would be with these versions added to theirs; nothing is kept."""
    known = _current()
    versions = {**known.versions, **{schedule: [*known.versions.get(schedule, ()), *more] for schedule, more in added.items()}}
    return Compiling(versions, known.last_year)


def versions_of(schedule: int) -> Sequence[Version]:
    """Return a schedule's versions, oldest first: from when on each holds (None: since ever), and what it says."""
    return _current().versions.get(schedule, ())


def combined(definition: Definition) -> tuple[int, ...]:
    """The ids of the schedules that a definition combines."""
    return definition.combination.schedules if definition.combination else ()


def _current() -> Compiling:
    global _known
    last_year = clock.now().year + YEARS_AHEAD
    stamp = (last_year, *(run(_STAMP, ()).fetchone() or ()))
    if _known is None or _known[0] != stamp:
        _known = (stamp, Compiling(_read_versions(), last_year))
    return _known[1]


def forget() -> None:
    """Forget what was compiled; for tests that empty the database under a running process."""
    global _known
    _known = None


def _read_versions() -> dict[int, list[Version]]:
    found: dict[int, list[Version]] = {}
    rows = ScheduleVersion.objects.order_by("schedule_id", "number").values_list("schedule_id", "number", "effective_from", "definition")
    for schedule, number, effective_from, data in rows:
        reading = read_definition(data)
        if reading.definition is None:
            _log.error("Version %s of schedule %s reads no more and is passed over: %s", number, schedule, reading.errors)
            continue
        found.setdefault(schedule, []).append((seconds(effective_from) if effective_from else None, reading.definition))
    return found
