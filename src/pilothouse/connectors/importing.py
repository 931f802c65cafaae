"""Running an import: files are opened, rows put in order on disk, and each ticket's rows become history, batch by batch.

Nothing is written before every file has been read to its end: a file that breaks off, or mixes date formats, is refused whole.
From then on a wrong row is rejected and the rest comes in; each batch is committed by itself, holds no lock longer than that, and
is remembered, so that a run that was cut off continues where it stopped when it is run again.
"""

import csv
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import groupby, islice
from pathlib import Path
from threading import Lock
from typing import IO, Any

from pilothouse.connectors.actions import NUMBER, Group, import_batch
from pilothouse.connectors.ahead import ahead
from pilothouse.connectors.engine.dates import formats_of, is_undecided
from pilothouse.connectors.engine.formats import Reading, open_table
from pilothouse.connectors.engine.mapping import Mapping, Snapshot, Translator, dates_in
from pilothouse.connectors.engine.profiles import Profile
from pilothouse.connectors.engine.tables import BadFile, Reject, Row, Table, faults
from pilothouse.connectors.names import Names
from pilothouse.connectors.sorting import Sorter, Staged, joined
from pilothouse.people.queries import require
from pilothouse.platform.access import Actor, Capability
from pilothouse.platform.alone import alone
from pilothouse.tickets.engine.lifecycle import KINDS
from pilothouse.tickets.exports import neutral
from pilothouse.tickets.history import raise_numbers

Progress = Callable[[str, int, int], None]  # stage, done, total
READING, WRITING = "reading", "writing"
_SAMPLE = 2000  # rows from which date formats are told
_BATCH_ROWS = 2500
_BATCH_TICKETS = 800
_MOST_NAMES = 500  # of each kind in the report
_LOCK_TRIES = 40  # a connection that was killed may hold its lock for some seconds


@dataclass(frozen=True, slots=True)
class Request:
    """What to import: a profile (with its mapping file already applied), files, and how."""

    profile: Profile
    paths: Sequence[Path]
    dry: bool = False
    rejects: Path | None = None


@dataclass(slots=True)
class Report:
    """What an import did, or with `dry` would do."""

    counts: Counter[str] = field(default_factory=Counter)
    added: dict[str, list[str]] = field(default_factory=dict)
    warnings: Counter[str] = field(default_factory=Counter)
    seconds: float = 0.0

    def as_json(self) -> dict[str, Any]:
        """Return the report as it is kept with the run."""
        return {
            "counts": {name: self.counts[name] for name in COUNTS},
            "added": {kind: {"count": len(names), "names": names[:_MOST_NAMES]} for kind, names in self.added.items()},
            "warnings": dict(self.warnings),
            "seconds": round(self.seconds, 1),
        }


COUNTS = ("rows", "rows_new", "rows_known", "rejected", "tickets_new", "tickets_continued", "entries")


@dataclass(slots=True)
class _Source:
    """A file with what is needed to read its rows."""

    path: Path
    mapping: Mapping
    translator: Translator
    role: int


class _Rejects:
    """The rejects file, written as they come, by the reading thread and the writing one; it exists only when there are any."""

    def __init__(self, path: Path | None) -> None:
        self.path, self.count, self._lock = path, 0, Lock()
        self._file: IO[str] | None = None

    def add(self, reject: Reject) -> None:
        with self._lock:
            self.count += 1
            if self.path is not None:
                self._write(self.path, reject)

    def _write(self, path: Path, reject: Reject) -> None:
        first = self._file is None
        self._file = self._file or path.open("w", newline="", encoding="utf-8")
        writer = csv.writer(self._file)
        if first:
            writer.writerow(["file", "line", "column", "value", "reason"])
        writer.writerow([reject.file, reject.line, *map(_inert, (reject.column, reject.value, reject.reason))])

    def close(self) -> None:
        if self._file is not None:
            self._file.close()


def _inert(value: str) -> str:
    """Keep a spreadsheet from taking a rejected value for a formula."""
    return value if value.lstrip("-+").replace(".", "", 1).isdecimal() else neutral(value)


def run_import(*, actor: Actor, request: Request, now: datetime, progress: Progress = lambda stage, done, total: None) -> Report:
    """Import the files and return what happened. Raises BadFile when a file cannot be read, Forbidden.

    `now` is when Pilothouse learns of it: the instant that entries are recorded at.
    """
    require(actor, Capability.IMPORT)
    started = time.monotonic()
    report, rejects = Report(), _Rejects(request.rejects)
    names = Names(actor=actor, system=request.profile.system, now=now, dry=request.dry)
    try:
        with _alone(request), Sorter() as sorter:
            sources = [_source(request.profile, path, now, report) for path in request.paths]
            for i, source in enumerate(sources):
                _stage(sorter, source, i, rejects, report, progress)
            _import(actor, request, sources, sorter, names, rejects, report, now, progress)
            for source in sources:
                report.warnings.update(source.translator.warnings)
    finally:
        rejects.close()
    report.counts["rejected"] = rejects.count
    report.added, report.seconds = names.added, time.monotonic() - started
    return report


def _alone(request: Request) -> AbstractContextManager[None]:
    return _nothing() if request.dry else _only_import_of(request.profile.system)


@contextmanager
def _nothing() -> Iterator[None]:
    yield


@contextmanager
def _only_import_of(system: str) -> Iterator[None]:
    """Keep two imports of one source apart; the lock hinders nobody else."""
    for _ in range(_LOCK_TRIES):
        with alone(f"pilothouse import {system}") as is_free:
            if is_free:
                yield
                return
        time.sleep(0.25)
    raise BadFile(f"Another import from {system} is running; wait for its end.")


