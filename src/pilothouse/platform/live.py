"""Live pages: one LISTEN connection a web process, fanned out to every open page as server-sent events.

An event says which record changed and how (`{"id", "kind", "record", "verb", "actor"}`), never what it says now: the page asks
for that through the usual doors. Before an event is sent, the record's audience is asked whether this person may know of it;
private notes are for staff, and a requester is told that their record changed, not what the desk did nor who. An event's id is its
journal id: a page that comes back with Last-Event-ID (or opens with `?since=`) gets what it missed, or the word `gap` when that is too
much. Events may come twice: a page that asks anew loses nothing by it.
"""

import asyncio
import contextlib
import logging
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from functools import wraps
from http.cookies import CookieError, SimpleCookie
from typing import Any, ParamSpec, TypeVar
from urllib.parse import parse_qs

import orjson
import psycopg
from django.db import close_old_connections, connection
from django.db.utils import DatabaseError, InterfaceError

from pilothouse.platform import clock
from pilothouse.platform.access import Actor
from pilothouse.platform.bridge import Receive, Scope, Send
from pilothouse.platform.refusals import first_line

CHANNEL = "pilothouse"
HEARTBEAT_SECONDS = 20.0
RECHECK_SECONDS = 60.0
_REPLAY_AT_MOST = 200
_REPLAY_OVERLAP = 50  # ids are given out before commits: an entry with a smaller id may have become visible later
_WAITING_AT_MOST = 200
_BATCH_SECONDS = 0.02
_LONGEST_PAUSE_SECONDS = 5.0
_GAP = b'data: {"kind":"gap"}\n\n'
_HEADERS = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-store"),
    (b"x-accel-buffering", b"no"),
    (b"x-content-type-options", b"nosniff"),
]
_log = logging.getLogger(__name__)

Event = dict[str, Any]


_P = ParamSpec("_P")
_R = TypeVar("_R")


def outside_request(work: Callable[_P, _R]) -> Callable[_P, _R]:
    """Let work outside a request treat its thread's connection as a request does: checked before use, replaced when dead."""

    @wraps(work)
    def done(*arguments: _P.args, **named: _P.kwargs) -> _R:
        close_old_connections()
        return work(*arguments, **named)

    return done


@dataclass(frozen=True, slots=True)
class Audience:
    """Who may know that a record changed: its owner, staff to whom its team is not hidden, and watchers who are not staff."""

    team_id: int | None = None
    owner_id: int | None = None
    watchers: frozenset[int] = frozenset()

    def includes(self, actor: Actor) -> bool:
        """Say whether this actor may know."""
        if actor.user_id is not None and actor.user_id == self.owner_id:
            return True
        if actor.is_staff:
            return self.team_id not in actor.hidden_team_ids
        return actor.user_id in self.watchers


STAFF = Audience()
Audiences = Callable[[Iterable[int]], Mapping[int, Audience]]
Authenticate = Callable[[str], Actor | None]


def for_requesters(event: Event, user_id: int | None) -> Event:
    """Return what a person who is not staff is told of an event: which record it is about, and whether it was they."""
    if "record" not in event:
        return {**{name: event[name] for name in ("id", "kind") if name in event}, **({"bulk": True} if "bulk" in event else {})}
    return {name: value for name, value in event.items() if name in ("id", "kind", "record") or (name == "actor" and value == user_id)}


def frame(event: Event) -> bytes:
    """Write an event as server-sent events do."""
    number = f"id: {event['id']}\n".encode() if "id" in event else b""
    return number + b"data: " + orjson.dumps(event) + b"\n\n"


