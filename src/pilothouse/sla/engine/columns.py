"""Many tickets' clocks as columns: the instants of each row's clock, read from its ticket's moments by the numbers of its shape; pure.

A row is one pattern (a clock of a shape, its instants being numbers of moments) of one ticket. Everything is spread from the tables of
patterns and variants with numpy, so that a row costs no more than a few additions.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pilothouse.sla.engine.clock import Clock
from pilothouse.sla.engine.lives import HEAD
from pilothouse.sla.engine.ragged import Numbers, Ragged, numbers, within
from pilothouse.sla.engine.shapes import Variant

ABSENT = -1


class Patterns:
    """The clocks of shapes as columns; those of one shape stand one after the other. Instants are numbers of moments."""

    def __init__(self) -> None:
        self.clocks = list[Clock]()
        self.of_shapes, self.starts, self.ends = Ragged(), Ragged(), Ragged()
        self._columns: tuple[Numbers, Numbers, Numbers] | None = None

    def add_shape(self, clocks: Sequence[Clock]) -> None:
        """Take up the clocks of the next shape."""
        self.of_shapes.add(range(len(self.clocks), len(self.clocks) + len(clocks)))
        for clock in clocks:
            self.starts.add([start for start, _ in clock.segments])
            self.ends.add([end for _, end in clock.segments])
        self.clocks += clocks
        self._columns = None

    @property
    def edges(self) -> tuple[Numbers, Numbers, Numbers]:
        """Where each clock started, since when it runs, and where it ended; ABSENT when it does not or did not."""
        if self._columns is None:
            rows = [
                (c.started, ABSENT if c.running_since is None else c.running_since, ABSENT if c.ended is None else c.ended)
                for c in self.clocks
            ]
            started, since, ended = np.array(rows, np.int64).reshape(-1, 3).T
            self._columns = started, since, ended
        return self._columns


class Routes:
    """Of each variant: its shape, the events at which its moments began, and its groups."""

    def __init__(self) -> None:
        self.shapes, self.moments, self.groups = list[int](), Ragged(), Ragged()

    def add(self, variant: Variant) -> None:
        """Take up the next variant."""
        self.shapes.append(variant.shape)
        self.moments.add(variant.moments)
        self.groups.add(variant.groups)


@dataclass(frozen=True, slots=True)
class Portion:
    """Lives taken apart: the instants of all their events, how many events each has, and the lines of all."""

    instants: Numbers
    counts: Numbers
    lines: Sequence[bytes] = ()

    @classmethod
    def of(cls, stored: Iterable[bytes]) -> "Portion":
        """Take stored lives apart (lives.py says how they are stored)."""
        split = [life.split(b"\n") for life in stored]
        instants = np.fromstring(b",".join([parts[0] for parts in split]).decode(), np.int64, sep=",")
        lines = [line for parts in split for line in parts[HEAD:]]
        return cls(instants, numbers(map(len, split)) - HEAD, lines)

    def only(self, kept: NDArray[np.bool_]) -> "Portion":
        """Return the instants of the events that are to be kept, without lines; of each life at least one is."""
        return Portion(self.instants[kept], within(kept, self.counts))

    @property
    def opened(self) -> Numbers:
        """The instant at which each began."""
        opened: Numbers = self.instants[self.begins]
        return opened

    @property
    def begins(self) -> Numbers:
        """Where the instants of each begin."""
        begins: Numbers = np.cumsum(self.counts) - self.counts
        return begins


@dataclass(slots=True)
class Sheet:
    """The rows of many tickets: of each, the place of its ticket among them, its pattern, and where its ticket's moments begin."""

    patterns: Patterns
    routes: Routes
    variants: Numbers  # of tickets
    shapes: Numbers  # of tickets
    ticket: Numbers
    pattern: Numbers
    first: Numbers
    when: Numbers  # the instants of all tickets' moments

    def at(self, column: Numbers, rows: Numbers) -> Numbers:
        """Return an instant of each of these rows, given the number of its moment for each pattern."""
        moment = column[self.pattern[rows]]
        return np.where(moment < 0, ABSENT, self.when[self.first[rows] + np.maximum(moment, 0)])

    def group(self, places: Numbers, rows: Numbers) -> Numbers:
        """Return the group of each of these rows, given its place among its ticket's groups for each pattern; ABSENT: it has none."""
        flat, starts, _ = self.routes.groups.arrays
        place = places[self.pattern[rows]]
        if not len(flat):
            return np.full(len(rows), ABSENT)
        at = starts[self.variants[self.ticket[rows]]] + np.maximum(place, 0)
        return np.where(place < 0, ABSENT, flat[np.minimum(at, len(flat) - 1)])

    def spans(self, rows: Numbers) -> tuple[Numbers, Numbers, Numbers]:
        """Return where the counted spans of these rows start and end, one row after the other, and how many each has."""
        starts, lengths = self.patterns.starts.of(self.pattern[rows])
        ends, _ = self.patterns.ends.of(self.pattern[rows])
        first = np.repeat(self.first[rows], lengths)
        return self.when[first + starts], self.when[first + ends], lengths


def lay_out(patterns: Patterns, routes: Routes, variants: Numbers, portion: Portion) -> Sheet:
    """Return the rows of a portion's tickets, whose variants are given; the portion has only the events with an effect."""
    shapes = np.array(routes.shapes, np.int64)[variants]
    moments, lengths = routes.moments.of(variants)
    when = portion.instants[np.repeat(portion.begins, lengths) + moments]
    pattern, rows = patterns.of_shapes.of(shapes)
    ticket = np.repeat(np.arange(len(variants)), rows)
    return Sheet(patterns, routes, variants, shapes, ticket, pattern, (np.cumsum(lengths) - lengths)[ticket], when)
