"""Did the fix help? The weeks before a fix against the weeks after it; pure, numpy and the standard library alone.

Weeks are counted from the instant at which the fix was done, backwards and forwards, so that none has two sides; only whole weeks
count. Each carries how many of the problem's incidents came and how many other tickets did: the others are the exposure, so that
seasons, holidays and growth cancel out. Without a fix, incidents go on at their rate for each other ticket.

The model is a negative binomial whose variance is `dispersion` times its mean (incidents of one problem come in heaps). Of all
incidents of both sides, those after the fix are then beta-binomial around the share that the exposure gives them, whatever the rate
is: nothing has to be known of it (for a dispersion of 1 this is the exact conditional test of two Poisson rates). The dispersion is
taken at its upper 75 % bound, since few weeks tell little of it.

Looking every week must not make a false "fixed" likelier with every look. So the k-th look may be wrong with ALPHA / (k (k + 1)):
these add up to ALPHA over all looks there will ever be. The interval of a look is made at that level too, so that all of them hold
together.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

ALPHA = 0.05
_FIXED_AT_MOST = 0.1  # of the incidents remain, by the best estimate, …
_FIXED_SURELY = 0.5  # … and surely less than so many
_NOT_REDUCED = 0.5  # surely more than so many remain, and perhaps all
_LEAST_OTHERS = 20.0  # others a week below which they are too few to tell of seasons
_MOST = 1e4  # the largest ratio that is told
_LEAST_BACK = 3
_WINDOWS = (1, 2, 4, 8, 16)
_REMAINS = 0.1  # of the rate before, until the weeks after the fix say otherwise
VERDICTS = {"early": "Too early to tell", "fixed": "Fixed", "reduced": "Reduced", "none": "Not reduced", "back": "Came back"}


@dataclass(frozen=True, slots=True)
class Week:
    """A whole week: the problem's incidents, and all other tickets."""

    count: int
    others: int


@dataclass(frozen=True, slots=True)
class Compared:
    """A week after the fix beside what would have come without it: the mean, and the interval that holds 90 % of such weeks."""

    count: int
    expected: float
    low: int
    high: int


@dataclass(frozen=True, slots=True)
class Judged:
    """What the weeks say. `ratio` is the part of the incidents that remains (None: nothing to compare), with its interval at this look.

    `confidence` is that of "fewer than before", all looks so far allowed for; `rate` is incidents a week before the fix.
    """

    verdict: str
    ratio: float | None
    low: float
    high: float
    confidence: float
    rate: float
    dispersion: float
    before: tuple[Week, ...]
    after: tuple[Compared, ...]

    @property
    def expected(self) -> float:
        """How many incidents would have come after the fix without it."""
        return sum(week.expected for week in self.after)

    @property
    def came(self) -> int:
        """How many came."""
        return sum(week.count for week in self.after)


def judge(before: Sequence[Week], after: Sequence[Week]) -> Judged:
    """Compare whole weeks before a fix with whole weeks after it, both in order of time; the number of weeks after is the look.

    >>> [judge([Week(5, 100)] * 12, [Week(0, 100)] * weeks).verdict for weeks in (0, 2)]
    ['early', 'fixed']
    >>> judge([Week(5, 100)] * 12, [Week(5, 100)] * 20).verdict
    'none'
    """
    exposure = _exposure(before, after)
    own = np.array([week.count for week in before], dtype=float)
    there, here = float(exposure[: len(before)].sum()), float(exposure[len(before) :].sum())
    came, total = sum(week.count for week in after), int(own.sum())
    dispersion = _dispersion(own, exposure[: len(before)])
    rate = total / len(before) if before else 0.0
    compared = tuple(
        _compared(week.count, total, float(share), there, dispersion) for week, share in zip(after, exposure[len(before) :], strict=True)
    )
    if not after or not before or total == 0:
        return Judged("early", None, 0.0, _MOST, 0.0, rate, dispersion, tuple(before), compared)
    ratio = (came / here) / (total / there)
    look = len(after)
    level = ALPHA / (look * (look + 1))
    low, high = _interval(came, total, here / there, dispersion, level)
    chance = tail_below(came, came + total, _share(1.0, here / there), dispersion)
    confidence = max(0.0, 1 - chance * look * (look + 1))
    return Judged(_verdict(ratio, low, high), ratio, low, high, confidence, rate, dispersion, tuple(before), compared)


