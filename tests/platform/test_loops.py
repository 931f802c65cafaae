"""Loops of a worker: pace, failures, a lost connection, the end."""

import asyncio
import contextlib
import logging
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator

import pytest
from asgiref.sync import sync_to_async
from django.db import connection, connections
from procrastinate.contrib.django import app

from pilothouse.platform import jobs, loops
from pilothouse.platform.loops import Loops
from tests.trees import until


@pytest.fixture(autouse=True)
def registered(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only what a test registers: a periodic job that was due at a worker's start would leave its threads' sessions behind."""
    monkeypatch.setattr(loops, "_registered", {})
    monkeypatch.setattr(app.periodic_registry, "periodic_tasks", {})


@pytest.fixture
def running() -> Iterator[Callable[[], Loops]]:
    """Start what is registered; whatever a test leaves running is stopped."""
    made: list[Loops] = []

    def start() -> Loops:
        made.append(Loops())
        made[-1].start()
        return made[-1]

    yield start
    assert all(each.stop(5) for each in made)


def ticks(seconds: float = 0.05) -> list[float]:
    seen: list[float] = []
    jobs.every(seconds, "probe", lambda: seen.append(time.monotonic()))
    return seen


def test_work_is_done_at_once_and_then_at_its_pace(running: Callable[[], Loops]) -> None:
    seen = ticks(0.1)
    began = time.monotonic()
    running()
    until(lambda: len(seen) >= 5)
    assert seen[0] - began < 0.09
    assert 0.35 < seen[4] - seen[0] < 2


def test_more_to_do_is_done_at_once(running: Callable[[], Loops]) -> None:
    seen: list[float] = []
    jobs.every(60, "probe", lambda: seen.append(time.monotonic()) or len(seen) < 4)
    running()
    until(lambda: len(seen) == 4)
    time.sleep(0.1)
    assert len(seen) == 4


def test_a_turn_that_fails_is_told_and_followed_by_others(running: Callable[[], Loops], caplog: pytest.LogCaptureFixture) -> None:
    seen: list[int] = []

    def work() -> None:
        seen.append(1)
        if len(seen) < 3:
            raise ValueError("a fault of ours")

    jobs.every(0.02, "probe", work)
    with caplog.at_level(logging.ERROR, "pilothouse"):
        running()
        until(lambda: len(seen) >= 5)
    assert caplog.text.count("Loop probe failed") == 2


def test_one_loop_does_not_wait_for_another(running: Callable[[], Loops]) -> None:
    gate, seen = threading.Event(), ticks()
    jobs.every(0.05, "slow", lambda: gate.wait(10) and False)
    running()
    until(lambda: len(seen) >= 3)
    gate.set()


def test_no_turn_begins_after_the_stop(running: Callable[[], Loops]) -> None:
    seen = ticks(0.01)
    made = running()
    until(lambda: seen)
    assert made.stop(5)
    count = len(seen)
    time.sleep(0.1)
    assert len(seen) == count


@pytest.mark.django_db(transaction=True)
def test_a_lost_connection_is_made_anew(running: Callable[[], Loops], caplog: pytest.LogCaptureFixture) -> None:
    backends: list[int] = []

    def work() -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_backend_pid()")
            backends.append(cursor.fetchone()[0])
            if len(backends) == 2:
                cursor.execute("SELECT pg_terminate_backend(pg_backend_pid())")

    jobs.every(0.05, "probe", work)
    with caplog.at_level(logging.WARNING, "pilothouse"):
        made = running()
        until(lambda: len(backends) >= 4)
        assert made.stop(5)
    assert backends[0] == backends[1] != backends[2] == backends[3]
    assert caplog.text.count("cannot be reached") == 1


@pytest.mark.django_db(transaction=True)
def test_the_worker_runs_loops_until_it_is_told_to_stop() -> None:
    seen = ticks()
    worker = jobs.Worker(concurrency=1)

    def end() -> None:
        until(lambda: len(seen) >= 3)
        os.kill(os.getpid(), signal.SIGTERM)

    ender = threading.Thread(target=end)
    ender.start()
    with _no_running_loop():
        asyncio.run(worker.run())
        ender.join()
        _end_sessions(worker)
    count = len(seen)
    time.sleep(0.2)
    assert len(seen) == count
    with contextlib.suppress(AssertionError):
        until(lambda: not _others(), of="the worker's sessions end")
    assert _others() == []


@contextlib.contextmanager
def _no_running_loop() -> Iterator[None]:
    """Put aside the loop that a browser, which other tests of this process have opened, keeps in this thread."""
    held = asyncio._get_running_loop()
    asyncio._set_running_loop(None)
    try:
        yield
    finally:
        asyncio._set_running_loop(held)


def _end_sessions(worker: jobs.Worker) -> None:
    """Close what a worker's threads leave open, as this process lives on."""
    worker.pool.submit(connections.close_all).result()  # the relay's
    asyncio.run(sync_to_async(connections.close_all)())  # the one in which the library's own statements run


def _others() -> list[tuple[str, ...]]:
    """What the other sessions on this database are and did last."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT backend_start::text, now()::text, state, wait_event, query FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        return [tuple(map(str, row)) for row in cursor.fetchall()]


def test_a_pace_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="above 0"):
        jobs.every(0, "probe", lambda: None)
