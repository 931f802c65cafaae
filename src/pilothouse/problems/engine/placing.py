"""Where a new ticket belongs: its family, and the candidates that it looks like, without mining anew.

A ticket is read by what was learnt from the others, so that placing costs the same however many they are. It is like a candidate
when enough of its neighbours (the tickets of its small cluster) belong to it, or when it is about the one CI that the candidate is
about; both say why.
"""

from dataclasses import dataclass

import numpy as np
from scipy import sparse  # type: ignore[import-untyped]

from pilothouse.problems.engine.columns import CI
from pilothouse.problems.engine.families import kinds_of
from pilothouse.problems.engine.mine import Mined
from pilothouse.problems.engine.words import names_in

_ENOUGH = 0.3  # of the neighbours
_NEAR = 0.35  # cosine to the centre of the small cluster; less is no likeness
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
        self._kinds_asked = kinds_of(mined.tickets)
        self._kinds = self._known_kinds()

    def _known_kinds(self) -> dict[tuple[str, ...], int]:
        """Return the family of each combination of kinds, where families are made of them."""
        if self._mined.families.centres is not None:
            return {}
        facts = [self._mined.tickets.facts[name] for name in self._kinds_asked]
        labels = self._mined.families.labels
        _, first = np.unique(labels, return_index=True)
        return {
            tuple(fact.names[fact.codes[row]] if fact.codes[row] >= 0 else "" for fact in facts): int(labels[row]) for row in first.tolist()
        }

    def place(self, title: str, text: str = "", **facts: str) -> Place:
        """Place a ticket by its words and facts (`CI="…"`, `category="…"`)."""
        family, cluster, nearness = self._nearest(title, text, facts)
        like = [Likeness(rank, share, f"{share:.0%} of the tickets with such words are of it") for rank, share in self._shares_of(cluster)]
        known = {each.rank for each in like}
        named = {facts.get(CI, "").upper(), *names_in(f"{title}\n{text}")} - {""}
        for ci in sorted(named):
            like += [
                Likeness(rank, 1.0, f"it is about {ci}, as its tickets are") for rank in self._only_ci.get(ci, ()) if rank not in known
            ]
        return Place(family, nearness, tuple(sorted(like, key=lambda each: (-each.share, each.rank))))

    def _shares_of(self, cluster: int) -> list[tuple[int, float]]:
        return sorted(self._shares[cluster].items()) if 0 <= cluster < len(self._shares) else []

    def _nearest(self, title: str, text: str, facts: dict[str, str]) -> tuple[int, int, float]:
        families, words = self._mined.families, self._mined.words
        if families.centres is None or families.space is None or families.family_of is None or words is None:
            family = self._kinds.get(tuple(facts.get(name, "") for name in self._kinds_asked), -1)
            return family, family, 1.0 if family >= 0 else 0.0
        columns = words.reader.columns(title, text)
        if not columns:
            return -1, -1, 0.0
        places, counts = np.unique(columns, return_counts=True)
        row = sparse.csr_array((counts.astype(np.float32), places, [0, len(places)]), shape=(1, len(words.vocabulary)))
        near = families.space.place(row)[0] @ families.centres.T
        best = int(np.argmax(near))
        if near[best] < _NEAR:
            return -1, -1, float(near[best])
        return int(families.family_of[best]), best, float(near[best])
