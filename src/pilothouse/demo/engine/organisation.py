"""Draw the organisation: 1,200 people with names and jobs, 30 teams with members, 40 services, and the estate."""

import unicodedata
from dataclasses import replace
from random import Random

from pilothouse.demo.engine.company import DOMAIN, JOBS, LEEDS, PORTO, RESTRICTED, SERVICES, SINGAPORE, SITES, TEAMS
from pilothouse.demo.engine.estate import draw_estate
from pilothouse.demo.engine.forms import FORMS
from pilothouse.demo.engine.names import FAMILY, GIVEN, ORIGINS
from pilothouse.demo.engine.specs import Organisation, Person, ServiceSpec, TeamSpec

PEOPLE = 1200
# Who signs in to look around: one a role. Their positions are the first six.
SIGN_INS: tuple[tuple[str, str, str, str, int, str], ...] = (
    ("ana", "Ana Marques", "analyst", "Service desk analyst", LEEDS, "service-desk-leeds"),
    ("alan", "Alan Metcalfe", "agent", "Network engineer", LEEDS, "network"),
    ("olga", "Olga Zieliński", "agent", "Database administrator", PORTO, "database"),
    ("mona", "Mona Rahman", "manager", "Service delivery manager", LEEDS, "service-desk-leeds"),
    ("rita", "Rita Sutcliffe", "requester", "Senior claims handler", LEEDS, ""),
    ("audrey", "Audrey Tan", "auditor", "Internal auditor", SINGAPORE, ""),
    ("adam", "Adam Kershaw", "administrator", "Platform owner", LEEDS, ""),
)
RITA = 4


def build(seed: int) -> Organisation:
    """Draw the organisation of a seed; every figure in it follows from the seed alone."""
    rng = Random(f"{seed}/people")
    people, teams = _people_and_teams(rng)
    keys = [team.key for team in teams]
    services = tuple(
        ServiceSpec(key, name, short, text, keys.index(team), criticality, FORMS.get(key, ()))
        for key, name, short, team, criticality, text in SERVICES
    )
    cis, relations, laptop_of = draw_estate(Random(f"{seed}/estate"), people, teams, services)
    return Organisation(people, teams, services, cis, relations, laptop_of)


def _people_and_teams(rng: Random) -> tuple[tuple[Person, ...], tuple[TeamSpec, ...]]:
    taken: set[str] = set()
    people = [Person(f"{handle}@{DOMAIN}", name, role, title, site, _phone(rng, site)) for handle, name, role, title, site, _ in SIGN_INS]
    taken.update(person.email for person in people)
    members: dict[str, list[int]] = {key: [] for key, *_ in TEAMS}
    for position, (*_, team) in enumerate(SIGN_INS):
        if team:
            members[team].append(position)
    for key, name, site, size, _ in TEAMS:
        while len(members[key]) < size:
            members[key].append(len(people))
            people.append(_staff(rng, taken, key, name, site))
    for title, role in (("Head of IT operations", "manager"), ("Incident manager", "manager"), ("Compliance auditor", "auditor")):
        people.append(replace(_person(rng, taken, LEEDS), title=title, role=role))
    people += [_requester(rng, taken) for _ in range(PEOPLE - len(people))]
    teams = tuple(
        TeamSpec(key, name, text, site, tuple(members[key]), tuple(members[key][:1] if size < 7 else members[key][:2]), key in RESTRICTED)
        for key, name, site, size, text in TEAMS
    )
    return tuple(people), teams


def _staff(rng: Random, taken: set[str], key: str, name: str, site: int) -> Person:
    person = _person(rng, taken, site if rng.random() < 0.85 else rng.choice((LEEDS, PORTO, SINGAPORE)))
    if key.startswith("service-desk"):
        return replace(person, role="analyst", title="Service desk analyst", site=site)
    level = rng.choice(("engineer", "engineer", "senior engineer", "specialist"))
    return replace(person, role="agent", title=f"{name} {level}", site=site if key.startswith("workplace") else person.site)


def _requester(rng: Random, taken: set[str]) -> Person:
    person = _person(rng, taken, rng.choices(range(3), [site.share for site in SITES])[0])
    title = rng.choices([job for job, _ in JOBS], [weight for _, weight in JOBS])[0]
    return replace(person, title=title, is_active=rng.random() > 0.02)


def _person(rng: Random, taken: set[str], site: int) -> Person:
    origins = ORIGINS[site]
    while True:
        origin = rng.choices([name for name, _ in origins], [weight for _, weight in origins])[0]
        given, family = rng.choice(GIVEN[origin]), rng.choice(FAMILY[origin])
        name = f"{given} {family}"
        email = f"{_handle(given)}.{_handle(family)}@{DOMAIN}"
        if email not in taken:
            taken.add(email)
            return Person(email, name, "requester", "", site, _phone(rng, site))
        if rng.random() < 0.1:  # namesakes work here too
            number = next(n for n in range(2, 99) if email.replace("@", f"{n}@") not in taken)
            taken.add(email := email.replace("@", f"{number}@"))
            return Person(email, name, "requester", "", site, _phone(rng, site))


def _handle(name: str) -> str:
    plain = unicodedata.normalize("NFKD", name.replace("ł", "l")).encode("ascii", "ignore").decode()
    return "".join(letter for letter in plain.lower() if letter.isalpha())


def _phone(rng: Random, site: int) -> str:
    number = rng.randrange(1000)
    return f"0113 496 0{number:03d}" if site == LEEDS else f"ext. {5 if site == PORTO else 7}{number:03d}"
