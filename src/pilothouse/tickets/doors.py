"""How a page of the desk is entered, and what it keeps of a visit."""

from collections.abc import Callable
from typing import Concatenate, ParamSpec

from django.http import HttpRequest, HttpResponseBase

from pilothouse.people.doors import View, address, back, signed_in
from pilothouse.platform.access import Actor, Capability

__all__ = ["address", "back", "desk", "remember_undo", "wants_json"]

P = ParamSpec("P")


def desk(needs: Capability = Capability.READ_TICKETS) -> Callable[[View[P]], Callable[Concatenate[HttpRequest, P], HttpResponseBase]]:
    """Let in whoever has the capability, and hand the view its actor; a stranger is asked to sign in."""
    return signed_in(needs)


def wants_json(request: HttpRequest) -> bool:
    """Say whether the caller is one of our modules rather than a browser's form."""
    return request.headers.get("Accept", "").startswith("application/json")


def remember_undo(request: HttpRequest, actor: Actor, ids: list[int]) -> None:
    """Keep, in the session, what the undo key would take back."""
    request.session["undo"] = {"request_id": actor.request_id, "ids": ids}
