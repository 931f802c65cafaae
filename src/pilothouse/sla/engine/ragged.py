"""Rows of whole numbers of different lengths, one row after the other, and what is done to all of them at once; pure."""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.int64]


def numbers(values: Iterable[int]) -> Numbers:
    """Return whole numbers as an array."""
    return np.array(values if isinstance(values, list) else list(values), np.int64)


def spread(starts: Numbers, lengths: Numbers) -> Numbers:
    """Return the numbers from each start on, as many as its length says, one row of them after the other.

    >>> spread(np.array([5, 0, 9]), np.array([2, 0, 3])).tolist()
    [5, 6, 9, 10, 11]
    """
    ends = np.cumsum(lengths)
    return np.arange(int(ends[-1]) if len(ends) else 0) + np.repeat(starts - ends + lengths, lengths)


def summed(values: NDArray[Any]) -> Numbers:
    """Return the sums of the values before each place, and of all of them."""
    return np.concatenate(([0], np.cumsum(values)))


def within(marks: NDArray[Any], counts: Numbers) -> Numbers:
    """Return the sum of the marks of each row, given how many each row has, one row after the other."""
    ends, passed = np.cumsum(counts), summed(marks)
    sums: Numbers = passed[ends] - passed[ends - counts]
    return sums


_TENS = 10 ** np.arange(1, 19, dtype=np.int64)
_ZERO, _MINUS, _COMMA = b"0-,"


def decimals(values: Numbers) -> tuple[bytes, Numbers]:
    """Return the numbers as text, each with a comma after it, and where each ends.

    >>> decimals(np.array([7, -120, 0]))[0], decimals(np.array([7, -120, 0]))[1].tolist()
    (b'7,-120,0,', [2, 7, 9])
    """
    left = np.abs(values)
    ends = np.cumsum(2 + np.searchsorted(_TENS, left, side="right") + (values < 0))
    text, place = np.full(ends[-1] if len(ends) else 0, _COMMA, np.uint8), ends - 2
    text[(np.concatenate(([0], ends))[:-1])[values < 0]] = _MINUS
    while len(left):
        tens = left // 10
        text[place] = left - 10 * tens + _ZERO
        more = tens > 0
        left, place = (tens, place - 1) if more.all() else (tens[more], place[more] - 1)
    return text.tobytes(), ends


class Ragged:
    """Rows of whole numbers of different lengths, one after the other; grows, and is an array again when it is next asked for."""

    def __init__(self) -> None:
        self.flat, self.lengths = list[int](), list[int]()
        self._arrays: tuple[Numbers, Numbers, Numbers] | None = None

    def add(self, row: Sequence[int]) -> None:
        self.flat += row
        self.lengths.append(len(row))
        self._arrays = None

    @property
    def arrays(self) -> tuple[Numbers, Numbers, Numbers]:
        """All numbers, where each row begins, and how long it is."""
        if self._arrays is None:
            lengths = numbers(self.lengths)
            self._arrays = numbers(self.flat), np.cumsum(lengths) - lengths, lengths
        return self._arrays

    def of(self, rows: Numbers) -> tuple[Numbers, Numbers]:
        """Return the numbers of these rows, one row after the other, and how long each is."""
        flat, starts, lengths = self.arrays
        return flat[spread(starts[rows], lengths[rows])], lengths[rows]
