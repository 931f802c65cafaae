"""HTTP to addresses that people typed in: what is refused, and what a hostile receiver can do."""

import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pilothouse.notifications import outgoing
from pilothouse.notifications.outgoing import Refuses, Unreachable
from tests.notifications.receivers import WebServer


@pytest.fixture
def plain(settings: Any) -> None:
    settings.WEBHOOK_PLAIN, settings.WEBHOOK_HOSTS = True, frozenset()


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "127.1",  # what a resolver reads as 127.0.0.1
        "2130706433",
        "0x7f.0.0.1",
        "localhost",
        "10.0.0.8",
        "172.16.3.4",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "0.0.0.0",
        "224.0.0.1",
        "255.255.255.255",
        "[::1]",
        "[::]",
        "[fe80::1]",
        "[fc00::1]",
        "[::ffff:10.0.0.8]",
        "[::10.0.0.8]",
        "[64:ff9b::10.0.0.8]",
        "[2002:0a00:0008::1]",
    ],
)
def test_addresses_inside_are_refused(host: str, plain: None) -> None:
    with pytest.raises(Refuses, match="not on the public internet"):
        outgoing.post(f"http://{host}:9/", b"{}", {})


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("http://hooks.example.org/x", "begins with https"),
        ("ftp://hooks.example.org/x", "begins with https"),
        ("file:///etc/passwd", "begins with https"),
        ("https://", "names no host"),
        ("https://me:secret@hooks.example.org/", "user or a password"),
        ("https://hooks.example.org:99999/", "not a web address"),
        ("https://hooks.example.org:0/", "names no host"),
        ("https://[::1", "not a web address"),
        ("https://hooks.example.org/a b", "not a web address"),
        ("https://hooks.example.org/\r\nHost: x", "not a web address"),
        ("https://hooks.example.org\\@127.0.0.1/", "not a web address"),
        ("https://высок.example.org/", "not a web address"),
        ("https://10.0.0.8/x", "public internet"),
        ("", "begins with https"),
    ],
)
def test_what_is_no_address_is_refused_when_it_is_typed(url: str, said: str) -> None:
    [fault] = outgoing.address_faults(url)
    assert said in fault


def test_one_inner_address_of_a_name_is_one_too_many(plain: None, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def resolve(host: str, port: int, **more: Any) -> list[Any]:
        asked.append(host)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in ("93.184.216.34", "10.0.0.8")]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    with pytest.raises(Refuses):
        outgoing.post("http://rebind.example.org/", b"{}", {})
    assert asked == ["rebind.example.org"]


def test_the_connection_goes_to_the_address_that_was_looked_at(web: WebServer, settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A name that leads elsewhere when it is asked a second time is not asked a second time."""
    settings.WEBHOOK_HOSTS = frozenset({"hooks.example.org"})
    assert web.server
    port, asked = web.server.server_address[1], []

    def resolve(host: str, port: int, **more: Any) -> list[Any]:
        asked.append(host)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1" if len(asked) == 1 else "127.0.0.2", port))]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    assert outgoing.post(f"http://hooks.example.org:{port}/a?b=c", b"{}", {}).status == 200
    assert (asked, web.calls[0].path, web.calls[0].headers["Host"]) == (["hooks.example.org"], "/a?b=c", f"hooks.example.org:{port}")


def test_a_redirect_is_not_followed(web: WebServer) -> None:
    web.answers = [(302, {"Location": web.url("/inside")})]
    assert outgoing.post(web.url(), b"{}", {}).status == 302
    assert [call.path for call in web.calls] == ["/hook/very-secret"]


def test_the_proxy_of_the_environment_is_not_used(web: WebServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    assert outgoing.post(web.url(), b"{}", {}).status == 200


def test_of_a_long_answer_only_the_beginning_is_read(web: WebServer) -> None:
    web.body = b"x" * 5_000_000
    assert len(outgoing.post(web.url(), b"{}", {}).body) == outgoing.LONGEST_ANSWER


@pytest.mark.parametrize("drips", [b"H", b"HTTP/1.1 200 OK\r\n"])
def test_who_speaks_slowly_is_hung_up_on(drips: bytes, web: WebServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outgoing, "WHOLE_SECONDS", 0.5)
    listening = socket.create_server(("127.0.0.1", 0))

    def drip() -> None:
        with listening, listening.accept()[0] as talking:
            try:
                talking.sendall(drips)
                while True:
                    talking.sendall(b"X-A: b\r\n" if len(drips) > 1 else b" ")
                    time.sleep(0.05)
            except OSError:
                return

    thread = threading.Thread(target=drip)
    thread.start()
    began = time.monotonic()
    with pytest.raises(Unreachable, match="No answer from"):
        outgoing.post(f"http://127.0.0.1:{listening.getsockname()[1]}/secret", b"{}", {})
    assert time.monotonic() - began < 4
    thread.join()


@pytest.mark.parametrize("answer", [b"", b"nonsense\r\n\r\n", b"HTTP/1.1 999999 x\r\n\r\n", b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 500])
def test_nonsense_is_no_answer(answer: bytes, web: WebServer) -> None:
    listening = socket.create_server(("127.0.0.1", 0))

    def speak() -> None:
        with listening, listening.accept()[0] as talking:
            talking.recv(65536)
            talking.sendall(answer)

    thread = threading.Thread(target=speak)
    thread.start()
    with pytest.raises(Unreachable):
        outgoing.post(f"http://127.0.0.1:{listening.getsockname()[1]}/", b"{}", {})
    thread.join()


@pytest.fixture
def tls(tmp_path: Path) -> Iterator[tuple[WebServer, Path]]:
    """A web server with a certificate for localhost that nobody signed."""
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    made = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"]
    made += ["-keyout", str(key), "-out", str(certificate), "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"]
    subprocess.run(made, check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    server = WebServer().start()
    assert server.server
    server.server.socket = context.wrap_socket(server.server.socket, server_side=True)
    yield server, certificate
    server.stop()


def test_a_certificate_is_checked_for_the_name(tls: tuple[WebServer, Path], settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    server, certificate = tls
    settings.WEBHOOK_HOSTS = frozenset({"localhost", "127.0.0.1"})
    url = server.url().replace("http://127.0.0.1", "https://localhost")
    with pytest.raises(Unreachable, match="No trusted connection to localhost"):
        outgoing.post(url, b"{}", {})
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    assert outgoing.post(url, b"{}", {}).status == 200
    with pytest.raises(Unreachable, match="No trusted connection"):
        outgoing.post(url.replace("localhost", "127.0.0.1"), b"{}", {})
