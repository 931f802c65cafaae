"""Asking what a change would have done, and answering: a question is not history, so nothing here is journalled."""

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import F
from procrastinate.contrib.django import app

from pilothouse.people.queries import require
from pilothouse.platform.access import Actor, Capability
from pilothouse.platform.refusals import FieldError, Invalid, Missing, Refused
from pilothouse.sla import what_if
from pilothouse.sla.models import WhatIf

KEPT = timedelta(days=1)
AT_ONCE = 20_000  # tickets that are judged while the page waits for its panel, under a second; more go to a worker
TASK = "sla.what_if"


def ask_what_if(*, actor: Actor, change: what_if.Change, now: datetime, days: int = what_if.DEFAULT_DAYS) -> WhatIf:
    """Keep the question what a change would have done to the last `days` days; its answer comes with `answer_what_if`.

    A question over many tickets is handed to a worker. Questions older than a day go. Raises Invalid (a change that cannot be read, a
    number of days that is not offered), Forbidden.
    """
    require(actor, Capability.CONFIGURE)
    if not 1 <= days <= what_if.MOST_DAYS:
        raise Invalid("There is no such span.", [FieldError("days", f"From 1 to {what_if.MOST_DAYS:,} days.", "90")])
    what_if.prepare(change, now=now)
    total = what_if.how_many(actor, days, now=now)
    with transaction.atomic():
        WhatIf.objects.filter(asked_at__lt=now - KEPT).delete()
        asked = WhatIf.objects.create(asked_by_id=actor.user_id, asked_at=now, days=days, change=change, total=total)
        if total > AT_ONCE:
            app.configure_task(TASK, allow_unknown=True).defer(what_if=asked.pk)
    return asked


def answer_what_if(*, actor: Actor, asked: WhatIf, now: datetime) -> WhatIf:
    """Work a question out and keep the answer; what goes wrong is kept as its fault."""

    def note(count: int) -> None:
        WhatIf.objects.filter(pk=asked.pk).update(done=F("done") + count)

    WhatIf.objects.filter(pk=asked.pk).update(state=WhatIf.State.RUNNING, done=0)  # a worker that died may have begun it
    try:
        prepared = what_if.prepare(asked.change, now=now)
        asked.result = what_if.run(actor, prepared, asked.days, now=now, progress=note)
        asked.state, asked.done = WhatIf.State.DONE, asked.result["tickets"]
    except Refused as refusal:
        asked.state, asked.fault = WhatIf.State.FAILED, " ".join([refusal.message, *(error.message for error in refusal.errors)])
    asked.save(update_fields=["result", "state", "fault", "done"])
    return asked


def find_what_if(actor: Actor, asked_id: int) -> WhatIf:
    """Return one's own question; Missing when it is gone or somebody else's."""
    found = WhatIf.objects.filter(pk=asked_id, asked_by_id=actor.user_id).first()
    if found is None:
        raise Missing("This question is gone; ask it again.")
    return found
