"""The journals of many tickets condensed to their lives at once, as lives.condense does it one by one; pure.

Most entries say what others have said before (started, held, assigned to somebody): what such a text comes to is remembered.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import orjson

from pilothouse.sla.engine.columns import Numbers, Portion, numbers, summed
from pilothouse.sla.engine.lives import PATHS, STEP_FIELD, line_of, write_lines

REPLY, STEP = "c", "e"  # what an entry's text begins with: a comment and its author's number, a step that was taken, or nothing
_STEPS = f"\n{STEP}["
_DROPPED = b""
_SHORT = 120  # longer texts hold titles and instants, and hardly come again
_MANY_TEXTS = 50_000
SiteAt = Callable[[int | None, int], str]  # the site of a person as recorded at an instant, in microseconds


@dataclass(frozen=True, slots=True)
class Journals:
    """Entries of whole tickets in order: each ticket's texts, a line an entry, and of all entries the instants and seqs."""

    tickets: Sequence[int]
    texts: Sequence[str]
    happened: Numbers  # microseconds since 1970
    recorded: Numbers
    seqs: Numbers


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
        lines, counts, kept, escalated, begin = list[list[bytes]](), list[int](), list[bool](), list[int](), 0
        for ticket, text in zip(journals.tickets, journals.texts, strict=True):
            own = text.split("\n")
            found = list(map(self.known.get, own))
            if None in found:
                if _STEPS in f"\n{text}":
                    escalated.append(ticket)
                known = enumerate(zip(found, own, strict=True), begin)
                found = [self._line(said, journals, at) if line is None else line for at, (line, said) in known]
            kept += map(bool, found)
            lines.append(list(filter(None, found)))
            counts.append(len(own))
            begin += len(own)
        return _lives(journals, lines, numbers(counts), np.array(kept, bool), escalated)

    def _line(self, text: str, journals: Journals, at: int) -> bytes:
        """Return the line of an entry's event, _DROPPED when it leaves none."""
        begin, bracket, rest = text.partition("[")
        told = orjson.loads(bracket + rest)
        changes = {PATHS[field]: after for field, _, after in told if field in PATHS}
        mark = _mark(begin, told)
        line = line_of(changes, mark) if changes or mark is not None else _DROPPED
        if "requester_id" in changes:
            site = self.site_at(changes["requester_id"], int(journals.recorded[at]))
            if site or journals.seqs[at] != 1:
                line = line_of({**changes, "site": site}, mark)
        elif len(text) < _SHORT and begin != STEP:
            if len(self.known) >= _MANY_TEXTS:
                self.known.clear()
            self.known[text] = line
        return line


def _mark(begin: str, told: Iterable[Sequence[Any]]) -> dict[str, Any] | None:
    if begin.startswith(REPLY):
        return {"reply": int(begin[1:]) if len(begin) > 1 else None}
    if begin == STEP:
        return next(({"step": after} for field, _, after in told if field == STEP_FIELD), None)
    return None


def _lives(journals: Journals, lines: Sequence[list[bytes]], counts: Numbers, kept: Any, escalated: Sequence[int]) -> Condensed:
    ends, passed = np.cumsum(counts), summed(kept)
    counts = passed[ends] - passed[ends - counts]
    lived = np.flatnonzero(counts)
    lines, counts = [lines[place] for place in lived.tolist()], counts[lived]
    seqs, recorded = journals.seqs[kept], journals.recorded[kept] // 1_000_000
    instants = _never_backwards(journals.happened[kept] // 1_000_000, counts)
    ends, stored = np.cumsum(counts), list[bytes]()
    columns, begin = (instants.tolist(), recorded.tolist(), seqs.tolist()), 0
    for end, own in zip(ends.tolist(), lines, strict=True):
        at, known, seq = (column[begin:end] for column in columns)
        stored.append(write_lines(at, known, seq, own))
        begin = end
    return Condensed(numbers([*journals.tickets])[lived], Portion(instants, counts, lines), stored, escalated)


def _never_backwards(instants: Numbers, counts: Numbers) -> Numbers:
    """Let an event that says that it happened before the one it follows count from that one."""
    whose = np.repeat(np.arange(len(counts)), counts)
    ends = np.cumsum(counts)
    for place in np.unique(whose[1:][(instants[1:] < instants[:-1]) & (whose[1:] == whose[:-1])]).tolist():
        own = slice(int(ends[place] - counts[place]), int(ends[place]))
        instants[own] = np.maximum.accumulate(instants[own])
    return instants
