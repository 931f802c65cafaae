"""The address `/`: a requester goes to the portal, who steers to the morning review, other staff to the queue, a stranger to sign in."""

from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect
from django.views.decorators.http import require_GET

from pilothouse.people.doors import signed_in
from pilothouse.platform.access import Actor, Role

_BY_ROLE = {Role.REQUESTER: "portal", Role.ANALYST: "morning", Role.MANAGER: "morning"}


def home_of(actor: Actor) -> str:
    """Return the URL name of the page on which somebody begins."""
    return _BY_ROLE.get(actor.role, "queue")


@require_GET
@signed_in()
def home(request: HttpRequest, actor: Actor) -> HttpResponseBase:
    """Go where one's work is."""
    return redirect(home_of(actor))
