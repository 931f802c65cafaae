"""HTTP to addresses that people typed in: taken for hostile, so that nobody makes this machine talk to its own network.

Only https (http with PILOTHOUSE_WEBHOOK_PLAIN=1). A name is resolved here, every address it has must be a public one unless the host is
in PILOTHOUSE_WEBHOOK_HOSTS, and the connection goes to the very address that was looked at: a name that changes its mind in between
gains nothing. Redirects are not followed, proxies of the environment not used, the answer is read up to a bound, and the whole
exchange ends by a deadline however slowly the other side speaks. Errors name the host at most, never path, query or credentials.
"""

import contextlib
import http.client
import ipaddress
import socket
import ssl
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

from django.conf import settings

CONNECT_SECONDS = 5.0
WHOLE_SECONDS = 15.0
LONGEST_ANSWER = 64 * 1024
_MOST_PLACES = 3
_BAD_SIGNS = frozenset(chr(code) for code in range(33)) | {"\x7f", "\\"}


class Refuses(Exception):
    """The address may not be asked at all; trying again does not help."""


class Unreachable(Exception):
    """No answer came: worth another try."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: the status, how long to wait when it says so, and the beginning of the body."""

    status: int
    retry_after_seconds: float | None
    body: bytes


def address_faults(url: str) -> list[str]:
    """Say what is wrong with an address as it is typed, without asking the network; empty when it may be tried."""
    try:
        _read(url)
    except Refuses as refusal:
        return [str(refusal)]
    return []


def _read(url: str) -> SplitResult:
    """Read an address; raises Refuses."""
    if len(url) > 2000 or _BAD_SIGNS & set(url) or not url.isascii():
        raise Refuses("This is not a web address: no spaces, no other signs than ASCII, at most 2,000 characters.")
    try:
        found = urlsplit(url)
        host, port = found.hostname, found.port
    except ValueError:
        raise Refuses("This is not a web address.") from None
    if found.scheme not in (("https", "http") if settings.WEBHOOK_PLAIN else ("https",)):
        raise Refuses("The address begins with https://.")
    if not host or port == 0:
        raise Refuses("The address names no host.")
    if found.username is not None or found.password is not None:
        raise Refuses("The address must not hold a user or a password.")
    with contextlib.suppress(ValueError):
        _check(host, ipaddress.ip_address(host))
    return found


def _check(host: str, address: "ipaddress.IPv4Address | ipaddress.IPv6Address") -> None:
    """Let only public addresses pass, unless the host is allowed by name; raises Refuses."""
    if host.lower() in settings.WEBHOOK_HOSTS:
        return
    inner = _inner(address)
    if not inner.is_global or inner.is_multicast or inner.is_reserved or inner.is_unspecified or inner.is_loopback or inner.is_link_local:
        raise Refuses("The host is not on the public internet. An administrator can allow it in PILOTHOUSE_WEBHOOK_HOSTS.")


def _inner(address: "ipaddress.IPv4Address | ipaddress.IPv6Address") -> "ipaddress.IPv4Address | ipaddress.IPv6Address":
    """Return the IPv4 address that an IPv6 one stands for, if it does (mapped, 6to4, Teredo, NAT64): those reach inside too."""
    if isinstance(address, ipaddress.IPv4Address):
        return address
    if address in ipaddress.ip_network("64:ff9b::/96") or address in ipaddress.ip_network("::/96"):
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour or (address.teredo[1] if address.teredo else address)


Place = tuple[int, str]  # the socket family and the address


def _resolved(host: str, port: int) -> list[Place]:
    """Return where to connect to, in order; every address that the name has must pass. Raises Refuses, Unreachable."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise Unreachable(f"The name {host} was not found.") from error
    for _, _, _, _, place in found:
        _check(host, ipaddress.ip_address(str(place[0]).partition("%")[0]))
    return [(int(family), str(place[0])) for family, _, _, _, place in found[:_MOST_PLACES]]


class _Connection(http.client.HTTPConnection):
    """A connection to one of the addresses that were checked, speaking for one host; closed for good at its deadline."""

    def __init__(self, host: str, port: int, *, places: list[Place], tls: bool) -> None:
        super().__init__(host, port, timeout=CONNECT_SECONDS)
        self.default_port = 443 if tls else 80
        self.places, self.tls = places, tls
        self.raw: socket.socket | None = None
        self.hung_up = False

    def connect(self) -> None:
        last: OSError | None = None
        for family, address in self.places:
            self.raw = socket.socket(family, socket.SOCK_STREAM)
            self.raw.settimeout(CONNECT_SECONDS)
            try:
                self.raw.connect((address, self.port))
                break
            except OSError as error:
                last = error
                self.raw.close()
        else:
            raise last or OSError("no address")
        if self.tls:
            wrapped = ssl.create_default_context().wrap_socket(self.raw, server_hostname=self.host, do_handshake_on_connect=False)
            self.raw = wrapped  # known before the handshake, so that the deadline ends that too
            wrapped.do_handshake()
        self.sock = self.raw

    def shut(self) -> None:
        """Close the connection, one that never came to be used too."""
        self.close()
        if self.raw is not None:
            self.raw.close()

    def hang_up(self) -> None:
        """End the connection from another thread: a read that waits comes back at once."""
        self.hung_up = True
        if self.raw is not None:
            with contextlib.suppress(OSError):
                self.raw.shutdown(socket.SHUT_RDWR)


def post(url: str, body: bytes, headers: Mapping[str, str]) -> Answer:
    """Send a body by POST and return the answer, whatever its status. Raises Refuses and Unreachable."""
    parts = _read(url)
    host, tls = str(parts.hostname), parts.scheme == "https"
    port = parts.port or (443 if tls else 80)
    connection = _Connection(host, port, places=_resolved(host, port), tls=tls)
    deadline = threading.Timer(WHOLE_SECONDS, connection.hang_up)
    deadline.daemon = True
    deadline.start()
    try:
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        connection.request("POST", target, body=body, headers=dict(headers))
        answer = connection.getresponse()
        found = Answer(answer.status, _wait(answer.getheader("Retry-After")), answer.read(LONGEST_ANSWER))
        if connection.hung_up:  # what ends there looks like the end of an answer
            raise TimeoutError
        return found
    except ssl.SSLError as error:
        raise Unreachable(f"No trusted connection to {host}: {error.reason or 'TLS failed'}.") from None
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise Unreachable(f"No answer from {host} ({type(error).__name__}).") from None
    finally:
        deadline.cancel()
        connection.shut()


def _wait(text: str | None) -> float | None:
    """Read Retry-After in seconds; dates and nonsense are passed over."""
    return float(text) if text and text.isascii() and text.isdigit() and len(text) < 9 else None
