"""Words become short vectors in which words that keep the same company lie near (latent semantic analysis).

"drops", "disconnects" and "tunnel" come in the same tickets and so point the same way: two tickets that share no word may be near.
The directions are learnt from a bounded sample, so that the cost grows with the number of tickets and no faster.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse  # type: ignore[import-untyped]

Matrix = NDArray[np.float32]
SAMPLE = 20_000
DIRECTIONS = 80


@dataclass(frozen=True, slots=True, eq=False)
class Space:
    """Weights of words and the directions that they span."""

    weights: Matrix
    directions: Matrix  # a row a word

    def place(self, counts: sparse.csr_array) -> Matrix:
        """Return unit vectors of tickets (a row each); a ticket without known words gets zeros."""
        weighted = self.weighted(counts)
        found = np.asarray(weighted @ self.directions, dtype=np.float32)
        return unit(found)

    def weighted(self, counts: sparse.csr_array) -> sparse.csr_array:
        """Return counts of words as weights, each row of length one."""
        data = (1 + np.log(counts.data)) * self.weights[counts.indices]
        made = sparse.csr_array((data.astype(np.float32), counts.indices, counts.indptr), shape=counts.shape)
        return _unit_rows(made)


def unit(vectors: Matrix) -> Matrix:
    """Return vectors of length one; zeros stay zeros."""
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / np.maximum(lengths, 1e-9), dtype=np.float32)


def _unit_rows(matrix: sparse.csr_array) -> sparse.csr_array:
    squares = np.add.reduceat(np.append(matrix.data**2, 0), matrix.indptr[:-1]) if matrix.nnz else np.zeros(matrix.shape[0])
    squares[np.diff(matrix.indptr) == 0] = 0
    lengths = np.sqrt(np.maximum(squares, 1e-12)).astype(np.float32)
    data = matrix.data / np.repeat(lengths, np.diff(matrix.indptr))
    return sparse.csr_array((data, matrix.indices, matrix.indptr), shape=matrix.shape)


def sample_of(counts: sparse.csr_array, most: int = SAMPLE) -> NDArray[np.int64]:
    """Return rows with words, each combination of words once, spread evenly over all."""
    filled = np.flatnonzero(np.diff(counts.indptr) > 0)
    marks = _marks(counts)[filled]
    _, first = np.unique(marks, return_index=True)
    different = np.sort(filled[first])
    if len(different) <= most:
        return different
    return different[np.linspace(0, len(different) - 1, most).astype(np.int64)]


def _marks(counts: sparse.csr_array) -> NDArray[np.float64]:
    """Return a number a row that rows with the same words share."""
    values = np.random.default_rng(1).random(counts.shape[1])
    return np.asarray(counts @ values)


def learn(counts: sparse.csr_array, sample: NDArray[np.int64]) -> Space:
    """Learn the space from a sample of rows; weights are learnt from all of them."""
    spread = np.bincount(counts.indices, minlength=counts.shape[1])
    weights = (np.log((1 + counts.shape[0]) / (1 + spread)) + 1).astype(np.float32)
    space = Space(weights, np.zeros((counts.shape[1], 1), np.float32))
    table = space.weighted(counts[sample])
    wanted = min(DIRECTIONS, min(table.shape) - 1)
    if wanted < 2:
        return Space(weights, np.eye(counts.shape[1], dtype=np.float32)[:, :DIRECTIONS])
    return Space(weights, _main_directions(table, wanted))


def _main_directions(table: sparse.csr_array, wanted: int) -> Matrix:
    """Return the main right singular vectors (a column each), by power iteration from a seeded beginning.

    Subspace iteration (Halko, Martinsson, Tropp: Finding structure with randomness, 2011, section 4.5). Signs are fixed, so that
    they do not depend on how the sums were made.
    """
    width = min(wanted + 10, table.shape[1])
    basis = np.linalg.qr(np.random.default_rng(0).standard_normal((table.shape[1], width)).astype(np.float32))[0]
    for _ in range(4):
        basis = np.linalg.qr(table.T @ (table @ basis))[0]
    seen = table @ basis
    _, turned = np.linalg.eigh(seen.T @ seen)
    right = (basis @ turned[:, ::-1][:, :wanted]).T
    signs = np.sign(right[np.arange(len(right)), np.argmax(np.abs(right), axis=1)])
    return np.ascontiguousarray((right * signs[:, None]).T, dtype=np.float32)
