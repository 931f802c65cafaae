"""The kinds of message there are: a room names its own when its app is ready, and people choose for each how it reaches them."""

from dataclasses import dataclass

TEST = "notifications.test"  # how an administrator tries mail or a webhook
MAIL_CHOICES = ("at_once", "digest", "none")


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of message: its word on pages and in digests, what it is about, and how it is mailed to who has not chosen."""

    key: str
    word: str
    about: str = ""
    mail: str = "at_once"


_kinds: dict[str, Kind] = {}


def register(key: str, word: str, *, about: str = "", mail: str = "at_once") -> None:
    """Add a kind of message; a second registration replaces the first."""
    if mail not in MAIL_CHOICES:
        raise ValueError(f"One of {MAIL_CHOICES}, not {mail}.")
    _kinds[key] = Kind(key, word, about, mail)


def known() -> list[Kind]:
    """Return the registered kinds by word."""
    return sorted(_kinds.values(), key=lambda kind: kind.word)


def get(key: str) -> Kind:
    """Return a kind; one that nobody registered is told by its key and mailed at once."""
    return _kinds.get(key) or Kind(key, key.replace(".", ": ").replace("_", " "))
