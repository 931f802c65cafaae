"""Measure clocks at work: `python -m bench.escalation [--open 1000000] [--due 1000] [--tickets 1000000] [--only lateness,log]`.

- lateness: steps that fall due in one minute among so many open clocks, taken by the worker of a running instance; from the instant
  at which a step fell due to the moment at which another connection sees it committed (looked for every 50 ms).
- update: what keeping clocks adds to one change of a ticket: changes with and without the projection, in turns, medians.
- rebuild: clocks made anew from the journals of so many tickets (the demo's histories, copied by SQL), and the command's peak memory.
- log: the same of the imported UCI ServiceNow incident log.
"""

import argparse
import json
import os
import statistics
import sys
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg

from bench.__main__ import LOG, Run, _machine, say
from bench.clients import percentile
from bench.figures import table
from bench.filling import columns
from bench.instance import throw_away, watched

PARTS = ("lateness", "update", "rebuild", "log")
_APART = 10_000_000  # between the ids of one copy of the tickets and the next
HOURS = {"zone": "Europe/Berlin", "week": dict.fromkeys(("mon", "tue", "wed", "thu", "fri"), "08:00-12:00, 13:00-17:00")}
ALL_DAY = {"zone": "UTC", "week": dict.fromkeys(("mon", "tue", "wed", "thu", "fri", "sat", "sun"), "00:00-24:00")}
_LEAD_SECONDS = 15.0  # from the filling to the first step that falls due
_FILL = """
WITH new AS (
  INSERT INTO tickets_ticket (number, {ticket}) SELECT 'ESC' || lpad(n::text, 8, '0'), {ticket}
  FROM generate_series(1, %(open)s) n, (SELECT * FROM tickets_ticket WHERE id = %(id)s) t RETURNING id
), life AS (
  INSERT INTO sla_life (ticket_id, opened_at, events) SELECT new.id, l.opened_at, l.events FROM new, sla_life l WHERE l.ticket_id = %(id)s
), head AS (
  INSERT INTO journal_head (kind, record_id, seq, hash) SELECT 'ticket', id, 1, sha256('bench') FROM new
)
INSERT INTO sla_clock (ticket_id, next_step_at, {clock})
SELECT new.id, %(at)s::timestamptz + interval '30 days' + (row_number() OVER () %% 86400) * interval '30 s', {clock}
FROM new, (SELECT * FROM sla_clock WHERE ticket_id = %(id)s) c
"""
_DUE = """
UPDATE sla_clock SET next_step_at = %s::timestamptz + n * interval '60 s' / %s
FROM (SELECT id AS pk, row_number() OVER (ORDER BY hashint8(id)) n FROM sla_clock) c WHERE id = pk AND n <= %s
"""


def agree(hours: dict[str, Any], seconds: int, *, everywhere: bool) -> None:
    """Make an agreement for all incidents (or all tickets) in this process's database: response, resolution with steps, OLA."""
    from pilothouse.people import actions as people
    from pilothouse.people.models import User
    from pilothouse.people.queries import actor_of
    from pilothouse.platform import access, clock
    from pilothouse.sla.actions.agreements import add_agreement
    from pilothouse.sla.actions.schedules import add_schedule

    found = User.objects.filter(role="administrator").first() or people.add_person(
        actor=access.system(), email="bench-admin@example.org", name="Bench admin", role="administrator", now=clock.now()
    )
    actor, now = actor_of(found.pk), clock.now()
    assert actor
    schedule = add_schedule(actor=actor, name="Bench", definition=hours, now=now).pk
    durations = {str(p): {"seconds": seconds * p} for p in range(1, 6)}
    steps = [{"share": 0.5, "tell": ["assignee"]}, {"share": 0.75, "tell": ["lead"]}, {"share": 1, "tell": ["manager"]}]
    more = [
        {"key": "response", "kind": "response", "durations": durations, "schedule": schedule},
        {"key": "ola", "kind": "ola", "durations": durations, "schedule": schedule},
    ]
    resolution = {
        "key": "resolution",
        "kind": "resolution",
        "durations": durations,
        "schedule": schedule,
        "holds": ["caller"],
        "steps": steps,
    }
    definition = {"applies_to": "", "targets": [resolution, *(more if everywhere else [])]}
    add_agreement(actor=actor, name="Bench", definition=definition, since_ever=True, now=now)


