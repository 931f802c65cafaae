"""Django behind an ASGI server: requests run in a fixed pool of threads, each with its own lasting database connection.

A request's body is read before a thread is taken and its answer is sent after the thread is given back, so that a slow
client holds no thread; large bodies wait on disk. (Django's own ASGI handler makes a pool of threads for each request, which
costs more than the request; why not a2wsgi either: docs/decisions/0003-asgi-server.md.)
"""

import asyncio
import sys
import tempfile
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from io import BytesIO
from typing import IO, Any
from urllib.parse import quote

Message = MutableMapping[str, Any]
Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Environ = dict[str, Any]
Handler = Callable[[Environ, Callable[..., Any]], Iterable[bytes]]

_IN_MEMORY = 256 * 1024
_CHUNK = 64 * 1024


class ClientLeft(Exception):
    """The client closed the connection before it had sent its request."""


@dataclass(slots=True)
class Answer:
    """What the handler answered: status and headers, and either the whole body or an iterable of parts."""

    status: int = 500
    headers: list[tuple[bytes, bytes]] = field(default_factory=list)
    body: bytes = b""
    parts: Any = None

    def start(self, status: str, headers: list[tuple[str, str]], exc_info: object = None) -> None:
        """WSGI's start_response."""
        self.status = int(status[:3])
        self.headers = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers]


async def read_body(receive: Receive) -> IO[bytes]:
    """Read the request's body, large ones to disk; raises ClientLeft when the client goes away meanwhile."""
    message = await receive()
    if message["type"] == "http.request" and not message.get("more_body"):
        return BytesIO(message.get("body", b""))
    body = tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY)  # noqa: SIM115 closed with the request
    while message["type"] == "http.request":
        if chunk := message.get("body"):
            if body.tell() + len(chunk) > _IN_MEMORY:
                await asyncio.to_thread(body.write, chunk)
            else:
                body.write(chunk)
        if not message.get("more_body"):
            body.seek(0)
            return body
        message = await receive()
    body.close()
    raise ClientLeft


def environ(scope: Scope, body: IO[bytes]) -> Environ:
    """Return the WSGI environment of an ASGI request."""
    path = scope["path"].encode().decode("latin-1")
    client, server = scope.get("client") or ("", 0), scope.get("server") or ("localhost", 80)
    found: Environ = {
        "REQUEST_METHOD": scope["method"],
        "SCRIPT_NAME": "",
        "PATH_INFO": path,
        "RAW_URI": quote(scope["path"]),
        "QUERY_STRING": scope["query_string"].decode("ascii"),
        "REMOTE_ADDR": client[0],
        "REMOTE_PORT": str(client[1]),
        "SERVER_NAME": server[0],
        "SERVER_PORT": str(server[1]),
        "SERVER_PROTOCOL": f"HTTP/{scope.get('http_version', '1.1')}",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": scope.get("scheme", "http"),
        "wsgi.input": body,
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
    }
    for name, value in scope["headers"]:
        _add_header(found, name.decode("latin-1"), value.decode("latin-1"))
    if "CONTENT_LENGTH" not in found:
        found["CONTENT_LENGTH"] = str(body.seek(0, 2))  # sent in chunks: Django wants to know the length
        body.seek(0)
    return found


def _add_header(found: Environ, name: str, value: str) -> None:
    if "_" in name:  # could pass for the header with a dash, which a proxy sets and is believed
        return
    key = name.upper().replace("-", "_")
    if key not in ("CONTENT_TYPE", "CONTENT_LENGTH"):
        key = f"HTTP_{key}"
    found[key] = f"{found[key]}{'; ' if name == 'cookie' else ','}{value}" if key in found else value


class ThreadedDjango:
    """An ASGI application that runs a WSGI handler in a fixed pool of threads."""

    def __init__(self, handler: Handler, *, pool: ThreadPoolExecutor) -> None:
        self.handler, self.pool = handler, pool

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            body = await read_body(receive)
        except ClientLeft:
            return
        loop = asyncio.get_running_loop()
        with body:
            answer = await loop.run_in_executor(self.pool, self._answer, environ(scope, body))
            await send({"type": "http.response.start", "status": answer.status, "headers": answer.headers})
            if answer.parts is None:
                await send({"type": "http.response.body", "body": answer.body})
            else:
                await self._stream(answer.parts, send)

    def _answer(self, found: Environ) -> Answer:
        """Run the handler in this thread: an answer made whole is finished here, a stream is handed on."""
        answer = Answer()
        response: Any = self.handler(found, answer.start)
        if getattr(response, "streaming", False):
            answer.parts = response
            return answer
        try:
            answer.body = b"".join(response)
        finally:
            response.close()  # ends the request for Django: connections are kept or closed
        return answer

    async def _stream(self, response: Any, send: Send) -> None:
        """Send a stream part by part at the client's pace; a thread is taken for each part only while it is made."""
        loop = asyncio.get_running_loop()
        parts = iter(response)
        try:
            while chunk := await loop.run_in_executor(self.pool, _gather, parts):
                await send({"type": "http.response.body", "body": chunk, "more_body": True})
            await send({"type": "http.response.body", "body": b""})
        finally:
            await loop.run_in_executor(self.pool, response.close)


def _gather(parts: Any) -> bytes:
    """Join small parts into one of some 64 kB; empty at the end."""
    gathered, size = [], 0
    for part in parts:
        gathered.append(part)
        size += len(part)
        if size >= _CHUNK:
            break
    return b"".join(gathered)
