"""To which tickets an actor may do what; every read and every write asks here.

Seeing: a requester sees what they requested or watch; staff see everything but the tickets of restricted teams they are not in
(managers, auditors and administrators see those too). Working: whoever steers (analyst, manager, administrator) may change what
they see; an agent what is unrouted, routed to their teams, assigned to them or opened by them.
"""

from django.db.models import Q

from pilothouse.platform.access import Actor, Capability
from pilothouse.platform.refusals import Forbidden, Missing
from pilothouse.tickets.models import Ticket


def visible(actor: Actor) -> Q:
    """Return the filter for the tickets that an actor may see."""
    if not actor.can(Capability.READ_TICKETS):
        if actor.is_staff or actor.user_id is None or not actor.can(Capability.RAISE_TICKETS):
            return Q(pk__in=[])
        return Q(requester_id=actor.user_id) | Q(watchers__contains=[actor.user_id])
    if not actor.hidden_team_ids:
        return Q()
    return Q(group_id__isnull=True) | ~Q(group_id__in=list(actor.hidden_team_ids)) | Q(requester_id=actor.user_id)


def sees(actor: Actor, ticket: Ticket) -> bool:
    """Say whether an actor may see this ticket; the same rule as `visible`."""
    own = actor.user_id is not None and ticket.requester_id == actor.user_id
    if actor.can(Capability.READ_TICKETS):
        return own or ticket.group_id not in actor.hidden_team_ids
    own = own or (actor.user_id is not None and actor.user_id in ticket.watchers)
    return own and not actor.is_staff and actor.can(Capability.RAISE_TICKETS)


def may_work(actor: Actor, ticket: Ticket) -> bool:
    """Say whether an actor may change this ticket's fields and state."""
    if not sees(actor, ticket):
        return False
    if actor.can(Capability.STEER_TICKETS):
        return True
    routed_here = ticket.group_id is None or ticket.group_id in actor.team_ids
    own = actor.user_id is not None and actor.user_id in (ticket.assignee_id, ticket.opened_by_id)
    return actor.can(Capability.WORK_TICKETS) and (routed_here or own)


def require_work(actor: Actor, ticket: Ticket) -> None:
    """Raise Forbidden, with the way out, unless the actor may change this ticket."""
    if may_work(actor, ticket):
        return
    if actor.can(Capability.WORK_TICKETS):
        raise Forbidden(f"{ticket.number} is with another team. Comment on it, or ask an analyst to route it to yours.")
    raise Forbidden(f"Your role ({actor.role}) may not change {ticket.number}.")


def get_ticket(actor: Actor, reference: int | str, *, lock: bool = False) -> Ticket:
    """Return a ticket by id or number if the actor may see it, else raise Missing: a stranger cannot tell which.

    `lock` takes the row's lock until the transaction ends.
    """
    rows = Ticket.objects.select_for_update(of=("self",)) if lock else Ticket.objects.all()
    wanted = {"pk": reference} if isinstance(reference, int) else {"number": reference.strip().upper()}
    ticket = rows.filter(**wanted).first()
    if ticket is None or not sees(actor, ticket):
        raise Missing(f"There is no ticket {reference}, or you may not see it.")
    return ticket
