"""What the writers of versions share: how the journal tells of one."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from pilothouse.platform.journal import Change


def facts(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[Change, ...]:
    """Return what differs; nothing and an empty text are the same."""
    return tuple(Change(name, before.get(name), value) for name, value in after.items() if (before.get(name) or "") != value)


def since(effective_from: datetime | None) -> Change:
    """Tell from when on a version holds."""
    return Change("holds since", None, effective_from.isoformat(timespec="seconds") if effective_from else "ever")
