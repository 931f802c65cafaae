"""The streams that a ticket belongs to: its family, CI and kind, names and rare words, and family or kind crossed with attributes."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice

from pilothouse.problems.engine.columns import ASSIGNEE, CI, CLASS, FAMILY, GROUP, KIND, REQUESTER, SERVICE, SITE
from pilothouse.problems.engine.evidence import WINDOWS
from pilothouse.problems.engine.words import names_in, plain, words_in

KEPT = max(WINDOWS)  # tickets of a stream that are remembered
_MOST_WORDS, _MOST_NAMES, _MOST_CROSSED = 10, 5, 12
_STREAMS = (CI, *KIND)
_CROSSED = (SERVICE, "category")
_NO_ATTRIBUTES = frozenset({FAMILY, *_STREAMS, *_CROSSED, GROUP, ASSIGNEE, CLASS, REQUESTER, SITE})  # where people sit is asked by night


@dataclass(frozen=True, slots=True)
class Arrival:
    """A new ticket: `at` in seconds since 1970 UTC, `facts` as the miner's columns name them; FAMILY where it was placed."""

    key: str
    at: int
    title: str = ""
    text: str = ""
    facts: Mapping[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class Stream:
    """What is known of one stream: how many tickets in this horizon and the one before, and the last of them (place, instant, key)."""

    before: int = 0
    now: int = 0
    dropped: int = 0  # at most so many were counted before it was dropped once
    events: int = 0
    last: list[tuple[int, int, str]] = field(default_factory=list)

    @property
    def count(self) -> int:
        """How many tickets the stream has at most."""
        return self.before + self.now + self.dropped

    def add(self, place: int, at: int, key: str) -> None:
        """Take the stream's next ticket."""
        self.now += 1
        self.events += not self.last or at - self.last[-1][1] > 20 * 3600
        self.last.append((place, at, key))
        del self.last[:-KEPT]


def streams_of(arrival: Arrival, known: Mapping[str, Stream], most: float) -> list[str]:
    """Return the streams of a ticket, each once; a word that more than `most` of the tickets have said is none."""
    facts = arrival.facts
    keys = of_family(facts) + [f"{name}={value}" for name in _STREAMS if (value := facts.get(name))]
    kinds = [name for name in KIND if facts.get(name)]
    keys += [f"{a} and {b}={facts[a]}, {facts[b]}" for i, a in enumerate(kinds) for b in kinds[i + 1 :]]
    crossed = (f"{a} and {b}={facts[a]}, {facts[b]}" for a in _CROSSED if facts.get(a) for b in _attributes(facts))
    keys += list(islice(crossed, _MOST_CROSSED))
    keys += [f"named={name}" for name in sorted(names_in(f"{arrival.title}\n{arrival.text}"))[:_MOST_NAMES]]
    return list(dict.fromkeys([*keys, *_rare_words(arrival, known, most)]))


def _rare_words(arrival: Arrival, known: Mapping[str, Stream], most: float) -> Iterator[str]:
    """Yield the rarest words of a title, else of the beginning of the text."""
    said = dict.fromkeys(words_in(plain(arrival.title or arrival.text))[:40])
    counts = [(stream.count if (stream := known.get(f"word={word}")) else 0, word) for word in said]
    yield from (f"word={word}" for count, word in sorted(counts)[:_MOST_WORDS] if count <= most)


def of_family(facts: Mapping[str, str]) -> list[str]:
    """Return the streams of a ticket's family: the family, and the family crossed with attributes."""
    if not facts.get(FAMILY):
        return []
    return [f"{FAMILY}={facts[FAMILY]}", *(f"{FAMILY} and {name}={facts[FAMILY]}; {facts[name]}" for name in _attributes(facts))]


def is_of_families(key: str) -> bool:
    """Say whether a stream is one of those that follow from families."""
    return key.startswith((f"{FAMILY}=", f"{FAMILY} and "))


def _attributes(facts: Mapping[str, str]) -> list[str]:
    return [name for name in sorted(facts) if name not in _NO_ATTRIBUTES and facts[name]][:_MOST_CROSSED]
