"""What a requester sees of a ticket: their words and ours to them, what became of it, and nothing of the desk's own notes."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from django.db.models import Q, QuerySet

from pilothouse.platform import keyset
from pilothouse.platform.access import Actor, Role
from pilothouse.tickets.access import get_ticket
from pilothouse.tickets.engine.lifecycle import DONE_STATES, OPEN_STATES
from pilothouse.tickets.models import Attachment, Ticket
from pilothouse.tickets.timeline import Line, timeline

SHOWS = {"open": "Open", "done": "Solved and closed", "followed": "Followed"}
_STATES = {
    "new": ("Received", "accent"),
    "assigned": ("With the team", "accent"),
    "in_progress": ("Being worked on", "accent"),
    "on_hold": ("Waiting", "warn"),
    "resolved": ("Solved: please confirm", "ok"),
    "closed": ("Closed", ""),
    "cancelled": ("Cancelled", ""),
}
# What is told of the ticket's life, in the requester's words; everything else is the desk's own business.
_TOLD: Mapping[str, str] = {
    "ticket.opened": "raised this",
    "ticket.started": "started to work on it",
    "ticket.held": "put it on hold",
    "ticket.resumed": "took it up again",
    "ticket.resolved": "solved it",
    "ticket.reopened": "reopened it",
    "ticket.closed": "closed it",
    "ticket.cancelled": "cancelled it",
    "ticket.attached": "attached",
    "ticket.merged": "joined it with another ticket about the same thing",
}
_REASONED = frozenset({"ticket.reopened", "ticket.cancelled"})  # whose note is written for both sides


@dataclass(frozen=True, slots=True)
class Event:
    """One line of the conversation: `text` is somebody's words (markdown), else `what` says what happened."""

    at: datetime
    who: str
    mine: bool
    text: str
    what: str
    detail: str


def as_requester(actor: Actor) -> Actor:
    """Return the actor as the requester they are here: staff too raise and follow their own tickets in the portal."""
    return replace(actor, role=Role.REQUESTER, team_ids=frozenset(), hidden_team_ids=frozenset())


def words_of(ticket: Ticket) -> tuple[str, str]:
    """Say a ticket's state to its requester, with the colour of its mark."""
    if ticket.state == "on_hold" and ticket.hold_reason == "caller":
        return "Waiting for you", "danger"
    return _STATES[ticket.state]


def own(requester: Actor, show: str, cursor: str) -> keyset.Page[Ticket]:
    """Return a page of the requester's tickets, the newest first; `show` is one of SHOWS."""
    return keyset.page(_own(requester, show).select_related("service"), cursor, keys=("id",), descending=True, size=30)


def _own(requester: Actor, show: str) -> "QuerySet[Ticket]":
    mine = Q(requester_id=requester.user_id)
    if show == "followed":
        return Ticket.objects.filter(~mine, watchers__contains=[requester.user_id])
    return Ticket.objects.filter(mine, state__in=DONE_STATES if show == "done" else OPEN_STATES)


def asked_of(requester: Actor) -> list[Ticket]:
    """Return the tickets that wait for the requester: for an answer, or for a word that they are solved."""
    waiting = Q(state="on_hold", hold_reason="caller") | Q(state="resolved")
    return list(Ticket.objects.filter(waiting, requester_id=requester.user_id).order_by("-updated_at")[:10])


def read(requester: Actor, number: str) -> Ticket:
    """Read one ticket that the requester may see, or Missing."""
    ticket = get_ticket(requester, number)
    return Ticket.objects.select_related("service", "group", "assignee", "requester", "merged_into").get(pk=ticket.pk)


def conversation(requester: Actor, ticket: Ticket) -> list[Event]:
    """Tell the ticket's life to its requester, the oldest first."""
    lines = (line for line in reversed(timeline(requester, ticket)) if line.speech == "reply" or line.verb in _TOLD)
    return [_event(line) for line in lines]


def _event(line: Line) -> Event:
    if line.speech:
        return Event(line.at, line.who, line.mine, line.note, "", "")
    detail = line.note if line.verb in _REASONED else ""
    if line.verb in ("ticket.held", "ticket.attached"):
        detail = next((said.after for said in line.said if said.after and said.label == ""), "")
    return Event(line.at, "You" if line.mine else line.who, line.mine, "", _TOLD[line.verb], detail)


def files(ticket: Ticket) -> Iterable[Attachment]:
    """Return the files that are not the desk's own."""
    return Attachment.objects.filter(ticket_id=ticket.pk, private=False).order_by("id")


def offered(requester: Actor, ticket: Ticket) -> set[str]:
    """Say what the requester may do now: confirm, reopen, cancel, follow-up, answer."""
    if ticket.requester_id != requester.user_id:
        return {"answer"} if ticket.is_open else set()
    if ticket.state == "resolved":
        return {"confirm", "reopen", "answer"}
    return {"answer", "cancel"} if ticket.is_open else {"follow-up"}
