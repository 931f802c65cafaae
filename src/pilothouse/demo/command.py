"""What `pilothouse demo` does once the database is there: load the organisation, write down the facts."""

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from pilothouse.demo import loader
from pilothouse.demo.engine.company import COMPANY
from pilothouse.demo.engine.facts import Fact, as_json
from pilothouse.demo.engine.generate import Arguments
from pilothouse.demo.engine.plan import TooFew
from pilothouse.platform.access import Source, system
from pilothouse.platform.refusals import FieldError, Invalid

__all__ = ["Arguments", "fill"]

FACTS_JSON, FACTS_MARKDOWN = "demo-facts.json", "demo-facts.md"


@dataclass(frozen=True, slots=True)
class Filled:
    """What became of it: the arguments that hold (a begun load keeps its own), and whether there was nothing left to do."""

    arguments: Arguments
    was_there: bool


def fill(*, arguments: Arguments, data: Path, now: datetime, force: bool = False, workers: int | None = None) -> Filled:
    """Load the demo with a progress bar and write the facts into the data folder; a finished demo is left alone.

    Goes on with a load that was cut off. Raises GuardRefused when there are other tickets (unless `force`), Invalid when so
    few tickets cannot carry the planted facts.
    """
    there = loader.progress()
    if there is not None and there.is_finished and (data / FACTS_JSON).exists():
        return Filled(there.arguments, was_there=True)
    actor = system(Source.PAGE)
    arguments = replace(arguments, until=arguments.until.astimezone(UTC).replace(minute=0, second=0, microsecond=0))
    try:
        begun = loader.begin(actor=actor, arguments=arguments, now=now, force=force)
    except TooFew as error:
        raise Invalid("The demo was not loaded.", [FieldError("tickets", str(error))]) from error
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("Loading the demo organisation", total=begun.arguments.tickets)
        facts = loader.load(actor=actor, begun=begun, now=now, told=lambda count: bar.advance(task, count), workers=workers or _workers())
    write_facts(data, begun.arguments, facts)
    return Filled(begun.arguments, was_there=begun.is_finished)


def _workers() -> int:
    """Two are enough: the database works as hard as they do."""
    return min(2, os.cpu_count() or 1)


def write_facts(data: Path, arguments: Arguments, facts: Sequence[Fact]) -> None:
    """Write the planted facts into the data folder, for programs and for people."""
    head = {
        "organisation": COMPANY,
        "seed": arguments.seed,
        "tickets": arguments.tickets,
        "days": arguments.days,
        "until": arguments.generation().lived_until.isoformat(),
    }
    text = json.dumps({**head, "facts": as_json(facts)}, indent=2, ensure_ascii=False)
    (data / FACTS_JSON).write_text(text + "\n", encoding="utf-8")
    (data / FACTS_MARKDOWN).write_text(_markdown(head, facts), encoding="utf-8")


def _markdown(head: dict[str, object], facts: Sequence[Fact]) -> str:
    lines = [
        "# What is hidden in this demo",
        "",
        f"{COMPANY}, seed {head['seed']}: {head['tickets']:,} tickets over {head['days']} days until {head['until']}.",
        "Each fact below is a trouble with a cause that an analysis should find from the tickets alone.",
    ]
    for fact in facts:
        lines += ["", f"## {fact.title}", "", fact.finding, "", f"How to find it: {fact.how}", ""]
        lines += [f"- {name.replace('_', ' ')}: {value}" for name, value in fact.subject.items()]
        lines.append(f"- tickets: {fact.count}{_between(fact)}")
        shown = ", ".join(fact.tickets[:40])
        lines += ["", f"{shown}{' …' if fact.count > 40 else ''}"] if shown else []
    return "\n".join(lines) + "\n"


def _between(fact: Fact) -> str:
    if fact.first_opened_at is None or fact.last_opened_at is None:
        return ""
    return f", {fact.first_opened_at:%Y-%m-%d} to {fact.last_opened_at:%Y-%m-%d}"
