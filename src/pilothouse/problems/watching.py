"""Tickets as they come in: every few minutes the new ones are held against those before, and what crowds is raised at once.

The first look takes the tickets of the last ninety days for what is usual and raises nothing. What was opened more than a day ago is
history that somebody brings in; the night looks at it. New tickets join the families that the night found: when it has left new ones,
the tickets that were watched already are given theirs anew. One worker watches at a time.
"""

from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from datetime import datetime, timedelta
from multiprocessing import get_context
from typing import Any

import orjson

from pilothouse.platform.access import Actor
from pilothouse.platform.alone import alone
from pilothouse.platform.background import stand_back
from pilothouse.platform.statements import run
from pilothouse.problems import watch_child
from pilothouse.problems.actions.watching import keep_watch
from pilothouse.problems.engine.columns import CI, CLASS, REQUESTER, SERVICE, SITE
from pilothouse.problems.models import TicketWatch
from pilothouse.problems.watch_child import Arrival
from pilothouse.tickets.engine.lifecycle import RAISED_KINDS

USUAL, _REMEMBERED = timedelta(days=90), timedelta(days=180)
_USUAL_AT_MOST, _AT_ONCE = 20_000, 5000
_LATE = timedelta(days=1)
_SETTLED = timedelta(seconds=5)  # a ticket's number is given before its transaction ends
_LOCK = "pilothouse watch"
_NEW = """
SELECT t.id, extract(epoch FROM t.opened_at)::bigint, t.title, left(t.description, 4000), t.category, t.subcategory, s.name, p.site,
  p.email, c.name, c.ci_class, c.attributes::text
FROM tickets_ticket t LEFT JOIN cmdb_service s ON s.id = t.service_id LEFT JOIN cmdb_ci c ON c.id = t.ci_id
LEFT JOIN people_user p ON p.id = t.requester_id
"""
_AFTER = f"{_NEW} WHERE t.id > %s AND t.kind = ANY(%s) AND t.opened_at >= %s AND t.created_at <= %s ORDER BY t.id LIMIT %s"
_BEFORE = f"{_NEW} WHERE t.kind = ANY(%s) AND t.opened_at >= %s AND t.created_at <= %s ORDER BY t.opened_at DESC, t.id DESC LIMIT %s"
_TAKEN = f"{_NEW} WHERE t.id <= %s AND t.kind = ANY(%s) AND t.opened_at >= %s ORDER BY t.opened_at DESC, t.id DESC LIMIT %s"


def watch(*, actor: Actor, now: datetime) -> int:
    """Look at what has come in since the last time; returns how many troubles were raised. Does nothing while another worker watches."""
    with alone(_LOCK) as is_free:
        if not is_free:
            return 0
        kept = TicketWatch.objects.order_by("pk").first() or TicketWatch()
        arrivals = _since(kept.last_ticket_id, now) if kept.state else _usual(now)
        if not arrivals:
            return 0
        before = _taken(kept.last_ticket_id, now) if kept.state and kept.atlas_run != kept.grouped_by else []
        state, raised, joined = _looked(bytes(kept.state), [arrival for _, arrival in arrivals], bytes(kept.atlas), before)
        last = max(key for key, _ in arrivals)
        if not kept.state:  # what was usual until now is no news
            raised, joined = [], []
        return keep_watch(actor=actor, state=state, last_ticket_id=last, raised=raised, joined=joined, grouped_by=kept.atlas_run, now=now)


def _looked(
    state: bytes, arrivals: Sequence[Arrival], atlas: bytes, before: Sequence[Arrival]
) -> tuple[bytes, list[dict[str, Any]], list[list[Any]]]:
    with ProcessPoolExecutor(1, mp_context=get_context("spawn"), initializer=stand_back) as alone:
        return alone.submit(watch_child.look, state, arrivals, atlas, before).result()


def _since(last: int, now: datetime) -> list[tuple[int, Arrival]]:
    return _read(_AFTER, last, list(RAISED_KINDS), now - _LATE, now - _SETTLED, _AT_ONCE)


def _usual(now: datetime) -> list[tuple[int, Arrival]]:
    return _read(_BEFORE, list(RAISED_KINDS), now - USUAL, now - _SETTLED, _USUAL_AT_MOST)


def _taken(last: int, now: datetime) -> list[Arrival]:
    """Return the tickets up to the last one that was watched, as far back as the watch remembers, at most so many."""
    return [arrival for _, arrival in _read(_TAKEN, last, list(RAISED_KINDS), now - _REMEMBERED, _USUAL_AT_MOST)]


def _read(query: str, *values: Any) -> list[tuple[int, Arrival]]:
    """Return tickets by their ids as arrivals, in order of their times."""
    return sorted((_arrival(row) for row in run(query, values)), key=lambda each: (each[1][1], each[0]))


def _arrival(row: Sequence[Any]) -> tuple[int, Arrival]:
    key, at, title, text, category, subcategory, service, site, requester, ci, ci_class, attributes = row
    known: Mapping[str, Any] = orjson.loads(attributes) if attributes else {}
    facts = {name: str(value) for name, value in known.items() if isinstance(value, str | int) and len(str(value)) <= 80}
    facts |= {"category": category, "subcategory": subcategory, SERVICE: service, SITE: site, REQUESTER: requester, CI: ci, CLASS: ci_class}
    return key, (str(key), at, title, text, {name: value for name, value in facts.items() if value})
