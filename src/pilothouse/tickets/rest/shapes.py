"""How REST shows a ticket: its own fields, references as {id, name}, and on demand the figures of its story."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db import connection
from pydantic import BaseModel

from pilothouse.platform.access import Actor, Capability
from pilothouse.platform.rest import Ref
from pilothouse.tickets.actions.fields import ATTRIBUTES, REFERENCES
from pilothouse.tickets.engine import fields
from pilothouse.tickets.models import Attachment, Link, Ticket
from pilothouse.tickets.queries import Named, Row


class TicketOut(BaseModel):
    """A ticket."""

    id: int
    number: str
    kind: str
    title: str
    description: str
    state: str
    hold_reason: str
    hold_until: datetime | None
    impact: int
    urgency: int
    priority: int
    requester: Ref | None
    opened_by: Ref | None
    channel: str
    service: Ref | None
    ci: Ref | None
    category: str
    subcategory: str
    group: Ref | None
    assignee: Ref | None
    resolution_code: str
    resolution_notes: str
    parent: Ref | None
    merged_into: Ref | None
    tags: list[str]
    watchers: list[int]
    extra: dict[str, Any]
    opened_at: datetime
    updated_at: datetime
    resolved_at: datetime | None
    closed_at: datetime | None
    created_at: datetime
    external_system: str
    external_id: str
    version: int


class TicketListItem(BaseModel):
    """A ticket of a list: the fields asked for."""

    id: int
    number: str
    version: int


class TicketPage(BaseModel):
    """A page of tickets."""

    items: list[TicketListItem]
    next_cursor: str | None


class OpenedOut(BaseModel):
    """A ticket opened in bulk."""

    id: int
    number: str
    state: str
    priority: int
    version: int


class OpenedPage(BaseModel):
    """Tickets opened in bulk, in the order given."""

    tickets: list[OpenedOut]


class LinkOut(BaseModel):
    """A link; `ticket` is the other end, `reverse` says that the link was made there."""

    id: int
    relation: str
    reverse: bool
    ticket: Ref | None
    url: str
    label: str


class AttachmentOut(BaseModel):
    """An attached file; its bytes lie at `content`."""

    id: int
    name: str
    size: int
    content_type: str
    sha256: str
    private: bool
    added_by: int | None
    added_at: datetime
    content: str


_SQL = {
    "person": "SELECT 'person', id, name FROM people_user WHERE id = ANY(%s)",
    "team": "SELECT 'team', id, name FROM people_team WHERE id = ANY(%s)",
    "service": "SELECT 'service', id, name FROM cmdb_service WHERE id = ANY(%s)",
    "ci": "SELECT 'ci', id, name FROM cmdb_ci WHERE id = ANY(%s)",
    "ticket": "SELECT 'ticket', id, number FROM tickets_ticket WHERE id = ANY(%s)",
}
_REFERRING = tuple((name, ATTRIBUTES[name], kind) for name, kind in REFERENCES.items())
_OWN = tuple(name for name in TicketOut.model_fields if name not in REFERENCES)
OWN_FIELDS = tuple(TicketOut.model_fields)
STORY_FIELDS = tuple(each.key for each in fields.FIELDS if each.path.startswith("story__"))
LIST_FIELDS = tuple(each.key for each in fields.FIELDS)
UNLISTED_FIELDS = ("description", "resolution_notes", "extra", "watchers")
DEFAULT_LIST = (
    "kind", "number", "title", "state", "priority", "impact", "urgency", "group", "assignee", "requester", "service", "ci", "category",
    "channel", "tags", "opened_at", "updated_at", "resolved_at", "created_at",
)  # fmt: skip


def ticket_shape(actor: Actor, ticket: Ticket) -> dict[str, Any]:
    """Return a ticket as REST shows it; costs a query when it refers to others than the actor."""
    names = _names(actor, ticket)
    row = ticket.__dict__
    shape = {name: row[name] for name in _OWN}
    for name, attribute, kind in _REFERRING:
        record_id = row[attribute]
        shape[name] = None if record_id is None else {"id": record_id, "name": names.get((kind, record_id), "")}
    if not actor.can(Capability.READ_TICKETS):
        shape["watchers"] = [watcher for watcher in ticket.watchers if watcher == actor.user_id]
    return {name: shape[name] for name in OWN_FIELDS}


def _names(actor: Actor, ticket: Ticket) -> dict[tuple[str, int], str]:
    known: dict[tuple[str, int], str] = {("person", actor.user_id): actor.name} if actor.user_id else {}
    wanted: dict[str, list[int]] = {}
    for _, attribute, kind in _REFERRING:
        record_id = ticket.__dict__[attribute]
        if record_id is not None and (kind, record_id) not in known:
            wanted.setdefault(kind, []).append(record_id)
    if wanted:
        with connection.cursor() as cursor:
            cursor.execute(" UNION ALL ".join(_SQL[kind] for kind in wanted), list(wanted.values()))
            known |= {(kind, record_id): name for kind, record_id, name in cursor.fetchall()}
    return known


def row_shape(row: Row, chosen: Iterable[str], unlisted: Mapping[str, Any]) -> dict[str, Any]:
    """Return a row of a list with the chosen fields, after its id, number and version."""
    shape: dict[str, Any] = {"id": row.id, "number": row.number, "version": row.version}
    for key in chosen:
        if key in unlisted:
            shape[key] = unlisted[key]
        elif key not in shape:
            shape[key] = value_shape(row.values[fields.BY_KEY[key].name])
    return shape


def value_shape(value: Any) -> Any:
    """Return a column's value as JSON takes it."""
    return {"id": value.id, "name": value.name} if isinstance(value, Named) else value


def opened_shape(ticket: Ticket) -> dict[str, Any]:
    """Return what is told of a ticket opened in bulk."""
    return {"id": ticket.pk, "number": ticket.number, "state": ticket.state, "priority": ticket.priority, "version": ticket.version}


def attachment_shape(attachment: Attachment, base: str) -> dict[str, Any]:
    """Return an attachment as REST shows it."""
    return {
        "id": attachment.pk,
        "name": attachment.name,
        "size": attachment.size,
        "content_type": attachment.content_type,
        "sha256": attachment.sha256,
        "private": attachment.private,
        "added_by": attachment.added_by_id,
        "added_at": attachment.added_at,
        "content": f"{base}/{attachment.pk}",
    }


def link_shapes(ticket: Ticket, links: Sequence[Link], seen: Mapping[int, str]) -> list[dict[str, Any]]:
    """Return a ticket's links from its side; `seen` has the numbers of the other ends that the actor may see."""
    shapes = []
    for link in links:
        reverse = link.target_id == ticket.pk
        other = link.ticket_id if reverse else link.target_id
        if other is not None and other not in seen:
            continue
        end = None if other is None else {"id": other, "name": seen[other]}
        shapes.append({"id": link.pk, "relation": link.relation, "reverse": reverse, "ticket": end, "url": link.url, "label": link.label})
    return shapes
