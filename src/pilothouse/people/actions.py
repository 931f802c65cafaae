"""The only writers of people, teams, memberships and tokens; each journals what it did."""

import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.contrib.auth.hashers import make_password
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction
from django.utils.text import slugify

from pilothouse.people.models import ApiToken, Membership, SignInAttempt, Team, User
from pilothouse.people.queries import require, token_hash
from pilothouse.platform import journal
from pilothouse.platform.access import Actor, Capability, Role, Source, system
from pilothouse.platform.journal import Change, Draft
from pilothouse.platform.refusals import FieldError, Forbidden, Invalid, Missing
from pilothouse.platform.texts import is_plain_text, text_errors
from pilothouse.platform.time_zones import known_zones

_PERSON_FIELDS = ("email", "name", "role", "title", "site", "phone", "time_zone", "is_active")
_TEAM_FIELDS = ("name", "key", "description", "time_zone", "is_restricted", "is_active")
SIGN_IN_TRIES = 5  # failures for one address (or 4 times as many from one place) within the window make the next wait
SIGN_IN_WINDOW = timedelta(minutes=10)


def _changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[Change, ...]:
    return tuple(Change(name, before.get(name), value) for name, value in after.items() if before.get(name) != value)


def _values(row: Any, names: Iterable[str]) -> dict[str, Any]:
    return {name: getattr(row, name) for name in names}


def _person_errors(values: Mapping[str, Any], own_id: int = 0) -> list[FieldError]:
    if errors := text_errors(User, values):
        return errors
    try:
        validate_email(values.get("email", ""))
    except ValidationError:
        errors.append(FieldError("email", "This is not an e-mail address.", "For instance ana@example.org."))
    if User.objects.filter(email__iexact=values.get("email", "")).exclude(pk=own_id).exists():
        errors.append(FieldError("email", "Somebody has this address already.", "An address signs in one person."))
    if not str(values.get("name", "")).strip():
        errors.append(FieldError("name", "A person has a name."))
    if values.get("role") not in list(Role):
        errors.append(FieldError("role", "There is no such role.", f"One of: {', '.join(Role)}."))
    if values.get("time_zone", "UTC") not in known_zones():
        errors.append(FieldError("time_zone", "There is no such time zone.", "For instance Europe/Lisbon."))
    return errors


def _password_errors(password: str, user: User) -> list[FieldError]:
    try:
        validate_password(password, user)
    except ValidationError as error:
        return [FieldError("password", message) for message in error.messages]
    return []


def add_person(
    *, actor: Actor, email: str, name: str, role: str, now: datetime, password: str | None = None, teams: Iterable[int] = (), **more: Any
) -> User:
    """Add a person; without a password they cannot sign in yet. Raises Invalid with every fault, Forbidden."""
    require(actor, Capability.MANAGE_PEOPLE)
    values = {"email": email.strip(), "name": name.strip(), "role": role, **more}
    user = User(created_at=now, **values)
    errors = _person_errors(values) + (_password_errors(password, user) if password is not None else [])
    teams = sorted(set(teams))
    if Team.objects.filter(pk__in=teams).count() != len(teams):
        errors.append(FieldError("teams", "There is no such team."))
    if errors:
        raise Invalid("The person was not added.", errors)
    with transaction.atomic():
        user.password = make_password(password)
        user.save(force_insert=True)
        Membership.objects.bulk_create(Membership(user=user, team_id=team_id) for team_id in teams)
        changes = (*_changes({}, _values(user, _PERSON_FIELDS)), Change("teams", [], teams))
        journal.record(actor, [Draft("person", user.pk, "person.added", changes)], now=now, new=True)
    return user


def change_person(*, actor: Actor, user_id: int, changes: Mapping[str, Any], now: datetime) -> User:
    """Change a person's fields; people change their own name, title, phone and time zone, the rest needs an administrator."""
    if user_id != actor.user_id or set(changes) - {"name", "title", "phone", "time_zone"}:
        require(actor, Capability.MANAGE_PEOPLE)
    if unknown := set(changes) - set(_PERSON_FIELDS):
        raise Invalid("The person was not changed.", [FieldError(name, "There is no such field.") for name in sorted(unknown)])
    with transaction.atomic():
        user: User = _locked(User, user_id, "person")
        before = _values(user, _PERSON_FIELDS)
        if errors := _person_errors({**before, **changes}, user_id):
            raise Invalid("The person was not changed.", errors)
        _keep_an_administrator(user, changes)
        _save(actor, user, "person", before, changes, now)
    return user


