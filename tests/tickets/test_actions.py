"""The ticket's actions as their callers meet them: what they do, what follows, what they refuse and how."""

import io
import zipfile
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import LazySettings
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pilothouse.platform import journal
from pilothouse.platform.access import Actor, Source, system
from pilothouse.platform.refusals import Forbidden, GuardRefused, Invalid, Missing, Refused, StaleVersion
from pilothouse.tickets import actions
from pilothouse.tickets.actions.attaching import clean_name, stored_at
from pilothouse.tickets.actions.fields import journal_row
from pilothouse.tickets.engine.replay import fold
from pilothouse.tickets.models import Attachment, Ticket
from tests import kept
from tests.organisation import NOW, Organisation, set_up, who

LATER = NOW + timedelta(minutes=10)


pytestmark = pytest.mark.django_db
org = kept.for_the_module(set_up)


@pytest.fixture(autouse=True)
def attachments(settings: LazySettings, tmp_path: Path) -> Path:
    settings.ATTACHMENTS = tmp_path / "attachments"
    return tmp_path / "attachments"


def opened(org: Organisation, **fields: Any) -> Ticket:
    return actions.open_ticket(actor=org.ana, now=NOW, **{"title": "VPN drops", "requester": org.rita.user_id, **fields})


def fields_of(refusal: pytest.ExceptionInfo[Any]) -> list[str]:
    return [error.field for error in refusal.value.errors]


def verbs(ticket_id: int) -> list[str]:
    return [entry.verb for entry in journal.entries_of("ticket", ticket_id)]


# Opening


def test_a_new_ticket_has_its_number_its_priority_and_the_state_that_its_routing_gives(org: Organisation) -> None:
    first, second = opened(org, impact=1, urgency=2), opened(org, group=org.network)
    assert (first.state, first.priority, second.state) == ("new", 2, "assigned")
    assert first.number.startswith("INC")
    assert first.number < second.number
    assert opened(org, kind="request").number.startswith("REQ")


def test_a_requester_raises_for_themselves_only_and_routes_nothing(org: Organisation) -> None:
    mine = actions.open_ticket(actor=org.rita, title="Help", now=NOW)
    assert (mine.requester_id, mine.channel) == (org.rita.user_id, "portal")
    with pytest.raises(Invalid) as refusal:
        actions.open_ticket(actor=org.rita, title="Help", requester=org.alan.user_id, group=org.network, priority=1, now=NOW)
    assert sorted(fields_of(refusal)) == ["group", "priority", "requester"]


def test_an_auditor_opens_nothing(org: Organisation) -> None:
    with pytest.raises(Forbidden):
        actions.open_ticket(actor=org.audrey, title="Help", now=NOW)


def test_many_come_in_together_or_not_at_all_and_each_error_says_where_it_is(org: Organisation) -> None:
    rows = [{"title": "one"}, {"title": "  "}, {"title": "three", "impact": 9, "group": 10**9}]
    with pytest.raises(Invalid) as refusal:
        actions.open_tickets(actor=org.ana, tickets=rows, now=NOW)
    assert fields_of(refusal) == ["tickets[1].title", "tickets[2].impact", "tickets[2].group"]
    assert not Ticket.objects.exists()
    with pytest.raises(Invalid, match="Too many"):
        actions.open_tickets(actor=org.ana, tickets=[{"title": "x"}] * 1001, now=NOW)


def test_bulk_and_single_make_the_same_journal(org: Organisation) -> None:
    fields = {"title": "VPN", "group": org.network, "tags": ["a"], "extra": {"k": 1}}
    single = actions.open_ticket(actor=org.ana, now=NOW, **fields)
    bulk = actions.open_tickets(actor=org.ana, tickets=[fields] * 300, now=NOW)[7]
    kept = [[c for c in journal.entries_of("ticket", t.pk)[0].changes if c.field != "number"] for t in (single, bulk)]
    assert kept[0] == kept[1]


