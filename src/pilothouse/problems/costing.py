"""What a problem costs a week where no effort is recorded: tickets. Hours are never made up from them."""

from datetime import datetime
from typing import Any

from django.db.models import Count, DateTimeField, DurationField, ExpressionWrapper, F, FloatField, Min, OuterRef, Subquery, Value
from django.db.models.functions import Cast, Coalesce, Extract, Greatest

from pilothouse.problems.weeks import WEEK
from pilothouse.tickets.models import CAUSED_BY, Link, Ticket

_WINDOW = 13 * WEEK


def weekly_tickets(now: datetime) -> Any:
    """Return, for a query of problems, incidents a week: those of the last 13 weeks until now, or until the problem was resolved.

    Weeks count from the first of these incidents, at least one. Null where there is none.
    """
    end = Coalesce(F("target__resolved_at"), Value(now), output_field=DateTimeField())
    own = Link.objects.filter(relation=CAUSED_BY, target=OuterRef("pk"), ticket__opened_at__lte=end)
    own = own.filter(ticket__opened_at__gte=ExpressionWrapper(end - Value(_WINDOW), output_field=DateTimeField()))
    since = ExpressionWrapper(end - Min("ticket__opened_at"), output_field=DurationField())
    weeks = Greatest(
        Value(1.0), Extract(since, "epoch", output_field=FloatField()) / Value(WEEK.total_seconds()), output_field=FloatField()
    )
    each = own.order_by().values("target", "target__resolved_at").annotate(each=Cast(Count("pk"), FloatField()) / weeks).values("each")
    return Subquery(each, output_field=FloatField())


def tickets_a_week(problem: Ticket, now: datetime) -> float | None:
    """Return a problem's incidents a week, as `weekly_tickets` counts them."""
    return Ticket.objects.filter(pk=problem.pk).annotate(each=weekly_tickets(now)).values_list("each", flat=True).first()


def cost(now: datetime) -> Any:
    """Return what problems are ranked by: handling hours a week, and tickets a week in their stead where none are recorded."""
    return Coalesce(F("problem__weekly_hours"), weekly_tickets(now), output_field=FloatField())
