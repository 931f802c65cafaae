"""What is read of problem records beside the tickets that they are."""

from pilothouse.problems.models import Problem
from pilothouse.tickets.models import Ticket


def detail(ticket: Ticket) -> Problem:
    """Return a problem's detail as it was read with its ticket, else read it now; an empty one where the ticket has none."""
    return getattr(ticket, "problem", None) or Problem(ticket=ticket)
