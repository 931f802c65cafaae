"""What a webhook is sent: the JSON that Slack and Microsoft Teams take, and a plain signed one for everything else. Pure."""

import hashlib
import hmac
import re
from datetime import datetime
from typing import Any

import orjson

_BOLD = re.compile(r"\*\*(.+?)\*\*")
_LINK = re.compile(r"\[([^\]\n]+)\]\((https?://[^)\s]+)\)")
_SLACK_TITLE, _SLACK_TEXT, _TEAMS_TEXT = 150, 2900, 8000


def slack(*, subject: str, text: str, url: str, urgent: bool) -> dict[str, Any]:
    """Return a Slack message: `text` is what a notification shows, `blocks` what the channel does.

    >>> slack(subject="A & B", text="", url="", urgent=False)["text"]
    'A &amp; B'
    """
    title = f"🔴 {subject}" if urgent else subject
    blocks: list[dict[str, Any]] = [{"type": "header", "text": {"type": "plain_text", "text": _cut(title, _SLACK_TITLE), "emoji": True}}]
    if text:
        blocks.append({"type": "section", "text": {"type": "mrkdwn", "text": _mrkdwn(_cut(text, _SLACK_TEXT))}})
    if url:
        blocks.append({"type": "section", "text": {"type": "mrkdwn", "text": f"<{url}|Open in Pilothouse>"}})
    return {"text": _escaped(title), "blocks": blocks}


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _mrkdwn(text: str) -> str:
    """Turn the little markdown that messages use into Slack's; mentions such as <!channel> come out as text."""
    return _LINK.sub(r"<\2|\1>", _BOLD.sub(r"*\1*", _escaped(text)))


def teams(*, subject: str, text: str, url: str, urgent: bool) -> dict[str, Any]:
    """Return a Teams message that carries an adaptive card."""
    title = {"type": "TextBlock", "text": subject, "weight": "Bolder", "size": "Medium", "wrap": True}
    body = [{**title, "color": "Attention"} if urgent else title]
    if text:
        body.append({"type": "TextBlock", "text": _cut(text, _TEAMS_TEXT), "wrap": True})
    card: dict[str, Any] = {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "body": body,
    }
    if url:
        card["actions"] = [{"type": "Action.OpenUrl", "title": "Open in Pilothouse", "url": url}]
    attachment = {"contentType": "application/vnd.microsoft.card.adaptive", "contentUrl": None, "content": card}
    return {"type": "message", "attachments": [attachment]}


def plain(*, delivery: int, kind: str, subject: str, text: str, url: str, urgent: bool, about: str, made_at: datetime) -> dict[str, Any]:
    """Return the JSON of our own: one flat object."""
    return {
        "delivery": delivery,
        "kind": kind,
        "subject": subject,
        "text": text,
        "url": url or None,
        "urgent": urgent,
        "about": about or None,
        "made_at": made_at.isoformat(),
    }


def written(payload: dict[str, Any]) -> bytes:
    """Write a payload as it is sent and signed."""
    return orjson.dumps(payload)


def signature(key: str, at: int, body: bytes) -> str:
    """Sign a body: HMAC-SHA256 of "<seconds since 1970>.<body>", so that an old one cannot be sent again later.

    >>> signature("k", 1, b"{}")[:7]
    't=1,v1='
    """
    return f"t={at},v1={hmac.new(key.encode(), str(at).encode() + b'.' + body, hashlib.sha256).hexdigest()}"


def _cut(text: str, longest: int) -> str:
    return text if len(text) <= longest else f"{text[: longest - 1]}…"
