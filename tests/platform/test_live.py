"""Live pages: what one open page is told, against a real web process."""

import contextlib
import json
import queue
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
import requests

from pilothouse.platform.access import Actor, Role
from pilothouse.platform.live import STAFF, Audience, for_requesters
from tests import trees
from tests.trees import PASSWORD, Instance, until

_ENTRY = (
    "WITH e AS (INSERT INTO journal_entry (kind, record_id, seq, verb, actor_id, happened_at, recorded_at, changes, note, private, source,"
    " request_id, previous, hash) VALUES (%(kind)s, %(record)s, 1, %(verb)s, 1, now(), now(), '[]', '', %(private)s, 'system', '',"
    " decode(repeat('00', 32), 'hex'), decode(repeat('00', 32), 'hex')) RETURNING id)"
    " SELECT pg_notify('pilothouse', jsonb_build_object('id', id, 'kind', %(kind)s::text, 'record', %(record)s::bigint,"
    " 'verb', %(verb)s::text, 'private', %(private)s::bool)::text), id FROM e"
)


class Stream:
    """One open page: what it is told, in order."""

    def __init__(self, instance: Instance, session: requests.Session, **headers: str) -> None:
        self.answer = session.get(f"{instance.address}/live", headers=headers, stream=True, timeout=30)
        self.line: socket.socket = self.answer.raw.connection.sock
        self.told: queue.Queue[dict[str, Any]] = queue.Queue()
        if self.answer.ok:
            threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        try:
            for line in self.answer.iter_lines():
                if line.startswith(b"data: ") and (event := json.loads(line[6:])).get("kind") != "person":  # sign-ins of other tests
                    self.told.put(event)
        except (requests.RequestException, AttributeError, ValueError):
            pass  # closed by the test or by a killed server

    def next(self, seconds: float = 10) -> dict[str, Any]:
        return self.told.get(timeout=seconds)

    def close(self) -> None:
        """Hang up at once; closing the answer itself would wait for the reader's next heartbeat."""
        with contextlib.suppress(OSError):  # hung up by the server already
            self.line.shutdown(socket.SHUT_RDWR)


def tell(instance: Instance, verb: str, *, kind: str = "service", record: int = 1, private: bool = False) -> int:
    """Write a journal entry as the product does, with the event that it sends."""
    with psycopg.connect(instance.url, autocommit=True) as connection:
        row = connection.execute(_ENTRY, {"kind": kind, "record": record, "verb": verb, "private": private}).fetchone()
    assert row
    return int(row[1])


def signed_in(instance: Instance, who: str) -> requests.Session:
    session = requests.Session()
    page = session.get(f"{instance.address}/sign-in").text
    token = page.split('name="csrfmiddlewaretoken" value="')[1].split('"')[0]
    form = {"email": f"{who}@example.org", "password": PASSWORD, "csrfmiddlewaretoken": token}
    answer = session.post(f"{instance.address}/sign-in", data=form, headers={"Referer": instance.address}, allow_redirects=False)
    assert answer.status_code == 302, answer.text
    return session


pytestmark = [pytest.mark.xdist_group("live"), pytest.mark.timeout(300)]


@pytest.fixture(scope="module")
def desk(seed: Path) -> Iterator[Instance]:
    with trees.throw_away_folder() as folder:
        made = Instance(folder, seed)
        made.up("--workers", "0")
        yield made
        made.stop()


def test_an_event_reaches_an_open_page_within_a_second(desk: Instance) -> None:
    page = Stream(desk, signed_in(desk, "alan"))
    number = tell(desk, "service.changed")
    started = time.monotonic()
    event = page.next()
    assert time.monotonic() - started < 1
    assert (event["id"], event["verb"], event["record"]) == (number, "service.changed", 1)
    page.close()


def test_nobody_listens_without_a_session(desk: Instance) -> None:
    assert Stream(desk, requests.Session()).answer.status_code == 401
    assert requests.post(f"{desk.address}/live", timeout=5).status_code == 405


def test_a_requester_is_told_of_no_one_elses_records_and_staff_of_private_notes(desk: Instance) -> None:
    rita, alan = Stream(desk, signed_in(desk, "rita")), Stream(desk, signed_in(desk, "alan"))
    tell(desk, "service.secret", private=True)
    tell(desk, "service.changed")
    with psycopg.connect(desk.url, autocommit=True) as connection:
        connection.execute("SELECT pg_notify('pilothouse', '{\"kind\": \"gap\"}')")
    assert [alan.next()["verb"], alan.next()["verb"]] == ["service.secret", "service.changed"]
    assert rita.next() == {"kind": "gap"}
    rita.close()
    alan.close()


def test_a_page_that_comes_back_gets_what_it_missed(desk: Instance) -> None:
    session = signed_in(desk, "alan")
    known = tell(desk, "service.known")
    missed = tell(desk, "service.missed")
    page = Stream(desk, session, **{"Last-Event-ID": str(known)})
    told = [page.next()]
    while told[-1]["id"] < missed:
        told.append(page.next())
    assert told[-1]["verb"] == "service.missed"
    page.close()


def test_a_page_whose_person_is_deactivated_is_closed(desk: Instance) -> None:
    session = signed_in(desk, "mona")
    page = Stream(desk, session)
    assert desk.command("user", "deactivate", "mona@example.org").returncode == 0
    until(lambda: not session.get(f"{desk.address}/live", stream=True, timeout=5).ok, of="deactivated")
    assert page.told.empty() or page.next()["kind"] != "service"
    page.close()


def test_pages_go_on_when_the_database_was_away(desk: Instance) -> None:
    page = Stream(desk, signed_in(desk, "alan"))
    killed = desk.kill("database")
    until(lambda: (pid := desk.child("database")) and pid != killed, of="a new database")
    until(lambda: desk.said().count("connection is back"), of="listening again")
    tell(desk, "service.after")
    while page.next()["verb"] != "service.after":
        pass
    page.close()


def test_a_requester_is_not_told_what_the_desk_did() -> None:
    event = {"id": 9, "kind": "ticket", "record": 4, "verb": "ticket.linked", "actor": 7, "private": False}
    assert for_requesters(event, 3) == {"id": 9, "kind": "ticket", "record": 4}
    assert for_requesters(event, 7) == {"id": 9, "kind": "ticket", "record": 4, "actor": 7}
    assert for_requesters({"id": 9, "kind": "ticket", "bulk": 400}, 3) == {"id": 9, "kind": "ticket", "bulk": True}
    assert for_requesters({"kind": "gap"}, 3) == {"kind": "gap"}


def actor(user_id: int, role: Role, hidden: frozenset[int] = frozenset()) -> Actor:
    return Actor(user_id, "", role, hidden_team_ids=hidden)


def test_an_audience_is_owner_staff_and_watching_requesters() -> None:
    ticket = Audience(team_id=5, owner_id=1, watchers=frozenset({2, 3}))
    assert ticket.includes(actor(1, Role.REQUESTER))
    assert ticket.includes(actor(2, Role.REQUESTER))
    assert not ticket.includes(actor(4, Role.REQUESTER))
    assert ticket.includes(actor(4, Role.AGENT))
    assert not ticket.includes(actor(4, Role.AGENT, frozenset({5})))
    assert not ticket.includes(actor(3, Role.AGENT, frozenset({5})))
    assert ticket.includes(actor(1, Role.AGENT, frozenset({5})))
    assert not STAFF.includes(actor(1, Role.REQUESTER))
