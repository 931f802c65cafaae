"""What the queue page shows: views, the query in its parts, columns, rows; each link of the page is a query of its own."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.urls import reverse

from pilothouse.people.models import Team
from pilothouse.platform.access import Actor
from pilothouse.tickets.engine.fields import BY_KEY, FIELDS, Field, find
from pilothouse.tickets.engine.queue_language import Mistake, Query, SortKey, format_node, format_query, parse
from pilothouse.tickets.engine.queue_language.syntax import Compare, Node, Op, Value

ROWS = 50
# The page's own order: what one scans first stands first, and the opening instant gives its place to the latest change.
DESK_COLUMNS = ("priority", "number", "title", "state", "group", "assignee", "due", "risk", "updated")


@dataclass(frozen=True, slots=True)
class Column:
    """A column's head: `sorted` is "ascending" or "descending" when the query orders by it."""

    key: str
    name: str
    label: str
    type: str
    sorted: str
    sort_url: str
    on: bool = True


@dataclass(frozen=True, slots=True)
class Choice:
    """A link that changes the query."""

    label: str
    url: str
    on: bool = False


@dataclass(frozen=True, slots=True)
class Facet:
    """A menu of choices for one field; `on` says which stands."""

    label: str
    on: str
    choices: tuple[Choice, ...]


@dataclass(frozen=True, slots=True)
class Chip:
    """A term that no menu covers, and the query without it."""

    text: str
    url: str


@dataclass(frozen=True, slots=True)
class Address:
    """The page's place: a query and its columns; every link is a variation of it."""

    query: str
    columns: tuple[str, ...] = ()

    def url(self, name: str = "queue", *args: Any, **more: str) -> str:
        """Give the address of a page with this query, columns and further parameters."""
        values = {"q": self.query, **({"columns": ",".join(self.columns)} if self.columns else {}), **more}
        return f"{reverse(name, args=args)}?{urlencode(values)}"

    def of(self, query: Query | str) -> str:
        """Give the address of the same columns with another query."""
        text = query if isinstance(query, str) else format_query(query)
        return Address(text, self.columns).url()


def columns_asked(values: Iterable[str]) -> tuple[str, ...]:
    """Read columns from the address: names between commas or repeated; unknown ones are left out."""
    names = [name for value in values for name in value.split(",")]
    found = [field for name in names if (field := find(name.strip())) is not None]
    return tuple(dict.fromkeys(field.name for field in found))


def shown_columns(asked: Sequence[str]) -> list[Field]:
    """Give the columns to show; the title is always among them, since it is the way into the ticket."""
    fields = [field for name in (asked or DESK_COLUMNS) if (field := find(name)) is not None]
    title = BY_KEY["title"]
    return fields if title in fields else [*fields[:2], title, *fields[2:]]


def columns(fields: Sequence[Field], query: Query | None, place: Address) -> list[Column]:
    """Give the heads of the columns; each sortable one leads to the query ordered by it, or the other way round."""
    order = {key.field: key.descending for key in query.sort} if query else {}
    return [_column(field, order, query, place) for field in fields]


def _column(field: Field, order: Mapping[str, bool], query: Query | None, place: Address) -> Column:
    name = field.name
    descending = order.get(name)
    turned = SortKey(name, not descending if descending is not None else str(field.type) in ("instant", "count", "duration"))
    url = place.of(Query(query.where if query else None, (turned,))) if field.sortable and query is not None else ""
    return Column(
        field.key,
        name,
        field.label,
        str(field.type),
        {True: "descending", False: "ascending"}.get(descending, "") if descending is not None else "",
        url,
    )


def all_columns(fields: Sequence[Field]) -> list[Column]:
    """Give every column there is, those shown first and in their order, for the chooser."""
    rest = [field for field in FIELDS if field not in fields]
    return [Column(field.key, field.name, field.label, "", "", "", field in fields) for field in (*fields, *rest)]


_STATES = (
    ("open", "open"),
    ("new", "new"),
    ("assigned", "assigned"),
    ("in-progress", "in progress"),
    ("on-hold", "on hold"),
    ("resolved", "resolved"),
    ("closed", "closed"),
)
_PRIORITIES = ((Op.HAS, "1", "1 critical"), (Op.AT_MOST, "2", "1 and 2"), (Op.AT_MOST, "3", "1 to 3"), (Op.AT_LEAST, "4", "4 and 5"))
_AGES = (
    (Op.LESS, "1d", "in the last day"),
    (Op.LESS, "7d", "in the last week"),
    (Op.MORE, "7d", "more than a week ago"),
    (Op.MORE, "30d", "more than a month ago"),
)


def facets(query: Query | None, place: Address, teams: Sequence[Team]) -> list[Facet]:
    """Give the menus over the query: state, priority, group, assignee, age."""
    if query is None:
        return []
    groups = [(Op.HAS, "my-teams", "my teams"), (Op.HAS, "none", "none"), *((Op.HAS, team.key, team.name) for team in teams)]
    people = [(Op.HAS, "me", "me"), (Op.HAS, "none", "nobody")]
    return [
        _facet("State", "state", [(Op.HAS, value, label) for value, label in _STATES], query, place),
        _facet("Priority", "priority", _PRIORITIES, query, place),
        _facet("Group", "group", groups, query, place),
        _facet("Assignee", "assignee", people, query, place),
        _facet("Opened", "opened", _AGES, query, place),
    ]


FACETED = frozenset({"state", "priority", "group", "assignee", "opened"})


def _facet(label: str, name: str, offered: Sequence[tuple[Op, str, str]], query: Query, place: Address) -> Facet:
    standing = [term for term in query.terms if isinstance(term, Compare) and term.field == name]
    rest = query
    for term in standing:
        rest = rest.without(term)
    choices = []
    for op, value, words in offered:
        term = Compare(name, op, (Value(value),))
        choices.append(Choice(words, place.of(rest.also(term)), term in standing))
    said = next((choice.label for choice in choices if choice.on), "") or " ".join(
        format_node(term).partition(":")[2] or format_node(term) for term in standing
    )
    return Facet(label, said, (Choice("any", place.of(rest), not standing), *choices))


def chips(query: Query | None, place: Address) -> list[Chip]:
    """Give the terms that no menu covers, each with the query without it."""
    if query is None:
        return []
    return [Chip(format_node(term), place.of(query.without(term))) for term in query.terms if not _covered(term)]


def _covered(term: Node) -> bool:
    return isinstance(term, Compare) and term.field in FACETED


def mistake_shown(mistake: Mistake, place: Address) -> dict[str, str]:
    """Give a mistake as the page shows it: the query, the carets below the wrong word, the reason, and the mended query."""
    line, _, carets = mistake.pointer(place.query).partition("\n")
    mended = place.of(mistake.mended(place.query)) if mistake.suggestion else ""
    return {
        "line": line,
        "carets": carets,
        "reason": mistake.reason,
        "hint": mistake.hint,
        "suggestion": mistake.suggestion,
        "mended_url": mended,
    }


def read_query(text: str) -> Query | Mistake:
    """Read the text of the query bar."""
    return parse(text)


def teams_offered(actor: Actor) -> list[Team]:
    """Give the groups of the group menu: the actor's own first."""
    teams = list(Team.objects.filter(is_active=True).exclude(pk__in=list(actor.hidden_team_ids))[:60])
    return sorted(teams, key=lambda team: (team.pk not in actor.team_ids, team.name))
