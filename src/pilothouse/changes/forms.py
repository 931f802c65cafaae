"""Forms of changes: the plan of a new one, the whole detail of one that is edited, and what each act asks."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db.models.functions import Lower

from pilothouse.changes.engine.detail import OUTCOMES, RISKS, TYPES
from pilothouse.changes.models import Change
from pilothouse.cmdb.models import CI, Service
from pilothouse.people.models import Team
from pilothouse.platform.forms import RecordField
from pilothouse.tickets.forms import DeskForm, InstantField, LevelField, PersonField, ProseField, ShownForm

_TICKETS_OWN = ("title", "description", "impact", "urgency", "service", "group", "assignee")
_MOST_NAMED = 3


class CIsField(ProseField):
    """Configuration items by name, one a line; cleans to their ids in order."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(widget=forms.Textarea(attrs={"rows": 3, "spellcheck": "false"}), **kwargs)

    def clean(self, value: Any) -> Any:
        names = list(dict.fromkeys(line.strip() for line in str(super().clean(value)).split("\n") if line.strip()))
        known = _ids_of(names)
        if unknown := [name for name in names if name.lower() not in known]:
            shown = ", ".join(f"“{name[:60]}”" for name in unknown[:_MOST_NAMED]) + (", …" if len(unknown) > _MOST_NAMED else "")
            raise ValidationError(f"There is no configuration item {shown}. Write each name on a line of its own, as the CMDB has it.")
        return [known[name.lower()] for name in names]


def _ids_of(names: list[str]) -> dict[str, int]:
    """Return the ids of names, letter case ignored; of namesakes the oldest."""
    if not names:
        return {}
    rows = CI.objects.annotate(folded=Lower("name")).filter(folded__in=[name.lower() for name in names]).order_by("-id")
    return {folded: pk for pk, folded in rows.values_list("pk", "folded")}


def _plan(label: str, hint: str, rows: int = 4) -> ProseField:
    return ProseField(required=False, label=label, help_text=hint, strip=False, widget=forms.Textarea(attrs={"rows": rows}))


class PlanForm(DeskForm):
    """What is to be done, when, to what, and how it is undone."""

    type = forms.ChoiceField(choices=list(TYPES.items()), initial="normal", help_text="Only a standard change needs no rollback plan.")
    risk = forms.ChoiceField(required=False, choices=[("", "Not assessed"), *RISKS.items()])
    planned_start_at = InstantField(required=False, label="Planned start")
    planned_end_at = InstantField(required=False, label="Planned end")
    cis = CIsField(required=False, label="Affected CIs", help_text="One name a line; the first is the ticket's own.")
    reason = _plan("Reason", "Why it is done, and what happens if it is not.", 3)
    implementation_plan = _plan("Implementation plan", "The steps, and how one sees that they worked.")
    rollback_plan = _plan("Rollback plan", "How it is undone when it fails.")


class NewChangeForm(PlanForm):
    """A new change: its ticket's facts and its plan."""

    title = forms.CharField(max_length=250)
    description = ProseField(required=False, strip=False, widget=forms.Textarea(attrs={"rows": 3}))
    service = RecordField(queryset=Service.objects.none(), required=False, empty_label="None")
    group = RecordField(queryset=Team.objects.none(), required=False, empty_label="None")
    assignee = PersonField(staff=True, required=False)
    impact = LevelField(initial=3)
    urgency = LevelField(initial=3)
    field_order = ("title", "description", "type", "risk", "service", "group", "assignee", "impact", "urgency")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["service"].queryset = Service.objects.all()  # type: ignore[attr-defined]
        self.fields["group"].queryset = Team.objects.filter(is_active=True)  # type: ignore[attr-defined]

    def of_ticket(self) -> dict[str, Any]:
        """Return what was given for the ticket."""
        return {name: value for name in _TICKETS_OWN if (value := self.cleaned_data[name]) not in (None, "")}

    def of_plan(self) -> dict[str, Any]:
        """Return what was given for the detail."""
        return {name: value for name, value in self.cleaned_data.items() if name not in _TICKETS_OWN}


class EditPlanForm(ShownForm, PlanForm):
    """The whole detail of a change that is there."""

    actual_start_at = InstantField(required=False, label="Actual start")
    actual_end_at = InstantField(required=False, label="Actual end")
    outcome = forms.ChoiceField(required=False, choices=[("", "None yet"), *OUTCOMES.items()])


def shown_values(change: Change, zone: Any) -> dict[str, Any]:
    """Return a change's detail the way EditPlanForm shows it, times in the reader's zone."""

    def local(name: str) -> str:
        at = getattr(change, name)
        return f"{at.astimezone(zone):%Y-%m-%dT%H:%M}" if at else ""

    names = [touched.ci.name for touched in change.affected.select_related("ci").order_by("id")] if change.pk else []
    plain = ("type", "risk", "reason", "implementation_plan", "rollback_plan", "outcome")
    times = ("planned_start_at", "planned_end_at", "actual_start_at", "actual_end_at")
    values = {name: getattr(change, name) for name in plain} | {name: local(name) for name in times}
    return {name: {**values, "cis": "\n".join(names)}[name] for name in EditPlanForm.base_fields}


class CloseForm(DeskForm):
    """How the work went."""

    outcome = forms.ChoiceField(required=False, choices=[("", "Choose how it went"), *OUTCOMES.items()])
    actual_start_at = InstantField(required=False, label="Began", help_text="Empty: when it was started here.")
    actual_end_at = InstantField(required=False, label="Ended", help_text="Empty: now.")
    note = ProseField(required=False, label="What happened", widget=forms.Textarea(attrs={"rows": 3}))


class BackForm(DeskForm):
    """Why a change goes back a step."""

    note = ProseField(required=False, label="What is missing", widget=forms.Textarea(attrs={"rows": 3}))


class ScheduleForm(DeskForm):
    """When the work is to be done; empty fields stay as they are planned."""

    planned_start_at = InstantField(required=False, label="Planned start", help_text="Empty: as planned.")
    planned_end_at = InstantField(required=False, label="Planned end", help_text="Empty: as planned.")
    note = ProseField(required=False, widget=forms.Textarea(attrs={"rows": 2}))
