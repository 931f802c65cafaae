"""What matching reads: incidents as terms, problems with their signatures; kept ready in each process until a signature changes."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db.models import Count, F, Max, Q, QuerySet, Sum
from django.db.models.functions import Left

from pilothouse.problems.engine import readings
from pilothouse.problems.engine.matching import LONGEST_READ
from pilothouse.problems.engine.readings import Incident, Readers
from pilothouse.problems.models import Signature
from pilothouse.tickets.engine.lifecycle import OPEN_STATES, RAISED_KINDS
from pilothouse.tickets.models import CAUSED_BY, Ticket

MOST_OWN, MOST_OTHERS, MOST_PROBLEMS = 500, 4000, 500
_MOST_ATTRIBUTES = 20
_READ = ("title", "category", "subcategory", "service__name", "ci__name", "ci__attributes")
_known: tuple[Any, Readers] | None = None


def _documents(tickets: "QuerySet[Ticket]", most: int) -> list[Incident]:
    """Return so many tickets as terms; only what is read of a description leaves the database."""
    rows = tickets.values(*_READ, text=Left("description", LONGEST_READ))[:most]
    return [readings.read(row["title"], row["text"], _facts(row)) for row in rows]


def _facts(row: dict[str, Any]) -> dict[str, str]:
    attributes = list((row["ci__attributes"] or {}).items())[:_MOST_ATTRIBUTES]
    facts = {name.replace("_", " "): str(value)[:80] for name, value in attributes if isinstance(value, str | int) and value != ""}
    own = {"CI": row["ci__name"], "service": row["service__name"], "category": row["category"], "subcategory": row["subcategory"]}
    return {**facts, **{name: value or "" for name, value in own.items()}}


def read(ids: Sequence[int]) -> list[Incident]:
    """Return these tickets as terms, the newest 500 of them."""
    return _documents(Ticket.objects.filter(pk__in=ids).order_by("-opened_at"), MOST_OWN)


def others_than(ids: Sequence[int]) -> list[Incident]:
    """Return the newest 4,000 incidents and requests that are none of these as terms."""
    rows = Ticket.objects.filter(kind__in=RAISED_KINDS).exclude(pk__in=ids)
    return _documents(rows.order_by("-opened_at", "-pk"), MOST_OTHERS)


def share_of(ids: Sequence[int]) -> float:
    """Return which part of all incidents since a problem's first is the problem's."""
    if not ids:
        return 0.0
    first = Ticket.objects.filter(pk__in=ids).order_by("opened_at").values_list("opened_at", flat=True).first()
    return len(ids) / max(Ticket.objects.filter(opened_at__gte=first, kind__in=RAISED_KINDS).count(), 1)


def matcher() -> Readers:
    """Return a matcher of all problems that are not cancelled, the open ones first, at most 500.

    Resolved ones are among them: only so is it seen that one comes back. Read anew when any signature or state has changed.
    """
    global _known
    rows = Signature.objects.exclude(problem__state="cancelled")
    is_open = Q(problem__resolved_at__isnull=True, problem__closed_at__isnull=True)
    marks = {"all": Count("pk"), "which": Sum("pk"), "last": Max("learnt_at"), "open": Sum("pk", filter=is_open)}
    mark = tuple(rows.aggregate(**marks).values())
    if _known is None or _known[0] != mark:
        chosen = rows.order_by(F("problem__resolved_at").desc(nulls_first=True), "-learnt_at").values_list("pk", "learnt")[:MOST_PROBLEMS]
        _known = (mark, Readers({pk: readings.from_kept(learnt) for pk, learnt in chosen}))
    return _known[1]


def unlearnt(before: datetime, least: int) -> list[int]:
    """Return the problems with so many incidents that were never learnt, then the open ones learnt before an instant; at most 500."""
    linked = Count("linked_from", filter=Q(linked_from__relation=CAUSED_BY))
    problems = Ticket.objects.filter(kind="problem").exclude(state="cancelled").annotate(incidents=linked).filter(incidents__gte=least)
    is_old = Q(state__in=OPEN_STATES) & (Q(signature__learnt_at__lt=before) | Q(signature__learnt__has_key="terms"))
    wanted = problems.filter(Q(signature=None) | is_old).order_by(F("signature__learnt_at").asc(nulls_first=True), "-pk")
    return list(wanted.values_list("pk", flat=True)[:MOST_PROBLEMS])
