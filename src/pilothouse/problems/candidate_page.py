"""The list of candidates, made ready for its page: a line each, filters, and when tickets were looked at last."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pilothouse.platform.access import Actor
from pilothouse.platform.refusals import Missing
from pilothouse.problems import candidate_queries
from pilothouse.problems.candidate_pictures import points
from pilothouse.problems.candidate_queries import Seen
from pilothouse.problems.engine.saying import one_in
from pilothouse.problems.models import CANDIDATE_STATES, MiningRun

_MOST_UNEVEN = 30
_ODDS = re.compile(r"\bodds (?:of )?(?:about )?((?:less than )?1 in (?:a [a-z]+|[\d.,]+ [a-z]+)|below 1 in 10\^15|1 in [\d,]+)")
_SAID = 280  # of a paragraph; its page has all of it
_TABS = {"open": "Open", "dismissed": "Dismissed", "taken": "Made problems", "gone": "No longer found"}
_STAGES = {
    "reading": "Reading tickets",
    "mining": "Looking for what recurs",
    "keeping": "Keeping what was found",
    "": "Waiting for a worker",
}
Found = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Line:
    """A candidate in the list."""

    id: int
    rank: int
    title: str
    reason: str
    paragraph: str
    tickets: int
    hidden: int
    since: str
    odds: str
    spark: str
    steps: int  # from the first point of the spark to its last
    usual: str
    told: str
    marks: tuple[tuple[str, str], ...]  # (tone, words)
    problem: str


@dataclass(frozen=True, slots=True)
class Tab:
    """A filter: its address, word and count."""

    state: str
    word: str
    count: int
    is_here: bool


@dataclass(frozen=True, slots=True)
class Looked:
    """When tickets were looked at last, and what is under way."""

    last: MiningRun | None
    failed: MiningRun | None
    running: MiningRun | None
    stage: str
    told: str


@dataclass(frozen=True, slots=True)
class Listed:
    """The page of candidates."""

    state: str
    lines: list[Line]
    tabs: list[Tab]
    looked: Looked
    uneven: list[Mapping[str, Any]]


def listed(actor: Actor, state: str) -> Listed:
    """Return the page of the candidates in a state; Missing when there is no such state."""
    if state not in CANDIDATE_STATES:
        raise Missing("There is no such list of candidates.")
    seen = candidate_queries.listed(actor, state)
    counts = candidate_queries.counts(actor) | {state: len(seen)}
    tabs = [Tab(key, word, counts.get(key, 0), key == state) for key, word in _TABS.items()]
    status = looked()
    uneven = candidate_queries.uneven(actor, status.last)[:_MOST_UNEVEN] if status.last and state == "open" else []
    return Listed(state, [_line(each) for each in seen], tabs, status, uneven)


def looked() -> Looked:
    """Return how looking stands."""
    last, running = candidate_queries.last_runs()
    failed = last if last is not None and last.error else None
    good = candidate_queries.last_good_run() if failed else last
    return Looked(good, failed, running, _stage(running) if running else "", _told(good) if good else "")


def _stage(run: MiningRun) -> str:
    return f"{_STAGES.get(run.stage, '')}{f': {run.ticket_count:,} tickets' if run.ticket_count else ''}."


def _told(run: MiningRun) -> str:
    seconds = run.seconds or 0
    took = f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min"
    since = f"{run.since:%-d %b %Y}" if run.since else "ever"
    counted = f"{run.family_count:,} families, {run.group_count:,} groups looked at"
    return " ".join([f"over {run.ticket_count:,} tickets since {since}, in {took}: {counted}.", *run.remarks])


def _line(seen: Seen) -> Line:
    row, found = seen.row, seen.found
    weeks = found.get("weeks") or {"counts": [], "usual": []}
    top = max([*weeks["counts"], *weeks["usual"], 1])
    return Line(
        id=row.pk,
        rank=row.rank,
        title=seen.title,
        reason=reason_of(found),
        paragraph=_beginning(str(found.get("paragraph", ""))),
        tickets=row.ticket_count,
        hidden=seen.hidden,
        since=_since(found),
        odds=odds(str(found.get("confidence", ""))),
        spark=points(weeks["counts"], top),
        steps=max(1, len(weeks["counts"]) - 1),
        usual=points(weeks["usual"], top),
        told=f"Tickets a week, at most {max([*weeks['counts'], 0])}",
        marks=_marks(seen),
        problem=row.problem.number if row.problem else "",
    )


def _beginning(paragraph: str) -> str:
    """Return as many whole words of a paragraph as fit."""
    text = " ".join(paragraph.split())
    if len(text) <= _SAID:
        return text
    head = text[: _SAID - 1]
    return f"{head.rpartition(' ')[0] or head} …"


def reason_of(found: Found) -> str:
    """Return why a candidate has its rank."""
    reason = str(found.get("cost", {}).get("ranked_by", ""))
    return reason[:1].upper() + reason[1:]


def _marks(seen: Seen) -> tuple[tuple[str, str], ...]:
    row, marks = seen.row, []
    if row.run_id is None and row.raised_at is not None:
        marks.append(("danger", f"raised after {row.raised_after} tickets"))
    if row.returned_at is not None and row.state == "open":
        marks.append(("warn", f"back: {seen.why_back}" if seen.why_back else "back"))
    elif row.state == "open" and row.run_id and row.first_found_at == row.last_found_at:
        marks.append(("accent", "new"))
    return tuple(marks)


def _since(found: Found) -> str:
    onset = found.get("rhythm", {}).get("onset")
    at = onset["at"] if onset else found.get("first_at")
    return f"{datetime.fromisoformat(at):%-d %b %Y}" if at else ""


def odds(confidence: str) -> str:
    """Return the odds of a confidence in a few words; those that were kept in figures are put into words, too.

    >>> odds("How sure: … by chance alone with odds of about 1 in 12 million; so much was looked at …")
    '1 in 12 million'
    >>> odds("… odds of about 1 in a billion; …"), odds("… odds of about 1 in 5,000; …")
    ('1 in a billion', '1 in 5,000')
    >>> odds("… odds of less than 1 in a trillion; …"), odds("… odds below 1 in 10^15; …")
    ('less than 1 in a trillion', 'less than 1 in a trillion')
    >>> odds("… odds about 1 in 12,345,678; the bar …"), odds("")
    ('1 in 12 million', '')
    """
    told = _ODDS.search(confidence)
    if told is None:
        return ""
    figures = told[1].rpartition(" ")[2].replace(",", "")
    return one_in(1 / max(int(figures), 1)) if figures.isdecimal() else one_in(0) if "^" in figures else told[1]
