"""Measure: `python -m bench [--tickets 20000,1000000] [--only create,queue,search,import,business-time,clocks,…]`.

The desk's parts share one instance that is filled step by step; each other part is a program of its own (`python -m bench.NAME`),
which this one starts and whose figures it gathers.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, datetime
from importlib.metadata import version
from itertools import pairwise
from pathlib import Path
from typing import Any
from urllib.parse import quote

from bench import filling, live, same_inserts
from bench.clients import Client, in_parallel, percentile
from bench.figures import HANDED_OVER, Figure, hand_over, handed_over, table
from bench.instance import Instance, memory_mb, throw_away, watched
from pilothouse import __version__

DESK = ("memory", "create", "queue", "ticket", "search", "live", "import")
PROGRAMS: dict[str, list[str]] = {
    "business-time": ["bench.business_time"],
    "what-if": ["bench.what_if"],
    "forecast": ["bench.forecast"],
    "clocks": ["bench.escalation", "--tickets", "200000"],  # a million takes a quarter of an hour more
    "morning": ["bench.morning"],
    "candidates": ["bench.candidates_page"],
    "mining": ["bench.mining", "--tickets", "10000,60000,1000000"],
}
PARTS = (*DESK, *PROGRAMS)
LOG = Path(__file__).parents[2] / "shared" / "data" / "uci-servicenow-incident-log" / "incident_event_log.csv.gz"
VIEWS = {"first page": "", "filtered, sorted": "is:open priority<=3 opened<300d sort:-updated"}
SEARCH_AT = (200_000, 1_000_000)


class Run:
    """One run: the instance, the person who asks, and the figures so far."""

    def __init__(self, instance: Instance, seconds: float) -> None:
        self.instance, self.seconds = instance, seconds
        self.figures: list[Figure] = []
        self.tickets = 0
        self.token = self.session = ""
        self.user_id = 0

    def add(self, what: str, value: float, unit: str, aim: float | None = None, *, more_is_better: bool = False, note: str = "") -> None:
        figure = Figure(what, self.tickets, round(value, 4), unit, aim, more_is_better, note)
        self.figures.append(figure)
        hand_over(figure)
        say(f"  {figure.what}: {figure.value:g} {unit} {figure.verdict} {note}")

    def rest(self) -> Client:
        return Client(self.instance.port, {"Authorization": f"Bearer {self.token}"})

    def browser(self) -> Client:
        return Client(self.instance.port, {"Cookie": f"sessionid={self.session}"})

    def enter(self) -> None:
        """Make an analyst who signs in and has a token, in this process, on the instance's database."""
        os.environ |= {"DATABASE_URL": self.instance.url, "PILOTHOUSE_DATA": str(self.instance.data)}
        os.environ["DJANGO_SETTINGS_MODULE"] = "pilothouse.platform.settings"
        import django  # not before the environment names the database

        django.setup()
        from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
        from django.contrib.sessions.backends.db import SessionStore

        from pilothouse.people import actions
        from pilothouse.people.queries import actor_of
        from pilothouse.platform import access, clock

        user = actions.add_person(actor=access.system(), email="bench@example.org", name="Bench", role="analyst", now=clock.now())
        actor = actor_of(user.pk)
        assert actor
        self.user_id, self.token = user.pk, actions.issue_token(actor=actor, name="bench", now=clock.now()).secret
        store = SessionStore()
        store[SESSION_KEY], store[BACKEND_SESSION_KEY] = str(user.pk), "pilothouse.people.backends.EmailBackend"
        store[HASH_SESSION_KEY] = user.get_session_auth_hash()
        store.create()
        self.session = store.session_key or ""


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _body(run: Run, number: int) -> dict[str, Any]:
    group = run.instance.run("SELECT min(id) FROM people_team WHERE NOT is_restricted")[0][0]
    text = "The VPN drops every few minutes since the update on Friday. Error 720 is shown; a restart helps for an hour."
    return {
        "title": f"VPN drops every few minutes, case {number}",
        "description": text,
        "group": group,
        "impact": 2,
        "urgency": 2,
        "tags": ["vpn"],
    }


