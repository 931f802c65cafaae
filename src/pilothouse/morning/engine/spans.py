"""Spans of time as the reader's day has them; zone rules only here. Instants are aware UTC, spans half-open."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

NIGHT_FROM = time(17)
NOON, DAY_END = time(12), time(18)
LONGEST = timedelta(days=7)
_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


@dataclass(frozen=True, slots=True)
class Span:
    """From `start` up to `end`."""

    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True)
class Ahead:
    """What lies ahead today: up to `first` ("before noon"), then up to `last` ("before the day ends"), each with its words."""

    first: datetime
    first_words: str
    last: datetime
    last_words: str


def local(zone: ZoneInfo, day: date, at: time) -> datetime:
    """Return the instant at which a zone's clocks show this; an hour they skip is read as the one after, one they repeat as its first."""
    return datetime.combine(day, at, tzinfo=zone).astimezone(UTC)


def night_before(now: datetime, zone: ZoneInfo) -> datetime:
    """Return 17:00 of the day before, in the reader's zone."""
    return local(zone, now.astimezone(zone).date() - timedelta(days=1), NIGHT_FROM)


def since(now: datetime, last: datetime | None, zone: ZoneInfo) -> datetime:
    """Return from when a review counts: the reader's last one, a week ago at most, or the night when there is none so near."""
    return last if last is not None and now - LONGEST <= last <= now else night_before(now, zone)


def same_in_weeks_before(span: Span, zone: ZoneInfo, weeks: int) -> list[Span]:
    """Return the span of the same weekdays and hours by the wall clock, 1 to `weeks` weeks before."""
    return [Span(_weeks_before(span.start, zone, back), _weeks_before(span.end, zone, back)) for back in range(1, weeks + 1)]


def _weeks_before(at: datetime, zone: ZoneInfo, weeks: int) -> datetime:
    there = at.astimezone(zone)
    return (there.replace(tzinfo=None) - timedelta(weeks=weeks)).replace(tzinfo=zone, fold=there.fold).astimezone(UTC)


def ahead(now: datetime, zone: ZoneInfo) -> Ahead:
    """Return what lies ahead: noon and 18:00; from noon on four hours and 18:00; from 14:00 on the day's end and tomorrow's noon."""
    today = now.astimezone(zone).date()
    noon, evening = local(zone, today, NOON), local(zone, today, DAY_END)
    if now < noon:
        return Ahead(noon, "before noon", evening, "before the day ends")
    if now < evening - timedelta(hours=4):
        return Ahead(now + timedelta(hours=2), "within two hours", evening, "before the day ends")
    tomorrow = local(zone, today + timedelta(days=1), NOON)
    if now < evening:
        return Ahead(evening, "before the day ends", tomorrow, "before noon tomorrow")
    return Ahead(tomorrow, "before noon tomorrow", local(zone, today + timedelta(days=1), DAY_END), "before tomorrow ends")


def greeting(now: datetime, zone: ZoneInfo) -> str:
    """Greet by the hour."""
    hour = now.astimezone(zone).hour
    return "Good morning" if 4 <= hour < 12 else ("Good afternoon" if 12 <= hour < 18 else "Good evening")


def next_at(after: datetime, minute: int, days: Iterable[int], zone: ZoneInfo) -> datetime | None:
    """Return the next instant after `after` at `minute` minutes past midnight on one of these ISO weekdays; None without days."""
    wanted = set(days)
    today = after.astimezone(zone).date()
    for ahead_by in range(9):
        day = today + timedelta(days=ahead_by)
        at = local(zone, day, time(minute // 60, minute % 60))
        if day.isoweekday() in wanted and at > after:
            return at
    return None


def clock(minute: int) -> str:
    """Write minutes past midnight as a clock shows them.

    >>> clock(450)
    '07:30'
    """
    return f"{minute // 60:02d}:{minute % 60:02d}"


def days_in_words(days: Iterable[int]) -> str:
    """Say ISO weekdays, neighbours together.

    >>> days_in_words([1, 2, 3, 4, 5]), days_in_words([1, 3])
    ('Mon to Fri', 'Mon, Wed')
    """
    runs: list[list[int]] = []
    for day in sorted(set(days)):
        if runs and runs[-1][-1] == day - 1:
            runs[-1].append(day)
        else:
            runs.append([day])
    return ", ".join(
        f"{_DAYS[run[0] - 1]} to {_DAYS[run[-1] - 1]}" if len(run) > 2 else ", ".join(_DAYS[d - 1] for d in run) for run in runs
    )
