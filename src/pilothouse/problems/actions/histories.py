"""Problem records that were worked on elsewhere, or in a simulated organisation, written as they came about: the set-based path.

As with the histories of other tickets (tickets/history.py), each thing is journalled with the instant at which it happened, and
nothing is guarded: what happened, happened.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from django.db import transaction

from pilothouse.people.queries import require
from pilothouse.platform import journal
from pilothouse.platform.access import Actor, Capability
from pilothouse.platform.journal import Change, Draft
from pilothouse.problems.actions.records import evidence_of, named
from pilothouse.problems.models import Evidence
from pilothouse.tickets.history import History, Moment, record_histories, reserve_ids
from pilothouse.tickets.models import CAUSED_BY, FIXED_BY, Link


@dataclass(frozen=True, slots=True)
class Gathered:
    """Incidents (ids) that were linked as caused by the problem at one instant; `actor_id` None: by the product."""

    at: datetime
    actor_id: int | None
    ticket_ids: Sequence[int]


@dataclass(frozen=True, slots=True)
class Fixed:
    """The change (its id) that was linked as the fix."""

    at: datetime
    actor_id: int | None
    change_id: int


@dataclass(frozen=True, slots=True)
class PastProblem:
    """A problem's moments in order (the first opens it; `problem.NAME` are its detail), its incidents, its fix and its tasks' moments.

    What was gathered at the instant of its opening becomes its evidence; `weekly_hours` are handling hours.
    """

    moments: Sequence[Moment]
    gathered: Sequence[Gathered]
    weekly_hours: float | None = None
    fixed: Fixed | None = None
    tasks: Sequence[Sequence[Moment]] = ()


def record_problem_histories(*, actor: Actor, problems: Sequence[PastProblem], now: datetime) -> list[int]:
    """Write problems with their incidents linked, their evidence frozen, their fixes and tasks, and return their ids in order.

    One transaction, journalled as it happened, quiet (no jobs, no live events). Tickets named must be there. Needs to steer tickets.
    """
    require(actor, Capability.STEER_TICKETS)
    with transaction.atomic():
        ids, task_ids = reserve_ids(len(problems)), iter(reserve_ids(sum(len(problem.tasks) for problem in problems)))
        writings = [_Writing(pk, problem, [next(task_ids) for _ in problem.tasks]) for pk, problem in zip(ids, problems, strict=True)]
        record_histories(actor=actor, histories=[each for writing in writings for each in writing.histories()], now=now)
        Evidence.objects.bulk_create([writing.evidence for writing in writings])
        Link.objects.bulk_create([link for writing in writings for link in writing.links()], batch_size=1000)
        drafts = sorted((draft for writing in writings for draft in writing.elsewhere()), key=lambda draft: draft.happened_at or now)
        journal.record(actor, drafts, now=now, quiet=True)
    return ids


class _Writing:
    """One problem while it is written."""

    def __init__(self, pk: int, problem: PastProblem, task_ids: list[int]) -> None:
        self.pk, self.problem, self.task_ids = pk, problem, task_ids
        self.opened_at = problem.moments[0].at
        self.first = sorted({pk for each in problem.gathered if each.at == self.opened_at for pk in each.ticket_ids})
        self.evidence = evidence_of(pk, None, self.first, now=self.opened_at)

    def histories(self) -> Iterator[History]:
        """The problem's own history, in which linking stands where it happened, and its tasks'."""
        opening, *later = self.problem.moments
        own = sorted([*later, *self._linking()], key=lambda moment: moment.at)
        yield History([opening, *self._opening(), *own], reserved_id=self.pk)
        for pk, moments in zip(self.task_ids, self.problem.tasks, strict=True):
            opened = replace(moments[0], values={**moments[0].values, "parent": self.pk})
            yield History([opened, *moments[1:]], reserved_id=pk)

    def _opening(self) -> list[Moment]:
        hours = self.problem.weekly_hours
        known = {"problem.weekly_hours": None if hours is None else f"{hours:.1f}", "evidence": named(self.evidence)}
        return [self._moment(self.opened_at, self.problem.moments[0].actor_id, "problem.evidenced", known)]

    def _linking(self) -> Iterator[Moment]:
        for each in self.problem.gathered:
            values = {"incidents": len(each.ticket_ids), "gathered": sorted(each.ticket_ids)}
            yield self._moment(each.at, each.actor_id, "problem.gathered", values)
        if (fix := self.problem.fixed) is not None:
            yield self._moment(fix.at, fix.actor_id, "ticket.linked", {"link": _end(FIXED_BY, fix.change_id)})
        for pk, moments in zip(self.task_ids, self.problem.tasks, strict=True):
            task = {"name": str(moments[0].values["title"]), "ticket": pk}
            yield self._moment(moments[0].at, moments[0].actor_id, "problem.task_added", {"task": task})

    def _moment(self, at: datetime, actor_id: int | None, verb: str, values: dict[str, Any]) -> Moment:
        return Moment(at, values, actor_id, verb, recorded_at=self._recorded(at))

    def _recorded(self, at: datetime) -> datetime | None:
        return None if self.problem.moments[0].recorded_at is None else at

    def links(self) -> Iterator[Link]:
        """What is linked to it."""
        for each in self.problem.gathered:
            yield from (Link(ticket_id=pk, relation=CAUSED_BY, target_id=self.pk) for pk in each.ticket_ids)
        if (fix := self.problem.fixed) is not None:
            yield Link(ticket_id=self.pk, relation=FIXED_BY, target_id=fix.change_id)

    def elsewhere(self) -> Iterator[Draft]:
        """What the incidents' and the change's own journals say of it."""
        known_at = next((moment.at for moment in self.problem.moments if moment.values.get("problem.known_error_at")), None)
        for each in self.problem.gathered:
            there = (Change("link", None, _end(CAUSED_BY, self.pk)),)
            for pk in each.ticket_ids:
                yield self._draft(pk, "ticket.gathered", there, each.at, each.actor_id, private=True)
                if known_at is not None and each.at >= known_at:
                    yield self._draft(pk, "problem.workaround_offered", (), each.at, each.actor_id)
        if (fix := self.problem.fixed) is not None:
            there = (Change("link", None, _end(f"{FIXED_BY}:reverse", self.pk)),)
            yield self._draft(fix.change_id, "ticket.linked", there, fix.at, fix.actor_id)

    def _draft(self, ticket: int, verb: str, changes: tuple[Change, ...], at: datetime, by: int | None, *, private: bool = False) -> Draft:
        return Draft("ticket", ticket, verb, changes, private=private, happened_at=at, recorded_at=self._recorded(at), actor_id=by)


def _end(relation: str, ticket: int) -> dict[str, Any]:
    return {"relation": relation, "ticket": ticket, "url": "", "label": ""}
