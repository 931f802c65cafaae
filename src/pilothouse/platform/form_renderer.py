"""Selects and inputs of forms, written straight as text: Django renders a template for each option, which is most of a page's time."""

from collections.abc import Mapping
from html import escape
from typing import Any

from django.forms.renderers import DjangoTemplates
from django.http import HttpRequest
from django.utils.safestring import SafeString, mark_safe


class QuickWidgets(DjangoTemplates):
    """Django's form renderer, but for the two commonest widgets; every value is escaped as the templates do."""

    def render(self, template_name: str, context: Mapping[str, Any], request: HttpRequest | None = None) -> SafeString:
        """Render a widget, a form or a list of errors."""
        write = _WRITERS.get(template_name)
        if write is not None:
            return mark_safe(write(context["widget"]))  # noqa: S308 escaped below
        return mark_safe(super().render(template_name, dict(context), request))  # noqa: S308 a template's own escaping


def _select(widget: Mapping[str, Any]) -> str:
    options = "".join(_group(*group) for group in widget["optgroups"])
    return f'<select name="{_text(widget["name"])}"{_attributes(widget["attrs"])}>{options}</select>'


def _group(label: Any, options: list[Mapping[str, Any]], index: int) -> str:
    written = "".join(f'<option value="{_text(o["value"])}"{_attributes(o["attrs"])}>{_text(o["label"])}</option>' for o in options)
    return f'<optgroup label="{_text(label)}">{written}</optgroup>' if label else written


def _input(widget: Mapping[str, Any]) -> str:
    value = "" if widget["value"] is None else f' value="{_text(widget["value"])}"'
    return f'<input type="{_text(widget["type"])}" name="{_text(widget["name"])}"{value}{_attributes(widget["attrs"])}>'


def _attributes(attributes: Mapping[str, Any]) -> str:
    parts = []
    for name, value in attributes.items():
        if value is True:
            parts.append(f" {name}")
        elif value is not False:
            parts.append(f' {name}="{_text(value)}"')
    return "".join(parts)


def _text(value: Any) -> str:
    return value if isinstance(value, SafeString) else escape(str(value))


_INPUTS = ("text", "hidden", "number", "email", "url", "date", "datetime", "password", "input")
_WRITERS = {
    "django/forms/widgets/select.html": _select,
    **{f"django/forms/widgets/{name}.html": _input for name in _INPUTS},
}
