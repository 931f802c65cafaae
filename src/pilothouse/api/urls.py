"""Addresses of REST: the rooms' endpoints, the OpenAPI document, its page, and a problem for everything else."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, include, path, re_path
from django.views.decorators.csrf import csrf_exempt

from pilothouse.api import pages, problems
from pilothouse.api.root import api

View = Callable[..., HttpResponse]


def _explained(view: View) -> View:
    """Let a method that an address does not take be told as a problem too."""

    @wraps(view)
    def run(request: HttpRequest, *args: Any, **values: Any) -> HttpResponse:
        response = view(request, *args, **values)
        if response.status_code != 405:
            return response
        allowed = response.get("Allow", "")
        told = problems.problem(request, 405, "method", f"This address takes {allowed or 'no such method'}.")
        told["Allow"] = allowed
        return told

    return run


def _endpoints() -> list[URLPattern]:
    found, _, _ = api.urls
    for pattern in found:
        if isinstance(pattern, URLPattern):
            pattern.callback = _explained(pattern.callback)
    return [pattern for pattern in found if isinstance(pattern, URLPattern) and str(pattern.pattern) != ""]


@csrf_exempt
def nowhere(request: HttpRequest) -> HttpResponse:
    """Answer any other address under /api/."""
    return problems.missing(request)


urlpatterns = [
    path("api/v1/", pages.root, name="api-root"),
    path("api/v1/openapi.json", pages.openapi, name="api-openapi"),
    path("api/v1/docs", pages.docs, name="api-docs"),
    path("api/v1/problems", pages.problems, name="api-problems"),
    path("api/v1/", include(_endpoints())),
    re_path(r"^api(?:/.*)?$", nowhere),
]
