"""What a problem by hand is made from: incidents by their numbers or ids, as many as are given in one query; the queue leads here."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from django.db.models import Q

from pilothouse.platform.access import Actor, Capability
from pilothouse.platform.refusals import FieldError, Invalid
from pilothouse.tickets import acts
from pilothouse.tickets.access import visible
from pilothouse.tickets.engine.lifecycle import DESK_KINDS
from pilothouse.tickets.models import Ticket

MOST_SELECTED = 1000
_LONGEST = 20_000  # characters of numbers in an address


class Incident(NamedTuple):
    """A ticket of the desk."""

    id: int
    number: str
    title: str


def incidents_by_id(actor: Actor, ids: Iterable[int]) -> list[Incident]:
    """Return those of these that the actor may see and that are of the desk, in order of opening."""
    return _seen(actor, Q(pk__in=list(ids)))


def incidents_named(actor: Actor, text: str) -> list[Incident]:
    """Return those named in a text (numbers between commas or blanks) that the actor may see, in order of opening; at most 1,000."""
    numbers = text.replace("\x00", "")[:_LONGEST].upper().replace(",", " ").split()
    return _seen(actor, Q(number__in=numbers[:MOST_SELECTED])) if numbers else []


def _seen(actor: Actor, which: Q) -> list[Incident]:
    rows = Ticket.objects.filter(visible(actor), which, kind__in=DESK_KINDS).order_by("opened_at", "pk")
    return [Incident(*row) for row in rows.values_list("pk", "number", "title")]


def ids_of(actor: Actor, references: Sequence[int | str]) -> list[int]:
    """Return the ids of tickets by id or number; Invalid names every one that is not there, or that the actor may not see."""
    texts = [str(reference).replace("\x00", "").strip().upper() for reference in references]
    numbers = [text for text in texts if not is_id(text)]
    ids = [int(text) for text in texts if is_id(text)]
    rows = Ticket.objects.filter(visible(actor), Q(pk__in=ids) | Q(number__in=numbers)).values_list("pk", "number") if texts else []
    known = {name: pk for pk, number in rows for name in (str(pk), number)}
    names = [str(int(text)) if is_id(text) else text for text in texts]
    _refuse_lost([(at, name) for at, name in enumerate(names) if name not in known])
    return [known[name] for name in names]


def _refuse_lost(lost: Sequence[tuple[int, str]]) -> None:
    if lost:
        errors = [FieldError(f"incidents[{at}]", f"There is no ticket {name}, or you may not see it.") for at, name in lost]
        raise Invalid("A name leads nowhere; nothing was opened.", errors)


def is_id(text: str) -> bool:
    """Say whether a text is a ticket's id rather than its number."""
    return text.isascii() and text.isdigit() and len(text) < 19


acts.register_lead(acts.Lead("problem", "Open one problem from them", "Problem", "problem-new", "m", Capability.STEER_TICKETS))
