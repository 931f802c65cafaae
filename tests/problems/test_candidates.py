"""Candidates in the product: what the miner finds in the database, what is kept of it, and what people do with it."""

import contextlib
import json
from datetime import timedelta

import pytest
import typer
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from typer.testing import CliRunner

from pilothouse.people.testing import NamedPeople
from pilothouse.platform import clock
from pilothouse.platform.models import JournalEntry, OutboxMessage
from pilothouse.platform.refusals import Forbidden, GuardRefused, Invalid, Missing
from pilothouse.problems import candidate_queries, command
from pilothouse.problems.actions.candidates import dismiss_candidate, end_look, fail_look, request_look, restore_candidate, take_candidate
from pilothouse.problems.actions.records import open_problem
from pilothouse.problems.models import Candidate
from pilothouse.tickets.actions import move_ticket
from pilothouse.tickets.actions.opening import open_practice_ticket
from pilothouse.tickets.models import Link, Ticket
from tests.organisation import NOW
from tests.problems.candidates_by_hand import SYSTEM, found, kept, members, opened

pytestmark = pytest.mark.django_db


def test_candidates_keep_their_identity_and_go_when_they_are_no_longer_found(people: NamedPeople) -> None:
    tunnel, disk = opened(people, 8), opened(people, 6, title="Disk full")
    kept(found(tunnel[:6]), found(disk, 2, "Disk full"))
    first, second = Candidate.objects.order_by("rank")
    kept(found(tunnel, 1), now=NOW + timedelta(days=1))
    assert [(row.pk, row.state, row.ticket_count) for row in Candidate.objects.order_by("pk")] == [
        (first.pk, "open", 8),
        (second.pk, "gone", 6),
    ]
    assert members(first) == set(tunnel)
    kept(found(disk, 1, "Disk full"), now=NOW + timedelta(days=2))
    second.refresh_from_db()
    assert (second.state, second.returned_because) == ("open", "it is found again")
    verbs = JournalEntry.objects.filter(kind="candidate", record_id=second.pk).order_by("seq").values_list("verb", flat=True)
    assert list(verbs) == ["candidate.found", "candidate.gone", "candidate.returned"]


def test_what_is_dismissed_stays_away_until_its_evidence_changes(people: NamedPeople) -> None:
    tunnel = opened(people, 15)
    kept(found(tunnel[:8]))
    row = Candidate.objects.get()
    with pytest.raises(Invalid):
        dismiss_candidate(actor=people.actor("ana"), candidate_id=row.pk, because="  ", now=NOW)
    dismiss_candidate(actor=people.actor("ana"), candidate_id=row.pk, because="The client is replaced in May.", now=NOW)
    kept(found(tunnel[:11]), now=NOW + timedelta(days=1))
    row.refresh_from_db()
    assert (row.state, row.ticket_count) == ("dismissed", 11)
    kept(found(tunnel[:13]), now=NOW + timedelta(days=2))
    row.refresh_from_db()
    assert (row.state, row.returned_because) == ("open", "it has 13 tickets, and had 8")
    assert row.dismissed_because == "The client is replaced in May."
    with pytest.raises(GuardRefused):
        restore_candidate(actor=people.actor("ana"), candidate_id=row.pk, now=NOW)


def test_what_a_problem_is_about_already_is_no_open_candidate(people: NamedPeople) -> None:
    tunnel, disk = opened(people, 8), opened(people, 6, title="Disk full")
    known = open_problem(actor=people.actor("ana"), now=NOW, title="Tunnel drops", ticket_ids=tunnel[:4])
    open_problem(actor=people.actor("ana"), now=NOW, title="Disk full", ticket_ids=disk[:2])
    kept(found(tunnel), found(disk, 2, "Disk full"))
    first, second = Candidate.objects.order_by("pk")
    assert (first.state, first.problem_id, second.state) == ("taken", known.pk, "open")
    assert second.rank == 1  # of those that are to be decided on
    verbs = JournalEntry.objects.filter(kind="candidate", record_id=first.pk).order_by("seq").values_list("verb", flat=True)
    assert list(verbs) == ["candidate.found", "candidate.taken"]
    move_ticket(actor=people.actor("ana"), ticket_id=known.pk, state="cancelled", now=NOW, note="Two troubles, not one.")
    kept(found(tunnel), found(disk, 2, "Disk full"), now=NOW + timedelta(days=1))
    first.refresh_from_db()
    assert (first.state, first.problem) == ("open", None)


