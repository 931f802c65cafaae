"""A ticket's life: its journal condensed to what agreements look at; pure.

A life is a list of events in the order of the journal. An event keeps the entry's `seq`, the instant at which it counts, the instant at
which it was recorded (both whole seconds since 1970, UTC), the facts that it changed (under the queue language's paths, rules.WATCHED, and
`site`: the requester's site as it was recorded then), and a mark: a public comment's author, or an escalation step that was taken.
Entries that change nothing of this leave no event.

Instants. An entry counts from its `happened_at`, floored to the second. The order of the journal is the order of events: an event
that says it happened before the one it follows counts from that one, so that time in a life never runs backwards and the last
event gives the ticket as it is. So imported history counts at the instants at which it happened, and a back-dated entry from its own
instant or from the last event before it, whichever is later.

Stored as lines, so that many can be read without looking at each event (engine/shapes.py):

    1772781386,1772785957,1772812618         at which instants the events count
                                             when they were recorded; empty: at those instants
                                             their seqs; empty: 1, 2, 3 …
    {"kind":"incident","group_id":3}         a line an event: what it changed, as JSON,
    {"assignee_id":8}
    {}<tab>{"reply":8}                       and its mark: {"reply": person or null} or {"step": [...]}
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple, Protocol

import orjson

from pilothouse.sla.engine.rules import WATCHED
from pilothouse.tickets.engine import replay
from pilothouse.tickets.engine.replay import COMMENTED, EMPTY

ESCALATED = "ticket.escalated"
STEP_FIELD = "escalation"
PATHS = {name: path for path, name in WATCHED.items()}
SiteOf = Callable[[int | None, datetime], str]
START: dict[str, Any] = {path: EMPTY[name] for path, name in WATCHED.items()} | {"site": ""}


class Happened(replay.Happened, Protocol):
    """What a life needs of a journal entry."""

    @property
    def seq(self) -> int: ...
    @property
    def recorded_at(self) -> datetime: ...


class Event(NamedTuple):
    """One event of a life; the module's docstring explains its parts."""

    seq: int
    at: int
    recorded: int
    changes: dict[str, Any]
    mark: dict[str, Any] | None = None


def seconds(at: datetime) -> int:
    """Return an aware instant as whole seconds since 1970, floored."""
    return int(at.timestamp() // 1)


def no_site(person: int | None, recorded: datetime) -> str:
    """Know of no sites: for rules that do not ask for the requester's site."""
    return ""


def condense(entries: Iterable[Happened], before: Sequence[Event] = (), site_of: SiteOf = no_site) -> list[Event]:
    """Return the events of these entries, which follow those of `before`."""
    last = before[-1].at if before else None
    found: list[Event] = []
    for entry in entries:
        at, recorded = seconds(entry.happened_at), seconds(entry.recorded_at)
        changes = {path: change.after for change in entry.changes if (path := PATHS.get(change.field))}
        mark = _mark(entry)
        if not changes and mark is None:
            continue
        last = at if last is None else max(last, at)
        if "requester_id" in changes and ((site := site_of(changes["requester_id"], entry.recorded_at)) or entry.seq != 1):
            changes["site"] = site  # the first entry need not say that there is none
        found.append(Event(entry.seq, last, recorded, changes, mark))
    return found


def _mark(entry: Happened) -> dict[str, Any] | None:
    if entry.verb == COMMENTED:
        return {"reply": entry.actor_id}
    if entry.verb == ESCALATED:
        return next(({"step": change.after} for change in entry.changes if change.field == STEP_FIELD), None)
    return None


HEAD = 3  # lines before those of the events


def line_of(changes: Mapping[str, Any], mark: Mapping[str, Any] | None = None) -> bytes:
    """Write what an event changed, and its mark; JSON holds neither a tab nor the end of a line."""
    return orjson.dumps(changes) if mark is None else b"%b\t%b" % (orjson.dumps(changes), orjson.dumps(mark))


def read_line(line: bytes) -> tuple[dict[str, Any], dict[str, Any] | None]:
    """Read what an event changed, and its mark."""
    changes, tab, mark = line.partition(b"\t")
    return orjson.loads(changes), orjson.loads(mark) if tab else None


def write(events: Sequence[Event]) -> bytes:
    """Write a life as it is stored."""
    lines = [line_of(event.changes, event.mark) for event in events]
    return write_lines([event.at for event in events], [event.recorded for event in events], [event.seq for event in events], lines)


def write_lines(ats: Sequence[int], recorded: Sequence[int], seqs: Sequence[int], lines: Sequence[bytes]) -> bytes:
    """Write a life whose events' lines are written."""
    late = b"" if recorded == ats else _text(recorded)
    numbers = b"" if seqs[-1] == len(seqs) else _text(seqs)  # they rise from 1 on: none was left out
    return write_parts(_text(ats), late, numbers, lines)


def _text(numbers: Sequence[int]) -> bytes:
    return ",".join(map(str, numbers)).encode()


def write_parts(ats: bytes, recorded: bytes, seqs: bytes, lines: Sequence[bytes]) -> bytes:
    """Write a life whose numbers are written too, those that need not be said as nothing."""
    return b"\n".join((ats, recorded, seqs, *lines))


def read(stored: bytes) -> list[Event]:
    """Read a stored life."""
    first, late, numbers, *lines = stored.split(b"\n")
    ats = _numbers(first)
    recorded = _numbers(late) if late else ats
    seqs = _numbers(numbers) if numbers else range(1, len(ats) + 1)
    return [Event(seq, at, known, *read_line(line)) for seq, at, known, line in zip(seqs, ats, recorded, lines, strict=True)]


def _numbers(line: bytes) -> list[int]:
    return [int(number) for number in line.split(b",")]
