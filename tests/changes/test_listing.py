"""The list of changes: tabs, words, pages that neither repeat nor skip, and whom it shows what."""

import io
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from pilothouse.changes import actions, listing, queries
from pilothouse.changes.models import Change
from pilothouse.changes.queries import Span
from pilothouse.connectors.engine.formats import open_table
from pilothouse.connectors.engine.surrounding_columns import read_changes
from pilothouse.platform.access import Actor
from pilothouse.tickets import actions as tickets
from pilothouse.tickets import exports
from pilothouse.tickets import queries as queue
from pilothouse.tickets.models import Ticket
from tests.organisation import NOW, Organisation, set_up


@pytest.fixture
def org(db: None) -> Organisation:
    return set_up()


def made(org: Organisation, title: str, days: float | None = None, **more: Any) -> str:
    plan: dict[str, Any] = {"type": "standard", "cis": more.pop("cis", [])}
    if days is not None:
        begins = NOW + timedelta(days=days)
        plan |= {"planned_start_at": begins, "planned_end_at": begins + timedelta(hours=2)}
    state = more.pop("state", "")
    ticket = actions.open_change(actor=org.ana, title=title, plan=plan, now=NOW - timedelta(days=30), **more)
    if state:
        actions.move_change(actor=org.ana, ticket_id=ticket.pk, state=state, now=NOW, note="n")
    return ticket.number


def shown(actor: Actor, **asked: Any) -> list[str]:
    return [row.ticket.number for row in listing.page(actor, listing.Asked(**asked), "", now=NOW).rows]


def test_tabs_words_and_pages(org: Organisation) -> None:
    idea = made(org, "Idea")
    soon, later = made(org, "Soon", 1, state="scheduled", cis=[org.ci, org.other_ci]), made(org, "Later", 20, state="scheduled")
    dropped = made(org, "Dropped", 2, state="cancelled")
    hidden = made(org, "Pay", 1, group=org.payroll)
    assert shown(org.ana) == [soon, later, idea]  # what comes next stands first, what is not planned yet last
    assert shown(org.ana, show="scheduled") == [soon, later]  # the nearest first
    assert shown(org.ana, show="week") == [soon]
    assert shown(org.ana, show="done") == [dropped]
    assert shown(org.mona, show="week") == [soon, hidden]
    assert shown(org.ana, show="all", q="core-sw") == [soon]
    assert shown(org.ana, show="all", q=idea.lower()) == [idea]
    assert shown(org.ana, show="all", ci=org.other_ci) == [soon]
    assert shown(org.ana, show="all", q="Pay") == []
    page = listing.page(org.ana, listing.Asked("all"), "", now=NOW)
    assert page.counts == {"open": 3, "scheduled": 2, "week": 1, "done": 1, "all": 4}
    assert {row.ticket.number: row.more_cis for row in page.rows}[soon] == 1
    assert [queries.changes_on(org.ana, [org.ci], Span(NOW, NOW + timedelta(days=2)))[0].number] == [soon]
    assert queries.changes_on(org.ana, [org.ci], Span(NOW + timedelta(days=3))) == []


def test_work_whose_end_nobody_recorded_counts_from_its_beginning(org: Organisation) -> None:
    number = made(org, "Done at once")
    change = queries.changes(org.ana).get(number=number).pk
    actions.plan_change(actor=org.ana, ticket_id=change, plan={"actual_start_at": NOW - timedelta(hours=1)}, now=NOW)
    assert shown(org.ana, show="week") == [number]
    actions.plan_change(actor=org.ana, ticket_id=change, plan={"actual_start_at": NOW - timedelta(days=8)}, now=NOW)
    assert shown(org.ana, show="week") == []


def test_pages_neither_repeat_nor_skip(org: Organisation, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listing, "_SIZE", 4)
    numbers = {made(org, f"c {at}", at % 3 if at % 4 else None) for at in range(11)}
    for show in ("open", "all"):
        cursor, met = "", []
        while True:
            page = listing.page(org.ana, listing.Asked(show), cursor, now=NOW)
            met += [row.ticket.number for row in page.rows]
            cursor = page.after
            if not cursor:
                break
        assert sorted(met) == sorted(numbers)
    client = Client()
    assert listing.page(org.ana, listing.Asked("all"), "aWyJub3cgYW5kIHRoZW4iLDFd", now=NOW).rows == []  # a cursor written by hand
    assert client.get("/changes").status_code == 302


def test_the_queue_speaks_of_changes_only_when_it_is_asked_to(org: Organisation) -> None:
    number = made(org, "Soon", 1, state="scheduled")
    incident = tickets.open_ticket(actor=org.ana, title="x", now=NOW).number

    def found(text: str) -> list[str]:
        page = queue.list_tickets(org.ana, text, now=NOW)
        assert page.error is None, page.error
        return [row.number for row in page.rows]

    assert found("") == [incident]
    assert found("planned-start<2d") == found("change-type:standard") == found("kind:change is:open") == [number]
    assert found("planned-start<1h") == found("outcome:failed") == found("change-risk:high") == []


def test_an_export_of_changes_is_read_beside_tickets_that_are_mined(org: Organisation) -> None:
    number = made(org, "Soon", -1, state="scheduled", cis=[org.ci])
    ticket = Ticket.objects.get(number=number)
    actions.move_change(actor=org.ana, ticket_id=ticket.pk, state="in_progress", now=NOW, note="n")
    actions.move_change(
        actor=org.ana, ticket_id=ticket.pk, state="closed", now=NOW + timedelta(hours=1), note="n", plan={"outcome": "successful"}
    )
    made_file = exports.export_tickets(org.ana, "kind:change", kind="csv", now=NOW, more=True)
    assert isinstance(made_file, exports.Export)
    [change] = read_changes(open_table(io.BytesIO(b"".join(made_file.chunks)), "c.csv"), "c.csv").changes.items
    carried = Change.objects.get(ticket=ticket)
    assert carried.actual_start_at and carried.actual_end_at and carried.planned_start_at and carried.planned_end_at
    assert (change.key, change.title, change.kind, change.cis) == (number, "Soon", "Standard", ("vpn-gw-01",))
    assert (change.start, change.end) == tuple(int(at.timestamp()) for at in (carried.actual_start_at, carried.actual_end_at))
    assert change.planned == tuple(int(at.timestamp()) for at in (carried.planned_start_at, carried.planned_end_at))
