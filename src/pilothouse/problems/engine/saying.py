"""How figures and names are said in plain words, in the paragraph and on the pages alike; pure, and light to import."""

import re
from collections.abc import Sequence

_ACRONYMS = frozenset({"os", "vpn", "ip", "cpu", "ci", "id", "bios"})
_CODED = re.compile(r"\b(build|serial|id|code|number|hash|revision)$")
_ONE_BURST = 0.8
_MOST_WORKED = 24  # hours a ticket in the mean; nobody works longer on each


def label(fact: str) -> str:
    """Return the name of a fact as people read it.

    >>> label("os_version"), label("vpn_client"), label("site"), label("CI status")
    ('OS version', 'VPN client', 'site', 'CI status')
    """
    return " ".join(word.upper() if word.lower() in _ACRONYMS else word for word in fact.replace("_", " ").split())


def named(same: str) -> str:
    """Return a fact and its value ("os_build 26100") with the fact's name as people read it; names of facts that are words stay.

    >>> named("os_build 26100")
    'OS build 26100'
    """
    fact, _, value = same.partition(" ")
    return f"{label(fact)} {value}"


def capital(text: str) -> str:
    """Return a text that begins with a capital, the rest as it is."""
    return text[:1].upper() + text[1:]


def oddness(fact: str, value: str) -> tuple[bool, bool]:
    """Return how little a person would say a value, the least what is said first: codes after names with words and dotted versions.

    >>> sorted([("os_build", "23C64"), ("os_version", "14.2"), ("model", "K7-220")], key=lambda each: oddness(*each))
    [('os_version', '14.2'), ('model', 'K7-220'), ('os_build', '23C64')]
    """
    is_word = re.search(r"[^\W\d_]{3,}", value) is not None
    return _CODED.search(label(fact)) is not None, not (is_word or re.search(r"\d\.\d", value))


def one_in(chance: float) -> str:
    """Return a chance as odds in words, two figures of it.

    >>> one_in(0.02), one_in(2e-4), one_in(8.1e-9), one_in(1e-9), one_in(1e-40)
    ('1 in 50', '1 in 5,000', '1 in 120 million', '1 in a billion', 'less than 1 in a trillion')
    """
    if chance < 1e-12:
        return "less than 1 in a trillion"
    number = float(f"{1 / chance:.2g}")
    for size, word in ((1e9, "billion"), (1e6, "million")):
        if number >= size:
            return f"1 in {number / size:,.3g} {word}".replace("1 in 1 ", "1 in a ")
    return f"1 in {number:,.0f}"


def rate(daily: float) -> str:
    """Return a rate in tickets a day, in the unit that suits it.

    >>> rate(2), rate(0.5), rate(0.1), rate(0)
    ('2.0 a day', '3.5 a week', '3.0 a month', 'none')
    """
    if not daily:
        return "none"
    return f"{daily:.1f} a day" if daily >= 1 else f"{daily * 7:.1f} a week" if daily * 7 >= 1 else f"{daily * 30:.1f} a month"


def came(count: int, daily: float) -> str:
    """Say how many came, and at which rate.

    >>> came(12, 0.5), came(0, 0.0)
    ('12, 3.5 a week', 'none')
    """
    return f"{count:,}, {rate(daily)}" if count else "none"


def lasting(days: float) -> str:
    """Return how long so many days are: days, hours or minutes.

    >>> lasting(2), lasting(0.5), lasting(0.002)
    ('2.0 days', '12 hours', '3 minutes')
    """
    if days >= 1.5:
        return f"{days:.1f} days"
    minutes = max(1, round(days * 1440))
    return f"{days * 24:.0f} hours" if minutes >= 90 else f"{minutes} minute{'s' if minutes > 1 else ''}"


def is_one_burst(burst: int, since: int) -> bool:
    """Say whether a burst of so many tickets is nearly all that came since the onset: then there is no rate to tell."""
    return burst >= _ONE_BURST * since


def hours_noun(hours: float, known: int) -> str:
    """Return what hours are called that so many tickets took: more than a day each is no work, but time that passed.

    >>> hours_noun(30, 20), hours_noun(71_354, 292)
    ('handling hours', 'hours until they were done')
    """
    return "handling hours" if hours <= _MOST_WORKED * max(known, 1) else "hours until they were done"


def counted_of(known: Sequence[int], tickets: int) -> str:
    """Say what the denominators of facets are, where they are not simply the tickets; "" where they are.

    >>> counted_of([41, 41], 41)
    ''
    """
    said = []
    if any(each > tickets for each in known):
        said.append("Where a count is out of more, it is of all tickets of that kind, of which the others are explained elsewhere.")
    if any(each < tickets for each in known):
        said.append("Where it is out of fewer, the others do not say it or have nothing outside to be compared with.")
    return " ".join(said)
