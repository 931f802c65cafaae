"""How long targets are, for many at once: so many seconds, or until an hour of a business day; pure."""

from collections.abc import Sequence
from datetime import date, timedelta
from zoneinfo import ZoneInfo

import numpy as np

from pilothouse.sla.engine.business_time import NEVER, OpenHours, open_day
from pilothouse.sla.engine.business_time.zones import date_of, instant_of
from pilothouse.sla.engine.ragged import Numbers
from pilothouse.sla.engine.rules import LONGEST_SECONDS, Duration


class Lengths:
    """Targets in business seconds; what was looked up of days it keeps."""

    def __init__(self) -> None:
        self.instants: dict[tuple[str, date, int], int] = {}
        self.open_days: dict[tuple[OpenHours, date], date | None] = {}
        self.dues: dict[tuple[OpenHours, int, int], dict[date, int]] = {}

    def of(self, durations: Sequence[Duration], places: Numbers, starts: Numbers, hours: OpenHours) -> Numbers:
        """Return the target of each start: as measuring.seconds_of. `places` says which of the durations each has."""
        found = np.array([duration.seconds for duration in durations], np.int64)[places]
        for place, duration in enumerate(durations):
            if duration.is_relative and len(rows := np.flatnonzero(places == place)):
                found[rows] = self._relative(duration, hours, starts[rows])
        return found

    def _relative(self, duration: Duration, hours: OpenHours, starts: Numbers) -> Numbers:
        """The hour of a business day depends on the start's local day alone: each day is looked up once."""
        days, places = self._days(ZoneInfo(hours.zone), starts)
        due = self._dues(hours, days, duration.days, duration.at)[places]
        if duration.days == 0:  # when its hour has passed already, the next business day
            after = self._dues(hours, days, 1, duration.at)[places]
            due = np.where((due >= 0) & (due <= starts), after, due)
        seconds = np.maximum(1, hours.elapsed_many(starts, np.maximum(due, starts)))
        return np.where(due < 0, LONGEST_SECONDS, seconds)

    def _days(self, zone: ZoneInfo, starts: Numbers) -> tuple[list[date], Numbers]:
        """Return the local days of these starts, and which of them each start has."""
        first, last = date_of(zone, int(starts.min())), date_of(zone, int(starts.max()))
        days = [first + timedelta(days=day) for day in range((last - first).days + 1)]
        midnights = np.array([self._instant(zone, day, 0) for day in days], np.int64)
        used, places = np.unique(np.searchsorted(midnights, starts, side="right") - 1, return_inverse=True)
        return [days[place] for place in used.tolist()], places

    def _dues(self, hours: OpenHours, days: Sequence[date], count: int, at: int) -> Numbers:
        known = self.dues.setdefault((hours, count, at), {})
        known.update({day: self._due(hours, day, count, at) for day in days if day not in known})
        return np.array([known[day] for day in days], np.int64)

    def _due(self, hours: OpenHours, day: date | None, count: int, at: int) -> int:
        """Return when a target that begins on a day falls due, NEVER when it does not: as business_day."""
        for begin in [0] if count == 0 else [1] * count:
            day = None if day is None else self._open_day(hours, day + timedelta(days=begin))
        return NEVER if day is None else self._instant(ZoneInfo(hours.zone), day, at)

    def _open_day(self, hours: OpenHours, day: date) -> date | None:
        if (hours, day) not in self.open_days:
            self.open_days[hours, day] = open_day(hours, day)
        return self.open_days[hours, day]

    def _instant(self, zone: ZoneInfo, day: date, at: int) -> int:
        found = self.instants.get((zone.key, day, at))
        if found is None:
            found = self.instants[zone.key, day, at] = instant_of(zone, day, at)
        return found
