"""What matching reads: incidents as terms, problems with their signatures; kept ready in each process until a signature changes."""

from collections.abc import Sequence
from typing import Any

from django.db.models import Count, F, Max, Q, QuerySet
from django.db.models.functions import Left

from pilothouse.problems.engine.matching import LONGEST_READ, Matcher, from_data, terms_of
from pilothouse.problems.models import Signature
from pilothouse.tickets.engine.lifecycle import RAISED_KINDS
from pilothouse.tickets.models import Ticket

MOST_OWN, MOST_OTHERS, MOST_PROBLEMS = 500, 4000, 500
_MOST_ATTRIBUTES = 20
_READ = ("title", "category", "subcategory", "service__name", "ci__name", "ci__attributes")
_known: tuple[Any, Matcher] | None = None


def _documents(tickets: "QuerySet[Ticket]", most: int) -> list[frozenset[str]]:
    """Return so many tickets as terms; only what is read of a description leaves the database."""
    rows = tickets.values(*_READ, text=Left("description", LONGEST_READ))[:most]
    return [terms_of(row["title"], row["text"], _facts(row)) for row in rows]


def _facts(row: dict[str, Any]) -> dict[str, str]:
    attributes = list((row["ci__attributes"] or {}).items())[:_MOST_ATTRIBUTES]
    facts = {name.replace("_", " "): str(value)[:80] for name, value in attributes if isinstance(value, str | int) and value != ""}
    own = {"CI": row["ci__name"], "service": row["service__name"], "category": row["category"], "subcategory": row["subcategory"]}
    return {**facts, **{name: value or "" for name, value in own.items()}}


def read(ids: Sequence[int]) -> list[frozenset[str]]:
    """Return these tickets as terms, the newest 500 of them."""
    return _documents(Ticket.objects.filter(pk__in=ids).order_by("-opened_at"), MOST_OWN)


def others_than(ids: Sequence[int]) -> list[frozenset[str]]:
    """Return the newest 4,000 incidents and requests that are none of these as terms."""
    rows = Ticket.objects.filter(kind__in=RAISED_KINDS).exclude(pk__in=ids)
    return _documents(rows.order_by("-opened_at", "-pk"), MOST_OTHERS)


def share_of(ids: Sequence[int]) -> float:
    """Return which part of all incidents since a problem's first is the problem's."""
    if not ids:
        return 0.0
    first = Ticket.objects.filter(pk__in=ids).order_by("opened_at").values_list("opened_at", flat=True).first()
    return len(ids) / max(Ticket.objects.filter(opened_at__gte=first, kind__in=RAISED_KINDS).count(), 1)


def matcher() -> Matcher:
    """Return a matcher of all problems that are not cancelled, the open ones first, at most 500.

    Resolved ones are among them: only so is it seen that one comes back. Read anew when any signature or state has changed.
    """
    global _known
    rows = Signature.objects.exclude(problem__state="cancelled")
    is_open = Q(problem__resolved_at__isnull=True, problem__closed_at__isnull=True)
    mark = tuple(rows.aggregate(all=Count("pk"), last=Max("learnt_at"), open=Count("pk", filter=is_open)).values())
    if _known is None or _known[0] != mark:
        chosen = rows.order_by(F("problem__resolved_at").desc(nulls_first=True), "-learnt_at").values_list("pk", "learnt")[:MOST_PROBLEMS]
        _known = (mark, Matcher({pk: from_data(learnt) for pk, learnt in chosen}))
    return _known[1]
