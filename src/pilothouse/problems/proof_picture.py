"""The picture of a proof of fix: the weeks before and after it, and the same figures week by week."""

from dataclasses import dataclass
from datetime import timedelta

from pilothouse.problems.candidate_pictures import WIDTH, Axes, Bar, axes_of, bar, height
from pilothouse.problems.models import Proof


@dataclass(frozen=True, slots=True)
class Week:
    """A week in figures; what was expected without the fix, and between what, is told of those after it."""

    since: str
    came: int
    expected: str
    between: str


@dataclass(frozen=True, slots=True)
class Picture:
    """Before and after: bars, the fix between them, what was expected (a line) and its interval (a band)."""

    bars: list[Bar]
    fix_x: float
    expected: str
    band: str
    label: str
    axes: Axes
    fixed: str
    weeks: list[Week]


def picture(proof: Proof) -> Picture | None:
    """Draw the weeks before and after a fix; None when there is none on either side."""
    before, after = proof.told["before"], proof.told["after"]
    if not before and not after:
        return None
    total = len(before) + len(after)
    axes = axes_of(max([*before, *(max(week[0], week[3]) for week in after)]), proof.fixed_at - timedelta(weeks=len(before)), total)
    weeks, step = _weeks(proof), WIDTH / total
    bars = [
        bar(at, week.came, axes.top, step, f"Week from {week.since}: {week.came}", is_after=at >= len(before))
        for at, week in enumerate(weeks)
    ]
    places = [round((len(before) + at + 0.5) * step, 1) for at in range(len(after))]
    line, lower, upper = (
        [f"{x},{height(week[which], axes.top):.1f}" for x, week in zip(places, after, strict=True)] for which in (1, 2, 3)
    )
    label = (
        f"{sum(before)} incidents in {len(before)} weeks before the fix, {proof.told['came']} in {len(after)} weeks after it;"
        f" {proof.told['expected']:.0f} were expected without it"
    )
    band = " ".join([*upper, *reversed(lower)])
    return Picture(bars, round(len(before) * step, 1), " ".join(line), band, label, axes, f"{proof.fixed_at:%-d %b %Y}", weeks)


def _weeks(proof: Proof) -> list[Week]:
    before, after = proof.told["before"], proof.told["after"]
    days = [f"{proof.fixed_at + timedelta(weeks=at):%-d %b %Y}" for at in range(-len(before), len(after))]
    told = [(count, "", "") for count in before]
    told += [(came, f"{expected:.1f}", f"{low:.0f} to {high:.0f}") for came, expected, low, high in after]
    return [Week(day, *figures) for day, figures in zip(days, told, strict=True)]
