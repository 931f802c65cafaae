"""Days on which a team's calendar differs from its week: tomorrow's holidays, own days and exceptions, by name."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from pilothouse.morning.engine.spans import local
from pilothouse.morning.scope import Scope
from pilothouse.sla.engine.business_time import Definition, closings
from pilothouse.sla.schedule_queries import schedules_of_teams
from pilothouse.sla.schedules import combined, versions_of


@dataclass(frozen=True, slots=True)
class Closed:
    """A day that is not as its weekday, and whose it is; `kind` is holiday, own, closed or open."""

    day: date
    name: str
    kind: str
    teams: tuple[str, ...]


def closed(scope: Scope, now: datetime, zone: ZoneInfo, teams: Mapping[int, str]) -> tuple[Closed, ...]:
    """Return what is different tomorrow, the reader's tomorrow, in the calendar of any team that the reader may see."""
    day = now.astimezone(zone).date() + timedelta(days=1)
    noon = local(zone, day, time(12))
    whose: dict[tuple[str, str], set[str]] = defaultdict(set)
    for team, schedule in schedules_of_teams(now).items():
        if team in teams and team not in scope.hidden and (scope.teams is None or team in scope.teams):
            for definition in _in_force(schedule, noon):
                for closing in closings(definition, day, day):
                    whose[closing.name, closing.kind].add(teams[team])
    return tuple(Closed(day, name, kind, tuple(sorted(named))) for (name, kind), named in sorted(whose.items()))


def _in_force(schedule: int, at: datetime, asked: tuple[int, ...] = ()) -> Iterator[Definition]:
    """Yield what a schedule says at an instant, and what those say that it combines."""
    holding = [definition for since, definition in versions_of(schedule) if since is None or since <= at.timestamp()]
    if not holding or schedule in asked:
        return
    yield holding[-1]
    for other in combined(holding[-1]):
        yield from _in_force(other, at, (*asked, schedule))
