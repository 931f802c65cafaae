"""The form of an agreement: targets and steps as people write them, from and to the JSON of a definition.

A form that only grows by a row (another target, another step) is shown again unjudged, with all that was typed. A refusal's places
("targets.0.durations.1") lead back to the fields they came from.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.forms.utils import ErrorDict
from django.http import QueryDict

from pilothouse.notifications.models import Webhook
from pilothouse.people.models import Team, User
from pilothouse.platform.forms import RefusableForm
from pilothouse.platform.refusals import FieldError, Refused
from pilothouse.sla.engine.duration_text import duration_as_json, read_duration, write_duration, write_length
from pilothouse.sla.engine.rules import CONDITIONS, KINDS, PRIORITIES, RESPONSE_RULES, SCHEDULE_SOURCES, Duration
from pilothouse.sla.engine.steps import RECIPIENTS
from pilothouse.sla.engine.words import duration_of
from pilothouse.sla.models import Schedule
from pilothouse.tickets.engine.lifecycle import HOLD_REASONS

MOST_TARGETS, MOST_STEPS = 12, 20
_MONO = {"class": "mono", "spellcheck": "false", "autocomplete": "off", "autocapitalize": "off"}
_WHEN = {"share": "At a share of the time", "before": "So long before the breach", "risk": "When a breach is so likely"}
_CONDITION_LABELS = {
    "start": "Starts when",
    "pause": "Also pauses while",
    "stop": "Also stops when",
    "cancel": "Is cancelled when",
    "reset": "Begins anew when",
}


def _checks(label: str, choices: Iterable[tuple[str, str]]) -> forms.MultipleChoiceField:
    return forms.MultipleChoiceField(required=False, label=label, choices=list(choices), widget=forms.CheckboxSelectMultiple)


def _text(label: str, **more: Any) -> forms.CharField:
    return forms.CharField(
        required=False, label=label, max_length=1000, widget=forms.TextInput(attrs={**_MONO, **more.pop("attrs", {})}), **more
    )


class _Part(forms.Form):
    """A part of the form; `unjudged` shows what was typed without a verdict."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{"label_suffix": "", **kwargs})

    def unjudged(self) -> None:
        self._errors = ErrorDict()


