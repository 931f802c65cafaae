"""All the evidence of a candidate, as its page shows it: each number with what it rests on."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from pilothouse.platform.access import Actor
from pilothouse.problems.candidate_page import reason_of
from pilothouse.problems.candidate_pictures import Weeks, weeks_of
from pilothouse.problems.candidate_queries import Seen
from pilothouse.problems.models import CANDIDATE_STATES
from pilothouse.tickets.models import Ticket

_KINDS = {"change": "Change before it began", "fix": "Change that ended it", "upstream": "Shared upstream"}


@dataclass(frozen=True, slots=True)
class FacetRow:
    """A value on which the tickets concentrate."""

    fact: str
    value: str
    count: int
    known: int
    expected: str
    lift: str
    chance: str
    same: str


@dataclass(frozen=True, slots=True)
class CauseRow:
    """A hint at a cause; `number` where the change is a ticket here that the reader may open."""

    kind: str
    key: str
    title: str
    why: str
    at: datetime | None
    chance: str
    is_here: bool


@dataclass(frozen=True, slots=True)
class Told:
    """A finding in words and pictures, wherever it is kept."""

    paragraph: str
    weeks: Weeks | None
    facets: list[FacetRow]
    rhythm: list[tuple[str, str, str]]  # what, in words, by chance
    causes: list[CauseRow]
    cost: list[tuple[str, str, str]]  # what, how much, on what basis
    words: list[str]


@dataclass(frozen=True, slots=True)
class Whole:
    """A candidate's page."""

    seen: Seen
    state: str
    reason: str
    told: Told


_COSTED = frozenset({"tickets", "hours", "hours_known", "breaches", "reassignments", "people", "expected", "low", "high", "expected_hours"})


def whole(actor: Actor, seen: Seen) -> Whole:
    """Return a candidate with all of its evidence."""
    return Whole(seen, CANDIDATE_STATES[seen.row.state], reason_of(seen.found), told(actor, seen.found))


def told(actor: Actor, found: Mapping[str, Any]) -> Told:
    """Return a finding (problems/data.py's form, or as much of it as there is) as a page shows it."""
    pair = [found["pair"]] if found.get("pair") else []
    cost: Mapping[str, Any] = found.get("cost") or {}
    return Told(
        paragraph=str(found.get("paragraph", "")),
        weeks=weeks_of(found),
        facets=[_facet(each) for each in (*found.get("facets", ()), *pair)],
        rhythm=_rhythm(found.get("rhythm") or {}),
        causes=_causes(actor, found.get("causes", ())),
        cost=_cost(cost) if cost.keys() >= _COSTED else [],
        words=[str(word) for word in found.get("words", ())],
    )


def chance_words(chance: float | None) -> str:
    """Return a chance as people read it.

    >>> chance_words(0.031), chance_words(2e-9), chance_words(None)
    ('3.1 %', '1 in 10^8', '')
    """
    if chance is None:
        return ""
    if chance >= 1e-4:
        return f"{100 * chance:.2g} %"
    return "below 1 in 10^15" if chance < 1e-15 else f"1 in 10^{int(-math.log10(chance))}"


def _facet(facet: Mapping[str, Any]) -> FacetRow:
    expected = facet["expected"]
    lift = facet["count"] / max(expected, 0.05)
    return FacetRow(
        fact=facet["fact"],
        value=facet["value"],
        count=facet["count"],
        known=facet["known"],
        expected=f"{expected:.1f}" if expected < 10 else f"{expected:,.0f}",
        lift=f"{lift:.1f}×" if lift < 10 else f"{lift:,.0f}×",
        chance=chance_words(facet["chance"]),
        same=", ".join(facet.get("same", ())[:5]),
    )


