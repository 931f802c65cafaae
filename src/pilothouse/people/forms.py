"""Forms of sign-in, profile, people and teams. What may be done with the values is the actions' to say."""

from typing import Any

from django import forms

from pilothouse.people.models import Team, User
from pilothouse.platform.access import CAPABILITIES, Capability, Role
from pilothouse.platform.forms import RefusableForm

SCOPE_WORDS = {
    Capability.RAISE_TICKETS: "Raise and comment on tickets",
    Capability.READ_TICKETS: "Read tickets",
    Capability.WORK_TICKETS: "Work on tickets",
    Capability.STEER_TICKETS: "Change any ticket, merge, bulk",
    Capability.SHARE_VIEWS: "Share views",
    Capability.READ_CMDB: "Read the configuration",
    Capability.EDIT_CMDB: "Edit the configuration",
    Capability.READ_PEOPLE: "Read people and teams",
    Capability.MANAGE_PEOPLE: "Manage people and teams",
    Capability.READ_JOURNAL: "Read the journal",
    Capability.IMPORT: "Import",
    Capability.CONFIGURE: "Change settings",
    Capability.SEE_RESTRICTED: "See restricted teams",
}
ROLE_WORDS = {
    Role.REQUESTER: "Requester: raises and follows their own tickets",
    Role.AGENT: "Agent: works the tickets of their teams",
    Role.ANALYST: "Analyst: steers any ticket, edits the configuration, imports",
    Role.MANAGER: "Manager: steers any ticket, sees restricted teams",
    Role.AUDITOR: "Auditor: reads everything, changes nothing",
    Role.ADMINISTRATOR: "Administrator: everything",
}


def _password(label: str, *, new: bool = False, **more: Any) -> forms.CharField:
    hint = "new-password" if new else "current-password"
    widget = forms.PasswordInput(attrs={"autocomplete": hint, "maxlength": 1000})
    return forms.CharField(label=label, widget=widget, strip=False, max_length=1000, **more)


class ZoneField(forms.CharField):
    """A time zone by its name, with the names as suggestions."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(
            label="Time zone",
            initial="UTC",
            widget=forms.TextInput(attrs={"list": "zones", "autocomplete": "off"}),
            max_length=64,
            **kwargs,
        )


class SignInForm(RefusableForm):
    """Address and password."""

    email = forms.EmailField(
        label="E-mail address", widget=forms.EmailInput(attrs={"autocomplete": "username", "autofocus": True, "inputmode": "email"})
    )
    password = _password("Password")


class ProfileForm(RefusableForm):
    """What people change of themselves."""

    name = forms.CharField(max_length=160, widget=forms.TextInput(attrs={"autocomplete": "name"}))
    title = forms.CharField(max_length=160, required=False, label="Job title")
    phone = forms.CharField(max_length=40, required=False, widget=forms.TextInput(attrs={"autocomplete": "tel"}))
    time_zone = ZoneField(help_text="Dates and times are shown in it.")


class NewPasswordForm(RefusableForm):
    """A new password, typed twice."""

    password = _password("New password", new=True, help_text="At least 10 characters. A short sentence is good.")
    again = _password("New password again", new=True)

    def clean(self) -> dict[str, Any] | None:
        values = super().clean() or {}
        if values.get("password") and values.get("again") and values["password"] != values["again"]:
            self.add_error("again", "This is not the same password.")
        return values


class PasswordForm(NewPasswordForm):
    """One's own password: the one until now, then the new one."""

    current = _password("Password until now")
    field_order = ("current", "password", "again")


class TokenForm(RefusableForm):
    """What an API token is for, how long it lives, and what it may do."""

    name = forms.CharField(max_length=80, label="What it is for", widget=forms.TextInput(attrs={"autocomplete": "off"}))
    days = forms.TypedChoiceField(
        coerce=int,
        initial=90,
        label="Lives for",
        choices=[(7, "7 days"), (30, "30 days"), (90, "90 days"), (365, "a year"), (0, "until it is revoked")],
    )
    scopes = forms.MultipleChoiceField(required=False, widget=forms.CheckboxSelectMultiple)

    def __init__(self, *args: Any, role: Role, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        offered = [(each.value, words) for each, words in SCOPE_WORDS.items() if each in CAPABILITIES[role]]
        self.fields["scopes"].choices = offered  # type: ignore[attr-defined]


class PersonForm(RefusableForm):
    """A person as an administrator writes one down."""

    name = forms.CharField(max_length=160)
    email = forms.EmailField(label="E-mail address", max_length=254)
    role = forms.ChoiceField(choices=[(role.value, words) for role, words in ROLE_WORDS.items()])
    title = forms.CharField(max_length=160, required=False, label="Job title")
    site = forms.CharField(max_length=120, required=False)
    phone = forms.CharField(max_length=40, required=False)
    time_zone = ZoneField()
    is_active = forms.BooleanField(required=False, initial=True, label="May sign in")


class NewPersonForm(PersonForm):
    """A new person, with a first password and teams if wanted."""

    password = _password("First password", new=True, required=False, help_text="Empty: they cannot sign in until one is set.")
    teams = forms.ModelMultipleChoiceField(queryset=Team.objects.none(), required=False, widget=forms.CheckboxSelectMultiple)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["teams"].queryset = Team.objects.filter(is_active=True)  # type: ignore[attr-defined]


class TeamForm(RefusableForm):
    """A resolver group."""

    name = forms.CharField(max_length=120)
    description = forms.CharField(required=False, widget=forms.Textarea(attrs={"rows": 3}))
    time_zone = ZoneField()
    is_restricted = forms.BooleanField(
        required=False, label="Restricted", help_text="Only members, managers, auditors and administrators see its tickets."
    )
    is_active = forms.BooleanField(required=False, initial=True, label="Takes tickets")


class MemberForm(RefusableForm):
    """One more member, by e-mail address."""

    email = forms.EmailField(label="E-mail address of the new member", widget=forms.EmailInput(attrs={"autocomplete": "off"}))

    def person(self) -> User | None:
        """Return the person who has the address, or None."""
        return User.objects.filter(email__iexact=self.cleaned_data["email"]).first()
