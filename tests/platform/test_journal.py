"""The journal: append-only, chained, told apart from a tampered one, and never forked by writers at once."""

import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from django.db import DatabaseError, connection, connections, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pilothouse.platform import journal
from pilothouse.platform.access import system
from pilothouse.platform.journal import Change, Draft, Entry

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
pytestmark = pytest.mark.django_db
KIND = "probe"


@pytest.fixture(autouse=True)
def no_months_remembered() -> Iterator[None]:
    """A partition made in a test's transaction is gone with it."""
    journal.forget_months()
    yield
    journal.forget_months()


def happen(record: int = 1, verb: str = "probe.happened", *, at: datetime = NOW, **more: Any) -> Entry:
    return journal.record(system(), [Draft(KIND, record, verb, **more)], now=at)[0]


def sql(statement: str, *values: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)


def tamper(statement: str, *values: Any) -> None:
    """Change the journal as only somebody with the database's own keys can: with its triggers switched off."""
    sql("SET LOCAL session_replication_role = replica")
    sql(statement, *values)
    sql("SET LOCAL session_replication_role = origin")


def test_entries_are_numbered_and_linked_from_thirty_two_zero_bytes() -> None:
    first, second = happen(note="one"), happen(note="two")
    other = happen(2)
    assert (first.seq, second.seq, other.seq) == (1, 2, 1)
    assert first.previous == other.previous == bytes(32)
    assert second.previous == first.hash != second.hash
    assert journal.entries_of(KIND, 1) == [first, second]


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE journal_entry SET note = 'other'",
        "DELETE FROM journal_entry",
        "TRUNCATE journal_entry",
        "UPDATE journal_entry_2026_03 SET note = 'other'",
        "DELETE FROM journal_entry_2026_03",
        "TRUNCATE journal_entry_2026_03",
    ],
)
def test_the_database_itself_refuses_to_change_the_journal(statement: str) -> None:
    happen()
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        sql(statement)
    assert journal.verify([KIND]).breaks == ()


def test_a_journal_left_alone_verifies() -> None:
    for record in (1, 2, 3):
        for note in ("a", "b"):
            happen(record, note=note)
    assert journal.verify([KIND]) == journal.Verification(6, 3, ())


@pytest.mark.parametrize(
    ("statement", "seq", "reason"),
    [
        ("UPDATE journal_entry SET note = 'forged' WHERE kind = 'probe' AND seq = 2", 2, "does not match its hash"),
        ("UPDATE journal_entry SET actor_id = 99 WHERE kind = 'probe' AND seq = 3", 3, "does not match its hash"),
        ("UPDATE journal_entry SET private = true WHERE kind = 'probe' AND seq = 1", 1, "does not match its hash"),
        ("UPDATE journal_entry SET changes = '[[\"f\", 1, 2]]' WHERE kind = 'probe' AND seq = 2", 2, "does not match its hash"),
        ("UPDATE journal_entry SET happened_at = happened_at - interval '1 us' WHERE kind = 'probe' AND seq = 4", 4, "does not match"),
        ("UPDATE journal_entry SET hash = sha256('x') WHERE kind = 'probe' AND seq = 2", 2, "does not match its hash"),
        ("DELETE FROM journal_entry WHERE kind = 'probe' AND seq = 2", 3, "entry 2 is missing"),
        ("DELETE FROM journal_entry WHERE kind = 'probe' AND seq = 1", 2, "entry 1 is missing"),
        ("DELETE FROM journal_entry WHERE kind = 'probe' AND seq = 4", 4, "the head stands at entry 4, the journal ends at entry 3"),
        ("DELETE FROM journal_entry WHERE kind = 'probe'", 1, "every entry of the record is missing"),
        ("DELETE FROM journal_head WHERE kind = 'probe'", 4, "no head"),
        ("UPDATE journal_head SET hash = sha256('x') WHERE kind = 'probe'", 4, "does not carry the last entry's hash"),
    ],
)
def test_tampering_is_found_at_the_first_broken_entry(statement: str, seq: int, reason: str) -> None:
    for note in "abcd":
        happen(note=note)
    tamper(statement)
    (found,) = journal.verify([KIND]).breaks
    assert (found.kind, found.record_id, found.seq) == (KIND, 1, seq)
    assert reason in found.reason


def test_an_entry_forged_with_a_hash_of_its_own_breaks_the_next() -> None:
    for note in "abc":
        happen(note=note)
    forged = journal.entries_of(KIND, 1)[1]
    object.__setattr__(forged, "note", "forged")
    tamper("UPDATE journal_entry SET note = 'forged', hash = %s WHERE kind = 'probe' AND seq = 2", journal.link(forged))
    (found,) = journal.verify([KIND]).breaks
    assert (found.seq, found.reason) == (3, "it does not carry the hash of the entry before it")


def test_each_broken_chain_is_named_once_and_the_others_are_walked_on() -> None:
    for record in (1, 2, 3, 4):
        for note in "abc":
            happen(record, note=note)
    tamper("UPDATE journal_entry SET note = 'x' WHERE kind = 'probe' AND record_id IN (2, 4) AND seq IN (1, 3)")
    found = journal.verify([KIND])
    assert [(b.record_id, b.seq) for b in found.breaks] == [(2, 1), (4, 1)]
    assert found.entries == 12


