"""The ticket's fields, declared once: the queue language, columns, REST keys, filters and exports all read this list.

A field has three names. `name` is what a person types (`opened`), `key` what programs say (`opened_at`: the model's attribute,
the journal's field, the REST key), `label` what a column and an export's header show ("Opened"). `path` is where its
comparable value lies, `shown` where the text for people lies, both as paths from a ticket (`group_id`, `group__name`).

To add a field: add a line to FIELDS (docs/queue-language.md names every field; a test says so). A room above adds its own with
`register` when its app is ready; its path leads from a ticket to that room's row of it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from pilothouse.tickets.engine.lifecycle import CHANNELS, DONE_STATES, HOLD_REASONS, KINDS, OPEN_STATES, RESOLUTION_CODES, STATES

STATE_GROUPS: Mapping[str, tuple[str, ...]] = {"open": OPEN_STATES, "done": DONE_STATES}
PRIORITIES: Mapping[int, str] = {1: "Critical", 2: "High", 3: "Moderate", 4: "Low", 5: "Planning"}
LEVELS: Mapping[int, str] = {1: "High", 2: "Medium", 3: "Low"}


class FieldType(StrEnum):
    """What a field's values are, and so which comparisons and literals it takes."""

    CHOICE = "choice"  # one of `values`, stored as its key
    LEVEL = "level"  # a small whole number with a name; 1 is the gravest
    COUNT = "count"  # a whole number from 0
    INSTANT = "instant"  # an aware UTC datetime
    DURATION = "duration"  # whole seconds
    REFERENCE = "reference"  # another record, found by its name
    NUMBER = "number"  # a ticket's own number, INC0000012
    TEXT = "text"  # short text, letter case ignored
    TAGS = "tags"  # a list of words


COMPARABLE = frozenset({FieldType.LEVEL, FieldType.COUNT, FieldType.INSTANT, FieldType.DURATION})


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One field; the module's docstring explains its names and paths."""

    name: str
    key: str
    label: str
    type: FieldType
    path: str = ""
    shown: str = ""
    aliases: tuple[str, ...] = ()
    values: Mapping[str, str] = field(default_factory=dict, hash=False)
    levels: Mapping[int, str] = field(default_factory=dict, hash=False)
    names: str = ""  # whose names complete and resolve it: person, team, service, ci, ticket; category and tag only complete
    nullable: bool = False
    contains: bool = False  # `name:word` asks for a part of the text, not for all of it
    ahead: bool = False  # `name<2d` looks into the future: less than two days from now
    sortable: bool = True
    default_column: bool = False
    beside: tuple[str, ...] = ()  # further paths that its column shows
    width: str = "12ch"
    editable: bool = False
    help: str = ""

    def __post_init__(self) -> None:
        path = self.path or (f"{self.key}_id" if self.type is FieldType.REFERENCE else self.key)
        object.__setattr__(self, "path", path)
        object.__setattr__(self, "shown", self.shown or (f"{self.key}__name" if self.type is FieldType.REFERENCE else path))

    @property
    def comparable(self) -> bool:
        """Whether `<`, `>` and ranges make sense."""
        return self.type in COMPARABLE

    @property
    def can_be_none(self) -> bool:
        """Whether `name:none` makes sense."""
        return self.nullable or self.type in {FieldType.TEXT, FieldType.TAGS}


