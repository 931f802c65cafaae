"""When a group's tickets came: onset, end, bursts, trend, periods, hours of the week, days of the month.

Each finding has the chance that a group without it would show as much, against the rhythm of the whole (see `baseline`); where many
places were looked at (days, windows, periods), the chance is multiplied by their number.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pilothouse.problems.engine.baseline import DAY, HOUR, Calendar, hour_of_week
from pilothouse.problems.engine.chance import binomial_tail, chi_square_tail, poisson_tail
from pilothouse.problems.engine.columns import Bools, Floats, Ints

WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_WINDOWS = (HOUR, 4 * HOUR, DAY, 3 * DAY, 7 * DAY)
_EPISODE = 20 * HOUR  # tickets nearer than this to the one before tell of the same event
_LOOSE = 0.12  # of the period: an event so near to a beat keeps to it
_AT_ONCE = 256
_MOST_POINTS = 20_000  # of a very large group, evenly spread


@dataclass(frozen=True, slots=True)
class Onset:
    """The rate of tickets changed at an instant: `before` and `after` are tickets a day, `strength` their ratio without seasons."""

    at: int
    before: float
    after: float
    count_before: int
    count_after: int
    strength: float
    chance: float


@dataclass(frozen=True, slots=True)
class Burst:
    """Many tickets in a short time; `expected` so many by chance in any window so long."""

    start: int
    end: int
    count: int
    expected: float
    chance: float


@dataclass(frozen=True, slots=True)
class Period:
    """Events recur every so many days; `beats` of `due` came, each at most `jitter` days from its time (half of them nearer)."""

    days: float
    events: int
    due: int
    jitter: float
    last: int
    chance: float


@dataclass(frozen=True, slots=True)
class Clockwork:
    """Tickets keep to certain hours of the week, or to one working day of the month, far more than tickets at large."""

    words: str
    count: int
    total: int
    expected: float
    chance: float


@dataclass(frozen=True, slots=True)
class Rhythm:
    """All that time tells of a group."""

    onset: Onset | None = None
    stop: Onset | None = None
    burst: Burst | None = None
    period: Period | None = None
    clockwork: Clockwork | None = None
    trend: float = 0.0  # rate of the last quarter of the time over the three before
    trend_chance: float = 1.0


def listen_to_all(many: Sequence[Ints], calendar: Calendar) -> list[Rhythm]:
    """Return what the times of many groups (each sorted, known) tell; the same as `listen` for each."""
    found: list[Rhythm] = []
    for start in range(0, len(many), _AT_ONCE):
        part = [_thin(times) for times in many[start : start + _AT_ONCE]]
        shapes = [calendar.shape(times) for times in part]
        events = [_event_days(times, calendar) for times in part]
        strengths = _strengths(events, shapes, calendar)
        found += [_listen(*each, calendar) for each in zip(part, shapes, events, strengths, strict=True)]
    return found


def listen(times: Ints, calendar: Calendar) -> Rhythm:
    """Return what the times of a group (sorted, known) tell."""
    return listen_to_all([times], calendar)[0]


def _thin(times: Ints) -> Ints:
    return times[np.linspace(0, len(times) - 1, _MOST_POINTS).astype(np.int64)] if len(times) > _MOST_POINTS else times


def _listen(times: Ints, shape: Floats, events: Floats, strength: Floats | None, calendar: Calendar) -> Rhythm:
    if len(times) < 5:
        return Rhythm()
    counts = np.bincount(calendar.place(times), minlength=calendar.days).astype(np.float64)
    onset, stop = steps(counts, shape, calendar)
    growth, growth_chance = trend(counts, shape)
    return Rhythm(
        onset, stop, burst(times, shape, calendar), period(events, calendar, strength), clockwork(times, calendar), growth, growth_chance
    )


def steps(counts: Floats, shape: Floats, calendar: Calendar) -> tuple[Onset | None, Onset | None]:
    """Find the day at which the rate rose most, and the one at which it fell most; None for what did not happen."""
    total = counts.sum()
    seen, exposed = np.cumsum(counts)[:-1], np.cumsum(shape)[:-1]
    inside = (exposed > 0.02) & (exposed < 0.985)
    if total < 6 or not inside.any():
        return None, None
    gain = _likelihood(seen, exposed, total)
    gain /= _scatter(counts, shape, seen, exposed, total, int(np.argmax(gain)))
    rises = seen / np.maximum(exposed, 1e-9) < (total - seen) / np.maximum(1 - exposed, 1e-9)
    return (
        _step(np.where(inside & rises, gain, -1), counts, shape, calendar, rising=True),
        _step(np.where(inside & ~rises, gain, -1), counts, shape, calendar, rising=False),
    )


def _likelihood(seen: Floats, exposed: Floats, total: float) -> Floats:
    """Return twice the gain in likelihood of two rates over one, for each day at which they might part."""
    late, rest = total - seen, 1 - exposed
    with np.errstate(divide="ignore", invalid="ignore"):
        first = np.where(seen > 0, seen * np.log(seen / (total * exposed)), 0.0)
        second = np.where(late > 0, late * np.log(late / (total * rest)), 0.0)
    return np.asarray(2 * (first + second))


def _scatter(counts: Floats, shape: Floats, seen: Floats, exposed: Floats, total: float, at: int) -> float:
    """Return how much more the days scatter around the two rates that part best (`at`) than independent tickets would (at least 1)."""
    before, after = seen[at] / max(exposed[at], 1e-9), (total - seen[at]) / max(1 - exposed[at], 1e-9)
    mean = np.where(np.arange(len(shape)) <= at, before, after) * shape
    weeks = len(mean) // 7
    if weeks < 6:
        return 1.0
    expected = mean[: weeks * 7].reshape(-1, 7).sum(1)
    found = counts[: weeks * 7].reshape(-1, 7).sum(1)
    kept = expected > 0.1
    return max(1.0, float(np.mean((found[kept] - expected[kept]) ** 2 / expected[kept]))) if kept.sum() > 4 else 1.0


def _step(gain: Floats, counts: Floats, shape: Floats, calendar: Calendar, *, rising: bool) -> Onset | None:
    at = int(np.argmax(gain))
    if gain[at] <= 0:
        return None
    chance = min(1.0, float(chi_square_tail(gain[at])) * len(counts) / 2)
    before, after = float(counts[: at + 1].sum()), float(counts[at + 1 :].sum())
    days_before, days_after = shape[: at + 1].sum() * len(shape), shape[at + 1 :].sum() * len(shape)
    rate_before, rate_after = before / days_before, after / days_after
    high, low = (rate_after, rate_before) if rising else (rate_before, rate_after)
    if high < 2 * low or (after if rising else before) < 5:
        return None
    first = _first_of(counts, at + 1, rate_after) if rising else at + 1
    seen, later = float(counts[:first].sum()), float(counts[first:].sum())
    strength = float(high / max(low, 0.5 / (days_before if rising else days_after)))
    found = seen / max(first, 1), later / max(len(counts) - first, 1)
    return Onset((calendar.first + first) * DAY, *found, int(seen), int(later), strength, chance)


def _first_of(counts: Floats, split: int, rate: float) -> int:
    """Return the day of the first ticket of a rise: before the best split, a few may have come as near as the later ones do."""
    after = np.flatnonzero(counts[split:])
    first = split + int(after[0]) if len(after) else split
    for day in np.flatnonzero(counts[:first])[::-1].tolist():
        if first - day > max(3 / rate, 2):
            break
        first = day
    return first


def trend(counts: Floats, shape: Floats) -> tuple[float, float]:
    """Return the rate of the last quarter of the time over that before, and the chance of as much."""
    total = float(counts.sum())
    late = np.cumsum(shape) > 0.75
    share, last = float(shape[late].sum()), float(counts[late].sum())
    if total < 12 or not 0.1 < share < 0.5:
        return 0.0, 1.0
    ratio = (last + 0.5) / share / ((total - last + 0.5) / (1 - share))
    return ratio, float(binomial_tail(last, total, share))


def burst(times: Ints, shape: Floats, calendar: Calendar) -> Burst | None:
    """Find the window (an hour to a week) that holds most beyond chance."""
    best: Burst | None = None
    n, rate = len(times), shape.max() * len(times)  # tickets on the busiest day that is expected
    span = max(calendar.end - calendar.start, DAY)
    for window in _WINDOWS:
        if window > span / 4:
            break
        inside = np.searchsorted(times, times + window) - np.arange(n)
        at = int(np.argmax(inside))
        count = int(inside[at])
        expected = _expected(times[at], window, shape, calendar, n, rate)
        if count < 5 or count < 4 * expected:
            continue
        chance = min(1.0, float(poisson_tail(count, expected)) * 2 * span / window)
        if best is None or chance < best.chance:
            best = Burst(int(times[at]), int(times[at + count - 1]), count, expected, chance)
    return best


def _expected(start: np.int64, window: int, shape: Floats, calendar: Calendar, n: int, rate: float) -> float:
    if window <= DAY:
        return float(rate * (window / DAY if window == DAY else min(1.0, 3 * window / DAY)))  # an hour may have three times its share
    day = int(start // DAY - calendar.first)
    return float(shape[day : day + window // DAY + 1].sum() * n)


def episodes(times: Ints) -> Ints:
    """Return the first instant of each event: tickets that follow the one before within 20 hours tell of the same."""
    return times[np.concatenate(([True], np.diff(times) > _EPISODE))]


def _event_days(times: Ints, calendar: Calendar) -> Floats:
    """Return the days of events in which a period may be looked for; none where there are too few, or more than one every other day."""
    if len(times) < 5:
        return np.empty(0)
    days = (episodes(times) - calendar.first * DAY) / DAY
    days = days[days >= calendar.skipped]
    return days if len(days) >= 5 and len(days) <= np.ptp(days) / 2 else np.empty(0)


def period(days: Floats, calendar: Calendar, strength: Floats | None) -> Period | None:
    """Find the period of events (their days) that recur; a week and its parts are none, as everything has them."""
    if strength is None:
        return None
    lengths = 1 / calendar.frequencies
    of_week = np.abs(lengths * np.round(7 / lengths) - 7) < 0.12 * lengths
    strength = np.where((of_week & (lengths <= 7.5)) | (lengths > np.ptp(days) / 4), 0, strength)
    if strength.max() <= 4:
        return None
    at = int(np.argmax(strength >= 0.7 * strength.max()))  # the longest: its halves and thirds are as strong
    near = strength[at : at + 7]
    return fitted(days, float(lengths[at + int(np.argmax(near))]), int((strength > 0).sum()), calendar.first)


def _strengths(many: Sequence[Floats], shapes: Sequence[Floats], calendar: Calendar) -> list[Floats | None]:
    """Return Rayleigh's statistic of events at each frequency, without what the expected rhythm has of it already."""
    which = [i for i, days in enumerate(many) if len(days)]
    found: list[Floats | None] = [None] * len(many)
    if not which:
        return found
    table = np.zeros((calendar.days - calendar.skipped, 2 * len(which)), np.float32)
    for column, i in enumerate(which):
        days, first, last = many[i], int(many[i][0]) - calendar.skipped, int(many[i][-1]) + 1 - calendar.skipped
        here = shapes[i][calendar.skipped :][first:last]
        table[first:last, 2 * column] = np.bincount(days.astype(np.int64) - first - calendar.skipped, minlength=last - first) / len(days)
        table[first:last, 2 * column + 1] = here / here.sum()
    turned = calendar.turns @ table
    for column, i in enumerate(which):
        seen, usual = turned[:, 2 * column], turned[:, 2 * column + 1]
        free = np.maximum(1 - np.abs(usual) ** 2, 0.05)
        found[i] = np.asarray(len(many[i]) * np.abs(seen - usual) ** 2 / free, dtype=np.float64)
    return found


