"""A look over the tickets: asked for by a person or by the night, done by one worker at a time in a process of its own.

What goes wrong becomes words on the page; the candidates stay as they were. A worker that dies leaves a run without an end; the job is
given to another worker, which begins it anew.
"""

import time
from collections.abc import Callable
from datetime import datetime, timedelta
from multiprocessing import get_context
from typing import Any

from django.conf import settings
from django.db import connection
from psycopg.conninfo import make_conninfo

from pilothouse.changes.queries import changes_for_mining
from pilothouse.platform import clock
from pilothouse.platform.access import Actor
from pilothouse.platform.alone import alone
from pilothouse.problems import mining_child
from pilothouse.problems.actions.candidates import end_look, fail_look, note_stage
from pilothouse.problems.models import MiningRun

_LOCK = "pilothouse mining"
_ENDS_WITHIN = 10.0
_PAUSE_SECONDS = 0.5


class LookFailed(Exception):
    """A look broke off; the message says why, for people."""


def look(*, actor: Actor, run_id: int) -> bool:
    """Do a look that was asked for; False when another worker is at it, or it has ended."""
    with alone(_LOCK) as is_free:
        if not is_free or not MiningRun.objects.filter(pk=run_id, ended_at=None).exists():
            return False
        began = clock.now()
        since, until = span(began)
        try:
            found = mined(since, until, told=lambda stage, tickets: note_stage(run_id=run_id, stage=stage, tickets=tickets))
            note_stage(run_id=run_id, stage="keeping", tickets=found["tickets"])
            end_look(actor=actor, run_id=run_id, found=found, since=since, now=clock.now(), began=began)
        except LookFailed as fault:
            fail_look(actor=actor, run_id=run_id, fault=str(fault), now=clock.now())
        except Exception as fault:
            fail_look(actor=actor, run_id=run_id, fault=f"What was found could not be kept: {type(fault).__name__}.", now=clock.now())
            raise
    return True


def look_or_wait(*, actor: Actor, run_id: int) -> None:
    """Do a look, or wait for the worker that was quicker to begin it."""
    while not look(actor=actor, run_id=run_id):
        if not MiningRun.objects.filter(pk=run_id, ended_at=None).exists():
            return
        time.sleep(_PAUSE_SECONDS)


def span(now: datetime) -> tuple[datetime, datetime]:
    """Return from when until when tickets are looked at: so many days back, up to now."""
    return now - timedelta(days=settings.MINING_DAYS), now


def mined(since: datetime, until: datetime, *, told: Callable[[str, int], None]) -> dict[str, Any]:
    """Mine the tickets opened in [since, until) in a process of its own; raises LookFailed."""
    context = get_context("spawn")
    ours, theirs = context.Pipe(duplex=False)
    changes = [tuple(each) for each in changes_for_mining(since, until)]
    child = context.Process(target=mining_child.look, args=(theirs, address(), since, until, changes), daemon=True)
    child.start()
    theirs.close()
    try:
        while True:
            kind, value = ours.recv()
            if kind == "done":
                return dict(value)
            if kind == "fault":
                raise LookFailed(value)
            told(*value)
    except EOFError:
        child.join(_ENDS_WITHIN)
        how = f"exit code {child.exitcode}"
        raise LookFailed(f"The process that looks was ended before it was done ({how}); is there enough memory?") from None
    finally:
        ours.close()
        child.join(_ENDS_WITHIN)
        if child.is_alive():
            child.kill()
            child.join()


def address() -> str:
    """Return how the database of this process's connection is reached."""
    connection.ensure_connection()
    info = connection.connection.info
    return make_conninfo(info.dsn, **({"password": info.password} if info.password else {}))
