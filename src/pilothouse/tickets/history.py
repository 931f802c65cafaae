"""Recording whole histories in bulk: the set-based path of imports and of the demo organisation.

A history is what happened to one ticket, in order: each moment carries the fields that had these values from then on. What
differs from the moment before becomes a journal entry with the instant at which it happened; the ticket's row is the fold of its
entries. New tickets are written by COPY, known ones are locked and continued. History is not guarded by the lifecycle: what
happened elsewhere happened.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection, transaction
from psycopg.types.json import Jsonb

from pilothouse.platform import journal
from pilothouse.platform.access import Actor
from pilothouse.platform.journal import Change, Draft
from pilothouse.platform.statements import copy_rows
from pilothouse.tickets.actions.changing import verb_of
from pilothouse.tickets.actions.fields import ATTRIBUTES, SEQUENCES, journal_value, row_values
from pilothouse.tickets.engine.lifecycle import KINDS
from pilothouse.tickets.engine.replay import EMPTY, EXTRA
from pilothouse.tickets.models import Category, Ticket

_OPENED = "ticket.opened"
_NEAR = 1000  # up to here a sequence is raised step by step, which nobody can overtake


@dataclass(frozen=True, slots=True)
class Moment:
    """What became known at one instant: fields (journal names, row form: ids, aware datetimes) and their values from then on.

    `extra.NAME` sets one value of `extra`. Without `verb` the entry is named after what changed. `actor_id` is who did it.
    """

    at: datetime
    values: Mapping[str, Any]
    actor_id: int | None = None
    verb: str = ""
    note: str = ""
    private: bool = False
    recorded_at: datetime | None = None  # only a simulated organisation sets it


@dataclass(frozen=True, slots=True)
class History:
    """One ticket's moments in order. Without `ticket_id` it is new, and `number` is kept when it is free.

    `reserved_id` (of `reserve_ids`) is the id that a new ticket shall get: histories that speak of each other need it.
    """

    moments: Sequence[Moment]
    ticket_id: int | None = None
    number: str = ""
    reserved_id: int | None = None


@dataclass(frozen=True, slots=True)
class Recorded:
    """What became of a history, in the order given."""

    ticket_id: int
    number: str
    entries: int


@dataclass(slots=True)
class _Life:
    """A ticket while its moments are applied: its values now, and the entries so far."""

    ticket_id: int
    values: dict[str, Any]
    drafts: list[Draft]


def record_histories(*, actor: Actor, histories: Sequence[History], now: datetime) -> list[Recorded]:
    """Write tickets, journal entries, heads and projections for these histories in one transaction, and return what was made.

    Moments that change nothing and say nothing are left out. Quiet: no jobs, no live events. The caller has checked access.
    """
    if not histories:
        return []
    with transaction.atomic():
        fresh = [history for history in histories if history.ticket_id is None]
        known = [history for history in histories if history.ticket_id is not None]
        made = iter(_open(actor, fresh, now))
        continued = iter(_continue(actor, known, now))
        return [next(made if history.ticket_id is None else continued) for history in histories]


def _open(actor: Actor, histories: Sequence[History], now: datetime) -> list[Recorded]:
    if not histories:
        return []
    kinds = [str(history.moments[0].values.get("kind", "incident")) for history in histories]
    drawn = iter(reserve_ids(sum(history.reserved_id is None for history in histories)))
    ids = [next(drawn) if history.reserved_id is None else history.reserved_id for history in histories]
    numbers = _numbers(histories, kinds)
    lives = [_life(*facts) for facts in zip(histories, ids, kinds, numbers, strict=True)]
    _copy(lives, histories, now)
    journal.record(actor, [draft for life in lives for draft in life.drafts], now=now, new=True, quiet=True)
    return [Recorded(life.ticket_id, life.values["number"], len(life.drafts)) for life in lives]


def _life(history: History, ticket_id: int, kind: str, number: str) -> _Life:
    life = _Life(ticket_id, dict(EMPTY), [])
    first, *later = history.moments
    facts = {"kind": kind, "number": number, "channel": "other", **_with_whole_extra(first.values)}
    changes = tuple(Change(name, None, journal_value(value)) for name, value in facts.items() if name in EMPTY and value != EMPTY[name])
    life.values |= facts
    life.drafts.append(_draft(life, first, first.verb or _OPENED, changes))
    for moment in later:
        _move(life, moment)
    return life


def _with_whole_extra(values: Mapping[str, Any]) -> dict[str, Any]:
    """Gather `extra.NAME` values into one `extra`: a first entry carries it whole."""
    plain = {name: value for name, value in values.items() if not name.startswith(EXTRA)}
    named = {name.removeprefix(EXTRA): v for name, v in values.items() if name.startswith(EXTRA) and v is not None}
    return {**plain, "extra": {**plain.get("extra", {}), **named}} if named else plain


def _draft(life: _Life, moment: Moment, verb: str, changes: tuple[Change, ...]) -> Draft:
    return Draft(
        "ticket",
        life.ticket_id,
        verb,
        changes,
        note=moment.note,
        private=moment.private,
        happened_at=moment.at,
        recorded_at=moment.recorded_at,
        actor_id=moment.actor_id,
    )


def _move(life: _Life, moment: Moment) -> None:
    """Apply one moment: an entry of what differs, and the values from then on."""
    before = life.values
    changes: list[Change] = []
    after: dict[str, Any] = {}
    extra: dict[str, Any] | None = None
    for name, value in moment.values.items():
        if name.startswith(EXTRA):
            key = name[len(EXTRA) :]
            if (was := before["extra"].get(key)) != value:
                changes.append(Change(name, was, value))
                extra = dict(before["extra"]) if extra is None else extra
                extra[key] = value
        elif (was := before.get(name)) != value:
            changes.append(Change(name, journal_value(was), journal_value(value)))
            if name in before:  # what is no field (an absorbed duplicate) is told by the journal alone
                after[name] = value
    if not changes and not moment.note:
        return
    life.drafts.append(_draft(life, moment, moment.verb or verb_of(before, moment.values), tuple(changes)))
    before |= after
    if extra is not None:
        before["extra"] = {key: value for key, value in extra.items() if value is not None}


def reserve_ids(count: int) -> list[int]:
    """Draw ids for new tickets, rising; those that are not used are lost, which nobody minds."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT nextval(pg_get_serial_sequence('tickets_ticket', 'id')) FROM generate_series(1, %s)", [count])
        return [row[0] for row in cursor.fetchall()]


