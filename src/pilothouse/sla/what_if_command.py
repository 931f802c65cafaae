"""`pilothouse sla what-if`: what a change in a file would have done, on a terminal or as JSON."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import orjson
from rich.console import Console
from rich.table import Table

from pilothouse.platform import access, clock
from pilothouse.platform.access import Source
from pilothouse.platform.refusals import FieldError, Invalid
from pilothouse.sla import what_if
from pilothouse.sla.engine.rules import KINDS

_SHOWN = 20


def read_change(path: Path) -> Any:
    """Read a change from a file; raises Invalid when it is no JSON."""
    try:
        return orjson.loads(path.read_bytes())
    except orjson.JSONDecodeError as error:
        fault = FieldError(f"line {error.lineno}", f"{error.msg}.", '{"agreements": {"gold": {"applies_to": "…", "targets": […]}}}')
        raise Invalid(f"{path.name} is no JSON.", [fault]) from error


def size(days: int) -> int:
    """Return how many tickets will be looked at."""
    return what_if.how_many(access.system(Source.CLI), days, now=clock.now())


def tell(path: Path, *, days: int, as_json: bool, progress: what_if.Progress) -> str:
    """Work out what the change in a file would have done and return what is to be printed; raises Invalid."""
    now = clock.now()
    prepared = what_if.prepare(read_change(path), now=now)
    report = what_if.run(access.system(Source.CLI), prepared, days, now=now, progress=progress)
    return json.dumps(report, indent=2, ensure_ascii=False) if as_json else _told(report)


def _told(report: Mapping[str, Any]) -> str:
    console = Console(width=110, force_terminal=False)
    with console.capture() as captured:
        console.print(f"{report['tickets']:,} tickets opened in the last {report['days']} days, looked at in {report['seconds']} s.\n")
        for field, message in report["warnings"]:
            console.print(f"Note: {field}: {message}", markup=False)
        if not report["kinds"]:
            console.print("None of them has a clock, neither before nor after.")
        for title, rows, label in (
            ("Target", report["kinds"], "label"),
            ("Priority", report["priorities"], "priority"),
            ("Team", report["teams"], "team"),
        ):
            if rows:
                console.print(_table(title, rows, label))
        for name, words in (("to_breached", "would have breached"), ("to_met", "would not have breached")):
            _flips(console, report[name], words)
    return captured.get().rstrip()


def _table(title: str, rows: list[Mapping[str, Any]], label: str) -> Table:
    table = Table(title, *(("Before", "After", "Newly breached", "No longer", "New clocks", "Gone")), box=None, pad_edge=False)
    for column in table.columns[1:]:
        column.justify = "right"
    for row in rows[:_SHOWN]:
        name = f"P{row[label]}" if label == "priority" else str(row[label])
        counts = (row["to_breached"], row["to_met"], row["gained"], row["lost"])
        table.add_row(name, _share(row["before"]), _share(row["after"]), *(f"{count:,}" for count in counts))
    table.add_row()
    return table


def _share(side: Mapping[str, Any]) -> str:
    return "–" if side["attainment"] is None else f"{side['attainment']:.1f} %"


def _flips(console: Console, flips: list[Mapping[str, Any]], words: str) -> None:
    if not flips:
        return
    console.print(f"{len(flips)}{' or more' if len(flips) >= what_if.LISTED else ''} {words}:")
    for flip in flips[:_SHOWN]:
        line = f"  {flip['number']}  P{flip['priority']}  {KINDS[flip['kind']]}  {flip['team']}: {flip['title']}"
        console.print(line, markup=False, highlight=False, soft_wrap=True)
    if len(flips) > _SHOWN:
        console.print(f"  … and {len(flips) - _SHOWN} more; --json lists {what_if.LISTED}.")
