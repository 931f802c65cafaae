"""What clients send about tickets. Fields have the names of the journal and the queue language's keys."""

from typing import Annotated, Any

from pydantic import Field

from pilothouse.platform.rest import Body, Id, Instant, Reference

Text = Annotated[str, Field(max_length=200_000)]
Short = Annotated[str, Field(max_length=80)]
Grade = Annotated[int, Field(ge=1, le=3)]
Note = Annotated[str, Field(max_length=10_000)]


class TicketFacts(Body):
    """What a new ticket and a changed one have in common. References are ids; a team's, service's or CI's name or key, a
    person's e-mail address and a ticket's number are understood as well."""

    description: Text = ""
    impact: Grade = 3
    urgency: Grade = 3
    priority: Annotated[int, Field(ge=1, le=5, description="Given by the priority matrix unless set.")] | None = None
    requester: Reference | None = None
    channel: Annotated[str, Field(max_length=12)] = "other"
    service: Reference | None = None
    ci: Reference | None = None
    category: Short = ""
    subcategory: Short = ""
    group: Reference | None = None
    assignee: Reference | None = None
    parent: Reference | None = None
    tags: Annotated[list[Annotated[str, Field(max_length=40)]], Field(default_factory=list, max_length=30)]
    extra: Annotated[dict[str, Any], Field(default_factory=dict, max_length=100, description="Values that have no field of their own.")]


class TicketIn(TicketFacts):
    """A new ticket."""

    title: Annotated[str, Field(min_length=1, max_length=250)]
    kind: Annotated[str, Field(max_length=12, description="incident or request")] = "incident"
    watchers: Annotated[list[Id], Field(default_factory=list, max_length=200)]
    external_system: Annotated[str, Field(max_length=40)] = ""
    external_id: Short = ""


class TicketsIn(Body):
    """Up to 1,000 new tickets, of which all or none are opened."""

    tickets: Annotated[list[TicketIn], Field(min_length=1, max_length=1000)]


class TicketChange(TicketFacts):
    """Fields to change; what is not named stays. A note goes into the journal beside the change."""

    title: Annotated[str, Field(min_length=1, max_length=250)] = ""
    priority: Annotated[int, Field(ge=1, le=5)] = 3
    hold_reason: Annotated[str, Field(max_length=12)] = ""
    hold_until: Instant | None = None
    resolution_code: Annotated[str, Field(max_length=40)] = ""
    resolution_notes: Annotated[str, Field(max_length=50_000)] = ""
    note: Note = ""


class Transition(Body):
    """A move to another state, with what the move needs."""

    state: Annotated[str, Field(max_length=12)]
    note: Note = ""
    hold_reason: Annotated[str, Field(max_length=12)] = ""
    hold_until: Instant | None = None
    resolution_code: Annotated[str, Field(max_length=40)] = ""
    resolution_notes: Annotated[str, Field(max_length=50_000)] = ""
    group: Reference | None = None
    assignee: Reference | None = None


class FollowUp(Body):
    """What is still wrong after a closed ticket."""

    description: Text = ""


class CommentIn(Body):
    """A comment to the requester, or a private work note."""

    text: Annotated[str, Field(min_length=1, max_length=100_000)]
    private: bool = False


class LinkIn(Body):
    """A link to another ticket (id or number) or to an address."""

    relation: Annotated[str, Field(max_length=30)]
    target: Reference | None = None
    url: Annotated[str, Field(max_length=500)] = ""
    label: Annotated[str, Field(max_length=200)] = ""


class MergeIn(Body):
    """The ticket (id or number) into which a duplicate is merged."""

    into: Reference
    note: Note = ""


class ViewIn(Body):
    """A query to be kept under a name. `scope` is own, default (everybody) or team:ID."""

    name: Annotated[str, Field(min_length=1, max_length=80)]
    query: Annotated[str, Field(max_length=1000)]
    columns: Annotated[list[Annotated[str, Field(max_length=40)]], Field(default_factory=list, max_length=40)]
    scope: Annotated[str, Field(max_length=30)] = "own"


class Cell(Body):
    """One cell of the priority matrix."""

    impact: Grade
    urgency: Grade
    priority: Annotated[int, Field(ge=1, le=5)]


class MatrixIn(Body):
    """Cells of the priority matrix to set."""

    cells: Annotated[list[Cell], Field(min_length=1, max_length=9)]
