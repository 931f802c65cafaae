"""Rows in the binary form of PostgreSQL's COPY, made of columns: rows of equal layout at once, none by itself.

A layout is which values are null and how long the texts are. Rows come out layout by layout, so their order is not kept.
"""

import struct
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

HEADER = b"PGCOPY\n\xff\r\n\0" + bytes(8)
TRAILER = b"\xff\xff"
_FORMATS = {"bigint": ">i8", "smallint": ">i2", "bool": "u1", "timestamptz": ">i8"}
_EPOCH_SECONDS = 946_684_800  # PostgreSQL counts microseconds since 2000
_LIFE = struct.Struct(">hiqiqi")


@dataclass(frozen=True, slots=True)
class Column:
    """Values of one type, with `nulls` where there are none; of a text the numbers of its words. Instants are seconds since 1970."""

    type: str
    values: NDArray[np.int64]
    nulls: NDArray[np.bool_] | None = None
    words: Sequence[bytes] = ()

    def only(self, rows: NDArray[np.intp]) -> "Column":
        """Return the values of these rows."""
        return Column(self.type, self.values[rows], None if self.nulls is None else self.nulls[rows], self.words)

    def layouts(self) -> tuple[NDArray[Any], int]:
        """Return numbers, equal for values of equal length, and how many different ones there may be."""
        if self.type == "text":
            sizes, own = np.unique([len(word) for word in self.words], return_inverse=True)
            return own[self.values], len(sizes)
        return (np.zeros(1, np.int64), 1) if self.nulls is None else (self.nulls, 2)

    def length(self, row: int) -> int:
        """Return how many bytes a value takes; -1 when there is none, as COPY writes it."""
        if self.type == "text":
            return len(self.words[self.values[row]])
        return -1 if self.nulls is not None and self.nulls[row] else np.dtype(_FORMATS[self.type]).itemsize

    def of(self, rows: NDArray[np.intp], length: int) -> NDArray[Any]:
        """Return the values of these rows as COPY writes them."""
        values = self.values[rows]
        if self.type == "text":
            return np.array([word[:length] for word in self.words], f"S{length}")[values]
        return (values - _EPOCH_SECONDS) * 1_000_000 if self.type == "timestamptz" else values


def pack(columns: Sequence[Column]) -> Iterator[bytes]:
    """Yield the rows of these columns, without header and trailer."""
    layouts = np.zeros(len(columns[0].values), np.int64)
    for column in columns:
        own, count = column.layouts()
        layouts = layouts * count + own
    order = np.argsort(layouts, kind="stable")
    for rows in np.split(order, np.flatnonzero(np.diff(layouts[order])) + 1) if len(order) else ():
        yield _alike(columns, rows, [column.length(int(rows[0])) for column in columns])


def _alike(columns: Sequence[Column], rows: NDArray[np.intp], lengths: Sequence[int]) -> bytes:
    fields = [("fields", ">i2")]
    for number, (column, length) in enumerate(zip(columns, lengths, strict=True)):
        fields.append((f"length{number}", ">i4"))
        if length > 0:
            fields.append((f"value{number}", _FORMATS.get(column.type, f"S{length}")))
    made = np.empty(len(rows), fields)
    made["fields"] = len(columns)
    for number, (column, length) in enumerate(zip(columns, lengths, strict=True)):
        made[f"length{number}"] = length
        if length > 0:
            made[f"value{number}"] = column.of(rows, length)
    return made.tobytes()


def pack_lives(lives: Iterable[tuple[int, int, bytes]]) -> bytes:
    """Return rows of a ticket, the instant at which it was opened, and its stored life."""
    head, first = _LIFE.pack, _EPOCH_SECONDS
    return b"".join([head(3, 8, ticket, 8, (opened - first) * 1_000_000, len(life)) + life for ticket, opened, life in lives])
