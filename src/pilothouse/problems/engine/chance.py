"""How likely something is by chance: exact tails, and false-discovery control over everything that was tested."""

import numpy as np
from numpy.typing import ArrayLike
from scipy import special  # type: ignore[import-untyped]

from pilothouse.problems.engine.columns import Bools, Floats


def binomial_tail(successes: ArrayLike, trials: ArrayLike, share: ArrayLike) -> Floats:
    """Return the exact chance of at least so many successes.

    Where trials differ in their share, their mean share gives an upper bound for tails above the mean (Hoeffding 1956).

    >>> float(binomial_tail(2, 2, 0.5))
    0.25
    """
    k, n, p = (np.asarray(each, dtype=np.float64) for each in (successes, trials, share))
    p = np.clip(p, 1e-12, 1 - 1e-12)
    return np.asarray(np.where(k <= 0, 1.0, special.betainc(np.maximum(k, 1), np.maximum(n - k + 1, 1e-9), p)))


def poisson_tail(count: ArrayLike, expected: ArrayLike) -> Floats:
    """Return the exact chance of at least so many when so many are expected."""
    k, mean = (np.asarray(each, dtype=np.float64) for each in (count, expected))
    return np.asarray(np.where(k <= 0, 1.0, special.gammainc(np.maximum(k, 1e-9), np.maximum(mean, 1e-12))))


def chi_square_tail(statistic: ArrayLike, freedom: int = 1) -> Floats:
    """Return the chance of a chi-square statistic of at least this size."""
    return np.asarray(special.chdtrc(freedom, np.maximum(np.asarray(statistic, dtype=np.float64), 0)))


def discoveries(chances: ArrayLike, level: float, tested: int | None = None) -> Bools:
    """Say which tests stand when the expected share of false ones among them is to be at most `level` (Benjamini, Hochberg 1995).

    `tested` is how many were tested altogether, where those that are not given were not among the smallest.

    >>> discoveries([0.001, 0.04, 0.9], 0.05).tolist()
    [True, False, False]
    """
    p = np.asarray(chances, dtype=np.float64)
    if not p.size:
        return np.zeros(0, dtype=bool)
    total = max(tested or 0, p.size)
    ordered = np.sort(p)
    passing = np.flatnonzero(ordered <= level * np.arange(1, p.size + 1) / total)
    return np.asarray(p <= (ordered[passing[-1]] if passing.size else -1.0))


def poisson_interval(count: float, level: float = 0.9) -> tuple[float, float]:
    """Return the exact interval of the mean behind a count (Garwood 1936)."""
    tail = (1 - level) / 2
    low = float(special.gammaincinv(count, tail)) if count > 0 else 0.0
    return low, float(special.gammaincinv(count + 1, 1 - tail))
