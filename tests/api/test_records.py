"""People, teams, services, CIs, views, the matrix and the journal over REST."""

from tests.api.conftest import Rest


def test_people_and_teams_are_read_by_page_and_by_name(rest: Rest) -> None:
    first = rest.alan.get("/people", params={"limit": 3}).json()
    second = rest.alan.get("/people", params={"limit": 200, "cursor": first["next_cursor"]}).json()
    names = [person["name"] for person in first["items"] + second["items"]]
    assert names == sorted(names) and len(set(names)) == len(names) >= 7
    assert "password" not in first["items"][0]
    assert rest.alan.get("/people/ANA@example.org", params={"fields": "name"}).json() == {"id": rest.ana.user_id, "name": "Ana Lystra"}
    team = rest.alan.get("/teams/network").json()
    assert team["members"] == [{"id": rest.alan.user_id, "name": "Alan Reed", "is_lead": False}]
    other = rest.alan.get("/teams", params={"cursor": first["next_cursor"]})
    assert other.status_code == 422  # a cursor of another list


def test_the_cmdb_is_kept_and_walked(rest: Rest) -> None:
    service = rest.ana.post("/services", {"name": "Mail", "owner_team": "network"})
    assert service.status_code == 201 and service.json()["key"] == "mail"
    made = [rest.ana.post("/cis", {"name": f"srv-{n}", "ci_class": "server", "service": "mail"}) for n in range(3)]
    ids = [each.json()["id"] for each in made]
    for source, target in ((0, 1), (1, 2)):
        assert rest.ana.post(f"/cis/{ids[source]}/relationships", {"relation": "depends_on", "target": ids[target]}).status_code == 201
    up = rest.alan.get(f"/cis/{ids[2]}/impact").json()["items"]
    assert [(step["ci"]["id"], step["depth"]) for step in up] == [(ids[1], 1), (ids[0], 2)]
    assert rest.alan.post("/cis", {"name": "x"}).status_code == 403
    path, tag = f"/cis/{ids[0]}", made[0].headers["ETag"]
    assert rest.ana("PATCH", path, json={"status": "retired"}, headers={"If-Match": tag}).json()["version"] == 2
    stale = rest.ana("PATCH", path, json={"status": "planned"}, headers={"If-Match": tag})
    assert stale.status_code == 412 and stale.json()["current"] == {"status": "retired"}
    relation = rest.ana.get(f"{path}/relationships").json()["items"][0]
    assert rest.ana("DELETE", f"{path}/relationships/{relation['id']}").status_code == 204
    verbs = [entry["verb"] for entry in rest.alan.get(f"/journal/ci/{ids[0]}").json()["items"]]
    assert verbs == ["ci.added", "ci.related", "ci.changed", "ci.unrelated"]


def test_views_and_the_matrix(rest: Rest) -> None:
    made = rest.alan.post("/views", {"name": "Mine", "query": "is:mine"})
    assert made.status_code == 201
    assert "Mine" in [view["name"] for view in rest.alan.get("/views").json()["items"]]
    assert "Mine" not in [view["name"] for view in rest.olga.get("/views").json()["items"]]
    assert rest.olga("DELETE", f"/views/{made.json()['id']}").status_code == 404
    assert rest.alan("DELETE", f"/views/{made.json()['id']}").status_code == 204
    assert rest.alan.post("/views", {"name": "x", "query": "grop:x"}).json()["errors"][0]["field"] == "query"
    cell = {"impact": 3, "urgency": 3, "priority": 4}
    assert rest.ana("PUT", "/priority-matrix", json={"cells": [cell]}).status_code == 403
    assert cell in rest.adam("PUT", "/priority-matrix", json={"cells": [cell]}).json()["cells"]
    assert rest.ana.ticket()["priority"] == 4
    rest.adam("PUT", "/priority-matrix", json={"cells": [{**cell, "priority": 5}]})


def test_the_whole_journal_is_for_those_who_oversee(rest: Rest) -> None:
    rest.ana.ticket()
    assert rest.alan.get("/journal").status_code == 403
    page = rest.audrey.get("/journal", params={"limit": 5}).json()
    assert [entry["id"] for entry in page["items"]] == sorted((entry["id"] for entry in page["items"]), reverse=True)
    older = rest.audrey.get("/journal", params={"limit": 5, "cursor": page["next_cursor"]}).json()["items"]
    assert older[0]["id"] < page["items"][-1]["id"]
    assert rest.audrey.get("/journal", params={"kind": "person"}).json()["items"]
    assert rest.mona.get("/journal", params={"kind": "person"}).json()["items"] == []
    assert rest.alan.get(f"/journal/person/{rest.ana.user_id}").status_code == 404
    assert rest.alan.get(f"/journal/person/{rest.alan.user_id}").status_code == 200


def test_a_tickets_journal_hides_notes_from_its_requester(rest: Rest) -> None:
    ticket = rest.rita.ticket()
    rest.ana.post(f"/tickets/{ticket['id']}/comments", {"text": "between us", "private": True})
    assert [e["verb"] for e in rest.rita.get(f"/tickets/{ticket['id']}/journal").json()["items"]] == ["ticket.opened"]
    assert [e["verb"] for e in rest.ana.get(f"/journal/ticket/{ticket['number']}").json()["items"]] == ["ticket.opened", "ticket.noted"]
