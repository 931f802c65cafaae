"""The review as plain values, for machines and for documents; and as short markdown, for mail."""

import re
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from pilothouse.morning.engine.lines import Line, Section
from pilothouse.morning.engine.spans import greeting
from pilothouse.morning.figures import Came
from pilothouse.morning.queries import Morning

MAILED_LINES = 6
_SIGNS = re.compile(r"([\\`*_{}\[\]<>()#+!|~-])")


def as_data(shown: Morning) -> dict[str, Any]:
    """Return the review as plain values: what `pilothouse morning --json` prints. Instants are ISO texts in UTC."""
    total = shown.intake.total
    return {
        "name": shown.name,
        "zone": str(shown.zone),
        "since": _iso(shown.span.start),
        "until": _iso(shown.now),
        "since_words": shown.since_words,
        "scope": shown.scope_words,
        "came_in": {
            **_came(total),
            "by_team": [_came(each) for each in shown.intake.teams],
            "by_priority": [_came(each) for each in shown.intake.priorities],
        },
        "breached": {"tickets": shown.breached, "met_percent_7_days": None if shown.met.share is None else round(shown.met.share, 1)},
        "at_risk": {
            "first": {"until": _iso(shown.risk.ahead.first), "words": shown.risk.ahead.first_words, "tickets": shown.risk.first},
            "then": {"until": _iso(shown.risk.ahead.last), "words": shown.risk.ahead.last_words, "tickets": shown.risk.rest},
        },
        "sections": [_section(section) for section in shown.sections],
        "ages": [{"age": age.words, "open": age.count, "a_week_before": age.before} for age in shown.ages],
        "tomorrow": [{"day": day.day.isoformat(), "name": day.name, "kind": day.kind, "teams": list(day.teams)} for day in shown.tomorrow],
        "waiting": shown.waiting,
        "done": shown.done,
    }


def _iso(at: datetime) -> str:
    return at.isoformat(timespec="seconds")


def _came(came: Came) -> dict[str, Any]:
    usual = came.usual
    return {"name": came.name, "count": came.count, "usual": [usual.low, usual.high] if usual else None, "verdict": came.verdict}


def _section(section: Section) -> dict[str, Any]:
    return {
        "key": section.key,
        "title": section.title,
        "empty": section.empty,
        "count": section.count,
        "lines": [_line(line) for line in section.lines],
    }


def _line(line: Line) -> dict[str, Any]:
    return {
        "number": line.number,
        "title": line.title,
        "priority": line.priority,
        "group": line.group,
        "assignee": line.assignee,
        "reason": line.reason,
        "also": list(line.also),
        "due_at": _iso(line.due_at) if line.due_at else None,
        "probability": line.probability,
        "done": line.done,
    }


def came_words(shown: Morning) -> str:
    """Say what came in: "83 came in (usual 54 to 68)"."""
    total = shown.intake.total
    return f"{total.count} came in" + (f" ({total.usual.words})" if total.usual else "")


def headline(shown: Morning) -> str:
    """Say the review in one line, as a mail's subject does."""
    parts = [came_words(shown), f"{shown.breached} breached", f"{shown.risk.first} at risk {shown.risk.ahead.first_words}"]
    escalated = shown.section("escalated")
    if count := escalated.asking:
        parts.append(f"{count} escalated and not taken up")
    return ", ".join(parts)


def as_markdown(shown: Morning) -> str:
    """Write the review as a mail reads it, with links to pages of ours; what people typed stays as they typed it."""
    return "\n".join(_paragraphs(shown))


def _paragraphs(shown: Morning) -> Iterator[str]:
    here = shown.now.astimezone(shown.zone)
    yield f"{greeting(shown.now, shown.zone)}. This is {here:%A %-d %B, %H:%M} ({shown.zone}), since {shown.since_words}.\n"
    yield f"- {came_words(shown)}"
    yield f"- {shown.breached} breached" + ("" if shown.met.share is None else f"; {shown.met.share:.1f} % met in the last 7 days")
    yield f"- {shown.risk.first} at risk {shown.risk.ahead.first_words}, {shown.risk.rest} more {shown.risk.ahead.last_words}"
    yield f"- open by age: {', '.join(f'{age.words} {age.count} ({age.change})' for age in shown.ages)}"
    for day in shown.tomorrow:
        yield f"- tomorrow: {escaped(day.name)} ({escaped(', '.join(day.teams))})"
    quiet = True
    for section in shown.sections:
        lines = [line for line in section.lines if not line.done]
        if lines:
            quiet = False
            yield f"\n**{section.title}** ({section.asking})\n"
            yield from (_mailed(line) for line in lines[:MAILED_LINES])
            if rest := section.asking - min(len(lines), MAILED_LINES):
                yield f"- and {rest} more"
    if quiet:
        yield "\nA quiet morning: nothing asks for you."
    yield "\n[Open the morning review](/morning)"


def _mailed(line: Line) -> str:
    return (
        f"- [{line.number}](/tickets/{line.number}) P{line.priority} {escaped(line.title)}: {escaped(line.reason)} ({escaped(line.owner)})"
    )


def escaped(text: str) -> str:
    """Escape the signs that markdown reads as more than themselves."""
    return _SIGNS.sub(r"\\\1", " ".join(text.split()))