def test_the_same_external_ticket_twice_is_refused_in_words(org: Organisation) -> None:
    opened(org, external_system="zabbix", external_id="77")
    with pytest.raises(GuardRefused) as refusal:
        opened(org, external_system="zabbix", external_id="77")
    assert fields_of(refusal) == ["external_id"]


_HOSTILE = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=True)
    | st.text(st.characters(), max_size=300)
    | st.lists(st.integers() | st.text(max_size=50), max_size=3)
    | st.dictionaries(st.text(max_size=90), st.none() | st.integers() | st.text(max_size=5), max_size=2)
)
_NAMES = st.sampled_from(
    [
        "kind",
        "title",
        "description",
        "requester",
        "channel",
        "service",
        "ci",
        "category",
        "impact",
        "urgency",
        "priority",
        "group",
        "assignee",
        "parent",
        "tags",
        "watchers",
        "extra",
        "external_system",
        "external_id",
        "hold_until",
        "hold_reason",
        "state",
        "resolution_code",
        "resolution_notes",
        "no_such",
        "number",
    ]
)


@given(fields=st.dictionaries(_NAMES, _HOSTILE, max_size=4), note=st.text(st.characters(), max_size=5))
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_is_given_is_taken_or_refused_never_a_fault(org: Organisation, fields: dict[str, Any], note: str) -> None:
    ticket = opened(org)
    for act in (
        lambda: actions.open_ticket(actor=org.ana, now=NOW, **{"title": "x", **fields}),
        lambda: actions.change_ticket(actor=org.ana, ticket_id=ticket.pk, changes=fields, now=NOW, note=note),
    ):
        try:
            made = act()
        except Refused:
            continue
        made.refresh_from_db()
        assert fold(journal.entries_of("ticket", made.pk)) == journal_row(made)


# Changing


def test_impact_and_urgency_set_the_priority_unless_it_is_given(org: Organisation) -> None:
    ticket = opened(org)
    assert actions.change_ticket(actor=org.ana, ticket_id=ticket.pk, changes={"impact": 1}, now=LATER).priority == 3
    assert actions.change_ticket(actor=org.ana, ticket_id=ticket.pk, changes={"urgency": 1, "priority": 4}, now=LATER).priority == 4


def test_an_edited_matrix_counts_from_then_on(org: Organisation) -> None:
    before = opened(org, impact=1, urgency=1)
    actions.set_priority_matrix(actor=org.adam, matrix={(1, 1): 2}, now=LATER)
    before.refresh_from_db()
    assert (before.priority, opened(org, impact=1, urgency=1).priority) == (1, 2)
    with pytest.raises(Forbidden):
        actions.set_priority_matrix(actor=org.mona, matrix={(1, 1): 3}, now=LATER)
    with pytest.raises(Invalid):
        actions.set_priority_matrix(actor=org.adam, matrix={(1, 1): 6}, now=LATER)


def test_a_new_group_takes_the_ticket_from_somebody_who_is_not_in_it(org: Organisation) -> None:
    ticket = opened(org, group=org.network, assignee=org.alan.user_id)
    moved = actions.assign_ticket(actor=org.ana, ticket_id=ticket.pk, group=org.database, now=LATER)
    assert (moved.assignee_id, moved.state) == (None, "assigned")
    again = actions.assign_ticket(actor=org.ana, ticket_id=ticket.pk, group=org.database, assignee=org.olga.user_id, now=LATER)
    assert again.assignee_id == org.olga.user_id


def test_nothing_is_journalled_when_nothing_differs(org: Organisation) -> None:
    ticket = opened(org)
    same = actions.change_ticket(actor=org.ana, ticket_id=ticket.pk, changes={"title": "VPN drops"}, now=LATER)
    assert (same.version, verbs(ticket.pk)) == (1, ["ticket.opened"])


