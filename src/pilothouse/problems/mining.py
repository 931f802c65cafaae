"""What a look gives to be kept: each candidate as plain values with its tickets' ids and the weeks that its picture shows."""

from datetime import UTC, datetime
from typing import Any

import numpy as np

from pilothouse.problems.data import as_data
from pilothouse.problems.engine.atlas import atlas_of
from pilothouse.problems.engine.columns import MISSING
from pilothouse.problems.engine.mine import Finding, Mined, mine, weeks_of
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
    weeks = weeks_of(finding, whole)
    if weeks is None:
        return None
    usual = [round(each, 2) for each in weeks.usual]
    return {"first": weeks.first, "counts": list(weeks.counts), "usual": usual, "marks": [list(mark) for mark in weeks.marks]}
