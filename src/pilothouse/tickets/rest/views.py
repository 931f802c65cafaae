"""Saved views and the priority matrix."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from ninja import Router
from pydantic import BaseModel

from pilothouse.people.queries import require
from pilothouse.platform import clock
from pilothouse.platform.access import Capability
from pilothouse.platform.refusals import Missing
from pilothouse.platform.rest import actor_of, answer, nothing, record_id
from pilothouse.tickets import actions, saved_views
from pilothouse.tickets.engine.lifecycle import DEFAULT_MATRIX
from pilothouse.tickets.models import PriorityRule
from pilothouse.tickets.rest.bodies import Cell, MatrixIn, ViewIn
from pilothouse.tickets.saved_views import View

router = Router(tags=["Views"])


class ViewOut(BaseModel):
    """A saved view; default ones that come with Pilothouse have negative ids."""

    id: int
    name: str
    query: str
    scope: str
    columns: list[str]
    team: int | None


class ViewList(BaseModel):
    """The views of one person."""

    items: list[ViewOut]
    next_cursor: str | None


class MatrixOut(BaseModel):
    """The priority matrix."""

    cells: list[Cell]


def _shape(view: View) -> dict[str, Any]:
    return {"id": view.id, "name": view.name, "query": view.query, "scope": view.scope, "columns": list(view.columns), "team": view.team_id}


@router.get("/views", response=ViewList, summary="List your views")
def list_views(request: HttpRequest) -> HttpResponse:
    """The default ones, those of your teams, your own; list their tickets with `GET /tickets?q=` and the view's query."""
    actor = actor_of(request)
    require(actor, Capability.READ_TICKETS)
    return answer(request, {"items": [_shape(view) for view in saved_views.views_of(actor)], "next_cursor": None})


@router.post("/views", response={201: ViewOut}, summary="Save a view")
def save_view(request: HttpRequest, body: ViewIn) -> HttpResponse:
    """Keep a query under a name; one of the same name and scope is replaced."""
    view = actions.save_view(
        actor=actor_of(request), name=body.name, query=body.query, columns=body.columns, scope=body.scope, now=clock.now()
    )
    return answer(request, _shape(view), status=201)


@router.delete("/views/{number}", response={204: None}, summary="Remove a view")
def remove_view(request: HttpRequest, number: str) -> HttpResponse:
    """Your own, or a shared one if you share views."""
    if number.startswith("-"):
        raise Missing("Default views stay.")
    actions.remove_view(actor=actor_of(request), view_id=record_id(number, "view"), now=clock.now())
    return nothing()


def _matrix() -> list[dict[str, int]]:
    cells = {**DEFAULT_MATRIX, **{(rule.impact, rule.urgency): rule.priority for rule in PriorityRule.objects.all()}}
    return [{"impact": impact, "urgency": urgency, "priority": value} for (impact, urgency), value in sorted(cells.items())]


@router.get("/priority-matrix", response=MatrixOut, summary="Read the priority matrix")
def read_matrix(request: HttpRequest) -> HttpResponse:
    """Which priority an impact and an urgency give."""
    actor_of(request)
    return answer(request, {"cells": _matrix()})


@router.put("/priority-matrix", response=MatrixOut, summary="Set cells of the priority matrix")
def set_matrix(request: HttpRequest, body: MatrixIn) -> HttpResponse:
    """For administrators. Tickets keep the priority that they have."""
    cells = {(cell.impact, cell.urgency): cell.priority for cell in body.cells}
    actions.set_priority_matrix(actor=actor_of(request), matrix=cells, now=clock.now())
    return answer(request, {"cells": _matrix()})
