"""Load the demo into the database: organisation, the tickets day by day in bounded memory, the changes, the problem records.

The load is journalled under ("demo", 1): `demo.begun` carries its arguments, each batch ends with `demo.loaded` in the same
transaction, `demo.finished` closes it. A load that was cut off goes on where it stood; a finished one is left alone.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from multiprocessing import get_context
from typing import Any

from django.db import connection, transaction

from pilothouse.demo import problem_records, processes, service_levels
from pilothouse.demo.engine.changes import changes_of
from pilothouse.demo.engine.facts import Fact, FactBook
from pilothouse.demo.engine.generate import Arguments, Generation, lives_of_day
from pilothouse.demo.engine.plan import Day
from pilothouse.demo.engine.scenarios import categories
from pilothouse.demo.engine.specs import Event, TicketLife
from pilothouse.demo.people_in import Ids, bring_in, find_ids
from pilothouse.platform import journal
from pilothouse.platform.access import Actor
from pilothouse.platform.alone import alone
from pilothouse.platform.journal import Change, Draft
from pilothouse.platform.refusals import GuardRefused
from pilothouse.problems.actions.candidates import request_look
from pilothouse.problems.models import MiningRun
from pilothouse.tickets.history import History, Moment, add_categories_in_bulk, raise_numbers, record_histories, reserve_ids
from pilothouse.tickets.models import Ticket

_RECORD = ("demo", 1)
_CHANGES_IN = "demo.changes_loaded"
_PROBLEMS_IN = "demo.problems_loaded"
_LOCK = "pilothouse demo"
_BATCH = 1500  # tickets a transaction, rounded up to whole days


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a load has come: its arguments, the days that are in, whether it is finished."""

    arguments: Arguments
    days_done: frozenset[int]
    is_finished: bool
    has_changes: bool = False
    has_problems: bool = False


def progress() -> Progress | None:
    """Return how far this database's demo has come; None when there is none."""
    entries = journal.entries_of(*_RECORD)
    if not entries:
        return None
    given = {change.field: change.after for change in entries[0].changes}
    until = datetime.fromisoformat(given.pop("until"))
    done = frozenset(day for entry in entries for day in range(*entry.after("loaded_days", (0, 0))))
    verbs = {entry.verb for entry in entries}
    return Progress(Arguments(**given, until=until), done, entries[-1].verb == "demo.finished", _CHANGES_IN in verbs, _PROBLEMS_IN in verbs)


def begin(*, actor: Actor, arguments: Arguments, now: datetime, force: bool = False) -> Progress:
    """Bring the organisation in and note what is being loaded; goes on with what was begun, whatever the arguments.

    Raises GuardRefused when there are tickets that are not the demo's, unless `force`; their numbers are then passed over.
    """
    if (begun := progress()) is not None:
        return begun
    if Ticket.objects.exists():
        if not force:
            raise GuardRefused("This instance has tickets already. The demo belongs into an empty one; --force loads it beside them.")
        arguments = _after_numbers(arguments)
    generation = arguments.generation()
    _make_months(generation)
    with transaction.atomic():
        bring_in(actor=actor, org=generation.organisation, now=now, lived_since=generation.lived_since)
        service_levels.bring_in(actor=actor, now=generation.lived_since)
        add_categories_in_bulk(actor=actor, names=categories(), now=now, is_active=True)
        raise_numbers(generation.highest_numbers())
        given = {"seed": arguments.seed, "tickets": arguments.tickets, "days": arguments.days, "until": arguments.until.isoformat()}
        given |= {"first_incident": arguments.first_incident, "first_request": arguments.first_request}
        _note(actor, "demo.begun", given, now)
    return Progress(arguments, frozenset(), False)


def _make_months(generation: Generation) -> None:
    """Make the journal's partitions beforehand: a batch that made one would keep the others waiting until it commits."""
    day = generation.lived_since.date().replace(day=1)
    while day <= generation.lived_until.date():
        journal.ensure_month(day.isoformat())
        day = (day + timedelta(days=32)).replace(day=1)


def _after_numbers(arguments: Arguments) -> Arguments:
    with connection.cursor() as cursor:
        cursor.execute("SELECT (SELECT last_value FROM ticket_incident_number), (SELECT last_value FROM ticket_request_number)")
        incident, request = cursor.fetchone()
    return Arguments(arguments.seed, arguments.tickets, arguments.days, arguments.until, incident + 1, request + 1)


