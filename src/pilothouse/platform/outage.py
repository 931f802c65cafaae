"""Failures of the ground rather than of the program: the database is away, or a disk is full.

Nothing half-done is kept in either case: the transaction did not commit. Both are answered so that a person or a client knows to
try again, with the time to wait.
"""

import errno
from collections.abc import Iterator
from dataclasses import dataclass

import psycopg
from django.db.utils import InterfaceError, OperationalError


@dataclass(frozen=True, slots=True)
class Outage:
    """How to answer while the ground is away."""

    status: int
    title: str
    text: str
    retry_after_seconds: int


AWAY = Outage(
    503,
    "The database cannot be reached",
    "It is starting again or out of reach. Nothing half-done was kept: what was answered with success is safe. Try again in a moment.",
    3,
)
FULL = Outage(
    507,
    "The disk is full",
    "This change was not kept, everything before it is safe. Somebody who runs this installation has to make room; then try again.",
    60,
)


_AWAY = (OperationalError, InterfaceError, psycopg.OperationalError, psycopg.InterfaceError)


def outage(error: BaseException | None) -> Outage | None:
    """Return how to answer an exception that means an outage; None when it means something else."""
    for each in _chain(error):
        if isinstance(each, psycopg.errors.DiskFull) or (isinstance(each, OSError) and each.errno == errno.ENOSPC):
            return FULL
    return AWAY if any(isinstance(each, _AWAY) for each in _chain(error)) else None


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or error.__context__
