"""What a group concentrates on beyond chance: "38 of 41 on macOS 14.2, expected 6".

Expected is what tickets outside the group that are comparable show: for a CI, tickets of the same service on the same class of CI;
for a CI's attribute, tickets on the same class; for anything else, tickets of the same service. Tickets that have nothing
comparable outside the group count neither way, so that what goes without saying (the tickets about one application are on that
application) is not found. The test is the exact binomial tail at the mean expected share, an upper bound of the exact chance.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike
from scipy import sparse, special  # type: ignore[import-untyped]

from pilothouse.problems.engine.chance import binomial_tail
from pilothouse.problems.engine.columns import (
    ASSIGNEE,
    CI,
    CLASS,
    GROUP,
    KIND,
    REQUESTER,
    SERVICE,
    SITE,
    Bools,
    Fact,
    Floats,
    Ints,
    Tickets,
)
from pilothouse.problems.engine.groups import Group, membership
from pilothouse.problems.engine.saying import oddness

LEAST = 5  # tickets
_LEAST_SHARE = 0.15
_LEAST_LIFT = 2.0
_HIGH_LIFT = 4.0  # for less than a third of the group
_AGREEING = 0.97
_COMPARABLE = 5  # tickets outside the group that a comparison needs
# What follows from the kind of trouble, and says nothing of where it shows.
UNTESTED = frozenset({*KIND, SERVICE, GROUP, ASSIGNEE, CLASS})


@dataclass(frozen=True, slots=True)
class Facet:
    """A value on which a group concentrates: `count` of `known` tickets have it, `expected` by chance."""

    fact: str
    value: str
    count: int
    known: int
    expected: float
    chance: float
    same: tuple[str, ...] = ()  # other values that the same tickets have
    said: str = ""  # the value as people say it, where that is more: "macOS 14.2"

    @property
    def words(self) -> str:
        """The value as people say it."""
        return self.said or self.value

    @property
    def lift(self) -> float:
        """How many times what was expected."""
        return self.count / max(self.expected, 0.05)

    @property
    def share(self) -> float:
        """Which part of the group's tickets that have the fact has this value."""
        return self.count / max(self.known, 1)


