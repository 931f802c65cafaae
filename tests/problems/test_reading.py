"""The database's tickets as the miner's columns: what each says of a ticket, and what is left out."""

from datetime import timedelta

import numpy as np
import pytest
from django.db import connection

from pilothouse.cmdb import actions as cmdb
from pilothouse.people.testing import NamedPeople
from pilothouse.platform import access
from pilothouse.problems import reading
from pilothouse.problems.reading import Read
from pilothouse.sla.models import Clock
from pilothouse.tickets.actions import assign_ticket, move_ticket, open_ticket
from pilothouse.tickets.models import Ticket
from tests.organisation import NOW
from tests.sla.desk_of_agreements import agreement, target

pytestmark = pytest.mark.django_db
SYSTEM = access.system()


def read() -> Read:
    return reading.read(connection.connection, NOW - timedelta(days=1), NOW + timedelta(days=9))


def test_a_ticket_is_read_with_all_that_is_known_of_it(people: NamedPeople) -> None:
    agreement(people.actor("adam"), "Incidents", target(1))
    network, database = people.teams["Network"].pk, people.teams["Database"].pk
    ci = cmdb.add_ci(actor=SYSTEM, name="srv-1", ci_class="server", attributes={"os": "Debian", "serial": "A1"}, now=NOW)
    other = cmdb.add_ci(actor=SYSTEM, name="srv-2", ci_class="server", attributes={"os": "Debian", "serial": "A2"}, now=NOW)
    cmdb.add_ci(actor=SYSTEM, name="srv-1", ci_class="server", attributes={"os": "Debian", "serial": "A3"}, now=NOW)
    cmdb.relate_cis(actor=SYSTEM, source_id=ci.pk, relation="runs_on", target_id=other.pk, now=NOW)
    made = open_ticket(actor=people.actor("ana"), title="VPN", description="It drops.", ci=ci.pk, group=network, category="Net", now=NOW)
    for group, hours in ((database, 1), (network, 2)):
        assign_ticket(actor=people.actor("ana"), ticket_id=made.pk, group=group, now=NOW + timedelta(hours=hours))
    done = {"state": "resolved", "resolution_code": "solved", "resolution_notes": "Restarted."}
    move_ticket(actor=people.actor("ana"), ticket_id=made.pk, now=NOW + timedelta(hours=3), **done)
    open_ticket(actor=people.actor("ana"), title="Mail", ci=other.pk, group=database, category="Mail", now=NOW + timedelta(hours=4))
    assert Clock.objects.filter(ticket=made.pk, kind="resolution", breached=True).exists()
    found = read()
    tickets = found.tickets
    assert tickets.keys == [made.number, Ticket.objects.latest("pk").number] and found.ids[0] == made.pk
    assert tickets.opened is not None and tickets.ended is not None
    assert tickets.opened[0] == NOW.timestamp() and tickets.ended[0] == (NOW + timedelta(hours=3)).timestamp()
    assert (tickets.titles, tickets.texts, tickets.notes) == (["VPN", "Mail"], ["It drops.", ""], ["Restarted.", ""])
    assert tickets.journeys == [("Network", "Database", "Network"), ("Database",)]
    assert tickets.reassigned is not None and tickets.reassigned.tolist() == [2.0, 0.0]
    assert tickets.breached is not None and tickets.breached[0] == 1.0 and np.isnan(tickets.breached[1])
    assert tickets.effort is None  # working time is not recorded
    assert tickets.facts["category"].names == ("Net", "Mail")
    name = f"srv-1 ({ci.pk})"  # another has the same name
    assert tickets.facts["CI"].names == (name, "srv-2")
    assert found.graph.attributes[name]["os"] == "Debian" and "serial" not in found.graph.attributes[name]
    assert found.graph.pairs == [(name, "srv-2")]


def test_what_imports_kept_beside_is_read_by_the_rules_for_files(people: NamedPeople) -> None:
    for at in range(6):
        open_ticket(actor=people.actor("ana"), title=f"Ticket {at}", now=NOW + timedelta(hours=at))
    for at, ticket in enumerate(Ticket.objects.order_by("pk")):
        extra = {"Work minutes": str(10 * at), "Location": f"Floor {at % 2}", "problem_id": "P1", "note": f"a text of its own {at}"}
        Ticket.objects.filter(pk=ticket.pk).update(extra=extra if at else {})
    tickets = read().tickets
    assert (
        tickets.effort is not None
        and np.isnan(tickets.effort[0])
        and tickets.effort[1:].tolist() == [600.0, 1200.0, 1800.0, 2400.0, 3000.0]
    )
    assert tickets.facts["site"].names == ("Floor 1", "Floor 0") and tickets.facts["site"].codes.tolist() == [-1, 0, 1, 0, 1, 0]
    assert not {"problem_id", "note", "Work minutes"} & set(tickets.facts)


def test_only_incidents_and_requests_of_the_time_are_read(people: NamedPeople) -> None:
    assert len(read().tickets) == 0
    open_ticket(actor=people.actor("ana"), title="Old", now=NOW - timedelta(days=2))
    open_ticket(actor=people.actor("ana"), title="New", kind="request", now=NOW)
    agreement(people.actor("adam"), "Incidents", target(1))
    later = open_ticket(actor=people.actor("ana"), title="Later", group=people.teams["Network"].pk, now=NOW + timedelta(days=9))
    done = {"state": "resolved", "resolution_code": "solved", "resolution_notes": "Restarted."}
    move_ticket(actor=people.actor("ana"), ticket_id=later.pk, now=NOW + timedelta(days=12), **done)
    assert Clock.objects.filter(ticket=later.pk, kind="resolution", breached=True).exists()
    tickets = read().tickets  # which ends before the last of them was opened
    assert tickets.titles == ["New"] and tickets.breached is None
