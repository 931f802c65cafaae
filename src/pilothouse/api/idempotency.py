"""Idempotency-Key: a POST that is sent again with its key gets the answer that it got, and is done once.

The answer is written in the transaction of its effect, so that a crash keeps both or neither. Two requests with one key at
once both begin; the second to finish meets the first one's row, is rolled back as a whole and gets the first one's answer.
Refusals are not kept: they changed nothing, and the request may be mended and sent again. Answers are kept for a day.
"""

import hashlib
from collections.abc import Callable
from functools import wraps
from typing import Any

import orjson
from django.db import connection, transaction
from django.http import HttpRequest, HttpResponse

from pilothouse.platform import clock
from pilothouse.platform.refusals import FieldError, Refused
from pilothouse.platform.rest import BadRequest, actor_of, entity_tag

_LONGEST = 255
Operation = Callable[..., HttpResponse]


class Mismatch(Refused):
    """The key was used before, for a request with another content."""

    status = 422
    code = "idempotency-mismatch"


class _Taken(Exception):
    """Another request with this key has finished in between."""


def idempotent(operation: Operation) -> Operation:
    """Let an endpoint honour Idempotency-Key on POST."""

    @wraps(operation)
    def run(request: HttpRequest, *args: Any, **values: Any) -> HttpResponse:
        key = request.headers.get("Idempotency-Key")
        if key is None or request.method != "POST":
            return operation(request, *args, **values)
        if not 0 < len(key) <= _LONGEST or not key.isascii() or not key.isprintable():
            raise BadRequest("The key is not one.", [FieldError("Idempotency-Key", "1 to 255 printable ASCII characters.")])
        return _once(request, key, lambda: operation(request, *args, **values))

    return run


def _once(request: HttpRequest, key: str, work: Callable[[], HttpResponse]) -> HttpResponse:
    owner, fingerprint = actor_of(request).user_id or 0, _fingerprint(request)
    if kept := _kept(owner, key, fingerprint):
        return kept
    try:
        with transaction.atomic():
            response = work()
            if response.status_code >= 400:  # endpoints raise refusals; one that returns them is rolled back all the same
                transaction.set_rollback(True)
                return response
            if not _keep(owner, key, fingerprint, response):
                raise _Taken
        return response
    except _Taken:
        kept = _kept(owner, key, fingerprint)
        assert kept is not None  # its row made this one give way
        return kept


def _fingerprint(request: HttpRequest) -> bytes:
    """Return the hash of what is asked. A form's parts are hashed, not its bytes: their boundary differs from try to try."""
    digest = hashlib.sha256(f"{request.method} {request.get_full_path()}\n".encode())
    if (request.content_type or "").startswith("multipart/"):
        for name, values in sorted(request.POST.lists()):
            digest.update(repr((name, values)).encode())
        for name, files in sorted(request.FILES.lists()):
            for file in files:
                digest.update(repr((name, file.name, file.size)).encode())
                for chunk in file.chunks():
                    digest.update(chunk)
                file.seek(0)
    else:
        digest.update(request.body)
    return digest.digest()


def _kept(owner: int, key: str, fingerprint: bytes) -> HttpResponse | None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT fingerprint, status, location, body FROM idempotency_key WHERE user_id = %s AND key = %s", [owner, key])
        row = cursor.fetchone()
    if row is None:
        return None
    if bytes(row[0]) != fingerprint:
        hint = "Use a new key for a new request."
        raise Mismatch("This key was used for another request.", [FieldError("Idempotency-Key", "It belongs to another content.", hint)])
    return _again(row[1], row[2], bytes(row[3]))


def _again(status: int, location: str, content: bytes) -> HttpResponse:
    response = HttpResponse(content, status=status, content_type="application/json") if content else HttpResponse(status=status)
    if location:
        response["Location"] = location
    body = orjson.loads(content) if content else None
    if isinstance(body, dict) and isinstance(body.get("version"), int):
        response["ETag"] = entity_tag(body["version"], content)
    response["Idempotency-Replayed"] = "true"
    return response


def _keep(owner: int, key: str, fingerprint: bytes, response: HttpResponse) -> bool:
    """Write the answer; False when another request with this key came first (waiting for it to commit or fail)."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO idempotency_key (user_id, key, fingerprint, status, location, body, created_at)"
            " VALUES (%s, %s, %s, %s, %s, %s, %s) ON CONFLICT DO NOTHING",
            [owner, key, fingerprint, response.status_code, response.get("Location", ""), response.content, clock.now()],
        )
        return bool(cursor.rowcount)
