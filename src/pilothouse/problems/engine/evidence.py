"""When the tickets of a stream are evidence: the tests of the streaming miner, which hold for shuffled tickets.

Had the tickets come in any order, then, of a stream with n tickets among N, each of the other n - 1 would stand at any of the other
N - 1 places with the same chance. So the chance that c - 1 of them stand among the last M - 1 is at most a binomial tail, whatever the
rate of the stream, the season and the growth, and also for a stream that is new. A machine knows no office hours: where the window's
share of the time is larger than its share of the tickets, it counts instead, which only makes the test more careful.
"""

import math
from collections.abc import Sequence

import numpy as np
from scipy import special  # type: ignore[import-untyped]

from pilothouse.problems.engine.baseline import DAY
from pilothouse.problems.engine.columns import Ints
from pilothouse.problems.engine.rhythm import Period, episodes, fitted

WINDOWS = (4, 6, 9, 14, 22, 36, 60)  # the last so many tickets of a stream
_LOOKS_FOR_BEATS = frozenset((5, 6, 7, 8, 10, 12, 15, 19, 24, 30, 38, 48))  # after so many events, and every twelve from 60 on
LEAST_LIFT = 2.0
WIDEST = 0.4  # of all tickets or of the time; what fills more than that is no crowd
_LONGEST, _SHORTEST = 120.0, 2.5  # days


def crowding(count: int, of: int, share: float, level: float) -> float | None:
    """Return the chance that `count` of a stream's `of` tickets come in a window with this share of all, the last one given.

    None where it is above the level, or the stream is not twice as dense there. For shuffled tickets it is an upper bound of the exact
    (hypergeometric) tail from three others on (Uhlmann: Vergleich der hypergeometrischen mit der Binomial-Verteilung, 1966).

    >>> round(crowding(4, 4, 0.01, 1e-3), 12)
    1e-06
    >>> crowding(4, 40, 0.05, 1e-3) is None
    True
    """
    hits, others = count - 1, of - 1
    mean = others * share
    if hits < LEAST_LIFT * mean:
        return None
    # A bound from below is cheap (Ash, Information theory, 1965, lemma 4.7.2) and spares nearly all of the exact tails.
    rest = (others - hits) * math.log((others - hits) / (others - mean)) if others > hits else 0.0
    if -hits * math.log(hits / mean) - rest - 0.5 * math.log(8 * hits) > math.log(level):
        return None
    chance = float(special.betainc(hits, others - hits + 1, share)) if others > hits else share**hits
    return chance if chance <= level else None


def is_look_for_beats(events: int) -> bool:
    """Say whether a stream is asked for a period after so many events.

    >>> [events for events in range(100) if is_look_for_beats(events)]
    [5, 6, 7, 8, 10, 12, 15, 19, 24, 30, 38, 48, 60, 72, 84, 96]
    """
    return events in _LOOKS_FOR_BEATS or (events >= 60 and events % 12 == 0)


def beats(times: Sequence[int] | Ints) -> Period | None:
    """Return the period to which a stream's events (sorted instants) keep, with the chance that events at any times keep so near.

    The gap between most events, or half of it, is tried; every period that might have been found counts. A week and its parts are none.
    """
    days = episodes(np.asarray(times, dtype=np.int64)) / DAY
    if len(days) < 5 or len(days) > np.ptp(days) / 2:
        return None
    looked_at = int(6 * np.ptp(days) * (1 / _SHORTEST - 1 / _LONGEST))
    usual = float(np.median(np.diff(days)))
    found = [fitted(days, length, looked_at, 0) for length in (usual, usual / 2) if _SHORTEST <= length <= np.ptp(days) / 4]
    kept = [each for each in found if each is not None and not _of_week(each.days)]
    return min(kept, key=lambda each: each.chance, default=None)


def _of_week(length: float) -> bool:
    return length <= 7.5 and abs(length * round(7 / length) - 7) < 0.12 * length
