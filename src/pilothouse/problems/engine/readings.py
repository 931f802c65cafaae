"""Three readings of an incident, so that who tells less is not taken to say that the rest is absent; pure.

The desk's tickets have a CI, a category and a description; what comes from the portal has often a title and a service alone. Held
against what marks the whole tickets, all the words and facts that nobody was asked for would count against it. So a problem learns
three signatures, each with its own terms and thresholds: of the whole; of what a requester tells (title, description, service); of
the title and the service. An incident is held against the whole, and, where it lacks what the reading lacks, against the others.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from pilothouse.problems.engine.matching import Likeness, Matcher, Signature, from_data, learn, terms_of

_TOLD = ("service",)  # the only fact that a requester is asked for
_ASKED_LATER = ("CI", "subcategory")
_MOST = 3


class Incident(NamedTuple):
    """An incident's terms by reading; an empty reading does not apply to it when it is asked about."""

    whole: frozenset[str]
    told: frozenset[str]
    brief: frozenset[str]
    lacks_facts: bool
    lacks_text: bool

    def asked(self) -> Iterator[tuple[str, frozenset[str]]]:
        """Yield the readings by which it is held against problems, the fullest first."""
        yield "whole", self.whole
        if self.lacks_facts:
            yield "told", self.told
            if self.lacks_text:
                yield "brief", self.brief


def read(title: str, text: str = "", facts: Mapping[str, str] | None = None) -> Incident:
    """Return an incident by all readings; `facts` as for `terms_of`.

    >>> [name for name, _ in read("VPN drops", facts={"service": "VPN"}).asked()]
    ['whole', 'told', 'brief']
    >>> [name for name, _ in read("VPN drops", facts={"CI": "gw-1", "subcategory": "Client"}).asked()]
    ['whole']
    """
    facts = facts or {}
    told = {name: value for name, value in facts.items() if name in _TOLD}
    lacks_facts = not all(facts.get(name) for name in _ASKED_LATER)
    words = terms_of(title, text, told)
    whole = words | terms_of("", "", facts)
    brief = terms_of(title, "", told)
    return Incident(whole, words, brief, lacks_facts, not text.strip())


def learn_readings(own: Sequence[Incident], others: Sequence[Incident], share: float) -> dict[str, Signature]:
    """Learn a signature for each reading in which the problem's incidents have something in common that others have not.

    Empty when there are fewer than three incidents; `share` is which part of all incidents is the problem's.
    """
    found = {
        name: learn([getattr(each, name) for each in own], [getattr(each, name) for each in others], share)
        for name in ("whole", "told", "brief")
    }
    return {name: learnt for name, learnt in found.items() if learnt is not None}


def as_data(learnt: Mapping[str, Signature]) -> dict[str, Any]:
    """Return signatures by reading as plain values for JSON."""
    return {name: signature.as_data() for name, signature in learnt.items()}


def from_kept(kept: Mapping[str, Any]) -> dict[str, Signature]:
    """Return signatures from `as_data`'s values, or from a single one as they were kept before there were readings."""
    if is_old(kept):
        return {"whole": from_data(kept)}
    return {name: from_data(each) for name, each in kept.items()}


def is_old(kept: Mapping[str, Any]) -> bool:
    """Say whether it is a single signature of whole tickets, to be learnt anew."""
    return "terms" in kept


class Readers:
    """Holds incidents against many problems by every reading that applies; made once, asked often."""

    def __init__(self, learnt: Mapping[int, Mapping[str, Signature]]) -> None:
        names = {name for each in learnt.values() for name in each}
        self._matchers = {name: Matcher({pk: each[name] for pk, each in learnt.items() if name in each}) for name in names}

    def match(self, incident: Incident) -> list[Likeness]:
        """Return the problems that an incident looks like, sure ones and likelier ones first; at most three, and only one of them sure.

        What a fuller reading is sure of counts before what a shorter one is.
        """
        found: dict[int, Likeness] = {}
        for name, terms in incident.asked():
            likes = self._matchers[name].match(terms) if name in self._matchers else []
            if likes and likes[0].is_sure:
                return likes
            for like in likes:
                found.setdefault(like.problem, like)
        return sorted(found.values(), key=lambda each: (-each.score, each.problem))[:_MOST]
