"""Judging a schedule before it is saved: what its definition alone shows, and what only the other schedules and the years show."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from pilothouse.sla import schedules
from pilothouse.sla.engine.business_time import Definition, Problem, Reading, compile_definition, read_definition
from pilothouse.sla.engine.business_time.explaining import day_words, local
from pilothouse.sla.engine.lives import seconds
from pilothouse.sla.engine.problem import refusals
from pilothouse.sla.models import Schedule


def judge(data: Any, *, schedule_id: int | None = None, now: datetime) -> Reading:
    """Read a definition and check it beside the other schedules; `schedule_id` is the one that it is to be a version of."""
    reading = read_definition(data)
    if reading.definition is None:
        return reading
    found = list(_combination_problems(reading.definition, schedule_id))
    found += [] if found else _opening_problems(reading.definition, now)
    return Reading(None if refusals(found) else reading.definition, (*reading.problems, *found))


def _combination_problems(definition: Definition, schedule_id: int | None) -> Iterator[Problem]:
    wanted = schedules.combined(definition)
    names = dict(Schedule.objects.filter(pk__in=wanted).values_list("pk", "name"))
    for schedule in wanted:
        if schedule not in names:
            yield Problem("combine.schedules", f"There is no schedule {schedule}.", "Choose among the schedules of the list.")
        elif schedule == schedule_id:
            yield Problem("combine.schedules", "A schedule does not combine itself.", "Give it hours of its own instead.")
        elif schedule_id is not None and schedule_id in _reached(schedule):
            yield Problem("combine.schedules", f"{names[schedule]} combines this schedule already: they would go round in a circle.")


def _reached(schedule: int) -> set[int]:
    """The schedules that one combines, directly and through others, in any of its versions."""
    found: set[int] = set()
    left = [schedule]
    while left:
        for _, definition in schedules.versions_of(left.pop()):
            fresh = set(schedules.combined(definition)) - found
            found |= fresh
            left += fresh
    return found


def _opening_problems(definition: Definition, now: datetime) -> Iterator[Problem]:
    others = {other: schedules.hours_of(other) for other in schedules.combined(definition)}
    hours = compile_definition(definition, schedules.FIRST_YEAR, now.year + schedules.YEARS_AHEAD, others)
    field = "combine.schedules" if others else "week"
    if hours.total == 0:
        hint = "Their hours have nothing in common: look at their pages, or combine with any." if others else "Give at least one day hours."
        yield Problem(field, "The schedule never opens.", hint)
    elif hours.next_open(seconds(now)) is None:
        last = day_words(local(definition.zone, int(hours.spans[1][-1])).date())
        yield Problem(
            field, f"The schedule opens no more after {last}.", "Clocks that use it would stand still from then on.", is_warning=True
        )
