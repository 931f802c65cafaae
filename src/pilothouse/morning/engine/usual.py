"""What is usual: an interval for a count, from the counts of the same weekday and hours in the weeks before.

Model. Tickets come in independently of each other at a rate that depends on weekday and hour; day-to-day differences beyond chance
make the counts more dispersed than Poisson's. The same span of earlier weeks gives m, their mean, and phi, their variance over their
mean (at least 1). The interval holds the middle 80 % of what a week like them brings: quantiles 10 and 90 % of the Poisson
distribution when phi is 1, of the negative binomial with that mean and variance when it is more; above a mean of 300, of the normal
distribution. That the mean itself is known from n weeks only widens it: phi is taken times 1 + 1/n.

A week that lies far from the others (a holiday, an outage) does not make the interval: it is left out when it is more than 3.5 robust
standard deviations from the median (1.4826 times the median absolute deviation, at least the square root of the median, and 1).
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import median

WEEKS = 8
FEWEST_WEEKS = 4
_FAR = 3.5
_LARGE = 300.0
_Z90 = 1.2815515655446004  # the standard normal distribution's 90 % quantile


@dataclass(frozen=True, slots=True)
class Usual:
    """The usual span of a count, both ends included; `weeks` made it, `left_out` were too unlike the others."""

    low: int
    high: int
    middle: float
    weeks: int
    left_out: int = 0

    @property
    def words(self) -> str:
        """Say it: "usual 54 to 68"."""
        return f"usual {self.low}" if self.low == self.high else f"usual {self.low} to {self.high}"

    def verdict(self, count: int) -> str:
        """Say how a count lies to it: "more", "less" or "usual"."""
        return "more" if count > self.high else ("less" if count < self.low else "usual")


def usual(counts: Sequence[float]) -> Usual | None:
    """Return the usual span of a count from those of the same span in earlier weeks; None from fewer than four weeks.

    Counts may be fractions: a span that begins within an hour whose count only is known.

    >>> usual([60, 64, 58, 61, 66, 57, 63, 60]).words
    'usual 51 to 72'
    >>> usual([60, 64, 58, 61, 66, 57, 63, 0]) == usual([60, 64, 58, 61, 66, 57, 63, 400])
    True
    """
    kept = _without_far(counts)
    if len(kept) < FEWEST_WEEKS:
        return None
    mean = sum(kept) / len(kept)
    spread = max(1.0, _variance(kept, mean) / mean) if mean else 1.0
    low, high = _middle(mean, spread * (1 + 1 / len(kept)))
    return Usual(low, high, mean, len(kept), len(counts) - len(kept))


def _without_far(counts: Sequence[float]) -> list[float]:
    if len(counts) < FEWEST_WEEKS:
        return list(counts)
    centre = median(counts)
    sigma = max(1.4826 * median(abs(count - centre) for count in counts), math.sqrt(centre), 1.0)
    return [count for count in counts if abs(count - centre) <= _FAR * sigma]


def _variance(counts: Sequence[float], mean: float) -> float:
    return sum((count - mean) ** 2 for count in counts) / (len(counts) - 1)


def _middle(mean: float, spread: float) -> tuple[int, int]:
    """Return the 10 and 90 % quantiles of a count with this mean and `spread` times its variance."""
    if mean <= 0:
        return 0, 0
    if mean > _LARGE:
        half = _Z90 * math.sqrt(mean * spread)
        return max(0, round(mean - half)), round(mean + half)
    total, low = 0.0, -1
    for count, share in enumerate(_shares(mean, spread)):
        total += share
        if low < 0 and total >= 0.1:
            low = count
        if total >= 0.9:
            return low, count
    raise AssertionError("the shares of all counts sum to one")


def _shares(mean: float, spread: float) -> Iterator[float]:
    """Yield the probability of 0, 1, 2, … by the negative binomial distribution's recursion; Poisson's when spread is 1."""
    if spread - 1 < 1e-9:
        share, count = math.exp(-mean), 0
        while True:
            yield share
            count += 1
            share *= mean / count
    size, rest = mean / (spread - 1), 1 - 1 / spread
    share, count = math.exp(-size * math.log(spread)), 0
    while True:
        yield share
        share *= (count + size) / (count + 1) * rest
        count += 1
