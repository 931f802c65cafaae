"""The review as its page shows it: four figures with their lines, sections, tables; all words are made here, none in the template."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from pilothouse.morning import queries
from pilothouse.morning.asking import KINDS
from pilothouse.morning.engine import spans, sparks
from pilothouse.morning.engine.lines import Line, Section, length
from pilothouse.morning.figures import Came
from pilothouse.morning.queries import Finished, Morning
from pilothouse.platform.access import Actor
from pilothouse.tickets.queries import zone_of

SHOWN_AT_ONCE = 8
TEAMS_SHOWN = 8
FRESH_SHOWN = 3


@dataclass(frozen=True, slots=True)
class Card:
    """A figure: its label, the figure, a word about it (`tone` colours it), a line of history, and that line in words."""

    label: str
    figure: str
    word: str
    tone: str
    points: str
    usual_points: str
    told: str
    is_tag: bool = False


def board(shown: Morning, fresh: Sequence[tuple[int, str]] = ()) -> dict[str, Any]:
    """Gather what the template writes; `fresh` are candidates found, raised or come back since: id and title."""
    here = shown.now.astimezone(shown.zone)
    return {
        "greeting": f"{spans.greeting(shown.now, shown.zone)}, {shown.name.split()[0] if shown.name else 'there'}",
        "today": f"{here:%A %-d %B}",
        "since": shown.since_words,
        "zone": _zone_words(shown),
        "scope": shown.scope_words,
        "cards": _cards(shown),
        "columns": [_column(shown, ("act", "unowned", "bounced")), _column(shown, ("escalated", "holds", "breached"))],
        "well": [section for section in shown.sections if not section.lines],
        "waiting": shown.waiting,
        "done": shown.done,
        "quiet": not any(section.lines for section in shown.sections),
        "teams": [_row(came) for came in shown.intake.teams[:TEAMS_SHOWN]],
        "more_teams": max(0, len(shown.intake.teams) - TEAMS_SHOWN),
        "priorities": [_row(came) for came in shown.intake.priorities],
        "came_note": _came_note(shown),
        "ages": shown.ages,
        "open_now": sum(age.count for age in shown.ages),
        "open_before": sum(age.before for age in shown.ages),
        "weekday": f"{here:%A}",
        "tomorrow": shown.tomorrow,
        "runs": shown.runs,
        "fresh": fresh[:FRESH_SHOWN],
        "fresh_count": len(fresh),
        "started": shown.open_review.started_at if shown.open_review else None,
        "now": shown.now,
    }


def _column(shown: Morning, keys: Sequence[str]) -> list[tuple[Section, tuple[Line, ...], tuple[Line, ...]]]:
    """Give the sections of a column that have lines, with the lines seen at once and those behind them."""
    own = (shown.section(key) for key in keys)
    return [(section, section.lines[:SHOWN_AT_ONCE], section.lines[SHOWN_AT_ONCE:]) for section in own if section.lines]


def _zone_words(shown: Morning) -> str:
    return str(shown.zone).rpartition("/")[2].replace("_", " ")


_VERDICTS = {"more": "more than usual", "less": "fewer than usual", "usual": "as usual", "": ""}


def _row(came: Came) -> dict[str, Any]:
    usual = came.usual.words if came.usual else ""
    return {"name": came.name, "count": came.count, "usual": usual, "verdict": came.verdict, "words": _VERDICTS[came.verdict]}


def _came_note(shown: Morning) -> str:
    usual = shown.intake.total.usual
    if usual is None:
        return "Too little history to say what is usual: four weeks are needed."
    left = f", {usual.left_out} left out as unlike the others" if usual.left_out else ""
    return f"Usual: the middle 80 % of the same hours in the {usual.weeks + usual.left_out} weeks before{left}."


def _cards(shown: Morning) -> list[Card]:
    return [_came_card(shown), _breached_card(shown), _risk_card(shown), _escalation_card(shown)]


def _card(label: str, figure: int, word: str, tone: str, values: tuple[int, ...], told: str, usual: tuple[float, ...] = ()) -> Card:
    top = max([1.0, *values, *usual])
    return Card(label, f"{figure:,}", word, tone, sparks.points(values, top), sparks.points(usual, top) if usual else "", told)


def _came_card(shown: Morning) -> Card:
    total = shown.intake.total
    tone = {"more": "warn", "less": "ok", "usual": "", "": ""}[total.verdict]
    word = total.usual.words if total.usual else "too little history to compare"
    told = f"Came in by the hour over the last 24 hours: at most {max(shown.intake.hours)} in an hour"
    card = _card("Came in", total.count, word, tone, shown.intake.hours, told, shown.intake.usual_hours)
    return replace(card, is_tag=bool(tone))


def _breached_card(shown: Morning) -> Card:
    share = shown.met.share
    word = "no target ended in 7 days" if share is None else f"{share:.1f} % met in the last 7 days"
    told = f"Missed targets by day over two weeks: {sum(shown.met.days)} in all"
    calm = "" if share is None else "ok"
    return _card("Breached", shown.breached, word, "danger" if shown.breached else calm, shown.met.days, told)


def _risk_card(shown: Morning) -> Card:
    risk = shown.risk
    word = f"{risk.rest} more {risk.ahead.last_words}"
    told = f"Due by the hour from now on: {', '.join(str(count) for count in risk.hours)}"
    return _card(f"At risk {risk.ahead.first_words}", risk.first, word, "danger" if risk.first else "ok", risk.hours, told)


def _escalation_card(shown: Morning) -> Card:
    section = shown.section("escalated")
    oldest = shown.oldest_escalation
    word = f"oldest {length((shown.now - oldest).total_seconds())}" if oldest else "all taken up"
    count = section.asking
    ages = [int((shown.now - line.asked_at).total_seconds() // 3600) for line in section.lines if line.asked_at and not line.done]
    by_hour = tuple(sum(age == hour for age in ages) for hour in reversed(range(24)))
    return _card("Escalations nobody took", count, word, "danger" if count else "ok", by_hour, "Unacknowledged by the hour they were told")


def shown_line(actor: Actor, before: Line, key: str, *, now: datetime) -> Line:
    """Return a line that asks no more, with what was done about it; as it was when nothing was."""
    how, undoable = queries.marks(actor, now, zone_of(actor)).get(key, ("", False))
    return replace(before, done=how, undoable=undoable)


def finished_page(actor: Actor, ended: Finished) -> dict[str, Any]:
    """Gather what the page of a review that has ended writes."""
    zone, found = zone_of(actor), ended.review
    assert found.finished_at is not None
    here = found.finished_at.astimezone(zone)
    words = {kind.key: kind.title for kind in KINDS} | {"came_in": "Came in", "late": "Breached"}
    return {
        "own": found.person_id == actor.user_id,
        "person": found.person.name,
        "when": f"{here:%A %-d %B, %H:%M}, after {length(ended.seconds)}; the next one counts from here",
        "marks": ended.marks,
        "counts": [(said, found.counts[key]) for key, said in words.items() if key in found.counts],
    }