def create(run: Run) -> None:
    """Tickets opened over REST, one by one and in bulk, beside what pgbench commits with the same statements."""
    body = _body(run, 0)
    limits = {}
    statements, ticket_id, number = _recorded(body)
    text = same_inserts.script(statements, ticket_id, number)
    for clients, aim in ((1, 150), (8, 400)):
        limits[clients] = same_inserts.commits(run.instance, text, clients, int(run.seconds))
        rate = in_parallel(run.rest, clients, run.seconds, lambda client, who, step: client.ask("POST", "/api/v1/tickets", body, 201)[0])
        ratio = f"pgbench, same inserts: {limits[clients]:.0f}/s; {rate.per_second / limits[clients]:.0%} of it; p95 {rate.p95_ms:.0f} ms"
        run.add(f"created over REST, {clients} client{'s' * (clients > 1)}", rate.per_second, "/s", aim, more_is_better=True, note=ratio)
    many = {"tickets": [body] * 1000}
    rate = in_parallel(run.rest, 1, run.seconds, lambda client, who, step: client.ask("POST", "/api/v1/tickets/bulk", many, 201)[0])
    run.add("created in bulk (1,000 a request)", rate.per_second * 1000, "/s", 5000, more_is_better=True)


def _recorded(body: dict[str, Any]) -> tuple[list[str], int, str]:
    """Open a ticket in this process, then undo it, and return its statements, its id and its number."""
    from django.db import connection, transaction
    from django.test.utils import CaptureQueriesContext

    from pilothouse.people.models import User
    from pilothouse.people.queries import actor_of
    from pilothouse.platform import clock
    from pilothouse.tickets import actions

    actor = actor_of(User.objects.get(email="bench@example.org").pk)
    assert actor
    actions.open_ticket(actor=actor, now=clock.now(), **body)  # the month's partition is known from now on
    with transaction.atomic():
        with CaptureQueriesContext(connection) as captured:
            made = actions.open_ticket(actor=actor, now=clock.now(), **body)
        transaction.set_rollback(True)
    kept = [q["sql"] for q in captured.captured_queries if not q["sql"].startswith(("SAVEPOINT", "RELEASE", "BEGIN", "COMMIT"))]
    return kept, made.pk, made.number


def _pages(run: Run, name: str, paths: list[str], aim: float | None) -> None:
    """Ask for pages in turn for some seconds; three rounds before are not counted."""
    client = run.browser()
    for path in paths[:3]:
        client.ask("GET", path)
    waits, step, end = list[float](), 0, time.monotonic() + run.seconds
    while time.monotonic() < end or step < 20:
        waits.append(client.ask("GET", paths[step % len(paths)])[0])
        step += 1
    run.add(name, percentile(waits, 0.95), "ms p95", aim, note=f"p50 {percentile(waits, 0.5):.1f} ms, {len(waits)} pages")


def queue(run: Run) -> None:
    """The queue's first page, and a filtered, sorted view, as a signed-in analyst's browser gets them."""
    for name, query in VIEWS.items():
        _pages(run, f"queue, {name}", [f"/queue?q={quote(query)}" if query else "/queue"], 60)


def ticket(run: Run) -> None:
    """Ticket pages, of the demo's tickets with their whole history that an analyst may read."""
    rows = run.instance.run(
        "SELECT number FROM tickets_ticket t LEFT JOIN people_team g ON g.id = t.group_id"
        " WHERE number NOT LIKE 'CPY%%' AND g.is_restricted IS NOT TRUE ORDER BY random() LIMIT 300"
    )
    _pages(run, "ticket page", [f"/tickets/{number}" for (number,) in rows], 80)


