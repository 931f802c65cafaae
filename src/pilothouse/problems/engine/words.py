"""Texts become words.

What goes: letter case and accents, everything with a digit in it (ids, numbers, addresses), words that are in every fifth ticket,
and boilerplate, which is learnt: a line that recurs under many different titles says nothing of any. A rare word that is one
letter away from a common one is taken for it. What has digits and recurs (a host, a job, an error code) is not a word but a name:
it is kept apart, as a fact of the ticket. No language is built in; writing without blanks is cut into pairs of letters.
"""

import re
import unicodedata
from array import array
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import sparse  # type: ignore[import-untyped]

from pilothouse.problems.engine.columns import Fact, Tickets
from pilothouse.problems.engine.spelling import SHORTEST, cuts

LONGEST_READ = 3000  # characters of a ticket that are read; what matters stands at the beginning
_MOST_WORDS = 160
_WORD = re.compile(r"[^\W\d_]{2,30}")
_DIGIT = re.compile(r"\d")
_DIGITS = re.compile(r"\S*\d\S*")
_NAME = re.compile(r"(?<![\w.@/-])(?=[\w-]*\d)(?=[\w-]*[A-Za-z])[A-Za-z0-9][A-Za-z0-9_-]{3,39}(?![\w@/-])")
_UNSPACED = re.compile(r"[\u0e00-\u0eff\u3040-\u30ff\u3400-\u9fff]{2,}")
_LINES_LEARNT_FROM = 10_000
_LONGEST_BOILERPLATE = 16  # words
_TITLE_WEIGHT = 2
_REMEMBERED = 200_000  # lines: exports repeat themselves
NAMED_AT_LEAST = 5  # tickets that name a thing before it counts


@dataclass(frozen=True, slots=True, eq=False)
class Words:
    """Words of tickets as counts, and in how many tickets each is; `names` are what recurs and has digits, several a ticket (row, code)."""

    counts: sparse.csr_array
    spread: np.ndarray
    vocabulary: tuple[str, ...]
    named_rows: np.ndarray
    named_codes: np.ndarray
    names: tuple[str, ...]
    reader: "Reader"


@dataclass(frozen=True, slots=True, eq=False)
class Reader:
    """Reads a text into words by what was learnt; new tickets are read by it as the old ones were."""

    boilerplate: frozenset[str]
    places: dict[str, int]

    def columns(self, title: str, text: str) -> list[int]:
        """Return the places of a ticket's words in the vocabulary, repeated as they occur."""
        words = words_in(plain(title)) * _TITLE_WEIGHT
        for line in _lines(text):
            words += _words_of(line, self.boilerplate)
        return [place for word in words[:_MOST_WORDS] if (place := self.places.get(word, -1)) >= 0]


def plain(text: str) -> str:
    """Return a text in lower case without accents and control characters, cut to what is read.

    >>> plain("Größe É\\x00")
    'große e '
    """
    text = text[:LONGEST_READ]
    if text.isascii():
        return text.lower().translate(_CONTROLS)
    text = unicodedata.normalize("NFKD", text)
    return "".join(c for c in text if not unicodedata.combining(c)).lower().translate(_CONTROLS)


_CONTROLS = dict.fromkeys((*range(9), 11, 12, *range(14, 32), 127), " ")


def words_in(text: str) -> list[str]:
    """Return the words of a text that is plain already; whatever has a digit in it is none.

    >>> words_in("vpn on ws-10101 drops 0x80 again")
    ['vpn', 'on', 'drops', 'again']
    """
    if _DIGIT.search(text):
        text = _DIGITS.sub(" ", text)
    found = _WORD.findall(text)
    if text.isascii() or not _UNSPACED.search(text):
        return found
    pairs = [run[i : i + 2] for run in _UNSPACED.findall(text) for i in range(len(run) - 1)]
    return [word for word in found if not _UNSPACED.match(word)] + pairs


