"""An edit that met another one: both sides field by field, and what was typed kept.

The form shows each field's value as it was shown beside what is typed (`initial-NAME`, Django's hidden initial), so that what was
touched is told from what was not.
"""

from collections.abc import Callable, Mapping
from typing import Any

from django.forms import Form
from django.http import QueryDict

from pilothouse.tickets.forms import plain_lines


def settled(data: QueryDict) -> QueryDict:
    """Where somebody chose the other side's value, put it in the place of the typed one."""
    chosen = data.copy()
    for name in data:
        if name.startswith("keep-") and data[name] == "theirs":
            field = name.removeprefix("keep-")
            chosen[field] = data.get(f"initial-{field}", "")
    return chosen


def compared(sent: QueryDict, form: Form, current: Mapping[str, Any], again: Callable[[QueryDict], Form]) -> dict[str, Any]:
    """Return what the page of both sides shows: touched fields keep what was typed, the others show what stands.

    `sent` was refused as `form`; `current` are the values as they stand, in the form's own writing; `again` makes the form anew.
    """
    now_shown = {name: plain_lines(str(value)) for name, value in current.items()}
    was_shown = {name: plain_lines(sent.get(f"initial-{name}", "")) for name in now_shown}
    data = sent.copy()
    for name, value in now_shown.items():
        data[f"initial-{name}"] = value
        if name not in form.changed_data:
            data[name] = value
    fresh = again(data)
    fresh.is_valid()
    beside = {name for name in form.changed_data if now_shown[name] != plain_lines(data.get(name, ""))}
    sides = [
        {"field": fresh[name], "theirs": _in_words(fresh, name, now_shown[name]), "moved": now_shown[name] != was_shown[name]}
        for name in form.changed_data
        if name in beside
    ]
    moved = [
        {"label": fresh[name].label, "before": _in_words(fresh, name, was_shown[name]), "after": _in_words(fresh, name, now_shown[name])}
        for name in now_shown
        if name not in form.changed_data and now_shown[name] != was_shown[name]
    ]
    return {"form": fresh, "sides": sides, "moved": moved, "rest": [field for field in fresh if field.name not in beside]}


def _in_words(form: Form, name: str, raw: str) -> str:
    """Say a field's raw value as people read it: a choice's label rather than its key."""
    choices = getattr(form.fields[name], "choices", None)
    labels = {str(key): str(label) for key, label in choices} if choices is not None else {}
    return labels.get(raw, raw) or "nothing"
