"""Forms of the desk. They turn what is typed into values; what may be done with the values is the actions' to say.

A field that names a person, a CI or a ticket is a text with suggestions ("Kofi Osei <kofi@…>", a name, an address, a number), so
that it works without script and with ten thousand people. Forms never mark a guard's field as required in the browser: the guard
itself says what is missing, beside the form.
"""

import re
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.core.exceptions import ValidationError

from pilothouse.cmdb.models import CI, Service
from pilothouse.people.models import Team, User
from pilothouse.platform.forms import RecordField, RefusableForm
from pilothouse.tickets.engine.lifecycle import CHANNELS, DESK_KINDS, HOLD_REASONS, KINDS, RESOLUTION_CODES
from pilothouse.tickets.models import Category, Ticket

LEVELS = ((1, "1 high"), (2, "2 medium"), (3, "3 low"))
_ADDRESS = re.compile(r"<([^<>\s]+@[^<>\s]+)>\s*$")


class PersonField(forms.CharField):
    """A person by "Name <address>", address, or a name that only one person bears; cleans to an id."""

    def __init__(self, *, staff: bool = False, **kwargs: Any) -> None:
        super().__init__(widget=forms.TextInput(attrs={"data-suggest": "staff" if staff else "person", "autocomplete": "off"}), **kwargs)
        self.staff = staff

    def clean(self, value: Any) -> Any:
        text = str(super().clean(value)).strip()
        return self._find(text).pk if text else None

    def _find(self, text: str) -> User:
        address = found[1] if (found := _ADDRESS.search(text)) else text
        people = User.objects.filter(is_active=True)
        people = people.exclude(role="requester") if self.staff else people
        near = list(people.filter(email__iexact=address)[:2]) or list(people.filter(name__iexact=text)[:2])
        if len(near) != 1:
            what = "nobody" if not near else "more than one person"
            raise ValidationError(
                f"“{text}” names {what}{' of staff' if self.staff else ''}. Choose from the list, or write an e-mail address."
            )
        return near[0]


class CIField(forms.CharField):
    """A configuration item by its name; cleans to an id."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(widget=forms.TextInput(attrs={"data-suggest": "ci", "autocomplete": "off"}), **kwargs)

    def clean(self, value: Any) -> Any:
        text = str(super().clean(value)).strip()
        if not text:
            return None
        found = list(CI.objects.filter(name__iexact=text).order_by("id")[:2])
        if not found:
            raise ValidationError(f"There is no configuration item “{text}”.")
        return found[0].pk


class TicketField(forms.CharField):
    """A ticket by its number; cleans to an id."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(widget=forms.TextInput(attrs={"data-suggest": "ticket", "autocomplete": "off"}), **kwargs)

    def clean(self, value: Any) -> Any:
        text = str(super().clean(value)).strip().upper()
        if not text:
            return None
        found = Ticket.objects.filter(number=text.split()[0]).values_list("pk", flat=True).first()
        if found is None:
            raise ValidationError(f"There is no ticket “{text}”.")
        return found


class TagsField(forms.CharField):
    """Words between commas; cleans to a list without doubles."""

    def clean(self, value: Any) -> Any:
        words = [word.strip() for word in str(super().clean(value)).split(",")]
        return list(dict.fromkeys(word for word in words if word))


class LevelField(forms.TypedChoiceField):
    """Impact or urgency."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(choices=LEVELS, coerce=int, **kwargs)


class ProseField(forms.CharField):
    """A text of several lines; a browser's line ends become plain ones."""

    def to_python(self, value: Any) -> Any:
        return plain_lines(str(super().to_python(value)))


def plain_lines(text: str) -> str:
    """Write line ends the one way, as they are kept."""
    return text.replace("\r\n", "\n")


class InstantField(forms.DateTimeField):
    """A date and time in the reader's zone; cleans to an aware UTC instant. `zone` is set by the form."""

    zone: ZoneInfo | None = None

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"), **kwargs)

    def to_python(self, value: Any) -> Any:
        text = str(value or "").strip()
        if not text:
            return None
        try:
            naive = datetime.fromisoformat(text)
        except ValueError as error:
            raise ValidationError("This is not a date and time.") from error
        return (naive if naive.tzinfo else naive.replace(tzinfo=self.zone or UTC)).astimezone(UTC)


def _text(*, rows: int = 3, **attrs: str) -> forms.Textarea:
    return forms.Textarea(attrs={"rows": rows, **attrs})


def _teams() -> Any:
    return Team.objects.filter(is_active=True)