def fitted(days: Floats, length: float, looked_at: int, first: int) -> Period | None:
    """Fit beats of about this length to events, and say how likely so many would keep so near to them by chance.

    `days` are counted from the day `first` (since 1970); `looked_at` is how many lengths might have been found.
    """
    for _ in range(3):
        phase = float(np.angle(np.exp(2j * np.pi * days / length).sum())) / (2 * np.pi) * length
        beats = np.round((days - phase) / length)
        if np.ptp(beats) < 3:
            return None
        off_beat = beats - beats.mean()  # least squares
        length = float(off_beat @ days / (off_beat @ off_beat))
        phase = float(days.mean() - length * beats.mean())
    off = np.abs(days - (phase + np.round((days - phase) / length) * length))
    jitter = float(np.median(off))
    near = off <= max(_LOOSE * length, 0.5)
    kept = int(near.sum())
    hit = len(np.unique(np.round((days[near] - phase) / length)))
    chance = min(_keeps(off, length, part) for part in (_LOOSE, _LOOSE / 3)) * 2 * looked_at
    due = round(float(np.ptp(days[near])) / length) + 1 if kept else 0
    if hit < 5 or hit < 0.6 * due or kept < 0.6 * len(days):
        return None
    return Period(length, hit, due, jitter, int((first + days[near][-1]) * DAY), min(1.0, chance))


