"""The named people that tests act as; the same few everywhere (fixture `people` in tests/conftest.py).

Rita requests; Alan is an agent of Network; Olga is an agent of Database, the outsider to Network's affairs; Ana is an analyst, Mona a
manager, Audrey an auditor, Adam an administrator. Nobody is of the restricted team Payroll. Everybody's password is PASSWORD.
"""

from dataclasses import dataclass, field
from functools import cache

from django.contrib.auth.hashers import make_password
from django.test import Client

from pilothouse.people.models import Membership, Team, User
from pilothouse.people.queries import actor_of
from pilothouse.platform import clock
from pilothouse.platform.access import Actor

PASSWORD = "a calm and steady helm"  # noqa: S105  opens nothing but tests
ROLES = {
    "rita": ("Rita Whitlock", "requester", ""),
    "alan": ("Alan Reed", "agent", "Network"),
    "olga": ("Olga Petrov", "agent", "Database"),
    "ana": ("Ana Lystra", "analyst", "Service desk"),
    "mona": ("Mona Kerr", "manager", ""),
    "audrey": ("Audrey Holt", "auditor", ""),
    "adam": ("Adam Birch", "administrator", ""),
}
TEAMS = ("Network", "Database", "Service desk", "Payroll")


@cache
def _hashed() -> str:
    """Argon2 is slow by design: once a session is enough."""
    return make_password(PASSWORD)


@dataclass(frozen=True)
class NamedPeople:
    """Who is there: `people.rita` is a User, `people.actor("rita")` her Actor, `people.client("rita")` her browser."""

    users: dict[str, User]
    teams: dict[str, Team]
    _clients: dict[str, Client] = field(default_factory=dict)

    def __getattr__(self, handle: str) -> User:
        try:
            return self.users[handle]
        except KeyError:
            raise AttributeError(handle) from None

    def actor(self, handle: str) -> Actor:
        """Return the actor that somebody is now."""
        found = actor_of(self.users[handle].pk)
        assert found is not None
        return found

    def client(self, handle: str) -> Client:
        """Return somebody's browser, signed in; `anonymous` is nobody's."""
        if handle not in self._clients:
            self._clients[handle] = Client()
            if handle != "anonymous":
                self._clients[handle].force_login(self.users[handle])
        return self._clients[handle]


def make_people() -> NamedPeople:
    """Add the named people and their teams; the domain is one that can never exist."""
    now = clock.now()
    teams = {name: Team.objects.create(name=name, key=name.lower().replace(" ", "-"), is_restricted=name == "Payroll") for name in TEAMS}
    users = {}
    for handle, (name, role, team) in ROLES.items():
        users[handle] = User.objects.create(
            name=name, email=f"{handle}@example.org", role=role, created_at=now, password=_hashed(), time_zone="Europe/London"
        )
        if team:
            Membership.objects.create(user=users[handle], team=teams[team], is_lead=handle == "ana")
    return NamedPeople(users, teams)
