"""How people write: greetings, haste, typos, signatures, pasted errors, the footers that nobody reads."""

from random import Random
from typing import Any

from pilothouse.demo.engine import phrases
from pilothouse.demo.engine.company import COMPANY, SITES
from pilothouse.demo.engine.specs import Person

_BY_SITE = ((), ("Bom dia,", "Boa tarde,", "Olá,"), ())
_FOOTERS = (
    "This e-mail and any attachment are confidential and meant for the addressee only. If that is not you, delete it and tell us.",
    "Please consider the environment before you print this e-mail.",
    f"{COMPANY} is authorised and regulated. Registered in England.",
    "I work flexible hours: I do not expect an answer outside yours.",
)
_NEIGHBOURS = dict(zip("abcdeghilmnorstuy", "svxfrhjukknipeadyit", strict=False))


def misspell(rng: Random, text: str, words: int = 1) -> str:
    """Put a typo into some of the lower-case words; names, numbers and codes stay readable."""
    parts = text.split(" ")
    for _ in range(words):
        i = rng.randrange(len(parts))
        word = parts[i]
        if len(word) > 3 and word.isascii() and word.isalpha() and word.islower():
            parts[i] = _typo(rng, word)
    return " ".join(parts)


def _typo(rng: Random, word: str) -> str:
    at, kind = rng.randrange(1, len(word) - 1), rng.random()
    if kind < 0.4:
        return word[:at] + word[at + 1] + word[at] + word[at + 2 :]
    if kind < 0.65:
        return word[:at] + word[at + 1 :]
    if kind < 0.85:
        return word[:at] + word[at] + word[at:]
    return word[:at] + _NEIGHBOURS.get(word[at], word[at]) + word[at + 1 :]


def title(rng: Random, text: str) -> str:
    """Write a title as people type it: in haste, in capitals, without capitals, with a typo."""
    kind = rng.random()
    if kind < 0.06:
        text = f"{rng.choice(phrases.HASTE)} {text}"
    elif kind < 0.08:
        text = text.upper()
    elif kind < 0.2:
        text = text[:1].lower() + text[1:]
    elif kind < 0.23:
        text += rng.choice((" !!", "...", " ???", " - please help", " (again)"))
    return (misspell(rng, text) if rng.random() < 0.09 else text)[:250]


def message(rng: Random, person: Person, body: str, words: dict[str, Any], *, channel: str, error: str) -> str:
    """Write a description: by mail with greeting and signature, by phone as the desk's notes, by chat in a line."""
    sloppy = rng.random() < 0.35
    for extra in rng.sample(phrases.EXTRAS, rng.choice((0, 0, 1, 1, 1, 2))):
        body = f"{body} {extra.format(phone=person.phone, **words)}"
    if sloppy:
        body = misspell(rng, body, rng.randrange(1, 4))
    if error:
        body = f"{body}\n\n{_paste(rng, error)}"
    if channel == "phone" or channel == "walk_in":
        return f"{rng.choice(('Caller says: ', 'User reports: ', 'Called in. ', '', ''))}{body}{_callback(rng, person)}"
    if channel == "chat":
        return body.lower() if sloppy else body
    greeting = rng.choice(_BY_SITE[person.site]) if _BY_SITE[person.site] and rng.random() < 0.3 else rng.choice(phrases.GREETINGS)
    if channel == "portal":
        return body if rng.random() < 0.6 else f"{greeting}\n{body}\n\n{rng.choice(phrases.CLOSINGS)}"
    return f"{greeting}\n\n{body}\n\n{rng.choice(phrases.CLOSINGS)}\n{_signature(rng, person)}"


def _paste(rng: Random, error: str) -> str:
    kind = rng.random()
    if kind < 0.4:
        return f"```\n{error}\n```"
    return error if kind < 0.8 else f'It says "{error}"'


def _callback(rng: Random, person: Person) -> str:
    return f" Callback {person.phone}." if rng.random() < 0.4 else ""


def _signature(rng: Random, person: Person) -> str:
    kind = rng.random()
    if kind < 0.25:
        return person.first
    lines = [person.name, f"{person.title} | {COMPANY} | {SITES[person.site].city}", f"T {person.phone}"]
    if kind > 0.7:
        lines += ["", rng.choice(_FOOTERS)]
    return "\n".join(lines)


def reply(rng: Random, person: Person, text: str, *, to: str) -> str:
    """Write a comment: to the requester with a salutation, to a colleague without ceremony."""
    if rng.random() < 0.12:
        text = misspell(rng, text)
    if not to:
        return text
    closing = rng.choice(("Regards", "Kind regards", "Thanks", "Best"))
    return f"{rng.choice(('Hi', 'Hello', 'Dear', 'Hi'))} {to},\n{text}\n{closing}, {person.first}"
