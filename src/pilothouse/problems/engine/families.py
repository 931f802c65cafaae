"""Families: tickets about the same trouble.

From texts: small clusters of near vectors, joined step by step into a tree, so that a trouble may be looked at as narrowly or as
widely as its evidence asks. Cutting the tree at `SAME` gives each ticket one family. Without texts, tickets that agree on the facts of
their kind (category, subcategory, …) are one family.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse  # type: ignore[import-untyped]

from pilothouse.problems.engine.columns import KIND, Fact, Tickets
from pilothouse.problems.engine.vectors import Matrix, Space, learn, sample_of, unit
from pilothouse.problems.engine.words import Words

Labels = NDArray[np.int32]
SAME = 0.45  # cosine distance up to which clusters are the same trouble
_MOST_CLUSTERS = 1500
_ROUNDS = 8
_CHUNK = 50_000


@dataclass(frozen=True, slots=True, eq=False)
class Families:
    """Each ticket's family (-1: none can be told), each ticket's small cluster, and how clusters join.

    `members` says which small clusters (columns) each node of the tree (rows) holds; the first nodes are the clusters themselves.
    """

    labels: Labels
    clusters: Labels
    members: sparse.csr_array
    space: Space | None = None
    centres: Matrix | None = None
    family_of: Labels | None = None  # of each small cluster

    @property
    def count(self) -> int:
        """How many families there are."""
        return int(self.labels.max()) + 1 if len(self.labels) else 0


def gather(tickets: Tickets, words: Words | None) -> Families:
    """Gather tickets into families by their texts, or without any by the facts of their kind."""
    if words is None or words.counts.nnz == 0:
        return _by_kind(tickets)
    sample = sample_of(words.counts)
    if len(sample) < 3:
        return _alike(words)
    space = learn(words.counts, sample)
    vectors = space.place(words.counts)
    centres = _centres(vectors[sample], int(np.clip(len(sample) // 3, 2, _MOST_CLUSTERS)))
    clusters = nearest(vectors, centres)
    return _tree(clusters, centres, space)


def nearest(vectors: Matrix, centres: Matrix) -> Labels:
    """Return the nearest centre of each vector, -1 for one without direction."""
    found = np.empty(len(vectors), np.int32)
    for start in range(0, len(vectors), _CHUNK):
        part = vectors[start : start + _CHUNK]
        found[start : start + _CHUNK] = np.argmax(part @ centres.T, axis=1)
    found[~vectors.any(axis=1)] = -1
    return found


def _centres(vectors: Matrix, count: int) -> Matrix:
    """Return the centres of so many clusters on the sphere (Lloyd's rounds from evenly spread beginnings)."""
    order = np.lexsort(vectors[:, : min(6, vectors.shape[1])].T)  # neighbours in the main directions
    centres = vectors[order[np.linspace(0, len(order) - 1, count).astype(np.int64)]]
    for _ in range(_ROUNDS):
        labels = nearest(vectors, centres)
        known = labels >= 0
        gathered = sparse.csr_array(
            (np.ones(int(known.sum()), np.float32), (labels[known], np.flatnonzero(known))), shape=(len(centres), len(vectors))
        )
        centres = unit(np.asarray(gathered @ vectors, dtype=np.float32))
        centres = centres[centres.any(axis=1)]
    return centres


def _tree(clusters: Labels, centres: Matrix, space: Space | None) -> Families:
    from scipy.cluster.hierarchy import fcluster, linkage  # type: ignore[import-untyped]  # heavy start-up

    count = len(centres)
    if count < 2:
        members = sparse.csr_array(np.ones((1, 1), np.float32))
        return Families(clusters.copy(), clusters, members, space, centres, np.zeros(1, np.int32))
    joins = linkage(centres.astype(np.float64), "average", metric="cosine")
    joins[:, 2] = np.maximum(joins[:, 2], 0)
    family_of = _in_order(fcluster(joins, SAME, "distance").astype(np.int32), clusters)
    labels = np.where(clusters >= 0, family_of[clusters], -1).astype(np.int32)
    return Families(labels, clusters, _members(joins, count), space, centres, family_of)


def joined(labels: Labels, fact: Fact) -> Labels:
    """Split families by a fact (the CI) where it stands out in them: at least three tickets, and five times its usual share.

    What is left of a family stays together; tickets without a family get none.
    """
    known = np.flatnonzero((labels >= 0) & (fact.codes >= 0))
    if not len(known):
        return labels
    width = np.int64(len(fact.names) + 1)
    pairs, place, counts = np.unique(labels[known] * width + fact.codes[known], return_inverse=True, return_counts=True)
    inside = np.bincount(labels[known], minlength=int(labels.max()) + 1)
    usual = fact.counts / max(len(known), 1)
    stands = (counts >= 3) & (counts / inside[pairs // width] >= 5 * usual[pairs % width])
    own = labels.astype(np.int64) * width + width - 1
    own[known] = np.where(stands[place], pairs[place], own[known])
    own[labels < 0] = -1
    order = {label: i for i, label in enumerate(dict.fromkeys(own[own >= 0].tolist()))}
    return np.array([order.get(label, -1) for label in own.tolist()], np.int32)


def _in_order(raw: Labels, clusters: Labels) -> Labels:
    """Number families by the first ticket of each."""
    seen: dict[int, int] = {}
    for cluster in dict.fromkeys(clusters[clusters >= 0].tolist()):
        seen.setdefault(int(raw[cluster]), len(seen))
    return np.array([seen.setdefault(int(r), len(seen)) for r in raw], np.int32)


def _members(joins: NDArray[np.float64], count: int) -> sparse.csr_array:
    inside: list[list[int]] = [[i] for i in range(count)]
    inside += [[] for _ in joins]
    for step, (left, right, _, _) in enumerate(joins):
        inside[count + step] = inside[int(left)] + inside[int(right)]
    rows = np.repeat(np.arange(len(inside)), [len(each) for each in inside])
    columns = np.concatenate([np.array(each) for each in inside])
    return sparse.csr_array((np.ones(len(rows), np.float32), (rows, columns)), shape=(len(inside), count))


def _alike(words: Words) -> Families:
    """Gather texts so few that there is nothing to learn from: those with the same words are one family."""
    marks = np.asarray(words.counts @ np.random.default_rng(1).random(words.counts.shape[1]))
    return _flat(np.where(np.diff(words.counts.indptr) > 0, np.unique(marks, return_inverse=True)[1], -1).astype(np.int32))


def kinds_of(tickets: Tickets) -> list[str]:
    """Return the facts that make families where there are no texts.

    How a case was resolved is not known when it comes; what callers name as its symptom varies within one trouble, so that it counts
    only where nothing narrower than a category is known.
    """
    known = [name for name in KIND if name in tickets.facts and name != "resolution code"]
    return [name for name in known if name != "symptom"] if "subcategory" in known else known


def _by_kind(tickets: Tickets) -> Families:
    names = kinds_of(tickets)
    if not names:
        return _flat(np.full(len(tickets), -1, np.int32))
    table = np.stack([tickets.facts[name].codes for name in names], axis=1)
    _, labels = np.unique(table, axis=0, return_inverse=True)
    return _flat(np.where((table >= 0).any(axis=1), labels.reshape(-1), -1).astype(np.int32))


def _flat(raw: Labels) -> Families:
    """Make families without a tree above them, numbered by the first ticket of each."""
    order = {label: i for i, label in enumerate(dict.fromkeys(raw[raw >= 0].tolist()))}
    labels = np.array([order.get(label, -1) for label in raw.tolist()], np.int32)
    count = max(len(order), 1)
    return Families(
        labels, labels, sparse.csr_array(sparse.eye_array(count, dtype=np.float32)), None, None, np.arange(count, dtype=np.int32)
    )
