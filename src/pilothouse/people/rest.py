"""People and teams over REST: reading. Who administers them does so on the pages."""

from typing import Annotated, Any

from django.http import HttpRequest, HttpResponse
from ninja import Router
from pydantic import BaseModel, Field

from pilothouse.people import queries
from pilothouse.people.models import Team, User
from pilothouse.platform.access import Actor, Capability
from pilothouse.platform.refusals import Missing
from pilothouse.platform.rest import MOST_ITEMS, Ref, actor_of, answer, listing, only, record_id

router = Router(tags=["People"])
Limit = Annotated[int, Field(ge=1, le=MOST_ITEMS)]
Word = Annotated[str, Field(max_length=200)]
Cursor = Annotated[str, Field(max_length=2000)]


class PersonOut(BaseModel):
    """A person."""

    id: int
    name: str
    email: str
    role: str
    title: str
    site: str
    phone: str
    time_zone: str
    is_active: bool
    version: int


class PersonPage(BaseModel):
    """A page of people."""

    items: list[PersonOut]
    next_cursor: str | None


class MeOut(PersonOut):
    """Yourself, and what this session or token may do."""

    teams: list[Ref]
    capabilities: list[str]


class TeamOut(BaseModel):
    """A resolver group."""

    id: int
    name: str
    key: str
    description: str
    time_zone: str
    is_restricted: bool
    is_active: bool
    version: int


class TeamPage(BaseModel):
    """A page of teams."""

    items: list[TeamOut]
    next_cursor: str | None


class MemberOut(BaseModel):
    """A member of a team."""

    id: int
    name: str
    is_lead: bool


class TeamWithMembers(TeamOut):
    """A resolver group and its members."""

    members: list[MemberOut]


def _person(user: User) -> dict[str, Any]:
    shape = {name: getattr(user, name) for name in PersonOut.model_fields if name != "id"}
    return {"id": user.pk, **shape}


def _team(team: Team) -> dict[str, Any]:
    return {name: getattr(team, name) for name in TeamOut.model_fields}


@router.get("/me", response=MeOut, summary="Who am I?")
def read_me(request: HttpRequest) -> HttpResponse:
    """The person whom the token or session speaks for."""
    actor = actor_of(request)
    user = queries.person(actor, actor.user_id or 0)
    teams = [{"id": team.pk, "name": team.name} for team in user.teams.order_by("name")]
    capabilities = sorted(each.value for each in Capability if actor.can(each))
    return answer(request, {**_person(user), "teams": teams, "capabilities": capabilities}, version=user.version)


@router.get("/people", response=PersonPage, summary="List people")
def list_people(
    request: HttpRequest, text: Word = "", active: bool | None = None, cursor: Cursor = "", limit: Limit = 50, fields: Word = ""
) -> HttpResponse:
    """By name; `text` is a part of the name or the address. For staff."""
    rows = queries.people(actor_of(request), text=text.replace("\x00", ""), active=active)
    return listing(request, rows, _person, cursor=cursor, limit=limit, fields=fields)


@router.get("/people/{number}", response=PersonOut, summary="Read a person")
def read_person(request: HttpRequest, number: str, fields: Word = "") -> HttpResponse:
    """By id, or by e-mail address (staff)."""
    actor = actor_of(request)
    user = queries.people(actor).filter(email__iexact=number).first() if "@" in number and "\x00" not in number else None
    user = user or queries.person(actor, record_id(number, "person"))
    return answer(request, only(_person(user), fields), version=user.version)


@router.get("/teams", response=TeamPage, summary="List teams")
def list_teams(request: HttpRequest, active: bool | None = True, cursor: Cursor = "", limit: Limit = 50, fields: Word = "") -> HttpResponse:
    """By name. For staff."""
    return listing(request, queries.teams(actor_of(request), active=active), _team, cursor=cursor, limit=limit, fields=fields)


@router.get("/teams/{number}", response=TeamWithMembers, summary="Read a team and its members")
def read_team(request: HttpRequest, number: str, fields: Word = "") -> HttpResponse:
    """By id or key."""
    actor = actor_of(request)
    team = _team_of(actor, number)
    members = team.memberships.select_related("user").order_by("user__name", "user_id")
    shape = {**_team(team), "members": [{"id": m.user_id, "name": m.user.name, "is_lead": m.is_lead} for m in members]}
    return answer(request, only(shape, fields), version=team.version)


def _team_of(actor: Actor, number: str) -> Team:
    if number.isdigit():
        return queries.team(actor, record_id(number, "team"))
    team = queries.teams(actor, active=None).filter(key=number.replace("\x00", "")).first()
    if team is None:
        raise Missing("There is no such team.")
    return team