def test_a_chain_runs_on_over_months() -> None:
    instants = [NOW + timedelta(days=20 * step) for step in range(8)]
    entries = [happen(at=at) for at in instants]
    assert [e.previous for e in entries[1:]] == [e.hash for e in entries[:-1]]
    with connection.cursor() as cursor:
        cursor.execute("SELECT DISTINCT tableoid::regclass::text FROM journal_entry WHERE kind = %s ORDER BY 1", [KIND])
        parts = [row[0] for row in cursor.fetchall()]
    assert parts == [f"journal_entry_2026_{month:02d}" for month in (3, 4, 5, 6, 7)]
    assert journal.verify([KIND]).breaks == ()
    assert [e.seq for e in journal.entries_of(KIND, 1, since=instants[3])] == [4, 5, 6, 7, 8]


@pytest.mark.parametrize("edge", ["2026-03-31T23:59:59.999999+00:00", "2026-04-01T00:00:00+00:00", "2026-04-01T01:30:00+02:00"])
def test_a_month_is_a_month_of_utc_and_half_open(edge: str) -> None:
    at = datetime.fromisoformat(edge)
    happen(at=at)
    with connection.cursor() as cursor:
        cursor.execute("SELECT tableoid::regclass::text FROM journal_entry WHERE kind = %s", [KIND])
        assert cursor.fetchone() == (f"journal_entry_{at.astimezone(UTC):%Y_%m}",)


def test_the_canonical_form_is_what_the_documentation_says() -> None:
    berlin = timezone(timedelta(hours=1))
    entry = happen(
        7,
        "probe.changed",
        at=datetime(2026, 3, 2, 10, 0, tzinfo=berlin),
        changes=(Change("b", None, {"z": 1, "a": ["ü", None, True]}),),
        note='a "note"',
    )
    assert journal.canonical(entry).decode() == (
        '["probe",7,1,"probe.changed",null,"2026-03-02T09:00:00.000000+00:00","2026-03-02T09:00:00.000000+00:00",'
        '[["b",null,{"a":["ü",null,true],"z":1}]],"a \\"note\\"",false,"system",""]'
    )


_TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=20)
_SCALAR = st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | _TEXT
_VALUE = st.recursive(_SCALAR, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_TEXT, inner, max_size=3), max_leaves=6)
_INSTANT = st.datetimes(datetime(2025, 1, 1), datetime(2026, 12, 31), timezones=st.sampled_from([UTC, timezone(timedelta(hours=5.5))]))  # noqa: DTZ001
_DRAFT = st.builds(
    Draft,
    kind=st.just(KIND),
    record_id=st.integers(1, 3),
    verb=st.sampled_from(["probe.a", "probe.b"]),
    changes=st.lists(st.builds(Change, _TEXT, _VALUE, _VALUE), max_size=3).map(tuple),
    note=_TEXT,
    private=st.booleans(),
    happened_at=st.none() | _INSTANT,
    recorded_at=st.none() | _INSTANT,
)


@given(batches=st.lists(st.lists(_DRAFT, max_size=5), max_size=4), bulk=st.booleans())
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_is_recorded_comes_back_as_it_was_and_verifies(batches: list[list[Draft]], bulk: bool) -> None:
    """Both ways into the table, one INSERT and COPY, for any text, any number of 64 bits and any nesting."""
    with transaction.atomic():
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("pilothouse.platform.journal_copy.WORTH_IT", 1 if bulk else 10_000)
            entries = [entry for drafts in batches for entry in journal.record(system(), drafts, now=NOW)]
        for record in (1, 2, 3):
            assert journal.entries_of(KIND, record) == [e for e in entries if e.record_id == record]
        found = journal.verify([KIND])
        assert (found.entries, found.breaks) == (len(entries), ())
        transaction.set_rollback(True)
    journal.forget_months()


@pytest.mark.django_db(transaction=True)
def test_a_rolled_back_month_is_made_again() -> None:
    with transaction.atomic():
        happen(at=datetime(2031, 5, 4, tzinfo=UTC))
        transaction.set_rollback(True)
    happen(at=datetime(2031, 5, 4, tzinfo=UTC))
    assert journal.verify([KIND]).breaks == ()


def at_once(work: Callable[[int], None], writers: int = 6) -> list[BaseException]:
    """Run work in threads that start together, each with its own connection; returns what went wrong."""
    gate, faults = threading.Barrier(writers), list[BaseException]()

    def run(number: int) -> None:
        try:
            gate.wait(10)
            work(number)
        except BaseException as fault:
            faults.append(fault)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=[number]) for number in range(writers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    return faults


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("known", [False, True], ids=["a record without a head yet", "a record with a head"])
def test_writers_of_one_record_at_once_never_fork_it(known: bool) -> None:
    if known:
        happen()
    assert at_once(lambda number: [happen(note=f"{number}-{step}") for step in range(10)] and None) == []
    assert [e.seq for e in journal.entries_of(KIND, 1)] == list(range(1, 61 + known))
    assert journal.verify([KIND]).breaks == ()


@pytest.mark.django_db(transaction=True)
def test_batches_over_the_same_records_in_other_orders_do_not_deadlock() -> None:
    def write(number: int) -> None:
        records = [1, 2, 3, 4] if number % 2 else [4, 3, 2, 1]
        for _ in range(8):
            journal.record(system(), [Draft(KIND, record, "probe.happened") for record in records], now=NOW)

    assert at_once(write) == []
    found = journal.verify([KIND])
    assert (found.entries, found.records, found.breaks) == (6 * 8 * 4, 4, ())


@pytest.mark.django_db(transaction=True)
def test_writers_who_meet_in_a_new_month_make_its_partition_once() -> None:
    assert at_once(lambda number: happen(number, at=datetime(2032, 1, 5, tzinfo=UTC)) and None) == []
    assert journal.verify([KIND]).entries == 6
