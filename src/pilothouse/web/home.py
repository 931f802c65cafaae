"""The address `/`: a requester goes to the portal, staff to the queue, a stranger to sign in."""

from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect
from django.views.decorators.http import require_GET

from pilothouse.people.doors import signed_in
from pilothouse.platform.access import Actor


@require_GET
@signed_in()
def home(request: HttpRequest, actor: Actor) -> HttpResponseBase:
    """Go where one's work is."""
    return redirect("queue" if actor.is_staff else "portal")
