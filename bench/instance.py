"""A throw-away instance, run as people run it: the real command, a process tree, the embedded database with its usual settings."""

import os
import resource
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg

from pilothouse.platform import embedded


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Instance:
    """One data folder, and the tree that runs on it."""

    def __init__(self, folder: Path) -> None:
        self.data, self.port, self.folder = folder / "data", free_port(), folder
        self.tree: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return embedded.url(self.data)

    def environment(self) -> dict[str, str]:
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("PILOTHOUSE_", "DATABASE_", "DJANGO_"))}
        return {**kept, "PILOTHOUSE_DATA": str(self.data), "PILOTHOUSE_PORT": str(self.port), "PILOTHOUSE_REST_PER_MINUTE": "100000000"}

    def command(self, *arguments: str) -> subprocess.Popen[bytes]:
        with (self.folder / f"said-{arguments[0]}.txt").open("wb") as said:
            command = [sys.executable, "-m", "pilothouse.cli", *arguments]
            return subprocess.Popen(command, env=self.environment(), stdout=said, stderr=subprocess.STDOUT, start_new_session=True)

    def said(self, command: str) -> str:
        return (self.folder / f"said-{command}.txt").read_text(errors="replace")

    def up(self) -> None:
        """Start the tree and wait until it answers."""
        self.tree = self.command("up")
        end = time.monotonic() + 90
        while "Pilothouse runs at" not in self.said("up"):
            if self.tree.poll() is not None or time.monotonic() > end:
                raise RuntimeError(f"`pilothouse up` did not start:\n{self.said('up')}")
            time.sleep(0.1)

    def stop(self) -> None:
        if self.tree is not None and self.tree.poll() is None:
            self.tree.send_signal(signal.SIGINT)
            self.tree.wait(90)

    def run(self, statement: str, *values: Any) -> list[tuple[Any, ...]]:
        """Run a statement in a transaction of its own and return its rows."""
        with psycopg.connect(self.url, autocommit=True) as connection:
            cursor = connection.execute(statement, values or None)  # type: ignore[arg-type]
            return cursor.fetchall() if cursor.description else []


@contextmanager
def throw_away() -> Iterator[Instance]:
    """Provide an instance in a folder of its own; it is stopped and removed in the end."""
    folder = Path(tempfile.mkdtemp(prefix="pilothouse-bench-"))
    folder.chmod(0o755)  # root's server runs as another user, who must enter
    instance = Instance(folder)
    try:
        yield instance
    finally:
        instance.stop()
        shutil.rmtree(folder, ignore_errors=True)


def descendants(pid: int) -> list[int]:
    """Return a process and all below it."""
    found = [pid]
    for each in found:
        try:
            children = Path(f"/proc/{each}/task/{each}/children").read_text().split()
        except OSError:
            continue
        found += [int(child) for child in children]
    return found


def memory_mb(pid: int) -> float:
    """Return the proportional set size of a process tree in MB: memory that processes share is counted once."""
    total = 0
    for each in descendants(pid):
        try:
            lines = Path(f"/proc/{each}/smaps_rollup").read_text().splitlines()
        except OSError:
            continue
        total += sum(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
    return total / 1024


def processor_seconds(pid: int) -> float:
    """Return the processor time that a process has had, and all below it, those that ended included."""
    total = 0
    for each in descendants(pid):
        try:
            told = Path(f"/proc/{each}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        total += sum(map(int, told[11:15]))  # its own and that of children it waited for, each as user and system
    return total / os.sysconf("SC_CLK_TCK")


class _Serving:
    """The processor time of the server's processes that began since, looked at again and again while they live.

    Those of the tree beside it, whose connections are older, and the server's upkeep are left out.
    """

    def __init__(self, data: Path) -> None:
        self.server = embedded.running(embedded.cluster(data)) or os.getpid()
        self.before, self.took = set(descendants(self.server)), dict[int, float]()

    def look(self) -> None:
        for pid in set(descendants(self.server)) - self.before:
            if not _is_upkeep(pid):
                self.took[pid] = max(processor_seconds(pid), self.took.get(pid, 0.0))


def _is_upkeep(pid: int) -> bool:
    try:
        return b"autovacuum" in Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return False


@dataclass(frozen=True, slots=True)
class Spent:
    """What a command took: seconds, processor seconds of its tree and of the server for it, and the most memory of its tree."""

    seconds: float
    processor_seconds: float
    server_seconds: float
    peak_mb: float


def watched(process: subprocess.Popen[bytes], data: Path) -> Spent:
    """Wait for a command that was just started on an instance's data, and return what it took."""
    since, most, before, serving = time.monotonic(), 0.0, resource.getrusage(resource.RUSAGE_CHILDREN), _Serving(data)
    while process.poll() is None:
        most = max(most, memory_mb(process.pid))
        serving.look()
        time.sleep(0.2)
    took, after = time.monotonic() - since, resource.getrusage(resource.RUSAGE_CHILDREN)
    own = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Spent(took, own, sum(serving.took.values()), most)
