"""The worker's part of what-ifs: a question over more tickets than a page can wait for."""

from procrastinate.contrib.django import app

from pilothouse.people.queries import actor_of
from pilothouse.platform import access, clock
from pilothouse.sla.actions.what_ifs import TASK, answer_what_if
from pilothouse.sla.models import WhatIf


@app.task(name=TASK)
def work_out(what_if: int) -> None:
    """Answer a question; one that is answered, or gone, is left alone."""
    asked = WhatIf.objects.filter(pk=what_if).first()
    if asked is None or asked.is_over:
        return
    actor = actor_of(asked.asked_by_id) if asked.asked_by_id else access.system()
    if actor is not None:
        answer_what_if(actor=actor, asked=asked, now=clock.now())
