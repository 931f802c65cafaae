"""The worker's part of imports: a run that a page asked for."""

import contextlib

from procrastinate.contrib.django import app

from pilothouse.connectors.engine.tables import BadFile
from pilothouse.connectors.models import ImportRun
from pilothouse.connectors.runs import run_waiting
from pilothouse.people.queries import actor_of
from pilothouse.platform import access
from pilothouse.platform.access import Source


@app.task(name="connectors.run_import")
def run_import(entry_id: int, kind: str, record_id: int) -> None:
    """Do an import run. Delivered again after a crash it continues; a run that ended is left alone."""
    run = ImportRun.objects.filter(pk=record_id).first()
    if run is None or run.state in (ImportRun.State.DONE, ImportRun.State.FAILED):
        return
    request_id = f"import-{run.pk}"
    actor = actor_of(run.requested_by_id, source=Source.IMPORT, request_id=request_id) if run.requested_by_id else None
    with contextlib.suppress(BadFile):  # the run says it to the person who asked
        run_waiting(actor=actor or access.system(Source.IMPORT, request_id), run=run)
