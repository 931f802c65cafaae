"""What every REST endpoint shares: its actor, its answers and entity tags, `fields=`, lists paged by keys, the journal's shape.

Endpoints return finished answers (orjson writes them); the schemas that they declare describe them in the OpenAPI document.
"""

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any, ClassVar

import orjson
from django.core.signing import BadSignature, Signer
from django.db.models import Model, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field

from pilothouse.platform.access import Actor
from pilothouse.platform.models import JournalEntry
from pilothouse.platform.refusals import FieldError, Invalid, Missing, Refused

MAX_ID = 2**63 - 1
MOST_ITEMS = 200
_KNOWN_KEYS = orjson.OPT_NON_STR_KEYS | orjson.OPT_UTC_Z


class BadRequest(Refused):
    """The request itself is malformed."""

    status = 400
    code = "bad-request"


class Unauthorised(Refused):
    """Nobody is signed in, or the token is not (any more) a good one."""

    status = 401
    code = "unauthorised"


class TooLarge(Refused):
    """More bytes than are taken."""

    status = 413
    code = "too-large"


class PreconditionRequired(Refused):
    """A change must say which version it was made from."""

    status = 428
    code = "precondition-required"


class TooManyRequests(Refused):
    """More requests than the limit allows; `retry_after_seconds` says when to come back."""

    status: ClassVar[int] = 429
    code: ClassVar[str] = "too-many-requests"

    def __init__(self, message: str, *, retry_after_seconds: int) -> None:
        super().__init__(message)
        self.retry_after_seconds = retry_after_seconds


def _sensible(at: datetime) -> datetime:
    if not 1900 <= at.year <= 2500:
        raise ValueError("An instant lies between the years 1900 and 2500.")
    return at


Id = Annotated[int, Field(ge=1, le=MAX_ID)]
Name = Annotated[str, Field(min_length=1, max_length=254)]
Reference = Id | Name
Instant = Annotated[AwareDatetime, Field(strict=False), AfterValidator(_sensible)]


class Body(BaseModel):
    """The base of request bodies: no unknown fields, no guessing between types."""

    model_config = ConfigDict(extra="forbid", strict=True)

    def given(self, *without: str) -> dict[str, Any]:
        """Return the fields that the client sent, without the named ones."""
        return {name: getattr(self, name) for name in self.model_fields_set if name not in without}


class Ref(BaseModel):
    """A reference to another record."""

    id: int
    name: str


def ref(record: Any) -> dict[str, Any] | None:
    """Return a record that has a name as a reference to it; None as None."""
    return None if record is None else {"id": record.pk, "name": record.name}


def actor_of(request: HttpRequest) -> Actor:
    """Return the actor whom authentication found."""
    actor: Actor | None = getattr(request, "actor", None)
    if actor is None:
        raise Unauthorised("Sign in, or send a token: Authorization: Bearer ph_…")
    return actor


def record_id(text: str, word: str) -> int:
    """Read a record's id from an address; Missing when it can be none."""
    if text.isascii() and text.isdigit() and len(text) <= 19 and 0 < int(text) <= MAX_ID:
        return int(text)
    raise Missing(f"There is no such {word}.")


def dumps(body: Any) -> bytes:
    """Write JSON: instants in UTC with Z."""
    return orjson.dumps(body, option=_KNOWN_KEYS)


def entity_tag(version: int | None, content: bytes) -> str:
    """Return an entity tag: the version, which If-Match reads, and a mark of the content, which If-None-Match compares."""
    mark = hashlib.sha256(content).hexdigest()[:12]
    return f'"{mark}"' if version is None else f'"{version}-{mark}"'


def answer(request: HttpRequest, body: Any, *, status: int = 200, version: int | None = None, location: str = "") -> HttpResponse:
    """Answer with JSON and its entity tag; 304 without a body when the client has it already."""
    content = dumps(body)
    response = HttpResponse(content, content_type="application/json", status=status)
    if location:
        response["Location"] = location
    if status >= 300 or (request.method == "POST" and version is None):
        return response
    tag = entity_tag(version, content)
    if request.method == "GET" and _has_already(request, tag):
        response = HttpResponse(status=304)
    response["ETag"] = tag
    return response


def nothing() -> HttpResponse:
    """Answer that it is done and there is nothing to say."""
    return HttpResponse(status=204)


def _has_already(request: HttpRequest, tag: str) -> bool:
    sent = request.headers.get("If-None-Match", "")
    return sent.strip() == "*" or tag in (each.strip().removeprefix("W/") for each in sent.split(","))


