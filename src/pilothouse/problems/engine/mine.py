"""All of it, in order: from tickets, the CI graph and changes to ranked candidates."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from pilothouse.problems.engine.baseline import DAY, Calendar, calendar_of
from pilothouse.problems.engine.candidates import Candidate, rates, signs, thinned
from pilothouse.problems.engine.causes import Cause, Surroundings, causes_of
from pilothouse.problems.engine.columns import CI, MISSING, Changes, CIGraph, Fact, Tickets, coded
from pilothouse.problems.engine.costs import Cost, cost_of
from pilothouse.problems.engine.facets import Comparison
from pilothouse.problems.engine.families import Families, gather
from pilothouse.problems.engine.groups import groups_of
from pilothouse.problems.engine.imbalance import Imbalance, imbalances
from pilothouse.problems.engine.raising import Order, Raised, raised_of
from pilothouse.problems.engine.telling import Told, tell
from pilothouse.problems.engine.words import Words, named_fact, read


@dataclass(frozen=True, slots=True, eq=False)
class Finding:
    """A candidate with its rank: what it costs, what may have caused it, and what is said of it."""

    rank: int
    candidate: Candidate
    cost: Cost
    causes: tuple[Cause, ...]
    told: Told
    raised: Raised | None = None  # when it would have been raised, had its tickets been watched as they came


@dataclass(frozen=True, slots=True, eq=False)
class Mined:
    """What the miner found in tickets, and what it had to do without (`remarks`)."""

    tickets: Tickets
    words: Words | None
    families: Families
    calendar: Calendar | None
    findings: tuple[Finding, ...]
    imbalances: tuple[Imbalance, ...]
    remarks: tuple[str, ...]
    groups: int
    tests: int


@dataclass(frozen=True, slots=True)
class Weeks:
    """Tickets a week from day `first` since 1970 on, what the rhythm of all tickets would give, and marks: instants with their labels."""

    first: int
    counts: tuple[int, ...]
    usual: tuple[float, ...]
    marks: tuple[tuple[int, str], ...]


def weeks_of(finding: Finding, mined: Mined) -> Weeks | None:
    """Return a finding week by week: its onset is marked, and the change that may have caused it; None where no time is known."""
    calendar, opened, candidate = mined.calendar, mined.tickets.opened, finding.candidate
    if calendar is None or opened is None:
        return None
    counts = rates(candidate, opened, calendar)
    times = opened[candidate.rows]
    shape = calendar.shape(times[times >= calendar.start]) * len(times)
    usual = np.pad(shape, (0, -len(shape) % 7)).reshape(-1, 7).sum(axis=1)[: len(counts)]
    marks = [(candidate.rhythm.onset.at, "onset")] if candidate.rhythm.onset else []
    marks += [(cause.at, cause.key) for cause in finding.causes[:1] if cause.kind == "change" and cause.at >= calendar.first * DAY]
    return Weeks(int(calendar.first), tuple(counts.astype(int).tolist()), tuple(usual.tolist()), tuple(marks))


def mine(tickets: Tickets, graph: CIGraph = CIGraph(), changes: Changes = Changes()) -> Mined:
    """Find what keeps coming back. Never raises for what the tickets lack: `remarks` say what could not be looked at.

    One core is used: products of small matrices on several wait for one another longer than they work, above all on a busy machine.
    """
    with threadpool_limits(1):
        return _mined(tickets, graph, changes)


def _mined(tickets: Tickets, graph: CIGraph, changes: Changes) -> Mined:
    remarks = _remarks(tickets)
    words = read(tickets)
    tickets = completed(tickets, graph, words)
    families = gather(tickets, words)
    times = tickets.times()
    calendar = calendar_of(times) if times is not None else None
    groups = groups_of(tickets, families, words)
    comparison = Comparison(tickets, _attribute_names(graph))
    found, bar = signs(groups, tickets, comparison, calendar)
    candidates = thinned(found, bar, tickets, comparison, calendar)
    findings = _ranked(candidates, tickets, graph, changes, words, calendar, comparison)
    uneven = imbalances(tickets, calendar)
    return Mined(tickets, words, families, calendar, findings, uneven, remarks, len(groups), comparison.tested)


def _attribute_names(graph: CIGraph) -> list[str]:
    return sorted({name for own in graph.attributes.values() for name in own})


def completed(tickets: Tickets, graph: CIGraph, words: Words | None = None) -> Tickets:
    """Take a CI that only the text names for the ticket's CI, and give each ticket its CI's attributes."""
    facts = dict(tickets.facts)
    if CI in facts:
        known = Fact(facts[CI].codes, (*facts[CI].names, *sorted(set(graph.attributes) - set(facts[CI].names))))
        facts[CI] = named_fact(words, known, len(tickets))
        for name in _attribute_names(graph):
            own = coded(graph.attributes.get(ci, {}).get(name) for ci in known.names)
            if own.names and name not in facts:
                facts[name] = Fact(np.where(facts[CI].codes >= 0, own.codes[facts[CI].codes], -1).astype(np.int32), own.names)
    return replace(tickets, facts=facts)


def _remarks(tickets: Tickets) -> tuple[str, ...]:
    said = []
    if len(tickets) < 50:
        number = "is one ticket" if len(tickets) == 1 else f"are {len(tickets):,} tickets"
        said.append(f"There {number}; below some fifty, little can be told from chance.")
    if tickets.opened is None or not (tickets.opened != MISSING).any():
        said.append("No ticket says when it was opened: nothing is said of onset, bursts, trend or periods.")
    elif tickets.times() is None and len(tickets) > 1:
        said.append("All tickets were opened at the same instant: nothing is said of onset, bursts, trend or periods.")
    if tickets.titles is None and tickets.texts is None:
        said.append("The tickets have no text: families are made of the facts of their kind.")
    if CI not in tickets.facts:
        said.append("The tickets name no CI.")
    if tickets.effort is None or np.isnan(tickets.effort).all():
        said.append("No handling time is known: costs are counted in tickets.")
    return tuple(said)


def _ranked(
    candidates: Sequence[Candidate],
    tickets: Tickets,
    graph: CIGraph,
    changes: Changes,
    words: Words | None,
    calendar: Calendar | None,
    comparison: Comparison,
) -> tuple[Finding, ...]:
    around, order = Surroundings(graph, changes), Order(tickets)
    made = []
    for candidate in candidates:
        cost = cost_of(candidate, tickets, calendar)
        causes = tuple(causes_of(candidate, tickets, around, calendar))
        made.append((candidate, cost, causes, raised_of(candidate, comparison, order) if calendar else None))
    made.sort(key=lambda each: (-each[1].weight, each[0].sign.chance, int(each[0].rows[0])))
    return tuple(
        Finding(rank, candidate, cost, causes, tell(candidate, cost, causes, tickets, words, calendar, raised), raised)
        for rank, (candidate, cost, causes, raised) in enumerate(made, 1)
    )
