"""Measure the morning review: `python -m bench.morning [--tickets 1000000] [--demo 20000]`.

The instance is filled as the other benches do it (bench/filling.py); then each ticket gets a response and a resolution clock by SQL, the
open ones a due instant around now, a forecast, and one in a hundred an escalation. The page is asked for over HTTP by a signed-in analyst.
"""

import argparse
import time

import psycopg

from bench import filling
from bench.__main__ import Run, say
from bench.clients import percentile
from bench.instance import Instance, throw_away

AIM_MS = 300
OPEN = "('new', 'assigned', 'in_progress', 'on_hold')"
_CLOCKS = (
    "INSERT INTO sla_agreement (name, key, position, is_active, version) SELECT 'Bench', 'bench', 10, true, 1"
    " WHERE NOT EXISTS (SELECT 1 FROM sla_agreement WHERE key = 'bench')",
    "INSERT INTO sla_agreementversion (agreement_id, number, position, definition, names, is_retired, recorded_at, note)"
    " SELECT id, 1, 10, '{}', '[]', false, now(), '' FROM sla_agreement a WHERE key = 'bench'"
    " AND NOT EXISTS (SELECT 1 FROM sla_agreementversion v WHERE v.agreement_id = a.id)",
    "CREATE TEMP TABLE bare AS SELECT t.id, t.state, t.priority, t.opened_at, t.assignee_id,"
    " coalesce(t.resolved_at, t.closed_at) AS ended_at, random() AS dice, random() AS other"
    " FROM tickets_ticket t WHERE NOT EXISTS (SELECT 1 FROM sla_clock c WHERE c.ticket_id = t.id)",
    "INSERT INTO sla_clock (ticket_id, kind, target, turn, stay, agreement_version_id, priority, stage, target_seconds, started_at,"
    " running_since, elapsed_seconds, due_at, original_due_at, ended_at, breached)"
    " SELECT b.id, k.kind, k.kind, 1, 0, (SELECT max(v.id) FROM sla_agreementversion v JOIN sla_agreement a ON a.id = v.agreement_id"
    f"   WHERE a.key = 'bench'), b.priority, CASE WHEN b.state IN {OPEN} THEN 'running' ELSE 'achieved' END, 14400, b.opened_at,"
    f" CASE WHEN b.state IN {OPEN} THEN b.opened_at END, 3600,"
    f" CASE WHEN b.state IN {OPEN} THEN now() + (b.dice * 400 - 200) * interval '1 hour'"
    "   ELSE b.ended_at + (b.dice * 30 - 3) * interval '1 hour' END,"
    f" NULL, CASE WHEN b.state NOT IN {OPEN} THEN b.ended_at END, CASE WHEN b.state NOT IN {OPEN} THEN b.dice < 0.1 END"
    " FROM bare b CROSS JOIN (VALUES ('response'), ('resolution')) k(kind)"
    f" WHERE (b.state IN {OPEN} OR b.ended_at IS NOT NULL)"
    f" AND NOT (k.kind = 'response' AND b.assignee_id IS NOT NULL AND b.state IN {OPEN})",
    "INSERT INTO sla_ticket (ticket_id, kind, stage, due_at, target_seconds, elapsed_seconds, running_since)"
    " SELECT DISTINCT ON (c.ticket_id) c.ticket_id, c.kind, c.stage, c.due_at, c.target_seconds, c.elapsed_seconds, c.running_since"
    " FROM sla_clock c JOIN bare b ON b.id = c.ticket_id WHERE c.stage = 'running' ORDER BY c.ticket_id, c.due_at ON CONFLICT DO NOTHING",
    "INSERT INTO sla_forecast (ticket_id, probability, reason, by_model, judged_at)"
    f" SELECT id, other, 'group resolves 6 a day, 14 ahead of it', true, now() FROM bare WHERE state IN {OPEN} ON CONFLICT DO NOTHING",
    "INSERT INTO sla_escalation (entry_id, ticket_id, kind, target, turn, stay, agreement_version_id, step, due_at, fired_at, told, round)"
    " SELECT -b.id, b.id, 'resolution', 'resolution', 1, 0, (SELECT max(id) FROM sla_agreementversion), 1, now(),"
    " now() - b.other * interval '20 hours', ARRAY(SELECT id FROM people_user WHERE role = 'agent' ORDER BY id LIMIT 2), 1"
    f" FROM bare b WHERE state IN {OPEN} AND b.other < 0.01 ON CONFLICT DO NOTHING",
    "ANALYZE sla_clock",
    "ANALYZE sla_ticket",
)


def fill_clocks(url: str) -> float:
    """Give every ticket its clocks; returns seconds."""
    since = time.monotonic()
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("SET synchronous_commit = off")
        for statement in _CLOCKS:
            connection.execute(statement)  # type: ignore[arg-type]
        for table in ("tickets_ticket", "sla_clock", "sla_ticket", "tickets_story"):
            connection.execute(f"VACUUM ANALYZE {table}")  # type: ignore[arg-type]
    return time.monotonic() - since


def measure(run: Run, rounds: int = 30) -> list[float]:
    """Ask for the page so many times after three that do not count; returns milliseconds."""
    client = run.browser()
    for _ in range(3):
        client.ask("GET", "/morning")
    return [client.ask("GET", "/morning")[0] for _ in range(rounds)]


def _measured(instance: Instance, demo: int, tickets: int) -> None:
    instance.up()
    say(f"demo: {filling.demo(instance, demo):.0f} s")
    say(f"copies: {filling.copy_up_to(instance, tickets):.0f} s")
    say(f"clocks: {fill_clocks(instance.url):.0f} s")
    run = Run(instance, 10)
    run.enter()
    run.tickets = tickets
    waits = measure(run)
    run.add("morning review", percentile(waits, 0.95), "ms p95", AIM_MS, note=f"p50 {percentile(waits, 0.5):.0f} ms, {len(waits)} pages")


def main() -> None:
    """Fill a throw-away instance and measure the page."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--tickets", type=int, default=1_000_000)
    arguments.add_argument("--demo", type=int, default=20_000)
    asked = arguments.parse_args()
    with throw_away() as instance:
        _measured(instance, asked.demo, asked.tickets)


if __name__ == "__main__":
    main()