def names_in(text: str) -> set[str]:
    """Return what looks like the name of a thing: letters and digits in one word, in capitals.

    >>> sorted(names_in("Job LED40D01 on lds-srv-017, at 10:30, 0x8004231F"))
    ['0X8004231F', 'LDS-SRV-017', 'LED40D01']
    """
    return {name.upper() for name in _NAME.findall(text[:LONGEST_READ])}


def _lines(text: str) -> list[str]:
    return text[:LONGEST_READ].splitlines()


def _words_of(line: str, boilerplate: frozenset[str]) -> list[str]:
    """Return the words of a line of a text; none of boilerplate."""
    words = words_in(plain(line))
    return words if len(words) > _LONGEST_BOILERPLATE or " ".join(words) not in boilerplate else []


def learn_boilerplate(titles: Sequence[str] | None, texts: Sequence[str] | None) -> frozenset[str]:
    """Return lines that recur under titles that have nothing in common: greetings, thanks, footers.

    A line is about something when a word is much more frequent in the titles above it than in titles at large.
    """
    if titles is None or texts is None:
        return frozenset()
    rows = range(0, len(texts), max(1, len(texts) // _LINES_LEARNT_FROM))
    seen: Counter[str] = Counter()
    usual: Counter[str] = Counter()
    above: dict[str, Counter[str]] = {}
    for row in rows:
        title = set(words_in(plain(titles[row])))
        usual.update(title)
        for line in {" ".join(words_in(plain(line))) for line in _lines(texts[row])}:
            if line and line.count(" ") < _LONGEST_BOILERPLATE:
                seen[line] += 1
                above.setdefault(line, Counter()).update(title)
    least = max(8, len(rows) // 1500)
    return frozenset(line for line, count in seen.items() if count >= least and not _about(above[line], count, usual, len(rows)))


def _about(titles: Counter[str], count: int, usual: Counter[str], total: int) -> bool:
    return any(n >= max(3, 0.12 * count) and n / count > 4 * usual[word] / total for word, n in titles.items())


def read(tickets: Tickets) -> Words | None:
    """Read every ticket's words; None when the tickets have none to speak of."""
    if tickets.titles is None and tickets.texts is None:
        return None
    boilerplate = learn_boilerplate(tickets.titles, tickets.texts)
    texts = _Texts(boilerplate)
    none = [""] * len(tickets)
    for row, (title, text) in enumerate(zip(tickets.titles or none, tickets.texts or none, strict=True)):
        texts.add(row, title, text)
    if not texts.flat:
        return None
    counts, vocabulary, places = _table(np.frombuffer(texts.flat, dtype=np.int32), np.frombuffer(texts.ends, dtype=np.int64), texts.places)
    if not vocabulary:
        return None
    return Words(counts, np.bincount(counts.indices, minlength=len(vocabulary)), vocabulary, *_frequent(texts), Reader(boilerplate, places))


class _Texts:
    """All texts read once: words (their places as they came first) and names, row by row."""

    def __init__(self, boilerplate: frozenset[str]) -> None:
        self.boilerplate = boilerplate
        self.places: dict[str, int] = {}
        self.flat, self.ends = array("i"), array("q")
        self.names: dict[str, int] = {}
        self.named_rows, self.named_codes = array("q"), array("i")
        self._titles: dict[str, tuple[list[int], set[str]]] = {}
        self._known: dict[str, tuple[list[int], set[str]]] = {}

    def add(self, row: int, title: str, text: str) -> None:
        """Take a ticket's title and text."""
        found, names = self._line(title, self._titles, frozenset()) if title else ([], set())
        found = found * _TITLE_WEIGHT
        for line in _lines(text):
            words, named = self._line(line, self._known, self.boilerplate)
            if len(found) < _MOST_WORDS:
                found = found + words
            if named:
                names = names | named
        self.flat.extend(found[:_MOST_WORDS])
        self.ends.append(len(self.flat))
        for name in sorted(names):
            self.named_rows.append(row)
            self.named_codes.append(self.names.setdefault(name, len(self.names)))

    def _line(self, line: str, known: dict[str, tuple[list[int], set[str]]], boilerplate: frozenset[str]) -> tuple[list[int], set[str]]:
        found = known.get(line)
        if found is None:
            words = _words_of(line, boilerplate)
            found = [self.places.setdefault(word, len(self.places)) for word in words], names_in(line) if _DIGIT.search(line) else set()
            if len(known) < _REMEMBERED:
                known[line] = found
        return found


def _table(flat: np.ndarray, ends: np.ndarray, places: dict[str, int]) -> tuple[sparse.csr_array, tuple[str, ...], dict[str, int]]:
    """Count words a ticket, joining misspellings and leaving out what is everywhere or nowhere else."""
    n, total = len(ends), len(places)
    counts = sparse.csr_array((np.ones(len(flat), np.float32), flat, np.concatenate(([0], ends))), shape=(n, total))
    counts.sum_duplicates()
    spread = np.bincount(counts.indices, minlength=total)
    words = list(places)
    joined = _respelled(words, spread)
    counts = sparse.csr_array((counts.data, joined[counts.indices], counts.indptr), shape=(n, total))
    counts.sum_duplicates()
    spread = np.bincount(counts.indices, minlength=total)
    least = 2 if n < 2000 else 3 if n < 100_000 else 5
    kept = np.flatnonzero((spread >= least) & (spread <= max(0.2 * n, 8)))
    order = {int(old): new for new, old in enumerate(kept)}
    vocabulary = tuple(words[i] for i in kept)
    lookup = {word: order[target] for word, i in places.items() if (target := int(joined[i])) in order}
    return counts[:, kept].tocsr(), vocabulary, lookup


def _respelled(words: Sequence[str], spread: np.ndarray) -> np.ndarray:
    """Return for each word the one that it stands for: a rare word one letter away from a common one is a misspelling."""
    target = np.arange(len(words), dtype=np.int32)
    common = np.flatnonzero(spread >= 20)
    near: dict[str, int] = {}
    for i in common[np.argsort(spread[common], kind="stable")]:  # the most common word has the last say
        if len(words[i]) >= SHORTEST:
            for cut in cuts(words[i]):
                near[cut] = int(i)
    for i in np.flatnonzero(spread <= 3).tolist():
        word = words[i]
        if len(word) >= SHORTEST:
            found = next((near[cut] for cut in cuts(word) if cut in near), -1)
            if found >= 0 and abs(len(words[found]) - len(word)) <= 1:
                target[i] = found
    return target


def _frequent(texts: _Texts) -> tuple[np.ndarray, np.ndarray, tuple[str, ...]]:
    """Return the names that enough tickets have: rows, codes, and the names by their codes."""
    if not texts.named_rows:
        return np.empty(0, np.int64), np.empty(0, np.int32), ()
    all_rows, all_codes = np.frombuffer(texts.named_rows, dtype=np.int64), np.frombuffer(texts.named_codes, dtype=np.int32)
    kept = np.flatnonzero(np.bincount(all_codes, minlength=len(texts.names)) >= NAMED_AT_LEAST)
    order = np.full(len(texts.names), -1, np.int32)
    order[kept] = np.arange(len(kept), dtype=np.int32)
    names = tuple(texts.names)
    mask = order[all_codes] >= 0
    return all_rows[mask], order[all_codes[mask]], tuple(names[i] for i in kept)


def named_fact(words: Words | None, fact: Fact, count: int) -> Fact:
    """Complete a fact (the CI) where it is missing by the one of its names that a ticket's text names."""
    if words is None or not fact.names:
        return fact
    known = {name.upper(): code for code, name in enumerate(fact.names)}
    codes = fact.codes.copy()
    meant = np.array([known.get(name, -1) for name in words.names], dtype=np.int32)
    hit = meant[words.named_codes]
    rows = words.named_rows[hit >= 0]
    found = hit[hit >= 0]
    empty = codes[rows] < 0
    codes[rows[empty][::-1]] = found[empty][::-1]  # the first name in order stays
    return Fact(codes[:count], fact.names)