def expected_version(request: HttpRequest, *, required: bool = False) -> int | None:
    """Return the version that If-Match asks for; None for `*` and when there is no such header.

    Only the version part of a tag counts. Without the header, a change that requires it is refused with 428.
    """
    sent = request.headers.get("If-Match", "").strip()
    if not sent and required:
        hint = "Send the ETag of what you read as If-Match, or If-Match: * to change it whatever it is now."
        errors = [FieldError("If-Match", "The header is missing.", hint)]
        raise PreconditionRequired("A change says which version it was made from.", errors)
    if sent in ("", "*"):
        return None
    version = sent.removeprefix("W/").strip('"').partition("-")[0]
    if not (version.isascii() and version.isdigit() and len(version) <= 9):
        raise BadRequest("If-Match holds no entity tag of ours.", [FieldError("If-Match", "This is not a tag that Pilothouse gave out.")])
    return int(version)


def chosen(fields: str, known: Iterable[str]) -> list[str]:
    """Read `fields=`: the wanted names in their order, all when it is empty. An unknown one is refused."""
    known = list(known)
    wanted = list(dict.fromkeys(name.strip() for name in fields.split(",") if name.strip()))
    if unknown := [name for name in wanted if name not in known]:
        hint = f"There are: {', '.join(known)}."
        raise Invalid("There is no such field.", [FieldError("fields", f"There is no field “{name}”.", hint) for name in unknown[:5]])
    return wanted or known


def only(body: Mapping[str, Any], fields: str) -> dict[str, Any]:
    """Return a body with the chosen fields, and always its id."""
    if not fields.strip():
        return dict(body)
    return {"id": body["id"], **{name: body[name] for name in chosen(fields, body)}}


def listing(
    request: HttpRequest,
    rows: "QuerySet[Any]",
    shape: Callable[[Any], Mapping[str, Any]],
    *,
    keys: Sequence[str] = ("name", "id"),
    descending: bool = False,
    cursor: str = "",
    limit: int = 50,
    fields: str = "",
) -> HttpResponse:
    """Answer with a page of rows, sorted by `keys` (the last one unique), and the cursor of the next one."""
    mark = f"{request.path}:{','.join(keys)}"
    if cursor:
        rows = rows.filter(_beyond(keys, read_cursor(cursor, mark, len(keys)), descending=descending))
    sign = "-" if descending else ""
    found: list[Model] = list(rows.order_by(*(sign + key for key in keys))[: limit + 1])
    following = write_cursor([getattr(found[limit - 1], key) for key in keys], mark) if len(found) > limit else None
    return items(request, [only(shape(row), fields) for row in found[:limit]], following)


def items(request: HttpRequest, found: list[Any], following: str | None) -> HttpResponse:
    """Answer with a page; a Link header leads to the next one as well."""
    response = answer(request, {"items": found, "next_cursor": following or None})
    if following:
        query = request.GET.copy()
        query["cursor"] = following
        response["Link"] = f'<{request.path}?{query.urlencode()}>; rel="next"'
    return response


def _beyond(keys: Sequence[str], edge: Sequence[Any], *, descending: bool) -> Q:
    sign, found = ("lt" if descending else "gt"), Q()
    for at, key in enumerate(keys):
        found |= Q(**dict(zip(keys[:at], edge[:at], strict=True))) & Q(**{f"{key}__{sign}": edge[at]})
    return found


def write_cursor(edge: list[Any], mark: str) -> str:
    """Write a signed cursor for one list."""
    return Signer(salt="rest").sign_object([mark, edge])


def read_cursor(text: str, mark: str, length: int) -> list[Any]:
    """Read a cursor of this list; Invalid when it is damaged, forged or of another one."""
    try:
        found, edge = Signer(salt="rest").unsign_object(text)
    except (BadSignature, ValueError, UnicodeError, TypeError):
        found, edge = "", []
    if found != mark or len(edge) != length:
        errors = [FieldError("cursor", "It was not given out for this list.", "Start without a cursor.")]
        raise Invalid("This page belongs to another list.", errors)
    return list(edge)


class ChangeOut(BaseModel):
    """One changed field of a journal entry."""

    field: str
    before: Any
    after: Any


class EntryOut(BaseModel):
    """A journal entry."""

    id: int
    kind: str
    record: int
    seq: int
    verb: str
    actor: int | None
    happened_at: datetime
    recorded_at: datetime
    changes: list[ChangeOut]
    note: str
    private: bool
    source: str
    request_id: str
    hash: str


class EntryPage(BaseModel):
    """A page of the journal."""

    items: list[EntryOut]
    next_cursor: str | None


def entry_shape(entry: JournalEntry) -> dict[str, Any]:
    """Return a journal entry as REST shows it."""
    return {
        "id": entry.pk,
        "kind": entry.kind,
        "record": entry.record_id,
        "seq": entry.seq,
        "verb": entry.verb,
        "actor": entry.actor_id,
        "happened_at": entry.happened_at,
        "recorded_at": entry.recorded_at,
        "changes": [{"field": name, "before": before, "after": after} for name, before, after in entry.changes],
        "note": entry.note,
        "private": entry.private,
        "source": entry.source,
        "request_id": entry.request_id,
        "hash": bytes(entry.hash).hex(),
    }
