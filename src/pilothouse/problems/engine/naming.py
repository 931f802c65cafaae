"""What a column that no mapping knows is for, told from its name: the same rules for a file that is mined and for what imports kept.

Columns that are written when all is over, or that link a ticket to what is looked for, are no facts of a ticket.
"""

import math
import re
from collections.abc import Iterable, Mapping

_NAMED_KINDS = {
    "topic group": "category",
    "topic": "category",
    "issue type": "category",
    "symptom": "symptom",
    "u symptom": "symptom",
    "km number": "knowledge article",
    "knowledge article": "knowledge article",
}
_SITES = frozenset({"site", "location", "office", "building"})
_EFFORT = re.compile(r"(handle|handling|work|worked|effort|time spent).*(hour|minute|second)|^(effort|time spent|time worked)$")
_REASSIGNED = frozenset({"# reassignments", "reassignment count", "reassignments"})
_PASSED_OVER = re.compile(
    r"\b(problem|change|changes|rfc|caused|cby|related|interaction|interactions|parent|closed|resolved|updated|created|sys|alert|sla|active"
    r"|reopen|reopens|reopened|count|notify|date|time|confirmation|knowledge|reassignment|reassignments|reassigned|bounces|hold|held|due"
    r"|recorded|merged|resolution|resolve|closure|close|solved|solution|breach|breached|outcome)\b|^#|^first (owned|reply|response)"
    r"|^external (number|id|system)"
)
_MOST_VALUES = 0.5  # of the tickets: a column with more names is no fact but a text or an id


def column_key(name: str) -> str:
    """Return a column's name as it is compared: letter case, blanks and underscores do not matter.

    >>> column_key("Opened At") == column_key("opened_at")
    True
    """
    return " ".join(name.replace("_", " ").split()).casefold()


def fact_of(column: str) -> str | None:
    """Return the fact that a column holds, or None when it is none.

    >>> fact_of("Location"), fact_of("u_symptom"), fact_of("Firmware"), fact_of("problem_id"), fact_of("Reassignments")
    ('site', 'symptom', 'Firmware', None, None)
    """
    key = column_key(column)
    if named := _NAMED_KINDS.get(key):
        return named
    if _PASSED_OVER.search(key) or _EFFORT.search(key):
        return None
    return "site" if key in _SITES else column


def is_fact(names: int, known: int) -> bool:
    """Say whether a column with so many different names in so many known values is a fact, not a text or an id."""
    return 1 < names <= max(_MOST_VALUES * known, 2)


def effort_unit(column: str) -> int | None:
    """Return the seconds of one unit of a column that says handling time, or None; hours where its name does not say the unit.

    >>> effort_unit("work_minutes"), effort_unit("Effort"), effort_unit("Site")
    (60, 3600, None)
    """
    key = column_key(column)
    if not _EFFORT.search(key):
        return None
    return 1 if "second" in key else 60 if "minute" in key else 3600


def is_reassignments(column: str) -> bool:
    """Say whether a column counts reassignments."""
    return column_key(column) in _REASSIGNED


def number(text: str) -> float:
    """Return the number that a cell says, with a comma or a point before its decimals; NaN where it says none.

    >>> number("1,5"), number("none")
    (1.5, nan)
    """
    try:
        found = float(text.replace(",", "."))
    except ValueError:
        return math.nan
    return found if math.isfinite(found) else math.nan


def is_made_sla(column: str) -> bool:
    """Say whether a column tells if a ticket was resolved in time."""
    return column_key(column) == "made sla"


def breach(text: str) -> float:
    """Return 1 where the cell of such a column says that a target was missed, 0 where it was met, else NaN."""
    return {"true": 0.0, "false": 1.0}.get(text.lower(), math.nan)


def shared(attributes: Iterable[Mapping[str, str]]) -> set[str]:
    """Return the attributes that CIs share: an address, a serial number or an owner's name says which CI it is, not what it is like."""
    values: dict[str, set[str]] = {}
    counts: dict[str, int] = {}
    for own in attributes:
        for name, value in own.items():
            values.setdefault(name, set()).add(value)
            counts[name] = counts.get(name, 0) + 1
    return {name for name, count in counts.items() if len(values[name]) <= max(_MOST_VALUES * count, 2)}
