"""What is said of a candidate: one paragraph of plain words, in which every number has its basis."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np

from pilothouse.problems.engine.baseline import DAY, Calendar
from pilothouse.problems.engine.candidates import Candidate
from pilothouse.problems.engine.causes import Cause, span
from pilothouse.problems.engine.columns import CI, GROUP, KIND, MISSING, SERVICE, SITE, Tickets
from pilothouse.problems.engine.costs import Cost, counted
from pilothouse.problems.engine.facets import Facet
from pilothouse.problems.engine.raising import Raised
from pilothouse.problems.engine.rhythm import Burst, Clockwork, Period
from pilothouse.problems.engine.saying import came, capital, counted_of, hours_noun, is_one_burst, label, lasting, named, one_in
from pilothouse.problems.engine.words import Words

_TITLE = 90
_SIGNS = {
    "onset": "so sudden a rise",
    "stop": "so sudden an end",
    "burst": "such a burst",
    "period": "so even a beat",
    "clockwork": "such hours",
}
_SHARED = {CI: 0.6, SERVICE: 0.6, "category": 0.6, "subcategory": 0.6, SITE: 0.9, GROUP: 0.6}  # and by which part of the tickets


@dataclass(frozen=True, slots=True)
class Shared:
    """A value that most of its tickets have, unusual or not: what they are about, where, and who held them."""

    fact: str
    value: str
    count: int


@dataclass(frozen=True, slots=True)
class Told:
    """A title, the paragraph, the words by which its tickets are known, how sure it is, and what most of its tickets have."""

    title: str
    paragraph: str
    words: tuple[str, ...]
    confidence: str
    shared: tuple[Shared, ...] = ()


def tell(
    candidate: Candidate,
    cost: Cost,
    causes: Sequence[Cause],
    tickets: Tickets,
    words: Words | None,
    calendar: Calendar | None,
    raised: Raised | None = None,
) -> Told:
    """Say what, where, since when, how often, how sure, what it costs and what probably caused it."""
    known = typical_words(candidate, words)
    title, shared = _title(candidate, tickets, known), shared_by(candidate, tickets)
    parts = [
        _what(candidate, tickets, calendar),
        _about(shared, len(candidate.rows)),
        *_where(candidate),
        *_when(candidate, tickets),
        _cost(cost),
        *_cause(causes),
        raised_words(raised),
        _sure(candidate),
    ]
    return Told(title, " ".join(part for part in parts if part), known, _sure(candidate), shared)


def shared_by(candidate: Candidate, tickets: Tickets) -> tuple[Shared, ...]:
    """Return what most of a candidate's tickets have: CI, service, kind, site and group, as far as there is one that most have."""
    found = []
    for name, least in _SHARED.items():
        fact = tickets.fact(name)
        value = fact.mostly(candidate.rows, least)
        if value:
            found.append(Shared(name, value, int(fact.having(value, candidate.rows).sum())))
    return tuple(found)


def _about(shared: Sequence[Shared], total: int) -> str:
    """Say what and where. Groups are not named: the paragraph is read by people who may not see every group's tickets."""
    counts = {each.fact: f"{each.value} ({'all' if each.count == total else f'{each.count:,}'})" for each in shared}
    said = [f"{'' if name == CI else f'the {label(name)} '}{words}" for name, words in counts.items() if name not in (GROUP, SITE)]
    about = f" about {_listed(said)}" if said else ""
    where = f" at {counts[SITE]}" if SITE in counts else ""
    return f"They are{about}{where}." if about or where else ""


def _listed(said: Sequence[str]) -> str:
    return f"{', '.join(said[:-1])} and {said[-1]}" if len(said) > 1 else said[0]


def typical_words(candidate: Candidate, words: Words | None, most: int = 6) -> tuple[str, ...]:
    """Return the words that these tickets have far more often than others, the most telling first."""
    if words is None:
        return ()
    rows = candidate.rows[np.linspace(0, len(candidate.rows) - 1, min(2000, len(candidate.rows))).astype(np.int64)]
    inside = np.bincount(words.counts[rows].indices, minlength=len(words.vocabulary)) / len(rows)
    overall = words.spread / words.counts.shape[0]
    score = np.where(inside >= 0.1, inside * np.log(np.maximum(inside, 1e-9) / np.maximum(overall, 1e-9)), 0)
    return tuple(words.vocabulary[i] for i in np.argsort(-score, kind="stable")[:most] if score[i] > 0)


