"""What the pages of agreements show: each with its targets by priority, how many were met, its words and its versions."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Count, Q

from pilothouse.people.models import Team, User
from pilothouse.people.queries import require
from pilothouse.platform.access import Actor, Capability
from pilothouse.platform.refusals import Missing
from pilothouse.sla import schedule_queries
from pilothouse.sla.engine.duration_text import write_duration
from pilothouse.sla.engine.rules import KINDS, PRIORITIES
from pilothouse.sla.engine.steps import read_steps
from pilothouse.sla.engine.words import REFERENCES, differences, duration_of, lines, step_words
from pilothouse.sla.models import Agreement, AgreementVersion, Clock, Schedule

Names = Mapping[tuple[str, int], str]


@dataclass(frozen=True, slots=True)
class Attained:
    """How many clocks of a kind ended in a span, and how many of them met their target."""

    met: int
    total: int

    @property
    def percent(self) -> float:
        return 100 * self.met / self.total


@dataclass(frozen=True, slots=True)
class Target:
    """One target in a table: its name, a duration for each priority, whose hours, and how it went."""

    name: str
    kind: str
    durations: Sequence[str]
    schedule: str
    steps: Sequence[str]
    lines: Sequence[tuple[str, str]]
    attained: Attained | None


@dataclass(frozen=True, slots=True)
class Shown:
    """An agreement as the overview shows it."""

    agreement: Agreement
    version: AgreementVersion
    applies_to: str
    targets: Sequence[Target]


@dataclass(frozen=True, slots=True)
class Told:
    """A version: who made it when, since when it holds, and what differs from the one before."""

    version: AgreementVersion
    said: Sequence[tuple[str, str, str]]
    is_new: bool


def agreement(actor: Actor, agreement_id: int) -> Agreement:
    """Return an agreement; Missing for requesters and unknown ids."""
    found = Agreement.objects.filter(pk=agreement_id).first() if actor.can(Capability.READ_TICKETS) else None
    if found is None:
        raise Missing("There is no such agreement.")
    return found


def overview(actor: Actor, *, now: datetime, retired: bool = False) -> list[Shown]:
    """Return the agreements in the order in which they are tried, each with how this month went so far."""
    require(actor, Capability.READ_TICKETS)
    found = list(Agreement.objects.filter(is_active=not retired))
    versions = schedule_queries.newest_versions(found)
    names, attained = _names(version.definition for version in versions.values()), attainment(_month(now))
    return [_shown(each, versions[each.pk], names, attained) for each in found]


def shown(found: Agreement, *, now: datetime) -> Shown:
    """Return one agreement as its page shows it."""
    version = found.newest
    return _shown(found, version, _names([version.definition]), attainment(_month(now), found.pk))


def _month(now: datetime) -> datetime:
    return now.replace(day=1, hour=0, minute=0, second=0, microsecond=0)


def attainment(since: datetime, agreement_id: int | None = None) -> dict[tuple[int, str], Attained]:
    """Return how the clocks that ended since an instant went, by agreement and target; sums of stays are left out."""
    ended = Clock.objects.filter(ended_at__gte=since, stage="achieved").exclude(kind="ola", stay=0)
    if agreement_id is not None:
        ended = ended.filter(agreement_version__agreement_id=agreement_id)
    rows = ended.values_list("agreement_version__agreement_id", "target").annotate(
        met=Count("pk", filter=Q(breached=False)), total=Count("pk")
    )
    return {(pk, target): Attained(met, total) for pk, target, met, total in rows.order_by()}


def _shown(found: Agreement, version: AgreementVersion, names: Names, attained: Mapping[tuple[int, str], Attained]) -> Shown:
    definition = version.definition
    targets = [_target(each, names, attained.get((found.pk, each.get("key") or each["kind"]))) for each in definition.get("targets", [])]
    return Shown(found, version, definition.get("applies_to", ""), targets)


def _target(target: Mapping[str, Any], names: Names, attained: Attained | None) -> Target:
    key, durations = target.get("key") or target["kind"], target.get("durations", {})
    said = lines({"targets": [target]})
    rest = [(label.removeprefix(f"{key} "), value) for label, value in said.items() if label.startswith(f"{key} ")]
    own = [(label, value) for label, value in rest if not label.startswith(("step ", "P1", "P2", "P3", "P4", "P5", "schedule"))]
    steps, _ = read_steps(target.get("steps", []))
    schedule = names.get(("schedule", target.get("schedule") or 0), "") if target.get("schedule") else "every hour"
    return Target(
        name=key.replace("-", " ").replace("_", " ").capitalize(),
        kind=KINDS[target["kind"]],
        durations=[write_duration(duration_of(durations[str(level)])) if str(level) in durations else "" for level in PRIORITIES],
        schedule=schedule,
        steps=[step_words(step, names) for step in steps],
        lines=[(label, named(label, value, names)) for label, value in own],
        attained=attained,
    )


def versions(found: Agreement) -> list[Told]:
    """Return an agreement's versions, the newest first, each with what it changed."""
    rows = list(found.versions.select_related("recorded_by").order_by("number"))
    names, told, before = _names(row.definition for row in rows), list[Told](), dict[str, Any]()
    for row in rows:
        now_said = {**lines(row.definition), "place in the order": row.position}
        said = differences(before, now_said) if told else []
        if row.is_retired:
            said = [("retired", None, "applies to no new ticket")]
        told.append(Told(row, [(label, named(label, was, names), named(label, then, names)) for label, was, then in said], not told))
        before = now_said
    return told[::-1]


def differing(before: Mapping[str, Any] | None, after: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """Return in words what differs between two definitions (None: there was none)."""
    names = _names([before or {}, after])
    said = differences(lines(before) if before is not None else {}, lines(after))
    return [(label, named(label, was, names), named(label, then, names)) for label, was, then in said]


def named(label: str, value: Any, names: Names) -> str:
    """Write a line's value: ids as the names of what they stand for."""
    kind = REFERENCES.get(label.rpartition(" ")[2], "")
    if value in (None, "", []):
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(named(label, each, names) for each in value)
    return names.get((kind, value), f"{kind} {value}") if kind else str(value)


def _names(definitions: Iterable[Mapping[str, Any]]) -> Names:
    """Return the names of the schedules, teams and people that definitions mention; two or three looks at the database."""
    targets = [target for definition in definitions for target in definition.get("targets", [])]
    steps = [step for target in targets for step in target.get("steps", [])]
    told = {each for step in steps for name in ("tell", "then") for each in step.get(name, [])}
    people = {int(each.partition(":")[2]) for each in told if each.startswith("person:")}
    teams = {pk for target in targets for pk in target.get("groups", [])} | {step["reassign"] for step in steps if step.get("reassign")}
    schedules = {target["schedule"] for target in targets if target.get("schedule")}
    wanted: list[tuple[str, Any, set[int]]] = [("person", User, people), ("team", Team, teams), ("schedule", Schedule, schedules)]
    return {
        (kind, pk): name for kind, model, ids in wanted if ids for pk, name in model.objects.filter(pk__in=ids).values_list("pk", "name")
    }
