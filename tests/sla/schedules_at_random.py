"""Schedules, instants and durations drawn by hypothesis, and the oracle: reading the clock on the wall, second by second."""

from datetime import UTC, date, datetime, timedelta
from functools import cache, lru_cache
from zoneinfo import ZoneInfo

from hypothesis import strategies as st

from pilothouse.sla.engine.business_time import Definition, Exceptional, HolidayCalendar, OwnDay, closings

# Weeks in which something happens to the clock, and a plain one: the oracle looks closely at them.
WEEKS = [
    ("Europe/Berlin", datetime(2025, 3, 30, tzinfo=UTC)),
    ("Europe/Berlin", datetime(2025, 10, 26, tzinfo=UTC)),
    ("America/New_York", datetime(2024, 3, 10, tzinfo=UTC)),
    ("America/New_York", datetime(2024, 11, 3, tzinfo=UTC)),
    ("Australia/Lord_Howe", datetime(2025, 4, 5, tzinfo=UTC)),
    ("Australia/Lord_Howe", datetime(2025, 10, 4, tzinfo=UTC)),
    ("Pacific/Apia", datetime(2011, 12, 30, tzinfo=UTC)),
    ("Asia/Kathmandu", datetime(2026, 1, 1, tzinfo=UTC)),
    ("Africa/Casablanca", datetime(2025, 2, 23, tzinfo=UTC)),
    ("Africa/Casablanca", datetime(2025, 4, 6, tzinfo=UTC)),
    ("America/Sao_Paulo", datetime(2018, 2, 18, tzinfo=UTC)),
    ("America/Sao_Paulo", datetime(2018, 11, 4, tzinfo=UTC)),
    ("America/Havana", datetime(2025, 11, 2, tzinfo=UTC)),
    ("Asia/Pyongyang", datetime(2018, 5, 4, tzinfo=UTC)),
    ("UTC", datetime(2024, 2, 29, tzinfo=UTC)),
]
MINUTES = st.integers(0, 24 * 60 - 1)


_CUTS = st.lists(MINUTES, min_size=0, max_size=6, unique=True)
_EITHER = st.booleans()
_OVER = st.sampled_from([0, 1, 3600, 5400, 21_600])


@cache
@st.composite
def days_hours(draw: st.DrawFn) -> tuple[tuple[int, int], ...]:
    """Up to three intervals of a day that do not overlap; the last may run over midnight until 06:00."""
    cuts = sorted(draw(_CUTS))
    pairs = [(begin * 60, end * 60) for begin, end in zip(cuts[0::2], cuts[1::2], strict=False)]
    if pairs and draw(_EITHER):
        pairs[-1] = (pairs[-1][0], 86_400 + min(draw(_OVER), max(pairs[-1][0] - 60, 0)))  # shorter than a day, as a text can say it
    return tuple(pairs)


def _at(moment: datetime) -> st.SearchStrategy[datetime]:
    return st.integers(-4 * 1440, 4 * 1440).map(lambda minutes: moment.replace(tzinfo=None) + timedelta(minutes=minutes))


@cache  # made anew for each draw, a strategy costs more than the drawing
def definitions(zone: str, around: datetime) -> st.SearchStrategy[Definition]:
    """Definitions whose holidays, own days and exceptions lie near an instant."""
    near = st.integers(-3, 3).map(lambda days: around.date() + timedelta(days=days))
    own = st.builds(
        lambda day, every_year, hours: OwnDay(day.month, day.day, None if every_year else day.year, "own", hours),
        near,
        st.booleans(),
        days_hours(),
    )
    exceptions = st.builds(
        lambda start, minutes, is_open: Exceptional(start, start + timedelta(minutes=minutes), is_open),
        _at(around),
        st.integers(1, 3000),
        st.booleans(),
    )
    calendars = st.sampled_from([HolidayCalendar("US"), HolidayCalendar("DE", "BY"), HolidayCalendar("NP")])
    return st.builds(
        Definition,
        zone=st.just(zone),
        week=st.tuples(*[days_hours()] * 7),
        holidays=st.lists(calendars, max_size=1).map(tuple),
        days=st.lists(own, max_size=2, unique_by=lambda day: (day.month, day.day, day.year)).map(tuple),
        exceptions=st.lists(exceptions, max_size=3).map(tuple),
    )


def is_open_on_the_wall(definition: Definition, at: int) -> bool:
    """The oracle: what the wall shows at an instant, looked up in the definition as a person would."""
    wall = (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=at)).astimezone(ZoneInfo(definition.zone)).replace(tzinfo=None)
    for exception in reversed(definition.exceptions):
        if exception.start <= wall < exception.end:
            return exception.is_open
    today = (wall - datetime.combine(wall.date(), datetime.min.time())).total_seconds()
    yesterday = wall.date() - timedelta(days=1)
    return any(begin <= today < end for begin, end in hours_on(definition, wall.date())) or any(
        begin <= today + 86_400 < end for begin, end in hours_on(definition, yesterday)
    )


@lru_cache(maxsize=1000)
def hours_on(definition: Definition, day: date) -> tuple[tuple[int, int], ...]:
    """The intervals that begin on a day."""
    for year in (day.year, None):
        for own in definition.days:
            if (own.year, own.month, own.day) == (year, day.month, day.day):
                return own.hours
    if any(closing.kind == "holiday" for closing in closings(definition, day, day)):
        return ()
    assert definition.week is not None
    return definition.week[day.weekday()]