def _note(actor: Actor, verb: str, values: Mapping[str, Any], now: datetime) -> None:
    changes = tuple(Change(name, None, value) for name, value in values.items())
    journal.record(actor, [Draft(*_RECORD, verb, changes)], now=now, quiet=True)


def load(*, actor: Actor, begun: Progress, now: datetime, told: Callable[[int], None] = lambda count: None, workers: int = 1) -> list[Fact]:
    """Load the days that are missing and return the planted facts; `told` hears how many tickets came in, batch by batch.

    Days do not depend on each other: with several workers, processes of their own draw and write them side by side.
    Raises GuardRefused when another process is at it.
    """
    with alone(_LOCK) as is_free:
        if not is_free:
            raise GuardRefused("Another process loads this demo already. Wait until it has ended and run the command again.")
        begun = progress() or begun  # another process may have gone on with it before this one's turn
        return _load(Loading(actor, begun.arguments, now), begun, told, workers)


def _load(loading: "Loading", begun: Progress, told: Callable[[int], None], workers: int) -> list[Fact]:
    book = FactBook(loading.generation.world)
    tasks = [(days, [] if done else reserve_ids(count)) for days, count, done in _batches(loading.generation.plan, begun.days_done)]
    for (days, _), part in zip(tasks, _run(loading, tasks, workers), strict=True):
        book.merge(part)
        told(sum(day.count for day in loading.generation.plan[days.start : days.stop]))
    if not begun.has_changes:
        loading.load_changes()
    if not begun.is_finished:
        _analyse()
        if not begun.has_problems:
            loading.load_problems(book.troubles)
        problem_records.look(actor=loading.actor, generation=loading.generation, troubles=book.troubles, now=loading.now)
        service_levels.escalate(actor=loading.actor, seed=begun.arguments.seed, until=loading.generation.lived_until)
        service_levels.learn(actor=loading.actor, now=loading.now)
        _look_for_what_recurs(loading)
        _note(loading.actor, "demo.finished", {"tickets": begun.arguments.tickets}, loading.now)
        _analyse()
    return book.result()


def _look_for_what_recurs(loading: "Loading") -> None:
    """Ask for a first look over the tickets, unless one was asked for; the worker does it when it runs."""
    if not MiningRun.objects.exists():
        request_look(actor=loading.actor, now=loading.now)


def _batches(plan: Sequence[Day], days_done: frozenset[int]) -> Iterator[tuple[range, int, bool]]:
    """Yield ranges of whole days of about a batch's size, how many tickets they hold, and whether they are in already."""
    first, count = 0, 0
    for day in plan:
        count += day.count
        last = day.index == len(plan) - 1
        turns = last or (day.index in days_done) != (day.index + 1 in days_done)
        if count >= _BATCH or turns:
            yield range(first, day.index + 1), count, day.index in days_done
            first, count = day.index + 1, 0


_Task = tuple[range, list[int]]


def _run(loading: "Loading", tasks: Sequence[_Task], workers: int) -> Iterator[FactBook]:
    if workers <= 1:
        yield from (loading.load_days(*task) for task in tasks)
        return
    # Spawned, not forked: a fork would share this process's database connection.
    given = (loading.actor, loading.arguments, loading.now, str(connection.settings_dict["NAME"]))
    with ProcessPoolExecutor(workers, get_context("spawn"), processes.set_up, given) as pool:
        try:
            yield from pool.map(processes.load_days, tasks)
        except BaseException:
            pool.shutdown(wait=True, cancel_futures=True)
            raise


