"""The values that the generator yields. References (`site`, `team`, `service`, `owner`, …) are positions in the organisation's tuples."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who works at the insurer; `site` is a position in company.SITES."""

    email: str
    name: str
    role: str
    title: str
    site: int
    phone: str
    is_active: bool = True

    @property
    def first(self) -> str:
        """The given name, as colleagues write it."""
        return self.name.rsplit(" ", 1)[0]


@dataclass(frozen=True, slots=True)
class TeamSpec:
    """A resolver group with its members and leads (positions of people)."""

    key: str
    name: str
    description: str
    site: int
    members: tuple[int, ...] = ()
    leads: tuple[int, ...] = ()
    is_restricted: bool = False


@dataclass(frozen=True, slots=True)
class ServiceSpec:
    """A service; `team` owns it; `short` is what people call it."""

    key: str
    name: str
    short: str
    description: str
    team: int
    criticality: int
    request_form: tuple[dict[str, Any], ...] = ()


@dataclass(frozen=True, slots=True)
class CISpec:
    """A configuration item; `owner` is the person who uses it, where there is one."""

    name: str
    ci_class: str
    attributes: dict[str, Any]
    site: int
    team: int
    service: int | None = None
    criticality: int = 3
    environment: str = "production"
    status: str = "in_use"
    owner: int | None = None


@dataclass(frozen=True, slots=True)
class RelationSpec:
    """One CI stands in a relation to another (positions of CIs)."""

    source: int
    relation: str
    target: int


@dataclass(frozen=True, slots=True)
class Event:
    """One entry of a ticket's life. `changes` are the fields that changed, with their values from then on; `actor` None is a rule."""

    at: datetime
    actor: int | None
    verb: str
    changes: Mapping[str, Any] = field(default_factory=dict)
    note: str = ""
    private: bool = False


@dataclass(frozen=True, slots=True)
class TicketLife:
    """A ticket as it stands at the end, under journal names, and everything that happened to it, in order.

    `parent` and `merged_into` are ordinals: the position of the other ticket in the whole stream, from 0.
    `facts` names the planted facts that the ticket belongs to, `trouble` the known trouble that a problem record is about.
    """

    ordinal: int
    fields: dict[str, Any]
    events: tuple[Event, ...]
    facts: tuple[str, ...] = ()
    trouble: str = ""


@dataclass(frozen=True, slots=True)
class Organisation:
    """The insurer: everything that tickets point at."""

    people: tuple[Person, ...]
    teams: tuple[TeamSpec, ...]
    services: tuple[ServiceSpec, ...]
    cis: tuple[CISpec, ...]
    relations: tuple[RelationSpec, ...]
    laptop_of: dict[int, int] = field(repr=False)  # person -> CI

    def team(self, key: str) -> int:
        """Return a team's position by its key."""
        return next(i for i, team in enumerate(self.teams) if team.key == key)

    def service(self, key: str) -> int:
        """Return a service's position by its key."""
        return next(i for i, service in enumerate(self.services) if service.key == key)

    def ci(self, name: str) -> int:
        """Return a CI's position by its name."""
        return next(i for i, ci in enumerate(self.cis) if ci.name == name)
