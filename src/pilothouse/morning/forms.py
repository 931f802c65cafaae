"""When one is mailed the review."""

from datetime import time
from typing import Any

from django import forms

from pilothouse.platform.forms import RefusableForm

DAYS = [(1, "Mon"), (2, "Tue"), (3, "Wed"), (4, "Thu"), (5, "Fri"), (6, "Sat"), (7, "Sun")]


class MailTimeForm(RefusableForm):
    """A time of day and weekdays, in the reader's own zone; cleans the time to minutes past midnight as well."""

    at = forms.TimeField(label="At", initial="07:30", widget=forms.TimeInput(attrs={"type": "time"}, format="%H:%M"))
    days = forms.TypedMultipleChoiceField(
        choices=DAYS, coerce=int, initial=[1, 2, 3, 4, 5], widget=forms.CheckboxSelectMultiple, label="On"
    )

    def clean(self) -> dict[str, Any]:
        """Give the time as minutes, too."""
        values = super().clean() or {}
        at = values.get("at")
        if isinstance(at, time):
            values["minute"] = at.hour * 60 + at.minute
        return values
