"""Local time: where a zone's offset changes, and spans of wall-clock time as spans of instants; pure.

A span of local time holds an instant exactly when a clock on the wall there reads a time within the span. So hours that the
clock skips (spring) are hours nobody works, hours that it shows twice (autumn) are worked twice, and a calendar day that a zone
left out (Apia had no 30 December 2011) has none. Local time is counted in seconds since 1970-01-01T00:00 of the wall clock.
"""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from itertools import pairwise
from zoneinfo import ZoneInfo

import numpy as np

from pilothouse.sla.engine.business_time import spans as sets
from pilothouse.sla.engine.business_time.spans import LAST, Spans

DAY = 86_400
PROBE = DAY  # two changes of a zone that undo each other within a day would be missed: a test says that there are none
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
EPOCH_DAY = date(1970, 1, 1)


def offset_at(zone: ZoneInfo, at: int) -> int:
    """Seconds that the zone's clocks are ahead of UTC at an instant."""
    return _offset(datetime.fromtimestamp(at, zone))


@lru_cache(maxsize=256)
def offsets(zone_name: str, first_year: int, last_year: int) -> tuple[tuple[int, int], ...]:
    """The zone's offsets over [first_year, last_year] as (instant from which it holds, offset), the first from the beginning."""
    zone = ZoneInfo(zone_name)
    start, end = midnight_utc(first_year) - 2 * DAY, midnight_utc(last_year + 1) + 2 * DAY
    known = [(start, offset_at(zone, start))]
    for low, high in pairwise(range(start, end + PROBE, PROBE)):
        after = offset_at(zone, high)
        while known[-1][1] != after:
            known.append(_next_change(zone, max(low, known[-1][0]), high, known[-1][1]))
    return tuple(known)


def _next_change(zone: ZoneInfo, low: int, high: int, before: int) -> tuple[int, int]:
    """Find by halving the first second in (low, high] whose offset is not `before`."""
    while high - low > 1:
        middle = (low + high) // 2
        if offset_at(zone, middle) == before:
            low = middle
        else:
            high = middle
    return high, offset_at(zone, high)


def instants_of(local: Spans, changes: Sequence[tuple[int, int]]) -> Spans:
    """Turn spans of wall-clock time into spans of instants: for each offset, the part of local time that it shows, moved."""
    ends = [at for at, _ in changes[1:]] + [LAST]
    starts_of, ends_of = [sets.NONE[0]], [sets.NONE[0]]
    for (begin, offset), end in zip(changes, ends, strict=True):
        opens, closes = sets.within(local, begin + offset, end + offset)
        starts_of.append(opens - offset)
        ends_of.append(closes - offset)
    return sets.united(np.concatenate(starts_of), np.concatenate(ends_of))


def midnight_utc(year: int) -> int:
    """The instant at which a year begins in UTC."""
    return (date(year, 1, 1) - EPOCH_DAY).days * DAY


def day_number(day: date) -> int:
    """Days since 1970-01-01."""
    return (day - EPOCH_DAY).days


def date_of(zone: ZoneInfo, at: int) -> date:
    """The calendar day that the wall shows at an instant."""
    return (EPOCH + timedelta(seconds=at)).astimezone(zone).date()


def instant_of(zone: ZoneInfo, day: date, seconds: int = 0) -> int:
    """The first instant at which the wall shows this time of day or a later one of that day; `seconds` since its midnight.

    A time that the clock skips gives the instant of the skip; one that it shows twice, the first; 86,400 is the next midnight.
    """
    wall = day_number(day) * DAY + seconds
    naive = datetime(1970, 1, 1, tzinfo=zone) + timedelta(seconds=wall)  # wall-clock arithmetic, as Python does within one zone
    early, late = (wall - _offset(naive.replace(fold=fold)) for fold in (0, 1))
    if early <= late:  # it exists once, or twice and `early` is the first
        return early
    return _next_change(zone, late, early, offset_at(zone, late))[0]  # skipped: between the two readings lies the change


def _offset(moment: datetime) -> int:
    offset = moment.utcoffset()
    return int(offset.total_seconds()) if offset is not None else 0