def _rhythm(rhythm: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    says = {"period": _period, "clockwork": _clockwork, "onset": _onset, "stop": _stop, "burst": _burst}
    words = {"period": "Period", "clockwork": "Hours and days", "onset": "Began", "stop": "Ebbed", "burst": "Burst"}
    return [(words[name], say(rhythm[name]), chance_words(rhythm[name]["chance"])) for name, say in says.items() if rhythm.get(name)]


def _period(each: Mapping[str, Any]) -> str:
    following = datetime.fromisoformat(each["last"]) + timedelta(days=each["days"])
    jitter = each["jitter"] * 24
    return (
        f"every {each['days']:.1f} days; {each['events']} of {each['due']} beats came, half of them within {jitter:.0f} h of their time;"
        f" the next is due about {following:%-d %b %Y}"
    )


def _clockwork(each: Mapping[str, Any]) -> str:
    return f"{each['count']:,} of {each['total']:,} on {each['words']}, expected {each['expected']:.1f}"


def _onset(each: Mapping[str, Any]) -> str:
    after, before = (
        f"{each['count_after']:,} since then, {_rate(each['after'])}",
        f"{each['count_before']:,} before, {_rate(each['before'])}",
    )
    return f"{datetime.fromisoformat(each['at']):%-d %b %Y}; {after}; {before}"


def _stop(each: Mapping[str, Any]) -> str:
    before = f"{each['count_before']:,} before, {_rate(each['before'])}"
    after = f"{each['count_after']:,} after, {_rate(each['after'])}"
    return f"{datetime.fromisoformat(each['at']):%-d %b %Y}; {before}; {after}"


def _burst(each: Mapping[str, Any]) -> str:
    start, end = datetime.fromisoformat(each["start"]), datetime.fromisoformat(each["end"])
    hours = (end - start).total_seconds() / 3600
    return f"{each['count']:,} in {hours:.1f} h from {start:%-d %b %Y %H:%M} UTC, expected {each['expected']:.2g}"


def _rate(daily: float) -> str:
    return f"{daily:.1f} a day" if daily >= 1 else f"{daily * 7:.1f} a week" if daily * 7 >= 1 else f"{daily * 30:.1f} a month"


def _causes(actor: Actor, causes: Sequence[Mapping[str, Any]]) -> list[CauseRow]:
    keys = [cause["key"] for cause in causes if cause["kind"] != "upstream"]
    here = set(Ticket.objects.filter(number__in=keys).values_list("number", flat=True)) if keys else set()
    return [
        CauseRow(
            kind=_KINDS.get(cause["kind"], cause["kind"]),
            key=cause["key"],
            title=cause["title"],
            why=cause["why"],
            at=datetime.fromisoformat(cause["at"]) if cause.get("at") else None,
            chance=chance_words(cause.get("chance")),
            is_here=cause["key"] in here,
        )
        for cause in causes
    ]


def _cost(cost: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """Return what it costs, each figure with its basis; what is not known is not shown."""
    rows = [("Tickets", f"{cost['tickets']:,}", "counted")]
    if cost["hours"] is not None:
        rows.append(("Handling hours", f"{cost['hours']:,.0f}", f"known for {cost['hours_known']:,} of {cost['tickets']:,} tickets"))
    else:
        rows.append(("Handling hours", "", "not recorded: counted in tickets"))
    plain = (("Missed targets", "breaches", "by their resolution clocks"), ("Reassignments", "reassignments", "by the journal"))
    rows += [(label, f"{cost[name]:,}", basis) for label, name, basis in plain if cost[name] is not None]
    if cost["people"] is not None:
        rows.append(("People hit", f"{cost['people']:,}", "different requesters"))
    if cost["expected"] is not None:
        basis = f"{cost['low']:,.0f} to {cost['high']:,.0f}, from the last quarter's rate (90 % interval)"
        rows.append(("Next quarter, if nothing is done", f"{cost['expected']:,.0f} tickets", basis))
    if cost["expected_hours"] is not None:
        rows.append(("Next quarter's hours", f"{cost['expected_hours']:,.0f}", "at the mean of the tickets whose time is known"))
    return rows
