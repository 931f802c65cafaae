"""Forms of telling people: how one is told, and webhooks."""

from typing import Any

from django import forms

from pilothouse.notifications import kinds
from pilothouse.notifications.models import Preference, Webhook
from pilothouse.platform.forms import RefusableForm

_MAIL = (("at_once", "Mail at once"), ("digest", "Mail, in the digest"), ("none", "Inbox only"))
_CLOCK = forms.TimeInput(attrs={"type": "time"}, format="%H:%M")


class PreferenceForm(RefusableForm):
    """How one is told: each kind of message, quiet hours, the digest's time."""

    quiet_from = forms.TimeField(label="Quiet from", required=False, widget=_CLOCK)
    quiet_until = forms.TimeField(label="until", required=False, widget=_CLOCK)
    urgent_passes = forms.BooleanField(
        label="Urgent mail passes", required=False, help_text="It comes at once, in quiet hours and past the digest."
    )
    digest_at = forms.TimeField(label="The digest comes at", widget=_CLOCK)

    def __init__(self, data: Any = None, *, kept: Preference) -> None:
        super().__init__(data, initial={name: getattr(kept, name) for name in self.base_fields})
        self.kinds = [kind for kind in kinds.known() if kind.key != kinds.TEST]
        for kind in self.kinds:
            chosen = kept.mail.get(kind.key, kind.mail)
            self.fields[_field(kind.key)] = forms.ChoiceField(
                label=kind.word, choices=_MAIL, initial=chosen, help_text=kind.about, required=False
            )

    def kind_fields(self) -> list[forms.BoundField]:
        """Return the fields of the kinds, in their order."""
        return [self[_field(kind.key)] for kind in self.kinds]

    def wanted(self) -> dict[str, Any]:
        """Return what the action takes."""
        values = {name: self.cleaned_data[name] for name in self.base_fields}
        chosen = {kind.key: self.cleaned_data[_field(kind.key)] for kind in self.kinds}
        return {**values, "mail": {kind: choice for kind, choice in chosen.items() if choice}}


def _field(kind: str) -> str:
    return f"mail_{kind.replace('.', '_')}"


def _address(**more: Any) -> forms.CharField:
    widget = forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false", "inputmode": "url", "placeholder": "https://"})
    return forms.CharField(label="Address", max_length=2000, widget=widget, **more)


class WebhookForm(RefusableForm):
    """A new webhook."""

    name = forms.CharField(max_length=80, widget=forms.TextInput(attrs={"autocomplete": "off"}), help_text="Where it leads, in your words.")
    kind = forms.ChoiceField(choices=Webhook.Kind.choices, label="What reads it")
    url = _address(help_text="Whoever knows it can write there, so it is shown nowhere again; only its host is.")


class WebhookChangeForm(RefusableForm):
    """Another name or address for a webhook."""

    name = forms.CharField(max_length=80, widget=forms.TextInput(attrs={"autocomplete": "off"}))
    url = _address(required=False, help_text="Empty: the address it has is kept.")
