"""Reads of schedules: the list, one with its versions, who uses it, and what needs it."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Model, Q, QuerySet

from pilothouse.cmdb.models import CI, Service
from pilothouse.people.models import Team
from pilothouse.people.queries import require
from pilothouse.platform.access import Actor, Capability
from pilothouse.platform.refusals import Missing
from pilothouse.sla import schedules
from pilothouse.sla.models import Agreement, AgreementVersion, Schedule, ScheduleUse, ScheduleVersion

WORDS = dict(ScheduleUse.USERS)
RECORDS: Mapping[str, type[Model]] = {"service": Service, "ci": CI, "team": Team}  # those that are records, with pages of their own


@dataclass(frozen=True, slots=True)
class User:
    """One whose hours a schedule is: what it is, its name, and the name of its page's address."""

    kind: str
    record_id: int | None
    name: str
    since: datetime | None

    @property
    def word(self) -> str:
        return WORDS[self.kind]

    @property
    def page(self) -> str:
        return self.kind if self.kind in RECORDS else ""


def schedules_of(actor: Actor, *, retired: bool = False) -> "QuerySet[Schedule]":
    """Return the schedules by name, the active ones or also those retired; staff only."""
    require(actor, Capability.READ_TICKETS)
    return Schedule.objects.all() if retired else Schedule.objects.filter(is_active=True)


def schedule(actor: Actor, schedule_id: int) -> Schedule:
    """Return one schedule; Missing for requesters and unknown ids."""
    found = Schedule.objects.filter(pk=schedule_id).first() if actor.can(Capability.READ_TICKETS) else None
    if found is None:
        raise Missing("There is no such schedule.")
    return found


def versions(schedule_id: int) -> list[ScheduleVersion]:
    """Return a schedule's versions, the newest first."""
    return list(ScheduleVersion.objects.filter(schedule_id=schedule_id).select_related("recorded_by").order_by("-number"))


def use_in_force(kind: str, record_id: int | None, site: str, at: datetime) -> int | None:
    """Return the schedule that a service, CI, team or site uses at an instant: the newest that has begun."""
    rows = ScheduleUse.objects.filter(_begun(at), kind=kind, record_id=record_id, site=site)
    return rows.order_by("-id").values_list("schedule_id", flat=True).first()


def users_of(schedule_id: int, at: datetime) -> list[User]:
    """Return who uses a schedule at an instant, by kind and name."""
    latest: dict[tuple[str, int | None, str], ScheduleUse] = {}
    for row in ScheduleUse.objects.filter(_begun(at)).order_by("id"):
        latest[row.kind, row.record_id, row.site] = row
    rows = [row for row in latest.values() if row.schedule_id == schedule_id]
    names = {
        (kind, pk): name
        for kind, records in RECORDS.items()
        for pk, name in records._default_manager.filter(pk__in=[row.record_id for row in rows if row.kind == kind]).values_list(
            "pk", "name"
        )
    }
    found = [User(row.kind, row.record_id, row.site or _name(row, names), row.effective_from) for row in rows]
    return sorted(found, key=lambda user: (user.kind, user.name))


def _name(row: ScheduleUse, names: dict[tuple[str, int], str]) -> str:
    return names.get((row.kind, row.record_id or 0), f"{row.kind} {row.record_id}")


def _begun(at: datetime) -> Q:
    return Q(effective_from=None) | Q(effective_from__lte=at)


def schedules_of_teams(at: datetime) -> dict[int, int]:
    """Return the schedule of each team that has one at an instant: the newest use that has begun."""
    newest = dict(ScheduleUse.objects.filter(_begun(at), kind="team").order_by("id").values_list("record_id", "schedule_id"))
    return {team: schedule for team, schedule in newest.items() if team is not None and schedule is not None}


def agreements_with(schedule_id: int) -> list[Agreement]:
    """Return the active agreements whose newest version counts with a schedule."""
    active = {each.pk: each for each in Agreement.objects.filter(is_active=True)}
    return [active[pk] for pk, row in newest_versions(active.values()).items() if _counts_with(row.definition, schedule_id)]


def newest_versions(agreements: Iterable[Agreement]) -> dict[int, AgreementVersion]:
    """Return the newest version of each of these agreements, in their order."""
    ids = [each.pk for each in agreements]
    rows = AgreementVersion.objects.filter(agreement__in=ids).order_by("agreement_id", "-number").distinct("agreement_id")
    found = {row.agreement_id: row for row in rows}
    return {pk: found[pk] for pk in ids if pk in found}


def _counts_with(definition: object, schedule_id: int) -> bool:
    targets = definition.get("targets") if isinstance(definition, dict) else None
    return any(isinstance(target, dict) and target.get("schedule") == schedule_id for target in targets or ())


def combining(schedule_id: int) -> list[Schedule]:
    """Return the active schedules whose newest version combines this one."""
    known = schedules.all_versions()
    combined = {pk for pk, made in known.items() if schedule_id in schedules.combined(made[-1][1])}
    return list(Schedule.objects.filter(is_active=True, pk__in=combined).exclude(pk=schedule_id))


def needed_by(schedule_id: int, at: datetime) -> list[str]:
    """Say in words what would miss a schedule: agreements, schedules that combine it, and those whose hours it is."""
    return list(_needs(schedule_id, at))


def _needs(schedule_id: int, at: datetime) -> Iterator[str]:
    yield from (f"agreement {each.name}" for each in agreements_with(schedule_id))
    yield from (f"schedule {each.name}" for each in combining(schedule_id))
    yield from (f"{user.word} {user.name}" for user in users_of(schedule_id, at))
