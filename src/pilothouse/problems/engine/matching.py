"""Which open problem a new incident is of; pure, and quick enough for the moment in which it is opened.

An incident becomes terms: its words (no accents, no case, nothing with a digit), names with digits in them, and facts ("CI=SRV-1").
A problem's signature is learnt from its incidents against others: the terms that are much commoner inside than outside, each with its
two shares. A score adds what each term says, present or absent (naive Bayes). Terms are not independent, so a score is no chance:
what it is worth is read off the scores of the problem's own incidents and of the others, whose tail is taken to fall exponentially.
From that come two thresholds: sure, and likely. Order of words never counts; a word with one letter wrong
counts as the word.
"""

import math
import re
import unicodedata
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from pilothouse.problems.engine.spelling import SHORTEST, cuts

LEAST = 3  # incidents from which something can be learnt
SURE, LIKELY = 0.95, 0.6  # of the incidents that score so high, so many are the problem's
_MOST_TERMS = 24
_LEAST_LIFT = 3.0
LONGEST_READ = 1500  # characters of a description
_TAIL = 0.02
_PART = {SURE: 0.7, LIKELY: 0.45}  # of what its own usually score
_NAMED = 3
_EVEN = 1e-6  # sums in another order
_WORD = re.compile(r"[^\W\d_]{3,30}")
_DIGITS = re.compile(r"\S*\d\S*")
_NAME = re.compile(r"(?<![\w.@/-])(?=[\w.-]*\d)[A-Za-z0-9][\w.-]{2,39}(?<!\.)(?![\w@/-])")
_LETTER = re.compile(r"[A-Za-z]")
_FACT = "="
_UNSPACED = re.compile(r"[\u0e00-\u0eff\u3040-\u30ff\u3400-\u9fff]{2,}")


def terms_of(title: str, text: str = "", facts: Mapping[str, str] | None = None) -> frozenset[str]:
    """Return an incident's terms; facts are what is known of it ("CI", "os build", "service" …), empty ones are left out.

    >>> sorted(terms_of("VaultKeep 7.4.2: backup FAILED on lds-017", facts={"CI": "lds-017", "site": ""}))
    ['#7.4.2', '#lds-017', 'CI=lds-017', 'backup', 'failed', 'vaultkeep']
    """
    whole = f"{title}\n{text[:LONGEST_READ]}"
    folded = "".join(c for c in unicodedata.normalize("NFKD", whole) if not unicodedata.combining(c)).casefold()
    words = {word for word in _WORD.findall(_DIGITS.sub(" ", folded)) if word not in _COMMON}
    words |= {run[i : i + 2] for run in _UNSPACED.findall(folded) for i in range(len(run) - 1)}
    names = {f"#{name.casefold()}" for name in _NAME.findall(whole) if _LETTER.search(name) or name.count(".") > 1}
    return frozenset(words | names | {f"{name}{_FACT}{value}" for name, value in (facts or {}).items() if value})


_COMMON = frozenset(("the", "and", "for", "with", "from", "not", "has", "have", "was", "are", "this", "that", "since", "when", "after"))


@dataclass(frozen=True, slots=True)
class Signature:
    """What marks a problem's incidents: terms with their shares inside and outside, and the scores from which on it is sure or likely.

    `masks` says for each incident which of the terms it has (bit i for term i), so that a reason can count.
    """

    terms: tuple[str, ...]
    inside: tuple[float, ...]
    outside: tuple[float, ...]
    masks: tuple[int, ...]
    sure: float
    likely: float

    def as_data(self) -> dict[str, Any]:
        """Return it as plain values for JSON."""
        return asdict(self)


def from_data(kept: Mapping[str, Any]) -> Signature:
    """Return a signature from `as_data`'s values."""
    lists = {name: tuple(kept[name]) for name in ("terms", "inside", "outside", "masks")}
    return Signature(**lists, sure=kept["sure"], likely=kept["likely"])


def learn(own: Sequence[frozenset[str]], others: Sequence[frozenset[str]], share: float) -> Signature | None:
    """Learn a signature from a problem's incidents against others; `share` is which part of all incidents is the problem's.

    None when there are fewer than three, or they have nothing in common that others have not.
    """
    if len(own) < LEAST or not others:
        return None
    terms, inside, outside = _telling(own, others)
    if not terms:
        return None
    masks = tuple(sum(1 << i for i, term in enumerate(terms) if term in each) for each in own)
    mine = sorted(_score(mask, inside, outside) for mask in masks)
    theirs = sorted(_score(sum(1 << i for i, t in enumerate(terms) if t in each), inside, outside) for each in others)
    share = min(max(share, 1e-5), 0.5)
    sure = _threshold(mine, theirs, share, SURE)
    return Signature(terms, inside, outside, masks, sure, min(sure, _threshold(mine, theirs, share, LIKELY)))


