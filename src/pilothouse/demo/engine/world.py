"""What a ticket's life needs to know of the organisation, looked up once: hours, members, who works where."""

import math
from dataclasses import dataclass
from random import Random

from pilothouse.demo.engine.company import SITES
from pilothouse.demo.engine.hours import DAY, Hours
from pilothouse.demo.engine.specs import Organisation

_GRACE = 30 * DAY
BOUNCING_TEAM = "integration"


@dataclass(frozen=True, slots=True)
class World:
    """The organisation with the look-ups that lives are made from; times are whole seconds since 1970."""

    org: Organisation
    start: int
    until: int
    hours: tuple[Hours, ...]  # a site's office hours
    desk_hours: tuple[Hours, ...]
    desks: tuple[int, ...]  # a site's service desk
    workplaces: tuple[int, ...]
    people_at: tuple[tuple[int, ...], ...]  # active requesters of a site
    ci_of: dict[str, tuple[tuple[int, ...], ...]]  # class -> site -> CIs in production
    application_of: dict[int, int]  # service -> its application
    databases_of: dict[int, tuple[int, ...]]
    machines_of: dict[int, tuple[int, ...]]
    team_keys: dict[str, int]
    service_keys: dict[str, int]

    def member(self, rng: Random, team: int, *, but: int | None = None) -> int:
        """Draw a member; some take more than others."""
        members = self.org.teams[team].members
        found = members[int(len(members) * math.pow(rng.random(), 1.4))]
        return members[(members.index(found) + 1) % len(members)] if found == but else found

    def team_hours(self, team: int) -> Hours:
        """Return the hours that a team keeps."""
        site = self.org.teams[team].site
        return self.desk_hours[site] if team in self.desks else self.hours[site]

    def desk_at(self, at: int, site: int) -> int:
        """Return the desk that answers for a site now: its own in its hours, else one that is open, else its own."""
        places: list[int] = [site, *range(len(SITES))]
        for place in places:
            if self.desk_hours[place].is_open(at):
                return self.desks[place]
        return self.desks[site]


def look_around(org: Organisation, start: int, until: int) -> World:
    """Make the look-ups of an organisation for the time [start, until)."""
    first, last = start - 2 * DAY, until + _GRACE
    keys = {team.key: i for i, team in enumerate(org.teams)}
    cities = [site.city.lower() for site in SITES]
    applications = {
        ci.service: i for i, ci in reversed(list(enumerate(org.cis))) if ci.ci_class == "application" and ci.environment == "production"
    }
    return World(
        org,
        start,
        until,
        tuple(Hours(site, first, last) for site in range(len(SITES))),
        tuple(Hours(site, first, last, opens=7, closes=20) for site in range(len(SITES))),
        tuple(keys[f"service-desk-{city}"] for city in cities),
        tuple(keys[f"workplace-{city}"] for city in cities),
        tuple(tuple(i for i, p in enumerate(org.people) if p.site == site and p.is_active) for site in range(len(SITES))),
        {name: _by_site(org, name) for name in ("network", "printer", "server", "virtual_machine", "storage", "database", "other")},
        {service: ci for service, ci in applications.items() if service is not None},
        _by_service(org, "database"),
        _by_service(org, "virtual_machine"),
        keys,
        {service.key: i for i, service in enumerate(org.services)},
    )


def _by_site(org: Organisation, name: str) -> tuple[tuple[int, ...], ...]:
    own = [i for i, ci in enumerate(org.cis) if ci.ci_class == name and ci.status == "in_use"]
    return tuple(tuple(i for i in own if org.cis[i].site == site) or tuple(own) for site in range(len(SITES)))


def _by_service(org: Organisation, name: str) -> dict[int, tuple[int, ...]]:
    found: dict[int, tuple[int, ...]] = {}
    for i, ci in enumerate(org.cis):
        if ci.ci_class == name and ci.service is not None:
            found[ci.service] = (*found.get(ci.service, ()), i)
    return found
