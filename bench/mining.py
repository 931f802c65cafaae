"""The miner, judged: planted facts and real data beside three baselines, and how long it takes.

`python -m bench.mining` judges and times 10,000 tickets; `--tickets 60000,1000000` times those; `--only demo,bpic2014,uci,texts,times`.
Real data are read from ../shared/data; where they are absent, that is said. Baselines: more than five tickets on one CI in a day (what
the usual snippet counts), exact titles, and TF-IDF with HDBSCAN.
"""

import argparse
import csv
import gzip
import resource
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from random import Random

import numpy as np
from numpy.typing import NDArray

from bench import streaming
from bench.figures import Figure, hand_over
from pilothouse.connectors.engine.formats import open_table
from pilothouse.connectors.engine.surrounding_columns import read_changes
from pilothouse.connectors.engine.ticket_columns import read
from pilothouse.connectors.profiles import PROFILES
from pilothouse.demo.engine.company import SITES
from pilothouse.demo.engine.facts import FactBook
from pilothouse.demo.engine.generate import Arguments, Generation
from pilothouse.demo.engine.planted import backup_since
from pilothouse.demo.engine.specs import TicketLife
from pilothouse.problems.engine.baseline import DAY
from pilothouse.problems.engine.causes import Surroundings, changes_before, span
from pilothouse.problems.engine.columns import MISSING, Change, Changes, CIGraph, Fact, Tickets, coded
from pilothouse.problems.engine.families import gather, joined
from pilothouse.problems.engine.mine import Mined, completed, mine
from pilothouse.problems.engine.placing import Placer
from pilothouse.problems.engine.words import read as read_words

DATA = Path(__file__).parents[2] / "shared" / "data"
PARTS = ("demo", "bpic2014", "uci", "texts", "times")
_UNTIL = datetime(2026, 11, 23, 11, tzinfo=UTC)
_WEEK = 7 * DAY
_SECONDS = {60_000: 20.0, 1_000_000: 300.0}
_FACTS = (
    "reboot",
    "vpn",
    "backup",
    "logon-storm",
    "month-end",
    "major-network",
    "major-claims",
    "major-sign-in",
    "cmdb-wrong-os",
    "cmdb-retired",
)


def say(text: str) -> None:
    print(text, flush=True)


def tell(what: str, tickets: int, value: float, unit: str = "", aim: float | None = None, *, more: bool = False, note: str = "") -> None:
    """Hand a figure over to whoever started this bench."""
    hand_over(Figure(f"mining, {what}", tickets, round(value, 4), unit, aim, more, note))


def demo_columns(generation: Generation, lives: Sequence[TicketLife]) -> tuple[Tickets, CIGraph]:
    """Return the demo's tickets as columns, and its CIs."""
    org, rows = generation.organisation, [life.fields for life in lives]

    def named(field: str, names: Sequence[str]) -> Fact:
        return coded(names[row[field]] if row[field] is not None else None for row in rows)

    people = [f"{person.name} <{person.email}>" for person in org.people]
    facts = {
        "CI": named("ci", [ci.name for ci in org.cis]),
        "service": named("service", [service.name for service in org.services]),
        "group": named("group", [team.name for team in org.teams]),
        "requester": named("requester", people),
        "site": named("requester", [SITES[person.site].city for person in org.people]),
        "category": coded(row["category"] for row in rows),
        "subcategory": coded(row["subcategory"] for row in rows),
    }
    tickets = Tickets(
        [row["number"] for row in rows],
        opened=np.array([int(row["opened_at"].timestamp()) for row in rows], dtype=np.int64),
        ended=np.array([int(row["resolved_at"].timestamp()) if row["resolved_at"] else MISSING for row in rows], dtype=np.int64),
        titles=[row["title"] for row in rows],
        texts=[row["description"] for row in rows],
        facts=facts,
        journeys=[
            tuple(org.teams[event.changes["group"]].name for event in life.events if event.changes.get("group") is not None)
            for life in lives
        ],
    )
    told = ("os", "os_version", "os_build", "model", "vpn_client", "backup_agent", "firmware", "vendor", "version", "engine")
    attributes = {
        ci.name: {
            **{name: str(ci.attributes[name]) for name in told if name in ci.attributes},
            "CI class": ci.ci_class,
            "CI status": ci.status,
        }
        for ci in org.cis
    }
    return tickets, CIGraph(attributes, [(org.cis[r.source].name, org.cis[r.target].name) for r in org.relations])


