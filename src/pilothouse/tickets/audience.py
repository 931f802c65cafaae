"""Who may know that a ticket changed, for live pages; the same rule as access.visible, for many tickets at once."""

from collections.abc import Iterable

from pilothouse.platform.live import Audience
from pilothouse.tickets.models import Ticket


def audiences(ids: Iterable[int]) -> dict[int, Audience]:
    """Return the audience of each of these tickets, in one query."""
    rows = Ticket.objects.filter(pk__in=list(ids)).values_list("pk", "group_id", "requester_id", "watchers")
    return {pk: Audience(group_id, requester_id, frozenset(watchers)) for pk, group_id, requester_id, watchers in rows}
