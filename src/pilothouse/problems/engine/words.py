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
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import sparse  # type: ignore[import-untyped]

from pilothouse.problems.engine.columns import Fact, Tickets

LONGEST_READ = 3000  # characters of a ticket that are read; what matters stands at the beginning
_MOST_WORDS = 160
_WORD = re.compile(r"[^\W\d_]{2,30}")
_DIGIT = re.compile(r"\d")
_DIGITS = re.compile(r"\S*\d\S*")
_NAME = re.compile(r"(?<![\w.@/-])(?=[\w-]*\d)(?=[\w-]*[A-Za-z])[A-Za-z0-9][A-Za-z0-9_-]{3,39}(?![\w@/-])")
_UNSPACED = re.compile(r"[\u0e00-\u0eff\u3040-\u30ff\u3400-\u9fff]{2,}")
_LINES_LEARNT_FROM = 10_000
_TITLE_WEIGHT = 2
NAMED_AT_LEAST = 5  # tickets that name a thing before it counts


@dataclass(frozen=True, slots=True, eq=False)
class Words:
    """Words of tickets as counts; `names` are what recurs and has digits, several a ticket (row, code)."""

    counts: sparse.csr_array
    vocabulary: tuple[str, ...]
    named_rows: np.ndarray
    named_codes: np.ndarray
    names: tuple[str, ...]
    reader: "Reader"

    def named(self, code: int) -> np.ndarray:
        """Return the rows of the tickets that name it."""
        return np.asarray(self.named_rows[self.named_codes == code])


@dataclass(frozen=True, slots=True, eq=False)
class Reader:
    """Reads a text into words by what was learnt; new tickets are read by it as the old ones were."""

    boilerplate: frozenset[str]
    places: dict[str, int]

    def columns(self, title: str, text: str) -> list[int]:
        """Return the places of a ticket's words in the vocabulary, repeated as they occur."""
        found = [self.places.get(word, -1) for word in _said(title, text, self.boilerplate)]
        return [place for place in found if place >= 0]


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


def _line(text: str) -> str:
    return " ".join(words_in(text))


def _said(title: str, text: str, boilerplate: frozenset[str]) -> list[str]:
    found = words_in(plain(title)) * _TITLE_WEIGHT if title else []
    for line in plain(text).splitlines() if text else ():
        words = words_in(line)
        if words and (len(words) > 16 or " ".join(words) not in boilerplate):
            found += words
        if len(found) >= _MOST_WORDS:
            break
    return found[:_MOST_WORDS]


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
        for line in {_line(line) for line in plain(texts[row]).splitlines()}:
            if line and line.count(" ") < 16:
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
    flat, ends, first_places = _all_words(tickets, boilerplate)
    if not len(flat):
        return None
    counts, vocabulary, places = _table(flat, ends, first_places)
    if not vocabulary:
        return None
    rows, codes, names = _all_names(tickets)
    return Words(counts, vocabulary, rows, codes, names, Reader(boilerplate, places))


def _all_words(tickets: Tickets, boilerplate: frozenset[str]) -> tuple[np.ndarray, np.ndarray, dict[str, int]]:
    places: dict[str, int] = {}
    flat, ends = array("i"), array("q")
    for row in range(len(tickets)):
        title = tickets.titles[row] if tickets.titles is not None else ""
        text = tickets.texts[row] if tickets.texts is not None else ""
        flat.extend([places.setdefault(word, len(places)) for word in _said(title, text, boilerplate)])
        ends.append(len(flat))
    return np.frombuffer(flat, dtype=np.int32) if flat else np.empty(0, np.int32), np.frombuffer(ends, dtype=np.int64), places


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
        if len(words[i]) >= 5:
            for cut in _cuts(words[i]):
                near[cut] = int(i)
    for i in np.flatnonzero(spread <= 3).tolist():
        word = words[i]
        if len(word) >= 5:
            found = next((near[cut] for cut in _cuts(word) if cut in near), -1)
            if found >= 0 and abs(len(words[found]) - len(word)) <= 1:
                target[i] = found
    return target


def _cuts(word: str) -> Iterable[str]:
    """Yield a word and what is left of it without one of its letters; two words that share one differ in a letter or two."""
    yield word
    for i in range(1, len(word)):
        yield word[:i] + word[i + 1 :]


def _all_names(tickets: Tickets) -> tuple[np.ndarray, np.ndarray, tuple[str, ...]]:
    places: dict[str, int] = {}
    rows, codes = array("q"), array("i")
    for row in range(len(tickets)):
        for name in sorted(names_in(tickets.words_of(row))):
            rows.append(row)
            codes.append(places.setdefault(name, len(places)))
    if not rows:
        return np.empty(0, np.int64), np.empty(0, np.int32), ()
    all_rows, all_codes = np.frombuffer(rows, dtype=np.int64), np.frombuffer(codes, dtype=np.int32)
    counts = np.bincount(all_codes, minlength=len(places))
    kept = np.flatnonzero(counts >= NAMED_AT_LEAST)
    order = np.full(len(places), -1, np.int32)
    order[kept] = np.arange(len(kept), dtype=np.int32)
    names = tuple(places)
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
