"""Portions of lives sorted by shape under one rulebook or several, and laid out in columns; what was learnt of shapes is kept; pure."""

from collections.abc import Callable, Sequence
from itertools import chain

import numpy as np

from pilothouse.sla.engine.clock import Clock
from pilothouse.sla.engine.columns import Patterns, Portion, Routes, Sheet, lay_out, numbers
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
        opened, variants, effects = portion.opened, [0] * len(portion.lines), [list[int]()] * len(portion.lines)
        ruled = np.searchsorted(self.bounds, opened, side="right")
        for place in np.unique(ruled).tolist():
            own = np.flatnonzero(ruled == place).tolist()
            shapes = self._shapes(int(opened[own[0]]))
            for at in own:
                variant, effects[at] = shapes.sort(portion.lines[at])
                variants[at] = variant.number
        self._take_up()
        has_effect = np.fromiter(chain.from_iterable(effects), np.int64, len(portion.instants)) != NOTHING
        return lay_out(self.patterns, self.routes, numbers(variants), portion.only(has_effect))

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
