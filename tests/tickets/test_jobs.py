"""The worker's part of tickets."""

import pytest
from procrastinate.contrib.django import app

from pilothouse.platform import clock
from pilothouse.tickets import actions
from pilothouse.tickets.jobs import close_resolved
from pilothouse.tickets.models import Ticket
from tests.organisation import NOW, set_up


@pytest.mark.django_db
def test_what_stayed_resolved_is_closed_and_what_is_newer_is_not() -> None:
    org = set_up()
    made = [actions.open_ticket(actor=org.ana, title="VPN drops", requester=org.rita.user_id, now=NOW) for _ in range(2)]
    moved = {"state": "resolved", "resolution_code": "solved", "resolution_notes": "Restarted it."}
    with clock.at(NOW):
        actions.move_ticket(actor=org.ana, ticket_id=made[0].pk, now=clock.now(), **moved)
        clock.move(days=5)
        actions.move_ticket(actor=org.ana, ticket_id=made[1].pk, now=clock.now(), **moved)
        clock.move(days=3)
        close_resolved(timestamp=0)
    assert list(Ticket.objects.order_by("pk").values_list("state", flat=True)) == ["closed", "resolved"]


def test_periodic_work_is_known_to_the_worker() -> None:
    names = {task.task.name for task in app.periodic_registry.periodic_tasks.values()}
    assert {"platform.prepare_months", "platform.tidy", "tickets.close_resolved"} <= names
