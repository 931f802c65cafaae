"""Finding the people, teams, services and CIs that a source names; the unknown are added inactive and listed."""

import hashlib
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime

from django.contrib.auth.hashers import make_password
from django.db.models.functions import Lower
from django.utils.text import slugify

from pilothouse.cmdb.actions import add_cis_in_bulk, add_services_in_bulk
from pilothouse.cmdb.models import CI, Service
from pilothouse.people.actions import add_people_in_bulk, add_teams_in_bulk
from pilothouse.people.models import Team, User
from pilothouse.platform.access import Actor

Wanted = Mapping[str, Iterable[str]]  # kind -> names


class Names:
    """The ids behind a source's names, remembered over one import. With `dry` nothing is added: ids of the unknown are None."""

    def __init__(self, *, actor: Actor, system: str, now: datetime, dry: bool) -> None:
        self.actor, self.system, self.now, self.dry = actor, system, now, dry
        self.added: dict[str, list[str]] = {}
        self.categories: set[tuple[str, str]] = set()  # that are known to be there
        self._known: dict[tuple[str, str], int | None] = {}

    def look_up(self, wanted: Wanted) -> None:
        """Learn these names, adding the unknown; within the batch's transaction."""
        for kind, names in wanted.items():
            missing = {name.casefold(): name for name in names if (kind, name.casefold()) not in self._known}
            if missing:
                find, add = _WAYS[kind]
                found = find(self.system, missing)
                self._remember(kind, found)
                unknown = {key: name for key, name in missing.items() if key not in found}
                if unknown:
                    self._add(kind, unknown, add)

    def _remember(self, kind: str, found: Mapping[str, int]) -> None:
        self._known |= {(kind, key): record_id for key, record_id in found.items()}

    def _add(self, kind: str, unknown: dict[str, str], add: "_Add") -> None:
        self.added.setdefault(kind, []).extend(sorted(unknown.values()))
        if self.dry:
            self._known |= {(kind, key): None for key in unknown}
        else:
            self._remember(kind, add(self.actor, self.system, unknown, self.now))

    def id_of(self, kind: str, name: str | None) -> int | None:
        """Return the id of a name that has been looked up; None for no name."""
        return self._known[kind, name.casefold()] if name else None


_Find = Callable[[str, Mapping[str, str]], dict[str, int]]
_Add = Callable[[Actor, str, Mapping[str, str], datetime], dict[str, int]]


def _digest(text: str) -> str:
    return hashlib.blake2b(text.encode(), digest_size=5).hexdigest()


def address_of(system: str, name: str) -> str:
    """Return the e-mail address under which an imported person is kept: their own if the name is one, else one that cannot exist."""
    if name.count("@") == 1 and " " not in name and "." in name.partition("@")[2] and len(name) <= 254:
        return name.lower()
    return f"{slugify(name)[:60] or 'person'}.{_digest(name.casefold())}@{slugify(system)}.imported.invalid"


def _find_people(system: str, names: Mapping[str, str]) -> dict[str, int]:
    addresses = {address_of(system, name): key for key, name in names.items()}
    # A namesake counts only when there is one: of two, neither can be told to be meant.
    named: dict[str, list[int]] = {}
    rows = User.objects.annotate(folded=Lower("name")).filter(folded__in=[key.lower() for key in names], is_active=True)
    for record_id, folded in rows.values_list("id", "folded"):
        named.setdefault(folded.casefold(), []).append(record_id)
    found = {key: ids[0] for key, ids in named.items() if len(ids) == 1 and key in names}
    by_address = User.objects.filter(email__in=list(addresses)).values_list("id", "email")
    return found | {addresses[email]: record_id for record_id, email in by_address}


def _add_people(actor: Actor, system: str, names: Mapping[str, str], now: datetime) -> dict[str, int]:
    unusable = make_password(None)  # random and of no use; one for all, as it takes a while to make
    people = [
        User(email=address_of(system, name), name=name, is_active=False, created_at=now, password=unusable) for name in names.values()
    ]
    made = add_people_in_bulk(actor=actor, people=people, now=now)
    return {key: user.pk for key, user in zip(names, made, strict=True)}


def _find_teams(system: str, names: Mapping[str, str]) -> dict[str, int]:
    rows = Team.objects.annotate(folded=Lower("name")).filter(folded__in=[key.lower() for key in names])
    return {name.casefold(): record_id for record_id, name in rows.values_list("id", "name")}


def _add_teams(actor: Actor, system: str, names: Mapping[str, str], now: datetime) -> dict[str, int]:
    taken = set(Team.objects.values_list("key", flat=True))
    teams = [Team(name=name, key=_free_key(name, 60, taken), is_active=False) for name in names.values()]
    made = add_teams_in_bulk(actor=actor, teams=teams, now=now)
    return {key: team.pk for key, team in zip(names, made, strict=True)}


def _free_key(name: str, longest: int, taken: set[str]) -> str:
    key = slugify(name)[:longest].strip("-")
    if not key or key in taken:
        key = f"{key[: longest - 11]}-{_digest(name)}".strip("-")
    taken.add(key)
    return key


def _find_services(system: str, names: Mapping[str, str]) -> dict[str, int]:
    rows = Service.objects.annotate(folded=Lower("name")).filter(folded__in=[key.lower() for key in names])
    return {name.casefold(): record_id for record_id, name in rows.values_list("id", "name")}


def _add_services(actor: Actor, system: str, names: Mapping[str, str], now: datetime) -> dict[str, int]:
    taken = set(Service.objects.values_list("key", flat=True))
    services = [Service(name=name, key=_free_key(name, 80, taken), status="unknown", is_offered=False) for name in names.values()]
    made = add_services_in_bulk(actor=actor, services=services, now=now)
    return {key: service.pk for key, service in zip(names, made, strict=True)}


def _find_cis(system: str, names: Mapping[str, str]) -> dict[str, int]:
    rows = CI.objects.annotate(folded=Lower("name")).filter(folded__in=[key.lower() for key in names]).order_by("-id")
    return {name.casefold(): record_id for record_id, name in rows.values_list("id", "name")}  # of namesakes the oldest


def _add_cis(actor: Actor, system: str, names: Mapping[str, str], now: datetime) -> dict[str, int]:
    made = add_cis_in_bulk(actor=actor, cis=[CI(name=name, status="unknown") for name in names.values()], now=now)
    return {key: ci.pk for key, ci in zip(names, made, strict=True)}


_WAYS: dict[str, tuple[_Find, _Add]] = {
    "person": (_find_people, _add_people),
    "team": (_find_teams, _add_teams),
    "service": (_find_services, _add_services),
    "ci": (_find_cis, _add_cis),
}
