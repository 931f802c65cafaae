"""The only writers of imports: asking for a run, its progress and end, and the batches of tickets that it brings."""

import hashlib
import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import transaction

from pilothouse.connectors.engine.mapping import CIS, REFERENCES, Snapshot
from pilothouse.connectors.engine.profiles import Profile
from pilothouse.connectors.engine.snapshots import Step, read_back, written
from pilothouse.connectors.engine.tables import Reject
from pilothouse.connectors.models import ImportedTicket, ImportRun
from pilothouse.connectors.names import Names
from pilothouse.people.queries import require
from pilothouse.platform import journal
from pilothouse.platform.access import Actor, Capability
from pilothouse.platform.journal import Change, Draft
from pilothouse.platform.statements import copy_rows
from pilothouse.tickets.history import History, Moment, add_categories_in_bulk, record_histories
from pilothouse.tickets.models import Ticket

NUMBER = re.compile(r"[A-Z][A-Z0-9]*[-_]?[0-9]{1,12}")
_FOLDED = dict.fromkeys(("hold_reason", "resolution_code", "resolution_notes", "category", "subcategory", "description", "title"), "")


def request_import(
    *, actor: Actor, profile: str, files: Sequence[str], options: Mapping[str, Any], is_dry: bool, now: datetime, waiting: bool = True
) -> ImportRun:
    """Note that an import is asked for; with `waiting` its journal entry makes a worker start it."""
    require(actor, Capability.IMPORT)
    with transaction.atomic():
        run = ImportRun.objects.create(
            profile=profile, files=list(files), options=dict(options), is_dry=is_dry, requested_by_id=actor.user_id, requested_at=now
        )
        facts = (Change("profile", None, profile), Change("files", None, list(files)), Change("is_dry", None, is_dry))
        verb = "import.requested" if waiting else "import.begun"
        journal.record(actor, [Draft("import", run.pk, verb, facts)], now=now, new=True)
    return run


def note_progress(*, run: ImportRun, stage: str, done: int, total: int, now: datetime) -> None:
    """Note how far a run is. A mere display, so it is not journalled."""
    run.stage, run.done, run.total, run.progress_at = stage, done, total, now
    run.started_at = run.started_at or now
    run.state, run.fault = ImportRun.State.RUNNING, ""
    run.save(update_fields=["stage", "done", "total", "progress_at", "started_at", "state", "fault"])


def end_import(*, actor: Actor, run: ImportRun, report: Mapping[str, Any], fault: str, now: datetime) -> None:
    """Note what came of a run; `fault` says why it could not be done."""
    with transaction.atomic():
        run.state = ImportRun.State.FAILED if fault else ImportRun.State.DONE
        run.report, run.fault, run.finished_at = dict(report), fault, now
        run.save(update_fields=["state", "report", "fault", "finished_at"])
        facts = tuple(Change(name, None, value) for name, value in report.get("counts", {}).items())
        draft = Draft("import", run.pk, "import.failed" if fault else "import.finished", facts, note=fault)
        journal.record(actor, [draft], now=now)


@dataclass(frozen=True, slots=True)
class Group:
    """One ticket's rows of the files, in order."""

    key: str
    snapshots: Sequence[Snapshot]


@dataclass(slots=True)
class Outcome:
    """What a batch did, or would do: counts by name, and the rows that were refused."""

    counts: Counter[str] = field(default_factory=Counter)
    rejects: list[Reject] = field(default_factory=list)


@dataclass(slots=True)
class _Plan:
    """What is to be written for one ticket."""

    group: Group
    known: ImportedTicket | None
    ticket_id: int | None
    steps: list[Step]
    positions: list[int]
    values: dict[str, Any]
    order: tuple[int, str]


def import_batch(*, actor: Actor, profile: Profile, groups: Sequence[Group], names: Names, now: datetime, dry: bool) -> Outcome:
    """Bring in these tickets' rows in one transaction: rows that came in before are passed over, new ones become history.

    With `dry` nothing is written; the outcome says what would happen. Idempotent: a batch that was committed adds nothing again.
    """
    require(actor, Capability.IMPORT)
    outcome = Outcome()
    with transaction.atomic():
        plans = _plans(profile, groups, outcome, now)
        names.look_up(_wanted(plans))
        if not dry:
            _write(actor, profile, plans, names, now)
    return outcome


def _plans(profile: Profile, groups: Sequence[Group], outcome: Outcome, now: datetime) -> list[_Plan]:
    keys = [group.key for group in groups]
    known = {k.external_id: k for k in ImportedTicket.objects.filter(system=profile.system, external_id__in=keys)}
    tickets = Ticket.objects.filter(external_system=profile.system, external_id__in=keys)
    ids = dict(tickets.values_list("external_id", "id"))
    plans = [_plan(profile, group, known.get(group.key), ids.get(group.key), outcome, now) for group in groups]
    return [plan for plan in plans if plan is not None]


