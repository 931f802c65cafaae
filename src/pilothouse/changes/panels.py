"""What changes show on other pages: their plan on their own ticket, what else happens to its CIs, and the changes of a CI or a service."""

from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

from django.db.models import Q
from django.urls import reverse

from pilothouse.changes import queries
from pilothouse.changes.engine.detail import OUTCOMES, RISKS, TYPES
from pilothouse.changes.models import AffectedCI
from pilothouse.changes.queries import Span
from pilothouse.cmdb import panels
from pilothouse.cmdb.models import CI
from pilothouse.platform import clock
from pilothouse.platform.access import Actor, Capability
from pilothouse.tickets import side_panels, ticket_page
from pilothouse.tickets.access import may_work
from pilothouse.tickets.engine.lifecycle import OPEN_STATES
from pilothouse.tickets.models import Ticket

AROUND = timedelta(days=7)
_SHOWN, _MOST_CIS = 8, 200


def plan_of(actor: Actor, ticket: Ticket) -> dict[str, Any]:
    """Gather a change's own detail for its page."""
    if ticket.kind != "change":
        return {}
    change = queries.detail(ticket)
    touched = AffectedCI.objects.filter(change_id=ticket.pk)
    cis = [each.ci for each in touched.select_related("ci").order_by("id")[:_MOST_CIS]]
    return {
        "ticket": ticket,
        "change": change,
        "type": TYPES[change.type],
        "risk": RISKS.get(change.risk, ""),
        "outcome": OUTCOMES.get(change.outcome, ""),
        "cis": cis,
        "more_cis": touched.count() - len(cis) if len(cis) == _MOST_CIS else 0,
        "lacks_rollback": change.type != "standard" and not change.rollback_plan.strip() and ticket.is_open,
        "may_work": may_work(actor, ticket),
    }


def beside(actor: Actor, ticket: Ticket) -> dict[str, Any]:
    """Gather the other changes on the CIs of a change, from a week before its time to a week after it."""
    if ticket.kind != "change":
        return {}
    change = queries.detail(ticket)
    begins, ends = change.actual_start_at or change.planned_start_at, change.actual_end_at or change.planned_end_at
    if begins is None:
        return {}
    span = Span(begins - AROUND, (ends or begins) + AROUND)
    cis = AffectedCI.objects.filter(change_id=ticket.pk).values_list("ci_id", flat=True)[:_MOST_CIS]
    others = [each for each in queries.changes_on(actor, cis, span, limit=_SHOWN + 1) if each.pk != ticket.pk]
    return {"changes": others[:_SHOWN], "overlaps": {each.pk for each in others if _overlap(change, each)}}


def _overlap(change: Any, other: Ticket) -> bool:
    begins, ends = change.actual_start_at or change.planned_start_at, change.actual_end_at or change.planned_end_at
    began, ended = getattr(other, "began", None), getattr(other, "ended", None)
    return bool(begins and ends and began and ended and began < ends and begins < ended)


def changes_of(actor: Actor, kind: str, record_id: int) -> dict[str, Any]:
    """Gather the coming changes on a CI or a service, and the latest of those that were."""
    if not actor.can(Capability.READ_TICKETS):
        return {}
    here = Q(pk__in=AffectedCI.objects.filter(ci_id=record_id).values("change_id")) if kind == "ci" else Q(service_id=record_id)
    found = queries.changes(actor).filter(here).annotate(began=queries.began())
    coming = list(found.filter(state__in=OPEN_STATES).order_by("began", "pk")[:_SHOWN])
    past = list(found.filter(state="closed").order_by("-began", "-pk")[: max(3, _SHOWN - len(coming))])
    about = {"cis": CI.objects.values_list("name", flat=True).get(pk=record_id)} if kind == "ci" else {"service": record_id}
    return {
        "coming": coming,
        "past": past,
        "now": clock.now(),
        "all_address": f"{reverse('changes')}?show=all&{kind}={record_id}",
        "new_address": f"{reverse('change-new')}?{urlencode(about)}" if actor.can(Capability.WORK_TICKETS) else "",
    }


side_panels.register("change", side_panels.SidePanel("changes/parts/plan.html", plan_of, main=True))
side_panels.register("changes-around", side_panels.SidePanel("changes/parts/around.html", beside))
panels.register("changes", panels.Panel("changes/parts/changes_on.html", changes_of))
ticket_page.HOMES["change"] = ("Changes", "changes")
