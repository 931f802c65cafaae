"""The fold of a ticket's journal: the row as it is, and as it was; and the story, case by case."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings

from pilothouse.platform import journal
from pilothouse.platform.journal import Change, instant_text
from pilothouse.tickets import actions
from pilothouse.tickets.actions.fields import journal_row
from pilothouse.tickets.engine.replay import EMPTY, Story, fold, fold_story, with_extra
from tests.organisation import NOW, Organisation, set_up
from tests.tickets.lives_at_random import STEPS, Life, Step, tickets


@pytest.fixture
def organisation(db: None) -> Organisation:
    return set_up()


@given(steps=STEPS)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_the_fold_of_the_journal_is_the_row(organisation: Organisation, steps: list[Step]) -> None:
    with transaction.atomic():
        Life(organisation).live(steps)
        for ticket in tickets():
            entries = journal.entries_of("ticket", ticket.pk)
            assert fold(entries) == journal_row(ticket)
            before: dict[str, Any] = dict(EMPTY)
            for entry in entries:
                for change in entry.changes:
                    # What an entry says was there before is what the entries before it made.
                    if change.field in before and entry.seq > 1:
                        assert before[change.field] == change.before, (entry.verb, change)
                before = fold([entry], before)
        assert journal.verify().breaks == ()
        transaction.set_rollback(True)


def test_the_fold_of_the_first_entries_is_the_row_as_it_was(organisation: Organisation) -> None:
    then = []
    ticket = actions.open_ticket(actor=organisation.ana, title="VPN drops", now=NOW)
    for minutes, changes in ((5, {"group": organisation.network}), (9, {"state": "in_progress"}), (12, {"title": "VPN is away"})):
        then.append(journal_row(ticket))
        ticket = actions.change_ticket(actor=organisation.ana, ticket_id=ticket.pk, changes=changes, now=NOW + timedelta(minutes=minutes))
    entries = journal.entries_of("ticket", ticket.pk)
    assert [fold(entries[: n + 1]) for n in range(3)] == then
    assert fold(entries[2:], then[1]) == journal_row(ticket)


@dataclass(frozen=True)
class Happening:
    verb: str
    actor_id: int | None
    happened_at: datetime
    changes: tuple[Change, ...]


def story(*happenings: tuple[float, dict[str, Any]], verb: str = "ticket.changed", actor: int = 5) -> Story:
    """Fold happenings given as (hours since NOW, values)."""
    entries = [
        Happening(verb, actor, NOW + timedelta(hours=hours), tuple(Change(name, None, value) for name, value in values.items()))
        for hours, values in happenings
    ]
    return fold_story(Story(), entries)


@pytest.mark.parametrize(
    ("groups", "reassigned", "bounced"),
    [
        ([], 0, 0),
        ([1], 0, 0),
        ([1, 2], 1, 0),
        ([1, 2, 3], 2, 0),
        ([1, 2, 1], 2, 1),
        ([1, 2, 1, 2], 3, 2),
        ([1, 2, 3, 1], 3, 1),
        ([1, None, 1], 1, 1),
        ([1, None, 2], 1, 0),
        ([None, 1], 0, 0),
    ],
)
def test_reassignments_and_bounces(groups: list[int | None], reassigned: int, bounced: int) -> None:
    found = story(*((number, {"group": group}) for number, group in enumerate(groups)))
    assert (found.reassignment_count, found.bounce_count) == (reassigned, bounced)


def test_hold_is_calendar_time_from_the_entry_that_sets_it_to_the_one_that_leaves_it() -> None:
    found = story((0, {"state": "on_hold"}), (2, {"state": "in_progress"}), (3, {"state": "on_hold"}), (3.5, {"state": "resolved"}))
    assert (found.hold_seconds, found.hold_started_at) == (9000, None)
    running = story((0, {"state": "on_hold"}))
    assert (running.hold_seconds, running.hold_started_at) == (0, NOW)


def test_a_clock_that_ran_backwards_makes_no_negative_hold() -> None:
    assert story((5, {"state": "on_hold"}), (2, {"state": "in_progress"})).hold_seconds == 0


@pytest.mark.parametrize(
    ("states", "reopened"),
    [
        (["resolved", "in_progress"], 1),
        (["resolved", "closed"], 0),
        (["in_progress", "resolved"], 0),
        (["resolved", "in_progress", "resolved", "in_progress"], 2),
    ],
)
def test_a_reopen_is_resolved_to_in_progress(states: list[str], reopened: int) -> None:
    assert story(*((number, {"state": state}) for number, state in enumerate(states))).reopen_count == reopened


def test_first_owned_and_first_reply() -> None:
    opened = Happening("ticket.opened", 9, NOW, (Change("requester", None, 9),))
    own = Happening("ticket.commented", 9, NOW + timedelta(minutes=1), ())
    note = Happening("ticket.noted", 5, NOW + timedelta(minutes=2), (Change("assignee", None, 5),))
    reply = Happening("ticket.commented", 5, NOW + timedelta(minutes=3), ())
    found = fold_story(Story(), [opened, own, note, reply])
    assert found.first_owned_at == note.happened_at
    assert found.first_reply_at == reply.happened_at
    assert found.comment_count == 2


def test_values_of_extra_are_set_and_taken_away_one_by_one() -> None:
    changes = (Change("extra.a", None, "1"), Change("extra.b", None, "2"), Change("extra.a", "1", None))
    assert fold([Happening("ticket.changed", None, NOW, changes)])["extra"] == {"b": "2"}
    given_one = {"a": "1"}
    with_extra(given_one, "b", "2")
    assert given_one == {"a": "1"}


def test_instants_are_written_in_utc_with_six_decimals() -> None:
    assert instant_text(NOW) == "2026-03-02T09:00:00.000000+00:00"
