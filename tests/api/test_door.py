"""The door of REST: tokens and sessions, keys that make a POST safe to repeat, limits, hostile input, problems."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import requests
from django.db import connection
from playwright.sync_api import Browser

from pilothouse.api.limits import Limit
from pilothouse.platform.rest import TooManyRequests
from tests.api.conftest import Client, Rest

PROBLEM = "application/problem+json"


def test_nobody_comes_in_without_a_good_token(rest: Rest) -> None:
    for headers in ({}, {"Authorization": "Bearer nonsense"}, {"Authorization": "Basic YTpi"}, {"Authorization": "Bearer \u00e9"}):
        answer = rest.stranger.get("/tickets", headers={name: value.encode("latin-1") for name, value in headers.items()})
        assert answer.status_code == 401 and answer.headers["Content-Type"] == PROBLEM and "Bearer" in answer.headers["WWW-Authenticate"]
    me = rest.alan.get("/me").json()
    assert me["email"] == "alan@example.org" and [team["name"] for team in me["teams"]] == ["Network"]


def test_a_session_reads_and_writes_only_with_its_csrf_token(rest: Rest) -> None:
    browser = requests.Session()
    browser.cookies.set("sessionid", rest.sessions["alan"])
    url = f"{rest.url}/api/v1/tickets"
    assert browser.get(url).status_code == 200
    refused = browser.post(url, json={"title": "x"})
    assert refused.status_code == 403 and refused.headers["Content-Type"] == PROBLEM
    browser.get(f"{rest.url}/api/v1/docs")
    token = browser.cookies["csrftoken"]
    made = browser.post(url, json={"title": "x"}, headers={"X-CSRFToken": token, "Referer": rest.url})
    assert made.status_code == 201


def test_a_narrow_token_does_only_what_its_scope_says(rest: Rest) -> None:
    assert rest.rita.get("/people").status_code == 403
    assert rest.rita.get(f"/people/{rest.alan.user_id}").status_code == 404
    assert rest.rita.get(f"/people/{rest.rita.user_id}").status_code == 200
    assert rest.rita.get("/cis").status_code == 403
    assert rest.rita.get("/journal").status_code == 403


def test_a_key_makes_a_post_safe_to_repeat(rest: Rest) -> None:
    body, headers = {"title": "once", "tags": ["idem-1"]}, {"Idempotency-Key": "k-1"}
    first = rest.ana.post("/tickets", body, headers=headers)
    again = rest.ana.post("/tickets", body, headers=headers)
    assert (first.status_code, first.content) == (again.status_code, again.content)
    assert again.headers["Idempotency-Replayed"] == "true" and again.headers["Location"] == first.headers["Location"]
    assert again.headers["ETag"] == first.headers["ETag"]
    other = rest.ana.post("/tickets", {"title": "another"}, headers=headers)
    assert other.status_code == 422 and other.json()["type"].endswith("#idempotency-mismatch")
    assert rest.mona.post("/tickets", body, headers=headers).json()["id"] != first.json()["id"]  # keys are one's own
    assert rest.rows("SELECT count(*) FROM tickets_ticket WHERE tags @> ARRAY['idem-1']::varchar[]")[0][0] == 2
    assert rest.ana.post("/tickets", body, headers={"Idempotency-Key": "x" * 256}).status_code == 400


def test_a_refusal_is_not_kept_under_its_key(rest: Rest) -> None:
    headers = {"Idempotency-Key": "k-refused"}
    assert rest.ana.post("/tickets", {"title": "x", "ci": 999_999}, headers=headers).status_code == 422
    assert rest.ana.post("/tickets", {"title": "x"}, headers=headers).status_code == 201


def test_an_attachment_may_be_sent_again_under_its_key(rest: Rest) -> None:
    path = f"/tickets/{rest.ana.ticket()['id']}/attachments"
    made = [rest.ana.post(path, files={"file": ("a.log", b"x\n")}, headers={"Idempotency-Key": "k-file"}).json() for _ in range(2)]
    assert made[0] == made[1] and len(rest.ana.get(path).json()["items"]) == 1


def test_many_at_once_with_one_key_do_it_once(rest: Rest) -> None:
    start = threading.Barrier(8)

    def send(_: int) -> requests.Response:
        own = Client(rest.url, rest.ana.token, rest.ana.user_id)
        start.wait()
        return own.post("/tickets", {"title": "race", "tags": ["idem-race"]}, headers={"Idempotency-Key": "k-race"})

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(send, range(8)))
    assert {answer.status_code for answer in answers} == {201} and len({answer.content for answer in answers}) == 1
    assert rest.rows("SELECT count(*) FROM tickets_ticket WHERE tags @> ARRAY['idem-race']::varchar[]")[0][0] == 1
    assert rest.rows("SELECT count(*) FROM journal_entry WHERE record_id = %s AND kind = 'ticket'", answers[0].json()["id"])[0][0] == 1


HOSTILE: list[dict[str, Any]] = [
    {"data": b'{"title": "a\\u0000b"}'},
    {"data": b'{"title": "x", "extra": {"a\\u0000": 1}}'},
    {"data": b'{"title": "\xff\xfe"}'},
    {"data": b'{"title": "\\ud800"}'},
    {"data": b"[" * 100_000},
    {"data": b'{"title": "x", "extra": ' + b'{"a":' * 900 + b"1" + b"}" * 900 + b"}"},
    {"data": b'{"title": "x", "requester": 99999999999999999999999999}'},
    {"data": b'{"title": "x", "requester": 1e400}'},
    {"data": b'{"title": "x", "requester": -1}'},
    {"data": b'{"title": "x", "group": true}'},
    {"data": b'{"title": "x", "tags": ["\\u0000"]}'},
    {"data": b'{"title": "x", "watchers": [9223372036854775807]}'},
    {"data": b'{"title": ["x"]}'},
    {"data": b'{"title": "x", "nonsense": 1}'},
    {"data": b"null"},
    {"data": b'"x"'},
    {"data": b""},
    {"data": b"NaN"},
    {"data": b'{"title": "' + b"x" * 300 + b'"}'},
    {"data": b'{"title": "x", "group": "\' OR 1=1 --"}'},
]


@pytest.mark.parametrize("sent", HOSTILE, ids=[str(each["data"][:40]) for each in HOSTILE])
def test_hostile_bodies_are_refused_as_problems(rest: Rest, sent: dict[str, Any]) -> None:
    answer = rest.ana.post("/tickets", **sent, headers={"Content-Type": "application/json"})
    assert answer.status_code in (400, 422), (answer.status_code, answer.text)
    assert answer.headers["Content-Type"] == PROBLEM and answer.json()["request_id"]


@pytest.mark.parametrize(
    "path",
    [
        "/tickets?q=%00",
        "/tickets?cursor=%00",
        "/tickets?fields=%00",
        "/tickets?limit=99999999999999999999",
        "/tickets?q=%ff%fe",
        "/tickets/%00",
        "/tickets/99999999999999999999999",
        "/tickets/%ff",
        "/tickets/INC%2F1",
        "/people?text=%00",
        "/people/%00@",
        "/people?cursor=abc",
        "/teams/%00",
        "/cis?text=%00&ci_class=%00",
        "/cis/0",
        "/cis/1/impact?depth=0",
        "/services/%00",
        "/journal?kind=%00",
        "/journal?since=9999-12-31T23:59:59-14:00",
        "/journal?since=x",
        "/journal/nonsense/1",
        "/journal/person/99999999999999999999",
        "/nothing",
    ],
)
def test_hostile_addresses_never_break_the_server(rest: Rest, path: str) -> None:
    answer = rest.adam.get(path)
    assert answer.status_code < 500, answer.text
    if answer.status_code >= 400:
        assert answer.headers["Content-Type"] == PROBLEM


def test_methods_and_sizes_are_told_as_problems(rest: Rest) -> None:
    answer = rest.ana("DELETE", "/tickets")
    assert answer.status_code == 405 and answer.headers["Content-Type"] == PROBLEM and "POST" in answer.headers["Allow"]
    large = rest.ana.post("/tickets", data=b'{"title": "' + b"x" * 13 * 1024 * 1024 + b'"}', headers={"Content-Type": "application/json"})
    assert large.status_code == 413 and large.headers["Content-Type"] == PROBLEM
    path = f"/tickets/{rest.ana.ticket()['id']}/attachments"
    assert rest.ana.post(path, files={"file": ("a.log", b"x\n" * 13_500_000)}).status_code == 413
    broken = rest.ana.post(path, data=b"--x", headers={"Content-Type": "multipart/form-data; boundary=x"})
    assert broken.status_code in (400, 422) and broken.headers["Content-Type"] == PROBLEM


@pytest.mark.django_db
def test_a_limit_holds_across_processes_and_opens_again() -> None:
    first, second = Limit(5), Limit(5)  # two processes share the table, not their memory
    at = datetime(2026, 3, 2, 9, 0, 30, tzinfo=UTC)
    for number in range(5):
        (first if number % 2 else second).take("person:1", at)
    for limit in (first, second):
        with pytest.raises(TooManyRequests) as refused:
            limit.take("person:1", at)
        assert refused.value.retry_after_seconds == 31
    first.take("person:2", at)
    first.take("person:1", at + timedelta(minutes=1))
    with pytest.raises(TooManyRequests):  # a process whose clock is behind does not open the old window again
        for _ in range(5):
            second.take("person:1", at)


@pytest.mark.django_db
def test_permits_taken_by_the_portion_never_pass_the_limit() -> None:
    processes = [Limit(4000), Limit(4000), Limit(4000)]
    at, passed = datetime(2026, 3, 2, 9, 0, tzinfo=UTC), 0
    for number in range(6000):
        try:
            processes[number % 3].take("person:1", at)
            passed += 1
        except TooManyRequests:
            pass
    assert 4000 - 3 * 4 <= passed <= 4000
    with connection.cursor() as cursor:
        cursor.execute("SELECT relpersistence FROM pg_class WHERE relname = 'rate_window'")
        assert cursor.fetchone()[0] == "u"


def test_guessing_tokens_gets_slow(rest: Rest) -> None:
    answers = [rest.stranger.get("/me", headers={"Authorization": f"Bearer guess-{number}"}) for number in range(70)]
    late = answers[-1]
    assert late.status_code == 429 and 0 < int(late.headers["Retry-After"]) <= 61 and late.headers["Content-Type"] == PROBLEM
    assert rest.ana.get("/me").status_code == 200  # a good token from the same place is not held back


def test_the_documentation_page_works_under_the_strict_policy(rest: Rest, chromium: Browser) -> None:
    context = chromium.new_context()
    context.add_cookies([{"name": "sessionid", "value": rest.sessions["ana"], "url": rest.url}])
    page, faults, outside = context.new_page(), [], []
    page.on("console", lambda message: faults.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("request", lambda sent: outside.append(sent.url) if not sent.url.startswith((rest.url, "data:", "blob:")) else None)
    answer = page.goto(f"{rest.url}/api/v1/docs")
    assert answer is not None and "script-src" not in answer.headers["content-security-policy"]  # default-src 'self' alone
    page.get_by_text("Open a ticket").first.wait_for()
    assert not faults and not outside, (faults, outside)
    schema = rest.stranger.get("/openapi.json").json()
    assert schema["openapi"].startswith("3.1") and "/api/v1/tickets/{reference}/transition" in schema["paths"]
    context.close()
