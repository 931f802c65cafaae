"""The worker's part of service levels: due steps every second, passing on, and recounting after an agreement reaches back."""

from procrastinate.contrib.django import app

from pilothouse.platform import access, clock, loops
from pilothouse.platform.access import Source
from pilothouse.platform.models import JournalEntry
from pilothouse.sla import forecast_jobs, recounting, what_if_jobs  # noqa: F401  their tasks are found through this module
from pilothouse.sla.actions import escalating

_AT_ONCE = 250


def _steps() -> bool:
    return escalating.take_due_steps(actor=access.system(Source.RULE), now=clock.now(), limit=_AT_ONCE) >= _AT_ONCE


def _pass_on() -> bool:
    return escalating.pass_on_escalations(actor=access.system(Source.RULE), now=clock.now(), limit=_AT_ONCE) >= _AT_ONCE


@app.task(name="sla.recount")
def recount(entry_id: int, kind: str, record_id: int) -> None:
    """Count the clocks anew that a version of an agreement or a schedule concerns; run again it changes nothing.

    What counts every ticket does the work of all who waited when it began: a new set of agreements is counted once, not once for each.
    """
    waiting = [job.id for job in app.job_manager.list_jobs(task="sla.recount", status="todo")]
    told = JournalEntry.objects.filter(pk=entry_id).values_list("recorded_at", flat=True).first()
    if recounting.after(kind, record_id, since=told).was_everything:
        for job_id in filter(None, waiting):
            app.job_manager.cancel_job_by_id(job_id, delete_job=True)  # of one that another worker has begun nothing is taken


loops.every(1.0, "sla.steps", _steps)
loops.every(2.0, "sla.pass_on", _pass_on)
