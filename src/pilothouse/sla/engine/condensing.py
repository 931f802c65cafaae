"""The journals of many tickets condensed to their lives at once, as lives.condense does it one by one; pure.

Most entries say what others have said before (started, held, assigned to somebody): what such a text comes to is remembered.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise, repeat
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from pilothouse.sla.engine.columns import Portion
from pilothouse.sla.engine.lives import PATHS, STEP_FIELD, line_of, write_parts
from pilothouse.sla.engine.ragged import Numbers, decimals, numbers, within

REPLY, STEP = "c", "e"  # what an entry's text begins with: a comment and its author's number, a step that was taken, or nothing
_DROPPED, _NEW = b"", b"new"
_SHORT, _LONG = 200, 280  # texts hardly come again that are longer; and surely not those that are long with a last change left out
_MANY_TEXTS = 50_000
_PLAIN = r'(?:null|true|false|-?\d+|"[^"\\]*")'
_LAST = re.compile(rf', \["(\w+)", {_PLAIN}, {_PLAIN}\]\]\Z')
SiteAt = Callable[[int | None, int], str]  # the site of a person as recorded at an instant, in microseconds


@dataclass(frozen=True, slots=True)
class Journals:
    """Entries of whole tickets in order: each ticket's texts, a line an entry, and of all entries the instants and seqs."""

    tickets: Sequence[int]
    counts: Numbers  # of each ticket's entries
    texts: Sequence[str]
    happened: Numbers  # microseconds since 1970
    recorded: Numbers
    seqs: Numbers

    @property
    def is_in_order(self) -> bool:
        """Say whether each ticket's entries are in the order of their seqs."""
        rises = np.diff(self.seqs, prepend=0) > 0
        rises[np.cumsum(self.counts) - self.counts] = True
        return bool(rises.all())


@dataclass(frozen=True, slots=True)
class Condensed:
    """The lives of those tickets that have one."""

    tickets: Numbers
    portion: Portion
    stored: Sequence[bytes]
    escalated: Sequence[int]  # tickets of which steps were taken


class Condensing:
    """Condenses portions of journals, and remembers what their texts came to."""

    def __init__(self, site_at: SiteAt) -> None:
        self.site_at = site_at
        self.known: dict[str, bytes] = {}

    def condense(self, journals: Journals) -> Condensed:
        """Return the lives of tickets given with their whole journals."""
        texts = "\n".join(journals.texts).split("\n") if journals.texts else []
        found, taken = list(map(self.known.get, texts, repeat(_NEW))), list[int]()
        new = [place for place, line in enumerate(found) if line is _NEW]
        for place, recorded, seq in zip(new, journals.recorded[new].tolist(), journals.seqs[new].tolist(), strict=True):
            text = texts[place]
            found[place] = self._line(text, recorded, is_first=seq == 1)
            if text.startswith(STEP):
                taken.append(place)
        whose = np.unique(np.searchsorted(np.cumsum(journals.counts), taken, side="right"))
        kept = np.fromiter(map(len, found), np.int64, len(found)) > 0
        return _lives(journals, list(filter(None, found)), kept, [journals.tickets[place] for place in whose.tolist()])

    def _line(self, text: str, recorded: int, *, is_first: bool) -> bytes:
        """Return the line of an entry's event, _DROPPED when it leaves none."""
        stem = _stem(text) if len(text) < _LONG else text
        line = self.known.get(stem)
        if line is not None:
            return line
        begin = text[: text.index("[")]
        told = orjson.loads(text[len(begin) :])
        changes, mark = {PATHS[field]: after for field, _, after in told if field in PATHS}, _mark(begin, told)
        if is_personal := "requester_id" in changes:
            site = self.site_at(changes["requester_id"], recorded)
            if site or not is_first:
                changes["site"] = site
        line = line_of(changes, mark) if changes or mark is not None else _DROPPED
        if len(stem) < _SHORT and not is_personal and begin != STEP:
            if len(self.known) >= _MANY_TEXTS:
                self.known.clear()
            self.known[stem] = line
        return line


def _stem(text: str) -> str:
    """Return a text without its last change when that leaves nothing in a life: mostly an instant, which makes each text another.

    Within JSON's strings no quote stands bare, so a change is recognised; and what is left is no whole text.
    """
    at = text.rfind(', ["')
    last = _LAST.match(text, at) if at >= 0 and not text.startswith(STEP) else None
    return text if last is None or last[1] in PATHS else text[:at]


def _mark(begin: str, told: Iterable[Sequence[Any]]) -> dict[str, Any] | None:
    if begin.startswith(REPLY):
        return {"reply": int(begin[1:]) if len(begin) > 1 else None}
    if begin == STEP:
        return next(({"step": after} for field, _, after in told if field == STEP_FIELD), None)
    return None


def _lives(journals: Journals, lines: Sequence[bytes], kept: NDArray[np.bool_], escalated: Sequence[int]) -> Condensed:
    counts = within(kept, journals.counts)
    lived = np.flatnonzero(counts)
    counts, seqs, recorded = counts[lived], journals.seqs[kept], journals.recorded[kept] // 1_000_000
    instants = _never_backwards(journals.happened[kept] // 1_000_000, counts)
    ends = np.cumsum(counts)
    parts = (
        _written(instants, counts, np.ones(len(counts), bool)),
        _written(recorded, counts, within(recorded != instants, counts) > 0),
        _written(seqs, counts, seqs[ends - 1] != counts),  # they rise from 1 on: none was left out
        (lines[begin:end] for begin, end in pairwise([0, *ends.tolist()])),
    )
    stored = list(map(write_parts, *parts))
    return Condensed(numbers([*journals.tickets])[lived], Portion(instants, counts, lines), stored, escalated)


def _never_backwards(instants: Numbers, counts: Numbers) -> Numbers:
    """Let an event that says that it happened before the one it follows count from that one."""
    whose = np.repeat(np.arange(len(counts)), counts)
    ends = np.cumsum(counts)
    for place in np.unique(whose[1:][(instants[1:] < instants[:-1]) & (whose[1:] == whose[:-1])]).tolist():
        own = slice(int(ends[place] - counts[place]), int(ends[place]))
        instants[own] = np.maximum.accumulate(instants[own])
    return instants


def _written(values: Numbers, counts: Numbers, wanted: NDArray[np.bool_]) -> Iterator[bytes]:
    """Write the numbers of each life with commas between them; nothing of a life whose numbers are not wanted."""
    text, ends = decimals(values[np.repeat(wanted, counts)])
    ends = np.concatenate(([0], ends))[np.cumsum(np.where(wanted, counts, 0))]
    begins = np.concatenate(([0], ends))[:-1]
    return (text[begin:end] for begin, end in zip(begins.tolist(), np.maximum(ends - 1, begins).tolist(), strict=True))