def lateness(run: Run, opened: int, due: int) -> None:
    """Steps that fall due in the same minute among many open clocks, taken by the instance's own worker."""
    from pilothouse.people.queries import actor_of
    from pilothouse.platform import clock
    from pilothouse.tickets import actions

    agree(ALL_DAY, 30_000_000, everywhere=False)
    actor = actor_of(run.user_id)
    assert actor
    ticket = actions.open_ticket(actor=actor, title="Escalated", assignee=run.user_id, priority=3, now=clock.now())
    run.tickets = opened
    with psycopg.connect(run.instance.url, autocommit=True) as connection:
        begun = time.monotonic()
        connection.execute("SET synchronous_commit = off")
        connection.execute("SET session_replication_role = replica")
        names = {
            "ticket": columns(connection, "tickets_ticket", "id", "number"),
            "clock": columns(connection, "sla_clock", "id", "ticket_id", "next_step_at"),
        }
        connection.execute(_FILL.format(**names), {"open": opened, "id": ticket.pk, "at": datetime.now(UTC)})  # type: ignore[arg-type]
        for name in ("tickets_ticket", "sla_clock", "sla_life", "journal_head"):
            connection.execute(f"VACUUM ANALYZE {name}")  # type: ignore[arg-type]
        say(f"{opened:,} open clocks in {time.monotonic() - begun:.0f} s")
        connection.execute("CHECKPOINT")
        connection.execute(_DUE, [datetime.now(UTC) + timedelta(seconds=_LEAD_SECONDS), due, due])
        late = _watch(connection, due, seconds=_LEAD_SECONDS + 180)
    run.add(f"lateness of {due:,} steps in one minute, p99", percentile(late, 0.99) * 1000, "ms", 5000, note=_spread(late, due))
    run.add(f"lateness of {due:,} steps in one minute, p50", percentile(late, 0.5) * 1000, "ms")
    with psycopg.connect(run.instance.url, autocommit=True) as connection:
        connection.execute(
            _DUE.replace("n * interval '60 s' / %s", "0 * n * interval '1 s' / %s"), [datetime.now(UTC) + timedelta(seconds=5), due, due]
        )
        late = _watch(connection, due, seconds=180)
    run.add(f"lateness of {due:,} steps at one instant, p99", percentile(late, 0.99) * 1000, "ms", note=_spread(late, due))


def _spread(late: list[float], due: int) -> str:
    return f"{len(late):,} of {due:,} taken, the latest after {max(late, default=0):.1f} s"


def _watch(connection: psycopg.Connection, due: int, seconds: float) -> list[float]:
    """Return how late each step was seen."""
    late: list[float] = []
    (last,) = connection.execute("SELECT coalesce(max(entry_id), 0) FROM sla_escalation").fetchone() or (0,)
    end = time.monotonic() + seconds
    while len(late) < due and time.monotonic() < end:
        rows = connection.execute("SELECT entry_id, due_at FROM sla_escalation WHERE entry_id > %s ORDER BY 1", [last]).fetchall()
        seen = datetime.now(UTC)
        late += [(seen - at).total_seconds() for _, at in rows]
        last = rows[-1][0] if rows else last
        time.sleep(0.05)
    return late


