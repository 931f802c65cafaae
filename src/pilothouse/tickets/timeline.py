"""A ticket's journal as people read it: who did what, in words, newest first.

The journal keeps ids and stored words; here they become names and labels, in one query per kind of record.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from dateutil.parser import isoparse
from django.db.models import Model

from pilothouse.cmdb.models import CI, Service
from pilothouse.people.models import Team, User
from pilothouse.platform import journal
from pilothouse.platform.access import Actor, Capability
from pilothouse.platform.journal import Change, Entry
from pilothouse.tickets.actions.fields import INSTANTS, REFERENCES
from pilothouse.tickets.engine.lifecycle import CHANNELS, HOLD_REASONS, RESOLUTION_CODES, STATES
from pilothouse.tickets.engine.replay import COMMENTED, NOTED
from pilothouse.tickets.models import Ticket

VERBS: dict[str, str] = {
    "ticket.opened": "opened the ticket",
    "ticket.assigned": "assigned it",
    "ticket.changed": "changed it",
    "ticket.started": "started work",
    "ticket.held": "put it on hold",
    "ticket.resumed": "took it off hold",
    "ticket.resolved": "resolved it",
    "ticket.reopened": "reopened it",
    "ticket.closed": "closed it",
    "ticket.cancelled": "cancelled it",
    "ticket.undone": "undid their last change",
    "ticket.attached": "attached a file",
    "ticket.detached": "removed a file",
    "ticket.linked": "linked it",
    "ticket.unlinked": "removed a link",
    "ticket.watched": "changed who watches it",
    "ticket.unwatched": "changed who watches it",
    "ticket.merged": "merged it into another ticket",
    "ticket.absorbed": "merged a duplicate into it",
    COMMENTED: "wrote to the requester",
    NOTED: "noted",
}
LABELS: Mapping[str, str] = {
    "ci": "configuration item",
    "hold_reason": "",
    "hold_until": "until",
    "resolution_code": "",
    "attachment": "",
    "link": "",
    "merged_into": "merged into",
}
_WORDS: Mapping[str, Mapping[Any, str]] = {
    "state": {key: label.lower() for key, label in STATES.items()},
    "hold_reason": HOLD_REASONS,
    "resolution_code": RESOLUTION_CODES,
    "channel": CHANNELS,
    "impact": {1: "1 high", 2: "2 medium", 3: "3 low"},
    "urgency": {1: "1 high", 2: "2 medium", 3: "3 low"},
}
# What follows from other fields of the same entry, or is shown elsewhere on the page.
_UNSAID = {"resolved_at", "closed_at", "opened_at", "opened_by", "number", "kind", "external_system", "external_id", "mentions", "extra"}
_MOST_LISTED = 12  # of a list's members in one line
_LONG = frozenset({"description", "resolution_notes"})
_MODELS: Mapping[str, type[Model]] = {"person": User, "team": Team, "service": Service, "ci": CI, "ticket": Ticket}
FILTERS = ("all", "comments", "changes", "mine")


@dataclass(frozen=True, slots=True)
class Spoken:
    """How a room's field is told: its label, its stored words as people say them, the kind of record whose ids it holds."""

    label: str
    words: Mapping[Any, str] = field(default_factory=dict)
    kind: str = ""
    is_instant: bool = False  # told in the reader's zone
    is_long: bool = False


_SPOKEN: dict[str, Spoken] = {}


def register(words: Mapping[str, str], unsaid: Iterable[str] = (), fields: Mapping[str, Spoken] | None = None) -> None:
    """Teach the timeline the verbs of a room above, its fields, and which of them speak to programs alone."""
    VERBS.update(words)
    _UNSAID.update(unsaid)
    _SPOKEN.update(fields or {})


@dataclass(frozen=True, slots=True)
class Said:
    """One changed field in words; a long text is shown behind a disclosure."""

    label: str
    before: str
    after: str
    long: bool = False


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the timeline: `speech` is "reply", "note" or "" for a change."""

    id: int
    seq: int
    at: datetime
    recorded_at: datetime
    who: str
    mine: bool
    verb: str
    speech: str
    headline: str
    said: tuple[Said, ...]
    note: str
    source: str


Names = Mapping[tuple[str, int], str]


def timeline(actor: Actor, ticket: Ticket) -> list[Line]:
    """Read a ticket's journal as lines, newest first; private notes only for those who read tickets at large."""
    entries = journal.entries_of("ticket", ticket.pk, since=ticket.created_at)
    if not actor.can(Capability.READ_TICKETS):
        entries = [entry for entry in entries if not entry.private]
    names = _names(entries)
    return [_line(entry, names, actor) for entry in reversed(entries)]


def chosen(lines: Iterable[Line], what: str, verb: str = "") -> list[Line]:
    """Filter lines: "all", "comments" (replies and notes), "changes" or "mine"; and, if given, one verb."""
    tests: Mapping[str, Callable[[Line], object]] = {
        "comments": lambda line: line.speech,
        "changes": lambda line: not line.speech,
        "mine": lambda line: line.mine,
    }
    test = tests.get(what)
    return [line for line in lines if (test is None or test(line)) and verb in ("", line.verb)]


