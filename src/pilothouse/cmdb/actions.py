"""The only writers of services, CIs and relationships; each journals what it did."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db import IntegrityError, connection, transaction
from django.utils.text import slugify

from pilothouse.cmdb import request_form
from pilothouse.cmdb.engine import CRITICALITIES, ENVIRONMENTS, RELATIONS, STATUSES, attribute_faults
from pilothouse.cmdb.models import CI, Relationship, Service
from pilothouse.people.models import Team
from pilothouse.people.queries import require
from pilothouse.platform import journal
from pilothouse.platform.access import Actor, Capability
from pilothouse.platform.journal import Change, Draft
from pilothouse.platform.refusals import FieldError, Invalid, Missing, StaleVersion
from pilothouse.platform.texts import text_errors

_CI_FIELDS = ("name", "ci_class", "attributes", "service_id", "owner_team_id", "criticality", "environment", "status")
_SERVICE_FIELDS = ("name", "key", "description", "owner_team_id", "criticality", "status", "request_form", "is_offered")


def _journalled(name: str) -> str:
    return name.removesuffix("_id")


def _changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[Change, ...]:
    return tuple(Change(_journalled(n), before.get(n), v) for n, v in after.items() if before.get(n) != v)


def _values(row: Any, names: Iterable[str]) -> dict[str, Any]:
    return {name: getattr(row, name) for name in names}


def _shared_errors(values: Mapping[str, Any]) -> list[FieldError]:
    errors = []
    if not str(values.get("name") or "").strip():
        errors.append(FieldError("name", "It has a name."))
    if values.get("criticality") not in CRITICALITIES:
        errors.append(FieldError("criticality", "Criticality is 1 (vital) to 4 (low)."))
    if values.get("status") not in STATUSES:
        errors.append(FieldError("status", "There is no such status.", f"One of: {', '.join(STATUSES)}."))
    if values.get("owner_team_id") and not Team.objects.filter(pk=values["owner_team_id"]).exists():
        errors.append(FieldError("owner_team", "There is no such team."))
    return errors


def _ci_errors(values: Mapping[str, Any]) -> list[FieldError]:
    errors = _shared_errors(values)
    errors += [FieldError("attributes", fault) for fault in attribute_faults(values["ci_class"], values["attributes"])]
    if values["environment"] not in ENVIRONMENTS:
        errors.append(FieldError("environment", "There is no such environment.", f"One of: {', '.join(ENVIRONMENTS)}."))
    if values.get("service_id") and not Service.objects.filter(pk=values["service_id"]).exists():
        errors.append(FieldError("service", "There is no such service."))
    return errors


_CI_DEFAULTS: dict[str, Any] = {
    "ci_class": "other",
    "attributes": {},
    "service_id": None,
    "owner_team_id": None,
    "criticality": 3,
    "environment": "production",
    "status": "in_use",
}
_SERVICE_DEFAULTS: dict[str, Any] = {
    "description": "",
    "owner_team_id": None,
    "criticality": 3,
    "status": "in_use",
    "request_form": [],
    "is_offered": True,
}


def _unknown(changes: Mapping[str, Any], fields: tuple[str, ...]) -> list[FieldError]:
    return [FieldError(name, "There is no such field.") for name in sorted(set(changes) - set(fields))]


def add_ci(*, actor: Actor, now: datetime, **values: Any) -> CI:
    """Add a CI; `values` are its fields (foreign keys as service_id, owner_team_id). Raises Invalid, Forbidden."""
    require(actor, Capability.EDIT_CMDB)
    values = {**_CI_DEFAULTS, **values}
    if errors := _unknown(values, _CI_FIELDS) or text_errors(CI, values) or _ci_errors(values):
        raise Invalid("The CI was not added.", errors)
    with transaction.atomic():
        ci = CI.objects.create(**values)
        journal.record(actor, [Draft("ci", ci.pk, "ci.added", _changes({}, values))], now=now, new=True)
    return ci


def change_ci(*, actor: Actor, ci_id: int, changes: Mapping[str, Any], now: datetime, expected_version: int | None = None) -> CI:
    """Change a CI's fields; StaleVersion when somebody was quicker."""
    require(actor, Capability.EDIT_CMDB)
    with transaction.atomic():
        ci = CI.objects.select_for_update(of=("self",)).filter(pk=ci_id).first()
        if ci is None:
            raise Missing("There is no such CI.")
        before = _values(ci, _CI_FIELDS)
        _check_version(ci, expected_version, before, changes)
        if errors := _unknown(changes, _CI_FIELDS) or text_errors(CI, changes) or _ci_errors({**before, **changes}):
            raise Invalid("The CI was not changed.", errors)
        _save(actor, ci, "ci", before, changes, now)
    return ci


def _check_version(row: Any, expected: int | None, before: Mapping[str, Any], changes: Mapping[str, Any]) -> None:
    if expected is not None and expected != row.version:
        current = {name: before.get(name) for name in changes}
        raise StaleVersion("Somebody changed it in between.", version=row.version, current=current, attempted=changes)


def _save(actor: Actor, row: Any, kind: str, before: Mapping[str, Any], changes: Mapping[str, Any], now: datetime) -> None:
    moved = _changes(before, changes)
    if not moved:
        return
    for name, value in changes.items():
        setattr(row, name, value)
    row.version += 1
    row.save()
    journal.record(actor, [Draft(kind, row.pk, f"{kind}.changed", moved)], now=now)