def test_one_click_opens_a_problem_with_its_evidence_and_its_tickets(people: NamedPeople) -> None:
    tunnel = opened(people, 6)
    kept(found(tunnel))
    row = Candidate.objects.get()
    problem = take_candidate(actor=people.actor("ana"), candidate_id=row.pk, now=NOW)
    row.refresh_from_db()
    assert (row.state, row.problem_id, problem.kind, problem.title) == ("taken", problem.pk, "problem", "Tunnel drops")
    assert set(Link.objects.filter(target=problem).values_list("ticket_id", flat=True)) == set(tunnel)
    assert problem.evidence.get().found["paragraph"] == "6 tickets belong together."
    with pytest.raises(GuardRefused):
        take_candidate(actor=people.actor("mona"), candidate_id=row.pk, now=NOW)
    kept(found(tunnel), now=NOW + timedelta(days=1))
    row.refresh_from_db()
    assert row.state == "taken"
    move_ticket(actor=people.actor("ana"), ticket_id=problem.pk, state="cancelled", note="It is none.", now=NOW + timedelta(days=1))
    kept(found(tunnel), now=NOW + timedelta(days=2))
    row.refresh_from_db()
    assert (row.state, row.problem_id) == ("open", None) and problem.number in row.returned_because


@pytest.mark.parametrize("handle", ["alan", "audrey", "rita"])
def test_only_who_steers_may_act(people: NamedPeople, handle: str) -> None:
    kept(found(opened(people, 5)))
    row, actor = Candidate.objects.get(), people.actor(handle)
    for act in (
        lambda: request_look(actor=actor, now=NOW),
        lambda: dismiss_candidate(actor=actor, candidate_id=row.pk, because="No.", now=NOW),
        lambda: restore_candidate(actor=actor, candidate_id=row.pk, now=NOW),
        lambda: take_candidate(actor=actor, candidate_id=row.pk, now=NOW),
    ):
        with pytest.raises(Forbidden):
            act()


def test_nothing_of_tickets_that_one_may_not_see_is_told(people: NamedPeople) -> None:
    secret = opened(people, 3, group="Payroll", title="Garnishment of wages")
    mixed = opened(people, 5) + secret
    mostly = opened(people, 2) + opened(people, 4, group="Payroll", title="Severance")
    kept(
        found(mixed, 1, "Garnishment of wages", words=["garnishment"]),
        found(mostly, 2, "Severance"),
        found(opened(people, 5, title="Disk full"), 3, "Disk full"),
    )
    first, second, _ = Candidate.objects.order_by("rank")
    Ticket.objects.filter(requester=people.rita, group=people.teams["Payroll"]).update(requester=people.olga.pk)
    for handle in ("ana", "alan"):
        text = people.client(handle).get("/problems/candidates").content.decode()
        assert "arnishment" not in text and "Severance" not in text and "Disk full" in text
        page = people.client(handle).get(f"/problems/candidates/{first.pk}")
        body = page.content.decode()
        assert page.status_code == 200 and "arnishment" not in body and "3 of its 8 tickets are with teams" in body
        assert not any(number in body for number in Ticket.objects.filter(pk__in=secret).values_list("number", flat=True))
        assert people.client(handle).get(f"/problems/candidates/{second.pk}").status_code == 404
        with pytest.raises(Missing):
            candidate_queries.find(people.actor(handle), second.pk)
    for handle in ("mona", "audrey"):
        assert "Severance" in people.client(handle).get("/problems/candidates").content.decode()
        assert "Garnishment" in people.client(handle).get(f"/problems/candidates/{first.pk}").content.decode()
    problem = take_candidate(actor=people.actor("mona"), candidate_id=first.pk, now=NOW)
    assert "arnishment" not in problem.title + str(problem.evidence.get().found)


def test_neither_a_hidden_change_nor_a_hidden_teams_load_is_told(people: NamedPeople) -> None:
    with transaction.atomic():
        change = open_practice_ticket(
            actor=people.actor("adam"), kind="change", now=NOW, title="Payroll run", group=people.teams["Payroll"].pk
        )
    cause = {"kind": "change", "key": change.number, "title": "Payroll run", "at": NOW.isoformat(), "why": "a day before", "chance": 0.01}
    tunnel = opened(people, 8)
    kept(found(tunnel))
    row = Candidate.objects.get()
    dismiss_candidate(actor=people.actor("mona"), candidate_id=row.pk, because="Known.", now=NOW)
    run = kept(found(tunnel, causes=[cause]), now=NOW + timedelta(days=1))
    uneven = [("group", "Payroll"), ("group", "Network"), ("requester", "rita@example.org"), ("category", "Wages")]
    run.imbalances = [{"fact": fact, "value": value, "what": "rising", "words": "9 instead of 2"} for fact, value in uneven]
    run.save()
    for handle, sees in (("ana", False), ("mona", True)):
        seen = candidate_queries.find(people.actor(handle), row.pk)
        assert (change.number in seen.why_back) == sees
        for path in ("/problems/candidates", f"/problems/candidates/{row.pk}"):
            assert (change.number in people.client(handle).get(path).content.decode()) == sees
        values = {each["value"] for each in candidate_queries.uneven(people.actor(handle), run)}
        assert values == ({"Payroll", "Network", "rita@example.org", "Wages"} if sees else {"Network", "Wages"})