def _keep_an_administrator(user: User, changes: Mapping[str, Any]) -> None:
    loses = changes.get("role", user.role) != Role.ADMINISTRATOR or not changes.get("is_active", user.is_active)
    if user.role == Role.ADMINISTRATOR and user.is_active and loses:
        others = User.objects.filter(role=Role.ADMINISTRATOR, is_active=True).exclude(pk=user.pk)
        if not others.exists():
            raise Invalid(
                "The person was not changed.", [FieldError("role", "This is the last active administrator.", "Make another one first.")]
            )


def _locked(model: Any, pk: int, word: str) -> Any:
    row = model.objects.select_for_update().filter(pk=pk).first()
    if row is None:
        raise Missing(f"There is no such {word}.")
    return row


def _save(actor: Actor, row: Any, kind: str, before: Mapping[str, Any], changes: Mapping[str, Any], now: datetime) -> None:
    moved = _changes(before, changes)
    if not moved:
        return
    for change in moved:
        setattr(row, change.field, change.after)
    row.version += 1
    row.save()
    journal.record(actor, [Draft(kind, row.pk, f"{kind}.changed", moved)], now=now)


def set_password(*, actor: Actor, user_id: int, password: str, now: datetime) -> None:
    """Set a password: one's own, or anybody's for an administrator. Other sessions of that person end with it.

    Not through an API token: a leaked one must not become a way in that outlives it.
    """
    if actor.source is Source.REST:
        raise Forbidden("Passwords are set on a page or on the command line, not through an API token.")
    if user_id != actor.user_id:
        require(actor, Capability.MANAGE_PEOPLE)
    with transaction.atomic():
        user: User = _locked(User, user_id, "person")
        if errors := _password_errors(password, user):
            raise Invalid("The password was not set.", errors)
        user.password = make_password(password)
        user.save(update_fields=["password"])
        journal.record(actor, [Draft("person", user_id, "person.password_set")], now=now)


def add_team(*, actor: Actor, name: str, now: datetime, key: str = "", **more: Any) -> Team:
    """Add a resolver group; the key is made from the name when it is not given."""
    require(actor, Capability.MANAGE_PEOPLE)
    key = key or slugify(name)[:60] or slugify(name, allow_unicode=True).encode("punycode").decode()[:60].lower().strip("-")
    values = {"name": name.strip(), "key": key, **more}
    if errors := _team_errors(values):
        raise Invalid("The team was not added.", errors)
    with transaction.atomic():
        team = Team.objects.create(**values)
        journal.record(actor, [Draft("team", team.pk, "team.added", _changes({}, _values(team, _TEAM_FIELDS)))], now=now, new=True)
    return team


def _team_errors(values: Mapping[str, Any], own_id: int = 0) -> list[FieldError]:
    if errors := text_errors(Team, values):
        return errors
    others = Team.objects.exclude(pk=own_id)
    if not values.get("name"):
        errors.append(FieldError("name", "A team has a name."))
    if others.filter(name=values.get("name")).exists() or others.filter(key=values.get("key")).exists():
        errors.append(FieldError("name", "A team has this name already.", "Choose another."))
    if values.get("time_zone", "UTC") not in known_zones():
        errors.append(FieldError("time_zone", "There is no such time zone.", "For instance Europe/Lisbon."))
    return errors


def change_team(*, actor: Actor, team_id: int, changes: Mapping[str, Any], now: datetime) -> Team:
    """Change a team's fields."""
    require(actor, Capability.MANAGE_PEOPLE)
    if unknown := set(changes) - set(_TEAM_FIELDS):
        raise Invalid("The team was not changed.", [FieldError(name, "There is no such field.") for name in sorted(unknown)])
    with transaction.atomic():
        team: Team = _locked(Team, team_id, "team")
        before = _values(team, _TEAM_FIELDS)
        if errors := _team_errors({**before, **changes}, team_id):
            raise Invalid("The team was not changed.", errors)
        _save(actor, team, "team", before, changes, now)
    return team


