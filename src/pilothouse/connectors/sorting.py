"""Sorting more rows than memory holds: sorted runs on disk, merged. A log's rows of one ticket may stand anywhere in it."""

import heapq
import pickle
import tempfile
from collections.abc import Iterator
from types import TracebackType
from typing import IO, NamedTuple

_LARGEST_RUN = 48_000_000  # characters kept in memory before they are sorted and written
_OVERHEAD = 250  # characters that a row's keys and objects count for
_PIECE = 2000
_CUT = "\x1f"


class Staged(NamedTuple):
    """A row put aside; its fields are its sorting order."""

    key: str
    role: int
    revision: int
    updated: str
    file: int
    line: int
    text: str

    @property
    def cells(self) -> list[str]:
        return self.text.split(_CUT)


def joined(cells: "list[str] | tuple[str, ...]") -> str:
    """Return cells as one text, which takes far less memory than many."""
    text = _CUT.join(cells)
    return text if text.count(_CUT) == len(cells) - 1 else _CUT.join(cell.replace(_CUT, " ") for cell in cells)


class Sorter:
    """Takes rows in any order and gives them back sorted; used as a context, so that its files go."""

    def __init__(self) -> None:
        self._rows: list[Staged] = []
        self._size = 0
        self._runs: list[IO[bytes]] = []
        self.count = 0

    def __enter__(self) -> "Sorter":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        for run in self._runs:
            run.close()
        self._rows = []

    def add(self, row: Staged) -> None:
        """Put a row aside."""
        self._rows.append(row)
        self.count += 1
        self._size += len(row.text) + _OVERHEAD
        if self._size > _LARGEST_RUN:
            self._write_run()

    def _write_run(self) -> None:
        self._rows.sort()
        run = tempfile.TemporaryFile(prefix="pilothouse-import-")  # noqa: SIM115  closed by __exit__
        for start in range(0, len(self._rows), _PIECE):
            pickle.dump([tuple(row) for row in self._rows[start : start + _PIECE]], run, pickle.HIGHEST_PROTOCOL)
        self._runs.append(run)
        self._rows, self._size = [], 0

    def rows(self) -> Iterator[Staged]:
        """Give back every row in order, once."""
        self._rows.sort()
        return heapq.merge(*(_read(run) for run in self._runs), iter(self._rows))


def _read(run: IO[bytes]) -> Iterator[Staged]:
    run.seek(0)
    while True:
        try:
            rows = pickle.load(run)  # noqa: S301  our own temporary file, which has no name
        except EOFError:
            return
        for row in rows:
            yield Staged(*row)
