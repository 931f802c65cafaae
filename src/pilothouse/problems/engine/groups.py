"""The sets of tickets that are looked at: nodes of the family tree, kinds, CIs, and names that texts have in common."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy import sparse  # type: ignore[import-untyped]

from pilothouse.problems.engine.columns import CI, KIND, Ints, Tickets
from pilothouse.problems.engine.families import Families
from pilothouse.problems.engine.words import Words

SMALLEST = 5
LARGEST_SHARE = 0.25  # a group of more of the tickets is no trouble but what the desk does all day
_MOST_OF_A_FACT = 1500


@dataclass(frozen=True, slots=True, eq=False)
class Group:
    """Tickets with something in common: `source` says what ("words", or a fact's name), `value` which."""

    source: str
    value: str
    rows: Ints

    @property
    def size(self) -> int:
        """How many tickets."""
        return len(self.rows)


def groups_of(tickets: Tickets, families: Families, words: Words | None) -> list[Group]:
    """Return every set of tickets that is looked at, each once."""
    most = max(int(LARGEST_SHARE * len(tickets)), 50)
    seen: dict[tuple[int, int, int], Group] = {}
    for group in (*_from_words(families), *_from_facts(tickets), *_from_names(words, tickets)):
        if SMALLEST <= group.size <= most:
            seen.setdefault((group.size, int(group.rows[0]), int(group.rows.sum())), group)
    return list(seen.values())


def _from_words(families: Families) -> Iterator[Group]:
    if families.centres is None:
        yield from (Group("words", str(label), rows) for label, rows in parts(families.labels))
        return
    by_cluster = dict(parts(families.clusters))
    sizes = np.array([len(by_cluster.get(c, ())) for c in range(families.members.shape[1])])
    totals = families.members @ sizes
    covered: set[tuple[int, ...]] = set()
    for node in range(families.members.shape[0] - 1, -1, -1):
        if totals[node] < SMALLEST:
            continue
        inside = families.members.indices[families.members.indptr[node] : families.members.indptr[node + 1]]
        real = tuple(sorted(int(c) for c in inside if sizes[c] >= max(2, 0.02 * totals[node])))  # the trifles change nothing
        if real and real not in covered:
            covered.add(real)
            yield Group("words", str(node), np.sort(np.concatenate([by_cluster[int(c)] for c in inside if sizes[c]])))


def _from_facts(tickets: Tickets) -> Iterator[Group]:
    for name in (*KIND, CI):
        if name in tickets.facts:
            fact = tickets.facts[name]
            yield from (Group(name, fact.names[code], rows) for code, rows in parts(fact.codes))
    kinds = [name for name in KIND if name in tickets.facts]
    for i, first in enumerate(kinds):
        for second in kinds[i + 1 :]:
            a, b = tickets.facts[first], tickets.facts[second]
            both = np.where((a.codes >= 0) & (b.codes >= 0), a.codes.astype(np.int64) * max(len(b.names), 1) + b.codes, -1)
            for code, rows in parts(both):
                yield Group(f"{first} and {second}", f"{a.names[code // len(b.names)]}, {b.names[code % len(b.names)]}", rows)


def _from_names(words: Words | None, tickets: Tickets) -> Iterator[Group]:
    if words is None:
        return
    known = {name.upper() for name in tickets.fact(CI).names}
    for code, rows in parts(words.named_codes):
        if words.names[code] not in known:
            yield Group("named", words.names[code], np.unique(words.named_rows[rows]))


def parts(codes: np.ndarray) -> Iterator[tuple[int, Ints]]:
    """Yield each value with its rows, the most frequent first (at most 1,500 of them); -1 is no value."""
    known = np.flatnonzero(codes >= 0)
    if not len(known):
        return
    order = known[np.argsort(codes[known], kind="stable")]
    values, starts, counts = np.unique(codes[order], return_index=True, return_counts=True)
    for i in np.argsort(-counts, kind="stable")[:_MOST_OF_A_FACT]:
        yield int(values[i]), order[starts[i] : starts[i] + counts[i]].astype(np.int64)


def membership(groups: list[Group], count: int) -> sparse.csr_array:
    """Return which tickets (columns) each group (rows) holds."""
    ends = np.concatenate(([0], np.cumsum([group.size for group in groups])))
    rows = np.concatenate([group.rows for group in groups]) if groups else np.empty(0, np.int64)
    return sparse.csr_array((np.ones(len(rows), np.float32), rows, ends), shape=(len(groups), count))
