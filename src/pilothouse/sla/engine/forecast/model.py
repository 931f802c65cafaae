"""A trained forecast: trees, the calibration of their scores, and the breach rates they were trained with; JSON in, JSON out.

Calibration is Platt's: probability = 1 / (1 + exp(-(slope x score + intercept))), fitted on the latest tickets.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from pilothouse.sla.engine.forecast.features import Features, theme
from pilothouse.sla.engine.forecast.history import Floats
from pilothouse.sla.engine.forecast.rates import Table
from pilothouse.sla.engine.forecast.trees import Trees

FORM = 1  # of the parameters; one that is not known is not used


@dataclass(frozen=True, slots=True)
class Judged:
    """The probability of each moment, and what each theme contributed to its score, in log-odds."""

    probability: Floats
    themes: Sequence[str]
    shares: Floats


@dataclass(frozen=True, slots=True)
class Model:
    """What judges tickets."""

    names: Sequence[str]
    trees: Trees
    slope: float
    intercept: float
    carried: Table

    def probabilities(self, found: Features) -> Floats:
        """Return the probability of a breach at each moment."""
        return self.judge(found).probability

    def judge(self, found: Features) -> Judged:
        """Return the probability of a breach at each moment, with what it comes from."""
        score, shares = self.trees.explained(self._columns(found))
        themes = sorted({theme(name) for name in self.names})
        places = np.array([themes.index(theme(name)) for name in self.names])
        by_theme = np.column_stack([shares[:, places == place].sum(axis=1) for place in range(len(themes))])
        return Judged(probability(self.slope * score + self.intercept), themes, by_theme)

    def _columns(self, found: Features) -> Floats:
        """Return the columns in the model's order; a fact that is gone is missing."""
        there = {name: place for place, name in enumerate(found.names)}
        rows = np.full((len(found.values), len(self.names)), np.nan)
        for place, name in enumerate(self.names):
            if name in there:
                rows[:, place] = found.values[:, there[name]]
        return rows

    def as_json(self) -> dict[str, Any]:
        """Return the parameters in JSON's terms."""
        counts = {fact: {value: list(pair) for value, pair in each.items()} for fact, each in self.carried.counts.items()}
        return {
            "form": FORM,
            "features": list(self.names),
            "trees": self.trees.as_json(),
            "slope": self.slope,
            "intercept": self.intercept,
            "counts": counts,
        }

    @classmethod
    def from_json(cls, kept: Mapping[str, Any]) -> "Model | None":
        """Read what `as_json` gave; None when it is of another form."""
        if kept.get("form") != FORM:
            return None
        counts = {fact: {value: (n, b) for value, (n, b) in each.items()} for fact, each in kept["counts"].items()}
        trees = Trees.from_json(kept["trees"])
        return cls(list(kept["features"]), trees, float(kept["slope"]), float(kept["intercept"]), Table(counts))


def probability(score: Floats) -> Floats:
    """Return the probability of a score in log-odds."""
    found: Floats = 1.0 / (1.0 + np.exp(-np.clip(score, -40.0, 40.0)))
    return found
