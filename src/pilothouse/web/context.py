"""What the frame of every page needs, as one context value named `shell`."""

from typing import Any

from django.http import HttpRequest

from pilothouse.notifications.queries import unread_count
from pilothouse.platform.access import Actor
from pilothouse.web.home import home_of
from pilothouse.web.navigation import first_url, rail

THEMES = ("auto", "light", "dark")


def signed_in(request: HttpRequest) -> Actor | None:
    """Give the person this request comes from, or None."""
    actor: Actor | None = getattr(request, "actor", None)
    return actor if actor is not None and actor.user_id else None


def shell(request: HttpRequest) -> dict[str, Any]:
    """Context processor: the frame's own values. `request.stands_below`, if a view sets it, is the address that its page belongs to."""
    actor = signed_in(request)
    theme = request.COOKIES.get("theme", "auto")
    desk = actor is not None and actor.is_staff
    return {
        "shell": {
            "actor": actor,
            "role": actor.role.value if actor else "",
            "desk": desk,
            "rail": rail(actor, getattr(request, "stands_below", request.path)) if actor else [],
            "theme": theme if theme in THEMES else "auto",
            "home": first_url(home_of(actor) if actor else "home", "home") or "/",
            "profile": first_url("profile"),
            "sign_out": first_url("sign-out"),
            "search": first_url("search") if desk else "",
            "inbox": first_url("inbox"),
            "unread": lambda: unread_count(actor) if actor else 0,  # asked by whole pages only: parts have no frame
        }
    }
