"""The worker: procrastinate jobs on the product's own PostgreSQL, the relay that feeds them, and the platform's periodic work.

A job is delivered at least once: one that a killed worker was running is given to another when the killed one has shown no sign
of life for STALLED_SECONDS, so every task must bear to be run again. Two workers never take the same job (SKIP LOCKED).
The library looks after the database connection around every task.
"""

import asyncio
import contextlib
import json
import logging
import signal
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import psycopg
from django.conf import settings
from django.core.management import call_command
from django.db import close_old_connections, connection, transaction
from procrastinate import exceptions
from procrastinate.contrib.django import app

from pilothouse.platform import clock, journal, searching
from pilothouse.platform.loops import LOST, Loops, every
from pilothouse.platform.refusals import first_line

__all__ = ["Worker", "every", "relay", "run_worker"]

STALLED_SECONDS = 15.0
_SWEEP_SECONDS = 5.0
_RELAY_AT_ONCE = 500
_LONGEST_STOP_SECONDS = 25
_LONGEST_LOOP_STOP_SECONDS = 10.0
_LONGEST_PAUSE_SECONDS = 10.0
_LOST = (exceptions.ConnectorException, *LOST)
_log = logging.getLogger(__name__)


def relay() -> int:
    """Turn waiting outbox messages into jobs and remove them, in one transaction; returns how many.

    Relays of several workers share the work: each takes messages that no other holds.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "DELETE FROM outbox WHERE id IN (SELECT id FROM outbox ORDER BY id LIMIT %s FOR UPDATE SKIP LOCKED)"
            " RETURNING id, topic, payload",
            [_RELAY_AT_ONCE],
        )
        by_topic: dict[str, list[dict[str, Any]]] = {}
        for _, topic, payload in sorted(cursor.fetchall(), key=lambda row: row[0]):
            by_topic.setdefault(topic, []).append(_loaded(payload))
        for topic, payloads in by_topic.items():
            # A topic that no room answers any more becomes a failed job that an operator sees, not a message for ever.
            app.configure_task(topic, allow_unknown=True).batch_defer(*payloads)
    return sum(len(payloads) for payloads in by_topic.values())


def _loaded(payload: Any) -> dict[str, Any]:
    return dict(json.loads(payload) if isinstance(payload, str) else payload)  # Django's own cursors hand out raw jsonb text


def _relay_all() -> None:
    close_old_connections()
    while relay() == _RELAY_AT_ONCE:
        pass


@app.periodic(cron="5 */6 * * *")
@app.task(name="platform.prepare_months")
def prepare_months(timestamp: int) -> None:
    """Make the journal's partitions of this month and the next two, so that no writer has to."""
    _prepare_months()


def _prepare_months() -> None:
    close_old_connections()
    first = clock.now().replace(day=1)
    for months in range(3):
        journal.ensure_month((first + timedelta(days=32 * months)).strftime("%Y-%m-01"))


@app.periodic(cron="*/5 * * * *")
@app.task(name="platform.learn_words", queueing_lock="platform.learn_words")
def learn_words(timestamp: int) -> None:
    """Learn the words of new documents, against which search mends typing errors; a large import is learnt in portions."""
    while searching.learn_words():
        pass


@app.periodic(cron="17 3 * * *")
@app.task(name="platform.tidy")
def tidy(timestamp: int) -> None:
    """Remove what has served: expired sessions, answers kept for idempotency over a day, old rate windows, old jobs."""
    call_command("clearsessions")
    day_ago = clock.now() - timedelta(days=1)
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM idempotency_key WHERE created_at < %s", [day_ago])
        cursor.execute("DELETE FROM rate_window WHERE window_at < %s", [day_ago])
        cursor.execute(
            "DELETE FROM procrastinate_jobs j WHERE status = 'succeeded' AND NOT EXISTS"
            " (SELECT 1 FROM procrastinate_events e WHERE e.job_id = j.id AND e.at > now() - interval '3 days')"
        )


