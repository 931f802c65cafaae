"""The miner judged by `bench.mining` on logs without texts: a bank (BPI Challenge 2014) and a public ServiceNow log."""

import csv
import gzip
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bench import streaming
from bench.figures import Figure, hand_over
from pilothouse.connectors.engine.formats import open_table
from pilothouse.connectors.engine.surrounding_columns import read_changes
from pilothouse.connectors.engine.ticket_columns import read
from pilothouse.connectors.profiles import PROFILES
from pilothouse.problems.engine.baseline import DAY
from pilothouse.problems.engine.causes import Surroundings, changes_before
from pilothouse.problems.engine.columns import MISSING, Changes, CIGraph, Tickets
from pilothouse.problems.engine.families import gather, joined
from pilothouse.problems.engine.words import read as read_words

DATA = Path(__file__).parents[2] / "shared" / "data"
_WEEK = 7 * DAY


def say(text: str) -> None:
    print(text, flush=True)


def tell(what: str, tickets: int, value: float, unit: str = "", aim: float | None = None, *, more: bool = False, note: str = "") -> None:
    """Hand a figure over to whoever started this bench."""
    hand_over(Figure(f"mining, {what}", tickets, round(value, 4), unit, aim, more, note))


def over_threshold(tickets: Tickets, most: int = 5) -> list[set[int]]:
    """Return the tickets of each CI and day with more than so many."""
    assert tickets.opened is not None
    found: dict[tuple[int, int], set[int]] = defaultdict(set)
    for i, (code, at) in enumerate(zip(tickets.fact("CI").codes.tolist(), tickets.opened.tolist(), strict=True)):
        if code >= 0 and at != MISSING:
            found[code, at // DAY].add(i)
    return [rows for rows in found.values() if len(rows) > most]


def lines_of(path: Path, delimiter: str, encoding: str) -> Iterator[dict[str, str]]:
    """Yield a packed table's rows by column name."""
    with gzip.open(path, "rt", encoding=encoding, newline="") as stream:
        yield from csv.DictReader(stream, delimiter=delimiter)


def tickets_of(path: Path, profile: str) -> Tickets:
    """Read a file as `pilothouse mine` does."""
    with path.open("rb") as stream:
        return read(PROFILES[profile], open_table(stream, path.name), path.name).tickets


def pairs_within(labels: NDArray[np.int64], times: NDArray[np.int64], window: int) -> int:
    """Count pairs with the same label (not -1) at most so many seconds apart."""
    total = 0
    for label in np.unique(labels[labels >= 0]).tolist():
        own = np.sort(times[labels == label])
        total += int((np.searchsorted(own, own + window, side="right") - np.arange(len(own)) - 1).sum())
    return total


def numbers(values: Sequence[object]) -> NDArray[np.int64]:
    """Number values by their first appearance; -1 for None."""
    places: dict[object, int] = {}
    return np.array([places.setdefault(v, len(places)) if v is not None else -1 for v in values], dtype=np.int64)


def judge_bpic() -> None:
    folder = DATA / "bpic2014-rabobank"
    if not folder.exists():
        return say("\nBPI Challenge 2014: the data are not there")
    say("\nBPI Challenge 2014 (no text): pairs of incidents within a week")
    tickets = tickets_of(folder / "detail_incident.csv.gz", "hp-service-manager")
    truth = {row["Incident ID"]: row for row in lines_of(folder / "detail_incident.csv.gz", ";", "latin-1") if row["Incident ID"]}
    rows = [truth[key] for key in tickets.keys]
    opened = tickets.opened
    assert opened is not None
    cause = numbers(
        [(r["KM number"], r["CI Name (CBy)"]) if r["KM number"] and r["CI Name (CBy)"] not in ("", "#N/B") else None for r in rows]
    )
    without = {name: fact for name, fact in tickets.facts.items() if name not in ("knowledge article", "resolution code")}
    for name, facts in (("all columns", tickets.facts), ("without the knowledge number", without)):
        own = replace(tickets, facts=facts)
        labels = joined(gather(own, read_words(own)).labels, own.fact("CI")).astype(np.int64)
        if (labels < 0).all():
            labels = own.fact("CI").codes.astype(np.int64)
        _pairs(f"ours, {name}", labels, cause, opened)
    days = np.full(len(rows), -1, np.int64)
    for i, alarm in enumerate(over_threshold(tickets)):
        days[list(alarm)] = i
    _pairs("baseline, CI over five a day", days, cause, opened)
    _per_change(rows, joined(gather(tickets, None).labels, tickets.fact("CI")), days)
    _causes(tickets, rows, folder)
    _burst(tickets, rows)
    return None


def _pairs(name: str, labels: NDArray[np.int64], truth: NDArray[np.int64], times: NDArray[np.int64]) -> None:
    both = numbers([(a, b) if a >= 0 and b >= 0 else None for a, b in zip(labels.tolist(), truth.tolist(), strict=True)])
    hit, ours, theirs = pairs_within(both, times, _WEEK), pairs_within(labels, times, _WEEK), pairs_within(truth, times, _WEEK)
    tell(f"incidents within a week, {name}: precision", len(truth), hit / max(ours, 1), note=f"recall {hit / max(theirs, 1):.3f}")
    say(f"  {name:<38} precision {hit / max(ours, 1):.3f}, recall {hit / max(theirs, 1):.3f} ({ours:,} pairs of {theirs:,} true)")


def _several(rows: Sequence[dict[str, str]]) -> dict[str, list[int]]:
    """Return the incidents of each change that has two or more."""
    groups: dict[str, list[int]] = defaultdict(list)
    for i, row in enumerate(rows):
        if row["Related Change"] and "MULTI" not in row["Related Change"]:
            groups[row["Related Change"]].append(i)
    return {key: own for key, own in groups.items() if len(own) > 1}


def _per_change(rows: Sequence[dict[str, str]], labels: NDArray[np.int32], days: NDArray[np.int64]) -> None:
    several = list(_several(rows).values())
    for name, found in (("ours", labels), ("baseline, CI over five a day", days)):
        shares = [max(Counter(c for c in found[own].tolist() if c >= 0).values(), default=0) / len(own) for own in several]
        tell(f"incidents of a change in one family, {name}", len(rows), float(np.mean(shares)), note=f"{len(several)} changes")
        say(f"  {name}: of {len(several)} changes with two or more incidents, mean share in one family {np.mean(shares):.2f}")


def _burst(tickets: Tickets, rows: Sequence[dict[str, str]]) -> None:
    """Replay all incidents in order of time: when is the burst after C00003013 raised?"""
    true = {i for i, row in enumerate(rows) if row["Related Change"] == "C00003013"}
    played = streaming.judge("BPI Challenge 2014", tickets)
    after, words = streaming.first_about(played, true, tickets)
    tell("incidents until the burst after C00003013 is raised", len(tickets), after, f"of {len(true)}", note=words)
    say(f"  burst after C00003013: {words}")


def changes_of(folder: Path) -> Changes:
    """Read the changes as `pilothouse mine --changes` does."""
    path = folder / "detail_change.csv.gz"
    with path.open("rb") as stream:
        return read_changes(open_table(stream, path.name), path.name).changes


def _causes(tickets: Tickets, rows: Sequence[dict[str, str]], folder: Path) -> None:
    """For each change with two or more incidents: where is it among all changes that may have brought them?"""
    assert tickets.opened is not None
    changes = changes_of(folder)
    around, known = Surroundings(CIGraph(), changes), {change.key: change for change in changes.items}
    ranks: dict[str, float] = {}
    later = 0
    for key, own in _several(rows).items():
        first = int(tickets.opened[own].min())
        if key not in known or min(known[key].start, *known[key].planned, first + 1) > first:
            later += 1
            continue
        told = [cause.key for cause in changes_before(first, np.array(own), tickets, around, least=-np.inf)]
        ranks[key] = told.index(key) + 1 if key in told else len(changes)
    found = np.array(list(ranks.values()))
    say(
        f"  the true change among {len(changes):,}, for the {len(found)} that began before their first incident ({later} did not, or are"
        f" not known): median rank {np.median(found):.0f}, in the first ten {np.mean(found <= 10):.0%}, first {np.mean(found == 1):.0%};"
        f" C00003013 is number {ranks['C00003013']}"
    )
    tell("median rank of the true change", len(tickets), float(np.median(found)), note=f"C00003013 is number {ranks['C00003013']}")


def judge_uci() -> None:
    path = DATA / "uci-servicenow-incident-log" / "incident_event_log.csv.gz"
    if not path.exists():
        return say("\nUCI incident log: the data are not there")
    tickets = tickets_of(path, "servicenow-log")
    problem = {row["number"]: row["problem_id"] for row in lines_of(path, ",", "utf-8") if row["problem_id"] != "?"}
    truth = numbers([problem.get(key) for key in tickets.keys])
    counts = np.bincount(truth[truth >= 0])
    kept = np.array([t >= 0 and counts[t] >= 2 for t in truth.tolist()])
    say(f"\nUCI incident log (no text): {int(kept.sum())} incidents of {int((counts >= 2).sum())} problems with two or more")
    families = gather(tickets, None).labels
    days = np.full(len(truth), -1, np.int64)
    for i, alarm in enumerate(over_threshold(tickets)):
        days[list(alarm)] = i
    ours = (("ours", families), ("ours, joined with the CI", joined(families, tickets.fact("CI"))))
    for name, labels in (
        *ours,
        ("ours, joined with the site", joined(families, tickets.fact("site"))),
        ("baseline, CI over five a day", days),
    ):
        _gathered(name, labels[kept].astype(np.int64), truth[kept])
    return None


def _gathered(name: str, labels: NDArray[np.int64], truth: NDArray[np.int64]) -> None:
    same = (labels[:, None] == labels[None, :]) & (labels >= 0)[:, None]
    alike = truth[:, None] == truth[None, :]
    upper = np.triu(np.ones_like(same), 1).astype(bool)
    hit, ours, theirs = (int((each & upper).sum()) for each in (same & alike, same, alike))
    whole = sum(len(np.unique(labels[truth == t])) == 1 and labels[truth == t][0] >= 0 for t in np.unique(truth).tolist())
    tell(
        f"incidents of a problem, {name}: precision",
        len(truth),
        hit / max(ours, 1),
        note=f"recall {hit / max(theirs, 1):.3f}; {whole} whole",
    )
    say(f"  {name:<30} precision {hit / max(ours, 1):.3f}, recall {hit / max(theirs, 1):.3f}; {whole} problems whole in one family")
