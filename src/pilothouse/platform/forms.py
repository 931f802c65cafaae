"""The form every room's forms grow from: it takes an action's refusal back into its fields."""

from collections.abc import Callable
from typing import Any

from django import forms

from pilothouse.platform.refusals import Refused


class RefusableForm(forms.Form):
    """A form that puts each of a refusal's errors beside its field; `answer_status` is the HTTP status of the page that shows it."""

    answer_status = 200
    result: Any = None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{"label_suffix": "", **kwargs})

    def refuse(self, refusal: Refused) -> None:
        """Put each of a refusal's errors beside its field, or above the form when there is no such field."""
        for error in refusal.errors:
            message = f"{error.message} {error.hint}".strip()
            self.add_error(error.field if error.field in self.fields else None, message)
        if not refusal.errors:
            self.add_error(None, refusal.message)

    def carries_out(self, action: Callable[[dict[str, Any]], Any]) -> bool:
        """Call an action with the cleaned values and keep its result; False when something is wrong, which then stands in the form."""
        self.answer_status = 422
        if not self.is_valid():
            return False
        try:
            self.result = action(self.cleaned_data)
        except Refused as refusal:
            self.refuse(refusal)
            self.answer_status = refusal.status
            return False
        self.answer_status = 200
        return True


class RecordField(forms.ModelChoiceField):  # type: ignore[type-arg]  # Django's class takes no argument when it runs
    """A choice among a few records; cleans to an id, since actions take ids."""

    def clean(self, value: Any) -> Any:
        record = super().clean(value)
        return record.pk if record is not None else None
