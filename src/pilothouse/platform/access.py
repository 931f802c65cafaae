"""Who may do what: roles, the capabilities each carries, and the actor in whose name an action runs.

Capabilities answer "may this role do such a thing at all"; a room's queries answer "to which records", from the
actor's teams. An auditor reads everything and changes nothing.
"""

from dataclasses import dataclass, field, replace
from enum import StrEnum


class Role(StrEnum):
    """The six roles; a person has one."""

    REQUESTER = "requester"
    AGENT = "agent"
    ANALYST = "analyst"
    MANAGER = "manager"
    AUDITOR = "auditor"
    ADMINISTRATOR = "administrator"


class Capability(StrEnum):
    """What a role may do at all."""

    RAISE_TICKETS = "tickets.raise"
    READ_TICKETS = "tickets.read"
    WORK_TICKETS = "tickets.work"  # change tickets of one's own teams, unrouted ones and one's own
    STEER_TICKETS = "tickets.steer"  # change any ticket, merge, bulk
    SHARE_VIEWS = "views.share"
    READ_CMDB = "cmdb.read"
    EDIT_CMDB = "cmdb.edit"
    READ_PEOPLE = "people.read"
    MANAGE_PEOPLE = "people.manage"
    READ_JOURNAL = "journal.read"
    IMPORT = "import"
    CONFIGURE = "configure"  # priority matrix, categories, request forms
    SEE_RESTRICTED = "tickets.restricted"  # tickets of restricted teams one is not in


_STAFF = {
    Capability.RAISE_TICKETS,
    Capability.READ_TICKETS,
    Capability.READ_CMDB,
    Capability.READ_PEOPLE,
    Capability.READ_JOURNAL,
}
CAPABILITIES: dict[Role, frozenset[Capability]] = {
    Role.REQUESTER: frozenset({Capability.RAISE_TICKETS}),
    Role.AGENT: frozenset(_STAFF | {Capability.WORK_TICKETS}),
    Role.ANALYST: frozenset(
        _STAFF
        | {
            Capability.WORK_TICKETS,
            Capability.STEER_TICKETS,
            Capability.SHARE_VIEWS,
            Capability.EDIT_CMDB,
            Capability.IMPORT,
        }
    ),
    Role.MANAGER: frozenset(
        _STAFF | {Capability.WORK_TICKETS, Capability.STEER_TICKETS, Capability.SHARE_VIEWS, Capability.SEE_RESTRICTED}
    ),
    Role.AUDITOR: frozenset((_STAFF - {Capability.RAISE_TICKETS}) | {Capability.SEE_RESTRICTED}),
    Role.ADMINISTRATOR: frozenset(Capability),
}


class Source(StrEnum):
    """Through which door a change came in."""

    PAGE = "page"
    REST = "rest"
    IMPORT = "import"
    MAIL = "mail"
    RULE = "rule"
    CLI = "cli"
    SYSTEM = "system"


@dataclass(frozen=True, slots=True)
class Actor:
    """In whose name an action runs; `user_id` None is Pilothouse itself."""

    user_id: int | None
    name: str
    role: Role
    team_ids: frozenset[int] = frozenset()
    hidden_team_ids: frozenset[int] = frozenset()  # restricted teams this person is not in
    source: Source = Source.PAGE
    request_id: str = ""
    time_zone: str = "UTC"
    scopes: frozenset[Capability] | None = field(default=None)  # an API token's narrower list

    def can(self, capability: Capability) -> bool:
        """Say whether the role, and the token if there is one, carry this capability."""
        return capability in CAPABILITIES[self.role] and (self.scopes is None or capability in self.scopes)

    @property
    def is_staff(self) -> bool:
        """Everyone but a requester works inside the desk."""
        return self.role is not Role.REQUESTER

    def through(self, source: Source, request_id: str = "") -> "Actor":
        """Return the same actor coming through another door."""
        return replace(self, source=source, request_id=request_id or self.request_id)


def system(source: Source = Source.SYSTEM, request_id: str = "") -> Actor:
    """Return Pilothouse itself as an actor: jobs, imports, rules."""
    return Actor(user_id=None, name="Pilothouse", role=Role.ADMINISTRATOR, source=source, request_id=request_id)
