"""What a look gives to be kept: each candidate as plain values with its tickets' ids and the weeks that its picture shows."""

from datetime import UTC, datetime
from typing import Any

import numpy as np

from pilothouse.problems.data import as_data
from pilothouse.problems.engine.atlas import atlas_of
from pilothouse.problems.engine.baseline import DAY
from pilothouse.problems.engine.candidates import rates
from pilothouse.problems.engine.columns import MISSING
from pilothouse.problems.engine.mine import Finding, Mined, mine
from pilothouse.problems.reading import Read


def mined(read: Read) -> dict[str, Any]:
    """Mine what was read; `ids` of a candidate are its tickets in order of their time, `found` all else that is known of it.

    `atlas` places the tickets that come later in the families that were found (engine/atlas.py), packed.
    """
    whole = mine(read.tickets, read.graph, read.changes)
    told, atlas = as_data(whole), atlas_of(whole.families, whole.words)
    told["atlas"] = atlas.packed() if atlas is not None else b""
    told["candidates"] = [
        {"found": _kept(found, finding, whole), "ids": read.ids[finding.candidate.rows].tolist()}
        for found, finding in zip(told["candidates"], whole.findings, strict=True)
    ]
    return told


def _kept(found: dict[str, Any], finding: Finding, whole: Mined) -> dict[str, Any]:
    kept = {name: value for name, value in found.items() if name != "tickets"}
    return {**kept, **_span(finding, whole), "weeks": _weeks(finding, whole)}


def _span(finding: Finding, whole: Mined) -> dict[str, Any]:
    """Return the first and the last instant at which one of its tickets was opened."""
    opened = whole.tickets.opened
    times = opened[finding.candidate.rows] if opened is not None else np.zeros(0, np.int64)
    times = times[times != MISSING]
    ends = [datetime.fromtimestamp(int(at), UTC).isoformat() for at in (times.min(), times.max())] if len(times) else [None, None]
    return {"first_at": ends[0], "last_at": ends[1]}


def _weeks(finding: Finding, whole: Mined) -> dict[str, Any] | None:
    """Return tickets a week, beside what the rhythm of all tickets would give; the first week begins on day `first` since 1970."""
    calendar, opened = whole.calendar, whole.tickets.opened
    if calendar is None or opened is None:
        return None
    counts = rates(finding.candidate, opened, calendar)
    times = opened[finding.candidate.rows]
    shape = calendar.shape(times[times >= calendar.start]) * len(times)
    usual = np.pad(shape, (0, -len(shape) % 7)).reshape(-1, 7).sum(axis=1)[: len(counts)]
    marks = [[finding.candidate.rhythm.onset.at, "onset"]] if finding.candidate.rhythm.onset else []
    marks += [[cause.at, cause.key] for cause in finding.causes[:1] if cause.kind == "change" and cause.at >= calendar.first * DAY]
    return {
        "first": int(calendar.first),
        "counts": [int(count) for count in counts],
        "usual": [round(float(each), 2) for each in usual],
        "marks": marks,
    }
