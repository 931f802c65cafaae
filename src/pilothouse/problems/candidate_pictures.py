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


@dataclass(frozen=True, slots=True)
class Bar:
    """A week in the picture."""

    x: str
    y: str
    width: str
    height: str
    title: str


@dataclass(frozen=True, slots=True)
class Mark:
    """An instant in the picture, and what it is."""

    x: str
    text_x: str
    text_y: int  # labels of instants that lie near each other stand one below the other
    label: str
    is_late: bool


@dataclass(frozen=True, slots=True)
class Weeks:
    """The picture of a candidate's weeks."""

    bars: list[Bar]
    usual: str
    marks: list[Mark]
    first: str
    last: str
    most: int


def weeks_of(found: Mapping[str, Any]) -> Weeks | None:
    """Return a candidate's tickets week by week, as a picture."""
    weeks = found.get("weeks")
    if not weeks or not weeks["counts"]:
        return None
    counts, usual, first = weeks["counts"], weeks["usual"], datetime(1970, 1, 1, tzinfo=UTC) + timedelta(days=weeks["first"])
    most, step = max([*counts, *usual, 1]), WIDTH / len(counts)
    head = 4 + 12 * max(1, len(weeks["marks"]))  # above the highest bar stand the labels
    bars = [_bar(at, count, _height(count, most, head), step, first) for at, count in enumerate(counts) if count]
    line = " ".join(f"{(at + 0.5) * step:.1f},{_height(value, most, head):.1f}" for at, value in enumerate(usual))
    marks = [_mark(at, label, first, step, 11 + 12 * place) for place, (at, label) in enumerate(weeks["marks"])]
    last = first + timedelta(weeks=len(counts))
    return Weeks(bars, line, marks, f"{first:%-d %b %Y}", f"{last:%-d %b %Y}", max(counts))


def _bar(at: int, count: int, y: float, step: float, first: datetime) -> Bar:
    title = f"Week of {first + timedelta(weeks=at):%-d %b %Y}: {count}"
    return Bar(f"{at * step:.1f}", f"{y:.1f}", f"{max(step - 1, 0.5):.1f}", f"{HEIGHT - y:.1f}", title)


def _height(value: float, most: float, head: int) -> float:
    return HEIGHT - value / most * (HEIGHT - head)


def _mark(at: int, label: str, first: datetime, step: float, y: int) -> Mark:
    x = min(max((at - first.timestamp()) / (7 * 86400) * step, 1), WIDTH - 1)
    is_late = x > WIDTH / 2
    return Mark(f"{x:.1f}", f"{x + (-4 if is_late else 4):.1f}", y, label, is_late)