def search(run: Run) -> None:
    """Search pages for the words that are in some 5 % of the documents, and for pairs of them."""
    rows = run.instance.run(
        "SELECT word, ndoc::float / (SELECT count(*) FROM search_document TABLESAMPLE SYSTEM (2)) FROM"
        " ts_stat('SELECT vector FROM search_document TABLESAMPLE SYSTEM (2)') WHERE length(word) > 3 AND word ~ '^[a-z]+$'"
        " ORDER BY abs(ndoc::float / (SELECT count(*) FROM search_document TABLESAMPLE SYSTEM (2)) - 0.05) LIMIT 10"
    )
    words = [word for word, _ in rows]
    aim = {200_000: 100, 1_000_000: 200}.get(run.tickets)
    _pages(run, "search, a word in some 5 %", [f"/search?q={quote(word)}" for word in words], aim)
    _pages(run, "search, two such words", [f"/search?q={quote(f'{a} {b}')}" for a, b in pairwise(words)], aim)


def fan_out(run: Run) -> None:
    """A work note's way to 500 open pages."""
    from django.db import connections

    from pilothouse.people.queries import actor_of
    from pilothouse.platform import clock
    from pilothouse.tickets import actions

    actor = actor_of(run.user_id)
    assert actor
    ticket_id = actions.open_ticket(actor=actor, title="Live", now=clock.now()).pk

    def change() -> None:
        actions.comment_on_ticket(actor=actor, ticket_id=ticket_id, text="Look.", private=True, now=clock.now())
        connections.close_all()

    p50, p95, arrived = live.fan_out(run.instance.port, run.session, change)
    run.add("live update to 500 pages", p95, "ms p95", 1000, note=f"p50 {p50:.0f} ms, {arrived} of 5000 arrived")


def memory(run: Run) -> None:
    """The whole tree at rest: after some pages, the first training of the forecast, and ten quiet seconds."""
    for path in ("/queue", "/search?q=vpn", "/morning"):
        run.browser().ask("GET", path)
    until = time.monotonic() + 180
    while time.monotonic() < until and run.instance.run("SELECT 1 FROM sla_forecast_model WHERE report = '{}'"):
        time.sleep(1)
    time.sleep(10)
    assert run.instance.tree
    run.add("memory of the whole tree at rest", memory_mb(run.instance.tree.pid), "MB (PSS)", 500)


def import_log(run: Run) -> None:
    """The 141,712-row ServiceNow log into an empty instance of its own, with the tree running beside it."""
    if not LOG.exists():
        say("  import: skipped, the log is not beside the checkout (../shared/data)")
        return
    with throw_away() as instance:
        instance.up()
        process = instance.command("import", "servicenow-log", str(LOG), "--rejects", str(instance.folder / "rejects.csv"))
        spent = watched(process, instance.data)
        if process.returncode not in (0, 3):  # 3: done, some rows were rejected
            raise RuntimeError(f"The import ended with {process.returncode}:\n{instance.said('import')[-3000:]}")
        (entries,) = instance.run("SELECT count(*) FROM journal_entry WHERE kind = 'ticket'")[0]
        (made,) = instance.run("SELECT count(*) FROM tickets_ticket")[0]
        run.tickets = made
        run.add("import of the 141,712-row log", spent.seconds, "s", 60, note=f"{made} tickets, {entries} entries")
        run.add("import, peak memory of the command", spent.peak_mb, "MB (PSS)", note="its processes; the database beside it not counted")


BY_NAME: dict[str, Callable[[Run], None]] = {
    "memory": memory, "create": create, "queue": queue, "ticket": ticket, "search": search, "live": fan_out, "import": import_log,
}  # fmt: skip


