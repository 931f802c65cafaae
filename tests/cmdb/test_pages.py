"""Services and configuration items, through the site's own addresses."""

import re

import pytest

from pilothouse.cmdb import actions
from pilothouse.cmdb.models import CI, Relationship, Service
from pilothouse.people.testing import NamedPeople
from pilothouse.platform import access, clock
from pilothouse.tickets import actions as tickets

SYSTEM = access.system()


@pytest.fixture
def chain(people: NamedPeople) -> list[CI]:
    """web depends on app, app runs on db; the service is that of the first."""
    service = actions.add_service(actor=SYSTEM, name="Claims", now=clock.now())
    made = [
        actions.add_ci(actor=SYSTEM, name=name, ci_class=kind, now=clock.now(), service_id=service.pk, criticality=1, attributes=attributes)
        for name, kind, attributes in (
            ("web-1", "application", {"vendor": "Acme", "port": 8080}),
            ("app-1", "server", {}),
            ("db-1", "database", {}),
        )
    ]
    actions.relate_cis(actor=SYSTEM, source_id=made[0].pk, relation="depends_on", target_id=made[1].pk, now=clock.now())
    actions.relate_cis(actor=SYSTEM, source_id=made[1].pk, relation="runs_on", target_id=made[2].pk, now=clock.now())
    return made


def test_the_impact_is_told_both_ways_with_counts(people: NamedPeople, chain: list[CI]) -> None:
    bottom = people.client("alan").get(f"/cmdb/cis/{chain[2].pk}").content.decode()
    assert re.search(r"2 CIs of 1 service, 2 vital, up to 2 steps away", bottom)
    assert re.search(
        r"hosts</span>\s*<a href=\"/cmdb/cis/\d+\">app-1.*is needed by</span>\s*<a href=\"/cmdb/cis/\d+\">web-1", bottom, re.DOTALL
    )
    assert "It is not known to need anything." in bottom
    top = people.client("alan").get(f"/cmdb/cis/{chain[0].pk}").content.decode()
    assert "Nothing is known to depend on it." in top
    assert "8080" in top, "an attribute outside the class is shown too"


def test_an_analyst_adds_changes_and_relates(people: NamedPeople) -> None:
    ana = people.client("ana")
    facts = {"name": "srv-9", "ci_class": "server", "criticality": "2", "environment": "production", "status": "in_use"}
    assert ana.post("/cmdb/cis/new", {**facts, "a_os": "Debian", "more": "rack: 4"}).status_code == 302
    ci = CI.objects.get(name="srv-9")
    assert ci.attributes == {"os": "Debian", "rack": "4"}
    assert ana.post(f"/cmdb/cis/{ci.pk}/edit", {**facts, "a_os": "Debian 13", "version": ci.version}).status_code == 302
    stale = ana.post(f"/cmdb/cis/{ci.pk}/edit", {**facts, "name": "srv-10", "version": ci.version})
    assert stale.status_code == 412
    assert "srv-10" in stale.content.decode(), "what was typed stays"
    assert ana.post("/cmdb/cis/new", {**facts, "more": "nonsense"}).status_code == 422
    other = actions.add_ci(actor=SYSTEM, name="vm-1", now=clock.now())
    assert ana.post(f"/cmdb/cis/{ci.pk}/relate", {"relation": "runs_on:up", "target": "VM-1"}).status_code == 302
    made = Relationship.objects.get()
    assert (made.source_id, made.target_id) == (other.pk, ci.pk), "hosts, read upward"
    assert ana.post(f"/cmdb/cis/{ci.pk}/relate", {"relation": "runs_on:up", "target": "vm-1"}).status_code == 422
    assert ana.post(f"/cmdb/relationships/{made.pk}/remove", {"ci": ci.pk}).status_code == 302
    assert not Relationship.objects.exists()


def test_a_whole_number_keeps_its_type_when_other_things_change(people: NamedPeople, chain: list[CI]) -> None:
    facts = {"name": "web-1", "ci_class": "application", "criticality": "1", "environment": "test", "status": "in_use"}
    people.client("ana").post(f"/cmdb/cis/{chain[0].pk}/edit", {**facts, "a_vendor": "Acme", "more": "port: 8080"})
    chain[0].refresh_from_db()
    assert chain[0].attributes == {"vendor": "Acme", "port": 8080}


def test_the_page_shows_tickets_to_whom_may_see_them(people: NamedPeople, chain: list[CI]) -> None:
    mona = people.actor("mona")
    for team in ("Network", "Payroll"):
        tickets.open_ticket(actor=mona, title=f"Slow {team}", ci=chain[0].pk, group=people.teams[team].pk, now=clock.now())
    outsider = people.client("alan").get(f"/cmdb/cis/{chain[0].pk}").content.decode()
    assert "Slow Network" in outsider
    assert "Slow Payroll" not in outsider
    assert "1 open" in outsider
    assert "Slow Payroll" in people.client("audrey").get(f"/cmdb/cis/{chain[0].pk}").content.decode()


def test_the_list_narrows_and_turns_pages(people: NamedPeople) -> None:
    CI.objects.bulk_create(CI(name=f"ws-{n // 3:04}", ci_class="workstation") for n in range(120))
    alan, seen, address = people.client("alan"), [], "/cmdb?class=workstation"
    for _ in range(3):
        page = alan.get(address).content.decode()
        seen += re.findall(r'href="/cmdb/cis/(\d+)"', page)
        if more := re.search(r'rel="next" href="([^"]+)"', page):
            address = "/cmdb" + more[1].replace("&amp;", "&")
    assert len(seen) == len(set(seen)) == 120
    assert "Nothing is found" in alan.get("/cmdb?q=zzz").content.decode()


def test_a_service_is_added_and_changed(people: NamedPeople) -> None:
    ana = people.client("ana")
    facts = {"name": "Payments", "description": "Cards", "criticality": "1", "status": "in_use", "is_offered": "on"}
    assert ana.post("/cmdb/services/new", facts).status_code == 302
    service = Service.objects.get()
    assert ana.post("/cmdb/services/new", facts).status_code == 422
    assert ana.post(f"/cmdb/services/{service.pk}/edit", {**facts, "name": "Paying", "is_offered": ""}).status_code == 302
    service.refresh_from_db()
    assert (service.name, service.is_offered) == ("Paying", False)
    assert "Paying" in people.client("alan").get("/cmdb/services").content.decode()
