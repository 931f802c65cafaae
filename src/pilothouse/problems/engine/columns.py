"""What the miner reads: tickets as columns, how CIs hang together, and changes.

Instants are whole seconds since 1970 UTC (int64); MISSING stands where none is known. A fact is a column of names, coded: what
kind of trouble (KIND facts), or where it shows (every other). Any column may be missing.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

MISSING = np.iinfo(np.int64).min
CI, CLASS = "CI", "CI class"
FAMILY = "family"
SERVICE, GROUP, REQUESTER, SITE, ASSIGNEE = "service", "group", "requester", "site", "assignee"
# They say what a ticket is about, as its words do; a family may be made from them, so that it is never tested against them.
KIND = ("category", "subcategory", "symptom", "knowledge article", "resolution code")


class BadTickets(ValueError):
    """The columns do not fit together; the message says which."""


@dataclass(frozen=True, slots=True, eq=False)
class Fact:
    """A column of names: `codes[i]` is the position of ticket i's value in `names`, -1 where it has none."""

    codes: NDArray[np.int32]
    names: tuple[str, ...]

    @property
    def counts(self) -> Ints:
        """How many tickets have each value."""
        return np.bincount(self.codes[self.codes >= 0], minlength=len(self.names)).astype(np.int64)

    def having(self, value: str, rows: Ints | slice = slice(None)) -> Bools:
        """Say which tickets (of these rows) have a value."""
        return np.asarray(self.codes[rows] == self.names.index(value))

    def mostly(self, rows: Ints, share: float) -> str:
        """Return the value that at least this share of these rows has; "" where none has."""
        known = self.codes[rows]
        counts = np.bincount(known[known >= 0], minlength=1)
        return self.names[int(counts.argmax())] if len(rows) and counts.max() >= max(share * len(rows), 1) else ""

    def take(self, rows: Ints) -> "Fact":
        """Return the column of these rows."""
        return Fact(self.codes[rows], self.names)


def coded(values: Iterable[str | None]) -> Fact:
    """Code a column of names; None and blank texts are missing. Codes follow first appearance.

    >>> coded(["b", None, "a", "b", " "]).codes.tolist()
    [0, -1, 1, 0, -1]
    """
    places: dict[str, int] = {}
    codes = [places.setdefault(text, len(places)) if value and (text := value.strip()) else -1 for value in values]
    return Fact(np.array(codes, dtype=np.int32), tuple(places))


@dataclass(frozen=True, slots=True, eq=False)
class Tickets:
    """Tickets, a column each. `keys` name them; every other column is as long, or None where the source has none."""

    keys: Sequence[str]
    opened: Ints | None = None
    ended: Ints | None = None  # resolved, else closed
    titles: Sequence[str] | None = None
    texts: Sequence[str] | None = None
    notes: Sequence[str] | None = None  # how it was resolved
    facts: Mapping[str, Fact] = field(default_factory=dict)
    effort: Floats | None = None  # handling time in seconds, NaN where not known
    reassigned: Floats | None = None  # how often, NaN where not known
    breached: Floats | None = None  # 1 or 0, NaN where not known
    journeys: Sequence[tuple[str, ...]] | None = None  # the groups that held it, in order

    def __post_init__(self) -> None:
        for name, column in self._columns():
            if len(column) != len(self.keys):
                raise BadTickets(f"The column “{name}” has {len(column):,} values for {len(self.keys):,} tickets.")

    def _columns(self) -> Iterable[tuple[str, Sequence[object] | NDArray[np.generic]]]:
        plain = ("opened", "ended", "titles", "texts", "notes", "effort", "reassigned", "breached", "journeys")
        yield from ((name, column) for name in plain if (column := getattr(self, name)) is not None)
        yield from ((name, fact.codes) for name, fact in self.facts.items())

    def __len__(self) -> int:
        return len(self.keys)

    def fact(self, name: str) -> Fact:
        """Return a fact's column; one of nothing but gaps where the source has none."""
        return self.facts.get(name) or Fact(np.full(len(self), -1, dtype=np.int32), ())

    def times(self) -> Ints | None:
        """Return the instants of opening, or None when there are none that differ."""
        if self.opened is None or not len(self):
            return None
        known = self.opened[self.opened != MISSING]
        return self.opened if known.size and known.min() < known.max() else None

    def words_of(self, row: int) -> str:
        """Return all that a ticket says when it is opened."""
        title = self.titles[row] if self.titles is not None else ""
        text = self.texts[row] if self.texts is not None else ""
        return f"{title}\n{text}" if title and text else title or text


@dataclass(frozen=True, slots=True, eq=False)
class CIGraph:
    """How CIs hang together, by name: (source, target) where the source depends on the target (runs on, uses, connects to).

    `attributes` are each CI's own: model, os, os_version, …; its class is the attribute CLASS.
    A pair of a CI with itself says nothing and is passed over; so is a pair named twice. Circles are no fault.
    """

    attributes: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    pairs: Sequence[tuple[str, str]] = ()


@dataclass(frozen=True, slots=True)
class Change:
    """A change: what it touched, and the time in which it was carried out (whole seconds; `end` after the work).

    `planned` are the instants of its plan, where they are known: what was carried out is often noted later, the plan never is.
    `marks` say what kind of change it is: its risk, that it needed an approval or a downtime, that it was an emergency; what few
    changes have counts more.
    """

    key: str
    title: str
    cis: tuple[str, ...]
    start: int
    end: int
    service: str = ""
    kind: str = ""
    planned: tuple[int, ...] = ()
    marks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Changes:
    """The changes that are known, in order of their end."""

    items: Sequence[Change] = ()

    def __len__(self) -> int:
        return len(self.items)
