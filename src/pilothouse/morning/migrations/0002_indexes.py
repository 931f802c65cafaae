"""Indexes that only the morning review reads, on tables of the rooms below; each holds every column that its figure needs.

They are index-only as long as PostgreSQL's vacuum keeps up, so tickets are vacuumed when a fiftieth of them has changed.
"""

from django.db import migrations

OPEN = "('new', 'assigned', 'in_progress', 'on_hold')"
INDEXES = {
    # What came in, by hour, team and priority.
    "morning_intake": "tickets_ticket (opened_at) INCLUDE (group_id, priority)",
    # How old the open ones are, and were. (PostgreSQL scans an index of an expression alone only if its columns are there too.)
    "morning_open": f"tickets_ticket (opened_at) INCLUDE (group_id) WHERE state IN {OPEN}",
    "morning_done": "tickets_ticket (coalesce(resolved_at, closed_at)) INCLUDE (opened_at, group_id, resolved_at, closed_at)"
    " WHERE state IN ('resolved', 'closed', 'cancelled')",
    # What asks for action.
    "morning_on_hold": "tickets_ticket (hold_until) WHERE state = 'on_hold'",
    "morning_bounced": f"tickets_story (bounce_count) WHERE bounce_count >= 2 AND state IN {OPEN}",
    "morning_unanswered": "sla_clock (due_at) INCLUDE (ticket_id) WHERE kind = 'response' AND stage = 'running'",
    # What was met and what breached.
    "morning_ended": "sla_clock (ended_at) INCLUDE (kind, breached, due_at, ticket_id) WHERE stage = 'achieved'",
}


class Migration(migrations.Migration):
    dependencies = [("morning", "0001_tables"), ("sla", "0001_tables"), ("tickets", "0003_reading_indexes")]

    operations = [
        *(migrations.RunSQL(f"CREATE INDEX {name} ON {what}", f"DROP INDEX {name}") for name, what in INDEXES.items()),
        migrations.RunSQL(
            "ALTER TABLE tickets_ticket SET (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_insert_scale_factor = 0.02)",
            "ALTER TABLE tickets_ticket RESET (autovacuum_vacuum_scale_factor, autovacuum_vacuum_insert_scale_factor)",
        ),
    ]
