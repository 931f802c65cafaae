"""The process tree of `pilothouse up`: database, web and worker under one light parent that starts again what dies.

The parent holds the lock of the data folder and the listening socket, so that a second `up` is told so at once, and a web
process that is started again finds its waiting clients. Ctrl-C and SIGTERM stop web and worker first, the database last; a
parent that is killed takes its children with it (Linux), and the next `up` stops a database that was left behind. No Django here.
"""

import contextlib
import fcntl
import json
import os
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import IO

from pilothouse.platform import embedded

_PAUSES = (0.1, 0.3, 1.0, 2.0, 5.0, 10.0)
_STEADY_SECONDS = 30.0
_PATIENCE_SECONDS = 25.0
SOCKET_VARIABLE = "PILOTHOUSE_SOCKET"
NOBODY = 10  # how `migrate` tells the tree that nobody can sign in yet: asking on its own would cost a second's start


class EnvironmentRefused(Exception):
    """The machine does not allow it (port taken, folder in use, database away); the message says what to do."""


@dataclass(slots=True)
class Child:
    """One process of the tree: how it is started, and since when it runs."""

    name: str
    start: Callable[[], subprocess.Popen[bytes]]
    process: subprocess.Popen[bytes] | None = None
    started: float = 0.0
    failures: int = 0
    due: float | None = field(default=0.0)

    def launch(self) -> None:
        self.process, self.started, self.due = self.start(), time.monotonic(), None

    def note_end(self) -> str:
        """Plan the next start after this one ended, later each time it did not last; returns what happened in words."""
        assert self.process is not None
        code, lasted = self.process.returncode, time.monotonic() - self.started
        self.failures = 0 if lasted > _STEADY_SECONDS else self.failures + 1
        pause = _PAUSES[min(self.failures, len(_PAUSES) - 1)]
        self.process, self.due = None, time.monotonic() + pause
        how = f"was killed ({signal.Signals(-code).name})" if code < 0 else f"ended with code {code}"
        return f"The {self.name} {how}; starting it again in {pause:g} s."


def say(text: str) -> None:
    """Tell the person at the terminal; standard error, so that output can be piped."""
    print(text, file=sys.stderr, flush=True)  # noqa: T201 the terminal is where `up` speaks


@contextlib.contextmanager
def locked(data: Path) -> Iterator[IO[str]]:
    """Hold the data folder for one process tree; raises EnvironmentRefused naming the one that has it."""
    try:
        data.mkdir(parents=True, exist_ok=True)
        handle = (data / "up.lock").open("a+")
    except OSError as error:
        raise EnvironmentRefused(f"The data folder {data} cannot be used: {error.strerror}. Set PILOTHOUSE_DATA to another.") from error
    with handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            handle.seek(0)
            raise EnvironmentRefused(
                f"Pilothouse already runs on the data folder {data}{_whose(handle.read())}."
                " Use that one, stop it first, or set PILOTHOUSE_DATA."
            ) from error
        yield handle
        handle.truncate(0)


def _whose(note: str) -> str:
    with contextlib.suppress(ValueError):
        found = json.loads(note)
        return f" (process {found['pid']}, {found['address']})"
    return ""


def note(handle: IO[str], address: str) -> None:
    """Write into the lock whose it is, for the message to a second `up`."""
    handle.seek(0)
    handle.truncate(0)
    handle.write(json.dumps({"pid": os.getpid(), "address": address}))
    handle.flush()


