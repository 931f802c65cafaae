"""Where a new ticket belongs: its family, and the candidates that it looks like, without mining anew.

A ticket is read by what was learnt from the others, so that placing costs the same however many they are. It is like a candidate
when enough of its neighbours (the tickets of its small cluster) belong to it, or when it is about the one CI that the candidate is
about; both say why.
"""

from dataclasses import dataclass

import numpy as np

from pilothouse.problems.engine.atlas import NOWHERE, Spot, atlas_of
from pilothouse.problems.engine.columns import CI
from pilothouse.problems.engine.families import kinds_of
from pilothouse.problems.engine.mine import Mined
from pilothouse.problems.engine.words import names_in

_ENOUGH = 0.3  # of the neighbours
_ONE_CI = 0.8


@dataclass(frozen=True, slots=True)
class Likeness:
    """A candidate (by rank) that a ticket is like: `why` in words."""

    rank: int
    share: float
    why: str


@dataclass(frozen=True, slots=True)
class Place:
    """A ticket's family (-1: none), how near it is to the others there (cosine), and the candidates that it is like."""

    family: int
    nearness: float
    like: tuple[Likeness, ...]


class Placer:
    """Places tickets in what was mined; made once, asked often."""

    def __init__(self, mined: Mined) -> None:
        self._mined = mined
        families = mined.families
        sizes = np.bincount(families.clusters[families.clusters >= 0], minlength=families.members.shape[1])
        self._shares: list[dict[int, float]] = [{} for _ in sizes]
        self._only_ci: dict[str, list[int]] = {}
        for finding in mined.findings:
            own = families.clusters[finding.candidate.rows]
            counts = np.bincount(own[own >= 0], minlength=len(sizes))
            for cluster in np.flatnonzero(counts >= np.maximum(_ENOUGH * sizes, 2)).tolist():
                self._shares[cluster][finding.rank] = float(counts[cluster] / sizes[cluster])
            ci = mined.tickets.fact(CI).mostly(finding.candidate.rows, _ONE_CI)
            if ci:
                self._only_ci.setdefault(ci.upper(), []).append(finding.rank)
        self._atlas = atlas_of(families, mined.words)
        self._kinds_asked = kinds_of(mined.tickets)
        self._kinds = self._known_kinds()

    def _known_kinds(self) -> dict[tuple[str, ...], int]:
        """Return the family of each combination of kinds, where families are made of them."""
        if self._atlas is not None:
            return {}
        facts = [self._mined.tickets.facts[name] for name in self._kinds_asked]
        labels = self._mined.families.labels
        _, first = np.unique(labels, return_index=True)
        return {
            tuple(fact.names[fact.codes[row]] if fact.codes[row] >= 0 else "" for fact in facts): int(labels[row]) for row in first.tolist()
        }

    def place(self, title: str, text: str = "", **facts: str) -> Place:
        """Place a ticket by its words and facts (`CI="…"`, `category="…"`)."""
        spot = self._atlas.place(title, text) if self._atlas else self._by_kind(facts)
        of_words = self._shares_of(spot.cluster)
        like = [Likeness(rank, share, f"{share:.0%} of the tickets with such words are of it") for rank, share in of_words]
        known = {each.rank for each in like}
        named = {facts.get(CI, "").upper(), *names_in(f"{title}\n{text}")} - {""}
        for ci in sorted(named):
            like += [
                Likeness(rank, 1.0, f"it is about {ci}, as its tickets are") for rank in self._only_ci.get(ci, ()) if rank not in known
            ]
        return Place(spot.family, spot.nearness, tuple(sorted(like, key=lambda each: (-each.share, each.rank))))

    def _shares_of(self, cluster: int) -> list[tuple[int, float]]:
        return sorted(self._shares[cluster].items()) if 0 <= cluster < len(self._shares) else []

    def _by_kind(self, facts: dict[str, str]) -> Spot:
        family = self._kinds.get(tuple(facts.get(name, "") for name in self._kinds_asked), -1)
        return Spot(family, family, 1.0) if family >= 0 else NOWHERE
