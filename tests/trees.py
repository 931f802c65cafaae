"""Instances run as people run them: the real command, a real process tree, a real database in a folder of their own."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import requests

from pilothouse.platform import embedded
from pilothouse.platform.testing import cluster

PASSWORD = "correct horse battery"
_SEED = """
import json, sys
from pathlib import Path
import django
django.setup()
from pilothouse.people import actions
from pilothouse.people.queries import actor_of
from pilothouse.platform import access, clock
tokens = {}
for name, role in (("rita", "requester"), ("alan", "agent"), ("ana", "analyst"), ("mona", "manager"), ("adam", "administrator")):
    person = {"email": f"{name}@example.org", "name": name.title(), "role": role, "password": sys.argv[2]}
    user = actions.add_person(actor=access.system(), now=clock.now(), **person)
    tokens[name] = actions.issue_token(actor=actor_of(user.pk), name="tests", now=clock.now()).secret
Path(sys.argv[1]).write_text(json.dumps(tokens))
"""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def until(what: Callable[[], Any], *, seconds: float = 20, of: str = "") -> Any:
    """Wait until something is true and return it."""
    end = time.monotonic() + seconds
    while True:
        if found := what():
            return found
        assert time.monotonic() < end, f"not within {seconds} s: {of or what}"
        time.sleep(0.05)


def clean_environment(data: Path, port: int, **more: str) -> dict[str, str]:
    """The environment of a person who starts the command, without what pytest set for this process."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("PILOTHOUSE_", "DATABASE_", "DJANGO_", "PYTEST_"))}
    return {**kept, "PILOTHOUSE_DATA": str(data), "PILOTHOUSE_PORT": str(port), **more}


@contextmanager
def throw_away_folder() -> Iterator[Path]:
    """A short folder that the server's user can enter; pytest's own are closed to it."""
    folder = cluster.new_folder("ph-")
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def make_seed(folder: Path, template: Path, migrated: str) -> None:
    """Make an instance with the tables of a migrated database, people and tokens, to be copied for each test."""
    url, server = embedded.start(folder, settings=embedded.THROW_AWAY, template=template)
    try:
        tables = subprocess.run([embedded.programs() / "pg_dump", "--dbname", migrated], capture_output=True, check=True).stdout
        restore = [embedded.programs() / "psql", "--quiet", "--no-psqlrc", "--set=ON_ERROR_STOP=1", "--output=/dev/null", "--dbname", url]
        subprocess.run(restore, input=tables, check=True)
        environment = clean_environment(folder, 1, DATABASE_URL=url, DJANGO_SETTINGS_MODULE="pilothouse.platform.settings")
        subprocess.run([sys.executable, "-c", _SEED, str(folder / "tokens.json"), PASSWORD], env=environment, check=True)
    finally:
        embedded.stop(server)


class Instance:
    """One data folder and what runs on it."""

    def __init__(self, folder: Path, seed: Path | None = None) -> None:
        self.data, self.port = folder / "data", free_port()
        self.address = f"http://127.0.0.1:{self.port}"
        self.running: list[subprocess.Popen[str]] = []
        self.tokens: dict[str, str] = {}
        if seed:
            embedded.prepare(self.data, template=seed / "postgres")
            shutil.copy(seed / "secret.key", self.data / "secret.key")
            self.tokens = json.loads((seed / "tokens.json").read_text())

    def environment(self, **more: str) -> dict[str, str]:
        return clean_environment(self.data, self.port, **more)

    def start(self, *arguments: str, **environment: str) -> subprocess.Popen[str]:
        """Start a command that stays; what it says goes to a file."""
        said = (self.data.parent / f"said-{len(self.running)}.txt").open("w+")
        process = subprocess.Popen(
            [sys.executable, "-m", "pilothouse.cli", *arguments],
            env=self.environment(**environment),
            stdout=said,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        said.close()
        self.running.append(process)
        return process

    def said(self, index: int = -1) -> str:
        numbers = range(len(self.running))
        return (self.data.parent / f"said-{numbers[index]}.txt").read_text()

    def up(self, *arguments: str, **environment: str) -> subprocess.Popen[str]:
        """Start the tree and wait until it answers."""
        process = self.start("up", *arguments, **environment)
        until(lambda: "Pilothouse runs at" in self.said() or process.poll() is not None, seconds=40, of="up")
        assert process.poll() is None, self.said()
        return process

    def command(self, *arguments: str, say: str | None = None, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run a command to its end."""
        command = [sys.executable, "-m", "pilothouse.cli", *arguments]
        return subprocess.run(command, env=self.environment(**environment), input=say, capture_output=True, text=True, timeout=90)

    @property
    def url(self) -> str:
        return embedded.url(self.data)

    def rows(self, query: str, *values: Any) -> list[tuple[Any, ...]]:
        with self._connection() as connection:
            return connection.execute(query, values).fetchall()  # type: ignore[arg-type]

    def _connection(self) -> "psycopg.Connection[tuple[Any, ...]]":
        """Connect, waiting for a database that is starting again."""
        end = time.monotonic() + 20
        while True:
            try:
                return psycopg.connect(self.url, autocommit=True)
            except psycopg.OperationalError:
                if time.monotonic() > end:
                    raise
                time.sleep(0.1)

    def value(self, query: str, *values: Any) -> Any:
        return self.rows(query, *values)[0][0]

    def child(self, name: str) -> int | None:
        """The process id of a part of the tree: web, worker or database."""
        if name == "database":
            return embedded.running(embedded.cluster(self.data))
        for process in self.running:
            for pid in _children(process.pid):
                if f"pilothouse.cli\0{name}".encode() in _command(pid):
                    return pid
        return None

    def kill(self, name: str) -> int:
        """kill -9 a part of the tree, and return the process id it had."""
        pid = until(lambda: self.child(name), of=name)
        os.kill(pid, signal.SIGKILL)
        return int(pid)

    def session(self, who: str) -> requests.Session:
        """A client that speaks REST as one of the people."""
        found = requests.Session()
        found.headers["Authorization"] = f"Bearer {self.tokens[who]}"
        return found

    def stop(self) -> None:
        """Stop what was started; nothing may be left."""
        for process in self.running:
            if process.poll() is None:
                process.send_signal(signal.SIGINT)
        for process in self.running:
            try:
                process.wait(40)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
        place = embedded.cluster(self.data)
        if embedded.running(place):
            embedded.stop_leftover(place)


def _children(pid: int) -> list[int]:
    try:
        return [int(p) for p in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except (FileNotFoundError, ProcessLookupError):
        return []


def _command(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return b""
