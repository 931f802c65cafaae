"""Texts that the database and the journal can keep; what they cannot is refused in words before it gets there."""

from collections.abc import Mapping
from typing import Any

from django.db import models

from pilothouse.platform.refusals import FieldError


def is_plain_text(value: Any) -> bool:
    """Say whether the database and the journal can keep this as a text: no NUL, no half of a surrogate pair."""
    if not isinstance(value, str) or "\x00" in value:
        return False
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def text_errors(model: type[models.Model], values: Mapping[str, Any]) -> list[FieldError]:
    """Say which of these values are no texts, or too long, for the model's text columns of the same name."""
    errors = []
    for column in model._meta.concrete_fields:
        if not isinstance(column, models.CharField | models.TextField) or column.name not in values:
            continue
        value = values[column.name]
        if not is_plain_text(value):
            errors.append(FieldError(column.name, "This is not a text.", "Letters, digits and signs; no NUL characters."))
        elif column.max_length is not None and len(value) > column.max_length:
            errors.append(FieldError(column.name, f"At most {column.max_length:,} characters; this has {len(value):,}.", "Shorten it."))
    return errors
