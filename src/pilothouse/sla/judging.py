"""Judging an agreement before it is saved: reading its definition with today's names, its checks, and what of the last days it would get.

What a name stood for is kept with the version. When a definition is edited after a team was renamed, the old name still stands for the
team it stood for, unless somebody else bears it now.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import Q

from pilothouse.notifications.models import Webhook
from pilothouse.people.models import Team, User
from pilothouse.platform.refusals import FieldError
from pilothouse.sla.engine.checks import Known, check
from pilothouse.sla.engine.definitions import read_targets
from pilothouse.sla.engine.lives import seconds
from pilothouse.sla.engine.problem import Problem, refusals, warnings
from pilothouse.sla.engine.rules import NO_CONDITION, Agreement, Condition, Target
from pilothouse.sla.models import Schedule
from pilothouse.sla.rulebook import HoursOfSchedules, compiler, stored_names
from pilothouse.tickets.engine import queue_language
from pilothouse.tickets.engine.queue_language import Context, Mistake, Names
from pilothouse.tickets.models import Ticket
from pilothouse.tickets.queue_sql import condition as sql_condition

LOOKED_BACK = timedelta(days=90)


@dataclass(frozen=True, slots=True)
class Judged:
    """A definition read and judged; `names` are to be stored with it. `problems` may hold warnings alone."""

    definition: Mapping[str, Any]
    applies: Condition
    targets: tuple[Target, ...]
    problems: tuple[Problem, ...]
    names: list[list[Any]]

    @property
    def refusals(self) -> tuple[Problem, ...]:
        return refusals(self.problems)

    @property
    def warnings(self) -> tuple[Problem, ...]:
        return warnings(self.problems)


def judge(definition: Any, *, names: Sequence[Sequence[Any]] = (), now: datetime) -> Judged:
    """Read a definition and check what can be checked without looking at tickets; `names` are those of the version before."""
    if "\\u0000" in json.dumps(definition):
        return Judged({}, NO_CONDITION, (), (Problem("definition", "It holds NUL characters, which are no text."),), [])
    used: dict[tuple[str, str], tuple[int, ...]] = {}
    applies, targets, problems = read_targets(definition, _Compiling({(k, t): tuple(ids) for k, t, ids in names}, used))
    if not problems:
        problems = check(applies, targets, _known(targets, now))
    return Judged(definition, applies, targets, tuple(problems), stored_names(used))


class _Compiling:
    """Compiles conditions with what their names stand for now, or else stood for before; refuses those that depend on who asks."""

    def __init__(self, before: Names, used: dict[tuple[str, str], tuple[int, ...]]) -> None:
        self.today, self.before, self.used = compiler(None, used), before, used

    def __call__(self, field: str, text: str) -> Condition | Problem:
        found = self.today(field, text)
        if isinstance(found, Problem) and self.before:
            known: dict[tuple[str, str], tuple[int, ...]] = {}
            kept = compiler(self.before, known)(field, text)
            if isinstance(kept, Condition):
                self.used.update(known)
                found = kept
        if isinstance(found, Condition) and _depends_on_reader(text):
            return Problem(field, "A condition is the same for everybody: “me” and “my teams” are not.", "assignee:ana@example.org")
        return found


def _depends_on_reader(text: str) -> bool:
    query = queue_language.parse(text)
    if isinstance(query, Mistake):
        return False
    epoch, zone = datetime.fromtimestamp(0, ZoneInfo("UTC")), ZoneInfo("UTC")
    names = dict.fromkeys(queue_language.names_in(query), (1,))
    readers = (Context(epoch, zone), Context(epoch, zone, me=(-1,), my_teams=(-1,)))
    nobody, somebody = (queue_language.resolve(query, reader, names) for reader in readers)
    return nobody != somebody


def _known(targets: Iterable[Target], now: datetime) -> Known:
    wanted = {target.schedule for target in targets if target.schedule is not None}
    hours, there = HoursOfSchedules(), set(Schedule.objects.filter(pk__in=wanted).values_list("pk", flat=True))
    return Known(
        hours={schedule: hours[schedule] for schedule in (None, *sorted(there))},
        groups=frozenset(Team.objects.filter(is_active=True).values_list("pk", flat=True)),
        people=frozenset(User.objects.filter(is_active=True).exclude(role="requester").values_list("pk", flat=True)),
        now=seconds(now),
        webhooks=frozenset(Webhook.objects.values_list("pk", flat=True)),
    )


def reach(judged: Judged, earlier: Sequence[Agreement], *, now: datetime) -> list[Problem]:
    """Warn when no ticket of the last 90 days, as it is now, meets the agreement, or when those before it in the order take them all."""
    if judged.refusals:
        return []
    recent = Ticket.objects.filter(opened_at__gte=now - LOOKED_BACK)
    if not recent.exists():
        return []
    applies = _sql(judged.applies)
    if not recent.filter(applies).exists():
        text = f"None of the tickets opened in the last {LOOKED_BACK.days} days meets this, as they stand now."
        return [Problem("applies_to", text, "Try it in the queue first.", is_warning=True)]
    if any(recent.filter(applies & _unclaimed(target, earlier)).exists() for target in judged.targets):
        return []
    takers = [each.name for each in earlier if recent.filter(applies & _claims(each, judged.targets)).exists()]
    verbs = "comes before it and takes" if len(takers) == 1 else "come before it and take"
    text = f"It would never win: {', '.join(takers[:3])} {verbs} every ticket of the last {LOOKED_BACK.days} days that it applies to."
    return [Problem("position", text, "Move it up, or narrow the other one.", is_warning=True)]


def _sql(condition: Condition) -> Q:
    return Q() if condition.plan is None else sql_condition(condition.plan, private=True)


def _unclaimed(target: Target, earlier: Sequence[Agreement]) -> Q:
    """Return the tickets of a target's priorities that no earlier agreement has a target of this kind for."""
    wanted = Q(priority__in=sorted(target.durations))
    for agreement in earlier:
        for other in agreement.targets:
            narrower = other.kind == "ola" and other.groups and not (target.groups and target.groups <= other.groups)
            if other.kind == target.kind and not narrower:
                wanted &= ~(_sql(agreement.applies) & Q(priority__in=sorted(other.durations)))
    return wanted


def _claims(agreement: Agreement, targets: Sequence[Target]) -> Q:
    kinds = {target.kind for target in targets}
    levels = {level for target in agreement.targets if target.kind in kinds for level in target.durations}
    return _sql(agreement.applies) & Q(priority__in=sorted(levels))


def field_errors(problems: Iterable[Problem], under: str = "") -> list[FieldError]:
    """Return problems of a definition as errors of fields; `under` names the definition among several."""
    return [FieldError(f"{under}.{each.field}" if under else each.field, each.message, each.hint) for each in problems]