_T = FieldType
FIELDS: list[Field] = [
    Field(
        name="number",
        key="number",
        label="Number",
        type=_T.NUMBER,
        aliases=("id", "no"),
        default_column=True,
        width="11ch",
        help="The ticket's number; INC12, inc0000012 and 12 find INC0000012.",
    ),
    Field(
        name="priority",
        key="priority",
        label="Priority",
        type=_T.LEVEL,
        aliases=("prio", "p"),
        levels=PRIORITIES,
        default_column=True,
        width="4ch",
        editable=True,
        help="1 (critical) to 5 (planning); priority<=2 is 1 and 2.",
    ),
    Field(
        name="kind",
        key="kind",
        label="Kind",
        type=_T.CHOICE,
        aliases=("type",),
        values={kind: label for kind, (label, _) in KINDS.items()},
        width="9ch",
        help="Incident, request, task, problem or change; without it a list shows the first three.",
    ),
    Field(
        name="title",
        key="title",
        label="Title",
        type=_T.TEXT,
        aliases=("subject",),
        contains=True,
        default_column=True,
        width="1fr",
        editable=True,
        help="A part of the title; = asks for the whole title.",
    ),
    Field(
        name="state",
        key="state",
        label="State",
        type=_T.CHOICE,
        aliases=("status",),
        values=STATES,
        default_column=True,
        width="13ch",
        help="A state, or open (whatever is not done) or done (resolved, closed, cancelled).",
    ),
    Field(
        name="impact",
        key="impact",
        label="Impact",
        type=_T.LEVEL,
        levels=LEVELS,
        width="8ch",
        editable=True,
        help="1 high, 2 medium, 3 low.",
    ),
    Field(
        name="urgency",
        key="urgency",
        label="Urgency",
        type=_T.LEVEL,
        levels=LEVELS,
        width="8ch",
        editable=True,
        help="1 high, 2 medium, 3 low.",
    ),
    Field(
        name="group",
        key="group",
        label="Group",
        type=_T.REFERENCE,
        aliases=("team", "resolver"),
        names="team",
        nullable=True,
        default_column=True,
        width="14ch",
        editable=True,
        help="The resolver group, by name or key; my-teams, none.",
    ),
    Field(
        name="assignee",
        key="assignee",
        label="Assignee",
        type=_T.REFERENCE,
        aliases=("who", "owner"),
        names="person",
        nullable=True,
        default_column=True,
        width="14ch",
        editable=True,
        help="The person working on it, by name or e-mail; me, none.",
    ),
    Field(
        name="requester",
        key="requester",
        label="Requester",
        type=_T.REFERENCE,
        aliases=("caller", "from"),
        names="person",
        nullable=True,
        width="14ch",
        editable=True,
        help="The person who needs it; me.",
    ),
    Field(
        name="opened-by",
        key="opened_by",
        label="Opened by",
        type=_T.REFERENCE,
        names="person",
        nullable=True,
        width="14ch",
        help="The person who wrote it down; me.",
    ),
    Field(
        name="service",
        key="service",
        label="Service",
        type=_T.REFERENCE,
        names="service",
        nullable=True,
        width="14ch",
        editable=True,
        help="The service, by name or key.",
    ),
    Field(
        name="ci",
        key="ci",
        label="CI",
        type=_T.REFERENCE,
        aliases=("asset", "device"),
        names="ci",
        nullable=True,
        width="14ch",
        editable=True,
        help="The configuration item, by name.",
    ),
    Field(
        name="category",
        key="category",
        label="Category",
        type=_T.TEXT,
        names="category",
        width="12ch",
        editable=True,
        help="The whole category; * stands for any letters.",
    ),
    Field(
        name="subcategory", key="subcategory", label="Subcategory", type=_T.TEXT, width="12ch", editable=True, help="The whole subcategory."
    ),
    Field(
        name="channel",
        key="channel",
        label="Channel",
        type=_T.CHOICE,
        aliases=("via",),
        values=CHANNELS,
        width="10ch",
        editable=True,
        help="How it came in.",
    ),
    Field(
        name="hold",
        key="hold_reason",
        label="Hold reason",
        type=_T.CHOICE,
        aliases=("hold-reason",),
        values={**HOLD_REASONS, "": "None"},
        width="10ch",
        editable=True,
        help="What it waits for.",
    ),
    Field(
        name="hold-until",
        key="hold_until",
        label="Hold until",
        type=_T.INSTANT,
        nullable=True,
        ahead=True,
        width="13ch",
        editable=True,
        help="When the hold ends; hold-until<2d is within two days from now, or past.",
    ),
    Field(
        name="opened",
        key="opened_at",
        label="Opened",
        type=_T.INSTANT,
        default_column=True,
        width="13ch",
        help="When it was opened; opened<2d is less than two days ago.",
    ),
    Field(
        name="updated",
        key="updated_at",
        label="Updated",
        type=_T.INSTANT,
        default_column=True,
        width="13ch",
        help="When anything last changed on it.",
    ),
    Field(
        name="resolved",
        key="resolved_at",
        label="Resolved",
        type=_T.INSTANT,
        nullable=True,
        width="13ch",
        help="When it was last resolved.",
    ),
    Field(name="closed", key="closed_at", label="Closed", type=_T.INSTANT, nullable=True, width="13ch", help="When it was closed."),
    Field(
        name="recorded",
        key="created_at",
        label="Recorded",
        type=_T.INSTANT,
        aliases=("created",),
        width="13ch",
        help="When Pilothouse learnt of it; differs from opened for imports.",
    ),
    Field(
        name="resolution",
        key="resolution_code",
        label="Resolution code",
        type=_T.TEXT,
        aliases=("resolution-code",),
        values=RESOLUTION_CODES,
        width="14ch",
        editable=True,
        help="The whole resolution code; * stands for any letters.",
    ),
    Field(
        name="parent",
        key="parent",
        label="Parent",
        type=_T.REFERENCE,
        shown="parent__number",
        names="ticket",
        nullable=True,
        width="11ch",
        editable=True,
        help="The parent ticket's number.",
    ),
    Field(
        name="merged-into",
        key="merged_into",
        label="Merged into",
        type=_T.REFERENCE,
        shown="merged_into__number",
        names="ticket",
        nullable=True,
        width="11ch",
        help="The ticket it was merged into.",
    ),
    Field(
        name="tag",
        key="tags",
        label="Tags",
        type=_T.TAGS,
        aliases=("tags", "label"),
        names="tag",
        sortable=False,
        width="14ch",
        editable=True,
        help="One of its tags.",
    ),
    Field(
        name="reassignments",
        key="reassignment_count",
        label="Reassignments",
        type=_T.COUNT,
        path="story__reassignment_count",
        width="6ch",
        help="How often its group or assignee changed.",
    ),
    Field(
        name="bounces",
        key="bounce_count",
        label="Bounces",
        type=_T.COUNT,
        path="story__bounce_count",
        width="6ch",
        help="How often it came back to a group that had had it.",
    ),
    Field(
        name="reopens",
        key="reopen_count",
        label="Reopens",
        type=_T.COUNT,
        path="story__reopen_count",
        width="6ch",
        help="How often it was reopened.",
    ),
    Field(
        name="held",
        key="hold_seconds",
        label="Held",
        type=_T.DURATION,
        path="story__hold_seconds",
        width="9ch",
        help="How long it was on hold in all, the running hold not counted; held>2d.",
    ),
    Field(
        name="first-owned",
        key="first_owned_at",
        label="First owned",
        type=_T.INSTANT,
        path="story__first_owned_at",
        nullable=True,
        width="13ch",
        help="When somebody first took it.",
    ),
    Field(
        name="first-reply",
        key="first_reply_at",
        label="First reply",
        type=_T.INSTANT,
        path="story__first_reply_at",
        nullable=True,
        width="13ch",
        help="When staff first answered the requester.",
    ),
    Field(
        name="external",
        key="external_id",
        label="External number",
        type=_T.TEXT,
        aliases=("external-id",),
        width="12ch",
        help="Its number in the system it was imported from.",
    ),
    Field(
        name="external-system",
        key="external_system",
        label="External system",
        type=_T.TEXT,
        width="12ch",
        help="The system it was imported from.",
    ),
]

