"""The demo's problem records: written as they came about, then looked at as a worker does at night.

Fixes are judged, known errors learnt and their latest incidents matched by the product's own actions.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta

from pilothouse.demo.engine.facts import Member
from pilothouse.demo.engine.generate import Generation
from pilothouse.demo.engine.hours import instant
from pilothouse.demo.engine.problems import Gathering, ProblemLife, problems_of
from pilothouse.demo.engine.specs import Event
from pilothouse.platform import journal, outbox
from pilothouse.platform.access import Actor
from pilothouse.problems.actions import (
    Fixed,
    Gathered,
    PastProblem,
    judge_fixes,
    learn_signature,
    match_ticket,
    record_problem_histories,
)
from pilothouse.problems.models import Problem
from pilothouse.tickets.engine.lifecycle import OPEN_STATES
from pilothouse.tickets.history import Moment
from pilothouse.tickets.models import CAUSED_BY, Ticket

Troubles = Mapping[str, Sequence[Member]]
_MATCHED = timedelta(days=4)


def load(
    *,
    actor: Actor,
    generation: Generation,
    troubles: Troubles,
    moment: Callable[[Event], Moment],
    people: Sequence[int],
    now: datetime,
) -> int:
    """Draw the records and write them in the caller's transaction; `people` are the ids of the organisation's. Returns how many."""
    lives = problems_of(generation.seed, generation.world, generation.courses, troubles)
    wanted = {number for life in lives for each in life.gathered for number in each.numbers} | {life.fix[0] for life in lives if life.fix}
    ids = dict(Ticket.objects.filter(number__in=wanted).values_list("number", "pk"))
    record_problem_histories(actor=actor, problems=[_past(life, moment, people, ids) for life in lives], now=now)
    return len(lives)


def _past(life: ProblemLife, moment: Callable[[Event], Moment], people: Sequence[int], ids: Mapping[str, int]) -> PastProblem:
    def gathered(each: Gathering) -> Gathered:
        return Gathered(instant(each.at), None if each.by is None else people[each.by], [ids[number] for number in each.numbers])

    return PastProblem(
        moments=[moment(event) for event in life.events],
        gathered=[gathered(each) for each in life.gathered],
        weekly_hours=life.weekly_hours,
        fixed=None if life.fix is None else Fixed(instant(life.fix[1]), people[life.fix[2]], ids[life.fix[0]]),
        tasks=[[moment(event) for event in task] for task in life.tasks],
    )


def look(*, actor: Actor, generation: Generation, troubles: Troubles, now: datetime) -> None:
    """Judge the fixes, learn what marks the known errors, and hold their latest incidents against them."""
    judge_fixes(actor=actor, now=now)
    for pk in (
        Problem.objects.filter(known_error_at__isnull=False, ticket__state__in=OPEN_STATES).order_by("pk").values_list("pk", flat=True)
    ):
        learn_signature(actor=actor, problem_id=pk, now=now)
    since = generation.lived_until - _MATCHED
    known = {course.trouble.key for course in generation.courses if course.trouble.is_known}
    latest = [member.number for key in sorted(known) for member in troubles.get(key, ()) if member.opened_at >= since]
    free = Ticket.objects.filter(number__in=latest, state__in=OPEN_STATES).exclude(links__relation=CAUSED_BY)
    for pk in free.order_by("pk").values_list("pk", flat=True):
        match_ticket(actor=actor, ticket_id=pk, now=now)
    _ask_to_learn(now)


def _ask_to_learn(now: datetime) -> None:
    """Ask a worker to learn what marks the other problems, as it does after each time that incidents are linked."""
    others = Ticket.objects.filter(kind="problem", signature=None).exclude(state="cancelled").order_by("pk")
    latest = [
        [e for e in journal.entries_of("ticket", pk) if e.verb == "problem.gathered"][-1:] for pk in others.values_list("pk", flat=True)
    ]
    outbox.write([entry for last in latest for entry in last], now)