def test_a_look_is_one_at_a_time_and_one_that_broke_off_changes_nothing(people: NamedPeople) -> None:
    kept(found(opened(people, 5)))
    before = list(Candidate.objects.values())
    run = request_look(actor=people.actor("mona"), now=NOW)
    with pytest.raises(GuardRefused):
        request_look(actor=people.actor("ana"), now=NOW)
    assert OutboxMessage.objects.filter(topic="problems.look").count() == 2
    broken = {
        "tickets": 1,
        "families": 1,
        "groups_looked_at": 1,
        "remarks": [],
        "imbalances": [],
        "atlas": b"",
        "candidates": [{"found": {"cost": {}}, "ids": []}],
    }
    with pytest.raises(KeyError), transaction.atomic():
        end_look(actor=SYSTEM, run_id=run.pk, found=broken, since=NOW, now=NOW)
    fail_look(actor=SYSTEM, run_id=run.pk, fault="There was not enough memory to look at so many tickets.", now=NOW)
    assert list(Candidate.objects.values()) == before
    text = people.client("ana").get("/problems/candidates").content.decode()
    assert "The last look broke off" in text and "not enough memory" in text and "Tunnel drops" in text
    request_look(actor=people.actor("ana"), now=NOW)


def test_the_page_asks_few_questions_whatever_it_shows(people: NamedPeople) -> None:
    ids = opened(people, 40)
    kept(*(found([ticket], rank, f"Trouble {rank}") for rank, ticket in enumerate(ids, 1)))
    people.client("ana").get("/problems/candidates")
    with CaptureQueriesContext(connection) as few:
        page = people.client("ana").get("/problems/candidates").content.decode()
    assert page.count('class="candidate"') == 40
    assert len(few) <= 14, [query["sql"][:90] for query in few]
    address = f"/problems/candidates/{Candidate.objects.earliest('pk').pk}"
    people.client("alan").get(address)
    with CaptureQueriesContext(connection) as one:
        people.client("alan").get(address)
    assert len(one) <= 16, [query["sql"][:90] for query in one]


def test_acts_on_the_page_and_what_is_typed_wrong(people: NamedPeople) -> None:
    kept(found(opened(people, 5)))
    ana, row = people.client("ana"), Candidate.objects.get()
    refused = ana.post(f"/problems/candidates/{row.pk}/dismiss", {"because": ""})
    assert refused.status_code == 422 and "Say why, for whoever sees it next." in refused.content.decode()
    assert ana.post(f"/problems/candidates/{row.pk}/dismiss", {"because": "Known <b>noise</b>."}).status_code == 302
    assert "Tunnel drops" not in ana.get("/problems/candidates").content.decode()
    dismissed = ana.get("/problems/candidates?state=dismissed").content.decode()
    assert "Tunnel drops" in dismissed
    assert "Known &lt;b&gt;noise&lt;/b&gt;." in ana.get(f"/problems/candidates/{row.pk}").content.decode()
    assert ana.post(f"/problems/candidates/{row.pk}/restore").status_code == 302
    opened_from = ana.post(f"/problems/candidates/{row.pk}/problem").url
    assert opened_from == f"/tickets/{Ticket.objects.get(kind='problem').number}"
    record = ana.get(opened_from).content.decode()
    assert "is the description above" in record and 'class="paragraph"' not in record  # said once
    assert ana.get("/problems/candidates?state=nonsense").context["page"].state == "open"
    journal = people.client("adam").get("/journal").content.decode()
    assert f"candidate {row.pk}" in journal and "brought back" in journal and "opened a problem from" in journal


def test_the_morning_review_names_what_is_new_to_its_reader(people: NamedPeople) -> None:
    kept(found(opened(people, 5)), found(opened(people, 4, group="Payroll", title="Severance"), 2, "Severance"))
    Ticket.objects.update(requester=people.olga.pk)
    with clock.at(NOW + timedelta(hours=1)):
        text = people.client("ana").get("/morning").content.decode()
        assert "1 new candidate</b>" in text and "Tunnel drops</a>" in text and "Severance" not in text
        assert "2 new candidates</b>" in people.client("mona").get("/morning").content.decode()


def test_the_command_lists_what_rest_answers(people: NamedPeople) -> None:
    kept(found(opened(people, 5), title="Tunnel drops \x1b[31m"))
    app = typer.Typer()
    command.register(app, contextlib.nullcontext, lambda work: work)
    listed = CliRunner().invoke(app, ["problems", "list", "--json"])
    [told] = json.loads(listed.stdout)
    assert (told["title"], told["ticket_count"], told["found"]["words"]) == ("Tunnel drops \x1b[31m", 5, ["tunnel"])
    over_rest = people.client("mona").get("/api/v1/candidates").json()["items"]
    assert [{name: told[name] for name in over_rest[0]}] == over_rest
    shown = CliRunner().invoke(app, ["problems", "list"]).stdout
    assert "Tunnel drops" in shown and "\x1b" not in shown
    wrong = CliRunner().invoke(app, ["problems", "list", "--state", "nonsense"])
    assert wrong.exit_code == 2 and "open, dismissed, taken, gone" in wrong.output