def demo_changes(generation: Generation) -> Changes:
    """Return the change behind the planted backup trouble among 400 others on CIs drawn at random."""
    rng, world = Random(5), generation.world
    at = backup_since(world)
    items = [Change("CHG0004417", "Update of the laptop backup agent", ("VaultKeep agent",), at, at + 7200)]
    for i in range(400):
        start = rng.randrange(world.start, world.until)
        items.append(Change(f"CHG{i:07d}", "Routine change", (rng.choice(world.org.cis).name,), start, start + 3600))
    return Changes(sorted(items, key=lambda change: change.end))


def judge_demo(count: int) -> None:
    say(f"\nThe demo organisation, {count:,} tickets: planted facts")
    generation = Arguments(seed=7, tickets=count, days=400, until=_UNTIL).generation()
    lives = list(generation.lives())
    book = FactBook(generation.world)
    for life in lives:
        book.add(life)
    tickets, graph = demo_columns(generation, lives)
    changes = demo_changes(generation)
    mined = mine(tickets, graph, changes)
    planted = {name: {i for i, life in enumerate(lives) if name in life.facts} for name in _FACTS}
    for name in _FACTS:
        say(f"  {name:<14} {_found(planted[name], mined)}")
    gathered = [name for name in _FACTS if not _found(planted[name], mined).startswith("not found")]
    tell("planted facts found", count, len(gathered), f"of {len(_FACTS)}", note=", ".join(gathered))
    bounced = [each for each in mined.imbalances if each.what == "passed back"]
    say(f"  {'bounces':<14} {'; '.join(f'{each.value}: {each.words}' for each in bounced[:2]) or 'not found'}")
    every = set().union(*planted.values())
    others = [f for f in mined.findings if len(every & set(f.candidate.rows.tolist())) < 0.5 * len(f.candidate.rows)]
    say(f"  {len(mined.findings)} candidates; {len(others)} about nothing planted (ranks {[f.rank for f in others]})")
    tell("candidates about nothing planted", count, len(others), "", 0)
    by_chance = [len(mine(shuffled(tickets, seed), graph, changes).findings) for seed in range(3)]
    say(f"  times and attributes shuffled, three times: {by_chance} candidates")
    tell("candidates of shuffled tickets, the most of three", count, max(by_chance), "", 1)
    _demo_baselines(tickets, planted)
    played = streaming.judge("demo organisation", completed(tickets, graph))
    for name in _FACTS:
        say(f"  streaming, {name:<14} {streaming.first_about(played, planted[name], tickets)[1]}")


def _found(rows: set[int], mined: Mined) -> str:
    best = max(mined.findings, key=lambda f: len(rows & set(f.candidate.rows.tolist())), default=None)
    hit = len(rows & set(best.candidate.rows.tolist())) if best else 0
    if best is None or hit < max(5, 0.25 * len(rows)):
        return f"not found ({hit} of {len(rows)} in one candidate)"
    candidate, rhythm = best.candidate, best.candidate.rhythm
    said = [f"rank {best.rank}, {hit} of its {len(rows)} tickets, precision {hit / len(candidate.rows):.2f}"]
    said += [f"{facet.fact}={facet.value}{' (' + ', '.join(facet.same) + ')' if facet.same else ''}" for facet in candidate.facets[:1]]
    said += [f"period {rhythm.period.days:.1f} d"] if rhythm.period else []
    said += [rhythm.clockwork.words] if rhythm.clockwork else []
    said += [f"since {datetime.fromtimestamp(rhythm.onset.at, UTC):%Y-%m-%d}"] if rhythm.onset else []
    said += [f"cause {best.causes[0].key}"] if best.causes else []
    said += [f"raised after {best.raised.tickets} tickets, {span(best.raised.seconds)}"] if best.raised else []
    return "; ".join(said)


