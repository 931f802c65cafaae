"""Reads of people and teams: the actor behind a request, lists for choosers, tokens."""

import hashlib
from collections.abc import Iterable
from datetime import datetime

from django.db.models import Q, QuerySet

from pilothouse.people.models import ApiToken, Team, User
from pilothouse.platform.access import Actor, Capability, Role, Source
from pilothouse.platform.refusals import Forbidden, Missing
from pilothouse.platform.statements import run, wide

_ACTOR = """
SELECT u.id, u.name, u.role, u.time_zone,
  coalesce((SELECT array_agg(m.team_id) FROM people_membership m WHERE m.user_id = u.id), '{}'),
  coalesce((SELECT array_agg(t.id) FROM people_team t WHERE t.is_restricted AND NOT EXISTS (
    SELECT 1 FROM people_membership m WHERE m.team_id = t.id AND m.user_id = u.id)), '{}')
"""
_OF_PERSON = f"{_ACTOR} FROM people_user u WHERE u.id = %s AND u.is_active"
_OF_TOKEN = (
    f"{_ACTOR}, k.scopes, k.id, k.last_used_on FROM people_apitoken k JOIN people_user u ON u.id = k.user_id"
    " WHERE k.hash = %s AND u.is_active AND k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > %s)"
)


def _actor(row: tuple, source: Source, request_id: str, scopes: frozenset[Capability] | None = None) -> Actor:  # type: ignore[type-arg]
    role = Role(row[2])
    sees_all = role in (Role.MANAGER, Role.AUDITOR, Role.ADMINISTRATOR)
    hidden = frozenset() if sees_all else frozenset(row[5])
    return Actor(row[0], row[1], role, frozenset(row[4]), hidden, source, request_id, row[3], scopes)


def actor_of(user_id: int, *, source: Source = Source.PAGE, request_id: str = "") -> Actor | None:
    """Return the actor that a person is now, in one query; None when there is no such active person."""
    row = run(_OF_PERSON, (wide(user_id),)).fetchone()
    return _actor(row, source, request_id) if row else None


def token_hash(secret: str) -> bytes:
    """Return what is stored of a token: SHA-256 is enough for a secret of 256 random bits."""
    return hashlib.sha256(secret.encode()).digest()


def actor_of_token(secret: str, *, now: datetime, request_id: str = "") -> Actor | None:
    """Return the actor whom an API token speaks for, in one query; None when unknown, expired, revoked or inactive.

    Notes the day of last use, once a day.
    """
    row = run(_OF_TOKEN, (token_hash(secret), now)).fetchone()
    if row is None:
        return None
    if row[8] != now.date():
        ApiToken.objects.filter(pk=row[7]).update(last_used_on=now.date())
    scopes = None if row[6] is None else frozenset(Capability(s) for s in row[6] if s in list(Capability))
    return _actor(row, Source.REST, request_id, scopes)


def require(actor: Actor, capability: Capability) -> None:
    """Raise Forbidden unless the actor has the capability."""
    if not actor.can(capability):
        raise Forbidden(f"Your role ({actor.role}) may not do this: it needs “{capability}”.")


def people(actor: Actor, *, text: str = "", active: bool | None = None) -> "QuerySet[User]":
    """Return people whose name or address contains the text, by name; staff only."""
    require(actor, Capability.READ_PEOPLE)
    found = User.objects.all()
    if text:
        found = found.filter(Q(name__icontains=text) | Q(email__icontains=text))
    return found if active is None else found.filter(is_active=active)


def person(actor: Actor, user_id: int) -> User:
    """Return one person: oneself, or anybody for staff; Missing otherwise."""
    if user_id != actor.user_id and not actor.can(Capability.READ_PEOPLE):
        raise Missing("There is no such person.")
    found = User.objects.filter(pk=user_id).first()
    if found is None:
        raise Missing("There is no such person.")
    return found


def teams(actor: Actor, *, active: bool | None = True) -> "QuerySet[Team]":
    """Return teams by name; staff only."""
    require(actor, Capability.READ_PEOPLE)
    return Team.objects.all() if active is None else Team.objects.filter(is_active=active)


def team(actor: Actor, team_id: int) -> Team:
    """Return one team; Missing for requesters and unknown ids."""
    found = Team.objects.filter(pk=team_id).first() if actor.can(Capability.READ_PEOPLE) else None
    if found is None:
        raise Missing("There is no such team.")
    return found


def names(ids: Iterable[int]) -> dict[int, str]:
    """Return people's names by id, in one query; for pages that show who did what."""
    return dict(User.objects.filter(pk__in=set(ids)).values_list("id", "name"))


def oversees_people(actor: Actor) -> bool:
    """Say whether an actor may read what people did as people: sign-ins, tokens, their own views."""
    return actor.can(Capability.MANAGE_PEOPLE) or (actor.role is Role.AUDITOR and actor.can(Capability.READ_JOURNAL))


def tokens(actor: Actor) -> "QuerySet[ApiToken]":
    """Return one's own tokens, newest first."""
    return ApiToken.objects.filter(user_id=actor.user_id or 0).order_by("-created_at")
