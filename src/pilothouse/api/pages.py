"""The OpenAPI document and the pages that show it, all from this installation: no script of another site, none inline."""

from functools import cache

from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import get_token
from django.shortcuts import render
from django.views.decorators.http import require_safe

from pilothouse.api.problems import TITLES, ProblemOut
from pilothouse.api.root import api
from pilothouse.platform.rest import answer, dumps

_FAILURES = {
    "400": "The request is malformed",
    "401": "Nobody is signed in",
    "403": "You may not do that",
    "404": "There is no such thing, or it is not yours to see",
    "409": "The record's state does not allow it",
    "412": "Somebody else changed it in between",
    "413": "Too large",
    "422": "The input is wrong",
    "428": "If-Match is missing",
    "429": "Too many requests: see Retry-After",
    "503": "The database is away: see Retry-After",
}
_KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "schema": {"type": "string", "minLength": 1, "maxLength": 255},
    "description": "Sent again with the same key and content, the request is answered as the first time and done once.",
}
_IF_MATCH = {
    "name": "If-Match",
    "in": "header",
    "required": False,
    "schema": {"type": "string"},
    "description": "The ETag of what you read; * for whatever it is now.",
}


@cache
def _document() -> bytes:
    """Write the OpenAPI document, with what holds for every endpoint: problems, keys, versions."""
    schema = dict(api.get_openapi_schema(path_prefix="/api/v1/"))
    schema["components"]["schemas"]["Problem"] = ProblemOut.model_json_schema(ref_template="#/components/schemas/{model}")
    definitions = schema["components"]["schemas"]["Problem"].pop("$defs", {})
    schema["components"]["schemas"] |= definitions
    content = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    for operations in schema["paths"].values():
        for method, operation in operations.items():
            for status, words in _FAILURES.items():
                operation["responses"].setdefault(status, {"description": words, "content": content})
            if method == "post":
                operation.setdefault("parameters", []).append(_KEY)
            if method == "patch" or operation.get("operationId", "").endswith("move_ticket"):
                operation.setdefault("parameters", []).append(_IF_MATCH)
    return dumps(schema)


@require_safe
def openapi(request: HttpRequest) -> HttpResponse:
    """The OpenAPI 3.1 document."""
    return HttpResponse(_document(), content_type="application/json")


@require_safe
def root(request: HttpRequest) -> HttpResponse:
    """Where to go from here."""
    places = {"documentation": "docs", "openapi": "openapi.json", "tickets": "tickets", "me": "me"}
    return answer(request, {name: f"/api/v1/{place}" for name, place in places.items()})


@require_safe
def docs(request: HttpRequest) -> HttpResponse:
    """The documentation page: Swagger UI from django-ninja's package."""
    return render(request, "api/docs.html", {"csrf": get_token(request)})


@require_safe
def problems(request: HttpRequest) -> HttpResponse:
    """What the types of problems mean: where a problem's `type` leads."""
    return render(request, "api/problems.html", {"titles": TITLES})
