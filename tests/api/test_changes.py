"""Changes over REST: opening with names, planning from a version, moving under the guards, listing."""

from tests.api.conftest import Rest

PLAN = {"planned_start_at": "2031-03-04T20:00:00Z", "planned_end_at": "2031-03-04T22:00:00Z"}


def test_a_change_is_opened_planned_and_led_to_its_outcome(rest: Rest) -> None:
    cis = [rest.ana.post("/cis", {"name": name}).json() for name in ("rest-srv-1", "rest-srv-2")]
    made = rest.ana.post("/changes", {"title": "Patch", "group": "network", "cis": ["rest-srv-1", cis[1]["id"]], "risk": "low", **PLAN})
    assert made.status_code == 201, made.text
    change = made.json()
    assert change["number"].startswith("CHG") and change["state"] == "new" and change["type"] == "normal"
    assert [each["name"] for each in change["cis"]] == ["rest-srv-1", "rest-srv-2"] and change["group"]["name"] == "Network"
    assert made.headers["Location"] == f"/api/v1/changes/{change['id']}"
    assert rest.alan.get(f"/changes/{change['number'].lower()}").json() == change
    path = f"/changes/{change['id']}"
    refused = rest.alan.post(f"{path}/transition", {"state": "scheduled"})
    assert refused.status_code == 409
    assert [(error["field"], error["message"]) for error in refused.json()["errors"]] == [
        ("rollback_plan", "A change without a rollback plan is sent back.")
    ]
    assert rest.alan("PATCH", path, json={"rollback_plan": "x"}).status_code == 428
    tag = made.headers["ETag"]
    planned = rest.alan("PATCH", path, json={"rollback_plan": "Put it back.", "title": "Patch both"}, headers={"If-Match": tag})
    assert planned.status_code == 200 and planned.json()["title"] == "Patch both" and planned.json()["version"] > change["version"]
    stale = rest.ana("PATCH", path, json={"risk": "high"}, headers={"If-Match": tag})
    assert stale.status_code == 412 and "risk" in stale.text
    for state, more in (("scheduled", {}), ("in_progress", {}), ("closed", {"outcome": "backed_out", "note": "Smoke test failed."})):
        moved = rest.alan.post(f"{path}/transition", {"state": state, **more})
        assert (moved.status_code, moved.json().get("state")) == (200, state), moved.text
    done = moved.json()
    assert done["outcome"] == "backed_out" and done["actual_start_at"] <= done["actual_end_at"] and done["closed_at"]
    verbs = [entry["verb"] for entry in rest.ana.get(f"/tickets/{change['id']}/journal").json()["items"]]
    assert "change.begun" in verbs and "change.ended" in verbs
    found = rest.audrey.get("/changes", params={"ci": cis[1]["id"], "fields": "number,outcome"}).json()
    assert found["items"] == [{"id": change["id"], "number": change["number"], "outcome": "backed_out"}]


def test_what_is_wrong_is_told_field_by_field(rest: Rest) -> None:
    wrong = rest.ana.post("/changes", {"title": "x", "cis": ["no-such-ci"], **PLAN})
    assert (wrong.status_code, wrong.json()["errors"][0]["field"]) == (422, "cis[0]")
    wrong = rest.ana.post("/changes", {"title": "x", "type": "urgent", "planned_start_at": PLAN["planned_end_at"]})
    assert (wrong.status_code, wrong.json()["errors"][0]["field"]) == (422, "type")
    backwards = {"planned_start_at": PLAN["planned_end_at"], "planned_end_at": PLAN["planned_start_at"]}
    wrong = rest.ana.post("/changes", {"title": "x", **backwards})
    assert "before the planned start" in wrong.json()["errors"][0]["message"]
    assert rest.ana.get("/changes?state=resolved").status_code == 422
    assert rest.ana.get(f"/changes/{rest.ana.ticket()['number']}").status_code == 404


def test_pages_follow_each_other_and_restricted_changes_stay_hidden(rest: Rest) -> None:
    made = [rest.mona.post("/changes", {"title": f"zebra {at}", "group": "payroll" if at == 2 else "network"}).json() for at in range(5)]
    first = rest.mona.get("/changes?q=zebra&limit=3").json()
    second = rest.mona.get("/changes", params={"q": "zebra", "limit": 3, "cursor": first["next_cursor"]}).json()
    assert [each["id"] for each in first["items"] + second["items"]] == [each["id"] for each in reversed(made)]
    assert len(rest.olga.get("/changes?q=zebra").json()["items"]) == 4
    assert rest.olga.get(f"/changes/{made[2]['number']}").status_code == 404
    assert rest.rita.get("/changes").status_code == 403
