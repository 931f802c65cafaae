"""The CMDB's vocabulary and the impact walk, pure.

A relationship points from what needs to what is needed ("app depends on database"). Walking down from a CI lists what it
needs; walking up lists what is hit when it fails.
"""

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

CRITICALITIES: dict[int, str] = {1: "vital", 2: "high", 3: "medium", 4: "low"}
ENVIRONMENTS = ("production", "acceptance", "test", "development")
STATUSES = ("planned", "in_use", "maintenance", "retired", "unknown")

# Class -> its attributes and their types; an attribute outside the list is kept too, but the form offers these.
CI_CLASSES: dict[str, tuple[str, ...]] = {
    "application": ("vendor", "version", "url"),
    "server": ("os", "os_version", "ip", "cpu_cores", "memory_gb", "location", "serial"),
    "virtual_machine": ("os", "os_version", "ip", "cpu_cores", "memory_gb", "hypervisor"),
    "database": ("engine", "version", "port", "size_gb"),
    "network": ("vendor", "model", "firmware", "ip", "location", "serial"),
    "storage": ("vendor", "model", "firmware", "capacity_tb", "location"),
    "workstation": ("os", "os_version", "os_build", "model", "serial", "user", "location"),
    "printer": ("vendor", "model", "ip", "location", "serial"),
    "mobile": ("os", "os_version", "model", "serial", "user"),
    "software": ("vendor", "version"),
    "other": (),
}
RELATIONS: dict[str, tuple[str, str]] = {  # relation -> (read downward, read upward)
    "depends_on": ("depends on", "is needed by"),
    "runs_on": ("runs on", "hosts"),
    "connects_to": ("connects to", "is connected by"),
    "stores_on": ("stores on", "stores for"),
    "member_of": ("is a member of", "has member"),
    "uses": ("uses", "is used by"),
}


@dataclass(frozen=True, slots=True)
class Step:
    """A CI reached by the walk: how far it is, and through which relationship from which CI (the shortest way)."""

    ci: int
    depth: int
    via: int
    relation: str


def impact_walk(start: int, edges: Iterable[tuple[int, str, int]], direction: Literal["up", "down"], *, depth: int = 6) -> list[Step]:
    """Walk relationships from `start`, breadth first, each CI once, at most `depth` steps; cycles are safe.

    >>> impact_walk(3, [(1, "runs_on", 2), (2, "depends_on", 3)], "up")
    [Step(ci=2, depth=1, via=3, relation='depends_on'), Step(ci=1, depth=2, via=2, relation='runs_on')]
    """
    neighbours = _neighbours(edges, direction)
    seen, steps, waiting = {start}, [], deque([(start, 0)])
    while waiting:
        ci, far = waiting.popleft()
        if far == depth:
            continue
        for relation, other in neighbours.get(ci, ()):
            if other not in seen:
                seen.add(other)
                steps.append(Step(other, far + 1, ci, relation))
                waiting.append((other, far + 1))
    return steps


def _neighbours(edges: Iterable[tuple[int, str, int]], direction: str) -> dict[int, list[tuple[str, int]]]:
    found: dict[int, list[tuple[str, int]]] = {}
    for source, relation, target in edges:
        here, there = (source, target) if direction == "down" else (target, source)
        found.setdefault(here, []).append((relation, there))
    return found


def attribute_faults(ci_class: str, attributes: Mapping[str, Any]) -> list[str]:
    """Say what is wrong with a CI's attributes: names and values must be short plain text or numbers."""
    if not isinstance(attributes, Mapping):
        return ["attributes are named values"]
    faults = []
    for name, value in attributes.items():
        if not _is_short_text(name, 60) or not name:
            faults.append(f"attribute name {name!r} must be 1 to 60 characters")
        elif not _is_plain_value(value):
            faults.append(f"attribute {name}: a text of at most 2,000 characters, a whole number, yes or no")
    return faults if ci_class in CI_CLASSES else [*faults, f"no such class: {ci_class}"]


def _is_plain_value(value: Any) -> bool:
    if isinstance(value, int):
        return -(2**63) <= value < 2**63
    return value is None or _is_short_text(value, 2000)


def _is_short_text(value: Any, most: int) -> bool:
    fits = isinstance(value, str) and len(value) <= most and "\x00" not in value
    return fits and not any("\ud800" <= sign <= "\udfff" for sign in value)


def attribute_names(ci_class: str, present: Sequence[str] = ()) -> list[str]:
    """Return a class's attributes in order, then those that a CI carries besides."""
    offered = CI_CLASSES.get(ci_class, ())
    return [*offered, *sorted(set(present) - set(offered))]
