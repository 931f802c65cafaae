"""The detail of problems, kept step by step, equals the one rebuilt from the journal, over random lives."""

from datetime import date, timedelta
from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pilothouse.platform import journal, projections
from pilothouse.platform.refusals import Refused
from pilothouse.problems import actions
from pilothouse.problems.models import Problem
from pilothouse.tickets import actions as tickets
from tests.organisation import NOW, Organisation, set_up

TEXTS = st.sampled_from(["", "A driver of 2019.", "Restart the spooler.", "Ünïcode — “quoted”, 100 %."])
DESCRIBED = st.fixed_dictionaries(
    {},
    optional={
        "cause": TEXTS,
        "workaround": TEXTS,
        "no_fix_reason": TEXTS,
        "whys": st.lists(TEXTS, max_size=3),
        "promised_on": st.none() | st.dates(date(2026, 1, 1), date(2027, 12, 31)),
    },
).filter(bool)
STEP: st.SearchStrategy[tuple[str, dict[str, Any]]] = st.one_of(
    st.tuples(st.just("describe"), DESCRIBED),
    st.tuples(st.sampled_from(["declare", "withdraw"]), st.just({})),
    st.tuples(st.just("move"), st.sampled_from(["assessed", "analysis", "fixing", "resolved", "closed"]).map(lambda s: {"state": s})),
)
LIVES = st.lists(st.tuples(st.integers(0, 2), STEP), min_size=1, max_size=10)


@pytest.fixture
def org(db: None) -> Organisation:
    return set_up()


def _do(org: Organisation, problem_id: int, what: str, values: dict[str, Any], now: Any) -> None:
    match what:
        case "describe":
            actions.describe_problem(actor=org.ana, problem_id=problem_id, changes=values, now=now)
        case "declare":
            actions.declare_known_error(actor=org.ana, problem_id=problem_id, now=now)
        case "withdraw":
            actions.withdraw_known_error(actor=org.ana, problem_id=problem_id, now=now, note="It was none.")
        case "move":
            more: dict[str, Any] = (
                {"resolution_code": "solved", "resolution_notes": "Replaced it."} if values["state"] == "resolved" else {}
            )
            tickets.move_ticket(actor=org.ana, ticket_id=problem_id, now=now, note="Because.", **values, **more)


def _rows() -> list[dict[str, Any]]:
    return [dict(row) for row in Problem.objects.order_by("ticket_id").values()]


@given(steps=LIVES)
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_kept_is_rebuilt(org: Organisation, steps: list[tuple[int, tuple[str, dict[str, Any]]]]) -> None:
    with transaction.atomic():
        problems = [
            actions.open_problem(actor=org.ana, now=NOW, title=f"Problem {n}", group=org.network, weekly_hours=hours).pk
            for n, hours in enumerate((None, 0.04, 17.25))
        ]
        for at, (which, (what, values)) in enumerate(steps):
            try:
                with transaction.atomic():
                    _do(org, problems[which], what, values, NOW + timedelta(minutes=at))
            except Refused:
                continue  # a guard's refusal leaves nothing behind: what is kept must still be what is rebuilt
        kept = _rows()
        assert [row["ticket_id"] for row in kept] == problems
        projections.rebuild("problem_detail")
        assert _rows() == kept
        projections.get("problem_detail").clear()
        for entries in journal.stream(["ticket"], batch=2):  # in batches that end anywhere
            projections.get("problem_detail").apply(entries)
        assert _rows() == kept
        transaction.set_rollback(True)