@outside_request
def missed(last_id: int) -> list[Event]:
    """Return the events of the last day after a journal id, oldest first, a few more than may be replayed at most."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id, kind, record_id, verb, actor_id, private FROM journal_entry"
            " WHERE id > %s AND recorded_at > %s ORDER BY id LIMIT %s",
            [last_id, clock.now() - timedelta(days=1), _REPLAY_AT_MOST + _REPLAY_OVERLAP],
        )
        names = ("id", "kind", "record", "verb", "actor", "private")
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


class Page:
    """One open page: who looks at it and what waits to be sent to it."""

    def __init__(self, session: str, actor: Actor) -> None:
        self.session, self.actor = session, actor
        self.waiting: deque[bytes] = deque()
        self.woken = asyncio.Event()
        self.recheck = False
        self.closed = False

    def push(self, data: bytes) -> None:
        """Queue a frame; a page that does not keep up is told of a gap instead of everything it missed."""
        if len(self.waiting) >= _WAITING_AT_MOST:
            self.waiting.clear()
            data = _GAP
        self.waiting.append(data)
        self.woken.set()

    def take(self) -> bytes:
        """Return all that waits, as one piece."""
        data = b"".join(self.waiting)
        self.waiting.clear()
        self.woken.clear()
        return data


class Hub:
    """All open pages of this process, and the one connection that listens for them."""

    def __init__(
        self,
        url: str,
        *,
        pool: ThreadPoolExecutor,
        authenticate: Authenticate,
        audiences: Mapping[str, Audiences],
        cookie: str = "sessionid",
    ) -> None:
        self.url, self.pool, self.cookie = url, pool, cookie
        self.authenticate, self.audiences = authenticate, audiences
        self.pages: set[Page] = set()
        self.last_id = 0
        self._arrived: asyncio.Queue[Event] = asyncio.Queue()
        self._tasks: list[asyncio.Task[None]] = []

    def start(self) -> None:
        """Begin to listen, in the running loop."""
        self._tasks = [asyncio.create_task(self._listen()), asyncio.create_task(self._dispatch())]

    def close(self) -> None:
        """End every stream and stop listening."""
        for task in self._tasks:
            task.cancel()
        for page in self.pages:
            page.closed = True
            page.woken.set()

    async def _in_thread(self, work: Callable[..., Any], *arguments: Any) -> Any:
        return await asyncio.get_running_loop().run_in_executor(self.pool, work, *arguments)

    async def _listen(self) -> None:
        """Listen for ever; after a lost connection come back with growing pauses and catch up."""
        pause = 0.1
        while True:
            try:
                async with await psycopg.AsyncConnection.connect(
                    self.url, autocommit=True, keepalives_idle=10, keepalives_interval=5, keepalives_count=3, connect_timeout=10
                ) as connection:
                    await connection.execute(f"LISTEN {CHANNEL}")
                    if pause > 0.1:
                        _log.warning("Live pages: the database connection is back.")
                    pause = 0.1
                    await self._catch_up()
                    async for notice in connection.notifies():
                        with contextlib.suppress(orjson.JSONDecodeError):  # somebody else's NOTIFY must not end live pages for all
                            self._arrived.put_nowait(orjson.loads(notice.payload))
            except (psycopg.Error, DatabaseError, InterfaceError) as error:
                if pause == 0.1:  # the first of a row
                    _log.warning("Live pages: the database connection was lost (%s); trying again.", first_line(error))
            await asyncio.sleep(pause)
            pause = min(pause * 2, _LONGEST_PAUSE_SECONDS)

    async def _catch_up(self) -> None:
        """Tell the pages what was journalled while nobody listened."""
        if not self.last_id:
            return
        for event in await self._missed(self.last_id):
            self._arrived.put_nowait(event)

    async def _missed(self, last_id: int) -> list[Event]:
        events: list[Event] = await self._in_thread(missed, max(0, last_id - _REPLAY_OVERLAP))
        return events if len(events) < _REPLAY_AT_MOST + _REPLAY_OVERLAP else [{"kind": "gap"}]

    async def _dispatch(self) -> None:
        """Hand arrived events on in small batches, so that a burst costs one look at the audiences."""
        while True:
            events = [await self._arrived.get()]
            await asyncio.sleep(_BATCH_SECONDS)
            while not self._arrived.empty():
                events.append(self._arrived.get_nowait())
            try:
                await self._tell(events, self.pages)
            except Exception as error:  # whatever the database says: pages catch up, and listening goes on
                _log.warning("Live pages: %s", error)
                for page in self.pages:
                    page.push(_GAP)

    async def _tell(self, events: list[Event], pages: Iterable[Page]) -> None:
        self.last_id = max([self.last_id, *(event.get("id", 0) for event in events)])
        audiences = await self._audiences_of(events) if pages else {}
        for event in events:
            self._mark_changed_people(event)
            data, audience = frame(event), audiences.get((event.get("kind", ""), event.get("record", 0)))
            for page in list(pages):
                if _may_know(page.actor, event, audience):
                    page.push(data if page.actor.is_staff else frame(for_requesters(event, page.actor.user_id)))

    async def _audiences_of(self, events: list[Event]) -> dict[tuple[str, int], Audience]:
        found: dict[tuple[str, int], Audience] = {}
        for kind, ask in self.audiences.items():
            ids = {event["record"] for event in events if event.get("kind") == kind and "record" in event}
            if ids:
                rows: Mapping[int, Audience] = await self._in_thread(ask, ids)
                found.update({(kind, record): audience for record, audience in rows.items()})
        return found

    def _mark_changed_people(self, event: Event) -> None:
        """A changed person or team may see more or less from now on: ask again before the next event is sent."""
        if event.get("kind") not in ("person", "team"):
            return
        for page in self.pages:
            if event["kind"] == "team" or page.actor.user_id == event.get("record"):
                page.recheck = True
                page.woken.set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer GET /live: the ASGI application."""
        session, last_id = self._asked(scope)
        actor = await self._in_thread(self.authenticate, session) if session else None
        if scope["method"] != "GET" or actor is None:
            status = 401 if scope["method"] == "GET" else 405
            await send(
                {
                    "type": "http.response.start",
                    "status": status,
                    "headers": [(b"content-type", b"text/plain"), (b"cache-control", b"no-store")],
                }
            )
            await send({"type": "http.response.body", "body": b"Sign in to follow changes.\n" if status == 401 else b"Only GET.\n"})
            return
        page = Page(session, actor)
        self.pages.add(page)
        try:
            await send({"type": "http.response.start", "status": 200, "headers": _HEADERS})
            page.push(b"retry: 2000\n\n")
            if last_id:
                await self._tell_missed(page, last_id)
            await self._serve(page, receive, send)
        finally:
            self.pages.discard(page)

    def _asked(self, scope: Scope) -> tuple[str, int]:
        """Return the session key and the last journal id that the page knows."""
        headers = {bytes(name).lower(): bytes(value).decode("latin-1") for name, value in scope["headers"]}
        jar: SimpleCookie = SimpleCookie()
        with contextlib.suppress(CookieError):
            jar.load(headers.get(b"cookie", ""))
        since = headers.get(b"last-event-id") or (parse_qs(scope["query_string"].decode("latin-1")).get("since") or [""])[0]
        return (jar[self.cookie].value if self.cookie in jar else ""), int(since) if since.isdigit() and len(since) < 19 else 0

    async def _tell_missed(self, page: Page, last_id: int) -> None:
        events = await self._missed(last_id)
        audiences = await self._audiences_of(events)
        for event in events:
            if _may_know(page.actor, event, audiences.get((event.get("kind", ""), event.get("record", 0)))):
                page.push(frame(event if page.actor.is_staff else for_requesters(event, page.actor.user_id)))

    async def _serve(self, page: Page, receive: Receive, send: Send) -> None:
        """Send what arrives, a sign of life when nothing does, until the page is left or the person may no longer look."""
        left = asyncio.create_task(_until_left(page, receive))
        checked = asyncio.get_running_loop().time()
        try:
            while not page.closed:
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(page.woken.wait(), HEARTBEAT_SECONDS)
                now = asyncio.get_running_loop().time()
                if page.recheck or now - checked > RECHECK_SECONDS:
                    page.recheck, checked = False, now
                    await self._check_again(page)
                if not page.closed:
                    await send({"type": "http.response.body", "body": page.take() or b": still here\n\n", "more_body": True})
            with contextlib.suppress(OSError):
                await send({"type": "http.response.body", "body": b""})
        finally:
            left.cancel()

    async def _check_again(self, page: Page) -> None:
        """Ask again who looks at the page; when the database is away, wait for it rather than throw the page out."""
        try:
            actor = await self._in_thread(self.authenticate, page.session)
        except Exception as error:
            _log.warning("Live pages: %s", error)
            return
        if actor is None:
            page.closed = True
        else:
            page.actor = actor


def _may_know(actor: Actor, event: Event, audience: Audience | None) -> bool:
    if "record" not in event:
        return True  # a gap or a bulk event names nothing
    if event.get("private") and not actor.is_staff:
        return False
    return (audience or STAFF).includes(actor)


async def _until_left(page: Page, receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
    page.closed = True
    page.woken.set()
