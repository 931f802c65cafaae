"""What a profile is: a source system's kinds of file, and how their rows tell a ticket's history; pure."""

from collections.abc import Callable, Sequence
from collections.abc import Mapping as Map
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from pilothouse.connectors.engine.changes import tell_change
from pilothouse.connectors.engine.dates import zone_named
from pilothouse.connectors.engine.lives import life
from pilothouse.connectors.engine.mapping import Mapping, Snapshot
from pilothouse.connectors.engine.snapshots import Step, steps
from pilothouse.connectors.engine.tables import BadFile
from pilothouse.problems.engine.naming import column_key

Teller = Callable[[Sequence[Snapshot], Map[str, Any], datetime], list[Step]]


@dataclass(frozen=True, slots=True)
class Profile:
    """A source and its files. `mappings` has one entry a kind of file; `tell` turns a ticket's rows into what happened.

    Without `tell` the rows of a history (`many`) are compared with one another; a single row is read as a life.
    """

    name: str
    label: str
    description: str
    mappings: tuple[Mapping, ...]
    tell: Teller | None = None

    @property
    def system(self) -> str:
        """The name under which its tickets are known for ever."""
        return self.mappings[0].system

    def steps(self, snapshots: Sequence[Snapshot], before: Map[str, Any], now: datetime) -> list[Step]:
        """Return what happened from `before` through these snapshots of one ticket, in order."""
        if snapshots and self.mappings[snapshots[0].role].of_changes:
            return tell_change(snapshots, before, now)
        if self.tell:
            return self.tell(snapshots, before, now)
        mapping = self.mappings[0]
        return steps(snapshots, before, mapping.final, now) if mapping.many else life(snapshots, before, now)

    def reading(self, options: Map[str, str]) -> "Profile":
        """Return the profile with these options (time_zone, encoding, delimiter, sheet) for each of its kinds of file."""
        zone_named(options.get("time_zone", "UTC"))
        return replace(self, mappings=tuple(replace(mapping, **options) for mapping in self.mappings))  # type: ignore[arg-type]

    def role_of(self, header: Sequence[str]) -> int:
        """Tell which of the profile's kinds of file has this header; 0 when none fits (its Translator says what is missing)."""
        names = {column_key(name) for name in header}
        fits = [i for i, mapping in enumerate(self.mappings) if _fits(mapping, names)]
        return fits[-1] if fits else 0


def _fits(mapping: Mapping, names: set[str]) -> bool:
    asked = {"updated": mapping.updated, "revision": mapping.revision, "event": mapping.event}
    wanted = [mapping.key, *(asked.get(name) or mapping.columns.get(name, (name,)) for name in mapping.required)]
    return all(any(column_key(name) in names for name in columns) for columns in wanted)


def find_profile(profiles: Map[str, Profile], name: str) -> Profile:
    """Return a profile by name; BadFile names those there are."""
    if name in profiles:
        return profiles[name]
    raise BadFile(f"There is no profile “{name}”; there are {', '.join(profiles)}.")
