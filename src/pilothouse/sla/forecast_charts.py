"""The forecast's two pictures as points in a drawing: calibration, and false alarms against caught breaches."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

SIDE, LEFT, TOP = 200, 34, 10  # the square that a share of 0 to 1 is drawn in, and where it stands
_FEW = 20


@dataclass(frozen=True, slots=True)
class Dot:
    """A point of a drawing, with what it is."""

    x: float
    y: float
    radius: float
    title: str


@dataclass(frozen=True, slots=True)
class Chart:
    """A drawing of shares: dots joined by a line, single marks, and the ticks of both axes (across, up, label)."""

    dots: Sequence[Dot]
    line: str
    marks: Sequence[Dot]
    ticks: Sequence[tuple[int, int, str]]


def calibration(curve: Sequence[Mapping[str, Any]]) -> Chart:
    """Draw what was said against what came; a dot's size tells how many moments it stands for, and few moments make no line."""
    most = max((each["count"] for each in curve), default=1) or 1
    there = [each for each in curve if each["count"]]
    dots = [_dot(each["said"], each["came"], 2.5 + 4.5 * (each["count"] / most) ** 0.5, _calibrated(each)) for each in there]
    return _chart(dots, [], [dot for dot, each in zip(dots, there, strict=True) if each["count"] >= _FEW])


def _calibrated(each: Mapping[str, Any]) -> str:
    return f"said {each['said']:.0%}, came {each['came']:.0%}, {each['count']:,} moments"


def trade(warnings: Mapping[str, Any]) -> Chart:
    """Draw false alarms (across) against caught breaches (up), by threshold, and the rule as a single mark."""
    dots = [_told(each, f"from {each['threshold']:.0%}") for each in warnings["sweep"] if each["warned"] >= _FEW and each["breaches"]]
    rule = warnings["rule"]
    return _chart(dots, [_told(rule, "75 % rule")] if rule["warned"] and rule["breaches"] else [], dots)


def _told(each: Mapping[str, Any], name: str) -> Dot:
    title = f"{name}: {each['caught_share']:.0%} caught, {each['false_share']:.0%} false alarms"
    return _dot(each["false_share"], each["caught_share"], 3.5, title)


def _dot(across: float, up: float, radius: float, title: str) -> Dot:
    return Dot(round(LEFT + SIDE * across, 1), round(TOP + SIDE * (1 - up), 1), round(radius, 1), title)


def _chart(dots: Sequence[Dot], marks: Sequence[Dot], joined: Sequence[Dot]) -> Chart:
    ticks = [(int(LEFT + SIDE * share), int(TOP + SIDE * (1 - share)), f"{share:.0%}") for share in (0.0, 0.25, 0.5, 0.75, 1.0)]
    return Chart(dots, " ".join(f"{dot.x},{dot.y}" for dot in joined), marks, ticks)
