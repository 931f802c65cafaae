"""Portions of lives sorted by shape under one rulebook or several, and laid out in columns; what was learnt of shapes is kept; pure."""

from collections.abc import Callable, Sequence

import numpy as np

from pilothouse.sla.engine.clock import Clock
from pilothouse.sla.engine.columns import Patterns, Portion, Routes, Sheet, lay_out
from pilothouse.sla.engine.ragged import spread
from pilothouse.sla.engine.rules import Rulebook
from pilothouse.sla.engine.shapes import NOTHING, Catalogue, Shape, Shapes

_MOST_VARIANTS = 200_000


class Sorting:
    """Sorts portions of lives; `take(shape)` is called with each new shape, in order, and returns the clocks to be its patterns."""

    def __init__(self, rulebooks: Sequence[Rulebook], take: Callable[[Shape], Sequence[Clock]]) -> None:
        self.rulebooks, self.take = rulebooks, take
        self.catalogue, self.patterns, self.routes = Catalogue(), Patterns(), Routes()
        self.known: dict[tuple[int, ...], Shapes] = {}
        self.bounds = np.array(sorted({bound for each in rulebooks for bound in each.bounds}), np.int64)
        self.taken = 0

    @property
    def is_full(self) -> bool:
        """So much was learnt that it is to be forgotten, or memory would grow with the number of lives."""
        return len(self.catalogue.variants) > _MOST_VARIANTS

    def sheet(self, portion: Portion) -> Sheet:
        """Lay out the rows of a portion's tickets."""
        opened, begins, counts = portion.opened, portion.begins, portion.counts
        variants, effects = np.zeros(len(counts), np.int64), np.zeros(len(portion.lines), np.int64)
        ruled = np.searchsorted(self.bounds, opened, side="right")
        for place in np.unique(ruled).tolist():
            own = np.flatnonzero(ruled == place)
            events = spread(begins[own], counts[own])
            lines = portion.lines if len(own) == len(counts) else [portion.lines[event] for event in events.tolist()]
            variants[own], effects[events] = self._shapes(int(opened[own[0]])).sort(lines, counts[own])
        self._take_up()
        return lay_out(self.patterns, self.routes, variants, portion.only(effects != NOTHING))

    def _shapes(self, opened: int) -> Shapes:
        rules = [each.at(opened) for each in self.rulebooks]
        key = tuple(map(id, rules))
        if key not in self.known:
            self.known[key] = Shapes(rules, self.catalogue)
        return self.known[key]

    def _take_up(self) -> None:
        for shape in self.catalogue.shapes[self.taken :]:
            self.patterns.add_shape(self.take(shape))
        self.taken = len(self.catalogue.shapes)
        for variant in self.catalogue.variants[len(self.routes.shapes) :]:
            self.routes.add(variant)
