"""Forms of the portal; the questions of a request form become fields, their answers the ticket's `extra`."""

from collections.abc import Sequence
from datetime import date
from typing import Any

from django import forms

from pilothouse.cmdb.request_form import Question
from pilothouse.platform.forms import RefusableForm

_PREFIX = "q_"
_LONGEST_ANSWER = 4000
URGENCIES = [(1, "I cannot work"), (2, "I can work, with difficulty"), (3, "It can wait")]
KINDS = [("incident", "Something does not work"), ("request", "I need something")]


def _field(question: Question) -> forms.Field:
    common: dict[str, Any] = {"label": question.label, "required": question.required}
    if question.type == "longtext":
        return forms.CharField(widget=forms.Textarea(attrs={"rows": 3}), max_length=_LONGEST_ANSWER, **common)
    if question.type == "choice":
        return forms.ChoiceField(choices=[("", "Choose"), *((option, option) for option in question.options)], **common)
    if question.type == "date":
        return forms.DateField(widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"), **common)
    if question.type == "yesno":
        return forms.ChoiceField(choices=[("", "Choose"), ("yes", "Yes"), ("no", "No")], **common)
    return forms.CharField(max_length=_LONGEST_ANSWER, **common)


class RaiseForm(RefusableForm):
    """What is wrong or wanted, and what the service's request form asks besides."""

    kind = forms.ChoiceField(choices=KINDS, initial="incident", label="What is it?", widget=forms.RadioSelect)
    title = forms.CharField(max_length=250, label="In one line", help_text="For instance: VPN drops every few minutes.")
    description = forms.CharField(
        required=False, strip=False, max_length=200_000, label="Tell us more", help_text="What you did, what happened, since when.",
        widget=forms.Textarea(attrs={"rows": 6}),
    )  # fmt: skip
    urgency = forms.TypedChoiceField(choices=URGENCIES, coerce=int, initial=3, label="How much does it hold you up?")
    file = forms.FileField(required=False, label="A picture or a file")

    def __init__(self, *args: Any, questions: Sequence[Question] = (), **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.questions = questions
        for question in questions:
            self.fields[_PREFIX + question.name] = _field(question)

    @property
    def asked(self) -> list[forms.BoundField]:
        """The service's own questions, as fields."""
        return [self[_PREFIX + question.name] for question in self.questions]

    def answers(self) -> dict[str, str]:
        """Return what was answered, by label; what was left empty is left out."""
        given = ((question.label, self.cleaned_data.get(_PREFIX + question.name)) for question in self.questions)
        return {label: value.isoformat() if isinstance(value, date) else str(value) for label, value in given if value not in (None, "")}


class AnswerForm(RefusableForm):
    """An answer, with or without a file."""

    text = forms.CharField(required=False, strip=False, label="Your answer", widget=forms.Textarea(attrs={"rows": 3}))
    file = forms.FileField(required=False, label="Attach a file")


class WhyForm(RefusableForm):
    """Why a ticket is reopened, cancelled or followed up."""

    note = forms.CharField(required=False, label="Why", widget=forms.Textarea(attrs={"rows": 3}))
