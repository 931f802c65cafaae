"""Charts as inline SVG, drawn from numbers alone; every text is escaped, and each chart says in words what it shows."""

from collections.abc import Sequence
from datetime import UTC, datetime
from html import escape

from pilothouse.problems.candidate_pictures import scale_to
from pilothouse.problems.engine.baseline import DAY
from pilothouse.problems.engine.facets import Facet
from pilothouse.problems.engine.saying import label

_WIDTH, _HEIGHT, _FOOT = 640, 130, 18


def shown(text: str) -> str:
    """Return a text as HTML may carry it: escaped, without control characters and marks that turn the direction of writing."""
    return escape("".join(c if c.isprintable() else " " for c in text), quote=True)


def weeks(counts: Sequence[float], expected: Sequence[float], first_day: int, marks: Sequence[tuple[int, str]]) -> str:
    """Draw tickets a week as bars, what the rhythm of all tickets would give as a line, and marks (instant, label)."""
    most = float(scale_to(max([*counts, *expected])))
    step = _WIDTH / max(len(counts), 1)
    parts = _scale(most)
    parts += [
        f'<rect class="bar" x="{i * step:.1f}" y="{_y(count, most):.1f}" width="{max(step - 1, 0.5):.1f}"'
        f' height="{_HEIGHT - _y(count, most):.1f}"><title>Week of {_date(first_day + 7 * i)}: {count:g}</title></rect>'
        for i, count in enumerate(counts)
        if count
    ]
    line = " ".join(f"{(i + 0.5) * step:.1f},{_y(value, most):.1f}" for i, value in enumerate(expected))
    parts.append(f'<polyline class="usual" points="{line}"/>')
    for at, name in marks:
        x = min(max((at / DAY - first_day) / 7 * step, 1), _WIDTH - 1)
        words = f"{name}, {_date(int(at // DAY))}"
        anchor = "end" if x > _WIDTH / 2 else "start"
        parts.append(f'<line class="mark" x1="{x:.1f}" x2="{x:.1f}" y1="0" y2="{_HEIGHT}"/>')
        parts.append(f'<text x="{x + (-4 if anchor == "end" else 4):.1f}" y="11" text-anchor="{anchor}">{shown(words)}</text>')
    parts.append(f'<text x="0" y="{_HEIGHT + 14}">{_date(first_day)}</text>')
    parts.append(f'<text x="{_WIDTH}" y="{_HEIGHT + 14}" text-anchor="end">{_date(first_day + 7 * len(counts))}</text>')
    title = f"Tickets a week, at most {max([*counts, 0]):g}; the line is what the rhythm of all tickets would give."
    return _svg(parts, _HEIGHT + _FOOT, title)


def facets(found: Sequence[Facet]) -> str:
    """Draw how many of a group's tickets have each value, beside how many would by chance."""
    if not found:
        return ""
    most = max(facet.known for facet in found)
    parts = []
    for i, facet in enumerate(found):
        y, scale = i * 38 + 14, _WIDTH / most
        parts.append(f'<text x="0" y="{y - 3}">{shown(f"{label(facet.fact)} {facet.words}"[:90])}</text>')
        parts.append(f'<rect class="whole" x="0" y="{y}" width="{facet.known * scale:.1f}" height="14"/>')
        parts.append(f'<rect class="bar" x="0" y="{y}" width="{facet.count * scale:.1f}" height="14"/>')
        parts.append(f'<line class="mark" x1="{facet.expected * scale:.1f}" x2="{facet.expected * scale:.1f}" y1="{y - 2}" y2="{y + 16}"/>')
    words = "; ".join(f"{label(f.fact)} {f.words}: {f.count} of {f.known}, expected {f.expected:.1f}" for f in found)
    return _svg(parts, 38 * len(found), f"{words}. The mark is what was expected.")


def _svg(parts: Sequence[str], height: int, title: str) -> str:
    text = shown(title)
    return f'<svg viewBox="0 0 {_WIDTH} {height}" role="img" aria-label="{text}"><title>{text}</title>{"".join(parts)}</svg>'


def _scale(most: float) -> list[str]:
    """Draw a line at the whole and the half of the scale, with its number."""
    places = [(value, _y(value, most)) for value in (most, most / 2)]
    lines = [f'<line class="grid" x1="0" x2="{_WIDTH}" y1="{y:.1f}" y2="{y:.1f}"/>' for _, y in places]
    return lines + [f'<text x="0" y="{y - 3:.1f}">{value:,.0f}</text>' for value, y in places]


def _y(value: float, most: float) -> float:
    return _HEIGHT - value / most * (_HEIGHT - 16)


def _date(day: int) -> str:
    return datetime.fromtimestamp(day * DAY, UTC).strftime("%-d %b %Y")
