"""Measure what-if: `python -m bench.what_if [--tickets 60000]`.

The demo organisation is loaded by its own loader, a year of tickets with their clocks; then `pilothouse sla what-if` is asked what
shorter targets of its agreements would have done to all of them. The seconds are the command's own: reading lives, judging them under
both rulebooks, and the report; starting Python is not among them. Every change is asked three times, the median counts.
"""

import argparse
import json
import statistics
import sys
from copy import deepcopy
from typing import Any

from bench import filling
from bench.figures import Figure, hand_over
from bench.instance import Instance, throw_away

AIM_SECONDS = 3.0
_TIMES = 3


def _agreements(instance: Instance) -> dict[str, dict[str, Any]]:
    """Return the demo's agreements as they are: definitions by key."""
    newest = "SELECT a.key, v.definition FROM sla_agreement a JOIN sla_agreementversion v ON v.agreement_id = a.id AND v.number = a.version"
    return dict(instance.run(newest))


def _shorter(definition: dict[str, Any]) -> dict[str, Any]:
    """Halve every duration that is a length of time."""
    changed = deepcopy(definition)
    for target in changed["targets"]:
        for duration in target["durations"].values():
            if "seconds" in duration:
                duration["seconds"] //= 2
    return changed


def _ask(instance: Instance, change: dict[str, Any]) -> dict[str, Any]:
    """Ask once through the command; returns its report."""
    file = instance.data / "change.json"
    file.write_text(json.dumps(change))
    asked = instance.command("sla", "what-if", str(file), "--days", "3660", "--json")
    if asked.wait():
        raise RuntimeError(instance.said("sla"))
    said = instance.said("sla")
    return dict(json.loads(said[said.index("{\n") : said.rindex("}") + 1]))


def main() -> int:
    """Load, ask, print; returns 1 when the aim is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tickets", type=int, default=60_000)
    tickets = parser.parse_args().tickets
    worst = 0.0
    with throw_away() as instance:
        instance.up()
        print(f"Loading {tickets:,} tickets with their clocks …", flush=True)
        print(f"  {filling.demo(instance, tickets):.0f} s; {filling.settled(instance):.0f} s more until nothing runs beside it", flush=True)
        agreements = _agreements(instance)
        changes: dict[str, dict[str, Any]] = {
            "no change": {},
            "one agreement, half the time": {"incidents": _shorter(agreements["incidents"])},
            "every agreement, half the time": {key: _shorter(definition) for key, definition in agreements.items()},
        }
        for name, change in changes.items():
            reports = [_ask(instance, {"agreements": change}) for _ in range(_TIMES)]
            seconds = statistics.median(report["seconds"] for report in reports)
            flips = sum(row["to_breached"] for row in reports[0]["kinds"])
            worst = max(worst, seconds)
            note = f"{flips:,} clocks newly breached; median of {_TIMES}"
            figure = Figure(f"what-if: {name}", reports[0]["tickets"], round(seconds, 3), "s", AIM_SECONDS, note=note)
            hand_over(figure)
            print(f"  {name}: {seconds:.2f} s over {figure.tickets:,} tickets {figure.verdict} {note}", flush=True)
    return int(worst > AIM_SECONDS)


if __name__ == "__main__":
    sys.exit(main())
