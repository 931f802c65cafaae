"""What a change of a schedule would change, before it is saved: the words, the days of a year, and who counts with it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from pilothouse.sla import schedule_queries, schedules
from pilothouse.sla.engine.business_time import Day, Definition, OpenHours, read_definition, year_of
from pilothouse.sla.engine.business_time.explaining import day_words, duration_words, local
from pilothouse.sla.engine.business_time.wording import COMBINED, definition_lines
from pilothouse.sla.engine.lives import seconds
from pilothouse.sla.engine.words import differences
from pilothouse.sla.models import Schedule

SHOWN_DAYS = 12
YEAR = timedelta(days=365)


@dataclass(frozen=True, slots=True)
class Preview:
    """The change in words, the days of the year after it (or before now, when the past changes too) whose hours differ, and warnings."""

    said: Sequence[tuple[str, str, str]]
    days: Sequence[tuple[str, str, str]]
    day_count: int
    before: str
    after: str
    span: str
    needed_by: Sequence[str]
    overruled: Sequence[str]


def preview(schedule: Schedule, definition: Definition, begins: datetime | None, now: datetime) -> Preview:
    """Compare the schedule as it is with what it would be with this definition from `begins` on (None: since ever)."""
    since = seconds(begins) if begins else None
    then = schedules.hours_if({schedule.pk: [(since, definition)]}).of(schedule.pk)
    today = schedules.hours_of(schedule.pk)
    start = begins or now - YEAR
    changed = list(_changed_days(today, then, start, start + YEAR))
    low, high = seconds(start), seconds(start + YEAR)
    return Preview(
        said=[(label, _spoken(label, was), _spoken(label, is_now)) for label, was, is_now in _differences(schedule, definition)],
        days=changed[:SHOWN_DAYS],
        day_count=len(changed),
        before=duration_words(today.elapsed(low, high)),
        after=duration_words(then.elapsed(low, high)),
        span=f"{day_words(local(then.zone, low).date())} to {day_words(local(then.zone, high).date())}",
        needed_by=schedule_queries.needed_by(schedule.pk, now),
        overruled=[_overruled(number, at, then.zone) for number, at in _planned(schedule, begins, now)],
    )


def _changed_days(today: OpenHours, then: OpenHours, start: datetime, end: datetime) -> list[tuple[str, str, str]]:
    first, last = (local(then.zone, seconds(at)).date() for at in (start, end))
    old, new = OpenHours(today.spans, then.zone), then
    days: list[tuple[Day, Day]] = []
    for year in range(first.year, last.year + 1):
        days += zip(year_of(old, year), year_of(new, year), strict=True)
    return [(day_words(was.day), was.hours, now.hours) for was, now in days if first <= was.day <= last and was.spans != now.spans]


def _differences(schedule: Schedule, definition: Definition) -> list[tuple[str, Any, Any]]:
    last = read_definition(schedule.newest.definition).definition
    return differences(definition_lines(last) if last else {}, definition_lines(definition))


def _spoken(label: str, value: Any) -> str:
    if label in COMBINED.values() and value:
        names: Mapping[int, str] = dict(Schedule.objects.filter(pk__in=value).values_list("pk", "name"))
        return ", ".join(names.get(each, f"schedule {each}") for each in value)
    return "\n".join(value) if isinstance(value, list) else value or ""


def _planned(schedule: Schedule, begins: datetime | None, now: datetime) -> list[tuple[int, datetime]]:
    """The versions that are planned for later and would hold no more, since a newer one takes all that comes after it."""
    rows = schedule.versions.filter(effective_from__gt=now).values_list("number", "effective_from")
    return [(number, at) for number, at in rows if at is not None and (begins is None or begins <= at)]


def _overruled(number: int, at: datetime, zone: str) -> str:
    wall = local(zone, seconds(at))
    return f"Version {number}, planned from {day_words(wall.date())} {wall:%H:%M}, would never hold: save it again afterwards if it shall."
