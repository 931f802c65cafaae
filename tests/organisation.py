"""The named people of the tests, made through the real actions: a module of people, not of tests."""

from dataclasses import dataclass
from datetime import UTC, datetime

from pilothouse.cmdb import actions as cmdb
from pilothouse.people import actions
from pilothouse.people.queries import actor_of
from pilothouse.platform import access
from pilothouse.platform.access import Actor

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)  # a Monday
PASSWORD = "correct horse battery"
_PEOPLE = (
    ("rita", "requester", ()),
    ("alan", "agent", ("Network",)),
    ("olga", "agent", ("Database",)),
    ("ana", "analyst", ("Service desk",)),
    ("mona", "manager", ()),
    ("audrey", "auditor", ()),
    ("adam", "administrator", ()),
)


@dataclass(frozen=True)
class Organisation:
    """Seven people as actors, four teams (Payroll is restricted and has no members), a service and two CIs."""

    rita: Actor
    alan: Actor
    olga: Actor
    ana: Actor
    mona: Actor
    audrey: Actor
    adam: Actor
    network: int
    database: int
    desk: int
    payroll: int
    service: int
    ci: int
    other_ci: int


def who(user_id: int | None, request_id: str = "") -> Actor:
    """Return a person as the actor that they are now."""
    assert user_id is not None
    found = actor_of(user_id, request_id=request_id)
    assert found is not None
    return found


def set_up() -> Organisation:
    """Make the people, teams and records."""
    system = access.system()
    names = ("Network", "Database", "Service desk", "Payroll")
    teams = {name: actions.add_team(actor=system, name=name, is_restricted=name == "Payroll", now=NOW).pk for name in names}
    ids = {}
    for handle, role, own in _PEOPLE:
        person = actions.add_person(
            actor=system, email=f"{handle}@example.org", name=handle.title(), role=role, teams=[teams[name] for name in own], now=NOW
        )
        ids[handle] = person.pk
    service = cmdb.add_service(actor=system, name="Remote access", owner_team_id=teams["Network"], now=NOW)
    cis = [cmdb.add_ci(actor=system, name=name, ci_class="network", now=NOW) for name in ("vpn-gw-01", "core-sw-01")]
    return Organisation(
        **{handle: who(user_id) for handle, user_id in ids.items()},
        network=teams["Network"],
        database=teams["Database"],
        desk=teams["Service desk"],
        payroll=teams["Payroll"],
        service=service.pk,
        ci=cis[0].pk,
        other_ci=cis[1].pk,
    )
