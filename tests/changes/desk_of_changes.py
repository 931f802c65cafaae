"""A few changes in every state, for the served site: a module of rows, not of tests."""

from datetime import datetime, timedelta
from typing import Any

from pilothouse.changes import actions
from pilothouse.cmdb.models import CI
from pilothouse.platform import clock
from pilothouse.platform.access import Actor

PLAN = "1. Drain the node.\n2. Install the packages.\n3. Look at the **health page**."
ROLLBACK = "Boot the snapshot of the night before."
LONG = "Replace the storage controller's firmware, which forgets its battery state and then writes through until somebody notices"
_HOUR = timedelta(hours=1)
_WAY = ("assessed", "scheduled", "in_progress", "closed")


def seed(ana: Actor, team: int, service: int) -> None:
    """Open nine changes, from one without a plan to one that was backed out; CHG0000001 is the one without a plan."""
    now = clock.now()
    cis = dict(CI.objects.values_list("name", "pk"))
    server, storage = cis["srv-edge-02"], cis["san-01"]

    def made(title: str, state: str, start: float, *, touched: list[int], outcome: str = "", **plan: Any) -> None:
        begins = now + start * _HOUR
        detail = {"planned_start_at": begins, "planned_end_at": begins + 2 * _HOUR, "cis": touched, "rollback_plan": ROLLBACK}
        given = {**detail, "implementation_plan": PLAN, "risk": "moderate", **plan}
        opened = min(now, begins) - 48 * _HOUR
        ticket = actions.open_change(actor=ana, title=title, service=service, group=team, plan=given, now=opened)
        for step in _WAY[: _WAY.index(state) + 1] if state in _WAY else ():
            more = {"outcome": outcome} if step == "closed" else {}
            actions.move_change(actor=ana, ticket_id=ticket.pk, state=step, now=_at(step, opened, begins), plan=more)

    actions.open_change(actor=ana, title="Retire the old branch router", group=team, now=now)
    made("Patch the edge server", "scheduled", 30, touched=[server, storage], type="standard", risk="low")
    made("Patch the edge server again", "scheduled", 31, touched=[server])
    made(LONG, "assessed", 60, touched=[storage, *sorted(pk for name, pk in cis.items() if name.startswith("branch"))], risk="high")
    made("Swap a failed disk", "in_progress", -1, touched=[storage], type="emergency")
    made("Raise the connection limit", "closed", -70, touched=[server], outcome="successful")
    made("Move backups to the new share", "closed", -200, touched=[storage, server], outcome="backed_out")
    made("Renew the gateway certificate", "closed", -400, touched=[server], outcome="with_issues")
    made("Tidy up the rack", "new", 100, touched=[])


def _at(step: str, opened: datetime, begins: datetime) -> datetime:
    return {"in_progress": begins, "closed": begins + _HOUR}.get(step, opened + _HOUR)
