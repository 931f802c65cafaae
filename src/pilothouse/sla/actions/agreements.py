"""Adding, changing, ordering and retiring agreements: the only writers of agreements and their versions.

A version is never changed. Each action makes new ones, which hold for tickets opened from their `effective_from` on, and journals in
words what differs, with the fingerprint of the definition. Whoever keeps clocks hears of it from the journal.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db import connection, transaction
from django.db.models import Max
from django.utils.text import slugify

from pilothouse.people.queries import require
from pilothouse.platform import journal
from pilothouse.platform.access import Actor, Capability
from pilothouse.platform.journal import Change, Draft
from pilothouse.platform.refusals import FieldError, GuardRefused, Invalid, Missing, StaleVersion
from pilothouse.platform.texts import text_errors
from pilothouse.sla.actions.versions import facts, since
from pilothouse.sla.engine.words import differences, fingerprint, lines
from pilothouse.sla.judging import Judged, field_errors, judge
from pilothouse.sla.models import Agreement, AgreementVersion

STEP = 10  # between two positions
NOTHING: Mapping[str, Any] = {}


def add_agreement(
    *,
    actor: Actor,
    name: str,
    definition: Mapping[str, Any],
    now: datetime,
    key: str = "",
    effective_from: datetime | None = None,
    since_ever: bool = False,
    note: str = "",
) -> Agreement:
    """Add an agreement, last in the order; its key is made from the name when it is not given.

    It holds for tickets opened from `effective_from` on (default: now), or `since_ever`. Raises Invalid with every refusal of the
    checks, each under its place in the definition; Forbidden.
    """
    require(actor, Capability.CONFIGURE)
    judged = judge(definition, now=now)
    with transaction.atomic():
        _lock()
        values = {"name": name.strip(), "key": key or _free_key(name)}
        if errors := _name_errors(values, note) + field_errors(judged.refusals):
            raise Invalid("The agreement was not added.", errors)
        last = Agreement.objects.aggregate(last=Max("position"))["last"] or 0
        agreement = Agreement.objects.create(**values, position=last + STEP)
        made = _add_version(actor, agreement, None, now, _from(effective_from, since_ever, now), note, judged=judged)
        changes = (*facts({}, {**values, "position": agreement.position}), *_differ(None, made))
        journal.record(actor, [Draft("agreement", agreement.pk, "agreement.added", changes, note=note)], now=now, new=True)
    return agreement


def change_agreement(
    *,
    actor: Actor,
    agreement_id: int,
    now: datetime,
    definition: Mapping[str, Any] | None = None,
    name: str | None = None,
    effective_from: datetime | None = None,
    since_ever: bool = False,
    note: str = "",
    expected_version: int | None = None,
) -> Agreement:
    """Give an agreement a new version (and bring a retired one back), or only another name; no change makes no version.

    A definition holds for tickets opened from `effective_from` on (default: now), or `since_ever`. Raises Invalid, StaleVersion when
    `expected_version` is not its newest, Missing, Forbidden.
    """
    require(actor, Capability.CONFIGURE)
    with transaction.atomic():
        agreement, last = _get(agreement_id)
        _check_version(agreement, expected_version, definition)
        names = {"name": name.strip()} if name is not None and name.strip() != agreement.name else {}
        judged = judge(definition if definition is not None else last.definition, names=last.names, now=now)
        errors = _name_errors(names, note, agreement.pk)
        is_new = definition is not None and (definition != last.definition or judged.names != last.names or last.is_retired)
        if errors := errors + (field_errors(judged.refusals) if is_new else []):
            raise Invalid("The agreement was not changed.", errors)
        changes = facts({"name": agreement.name}, names)
        for field, value in names.items():
            setattr(agreement, field, value)
        if is_new:
            made = _add_version(actor, agreement, last, now, _from(effective_from, since_ever, now), note, judged=judged)
            agreement.is_active = True
            changes = (*changes, *_differ(last, made))
        if changes:
            agreement.save()
            journal.record(actor, [Draft("agreement", agreement.pk, "agreement.changed", changes, note=note)], now=now)
    return agreement


def reorder_agreements(*, actor: Actor, order: Sequence[int], now: datetime) -> list[Agreement]:
    """Put agreements (by id, all that are active) in this order; those whose place changes get a version with the new one, from now on.

    Returns those that moved. Raises Invalid unless the ids are exactly the active agreements.
    """
    require(actor, Capability.CONFIGURE)
    with transaction.atomic():
        _lock()
        known = {each.pk: each for each in Agreement.objects.filter(is_active=True)}
        if sorted(order) != sorted(known):
            raise Invalid("The order was not changed.", [FieldError("order", "It names each active agreement once.", "Reload the page.")])
        moved = []
        for pk, position in zip(order, _positions([known[pk].position for pk in order]), strict=True):
            if known[pk].position != position:
                moved.append(_move(actor, known[pk], position, now))
    return moved


def _positions(taken: Sequence[int]) -> Iterable[int]:
    """Return ascending positions: the ones that are in use already, so that few agreements move, or fresh ones when some are the same."""
    ascending = sorted(taken)
    return ascending if len(set(ascending)) == len(ascending) else range(STEP, STEP * (len(ascending) + 1), STEP)


def _move(actor: Actor, agreement: Agreement, position: int, now: datetime) -> Agreement:
    last = agreement.newest
    changes = facts({"position": agreement.position}, {"position": position})
    agreement.position = position
    _add_version(actor, agreement, last, now, max(now, last.effective_from or now), "")
    agreement.save()
    journal.record(actor, [Draft("agreement", agreement.pk, "agreement.reordered", changes)], now=now)
    return agreement


def retire_agreement(*, actor: Actor, agreement_id: int, now: datetime, note: str = "") -> Agreement:
    """Let an agreement apply to no ticket opened from now on; tickets opened before keep it. A retired one is refused."""
    require(actor, Capability.CONFIGURE)
    with transaction.atomic():
        agreement, last = _get(agreement_id)
        if not agreement.is_active:
            raise GuardRefused(f"{agreement.name} is retired already.")
        if errors := _name_errors({}, note):
            raise Invalid("The agreement was not retired.", errors)
        agreement.is_active = False
        _add_version(actor, agreement, last, now, now, note, is_retired=True)
        agreement.save()
        changes = (Change("is_active", True, False),)
        journal.record(actor, [Draft("agreement", agreement.pk, "agreement.retired", changes, note=note)], now=now)
    return agreement


def _lock() -> None:
    """Let writers of agreements wait for each other: names, order and positions are looked at as a whole."""
    with connection.cursor() as cursor:
        cursor.execute(f"LOCK TABLE {Agreement._meta.db_table} IN SHARE ROW EXCLUSIVE MODE")


def _get(agreement_id: int) -> tuple[Agreement, AgreementVersion]:
    _lock()
    agreement = Agreement.objects.filter(pk=agreement_id).first()
    if agreement is None:
        raise Missing("There is no such agreement.")
    return agreement, agreement.newest


def _from(effective_from: datetime | None, since_ever: bool, now: datetime) -> datetime | None:
    return None if since_ever else effective_from or now


def _add_version(
    actor: Actor,
    agreement: Agreement,
    last: AgreementVersion | None,
    now: datetime,
    effective_from: datetime | None,
    note: str,
    *,
    judged: Judged | None = None,
    is_retired: bool = False,
) -> AgreementVersion:
    """Add the version that a judged definition makes, or one that says what the last one said; the agreement is saved by the caller."""
    said = judged or last
    assert said is not None
    agreement.version = last.number + 1 if last else 1
    return AgreementVersion.objects.create(
        agreement=agreement,
        number=agreement.version,
        position=agreement.position,
        definition=dict(said.definition),
        names=said.names,
        is_retired=is_retired,
        effective_from=effective_from,
        recorded_at=now,
        recorded_by_id=actor.user_id,
        note=note,
    )


def _differ(before: AgreementVersion | None, after: AgreementVersion) -> tuple[Change, ...]:
    """Return in words what a new version changes, since when, and the fingerprints of both."""
    old = lines(before.definition) if before else NOTHING
    said = tuple(Change(label, was, now_is) for label, was, now_is in differences(old, lines(after.definition)))
    marks = (fingerprint(before.definition, before.names) if before else None, fingerprint(after.definition, after.names))
    return (
        *said,
        Change("version", before.number if before else None, after.number),
        since(after.effective_from),
        Change("sha256", *marks),
    )


def _free_key(name: str) -> str:
    """Make a key of a name; long names that begin alike get a number behind."""
    wanted = slugify(name)[:80]
    if not wanted or len(slugify(name)) <= len(wanted):
        return wanted
    taken = set(Agreement.objects.filter(key__startswith=wanted[:70]).values_list("key", flat=True))
    keys = [wanted, *(f"{wanted[:75]}-{number}" for number in range(2, 1000))]
    return next((key for key in keys if key not in taken), wanted)


def _name_errors(values: Mapping[str, Any], note: str, own_id: int = 0) -> list[FieldError]:
    errors = text_errors(Agreement, values) + text_errors(AgreementVersion, {"note": note})
    if errors or not values:
        return errors
    others = Agreement.objects.exclude(pk=own_id)
    if not values["name"] or values.get("key") == "":
        errors.append(FieldError("name", "It has a name, with letters or digits.", "Standard incident agreement"))
    elif others.filter(name=values["name"]).exists() or others.filter(key=values.get("key", "")).exists():
        errors.append(FieldError("name", "An agreement has this name already.", "Choose another, or change that one."))
    return errors


def _check_version(agreement: Agreement, expected: int | None, definition: Mapping[str, Any] | None) -> None:
    if expected is not None and expected != agreement.version:
        last = agreement.newest
        current, attempted = {"definition": last.definition}, {"definition": definition}
        raise StaleVersion("Somebody changed the agreement in between.", version=agreement.version, current=current, attempted=attempted)