def _numbers(histories: Sequence[History], kinds: Sequence[str]) -> list[str]:
    """Keep each wanted number that is free and wanted once; the others get the next of their kind."""
    taken = taken_numbers(history.number for history in histories if history.number)
    numbers = []
    for history in histories:
        numbers.append(history.number if history.number and history.number not in taken else "")
        taken.add(history.number)
    for kind in KINDS:
        lacking = [i for i, number in enumerate(numbers) if not number and kinds[i] == kind]
        for i, number in zip(lacking, _next_numbers(kind, len(lacking)), strict=True):
            numbers[i] = number
    return numbers


def taken_numbers(numbers: Iterable[str]) -> set[str]:
    """Return those of these numbers that tickets have already."""
    return set(Ticket.objects.filter(number__in=list(numbers)).values_list("number", flat=True))


def _next_numbers(kind: str, count: int) -> list[str]:
    """Draw fresh numbers, passing over those that an import has taken ahead of the sequence."""
    found: list[str] = []
    while len(found) < count:
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT nextval('{SEQUENCES[kind]}') FROM generate_series(1, %s)", [count - len(found)])
            drawn = [f"{KINDS[kind][1]}{row[0]:07d}" for row in cursor.fetchall()]
        taken = taken_numbers(drawn)
        found += [number for number in drawn if number not in taken]
    return found


def raise_numbers(highest: Mapping[str, int]) -> None:
    """Raise the number sequences past these numbers (kind -> number), so that new tickets do not meet imported ones."""
    with connection.cursor() as cursor:
        for kind, number in highest.items():
            sequence = SEQUENCES[kind]
            # A fresh sequence says 1 although it has given nothing out yet.
            cursor.execute(f"SELECT last_value - (NOT is_called)::int FROM {sequence}")
            missing = number - cursor.fetchone()[0]
            if missing > _NEAR:
                cursor.execute("SELECT setval(%s, %s)", [sequence, number])
            elif missing > 0:
                cursor.execute("SELECT count(nextval(%s)) FROM generate_series(1, %s)", [sequence, missing])


