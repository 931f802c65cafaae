"""Search as its reader meets it: what is found, for whom, how it is marked, and what happens to a mistyped word."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pilothouse.cmdb.models import CI
from pilothouse.platform import searching
from pilothouse.platform.access import Actor
from pilothouse.platform.models import SearchDocument, SearchWord
from pilothouse.tickets import actions
from pilothouse.tickets.access import sees
from pilothouse.tickets.models import Ticket
from pilothouse.tickets.queries import list_tickets
from pilothouse.tickets.search import Results, search
from tests import organisation
from tests.tickets import desk_of_tickets
from tests.tickets.desk_of_tickets import Desk
from tests.tickets.queries_at_random import NOW

pytestmark = pytest.mark.django_db


@pytest.fixture
def desk() -> Desk:
    return desk_of_tickets.set_up(count=0)


def ticket(
    number: int, title: str, body: str = "", *, comments: tuple[str, ...] = (), notes: tuple[str, ...] = (), **more: object
) -> Ticket:
    """Write a ticket and its documents, as the projection would."""
    made = Ticket.objects.create(
        kind="incident",
        number=f"INC{number:07d}",
        title=title,
        opened_at=NOW + timedelta(minutes=number),
        updated_at=NOW,
        created_at=NOW,
        **more,
    )
    SearchDocument.objects.create(kind="ticket", record_id=made.pk, title=title, body=body)
    for seq, text in enumerate((*comments, *notes), start=2):
        SearchDocument.objects.create(kind="ticket", record_id=made.pk, seq=seq, private=seq - 2 >= len(comments), body=text)
    return made


def found(actor: Actor, text: str) -> list[str]:
    return [hit.row.number for hit in search(actor, text).tickets]


def learn() -> None:
    while searching.learn_words(at_once=2):
        pass


def test_the_title_counts_more_than_the_text_and_each_ticket_comes_once(desk: Desk) -> None:
    ticket(1, "Slow laptop", "the vpn client was updated", comments=("vpn again", "vpn vpn"))
    ticket(2, "VPN drops every few minutes", "since Friday")
    ticket(3, "Printer", "no paper")
    assert found(desk.manager, "vpn") == ["INC0000002", "INC0000001"]
    assert found(desk.manager, "printers") == ["INC0000003"]
    assert found(desk.manager, '"few minutes"') == ["INC0000002"]
    assert found(desk.manager, "vpn -friday") == ["INC0000001"]


def test_words_are_marked_and_everything_else_is_escaped(desk: Desk) -> None:
    ticket(1, "<b>VPN</b> & co", "<script>alert(1)</script> the vpn \x02<i>\x03 fails")
    hit = search(desk.manager, "vpn").tickets[0]
    assert hit.title == "&lt;b&gt;<mark>VPN</mark>&lt;/b&gt; &amp; co"
    assert "<script" not in hit.excerpt
    assert "<i>" not in hit.excerpt
    assert "<mark>vpn</mark>" in hit.excerpt


@given(st.text(alphabet="<>&\"'\x02\x03 vpnscriptmark/", max_size=60))
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_text_gets_markup_of_its_own_onto_the_page(desk: Desk, text: str) -> None:
    made = ticket(1, f"vpn {text}"[:200], f"vpn {text}")
    hit = search(desk.manager, "vpn").tickets[0]
    for shown in (hit.title, hit.excerpt):
        bare = shown.replace("<mark>", "").replace("</mark>", "")
        assert "<" not in bare
        assert ">" not in bare
        assert shown.count("<mark>") == shown.count("</mark>")
    SearchDocument.objects.all().delete()
    made.delete()


@pytest.mark.parametrize("typed", ["INC0000012", "inc12", "12", "inc0000012", "INC-12"])
def test_a_number_brings_its_ticket_first(desk: Desk, typed: str) -> None:
    ticket(12, "Badge")
    ticket(13, "Follow-up of INC0000012 and 12 others")
    assert found(desk.manager, typed)[0] == "INC0000012"


def test_each_person_finds_only_what_they_see(desk: Desk) -> None:
    _, dana, rita, _ = desk.people
    ticket(1, "payslip missing", group=desk.teams[2])
    ticket(2, "payslip wrong", requester=rita, group=desk.teams[2], notes=("the secret reason",), comments=("a plain answer",))
    ticket(3, "payslip late", requester=dana)
    for actor in (desk.agent, desk.outsider, desk.manager, desk.requester):
        seen = {each.number for each in Ticket.objects.all() if sees(actor, each)}
        assert set(found(actor, "payslip")) == seen
        assert set(found(actor, "2")) <= seen
    assert found(desk.manager, "secret") == ["INC0000002"]
    assert found(desk.requester, "secret") == []
    assert found(desk.requester, "plain") == ["INC0000002"]
    where = {hit.where for word in ("secret", "plain", "wrong") for hit in search(desk.manager, word).tickets}
    assert where == {"note", "comment", "text"}


def test_a_mistyped_word_is_mended_when_nothing_bears_it(desk: Desk) -> None:
    for number in range(1, 15):
        ticket(number, "printer jammed", "paper tray", notes=("zanzibar",))
    ticket(20, "pritner broken")
    learn()
    assert SearchWord.objects.get(word="printer").documents == 14
    assert not SearchWord.objects.filter(word="zanzibar").exists()
    mended = search(desk.manager, "prnter jammed")
    assert (mended.searched, len(mended.tickets)) == ("printer jammed", 14)
    offered = search(desk.manager, "pritner")
    assert ([hit.row.number for hit in offered.tickets], offered.suggestion, offered.searched) == (["INC0000020"], "printer", "")
    assert search(desk.manager, "printer").suggestion == ""
    assert searching.learn_words() == 0


def test_any_word_will_do_when_no_document_bears_all(desk: Desk) -> None:
    ticket(1, "mailbox full")
    ticket(2, "calendar empty")
    results = search(desk.manager, "mailbox calendar")
    assert results.widened
    assert {hit.row.number for hit in results.tickets} == {"INC0000001", "INC0000002"}


def test_configuration_is_found_by_words_and_parts_of_names(desk: Desk) -> None:
    ci = CI.objects.create(name="SRV-MAIL-0042")
    SearchDocument.objects.create(kind="ci", record_id=ci.pk, title=ci.name, body="exchange node leeds")
    for text in ("exchange", "mail-00", "srv-mail-0042"):
        assert [hit.id for hit in search(desk.manager, text).configuration] == [ci.pk]
    assert search(desk.requester, "exchange").configuration == ()


@given(st.text(max_size=30) | st.text(alphabet="ab'\"-:*&|!()<> \\%_or12INC", max_size=30))
@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_search_fails(desk: Desk, text: str) -> None:
    assert isinstance(search(desk.manager, text), Results)


def test_a_search_takes_the_same_few_queries_however_much_it_finds(desk: Desk) -> None:
    for number in range(1, 30):
        ticket(number, "printer jammed", group=desk.teams[0])
    counts = []
    for limit in (5, 25):
        with CaptureQueriesContext(connection) as taken:
            assert len(search(desk.manager, "printer", limit=limit).tickets) == limit
        counts.append(len(taken))
    assert counts[0] == counts[1] <= 10  # 8 while the newest documents are all there are, else up to two more for the older ones


def test_what_the_desk_writes_is_found_at_once_in_search_and_queue() -> None:
    people = organisation.set_up()
    now = organisation.NOW
    made = actions.open_ticket(actor=people.rita, title="Gateway refuses certificates", description="since Monday", now=now)
    actions.comment_on_ticket(actor=people.alan, ticket_id=made.pk, text="Restarted the **radius** service.", now=now)
    actions.comment_on_ticket(actor=people.alan, ticket_id=made.pk, text="The supplier is slow.", private=True, now=now)
    for text, readers in (("certificates", "rita alan audrey"), ("radius", "rita alan audrey"), ("supplier", "alan audrey")):
        for name in ("rita", "alan", "audrey"):
            actor = getattr(people, name)
            expected = [made.number] if name in readers else []
            assert found(actor, text) == expected, (text, name)
            assert [row.number for row in list_tickets(actor, f"{text} is:open", now=now).rows] == expected
    assert search(people.alan, "radius").tickets[0].excerpt == "Restarted the <mark>radius</mark> service"
    assert search(people.alan, "vpn-gw").configuration[0].name == "vpn-gw-01"
    actions.change_ticket(actor=people.alan, ticket_id=made.pk, changes={"title": "Gateway refuses keys"}, now=now)
    assert found(people.alan, "certificates") == []
