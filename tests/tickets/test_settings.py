"""Settings and the journal page, through the site's own addresses."""

import re

from pilothouse.cmdb import actions as cmdb
from pilothouse.people.testing import NamedPeople
from pilothouse.platform import access, clock
from pilothouse.tickets import actions
from pilothouse.tickets.models import Category, SavedView

EMPTY = {"label": "", "type": "text", "options": "", "position": "9"}


def test_the_matrix_gives_new_tickets_their_priority(people: NamedPeople) -> None:
    adam = people.client("adam")
    cells = {f"{i}-{u}": "4" for i in (1, 2, 3) for u in (1, 2, 3)}
    assert adam.post("/settings/priorities", {**cells, "3-3": "2"}).status_code == 302
    assert actions.open_ticket(actor=people.actor("rita"), title="x", impact=3, urgency=3, now=clock.now()).priority == 2
    assert actions.open_ticket(actor=people.actor("rita"), title="x", impact=1, urgency=1, now=clock.now()).priority == 4
    assert adam.post("/settings/priorities", {**cells, "3-3": "6"}).status_code == 422


def test_categories_are_added_renamed_and_switched_off(people: NamedPeople) -> None:
    adam = people.client("adam")
    adam.post("/settings/categories", {"name": "Network"})
    top = Category.objects.get()
    assert adam.post("/settings/categories", {"name": "network"}).status_code == 422
    assert adam.post("/settings/categories", {"name": "network", "parent": top.pk}).status_code == 302, "another place, another name"
    assert adam.post(f"/settings/categories/{top.pk}", {"name": "Networks"}).status_code == 302
    assert adam.post(f"/settings/categories/{top.pk}", {"active": "no"}).status_code == 302
    assert adam.post(f"/settings/categories/{top.pk}", {"name": " "}).status_code == 422
    assert Category.objects.values_list("name", "is_active").get(pk=top.pk) == ("Networks", False)


def test_a_request_form_is_written_row_by_row(people: NamedPeople) -> None:
    service = cmdb.add_service(actor=access.system(), name="Laptops", now=clock.now())
    adam, at = people.client("adam"), f"/settings/forms/{service.pk}"

    def sent(*rows: dict[str, str]) -> dict[str, str]:
        return {"rows": str(len(rows)), **{f"r{n}-{name}": value for n, row in enumerate(rows) for name, value in row.items()}}

    site = {"label": "Which site?", "type": "choice", "options": "Leeds\nYork", "position": "2", "required": "on"}
    why = {"label": "Why?", "type": "longtext", "options": "", "position": "1"}
    assert adam.post(at, sent(site, why, EMPTY)).status_code == 302
    service.refresh_from_db()
    assert [each["label"] for each in service.request_form] == ["Why?", "Which site?"]
    assert service.request_form[1] == {"label": "Which site?", "type": "choice", "required": True, "options": ["Leeds", "York"]}
    assert "Which site?" in people.client("rita").get(f"/portal/raise/service/{service.pk}").content.decode()
    refused = adam.post(at, sent({**site, "options": "Leeds"}, EMPTY))
    assert refused.status_code == 422
    assert "at least two options" in refused.content.decode()
    assert adam.post(at, sent(site, {**site, "position": "3"})).status_code == 422, "two of one name"


def test_a_view_for_everybody(people: NamedPeople) -> None:
    adam = people.client("adam")
    refused = adam.post("/settings/views", {"name": "Bad", "query": "priorty:1"})
    assert refused.status_code == 422
    assert adam.post("/settings/views", {"name": "Vital", "query": "priority:1"}).status_code == 302
    assert "Vital" in people.client("olga").get("/queue").content.decode()
    assert adam.post(f"/settings/views/{SavedView.objects.get().pk}/remove").status_code == 302
    assert not SavedView.objects.exists()


def test_the_journal_is_read_by_those_who_oversee(people: NamedPeople) -> None:
    ticket = actions.open_ticket(actor=people.actor("alan"), title="VPN", now=clock.now())
    for n in range(60):
        actions.comment_on_ticket(actor=people.actor("alan"), ticket_id=ticket.pk, text=f"word {n}", now=clock.now())
    people.client("ana").post("/profile", {"name": "Ana L.", "time_zone": "UTC"})
    audrey = people.client("audrey")
    first = audrey.get("/journal").content.decode()
    assert ticket.number in first
    assert "Ana L." in first
    more = re.search(r'rel="next" href="([^"]+)"', first)
    assert more is not None
    second = audrey.get("/journal" + more[1].replace("&amp;", "&")).content.decode()
    seen = re.findall(r'<li id="e(\d+)">', first) + re.findall(r'<li id="e(\d+)">', second)
    assert seen == sorted(set(seen), key=int, reverse=True)
    assert len(seen) == 62
    only = audrey.get("/journal?kind=ticket&verb=opened&who=alan&since=2020-01-01&until=nonsense").content.decode()
    assert len(re.findall(r'<li id="e', only)) == 1
    assert "No such entry" in audrey.get("/journal?until=2020-01-01").content.decode()
    assert "Ana L." not in people.client("mona").get("/journal?kind=person").content.decode().partition("<main")[2]
    assert people.client("ana").get("/journal").status_code == 403
