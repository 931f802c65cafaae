"""How a page is entered: signed in, with a capability, and with the actor at hand."""

from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate, ParamSpec

from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponseBase, HttpResponseNotAllowed, HttpResponseRedirect
from django.urls import NoReverseMatch, reverse
from django.utils.http import url_has_allowed_host_and_scheme

from pilothouse.people.queries import require
from pilothouse.platform.access import Actor, Capability

P = ParamSpec("P")
View = Callable[Concatenate[HttpRequest, Actor, P], HttpResponseBase]
Entered = Callable[Concatenate[HttpRequest, P], HttpResponseBase]


def signed_in(*needs: Capability) -> Callable[[View[P]], Callable[Concatenate[HttpRequest, P], HttpResponseBase]]:
    """Let in whoever has the capabilities, and hand the view its actor; a stranger is asked to sign in."""

    def guard(view: View[P]) -> Callable[Concatenate[HttpRequest, P], HttpResponseBase]:
        @wraps(view)
        def enter(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
            actor: Actor | None = getattr(request, "actor", None)
            if actor is None or actor.user_id is None:
                return redirect_to_login(request.get_full_path())
            for capability in needs:
                require(actor, capability)
            return view(request, actor, *args, **kwargs)

        return enter

    return guard


def posted_from(page: str) -> Callable[[Entered[P]], Entered[P]]:
    """Let a form's POST in; a GET, as after a refusal when its address is loaded again, leads back to the page that has the form.

    `page` is the name of that page's address, which takes the first argument of this one.
    """

    def guard(view: Entered[P]) -> Entered[P]:
        @wraps(view)
        def enter(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
            if request.method in ("GET", "HEAD"):
                return HttpResponseRedirect(reverse(page, args=[*args, *kwargs.values()][:1]))
            return view(request, *args, **kwargs) if request.method == "POST" else HttpResponseNotAllowed(["GET", "POST"])

        return enter

    return guard


def safe_address(request: HttpRequest, target: str, fallback: str) -> str:
    """Give an address to go to if it is one of ours, else the fallback: no form sends anybody to another site."""
    ours = url_has_allowed_host_and_scheme(target, allowed_hosts={request.get_host()}, require_https=request.is_secure())
    return target if target and ours else fallback


def back(request: HttpRequest, fallback: str) -> str:
    """Give the address a form asks to return to, if it is one of ours."""
    return safe_address(request, request.POST.get("next", ""), fallback)


def address(name: str, *args: Any) -> str:
    """Give the address of a page of a room that may not be there yet, or an empty string."""
    try:
        return reverse(name, args=args)
    except NoReverseMatch:
        return ""


def client_address(request: HttpRequest) -> str | None:
    """Give the address a request comes from; behind our TLS proxy that is the last one the proxy names."""
    sent = request.headers.get("X-Forwarded-For", "") if settings.TLS else ""
    return sent.rpartition(",")[2].strip() or request.META.get("REMOTE_ADDR") or None