class Comparison:
    """Tickets by what they may be compared within; built once for all groups."""

    def __init__(self, tickets: Tickets, attributes: Sequence[str]) -> None:
        self.tickets = tickets
        self._determined: dict[tuple[str, str], bool] = {}
        self.attributes = frozenset(attributes)
        self.attributes |= {name for name in self.names() if name not in self.attributes and self._determines(CI, name)}
        klass, service = tickets.fact(CLASS).codes.astype(np.int64), tickets.fact(SERVICE).codes.astype(np.int64)
        self._by_class = klass
        self._by_service = service
        self._by_both = (klass + 1) * (len(tickets.fact(SERVICE).names) + 1) + service + 1
        self.tested = 0
        self._joint: dict[str, tuple[Ints, Ints, Ints]] = {}
        self._asked: tuple[Ints, str, Ints, Ints] | None = None

    def strata(self, name: str) -> Ints:
        """Return within which tickets a fact is compared, as a number a ticket."""
        found = self._by_both if name == CI else self._by_class if name in self.attributes else self._by_service
        return np.asarray(np.unique(found, return_inverse=True)[1], dtype=np.int64)

    def names(self) -> list[str]:
        """Return the facts that are tested."""
        return [name for name, fact in self.tickets.facts.items() if name not in UNTESTED and len(fact.names) > 1]

    def _tables(self, name: str) -> tuple[Ints, Ints, Ints]:
        """Return a fact's strata, how many tickets each has, and how many of them have each value (flat)."""
        if name not in self._joint:
            fact, strata = self.tickets.facts[name], self.strata(name)
            known = fact.codes >= 0
            totals = np.bincount(strata[known], minlength=int(strata.max()) + 1)
            keys, counts = np.unique(strata[known] * len(fact.names) + fact.codes[known], return_counts=True)
            self._joint[name] = strata, totals.astype(np.int64), np.stack((keys, counts))
        return self._joint[name]

    def test(self, rows: Ints, name: str, code: int) -> Facet | None:
        """Test one value of a fact in one group; None when nothing is comparable, or there is nothing to it."""
        fact = self.tickets.facts[name]
        strata, totals, pairs = self._tables(name)
        inside, counts = self._inside(rows, name)
        if not len(inside):
            return None
        has = fact.codes[inside] == code
        hits = np.bincount(strata[inside[has]], minlength=len(totals))
        wanted = np.arange(len(totals)) * len(fact.names) + code
        at = np.minimum(np.searchsorted(pairs[0], wanted), len(pairs[0]) - 1)
        having = np.where(pairs[0][at] == wanted, pairs[1][at], 0)
        outside, outside_hits = totals - counts, having - hits
        fair = (counts > 0) & (outside >= _COMPARABLE) & (outside >= 0.5 * counts)
        if not fair.any() or (name in self.attributes and not self._many_items(inside[has])):
            return None
        known, count = int(counts[fair].sum()), int(hits[fair].sum())
        share = (outside_hits[fair] + 0.5) / (outside[fair] + 1)
        expected = float((share * counts[fair]).sum())
        if not _worth(count, known, expected):
            return None
        # What was seen outside is itself a sample: the chance is taken at the upper end of what it may stand for.
        most = float((special.betaincinv(outside_hits[fair] + 1, outside[fair] - outside_hits[fair] + 0.5, 0.95) * counts[fair]).sum())
        share_at_most = min(most / known, 1.0)
        chance = float(binomial_tail(count, known, share_at_most))
        if name in self.attributes:
            kept = fair[strata[inside]]
            chance = max(chance, self._chance_of_items(inside[kept], has[kept], share_at_most))
        return Facet(name, fact.names[code], count, known, expected, chance)

    def _inside(self, rows: Ints, name: str) -> tuple[Ints, Ints]:
        """Return the rows that have a fact, and how many of them each stratum has; the same rows are often asked again."""
        if self._asked is None or self._asked[0] is not rows or self._asked[1] != name:
            strata, totals, _ = self._tables(name)
            inside = rows[self.tickets.facts[name].codes[rows] >= 0]
            self._asked = rows, name, inside, np.bincount(strata[inside], minlength=len(totals))
        return self._asked[2], self._asked[3]

    def _chance_of_items(self, rows: Ints, has: Bools, share: float) -> float:
        """Return the chance with each CI counted once: an attribute is the CI's, however many tickets it has."""
        codes = self.tickets.fact(CI).codes[rows]
        known = codes >= 0
        if not known.any():
            return 0.0
        return float(binomial_tail(len(np.unique(codes[known & has])), len(np.unique(codes[known])), share))

    def _many_items(self, rows: Ints) -> bool:
        """Say whether tickets are about several CIs, none of them most: else it is the CI that counts, not its attribute."""
        codes = self.tickets.fact(CI).codes[rows]
        counts = np.bincount(codes[codes >= 0], minlength=1)
        total = counts.sum()
        return bool(np.count_nonzero(counts) >= LEAST and counts.max() <= 0.4 * total) if total else CI not in self.tickets.facts

    def screen(self, groups: list[Group]) -> list[list[Facet]]:
        """Return for each group the facets that are worth a look; every value of every group counts as tested."""
        found: list[list[Facet]] = [[] for _ in groups]
        if not groups:
            return found
        inside = membership(groups, len(self.tickets))
        for name in self.names():
            self._screen(name, self.tickets.facts[name], groups, inside, found)
        return found

    def _screen(self, name: str, fact: Fact, groups: list[Group], inside: sparse.csr_array, found: list[list[Facet]]) -> None:
        known = np.flatnonzero(fact.codes >= 0)
        table = sparse.csr_array((np.ones(len(known), np.float32), (known, fact.codes[known])), shape=(len(fact.codes), len(fact.names)))
        counts = (inside @ table).tocoo()
        having = np.asarray(inside @ (fact.codes >= 0).astype(np.float32))
        overall = fact.counts / max(len(known), 1)
        group, code, count = counts.row, counts.col, counts.data
        self.tested += int((count >= 2).sum())
        likely = (count >= _LEAST_SHARE * having[group]) & _worth(count, having[group], overall[code] * having[group])
        for g, c in zip(group[likely].tolist(), code[likely].tolist(), strict=True):
            if not self._given(groups[g], name):
                facet = self.test(groups[g].rows, name, c)
                if facet is not None:
                    found[g].append(facet)

    def _given(self, group: Group, name: str) -> bool:
        """Say whether a group has a value because of what it is: a CI its own attributes."""
        if name in group.source or (group.source == CI and (name in self.attributes or name in (REQUESTER, SITE))):
            return True
        return any(self._determines(source, name) for source in group.source.split(" and "))

    def _determines(self, source: str, name: str) -> bool:
        """Say whether tickets that agree in one fact agree in another, as CIs do in their model: learnt from the data."""
        if source not in self.tickets.facts or source == name:
            return False
        if (source, name) not in self._determined:
            self._determined[source, name] = _agree(self.tickets.facts[source], self.tickets.facts[name])
        return self._determined[source, name]

    def paired(self, rows: Ints, first: Facet, second: Facet) -> Facet | None:
        """Test the values of two facets together; where one is an attribute of CIs, both are taken for one."""
        a, b = self.tickets.facts[first.fact], self.tickets.facts[second.fact]
        name = f"{first.fact} and {second.fact}"
        both = a.having(first.value) & b.having(second.value)
        known = (a.codes >= 0) & (b.codes >= 0)
        fact = Fact(np.where(known, both, -1).astype(np.int32), ("", f"{first.value} and {second.value}"))
        facts = {each: self.tickets.facts[each] for each in (CI, CLASS, SERVICE) if each in self.tickets.facts} | {name: fact}
        attributes = [name] if first.fact in self.attributes else []
        return Comparison(Tickets(self.tickets.keys, facts=facts), attributes).test(rows, name, 1)

    def of(self, rows: Ints, group: Group) -> list[Facet]:
        """Return the facets of tickets that are part of a group, the least likely first."""
        found = []
        for name in self.names():
            fact = self.tickets.facts[name]
            codes = fact.codes[rows]
            counts = np.bincount(codes[codes >= 0], minlength=1)
            self.tested += int((counts >= 2).sum())
            if self._given(group, name):
                continue
            for code in np.flatnonzero((counts >= LEAST) & (counts >= _LEAST_SHARE * max(counts.sum(), 1))).tolist():
                facet = self.test(rows, name, code)
                if facet is not None:
                    found.append(facet)
        return sorted(found, key=lambda facet: (facet.chance, -facet.lift, facet.fact, facet.value))