def _machine(run: Run) -> dict[str, str]:
    cpu = next((line.split(":")[1].strip() for line in Path("/proc/cpuinfo").read_text().splitlines() if "model name" in line), "?")
    ram = next(line.split()[1] for line in Path("/proc/meminfo").read_text().splitlines() if line.startswith("MemTotal"))
    postgres = run.instance.run("SHOW server_version")[0][0]
    return {
        "machine": f"{os.cpu_count()} cores of {cpu}, {int(ram) / 2**20:.0f} GB; the clients run on the same machine",
        "system": platform.platform(),
        "versions": f"Pilothouse {__version__}, Python {platform.python_version()}, PostgreSQL {postgres},"
        f" Django {version('django')}, uvicorn {version('uvicorn')}",
        "load average at the start": " ".join(f"{x:.2f}" for x in os.getloadavg()),
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def measure(run: Run, sizes: list[int], parts: list[str]) -> None:
    """Fill to each size in turn and measure there what belongs there."""
    loaded = filling.demo(run.instance, min(sizes[0], 20_000))
    say(f"demo organisation loaded in {loaded:.0f} s (the product's own loader)")
    run.enter()
    for at, size in enumerate(sizes):
        copied = filling.copy_up_to(run.instance, size)
        run.tickets = size
        say(f"{size:,} tickets (copied by SQL in {copied:.0f} s)")
        for part in DESK:
            if part not in parts or part == "import" or (part in ("memory", "live") and at > 0) or (part == "search" and size < 100_000):
                continue
            if size in SEARCH_AT[:1] and part != "search":
                continue
            _one(part, run)


def _one(part: str, run: Run) -> None:
    """Measure a part; one that fails is told among the figures, and the others go on."""
    try:
        BY_NAME[part](run)
    except Exception as fault:
        run.figures.append(Figure(f"{part}: FAILED", run.tickets, float("nan"), "", None, note=str(fault).splitlines()[0][:200]))
        say(f"  {part}: FAILED: {fault}\n{run.instance.said('up')[-3000:]}")


def _elsewhere(part: str) -> list[Figure]:
    """Let a part of its own measure in its own process, and return its figures; one that fails is told among them."""
    say(f"{part}:")
    with tempfile.NamedTemporaryFile("w+", suffix=".jsonl") as file:
        environment = {name: value for name, value in os.environ.items() if name not in ("DATABASE_URL", "PILOTHOUSE_DATA")}
        environment[HANDED_OVER] = file.name
        done = subprocess.run([sys.executable, "-m", *PROGRAMS[part]], env=environment, stdout=sys.stderr, check=False)
        figures = handed_over(Path(file.name))
    if done.returncode and not figures:
        figures.append(Figure(f"{part}: FAILED", 0, float("nan"), "", None, note=f"it ended with {done.returncode}"))
    return figures


def _write_page(told: str) -> None:
    """Put the printed table between the page's two marks; the words around it stay as they are."""
    page = Path(__file__).parents[1] / "docs" / "benchmarks.md"
    before, _, rest = page.read_text().partition("<!-- printed: begin -->")
    _, _, after = rest.partition("<!-- printed: end -->")
    page.write_text(f"{before}<!-- printed: begin -->\n{told}\n<!-- printed: end -->{after}")


def main() -> None:
    asked = argparse.ArgumentParser(prog="bench", description=__doc__)
    asked.add_argument("--tickets", default="20000,200000,1000000", help="sizes, smallest first")
    asked.add_argument("--only", default=",".join(PARTS), help=f"some of {','.join(PARTS)}")
    asked.add_argument("--seconds", type=float, default=10, help="how long each figure is measured")
    asked.add_argument("--page", action="store_true", help="put the table into docs/benchmarks.md")
    given = asked.parse_args()
    parts = given.only.split(",")
    if unknown := set(parts) - set(PARTS):
        asked.error(f"there is no part {', '.join(sorted(unknown))}")
    with throw_away() as instance:
        instance.up()
        run = Run(instance, given.seconds)
        facts = _machine(run)
        try:
            if set(parts) & set(DESK) - {"import"}:
                measure(run, [int(size) for size in given.tickets.split(",")], parts)
            if "import" in parts:
                _one("import", run)
            instance.stop()
            for part in parts:
                if part in PROGRAMS:
                    run.figures += _elsewhere(part)
        finally:
            facts["load average at the end"] = " ".join(f"{x:.2f}" for x in os.getloadavg())
            told = table(run.figures, facts)
            print(told, flush=True)
            if given.page:
                _write_page(told)
            results = Path(__file__).parent / "results"
            results.mkdir(exist_ok=True)
            kept = {"facts": facts, "figures": [asdict(figure) | {"verdict": figure.verdict} for figure in run.figures]}
            (results / f"{datetime.now(UTC):%Y%m%dT%H%M%S}.json").write_text(json.dumps(kept, indent=2) + "\n")


if __name__ == "__main__":
    main()