def test_the_second_of_two_sees_both_sides_and_nothing_is_written(org: Organisation) -> None:
    ticket = opened(org)
    actions.change_ticket(actor=org.ana, ticket_id=ticket.pk, changes={"title": "Hers"}, expected_version=1, now=LATER)
    with pytest.raises(StaleVersion) as refusal:
        actions.change_ticket(actor=org.mona, ticket_id=ticket.pk, changes={"title": "Mine", "impact": 1}, expected_version=1, now=LATER)
    assert refusal.value.current == {"title": "Hers", "impact": 3}
    assert refusal.value.attempted == {"title": "Mine", "impact": 1}
    assert refusal.value.version == 2
    ticket.refresh_from_db()
    assert ticket.title == "Hers"


@pytest.mark.parametrize("field", ["number", "opened_at", "merged_into", "version", "no_such"])
def test_fields_that_follow_from_something_else_are_not_changed_by_hand(org: Organisation, field: str) -> None:
    with pytest.raises(Invalid) as refusal:
        actions.change_ticket(actor=org.ana, ticket_id=opened(org).pk, changes={field: 1}, now=LATER)
    assert fields_of(refusal) == [field]


def test_a_ticket_is_not_its_own_ancestor(org: Organisation) -> None:
    top = opened(org)
    middle = opened(org, parent=top.pk)
    low = opened(org, parent=middle.pk)
    for parent in (top, middle, low):
        with pytest.raises(Invalid) as refusal:
            actions.change_ticket(actor=org.ana, ticket_id=top.pk, changes={"parent": parent.pk}, now=LATER)
        assert fields_of(refusal) == ["parent"]


@pytest.mark.parametrize(
    ("person", "refusal"),
    [("rita", Forbidden), ("alan", None), ("olga", Forbidden), ("ana", None), ("mona", None), ("audrey", Forbidden), ("adam", None)],
)
def test_who_may_change_a_ticket_of_network(org: Organisation, person: str, refusal: type[Refused] | None) -> None:
    ticket = opened(org, group=org.network)
    change = {"actor": getattr(org, person), "ticket_id": ticket.pk, "changes": {"title": "Other"}, "now": LATER}
    if refusal is None:
        assert actions.change_ticket(**change).title == "Other"
    else:
        with pytest.raises(refusal):
            actions.change_ticket(**change)
        assert verbs(ticket.pk) == ["ticket.opened"]


@pytest.mark.parametrize("person", ["alan", "olga", "ana"])
def test_a_restricted_teams_ticket_is_missing_for_whoever_is_not_in_it(org: Organisation, person: str) -> None:
    ticket = opened(org, group=org.payroll)
    actor = who(getattr(org, person).user_id)
    for act in (
        lambda: actions.change_ticket(actor=actor, ticket_id=ticket.pk, changes={"title": "x"}, now=LATER),
        lambda: actions.comment_on_ticket(actor=actor, ticket_id=ticket.pk, text="x", now=LATER),
        lambda: actions.watch_ticket(actor=actor, ticket_id=ticket.pk, now=LATER),
        lambda: actions.attach_file(actor=actor, ticket_id=ticket.pk, name="x", content=io.BytesIO(b"x"), now=LATER),
        lambda: actions.merge_ticket(actor=actor, ticket_id=opened(org).pk, into=ticket.pk, now=LATER),
    ):
        with pytest.raises(Missing):
            act()


# States


def test_each_guard_says_what_is_missing_and_nothing_is_written(org: Organisation) -> None:
    ticket = opened(org, group=org.network)
    for move, fields in (
        ({"state": "resolved"}, ["resolution_code", "resolution_notes"]),
        ({"state": "on_hold"}, ["hold_reason"]),
        ({"state": "closed"}, ["state"]),
        ({"state": "cancelled"}, ["note"]),
        ({"state": "assigned"}, ["state"]),
    ):
        with pytest.raises(GuardRefused) as refusal:
            actions.move_ticket(actor=org.ana, ticket_id=ticket.pk, now=LATER, **move)
        assert fields_of(refusal) == fields
    assert verbs(ticket.pk) == ["ticket.opened"]