BY_NAME: dict[str, Field] = {}
BY_KEY: dict[str, Field] = {}
DEFAULT_COLUMNS: list[str] = []


def register(*declared: Field, before: str = "") -> None:
    """Add fields to the language, the columns and the exports, before the named one (or at the end); one of the same name is replaced."""
    for each in declared:
        FIELDS[:] = [kept for kept in FIELDS if kept.name != each.name]
    place = next((i for i, each in enumerate(FIELDS) if each.name == before), len(FIELDS))
    FIELDS[place:place] = declared
    _index()


def _index() -> None:
    for known in (BY_NAME, BY_KEY, DEFAULT_COLUMNS):
        known.clear()
    BY_NAME.update({name: declared for declared in FIELDS for name in (declared.name, *declared.aliases)})
    BY_KEY.update({declared.key: declared for declared in FIELDS})
    DEFAULT_COLUMNS.extend(declared.name for declared in FIELDS if declared.default_column)


_index()


def find(name: str) -> Field | None:
    """Return the field that a person means by this word: its name, an alias or its key; `_` and `-` are the same.

    >>> find("Team").name, find("opened_at").name, find("no-such")
    ('group', 'opened', None)
    """
    word = name.casefold().replace("_", "-")
    return BY_NAME.get(word) or BY_KEY.get(word.replace("-", "_"))
