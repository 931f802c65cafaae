"""What the command palette offers: tickets by number, views, pages, actions; the words themselves as a search.

Rooms below the roof add their own sources with `register`: a source is a function of the actor and the typed words.
"""

from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from typing import Any

from pilothouse.platform.access import Actor
from pilothouse.web.navigation import rail

MOST_PER_GROUP = 8


@dataclass(frozen=True, slots=True)
class Choice:
    """One line of the palette: `url` to go to, or `key` naming a shortcut of the page to press."""

    label: str
    url: str = ""
    hint: str = ""
    key: str = ""


Source = Callable[[Actor, str], Iterable[Choice]]
_SOURCES: dict[str, Source] = {}


def register(group: str, source: Source) -> None:
    """Add a group of choices; the groups appear in the order in which they were added."""
    _SOURCES[group] = source


def matches(label: str, words: str) -> bool:
    """Say whether every typed word begins a word of the label."""
    parts = label.lower().split()
    return all(any(part.startswith(word) for part in parts) for word in words.lower().split())


def pages(actor: Actor, words: str) -> Iterable[Choice]:
    """Offer the pages of the rail."""
    links = [link for _, group in rail(actor, "") for link in group]
    return (Choice(link.label, link.url) for link in links if matches(link.label, words))


def entries(actor: Actor, words: str) -> list[dict[str, Any]]:
    """Ask every source, keep the first few of each, and leave out empty groups."""
    groups = []
    for name, source in {**_SOURCES, "Pages": pages}.items():
        choices = [asdict(choice) for choice, _ in zip(source(actor, words.strip()), range(MOST_PER_GROUP), strict=False)]
        if choices:
            groups.append({"name": name, "choices": choices})
    return groups
