"""The walk behind the access matrix: every address of the site, a small world to visit, and each named person's browser.

Every request runs inside a savepoint that is rolled back, so that each meets the same world.
"""

import io
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from http.cookies import SimpleCookie
from typing import Any

from django.db import connection, transaction
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from pilothouse.changes import actions as changes
from pilothouse.cmdb import actions as cmdb
from pilothouse.cmdb.models import Relationship
from pilothouse.notifications import actions as notifications
from pilothouse.notifications.models import Delivery
from pilothouse.people import actions as people_actions
from pilothouse.people.testing import NamedPeople
from pilothouse.platform import access, clock
from pilothouse.platform.models import JournalEntry
from pilothouse.problems import actions as problems
from pilothouse.problems.models import Candidate, Match
from pilothouse.sla.actions import agreements, schedules
from pilothouse.tickets import actions
from pilothouse.tickets.models import Link, Ticket

PEOPLE = ("anonymous", "rita", "alan", "olga", "ana", "mona", "audrey", "adam")
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
_ARGUMENT = re.compile(r"<(?:\w+:)?(\w+)>")
_NOW = clock.now


def addresses() -> list[str]:
    """Return every address pattern that the resolver knows, each once."""
    return sorted(set(_walk(get_resolver())))


def _walk(resolver: URLResolver, before: str = "") -> Iterator[str]:
    for each in resolver.url_patterns:
        if isinstance(each, URLPattern):
            yield before + str(each.pattern)
        else:
            yield from _walk(each, before + str(each.pattern))


@dataclass(frozen=True)
class World:
    """What the addresses' arguments stand for: in the open, and of the restricted team."""

    people: NamedPeople
    arguments: dict[str, dict[str, Any]]

    def path(self, pattern: str, case: str) -> str:
        """Fill a pattern's arguments: those of its kind of address, else of the case, else the common ones."""
        given = {**self.arguments["common"], **self.arguments[case]}
        for part, arguments in self.arguments.items():
            if part.endswith("/") and part in pattern.removeprefix("api/v1/"):
                given |= arguments
        if "attachments/<number>" in pattern:
            given["number"] = given["attachment_id"]
        if "links/<number>" in pattern:
            given["number"] = given["link_id"]
        return "/" + _ARGUMENT.sub(lambda found: str(given[found[1]]), pattern.strip("^$").replace("(?:/.*)?", "/nowhere"))


def make_world(people: NamedPeople) -> World:
    """Raise Rita's ticket in Network, one of the restricted team Payroll, and what hangs on them."""
    ana, adam, system = people.actor("ana"), people.actor("adam"), access.system()
    network = people.teams["Network"].pk
    service = cmdb.add_service(actor=system, name="Remote access", now=_NOW())
    ci, other = (cmdb.add_ci(actor=system, name=name, now=_NOW(), service_id=service.pk) for name in ("vpn-1", "vpn-2"))
    cmdb.relate_cis(actor=system, source_id=ci.pk, relation="uses", target_id=other.pk, now=_NOW())
    rita, alan = people.rita.pk, people.alan.pk
    open_one = actions.open_ticket(actor=ana, title="VPN", requester=rita, group=network, assignee=alan, ci=ci.pk, now=_NOW())
    hidden = actions.open_ticket(actor=adam, title="Pay", group=people.teams["Payroll"].pk, requester=people.adam.pk, now=_NOW())
    target = actions.open_ticket(actor=ana, title="VPN again", group=network, now=_NOW())
    closed = actions.open_ticket(actor=ana, title="Old VPN", requester=rita, group=network, now=_NOW())
    actions.move_ticket(actor=ana, ticket_id=closed.pk, state="cancelled", note="x", now=_NOW())
    actions.link_ticket(actor=ana, ticket_id=open_one.pk, relation="relates_to", target=target.pk, now=_NOW())
    file = actions.attach_file(actor=ana, ticket_id=open_one.pk, name="a.txt", content=io.BytesIO(b"x"), now=_NOW())
    kept = actions.attach_file(actor=adam, ticket_id=hidden.pk, name="a.txt", content=io.BytesIO(b"x"), now=_NOW())
    change = changes.open_change(actor=ana, title="Update", group=network, assignee=alan, now=_NOW())
    problem = problems.open_problem(actor=ana, title="VPN", group=network, assignee=alan, now=_NOW())
    match = Match.objects.create(ticket=open_one, problem=problem, score=1, reason="shares “vpn”", found_at=_NOW())
    at = {"first_found_at": _NOW(), "last_found_at": _NOW()}
    candidate = Candidate.objects.create(rank=1, title="VPN", found={"title": "VPN", "cost": {}}, ticket_count=1, **at)
    view = actions.save_view(actor=adam, name="All", query="is:open", scope="default", now=_NOW())
    token = people_actions.issue_token(actor=ana, name="x", now=_NOW()).token
    category = actions.add_category(actor=adam, name="Network", now=_NOW())
    [told] = notifications.notify_people(actor=system, people=[rita], kind="probe", subject="Due", path="/portal", now=_NOW())
    webhook, _ = notifications.add_webhook(actor=system, name="Desk", kind="slack", url="https://hooks.example.org/x", now=_NOW())
    Delivery.objects.filter(notification_id=told).update(state=Delivery.State.FAILED, ended_at=_NOW())
    office = schedules.add_schedule(actor=adam, name="Office", definition={"zone": "UTC", "week": {"mon": "08:00-17:00"}}, now=_NOW())
    schedules.use_schedule(actor=adam, schedule_id=office.pk, kind="site", site="Porto", now=_NOW())
    promise = {"targets": [{"kind": "resolution", "durations": {"1": {"seconds": 14400}}}]}
    agreement = agreements.add_agreement(actor=adam, name="Gold", definition=promise, now=_NOW())
    agreements.add_agreement(actor=adam, name="Silver", definition=promise, now=_NOW())
    common = {
        "schedule_id": office.pk,
        "agreement_id": agreement.pk,
        "asked_id": 1,  # nobody has asked: who may ask is told so
        "notification_id": told,
        "webhook_id": webhook.pk,
        "delivery_id": Delivery.objects.get().pk,
        **_of_ticket(open_one, file.pk),
        "link_id": Link.objects.get().pk,
        "service_id": service.pk,
        "ci_id": ci.pk,
        "relationship_id": Relationship.objects.get().pk,
        "relationship": Relationship.objects.get().pk,
        "user_id": people.rita.pk,
        "who": people.rita.pk,
        "team_id": network,
        "view_id": view.id,
        "token_id": token.pk,
        "category_id": category.pk,
        "candidate_id": candidate.pk,
        "match_id": match.pk,
        "review_id": 1,  # there is none
        "escalation_id": 1,  # nor here
        "run_id": 1,  # there is none: who may look is told so
        "kind": "csv",
        "target": target.number,
        "other_ci": other.pk,
    }
    by_folder = {
        "people/": {"number": people.rita.pk},
        "teams/": {"number": network},
        "services/": {"number": service.pk},
        "cis/": {"number": ci.pk},
        "candidates/": {"number": candidate.pk},
        "changes/": {"number": change.number, "reference": change.number},
        "problems/": {"number": problem.number},
        "problem-records/": {"reference": problem.number},
        "views/": {"number": view.id},
        "journal/": {"kind": "ticket"},
        "notifications/": {"number": told},
    }
    cases = {"": {}, "restricted": _of_ticket(hidden, kept.pk), "closed": {**_of_ticket(closed, file.pk)}}
    return World(people, {"common": common, **by_folder, **cases})


