"""Clients that ask over HTTP on lasting connections, and how long they waited."""

import http.client
import json
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Rate:
    """So many answers, how many a second, and the 95th percentile of the wait in milliseconds."""

    count: int
    per_second: float
    p95_ms: float


def percentile(values: Sequence[float], share: float) -> float:
    """Return the value below which this share of the values lies (nearest rank)."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, max(0, int(share * len(ordered) + 0.5) - 1))]


class Client:
    """One lasting connection."""

    def __init__(self, port: int, headers: Mapping[str, str]) -> None:
        self.connection, self.headers = http.client.HTTPConnection("127.0.0.1", port, timeout=120), dict(headers)

    def ask(self, method: str, path: str, body: Any = None, expect: int = 200) -> tuple[float, bytes]:
        """Ask and return how many milliseconds it took, to the last byte, and the answer's body."""
        content = None if body is None else json.dumps(body).encode()
        headers = self.headers if body is None else {**self.headers, "Content-Type": "application/json"}
        since = time.perf_counter()
        self.connection.request(method, path, content, headers)
        answer = self.connection.getresponse()
        read = answer.read()
        took = (time.perf_counter() - since) * 1000
        if answer.status != expect:
            raise RuntimeError(f"{method} {path} answered {answer.status}: {read[:600].decode(errors='replace')}")
        return took, read


def in_parallel(make: Callable[[], Client], clients: int, seconds: float, act: Callable[[Client, int, int], float]) -> Rate:
    """Let clients act for so many seconds, each on its own connection; `act(client, its number, step)` returns milliseconds."""
    waits: list[list[float]] = [[] for _ in range(clients)]
    faults: list[BaseException] = []
    gate = threading.Barrier(clients + 1)

    def run(number: int) -> None:
        client, step = make(), 0
        try:
            gate.wait()
            end = time.perf_counter() + seconds
            while time.perf_counter() < end:
                waits[number].append(act(client, number, step))
                step += 1
        except BaseException as fault:
            faults.append(fault)

    threads = [threading.Thread(target=run, args=[number]) for number in range(clients)]
    for thread in threads:
        thread.start()
    gate.wait()
    since = time.perf_counter()
    for thread in threads:
        thread.join()
    took = time.perf_counter() - since
    if faults:
        raise faults[0]
    everything = [wait for own in waits for wait in own]
    return Rate(len(everything), len(everything) / took, percentile(everything, 0.95))
