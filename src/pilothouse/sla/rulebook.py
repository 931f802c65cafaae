"""The rulebook from the database: versions of agreements compiled, whose hours count, and the hours of every schedule.

A process keeps what it compiled until somebody adds a version: one small look says so (rows of versions are only ever added).
"""

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from pilothouse.platform import access
from pilothouse.platform.statements import run
from pilothouse.sla import schedules
from pilothouse.sla.engine.business_time import OpenHours
from pilothouse.sla.engine.definitions import Compile, read_targets
from pilothouse.sla.engine.lives import seconds
from pilothouse.sla.engine.problem import Problem
from pilothouse.sla.engine.rules import NO_CONDITION, Agreement, Condition, Rulebook, Use, looks_beyond
from pilothouse.sla.models import AgreementVersion, ScheduleUse
from pilothouse.tickets.engine import queue_language
from pilothouse.tickets.engine.queue_language import Context, Mistake, Names
from pilothouse.tickets.names import look_up, nearest

_NOBODY = Context(now=datetime.fromtimestamp(0, UTC), zone=ZoneInfo("UTC"))
_BEYOND = "A condition looks at the ticket as it is at a moment; “{}” is no such fact, so a deadline could not be proved from the journal."
_STAMP = (
    "SELECT a.last, a.rows, s.last, s.rows, u.last, u.rows"
    " FROM (SELECT coalesce(max(id), 0) AS last, count(*) AS rows FROM sla_agreementversion) a,"
    " (SELECT coalesce(max(id), 0) AS last, count(*) AS rows FROM sla_scheduleversion) s,"
    " (SELECT coalesce(max(id), 0) AS last, count(*) AS rows FROM sla_scheduleuse) u"
)


class HoursOfSchedules(dict[int | None, OpenHours]):
    """The hours of each schedule, compiled when first asked for; None is round the clock."""

    def __missing__(self, schedule: int | None) -> OpenHours:
        hours = self[schedule] = schedules.hours_of(schedule)
        return hours


@dataclass(frozen=True, slots=True)
class Known:
    """What clocks are counted with."""

    rulebook: Rulebook
    hours: HoursOfSchedules
    stamp: tuple[Any, ...]

    @property
    def is_empty(self) -> bool:
        """Nobody has made an agreement yet."""
        return not self.rulebook.versions


_known: Known | None = None
_looked_at = 0.0  # when the stamp was last looked at, by this process's own steady clock
_FRESH_SECONDS = 1.0


def current() -> Known:
    """Return the rulebook and the hours in force, read anew when a version was added: for whoever writes by them."""
    global _known, _looked_at
    stamp = tuple(run(_STAMP, ()).fetchone() or ())
    if _known is None or _known.stamp != stamp:
        _known = Known(_read_rulebook(), HoursOfSchedules(), stamp)
    _looked_at = time.monotonic()
    return _known


def lately() -> Known:
    """Return the rulebook and the hours as they were at most a second ago: for whoever shows many clocks, one look for all."""
    return _known if _known is not None and time.monotonic() - _looked_at < _FRESH_SECONDS else current()


def forget() -> None:
    """Forget what was compiled; for tests that empty the database under a running process."""
    global _known
    _known = None


def _read_rulebook() -> Rulebook:
    rows = AgreementVersion.objects.select_related("agreement").order_by("agreement_id", "number")
    return Rulebook(tuple(map(agreement_of, rows)), tuple(map(_use, ScheduleUse.objects.order_by("id").exclude(kind="team"))))


def _use(row: ScheduleUse) -> Use:
    key = row.site if row.kind == "site" else row.record_id
    return Use(row.kind, key, row.schedule_id, seconds(row.effective_from) if row.effective_from else None)


def agreement_of(row: AgreementVersion) -> Agreement:
    """Compile a stored version. It was sound when it was saved; a target that no longer reads gives no clock."""
    names = {(kind, text): tuple(ids) for kind, text, ids in row.names}
    applies, targets, problems = read_targets(row.definition, compiler(names))
    is_unreadable = any(problem.field == "applies_to" for problem in problems)
    return Agreement(
        version_id=row.pk,
        agreement_id=row.agreement_id,
        number=row.number,
        name=row.agreement.name,
        position=row.position,
        applies=applies,
        targets=() if is_unreadable else targets,
        effective_from=seconds(row.effective_from) if row.effective_from else None,
        recorded_at=seconds(row.recorded_at),
        is_retired=row.is_retired,
    )


def compiler(names: Names | None = None, used: dict[tuple[str, str], tuple[int, ...]] | None = None) -> Compile:
    """Return what compiles a condition: with the ids that names stood for once, or (None) those that they stand for now.

    `used` gathers the names that were looked up, to be stored with the definition.
    """

    def compile_condition(field: str, text: str) -> Condition | Problem:
        query = queue_language.parse(text)
        if isinstance(query, Mistake):
            return _problem(field, text, query)
        if query.sort:
            return Problem(field, "A condition has no order.", "Leave out sort:…")
        wanted = queue_language.names_in(query)
        known = look_up(access.system(), wanted) if names is None else {key: names[key] for key in wanted if key in names}
        plan = queue_language.resolve(query, _NOBODY, known)
        if isinstance(plan, Mistake):
            return _problem(field, text, plan)
        if beyond := looks_beyond(plan):
            return Problem(field, _BEYOND.format(_spoken(beyond)), "kind:incident priority<=2 group:network hold:vendor tag:vip")
        if used is not None:
            used.update(known)
        return Condition(text, plan) if query.where is not None else NO_CONDITION

    return compile_condition


def _problem(field: str, text: str, mistake: Mistake) -> Problem:
    likely = mistake.suggestion or (nearest(access.system(), *mistake.unknown) if mistake.unknown else "")
    return Problem(field, f"{mistake.pointer(text)}\n{mistake.reason}", f"Did you mean {likely}?" if likely else mistake.hint)


def _spoken(path: str) -> str:
    return path.removesuffix("_id").removesuffix("_at").replace("story__", "").replace("sla__", "").replace("_", " ")


def stored_names(used: Mapping[tuple[str, str], Iterable[int]]) -> list[list[Any]]:
    """Write the names of a definition's conditions as AgreementVersion keeps them."""
    return [[kind, text, sorted(ids)] for (kind, text), ids in sorted(used.items())]
