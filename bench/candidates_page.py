"""Measure the page of candidates: `python -m bench.candidates_page [--tickets 60000] [--candidates 200]`.

The demo organisation is loaded, and the look that comes with it has ended; what it found is copied until there are so many candidates,
each copy with as many tickets as what it is copied from, drawn from all tickets. Readers ask over HTTP, one after the other, and see
the list whole; from the analyst the tickets of one restricted team are hidden.
"""

import argparse
import time

from bench import filling
from bench.__main__ import Run, say
from bench.clients import percentile
from bench.instance import Instance, throw_away

AIM_MS = 200
_COPIED = (
    "state", "run_id", "title", "found", "ticket_count", "weekly_hours", "first_found_at", "last_found_at", "raised_after", "raised_at",
    "dismissed_because", "returned_because",
)  # fmt: skip
_COPIES = f"""
INSERT INTO problems_candidate (rank, {", ".join(_COPIED)})
SELECT row_number() OVER (ORDER BY copy, rank) + (SELECT count(*) FROM problems_candidate), {", ".join(_COPIED)}
FROM problems_candidate CROSS JOIN generate_series(1, %s) copy ORDER BY copy, rank LIMIT %s
"""
_TICKETS = """
INSERT INTO problems_candidateticket (candidate_id, ticket_id) SELECT c.id, drawn.id FROM problems_candidate c
CROSS JOIN LATERAL (SELECT id FROM tickets_ticket WHERE kind IN ('incident', 'request') ORDER BY random() LIMIT c.ticket_count) drawn
WHERE NOT EXISTS (SELECT 1 FROM problems_candidateticket own WHERE own.candidate_id = c.id)
"""


def copy_candidates(instance: Instance, wanted: int) -> int:
    """Copy candidates until there are `wanted`; returns how many tickets they have."""
    ((have,),) = instance.run("SELECT count(*) FROM problems_candidate")
    if not have:
        raise RuntimeError("The look over the demo's tickets has found nothing.")
    if have < wanted:
        instance.run(_COPIES, wanted, wanted - have)
        instance.run(_TICKETS)
    for table in ("problems_candidate", "problems_candidateticket"):
        instance.run(f"VACUUM ANALYZE {table}")
    ((members,),) = instance.run("SELECT count(*) FROM problems_candidateticket")
    return int(members)


def _looked(instance: Instance) -> float:
    since = time.monotonic()
    while not instance.run("SELECT 1 FROM problems_miningrun WHERE ended_at IS NOT NULL"):
        time.sleep(0.5)
    return time.monotonic() - since


def measure(run: Run, rounds: int = 40) -> list[float]:
    """Ask for the page so many times after five that do not count; returns milliseconds."""
    client = run.browser()
    for _ in range(5):
        client.ask("GET", "/problems/candidates")
    return [client.ask("GET", "/problems/candidates")[0] for _ in range(rounds)]


def _measured(instance: Instance, tickets: int, candidates: int) -> None:
    instance.up()
    say(f"demo: {filling.demo(instance, tickets):.0f} s")
    say(f"first look: {_looked(instance):.0f} s more; the rest: {filling.settled(instance):.0f} s")
    members = copy_candidates(instance, candidates)
    run = Run(instance, 10)
    run.enter()
    run.tickets = tickets
    for role in ("analyst", "manager"):
        instance.run("UPDATE people_user SET role = %s WHERE id = %s", role, run.user_id)
        waits = measure(run)
        note = f"p50 {percentile(waits, 0.5):.0f} ms, {len(waits)} pages; {candidates} candidates with {members:,} tickets"
        run.add(f"candidates, {role}", percentile(waits, 0.95), "ms p95", AIM_MS, note=note)


def main() -> None:
    """Fill a throw-away instance and measure the page."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--tickets", type=int, default=60_000)
    arguments.add_argument("--candidates", type=int, default=200)
    asked = arguments.parse_args()
    with throw_away() as instance:
        _measured(instance, asked.tickets, asked.candidates)


if __name__ == "__main__":
    main()
