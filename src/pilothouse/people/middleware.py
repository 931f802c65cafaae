"""Every request has an actor: the signed-in person's, or None."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from pilothouse.people.queries import actor_of

SESSION_USER = "_auth_user_id"


class ActorMiddleware:
    """Set `request.actor` for signed-in people; REST sets its own from the token."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        request.actor = None  # type: ignore[attr-defined]
        # Only a request that brings a session cookie costs a query; request.user checks the session's password hash.
        if "sessionid" in request.COOKIES and request.user.is_authenticated and request.user.pk is not None:
            request.actor = actor_of(request.user.pk, request_id=getattr(request, "request_id", ""))  # type: ignore[attr-defined]
        return self.get_response(request)
