"""The whole journal, newest first, for those who oversee: auditors, managers, administrators."""

import re
from datetime import UTC, datetime, time, timedelta
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import render
from django.views.decorators.http import require_GET

from pilothouse.people.doors import signed_in
from pilothouse.people.models import User
from pilothouse.people.queries import oversees_people
from pilothouse.platform import keyset, retelling
from pilothouse.platform.access import Actor, Capability, Source
from pilothouse.platform.journal import Change, Entry
from pilothouse.platform.models import JournalEntry

_PERSONAL = ("person", "view")  # sign-ins, tokens, people's own queries: for auditors and administrators
_NAMES = ("kind", "verb", "who", "source", "since", "until")
_VERB = re.compile(r"[a-z_]+(\.[a-z_]+)?")


@require_GET
@signed_in(Capability.READ_JOURNAL, Capability.SEE_RESTRICTED)
def newest(request: HttpRequest, actor: Actor) -> HttpResponseBase:
    """Show entries, newest first, narrowed by kind, verb, person, door and days."""
    asked = {name: request.GET.get(name, "").strip()[:200].replace("\x00", "") for name in _NAMES}
    personal = oversees_people(actor)
    found = _narrowed(JournalEntry.objects.all() if personal else JournalEntry.objects.exclude(kind__in=_PERSONAL), asked, actor)
    page = keyset.page(found, request.GET.get("page", ""), keys=("id",), descending=True)
    kinds = {kind: word for kind, word in retelling.kinds().items() if personal or kind not in _PERSONAL}
    shown = {
        "page": page,
        "lines": retelling.retell([_entry(row) for row in page.rows]),
        "asked": asked,
        "query": urlencode({name: value for name, value in asked.items() if value}),
        "kinds": kinds,
        "sources": list(Source),
    }
    return render(request, "web/journal.html", shown)


def _narrowed(found: "QuerySet[JournalEntry]", asked: dict[str, str], actor: Actor) -> "QuerySet[JournalEntry]":
    for name in ("kind", "source"):
        if asked[name]:
            found = found.filter(**{name: asked[name]})
    if _VERB.fullmatch(asked["verb"]):
        found = found.filter(verb=asked["verb"]) if "." in asked["verb"] else found.filter(verb__endswith=f".{asked['verb']}")
    if asked["who"]:
        named = User.objects.filter(name__icontains=asked["who"]) | User.objects.filter(email__iexact=asked["who"])
        found = found.filter(actor_id__in=list(named.values_list("id", flat=True)[:200]))
    if since := _day(asked["since"], actor):
        found = found.filter(recorded_at__gte=since)
    if until := _day(asked["until"], actor, after=1):
        found = found.filter(recorded_at__lt=until)
    return found


def _day(text: str, actor: Actor, *, after: int = 0) -> datetime | None:
    """Read a day as its beginning in the reader's zone; `after` adds days, so that "until" takes its day in."""
    try:
        day = datetime.fromisoformat(text).date() + timedelta(days=after)
        return datetime.combine(day, time(), ZoneInfo(actor.time_zone)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _entry(row: JournalEntry) -> Entry:
    return Entry(
        id=row.id,
        kind=row.kind,
        record_id=row.record_id,
        seq=row.seq,
        verb=row.verb,
        actor_id=row.actor_id,
        happened_at=row.happened_at,
        recorded_at=row.recorded_at,
        changes=tuple(Change(*change) for change in row.changes),
        note=row.note,
        private=row.private,
        source=row.source,
        request_id=row.request_id,
        previous=bytes(row.previous),
        hash=bytes(row.hash),
    )
