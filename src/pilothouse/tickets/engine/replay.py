"""Fold a ticket's journal entries into the ticket, and into the story of its handling; pure.

An entry's changes are [field, before, after]; folding takes each `after` in order. `ticket.opened` carries every field that is
not empty, so that the fold of all entries is the ticket's row, and the fold of the first n is the row as it was then. A field
named `extra.NAME` sets one value of `extra` (None takes it away): imported rows carry many, of which an update changes few.

The story (times in UTC, durations in seconds, calendar time, half-open intervals):
- reassignment: the resolver group changes from one group to another (the first routing from none is not one);
- bounce: the ticket returns to a group that it had left before;
- reopen: the state goes from resolved or closed back to a working one (here closed never does, elsewhere it may: imports);
- hold: from the entry that sets on_hold to the next entry that leaves it;
- first owned: the first instant with an assignee; first reply: the first public comment by someone other than the requester.
"""

from collections.abc import Container, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from pilothouse.tickets.engine.lifecycle import OPEN_STATES


class Changed(Protocol):
    """One changed field."""

    @property
    def field(self) -> str: ...
    @property
    def before(self) -> Any: ...
    @property
    def after(self) -> Any: ...


class Happened(Protocol):
    """What the fold needs of a journal entry."""

    @property
    def verb(self) -> str: ...
    @property
    def actor_id(self) -> int | None: ...
    @property
    def happened_at(self) -> datetime: ...
    @property
    def changes(self) -> Iterable[Changed]: ...


COMMENTED = "ticket.commented"
NOTED = "ticket.noted"
EXTRA = "extra."
_ENDED = frozenset({"resolved", "closed"})
_WORKED_ON = frozenset(OPEN_STATES)
EMPTY: dict[str, Any] = {
    "kind": "incident",
    "number": "",
    "title": "",
    "description": "",
    "state": "new",
    "hold_reason": "",
    "hold_until": None,
    "impact": 3,
    "urgency": 3,
    "priority": 5,
    "requester": None,
    "opened_by": None,
    "channel": "",
    "service": None,
    "ci": None,
    "category": "",
    "subcategory": "",
    "group": None,
    "assignee": None,
    "resolution_code": "",
    "resolution_notes": "",
    "parent": None,
    "merged_into": None,
    "tags": [],
    "watchers": [],
    "extra": {},
    "opened_at": None,
    "resolved_at": None,
    "closed_at": None,
    "external_system": "",
    "external_id": "",
}


def fold(entries: Iterable[Happened], start: dict[str, Any] | None = None) -> dict[str, Any]:
    """Return the ticket after these entries, in journal form (ids, ISO instants); `start` continues an earlier fold."""
    row = dict(EMPTY if start is None else start)
    for entry in entries:
        for change in entry.changes:
            if change.field in row:
                row[change.field] = change.after
            elif change.field.startswith(EXTRA):
                row["extra"] = with_extra(row["extra"], change.field.removeprefix(EXTRA), change.after)
    return row


def with_extra(extra: dict[str, Any], name: str, value: Any) -> dict[str, Any]:
    """Return `extra` with one value set, or taken away when it is None; the given one stays as it is.

    >>> with_extra({"a": "1"}, "b", "2"), with_extra({"a": "1"}, "a", None)
    ({'a': '1', 'b': '2'}, {})
    """
    rest = {key: kept for key, kept in extra.items() if key != name}
    return rest if value is None else {**rest, name: value}


def detail_told(entries: Iterable[Happened], prefix: str, known: Container[str]) -> dict[str, Any]:
    """Return the fields of a practice's own detail that these entries set, each with its last value, in journal form.

    The journal names them with the practice's `prefix` ("change."); what is not `known` is passed over.
    """
    values: dict[str, Any] = {}
    for entry in entries:
        for change in entry.changes:
            name = change.field.removeprefix(prefix)
            if name != change.field and name in known:
                values[name] = change.after
    return values


@dataclass(slots=True)
class Story:
    """What a ticket's handling looked like so far; `fold_story` moves it on."""

    requester: int | None = None
    group: int | None = None
    left: list[int] = field(default_factory=list)  # groups that have had it and lost it
    reassignment_count: int = 0
    bounce_count: int = 0
    reopen_count: int = 0
    state: str = "new"
    hold_started_at: datetime | None = None
    hold_seconds: int = 0
    first_owned_at: datetime | None = None
    first_reply_at: datetime | None = None
    last_entry_at: datetime | None = None
    comment_count: int = 0


def fold_story(story: Story, entries: Iterable[Happened]) -> Story:
    """Move a story on by these entries (in place) and return it."""
    for entry in entries:
        for change in entry.changes:
            _move(story, change.field, change.after, entry.happened_at)
        if entry.verb == COMMENTED:
            _reply(story, entry)
        story.last_entry_at = max(story.last_entry_at or entry.happened_at, entry.happened_at)
    return story


def _move(story: Story, name: str, after: Any, at: datetime) -> None:
    if name == "group":
        _regroup(story, after)
    elif name == "state":
        _restate(story, after, at)
    elif name == "requester":
        story.requester = after
    elif name == "assignee" and after is not None and story.first_owned_at is None:
        story.first_owned_at = at


def _regroup(story: Story, after: int | None) -> None:
    if story.group is not None and story.group not in story.left:
        story.left.append(story.group)
    if after is not None:
        # Back in a group that lost it before is a bounce; `left` includes the group just left, which is not `after`.
        if after in story.left:
            story.bounce_count += 1
        if story.left:
            story.reassignment_count += 1
    story.group = after


def _restate(story: Story, after: str, at: datetime) -> None:
    if story.state in _ENDED and after in _WORKED_ON:
        story.reopen_count += 1
    if story.state == "on_hold" and story.hold_started_at is not None:
        story.hold_seconds += max(0, int((at - story.hold_started_at).total_seconds()))
        story.hold_started_at = None
    if after == "on_hold":
        story.hold_started_at = at
    story.state = after


def _reply(story: Story, entry: Happened) -> None:
    story.comment_count += 1
    if story.first_reply_at is None and entry.actor_id is not None and entry.actor_id != story.requester:
        story.first_reply_at = entry.happened_at
