"""The journal over REST: of one record for those who may see the record, the whole for those who oversee."""

from typing import Annotated

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from ninja import Router
from pydantic import Field

from pilothouse.cmdb import queries as cmdb
from pilothouse.people import queries as people
from pilothouse.platform.access import Actor, Capability, Role
from pilothouse.platform.models import JournalEntry
from pilothouse.platform.refusals import Forbidden, Missing
from pilothouse.platform.rest import MOST_ITEMS, EntryPage, Instant, actor_of, entry_shape, listing, record_id
from pilothouse.tickets.rest.records import entries_of, found

router = Router(tags=["Journal"])
Limit = Annotated[int, Field(ge=1, le=MOST_ITEMS)]
Cursor = Annotated[str, Field(max_length=2000)]
Word = Annotated[str, Field(max_length=60, pattern=r"^[a-z_.]*$")]
_PERSONAL = ("person", "view")  # sign-ins, tokens, people's own queries


@router.get("/journal", response=EntryPage, summary="Read the whole journal")
def read_whole(
    request: HttpRequest,
    kind: Word = "",
    verb: Word = "",
    since: Instant | None = None,
    until: Instant | None = None,
    cursor: Cursor = "",
    limit: Limit = 50,
) -> HttpResponse:
    """Newest first, recorded from `since` up to (not including) `until`. For managers, auditors and administrators; entries
    about people and their views are for the last two."""
    actor = actor_of(request)
    people.require(actor, Capability.READ_JOURNAL)
    if not actor.can(Capability.SEE_RESTRICTED):
        raise Forbidden("The whole journal is for those who oversee. Read a record's own: /journal/{kind}/{id}.")
    entries = JournalEntry.objects.all() if _oversees_people(actor) else JournalEntry.objects.exclude(kind__in=_PERSONAL)
    for name, value in (("kind", kind), ("verb", verb), ("recorded_at__gte", since), ("recorded_at__lt", until)):
        if value:
            entries = entries.filter(**{name: value})
    return listing(request, entries, entry_shape, keys=("id",), descending=True, cursor=cursor, limit=limit)


@router.get("/journal/{kind}/{number}", response=EntryPage, summary="Read a record's journal")
def read_record(request: HttpRequest, kind: str, number: str, cursor: Cursor = "", limit: Limit = 50) -> HttpResponse:
    """Oldest first. `kind` is ticket, ci, service, team, person, view or priority_matrix."""
    actor = actor_of(request)
    return listing(request, _entries(actor, kind, number), entry_shape, keys=("seq",), cursor=cursor, limit=limit)


def _oversees_people(actor: Actor) -> bool:
    return actor.can(Capability.MANAGE_PEOPLE) or (actor.role is Role.AUDITOR and actor.can(Capability.READ_JOURNAL))


def _entries(actor: Actor, kind: str, number: str) -> "QuerySet[JournalEntry]":
    """Return a record's entries if the actor may read them; Missing otherwise."""
    if kind == "ticket":
        entries: QuerySet[JournalEntry] = entries_of(actor, found(actor, number))
        return entries
    pk = record_id(number, "record")
    if not actor.can(Capability.READ_JOURNAL) or not _may_read(actor, kind, pk):
        raise Missing("There is no such record, or its journal is not yours to read.")
    return JournalEntry.objects.filter(kind=kind, record_id=pk)


def _may_read(actor: Actor, kind: str, pk: int) -> bool:
    match kind:
        case "ci":
            return bool(cmdb.ci(actor, pk))
        case "service":
            return bool(cmdb.service(actor, pk))
        case "team":
            return bool(people.team(actor, pk))
        case "priority_matrix":
            return True
        case "person":
            return pk == actor.user_id or _oversees_people(actor)
        case "view":
            return _oversees_people(actor)
    return False