def _title(candidate: Candidate, tickets: Tickets, known: Sequence[str]) -> str:
    group = candidate.sign.group
    name = _common_title(candidate, tickets) or ", ".join(known[:4]) or _common_kind(candidate, tickets)
    subject = name if group.source == "words" or not group.value else f"{group.value}: {name}" if name else group.value
    if name and group.value.casefold() in name.casefold():
        subject = name
    ci = _only_ci(candidate, tickets)
    if ci and ci.casefold() not in subject.casefold():
        subject = f"{ci}: {subject}"
    if candidate.facets and candidate.facets[0].value.casefold() not in subject.casefold():
        subject += f" · {candidate.facets[0].words}"
    return (subject or "Tickets without text")[:_TITLE]


def _common_kind(candidate: Candidate, tickets: Tickets) -> str:
    """Return what nearly all of the tickets have for their kind: at most two values."""
    found = [tickets.fact(name).mostly(candidate.rows, 0.6) for name in (*KIND, SERVICE)]
    return ", ".join([value for value in found if value][:2])


def _only_ci(candidate: Candidate, tickets: Tickets) -> str:
    """Return the CI that nearly all of the tickets are about, if there is one."""
    return tickets.fact(CI).mostly(candidate.rows, 0.8)


def _common_title(candidate: Candidate, tickets: Tickets) -> str:
    """Return the title that most of the tickets have."""
    if tickets.titles is None:
        return ""
    counts = Counter(" ".join(tickets.titles[row].split()) for row in candidate.rows[:2000].tolist())
    counts.pop("", None)
    return min(counts, key=lambda title: (-counts[title], len(title), title))[:_TITLE] if counts else ""


def _day(at: int) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%-d %B %Y")


def _what(candidate: Candidate, tickets: Tickets, calendar: Calendar | None) -> str:
    count = f"{len(candidate.rows):,} tickets"
    if calendar is None or tickets.opened is None:
        return f"{count} belong together."
    times = tickets.opened[candidate.rows]
    times = times[times != MISSING]
    if not len(times):
        return f"{count} belong together."
    first, last = _day(int(times.min())), _day(int(times.max()))
    return f"{count} belong together, {f'all on {first}' if first == last else f'from {first} to {last}'}."


def facet_words(facet: Facet) -> str:
    """Say a facet: "38 of 41 with OS version macOS 14.2, expected 6".

    >>> facet_words(Facet("os_version", "14.2", 38, 41, 5.8, 1e-20, said="macOS 14.2"))
    '38 of 41 with OS version macOS 14.2, expected 5.8'
    """
    expected = f"{facet.expected:.1f}" if facet.expected < 10 else f"{facet.expected:,.0f}"
    same = f" (the same tickets: {', '.join(named(each) for each in facet.same[:3])})" if facet.same else ""
    return f"{facet.count:,} of {facet.known:,} {_having(facet)}, expected {expected}{same}"


def _having(facet: Facet) -> str:
    preposition = "on" if facet.fact == CI else "at" if facet.fact == SITE else "with"
    name = "" if facet.fact in (CI, SITE) else f"{label(facet.fact)} "
    return f"{preposition} {name}{facet.words}"


def _where(candidate: Candidate) -> list[str]:
    found = [f"{capital(facet_words(facet))}." for facet in candidate.facets]
    is_more = len(candidate.facets) > 1 and candidate.facets[1].value not in candidate.facets[0].words  # "macOS 14.2" says macOS, too
    if candidate.pair is not None and is_more and candidate.pair.lift > 1.5 * max(facet.lift for facet in candidate.facets[:2]):
        found.append(f"Both together: {facet_words(candidate.pair)}.")
    return [*found, counted_of([facet.known for facet in candidate.facets], len(candidate.rows))]


def _when(candidate: Candidate, tickets: Tickets) -> list[str]:
    rhythm = candidate.rhythm
    said = [_period(rhythm.period), _clockwork(rhythm.clockwork, len(candidate.rows))]
    if rhythm.onset and not (rhythm.burst and is_one_burst(rhythm.burst.count, rhythm.onset.count_after)):
        onset = rhythm.onset
        said.append(f"Since {_day(onset.at)}: {came(onset.count_after, onset.after)}; before it {came(onset.count_before, onset.before)}.")
    if rhythm.stop:
        stop = rhythm.stop
        said.append(
            f"It ebbed on {_day(stop.at)}: before {came(stop.count_before, stop.before)}; after {came(stop.count_after, stop.after)}."
        )
    if rhythm.burst:
        said.append(_burst(rhythm.burst, candidate, tickets))
    if rhythm.trend:
        said.append(f"It rises: the last quarter of the time has {rhythm.trend:.1f} times the rate of before, seasons taken out.")
    return [each for each in said if each]


