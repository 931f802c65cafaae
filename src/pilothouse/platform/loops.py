"""Loops: work that a worker does every few seconds, each in a thread of its own; procrastinate's periodic jobs know only minutes.

A room names its work when its jobs module is loaded (`jobs.every`). Every worker runs every loop, so the work itself must share with
other workers (SKIP LOCKED) and bear to be cut off anywhere. A turn that fails is told in the log, and the next one comes later and
later, up to half a minute; the first that succeeds brings back the pace.
"""

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

import psycopg
from django.db import close_old_connections, connections
from django.db.utils import DatabaseError, InterfaceError

from pilothouse.platform.refusals import first_line

Work = Callable[[], bool | None]
LOST = (psycopg.Error, DatabaseError, InterfaceError, OSError)
_LONGEST_PAUSE_SECONDS = 30.0
_log = logging.getLogger(__name__)
_registered: dict[str, "Loop"] = {}


@dataclass(frozen=True, slots=True)
class Loop:
    """What is done every so many seconds; `work` answers True when there is more to do at once."""

    seconds: float
    name: str
    work: Work


def every(seconds: float, name: str, work: Work) -> None:
    """Let every worker do this work every so many seconds, counted from the start of one turn to the start of the next.

    The work runs in its own thread with its own database connection, outside a transaction. When it answers True it is called again
    at once: work that can be long returns between portions, so that a worker told to stop need not wait for all of it. A second
    registration of a name replaces the first.
    """
    if seconds <= 0:
        raise ValueError("A loop has a pace above 0 s.")
    _registered[name] = Loop(seconds, name, work)


class Loops:
    """The threads of one worker's loops."""

    def __init__(self) -> None:
        self.stopping = threading.Event()
        self.threads: list[threading.Thread] = []

    def start(self) -> None:
        """Start a thread for each loop that is registered now; each has its first turn at once."""
        for loop in _registered.values():
            # A daemon: a turn that hangs must not keep the process alive past `stop`.
            self.threads.append(threading.Thread(target=self._run, args=[loop], name=f"loop {loop.name}", daemon=True))
        for thread in self.threads:
            thread.start()

    def ask_to_stop(self) -> None:
        """Let no further turn begin; returns at once."""
        self.stopping.set()

    def stop(self, seconds: float) -> bool:
        """Let no further turn begin, and wait for those that run, at most this long; says whether all have ended."""
        self.ask_to_stop()
        end = time.monotonic() + seconds
        for thread in self.threads:
            thread.join(max(0.0, end - time.monotonic()))
        return not any(thread.is_alive() for thread in self.threads)

    def _run(self, loop: Loop) -> None:
        failures, pause = 0, 0.0
        try:
            while not self.stopping.wait(pause):
                began = time.monotonic()
                more, failures = _turn(loop, failures)
                wait = min(loop.seconds * 2**failures, max(_LONGEST_PAUSE_SECONDS, loop.seconds)) if failures else loop.seconds
                pause = 0.0 if more else max(0.0, wait - (time.monotonic() - began))
        finally:
            connections.close_all()


def _turn(loop: Loop, failures: int) -> tuple[bool, int]:
    """Do one turn; returns whether there is more to do at once, and how many turns in a row have failed (20 at most are counted)."""
    try:
        close_old_connections()
        return bool(loop.work()), 0
    except LOST as error:
        if not failures:  # the first of a row
            _log.warning("Loop %s: the database or a file cannot be reached (%s); trying again.", loop.name, first_line(error))
    except Exception:
        _log.exception("Loop %s failed; trying again.", loop.name)
    return False, min(failures + 1, 20)