def add_service(*, actor: Actor, name: str, now: datetime, key: str = "", **values: Any) -> Service:
    """Add a service; its key is made from the name when it is not given."""
    require(actor, Capability.EDIT_CMDB)
    values = {**_SERVICE_DEFAULTS, "name": name.strip(), "key": key or slugify(name)[:80], **values}
    if errors := _unknown(values, _SERVICE_FIELDS) or text_errors(Service, values) or _service_errors(values):
        raise Invalid("The service was not added.", errors)
    with transaction.atomic():
        service = Service.objects.create(**values)
        journal.record(actor, [Draft("service", service.pk, "service.added", _changes({}, values))], now=now, new=True)
    return service


def _service_errors(values: Mapping[str, Any], own_id: int = 0) -> list[FieldError]:
    errors = _shared_errors(values)
    others = Service.objects.exclude(pk=own_id)
    if others.filter(name=values["name"]).exists() or others.filter(key=values["key"]).exists():
        errors.append(FieldError("name", "A service has this name already.", "Choose another."))
    return errors + [FieldError("request_form", fault) for fault in request_form.faults(values["request_form"])]


def change_service(
    *, actor: Actor, service_id: int, changes: Mapping[str, Any], now: datetime, expected_version: int | None = None
) -> Service:
    """Change a service's fields; StaleVersion when somebody was quicker."""
    require(actor, Capability.EDIT_CMDB)
    with transaction.atomic():
        service = Service.objects.select_for_update(of=("self",)).filter(pk=service_id).first()
        if service is None:
            raise Missing("There is no such service.")
        before = _values(service, _SERVICE_FIELDS)
        _check_version(service, expected_version, before, changes)
        if (
            errors := _unknown(changes, _SERVICE_FIELDS)
            or text_errors(Service, changes)
            or _service_errors({**before, **changes}, service_id)
        ):
            raise Invalid("The service was not changed.", errors)
        _save(actor, service, "service", before, changes, now)
    return service


def relate_cis(*, actor: Actor, source_id: int, relation: str, target_id: int, now: datetime) -> Relationship:
    """Say that one CI stands in a relation to another; a relation that stands already is refused."""
    require(actor, Capability.EDIT_CMDB)
    if relation not in RELATIONS:
        raise Invalid("They were not related.", [FieldError("relation", "There is no such relation.", f"One of: {', '.join(RELATIONS)}.")])
    if source_id == target_id:
        raise Invalid("They were not related.", [FieldError("target", "A CI is not related to itself.")])
    if CI.objects.filter(pk__in=[source_id, target_id]).count() != 2:
        raise Missing("There is no such CI.")
    try:
        with transaction.atomic():
            made = Relationship.objects.create(source_id=source_id, relation=relation, target_id=target_id)
            journal.record(actor, [Draft("ci", source_id, "ci.related", (Change(relation, None, target_id),))], now=now)
    except IntegrityError as error:
        raise Invalid("They were not related.", [FieldError("target", "This relation stands already.")]) from error
    return made


def unrelate_cis(*, actor: Actor, relationship_id: int, now: datetime) -> None:
    """Take a relationship back."""
    require(actor, Capability.EDIT_CMDB)
    with transaction.atomic():
        found = Relationship.objects.select_for_update().filter(pk=relationship_id).first()
        if found is None:
            raise Missing("There is no such relationship.")
        changes = (Change(found.relation, found.target_id, None),)
        journal.record(actor, [Draft("ci", found.source_id, "ci.unrelated", changes)], now=now)
        found.delete()


def add_services_in_bulk(*, actor: Actor, services: Sequence[Service], now: datetime, recorded_at: datetime | None = None) -> list[Service]:
    """Add many services at once (imports, the demo), one journal entry each; not validated one by one."""
    with transaction.atomic():
        made = Service.objects.bulk_create(services)
        _journal_bulk(actor, "service", made, _SERVICE_FIELDS, now, recorded_at)
    return made


def add_cis_in_bulk(*, actor: Actor, cis: Sequence[CI], now: datetime, recorded_at: datetime | None = None) -> list[CI]:
    """Add many CIs at once, one journal entry each; not validated one by one."""
    with transaction.atomic():
        made = CI.objects.bulk_create(cis, batch_size=2000)
        _journal_bulk(actor, "ci", made, _CI_FIELDS, now, recorded_at)
    return made


def _journal_bulk(actor: Actor, kind: str, rows: Sequence[Any], fields: tuple[str, ...], now: datetime, at: datetime | None) -> None:
    drafts = [Draft(kind, row.pk, f"{kind}.added", _changes({}, _values(row, fields)), happened_at=at, recorded_at=at) for row in rows]
    journal.record(actor, drafts, now=now, new=True, quiet=True)


def relate_in_bulk(*, actor: Actor, relationships: Sequence[Relationship], now: datetime, recorded_at: datetime | None = None) -> None:
    """Add many relationships at once, one journal entry each; those that stand already are left alone."""
    with transaction.atomic():
        relationships = _not_yet(relationships)
        Relationship.objects.bulk_create(relationships, batch_size=2000)
        drafts = [
            Draft(
                "ci", r.source_id, "ci.related", (Change(r.relation, None, r.target_id),), happened_at=recorded_at, recorded_at=recorded_at
            )
            for r in relationships
        ]
        journal.record(actor, drafts, now=now, quiet=True)


def _not_yet(relationships: Sequence[Relationship]) -> list[Relationship]:
    """Return those that do not stand, each once; writers of relationships wait for each other here."""
    with connection.cursor() as cursor:
        cursor.execute("LOCK TABLE cmdb_relationship IN SHARE ROW EXCLUSIVE MODE")
    sources = {r.source_id for r in relationships}
    standing = set(Relationship.objects.filter(source_id__in=sources).values_list("source_id", "relation", "target_id"))
    fresh = {(r.source_id, r.relation, r.target_id): r for r in relationships}
    return [r for key, r in fresh.items() if key not in standing]