def resolved(org: Organisation, **fields: Any) -> Ticket:
    solution = {"state": "resolved", "resolution_code": "solved", "resolution_notes": "Replaced it."}
    return actions.move_ticket(actor=org.ana, ticket_id=opened(org, **fields).pk, now=LATER, **solution)


def test_resolve_reopen_with_a_reason_resolve_and_close(org: Organisation) -> None:
    ticket = resolved(org)
    assert ticket.resolved_at == LATER
    with pytest.raises(GuardRefused) as refusal:
        actions.move_ticket(actor=org.rita, ticket_id=ticket.pk, state="in_progress", now=LATER)
    assert fields_of(refusal) == ["note"]
    again = actions.move_ticket(actor=org.rita, ticket_id=ticket.pk, state="in_progress", note="Still drops.", now=LATER)
    assert (again.resolved_at, again.resolution_code) == (None, "")
    last = journal.entries_of("ticket", ticket.pk)[-1]
    assert (last.verb, last.actor_id, last.note) == ("ticket.reopened", org.rita.user_id, "Still drops.")


def test_a_requester_closes_what_is_resolved_and_moves_nothing_else(org: Organisation) -> None:
    ticket = resolved(org)
    assert actions.move_ticket(actor=org.rita, ticket_id=ticket.pk, state="closed", now=LATER).state == "closed"
    other = opened(org)
    for state in ("assigned", "on_hold", "resolved", "in_progress"):
        with pytest.raises(Refused):
            actions.move_ticket(actor=org.rita, ticket_id=other.pk, state=state, hold_reason="other", now=LATER)
    with pytest.raises(Missing):
        actions.move_ticket(actor=org.rita, ticket_id=opened(org, requester=org.alan.user_id).pk, state="cancelled", note="no", now=LATER)


def test_closed_does_not_reopen_but_has_a_follow_up(org: Organisation) -> None:
    ticket = resolved(org, group=org.network, service=org.service)
    with pytest.raises(GuardRefused):
        actions.follow_up_ticket(actor=org.ana, ticket_id=ticket.pk, now=LATER)
    actions.move_ticket(actor=org.ana, ticket_id=ticket.pk, state="closed", now=LATER)
    with pytest.raises(GuardRefused) as refusal:
        actions.move_ticket(actor=org.ana, ticket_id=ticket.pk, state="in_progress", note="again", now=LATER)
    assert "follow-up" in refusal.value.errors[0].hint
    made = actions.follow_up_ticket(actor=org.rita, ticket_id=ticket.pk, now=LATER)
    assert (made.requester_id, made.service_id, made.state) == (org.rita.user_id, org.service, "new")
    assert verbs(made.pk) == ["ticket.opened", "ticket.linked"]
    assert verbs(ticket.pk)[-1] == "ticket.linked"


def test_leaving_a_hold_takes_its_reason_and_date_with_it(org: Organisation) -> None:
    ticket = opened(org)
    held = actions.move_ticket(actor=org.ana, ticket_id=ticket.pk, state="on_hold", hold_reason="vendor", hold_until=LATER, now=NOW)
    assert (held.hold_reason, held.hold_until) == ("vendor", LATER)
    back = actions.move_ticket(actor=org.ana, ticket_id=ticket.pk, state="in_progress", now=LATER)
    assert (back.hold_reason, back.hold_until, verbs(ticket.pk)[-1]) == ("", None, "ticket.resumed")


@pytest.mark.parametrize("changes", [{"hold_reason": "vendor"}, {"hold_until": NOW}, {"state": "in_progress", "hold_reason": "vendor"}])
def test_only_a_ticket_on_hold_has_a_reason_and_a_date_for_it(org: Organisation, changes: dict[str, Any]) -> None:
    with pytest.raises(Invalid) as refusal:
        actions.change_ticket(actor=org.ana, ticket_id=opened(org).pk, changes=changes, now=LATER)
    assert fields_of(refusal)[0].startswith("hold_")