class Worker:
    """One worker process: jobs, the relay and the search for stalled jobs, coming back by itself when the database was away."""

    def __init__(self, *, concurrency: int = 4) -> None:
        self.concurrency = concurrency
        self.pool = ThreadPoolExecutor(1, thread_name_prefix="relay")
        self.woken = asyncio.Event()
        self.loops = Loops()
        self.stopping = False

    async def run(self) -> None:
        """Work until told to stop (SIGTERM, SIGINT): running jobs and turns of loops are finished first, for up to 20 s."""
        loop, task, pause = asyncio.get_running_loop(), asyncio.current_task(), 0.2
        assert task is not None

        def stop() -> None:
            self.stopping = True  # the library may take the cancellation for a lost connection while it starts
            self.loops.ask_to_stop()
            task.cancel()
            loop.call_later(_LONGEST_STOP_SECONDS, task.cancel)  # a job that cannot be noted as done: the database is gone too

        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stop)
        self.loops.start()
        with contextlib.suppress(asyncio.CancelledError):
            while not self.stopping:
                try:
                    await self._work()  # procrastinate ends by itself when its connection is lost
                    if self.stopping:
                        break
                    _log.warning("Worker: the database connection was lost; trying again.")
                    pause = 0.2
                except _LOST as error:
                    if pause == 0.2:  # the first of a row
                        _log.warning("Worker: the database cannot be reached (%s); trying again.", first_line(error))
                await asyncio.sleep(pause)
                pause = min(pause * 2, _LONGEST_PAUSE_SECONDS)
        self.loops.ask_to_stop()
        await _end_the_rest()
        with contextlib.suppress(asyncio.CancelledError):  # the late cancellation of `stop`, when jobs took their time
            if not await asyncio.to_thread(self.loops.stop, _LONGEST_LOOP_STOP_SECONDS):
                _log.warning("Worker: a loop did not end in time; it is cut off.")

    async def _work(self) -> None:
        on_postgres = app.with_connector(app.connector.get_worker_connector())  # type: ignore[attr-defined]
        await self._in_thread(_prepare_months)
        async with on_postgres.open_async():
            sides = [asyncio.create_task(self._listen()), asyncio.create_task(self._sweep(on_postgres))]
            try:
                await on_postgres.run_worker_async(
                    concurrency=self.concurrency,
                    fetch_job_polling_interval=_SWEEP_SECONDS,
                    shutdown_graceful_timeout=_LONGEST_STOP_SECONDS - 5,
                    install_signal_handlers=False,
                    update_heartbeat_interval=STALLED_SECONDS / 3,
                    stalled_worker_timeout=STALLED_SECONDS,
                )
            finally:
                for side in sides:
                    side.cancel()

    async def _listen(self) -> None:
        """Wake the relay when a message was written."""
        while True:
            with contextlib.suppress(psycopg.Error):
                async with await psycopg.AsyncConnection.connect(settings.DATABASE_URL, autocommit=True, keepalives_idle=10) as listening:
                    await listening.execute("LISTEN pilothouse_outbox")
                    self.woken.set()
                    async for _ in listening.notifies():
                        self.woken.set()
            await asyncio.sleep(1)

    async def _sweep(self, on_postgres: Any) -> None:
        """Relay when woken and every few seconds; give stalled jobs to a living worker."""
        while True:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self.woken.wait(), _SWEEP_SECONDS)
            self.woken.clear()
            try:
                await self._in_thread(_relay_all)
                await _retry_stalled(on_postgres)
            except _LOST as error:
                _log.warning("Relay: %s", first_line(error))
                await asyncio.sleep(1)

    async def _in_thread(self, work: Callable[[], None]) -> None:
        await asyncio.get_running_loop().run_in_executor(self.pool, work)


async def _retry_stalled(on_postgres: Any) -> None:
    """Put jobs back whose worker shows no sign of life."""
    for job in await on_postgres.job_manager.get_stalled_jobs(seconds_since_heartbeat=STALLED_SECONDS):
        _log.warning("Job %s (%s) was left by a worker that is gone; it is run again.", job.id, job.task_name)
        await on_postgres.job_manager.retry_job(job)


async def _end_the_rest() -> None:
    """Cancel what still runs, again and again: a library that is told to stop while it starts can miss the first time."""
    rest = asyncio.all_tasks() - {asyncio.current_task()}
    for _ in range(20):
        if not rest:
            return
        for task in rest:
            task.cancel()
        _, rest = await asyncio.wait(rest, timeout=0.5)


def run_worker(*, concurrency: int = 4) -> None:
    """Run a worker in this process until it is told to stop."""
    for handler in logging.getLogger().handlers:
        handler.addFilter(_is_news)
    asyncio.run(Worker(concurrency=concurrency).run())


def _is_news(record: logging.LogRecord) -> bool:
    """A lost connection is told in one line of ours, not in the library's tracebacks."""
    if record.name.startswith("psycopg.pool"):
        return False
    return not (record.exc_info and isinstance(record.exc_info[1], exceptions.ConnectorException))