def set_members(*, actor: Actor, team_id: int, members: Iterable[int], leads: Iterable[int] = (), now: datetime) -> None:
    """Make these people the team's members, and these of them its leads. A lead of the team may do it too."""
    leads, members = set(leads), set(members)
    leads_it = Membership.objects.filter(team_id=team_id, user_id=actor.user_id or 0, is_lead=True).exists()
    if not leads_it or not actor.is_staff or actor.scopes is not None:
        require(actor, Capability.MANAGE_PEOPLE)
    if leads - members:
        raise Invalid("The members were not changed.", [FieldError("leads", "A lead is a member of the team.")])
    with transaction.atomic():
        _locked(Team, team_id, "team")
        before = {m.user_id: m.is_lead for m in Membership.objects.filter(team_id=team_id)}
        known = set(User.objects.filter(pk__in=members).values_list("id", flat=True))
        if missing := members - known:
            raise Invalid("The members were not changed.", [FieldError("members", f"There is no person {min(missing)}.")])
        Membership.objects.filter(team_id=team_id).delete()
        Membership.objects.bulk_create(Membership(team_id=team_id, user_id=m, is_lead=m in leads) for m in sorted(members))
        after = {"members": sorted(members), "leads": sorted(leads)}
        was = {"members": sorted(before), "leads": sorted(m for m, lead in before.items() if lead)}
        journal.record(actor, [Draft("team", team_id, "team.members_set", _changes(was, after))], now=now)


@dataclass(frozen=True, slots=True)
class NewToken:
    """A token just made; `secret` is shown this once."""

    token: ApiToken
    secret: str


def issue_token(*, actor: Actor, name: str, now: datetime, days: int | None = 90, scopes: Sequence[str] | None = None) -> NewToken:
    """Issue an API token for oneself: at most what one's role may do, for `days` (None: without end). Not by another token."""
    if actor.user_id is None or actor.scopes is not None or actor.source is Source.REST:
        raise Forbidden("Tokens are issued on your profile page, by yourself, not through a token.")
    errors = [FieldError("scopes", f"There is no scope “{s}”.") for s in scopes or () if s not in list(Capability)]
    if not name.strip() or not is_plain_text(name):
        errors.append(FieldError("name", "A token has a name.", "Say what it is for."))
    if days is not None and not 1 <= days <= 3650:
        errors.append(FieldError("days", "A token lives 1 to 3,650 days."))
    if errors:
        raise Invalid("The token was not issued.", errors)
    secret = f"ph_{secrets.token_urlsafe(32)}"
    with transaction.atomic():
        token = ApiToken.objects.create(
            user_id=actor.user_id,
            name=name.strip()[:80],
            prefix=secret[:8],
            hash=token_hash(secret),
            scopes=list(scopes) if scopes is not None else None,
            created_at=now,
            expires_at=now + timedelta(days=days) if days is not None else None,
        )
        changes = (Change("token", None, token.name), Change("scopes", None, token.scopes), Change("days", None, days))
        journal.record(actor, [Draft("person", actor.user_id, "person.token_issued", changes)], now=now)
    return NewToken(token, secret)


def revoke_token(*, actor: Actor, token_id: int, now: datetime) -> None:
    """Revoke a token: one's own, or anybody's for an administrator. A revoked one stays revoked."""
    with transaction.atomic():
        token = ApiToken.objects.select_for_update().filter(pk=token_id).first()
        if token is None or (token.user_id != actor.user_id and not actor.can(Capability.MANAGE_PEOPLE)):
            raise Missing("There is no such token.")
        if token.revoked_at is None:
            token.revoked_at = now
            token.save(update_fields=["revoked_at"])
            journal.record(actor, [Draft("person", token.user_id, "person.token_revoked", (Change("token", token.name, None),))], now=now)