class Loading:
    """What it takes to draw and write days: the plan, and the ids that the organisation's positions lead to."""

    def __init__(self, actor: Actor, arguments: Arguments, now: datetime) -> None:
        self.actor, self.arguments, self.now = actor, arguments, now
        self.generation = arguments.generation()
        self.ids = find_ids(self.generation.organisation)

    def load_days(self, days: range, ticket_ids: Sequence[int]) -> FactBook:
        """Draw days, write them in one transaction unless they are in (no ids), and return what they say about the facts."""
        plan, book = self.generation.plan, FactBook(self.generation.world)
        lives = [life for index in days for life in lives_of_day(self.generation.seed, self.generation.world, plan[index])]
        for life in lives:
            book.add(life)
        if ticket_ids:
            # Tickets that speak of each other were opened on the same day.
            target = _Target(self.ids, {life.ordinal: ticket_id for life, ticket_id in zip(lives, ticket_ids, strict=True)})
            with transaction.atomic():
                record_histories(actor=self.actor, histories=[_history(target, life) for life in lives], now=self.now)
                _note(self.actor, "demo.loaded", {"loaded_days": [days.start, days.stop]}, self.now)
                _require_once(days)
        return book

    def load_changes(self) -> None:
        """Draw the changes and write them in one transaction; they speak of no ticket, and no ticket's life of them."""
        lives = changes_of(self.generation.seed, self.generation.world)
        target = _Target(self.ids, {})
        with transaction.atomic():
            raise_numbers({"change": max(int(life.fields["number"].removeprefix("CHG")) for life in lives)})
            histories = [History([_moment(target, event) for event in life.events], number=life.fields["number"]) for life in lives]
            record_histories(actor=self.actor, histories=histories, now=self.now)
            _note(self.actor, _CHANGES_IN, {"changes": len(lives)}, self.now)

    def load_problems(self, troubles: problem_records.Troubles) -> None:
        """Draw the problem records about the known troubles' tickets and write them in one transaction."""
        target = _Target(self.ids, {})
        with transaction.atomic():
            count = problem_records.load(
                actor=self.actor,
                generation=self.generation,
                troubles=troubles,
                moment=lambda event: _moment(target, event),
                people=self.ids.people,
                now=self.now,
            )
            _note(self.actor, _PROBLEMS_IN, {"problems": count}, self.now)


def _require_once(days: range) -> None:
    """Refuse, and so undo the batch, when a worker whose parent was killed has written these days in its last moment.

    The note before holds the record's lock, so that one of the two sees the other.
    """
    ranges = [entry.after("loaded_days") for entry in journal.entries_of(*_RECORD) if entry.verb == "demo.loaded"]
    if sum(first < days.stop and days.start < last for first, last in ranges) > 1:
        raise GuardRefused("Another process has loaded these days. Run the command again.")


@dataclass(frozen=True, slots=True)
class _Target:
    """Where positions lead: the organisation's ids, and the ids of a batch's tickets by ordinal."""

    ids: Ids
    tickets: Mapping[int, int]


def _history(target: _Target, life: TicketLife) -> History:
    moments = [_moment(target, event) for event in life.events]
    return History(moments, number=life.fields["number"], reserved_id=target.tickets[life.ordinal])


def _moment(target: _Target, event: Event) -> Moment:
    actor_id = None if event.actor is None else target.ids.people[event.actor]
    return Moment(event.at, _values(target, event.changes), actor_id, event.verb, event.note, event.private, event.at)


def _values(target: _Target, changes: Mapping[str, Any]) -> dict[str, Any]:
    """Turn positions into ids."""
    values = dict(changes)
    for name, value in changes.items():
        if value is None:
            continue
        if name in _PEOPLE:
            values[name] = target.ids.people[value]
        elif name in _OTHERS:
            values[name] = getattr(target.ids, _OTHERS[name])[value]
        elif name in _TICKETS:
            values[name] = target.tickets[value]
        elif name == "change.cis":
            values[name] = [target.ids.cis[ci] for ci in value]
        elif name == "watchers":
            values[name] = sorted(target.ids.people[person] for person in value)
    return values


_PEOPLE = frozenset({"requester", "opened_by", "assignee"})
_OTHERS = {"group": "teams", "service": "services", "ci": "cis"}
_TICKETS = frozenset({"parent", "merged_into", "duplicate"})


_ANALYSED = (
    "tickets_ticket",
    "tickets_story",
    "journal_entry",
    "journal_head",
    "search_document",
    "people_user",
    "cmdb_ci",
    "sla_life",
    "sla_clock",
    "sla_ticket",
    "changes_change",
    "changes_affectedci",
    "tickets_link",
)


def _analyse() -> None:
    """Let the planner know what came in; its own worker would do so only minutes later."""
    with connection.cursor() as cursor:
        for table in _ANALYSED:
            cursor.execute(f"ANALYZE {table}")
