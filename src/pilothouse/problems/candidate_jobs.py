"""The worker's part of looking for what keeps coming back: when it is asked for, each night, and as tickets come in."""

import logging

from django.conf import settings
from procrastinate.contrib.django import app

from pilothouse.platform import access, clock, outbox
from pilothouse.platform.access import Source
from pilothouse.platform.refusals import GuardRefused
from pilothouse.problems import looking, watching
from pilothouse.problems.actions.candidates import request_look
from pilothouse.tickets.models import Ticket

_log = logging.getLogger(__name__)
TASK = "problems.look"


@app.task(name="problems.request_look", queueing_lock="problems.request_look")
def request_by_night(timestamp: int) -> None:
    """Ask for the night's look, unless one is under way or there is nothing to look at."""
    if not Ticket.objects.exists():
        return
    try:
        request_look(actor=access.system(), now=clock.now())
    except GuardRefused:
        _log.info("Mining: a look is under way already.")


@app.task(name=TASK, priority=10)  # somebody waits for it: before what counts in the background
def look(entry_id: int, kind: str, record_id: int) -> None:
    """Do a look that was asked for; delivered again after a crash it begins anew, one that ended is left alone."""
    looking.look(actor=access.system(), run_id=record_id)


@app.periodic(cron="*/5 * * * *")
@app.task(name="problems.watch", queueing_lock="problems.watch", priority=5)
def watch(timestamp: int) -> None:
    """Look at the tickets that have come in since the last time; what crowds is raised."""
    watching.watch(actor=access.system(Source.RULE), now=clock.now())


if settings.MINING_HOUR is not None:
    app.periodic(cron=f"20 {settings.MINING_HOUR} * * *")(request_by_night)
outbox.subscribe("mining_run.requested", TASK)
