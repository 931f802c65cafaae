"""The laws of a change's detail: what was kept is what is rebuilt, at once and entry by entry, and what the actions read."""

from collections import Counter
from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings

from pilothouse.changes import projections as ours
from pilothouse.changes.actions.detail import detail_of
from pilothouse.changes.models import AffectedCI, Change
from pilothouse.platform import journal, projections
from pilothouse.tickets.models import Ticket
from tests.changes.lives_at_random import STEPS, Life, Step
from tests.organisation import Organisation, set_up

LAW = settings(max_examples=40, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
SEEN: Counter[str] = Counter()


@pytest.fixture
def organisation(db: None) -> Organisation:
    return set_up()


def rows() -> list[dict[str, Any]]:
    touched: dict[int, list[int]] = {}
    for change, ci in AffectedCI.objects.order_by("id").values_list("change_id", "ci_id"):
        touched.setdefault(change, []).append(ci)
    return [{**row, "cis": touched.get(row["ticket_id"], [])} for row in Change.objects.order_by("pk").values()]


@given(steps=STEPS)
@LAW
def test_kept_is_rebuilt(organisation: Organisation, steps: list[Step]) -> None:
    with transaction.atomic(), pytest.MonkeyPatch.context() as patch:
        life = Life(organisation).live(steps)
        kept = rows()
        assert {row["ticket_id"] for row in kept} == set(life.ids)
        SEEN.update(
            moved=life.moved, refused=life.refused, cis=sum(len(row["cis"]) for row in kept), ended=sum(bool(r["outcome"]) for r in kept)
        )
        for few in (50, 1):  # the path for a few rows, and the one for many
            patch.setattr(ours, "_COPY_FROM", few)
            projections.rebuild("change_detail")
            assert rows() == kept
        # Entry by entry, in batches that end anywhere.
        projections.get("change_detail").clear()
        for entries in journal.stream(["ticket"], batch=2):
            projections.get("change_detail").apply(entries)
        assert rows() == kept
        _holds_together()
        transaction.set_rollback(True)


def _holds_together() -> None:
    """A ticket's own CI is the first that its change touches, and no change is where its guards would not let it be."""
    for ticket in Ticket.objects.all():
        detail = detail_of(ticket.pk)
        assert ticket.ci_id in (None, *detail["cis"][:1])
        if ticket.state in ("scheduled", "in_progress"):
            assert detail["planned_start_at"] <= detail["planned_end_at"]
            assert detail["type"] == "standard" or detail["rollback_plan"]
        if ticket.state == "closed":
            assert detail["outcome"] and detail["actual_start_at"] <= detail["actual_end_at"]


def test_the_laws_saw_something_of_everything() -> None:
    if SEEN:  # the law ran in this process
        assert SEEN["moved"] > 10 and SEEN["refused"] > 20 and SEEN["cis"] > 20 and SEEN["ended"] > 5, SEEN