def note_sign_in(*, user_id: int, actor: Actor, now: datetime) -> None:
    """Journal that a person signed in, and forget their failed tries."""
    with transaction.atomic():
        email = User.objects.values_list("email", flat=True).get(pk=user_id)
        SignInAttempt.objects.filter(email=email.lower()).delete()
        journal.record(actor, [Draft("person", user_id, "person.signed_in")], now=now)


def note_sign_out(*, actor: Actor, now: datetime) -> None:
    """Journal that a person signed out."""
    if actor.user_id is not None:
        journal.record(actor, [Draft("person", actor.user_id, "person.signed_out")], now=now)


def note_failed_sign_in(*, email: str, address: str | None, now: datetime, request_id: str = "") -> None:
    """Count a failed sign-in, and journal it when somebody has the address; tries older than a day are forgotten."""
    email = email.strip().lower()[:254]
    with transaction.atomic():
        SignInAttempt.objects.filter(at__lt=now - timedelta(days=1)).delete()
        SignInAttempt.objects.create(email=email, address=address, at=now)
        user_id = User.objects.filter(email__iexact=email).values_list("id", flat=True).first()
        if user_id is not None:
            draft = Draft("person", user_id, "person.sign_in_failed", (Change("address", None, address),))
            journal.record(system(Source.PAGE, request_id), [draft], now=now)


def sign_in_waits(email: str, address: str | None, now: datetime) -> timedelta:
    """Return how long this address must wait before its next try; zero when it may try now."""
    since = now - SIGN_IN_WINDOW
    own = SignInAttempt.objects.filter(email=email.strip().lower(), at__gt=since).order_by("-at")
    place = SignInAttempt.objects.filter(address=address, at__gt=since).order_by("-at")
    waits = [timedelta(0)]
    for tries, limit in ((own, SIGN_IN_TRIES), (place, SIGN_IN_TRIES * 4)):
        recent = list(tries.values_list("at", flat=True)[:limit])
        if len(recent) == limit:
            waits.append(recent[-1] + SIGN_IN_WINDOW - now)
    return max(waits)


def add_people_in_bulk(*, actor: Actor, people: Sequence[User], now: datetime, recorded_at: datetime | None = None) -> list[User]:
    """Add many people at once (imports, the demo): rows as given, one journal entry each. They are not validated one by one."""
    with transaction.atomic():
        made = User.objects.bulk_create(people, batch_size=2000)
        drafts = [
            Draft(
                "person", u.pk, "person.added", _changes({}, _values(u, _PERSON_FIELDS)), happened_at=recorded_at, recorded_at=recorded_at
            )
            for u in made
        ]
        journal.record(actor, drafts, now=now, new=True, quiet=True)
    return made


def add_teams_in_bulk(*, actor: Actor, teams: Sequence[Team], now: datetime, recorded_at: datetime | None = None) -> list[Team]:
    """Add many teams at once, one journal entry each."""
    with transaction.atomic():
        made = Team.objects.bulk_create(teams)
        drafts = [
            Draft("team", t.pk, "team.added", _changes({}, _values(t, _TEAM_FIELDS)), happened_at=recorded_at, recorded_at=recorded_at)
            for t in made
        ]
        journal.record(actor, drafts, now=now, new=True, quiet=True)
    return made


def add_memberships_in_bulk(*, actor: Actor, memberships: Sequence[Membership], now: datetime, recorded_at: datetime | None = None) -> None:
    """Add many memberships at once, one journal entry a team."""
    by_team: dict[int, list[Membership]] = {}
    for membership in memberships:
        by_team.setdefault(membership.team_id, []).append(membership)
    with transaction.atomic():
        Membership.objects.bulk_create(memberships, batch_size=2000)
        drafts = [
            Draft(
                "team",
                team_id,
                "team.members_set",
                (Change("members", [], sorted(m.user_id for m in own)), Change("leads", [], sorted(m.user_id for m in own if m.is_lead))),
                happened_at=recorded_at,
                recorded_at=recorded_at,
            )
            for team_id, own in by_team.items()
        ]
        journal.record(actor, drafts, now=now, quiet=True)
