"""Keeping and removing saved views."""

from collections.abc import Sequence
from datetime import datetime

from django.db import transaction

from pilothouse.people.queries import require
from pilothouse.platform import journal
from pilothouse.platform.access import Actor, Capability, Role
from pilothouse.platform.journal import Change, Draft
from pilothouse.platform.refusals import FieldError, Forbidden, Invalid, Missing
from pilothouse.tickets.engine.fields import find
from pilothouse.tickets.engine.queue_language import Mistake, parse
from pilothouse.tickets.models import SavedView
from pilothouse.tickets.saved_views import View, scopes, view_of

MOST_OF_ONE_OWNER = 40


def save_view(*, actor: Actor, name: str, query: str, now: datetime, columns: Sequence[str] = (), scope: str = "own") -> View:
    """Keep a query and its columns under a name; a view of the same name and scope is replaced.

    `scope` is one of `scopes`. Raises Invalid when the name is empty or the query has a mistake, Forbidden for a scope not offered.
    """
    require(actor, Capability.WORK_TICKETS)
    if scope not in dict(scopes(actor)):
        raise Forbidden("You may not keep views for others than yourself and, if you share views, your teams.")
    if errors := _errors(name, query):
        raise Invalid("The view was not saved.", errors)
    place = _place(actor, scope)
    kept = [field.name for each in columns if (field := find(each)) is not None]
    with transaction.atomic():
        row = SavedView.objects.select_for_update().filter(name__iexact=name.strip(), **place).first()
        if row is None and SavedView.objects.filter(**place).count() >= MOST_OF_ONE_OWNER:
            raise Invalid("The view was not saved.", [FieldError("name", f"At most {MOST_OF_ONE_OWNER} views.", "Remove one first.")])
        before = {"query": row.query, "columns": row.columns} if row else {"query": None, "columns": None}
        row = row or SavedView(name=name.strip(), **place)
        row.query, row.columns, row.version = query.strip(), kept, (row.version + 1 if row.pk else 1)
        row.save()
        changes = (Change("query", before["query"], row.query), Change("columns", before["columns"], kept))
        journal.record(actor, [Draft("view", row.pk, "view.saved", changes, note=row.name)], now=now)
    return view_of(row)


def _errors(name: str, query: str) -> list[FieldError]:
    errors = []
    if not 0 < len(name.strip()) <= 80 or not name.strip().isprintable():
        errors.append(FieldError("name", "A view has a name of at most 80 characters."))
    if len(query) > 1000:
        errors.append(FieldError("query", "A view's query has at most 1,000 characters."))
    elif isinstance(read := parse(query), Mistake):
        errors.append(FieldError("query", read.message))
    return errors


def _place(actor: Actor, scope: str) -> dict[str, int | None]:
    if scope == "own":
        return {"owner_id": actor.user_id, "team_id": None}
    return {"owner_id": None, "team_id": int(scope.partition(":")[2]) if scope.startswith("team:") else None}


def remove_view(*, actor: Actor, view_id: int, now: datetime) -> View:
    """Remove a view: one's own, or by those who share views one of their teams' or everybody's. Returns what it was.

    Raises Missing for another person's or another team's view: a stranger cannot tell that there is one.
    """
    require(actor, Capability.WORK_TICKETS)
    with transaction.atomic():
        row = SavedView.objects.select_for_update().filter(pk=view_id).first()
        if row is None or not _may_remove(actor, row):
            raise Missing("There is no such view, or it is not yours to remove.")
        view = view_of(row)
        draft = Draft("view", row.pk, "view.removed", (Change("query", row.query, None),), note=row.name)
        row.delete()
        journal.record(actor, [draft], now=now)
    return view


def _may_remove(actor: Actor, row: SavedView) -> bool:
    if row.owner_id is not None:
        return row.owner_id == actor.user_id
    reached = row.team_id is None or row.team_id in actor.team_ids or actor.role is Role.ADMINISTRATOR
    return reached and actor.can(Capability.SHARE_VIEWS)
