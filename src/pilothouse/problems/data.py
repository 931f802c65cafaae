"""What the miner found, as plain values for JSON: every number with what it rests on. Times are ISO 8601 in UTC."""

from dataclasses import asdict, is_dataclass
from datetime import UTC, datetime
from typing import Any

from pilothouse.problems.engine.mine import Finding, Mined

_MOST_TICKETS = 5000
_INSTANTS = frozenset({"at", "start", "end", "last"})


def as_data(mined: Mined) -> dict[str, Any]:
    """Return everything that was found."""
    return {
        "tickets": len(mined.tickets),
        "families": mined.families.count,
        "groups_looked_at": mined.groups,
        "facet_tests": mined.tests,
        "remarks": list(mined.remarks),
        "candidates": [_finding(finding, mined) for finding in mined.findings],
        "imbalances": [_values(each) for each in mined.imbalances],
    }


def _finding(finding: Finding, mined: Mined) -> dict[str, Any]:
    candidate, cost = finding.candidate, _values(finding.cost)
    cost["ranked_by"] = cost.pop("basis")
    cost.pop("weight")
    rhythm = {
        name: _values(value) for name in ("onset", "stop", "burst", "period", "clockwork") if (value := getattr(candidate.rhythm, name))
    }
    return {
        "rank": finding.rank,
        "title": finding.told.title,
        "paragraph": finding.told.paragraph,
        "confidence": finding.told.confidence,
        "words": list(finding.told.words),
        "shared": [_values(each) for each in finding.told.shared],
        "found_by": candidate.sign.what,
        "facets": [_values(facet) for facet in candidate.facets],
        "pair": _values(candidate.pair) if candidate.pair else None,
        "rhythm": rhythm,
        "causes": [_values(cause) for cause in finding.causes],
        "raised": _values(finding.raised) if finding.raised else None,
        "cost": cost,
        "ticket_count": len(candidate.rows),
        "tickets": [str(mined.tickets.keys[row]) for row in candidate.rows[:_MOST_TICKETS].tolist()],
    }


def _values(value: Any) -> dict[str, Any]:
    assert is_dataclass(value) and not isinstance(value, type)
    return {name: _instant(each) if name in _INSTANTS else each for name, each in asdict(value).items()}


def _instant(value: int) -> str | None:
    return datetime.fromtimestamp(value, UTC).isoformat() if value else None
