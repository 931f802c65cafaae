"""Tickets as they come in: what crowds is raised once, told to those who steer, joined by what follows, and taken over by the next look."""

from datetime import timedelta

import pytest
from django.db import connection

from pilothouse.cmdb import actions as cmdb
from pilothouse.notifications.models import Notification
from pilothouse.people.testing import NamedPeople
from pilothouse.platform import access
from pilothouse.platform.models import JournalEntry
from pilothouse.problems import mining, reading, watching
from pilothouse.problems.actions import dismiss_candidate
from pilothouse.problems.actions.candidates import end_look, request_look
from pilothouse.problems.models import Candidate, MiningRun, TicketWatch
from pilothouse.tickets.actions import open_tickets
from tests.organisation import NOW
from tests.problems.candidates_by_hand import found, kept

pytestmark = pytest.mark.django_db
SYSTEM = access.system()
THINGS = (
    "printer jams",
    "password forgotten",
    "mailbox is full",
    "monitor flickers",
    "badge is lost",
    "phone is mute",
    "licence is missing",
)


def usual(people: NamedPeople) -> None:
    """Two hundred tickets over eighty days, none like another's neighbour."""
    for at in range(200):
        when = NOW - timedelta(days=80) + timedelta(hours=9.5 * at)
        values = {"title": THINGS[at % 7], "group": people.teams["Network"].pk, "category": f"Kind {at % 5}"}
        open_tickets(actor=people.actor("adam"), tickets=[values], now=when)


def burst(people: NamedPeople, ci: int, count: int, *, first: int = 0, group: str = "Network") -> list[int]:
    made = []
    for at in range(first, first + count):
        values = {"title": "Nobody can sign in", "ci": ci, "group": people.teams[group].pk, "category": "Access"}
        made += open_tickets(actor=people.actor("adam"), tickets=[values], now=NOW + timedelta(minutes=3 * at))
    return [row.pk for row in made]


def test_what_crowds_is_raised_once_and_taken_over_by_the_next_look(people: NamedPeople) -> None:
    usual(people)
    ci = cmdb.add_ci(actor=SYSTEM, name="AUTH-01", now=NOW).pk
    assert watching.watch(actor=SYSTEM, now=NOW) == 0
    assert TicketWatch.objects.get().state
    tickets = burst(people, ci, 8)
    assert watching.watch(actor=SYSTEM, now=NOW + timedelta(hours=1)) == 1
    row = Candidate.objects.get()
    assert (row.state, row.rank, row.run) == ("open", 0, None)
    assert row.title == "AUTH-01: Nobody can sign in" or "Nobody can sign in" in row.title
    assert row.raised_after is not None and 4 <= row.raised_after <= 8
    assert set(row.members.values_list("ticket_id", flat=True)) <= set(tickets)
    told = Notification.objects.filter(kind="problems.raised")
    assert set(told.values_list("person_id", flat=True)) == {people.ana.pk, people.mona.pk}
    assert f"raised after {row.raised_after} tickets" in people.client("alan").get("/problems/candidates").content.decode()
    assert people.client("alan").get(f"/problems/candidates/{row.pk}").status_code == 200
    assert watching.watch(actor=SYSTEM, now=NOW + timedelta(hours=1)) == 0  # nothing has come in
    tickets += burst(people, ci, 3, first=8)
    assert watching.watch(actor=SYSTEM, now=NOW + timedelta(hours=2)) == 0
    row.refresh_from_db()
    assert row.ticket_count >= row.raised_after + 3 and told.count() == 2
    kept(found(tickets, 1, "Nobody can sign in"), now=NOW + timedelta(hours=3))
    row.refresh_from_db()
    assert (row.rank, row.run_id, row.ticket_count) == (1, MiningRun.objects.latest("id").pk, 11)
    verbs = JournalEntry.objects.filter(kind="candidate").values_list("verb", flat=True)
    assert list(verbs) == ["candidate.raised"]


def test_of_a_restricted_teams_trouble_only_managers_hear_and_nobody_its_words(people: NamedPeople) -> None:
    usual(people)
    ci = cmdb.add_ci(actor=SYSTEM, name="PAY-01", now=NOW).pk
    watching.watch(actor=SYSTEM, now=NOW)
    burst(people, ci, 8, group="Payroll")
    assert watching.watch(actor=SYSTEM, now=NOW + timedelta(hours=1)) == 1
    [told] = Notification.objects.filter(kind="problems.raised")
    assert told.person_id == people.mona.pk and "sign in" not in told.subject + told.text
    assert people.client("ana").get(f"/problems/candidates/{Candidate.objects.get().pk}").status_code == 404


def test_more_of_what_was_found_is_no_news_also_when_it_was_dismissed(people: NamedPeople) -> None:
    usual(people)
    ci = cmdb.add_ci(actor=SYSTEM, name="AUTH-01", now=NOW).pk
    known = open_tickets(actor=people.actor("adam"), tickets=[{"title": "Nobody can sign in"}] * 5, now=NOW - timedelta(days=100))
    kept(found([row.pk for row in known], 1, "Nobody can sign in"))
    watching.watch(actor=SYSTEM, now=NOW)
    dismiss_candidate(actor=people.actor("ana"), candidate_id=Candidate.objects.get().pk, because="Mondays.", now=NOW)
    burst(people, ci, 8)
    assert watching.watch(actor=SYSTEM, now=NOW + timedelta(hours=1)) == 0
    assert Candidate.objects.count() == 1 and not Notification.objects.filter(kind="problems.raised").exists()


def test_new_tickets_join_the_families_that_the_night_found(people: NamedPeople) -> None:
    """One that crowds is raised as a family, also when the families are newer than what the watch has taken."""
    usual(people)
    watching.watch(actor=SYSTEM, now=NOW)
    asked = request_look(actor=SYSTEM, now=NOW)
    found = mining.mined(reading.read(connection.connection, NOW - timedelta(days=400), NOW))
    end_look(actor=SYSTEM, run_id=asked.pk, found=found, since=NOW - timedelta(days=400), now=NOW)
    for at in range(8):
        values = {"title": "phone is mute", "category": f"Kind {at % 5}"}
        open_tickets(actor=people.actor("adam"), tickets=[values], now=NOW + timedelta(minutes=3 * at))
    assert watching.watch(actor=SYSTEM, now=NOW + timedelta(hours=1)) == 1
    row = Candidate.objects.get(run=None)
    assert row.title == "phone is mute" and "said as “" in row.found["paragraph"] and row.found["source"] == "family"
    assert TicketWatch.objects.get().grouped_by == asked.pk
