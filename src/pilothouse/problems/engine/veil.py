"""What may be told of a candidate to who may not see all of its tickets; pure.

Counts, facets, rhythm and cost are told. Words are not: a title and typical words may be a hidden ticket's, and so may a cause's title.
"""

import re
from collections.abc import Mapping, Set
from typing import Any

from pilothouse.problems.engine.saying import label

Found = Mapping[str, Any]
SPOKEN = frozenset({"word", "named"})  # what tickets say, not what they are about


def veiled(found: Found, *, tickets_hidden: bool, causes: Set[str], title: str = "") -> Found:
    """Return a candidate (problems/data.py's form) without the words of its tickets, and without these causes.

    `title` is one that may be told instead of its own: that of most of the tickets that may be seen.
    """
    told = dict(found)
    hidden = [cause for cause in found.get("causes", ()) if cause["key"] in causes]
    if hidden:
        told = _without(told, {cause["key"] for cause in hidden})
    if tickets_hidden:
        shared = [each for each in found.get("shared", ()) if each["fact"] != "group"]
        told |= {"title": title or neutral(found), "words": [], "shared": shared}
        if found.get("source") in SPOKEN:  # what was raised while tickets came in says what it rests on
            told["paragraph"] = ""
    return told


def neutral(found: Found) -> str:
    """Say what a candidate is about without its tickets' words.

    >>> neutral({"ticket_count": 9, "facets": [{"fact": "CI", "value": "SRV-1"}]}), neutral({"ticket_count": 9})
    ('Recurring trouble: CI SRV-1', 'Recurring trouble, 9 tickets')
    """
    facets = found.get("facets") or []
    if facets:
        return f"Recurring trouble: {label(facets[0]['fact'])} {facets[0].get('said') or facets[0]['value']}"
    return f"Recurring trouble, {found.get('ticket_count', 0):,} tickets"


def _without(found: dict[str, Any], keys: Set[str]) -> dict[str, Any]:
    """Leave causes out, also from the paragraph and the picture."""
    paragraph = found.get("paragraph", "")
    for cause in found["causes"]:
        if cause["key"] in keys:
            paragraph = _unsaid(paragraph, cause)
    weeks = found.get("weeks")
    if weeks:
        found["weeks"] = {**weeks, "marks": [mark for mark in weeks["marks"] if mark[1] not in keys]}
    kept = [cause for cause in found["causes"] if cause["key"] not in keys]
    return {**found, "causes": kept, "paragraph": paragraph}


def _unsaid(paragraph: str, cause: Mapping[str, Any]) -> str:
    """Take the sentence about a cause out of a paragraph; where it cannot be told from the rest, the rest goes, too."""
    named = f"change {re.escape(cause['key'])} {re.escape(cause['title'])}"
    sentence = rf"(?:Possible cause:|It stopped after) {named}, .*?\(by chance: [^)]*\)\. ?"
    rest = re.sub(sentence, "", paragraph, flags=re.DOTALL).strip()
    return "" if cause["key"] in rest or (cause["title"] and cause["title"] in rest) else rest
