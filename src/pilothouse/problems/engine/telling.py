"""What is said of a candidate: one paragraph of plain words, in which every number has its basis."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np

from pilothouse.problems.engine.baseline import DAY, Calendar
from pilothouse.problems.engine.candidates import Candidate
from pilothouse.problems.engine.causes import Cause, span
from pilothouse.problems.engine.columns import CI, KIND, MISSING, SERVICE, Tickets
from pilothouse.problems.engine.costs import Cost, counted
from pilothouse.problems.engine.facets import Facet
from pilothouse.problems.engine.raising import Raised
from pilothouse.problems.engine.words import Words

_TITLE = 90


@dataclass(frozen=True, slots=True)
class Told:
    """A title, the paragraph, the words by which its tickets are known, and how sure it is."""

    title: str
    paragraph: str
    words: tuple[str, ...]
    confidence: str


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
    title = _title(candidate, tickets, known)
    parts = [
        _what(candidate, tickets, calendar),
        *_where(candidate),
        *_when(candidate),
        _cost(cost),
        *_cause(causes),
        raised_words(raised),
        _sure(candidate),
    ]
    return Told(title, " ".join(part for part in parts if part), known, _sure(candidate))


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
        subject += f" · {candidate.facets[0].value}"
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
    return f"{count} belong together, from {_day(int(times.min()))} to {_day(int(times.max()))}."


def facet_words(facet: Facet) -> str:
    """Say a facet: "38 of 41 on os_version 14.2, expected 6".

    >>> facet_words(Facet("os_version", "14.2", 38, 41, 5.8, 1e-20))
    '38 of 41 with os_version 14.2, expected 5.8'
    """
    expected = f"{facet.expected:.1f}" if facet.expected < 10 else f"{facet.expected:,.0f}"
    preposition = "on" if facet.fact == CI else "at" if facet.fact == "site" else "with"
    name = "" if facet.fact in (CI, "site") else f"{facet.fact} "
    same = f" (the same tickets: {', '.join(facet.same[:3])})" if facet.same else ""
    return f"{facet.count:,} of {facet.known:,} {preposition} {name}{facet.value}, expected {expected}{same}"


def _where(candidate: Candidate) -> list[str]:
    found = [f"{_capital(facet_words(facet))}." for facet in candidate.facets]
    if candidate.pair is not None and candidate.pair.lift > 1.5 * max(facet.lift for facet in candidate.facets[:2]):
        found.append(f"Both together: {facet_words(candidate.pair)}.")
    return found


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _when(candidate: Candidate) -> list[str]:
    rhythm, found = candidate.rhythm, []
    if rhythm.period:
        each = rhythm.period
        found.append(
            f"It recurs every {each.days:.1f} days: {each.events} of {each.due} beats came, half of them within"
            f" {_hours(each.jitter)} of their time; the next is due about {_day(int(each.last + each.days * DAY))}."
        )
    if rhythm.clockwork:
        clock = rhythm.clockwork
        found.append(f"{clock.count:,} of {clock.total:,} came on {clock.words}, expected {clock.expected:.1f}.")
    if rhythm.onset:
        onset = rhythm.onset
        found.append(
            f"Since {_day(onset.at)}: {onset.count_after:,} tickets, {_rate(onset.after)};"
            f" before it {onset.count_before:,}, {_rate(onset.before)}."
        )
    if rhythm.stop:
        stop = rhythm.stop
        found.append(
            f"It ebbed on {_day(stop.at)}: {stop.count_before:,} tickets before, {_rate(stop.before)};"
            f" {stop.count_after:,} after, {_rate(stop.after)}."
        )
    if rhythm.burst:
        burst = rhythm.burst
        found.append(
            f"A burst of {burst.count:,} in {_hours((burst.end - burst.start) / DAY)} on {_day(burst.start)},"
            f" expected {burst.expected:.2g}."
        )
    if rhythm.trend:
        found.append(f"It rises: the last quarter of the time has {rhythm.trend:.1f} times the rate of before, seasons taken out.")
    return found


def _hours(days: float) -> str:
    return f"{days:.1f} days" if days >= 1.5 else f"{days * 24:.0f} hours" if days * 24 >= 1.5 else f"{max(1, round(days * 1440))} minutes"


def _rate(daily: float) -> str:
    return f"{daily:.1f} a day" if daily >= 1 else f"{daily * 7:.1f} a week" if daily * 7 >= 1 else f"{daily * 30:.1f} a month"


def _cost(cost: Cost) -> str:
    said = []
    if cost.hours is not None:
        said.append(f"{cost.hours:,.0f} handling hours (known for {cost.hours_known:,} of {cost.tickets:,} tickets)")
    nouns = ((cost.breaches, "breach", "breaches"), (cost.reassignments, "reassignment", ""), (cost.people, "person hit", "people hit"))
    said += [counted(value, one, many) for value, one, many in nouns if value]
    text = f"It cost {', '.join(said)}." if said else ""
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
    'Watched as they came, it would have been raised on 1 January 2026: after 6 tickets, 3.0 hours after the first.'
    """
    if raised is None:
        return ""
    after = f"after {raised.tickets} tickets, {span(raised.seconds)} after the first"
    return f"Watched as they came, it would have been raised on {_day(raised.at)}: {after}."


def _percent(chance: float) -> str:
    return f"{100 * chance:.2g} %"


def _sure(candidate: Candidate) -> str:
    chance = candidate.sign.chance
    odds = "below 1 in 10^15" if chance < 1e-15 else f"about 1 in {1 / chance:,.0f}"
    return f"By chance alone, one group would show this with odds {odds}; the bar, for all that was tested, was {candidate.bar:.1g}."