def _telling(
    own: Sequence[frozenset[str]], others: Sequence[frozenset[str]]
) -> tuple[tuple[str, ...], tuple[float, ...], tuple[float, ...]]:
    """Return the terms that tell most, each with its smoothed shares inside and outside."""
    here, there = Counter(term for each in own for term in each), Counter(term for each in others for term in each)
    least = max(2, 0.2 * len(own))
    found = []
    for term, count in here.items():
        p, q = (count + 0.5) / (len(own) + 1), (there[term] + 0.5) / (len(others) + 1)
        if count >= least and p >= _LEAST_LIFT * q:
            found.append((-p * math.log(p / q), term, p, q))
    found.sort()
    kept = found[:_MOST_TERMS]
    return tuple(t for _, t, _, _ in kept), tuple(p for _, _, p, _ in kept), tuple(q for _, _, _, q in kept)


def _score(mask: int, inside: Sequence[float], outside: Sequence[float]) -> float:
    return sum(
        math.log(p / q) if mask >> i & 1 else math.log((1 - p) / (1 - q)) for i, (p, q) in enumerate(zip(inside, outside, strict=True))
    )


def _threshold(mine: Sequence[float], theirs: Sequence[float], share: float, precision: float) -> float:
    """Return the lowest score from which on so many of all that score so high are the problem's own.

    Three bounds are kept: what the terms would say were they independent; what the others reach, with a tail that falls exponentially;
    and a part of what its own score, so that a few of many terms are never enough.
    """
    start = theirs[int(len(theirs) * (1 - _TAIL))]
    excess = [score - start for score in theirs if score > start]
    fall = max(sum(excess) / len(excess) if excess else 0.0, 0.5)
    odds = math.log(precision / (1 - precision)) - math.log(share / (1 - share))
    past_others = start + fall * max(0.0, odds + math.log(_TAIL))
    usual = mine[len(mine) // 10] if precision == SURE else mine[len(mine) // 2]
    return max(odds, past_others, _PART[precision] * usual)


@dataclass(frozen=True, slots=True)
class Likeness:
    """A problem that an incident looks like: how much, whether surely, and why in words."""

    problem: int
    score: float
    is_sure: bool
    reason: str


class Matcher:
    """Holds incidents against many signatures at once; made once, asked often."""

    def __init__(self, signatures: Mapping[int, Signature]) -> None:
        self._signatures = dict(signatures)
        self._base: dict[int, float] = {}
        self._where: dict[str, list[tuple[int, int, float]]] = {}
        self._near: dict[str, str] = {}
        for problem, signature in self._signatures.items():
            self._base[problem] = _score(0, signature.inside, signature.outside)
            for i, (term, p, q) in enumerate(zip(signature.terms, signature.inside, signature.outside, strict=True)):
                self._where.setdefault(term, []).append((problem, i, math.log(p / q) - math.log((1 - p) / (1 - q))))
        for term in self._where:
            if _misspells(term):
                self._near.update(dict.fromkeys(cuts(term), term))

    def match(self, terms: frozenset[str]) -> list[Likeness]:
        """Return the problems that an incident looks like, the likeliest first; at most three, and only one of them sure."""
        added: dict[int, float] = {}
        masks: dict[int, int] = {}
        for term in {self._meant(term) for term in terms}:
            for problem, i, weight in self._where.get(term, ()):
                added[problem] = added.get(problem, 0.0) + weight
                masks[problem] = masks.get(problem, 0) | 1 << i
        found = []
        for problem, weight in added.items():
            signature, score = self._signatures[problem], self._base[problem] + weight
            if score >= signature.likely - _EVEN and _enough(signature, masks[problem]):
                found.append(Likeness(problem, round(score, 3), score >= signature.sure - _EVEN, reason(signature, masks[problem])))
        found.sort(key=lambda each: (not each.is_sure, -each.score, each.problem))
        return found[:1] if found and found[0].is_sure else found[:3]

    def _meant(self, term: str) -> str:
        if term in self._where or not _misspells(term):
            return term
        return next((self._near[cut] for cut in cuts(term) if cut in self._near), term)


def _misspells(term: str) -> bool:
    return len(term) >= SHORTEST and _FACT not in term and not term.startswith("#")


def _enough(signature: Signature, mask: int) -> bool:
    """Say whether it is more than one thing that an incident shares."""
    return mask.bit_count() >= 2 or len(signature.terms) == 1


def reason(signature: Signature, mask: int) -> str:
    """Say why in words: the words that it shares with how many of the problem's incidents, then facts.

    >>> reason(Signature(("backup", "#7.4.2", "CI=SRV-1"), (0.9,) * 3, (0.1,) * 3, (7, 3, 1), 0.0, 0.0), 7)
    'shares “backup, 7.4.2” with 2 of 3; same CI SRV-1 as 1 of 3'
    """
    shared = [i for i in range(len(signature.terms)) if mask >> i & 1]
    words = [i for i in shared if _FACT not in signature.terms[i]][:_NAMED]
    facts = [i for i in shared if _FACT in signature.terms[i]][:2]
    total = len(signature.masks)
    said = []
    if words:
        both = sum(all(each >> i & 1 for i in words) for each in signature.masks)
        named = ", ".join(signature.terms[i].removeprefix("#") for i in words)
        said.append(f"shares “{named}” with {both} of {total}")
    for i in facts:
        name, _, value = signature.terms[i].partition(_FACT)
        said.append(f"same {name} {value} as {sum(each >> i & 1 for each in signature.masks)} of {total}")
    return "; ".join(said)
