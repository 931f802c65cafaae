"""What the tests of telling people share: receivers, settings that lead to them, a kind of message."""

from collections.abc import Iterator
from typing import Any

import pytest

from pilothouse.notifications import kinds
from tests.browser import chromium, site, visit
from tests.notifications.receivers import MailServer, WebServer

__all__ = ["chromium", "site", "visit"]


@pytest.fixture
def mail(settings: Any) -> Iterator[MailServer]:
    """A mail server, which the settings name."""
    server = MailServer().start()
    settings.SMTP_URL = server.url
    settings.MAIL_FROM = "Pilothouse <desk@pilothouse.example>"
    settings.PUBLIC_URL = "https://desk.example"
    yield server
    server.stop()


@pytest.fixture
def web(settings: Any) -> Iterator[WebServer]:
    """A web server to which webhooks may lead."""
    settings.WEBHOOK_PLAIN = True
    settings.WEBHOOK_HOSTS = frozenset({"127.0.0.1"})
    settings.PUBLIC_URL = "https://desk.example"
    server = WebServer().start()
    yield server
    server.stop()


@pytest.fixture(autouse=True)
def known_kinds(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two kinds of message, so that tests do not depend on which rooms tell people something."""
    monkeypatch.setattr(kinds, "_kinds", {})
    kinds.register("probe.alarm", "Alarms", about="Something burns.")
    kinds.register("probe.news", "News", about="Something happened.", mail="digest")
