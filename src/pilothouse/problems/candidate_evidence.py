"""All the evidence of a candidate, as its page shows it: each number with what it rests on."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from pilothouse.platform.access import Actor
from pilothouse.problems.candidate_page import reason_of
from pilothouse.problems.candidate_pictures import Weeks, weeks_of
from pilothouse.problems.candidate_queries import Seen
from pilothouse.problems.engine.saying import came, capital, counted_of, hours_noun, is_one_burst, label, lasting, named, one_in
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
    counted_of: str  # why their counts are out of other numbers than the tickets'
    rhythm: list[tuple[str, str, str]]  # what, in words, by chance
    causes: list[CauseRow]
    cost: list[tuple[str, str, str]]  # what, how much, on what basis
    words: list[str]
    shared: list[tuple[str, str, str]]  # what most of its tickets have: name, value, how many


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
        counted_of=counted_of([each["known"] for each in found.get("facets", ())], found.get("ticket_count", 0)),
        rhythm=_rhythm(found),
        causes=_causes(actor, found.get("causes", ())),
        cost=_cost(cost) if cost.keys() >= _COSTED else [],
        words=[str(word) for word in found.get("words", ())],
        shared=_shared(found),
    )


def chance_words(chance: float | None) -> str:
    """Return a chance as people read it.

    >>> chance_words(0.031), chance_words(2e-9), chance_words(None)
    ('3.1 %', '1 in 500 million', '')
    """
    if chance is None:
        return ""
    return f"{100 * chance:.2g} %" if chance >= 1e-4 else one_in(chance)


def _shared(found: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """Return what most of its tickets have: name, value, how many."""
    total = found.get("ticket_count", 0)
    return [
        (capital(label(each["fact"])), each["value"], "all" if each["count"] == total else f"{each['count']:,} of {total:,}")
        for each in found.get("shared", ())
    ]


def _facet(facet: Mapping[str, Any]) -> FacetRow:
    expected = facet["expected"]
    lift = facet["count"] / max(expected, 0.05)
    return FacetRow(
        fact=label(facet["fact"]),
        value=facet.get("said") or facet["value"],
        count=facet["count"],
        known=facet["known"],
        expected=f"{expected:.1f}" if expected < 10 else f"{expected:,.0f}",
        lift=f"{lift:.1f}×" if lift < 10 else f"{lift:,.0f}×",
        chance=chance_words(facet["chance"]),
        same=", ".join(named(each) for each in facet.get("same", ())[:5]),
    )


def _rhythm(found: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    rhythm, total = found.get("rhythm") or {}, found.get("ticket_count", 0)
    onset, burst = rhythm.get("onset"), rhythm.get("burst")
    if onset and burst and is_one_burst(burst["count"], onset["count_after"]):
        rhythm = {name: each for name, each in rhythm.items() if name != "onset"}
    words = {"period": "Period", "clockwork": "Hours and days", "onset": "Began", "stop": "Ebbed", "burst": "Burst"}
    says = {"period": _period, "clockwork": _clockwork, "onset": _step, "stop": _step, "burst": _burst}
    return [(words[name], say(rhythm[name], total), chance_words(rhythm[name]["chance"])) for name, say in says.items() if rhythm.get(name)]


def _period(each: Mapping[str, Any], _: int) -> str:
    following = datetime.fromisoformat(each["last"]) + timedelta(days=each["days"])
    return (
        f"every {each['days']:.1f} days; {each['events']} of {each['due']} beats came, half of them within {lasting(each['jitter'])}"
        f" of their time; the next is due about {following:%-d %b %Y}"
    )


def _clockwork(each: Mapping[str, Any], total: int) -> str:
    kind = " in the group that showed it" if each["total"] != total else ""
    return f"{each['count']:,} of {each['total']:,}{kind} on {each['words']}, expected {each['expected']:.1f}"


def _step(each: Mapping[str, Any], _: int) -> str:
    after, before = came(each["count_after"], each["after"]), came(each["count_before"], each["before"])
    return f"{datetime.fromisoformat(each['at']):%-d %b %Y}; before it {before}; since then {after}"


def _burst(each: Mapping[str, Any], total: int) -> str:
    start, end = datetime.fromisoformat(each["start"]), datetime.fromisoformat(each["end"])
    kind = " of that kind" if each["count"] > total else ""
    within = lasting((end - start) / timedelta(days=1))
    return f"{each['count']:,}{kind} within {within} from {start:%-d %b %Y %H:%M} UTC, expected {each['expected']:.2g}"


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
        noun = capital(hours_noun(cost["hours"], cost["hours_known"]))
        rows.append((noun, f"{cost['hours']:,.0f}", f"known for {cost['hours_known']:,} of {cost['tickets']:,} tickets"))
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
