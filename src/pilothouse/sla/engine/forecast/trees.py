"""Gradient-boosted trees as plain numbers: judged with numpy alone, kept as JSON.

A node goes left when its feature is at most the threshold (or is missing, where `missing_left` says so); a leaf is its own child.
The score of a row is the base score plus the values of the leaves it falls into; scores are log-odds. What a feature contributed
to a row is the sum of the changes in value over the splits on it that the row passed (Saabas, "Interpreting random forests", 2014).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from pilothouse.sla.engine.forecast.history import Floats, Ints

_ROWS_AT_ONCE = 4096


@dataclass(frozen=True, slots=True)
class Trees:
    """The nodes of all trees in one row; `roots` has where each tree begins, `value` the mean of a node's leaves."""

    base: float
    roots: Ints
    feature: Ints
    threshold: Floats
    missing_left: Ints
    left: Ints
    right: Ints
    value: Floats
    depth: int

    def scores(self, rows: Floats) -> Floats:
        """Return the log-odds of each row."""
        parts = [self._leaves(rows[i : i + _ROWS_AT_ONCE], None) for i in range(0, len(rows), _ROWS_AT_ONCE)]
        return np.concatenate(parts) if parts else np.zeros(0)

    def explained(self, rows: Floats) -> tuple[Floats, Floats]:
        """Return the log-odds of each row, and of each row what each feature contributed to it."""
        shares = np.zeros(rows.shape)
        parts = [self._leaves(rows[i : i + _ROWS_AT_ONCE], shares[i : i + _ROWS_AT_ONCE]) for i in range(0, len(rows), _ROWS_AT_ONCE)]
        return (np.concatenate(parts) if parts else np.zeros(0)), shares

    def _leaves(self, rows: Floats, shares: Floats | None) -> Floats:
        """Let rows fall through every tree at once, adding to `shares` what each split changed."""
        count, width = rows.shape
        node = np.broadcast_to(self.roots, (count, len(self.roots))).copy()
        own = np.arange(count)[:, None]
        for _ in range(self.depth):
            feature = self.feature[node]
            value = rows[own, feature]
            goes_left = np.where(np.isnan(value), self.missing_left[node] == 1, value <= self.threshold[node])
            after = np.where(goes_left, self.left[node], self.right[node])
            if shares is not None:
                change = (self.value[after] - self.value[node]).ravel()
                shares += np.bincount((own * width + feature).ravel(), change, count * width).reshape(count, width)
            node = after
        total: Floats = self.base + self.value[node].sum(axis=1)
        return total

    def as_json(self) -> dict[str, Any]:
        """Return the trees in JSON's terms."""
        columns = ("roots", "feature", "missing_left", "left", "right")
        numbers: dict[str, Any] = {name: getattr(self, name).tolist() for name in columns}
        return {"base": self.base, "depth": self.depth, "threshold": self.threshold.tolist(), "value": self.value.tolist(), **numbers}

    @classmethod
    def from_json(cls, kept: Mapping[str, Any]) -> "Trees":
        """Read what `as_json` gave."""
        whole = {name: np.asarray(kept[name], np.int64) for name in ("roots", "feature", "missing_left", "left", "right")}
        broken = {name: np.asarray(kept[name], np.float64) for name in ("threshold", "value")}
        columns: dict[str, Any] = {**whole, **broken}
        return cls(base=float(kept["base"]), depth=int(kept["depth"]), **columns)


def joined(base: float, trees: Sequence[Any]) -> Trees:
    """Return trees from scikit-learn's node tables (structured arrays, one a tree)."""
    sizes = np.array([len(nodes) for nodes in trees], np.int64)
    roots = np.cumsum(sizes) - sizes
    column = {name: np.concatenate([nodes[name] for nodes in trees]) for name in trees[0].dtype.names}
    shift, leaf = np.repeat(roots, sizes), column["is_leaf"].astype(bool)
    itself = np.arange(int(sizes.sum()))
    left = np.where(leaf, itself, column["left"].astype(np.int64) + shift)
    right = np.where(leaf, itself, column["right"].astype(np.int64) + shift)
    depth = int(column["depth"].max())
    return Trees(
        base,
        roots,
        np.where(leaf, 0, column["feature_idx"].astype(np.int64)),
        np.nan_to_num(np.where(leaf, 0.0, column["num_threshold"].astype(np.float64)), posinf=1e300),
        column["missing_go_to_left"].astype(np.int64),
        left,
        right,
        _values(column, leaf, left, right, depth),
        depth,
    )


def _values(column: Mapping[str, Any], leaf: Any, left: Ints, right: Ints, depth: int) -> Floats:
    """Return each node's value: a leaf's own, above it the mean over the training rows that came by."""
    value, weight = np.where(leaf, column["value"], 0.0), column["count"].astype(np.float64)
    for level in reversed(range(depth)):
        here = np.flatnonzero((column["depth"] == level) & ~leaf)
        a, b = left[here], right[here]
        value[here] = (value[a] * weight[a] + value[b] * weight[b]) / (weight[a] + weight[b])
    return value
