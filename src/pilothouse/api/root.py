"""The REST root: the rooms' routers under one door that authenticates, limits, repeats safely and explains itself."""

from typing import Any

import orjson
from django.http import HttpRequest
from ninja import NinjaAPI
from ninja.parser import Parser

from pilothouse import __version__
from pilothouse.api import problems
from pilothouse.api.auth import Session, Token
from pilothouse.api.idempotency import idempotent
from pilothouse.api.journal import router as journal
from pilothouse.changes.rest import router as changes
from pilothouse.cmdb.rest import router as cmdb
from pilothouse.notifications.rest import router as notifications
from pilothouse.people.rest import router as people
from pilothouse.platform.refusals import FieldError, Invalid
from pilothouse.problems.candidate_rest import router as candidates
from pilothouse.problems.problem_rest import router as problem_records
from pilothouse.sla.rest import router as service_levels
from pilothouse.tickets.rest import ROUTERS

_ABOUT = """Everything that Pilothouse's pages do with tickets, under the same rules. How errors, versions, idempotency keys, pages
and limits work: the documentation of the REST interface (docs/rest.md)."""
_DEEPEST = 40


class JsonParser(Parser):
    """Reads bodies strictly: UTF-8, no NUL characters (PostgreSQL's text has none), no bottomless nesting."""

    def parse_body(self, request: HttpRequest) -> Any:
        """Return the body's JSON; raises Invalid and orjson.JSONDecodeError, both of which are answered as problems."""
        content = request.body
        found = orjson.loads(content)
        if b"\\u0000" in content and (path := _nul(found, "", 0)):
            raise Invalid("The body holds a NUL character.", [FieldError(path, "Text has no NUL characters.")])
        return found


def _nul(value: Any, path: str, depth: int) -> str:
    """Return the path of the first text with a NUL character."""
    if isinstance(value, str):
        return (path or "body") if "\x00" in value else ""
    if depth > _DEEPEST:
        return path
    parts = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, part in parts:
        if isinstance(key, str) and "\x00" in key:
            return path or "body"
        place = f"{path}[{key}]" if isinstance(key, int) else f"{path}.{key}" if path else key
        if found := _nul(part, place, depth + 1):
            return found
    return ""


api = NinjaAPI(
    title="Pilothouse",
    version=__version__,
    description=_ABOUT,
    urls_namespace="api-v1",
    openapi_url=None,
    docs_url=None,
    auth=[Token(), Session()],
    parser=JsonParser(),
)
api.add_decorator(idempotent)
for _prefix, _router in ROUTERS:
    api.add_router(_prefix, _router)
api.add_router("", changes)
api.add_router("", people)
api.add_router("", cmdb)
api.add_router("", notifications)
api.add_router("", service_levels)
api.add_router("", candidates)
api.add_router("", problem_records)
api.add_router("", journal)
problems.install(api)
