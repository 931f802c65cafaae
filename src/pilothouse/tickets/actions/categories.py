"""The categories and subcategories that forms offer; tickets keep the words, so that a renamed category rewrites no history."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import transaction

from pilothouse.people.queries import require
from pilothouse.platform import journal
from pilothouse.platform.access import Actor, Capability
from pilothouse.platform.journal import Change, Draft
from pilothouse.platform.refusals import FieldError, Invalid, Missing
from pilothouse.tickets.models import Category

_FIELDS = ("name", "is_active")


def add_category(*, actor: Actor, name: str, now: datetime, parent: int | None = None) -> Category:
    """Add a category, or a subcategory of `parent`. Raises Invalid when its name is taken or empty, Forbidden, Missing."""
    require(actor, Capability.CONFIGURE)
    name = " ".join(name.split())
    with transaction.atomic():
        if parent is not None and not Category.objects.select_for_update().filter(pk=parent, parent=None).exists():
            raise Missing("There is no such category.")
        if errors := _errors(name, parent):
            raise Invalid("The category was not added.", errors)
        made = Category.objects.create(name=name, parent_id=parent)
        changes = (Change("name", None, name), Change("parent", None, parent), Change("is_active", None, True))
        journal.record(actor, [Draft("category", made.pk, "category.added", changes)], now=now, new=True)
    return made


def change_category(*, actor: Actor, category_id: int, changes: Mapping[str, Any], now: datetime) -> Category:
    """Rename a category or say whether forms offer it; tickets that carry the old name keep it."""
    require(actor, Capability.CONFIGURE)
    if unknown := set(changes) - set(_FIELDS):
        raise Invalid("The category was not changed.", [FieldError(name, "There is no such field.") for name in sorted(unknown)])
    with transaction.atomic():
        row = Category.objects.select_for_update(of=("self",)).filter(pk=category_id).first()
        if row is None:
            raise Missing("There is no such category.")
        values = {**changes, **({"name": " ".join(changes["name"].split())} if "name" in changes else {})}
        if "name" in values and (errors := _errors(values["name"], row.parent_id, row.pk)):
            raise Invalid("The category was not changed.", errors)
        moved = tuple(Change(name, getattr(row, name), value) for name, value in values.items() if getattr(row, name) != value)
        for change in moved:
            setattr(row, change.field, change.after)
        if moved:
            row.save(update_fields=[change.field for change in moved])
            journal.record(actor, [Draft("category", row.pk, "category.changed", moved)], now=now)
    return row


def _errors(name: str, parent: int | None, own_id: int | None = None) -> list[FieldError]:
    if not 0 < len(name) <= 80 or "\x00" in name:
        return [FieldError("name", "A category has a name of at most 80 characters.")]
    others = Category.objects.filter(name__iexact=name, parent_id=parent)
    if own_id is not None:
        others = others.exclude(pk=own_id)
    return [FieldError("name", f"There is a category “{name}” already.", "It may be switched off.")] if others.exists() else []
