"""Where one can go from anywhere: the rail of every page, and the pages the palette offers.

A page appears when its URL name exists and the reader may use it, so that a room is added by one line in `ENTRIES`.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from django.urls import NoReverseMatch, reverse

from pilothouse.platform.access import Actor, Capability


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the rail: its URL name, the capability it needs, and the heading it stands under.

    `narrow` keeps it in the bottom bar of a phone; `also` names further addresses below which it is current.
    """

    label: str
    url_name: str
    icon: str
    needs: Capability | None  # None: everybody who is signed in
    group: str = ""
    narrow: bool = False
    also: str = ""


ENTRIES = (
    Entry("Morning", "morning", "sun", Capability.READ_TICKETS, narrow=True),
    Entry("Queue", "queue", "queue", Capability.READ_TICKETS, narrow=True, also="/tickets"),
    Entry("My requests", "portal", "portal", Capability.RAISE_TICKETS, narrow=True),
    Entry("Search", "search", "search", Capability.READ_TICKETS, narrow=True),
    Entry("Inbox", "inbox", "inbox", None),
    Entry("Problems", "problems", "alert", Capability.READ_TICKETS, group="Practices"),
    Entry("Changes", "changes", "calendar", Capability.READ_TICKETS, group="Practices"),
    Entry("Configuration", "cmdb", "cmdb", Capability.READ_CMDB, group="Practices"),
    Entry("People", "people", "people", Capability.READ_PEOPLE, group="Practices", also="/teams"),
    Entry("Service levels", "service-levels", "clock", Capability.READ_TICKETS, group="Accountability"),
    Entry("Journal", "journal", "eye", Capability.SEE_RESTRICTED, group="Administration"),
    Entry("Import", "import", "import", Capability.IMPORT, group="Administration"),
    Entry("Settings", "administration", "settings", Capability.CONFIGURE, group="Administration"),
)


@dataclass(frozen=True, slots=True)
class Link:
    """An entry made ready for one request."""

    label: str
    url: str
    icon: str
    current: bool
    narrow: bool


def _link(entry: Entry, path: str) -> Link | None:
    url = first_url(entry.url_name)
    if not url:
        return None
    current = any(path == root or path.startswith(f"{root.rstrip('/')}/") for root in (url, entry.also) if root)
    return Link(entry.label, url, entry.icon, current, entry.narrow)


def rail(actor: Actor, path: str) -> list[tuple[str, list[Link]]]:
    """Gather the rail: groups in order, each with the links that exist and that the actor may follow."""
    groups: dict[str, list[Link]] = {}
    for entry in ENTRIES:
        link = _link(entry, path) if entry.needs is None or actor.can(entry.needs) else None
        if link:
            groups.setdefault(entry.group, []).append(link)
    return list(groups.items())


def first_url(*names: str) -> str:
    """Give the address of the first of these URL names that exists, or an empty string."""
    return next(_addresses(names), "")


def _addresses(names: Iterable[str]) -> Iterator[str]:
    for name in names:
        try:
            yield reverse(name)
        except NoReverseMatch:
            continue
