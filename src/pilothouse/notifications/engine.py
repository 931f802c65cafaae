"""When a message may reach somebody, and when a delivery that failed is tried again: pure, no clock, no tables.

Hours are those of the recipient's zone, half-open: quiet from 22:00 until 07:00 is over at 07:00:00. Instants are aware and in UTC.
"""

import re
import unicodedata
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

FIRST_PAUSE_SECONDS = 20.0
LONGEST_PAUSE_SECONDS = 3600.0
MOST_ATTEMPTS = 14  # with pauses of 20 s, 40 s … 1 h: a receiver may be away for six hours
DEFAULT_DIGEST_AT = time(8)


@dataclass(frozen=True, slots=True)
class Hours:
    """When a person may be written to: quiet hours (None: none), whether an urgent message passes them, when the digest comes."""

    zone: str = "UTC"
    quiet_from: time | None = None
    quiet_until: time | None = None
    urgent_passes: bool = True
    digest_at: time = DEFAULT_DIGEST_AT


def zone_of(name: str) -> ZoneInfo:
    """Return a time zone by its name, UTC when there is none of it here."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return ZoneInfo("UTC")


def after_quiet(at: datetime, hours: Hours, *, urgent: bool) -> datetime:
    """Return the first instant from `at` on that is not in the quiet hours; `at` itself for an urgent message that may pass.

    >>> hours = Hours("Europe/Lisbon", time(22), time(7))
    >>> after_quiet(datetime(2026, 7, 1, 22, 30, tzinfo=UTC), hours, urgent=False).isoformat()
    '2026-07-02T06:00:00+00:00'
    """
    start, end = hours.quiet_from, hours.quiet_until
    if start is None or end is None or start == end or (urgent and hours.urgent_passes):
        return at
    zone = zone_of(hours.zone)
    local = at.astimezone(zone)
    moment = local.time()
    is_quiet = start <= moment < end if start < end else (moment >= start or moment < end)
    return _next(at, end, zone) if is_quiet else at


def next_digest(at: datetime, hours: Hours) -> datetime:
    """Return when the digest comes that takes in what is made at `at`: the next time of day, never `at` itself."""
    return _next(at, hours.digest_at, zone_of(hours.zone))


def _next(at: datetime, moment: time, zone: ZoneInfo) -> datetime:
    """Return the first instant after `at` at which clocks in the zone show this time of day.

    A time that the clocks pass twice counts both times, one that they leave out counts at the hour shown instead.
    """
    day = at.astimezone(zone).date()
    for ahead in range(3):
        for fold in (0, 1):
            found = datetime.combine(day + timedelta(days=ahead), moment, zone).replace(fold=fold).astimezone(UTC)
            if found > at:
                return found
    raise AssertionError("a time of day comes within two days")


def pause_seconds(attempts: int, luck: float) -> float:
    """Return how long to wait after so many failed attempts: doubling, at most an hour, give or take a fifth by `luck` in [0, 1).

    >>> [round(pause_seconds(n, 0.5)) for n in (1, 2, 3, 12)]
    [20, 40, 80, 3600]
    """
    pause = min(FIRST_PAUSE_SECONDS * 2.0 ** min(attempts - 1, 30), LONGEST_PAUSE_SECONDS)
    return float(pause * (0.8 + 0.4 * luck))


def one_line(text: str, longest: int = 200) -> str:
    """Return a text as one line without control or format characters, so that it can stand in a header; cut with an ellipsis.

    >>> one_line("INC1\\r\\nBcc: all@example.org")
    'INC1 Bcc: all@example.org'
    """
    plain = "".join(" " if unicodedata.category(sign) in ("Cc", "Zl", "Zp", "Cs") else sign for sign in text)
    plain = " ".join("".join(sign for sign in plain if unicodedata.category(sign) != "Cf" or sign == "\u200d").split())
    return plain if len(plain) <= longest else f"{plain[: longest - 1].rstrip()}…"


_BOLD = re.compile(r"\*\*(.+?)\*\*")
_LINK = re.compile(r"(?<!\\)\[([^\]\n]+)\]\(([^)\s]+)\)")
_ESCAPED = re.compile(r"\\([!-/:-@\[-`{-~])")


def plain_text(markdown: str) -> str:
    """Return short markdown as it reads well without being rendered.

    >>> plain_text("**30 min** left, see [the proof](https://desk.example/x).")
    '30 min left, see the proof (https://desk.example/x).'
    """
    return _ESCAPED.sub(r"\1", _LINK.sub(r"\1 (\2)", _BOLD.sub(r"\1", markdown)))
