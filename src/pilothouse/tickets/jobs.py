"""The worker's part of tickets: what was resolved and stayed so is closed."""

from procrastinate.contrib.django import app

from pilothouse.platform import access, clock
from pilothouse.tickets.actions import close_resolved_tickets


@app.periodic(cron="12 * * * *")
@app.task(name="tickets.close_resolved")
def close_resolved(timestamp: int) -> None:
    """Close tickets that have been resolved for as many days as the setting says; run again it finds none."""
    close_resolved_tickets(actor=access.system(), now=clock.now())
