"""Rate limits: so many requests a minute for one person, so many wrong tokens a minute from one place.

Counted in PostgreSQL, so that all web processes share one limit. A process takes permits from the table by the portion (a
thousandth of the limit), which costs one round trip for many requests: it may waste a few permits, it never lets more through.
"""

import os
import threading
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection

from pilothouse.platform.rest import TooManyRequests

WINDOW = timedelta(minutes=1)
PER_MINUTE = int(os.environ.get("PILOTHOUSE_REST_PER_MINUTE", "60000"))
WRONG_TOKENS_PER_MINUTE = 60
_MOST_KEPT = 10_000

# A clock that is behind another process's must not open the newer window again.
_TAKE = """
INSERT INTO rate_window AS w (key, window_at, count) VALUES (%s, %s, %s)
ON CONFLICT (key) DO UPDATE SET
  count = CASE WHEN EXCLUDED.window_at > w.window_at THEN EXCLUDED.count ELSE w.count + EXCLUDED.count END,
  window_at = greatest(w.window_at, EXCLUDED.window_at)
RETURNING count
"""


@dataclass(slots=True)
class _Permits:
    window_at: datetime
    left: int


class Limit:
    """So many requests a window for each key."""

    def __init__(self, most: int) -> None:
        self.most = most
        self.portion = max(1, most // 1000)
        self._lock = threading.Lock()
        self._permits: dict[str, _Permits] = {}

    def take(self, key: str, now: datetime) -> None:
        """Use one permit of this key; TooManyRequests when the window has none left."""
        window_at = now.replace(second=0, microsecond=0)
        if self._use(key, window_at):
            return
        granted = self._fetch(key, window_at)
        if granted <= 0:
            wait = max(1, int((window_at + WINDOW - now).total_seconds()) + 1)
            raise TooManyRequests(f"At most {self.most:,} a minute. Try again in {wait} s.", retry_after_seconds=wait)
        self._keep(key, window_at, granted - 1)

    def is_spent(self, key: str, now: datetime) -> bool:
        """Say whether the window has no permit left, without using one."""
        with connection.cursor() as cursor:
            cursor.execute("SELECT count FROM rate_window WHERE key = %s AND window_at >= %s", [key, now.replace(second=0, microsecond=0)])
            row = cursor.fetchone()
        return row is not None and row[0] >= self.most

    def _use(self, key: str, window_at: datetime) -> bool:
        with self._lock:
            permits = self._permits.get(key)
            if permits is None or permits.window_at != window_at or permits.left <= 0:
                return False
            permits.left -= 1
            return True

    def _fetch(self, key: str, window_at: datetime) -> int:
        """Take a portion from the table and return how much of it lies within the limit."""
        with connection.cursor() as cursor:
            cursor.execute(_TAKE, [key, window_at, self.portion])
            count = int(cursor.fetchone()[0])
        return self.portion - max(0, count - self.most)

    def _keep(self, key: str, window_at: datetime, left: int) -> None:
        with self._lock:
            if len(self._permits) >= _MOST_KEPT:
                self._permits = {k: p for k, p in self._permits.items() if p.window_at == window_at}
            kept = self._permits.get(key)
            before = kept.left if kept is not None and kept.window_at == window_at else 0
            self._permits[key] = _Permits(window_at, before + left)


people = Limit(PER_MINUTE)
strangers = Limit(WRONG_TOKENS_PER_MINUTE)