class DeskForm(RefusableForm):
    """A form that knows its reader's zone."""

    def __init__(self, *args: Any, zone: str = "UTC", **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            if isinstance(field, InstantField):
                field.zone = ZoneInfo(zone)


class AssignForm(DeskForm):
    """To a resolver group, a person, or both."""

    group = RecordField(queryset=Team.objects.none(), required=False, empty_label="Leave as it is")
    assignee = PersonField(staff=True, required=False, help_text="Empty: whoever has it, if they belong to the group.")
    note = ProseField(required=False, label="Why", widget=_text(rows=2))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["group"].queryset = _teams()  # type: ignore[attr-defined]


class PriorityForm(DeskForm):
    """Impact and urgency; the matrix gives the priority."""

    impact = LevelField(initial=2)
    urgency = LevelField(initial=2)
    note = ProseField(required=False, label="Why", widget=_text(rows=2))


class HoldForm(DeskForm):
    """Why it waits, and until when."""

    hold_reason = forms.ChoiceField(required=False, label="Waiting for", choices=[("", "Choose a reason"), *HOLD_REASONS.items()])
    hold_until = InstantField(required=False, label="Until", help_text="Optional; it is shown as overdue afterwards.")
    note = ProseField(required=False, widget=_text(rows=2))


class CommentForm(DeskForm):
    """A reply to the requester, or a private note."""

    audience = forms.ChoiceField(
        choices=[("reply", "Reply to the requester"), ("note", "Private note")],
        initial="reply",
        widget=forms.RadioSelect,
        label="Who reads it",
    )
    text = ProseField(required=False, label="Text", widget=_text(rows=4), help_text="Markdown is understood; @name tells a colleague.")


class ResolveForm(DeskForm):
    """How it was solved."""

    resolution_code = forms.ChoiceField(
        required=False, label="Resolution", choices=[("", "Choose how it was solved"), *RESOLUTION_CODES.items()]
    )
    resolution_notes = ProseField(required=False, label="What was done", widget=_text(rows=4), help_text="The requester reads this.")


class ReasonForm(DeskForm):
    """Why a ticket is cancelled or reopened."""

    note = ProseField(required=False, label="Why", widget=_text(rows=3))


class FollowUpForm(DeskForm):
    """What is wrong now, for a follow-up of a closed ticket."""

    description = ProseField(required=False, label="What is wrong now", widget=_text(rows=3))


class MergeForm(DeskForm):
    """Into which ticket this duplicate goes."""

    into = TicketField(required=False, label="Into ticket", help_text="This one is closed as its duplicate.")
    note = ProseField(required=False, widget=_text(rows=2))


class LinkForm(DeskForm):
    """A link to another ticket or to an address elsewhere."""

    relation = forms.ChoiceField(
        choices=[
            ("relates_to", "relates to"),
            ("blocks", "blocks"),
            ("caused_by", "is caused by"),
            ("duplicates", "duplicates"),
            ("follows_up", "follows up"),
            ("fixed_by", "is fixed by"),
        ]
    )
    target = TicketField(required=False, label="Ticket")
    url = forms.CharField(required=False, label="or address")
    label = forms.CharField(required=False, label="Words to show")


def person_text(person: User | None) -> str:
    """Write a person the way PersonField reads them."""
    return f"{person.name} <{person.email}>" if person else ""


class TicketForm(DeskForm):
    """The facts of a ticket, for a new one and for editing."""

    title = forms.CharField(max_length=250)
    description = ProseField(required=False, widget=_text(rows=6), strip=False)
    requester = PersonField(required=False)
    channel = forms.ChoiceField(choices=list(CHANNELS.items()), initial="phone")
    impact = LevelField(initial=3)
    urgency = LevelField(initial=3)
    service = RecordField(queryset=Service.objects.none(), required=False, empty_label="None")
    ci = CIField(required=False, label="Configuration item")
    category = forms.CharField(required=False, max_length=80, widget=forms.TextInput(attrs={"list": "categories"}))
    subcategory = forms.CharField(required=False, max_length=80, widget=forms.TextInput(attrs={"list": "subcategories"}))
    group = RecordField(queryset=Team.objects.none(), required=False, empty_label="None")
    assignee = PersonField(staff=True, required=False)
    parent = TicketField(required=False, label="Parent ticket")
    tags = TagsField(required=False, help_text="Words between commas.")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["service"].queryset = Service.objects.all()  # type: ignore[attr-defined]
        self.fields["group"].queryset = _teams()  # type: ignore[attr-defined]

    @staticmethod
    def categories() -> list[str]:
        """Offer the active categories' names."""
        return list(Category.objects.filter(is_active=True, parent=None).values_list("name", flat=True)[:200])


class NewTicketForm(TicketForm):
    """A ticket written down for somebody."""

    kind = forms.ChoiceField(choices=[(kind, KINDS[kind][0]) for kind in DESK_KINDS], initial="incident")
    field_order = ("kind", "title", "description", "requester", "channel")


class ShownForm(DeskForm):
    """Fields as they were shown, each with its shown value beside it, so that only what was touched is changed."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            field.show_hidden_initial = True

    def touched(self) -> dict[str, Any]:
        """Give the cleaned values of the fields that differ from what was shown."""
        return {name: self.cleaned_data[name] for name in self.changed_data if name in self.cleaned_data}


class EditTicketForm(ShownForm, TicketForm):
    """The facts of a ticket that is there."""


def shown_values(ticket: Ticket) -> dict[str, Any]:
    """Give a ticket's facts the way EditTicketForm shows them."""
    return {
        "title": ticket.title,
        "description": ticket.description,
        "requester": person_text(ticket.requester),
        "channel": ticket.channel,
        "impact": ticket.impact,
        "urgency": ticket.urgency,
        "service": ticket.service_id or "",
        "ci": ticket.ci.name if ticket.ci else "",
        "category": ticket.category,
        "subcategory": ticket.subcategory,
        "group": ticket.group_id or "",
        "assignee": person_text(ticket.assignee),
        "parent": ticket.parent.number if ticket.parent else "",
        "tags": ", ".join(ticket.tags),
    }
