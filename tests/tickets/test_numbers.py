"""Ticket numbers after an import has brought numbers of its own."""

import pytest
from django.db import connection

from pilothouse.tickets import actions
from pilothouse.tickets.history import raise_numbers
from tests.organisation import NOW, set_up


@pytest.mark.django_db
@pytest.mark.parametrize("given_out", [0, 1, 7])
@pytest.mark.parametrize("highest", [1, 5, 988, 5000])
def test_the_next_number_is_past_the_highest(given_out: int, highest: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute("ALTER SEQUENCE ticket_incident_number RESTART")
        for _ in range(given_out):
            cursor.execute("SELECT nextval('ticket_incident_number')")
    raise_numbers({"incident": highest})
    made = actions.open_ticket(actor=set_up().ana, title="VPN", now=NOW)
    assert made.number == f"INC{max(highest, given_out) + 1:07d}"
