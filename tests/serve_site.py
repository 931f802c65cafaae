"""A whole site for browser tests, in a process of its own: its own database, a small organisation, the real ASGI server.

`python -m tests.serve_site` reads the usual environment (DATABASE_URL names a new, migrated database), seeds, prints one line of JSON
({"port": …, "sessions": {person: session key}}) and serves until it is told to stop.
"""

import io
import json
import os
import socket
import sys
from datetime import timedelta

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "pilothouse.platform.settings")

import django

from pilothouse.platform.garbage import without_collecting

with without_collecting():
    django.setup()

from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.auth.hashers import make_password
from django.contrib.sessions.backends.db import SessionStore

from pilothouse.cmdb import actions as cmdb
from pilothouse.cmdb.models import CI, Service
from pilothouse.people.models import Membership, Team, User
from pilothouse.people.queries import actor_of
from pilothouse.people.testing import PASSWORD
from pilothouse.platform import clock
from pilothouse.platform.access import Actor
from pilothouse.tickets import actions
from pilothouse.tickets.models import Ticket
from tests.changes import desk_of_changes as changes
from tests.notifications import told
from tests.problems import candidates_by_hand

PEOPLE = {
    "rita": ("Rita Whitlock", "requester", None),
    "alan": ("Alan Reed", "agent", "Network"),
    "olga": ("Olga Petrov", "agent", "Database"),
    "ana": ("Ana Lystra", "analyst", "Service desk"),
    "mona": ("Mona Kerr", "manager", None),
    "audrey": ("Audrey Holt", "auditor", None),
    "adam": ("Adam Birch", "administrator", None),
}
FORM = [
    {"label": "Which device?", "type": "choice", "required": True, "options": ["Laptop", "Phone", "Tablet"]},
    {"label": "Since when?", "type": "date"},
    {"label": "Are you the only one?", "type": "yesno"},
]
TEAMS = ("Network", "Database", "Service desk", "Workplace")
TITLES = (
    "Claims portal rejects sign-in for all branches",
    "VPN drops every few minutes on macOS 14.2",
    "Policy batch stuck in step 4, month end at risk",
    "Outlook asks for the password again and again",
    "Printer on floor 7 prints blank pages",
    "Shared folder for Treasury is read-only",
)


def seed() -> dict[str, str]:
    """Make the organisation and seventy tickets; returns a session for each person."""
    now = clock.now()
    password = make_password(PASSWORD)
    teams = {name: Team.objects.create(name=name, key=name.lower().replace(" ", "-")) for name in TEAMS}
    people = {}
    for handle, (name, role, team) in PEOPLE.items():
        people[handle] = User.objects.create(name=name, email=f"{handle}@example.org", role=role, created_at=now, password=password)
        if team:
            Membership.objects.create(user=people[handle], team=teams[team], is_lead=handle == "ana")
    service = Service.objects.create(name="Remote access", key="remote-access", owner_team=teams["Network"], request_form=FORM)
    ci = CI.objects.create(name="vpn-gw-01", service=service)
    _around(actor(people["adam"]), ci)
    _tickets(actor(people["ana"]), people, teams, service, ci)
    changes.seed(actor(people["ana"]), teams["Network"].pk, service.pk)
    told.seed()
    candidates_by_hand.seed(list(Ticket.objects.order_by("pk").values_list("pk", flat=True)))
    return {handle: _session(user) for handle, user in people.items()}


def _around(adam: Actor, ci: CI) -> None:
    """What stands on the gateway and what it stands on: eleven CIs in three steps; and a category."""
    now = clock.now()
    server, storage, *branches = (
        cmdb.add_ci(
            actor=adam, now=now, name=name, ci_class=ci_class, criticality=criticality, attributes=attributes, service_id=ci.service_id
        )
        for name, ci_class, criticality, attributes in (
            ("srv-edge-02", "server", 1, {"os": "Debian 13", "ip": "10.4.0.12", "cpu_cores": 8}),
            ("san-01", "storage", 2, {"capacity_tb": 40}),
            *((f"branch-{at:02}", "network", 3, {"location": f"Branch {at}"}) for at in range(1, 10)),
        )
    )
    cmdb.relate_cis(actor=adam, source_id=ci.pk, relation="runs_on", target_id=server.pk, now=now)
    cmdb.relate_cis(actor=adam, source_id=server.pk, relation="stores_on", target_id=storage.pk, now=now)
    for at, branch in enumerate(branches):
        target = ci if at < 4 else branches[at % 4]
        cmdb.relate_cis(actor=adam, source_id=branch.pk, relation="connects_to", target_id=target.pk, now=now)
    actions.add_category(actor=adam, name="Network", now=now)


def actor(user: User) -> Actor:
    """The actor that a person is."""
    found = actor_of(user.pk)
    assert found is not None
    return found


def _tickets(ana: Actor, people: dict[str, User], teams: dict[str, Team], service: Service, ci: CI) -> None:
    """Seventy tickets of Network, opened an hour apart; every third is Alan's; the first one has a rich history."""
    now = clock.now()
    for at in range(70):
        title = TITLES[at % len(TITLES)] + ("" if at < len(TITLES) else f", case {at}")
        opened = now - timedelta(hours=71 - at)
        ticket = actions.open_ticket(
            actor=ana,
            now=opened,
            title=title,
            description="It fails with **error 720** since Friday.\n\n- only on macOS\n\n```\nrasdial: error 720\n```",
            requester=people["rita"].pk,
            service=service.pk,
            ci=ci.pk,
            group=teams["Network"].pk,
            assignee=people["alan"].pk if at % 3 == 0 else None,
            impact=1 + at % 3,
            urgency=1 + at % 2,
            tags=["vpn"],
        )
        if at == 0:
            _history(ana, actor(people["rita"]), ticket, opened)


def _history(ana: Actor, rita: Actor, ticket: Ticket, opened: object) -> None:
    now = clock.now()
    pk = ticket.pk
    actions.comment_on_ticket(actor=rita, ticket_id=pk, text="It worked on Friday, **before** the update.", now=now)
    actions.comment_on_ticket(actor=ana, ticket_id=pk, text="Looks like the client. @alan can you look?", private=True, now=now)
    actions.move_ticket(actor=ana, ticket_id=pk, state="on_hold", hold_reason="vendor", note="Asked the maker.", now=now)
    actions.move_ticket(actor=ana, ticket_id=pk, state="in_progress", now=now)
    actions.attach_file(actor=ana, ticket_id=pk, name="gateway.log", content=io.BytesIO(b"tunnel down\n" * 40), now=now)


def _session(user: User) -> str:
    store = SessionStore()
    store[SESSION_KEY] = str(user.pk)
    store[BACKEND_SESSION_KEY] = "pilothouse.people.backends.EmailBackend"
    store[HASH_SESSION_KEY] = user.get_session_auth_hash()
    store.create()
    assert store.session_key
    return store.session_key


def main() -> None:
    """Seed, say where, serve."""
    sessions = seed()
    with without_collecting():
        from pilothouse.asgi import serve  # the server's modules are heavy, and the seed does not need them

    listening = socket.socket()
    listening.bind(("127.0.0.1", 0))
    listening.listen(128)
    sys.stdout.write(json.dumps({"port": listening.getsockname()[1], "sessions": sessions}) + "\n")
    sys.stdout.flush()
    serve(listening)


if __name__ == "__main__":
    main()