def verbs(lines: Iterable[Line]) -> list[tuple[str, str]]:
    """Give the verbs that occur, with their words, for the filter."""
    return [(verb, VERBS.get(verb, verb)) for verb in sorted({line.verb for line in lines})]


def _names(entries: Sequence[Entry]) -> Names:
    wanted: dict[str, set[int]] = {kind: set() for kind in _MODELS}
    wanted["person"] |= {entry.actor_id for entry in entries if entry.actor_id}
    for entry in entries:
        for change in entry.changes:
            for kind, value in _references(change):
                wanted[kind].add(value)
    names: dict[tuple[str, int], str] = {}
    for kind, ids in wanted.items():
        if ids:
            shown = "number" if kind == "ticket" else "name"
            names |= {(kind, pk): name for pk, name in _MODELS[kind]._default_manager.filter(pk__in=ids).values_list("pk", shown)}
    return names


def _references(change: Change) -> list[tuple[str, int]]:
    spoken = _SPOKEN.get(change.field)
    kind = spoken.kind if spoken else {**REFERENCES, "duplicate": "ticket", "watchers": "person"}.get(change.field)
    found = []
    for value in (change.before, change.after):
        if change.field == "link" and isinstance(value, dict) and value.get("ticket"):
            found.append(("ticket", value["ticket"]))
        elif kind:
            found += [(kind, each) for each in (value if isinstance(value, list) else [value]) if isinstance(each, int)]
    return found


def _line(entry: Entry, names: Names, actor: Actor) -> Line:
    speech = {COMMENTED: "reply", NOTED: "note"}.get(entry.verb, "")
    who = names.get(("person", entry.actor_id), "Somebody") if entry.actor_id else "Pilothouse"
    return Line(
        id=entry.id,
        seq=entry.seq,
        at=entry.happened_at,
        recorded_at=entry.recorded_at,
        who=who,
        mine=entry.actor_id is not None and entry.actor_id == actor.user_id,
        verb=entry.verb,
        speech=speech,
        headline=VERBS.get(entry.verb, entry.verb.partition(".")[2].replace("_", " ")),
        said=() if speech else tuple(_said(entry, names, ZoneInfo(actor.time_zone))),
        note=entry.note,
        source="" if entry.source == "page" else entry.source,
    )


def _said(entry: Entry, names: Names, zone: ZoneInfo) -> Iterable[Said]:
    opening = entry.verb == "ticket.opened"
    for change in entry.changes:
        if change.field in _UNSAID or change.field.startswith("extra.") or (opening and change.field in ("title", "description", "state")):
            continue
        if change.field == "state" and entry.verb not in ("ticket.changed", "ticket.assigned", "ticket.undone"):
            continue
        if change.field in ("hold_reason", "hold_until") and not change.after:
            continue  # leaving a hold empties them; the verb says so
        if spoken := _SPOKEN.get(change.field):
            before, after = (_spoken(spoken, value, names, zone) for value in (change.before, change.after))
            label, long = spoken.label, spoken.is_long
        else:
            before, after = (_shown(change.field, value, names) for value in (change.before, change.after))
            label, long = LABELS.get(change.field, change.field.replace("_", " ")), change.field in _LONG
        if before or after:
            yield Said(label, before, after, long)


def _spoken(how: Spoken, value: Any, names: Names, zone: ZoneInfo) -> str:
    if value in (None, "", []):
        return ""
    if isinstance(value, list):
        told = [_spoken(how, each, names, zone) for each in value[:_MOST_LISTED]]
        return ", ".join(told) + (f" and {len(value) - len(told):,} more" if len(value) > len(told) else "")
    if how.is_instant:
        return f"{isoparse(value).astimezone(zone):%-d %b %Y %H:%M %Z}"
    return names.get((how.kind, value), f"{how.kind} {value}") if how.kind else how.words.get(value, str(value))


def _shown(name: str, value: Any, names: Names) -> str:
    if value in (None, "", []):
        return ""
    if name in ("hold_reason", "resolution_code"):
        return _WORDS[name].get(value, str(value)).lower()
    if name in _WORDS:
        return _WORDS[name].get(value, str(value))
    if name in INSTANTS:
        return f"{isoparse(value):%-d %b %Y %H:%M} UTC"
    if isinstance(value, dict):
        return _thing(value, names)
    if isinstance(value, list):
        kind = "person" if name == "watchers" else ""
        return ", ".join(names.get((kind, each), str(each)) for each in value)
    kind = "ticket" if name == "duplicate" else REFERENCES.get(name, "")
    return names.get((kind, value), f"{kind} {value}") if kind else str(value)


def _thing(value: Mapping[str, Any], names: Names) -> str:
    """A link or an attachment."""
    if "relation" in value:
        relation = str(value["relation"]).replace(":reverse", " (from there)").replace("_", " ")
        far = names.get(("ticket", value.get("ticket") or 0)) or value.get("label") or value.get("url") or ""
        return f"{relation} {far}".strip()
    return str(value.get("name", ""))
