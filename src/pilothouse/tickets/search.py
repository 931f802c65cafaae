"""The search page's reads: tickets (their text and comments), services and CIs, by words, numbers and mistyped words."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from django.db.models import Case, Exists, IntegerField, OuterRef, Q, Value, When

from pilothouse.cmdb.models import CI, Service
from pilothouse.platform import searching
from pilothouse.platform.access import Actor, Capability
from pilothouse.platform.searching import Found, Marked, Match
from pilothouse.tickets.access import visible
from pilothouse.tickets.engine.lifecycle import KINDS
from pilothouse.tickets.engine.queue_language import ticket_number
from pilothouse.tickets.models import Ticket
from pilothouse.tickets.queries import Row, columns_of, reads_notes, rows_of

MOST_HITS = 50
_FEW = 3  # with so few results a better spelling is offered
_CONFIGURATION = ("ci", "service")
_MOST_CONFIGURATION = 10
_SHORTEST_PART = 3  # of a name


@dataclass(frozen=True, slots=True)
class TicketHit:
    """A ticket, why it was found, and the place; both texts are safe HTML. `where` is number, text, comment or note."""

    row: Row
    title: str
    excerpt: str
    where: str


@dataclass(frozen=True, slots=True)
class ConfigurationHit:
    """A CI or a service that bears the words."""

    kind: str
    id: int
    name: str
    label: str
    title: str


@dataclass(frozen=True, slots=True)
class Results:
    """What a search found. `searched` is what was looked for in the end, when the typed words found nothing.

    `suggestion` is a better spelling to offer; `widened` says that not all words stand in each result.
    """

    tickets: tuple[TicketHit, ...] = ()
    configuration: tuple[ConfigurationHit, ...] = ()
    searched: str = ""
    suggestion: str = ""
    widened: bool = False

    @property
    def is_empty(self) -> bool:
        return not self.tickets and not self.configuration


def search(actor: Actor, text: str, *, limit: int = 20) -> Results:
    """Search what an actor may see; at most `limit` tickets (and ten of the configuration), the best first.

    A number (INC12, inc0000012, 12) brings its ticket first. When nothing bears the words, mistyped ones are mended, then any
    of them will do.
    """
    text, limit = searching.clean(text).strip(), max(1, min(limit, MOST_HITS))
    if not text:
        return Results()
    results = _search(actor, text, Match.AS_TYPED, limit)
    better = searching.correct_words(text) if len(results.tickets) <= _FEW else ""
    if not results.is_empty:
        return replace(results, suggestion=better)
    if better:
        mended = _search(actor, better, Match.AS_TYPED, limit)
        if not mended.is_empty:
            return replace(mended, searched=better)
    if len(re.findall(r"\w+", text)) > 1:
        return replace(_search(actor, better or text, Match.ANY_WORD, limit), searched=better or text, widened=True)
    return results


def _search(actor: Actor, text: str, match: Match, limit: int) -> Results:
    named = _by_number(actor, text)
    found = searching.find_documents(text, kinds=("ticket",), private=reads_notes(actor), within=_seen(actor), match=match)
    best: dict[int, Found] = {}
    for each in found:
        best.setdefault(each.record_id, each)
    shown = [record_id for record_id in best if record_id not in named][: max(0, limit - len(named))]
    marked = searching.mark_words([best[record_id] for record_id in shown], text)
    rows = {row.id: row for row in rows_of([*named, *shown], columns_of(()))}
    hits = [TicketHit(rows[each], searching.plain_html(rows[each].title), "", "number") for each in named if each in rows]
    hits += [_hit(rows[each], best[each], marked.get(best[each].id)) for each in shown if each in rows]
    return Results(tuple(hits), _configuration(actor, text, match))


def _seen(actor: Actor) -> Q | None:
    """Narrow documents to tickets that the actor may see; None when that is every ticket."""
    allowed = visible(actor)
    return Q(Exists(Ticket.objects.filter(allowed, pk=OuterRef("record_id")))) if allowed else None


def _by_number(actor: Actor, text: str) -> list[int]:
    bare = text.isascii() and text.isdigit() and len(text) <= 12
    typed = [f"{prefix}{text}" for _, prefix in KINDS.values()] if bare else [text]
    numbers = [number for each in typed if (number := ticket_number(each))]
    if not numbers:
        return []
    return list(Ticket.objects.filter(visible(actor), number__in=numbers).order_by("number").values_list("pk", flat=True))


def _hit(row: Row, found: Found, marked: Marked | None) -> TicketHit:
    title = searching.plain_html(row.title)
    excerpt = marked.body if marked else ""
    if marked and found.seq == 0:
        title = marked.title
    where = "text" if found.seq == 0 else ("note" if found.private else "comment")
    return TicketHit(row, title, excerpt, where)


def _configuration(actor: Actor, text: str, match: Match) -> tuple[ConfigurationHit, ...]:
    """Return CIs and services whose text bears the words or whose name holds the text; for those who read the CMDB."""
    if not actor.can(Capability.READ_CMDB):
        return ()
    found = searching.find_documents(text, kinds=_CONFIGURATION, private=True, match=match, walking=False)[:_MOST_CONFIGURATION]
    hits = [*_cis(text, [each.record_id for each in found if each.kind == "ci"])]
    hits += _services(text, [each.record_id for each in found if each.kind == "service"])
    marked = {(each.kind, each.record_id): each.id for each in found}
    titles = searching.mark_words(found, text)
    return tuple(
        replace(hit, title=titles[document].title) if (document := marked.get((hit.kind, hit.id))) in titles else hit
        for hit in hits[:_MOST_CONFIGURATION]
    )


def _bearing(text: str, ids: Sequence[int]) -> tuple[Q, tuple[Case | str, ...]]:
    """Return the filter for the ones found or bearing the text in their name, and their order: by rank, the others after them."""
    ranks = Case(*(When(pk=each, then=Value(rank)) for rank, each in enumerate(ids)), default=Value(len(ids)), output_field=IntegerField())
    named = Q(name__icontains=text) if len(text) >= _SHORTEST_PART else Q(pk__in=())
    return Q(pk__in=ids) | named, (ranks, "name") if ids else ("name",)


def _cis(text: str, ids: Sequence[int]) -> list[ConfigurationHit]:
    which, order = _bearing(text, ids)
    cis = CI.objects.filter(which).order_by(*order)[:_MOST_CONFIGURATION]
    return [ConfigurationHit("ci", ci.pk, ci.name, ci.ci_class.replace("_", " "), searching.plain_html(ci.name)) for ci in cis]


def _services(text: str, ids: Sequence[int]) -> list[ConfigurationHit]:
    which, order = _bearing(text, ids)
    services = Service.objects.filter(which).order_by(*order)[:_MOST_CONFIGURATION]
    return [ConfigurationHit("service", each.pk, each.name, "service", searching.plain_html(each.name)) for each in services]
