"""The time zones that there are (names of the IANA database); read once a process, as looking through their files takes some 20 ms."""

from functools import cache
from zoneinfo import available_timezones

_OTHER_NAMES = ("Etc/", "SystemV/", "US/", "posix/", "right/")


@cache
def known_zones() -> frozenset[str]:
    """Return every name that a zone is known by."""
    return frozenset(available_timezones())


@cache
def offered_zones() -> tuple[str, ...]:
    """Return the names that people pick from: UTC, and Area/City in the order of the alphabet."""
    return ("UTC", *sorted(name for name in known_zones() if "/" in name and not name.startswith(_OTHER_NAMES)))
