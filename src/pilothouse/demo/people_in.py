"""Bring the organisation in: people, teams, services, CIs and relations, through the rooms' own bulk actions.

What is there already under the same key (address, team key, service key, CI name) is used as it is.
"""

from dataclasses import dataclass
from datetime import datetime

from django.contrib.auth.hashers import make_password

from pilothouse.cmdb.actions import add_cis_in_bulk, add_services_in_bulk, relate_in_bulk
from pilothouse.cmdb.models import CI, Relationship, Service
from pilothouse.demo.engine.company import SITES
from pilothouse.demo.engine.organisation import SIGN_INS
from pilothouse.demo.engine.specs import Organisation
from pilothouse.demo.sign_ins import PASSWORD
from pilothouse.people.actions import add_memberships_in_bulk, add_people_in_bulk, add_teams_in_bulk
from pilothouse.people.models import Membership, Team, User
from pilothouse.platform.access import Actor


@dataclass(frozen=True, slots=True)
class Ids:
    """The database's ids of the organisation's people, teams, services and CIs, by position."""

    people: tuple[int, ...]
    teams: tuple[int, ...]
    services: tuple[int, ...]
    cis: tuple[int, ...]


def bring_in(*, actor: Actor, org: Organisation, now: datetime, lived_since: datetime) -> Ids:
    """Add what is missing of the organisation, journalled as of `lived_since`, and return the ids."""
    _add_people(actor, org, now, lived_since)
    _add_teams(actor, org, now, lived_since)
    _add_estate(actor, org, now, lived_since)
    return find_ids(org)


def find_ids(org: Organisation) -> Ids:
    """Return the ids of an organisation that is there."""
    people = dict(User.objects.values_list("email", "id"))
    teams = dict(Team.objects.values_list("key", "id"))
    services = dict(Service.objects.values_list("key", "id"))
    cis = dict(CI.objects.order_by("-id").values_list("name", "id"))
    return Ids(
        tuple(people[person.email] for person in org.people),
        tuple(teams[team.key] for team in org.teams),
        tuple(services[service.key] for service in org.services),
        tuple(cis[ci.name] for ci in org.cis),
    )


def _add_people(actor: Actor, org: Organisation, now: datetime, lived_since: datetime) -> None:
    there = {email.lower() for email in User.objects.values_list("email", flat=True)}
    password, unusable = make_password(PASSWORD), make_password(None)  # hashed once: hashing is meant to be slow
    rows = [
        User(
            email=person.email,
            name=person.name,
            role=person.role,
            title=person.title,
            site=SITES[person.site].city,
            phone=person.phone,
            time_zone=SITES[person.site].zone,
            is_active=person.is_active,
            created_at=lived_since,
            password=password if position < len(SIGN_INS) else unusable,
        )
        for position, person in enumerate(org.people)
        if person.email not in there
    ]
    add_people_in_bulk(actor=actor, people=rows, now=now, recorded_at=lived_since)


def _add_teams(actor: Actor, org: Organisation, now: datetime, lived_since: datetime) -> None:
    there = set(Team.objects.values_list("key", flat=True))
    missing = [team for team in org.teams if team.key not in there]
    rows = [
        Team(name=t.name, key=t.key, description=t.description, time_zone=SITES[t.site].zone, is_restricted=t.is_restricted)
        for t in missing
    ]
    made = add_teams_in_bulk(actor=actor, teams=rows, now=now, recorded_at=lived_since)
    people = dict(User.objects.values_list("email", "id"))
    memberships = [
        Membership(team=row, user_id=people[org.people[member].email], is_lead=member in team.leads)
        for row, team in zip(made, missing, strict=True)
        for member in team.members
    ]
    add_memberships_in_bulk(actor=actor, memberships=memberships, now=now, recorded_at=lived_since)


def _add_estate(actor: Actor, org: Organisation, now: datetime, lived_since: datetime) -> None:
    teams = dict(Team.objects.values_list("key", "id"))
    owner = [teams[team.key] for team in org.teams]
    there = set(Service.objects.values_list("key", flat=True))
    services = [
        Service(
            name=s.name,
            key=s.key,
            description=s.description,
            owner_team_id=owner[s.team],
            criticality=s.criticality,
            request_form=list(s.request_form),
        )
        for s in org.services
        if s.key not in there
    ]
    add_services_in_bulk(actor=actor, services=services, now=now, recorded_at=lived_since)
    ids = dict(Service.objects.values_list("key", "id"))
    names = set(CI.objects.values_list("name", flat=True))
    cis = [
        CI(
            name=ci.name,
            ci_class=ci.ci_class,
            attributes=ci.attributes,
            service_id=ids[org.services[ci.service].key] if ci.service is not None else None,
            owner_team_id=owner[ci.team],
            criticality=ci.criticality,
            environment=ci.environment,
            status=ci.status,
        )
        for ci in org.cis
        if ci.name not in names
    ]
    add_cis_in_bulk(actor=actor, cis=cis, now=now, recorded_at=lived_since)
    found = find_ids(org).cis
    relations = [Relationship(source_id=found[r.source], relation=r.relation, target_id=found[r.target]) for r in org.relations]
    relate_in_bulk(actor=actor, relationships=relations, now=now, recorded_at=lived_since)
