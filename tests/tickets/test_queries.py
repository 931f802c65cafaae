"""Lists, counts and names against real PostgreSQL: the database answers what the plain evaluator answers."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pilothouse.people.models import User
from pilothouse.platform.access import Actor, Capability
from pilothouse.tickets import names, queries
from pilothouse.tickets.access import sees
from pilothouse.tickets.actions.changing import CHANGEABLE
from pilothouse.tickets.engine.fields import FIELDS
from pilothouse.tickets.engine.queue_language import Context, Mistake, Query, SortKey, evaluate, format_query, parse, resolve
from pilothouse.tickets.engine.queue_language.meaning import names_in
from pilothouse.tickets.engine.queue_language.syntax import Node
from pilothouse.tickets.models import Ticket
from pilothouse.tickets.queries import count_views, list_tickets, select
from tests import kept
from tests.tickets import desk_of_tickets
from tests.tickets import queries_at_random as random
from tests.tickets.desk_of_tickets import Desk

pytestmark = pytest.mark.django_db
NOW = random.NOW
reading_only = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])


desk = kept.for_the_module(desk_of_tickets.set_up)


def ids(actor: Actor, text: str) -> set[int]:
    selection = select(actor, text, now=NOW)
    assert not isinstance(selection, Mistake), selection.message
    return set(selection.tickets.values_list("pk", flat=True))


def numbers(actor: Actor, text: str) -> set[str]:
    page = list_tickets(actor, text, now=NOW, limit=200)
    assert page.error is None, page.error
    return {row.number for row in page.rows}


@pytest.mark.parametrize("role", ["manager", "requester"])
def test_the_database_finds_what_the_evaluator_finds(desk: Desk, role: str) -> None:
    actor: Actor = getattr(desk, role)
    seen = {ticket.pk for ticket in Ticket.objects.all() if sees(actor, ticket)}
    rows = {pk: row for pk, row in desk_of_tickets.as_rows(private=actor.is_staff).items() if pk in seen}
    context = Context(now=NOW, zone=queries.zone_of(actor), me=(actor.user_id or 0,), my_teams=tuple(actor.team_ids))

    @given(random.conditions())
    @reading_only
    def law(node: Node) -> None:
        query = Query(node)
        plan = resolve(query, context, names.look_up(actor, names_in(query)))
        if isinstance(plan, Mistake):
            assert isinstance(select(actor, format_query(query), now=NOW), Mistake)
        else:
            assert ids(actor, format_query(query)) == {pk for pk, row in rows.items() if evaluate(plan, row)}

    law()


@given(node=random.conditions(), other=random.conditions())
@reading_only
def test_negation_is_the_complement_and_or_the_union_in_the_database(desk: Desk, node: Node, other: Node) -> None:
    everything = ids(desk.manager, "")
    one, two = (format_query(Query(each)) for each in (node, other))
    found, others = ids(desk.manager, one), ids(desk.manager, two)
    assert ids(desk.manager, f"-({one})") == everything - found
    assert ids(desk.manager, f"({one}) OR ({two})") == found | others
    assert ids(desk.manager, f"({one}) ({two})") == found & others


def pages(actor: Actor, text: str, limit: int) -> list[str]:
    found: list[str] = []
    cursor = ""
    for _ in range(1000):
        page = list_tickets(actor, text, now=NOW, cursor=cursor, limit=limit)
        assert page.error is None, page.error
        assert len(page.rows) <= limit
        found += [row.number for row in page.rows]
        cursor = page.next_cursor
        if not cursor:
            return found
    raise AssertionError("the pages never end")


@given(sort=random.SORTS, limit=st.integers(1, 30))
@reading_only
def test_pages_together_are_the_whole_list(desk: Desk, sort: tuple[SortKey, ...], limit: int) -> None:
    text = format_query(Query(None, sort))
    whole = [row.number for row in list_tickets(desk.manager, text, now=NOW, limit=200).rows]
    assert len(whole) == 60 == len(set(whole))
    assert pages(desk.manager, text, limit) == whole


def test_every_sort_puts_absent_values_last_and_runs_one_way(desk: Desk) -> None:
    for name in [declared.name for declared in FIELDS if declared.sortable]:
        for sign in ("", "-"):
            page = list_tickets(desk.manager, f"sort:{sign}{name}", now=NOW, limit=200, columns=[name])
            values = [row.values[name] for row in page.rows]
            present = [value for value in values if value is not None]
            assert values == present + [None] * (len(values) - len(present)), name
            if name != "state" and present and not isinstance(present[0], str | queries.Named):  # letters are the database's to order
                assert present == sorted(present, reverse=bool(sign)), name
            assert pages(desk.manager, f"sort:{sign}{name}", 23) == [row.number for row in page.rows], name


def test_a_ticket_that_arrives_meanwhile_shifts_nothing(desk: Desk) -> None:
    first = list_tickets(desk.manager, "sort:-opened", now=NOW, limit=20)
    before = pages(desk.manager, "sort:-opened", 200)
    newest = Ticket.objects.get(number=first.rows[0].number)
    newest.pk, newest.number, newest.external_id, newest.opened_at = None, "INC0000999", "", NOW + timedelta(hours=99)
    newest.save()
    second = list_tickets(desk.manager, "sort:-opened", now=NOW, cursor=first.next_cursor, limit=20)
    assert [row.number for row in second.rows] == before[20:40]


def test_all_pages_count_from_the_first_pages_instant(desk: Desk) -> None:
    whole = pages(desk.manager, "opened<2d sort:opened", 200)
    first = list_tickets(desk.manager, "opened<2d sort:opened", now=NOW, limit=2)
    later = list_tickets(desk.manager, "opened<2d sort:opened", now=NOW + timedelta(days=30), cursor=first.next_cursor, limit=200)
    assert [row.number for row in (*first.rows, *later.rows)] == whole


@pytest.mark.parametrize("forge", [lambda cursor: cursor[:-1] + "x", lambda cursor: "x", lambda cursor: "é:\ud800"])
def test_a_forged_or_foreign_cursor_is_refused(desk: Desk, forge: Callable[[str], str]) -> None:
    cursor = list_tickets(desk.manager, "sort:opened", now=NOW, limit=2).next_cursor
    assert list_tickets(desk.manager, "sort:opened", now=NOW, cursor=forge(cursor)).error
    assert list_tickets(desk.manager, "sort:updated", now=NOW, cursor=cursor).error
    assert list_tickets(desk.outsider, "sort:opened", now=NOW, cursor=cursor).error


def test_each_person_sees_their_own_scope(desk: Desk) -> None:
    for actor in (desk.agent, desk.outsider, desk.manager, desk.requester):
        assert ids(actor, "") == {ticket.pk for ticket in Ticket.objects.all() if sees(actor, ticket)}
    assert ids(desk.agent, "") < ids(desk.manager, "")
    assert ids(desk.requester, "-requester:me -is:watched") == set()


def test_private_notes_are_found_by_staff_only(desk: Desk) -> None:
    every = desk_of_tickets.as_rows(private=False)
    visible = ids(desk.requester, "")
    assert ids(desk.requester, "vpn") == {pk for pk in visible if any("vpn" in text for text in every[pk]["texts"])}
    assert ids(desk.requester, "has:comment") == {pk for pk in visible if "comment" in every[pk]["related"]}


def test_names_are_found_by_key_name_address_and_first_letters(desk: Desk) -> None:
    manager = desk.manager
    assert (
        ids(manager, "group:db-ops")
        == ids(manager, 'group:"database operations"')
        == ids(manager, "group:oper")
        == ids(manager, "group:data")
    )
    assert (
        ids(manager, "assignee:P0@Example.org")
        == ids(manager, "assignee:osei")
        == ids(manager, 'assignee:"KOFI OSEI"')
        == ids(manager, "is:mine")
    )
    assert ids(manager, "group:my-teams") == ids(manager, "group:network") == ids(manager, "is:my-teams")


def test_a_wrong_name_brings_the_nearest(desk: Desk) -> None:
    page = list_tickets(desk.manager, "is:open group:netwrk", now=NOW)
    assert page.error is not None
    assert (page.error.at, page.error.length, page.error.suggestion) == (14, 6, "Network")
    page = list_tickets(desk.manager, 'assignee:"dana whitlok"', now=NOW)
    assert page.error is not None
    assert page.error.suggestion == '"Dana Whitlock"'


def test_a_requester_cannot_try_out_who_works_here(desk: Desk) -> None:
    page = list_tickets(desk.requester, "assignee:kofi", now=NOW)
    assert page.error is not None
    assert page.error.suggestion == ""
    assert names.vocabulary(desk.requester)("person", "ko", 10) == []
    assert [name for name, _ in names.vocabulary(desk.manager)("person", "os", 10)] == ["Kofi Osei"]


def test_numbers_find_their_ticket(desk: Desk) -> None:
    ticket = Ticket.objects.filter(kind="incident").earliest("pk")
    short = ticket.number.replace("INC", "").lstrip("0")
    for text in (ticket.number, f"inc{short}", f"number:{short}", f"number:INC{short}"):
        assert numbers(desk.manager, text) == {ticket.number}
    assert numbers(desk.manager, f'"{ticket.number}"') == set()


def test_words_that_nobody_searches_by_are_left_out(desk: Desk) -> None:
    assert ids(desk.manager, "the vpn") == ids(desk.manager, "vpn")
    assert ids(desk.manager, "the") == ids(desk.manager, '-"..."') == ids(desk.manager, "")


def test_counts_are_capped_and_come_in_one_round_trip(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    texts = ["", "is:open", "number:none-such", "grop:x", "group:network", "is:mine"]
    with CaptureQueriesContext(connection) as taken:
        counts = count_views(desk.manager, texts, now=NOW)
    assert len(taken) == 2  # names, counts
    assert [str(count) for count in counts[:1] + counts[2:4]] == ["60", "0", "?"]
    assert counts[1].value == len(ids(desk.manager, "is:open"))
    monkeypatch.setattr(queries, "MOST_COUNTED", 10)
    assert str(queries.count_tickets(desk.manager, "", now=NOW)) == "9+"


@pytest.mark.parametrize(("text", "expected"), [("", 2), ("is:open sort:group", 2), ("group:network vpn", 4)])
def test_a_page_takes_the_same_few_queries_however_long(desk: Desk, text: str, expected: int) -> None:
    for limit in (3, 50):
        with CaptureQueriesContext(connection) as taken:
            list_tickets(desk.manager, text, now=NOW, limit=limit, columns=[declared.name for declared in FIELDS])
        assert len(taken) == expected


def test_rows_carry_names_and_every_column(desk: Desk) -> None:
    every = [declared.name for declared in FIELDS]
    page = list_tickets(desk.manager, "has:group has:assignee", now=NOW, columns=[*every, "group", "no such"])
    assert [column.name for column in page.columns] == every
    for row in page.rows:
        ticket = Ticket.objects.get(pk=row.id)
        assert row.values["group"] == queries.Named(ticket.group_id, ticket.group.name)
        assert row.values["bounces"] == ticket.story.bounce_count


def test_similar_tickets_share_rare_words_and_are_seen(desk: Desk) -> None:
    base = Ticket.objects.first()
    assert base is not None
    alike = queries.similar_tickets(desk.manager, base, limit=5)
    assert 0 < len(alike) <= 5
    assert base.number not in {row.number for row in alike}
    assert all(set(row.title.split()) & set(base.title.split()) for row in alike)
    on_ci = Ticket.objects.filter(ci__isnull=False)[0]
    assert {row.id for row in queries.tickets_on_ci(desk.manager, on_ci, limit=200)} == set(
        Ticket.objects.filter(ci_id=on_ci.ci_id).exclude(pk=on_ci.pk).values_list("pk", flat=True)
    )


def test_a_title_of_odd_signs_is_like_nothing(desk: Desk) -> None:
    for title in ("'; DROP TABLE x; --", "\\ ' & | ! :*", "the of and", "O'Brien's \"laptop\" 50%"):
        assert isinstance(queries.similar_tickets(desk.manager, Ticket(pk=0, title=title)), tuple)


def test_the_roles_of_the_desk_are_what_the_tests_suppose(desk: Desk) -> None:
    assert desk.manager.can(Capability.SEE_RESTRICTED)
    assert not desk.requester.can(Capability.READ_TICKETS)
    assert User.objects.count() == 4
    assert isinstance(parse(""), Query)


def test_the_fields_that_can_be_edited_are_those_that_the_action_changes() -> None:
    long_texts = {"description", "resolution_notes", "extra"}  # no columns
    assert {declared.key for declared in FIELDS if declared.editable} == set(CHANGEABLE) - long_texts
