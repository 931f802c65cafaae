"""The only reader of the time: `now()` is an aware UTC datetime, and tests move it.

A test that moves the clock moves it for this process; a process tree under test is moved by PILOTHOUSE_CLOCK
(an ISO instant, added to as real time passes), which only the testing kit sets.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

_offset = timedelta(0)


def _started_elsewhere() -> timedelta:
    instant = os.environ.get("PILOTHOUSE_CLOCK")
    return datetime.fromisoformat(instant) - datetime.now(UTC) if instant else timedelta(0)


_offset = _started_elsewhere()


def now() -> datetime:
    """Return the present instant, aware, in UTC."""
    return datetime.now(UTC) + _offset


def move(**by: float) -> None:
    """Move the clock by a timedelta's keywords (`move(hours=2)`); for tests."""
    global _offset
    _offset += timedelta(**by)


@contextmanager
def at(instant: datetime) -> Iterator[None]:
    """Let the clock start from this instant inside the block, running on at its usual pace; for tests."""
    global _offset
    before = _offset
    _offset = instant - datetime.now(UTC)
    try:
        yield
    finally:
        _offset = before
