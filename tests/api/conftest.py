"""A served site and a client for each named person: REST is tested over HTTP, against the real server."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
import pytest
import requests

from tests.browser import chromium, new_database

__all__ = ["chromium"]


@dataclass
class Client:
    """One person's way to REST."""

    url: str
    token: str
    user_id: int
    session: requests.Session = field(default_factory=requests.Session)

    def __call__(self, method: str, path: str, **more: Any) -> requests.Response:
        headers = {"Authorization": f"Bearer {self.token}", **more.pop("headers", {})} if self.token else more.pop("headers", {})
        return self.session.request(method, f"{self.url}/api/v1{path}", headers=headers, timeout=30, **more)

    def get(self, path: str, **more: Any) -> requests.Response:
        return self("GET", path, **more)

    def post(self, path: str, body: Any = None, **more: Any) -> requests.Response:
        return self("POST", path, **({} if body is None else {"json": body}), **more)

    def ticket(self, **facts: Any) -> dict[str, Any]:
        made = self.post("/tickets", {"title": "VPN drops", **facts})
        assert made.status_code == 201, made.text
        found: dict[str, Any] = made.json()
        return found


@dataclass(frozen=True)
class Rest:
    """The served site: a client for each person, and one for a stranger."""

    url: str
    database: str
    sessions: dict[str, str]
    clients: dict[str, Client]

    def __getattr__(self, name: str) -> Client:
        return self.clients[name]

    def rows(self, query: str, *values: Any) -> list[tuple[Any, ...]]:
        with psycopg.connect(self.database, autocommit=True) as connection:
            return connection.execute(query, values).fetchall()  # type: ignore[arg-type]


@pytest.fixture(scope="session")
def rest(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rest]:
    """The served site; it ends with the session."""
    folder, database = tmp_path_factory.mktemp("rest"), new_database("rest")
    environment = {**os.environ, "DATABASE_URL": database, "PILOTHOUSE_DATA": str(folder), "PILOTHOUSE_HOSTS": "127.0.0.1"}
    with (
        (folder / "errors.log").open("w") as log,
        subprocess.Popen(
            [sys.executable, "-m", "tests.api.served"],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            cwd=Path(__file__).parent.parent.parent,
        ) as server,
    ):
        try:
            assert server.stdout is not None
            line = server.stdout.readline()
            assert line, f"the site did not start:\n{(folder / 'errors.log').read_text()[-4000:]}"
            told = json.loads(line)
            url = f"http://127.0.0.1:{told['port']}"
            clients = {name: Client(url, token, told["people"][f"{name}@example.org"]) for name, token in told["tokens"].items()}
            yield Rest(url, database, told["sessions"], {**clients, "stranger": Client(url, "", 0)})
        finally:
            server.send_signal(signal.SIGTERM)
            server.wait(30)
            faults = (folder / "errors.log").read_text()
            assert "Traceback" not in faults, faults[-6000:]
