"""Attachments: hostile until shown otherwise. The content is sniffed, the bytes are kept under their hash outside any web root."""

import hashlib
import os
import tempfile
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path, PurePath
from typing import BinaryIO

import puremagic
from django.conf import settings
from django.db import transaction

from pilothouse.platform import journal
from pilothouse.platform.access import Actor, Capability
from pilothouse.platform.journal import Change, Draft
from pilothouse.platform.refusals import FieldError, Forbidden, Invalid, Missing
from pilothouse.tickets.access import get_ticket, may_work
from pilothouse.tickets.models import Attachment

# What may be attached, by what the content shows itself to be (never by its name alone).
ALLOWED = {
    "image/png",
    "image/jpeg",
    "image/gif",
    "image/webp",
    "application/pdf",
    "application/zip",
    "application/gzip",
    "application/json",
    "message/rfc822",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "application/vnd.openxmlformats-officedocument.presentationml.presentation",
    "application/vnd.oasis.opendocument.text",
    "application/vnd.oasis.opendocument.spreadsheet",
    "application/msword",
    "application/vnd.ms-excel",
    "application/vnd.ms-outlook",
    "video/mp4",
    "text/plain",
}
_CHUNK = 1024 * 1024


def attach_file(*, actor: Actor, ticket_id: int, name: str, content: BinaryIO, now: datetime, private: bool = False) -> Attachment:
    """Attach a file to a ticket; `content` is read once, in pieces. Raises Invalid when it is too large, empty or of a type
    that is not allowed. The bytes are on disk before the row is written, so that a crash leaves at most an unused file.
    """
    ticket = get_ticket(actor, ticket_id)
    if not actor.can(Capability.RAISE_TICKETS) or (private and not may_work(actor, ticket)):
        raise Forbidden("You may not attach files here.")
    sha256, size, content_type = _keep(content, name)
    with transaction.atomic():
        get_ticket(actor, ticket_id, lock=True)
        attachment = Attachment.objects.create(
            ticket=ticket,
            name=clean_name(name),
            sha256=sha256,
            size=size,
            content_type=content_type,
            private=private,
            added_by_id=actor.user_id,
            added_at=now,
        )
        facts = {"id": attachment.pk, "name": attachment.name, "sha256": sha256, "size": size}
        draft = Draft("ticket", ticket.pk, "ticket.attached", (Change("attachment", None, facts),), private=private)
        journal.record(actor, [draft], now=now)
    return attachment


def remove_attachment(*, actor: Actor, attachment_id: int, now: datetime) -> None:
    """Take an attachment off its ticket; the bytes stay until no row names them (other tickets may)."""
    with transaction.atomic():
        attachment = Attachment.objects.filter(pk=attachment_id).first()
        if attachment is None:
            raise Missing("There is no such attachment.")
        ticket = get_ticket(actor, attachment.ticket_id, lock=True)
        if not may_work(actor, ticket) and attachment.added_by_id != actor.user_id:
            raise Forbidden("You may not remove this file.")
        facts = {"id": attachment.pk, "name": attachment.name, "sha256": attachment.sha256, "size": attachment.size}
        draft = Draft("ticket", ticket.pk, "ticket.detached", (Change("attachment", facts, None),), private=attachment.private)
        journal.record(actor, [draft], now=now)
        attachment.delete()


def _keep(content: BinaryIO, name: str) -> tuple[str, int, str]:
    """Write the bytes under their hash and return hash, size and type; what is refused leaves nothing behind."""
    settings.ATTACHMENTS.mkdir(parents=True, exist_ok=True)
    digest, size, head = hashlib.sha256(), 0, b""
    draft = tempfile.NamedTemporaryFile(dir=settings.ATTACHMENTS, prefix=".draft-", delete=False)  # noqa: SIM115 renamed, not deleted
    try:
        with draft:
            for chunk in _chunks(content):
                head = head or chunk[:8192]
                size += len(chunk)
                _check_size(size)
                digest.update(chunk)
                draft.write(chunk)
            draft.flush()
            os.fsync(draft.fileno())
        if size == 0:
            raise Invalid("The file was not attached.", [FieldError("file", "The file is empty.")])
        content_type = _allowed_type(head, name)
        path = stored_at(digest.hexdigest())
        path.parent.mkdir(parents=True, exist_ok=True)
        Path(draft.name).replace(path)
    finally:
        Path(draft.name).unlink(missing_ok=True)
    return digest.hexdigest(), size, content_type


def _allowed_type(head: bytes, name: str) -> str:
    content_type = sniff(head, name)
    if content_type not in ALLOWED:
        message = f"Files of this type are not taken: the content looks like {content_type}."
        raise Invalid(
            "The file was not attached.", [FieldError("file", message, "Put it in a zip archive, or attach a PDF, picture or text.")]
        )
    return content_type


def _chunks(content: BinaryIO) -> Iterable[bytes]:
    while chunk := content.read(_CHUNK):
        yield chunk


def _check_size(size: int) -> None:
    if size > settings.ATTACHMENT_MAX_BYTES:
        most = settings.ATTACHMENT_MAX_BYTES // 1024 // 1024
        raise Invalid("The file was not attached.", [FieldError("file", f"A file has at most {most} MB.", "Compress it, or link to it.")])


def stored_at(sha256: str) -> Path:
    """Return where the bytes of this hash lie."""
    return Path(settings.ATTACHMENTS) / sha256[:2] / sha256


def clean_name(name: str) -> str:
    """Return a file name without folders and control characters, at most 200 characters."""
    bare = PurePath(name.replace("\\", "/")).name
    kept = "".join(c for c in bare if c.isprintable() and c not in '"<>|:*?')[-200:].strip()
    return kept if kept.strip(".") else "file"


def sniff(head: bytes, name: str) -> str:
    """Return the media type that the first bytes show; text of any kind is text/plain, whatever it is named."""
    if _is_text(head):
        return "text/plain"
    try:
        return puremagic.from_string(head, mime=True, filename=name) or "application/octet-stream"
    except puremagic.PureError:
        return "application/octet-stream"


def _is_text(head: bytes) -> bool:
    if b"\x00" in head or head.startswith((b"%PDF", b"PK\x03\x04")):
        return False
    try:
        head.decode()
    except UnicodeDecodeError as error:
        return error.start > len(head) - 4 > 0  # a character cut by the end of the sample
    return True