def _verdict(ratio: float, low: float, high: float) -> str:
    if high < 1:
        return "fixed" if ratio <= _FIXED_AT_MOST and high <= _FIXED_SURELY else "reduced"
    return "none" if low > _NOT_REDUCED else "early"


def _exposure(before: Sequence[Week], after: Sequence[Week]) -> np.ndarray:
    """Return what each week is worth, an average week before the fix being 1; all are, where the others are too few to tell."""
    others = np.array([week.others for week in (*before, *after)], dtype=float)
    if not len(others) or np.median(others) < _LEAST_OTHERS:
        return np.ones(len(others))
    usual = others[: len(before)].mean() if before else others.mean()
    return np.asarray((others + 1) / (usual + 1))


def _dispersion(counts: np.ndarray, exposure: np.ndarray) -> float:
    """Return the upper 75 % bound of variance over mean (Pearson's chi-square over its lower quartile), at least 1.

    Weeks with hardly any incident say little: below an average of one a week, weeks are taken together.
    """
    if len(counts) < 3 or counts.sum() == 0:
        return 2.0
    together = max(1, min(len(counts) // 3, round(1 / max(float(counts.mean()), 1e-9))))
    whole = len(counts) // together * together
    counts, exposure = (each[-whole:].reshape(-1, together).sum(axis=1) for each in (counts, exposure))
    mean = counts.sum() / exposure.sum() * exposure
    return max(1.0, float(((counts - mean) ** 2 / mean).sum()) / _chi_square_lower_quartile(len(counts) - 1))


def _chi_square_lower_quartile(freedom: int) -> float:
    """Return the 25 % quantile (Wilson, Hilferty 1931)."""
    spread = 2 / (9 * freedom)
    return float(freedom * (1 - spread - 0.6745 * math.sqrt(spread)) ** 3)


def _share(ratio: float, exposures: float) -> float:
    """Return which part of all incidents falls after the fix when the rate there is `ratio` of the rate before."""
    return ratio * exposures / (1 + ratio * exposures)


def _log_chances(total: int, share: float, dispersion: float) -> np.ndarray:
    """Return the logarithms of the chances of 0 … total successes: beta-binomial, or binomial for a dispersion near 1."""
    i = np.arange(total, dtype=float)
    share = min(max(share, 1e-12), 1 - 1e-12)
    if dispersion < 1.001 or total == 0:
        steps = np.log((total - i) / (i + 1) * (share / (1 - share)))
        first = total * math.log1p(-share)
    else:
        size = total / (dispersion - 1)
        a, b = share * size, (1 - share) * size
        steps = np.log((total - i) * (i + a) / ((i + 1) * (total - i - 1 + b)))
        first = math.lgamma(total + b) - math.lgamma(b) + math.lgamma(a + b) - math.lgamma(total + a + b)
    return np.concatenate(([first], first + np.cumsum(steps)))


def tail_below(successes: int, total: int, share: float, dispersion: float = 1.0) -> float:
    """Return the chance of at most so many of `total` to fall on a side that gets `share` of them on average.

    >>> round(tail_below(0, 2, 0.5), 9)
    0.25
    """
    return min(1.0, float(np.exp(_log_chances(total, share, dispersion)[: successes + 1]).sum()))


def _tail_above(successes: int, total: int, share: float, dispersion: float) -> float:
    return min(1.0, float(np.exp(_log_chances(total, share, dispersion)[successes:]).sum()))


def _interval(came: int, total: int, exposures: float, dispersion: float, level: float) -> tuple[float, float]:
    """Return the ratios that neither tail excludes, by bisection of the logarithm; each end is wrong with at most `level`."""
    everything = came + total
    high = _bisect(lambda ratio: tail_below(came, everything, _share(ratio, exposures), dispersion) > level)
    low = 0.0 if came == 0 else _bisect(lambda ratio: _tail_above(came, everything, _share(ratio, exposures), dispersion) <= level)
    return low, high


def _bisect(holds: Callable[[float], bool]) -> float:
    """Return where a condition that holds for small ratios ceases to."""
    below, above = math.log(1e-6), math.log(_MOST)
    for _ in range(28):  # to a relative 1e-7
        middle = (below + above) / 2
        below, above = (middle, above) if holds(math.exp(middle)) else (below, middle)
    return math.exp(below)


def _compared(count: int, total: int, share: float, there: float, dispersion: float) -> Compared:
    """Forecast a week without the fix: the mean, and a 90 % interval that allows for heaps and for what is not known of the rate."""
    mean = total / there * share if there else 0.0
    variance = dispersion * mean + dispersion * mean * mean / max(total, 1)
    low, high = _middle(mean, variance, 0.05)
    return Compared(count, round(mean, 2), low, high)


def _middle(mean: float, variance: float, tail: float) -> tuple[int, int]:
    """Return the smallest and largest counts between which a negative binomial of this mean and variance lies, `tail` aside each way."""
    chances = _at_most(int(mean + 12 * math.sqrt(variance)) + 10, mean, variance)
    return int(np.searchsorted(chances, tail)), int(np.searchsorted(chances, 1 - tail))


def _at_most(most: int, mean: float, variance: float) -> np.ndarray:
    """Return the chances of at most 0 … `most` by a negative binomial (a Poisson, where the variance is hardly more than the mean)."""
    if mean <= 0:
        return np.ones(most + 1)
    i = np.arange(most, dtype=float)
    if variance <= 1.001 * mean:
        first, steps = -mean, np.log(mean / (i + 1))
    else:
        size, chance = mean * mean / (variance - mean), mean / variance
        first, steps = size * math.log(chance), np.log((i + size) / (i + 1) * (1 - chance))
    return np.asarray(np.cumsum(np.exp(np.concatenate(([first], first + np.cumsum(steps))))))


@dataclass(frozen=True, slots=True)
class Back:
    """A problem's return: so many incidents in the last weeks, and the chance of that by what remained of it before."""

    incidents: int
    weeks: int
    chance: float

    def words(self, judged: Judged) -> str:
        """Say it with the weeks that showed it, beside the rates before the fix and between the fix and them.

        >>> judged = judge([Week(4, 100)] * 8, [*[Week(0, 100)] * 8, Week(3, 100)])
        >>> Back(3, 1, 0.0).words(judged)
        'It came back: 3 incidents in the last week. Before the fix there were 4.0 a week, and 0.0 from then until these weeks.'
        """
        span = "last week" if self.weeks == 1 else f"last {self.weeks} weeks, {self.incidents / self.weeks:.1f} a week"
        quiet = [week.count for week in judged.after[: -self.weeks]]
        until = f", and {sum(quiet) / len(quiet):.1f} from then until these weeks" if quiet else ""
        return f"It came back: {self.incidents} incidents in the {span}. Before the fix there were {judged.rate:.1f} a week{until}."


def came_back(before: Sequence[int], since_fix: Sequence[int], weeks_resolved: int) -> Back | None:
    """Say whether a problem that was resolved `weeks_resolved` whole weeks ago is back; counts are incidents a week in order of time.

    The last 1, 2, 4, 8 and 16 weeks since the resolution are each held against the weeks between the fix and them; of what those do
    not say, a tenth of the rate before the fix is taken to remain. As in `judge`, the windows and the looks of all weeks are allowed
    for, so that a problem that stays as it is comes back in at most one of twenty, ever.
    """
    rate = max(sum(before) / max(len(before), 1), 0.25)
    dispersion = _dispersion(np.array(before, dtype=float), np.ones(len(before)))
    level = ALPHA / (len(_WINDOWS) * max(weeks_resolved, 1) * (weeks_resolved + 1))
    found = None
    for weeks in _WINDOWS:
        recent = sum(since_fix[-weeks:])
        if weeks > min(weeks_resolved, len(since_fix)) or recent < _LEAST_BACK:
            continue
        known = 0.5 + sum(since_fix[:-weeks])
        mean = known * weeks / (0.5 / (_REMAINS * rate) + len(since_fix) - weeks)
        chance = max(0.0, 1 - float(_at_most(recent - 1, mean, dispersion * (mean + mean * mean / known))[-1]))
        if chance <= level and (found is None or chance < found.chance):
            found = Back(recent, weeks, chance)
    return found
