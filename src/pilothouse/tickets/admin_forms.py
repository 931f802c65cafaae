"""Forms of the settings: the priority matrix, categories, request forms, default views."""

from typing import Any

from django import forms

from pilothouse.cmdb.request_form import TYPES, Question
from pilothouse.platform.forms import RefusableForm
from pilothouse.tickets.models import Category

LEVELS = {1: "high", 2: "medium", 3: "low"}
_SPARE_ROWS = 3


class MatrixForm(RefusableForm):
    """Nine cells: the priority of each impact and urgency."""

    def __init__(self, *args: Any, matrix: dict[tuple[int, int], int], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for (impact, urgency), priority in sorted(matrix.items()):
            label = f"Priority of impact {LEVELS[impact]} and urgency {LEVELS[urgency]}"
            self.fields[f"{impact}-{urgency}"] = forms.TypedChoiceField(
                coerce=int, label=label, initial=priority, choices=[(n, str(n)) for n in range(1, 6)]
            )

    @property
    def rows(self) -> list[tuple[str, list[forms.BoundField]]]:
        """The cells by impact, each row with its name."""
        return [(f"{impact} {LEVELS[impact]}", [self[f"{impact}-{urgency}"] for urgency in LEVELS]) for impact in LEVELS]

    def matrix(self) -> dict[tuple[int, int], int]:
        """Return what was chosen."""
        return {(impact, urgency): self.cleaned_data[f"{impact}-{urgency}"] for impact in LEVELS for urgency in LEVELS}


class CategoryForm(RefusableForm):
    """A new category, or a subcategory of one."""

    name = forms.CharField(max_length=80)
    parent = forms.ModelChoiceField(
        queryset=Category.objects.none(), required=False, empty_label="None: a category of its own", label="Under"
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["parent"].queryset = Category.objects.filter(parent=None, is_active=True)  # type: ignore[attr-defined]


class ViewForm(RefusableForm):
    """A view for everybody."""

    name = forms.CharField(max_length=80)
    query = forms.CharField(
        max_length=1000,
        widget=forms.TextInput(attrs={"class": "mono", "spellcheck": "false"}),
        help_text="For instance: is:open priority<=2 sort:opened",
    )


class QuestionForm(RefusableForm):
    """One question of a request form; an empty label takes it away."""

    label = forms.CharField(max_length=80, required=False)
    type = forms.ChoiceField(choices=list(TYPES.items()))
    required = forms.BooleanField(required=False, label="Must be answered")
    options = forms.CharField(required=False, label="Options, one a line", widget=forms.Textarea(attrs={"rows": 2}))
    name = forms.CharField(required=False, max_length=60, widget=forms.HiddenInput)
    position = forms.IntegerField(required=False, min_value=0, max_value=999)

    def question(self) -> dict[str, Any]:
        """Return the question as a service keeps it."""
        values = self.cleaned_data
        options = [line.strip() for line in values["options"].splitlines() if line.strip()]
        asked = {"label": values["label"].strip(), "type": values["type"], "required": values["required"]}
        return {**asked, "options": options if values["type"] == "choice" else [], **({"name": values["name"]} if values["name"] else {})}


class RequestForm(RefusableForm):
    """A service's request form: its questions as rows, with a few spare ones."""

    def __init__(self, data: Any = None, *, questions: list[Question]) -> None:
        super().__init__(data)
        count = len(questions) + _SPARE_ROWS if data is None else min(int(sent) if (sent := data.get("rows", "")).isdigit() else 0, 60)
        kept = [{**question.as_json(), "options": "\n".join(question.options), "position": at} for at, question in enumerate(questions, 1)]
        initial = [*kept, *({"position": at} for at in range(len(kept) + 1, count + 1))][:count]
        initial += [{}] * (count - len(initial))
        self.rows = [QuestionForm(data, prefix=f"r{at}", initial=initial[at]) for at in range(count)]

    def is_valid(self) -> bool:
        """Judge every row."""
        return all([super().is_valid(), *(row.is_valid() for row in self.rows)])

    def questions(self) -> list[dict[str, Any]]:
        """Return the questions in the order that was asked for."""
        asked = [row for row in self.rows if row.cleaned_data["label"].strip()]
        asked.sort(key=lambda row: row.cleaned_data["position"] if row.cleaned_data["position"] is not None else 999)
        return [row.question() for row in asked]
