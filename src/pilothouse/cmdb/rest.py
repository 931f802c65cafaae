"""Services, CIs, their relationships and their impact over REST."""

from typing import Annotated, Any, Literal

from django.http import HttpRequest, HttpResponse
from ninja import Router
from pydantic import BaseModel, Field

from pilothouse.cmdb import actions, queries
from pilothouse.cmdb.models import CI, Relationship, Service
from pilothouse.people.models import Team
from pilothouse.platform import clock
from pilothouse.platform.refusals import FieldError, Invalid, Missing
from pilothouse.platform.rest import (
    MOST_ITEMS,
    Body,
    Id,
    Ref,
    Reference,
    actor_of,
    answer,
    expected_version,
    listing,
    nothing,
    only,
    record_id,
    ref,
)

router = Router(tags=["CMDB"])
Limit = Annotated[int, Field(ge=1, le=MOST_ITEMS)]
Word = Annotated[str, Field(max_length=200)]
Cursor = Annotated[str, Field(max_length=2000)]
Key = Annotated[str, Field(max_length=40)]


class ServiceOut(BaseModel):
    """A service."""

    id: int
    name: str
    key: str
    description: str
    owner_team: Ref | None
    criticality: int
    status: str
    is_offered: bool
    version: int


class ServicePage(BaseModel):
    """A page of services."""

    items: list[ServiceOut]
    next_cursor: str | None


class CIOut(BaseModel):
    """A configuration item."""

    id: int
    name: str
    ci_class: str
    attributes: dict[str, Any]
    service: Ref | None
    owner_team: Ref | None
    criticality: int
    environment: str
    status: str
    version: int


class CIPage(BaseModel):
    """A page of CIs."""

    items: list[CIOut]
    next_cursor: str | None


class RelationshipOut(BaseModel):
    """`source` stands in `relation` to `target`."""

    id: int
    source: Ref
    relation: str
    target: Ref


class RelationshipPage(BaseModel):
    """A page of relationships."""

    items: list[RelationshipOut]
    next_cursor: str | None


class StepOut(BaseModel):
    """A CI that the walk reached: how far, and through which relationship from which CI."""

    ci: CIOut
    depth: int
    via: int
    relation: str


class ImpactOut(BaseModel):
    """What a CI needs, or what is hit when it fails, nearest first."""

    items: list[StepOut]
    next_cursor: str | None


class ServiceFacts(Body):
    """A service's fields; `owner_team` is an id, key or name."""

    name: Annotated[str, Field(min_length=1, max_length=160)] = ""
    key: Annotated[str, Field(max_length=80, pattern=r"^[-a-zA-Z0-9_]*$")] = ""
    description: Annotated[str, Field(max_length=20_000)] = ""
    owner_team: Reference | None = None
    criticality: Annotated[int, Field(ge=1, le=4)] = 3
    status: Key = "in_use"
    is_offered: bool = True


class ServiceIn(ServiceFacts):
    """A new service."""

    name: Annotated[str, Field(min_length=1, max_length=160)]


class CIFacts(Body):
    """A CI's fields; `service` and `owner_team` are ids, keys or names."""

    name: Annotated[str, Field(min_length=1, max_length=200)] = ""
    ci_class: Key = "other"
    attributes: Annotated[dict[str, Any], Field(default_factory=dict, max_length=200)]
    service: Reference | None = None
    owner_team: Reference | None = None
    criticality: Annotated[int, Field(ge=1, le=4)] = 3
    environment: Key = "production"
    status: Key = "in_use"


class CIIn(CIFacts):
    """A new CI."""

    name: Annotated[str, Field(min_length=1, max_length=200)]


class RelationshipIn(Body):
    """A relationship from this CI: depends_on, runs_on, connects_to, stores_on, member_of or uses."""

    relation: Annotated[str, Field(max_length=30)]
    target: Id


def _service(service: Service) -> dict[str, Any]:
    shape = {name: getattr(service, name) for name in ServiceOut.model_fields if name != "owner_team"}
    return {**shape, "owner_team": ref(service.owner_team)}


def _ci(ci: CI) -> dict[str, Any]:
    shape = {name: getattr(ci, name) for name in CIOut.model_fields if name not in ("service", "owner_team")}
    return {**shape, "service": ref(ci.service), "owner_team": ref(ci.owner_team)}


def _relationship(each: Relationship) -> dict[str, Any]:
    return {"id": each.pk, "source": ref(each.source), "relation": each.relation, "target": ref(each.target)}


def _values(body: Body) -> dict[str, Any]:
    """Return the given fields as the actions take them: references as `…_id`, names looked up."""
    values = body.given()
    for name, model in (("owner_team", Team), ("service", Service)):
        if name in values:
            values[f"{name}_id"] = _resolve(name, model, values.pop(name))
    return values


def _resolve(name: str, model: type[Team] | type[Service], value: int | str | None) -> int | None:
    if not isinstance(value, str):
        return value
    found = model.objects.filter(key=value).first() or model.objects.filter(name=value).first()
    if found is None:
        text = f"There is no {name.replace('_', ' ')} “{value}”."
        raise Invalid("A name leads nowhere.", [FieldError(name, text, "An id, a key or a name.")])
    return found.pk


@router.get("/services", response=ServicePage, summary="List services")
def list_services(request: HttpRequest, cursor: Cursor = "", limit: Limit = 50, fields: Word = "") -> HttpResponse:
    """By name; a requester sees those that are offered."""
    return listing(request, queries.services(actor_of(request)), _service, cursor=cursor, limit=limit, fields=fields)