def _opened(path: Path, mapping: Mapping, stream: Any, columns: tuple[str, ...] = ()) -> Table:
    try:
        return open_table(stream, path.name, Reading(mapping.encoding, mapping.delimiter, mapping.sheet, columns))
    except BadFile as fault:
        raise BadFile(f"{path.name}: {fault}") from fault


def _source(profile: Profile, path: Path, now: datetime, report: Report) -> _Source:
    """Open a file once for its header and its first rows: which kind of file it is, and how it writes dates."""
    try:
        stream = path.open("rb")
    except OSError as error:
        raise BadFile(f"{path}: {error.strerror}.") from error
    with stream:
        table = _opened(path, profile.mappings[0], stream)
        role = profile.role_of(table.header)
        mapping = profile.mappings[role]
        if not mapping.date_formats:
            mapping = replace(mapping, date_formats=_date_formats(mapping, table, path.name, report))
    return _Source(path, mapping, Translator(mapping, table.header, path.name, now, role=role), role)


def _date_formats(mapping: Mapping, table: Table, file: str, report: Report) -> tuple[str, ...]:
    values, column = dates_in(mapping, table.header, islice(table.rows, _SAMPLE))
    try:
        found = formats_of(values, column)
    except BadFile as fault:
        raise BadFile(f"{file}: {fault}") from fault
    if is_undecided(values):
        report.warnings[f"{file}: every date reads with the day first and with the month first; day first was taken"] += 1
    return found


def _stage(sorter: Sorter, source: _Source, number: int, rejects: _Rejects, report: Report, progress: Progress) -> None:
    """Read a file to its end, putting its rows in order."""
    size = source.path.stat().st_size
    with source.path.open("rb") as stream:
        table = _opened(source.path, source.mapping, stream, source.translator.header)
        width, name = len(table.header), source.path.name
        try:
            for row in table.rows:
                report.counts["rows"] += 1
                if report.counts["rows"] % 5000 == 0:
                    progress(READING, stream.tell(), size)
                if reject := faults(row, width, name, table.header):
                    rejects.add(reject)
                    continue
                place = source.translator.place(row)
                if isinstance(place, Reject):
                    rejects.add(place)
                else:
                    sorter.add(Staged(place.key, source.role, *place.order, number, row.line, joined(list(row.cells))))
        except BadFile as fault:
            raise BadFile(f"{name}: {fault}") from fault
    progress(READING, size, size)


def _import(
    actor: Actor,
    request: Request,
    sources: Sequence[_Source],
    sorter: Sorter,
    names: Names,
    rejects: _Rejects,
    report: Report,
    now: datetime,
    progress: Progress,
) -> None:
    highest: dict[str, int] = {}
    done = 0
    for groups, rows in ahead(_batches(_groups(sorter, sources, rejects))):
        if not request.dry:
            _raise(groups, highest)
        outcome = import_batch(actor=actor, profile=request.profile, groups=groups, names=names, now=now, dry=request.dry)
        report.counts.update(outcome.counts)
        for reject in outcome.rejects:
            rejects.add(reject)
        done += rows
        progress(WRITING, done, sorter.count)
    progress(WRITING, sorter.count, sorter.count)


_PREFIXES = {prefix: kind for kind, (_, prefix) in KINDS.items() if len(prefix) == 3}


def _raise(groups: Sequence[Group], highest: dict[str, int]) -> None:
    """Raise the number sequences past this batch's numbers before its tickets take them."""
    before = dict(highest)
    for group in groups:
        number = group.key.upper()
        if (kind := _PREFIXES.get(number[:3])) and NUMBER.fullmatch(number) and number[3:].isdecimal():
            highest[kind] = max(highest.get(kind, 0), int(number[3:]))
    if highest != before:
        raise_numbers(highest)


def _batches(groups: Iterator[Group]) -> Iterator[tuple[list[Group], int]]:
    batch: list[Group] = []
    rows = 0
    for group in groups:
        batch.append(group)
        rows += len(group.snapshots)
        if rows >= _BATCH_ROWS or len(batch) >= _BATCH_TICKETS:
            yield batch, rows
            batch, rows = [], 0
    if batch:
        yield batch, rows


def _groups(sorter: Sorter, sources: Sequence[_Source], rejects: _Rejects) -> Iterator[Group]:
    for key, rows in groupby(sorter.rows(), key=lambda staged: staged.key):
        snapshots: list[Snapshot] = []
        before: dict[tuple[int, str], Snapshot] = {}
        for staged in rows:
            source = sources[staged.file]
            snapshot = source.translator.snapshot(Row(staged.line, staged.cells))
            found = snapshot if isinstance(snapshot, Reject) else _duplicate(snapshot, source, key, before)
            if found is None and isinstance(snapshot, Snapshot):
                snapshots.append(snapshot)
            elif isinstance(found, Reject):
                rejects.add(found)
        if snapshots:
            yield Group(key, snapshots)


def _duplicate(snapshot: Snapshot, source: _Source, key: str, before: dict[tuple[int, str], Snapshot]) -> Reject | bool | None:
    """Say whether a row stands twice: True when it says the same again, a Reject when it contradicts, None when it is new."""
    mark = (snapshot.role, snapshot.position) if source.mapping.many else (snapshot.role, snapshot.file)
    first = before.setdefault(mark, snapshot)
    if first is snapshot:
        return None
    if first.values == snapshot.values and first.position == snapshot.position:
        return True
    what = "The same update" if source.mapping.many else "The same ticket"
    return Reject(snapshot.file, snapshot.line, "", key, f"{what} stands on line {first.line} of {first.file} already, with other values.")
