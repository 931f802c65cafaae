"""The law of the clocks' projection: what was kept, recounted after every edit of agreements and schedules, is what is rebuilt."""

from collections import Counter

import pytest
from django.db import connection, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pilothouse.platform import journal, projections
from pilothouse.sla import projections as ours
from pilothouse.sla import rebuilding, rulebook, schedules
from tests.organisation import Organisation, set_up
from tests.sla.service_lives import STEPS, ServiceLife, rows

LAW = settings(max_examples=40, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
SEEN: Counter[str] = Counter()


@pytest.fixture
def organisation(db: None) -> Organisation:
    rulebook.forget()
    schedules.forget()
    return set_up()


@given(steps=STEPS, backwards=st.booleans())
@LAW
def test_kept_is_rebuilt(organisation: Organisation, steps: list[object], backwards: bool) -> None:
    with transaction.atomic():
        life = ServiceLife(organisation).live_with(steps)
        life.recount(backwards)
        kept = rows()
        assert kept["sla_life"]
        SEEN.update({table: len(found) for table, found in kept.items()})
        projections.rebuild("sla_clock")
        assert rows() == kept
        transaction.set_rollback(True)


@given(steps=STEPS)
@settings(LAW, max_examples=10)
def test_kept_is_rebuilt_in_small_batches_and_by_the_path_for_many(organisation: Organisation, steps: list[object]) -> None:
    with transaction.atomic(), pytest.MonkeyPatch.context() as patch:
        ServiceLife(organisation).live_with(steps).recount(False)
        kept = rows()
        patch.setattr(ours, "_COPY_FROM", 1)
        patch.setattr(rebuilding, "_AT_ONCE", 2)
        patch.setattr(rebuilding, "_MANY", 0)  # indexes are dropped and made anew
        projections.rebuild("sla_clock")
        assert rows() == kept
        # Entry by entry, as it is kept, in batches that end anywhere.
        projections.get("sla_clock").clear()
        for entries in journal.stream(["person", "ticket"], batch=3):
            projections.get("sla_clock").apply(entries)
        assert rows() == kept
        transaction.set_rollback(True)


@pytest.mark.django_db(transaction=True)
def test_processes_make_the_same_rows_and_what_breaks_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    rulebook.forget()
    schedules.forget()
    ServiceLife(set_up()).live_with([("ana", act % 22, act % 6, act % 5, "vpn drops", 20) for act in range(60)]).recount(False)
    kept, indexes = rows(), _indexes()
    for name, value in (("_AT_ONCE", 2), ("_MANY", 0), ("_MOST_PROCESSES", 1)):
        monkeypatch.setattr(rebuilding, name, value)
    projections.rebuild("sla_clock")
    assert rows() == kept
    whole, written = rebuilding._write, list[object]()

    def breaks(made: rebuilding.Made) -> None:
        whole(made)
        written.append(made)
        if len(written) == 2:
            raise OSError("The disk is full.")

    monkeypatch.setattr(rebuilding, "_write", breaks)
    with pytest.raises(OSError, match="full"), transaction.atomic():  # inside of another transaction: in this process
        projections.rebuild("sla_clock")
    assert (len(written), rows(), _indexes()) == (2, kept, indexes)


def _indexes() -> list[tuple[str]]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT indexdef FROM pg_indexes WHERE tablename LIKE 'sla\\_%' ORDER BY 1")
        return list(cursor.fetchall())


def test_the_laws_saw_something_of_everything() -> None:
    if SEEN:  # the laws ran in this process
        assert all(SEEN[table] > 20 for table in ("sla_life", "sla_clock", "sla_ticket", "sla_escalation")), SEEN
        assert SEEN["sla_site"] > 3, SEEN
