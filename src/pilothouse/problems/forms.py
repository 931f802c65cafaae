"""Forms of problem records. What may be done with their values is the actions' to say."""

from datetime import date
from typing import Any

from django import forms

from pilothouse.people.models import Team
from pilothouse.platform.forms import RecordField
from pilothouse.platform.refusals import Refused, StaleVersion
from pilothouse.problems import queries
from pilothouse.problems.actions.describing import DESCRIBED
from pilothouse.tickets.engine.lifecycle import RESOLUTION_CODES
from pilothouse.tickets.forms import DeskForm, PersonField, ProseField, TicketField
from pilothouse.tickets.models import Ticket

WHYS = 5


def _text(rows: int) -> forms.Textarea:
    return forms.Textarea(attrs={"rows": rows})


class VersionedForm(DeskForm):
    """A form that knows which version of the problem it was filled from; refused for that, it shows what stands there now."""

    version = forms.IntegerField(required=False, widget=forms.HiddenInput)

    def refuse(self, refusal: Refused) -> None:
        """Keep what was typed, say what others wrote meanwhile, and let the next try replace it knowingly."""
        super().refuse(refusal)
        if not isinstance(refusal, StaleVersion):
            return
        self.data = {**{name: self.data.get(name) for name in self.data}, self.add_prefix("version"): str(refusal.version)}
        for name, value in refusal.current.items():
            shown = self._shown_now(name, value)
            if name in self.fields and shown != str(self.data.get(name, "")).strip():
                self.add_error(name, f"It now reads: {shown or 'nothing'}. Saving again replaces it.")

    @staticmethod
    def _shown_now(name: str, value: Any) -> str:
        return value.isoformat() if isinstance(value, date) else str(value or "").strip()


class DescribeForm(VersionedForm):
    """What is known: cause, five whys, workaround, promised day."""

    cause = ProseField(required=False, label="Root cause", widget=_text(3), help_text="Markdown is understood.")
    workaround = ProseField(
        required=False, widget=_text(3), help_text="What helps until it is fixed. Requesters read it once it is a known error."
    )
    promised_on = forms.DateField(
        required=False, label="Fix promised for", widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    )
    field_order = ("version", "cause", *(f"why_{i}" for i in range(1, WHYS + 1)), "workaround", "promised_on")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for i in range(1, WHYS + 1):
            self.fields[f"why_{i}"] = forms.CharField(required=False, label=f"{i}. Why?", max_length=2000)
        self.order_fields(self.field_order)

    def changes(self) -> dict[str, Any]:
        """Give the values as the action takes them."""
        values = self.cleaned_data
        whys = [values[f"why_{i}"] for i in range(1, WHYS + 1)]
        return {**{name: values[name] for name in DESCRIBED if name in values}, "whys": whys}

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        return {**cleaned, "changes": self.changes()} if not self.errors else cleaned


class KnownErrorForm(VersionedForm):
    """The workaround that is offered from now on."""

    workaround = ProseField(required=False, widget=_text(4), help_text="Requesters with a matching incident read this.")


class WithdrawForm(VersionedForm):
    """Why it is no known error any more."""

    note = ProseField(required=False, label="Why", widget=_text(2))


class FixForm(DeskForm):
    """The change that removes the cause."""

    change = TicketField(required=False, label="Change", help_text="Its number, for instance CHG0000012.")


class TaskForm(DeskForm):
    """A task below the problem."""

    title = forms.CharField(max_length=250, required=False, label="What is to be done")
    description = ProseField(required=False, widget=_text(3))
    group = RecordField(queryset=Team.objects.none(), required=False, empty_label="None")
    assignee = PersonField(staff=True, required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["group"].queryset = Team.objects.filter(is_active=True)  # type: ignore[attr-defined]


class StartFixForm(VersionedForm):
    """A fix begins: its cause, and the change if it is known."""

    cause = ProseField(required=False, label="Root cause", widget=_text(3))
    change = TicketField(required=False, label="Fixing change", help_text="Optional: its number.")


class ResolveProblemForm(VersionedForm):
    """How it was solved, and by which change."""

    resolution_code = forms.ChoiceField(
        required=False, label="Resolution", choices=[("", "Choose how it was solved"), *RESOLUTION_CODES.items()]
    )
    resolution_notes = ProseField(required=False, label="What was done", widget=_text(3))
    change = TicketField(required=False, label="Fixing change", help_text="Its number; left empty when one is linked already.")
    no_fix_reason = ProseField(required=False, label="or why no change was needed", widget=_text(2))


class NumbersField(forms.CharField):
    """Numbers of tickets, between commas, blanks or lines; cleans to ids."""

    def clean(self, value: Any) -> Any:
        numbers = list(dict.fromkeys(str(super().clean(value)).replace(",", " ").upper().split()))
        known = dict(Ticket.objects.filter(number__in=numbers).values_list("number", "pk"))
        if missing := [number for number in numbers if number not in known]:
            raise forms.ValidationError(f"There is no ticket {', '.join(missing[:5])}{' and more' if len(missing) > 5 else ''}.")
        return list(known.values())


class GatherForm(DeskForm):
    """Incidents that the problem causes."""

    incidents = NumbersField(required=False, widget=_text(3), help_text="Their numbers, between commas, blanks or lines.")


class OpenProblemForm(DeskForm):
    """A problem opened by hand, from incidents."""

    title = forms.CharField(max_length=250, required=False)
    description = ProseField(required=False, widget=_text(5), help_text="What keeps happening, in your words.")
    incidents = NumbersField(
        required=False, widget=_text(3), help_text="Numbers of incidents that it causes, between commas, blanks or lines."
    )
    group = RecordField(queryset=Team.objects.none(), required=False, empty_label="The team that owns the service")
    assignee = PersonField(staff=True, required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["group"].queryset = Team.objects.filter(is_active=True)  # type: ignore[attr-defined]


def described(ticket: Ticket) -> dict[str, Any]:
    """Give what the forms of a problem's page begin with."""
    detail = queries.detail(ticket)
    whys = {f"why_{i + 1}": why for i, why in enumerate(detail.whys[:WHYS])}
    texts = {name: getattr(detail, name) for name in ("cause", "workaround", "promised_on", "no_fix_reason")}
    return {**texts, **whys, "version": ticket.version}