@router.post("/services", response={201: ServiceOut}, summary="Add a service")
def add_service(request: HttpRequest, body: ServiceIn) -> HttpResponse:
    """For those who edit the CMDB. The key is made from the name unless given."""
    made = actions.add_service(actor=actor_of(request), now=clock.now(), **_values(body))
    return answer(request, _service(made), status=201, version=made.version, location=f"/api/v1/services/{made.pk}")


@router.get("/services/{number}", response=ServiceOut, summary="Read a service")
def read_service(request: HttpRequest, number: str, fields: Word = "") -> HttpResponse:
    """By id or key."""
    actor = actor_of(request)
    by_key = None if number.isdigit() else queries.services(actor).filter(key=number.replace("\x00", "")).first()
    service = by_key or queries.service(actor, record_id(number, "service"))
    return answer(request, only(_service(service), fields), version=service.version)


@router.patch("/services/{number}", response=ServiceOut, summary="Change a service")
def change_service(request: HttpRequest, number: str, body: ServiceFacts) -> HttpResponse:
    """If-Match is required."""
    actor, version = actor_of(request), expected_version(request, required=True)
    service_id = queries.service(actor, record_id(number, "service")).pk
    changed = actions.change_service(actor=actor, service_id=service_id, changes=_values(body), now=clock.now(), expected_version=version)
    return answer(request, _service(changed), version=changed.version)


@router.get("/cis", response=CIPage, summary="List CIs")
def list_cis(
    request: HttpRequest, text: Word = "", ci_class: Key = "", status: Key = "", cursor: Cursor = "", limit: Limit = 50, fields: Word = ""
) -> HttpResponse:
    """By name; `text` is a part of the name. For staff."""
    plain = [each.replace("\x00", "") for each in (text, ci_class, status)]
    rows = queries.cis(actor_of(request), text=plain[0], ci_class=plain[1], status=plain[2])
    return listing(request, rows, _ci, cursor=cursor, limit=limit, fields=fields)


@router.post("/cis", response={201: CIOut}, summary="Add a CI")
def add_ci(request: HttpRequest, body: CIIn) -> HttpResponse:
    """For those who edit the CMDB."""
    made = actions.add_ci(actor=actor_of(request), now=clock.now(), **_values(body))
    return answer(request, _ci(made), status=201, version=made.version, location=f"/api/v1/cis/{made.pk}")


@router.get("/cis/{number}", response=CIOut, summary="Read a CI")
def read_ci(request: HttpRequest, number: str, fields: Word = "") -> HttpResponse:
    """By id."""
    ci = queries.ci(actor_of(request), record_id(number, "CI"))
    return answer(request, only(_ci(ci), fields), version=ci.version)


@router.patch("/cis/{number}", response=CIOut, summary="Change a CI")
def change_ci(request: HttpRequest, number: str, body: CIFacts) -> HttpResponse:
    """If-Match is required."""
    actor, version = actor_of(request), expected_version(request, required=True)
    ci_id = queries.ci(actor, record_id(number, "CI")).pk
    changed = actions.change_ci(actor=actor, ci_id=ci_id, changes=_values(body), now=clock.now(), expected_version=version)
    return answer(request, _ci(changed), version=changed.version)


@router.get("/cis/{number}/relationships", response=RelationshipPage, summary="List a CI's relationships")
def list_relationships(request: HttpRequest, number: str, cursor: Cursor = "", limit: Limit = 50) -> HttpResponse:
    """Those in which it stands at either end."""
    actor = actor_of(request)
    rows = queries.relationships(actor, queries.ci(actor, record_id(number, "CI")).pk)
    return listing(request, rows, _relationship, keys=("relation", "id"), cursor=cursor, limit=limit)


@router.post("/cis/{number}/relationships", response={201: RelationshipOut}, summary="Relate a CI to another")
def relate(request: HttpRequest, number: str, body: RelationshipIn) -> HttpResponse:
    """This CI becomes the source; `target` is a CI's id."""
    actor = actor_of(request)
    source = queries.ci(actor, record_id(number, "CI"))
    made = actions.relate_cis(actor=actor, source_id=source.pk, relation=body.relation, target_id=body.target, now=clock.now())
    return answer(request, _relationship(made), status=201)


@router.delete("/cis/{number}/relationships/{relationship}", response={204: None}, summary="Take a relationship back")
def unrelate(request: HttpRequest, number: str, relationship: str) -> HttpResponse:
    """From either end."""
    actor = actor_of(request)
    rows = queries.relationships(actor, queries.ci(actor, record_id(number, "CI")).pk)
    found = rows.filter(pk=record_id(relationship, "relationship")).first()
    if found is None:
        raise Missing("There is no such relationship.")
    actions.unrelate_cis(actor=actor, relationship_id=found.pk, now=clock.now())
    return nothing()


@router.get("/cis/{number}/impact", response=ImpactOut, summary="Walk what a CI needs or what needs it")
def impact(
    request: HttpRequest, number: str, direction: Literal["up", "down"] = "up", depth: Annotated[int, Field(ge=1, le=20)] = 6
) -> HttpResponse:
    """`up`: what is hit when it fails; `down`: what it needs. Nearest first, each CI once."""
    walked = queries.impact(actor_of(request), record_id(number, "CI"), direction, depth=depth)
    found = [{"ci": _ci(ci), "depth": step.depth, "via": step.via, "relation": step.relation} for step, ci in walked]
    return answer(request, {"items": found, "next_cursor": None})
