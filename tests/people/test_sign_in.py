"""Sign-in, sign-out and one's own password, through the site's own addresses."""

import re
from datetime import timedelta

import pytest
from django.test import Client

from pilothouse.people.testing import PASSWORD, NamedPeople
from pilothouse.platform import clock, journal


def sign_in(client: Client, email: str = "rita@example.org", password: str = PASSWORD, **more: str):  # type: ignore[no-untyped-def]
    return client.post("/sign-in", {"email": email, "password": password, **more})


def verbs(people: NamedPeople) -> list[str]:
    return [entry.verb for entry in journal.entries_of("person", people.rita.pk)]


def test_the_right_password_opens_a_new_session_and_is_journalled(people: NamedPeople) -> None:
    client = Client()
    client.get("/sign-in")
    session = client.session
    session["before"] = "x"
    session.save()
    key = session.session_key
    client.cookies["sessionid"] = key
    answer = sign_in(client, "RITA@example.org ")
    assert (answer.status_code, answer["Location"]) == (302, "/")
    assert client.session.session_key != key
    assert client.get("/profile").status_code == 200
    assert verbs(people)[-1] == "person.signed_in"


@pytest.mark.parametrize(("email", "password"), [("rita@example.org", "wrong"), ("nobody@example.org", PASSWORD)])
def test_a_wrong_word_does_not_tell_which_was_wrong(people: NamedPeople, email: str, password: str) -> None:
    answer = sign_in(Client(), email, password)
    assert answer.status_code == 422
    assert "The e-mail address or the password is wrong" in answer.content.decode()


def test_a_person_who_may_not_sign_in_does_not(people: NamedPeople) -> None:
    people.rita.is_active = False
    people.rita.save()
    assert sign_in(Client()).status_code == 422


def test_a_failed_try_is_journalled_where_somebody_has_the_address(people: NamedPeople) -> None:
    sign_in(Client(), password="wrong")
    assert verbs(people) == ["person.sign_in_failed"]


def test_the_sixth_try_waits_and_is_told_for_how_long(people: NamedPeople) -> None:
    start = clock.now()
    with clock.at(start):
        for _ in range(5):
            assert sign_in(Client(), password="wrong").status_code == 422
        refused = sign_in(Client())
        assert refused.status_code == 429
        assert 500 < int(refused["Retry-After"]) <= 600
        assert re.search(r"Try again in (9|10) min \d\d s", refused.content.decode())
        assert sign_in(Client(), "alan@example.org").status_code == 302, "another person at the same place is not held up"
    with clock.at(start + timedelta(seconds=601)):
        assert sign_in(Client()).status_code == 302


@pytest.mark.parametrize(
    "target", ["https://evil.example/", "//evil.example", "/\\evil.example", "javascript:alert(1)", "http:evil.example", "\t//evil.example"]
)
def test_next_leads_nowhere_else(people: NamedPeople, target: str) -> None:
    assert sign_in(Client(), next=target)["Location"] == "/"


def test_next_leads_back(people: NamedPeople) -> None:
    assert sign_in(Client(), next="/profile?x=1")["Location"] == "/profile?x=1"


def test_signing_out_ends_the_session_and_is_journalled(people: NamedPeople) -> None:
    client = Client()
    sign_in(client)
    assert client.get("/sign-out").status_code == 200, "asked by its address it only asks"
    assert client.get("/profile").status_code == 200
    client.post("/sign-out")
    assert client.get("/profile").status_code == 302
    assert verbs(people)[-1] == "person.signed_out"


def test_a_sign_in_form_from_elsewhere_is_refused(people: NamedPeople) -> None:
    assert sign_in(Client(enforce_csrf_checks=True)).status_code == 403


def test_a_new_password_ends_the_other_sessions_and_keeps_this_one(people: NamedPeople) -> None:
    here, there = Client(), Client()
    sign_in(here)
    sign_in(there)
    new = "a quite different phrase"
    answer = here.post("/profile/password", {"current": PASSWORD, "password": new, "again": new})
    assert answer.status_code == 302
    assert here.get("/profile").status_code == 200
    assert there.get("/profile").status_code == 302
    assert sign_in(Client()).status_code == 422
    assert sign_in(Client(), password=new).status_code == 302
    assert "person.password_set" in verbs(people)


@pytest.mark.parametrize(
    ("current", "password", "again", "words"),
    [
        ("wrong", "a quite different phrase", "a quite different phrase", "This is not your password."),
        (PASSWORD, "a quite different phrase", "another", "This is not the same password."),
        (PASSWORD, "short", "short", "too short"),
    ],
)
def test_a_password_that_will_not_do(people: NamedPeople, current: str, password: str, again: str, words: str) -> None:
    answer = people.client("rita").post("/profile/password", {"current": current, "password": password, "again": again})
    assert answer.status_code == 422
    assert words in answer.content.decode()