def _agree(source: Fact, other: Fact) -> bool:
    both = np.flatnonzero((source.codes >= 0) & (other.codes >= 0))
    own, counts = np.unique(source.codes[both], return_counts=True)
    repeated = counts >= 2
    total = int(counts[repeated].sum())
    if total < 50 or len(np.unique(other.codes[both])) < 2 or int(repeated.sum()) < 2:
        return False
    pairs, sizes = np.unique(source.codes[both].astype(np.int64) * len(other.names) + other.codes[both], return_counts=True)
    most = np.zeros(len(source.names), np.int64)
    np.maximum.at(most, pairs // len(other.names), sizes)
    return bool(most[own[repeated]].sum() >= _AGREEING * total)


def _worth(count: ArrayLike, known: ArrayLike, expected: ArrayLike) -> Bools:
    """Say whether a value is frequent enough to speak of: twice what was expected, or nearly all and a quarter more."""
    k, n, e = (np.asarray(each, dtype=np.float64) for each in (count, known, expected))
    return np.asarray(
        (k >= LEAST) & ((k >= _LEAST_LIFT * e) & ((k >= 0.3 * n) | (k >= _HIGH_LIFT * e)) | ((k >= 0.85 * n) & (k >= 1.25 * e)))
    )


def independent(facets: Sequence[Facet], rows: Ints, facts: Mapping[str, Fact], most: int = 3) -> list[Facet]:
    """Return the strongest facets; those that only say the same tickets again are named with them.

    Of values that hold the very same tickets, here and everywhere, the one that people say leads.
    """
    kept: list[tuple[Facet, Floats]] = []
    for facet in facets:
        has = facts[facet.fact].having(facet.value, rows).astype(np.float64)
        twin = next((i for i, (_, other) in enumerate(kept) if _overlap(has, other) >= 0.9), -1)
        if twin >= 0:
            first, other = kept[twin]
            lead, after = (facet, first) if _says_it_better(facet, first, facts) else (first, facet)
            kept[twin] = replace(lead, same=(*first.same, f"{after.fact} {after.value}")), other
        elif len(kept) < most:
            kept.append((facet, has))
    return [replace(facet, said=_said(facet, rows, facts)) for facet, _ in kept]


def _says_it_better(facet: Facet, than: Facet, facts: Mapping[str, Fact]) -> bool:
    if oddness(facet.fact, facet.value) >= oddness(than.fact, than.value):
        return False
    return bool((facts[facet.fact].having(facet.value) == facts[than.fact].having(than.value)).all())


def _said(facet: Facet, rows: Ints, facts: Mapping[str, Fact]) -> str:
    """Return a version or build with what it is one of, where all of its tickets have that: "macOS 14.2"."""
    stem, found, _ = re.sub(r"[_ ](version|build)$", "=", facet.fact).partition("=")
    if not found or stem not in facts:
        return ""
    name = facts[stem].mostly(rows[facts[facet.fact].having(facet.value, rows)], 1)
    return f"{name} {facet.value}" if name and name.casefold() not in facet.value.casefold() else ""


def _overlap(a: Floats, b: Floats) -> float:
    return float((a * b).sum() / max(np.maximum(a, b).sum(), 1))
