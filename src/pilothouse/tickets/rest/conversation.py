"""What is said on a ticket and attached to it."""

from typing import Annotated, Any, BinaryIO, cast

from django.conf import settings
from django.http import FileResponse, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from ninja import File, Form, Router
from ninja.files import UploadedFile
from pydantic import BaseModel, Field

from pilothouse.platform import clock
from pilothouse.platform.access import Actor
from pilothouse.platform.models import JournalEntry
from pilothouse.platform.refusals import FieldError, Missing
from pilothouse.platform.rest import EntryOut, EntryPage, TooLarge, actor_of, answer, entry_shape, listing, nothing, record_id
from pilothouse.tickets import actions
from pilothouse.tickets.actions.attaching import stored_at
from pilothouse.tickets.engine.replay import COMMENTED, NOTED
from pilothouse.tickets.models import Attachment, Ticket
from pilothouse.tickets.queries import reads_notes
from pilothouse.tickets.rest.bodies import CommentIn
from pilothouse.tickets.rest.records import Limit, entries_of, found
from pilothouse.tickets.rest.shapes import AttachmentOut, attachment_shape

router = Router(tags=["Tickets"])


class AttachmentPage(BaseModel):
    """A ticket's attachments."""

    items: list[AttachmentOut]
    next_cursor: str | None


@router.get("/{reference}/comments", response=EntryPage, summary="List comments and work notes")
def list_comments(
    request: HttpRequest, reference: str, cursor: Annotated[str, Field(max_length=2000)] = "", limit: Limit = 50
) -> HttpResponse:
    """What was said, oldest first, as journal entries: the text is in `note`. Private work notes are for staff."""
    actor = actor_of(request)
    entries = entries_of(actor, found(actor, reference)).filter(verb__in=(COMMENTED, NOTED))
    return listing(request, entries, entry_shape, keys=("seq",), cursor=cursor, limit=limit)


@router.post("/{reference}/comments", response={201: EntryOut}, summary="Comment, or write a private work note")
def comment(request: HttpRequest, reference: str, body: CommentIn) -> HttpResponse:
    """Markdown; @name mentions a colleague, who then watches the ticket."""
    actor = actor_of(request)
    ticket = found(actor, reference)
    entry = actions.comment_on_ticket(actor=actor, ticket_id=ticket.pk, text=body.text, now=clock.now(), private=body.private)
    changes = [[change.field, change.before, change.after] for change in entry.changes]
    row = JournalEntry(**{name: getattr(entry, name) for name in _ENTRY}, changes=changes)
    return answer(request, entry_shape(row), status=201)


_ENTRY = (
    *("id", "kind", "record_id", "seq", "verb", "actor_id", "happened_at", "recorded_at"),
    *("note", "private", "source", "request_id", "hash"),
)


def _attachments(actor: Actor, ticket: Ticket) -> Any:
    attached = Attachment.objects.filter(ticket=ticket)
    return attached if reads_notes(actor) else attached.filter(private=False)


@router.get("/{reference}/attachments", response=AttachmentPage, summary="List attachments")
def list_attachments(
    request: HttpRequest, reference: str, cursor: Annotated[str, Field(max_length=2000)] = "", limit: Limit = 50
) -> HttpResponse:
    """A ticket's files, oldest first."""
    actor = actor_of(request)
    attached = _attachments(actor, found(actor, reference))
    return listing(request, attached, lambda one: attachment_shape(one, request.path), keys=("id",), cursor=cursor, limit=limit)


@router.post("/{reference}/attachments", response={201: AttachmentOut}, summary="Attach a file")
def attach(request: HttpRequest, reference: str, file: File[UploadedFile], private: Form[bool] = False) -> HttpResponse:
    """multipart/form-data with `file`, and `private` for colleagues only. The type is told from the content, not the name."""
    actor = actor_of(request)
    ticket = found(actor, reference)
    most = settings.ATTACHMENT_MAX_BYTES
    if (file.size or 0) > most:
        errors = [FieldError("file", "The file is too large.", "Compress it, or link to it.")]
        raise TooLarge(f"A file has at most {most // 1024 // 1024} MB.", errors)
    made = actions.attach_file(
        actor=actor, ticket_id=ticket.pk, name=file.name or "file", content=cast(BinaryIO, file.file), now=clock.now(), private=private
    )
    location = f"{request.path}/{made.pk}"
    return answer(request, attachment_shape(made, request.path), status=201, location=location)


def _attachment(actor: Actor, reference: str, number: str) -> Attachment:
    kept: Attachment | None = _attachments(actor, found(actor, reference)).filter(pk=record_id(number, "attachment")).first()
    if kept is None:
        raise Missing("There is no such attachment.")
    return kept


@router.get("/{reference}/attachments/{number}", summary="Download an attachment")
def download(request: HttpRequest, reference: str, number: str) -> HttpResponseBase:
    """The bytes, always as a download: never shown by the browser in this site's name."""
    kept = _attachment(actor_of(request), reference, number)
    path = stored_at(kept.sha256)
    if not path.exists():
        raise Missing("The file's bytes are not in this installation's attachments folder.")
    response = FileResponse(path.open("rb"), as_attachment=True, filename=kept.name, content_type=kept.content_type)
    response["Cache-Control"] = "private, no-store"
    return response


@router.delete("/{reference}/attachments/{number}", response={204: None}, summary="Remove an attachment")
def detach(request: HttpRequest, reference: str, number: str) -> HttpResponse:
    """Take a file off its ticket; the journal keeps that it was there."""
    actor = actor_of(request)
    actions.remove_attachment(actor=actor, attachment_id=_attachment(actor, reference, number).pk, now=clock.now())
    return nothing()
