"""How a page of the desk is entered: signed in, with a capability, and with the actor at hand."""

from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate, ParamSpec

from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponseBase
from django.urls import NoReverseMatch, reverse
from django.utils.http import url_has_allowed_host_and_scheme

from pilothouse.people.queries import require
from pilothouse.platform.access import Actor, Capability

P = ParamSpec("P")
View = Callable[Concatenate[HttpRequest, Actor, P], HttpResponseBase]


def desk(needs: Capability = Capability.READ_TICKETS) -> Callable[[View[P]], Callable[Concatenate[HttpRequest, P], HttpResponseBase]]:
    """Let in whoever has the capability, and hand the view its actor; a stranger is asked to sign in."""

    def guard(view: View[P]) -> Callable[Concatenate[HttpRequest, P], HttpResponseBase]:
        @wraps(view)
        def enter(request: HttpRequest, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
            actor: Actor | None = getattr(request, "actor", None)
            if actor is None or actor.user_id is None:
                return redirect_to_login(request.get_full_path())
            require(actor, needs)
            return view(request, actor, *args, **kwargs)

        return enter

    return guard


def back(request: HttpRequest, fallback: str) -> str:
    """Give the address a form asks to return to, if it is one of ours."""
    target = request.POST.get("next", "")
    return target if target and url_has_allowed_host_and_scheme(target, allowed_hosts={request.get_host()}) else fallback


def address(name: str, *args: Any) -> str:
    """Give the address of a page of a room that may not be there yet, or an empty string."""
    try:
        return reverse(name, args=args)
    except NoReverseMatch:
        return ""


def wants_json(request: HttpRequest) -> bool:
    """Say whether the caller is one of our modules rather than a browser's form."""
    return request.headers.get("Accept", "").startswith("application/json")


def remember_undo(request: HttpRequest, actor: Actor, ids: list[int]) -> None:
    """Keep, in the session, what the undo key would take back."""
    request.session["undo"] = {"request_id": actor.request_id, "ids": ids}
