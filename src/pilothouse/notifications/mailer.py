"""Mail: a message as text and simple HTML, and the session with the mail server of PILOTHOUSE_SMTP_URL.

Whatever a subject or a name holds, it becomes one line and is encoded by the standard library's own policy, which refuses line
breaks in headers. A message's id is made from its delivery's, so that one sent twice is known for the same by the receiving side.
"""

import smtplib
import ssl
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, parseaddr
from textwrap import indent
from urllib.parse import unquote, urlsplit

from django.conf import settings
from django.template.loader import render_to_string

from pilothouse.notifications import kinds
from pilothouse.notifications.engine import one_line, plain_text

TIMEOUT_SECONDS = 20.0
_PORTS = {"smtp": 25, "smtp+plain": 25, "smtps": 465}


class NotSent(Exception):
    """The mail did not go; `final` says that trying again does not help, `away` that the server as a whole is not to be had."""

    def __init__(self, reason: str, *, final: bool = False, away: bool = False) -> None:
        super().__init__(reason)
        self.final, self.away = final, away


@dataclass(frozen=True, slots=True)
class Item:
    """What one notification puts into a mail."""

    kind: str
    subject: str
    text: str
    path: str
    is_urgent: bool
    made_at: datetime
    thread: str = ""  # the record it is about: mail programs keep such mails together

    @property
    def linked_text(self) -> str:
        """Return the text with links to pages of ours made whole."""
        return self.text.replace("](/", f"]({settings.PUBLIC_URL}/")

    @property
    def plain(self) -> str:
        """Return the text as the plain part of a mail shows it."""
        return plain_text(self.linked_text)

    @property
    def indented(self) -> str:
        """Return the plain text as it stands below its subject in a digest."""
        return indent(self.plain, "  ")

    @property
    def url(self) -> str:
        """Return the whole address of what it is about, or nothing."""
        return f"{settings.PUBLIC_URL}{self.path}" if self.path else ""


@dataclass(frozen=True, slots=True)
class Recipient:
    """To whom a mail goes."""

    name: str
    email: str


def single(to: Recipient, item: Item, delivery_id: int, now: datetime) -> EmailMessage:
    """Write the mail of one notification."""
    mail = _mail(to, item.subject, f"delivery-{delivery_id}", now, {"item": item, "word": kinds.get(item.kind).word}, "mail")
    if item.is_urgent:
        mail["Importance"] = "high"
    if item.thread:
        mail["References"] = f"<{item.thread}@{_domain()}>"
    return mail


def digest(to: Recipient, items: Sequence[Item], delivery_ids: Sequence[int], now: datetime) -> EmailMessage:
    """Write the mail of many notifications, grouped by kind in the order of the kinds' words, oldest first."""
    groups: dict[str, list[Item]] = {}
    for item in sorted(items, key=lambda each: (kinds.get(each.kind).word, each.made_at)):
        groups.setdefault(kinds.get(item.kind).word, []).append(item)
    subject = f"{len(items)} messages: {', '.join(groups)}" if len(items) > 1 else items[0].subject
    name = f"digest-{min(delivery_ids)}-{max(delivery_ids)}"
    return _mail(to, subject, name, now, {"groups": groups.items(), "count": len(items)}, "digest")


def _mail(to: Recipient, subject: str, name: str, now: datetime, shown: dict[str, object], template: str) -> EmailMessage:
    shown |= {"preferences": f"{settings.PUBLIC_URL}/profile/notifications", "site": settings.PUBLIC_URL, "to": to}
    mail = EmailMessage(policy=SMTP)
    mail["From"] = _address(*parseaddr(settings.MAIL_FROM))
    mail["To"] = _address(to.name, to.email)
    mail["Subject"] = one_line(subject)
    mail["Date"] = format_datetime(now)
    mail["Message-ID"] = f"<{name}@{_domain()}>"
    mail["Auto-Submitted"] = "auto-generated"
    mail["X-Auto-Response-Suppress"] = "All"
    mail["List-Unsubscribe"] = f"<{settings.PUBLIC_URL}/profile/notifications>"
    mail.set_content(render_to_string(f"notifications/mail/{template}.txt", shown), cte="quoted-printable")
    mail.add_alternative(render_to_string(f"notifications/mail/{template}.html", shown), subtype="html", cte="quoted-printable")
    return mail


