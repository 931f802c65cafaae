"""The outbox, its relay and the worker, on real PostgreSQL."""

from datetime import timedelta

import pytest
from django.db import connection, transaction
from procrastinate.contrib.django.models import ProcrastinateJob

from pilothouse.platform import clock, jobs, journal, outbox
from pilothouse.platform.access import system
from pilothouse.platform.journal import Draft
from pilothouse.platform.models import OutboxMessage

VERB, TASK = "probe.happened", "tests.probe"


@pytest.fixture(autouse=True)
def subscribed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outbox, "_subscriptions", {VERB: {TASK}})


def happen(record: int) -> None:
    journal.record(system(), [Draft("probe", record, VERB)], now=clock.now())


@pytest.mark.django_db(transaction=True)
def test_an_entry_becomes_a_job_once() -> None:
    for record in (1, 2, 3):
        happen(record)
    assert (jobs.relay(), jobs.relay()) == (3, 0)
    made = list(ProcrastinateJob.objects.filter(task_name=TASK).order_by("id").values_list("args", flat=True))
    assert [args["record_id"] for args in made] == [1, 2, 3]
    assert set(made[0]) == {"entry_id", "kind", "record_id"}


@pytest.mark.django_db(transaction=True)
def test_a_rolled_back_entry_leaves_no_message() -> None:
    with pytest.raises(RuntimeError), transaction.atomic():
        happen(1)
        raise RuntimeError
    assert not OutboxMessage.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_a_relay_that_dies_leaves_the_message_for_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    happen(1)
    with pytest.raises(RuntimeError), transaction.atomic():
        jobs.relay()
        raise RuntimeError
    assert not ProcrastinateJob.objects.filter(task_name=TASK).exists()
    assert jobs.relay() == 1


@pytest.mark.django_db(transaction=True)
def test_two_relays_share_the_messages() -> None:
    for record in range(4):
        happen(record)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT id FROM outbox ORDER BY id LIMIT 2 FOR UPDATE")  # as another relay holds them
        other = connection.copy()
        other.set_autocommit(True)
        with other.cursor() as free:
            free.execute("SELECT count(*) FROM (SELECT id FROM outbox ORDER BY id LIMIT 500 FOR UPDATE SKIP LOCKED) x")
            assert free.fetchone() == (2,)
        other.close()


@pytest.mark.django_db(transaction=True)
def test_the_journal_is_prepared_for_two_months_ahead() -> None:
    jobs.prepare_months(timestamp=0)
    for ahead in range(3):
        month = (clock.now().replace(day=1) + timedelta(days=32 * ahead)).strftime("%Y_%m")
        with connection.cursor() as cursor:
            cursor.execute("SELECT to_regclass(%s) IS NOT NULL", [f"journal_entry_{month}"])
            assert cursor.fetchone() == (True,), month


@pytest.mark.django_db(transaction=True)
def test_what_has_served_is_tidied_away() -> None:
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO rate_window (key, window_at, count) VALUES ('old', now() - interval '2 days', 1), ('new', now(), 1)")
        jobs.tidy(timestamp=0)
        cursor.execute("SELECT key FROM rate_window")
        assert cursor.fetchall() == [("new",)]