def test_resolved_tickets_close_by_themselves_after_their_days_and_not_a_moment_before(org: Organisation) -> None:
    ticket, other = resolved(org), opened(org)
    due = LATER + timedelta(days=7)
    assert actions.close_resolved_tickets(actor=system(), now=due - timedelta(microseconds=1)) == 0
    assert actions.close_resolved_tickets(actor=system(), now=due) == 1
    assert actions.close_resolved_tickets(actor=system(), now=due) == 0
    ticket.refresh_from_db()
    other.refresh_from_db()
    assert (ticket.state, ticket.closed_at, other.state) == ("closed", due, "new")
    with pytest.raises(Forbidden):
        actions.close_resolved_tickets(actor=org.alan, now=due)


# Talking


def test_the_requesters_answer_ends_a_hold_that_waited_for_it(org: Organisation) -> None:
    ticket = opened(org, group=org.network, assignee=org.alan.user_id)
    actions.move_ticket(actor=org.alan, ticket_id=ticket.pk, state="on_hold", hold_reason="caller", now=NOW)
    actions.comment_on_ticket(actor=org.ana, ticket_id=ticket.pk, text="Any news?", now=LATER)
    ticket.refresh_from_db()
    assert ticket.state == "on_hold"
    actions.comment_on_ticket(actor=org.rita, ticket_id=ticket.pk, text="Here it is.", now=LATER)
    ticket.refresh_from_db()
    last = journal.entries_of("ticket", ticket.pk)[-1]
    assert (ticket.state, last.verb, last.actor_id, last.source) == ("in_progress", "ticket.resumed", None, str(Source.RULE))


def test_a_hold_for_a_vendor_stays_when_the_requester_writes(org: Organisation) -> None:
    ticket = opened(org)
    actions.move_ticket(actor=org.ana, ticket_id=ticket.pk, state="on_hold", hold_reason="vendor", now=NOW)
    actions.comment_on_ticket(actor=org.rita, ticket_id=ticket.pk, text="Hello?", now=LATER)
    ticket.refresh_from_db()
    assert ticket.state == "on_hold"


def test_mentioned_staff_become_watchers_unless_they_may_not_see_the_ticket(org: Organisation) -> None:
    ticket = opened(org)
    text = "@alan and @OLGA. look; not mail@mona.example, not @rita nor @nobody (@mona)"
    actions.comment_on_ticket(actor=org.ana, ticket_id=ticket.pk, text=text, private=True, now=LATER)
    ticket.refresh_from_db()
    assert ticket.watchers == sorted(a.user_id for a in (org.alan, org.olga, org.mona) if a.user_id)
    hidden = opened(org, group=org.payroll)
    actions.comment_on_ticket(actor=org.adam, ticket_id=hidden.pk, text="@alan @mona", now=LATER)
    hidden.refresh_from_db()
    assert hidden.watchers == [org.mona.user_id]


@pytest.mark.parametrize("text", ["", "  \n", "x" * 100_001, "nul \x00", "half \ud800"])
def test_a_comment_that_is_none_is_refused(org: Organisation, text: str) -> None:
    with pytest.raises(Invalid) as refusal:
        actions.comment_on_ticket(actor=org.ana, ticket_id=opened(org).pk, text=text, now=LATER)
    assert fields_of(refusal) == ["text"]


def test_work_notes_are_written_by_those_who_work(org: Organisation) -> None:
    ticket = opened(org)
    for actor in (org.rita, org.audrey):
        with pytest.raises(Forbidden):
            actions.comment_on_ticket(actor=actor, ticket_id=ticket.pk, text="psst", private=True, now=LATER)
    with pytest.raises(Forbidden):
        actions.comment_on_ticket(actor=org.audrey, ticket_id=ticket.pk, text="hello", now=LATER)