def _address(name: str, email: str) -> Address:
    """Return an address header's value; NotSent when the e-mail address is none."""
    try:
        return Address(display_name=one_line(name), addr_spec=email)
    except (ValueError, IndexError) as error:
        raise NotSent("The e-mail address is not a good one.", final=True) from error


def _domain() -> str:
    """Return the right side of message ids: the sender's own domain."""
    domain = parseaddr(settings.MAIL_FROM)[1].rpartition("@")[2]
    return domain if domain.isascii() and domain.replace("-", "").replace(".", "").isalnum() else "localhost"


class Session:
    """An open session with the mail server."""

    def __init__(self, server: smtplib.SMTP) -> None:
        self.server = server

    def send(self, mail: EmailMessage) -> None:
        """Hand a mail over; raises NotSent."""
        try:
            self.server.send_message(mail)
        except smtplib.SMTPRecipientsRefused as error:
            code, said = next(iter(error.recipients.values()))
            raise NotSent(_said(code, said), final=500 <= code < 600) from None
        except (smtplib.SMTPSenderRefused, smtplib.SMTPDataError) as error:
            raise NotSent(_said(error.smtp_code, error.smtp_error), final=500 <= error.smtp_code < 600) from None
        except smtplib.SMTPNotSupportedError:
            raise NotSent("The mail server does not take addresses with such letters.", final=True) from None
        except (smtplib.SMTPException, OSError) as error:
            raise NotSent(f"The mail server went away ({type(error).__name__}).", away=True) from None


def _said(code: int, said: bytes | str) -> str:
    text = said.decode(errors="replace") if isinstance(said, bytes) else said
    return one_line(f"The mail server said {code} {text}", 300)


@contextmanager
def session() -> Iterator[Session]:
    """Open a session with the mail server for some mails; raises NotSent (away) when there is none to be had."""
    try:
        server = _connected()
    except NotSent:
        raise
    except (smtplib.SMTPException, OSError, ValueError) as error:
        raise NotSent(_why(error), away=True) from None
    try:
        yield Session(server)
    finally:
        with suppress(smtplib.SMTPException, OSError):
            server.quit()
        server.close()


def _connected() -> smtplib.SMTP:
    url = urlsplit(settings.SMTP_URL)
    port, host = url.port or _PORTS.get(url.scheme, 25), url.hostname or ""
    if url.scheme not in _PORTS or not host:
        raise NotSent("PILOTHOUSE_SMTP_URL is not smtp://, smtps:// or smtp+plain:// and a host.", away=True)
    if url.scheme == "smtps":
        server: smtplib.SMTP = smtplib.SMTP_SSL(host, port, timeout=TIMEOUT_SECONDS, context=ssl.create_default_context())
    else:
        server = smtplib.SMTP(host, port, timeout=TIMEOUT_SECONDS)
    try:
        _enter(server, url.scheme, unquote(url.username or ""), unquote(url.password or ""))
    except BaseException:
        server.close()
        raise
    return server


def _enter(server: smtplib.SMTP, scheme: str, user: str, password: str) -> None:
    """Begin TLS where it is due, and sign in when there is a user."""
    server.ehlo()
    encrypted = scheme == "smtps"
    if scheme == "smtp" and server.has_extn("starttls"):
        server.starttls(context=ssl.create_default_context())
        server.ehlo()
        encrypted = True
    if user:
        if not encrypted and scheme != "smtp+plain":
            raise NotSent("The mail server offers no TLS, so the password was not sent.", away=True)
        try:
            server.login(user, password)
        except smtplib.SMTPServerDisconnected:  # some hang up on a wrong password instead of saying so
            raise NotSent("The mail server hung up at the sign-in: the user or the password may be wrong.", away=True) from None


def _why(error: Exception) -> str:
    """Say why there is no session, without what the settings hold."""
    if isinstance(error, smtplib.SMTPAuthenticationError):
        return f"The mail server refused the user or the password ({error.smtp_code})."
    if isinstance(error, ssl.SSLError):
        return f"No trusted connection to the mail server: {error.reason or 'TLS failed'}."
    return f"The mail server cannot be reached ({type(error).__name__})."
