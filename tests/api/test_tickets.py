"""Tickets over REST: opening, reading, listing, changing, moving, talking, linking, under the rules of the pages."""

import pytest

from tests.api.conftest import Rest


def test_a_ticket_is_opened_and_read_back(rest: Rest) -> None:
    facts = {"title": "  VPN drops ", "impact": 1, "urgency": 2, "group": "network", "requester": "rita@example.org", "tags": ["vpn"]}
    made = rest.alan.post("/tickets", facts)
    assert made.status_code == 201
    ticket = made.json()
    assert (
        ticket["number"].startswith("INC") and ticket["title"] == "VPN drops" and ticket["priority"] == 2 and ticket["state"] == "assigned"
    )
    assert ticket["group"]["name"] == "Network" and ticket["requester"] == {"id": rest.rita.user_id, "name": "Rita Whitlock"}
    assert made.headers["Location"] == f"/api/v1/tickets/{ticket['id']}"
    for reference in (ticket["id"], ticket["number"], ticket["number"].lower()):
        again = rest.alan.get(f"/tickets/{reference}")
        assert again.json() == ticket and again.headers["ETag"] == made.headers["ETag"]


def test_a_requester_sees_their_own_and_a_stranger_gets_404(rest: Rest) -> None:
    own, other = rest.rita.ticket(), rest.ana.ticket()
    assert rest.rita.get(f"/tickets/{own['id']}").status_code == 200
    missing = rest.rita.get(f"/tickets/{other['id']}")
    assert missing.status_code == 404 and missing.headers["Content-Type"] == "application/problem+json"
    assert rest.rita.get("/tickets/99999999999").json()["title"] == missing.json()["title"]
    assert own["id"] in [row["id"] for row in rest.rita.get("/tickets?limit=200").json()["items"]]
    assert other["id"] not in [row["id"] for row in rest.rita.get("/tickets?limit=200").json()["items"]]


def test_restricted_tickets_are_hidden_from_outsiders_everywhere(rest: Rest) -> None:
    ticket = rest.mona.ticket(title="Salary run zebra", group="payroll")
    for path in ("", "/comments", "/attachments", "/links", "/journal"):
        assert rest.olga.get(f"/tickets/{ticket['id']}{path}").status_code == 404
        assert rest.audrey.get(f"/tickets/{ticket['id']}{path}").status_code == 200
    assert rest.olga.get(f"/journal/ticket/{ticket['id']}").status_code == 404
    assert rest.olga.post(f"/tickets/{ticket['id']}/comments", {"text": "hello"}).status_code == 404
    assert rest.olga.post("/tickets", {"title": "child", "parent": ticket["number"]}).status_code == 422
    assert rest.olga.get("/tickets", params={"q": "zebra"}).json()["items"] == []
    assert len(rest.mona.get("/tickets", params={"q": "zebra"}).json()["items"]) == 1


def test_an_auditor_reads_and_changes_nothing(rest: Rest) -> None:
    ticket = rest.ana.ticket()
    refused = [
        rest.audrey.post("/tickets", {"title": "x"}),
        rest.audrey("PATCH", f"/tickets/{ticket['id']}", json={"title": "x"}, headers={"If-Match": "*"}),
        rest.audrey.post(f"/tickets/{ticket['id']}/transition", {"state": "cancelled", "note": "x"}),
        rest.audrey.post(f"/tickets/{ticket['id']}/comments", {"text": "x"}),
        rest.audrey("PUT", f"/tickets/{ticket['id']}/watchers/me"),
        rest.audrey.post("/views", {"name": "x", "query": "is:open"}),
        rest.audrey("PUT", "/priority-matrix", json={"cells": [{"impact": 1, "urgency": 1, "priority": 1}]}),
        rest.audrey.post("/cis", {"name": "x"}),
    ]
    assert [each.status_code for each in refused] == [403] * len(refused)
    assert rest.ana.get(f"/tickets/{ticket['id']}").json() == ticket


