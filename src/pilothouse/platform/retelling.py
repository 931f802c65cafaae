"""The journal of any record as people read it: ids become names, stored words become spoken ones.

A room registers how its kinds of record are named and where their pages are; here nothing is known of any room.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from pilothouse.platform.journal import Change, Entry

Namer = Callable[[Iterable[int]], Mapping[int, str]]
Names = Mapping[tuple[str, int], str]
_LONGEST = 160


@dataclass(frozen=True, slots=True)
class Kind:
    """How records of one kind are spoken of; `fields` are those of their journal that hold ids of other kinds."""

    word: str
    names: Namer
    address: Callable[[int, str], str] = lambda record_id, name: ""
    fields: Mapping[str, str] | None = None
    verbs: Mapping[str, str] | None = None
    labels: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Said:
    """One changed field in words."""

    label: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Told:
    """One entry in words: who did what to which record, and when it happened and was recorded."""

    id: int
    seq: int
    kind: str
    verb: str
    record: str
    address: str
    word: str
    at: datetime
    recorded_at: datetime
    who: str
    headline: str
    said: tuple[Said, ...]
    note: str
    private: bool
    source: str


_kinds: dict[str, Kind] = {}


def register(kind: str, how: Kind) -> None:
    """Say how the records of one kind are told; a second registration replaces the first."""
    _kinds[kind] = how


def extend(kind: str, fields: Mapping[str, str], labels: Mapping[str, str]) -> None:
    """Add a higher room's fields to a kind that is told already: those that hold ids, and how each is called."""
    how = _kinds[kind]
    _kinds[kind] = replace(how, fields={**(how.fields or {}), **fields}, labels={**(how.labels or {}), **labels})


def kinds() -> dict[str, str]:
    """Return the kinds that are known and their words, by word."""
    return {kind: _kinds[kind].word for kind in sorted(_kinds, key=lambda each: _kinds[each].word)}


def retell(entries: Sequence[Entry]) -> list[Told]:
    """Tell entries in words, in their order; one query per kind of record that they name."""
    names = _names(entries)
    return [_told(entry, names) for entry in entries]


def _names(entries: Sequence[Entry]) -> Names:
    wanted: dict[str, set[int]] = {}
    for entry in entries:
        wanted.setdefault(entry.kind, set()).add(entry.record_id)
        if entry.actor_id is not None:
            wanted.setdefault("person", set()).add(entry.actor_id)
        for change in entry.changes:
            if kind := _kind_of(entry.kind, change.field):
                wanted.setdefault(kind, set()).update(_ids(change.before) | _ids(change.after))
    found: dict[tuple[str, int], str] = {}
    for kind, ids in wanted.items():
        if ids and kind in _kinds:
            found |= {(kind, pk): name for pk, name in _kinds[kind].names(ids).items()}
    return found


def _kind_of(kind: str, field: str) -> str:
    how = _kinds.get(kind)
    return (how.fields or {}).get(field, "") if how else ""


def _ids(value: Any) -> set[int]:
    values = value if isinstance(value, list) else [value]
    return {each for each in values if isinstance(each, int) and not isinstance(each, bool)}


def _told(entry: Entry, names: Names) -> Told:
    how = _kinds.get(entry.kind)
    word = how.word if how else entry.kind
    record = names.get((entry.kind, entry.record_id), "")
    spoken = entry.verb.partition(".")[2].replace("_", " ")
    return Told(
        id=entry.id,
        seq=entry.seq,
        kind=entry.kind,
        verb=entry.verb,
        record=record or f"{word} {entry.record_id}",
        address=how.address(entry.record_id, record) if how and record else "",
        word=word,
        at=entry.happened_at,
        recorded_at=entry.recorded_at,
        who=names.get(("person", entry.actor_id), f"person {entry.actor_id}") if entry.actor_id else "Pilothouse",
        headline=(how.verbs or {}).get(entry.verb, spoken) if how else spoken,
        said=tuple(_said(entry.kind, change, names) for change in entry.changes if change.before or change.after),
        note=entry.note,
        private=entry.private,
        source="" if entry.source == "page" else entry.source,
    )


def _said(kind: str, change: Change, names: Names) -> Said:
    of = _kind_of(kind, change.field)
    how = _kinds.get(kind)
    label = (how.labels or {}).get(change.field) if how else None
    return Said(label or change.field.replace("_", " "), _words(change.before, of, names), _words(change.after, of, names))


def _words(value: Any, kind: str, names: Names) -> str:
    if value in (None, "", [], {}):
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return _short(", ".join(_words(each, kind, names) for each in value))
    if isinstance(value, dict):
        return _short(
            ", ".join(f"{key.replace('_', ' ')} {_words(each, '', names)}" for key, each in value.items() if each not in (None, ""))
        )
    return names.get((kind, value), f"{kind} {value}") if kind else _short(str(value))


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
