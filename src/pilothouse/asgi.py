"""The web process: live pages answered here, everything else by Django in a fixed pool of threads.

Any ASGI server may run `pilothouse.asgi:application`; `pilothouse web` runs it with uvicorn.
"""

import gc
import os
import socket
from concurrent.futures import ThreadPoolExecutor
from types import FrameType

import django
import uvicorn

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "pilothouse.platform.settings")
django.setup(set_prefix=False)

from django.conf import settings  # noqa: E402  the rooms below need settings that are set up
from django.contrib.auth import get_user  # noqa: E402
from django.contrib.sessions.backends.db import SessionStore  # noqa: E402
from django.core.handlers.wsgi import WSGIHandler  # noqa: E402
from django.http import HttpRequest  # noqa: E402

from pilothouse.people.queries import actor_of  # noqa: E402
from pilothouse.platform import live  # noqa: E402
from pilothouse.platform.access import Actor  # noqa: E402
from pilothouse.platform.bridge import Receive, Scope, Send, ThreadedDjango  # noqa: E402
from pilothouse.tickets.audience import audiences as ticket_audiences  # noqa: E402

THREADS = int(os.environ.get("PILOTHOUSE_WEB_THREADS", "8"))


def signed_in(session: str) -> Actor | None:
    """Return who is signed in with this session key; None when it is unknown, expired, or its person is inactive."""
    request = HttpRequest()
    request.session = SessionStore(session)
    user = get_user(request)
    return actor_of(user.pk) if user.is_authenticated and user.pk is not None else None


class Application:
    """The ASGI application."""

    def __init__(self) -> None:
        settings.STATIC_ROOT.mkdir(parents=True, exist_ok=True)  # files come from the packages; whitenoise wants the folder
        self.pool = ThreadPoolExecutor(THREADS, thread_name_prefix="request")
        self.django = ThreadedDjango(WSGIHandler(), pool=self.pool)
        self.hub = live.Hub(
            settings.DATABASE_URL,
            pool=self.pool,
            authenticate=live.outside_request(signed_in),
            audiences={"ticket": live.outside_request(ticket_audiences)},
            cookie=settings.SESSION_COOKIE_NAME,
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._live(receive, send)
        elif scope["type"] == "http":
            await (self.hub if scope["path"] == "/live" else self.django)(scope, receive, send)
        else:
            await send({"type": "websocket.close", "code": 1000})

    async def _live(self, receive: Receive, send: Send) -> None:
        while True:
            message = await receive()
            if message["type"] == "lifespan.startup":
                self.hub.start()
            else:
                self.hub.close()
            await send({"type": f"{message['type']}.complete"})
            if message["type"] == "lifespan.shutdown":
                return


class Server(uvicorn.Server):
    """uvicorn, ending the streams of live pages as soon as it is told to stop, instead of waiting for them."""

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        super().handle_exit(sig, frame)
        application.hub.close()


application = Application()


def _collect_seldom() -> None:
    """Let the garbage collector pass over what start-up made, and come less often: bulk work makes many objects that live on."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)


def serve(listening: socket.socket) -> None:
    """Answer on a listening socket until told to stop (SIGTERM, SIGINT)."""
    _collect_seldom()
    config = uvicorn.Config(
        application,
        loop="uvloop",
        http="httptools",
        ws="none",
        lifespan="on",
        access_log=False,
        server_header=False,
        log_config=None,
        timeout_graceful_shutdown=20,
        timeout_keep_alive=75,
        h11_max_incomplete_event_size=64 * 1024,
    )
    Server(config).run(sockets=[listening])
