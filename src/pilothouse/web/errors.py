"""Error pages: each says what happened, what was lost (nothing) and what to do next."""

import sys
from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render

from pilothouse.platform.outage import Outage, outage


@dataclass(frozen=True)
class Words:
    """What one error page says."""

    title: str
    text: str


WORDS = {
    400: Words("That request does not make sense", "An address or a form was not what this page expects. Nothing was changed."),
    403: Words("You may not do that", "Your role does not allow it. Nothing was changed. An administrator can widen your role."),
    404: Words("There is nothing here", "The address is wrong, the record does not exist, or it is not yours to see."),
    409: Words("That cannot be done now", "The record is in a state that does not allow it. Nothing was changed."),
    500: Words(
        "Something broke on our side",
        "Nothing half-done was kept. Try again; if it happens again, tell the administrator when it happened.",
    ),
}


def page(request: HttpRequest, status: int, detail: str = "") -> HttpResponse:
    """Answer with an error page of this status; `detail` replaces the general text.

    A status without words of its own is shown with those of 409: a refusal that changed nothing.
    """
    words = WORDS.get(status, WORDS[409])
    context = {"status": status, "words": words, "detail": detail}
    return render(request, "web/error.html", context, status=status)


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """Django's handler400."""
    return page(request, 400)


def forbidden(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """Django's handler403."""
    return page(request, 403)


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """Django's handler404."""
    return page(request, 404)


def server_error(request: HttpRequest) -> HttpResponse:
    """Django's handler500: a page that needs neither database nor session; an outage is told as one."""
    if found := outage(sys.exc_info()[1]):
        return _outage_answer(request, found)
    return render(None, "web/error_plain.html", {"words": WORDS[500]}, status=500)


def _outage_answer(request: HttpRequest, found: Outage) -> HttpResponse:
    """Say that the ground is away and when to try again: to programs as problem details, to people as a page."""
    answer: HttpResponse
    if request.path.startswith("/api/"):
        problem = {"type": "about:blank", "title": found.title, "status": found.status, "detail": found.text}
        answer = JsonResponse(problem, status=found.status, content_type="application/problem+json")
    else:
        words = Words(found.title, found.text)
        answer = render(None, "web/error_plain.html", {"words": words, "status": found.status}, status=found.status)
    answer["Retry-After"] = str(found.retry_after_seconds)
    return answer


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Answer a form whose token is missing or old; named by CSRF_FAILURE_VIEW."""
    return page(request, 403, "This form was open too long or came from another site. Go back, reload the page and send it again.")
