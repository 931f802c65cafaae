"""A pytest plugin (`-p pilothouse.platform.testing.cluster`): one throw-away PostgreSQL a test session.

The environment is set when this module is imported, before Django's settings are; the server starts with the session.
Workers of pytest-xdist share the server, and pytest-django gives each its own database. The server ends with the session,
or with its process if that is killed; a folder left behind is swept by the next session.
"""

import contextlib
import fcntl
import gc
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from pilothouse.platform import embedded

_FOLDER = "PILOTHOUSE_TEST_FOLDER"
_PREFIX = "pilothouse-test-"
_MEMORY, _ROOM = Path("/dev/shm"), 4 * 2**30  # noqa: S108
_CACHE = Path(tempfile.gettempdir()) / f"pilothouse-test-cache-{os.getuid()}"
_is_owner = _FOLDER not in os.environ
gc.disable()  # until all is imported and collected: see pytest_collection_finish
_server = None
MIGRATED = "migrated"


def new_folder(prefix: str) -> Path:
    """Make a short-lived folder that the server's user, who is not root, can enter: in memory if there is room, where files cost least."""
    in_memory = os.access(_MEMORY, os.W_OK) and shutil.disk_usage(_MEMORY).free > _ROOM
    folder = Path(tempfile.mkdtemp(prefix=prefix, dir=_MEMORY if in_memory else None))
    folder.chmod(0o755)
    return folder


def _prepare_environment() -> Path:
    if _is_owner:
        os.environ[_FOLDER] = str(new_folder(f"{_PREFIX}{os.getpid()}-"))
    folder = Path(os.environ[_FOLDER])
    os.environ["DATABASE_URL"] = embedded.url(folder)
    os.environ["PILOTHOUSE_DATA"] = str(folder / f"data-{os.environ.get('PYTEST_XDIST_WORKER', 'main')}")
    Path(os.environ["PILOTHOUSE_DATA"], "static").mkdir(parents=True, exist_ok=True)  # WhiteNoise warns of a folder that is not there
    os.environ["PILOTHOUSE_SECRET_KEY"] = "only for tests, and long enough for Django to be content with it"  # noqa: S105
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # to start its threads costs a tenth of a second in each of a hundred processes
    os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "1")  # playwright's loop runs in the test's thread
    return folder


_folder = _prepare_environment()


def _sweep() -> None:
    """Remove folders of sessions whose process is gone."""
    for place in (Path(tempfile.gettempdir()), _MEMORY):
        for left in place.glob(f"{_PREFIX}[0-9]*"):
            pid = left.name.split("-")[2]
            if pid.isdigit() and not Path(f"/proc/{pid}").exists():
                shutil.rmtree(left, ignore_errors=True)


def cache() -> Path:
    """Return the folder in which ready clusters are kept from session to session."""
    _CACHE.mkdir(mode=0o755, exist_ok=True)
    if _CACHE.stat().st_uid != os.getuid() or _CACHE.is_symlink():
        pytest.exit(f"{_CACHE} belongs to another user; remove it.")
    return _CACHE


def once(name: str, make: Callable[[Path], None]) -> Path:
    """Return a folder that the first process of this session to ask for it has made; others wait until it is whole."""
    place, draft = _folder / name, _folder / f"{name}.new"
    with (_folder / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not place.exists():
            shutil.rmtree(draft, ignore_errors=True)
            draft.mkdir(mode=0o755)
            make(draft)
            draft.rename(place)
    return place


def _make_migrated(folder: Path) -> None:
    _create(MIGRATED)
    environment = {**os.environ, "DATABASE_URL": address(MIGRATED), "DJANGO_SETTINGS_MODULE": "pilothouse.platform.settings"}
    subprocess.run([sys.executable, "-m", "django", "migrate", "--verbosity=0"], env=environment, check=True)


def _create(name: str, template: str = "template1") -> None:
    with psycopg.connect(address("postgres"), autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}" STRATEGY FILE_COPY')  # a tenth of the time of the other


def address(database: str) -> str:
    """Return the address of a database on the session's server."""
    return make_conninfo(os.environ["DATABASE_URL"], dbname=database)


def migrated() -> str:
    """Return the name of the session's empty, migrated database, made for the first who asks: migrating takes seconds, copying none."""
    once("migrated", _make_migrated)
    return MIGRATED


def new_database(name: str) -> str:
    """Make a copy of the migrated database under this name and return its address."""
    _create(name, migrated())
    return address(name)


@pytest.fixture(scope="session", autouse=True)
def journal_gives_way_to_flush() -> None:
    """Let a test that commits be cleaned up after: the journal refuses TRUNCATE, save from who holds the database's keys."""
    from django.db.backends.postgresql.operations import DatabaseOperations  # not before pytest-django has set Django up

    flush = DatabaseOperations.execute_sql_flush

    def without_triggers(self: DatabaseOperations, statements: list[str]) -> None:
        flush(self, ["SET LOCAL session_replication_role = replica", *statements, "TRUNCATE procrastinate_jobs CASCADE"])

    DatabaseOperations.execute_sql_flush = without_triggers  # type: ignore[method-assign, assignment]


def pytest_collection_finish() -> None:
    """Look for garbage from now on, though not in what was imported and collected: it stays."""
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)  # as the web process does
    gc.enable()


@pytest.hookimpl(tryfirst=True)
def pytest_sessionstart(session: pytest.Session) -> None:
    """Start the server; xdist's controller does, before its workers."""
    global _server
    if not _is_owner or session.config.option.collectonly:
        return
    _sweep()
    _, _server = embedded.start(_folder, settings=embedded.THROW_AWAY, template=embedded.template(cache()))


@pytest.hookimpl(tryfirst=True)  # a plugin that fails here must not leave the server running
def pytest_unconfigure() -> None:
    """Stop the server and leave nothing behind."""
    if not _is_owner:
        return
    if _server is not None:
        _server.send_signal(signal.SIGQUIT)  # nothing of it is kept
        with contextlib.suppress(Exception):
            embedded.stop(_server)
    shutil.rmtree(_folder, ignore_errors=True)