def test_versions_keep_two_people_from_overwriting_each_other(rest: Rest) -> None:
    made = rest.ana.post("/tickets", {"title": "first"})
    ticket, tag = made.json(), made.headers["ETag"]
    path = f"/tickets/{ticket['id']}"
    assert rest.ana("PATCH", path, json={"title": "second"}).status_code == 428
    changed = rest.ana("PATCH", path, json={"title": "second"}, headers={"If-Match": tag})
    assert changed.status_code == 200 and changed.json()["version"] == 2
    stale = rest.mona("PATCH", path, json={"title": "third"}, headers={"If-Match": tag})
    assert stale.status_code == 412
    problem = stale.json()
    assert problem["current"] == {"title": "second"} and problem["attempted"] == {"title": "third"} and problem["version"] == 2
    assert rest.mona("PATCH", path, json={"title": "third"}, headers={"If-Match": "*"}).status_code == 200
    assert rest.mona("PATCH", path, json={"title": "x"}, headers={"If-Match": '"nonsense"'}).status_code == 400
    read = rest.mona.get(path)
    assert rest.mona.get(path, headers={"If-None-Match": read.headers["ETag"]}).status_code == 304
    assert rest.mona.get(path, headers={"If-None-Match": tag}).status_code == 200


def test_guards_say_what_is_missing(rest: Rest) -> None:
    ticket = rest.ana.ticket()
    path = f"/tickets/{ticket['id']}/transition"
    refused = rest.ana.post(path, {"state": "resolved"})
    assert refused.status_code == 409
    assert {error["field"] for error in refused.json()["errors"]} == {"resolution_code", "resolution_notes"}
    done = rest.ana.post(path, {"state": "resolved", "resolution_code": "solved", "resolution_notes": "Restarted."})
    assert done.status_code == 200 and done.json()["state"] == "resolved" and done.json()["resolved_at"]
    closed = rest.ana.post(path, {"state": "closed"}).json()
    follow = rest.ana.post(f"/tickets/{closed['id']}/follow-up", {})
    assert follow.status_code == 201
    links = rest.ana.get(f"/tickets/{follow.json()['id']}/links").json()["items"]
    assert [(each["relation"], each["ticket"]["name"]) for each in links] == [("follows_up", ticket["number"])]


def test_lists_page_without_gaps_and_choose_their_fields(rest: Rest) -> None:
    for number in range(7):
        rest.ana.ticket(title=f"pagingword {number}", description="long")
    query = {"q": "pagingword sort:-opened", "limit": 3, "fields": "title,group,description"}
    seen, answer = [], rest.ana.get("/tickets", params=query)
    while True:
        assert answer.status_code == 200, answer.text
        seen += answer.json()["items"]
        if not answer.json()["next_cursor"]:
            break
        assert 'rel="next"' in answer.headers["Link"]
        answer = rest.ana.get("/tickets", params={**query, "cursor": answer.json()["next_cursor"]})
    assert sorted(row["title"] for row in seen) == [f"pagingword {number}" for number in range(7)]
    assert set(seen[0]) == {"id", "number", "version", "title", "group", "description"}
    one = rest.ana.get(f"/tickets/{seen[0]['id']}", params={"fields": "title,bounce_count"}).json()
    assert one == {"id": seen[0]["id"], "title": seen[0]["title"], "bounce_count": 0}


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"q": "grop:network"}, "q"),
        ({"cursor": "forged"}, "cursor"),
        ({"fields": "titel"}, "fields"),
        ({"limit": "0"}, "limit"),
        ({"limit": "x"}, "limit"),
    ],
)
def test_a_wrong_list_request_names_what_is_wrong(rest: Rest, query: dict[str, str], field: str) -> None:
    refused = rest.ana.get("/tickets", params=query)
    assert refused.status_code == 422
    assert [error["field"] for error in refused.json()["errors"]] == [field]
    if "q" in query:
        assert refused.json()["mended"] == "group:network"


def test_bulk_opens_all_or_none_and_locates_each_error(rest: Rest) -> None:
    before = rest.rows("SELECT count(*) FROM tickets_ticket")[0][0]
    good = [{"title": f"bulk {n}", "kind": "request" if n % 2 else "incident"} for n in range(300)]
    made = rest.ana.post("/tickets/bulk", {"tickets": good})
    assert made.status_code == 201 and len(made.json()["tickets"]) == 300
    assert [t["number"][:3] for t in made.json()["tickets"][:2]] == ["INC", "REQ"]
    wrong = [{"title": "a"}, {"title": "b", "impact": 9}, {"title": "", "group": 1}]
    refused = rest.ana.post("/tickets/bulk", {"tickets": wrong})
    assert {error["field"] for error in refused.json()["errors"]} == {"tickets[1].impact", "tickets[2].title"}
    wrong = [{"title": "a"}, {"title": "b", "group": "nobody"}, {"title": "c", "service": "none"}]
    refused = rest.ana.post("/tickets/bulk", {"tickets": wrong})
    assert [error["field"] for error in refused.json()["errors"]] == ["tickets[1].group", "tickets[2].service"]
    refused = rest.ana.post("/tickets/bulk", {"tickets": [{"title": "a"}, {"title": "c", "ci": 999_999}]})
    assert [error["field"] for error in refused.json()["errors"]] == ["tickets[1].ci"]
    assert rest.ana.post("/tickets/bulk", {"tickets": [{"title": "x"}] * 1001}).status_code == 422
    assert rest.rows("SELECT count(*) FROM tickets_ticket")[0][0] == before + 300


