"""What places a ticket in its family by its words: learnt by a look over many tickets, a few megabytes, asked for one ticket at a time."""

import io
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import sparse  # type: ignore[import-untyped]

from pilothouse.problems.engine.families import Families, Labels
from pilothouse.problems.engine.vectors import SAMPLE, Matrix, Space
from pilothouse.problems.engine.words import Reader, Words

_NEAR = 0.35  # cosine to the centre of the small cluster; less is no likeness
_NAMED_BY = 3  # words


@dataclass(frozen=True, slots=True)
class Spot:
    """Where a ticket's words lead: its family (-1: none), and how near it is to the centre of a small cluster there (cosine)."""

    family: int
    nearness: float


@dataclass(frozen=True, slots=True, eq=False)
class Atlas:
    """Families by their words; `names` says of each family the words that set it apart, and no two have the same name."""

    reader: Reader
    space: Space
    centres: Matrix
    family_of: Labels  # of each small cluster
    names: tuple[str, ...]

    def place(self, title: str, text: str = "") -> Spot:
        """Place a ticket; one whose words are unknown, or like nobody's, has no family."""
        columns = self.reader.columns(title, text)
        if not columns:
            return Spot(-1, 0.0)
        places, counts = np.unique(columns, return_counts=True)
        row = sparse.csr_array((counts.astype(np.float32), places, [0, len(places)]), shape=(1, len(self.space.weights)))
        near = self.space.place(row)[0] @ self.centres.T
        best = int(np.argmax(near))
        nearness = float(near[best])
        return Spot(int(self.family_of[best]) if nearness >= _NEAR else -1, nearness)

    def family(self, title: str, text: str = "") -> str:
        """Return the name of a ticket's family, empty where it has none."""
        spot = self.place(title, text)
        return self.names[spot.family] if spot.family >= 0 else ""

    def packed(self) -> bytes:
        """Return the atlas as bytes, to be kept; directions lose what no placing can tell (half precision)."""
        into = io.BytesIO()
        np.savez_compressed(
            into,
            boilerplate=_lines(sorted(self.reader.boilerplate)),
            words=_lines(self.reader.places),
            places=np.fromiter(self.reader.places.values(), np.int32, len(self.reader.places)),
            weights=self.space.weights,
            directions=self.space.directions.astype(np.float16),
            centres=self.centres.astype(np.float16),
            family_of=self.family_of,
            names=_lines(self.names),
        )
        return into.getvalue()

    @classmethod
    def of(cls, packed: bytes) -> "Atlas":
        """Return the atlas that was packed."""
        with np.load(io.BytesIO(packed), allow_pickle=False) as kept:
            words = dict(zip(_texts(kept["words"]), kept["places"].tolist(), strict=True))
            space = Space(kept["weights"], kept["directions"].astype(np.float32))
            reader = Reader(frozenset(_texts(kept["boilerplate"])), words)
            return cls(reader, space, kept["centres"].astype(np.float32), kept["family_of"], tuple(_texts(kept["names"])))


def atlas_of(families: Families, words: Words | None) -> Atlas | None:
    """Return the atlas of families that were gathered by their words; None where they were not."""
    if families.centres is None or families.space is None or families.family_of is None or words is None:
        return None
    count = int(families.family_of.max()) + 1
    return Atlas(words.reader, families.space, families.centres, families.family_of, _names(families.labels, count, families.space, words))


def _names(labels: Labels, count: int, space: Space, words: Words) -> tuple[str, ...]:
    """Name each family by the words that weigh most in its tickets (of a sample spread evenly over all)."""
    rows = np.unique(np.linspace(0, len(labels) - 1, min(len(labels), SAMPLE)).astype(np.int64))
    rows = rows[labels[rows] >= 0]
    gathered = sparse.csr_array((np.ones(len(rows), np.float32), (labels[rows], np.arange(len(rows)))), shape=(count, len(rows)))
    table = (gathered @ space.weighted(words.counts[rows])).tocsr()
    named: dict[str, None] = {}
    for family in range(count):
        own = slice(table.indptr[family], table.indptr[family + 1])
        heaviest = table.indices[own][np.lexsort((table.indices[own], -table.data[own]))][:_NAMED_BY]
        name = ", ".join(words.vocabulary[word] for word in heaviest.tolist()) or "no words"
        named[name if name not in named else f"{name} ({family})"] = None
    return tuple(named)


def _lines(texts: Any) -> np.ndarray:
    return np.frombuffer("\n".join(texts).encode(), dtype=np.uint8)


def _texts(lines: np.ndarray) -> list[str]:
    told = lines.tobytes().decode()
    return told.split("\n") if told else []
