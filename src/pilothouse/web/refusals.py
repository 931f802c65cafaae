"""Refusals that a view did not show beside its form become error pages.

A view that has a form catches `Refused` itself and shows it there (`web/parts/refusal.html`). What reaches this
middleware is a refusal with no form to stand beside: a record one may not see, an action without a page.
"""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from pilothouse.platform.refusals import Refused
from pilothouse.web import errors


class RefusalMiddleware:
    """Turn a `Refused` that left a view into an answer with its status."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """Answer refusals; leave every other exception to Django."""
        if not isinstance(exception, Refused):
            return None
        if request.headers.get("HX-Request"):
            return render(request, "web/parts/refusal.html", {"refusal": exception}, status=exception.status)
        return errors.page(request, exception.status, "" if exception.status == 404 else exception.message)
