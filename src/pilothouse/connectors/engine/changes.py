"""From the rows of a change to what happened to it: planned, begun, ended, closed; pure.

A source has one row a change, or one a CI that it touches (each then repeats the change's facts): the first row's facts count, and the
CIs of all rows, in order. Times show the way: it was opened and planned at its opening, begun and ended at its actual times, closed at
its closing. No step lies before the one it follows; the fields keep the times as the source has them.
"""

from collections.abc import Mapping as Map
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from pilothouse.connectors.engine.mapping import CIS, DETAIL, DETAIL_INSTANTS, Snapshot
from pilothouse.connectors.engine.snapshots import Step

PLANNED_START, PLANNED_END, BEGUN, ENDED = DETAIL_INSTANTS
_TYPE = f"{DETAIL}type"
_OUTCOME = f"{DETAIL}outcome"
_LATER = ("state", "closed_at", BEGUN, ENDED, _OUTCOME)


def tell_change(snapshots: Sequence[Snapshot], before: Map[str, Any], now: datetime) -> list[Step]:
    """Return what happened to one change, in order; `before` are the last values known, empty for a new one."""
    values = _facts(snapshots, before)
    if not before:
        return _life(values, now)
    differing = {name: value for name, value in values.items() if before.get(name) != value and (value is not None or name in before)}
    known = [at for name in ("closed_at", ENDED, BEGUN) if (at := differing.get(name))]
    return [Step(min([now, *known[:1]]), "", "", differing)] if differing else []


def _facts(snapshots: Sequence[Snapshot], before: Map[str, Any]) -> dict[str, Any]:
    first = dict(snapshots[0].values)
    named = [ci for snapshot in snapshots if (ci := snapshot.values.get("ci"))]
    cis = list(dict.fromkeys([*(before.get(CIS) or []), *named]))
    own = {"ci": cis[0] if cis else None, CIS: cis, _TYPE: _type(first)}
    first.pop("hold_reason", None)
    return {**first, **own, "state": first.get("state") or _state(first)}


def _type(first: Map[str, Any]) -> str:
    """A type that the source names counts; where it only says that it was no emergency, so does the name of what was done."""
    given: str = first.get(_TYPE) or "normal"
    is_standard = str(first.get("extra.Change Type") or "").casefold().startswith("standard")
    return "standard" if given == "normal" and is_standard else given


def _state(values: Map[str, Any]) -> str:
    """Tell a state from the times where the source has none."""
    if values.get("closed_at"):
        return "closed"
    if values.get(BEGUN):
        return "in_progress"
    return "scheduled" if values.get(PLANNED_START) and values.get(PLANNED_END) else "new"


def _life(values: dict[str, Any], now: datetime) -> list[Step]:
    opened_at = values.get("opened_at") or now
    facts = {name: value for name, value in values.items() if not name.startswith(DETAIL) and name not in _LATER}
    plan = {name: value for name, value in values.items() if name.startswith(DETAIL) and name not in _LATER}
    steps = [Step(opened_at, "", "", {**facts, "state": "new"}), Step(opened_at, "", "", plan, verb="change.planned")]
    begun, ended = values.get(BEGUN), values.get(ENDED)
    if begun:
        steps.append(Step(begun, "", "", {BEGUN: begun, "state": "in_progress"}, verb="change.begun"))
    if ended:
        steps.append(Step(ended, "", "", {ENDED: ended}, verb="change.ended"))
    end = {name: values[name] for name in ("state", "closed_at", _OUTCOME) if values.get(name)}
    if values["state"] != ("in_progress" if begun else "new") or _OUTCOME in end:
        steps.append(Step(values.get("closed_at") or steps[-1].at, "", "", end))
    return _forwards(steps)


def _forwards(steps: list[Step]) -> list[Step]:
    last = steps[0].at
    for step in steps:
        last = step.at = max(step.at, last)
    return steps