def _of_ticket(ticket: Ticket, attachment: int) -> dict[str, Any]:
    return {"number": ticket.number, "reference": ticket.number, "ticket_id": ticket.pk, "attachment_id": attachment}


def _last_entry() -> int:
    """Every number given out up to now is at most this one."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT last_value FROM journal_entry_id_seq")
        return int(cursor.fetchone()[0])


class Visitor:
    """A named person's browser; what a request changes is rolled back, the session it held included."""

    def __init__(self, people: NamedPeople, who: str) -> None:
        self.client = Client()
        if who != "anonymous":
            self.client.force_login(people.users[who])
        self.client.raise_request_exception = False
        self.cookies = self.client.cookies.output()

    def ask(self, method: str, path: str, body: Any) -> tuple[int, list[str]]:
        """Request a page or endpoint; returns the status and the verbs of the journal entries that it would have left."""
        self.client.cookies = SimpleCookie(self.cookies.replace("Set-Cookie: ", ""))
        last = _last_entry()
        with transaction.atomic():
            status = self._send(method, path, body)
            verbs = list(JournalEntry.objects.filter(id__gt=last).values_list("verb", flat=True))
            transaction.set_rollback(True)
        return status, verbs

    def _send(self, method: str, path: str, body: Any) -> int:
        if method == "GET":
            answer = self.client.get(path)
        elif path.startswith("/api/") and "file" not in body:
            answer = self.client.generic(
                method, path, json.dumps(body).encode(), content_type="application/json", headers={"If-Match": "*"}
            )
        else:
            answer = self.client.generic(method, path) if method != "POST" else self.client.post(path, body)
        if answer.streaming:
            list(answer.streaming_content)
        return int(answer.status_code)


@dataclass(frozen=True)
class Line:
    """One line of the matrix; `case` chooses another record for the address's arguments."""

    method: str
    pattern: str
    case: str
    expected: dict[str, int]


def read_table(table: str) -> list[Line]:
    """Read the matrix: method, address, an optional ~case, and a status for each person in the order of PEOPLE."""
    return [_line(text) for text in table.splitlines() if text.strip() and not text.lstrip().startswith("#")]


def _line(text: str) -> Line:
    words = text.split()
    statuses = [int(word) for word in words[-len(PEOPLE) :]]
    method, *place = words[: -len(PEOPLE)]
    case = place.pop().removeprefix("~") if place and place[-1].startswith("~") else ""
    pattern = place[0] if place else ""
    return Line(method, "" if pattern == "/" else pattern, case, dict(zip(PEOPLE, statuses, strict=True)))