def listen(host: str, port: int) -> socket.socket:
    """Return a listening socket; raises EnvironmentRefused when the port is taken or not allowed."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
    except OSError as error:
        listening.close()
        raise EnvironmentRefused(
            f"Port {port} on {host} cannot be used: {error.strerror}. Stop what uses it, or choose another: PILOTHOUSE_PORT={port + 1}."
        ) from error
    listening.listen(1024)
    return listening


def address_of(listening: socket.socket) -> str:
    """Return the address to type into a browser."""
    host, port = listening.getsockname()[:2]
    shown = "localhost" if host in ("127.0.0.1", "::1", "0.0.0.0", "::") else host  # noqa: S104 it is compared, not bound
    return f"http://{shown}:{port}"


# Many threads would each keep freed memory to themselves: glibc is told to share it among two.
_THRIFTY = {"MALLOC_ARENA_MAX": "2", "MALLOC_TRIM_THRESHOLD_": "131072"}


def _ourselves(*arguments: str, sockets: tuple[int, ...] = (), **environment: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "pilothouse.cli", *arguments],
        env={**_THRIFTY, **os.environ, **environment},
        pass_fds=sockets,
        stdin=subprocess.DEVNULL,
        preexec_fn=embedded.dies_with_parent(signal.SIGTERM),  # noqa: PLW1509 this process has no threads
    )


class Tree:
    """The running tree."""

    def __init__(self, data: Path, *, listening: socket.socket, web: int, workers: int, database_url: str | None) -> None:
        self.data, self.listening, self.database_url = data, listening, database_url
        self.place: embedded.Cluster | None = None
        self.database: Child | None = None
        self.web, self.workers = web, workers
        self.children: list[Child] = []
        self.stopping = self.nobody = False
        self._wake_read, self._wake_write = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)

    def run(self, *, on_ready: Callable[[str, bool], None], first: Sequence[str] = ()) -> int:
        """Start everything and watch until told to stop; `first` is a command of ours that runs to its end before the web.

        `on_ready` gets the address and whether nobody can sign in yet. Returns the exit code: 0 after an orderly stop.
        """
        with self._signals():
            try:
                if self.database_url is None:
                    self._start_database()
                if not self.stopping:
                    self._migrate()
                if first and not self.stopping:
                    self._run_first(first)
                self._start_children()
                self._wait_until_answering(on_ready)
                while not self.stopping:
                    self._tend()
                    self._sleep()
            finally:
                self._stop()
        return 0

    @contextlib.contextmanager
    def _signals(self) -> Iterator[None]:
        """Let signals wake the watch instead of interrupting it."""
        before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGCHLD)}
        old = signal.set_wakeup_fd(self._wake_write, warn_on_full_buffer=False)
        for number in before:
            signal.signal(number, self._note_signal)
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
            signal.set_wakeup_fd(old)

    def _note_signal(self, number: int, frame: FrameType | None) -> None:
        if number != signal.SIGCHLD:
            self.stopping = True

    def _sleep(self, at_most: float = 5.0) -> None:
        due = [child.due for child in self._all() if child.due is not None]
        pause = min([at_most, *(max(0.0, moment - time.monotonic()) for moment in due)])
        if select.select([self._wake_read], [], [], pause)[0]:
            with contextlib.suppress(BlockingIOError):
                os.read(self._wake_read, 4096)

    def _all(self) -> list[Child]:
        return ([self.database] if self.database else []) + self.children

    def _start_database(self) -> None:
        self.place = embedded.prepare(self.data)
        place = self.place
        self.database = Child("database", lambda: embedded.launch(place))
        self.database.launch()
        assert self.database.process is not None
        embedded.wait_ready(place, self.database.process)
        os.environ["DATABASE_URL"] = place.url

    def _migrate(self) -> None:
        code = self._run_to_its_end("migrate", "--quiet", "--look-for-people")
        self.nobody = code == NOBODY
        if code not in (0, NOBODY) and not self.stopping:
            raise EnvironmentRefused("The database could not be brought up to date; the lines above say why.")

    def _run_first(self, arguments: Sequence[str]) -> None:
        """Run a command of ours; when it fails, everything ends with its exit code (it has said why)."""
        code = self._run_to_its_end(*arguments)
        if code and not self.stopping:
            sys.exit(code)

    def _run_to_its_end(self, *arguments: str) -> int:
        process = _ourselves(*arguments)
        while process.poll() is None:
            if self.stopping:
                process.terminate()
            self._sleep(0.5)
        return process.returncode

    def _start_children(self) -> None:
        descriptor = self.listening.fileno()
        environment = {SOCKET_VARIABLE: str(descriptor)}
        self.children = [Child("web process", lambda: _ourselves("web", sockets=(descriptor,), **environment)) for _ in range(self.web)]
        self.children += [Child("worker", lambda: _ourselves("worker")) for _ in range(self.workers)]
        for child in self.children:
            if not self.stopping:
                child.launch()

    def _wait_until_answering(self, on_ready: Callable[[str, bool], None]) -> None:
        """Wait for the first answer of the web, tending the tree meanwhile."""
        while not self.stopping:
            if _answers(self.listening):
                on_ready(address_of(self.listening), self.nobody)
                return
            self._tend()
            self._sleep(0.1)

    def _tend(self) -> None:
        """Start again what ended and is due."""
        for child in self._all():
            if child.process is not None and child.process.poll() is not None:
                say(child.note_end() + self._why(child))
            if child.process is None and child.due is not None and child.due <= time.monotonic() and not self.stopping:
                self._launch_again(child)

    def _launch_again(self, child: Child) -> None:
        try:
            child.launch()
        except (embedded.DatabaseRefused, OSError) as error:
            child.failures += 1
            child.due = time.monotonic() + _PAUSES[min(child.failures, len(_PAUSES) - 1)]
            say(f"The {child.name} could not be started: {error}")

    def _why(self, child: Child) -> str:
        return f" Its last words: {embedded.last_words(self.place)}" if child is self.database and self.place else ""

    def _stop(self) -> None:
        """Stop web and workers, then the database; nothing of the tree is left."""
        self.stopping = True
        self.listening.close()
        for child in self.children:
            if child.process is not None:
                child.process.terminate()
        until = time.monotonic() + _PATIENCE_SECONDS
        for child in self.children:
            if child.process is None:
                continue
            try:
                child.process.wait(max(0.1, until - time.monotonic()))
            except subprocess.TimeoutExpired:
                child.process.kill()
                child.process.wait()
        if self.database and self.database.process:
            embedded.stop(self.database.process)


def _answers(listening: socket.socket) -> bool:
    """Say whether the web answers a request; any answer will do."""
    host, port = listening.getsockname()[:2]
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 it is compared, not bound
    try:
        with socket.create_connection((host, port), timeout=1) as probe:
            probe.sendall(b"GET /live HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            return probe.recv(5) == b"HTTP/"
    except OSError:
        return False