def update(run: Run, rounds: int) -> None:
    """What keeping clocks adds to one change of a ticket; with and without, in turns, each on tickets of its own."""
    from pilothouse.people.queries import actor_of
    from pilothouse.platform import clock, projections
    from pilothouse.tickets import actions

    agree(HOURS, 14_400, everywhere=True)
    actor = actor_of(run.user_id)
    assert actor
    ours, took = projections.get("sla_clock"), {True: list[float](), False: list[float]()}
    ids = {}
    for kept in (True, False):
        _keep(ours, kept)
        ids[kept] = [actions.open_ticket(actor=actor, title="Changed", priority=3, now=clock.now()).pk for _ in range(20)]
    for n in range(rounds * 2 + 40):
        kept = n % 2 == 0
        _keep(ours, kept)
        changes = {"priority": 1 + (n // 40) % 5} if n % 80 < 40 else {"tags": [f"n{n // 40}"]}
        since = time.perf_counter()
        actions.change_ticket(actor=actor, ticket_id=ids[kept][(n // 2) % 20], changes=changes, now=clock.now())
        if n >= 40:
            took[kept].append((time.perf_counter() - since) * 1000)
    _keep(ours, True)
    beside, without = statistics.median(took[True]), statistics.median(took[False])
    note = f"{beside:.2f} ms with, {without:.2f} ms without, medians of {rounds} each in turns; a whole change, committed"
    run.add("keeping clocks, added to one change", beside - without, "ms", 2, note=note)


def _keep(ours: Any, kept: bool) -> None:
    from pilothouse.platform import projections

    if kept:
        projections.register(ours)
    else:
        projections._registered.pop(ours.name, None)


def rebuild(run: Run, tickets: int) -> None:
    """Clocks made anew from the journals of many tickets: the demo's, copied."""
    if run.instance.command("demo", "--only-load", f"--tickets={min(tickets, 20_000)}").wait():
        raise RuntimeError(f"The demo was not loaded:\n{run.instance.said('demo')}")
    agree(HOURS, 14_400, everywhere=True)
    _copy_journals(run, tickets)
    _rebuilt(run, "the demo's journals, copied", 60 if run.tickets >= 1_000_000 else None)


def _copy_journals(run: Run, tickets: int) -> None:
    """Copy the journals of the tickets there are until there are so many."""
    with psycopg.connect(run.instance.url, autocommit=True) as connection:
        (have,) = connection.execute("SELECT count(*) FROM journal_head WHERE kind = 'ticket'").fetchone() or (0,)
        connection.execute("SET synchronous_commit = off")
        for number in range(1, max(1, -(-tickets // have))):
            rest = tickets - number * have
            whose = f"SELECT record_id FROM journal_head WHERE kind = 'ticket' AND record_id < {_APART} ORDER BY 1 LIMIT {max(0, rest)}"
            for table, but in (("journal_entry", ("id", "record_id")), ("journal_head", ("record_id",))):
                own = columns(connection, table, *but)
                connection.execute(
                    f"INSERT INTO {table} (record_id, {own}) SELECT record_id + {number} * {_APART}, {own} FROM {table}"
                    f" WHERE kind = 'ticket' AND record_id IN ({whose})"  # type: ignore[arg-type]
                )
        connection.execute("VACUUM ANALYZE journal_entry")
        connection.execute("VACUUM ANALYZE journal_head")
        connection.execute("CHECKPOINT")
    run.tickets = max(tickets, have)


def _rebuilt(run: Run, what: str, aim: float | None) -> None:
    spent = watched(process := run.instance.command("rebuild", "sla_clock"), run.instance.data)
    if process.returncode:
        raise RuntimeError(f"The rebuild ended with {process.returncode}:\n{run.instance.said('rebuild')[-2000:]}")
    (clocks,), (lives,) = (run.instance.run(f"SELECT count(*) FROM {name}")[0] for name in ("sla_clock", "sla_life"))
    (entries,) = run.instance.run("SELECT count(*) FROM journal_entry WHERE kind = 'ticket'")[0]
    speed = f"{lives / spent.seconds:,.0f} tickets and {clocks / spent.seconds:,.0f} clocks a second"
    processor = f"{spent.processor_seconds:,.0f} s of processor time, the server for it {spent.server_seconds:,.0f} s"
    note = f"{lives:,} tickets, {entries:,} entries, {clocks:,} clocks; {speed}; {processor}"
    run.add(f"clocks rebuilt: {what}", spent.seconds, "s", aim, note=note)
    run.add(f"clocks rebuilt: {what}, peak memory of the command", spent.peak_mb, "MB (PSS)", note="the database beside it not counted")


def log(run: Run) -> None:
    """Clocks made anew from the imported incident log."""
    if not LOG.exists():
        say("  log: skipped, it is not beside the checkout (../shared/data)")
        return
    agree(HOURS, 14_400, everywhere=True)
    process = run.instance.command("import", "servicenow-log", str(LOG), "--rejects", str(run.instance.folder / "rejects.csv"))
    if process.wait() not in (0, 3):
        raise RuntimeError(f"The import ended with {process.returncode}:\n{run.instance.said('import')[-2000:]}")
    (run.tickets,) = run.instance.run("SELECT count(*) FROM tickets_ticket")[0]
    _rebuilt(run, "the imported incident log", None)


def main() -> int:
    asked = argparse.ArgumentParser(prog="bench.escalation", description=__doc__)
    asked.add_argument("--open", type=int, default=1_000_000, help="open clocks for lateness")
    asked.add_argument("--due", type=int, default=1000, help="steps that fall due in one minute")
    asked.add_argument("--tickets", type=int, default=1_000_000, help="tickets whose clocks are rebuilt")
    asked.add_argument("--rounds", type=int, default=400, help="changes with and without clocks")
    asked.add_argument("--only", default=",".join(PARTS), help=f"some of {','.join(PARTS)}")
    given = asked.parse_args()
    parts = given.only.split(",")
    if unknown := set(parts) - set(PARTS):
        asked.error(f"there is no part {', '.join(sorted(unknown))}")
    work = {
        "lateness": lambda run: lateness(run, given.open, given.due),
        "update": lambda run: update(run, given.rounds),
        "rebuild": lambda run: rebuild(run, given.tickets),
        "log": log,
    }
    failed = 0
    for part in parts:  # each in a process and on an instance of its own
        if (child := os.fork()) == 0:
            _measured(part, work[part])
        failed += bool(os.waitpid(child, 0)[1])
    return int(failed > 0)


def _measured(part: str, work: Any) -> None:
    status = 1
    try:
        with throw_away() as instance:
            instance.up()
            run = Run(instance, 10)
            facts = _machine(run)
            run.enter()
            work(run)
            facts["load average at the end"] = " ".join(f"{x:.2f}" for x in os.getloadavg())
            print(table(run.figures, facts), flush=True)
            print(json.dumps([figure.what for figure in run.figures]), flush=True)
        status = 0
    except BaseException as fault:
        say(f"  {part}: FAILED: {fault}")
    finally:
        os._exit(status)


if __name__ == "__main__":
    sys.exit(main())
