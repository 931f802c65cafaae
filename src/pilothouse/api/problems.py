"""Problem details (RFC 9457): every answer that is not a success says what is wrong, where, and what to do."""

import logging
from collections.abc import Iterable, Mapping
from http import HTTPStatus
from typing import Any

from django.core.exceptions import RequestDataTooBig, SuspiciousOperation
from django.http import Http404, HttpRequest, HttpResponse, UnreadablePostError
from django.http.multipartparser import MultiPartParserError
from ninja import NinjaAPI
from ninja.errors import HttpError, ValidationError
from pydantic import BaseModel

from pilothouse.platform.outage import outage
from pilothouse.platform.refusals import FieldError, Refused, StaleVersion
from pilothouse.platform.rest import TooManyRequests, dumps

TYPES = "/api/v1/problems#"
_log = logging.getLogger(__name__)
TITLES = {
    "invalid": "The input is wrong",
    "guard": "The record's state does not allow it",
    "stale-version": "Somebody else changed it in between",
    "forbidden": "You may not do that",
    "not-found": "There is no such thing",
    "unauthorised": "Who are you?",
    "too-large": "Too large",
    "bad-request": "The request is malformed",
    "precondition-required": "Say which version you read",
    "too-many-requests": "Too many requests",
    "idempotency-mismatch": "The key was used for another request",
}


class ErrorOut(BaseModel):
    """One thing wrong with one field: `tickets[3].title`."""

    field: str
    message: str
    hint: str


class ProblemOut(BaseModel):
    """Problem details, RFC 9457."""

    type: str
    title: str
    status: int
    detail: str
    errors: list[ErrorOut]
    request_id: str


def problem(
    request: HttpRequest, status: int, code: str, detail: str, *, errors: Iterable[FieldError] = (), more: Mapping[str, Any] | None = None
) -> HttpResponse:
    """Answer with problem details; `more` are extension members."""
    body = {
        "type": f"{TYPES}{code}",
        "title": TITLES.get(code) or HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        "errors": [{"field": error.field, "message": error.message, "hint": error.hint} for error in errors],
        "request_id": getattr(request, "request_id", ""),
        **(more or {}),
    }
    response = HttpResponse(dumps(body), status=status, content_type="application/problem+json")
    if status == 401:
        response["WWW-Authenticate"] = 'Bearer realm="Pilothouse"'
    return response


def refusal(request: HttpRequest, refused: Refused) -> HttpResponse:
    """Answer a refusal of an action, a query or an endpoint."""
    more: dict[str, Any] = dict(getattr(refused, "more", {}))
    if isinstance(refused, StaleVersion):
        more |= {"version": refused.version, "current": refused.current, "attempted": refused.attempted}
    response = problem(request, refused.status, refused.code, refused.message, errors=refused.errors, more=more)
    if isinstance(refused, TooManyRequests):
        response["Retry-After"] = str(refused.retry_after_seconds)
    return response


def install(api: NinjaAPI) -> None:
    """Let an API answer every failure with problem details."""
    api.add_exception_handler(Refused, refusal)  # type: ignore[arg-type]
    api.add_exception_handler(ValidationError, _invalid)  # type: ignore[arg-type]
    api.add_exception_handler(HttpError, _http)  # type: ignore[arg-type]
    api.add_exception_handler(Http404, _missing)  # type: ignore[arg-type]
    for malformed in (SuspiciousOperation, MultiPartParserError, UnreadablePostError, UnicodeError):
        api.add_exception_handler(malformed, _malformed)  # type: ignore[arg-type]
    api.add_exception_handler(Exception, _broken)  # type: ignore[arg-type]


def _missing(request: HttpRequest, error: Exception) -> HttpResponse:
    return missing(request)


def missing(request: HttpRequest) -> HttpResponse:
    """Answer that an address leads nowhere."""
    return problem(request, 404, "not-found", "There is nothing at this address.")


def _malformed(request: HttpRequest, error: Exception) -> HttpResponse:
    if isinstance(error, RequestDataTooBig):
        return problem(request, 413, "too-large", "The body has more bytes than are taken.")
    return problem(request, 400, "bad-request", "The request cannot be read.")


def _http(request: HttpRequest, error: HttpError) -> HttpResponse:
    cause = error.__cause__
    if isinstance(cause, Refused):
        return refusal(request, cause)
    if isinstance(cause, SuspiciousOperation | MultiPartParserError | UnreadablePostError):
        return _malformed(request, cause)
    if error.status_code == 401:
        return problem(request, 401, "unauthorised", "Sign in, or send a token: Authorization: Bearer ph_…")
    if error.status_code == 400:
        return problem(request, 400, "bad-request", "The body is not JSON in UTF-8.")
    return problem(request, error.status_code, "bad-request", error.message)


def _invalid(request: HttpRequest, error: ValidationError) -> HttpResponse:
    found: dict[str, list[str]] = {}
    for each in error.errors:
        found.setdefault(_path(each["loc"]), []).append(_sentence(each))
    errors = [FieldError(path, " Or: ".join(dict.fromkeys(messages))) for path, messages in found.items()]
    return problem(request, 422, "invalid", "The request was understood but its content is wrong; nothing was changed.", errors=errors)


def _path(where: Iterable[Any]) -> str:
    """Write a place as people do (`tickets[3].title`): without ninja's own parts and the names of union members."""
    parts = [*where][1:]
    if parts and parts[0] in ("body", "payload"):
        parts = parts[1:]
    path = ""
    for part in parts:
        if isinstance(part, int):
            path += f"[{part}]"
        elif part.replace("_", "").replace("-", "").isalnum() and part not in _UNION_MEMBERS:
            path += f".{part}" if path else part
    return path or "body"


_UNION_MEMBERS = frozenset({"int", "str", "bool", "constrained-int", "constrained-str", "list", "dict"})


def _sentence(error: Mapping[str, Any]) -> str:
    words = str(error.get("msg", "wrong")).removeprefix("Value error, ")
    return words if words.endswith(".") else f"{words}."


def _broken(request: HttpRequest, error: Exception) -> HttpResponse:
    if found := outage(error):
        response = problem(request, found.status, "outage", found.text)
        response["Retry-After"] = str(found.retry_after_seconds)
        return response
    _log.error("REST %s %s failed", request.method, request.path, exc_info=error)
    text = "Something broke on our side. Nothing half-done was kept. If it happens again, tell the administrator this request's id."
    return problem(request, 500, "broken", text)
