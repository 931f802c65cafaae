"""The pictures of a candidate as numbers for the templates: tickets a week, small in the list and large on its page."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

WIDTH, HEIGHT = 640, 130


def points(values: Sequence[float], top: float) -> str:
    """Return the points of a small line, each a step to the right of the one before: 0 lies at the foot, `top` at the head.

    >>> points([0, 5, 10], 10)
    '0,26 1,14 2,2'
    """
    scale = 24 / (top or 1)
    return _places(len(values)) % tuple([26 - scale * value for value in values])


@lru_cache(maxsize=64)
def _places(count: int) -> str:
    """Return where so many points stand, their heights left open: a page has hundreds of lines, all of the same length."""
    return " ".join(f"{at},%.3g" for at in range(count))


def scale_to(most: float) -> int:
    """Return the even number, easy to read, to which a scale goes that holds so many.

    >>> scale_to(1), scale_to(7), scale_to(41), scale_to(130)
    (2, 10, 60, 200)
    """
    size = 1
    while True:
        for step in (2, 4, 6, 10):
            if most <= step * size:
                return step * size
        size *= 10


@dataclass(frozen=True, slots=True)
class Bar:
    """A week in the picture."""

    x: str
    y: str
    width: str
    height: str
    title: str
    is_after: bool = False


@dataclass(frozen=True, slots=True)
class Mark:
    """An instant in the picture, and what it is: told below it, with its day."""

    x: str
    label: str
    day: str


@dataclass(frozen=True, slots=True)
class Axes:
    """The scale at the side, to `top`, and the days at the foot: the first, one in the middle, the last."""

    top: int
    first: str
    middle: str
    last: str

    @property
    def half(self) -> int:
        """The number at half of the height."""
        return self.top // 2


@dataclass(frozen=True, slots=True)
class Weeks:
    """The picture of a candidate's weeks."""

    bars: list[Bar]
    usual: str
    marks: list[Mark]
    axes: Axes
    most: int


def weeks_of(found: Mapping[str, Any]) -> Weeks | None:
    """Return a candidate's tickets week by week, as a picture."""
    weeks = found.get("weeks")
    if not weeks or not weeks["counts"]:
        return None
    counts, usual, first = weeks["counts"], weeks["usual"], datetime(1970, 1, 1, tzinfo=UTC) + timedelta(days=weeks["first"])
    axes, step = axes_of(max([*counts, *usual]), first, len(counts)), WIDTH / len(counts)
    titles = [f"Week of {first + timedelta(weeks=at):%-d %b %Y}: {count}" for at, count in enumerate(counts)]
    bars = [bar(at, count, axes.top, step, titles[at]) for at, count in enumerate(counts) if count]
    line = " ".join(f"{(at + 0.5) * step:.1f},{height(value, axes.top):.1f}" for at, value in enumerate(usual))
    return Weeks(bars, line, [_mark(at, label, first, step) for at, label in weeks["marks"]], axes, max(counts))


def axes_of(most: float, first: datetime, weeks: int) -> Axes:
    """Return the axes of so many weeks from an instant on."""
    days = [f"{first + timedelta(weeks=at):%-d %b %Y}" for at in (0, weeks / 2, weeks)]
    return Axes(scale_to(most), *days)


def bar(at: int, count: int, top: int, step: float, title: str, *, is_after: bool = False) -> Bar:
    """Return the bar of the week at a place."""
    y = height(count, top)
    return Bar(f"{at * step:.1f}", f"{y:.1f}", f"{max(step - 1, 0.5):.1f}", f"{HEIGHT - y:.1f}", title, is_after)


def height(value: float, top: float) -> float:
    """Return how far from the head a value stands."""
    return HEIGHT - value / top * HEIGHT


def _mark(at: int, label: str, first: datetime, step: float) -> Mark:
    x = min(max((at - first.timestamp()) / (7 * 86400) * step, 1), WIDTH - 1)
    return Mark(f"{x:.1f}", label, f"{datetime.fromtimestamp(at, UTC):%-d %b %Y}")
