"""Profile, API tokens, people and teams, through the site's own addresses."""

import re

from pilothouse.people.models import ApiToken, Membership, User
from pilothouse.people.queries import actor_of_token
from pilothouse.people.testing import NamedPeople
from pilothouse.platform import clock
from pilothouse.platform.access import Capability


def test_a_token_is_shown_once_and_narrowed(people: NamedPeople) -> None:
    alan = people.client("alan")
    answer = alan.post("/profile/tokens", {"name": "night script", "days": "30", "scopes": ["tickets.read"]})
    assert answer.status_code == 201
    assert "no-store" in answer["Cache-Control"]
    secret = re.findall(r"ph_[\w-]{40,}", answer.content.decode())[0]
    actor = actor_of_token(secret, now=clock.now())
    assert actor is not None
    assert actor.can(Capability.READ_TICKETS)
    assert not actor.can(Capability.WORK_TICKETS)
    page = alan.get("/profile").content.decode()
    assert "night script" in page
    assert secret not in page


def test_a_token_carries_no_more_than_the_role(people: NamedPeople) -> None:
    answer = people.client("alan").post("/profile/tokens", {"name": "x", "days": "30", "scopes": ["configure"]})
    assert answer.status_code == 422
    assert not ApiToken.objects.exists()


def test_a_revoked_token_opens_nothing_and_is_nobody_elses_to_revoke(people: NamedPeople) -> None:
    people.client("alan").post("/profile/tokens", {"name": "x", "days": "0"})
    token = ApiToken.objects.get()
    assert people.client("olga").post(f"/profile/tokens/{token.pk}/revoke").status_code == 404
    people.client("alan").post(f"/profile/tokens/{token.pk}/revoke")
    token.refresh_from_db()
    assert token.revoked_at is not None


def test_people_change_their_own_facts_and_no_more(people: NamedPeople) -> None:
    values = {"name": "Rita W.", "title": "Claims", "phone": "", "time_zone": "Europe/Lisbon", "role": "administrator"}
    people.client("rita").post("/profile", values)
    people.rita.refresh_from_db()
    assert (people.rita.name, people.rita.time_zone, people.rita.role) == ("Rita W.", "Europe/Lisbon", "requester")
    answer = people.client("rita").post("/profile", {**values, "time_zone": "Mars/Olympus"})
    assert answer.status_code == 422
    assert "There is no such time zone." in answer.content.decode()


def test_an_administrator_adds_and_changes_a_person(people: NamedPeople) -> None:
    adam = people.client("adam")
    facts = {"name": "Kofi Osei", "email": "kofi@example.org", "role": "agent", "time_zone": "UTC", "is_active": "on"}
    answer = adam.post("/people/new", {**facts, "teams": [people.teams["Network"].pk], "password": "tide and time wait"})
    assert answer.status_code == 302
    kofi = User.objects.get(email="kofi@example.org")
    assert kofi.check_password("tide and time wait")
    assert adam.post(f"/people/{kofi.pk}/edit", {**facts, "role": "manager"}).status_code == 302
    assert User.objects.get(pk=kofi.pk).role == "manager"
    assert "Somebody has this address already" in adam.post("/people/new", facts).content.decode()
    assert (
        "last active administrator" in adam.post(f"/people/{people.adam.pk}/edit", {**facts, "email": "adam@example.org"}).content.decode()
    )


def test_the_list_narrows_and_turns_pages(people: NamedPeople) -> None:
    User.objects.bulk_create(
        User(name=f"Person {n // 2:03}", email=f"p{n}@example.org", created_at=clock.now(), password="!") for n in range(130)
    )
    ana, seen, address = people.client("ana"), [], "/people?q=Person"
    for _ in range(3):
        page = ana.get(address).content.decode()
        seen += re.findall(r'href="/people/(\d+)">Person', page)
        if more := re.search(r'rel="next" href="([^"]+)"', page):
            address = "/people" + more[1].replace("&amp;", "&")
    assert len(seen) == len(set(seen)) == 130
    earlier = re.search(r'rel="prev" href="([^"]+)"', page)
    assert earlier is not None
    before = ana.get("/people" + earlier[1].replace("&amp;", "&")).content.decode()
    assert re.findall(r'href="/people/(\d+)">Person', before) == seen[50:100]
    assert ana.get("/people?page=aWyJ4Il0").status_code == 200, "a cursor written by hand is no fault of ours"
    assert "Nobody is found" in ana.get("/people?q=zzzz").content.decode()


def test_a_lead_sets_members_and_an_agent_does_not(people: NamedPeople) -> None:
    desk = people.teams["Service desk"]
    add = {"do": "add", "email": "olga@example.org"}
    assert people.client("alan").post(f"/teams/{desk.pk}/members", add).status_code == 403
    assert people.client("ana").post(f"/teams/{desk.pk}/members", add).status_code == 302
    assert people.client("ana").post(f"/teams/{desk.pk}/members", {"do": "lead", "user": people.olga.pk}).status_code == 302
    assert Membership.objects.get(team=desk, user=people.olga).is_lead
    people.client("ana").post(f"/teams/{desk.pk}/members", {"do": "remove", "user": people.olga.pk})
    assert not Membership.objects.filter(team=desk, user=people.olga).exists()
    assert people.client("ana").post(f"/teams/{desk.pk}/members", {"do": "add", "email": "no@example.org"}).status_code == 422