def test_watching_twice_changes_nothing(org: Organisation) -> None:
    ticket = opened(org)
    for _ in range(2):
        actions.watch_ticket(actor=org.alan, ticket_id=ticket.pk, now=LATER)
    actions.unwatch_ticket(actor=org.ana, ticket_id=ticket.pk, user_id=org.alan.user_id, now=LATER)
    assert verbs(ticket.pk) == ["ticket.opened", "ticket.watched", "ticket.unwatched"]
    with pytest.raises(Forbidden):
        actions.watch_ticket(actor=org.rita, ticket_id=ticket.pk, user_id=org.alan.user_id, now=LATER)


# Linking and merging


def test_links_are_told_at_both_ends_and_stand_once(org: Organisation) -> None:
    here, there = opened(org), opened(org)
    link = actions.link_ticket(actor=org.ana, ticket_id=here.pk, relation="blocks", target=there.number.lower(), now=LATER)
    with pytest.raises(Invalid):
        actions.link_ticket(actor=org.ana, ticket_id=here.pk, relation="blocks", target=there.pk, now=LATER)
    actions.unlink_ticket(actor=org.ana, link_id=link.pk, now=LATER)
    assert verbs(here.pk) == verbs(there.pk) == ["ticket.opened", "ticket.linked", "ticket.unlinked"]


@pytest.mark.parametrize(
    ("link", "field"),
    [
        ({"relation": "likes", "url": "https://example.org"}, "relation"),
        ({"relation": "relates_to"}, "target"),
        ({"relation": "relates_to", "url": "javascript:alert(1)"}, "url"),
        ({"relation": "relates_to", "url": "https:///path"}, "url"),
        ({"relation": "relates_to", "url": "https://[broken"}, "url"),
        ({"relation": "relates_to", "url": "https://example.org/" + "x" * 500}, "url"),
        ({"relation": "relates_to", "url": "https://example.org/\x00"}, "url"),
    ],
)
def test_a_link_that_leads_nowhere_is_refused(org: Organisation, link: dict[str, Any], field: str) -> None:
    with pytest.raises(Invalid) as refusal:
        actions.link_ticket(actor=org.ana, ticket_id=opened(org).pk, now=LATER, **link)
    assert fields_of(refusal) == [field]


def test_a_merged_duplicate_is_closed_and_its_people_watch_the_other(org: Organisation) -> None:
    target, duplicate = opened(org, requester=org.alan.user_id), opened(org, watchers=[org.olga.user_id])
    made = actions.merge_ticket(actor=org.ana, ticket_id=duplicate.pk, into=target.number, now=LATER)
    duplicate.refresh_from_db()
    assert (duplicate.state, duplicate.merged_into_id, duplicate.resolution_code) == ("closed", target.pk, "duplicate")
    assert made.watchers == sorted(filter(None, [org.rita.user_id, org.olga.user_id]))
    assert verbs(duplicate.pk) == ["ticket.opened", "ticket.resolved", "ticket.merged"]
    assert verbs(target.pk) == ["ticket.opened", "ticket.absorbed"]
    for wrong, into in ((duplicate, target), (target, duplicate)):
        with pytest.raises(GuardRefused):
            actions.merge_ticket(actor=org.ana, ticket_id=wrong.pk, into=into.pk, now=LATER)
    with pytest.raises(Invalid):
        actions.merge_ticket(actor=org.ana, ticket_id=target.pk, into=target.pk, now=LATER)


# Undoing


def by(actor: Actor, request_id: str) -> Actor:
    return actor.through(Source.PAGE, request_id)


