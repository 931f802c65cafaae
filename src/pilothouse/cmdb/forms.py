"""Forms of CIs, services and relationships. What may be done with the values is the actions' to say."""

import re
from collections.abc import Sequence
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from pilothouse.cmdb.engine import CI_CLASSES, CRITICALITIES, ENVIRONMENTS, RELATIONS, STATUSES, attribute_names
from pilothouse.cmdb.models import CI, Service
from pilothouse.people.models import Team
from pilothouse.platform.forms import RecordField, RefusableForm

_ATTRIBUTE = "a_"
_LINE = re.compile(r"\s*([^:=]{1,60}?)\s*[:=]\s*(.*)")


def spoken(values: Sequence[str]) -> list[tuple[str, str]]:
    """Return choices of stored words in spoken form."""
    return [(value, value.replace("_", " ")) for value in values]


def _criticality() -> forms.TypedChoiceField:
    return forms.TypedChoiceField(coerce=int, initial=3, choices=[(n, f"{n} {word}") for n, word in CRITICALITIES.items()])


class CIForm(RefusableForm):
    """A CI's facts, and the attributes of its class; more of them as lines of `name: value`."""

    name = forms.CharField(max_length=200)
    ci_class = forms.ChoiceField(choices=spoken(list(CI_CLASSES)), label="Class", initial="server")
    service_id = RecordField(queryset=Service.objects.none(), required=False, empty_label="None", label="Service")
    owner_team_id = RecordField(queryset=Team.objects.none(), required=False, empty_label="None", label="Owner team")
    criticality = _criticality()
    environment = forms.ChoiceField(choices=spoken(ENVIRONMENTS))
    status = forms.ChoiceField(choices=spoken(STATUSES), initial="in_use")
    more = forms.CharField(
        required=False,
        label="More attributes",
        widget=forms.Textarea(attrs={"rows": 3, "class": "mono"}),
        help_text="One a line: name: value",
    )

    def __init__(self, *args: Any, ci_class: str, kept: dict[str, Any] | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["service_id"].queryset = Service.objects.all()  # type: ignore[attr-defined]
        self.fields["owner_team_id"].queryset = Team.objects.filter(is_active=True)  # type: ignore[attr-defined]
        self.kept, self.offered = kept or {}, attribute_names(ci_class)
        for name in self.offered:
            self.fields[_ATTRIBUTE + name] = forms.CharField(
                required=False, max_length=2000, label=name.replace("_", " ").capitalize(), initial=self.kept.get(name, "")
            )
        others = {name: value for name, value in self.kept.items() if name not in self.offered}
        self.fields["more"].initial = "\n".join(f"{name}: {value}" for name, value in others.items())

    @property
    def own(self) -> list[forms.BoundField]:
        """The attributes of the class, as fields."""
        return [self[_ATTRIBUTE + name] for name in self.offered]

    def clean_more(self) -> dict[str, str]:
        """Read the lines of further attributes."""
        read: dict[str, str] = {}
        for line in filter(str.strip, self.cleaned_data["more"].splitlines()):
            found = _LINE.fullmatch(line)
            if found is None:
                raise ValidationError(f"“{line[:60]}” is no line of “name: value”.")
            read[found[1]] = found[2]
        return read

    def facts(self) -> dict[str, Any]:
        """Return the values the action takes; a number that stays as it was keeps its type."""
        values = {name: value for name, value in self.cleaned_data.items() if not name.startswith(_ATTRIBUTE) and name != "more"}
        typed = {name: self.cleaned_data[_ATTRIBUTE + name] for name in self.offered} | self.cleaned_data["more"]
        same = {name for name, value in typed.items() if name in self.kept and str(self.kept[name]) == value}
        values["attributes"] = {name: self.kept[name] if name in same else value for name, value in typed.items() if value != ""}
        return values


class ServiceForm(RefusableForm):
    """A service's facts; its request form is edited in the settings."""

    name = forms.CharField(max_length=160)
    description = forms.CharField(
        required=False, widget=forms.Textarea(attrs={"rows": 3}), help_text="Requesters read it when they choose a service."
    )
    owner_team_id = RecordField(queryset=Team.objects.none(), required=False, empty_label="None", label="Owner team")
    criticality = _criticality()
    status = forms.ChoiceField(choices=spoken(STATUSES), initial="in_use")
    is_offered = forms.BooleanField(required=False, initial=True, label="Offered in the portal")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["owner_team_id"].queryset = Team.objects.filter(is_active=True)  # type: ignore[attr-defined]


class RelateForm(RefusableForm):
    """A relationship of a CI: how, and to which CI by its name; either way round."""

    relation = forms.ChoiceField(
        choices=[(f"{key}:down", down) for key, (down, _) in RELATIONS.items()] + [(f"{key}:up", up) for key, (_, up) in RELATIONS.items()]
    )
    target = forms.CharField(max_length=200, label="Configuration item", widget=forms.TextInput(attrs={"autocomplete": "off"}))

    def clean_target(self) -> int:
        """Find the CI by its name."""
        name = self.cleaned_data["target"].strip()
        found = list(CI.objects.filter(name__iexact=name).values_list("id", flat=True)[:2])
        if len(found) != 1:
            raise ValidationError(f"{'No' if not found else 'More than one'} configuration item is called “{name}”.")
        return found[0]