def _keeps(off: Floats, length: float, part: float) -> float:
    """Return the chance that so many of events at any times would be within this part of the period from a beat."""
    width = max(part * length, 0.5)
    return float(binomial_tail(int((off <= width).sum()), len(off), min(1.0, 2 * width / length)))


def clockwork(times: Ints, calendar: Calendar) -> Clockwork | None:
    """Find the hours of the week, or the working day of the month, to which tickets keep."""
    found = [each for each in (_hours(times, calendar), _month_day(times, calendar)) if each is not None]
    return min(found, key=lambda each: each.chance, default=None)


def _hours(times: Ints, calendar: Calendar) -> Clockwork | None:
    usual = (calendar.hourly + 0.5) / (calendar.hourly + 0.5).sum()
    counts = np.bincount(hour_of_week(times), minlength=168)
    n, best = len(times), None
    for length in (2, 3, 4):
        inside = np.convolve(np.concatenate((counts, counts[: length - 1])), np.ones(length), "valid")
        share = np.convolve(np.concatenate((usual, usual[: length - 1])), np.ones(length), "valid")
        full = (inside >= 0.35 * n) & (inside >= 4 * share * n)
        if not full.any():
            continue
        chances = np.where(full, binomial_tail(inside, n, share) * 3 * 168, 1.0)
        at = int(np.argmin(chances))
        weeks = len(np.unique(times[np.isin(hour_of_week(times), (np.arange(length) + at) % 168)] // (7 * DAY)))
        if weeks >= 5 and (best is None or chances[at] < best.chance):
            words = f"{WEEKDAYS[at // 24]}s {at % 24:02d}:00 to {(at + length) % 24:02d}:00 UTC"
            best = Clockwork(words, int(inside[at]), n, float(share[at] * n), min(1.0, float(chances[at])))
    return best


def _month_day(times: Ints, calendar: Calendar) -> Clockwork | None:
    place = calendar.place(times)
    best = None
    for name, number in zip(("first", "last"), calendar.working_days, strict=True):
        for at in range(1, 4):
            on = number[place] == at
            hits, share = int(on.sum()), float(calendar.daily[number == at].sum() / calendar.daily.sum())
            if hits < 0.6 * len(times) or hits < 4 * share * len(times) or len(np.unique(calendar.months[place[on]])) < 4:
                continue
            chance = float(binomial_tail(hits, len(times), share)) * 6
            if best is None or chance < best.chance:
                words = f"working day {at} of the month" if name == "first" else f"working day {at} before the end of the month"
                best = Clockwork(words, hits, len(times), share * len(times), min(1.0, chance))
    return best


def keeps(times: Ints, words: str, calendar: Calendar) -> Bools:
    """Say which instants lie in the hours or on the days that a clockwork's words name."""
    if words.startswith("working day"):
        number = calendar.working_days[1 if "before the end" in words else 0]
        return np.asarray(number[calendar.place(times)] == int(words.split()[2]))
    weekday, start, _, end, _ = words.split()
    first = WEEKDAYS.index(weekday[:-1]) * 24 + int(start[:2])
    length = (int(end[:2]) - int(start[:2])) % 24
    return np.asarray((hour_of_week(times) - first) % 168 < length)