def test_undo_gives_back_what_one_request_changed(org: Organisation) -> None:
    tickets = [opened(org, impact=2) for _ in range(3)]
    before = [journal_row(ticket) for ticket in tickets]
    for ticket in tickets:
        actions.change_ticket(actor=by(org.ana, "r1"), ticket_id=ticket.pk, changes={"impact": 1, "group": org.network}, now=NOW)
    assert actions.undo_changes(actor=org.ana, ticket_ids=[t.pk for t in tickets], request_id="r1", now=LATER) == {}
    for ticket, was in zip(tickets, before, strict=True):
        ticket.refresh_from_db()
        assert journal_row(ticket) == was
        assert verbs(ticket.pk) == ["ticket.opened", "ticket.assigned", "ticket.undone"]


def test_undo_is_for_ones_own_recent_changes_that_nobody_built_upon(org: Organisation) -> None:
    ticket = opened(org)
    actions.change_ticket(actor=by(org.ana, "r1"), ticket_id=ticket.pk, changes={"impact": 1}, now=NOW)
    undo = {"ticket_ids": [ticket.pk], "request_id": "r1"}
    assert "nothing of yours" in actions.undo_changes(actor=org.mona, now=LATER, **undo)[ticket.pk]
    assert "nothing of yours" in actions.undo_changes(actor=org.ana, now=NOW + timedelta(minutes=30, microseconds=1), **undo)[ticket.pk]
    actions.change_ticket(actor=org.mona, ticket_id=ticket.pk, changes={"impact": 2}, now=LATER)
    assert "changed again" in actions.undo_changes(actor=org.ana, now=LATER, **undo)[ticket.pk]


def test_undo_of_several_says_which_are_gone_from_sight_and_undoes_the_rest(org: Organisation) -> None:
    hidden, plain = opened(org), opened(org)
    for ticket in (hidden, plain):
        actions.change_ticket(actor=by(org.ana, "r1"), ticket_id=ticket.pk, changes={"impact": 1}, now=NOW)
    actions.assign_ticket(actor=org.adam, ticket_id=hidden.pk, group=org.payroll, now=NOW)
    refused = actions.undo_changes(actor=org.ana, ticket_ids=[hidden.pk, plain.pk], request_id="r1", now=LATER)
    assert list(refused) == [hidden.pk]
    plain.refresh_from_db()
    assert plain.impact == 3


def test_undo_brings_dates_back_as_dates(org: Organisation) -> None:
    ticket = opened(org)
    actions.move_ticket(actor=org.ana, ticket_id=ticket.pk, state="on_hold", hold_reason="vendor", hold_until=LATER, now=NOW)
    actions.move_ticket(actor=by(org.ana, "r2"), ticket_id=ticket.pk, state="in_progress", now=NOW)
    assert actions.undo_changes(actor=org.ana, ticket_ids=[ticket.pk], request_id="r2", now=LATER) == {}
    ticket.refresh_from_db()
    assert (ticket.state, ticket.hold_reason, ticket.hold_until) == ("on_hold", "vendor", LATER)


# Attachments


def attach(org: Organisation, content: bytes, name: str = "a.txt", **more: Any) -> Attachment:
    ticket = Ticket.objects.first() or opened(org)
    return actions.attach_file(actor=org.ana, ticket_id=ticket.pk, name=name, content=io.BytesIO(content), now=LATER, **more)


def test_the_bytes_lie_under_their_hash_once_and_their_owner_alone_reads_them(org: Organisation, attachments: Path) -> None:
    first, second = attach(org, b"log line\n", "a.log"), attach(org, b"log line\n", "b.log")
    assert first.sha256 == second.sha256
    assert stored_at(first.sha256).read_bytes() == b"log line\n"
    assert stored_at(first.sha256).stat().st_mode & 0o077 == 0
    assert len([path for path in attachments.rglob("*") if path.is_file()]) == 1