class StepForm(_Part):
    """One step; a step without a moment is not used."""

    when = forms.ChoiceField(required=False, choices=[("", "Not used"), *_WHEN.items()], label="When")
    amount = _text("How much", help_text="75 %, or 30m")
    tell = _checks("Tell", RECIPIENTS.items())
    also = _text("Tell also", help_text="E-mail addresses, with commas between")
    raise_priority = forms.BooleanField(required=False, label="Raise the priority")
    reassign = forms.ChoiceField(required=False, label="Reassign to")
    flag = forms.CharField(required=False, max_length=40, label="Flag with the tag")
    any_hours = forms.BooleanField(required=False, label="At any hour, not only in their working hours")
    acknowledge = _text("Acknowledge within", help_text="15m; empty: nobody need answer")
    then = _checks("Otherwise tell", RECIPIENTS.items())
    then_also = _text("Otherwise also")

    def __init__(self, *args: Any, teams: Sequence[tuple[str, str]], webhooks: Sequence[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["reassign"].choices = [("", "Nobody"), *teams]  # type: ignore[attr-defined]
        for name in ("tell", "then"):
            self.fields[name].choices = [*RECIPIENTS.items(), *webhooks]  # type: ignore[attr-defined]

    @property
    def is_used(self) -> bool:
        return bool(self.cleaned_data.get("when"))

    def clean(self) -> dict[str, Any]:
        """Read amounts and addresses."""
        values = self.cleaned_data
        if values.get("when"):
            values["amount"] = self._amount(values["when"], values.get("amount", ""))
        values["acknowledge"] = self._length("acknowledge", values.get("acknowledge", ""))
        for name in ("also", "then_also"):
            values[name] = self._people(name, values.get(name, ""))
        return values

    def _amount(self, when: str, text: str) -> Any:
        if when == "before":
            return self._length("amount", text, needed=True)
        try:
            return float(text.replace("%", "").replace(",", ".").strip()) / 100
        except ValueError:
            self.add_error("amount", f"“{text[:20]}” is no share. Write, for instance: 75 %.")
            return None

    def _length(self, name: str, text: str, *, needed: bool = False) -> int | None:
        if not text.strip() and not needed:
            return None
        read = read_duration(text, always_open=True)
        if isinstance(read, Duration) and not read.is_relative:
            return read.seconds
        self.add_error(name, read if isinstance(read, str) else "Write a length of time: 30m, 2h.")
        return None

    def _people(self, name: str, text: str) -> list[str]:
        wanted = [each.strip() for each in text.replace(";", ",").split(",") if each.strip()]
        found = {email.casefold(): pk for email, pk in User.objects.filter(email__in=wanted, is_active=True).values_list("email", "pk")}
        for each in wanted:
            if each.casefold() not in found:
                self.add_error(name, f"Nobody active has the address {each}.")
        return [f"person:{found[each.casefold()]}" for each in wanted if each.casefold() in found]

    def as_json(self) -> dict[str, Any]:
        """Return the step as a definition holds it."""
        values = self.cleaned_data
        step: dict[str, Any] = {values["when"]: values["amount"]}
        step |= {name: [*values[name], *values[more]] for name, more in (("tell", "also"), ("then", "then_also"))}
        step |= {name: True for name in ("raise_priority", "any_hours") if values[name]}
        step |= {"reassign": int(values["reassign"])} if values["reassign"] else {}
        step |= {name: values[name] for name in ("flag", "acknowledge") if values[name]}
        return {name: value for name, value in step.items() if value != []}

    @staticmethod
    def initial_of(step: Mapping[str, Any], emails: Mapping[int, str]) -> dict[str, Any]:
        """Return a stored step as the form shows it."""
        when = next((name for name in _WHEN if step.get(name) is not None), "")
        amount = write_length(step["before"]) if when == "before" else f"{round(100 * step[when], 2):g} %" if when else ""
        shown = {**step, "when": when, "amount": amount, "reassign": str(step.get("reassign") or "")}
        shown["acknowledge"] = write_length(step["acknowledge"]) if step.get("acknowledge") else ""
        for name, more in (("tell", "also"), ("then", "then_also")):
            people = [each for each in step.get(name, []) if each.startswith("person:")]
            shown[more] = ", ".join(emails.get(int(each.partition(":")[2]), each) for each in people)
            shown[name] = [each for each in step.get(name, []) if each not in people]
        return shown


class TargetForm(_Part):
    """One target: a duration for each priority, whose hours, what pauses it, its conditions, its steps."""

    kind = forms.ChoiceField(choices=list(KINDS.items()), widget=forms.HiddenInput)
    key = forms.CharField(required=False, max_length=40, widget=forms.HiddenInput)
    steps = forms.IntegerField(required=False, min_value=0, max_value=MOST_STEPS, widget=forms.HiddenInput)
    drop = forms.BooleanField(required=False, label="Remove this target")
    rule = forms.ChoiceField(choices=list(RESPONSE_RULES.items()), required=False, label="Answered by")
    groups = forms.MultipleChoiceField(required=False, label="Groups", help_text="None chosen: any group.")
    schedule = forms.ChoiceField(required=False, label="Counts in")
    schedule_from = _checks("Unless there are hours of", SCHEDULE_SOURCES.items())
    holds = _checks("Pauses on hold for", ((key, label.removeprefix("Waiting for ")) for key, label in HOLD_REASONS.items()))
    count_resolved = forms.BooleanField(required=False, label="When reopened, the time while it was resolved counts too")

    def __init__(self, *args: Any, choices: "Choices", stored: Sequence[Mapping[str, Any]] = (), **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["schedule"].choices = [("", "Every hour of every day"), *choices.schedules]  # type: ignore[attr-defined]
        self.fields["groups"].choices = choices.teams  # type: ignore[attr-defined]
        self.fields["groups"].widget.attrs["size"] = 5
        for level in PRIORITIES:
            self.fields[f"d{level}"] = _text(f"P{level}", attrs={"placeholder": "–"})
        for name in CONDITIONS:
            self.fields[name] = _text(_CONDITION_LABELS[name])
        count = _whole(self.data.get(f"{self.prefix}-steps"), MOST_STEPS) if self.is_bound else len(stored)
        own: list[dict[str, Any]] = [{"initial": StepForm.initial_of(step, choices.emails)} for step in stored]
        own += [{}] * (count - len(own))
        data = self.data if self.is_bound else None
        self.rows = [
            StepForm(data, prefix=f"{self.prefix}s{at}", teams=choices.teams, webhooks=choices.webhooks, **own[at]) for at in range(count)
        ]
        self.used_rows: list[StepForm] = []

    @property
    def shown_kind(self) -> str:
        return str(self["kind"].value() or "resolution")

    @property
    def title(self) -> str:
        return KINDS.get(self.shown_kind, "Target")

    @property
    def durations(self) -> list[forms.BoundField]:
        return [self[f"d{level}"] for level in PRIORITIES]

    @property
    def conditions(self) -> list[forms.BoundField]:
        return [self[name] for name in CONDITIONS]

    @property
    def has_more(self) -> bool:
        """Whether any of the rarer parts is used, or wrong."""
        return any(field.value() or field.errors for field in [*self.conditions, self["count_resolved"]])

    def unjudged(self) -> None:
        super().unjudged()
        for row in self.rows:
            row.unjudged()

    def is_valid(self) -> bool:
        """Judge the target and its steps, unless it is to be removed."""
        own = super().is_valid()
        if self.cleaned_data.get("drop"):
            return True
        return all([own, *(row.is_valid() for row in self.rows)])

    def clean(self) -> dict[str, Any]:
        """Read the durations."""
        values = self.cleaned_data
        always = not values.get("schedule") and not values.get("schedule_from")
        durations = {}
        for level in PRIORITIES:
            text = values.get(f"d{level}", "").strip()
            if not text:
                continue
            read = read_duration(text, always_open=always)
            if isinstance(read, str):
                self.add_error(f"d{level}", read)
            else:
                durations[str(level)] = duration_as_json(read)
        values["durations"] = durations
        return values

    def as_json(self) -> dict[str, Any]:
        """Return the target as a definition holds it; what is left open is left out."""
        values = self.cleaned_data
        self.used_rows = [row for row in self.rows if row.is_used]
        target: dict[str, Any] = {
            "key": values["key"] or values["kind"],
            "kind": values["kind"],
            "durations": values["durations"],
            "schedule": int(values["schedule"]) if values["schedule"] else None,
            "schedule_from": values["schedule_from"],
            "holds": values["holds"] if values["kind"] != "contract" else [],
            "count_resolved": values["count_resolved"],
            "steps": [row.as_json() for row in self.used_rows],
        }
        target |= {"rule": values["rule"]} if values["kind"] == "response" else {}
        target |= {"groups": [int(pk) for pk in values["groups"]]} if values["kind"] == "ola" else {}
        target |= {name: values[name].strip() for name in CONDITIONS}
        return {name: value for name, value in target.items() if value not in (None, "", [], False)}

    def put(self, place: Sequence[str], message: str) -> None:
        """Put a refusal beside the field that it is about."""
        if place[:1] == ["steps"] and len(place) > 1 and place[1].isdigit() and int(place[1]) < len(self.used_rows):
            row, field = self.used_rows[int(place[1])], place[2] if len(place) > 2 else ""
            row.add_error(
                {"share": "amount", "before": "amount", "risk": "amount"}.get(field, field if field in row.fields else None), message
            )
            return
        field = f"d{place[1]}" if place[0] == "durations" and len(place) > 1 else "d1" if place[0] == "durations" else place[0]
        self.add_error(field if field in self.fields else None, message)


class Choices:
    """What the form offers of the organisation, read once."""

    def __init__(self) -> None:
        self.schedules = [(str(pk), name) for pk, name in Schedule.objects.filter(is_active=True).values_list("pk", "name")]
        self.teams = [(str(pk), name) for pk, name in Team.objects.filter(is_active=True).values_list("pk", "name")]
        self.webhooks = [(f"webhook:{pk}", f"webhook {name}") for pk, name in Webhook.objects.values_list("pk", "name")]
        self.emails = dict(User.objects.exclude(role="requester").values_list("pk", "email"))


def _whole(text: Any, most: int) -> int:
    return min(int(text), most) if isinstance(text, str) and text.isascii() and text.isdigit() and len(text) < 6 else 0


class AgreementForm(RefusableForm):
    """An agreement: its name, what it applies to, its targets, and since when the version holds."""

    name = forms.CharField(max_length=160)
    applies_to = forms.CharField(
        required=False,
        max_length=1000,
        label="Applies to",
        help_text="As in the queue; empty is every ticket. It looks at facts of the moment: kind:incident priority<=2 service:payroll",
    )
    holds_from = forms.ChoiceField(
        label="It holds",
        choices=[
            ("now", "For tickets opened from now on"),
            ("at", "For tickets opened from an instant on"),
            ("ever", "Since ever: every ticket is counted anew"),
        ],
        initial="now",
    )
    instant = forms.DateTimeField(required=False, label="From", widget=forms.DateTimeInput(attrs={"type": "datetime-local"}))
    note = forms.CharField(required=False, max_length=500, label="Why", help_text="It stands beside the version.")
    base = forms.IntegerField(required=False, widget=forms.HiddenInput)
    added = ""  # the row that was just added

    def __init__(self, data: QueryDict | None = None, *, definition: Mapping[str, Any], zone: str = "UTC", **kwargs: Any) -> None:
        initial = {"applies_to": definition.get("applies_to", ""), **kwargs.pop("initial", {})}
        super().__init__(data, initial=initial, **kwargs)
        self.zone = ZoneInfo(zone)
        self.fields["applies_to"].widget = forms.TextInput(attrs=_MONO)
        self.choices, stored = Choices(), definition.get("targets", [])
        if data is None:
            self.targets = [self._stored(at, target) for at, target in enumerate(stored)]
        else:
            count = _whole(data.get("targets"), MOST_TARGETS)
            self.targets = [TargetForm(data, prefix=f"t{at}", choices=self.choices) for at in range(count)]
        self.kept: list[TargetForm] = []

    def _stored(self, at: int, target: Mapping[str, Any]) -> TargetForm:
        durations = {f"d{level}": write_duration(duration_of(given)) for level, given in target.get("durations", {}).items()}
        own = {**target, **durations, "schedule": str(target.get("schedule") or ""), "steps": len(target.get("steps", []))}
        own["groups"] = [str(pk) for pk in target.get("groups", [])]
        return TargetForm(prefix=f"t{at}", choices=self.choices, initial=own, stored=target.get("steps", []))

    @property
    def targets_left(self) -> bool:
        return len(self.targets) < MOST_TARGETS

    def unjudged(self) -> None:
        """Show what was typed without a verdict."""
        self._errors = ErrorDict()
        for target in self.targets:
            target.unjudged()

    def is_valid(self) -> bool:
        """Judge every part."""
        return all([super().is_valid(), *[target.is_valid() for target in self.targets]])

    def clean(self) -> dict[str, Any]:
        """Read since when the version holds."""
        values = self.cleaned_data
        if values.get("holds_from") == "at" and not values.get("instant") and "instant" not in self.errors:
            self.add_error("instant", "Say from when, or choose another.")
        if values.get("instant"):
            values["instant"] = values["instant"].replace(tzinfo=self.zone)
        return values

    def definition(self) -> dict[str, Any]:
        """Return the definition that was typed."""
        self.kept = [target for target in self.targets if not target.cleaned_data.get("drop")]
        made = {"applies_to": self.cleaned_data["applies_to"].strip(), "targets": [target.as_json() for target in self.kept]}
        keys: dict[str, int] = {}
        for target in made["targets"]:
            keys[target["key"]] = keys.get(target["key"], 0) + 1
            if keys[target["key"]] > 1:
                target["key"] = f"{target['key']}-{keys[target['key']]}"[:40]
        return made

    def since(self) -> dict[str, Any]:
        """Return since when it holds, as the actions take it."""
        holds = self.cleaned_data["holds_from"]
        return {"since_ever": holds == "ever", "effective_from": self.cleaned_data["instant"] if holds == "at" else None}

    def refuse(self, refusal: Refused) -> None:
        """Put each error beside its field."""
        for error in refusal.errors:
            self.put(error)
        if not refusal.errors:
            self.add_error(None, refusal.message)

    def put(self, error: FieldError) -> None:
        """Put one error beside the field that it is about, or above the form."""
        message, place = f"{error.message} {error.hint}".strip(), error.field.split(".")
        if place[0] == "targets" and len(place) > 1 and place[1].isdigit() and int(place[1]) < len(self.kept):
            self.kept[int(place[1])].put(place[2:] or [""], message)
        else:
            self.add_error(error.field if error.field in self.fields else None, message)

    @property
    def fault_count(self) -> int:
        """How many fields are wrong."""
        return sum(len(form.errors) for form in self._parts())

    def _parts(self) -> Iterator[forms.Form]:
        yield self
        for target in self.targets:
            yield target
            yield from target.rows


def grown(data: QueryDict) -> tuple[QueryDict, str] | None:
    """Return what was typed with another row, and that row's name, if a button that adds one was pressed."""
    sent = data.copy()
    if kind := sent.get("add", ""):
        at = _whole(sent.get("targets"), MOST_TARGETS)
        if kind in KINDS and at < MOST_TARGETS:
            sent["targets"] = str(at + 1)
            sent[f"t{at}-kind"], sent[f"t{at}-key"], sent[f"t{at}-steps"] = kind, kind, "0"
        return sent, f"t{at}"
    if (prefix := sent.get("add_step", "")) and prefix.isalnum():
        count = _whole(sent.get(f"{prefix}-steps"), MOST_STEPS)
        sent[f"{prefix}-steps"] = str(min(count + 1, MOST_STEPS))
        return sent, f"{prefix}s{count}"
    return None
