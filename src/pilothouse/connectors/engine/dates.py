"""Reading instants from text: which formats a column has, and each value in its time zone; pure.

Formats are strptime's. A format with a zone in it (%z) overrides the file's zone. ISO 8601 is understood besides. A local time
that a clock change skips is read as if the clock had not changed yet; one that occurs twice is the first.
"""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, tzinfo
from zoneinfo import ZoneInfo

from pilothouse.connectors.engine.tables import BadFile

DAY_FIRST = ("%d/%m/%Y", "%d-%m-%Y", "%d.%m.%Y")
MONTH_FIRST = ("%m/%d/%Y", "%m-%d-%Y", "%m.%d.%Y")
OTHERS = ("%Y-%m-%d", "%Y/%m/%d", "%d/%b/%y", "%d %b %Y", "%d-%b-%Y", "%d/%b/%Y")
TIMES = ("", " %H:%M", " %H:%M:%S", " %I:%M %p", " %I:%M:%S %p")


class Clock:
    """Reads the instants of one file. Remembers values, as a log repeats them."""

    def __init__(self, formats: Sequence[str], zone: str) -> None:
        self.formats = tuple(formats)
        self.zone = zone_named(zone)
        self._known: dict[str, datetime | None] = {}

    def read(self, text: str) -> datetime | None:
        """Return the aware UTC instant of a text, or None when no format fits it."""
        if text in self._known:
            return self._known[text]
        if len(self._known) > 100_000:
            self._known.clear()
        found = self._known[text] = self._read(text)
        return found

    def _read(self, text: str) -> datetime | None:
        for wanted in self.formats:
            try:
                return _placed(datetime.strptime(text, wanted), self.zone)  # noqa: DTZ007  the zone is set at once
            except ValueError:
                continue
        try:
            return _placed(datetime.fromisoformat(text), self.zone)
        except (ValueError, OverflowError):
            return None

    def reason(self, text: str) -> str:
        """Say why a text is no instant here, and what it may be instead."""
        shown = " or ".join(readable(each) for each in self.formats) or "ISO 8601"
        swapped = [each.replace("%d", "\0").replace("%m", "%d").replace("\0", "%m") for each in self.formats]
        if Clock(swapped, "UTC").read(text) is not None:
            return f"Not a date in the form {shown}: day and month seem to be the other way round than in the rest of the file."
        return f"Not a date in the form {shown}."


def zone_named(name: str) -> tzinfo:
    """Return a time zone by its IANA name; BadFile when there is none."""
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise BadFile(f"There is no time zone “{name}”; for instance UTC or Europe/Amsterdam.") from None


def _placed(at: datetime, zone: tzinfo) -> datetime | None:
    try:
        return (at if at.tzinfo else at.replace(tzinfo=zone)).astimezone(UTC)
    except OverflowError:  # the year 1 or 9999 at the edge of a zone
        return None


def readable(wanted: str) -> str:
    """Return a format as a person writes it.

    >>> readable("%d/%m/%Y %H:%M")
    'dd/mm/yyyy HH:MM'
    """
    for code, word in {
        "%d": "dd",
        "%m": "mm",
        "%Y": "yyyy",
        "%y": "yy",
        "%b": "Mon",
        "%H": "HH",
        "%I": "hh",
        "%M": "MM",
        "%S": "SS",
        "%p": "AM",
    }.items():
        wanted = wanted.replace(code, word)
    return wanted


def candidates() -> list[str]:
    """Return every date format that is looked for, day first before month first."""
    return [date + time for date in (*OTHERS, *DAY_FIRST, *MONTH_FIRST) for time in TIMES]


def formats_of(values: Iterable[str], column: str) -> tuple[str, ...]:
    """Tell the formats of a column from a sample of its values; BadFile when day first and month first are mixed.

    Returns () when the values are not dates, or ISO 8601. Values that could be either way decide nothing; when nothing
    decides, day first is taken, and `is_undecided` says so.
    """
    values = [value for value in values if value]
    if not values or all(_is_iso(value) for value in values):
        return ()
    day = _fitting(values, DAY_FIRST)
    month = _fitting(values, MONTH_FIRST)
    only_day, only_month = set(day) - set(month), set(month) - set(day)
    if only_day and only_month:
        raise BadFile(
            f"The column “{column}” mixes date formats: “{min(only_day)}” has the day first, “{min(only_month)}” the month first."
            " Mend the file, or say date_formats in a mapping file; the rows that do not fit are then rejected."
        )
    if day or month:
        return tuple(dict.fromkeys((month if only_month else day).values()))
    return tuple(dict.fromkeys(_fitting(values, OTHERS).values()))


def is_undecided(values: Iterable[str]) -> bool:
    """Say whether every date of the sample reads with the day first as well as with the month first.

    >>> is_undecided(["1/2/2026 10:00"]), is_undecided(["13/2/2026 10:00"])
    (True, False)
    """
    values = [value for value in values if value]
    day = _fitting(values, DAY_FIRST)
    return bool(day) and set(day) == set(_fitting(values, MONTH_FIRST))


def _is_iso(value: str) -> bool:
    try:
        datetime.fromisoformat(value)
    except ValueError:
        return False
    return True


def _fitting(values: Sequence[str], dates: Sequence[str]) -> dict[str, str]:
    """Return each value that fits one of these dates with the format that it fits."""
    found: dict[str, str] = {}
    wanted = [date + time for date in dates for time in TIMES]
    for value in values:
        for each in wanted:
            try:
                datetime.strptime(value, each)  # noqa: DTZ007  only whether it fits
            except ValueError:
                continue
            found[value] = each
            break
    return found
