"""A served site for REST tests, in a process of its own: that of the browser tests, with a token for each person beside the sessions."""

import json
import socket
import sys

from tests import serve_site  # sets Django up

# ruff: isort: split
from pilothouse.people import actions
from pilothouse.people.models import Team, User
from pilothouse.platform import clock
from pilothouse.platform.garbage import without_collecting


def _token(handle: str) -> str:
    actor = serve_site.actor(User.objects.get(email=f"{handle}@example.org"))
    return actions.issue_token(actor=actor, name="tests", now=clock.now()).secret


def main() -> None:
    """Seed, say where, serve."""
    sessions = serve_site.seed()
    Team.objects.create(name="Payroll", key="payroll", is_restricted=True)
    tokens = {handle: _token(handle) for handle in sessions}
    people = dict(User.objects.values_list("email", "pk"))
    with without_collecting():
        from pilothouse.asgi import serve  # the server's modules are heavy, and the seed does not need them

    listening = socket.socket()
    listening.bind(("127.0.0.1", 0))
    listening.listen(128)
    sys.stdout.write(json.dumps({"port": listening.getsockname()[1], "sessions": sessions, "tokens": tokens, "people": people}) + "\n")
    sys.stdout.flush()
    serve(listening)


if __name__ == "__main__":
    main()
