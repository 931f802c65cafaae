"""Live pages: how long a change takes to reach 500 of them."""

import asyncio
import time
from collections.abc import Callable

from bench.clients import percentile


async def _page(port: int, session: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(f"GET /live HTTP/1.1\r\nHost: localhost\r\nCookie: sessionid={session}\r\n\r\n".encode())
    await writer.drain()
    head = await reader.readuntil(b"\r\n\r\n")
    if b" 200 " not in head.split(b"\r\n", 1)[0]:
        raise RuntimeError(f"/live answered {head[:200]!r}")
    return reader, writer


async def _collect(reader: asyncio.StreamReader, arrived: list[float]) -> None:
    while data := await reader.read(65536):
        arrived += [time.perf_counter()] * data.count(b"ticket.noted")


async def _run(port: int, session: str, pages: int, changes: int, change: Callable[[], None]) -> tuple[float, float, int]:
    opened = []
    for start in range(0, pages, 50):
        opened += await asyncio.gather(*(_page(port, session) for _ in range(min(50, pages - start))))
    arrivals: list[list[float]] = [[] for _ in opened]
    listening = [asyncio.create_task(_collect(reader, own)) for (reader, _), own in zip(opened, arrivals, strict=True)]
    await asyncio.sleep(1)
    begun = []
    for _ in range(changes):
        begun.append(time.perf_counter())
        await asyncio.to_thread(change)
        await asyncio.sleep(1.0)
    await asyncio.sleep(1)
    for task in listening:
        task.cancel()
    for _, writer in opened:
        writer.close()
    waits = [(at - since) * 1000 for own in arrivals for since, at in zip(begun, own, strict=False)]
    return percentile(waits, 0.5), percentile(waits, 0.95), len(waits)


def fan_out(port: int, session: str, change: Callable[[], None], *, pages: int = 500, changes: int = 10) -> tuple[float, float, int]:
    """Return p50 and p95 in milliseconds from the start of the change to its arrival, and how many arrived."""
    return asyncio.run(_run(port, session, pages, changes, change))
