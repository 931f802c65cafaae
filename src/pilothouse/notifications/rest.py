"""One's own notifications over REST."""

from datetime import datetime
from typing import Annotated, Any

from django.http import HttpRequest, HttpResponse
from ninja import Router
from pydantic import BaseModel, Field

from pilothouse.notifications import actions, queries
from pilothouse.notifications.models import Notification
from pilothouse.platform import clock
from pilothouse.platform.rest import MOST_ITEMS, actor_of, answer, listing, record_id

router = Router(tags=["Notifications"])
Limit = Annotated[int, Field(ge=1, le=MOST_ITEMS)]
Word = Annotated[str, Field(max_length=200)]
Cursor = Annotated[str, Field(max_length=2000)]


class AboutOut(BaseModel):
    """The record that a notification is about."""

    kind: str
    id: int


class NotificationOut(BaseModel):
    """A message to you."""

    id: int
    kind: str
    subject: str
    text: str
    path: str
    urgent: bool
    about: AboutOut | None
    made_at: datetime
    read_at: datetime | None


class NotificationPage(BaseModel):
    """A page of notifications."""

    items: list[NotificationOut]
    next_cursor: str | None


class ReadOut(BaseModel):
    """How many were marked as read."""

    read: int


def _shape(told: Notification) -> dict[str, Any]:
    return {
        "id": told.pk,
        "kind": told.kind,
        "subject": told.subject,
        "text": told.text,
        "path": told.path,
        "urgent": told.is_urgent,
        "about": {"kind": told.about_kind, "id": told.about_id} if told.about_id else None,
        "made_at": told.made_at,
        "read_at": told.read_at,
    }


@router.get("/notifications", response=NotificationPage, summary="List your notifications")
def list_notifications(
    request: HttpRequest, unread: bool = False, cursor: Cursor = "", limit: Limit = 50, fields: Word = ""
) -> HttpResponse:
    """Newest first; your own only, whoever you are."""
    rows = queries.inbox(actor_of(request), unread=unread)
    return listing(request, rows, _shape, keys=("id",), descending=True, cursor=cursor, limit=limit, fields=fields)


@router.post("/notifications/read", response=ReadOut, summary="Mark all your notifications as read")
def read_notifications(request: HttpRequest) -> HttpResponse:
    """Answers how many were unread."""
    return answer(request, {"read": actions.mark_all_read(actor=actor_of(request), now=clock.now())})


@router.post("/notifications/{number}/read", response=NotificationOut, summary="Mark a notification as read")
def read_notification(request: HttpRequest, number: str) -> HttpResponse:
    """One that is read already keeps its instant."""
    found = actions.mark_read(actor=actor_of(request), notification_id=record_id(number, "notification"), now=clock.now())
    return answer(request, _shape(found))