def test_an_external_number_comes_once(rest: Rest) -> None:
    facts = {"title": "x", "external_system": "old", "external_id": "77"}
    assert rest.ana.post("/tickets", facts).status_code == 201
    assert rest.ana.post("/tickets", facts).status_code == 409
    refused = rest.ana.post("/tickets/bulk", {"tickets": [{"title": "y"}, facts]})
    assert refused.status_code == 409 and refused.json()["errors"][0]["field"] == "tickets[1].external_id"


def test_conversation_and_attachments(rest: Rest) -> None:
    ticket = rest.rita.ticket()
    path = f"/tickets/{ticket['id']}"
    said = rest.ana.post(f"{path}/comments", {"text": "Which *version*?"})
    assert said.status_code == 201 and said.json()["verb"] == "ticket.commented"
    assert rest.ana.post(f"{path}/comments", {"text": "secret", "private": True}).status_code == 201
    assert [entry["note"] for entry in rest.rita.get(f"{path}/comments").json()["items"]] == ["Which *version*?"]
    assert len(rest.ana.get(f"{path}/comments").json()["items"]) == 2
    assert rest.rita.post(f"{path}/comments", {"text": "x", "private": True}).status_code == 403
    attached = rest.rita.post(f"{path}/attachments", files={"file": ("a.log", b"tunnel down\n")})
    assert attached.status_code == 201, attached.text
    got = rest.ana.get(f"{path}/attachments/{attached.json()['id']}")
    assert got.content == b"tunnel down\n" and got.headers["Content-Disposition"].startswith("attachment")
    hidden = rest.ana.post(f"{path}/attachments", files={"file": ("b.log", b"secret\n")}, data={"private": "true"}).json()
    assert rest.rita.get(f"{path}/attachments/{hidden['id']}").status_code == 404
    assert len(rest.rita.get(f"{path}/attachments").json()["items"]) == 1
    program = rest.ana.post(f"{path}/attachments", files={"file": ("a.txt", b"\x7fELF\x02\x01\x01\x00" + b"\x00" * 60)})
    assert program.status_code == 422 and program.json()["errors"][0]["field"] == "file"
    assert rest.ana("DELETE", f"{path}/attachments/{hidden['id']}").status_code == 204
    assert rest.ana.post(f"{path}/attachments").status_code == 422


def test_links_merging_and_watching(rest: Rest) -> None:
    one, two = rest.ana.ticket(), rest.rita.ticket()
    made = rest.ana.post(f"/tickets/{one['id']}/links", {"relation": "blocks", "target": two["number"]})
    assert made.status_code == 201 and made.json()["ticket"]["name"] == two["number"]
    assert rest.ana.post(f"/tickets/{one['id']}/links", {"relation": "blocks", "target": two["id"]}).status_code == 422
    back = rest.ana.get(f"/tickets/{two['id']}/links").json()["items"]
    assert back[0]["reverse"] and back[0]["ticket"]["name"] == one["number"]
    assert rest.ana("DELETE", f"/tickets/{one['id']}/links/{made.json()['id']}").status_code == 204
    assert rest.ana.post(f"/tickets/{one['id']}/links", {"relation": "relates_to", "url": "javascript:alert(1)"}).status_code == 422
    merged = rest.ana.post(f"/tickets/{two['id']}/merge", {"into": one["number"]})
    assert merged.status_code == 200 and rest.rita.user_id in merged.json()["watchers"]
    assert rest.ana.get(f"/tickets/{two['id']}").json()["merged_into"]["name"] == one["number"]
    assert rest.ana.user_id in rest.ana("PUT", f"/tickets/{one['id']}/watchers/me").json()["watchers"]
    assert rest.ana("DELETE", f"/tickets/{one['id']}/watchers/me").status_code == 204