def _plan(
    profile: Profile, group: Group, known: ImportedTicket | None, ticket_id: int | None, outcome: Outcome, now: datetime
) -> _Plan | None:
    seen = set(known.positions) if known else set()
    fresh = [s for s in group.snapshots if not _is_in(s.position, seen)]
    outcome.counts["rows_known"] += len(group.snapshots) - len(fresh)
    if known and profile.mappings[-1].many:
        fresh = _in_order(fresh, (known.last_revision, known.last_instant), outcome)
    before = read_back(known.values) if known else {}
    steps = [s for s in profile.steps(fresh, before, now) if not _is_in(s.position, seen)] if fresh else []
    if fresh and not steps and ticket_id is None:
        outcome.rejects += [Reject(s.file, s.line, "", group.key, "There is no incident of this number in these files.") for s in fresh]
        return None
    _count(outcome, fresh, steps, ticket_id)
    values = dict(before)
    for step in steps:
        values |= step.values
    named = {s.position for s in fresh} | {s.position for s in steps}
    positions = {digest(position) for position in named if position} - seen
    order = max((s.order for s in fresh), default=(0, ""))
    return _Plan(group, known, ticket_id, steps, sorted(positions), values, order) if steps or positions else None


def _is_in(position: str, seen: Set[int]) -> bool:
    return bool(seen and position) and digest(position) in seen


def digest(position: str) -> int:
    """Return a position as the 64-bit number under which it is remembered."""
    return int.from_bytes(hashlib.blake2b(position.encode(), digest_size=8).digest(), signed=True)


def _in_order(fresh: Sequence[Snapshot], last: tuple[int, str], outcome: Outcome) -> list[Snapshot]:
    """Refuse rows older than what has come in: history is only appended to."""
    late = [s for s in fresh if s.position and s.order < last]
    reason = "Older than what was imported of this ticket before; history is only added at its end."
    outcome.rejects += [Reject(s.file, s.line, "", s.position, reason) for s in late]
    return [s for s in fresh if not (s.position and s.order < last)]


def _count(outcome: Outcome, fresh: Sequence[Snapshot], steps: Sequence[Step], ticket_id: int | None) -> None:
    outcome.counts["rows_new"] += len(fresh) if steps else 0
    outcome.counts["rows_known"] += 0 if steps else len(fresh)
    outcome.counts["entries"] += len(steps)
    outcome.counts["tickets_new"] += bool(steps) and ticket_id is None
    outcome.counts["tickets_continued"] += bool(steps) and ticket_id is not None


def _wanted(plans: Sequence[_Plan]) -> dict[str, set[str]]:
    wanted: dict[str, set[str]] = {"person": set(), "team": set(), "service": set(), "ci": set()}
    for plan in plans:
        for step in plan.steps:
            if step.author:
                wanted["person"].add(step.author)
            wanted["ci"].update(name for name in step.values.get(CIS) or () if name)
            for name, kind in REFERENCES.items():
                if found := step.values.get(name):
                    wanted[kind].add(found)
    return wanted


def _write(actor: Actor, profile: Profile, plans: Sequence[_Plan], names: Names, now: datetime) -> None:
    named = {(plan.values.get("category") or "", plan.values.get("subcategory") or "") for plan in plans}
    if new := named - names.categories:
        added = add_categories_in_bulk(actor=actor, names=new, now=now)
        names.added.setdefault("category", []).extend(added)
        names.categories |= new
    telling = [plan for plan in plans if plan.steps]
    made = record_histories(actor=actor, histories=[_history(profile, plan, names) for plan in telling], now=now)
    ids = {plan.group.key: recorded.ticket_id for plan, recorded in zip(telling, made, strict=True)}
    _remember(profile, plans, ids)


def _history(profile: Profile, plan: _Plan, names: Names) -> History:
    moments = [_moment(step, names) for step in plan.steps]
    if plan.ticket_id is None:
        first = moments[0]
        own = {"external_system": profile.system, "external_id": plan.group.key}
        moments[0] = Moment(first.at, {**first.values, **own}, first.actor_id)
    number = plan.group.key.upper()
    return History(moments, plan.ticket_id, number if NUMBER.fullmatch(number) and len(number) <= 40 else "")


def _moment(step: Step, names: Names) -> Moment:
    values: dict[str, Any] = {
        name: names.id_of(REFERENCES[name], value) if name in REFERENCES else (_FOLDED.get(name) if value is None else value)
        for name, value in step.values.items()
    }
    if CIS in values:
        values[CIS] = [names.id_of("ci", name) for name in step.values[CIS]]
    return Moment(step.at, values, names.id_of("person", step.author), step.verb, step.note, step.private)


def _remember(profile: Profile, plans: Sequence[_Plan], ids: Mapping[str, int]) -> None:
    """Note which rows have come in: COPY for tickets met for the first time, an update for the others."""
    known = [_remembered(profile, plan, plan.known.ticket_id) for plan in plans if plan.known]
    fields = ["positions", "last_revision", "last_instant", "values"]
    ImportedTicket.objects.bulk_update(known, fields, batch_size=200)
    columns = ("ticket_id", "system", "external_id", *fields)
    met = (_remembered(profile, plan, ids.get(plan.group.key) or plan.ticket_id or 0) for plan in plans if plan.known is None)
    rows = ([*(getattr(row, name) for name in columns[:-1]), json.dumps(row.values)] for row in met)
    copy_rows(f"{ImportedTicket._meta.db_table} ({', '.join(columns)})", rows)


def _remembered(profile: Profile, plan: _Plan, ticket_id: int) -> ImportedTicket:
    before = (plan.known.last_revision, plan.known.last_instant) if plan.known else (0, "")
    revision, instant = max(before, plan.order)
    return ImportedTicket(
        ticket_id=ticket_id,
        system=profile.system,
        external_id=plan.group.key,
        positions=[*(plan.known.positions if plan.known else []), *plan.positions],
        last_revision=revision,
        last_instant=instant,
        values=written(plan.values),
    )
