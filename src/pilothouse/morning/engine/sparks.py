"""Small lines of a figure card, as the points of an SVG polyline."""

from collections.abc import Sequence

WIDTH, HEIGHT, EDGE = 120, 28, 2.5


def points(values: Sequence[float], top: float) -> str:
    """Return the points of a line over the whole width: 0 lies at the foot, `top` at the head.

    >>> points([0, 5, 10], 10)
    '0,25.5 60,14 120,2.5'
    """
    if len(values) == 1:
        values = [values[0], values[0]]
    step = WIDTH / max(1, len(values) - 1)
    height = HEIGHT - 2 * EDGE
    return " ".join(f"{at * step:.4g},{HEIGHT - EDGE - height * value / (top or 1):.4g}" for at, value in enumerate(values))
