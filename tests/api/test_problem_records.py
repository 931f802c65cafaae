"""Problem records over HTTP: opened, described, declared a known error, moved, with their evidence."""

from tests.api.conftest import Rest


def test_a_problem_lives_over_rest(rest: Rest) -> None:
    incident = rest.ana.post("/tickets", {"title": "Backup failed"}).json()
    made = rest.ana.post("/problem-records", {"title": "Backups fail", "incidents": [incident["number"]], "weekly_hours": 5})
    assert made.status_code == 201 and made.headers["Location"].endswith(str(made.json()["id"]))
    problem = made.json()
    assert (problem["number"][:3], problem["state"], problem["impact"], problem["urgency"]) == ("PRB", "new", 2, 2)
    path = f"/problem-records/{problem['number']}"
    changes = {"cause": "A leak.", "whys": ["a", "b"], "promised_on": "2031-03-04", "title": "Backups fail at night"}
    assert rest.ana("PATCH", path, json=changes).status_code == 428
    tag = rest.ana.get(path).headers["ETag"]
    changed = rest.ana("PATCH", path, json=changes, headers={"If-Match": tag})
    assert changed.status_code == 200 and changed.json()["promised_on"] == "2031-03-04" and changed.json()["whys"] == ["a", "b"]
    assert changed.json()["title"] == "Backups fail at night"
    assert rest.ana("PATCH", path, json=changes, headers={"If-Match": tag}).status_code == 412
    refused = rest.ana.post(f"{path}/known-error", {"known": True})
    assert refused.status_code == 409 and refused.json()["errors"][0]["field"] == "workaround"
    assert rest.ana.post(f"{path}/known-error", {"known": True, "workaround": "Restart it."}).json()["known_error_at"]
    assert [each["number"] for each in rest.ana.get("/problem-records?show=known").json()["items"]] == [problem["number"]]
    assert rest.ana.post(f"{path}/transition", {"state": "analysis"}).json()["state"] == "analysis"
    wrong = rest.ana.post(f"{path}/transition", {"state": "fixing", "change": "CHG9999999"})
    assert (wrong.status_code, wrong.json()["errors"][0]["field"]) == (422, "change")
    lacking = rest.ana.post(f"{path}/transition", {"state": "resolved"})
    assert {error["field"] for error in lacking.json()["errors"]} == {"resolution_code", "resolution_notes"}
    done = {"state": "resolved", "resolution_code": "other", "resolution_notes": "x", "no_fix_reason": "It went away."}
    assert rest.ana.post(f"{path}/transition", done).json()["state"] == "resolved"
    [evidence] = rest.ana.get(f"{path}/evidence").json()["items"]
    assert evidence["ticket_count"] == 1 and len(evidence["sha256"]) == 64
    assert rest.ana.get(f"/problem-records/{incident['number']}").status_code == 404
    queue = rest.ana.get("/tickets?q=is:known-error kind:problem&fields=number,known_error_at").json()["items"]
    assert [each["number"] for each in queue] == [problem["number"]]


def test_a_wrong_incident_is_told_where_it_stands(rest: Rest) -> None:
    incident = rest.ana.post("/tickets", {"title": "Backup failed"}).json()
    refused = rest.ana.post("/problem-records", {"title": "x", "incidents": [incident["number"], "INC8888888", 8_888_888]})
    assert refused.status_code == 422
    assert [error["field"] for error in refused.json()["errors"]] == ["incidents[1]", "incidents[2]"]
