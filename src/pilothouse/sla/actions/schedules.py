"""Adding, changing and retiring schedules, and saying whose hours they are: the only writers of schedules, versions and uses.

A version is never changed: a change makes a new one, which holds from its `effective_from` on until a newer one does. The journal
keeps in words what differs, with the fingerprint of the definition. Uses are only added, too; the newest that has begun counts.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from django.db import connection, transaction
from django.utils.text import slugify

from pilothouse.people.models import User
from pilothouse.people.queries import require
from pilothouse.platform import journal
from pilothouse.platform.access import Actor, Capability
from pilothouse.platform.journal import Change, Draft
from pilothouse.platform.refusals import FieldError, GuardRefused, Invalid, Missing, StaleVersion
from pilothouse.platform.texts import is_plain_text, text_errors
from pilothouse.sla import schedule_checks, schedule_queries
from pilothouse.sla.actions.versions import facts, since
from pilothouse.sla.engine.business_time import Definition, read_definition, write_definition
from pilothouse.sla.engine.business_time.wording import definition_lines
from pilothouse.sla.engine.words import differences, fingerprint
from pilothouse.sla.judging import field_errors
from pilothouse.sla.models import Schedule, ScheduleUse, ScheduleVersion

_LONGEST_SITE = 120


def add_schedule(
    *,
    actor: Actor,
    name: str,
    definition: Any,
    now: datetime,
    key: str = "",
    description: str = "",
    effective_from: datetime | None = None,
    note: str = "",
) -> Schedule:
    """Add a schedule; its key is made from the name when it is not given.

    Its hours hold since ever, or from `effective_from` on: before it, it is closed. Raises Invalid with every refusal under its
    place in the definition; Forbidden.
    """
    require(actor, Capability.CONFIGURE)
    with transaction.atomic():
        _lock()
        values = {"name": name.strip(), "key": key or _free_key(slugify(name)), "description": description.strip()}
        sound, errors = _judged(definition, None, now)
        if errors := _fact_errors(values, note) + errors:
            raise Invalid("The schedule was not added.", errors)
        assert sound is not None  # what has no errors is one
        schedule = Schedule.objects.create(**values)
        changes = (*facts({}, values), *_next_version(actor, schedule, None, sound, now, effective_from, note))
        journal.record(actor, [Draft("schedule", schedule.pk, "schedule.added", changes, note=note)], now=now, new=True)
    return schedule


def change_schedule(
    *,
    actor: Actor,
    schedule_id: int,
    now: datetime,
    definition: Any = None,
    name: str | None = None,
    description: str | None = None,
    effective_from: datetime | None = None,
    since_ever: bool = False,
    note: str = "",
    expected_version: int | None = None,
) -> Schedule:
    """Give a schedule a new version, or only another name or description; no change makes no version. A retired one comes back.

    The version holds from `effective_from` on (default: now), or `since_ever`: then clocks of the past are counted anew. Raises
    Invalid, StaleVersion when `expected_version` is not its newest, Missing, Forbidden.
    """
    require(actor, Capability.CONFIGURE)
    with transaction.atomic():
        schedule = _get(schedule_id)
        _check_version(schedule, expected_version, definition)
        given = {"name": name, "description": description}
        values = {field: text.strip() for field, text in given.items() if text is not None and text.strip() != getattr(schedule, field)}
        sound, errors = _judged(definition, schedule_id, now) if definition is not None else (None, [])
        if errors := _fact_errors(values, note, schedule_id) + errors:
            raise Invalid("The schedule was not changed.", errors)
        changes = facts({field: getattr(schedule, field) for field in values}, values)
        for field, text in values.items():
            setattr(schedule, field, text)
        changes += _new_hours(actor, schedule, sound, now, None if since_ever else effective_from or now, note)
        if changes:
            schedule.save()
            journal.record(actor, [Draft("schedule", schedule.pk, "schedule.changed", changes, note=note)], now=now)
    return schedule


def retire_schedule(*, actor: Actor, schedule_id: int, now: datetime, note: str = "") -> Schedule:
    """Offer a schedule no more; what was counted with it keeps it. Refused while an agreement, a user or another schedule needs it."""
    require(actor, Capability.CONFIGURE)
    with transaction.atomic():
        schedule = _get(schedule_id)
        if not schedule.is_active:
            raise GuardRefused(f"{schedule.name} is retired already.")
        if errors := _fact_errors({}, note):
            raise Invalid("The schedule was not retired.", errors)
        if needed := schedule_queries.needed_by(schedule_id, now):
            raise GuardRefused(f"{schedule.name} is in use: {', '.join(needed[:5])}. Let them use another one first.")
        schedule.is_active = False
        schedule.save()
        changes = (Change("is_active", True, False),)
        journal.record(actor, [Draft("schedule", schedule.pk, "schedule.retired", changes, note=note)], now=now)
    return schedule


def use_schedule(
    *,
    actor: Actor,
    schedule_id: int,
    kind: str,
    now: datetime,
    record_id: int | None = None,
    site: str = "",
    effective_from: datetime | None = None,
    since_ever: bool = False,
) -> ScheduleUse:
    """Say whose hours a schedule is from now on (or `effective_from`, or `since_ever`): a service's, a CI's, a team's or a site's.

    It takes the place of the one in use before, for tickets opened from then on. Raises Invalid, GuardRefused when the schedule is
    retired, Missing, Forbidden.
    """
    require(actor, Capability.CONFIGURE)
    with transaction.atomic():
        schedule = _get(schedule_id)
        if not schedule.is_active:
            raise GuardRefused(f"{schedule.name} is retired: choose another, or change it to bring it back.")
        record_id, site = _user(kind, record_id, site)
        before = schedule_queries.use_in_force(kind, record_id, site, now)
        from_when = None if since_ever else effective_from or now
        drafts = [Draft("schedule", schedule_id, "schedule.used", (_use_change(kind, None, record_id or site), since(from_when)))]
        if before is not None and before != schedule_id:
            drafts.append(Draft("schedule", before, "schedule.unused", (_use_change(kind, record_id or site, None), since(from_when))))
        made = ScheduleUse.objects.create(
            kind=kind, record_id=record_id, site=site, schedule=schedule, effective_from=from_when, recorded_at=now
        )
        journal.record(actor, drafts, now=now)
    return made


def unuse_schedule(*, actor: Actor, kind: str, now: datetime, record_id: int | None = None, site: str = "") -> ScheduleUse:
    """Say that a service, CI, team or site has no hours of its own any more, from now on. Raises Missing when it has none."""
    require(actor, Capability.CONFIGURE)
    with transaction.atomic():
        _lock()
        record_id, site = (record_id, "") if kind != "site" else (None, site.strip())
        before = schedule_queries.use_in_force(kind, record_id, site, now)
        if before is None:
            raise Missing("It uses no schedule.")
        made = ScheduleUse.objects.create(kind=kind, record_id=record_id, site=site, schedule=None, effective_from=now, recorded_at=now)
        changes = (_use_change(kind, record_id or site, None), since(now))
        journal.record(actor, [Draft("schedule", before, "schedule.unused", changes)], now=now)
    return made


def _lock() -> None:
    """Let writers of schedules wait for each other: names, combinations and uses are looked at as a whole."""
    with connection.cursor() as cursor:
        cursor.execute(f"LOCK TABLE {Schedule._meta.db_table} IN SHARE ROW EXCLUSIVE MODE")


def _get(schedule_id: int) -> Schedule:
    _lock()
    schedule = Schedule.objects.filter(pk=schedule_id).first()
    if schedule is None:
        raise Missing("There is no such schedule.")
    return schedule


def _judged(data: Any, schedule_id: int | None, now: datetime) -> tuple[Definition | None, list[FieldError]]:
    reading = schedule_checks.judge(data, schedule_id=schedule_id, now=now)
    return reading.definition, field_errors(reading.errors)


def _new_hours(
    actor: Actor, schedule: Schedule, definition: Definition | None, now: datetime, effective_from: datetime | None, note: str
) -> tuple[Change, ...]:
    """Add a version unless the newest says the same; a retired schedule comes back."""
    if definition is None:
        return ()
    last = schedule.newest
    holds_now = last.effective_from is None or last.effective_from <= now
    is_same = last.effective_from == effective_from or (holds_now and effective_from == now)
    if schedule.is_active and is_same and last.definition == write_definition(definition):
        return ()
    back = () if schedule.is_active else (Change("is_active", False, True),)
    return (*back, *_next_version(actor, schedule, last, definition, now, effective_from, note))


def _next_version(
    actor: Actor,
    schedule: Schedule,
    last: ScheduleVersion | None,
    definition: Definition,
    now: datetime,
    effective_from: datetime | None,
    note: str,
) -> tuple[Change, ...]:
    """Add a version in its normal form, and return in words what differs from the one before; the schedule is saved by the caller."""
    schedule.version, schedule.is_active = last.number + 1 if last else 1, True
    made = ScheduleVersion.objects.create(
        schedule=schedule,
        number=schedule.version,
        definition=write_definition(definition),
        effective_from=effective_from,
        recorded_at=now,
        recorded_by_id=actor.user_id,
        note=note,
    )
    before = read_definition(last.definition).definition if last else None
    said = differences(definition_lines(before) if before else {}, definition_lines(definition))
    marks = (fingerprint(last.definition, ()) if last else None, fingerprint(made.definition, ()))
    number = Change("version", last.number if last else None, made.number)
    return (*(Change(*each) for each in said), number, since(effective_from), Change("sha256", *marks))


def _fact_errors(values: Mapping[str, Any], note: str, own_id: int = 0) -> list[FieldError]:
    errors = text_errors(Schedule, values) + text_errors(ScheduleVersion, {"note": note})
    if errors or "name" not in values:
        return errors
    others = Schedule.objects.exclude(pk=own_id)
    if not values["name"] or values.get("key") == "":
        return [FieldError("name", "It has a name, with letters or digits.", "Example: Service desk Munich")]
    if others.filter(name__iexact=values["name"]).exists() or others.filter(key=values.get("key", "")).exists():
        return [FieldError("name", "A schedule has this name already.", "Choose another, or change that one.")]
    return []


def _free_key(wanted: str) -> str:
    """Return a key that no schedule has: the wanted one, cut to its column, or the same with a number after it."""
    taken = set(Schedule.objects.filter(key__startswith=wanted[:50]).values_list("key", flat=True))
    tries = (wanted[:60] if turn == 1 else f"{wanted[:50]}-{turn}" for turn in range(1, len(taken) + 2))
    return next((key for key in tries if key not in taken), "") if wanted else ""


def _check_version(schedule: Schedule, expected: int | None, definition: Any) -> None:
    if expected is not None and expected != schedule.version:
        current = {"definition": schedule.newest.definition}
        attempted = {"definition": definition}
        raise StaleVersion("Somebody changed the schedule in between.", version=schedule.version, current=current, attempted=attempted)


def _user(kind: str, record_id: int | None, site: str) -> tuple[int | None, str]:
    """Return what is stored of a user of hours, or raise Invalid when there is no such one."""
    if kind == "site":
        return None, _site(site.strip())
    if kind not in schedule_queries.RECORDS:
        raise Invalid(
            "The schedule is not used.",
            [FieldError("kind", "There is no such user of hours.", _kinds(("site", *schedule_queries.RECORDS)))],
        )
    if record_id is None or not schedule_queries.RECORDS[kind]._default_manager.filter(pk=record_id).exists():
        raise Invalid("The schedule is not used.", [FieldError("user", f"There is no such {kind}.")])
    return record_id, ""


def _site(site: str) -> str:
    if not site or len(site) > _LONGEST_SITE or not is_plain_text(site):
        raise Invalid("The schedule is not used.", [FieldError("user", "A site has a name.", "Example: Porto")])
    known = User.objects.filter(site__iexact=site).values_list("site", flat=True).first()
    return known or site


def _kinds(kinds: Iterable[str]) -> str:
    return f"One of: {', '.join(kinds)}."


def _use_change(kind: str, before: Any, after: Any) -> Change:
    return Change(kind, before, after)
