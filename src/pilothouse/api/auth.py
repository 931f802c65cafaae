"""Who asks: an API token (Authorization: Bearer), or the session of a signed-in page, which must then carry its CSRF token."""

from django.http import HttpRequest
from ninja.security import APIKeyCookie, HttpBearer
from ninja.utils import check_csrf

from pilothouse.api import limits
from pilothouse.people.queries import actor_of_token
from pilothouse.platform import clock
from pilothouse.platform.access import Actor, Source
from pilothouse.platform.refusals import Forbidden
from pilothouse.platform.rest import TooManyRequests, Unauthorised

_LONGEST_TOKEN = 200


class Token(HttpBearer):
    """An API token, made on one's profile page."""

    def __call__(self, request: HttpRequest) -> Actor | None:
        sent = request.headers.get("Authorization")
        if sent is None:
            return None
        scheme, _, secret = sent.strip().partition(" ")
        if scheme.lower() != "bearer":
            raise Unauthorised("The Authorization header holds no bearer token: Authorization: Bearer ph_…")
        return self.authenticate(request, secret.strip())

    def authenticate(self, request: HttpRequest, token: str) -> Actor:
        """Return the token's actor and use one of their permits."""
        now = clock.now()
        good = 0 < len(token) <= _LONGEST_TOKEN and token.isascii()
        actor = actor_of_token(token, now=now, request_id=getattr(request, "request_id", "")) if good else None
        if actor is None:
            raise _refuse_stranger(request)
        limits.people.take(f"person:{actor.user_id}", now)
        request.actor = actor  # type: ignore[attr-defined]
        return actor


def _refuse_stranger(request: HttpRequest) -> Unauthorised | TooManyRequests:
    """Count a wrong token against the place it came from: guessing gets slow."""
    try:
        limits.strangers.take(f"stranger:{request.META.get('REMOTE_ADDR', '')}", clock.now())
    except TooManyRequests as refused:
        return refused
    return Unauthorised("The token is unknown, expired or revoked.")


class Session(APIKeyCookie):
    """The session of somebody signed in on the pages; anything but reading needs X-CSRFToken."""

    param_name = "sessionid"

    def __call__(self, request: HttpRequest) -> Actor | None:
        actor: Actor | None = getattr(request, "actor", None)
        if actor is None:
            return None
        if check_csrf(request) is not None:
            raise Forbidden("The session's CSRF token is missing or wrong: send it as X-CSRFToken.")
        limits.people.take(f"person:{actor.user_id}", clock.now())
        request.actor = actor.through(Source.REST)  # type: ignore[attr-defined]
        return actor

    def authenticate(self, request: HttpRequest, key: str | None) -> Actor | None:
        """Not asked: the middleware has found the session's actor."""
        return getattr(request, "actor", None)