def _period(each: Period | None) -> str:
    if each is None:
        return ""
    return (
        f"It recurs every {each.days:.1f} days: {each.events} of {each.due} beats came, half of them within"
        f" {lasting(each.jitter)} of their time; the next is due about {_day(int(each.last + each.days * DAY))}."
    )


def _clockwork(each: Clockwork | None, total: int) -> str:
    if each is None:
        return ""
    kind = " in the group that showed it" if each.total != total else ""
    return f"{each.count:,} of {each.total:,}{kind} came on {each.words}, expected {each.expected:.1f}."


def _burst(burst: Burst, candidate: Candidate, tickets: Tickets) -> str:
    """Say a burst. It may have been seen in the whole group; then it is said how many of it are the candidate's."""
    times = tickets.opened[candidate.rows] if tickets.opened is not None else np.zeros(0, np.int64)
    own = int(((times >= burst.start) & (times <= burst.end)).sum())
    when = f"in {lasting((burst.end - burst.start) / DAY)} on {_day(burst.start)}"
    if own == burst.count:
        return f"A burst of {burst.count:,} {when}, expected {burst.expected:.2g}."
    return f"A burst of {burst.count:,} of that kind {when}, expected {burst.expected:.2g}; {own:,} of these are among them."


def _cost(cost: Cost) -> str:
    said = []
    if cost.hours is not None:
        noun = hours_noun(cost.hours, cost.hours_known)
        said.append(f"{cost.hours:,.0f} {noun} (known for {cost.hours_known:,} of {cost.tickets:,} tickets)")
    nouns = ((cost.breaches, "breach", "breaches"), (cost.reassignments, "reassignment", ""))
    said += [counted(value, one, many) for value, one, many in nouns if value]
    text = f"It cost {', '.join(said)}." if said else ""
    text += f" It hit {counted(cost.people, 'person', 'people')}." if cost.people else ""
    if cost.expected is not None and cost.low is not None and cost.high is not None:
        coming = counted(cost.expected, "ticket")
        text += f" If nothing is done, the next quarter brings some {coming} ({cost.low:,.0f} to {cost.high:,.0f})"
        text += f", {counted(cost.expected_hours, 'hour')}." if cost.expected_hours else "."
    return text.strip()


def _cause(causes: Sequence[Cause]) -> list[str]:
    found: list[str] = []
    for cause in causes:
        if cause.kind == "change" and not found and cause.chance is not None:
            found.append(f"Possible cause: change {cause.key} {cause.title}, {cause.why} (by chance: {_percent(cause.chance)}).")
        elif cause.kind == "fix" and cause.chance is not None:
            found.append(f"It stopped after change {cause.key} {cause.title}, {cause.why} (by chance: {_percent(cause.chance)}).")
        elif cause.kind == "upstream":
            found.append(f"What they share upstream: {cause.key}; {cause.why}.")
    return found


def raised_words(raised: Raised | None) -> str:
    """Say when it would have been raised.

    >>> raised_words(Raised("burst", 1_767_261_600, 6, 10_800))
    'Watched as they came, it would have been raised on 1 January 2026: after 6 tickets within 3.0 hours.'
    """
    if raised is None:
        return ""
    within = "within" if raised.what == "burst" else "in"
    after = f"after {raised.tickets} tickets {within} {span(raised.seconds)}"
    return f"Watched as they came, it would have been raised on {_day(raised.at)}: {after}."


def _percent(chance: float) -> str:
    return f"{100 * chance:.2g} %"


def _sure(candidate: Candidate) -> str:
    sign = candidate.sign
    what = f"so many {_having(_told_as(sign.evidence, candidate))}" if isinstance(sign.evidence, Facet) else _SIGNS.get(sign.what, "this")
    odds = one_in(sign.chance)
    odds = odds if odds.startswith("less") else f"about {odds}"
    bar = f"; so much was looked at that only odds below {one_in(candidate.bar)} count" if 0 < candidate.bar < 1 else ""
    return f"How sure: in one group, {what} would be seen by chance alone with odds of {odds}{bar}."


def _told_as(facet: Facet, candidate: Candidate) -> Facet:
    """Return the facet by whose name the paragraph tells the tickets of this one."""
    names = ((each, {(each.fact, each.value), *(tuple(same.split(" ", 1)) for same in each.same)}) for each in candidate.facets)
    return next((each for each, own in names if (facet.fact, facet.value) in own), facet)