@pytest.mark.parametrize(
    ("given_name", "kept"),
    [
        ("../../etc/passwd", "passwd"),
        ("..\\..\\boot.ini", "boot.ini"),
        ("..", "file"),
        (".", "file"),
        ("a/..", "file"),
        ("", "file"),
        ("   ", "file"),
        ("/", "file"),
        ("nul\x00l.txt", "null.txt"),
        ("line\r\nSet-Cookie: x=1", "lineSet-Cookie x=1"),
        ('quote".txt', "quote.txt"),
        ("exe\u202etxt.js", "exetxt.js"),
        ("half\ud800.txt", "half.txt"),
        ("x" * 300 + ".pdf", "x" * 196 + ".pdf"),
        ("naïve file (1).txt", "naïve file (1).txt"),
    ],
)
def test_hostile_names_become_plain_ones(given_name: str, kept: str) -> None:
    assert clean_name(given_name) == kept


@given(st.text(st.characters(), max_size=40))
def test_a_name_is_never_a_path(name: str) -> None:
    kept = clean_name(name)
    assert 0 < len(kept) <= 200
    assert kept not in (".", "..")
    assert not set(kept) & set('/\\"<>|:*?\x00\r\n')
    kept.encode()


def _docx() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("a.txt", "x")
    return out.getvalue()


@pytest.mark.parametrize(
    ("content", "name", "content_type"),
    [
        (b"plain words", "page.html", "text/plain"),
        (b"<script>alert(1)</script>", "page.html", "text/plain"),
        (b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>", "x.svg", "text/plain"),
        ("grüße".encode() * 3000, "a.txt", "text/plain"),
        (b"\x89PNG\r\n\x1a\n" + bytes(40), "not-a-picture.txt", "image/png"),
        (b"%PDF-1.7\n%\xe2\xe3\n", "a.exe", "application/pdf"),
        (_docx(), "a.zip", "application/zip"),
    ],
)
def test_the_content_says_what_a_file_is_not_its_name(org: Organisation, content: bytes, name: str, content_type: str) -> None:
    assert attach(org, content, name).content_type == content_type


@pytest.mark.parametrize("content", [b"MZ\x90\x00\x03" + bytes(60), b"\x7fELF\x02\x01\x01" + bytes(60), bytes(100), b""])
def test_programs_and_empty_files_are_refused_and_leave_nothing_behind(org: Organisation, content: bytes, attachments: Path) -> None:
    with pytest.raises(Invalid) as refusal:
        attach(org, content, "report.pdf")
    assert fields_of(refusal) == ["file"]
    assert not [path for path in attachments.rglob("*") if path.is_file()]
    assert not Attachment.objects.exists()


def test_a_file_is_as_large_as_the_limit_and_no_larger(org: Organisation, settings: LazySettings, attachments: Path) -> None:
    settings.ATTACHMENT_MAX_BYTES = 2 * 1024 * 1024
    attach(org, b"x" * settings.ATTACHMENT_MAX_BYTES)
    with pytest.raises(Invalid, match="not attached"):
        attach(org, b"y" * (settings.ATTACHMENT_MAX_BYTES + 1))
    assert len([path for path in attachments.rglob("*") if path.is_file()]) == 1


def test_who_added_a_file_or_works_on_the_ticket_removes_it(org: Organisation) -> None:
    ticket = opened(org, group=org.network)
    mine = actions.attach_file(actor=org.rita, ticket_id=ticket.pk, name="a", content=io.BytesIO(b"x"), now=LATER)
    for stranger in (org.olga, org.audrey):
        with pytest.raises(Forbidden):
            actions.remove_attachment(actor=stranger, attachment_id=mine.pk, now=LATER)
    actions.remove_attachment(actor=org.rita, attachment_id=mine.pk, now=LATER)
    assert verbs(ticket.pk) == ["ticket.opened", "ticket.attached", "ticket.detached"]
    with pytest.raises(Missing):
        actions.remove_attachment(actor=org.rita, attachment_id=mine.pk, now=LATER)


def test_a_requester_neither_adds_nor_removes_private_files(org: Organisation) -> None:
    ticket = opened(org)
    with pytest.raises(Forbidden):
        actions.attach_file(actor=org.rita, ticket_id=ticket.pk, name="a", content=io.BytesIO(b"x"), private=True, now=LATER)
