"""What a schedule's definition says, line by line, for the journal and for what differs between versions; pure."""

from typing import Any

from pilothouse.sla.engine.business_time.definition import DAY_NAMES, Definition, Exceptional, HolidayCalendar, OwnDay
from pilothouse.sla.engine.business_time.reading import day_text, hours_text, moment_text

COMBINED = {"all": "open when all are open of", "any": "open when any is open of"}  # labels whose values are ids of schedules


def definition_lines(definition: Definition) -> dict[str, Any]:
    """Say what a definition holds as label -> words; a part that says nothing has no line. A combination holds schedules' ids."""
    said: dict[str, Any] = {"zone": definition.zone}
    for name, hours in zip(DAY_NAMES, definition.week or (), strict=False):
        said[name] = hours_text(hours)
    said["holidays"] = [holiday_words(each) for each in definition.holidays]
    said["own days"] = [own_day_words(own) for own in definition.days]
    said["exceptions"] = [exception_words(each) for each in definition.exceptions]
    if definition.combination is not None:
        said[COMBINED[definition.combination.how]] = list(definition.combination.schedules)
    return {label: value for label, value in said.items() if value not in ("", [])}


def holiday_words(calendar: HolidayCalendar) -> str:
    """A holiday calendar in words: "DE BY, but for Assumption Day"."""
    but = f", but for {', '.join(calendar.working)}" if calendar.working else ""
    return f"{calendar.country} {calendar.subdivision}".strip() + but


def own_day_words(own: OwnDay) -> str:
    """An own day in words: "12-24 Christmas Eve 08:00-12:00"."""
    return " ".join(filter(None, (day_text(own), own.name, hours_text(own.hours) or "closed")))


def exception_words(exception: Exceptional) -> str:
    """An exception in words: "2026-12-31 12:00 to 2027-01-02 00:00 closed, stocktaking"."""
    said = f"{moment_text(exception.start)} to {moment_text(exception.end)} {'open' if exception.is_open else 'closed'}"
    return f"{said}, {exception.name}" if exception.name else said
