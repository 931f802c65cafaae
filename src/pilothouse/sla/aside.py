"""What a worker puts aside: tickets whose step fails, tried again after pauses that grow, so that they hold up no others.

Each process remembers for itself, and forgets when it ends: then it tries once more. Nothing depends on it but the pace.
"""

import logging
from datetime import datetime, timedelta

import psycopg
from django.db.utils import InterfaceError, OperationalError

LOST = (psycopg.OperationalError, OperationalError, InterfaceError, OSError)  # no ticket's fault: the loop tries again
_PAUSE = timedelta(seconds=30)
_LONGEST = timedelta(hours=1)
_log = logging.getLogger(__name__)


class Aside:
    """The tickets put aside by one kind of work, how often each has failed, and until when it is left alone."""

    def __init__(self, what: str) -> None:
        self.what, self.faults = what, dict[int, tuple[int, datetime]]()

    def at(self, now: datetime) -> list[int]:
        """Return the tickets that are left alone at an instant."""
        return [ticket for ticket, (_, until) in self.faults.items() if until > now]

    def put(self, ticket: int, now: datetime) -> None:
        """Put a ticket aside for half a minute, twice as long each time, up to an hour; tells the log, with the exception at hand."""
        failures = self.faults.get(ticket, (0, now))[0] + 1
        until = now + min(_PAUSE * 2 ** min(failures - 1, 10), _LONGEST)
        self.faults[ticket] = (failures, until)
        _log.exception("%s of ticket %s failed (attempt %s); it is put aside until %s.", self.what, ticket, failures, until)

    def tell(self, fault: Exception, count: int) -> None:
        """Tell the log that a portion failed as a whole, and is done ticket by ticket."""
        _log.warning("%s among %s tickets failed (%s: %s); each is tried alone.", self.what, count, type(fault).__name__, fault)

    def forget(self, ticket: int) -> None:
        """A ticket went well."""
        self.faults.pop(ticket, None)

    def forget_all(self) -> None:
        """Forget everything; for tests."""
        self.faults.clear()
