"""Figures: what a bench measured, how they are told, and how a bench in a process of its own hands them over."""

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path

HANDED_OVER = "BENCH_FIGURES"  # names the file to which benches in other processes add theirs, a line each


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured figure, beside its aim (None: there is none)."""

    what: str
    tickets: int
    value: float
    unit: str
    aim: float | None = None
    more_is_better: bool = False
    note: str = ""

    @property
    def verdict(self) -> str:
        if self.aim is None:
            return ""
        return "met" if (self.value >= self.aim) == self.more_is_better or self.value == self.aim else "MISSED"


def hand_over(figure: Figure) -> None:
    """Add a figure to the file of whoever started this bench; without one it is only printed."""
    if path := os.environ.get(HANDED_OVER):
        with Path(path).open("a") as file:
            file.write(json.dumps(asdict(figure)) + "\n")


def handed_over(path: Path) -> list[Figure]:
    """Read the figures that other processes added."""
    return [Figure(**json.loads(line)) for line in path.read_text().splitlines()]


def written(value: float) -> str:
    """Write a value with as many decimals as it needs.

    >>> written(0.848), written(12345.678), written(1.13)
    ('0.848', '12,345.7', '1.1')
    """
    return f"{value:,.3f}" if abs(value) < 1 else f"{value:,.1f}"


def table(figures: list[Figure], facts: dict[str, str]) -> str:
    """Return the figures as a Markdown table below the facts of the run."""
    lines = [f"- {name}: {value}" for name, value in facts.items()]
    lines += ["", "| what | tickets | measured | aim | | beside it |", "|---|--:|--:|--:|---|---|"]
    for f in figures:
        aim = "" if f.aim is None else f"{'≥' if f.more_is_better else '<'} {f.aim:,g}"
        tickets = f"{f.tickets:,}" if f.tickets else ""
        lines.append(f"| {f.what} | {tickets} | {written(f.value)} {f.unit} | {aim} | {f.verdict} | {f.note} |")
    return "\n".join(lines)
