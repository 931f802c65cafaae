"""Real receivers for what Pilothouse sends: a mail server and a web server, each in threads of this process."""

import email
import email.policy
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from tests.trees import free_port


class _Keeper:
    """Keeps what arrives; `answers` are given first, one a mail, before everything is taken."""

    def __init__(self) -> None:
        self.arrived: list[EmailMessage] = []
        self.to: list[list[str]] = []
        self.answers: list[str] = []
        self.refused: dict[str, str] = {}
        self.on_data: Callable[[], None] = lambda: None

    async def handle_RCPT(self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]) -> str:
        if address in self.refused:
            return self.refused[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        if self.answers:
            return self.answers.pop(0)
        content = envelope.content
        assert isinstance(content, bytes)
        message = email.message_from_bytes(content, policy=email.policy.default)
        assert isinstance(message, EmailMessage)
        self.arrived.append(message)
        self.to.append(list(envelope.rcpt_tos))
        self.on_data()
        return "250 OK"


class MailServer:
    """A mail server on a free port of this machine."""

    def __init__(self, **options: Any) -> None:
        self.keeper, self.port, self.options = _Keeper(), free_port(), options
        self.controller: Controller | None = None

    def start(self) -> "MailServer":
        self.controller = Controller(self.keeper, hostname="127.0.0.1", port=self.port, **self.options)
        self.controller.start()
        return self

    def stop(self) -> None:
        if self.controller:
            self.controller.stop()
            self.controller = None

    @property
    def url(self) -> str:
        return f"smtp://127.0.0.1:{self.port}"

    @property
    def arrived(self) -> list[EmailMessage]:
        return self.keeper.arrived


def only_harbour(server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: Any) -> AuthResult:
    """Let in the user "pilot" with the password "har@bour/1"."""
    good = isinstance(data, LoginPassword) and (data.login, data.password) == (b"pilot", b"har@bour/1")
    return AuthResult(success=good, handled=False)  # the server says 535 itself


@dataclass
class Call:
    """One request that arrived."""

    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class WebServer:
    """A web server on a free port; `answers` are (status, headers) given first, one a request, before 200."""

    calls: list[Call] = field(default_factory=list)
    answers: list[tuple[int, dict[str, str]]] = field(default_factory=list)
    body: bytes = b"ok"
    before: Callable[[], None] = lambda: None
    server: ThreadingHTTPServer | None = None

    def start(self) -> "WebServer":
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                outer.calls.append(Call(self.path, dict(self.headers), body))
                outer.before()
                status, headers = outer.answers.pop(0) if outer.answers else (200, {})
                self.send_response(status)
                for name, value in {"Content-Length": str(len(outer.body)), **headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(outer.body)

            do_GET = do_POST  # noqa: N815

            def log_message(self, *arguments: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, args=[0.02], daemon=True).start()
        return self

    def stop(self) -> None:
        if self.server:
            self.server.shutdown()
            self.server.server_close()
            self.server = None

    def url(self, path: str = "/hook/very-secret") -> str:
        assert self.server is not None
        return f"http://127.0.0.1:{self.server.server_address[1]}{path}"
