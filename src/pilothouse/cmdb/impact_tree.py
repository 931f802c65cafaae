"""The impact walk as a tree to read: what a CI needs, or what is hit when it fails, with counts."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from pilothouse.cmdb.engine import RELATIONS, Step
from pilothouse.cmdb.models import CI

MOST_SHOWN = 200


@dataclass(slots=True)
class Node:
    """A CI in the tree: how it hangs on the one above it, what hangs on it, and how many in all."""

    ci: CI
    relation: str
    children: "list[Node]" = field(default_factory=list)
    below: int = 0


@dataclass(frozen=True, slots=True)
class Impact:
    """A tree and its figures: CIs in all, those not shown, how many steps it reaches, and the services they belong to."""

    nodes: list[Node]
    count: int
    hidden: int
    depth: int
    services: list[str]
    vital: int


def build(start: int, steps: Sequence[tuple[Step, CI]], direction: Literal["up", "down"]) -> Impact:
    """Build the tree from the walk's steps, nearest first; beyond MOST_SHOWN CIs the farthest are only counted."""
    read_as = 0 if direction == "down" else 1
    nodes = {step.ci: Node(ci, RELATIONS.get(step.relation, (step.relation, step.relation))[read_as]) for step, ci in steps}
    roots: list[Node] = []
    for step, _ in reversed(steps):
        if step.via in nodes:
            nodes[step.via].below += 1 + nodes[step.ci].below
    for step, _ in steps[:MOST_SHOWN]:
        siblings = roots if step.via == start else nodes[step.via].children
        siblings.append(nodes[step.ci])
    return Impact(
        roots,
        count=len(steps),
        hidden=max(0, len(steps) - MOST_SHOWN),
        depth=max((step.depth for step, _ in steps), default=0),
        services=sorted({ci.service.name for _, ci in steps if ci.service}),
        vital=sum(ci.criticality == 1 for _, ci in steps),
    )
