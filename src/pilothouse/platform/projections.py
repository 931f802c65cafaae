"""Projections: tables derived from the journal, kept in its transaction and rebuildable from it.

A room registers one when its app is ready. `apply` gets entries in journal order, one after a click or thousands after an
import: the same code keeps and rebuilds, and the law "rebuilt equals kept" is tested for each.
"""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Protocol

from django.db import transaction

if TYPE_CHECKING:
    from pilothouse.platform.journal import Entry


class Projection(Protocol):
    """A derived table: its name, the kinds of record it follows, how entries move it on, how it is emptied.

    One that also has `rebuild(progress) -> entries read` derives itself anew by a faster way of its own, to the same rows.
    """

    name: str

    @property
    def kinds(self) -> frozenset[str]: ...

    def apply(self, entries: Sequence["Entry"]) -> None: ...

    def clear(self) -> None: ...


_registered: dict[str, Projection] = {}


def register(projection: Projection) -> None:
    """Add a projection; a second one of the same name replaces the first (a reloaded module)."""
    _registered[projection.name] = projection


def names() -> list[str]:
    """Return the names of all projections, sorted."""
    return sorted(_registered)


def get(name: str) -> Projection:
    """Return a projection by name; KeyError when there is none."""
    return _registered[name]


def apply(entries: Sequence["Entry"]) -> None:
    """Move every projection on by these entries, inside the caller's transaction."""
    for projection in _registered.values():
        if wanted := [entry for entry in entries if entry.kind in projection.kinds]:
            projection.apply(wanted)


def rebuild(name: str, *, progress: Callable[[int], None] = lambda count: None) -> int:
    """Empty a projection and derive it anew from the journal, in one transaction; returns the entries read.

    Readers see the old table until it commits, or wait until then for one that is emptied by TRUNCATE; writers of the journal wait
    (the journal is locked against appends, as an entry recorded in between would be missed).
    """
    from pilothouse.platform import journal  # the journal applies projections: the import would be a circle

    projection, count = _registered[name], 0
    with transaction.atomic():
        _stop_appends()
        projection.clear()
        if own := getattr(projection, "rebuild", None):
            return int(own(progress))
        for entries in journal.stream(projection.kinds):
            projection.apply(entries)
            count += len(entries)
            progress(len(entries))
    return count


def _stop_appends() -> None:
    with transaction.get_connection().cursor() as cursor:
        cursor.execute("LOCK TABLE journal_entry IN SHARE ROW EXCLUSIVE MODE")