def shuffled(tickets: Tickets, seed: int) -> Tickets:
    """Return the tickets with times and every fact dealt anew."""
    rng = np.random.default_rng(seed)
    assert tickets.opened is not None
    facts = {name: Fact(rng.permutation(fact.codes), fact.names) for name, fact in tickets.facts.items()}
    return replace(tickets, opened=rng.permutation(tickets.opened), facts=facts, journeys=None)


def _demo_baselines(tickets: Tickets, planted: dict[str, set[int]]) -> None:
    days = over_threshold(tickets)
    hits = {name for rows in days for name, own in planted.items() if len(own & rows) > 0.5 * len(rows)}
    say(f"  baseline, more than five on a CI in a day: {len(days)} alarms, of planted facts: {', '.join(sorted(hits)) or 'none'}")
    titles = defaultdict(set)
    for i, title in enumerate(tickets.titles or ()):
        titles[title].add(i)
    best = {name: max(len(own & rows) for rows in titles.values()) / max(len(own), 1) for name, own in planted.items()}
    worst = ", ".join(f"{name} {share:.2f}" for name, share in best.items())
    say(f"  baseline, exact title: {len(titles):,} groups; largest part of a fact in one: {worst}")


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


def _numbers(values: Sequence[object]) -> NDArray[np.int64]:
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
    cause = _numbers(
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
    both = _numbers([(a, b) if a >= 0 and b >= 0 else None for a, b in zip(labels.tolist(), truth.tolist(), strict=True)])
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
    truth = _numbers([problem.get(key) for key in tickets.keys])
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


def judge_texts() -> None:
    path = DATA / "it-service-tickets-v3" / "all_tickets_processed_improved_v3.csv.gz"
    if not path.exists():
        return say("\nIT service tickets: the data are not there")
    rows = list(lines_of(path, ",", "utf-8"))
    topics = _numbers([row["Topic_group"] for row in rows])
    tickets = Tickets([str(i) for i in range(len(rows))], texts=[row["Document"] for row in rows])
    families = gather(tickets, read_words(tickets))
    say(f"\nIT service tickets, {len(rows):,} texts of {topics.max() + 1} topics: purity at the number of families")
    tell("purity against topics, ours", len(rows), float(purity(families.labels, topics).split()[0]), note=purity(families.labels, topics))
    say(f"  ours: {purity(families.labels, topics)}; its small clusters: {purity(families.clusters, topics)}")
    say(f"  baseline, exact text: {purity(_numbers([row['Document'] for row in rows]).astype(np.int32), topics)}")
    return _hdbscan([row["Document"] for row in rows], topics)


def purity(labels: NDArray[np.int32], truth: NDArray[np.int64]) -> str:
    """Return how many tickets have their family's most frequent topic, and what share of tickets has a family."""
    hit = (
        sum(Counter(truth[labels == label].tolist()).most_common(1)[0][1] for label in np.unique(labels[labels >= 0]).tolist())
        if (len(np.unique(labels)) < 5000)
        else int((labels >= 0).sum())
    )
    known = int((labels >= 0).sum())
    return f"{hit / max(known, 1):.3f} at {len(np.unique(labels[labels >= 0])):,} families ({known / len(labels):.0%} of tickets in one)"


def _hdbscan(texts: Sequence[str], topics: NDArray[np.int64], most: int = 6000) -> None:
    from sklearn.cluster import HDBSCAN  # only this baseline
    from sklearn.decomposition import TruncatedSVD
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.preprocessing import normalize

    at = np.linspace(0, len(texts) - 1, most).astype(np.int64)
    table = TfidfVectorizer(min_df=3, max_df=0.2).fit_transform([texts[i] for i in at.tolist()])
    vectors = normalize(TruncatedSVD(50, random_state=0).fit_transform(table))
    labels = HDBSCAN(min_cluster_size=10, copy=True).fit_predict(vectors).astype(np.int32)
    tell("purity against topics, TF-IDF and HDBSCAN", most, float(purity(labels, topics[at]).split()[0]), note=purity(labels, topics[at]))
    say(f"  baseline, TF-IDF and HDBSCAN on {most:,} of them: {purity(labels, topics[at])}")
    own = Tickets([str(i) for i in at.tolist()], texts=[texts[i] for i in at.tolist()])
    words = read_words(own)
    families = gather(own, words)
    say(f"  ours on the same {most:,}: {purity(families.labels, topics[at])}")
    assert words is not None and families.space is not None and families.centres is not None
    near = (families.space.place(words.counts) * families.centres[np.maximum(families.clusters, 0)]).sum(axis=1)
    nearest = np.where(near >= np.quantile(near, (labels < 0).mean()), families.labels, -1).astype(np.int32)
    say(f"  ours on as many of them, the nearest to their centres: {purity(nearest, topics[at])}")


def measure(sizes: Sequence[int]) -> None:
    say("\nTimes, one process")
    base = Arguments(seed=7, tickets=10_000, days=400, until=_UNTIL).generation()
    lives = list(base.lives())
    before: tuple[int, float] | None = None
    for size in sizes:
        tickets, graph = demo_columns(base, lives)
        tickets = repeated(tickets, size) if size > len(tickets) else tickets
        began, used = time.monotonic(), time.process_time()
        mined = mine(tickets, graph)
        took, worked = time.monotonic() - began, time.process_time() - used
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
        grown = f"; {size / before[0]:.1f} times the tickets, {worked / before[1]:.1f} times the work" if before else ""
        before = size, worked
        say(
            f"  {size:>9,} tickets: {took:6.1f} s, {worked:.1f} s of processor{grown}; {len(mined.findings)} candidates, peak {peak:.1f} GB"
        )
        tell("mined", size, took, "s", _SECONDS.get(size), note=f"{worked:.0f} s of processor{grown}")
        tell("peak memory", size, peak, "GB", 4)
        _place(mined, size)


def _place(mined: Mined, size: int) -> None:
    placer, began = Placer(mined), time.process_time()
    for i in range(100):
        placer.place(f"tunnel drops in calls {i}", "since the update of Friday it drops every few minutes", CI="WS-5")
    each = (time.process_time() - began) * 10
    say(f"  {'':>9} a new ticket is placed in {each:.2f} ms")
    tell("a ticket placed", size, each, "ms", 20)


def repeated(tickets: Tickets, size: int) -> Tickets:
    """Return so many tickets by drawing from these; texts get words of their own now and then, times move by up to three days."""
    rng = np.random.default_rng(1)
    rows = rng.integers(0, len(tickets), size)
    assert tickets.opened is not None and tickets.titles is not None and tickets.texts is not None
    order = np.argsort(moved := tickets.opened[rows] + rng.integers(-3 * DAY, 3 * DAY, size), kind="stable")
    rows, places = rows[order], rows[order].tolist()
    return Tickets(
        [f"T{i}" for i in range(size)],
        opened=moved[order],
        titles=[tickets.titles[i] for i in places],
        texts=[f"{tickets.texts[i]} ref {n}" for n, i in enumerate(places)],
        facts={name: fact.take(rows) for name, fact in tickets.facts.items()},
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", default=",".join(PARTS))
    parser.add_argument("--tickets", default="10000")
    parser.add_argument("--demo", type=int, default=20_000, help="how many tickets the demo organisation has")
    given = parser.parse_args()
    wanted = given.only.split(",")
    if "demo" in wanted:
        judge_demo(given.demo)
    if "bpic2014" in wanted:
        judge_bpic()
    if "uci" in wanted:
        judge_uci()
    if "texts" in wanted:
        judge_texts()
    if "times" in wanted:
        measure([int(size) for size in given.tickets.split(",")])


if __name__ == "__main__":
    main()