_COLUMNS = (*EMPTY, "id", "created_at", "updated_at", "version")


def _copy(lives: Sequence[_Life], histories: Sequence[History], now: datetime) -> None:
    def rows() -> Iterator[Sequence[Any]]:
        for life, history in zip(lives, histories, strict=True):
            row = [Jsonb(value) if name == "extra" else value for name, value in ((n, life.values[n]) for n in EMPTY)]
            created = history.moments[0].recorded_at or now
            yield [*row, life.ticket_id, created, life.drafts[-1].happened_at, len(life.drafts)]

    columns = ", ".join(f'"{ATTRIBUTES.get(name, name)}"' for name in _COLUMNS)
    copy_rows(f"{Ticket._meta.db_table} ({columns})", rows())


def _continue(actor: Actor, histories: Sequence[History], now: datetime) -> list[Recorded]:
    """Append to known tickets; their rows are locked in the order of their ids, as everybody does."""
    if not histories:
        return []
    ids = [history.ticket_id for history in histories if history.ticket_id is not None]
    rows = {t.pk: t for t in Ticket.objects.select_for_update(of=("self",)).filter(pk__in=ids).order_by("pk")}
    recorded, drafts = [], []
    for history in histories:
        ticket = rows[history.ticket_id or 0]
        life = _Life(ticket.pk, row_values(ticket), [])
        for moment in history.moments:
            _move(life, moment)
        _carry(ticket, life)
        drafts += life.drafts
        recorded.append(Recorded(ticket.pk, ticket.number, len(life.drafts)))
    changed = [rows[draft_id] for draft_id in dict.fromkeys(draft.record_id for draft in drafts)]
    Ticket.objects.bulk_update(changed, [*(n for n in EMPTY), "updated_at", "version"], batch_size=200)
    journal.record(actor, drafts, now=now, quiet=True)
    return recorded


def _carry(ticket: Ticket, life: _Life) -> None:
    for name, value in life.values.items():
        setattr(ticket, ATTRIBUTES[name], value)
    ticket.version += len(life.drafts)
    ticket.updated_at = max([ticket.updated_at, *(draft.happened_at for draft in life.drafts if draft.happened_at)])


def add_categories_in_bulk(*, actor: Actor, names: Iterable[tuple[str, str]], now: datetime, is_active: bool = False) -> list[str]:
    """Add the categories and subcategories (category, subcategory or "") that are not there; returns what was added."""
    wanted = sorted(set(names))
    with transaction.atomic():
        roots = _add_categories(actor, {name: None for name, _ in wanted if name}, now, is_active=is_active)
        tops = {c.name.casefold(): c for c in Category.objects.filter(parent__isnull=True)}
        pairs = {(name, sub): tops[name.casefold()].pk for name, sub in wanted if name and sub}
        subs = _add_subcategories(actor, pairs, now, is_active=is_active)
    return [*roots, *subs]


def _add_categories(actor: Actor, names: Mapping[str, None], now: datetime, *, is_active: bool) -> list[str]:
    known = {c.casefold() for c in Category.objects.filter(parent__isnull=True).values_list("name", flat=True)}
    missing = {name.casefold(): Category(name=name, is_active=is_active) for name in names if name.casefold() not in known}
    return _insert_categories(actor, list(missing.values()), now)


def _add_subcategories(actor: Actor, pairs: Mapping[tuple[str, str], int], now: datetime, *, is_active: bool) -> list[str]:
    known = {(parent, name.casefold()) for parent, name in Category.objects.filter(parent__isnull=False).values_list("parent_id", "name")}
    missing = {
        (parent, sub.casefold()): Category(name=sub, parent_id=parent, is_active=is_active)
        for (_, sub), parent in pairs.items()
        if (parent, sub.casefold()) not in known
    }
    return _insert_categories(actor, list(missing.values()), now)


def _insert_categories(actor: Actor, rows: list[Category], now: datetime) -> list[str]:
    made = Category.objects.bulk_create(rows)
    journal.record(actor, [Draft("category", c.pk, "category.added", _category_facts(c)) for c in made], now=now, new=True, quiet=True)
    return [c.name for c in made]


def _category_facts(row: Category) -> tuple[Change, ...]:
    return (Change("name", None, row.name), Change("parent", None, row.parent_id), Change("is_active", None, row.is_active))
