"""Backup and restore: one tar file with the database as of one instant, the attachments and a manifest.

The database is dumped from a snapshot while people go on working. Attachments are named by their hash and never change, and a
file is stored before the row that names it: copied after the snapshot, every file that the dump names is there. The manifest
carries a digest over all journal heads, taken from the same snapshot: after a restore the digest must come out the same.
"""

import hashlib
import json
import os
import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from datetime import datetime
from io import BytesIO
from pathlib import Path, PurePosixPath

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from pilothouse import __version__
from pilothouse.platform import embedded

_DUMP, _MANIFEST, _FILES = "database.dump", "manifest.json", "attachments"
_FORMAT = 1
Progress = Callable[[str], None]


class BackupRefused(Exception):
    """The backup cannot be written or read; the message says why."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a backup holds."""

    format: int
    pilothouse: str
    postgresql: str
    made_at: str
    journal_heads: int
    journal_digest: str
    attachments: int


@dataclass(frozen=True, slots=True)
class Heads:
    """How many journal chains there are, and one digest over all their heads."""

    count: int
    digest: str


def journal_heads(connection: "psycopg.Connection[tuple[object, ...]]") -> Heads:
    """Return the digest over all heads in order of kind and record; two databases with the same journal have the same."""
    digest, count = hashlib.sha256(), 0
    with connection.cursor("heads") as cursor:
        cursor.itersize = 10_000
        cursor.execute("SELECT kind, record_id, seq, encode(hash, 'hex') FROM journal_head ORDER BY kind COLLATE \"C\", record_id")
        for kind, record_id, seq, hashed in cursor:
            digest.update(f"{kind}:{record_id}:{seq}:{hashed}\n".encode())
            count += 1
    return Heads(count, digest.hexdigest())


def write(target: Path, *, url: str, attachments: Path, now: datetime, progress: Progress = lambda step: None) -> Manifest:
    """Write a backup of a running instance; the file appears under its name only when it is whole.

    Raises BackupRefused when the file exists, the disk is full, or the server is newer than our pg_dump.
    """
    if target.exists():
        raise BackupRefused(f"{target} exists already; a backup overwrites nothing.")
    draft = target.with_name(f".{target.name}.part")
    try:
        with tempfile.TemporaryDirectory(dir=target.parent, prefix=".pilothouse-backup-") as scratch:
            dump = Path(scratch) / _DUMP
            manifest = _dump(url, dump, attachments, now, progress)
            progress("Copying attachments")
            _pack(draft, manifest, dump, attachments)
        draft.rename(target)
    except OSError as error:
        raise BackupRefused(f"The backup could not be written: {error.strerror or error}. Nothing was changed.") from error
    finally:
        draft.unlink(missing_ok=True)
    return manifest


def _dump(url: str, dump: Path, attachments: Path, now: datetime, progress: Progress) -> Manifest:
    with psycopg.connect(url) as connection:
        connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        connection.read_only = True
        row = connection.execute("SELECT pg_export_snapshot(), current_setting('server_version')").fetchone()
        assert row is not None
        progress("Dumping the database")
        _run("pg_dump", url, "--format=custom", "--compress=gzip:3", "--no-owner", f"--snapshot={row[0]}", f"--file={dump}")
        progress("Reading the journal's heads")
        heads = journal_heads(connection)
    files = sum(1 for _ in _attached(attachments))
    return Manifest(_FORMAT, __version__, str(row[1]), now.isoformat(), heads.count, heads.digest, files)


def _attached(attachments: Path) -> Iterator[Path]:
    """Yield the stored files; drafts that are still being written are not among them."""
    if attachments.is_dir():
        yield from (path for path in sorted(attachments.rglob("*")) if path.is_file() and len(path.name) == 64)


def _pack(draft: Path, manifest: Manifest, dump: Path, attachments: Path) -> None:
    with draft.open("wb") as file:
        os.fchmod(file.fileno(), 0o600)
        with tarfile.open(fileobj=file, mode="w") as archive:
            text = json.dumps(asdict(manifest), indent=2).encode()
            entry = tarfile.TarInfo(_MANIFEST)
            entry.size = len(text)
            archive.addfile(entry, BytesIO(text))
            archive.add(dump, _DUMP)
            for path in _attached(attachments):
                archive.add(path, f"{_FILES}/{path.relative_to(attachments)}")
        file.flush()
        os.fsync(file.fileno())


def read_manifest(source: Path) -> Manifest:
    """Return what a backup holds; raises BackupRefused when it is none of ours or of a newer format."""
    try:
        with tarfile.open(source) as archive:
            member = archive.extractfile(_MANIFEST)
            found = json.loads(member.read()) if member else {}
    except (OSError, tarfile.TarError, KeyError, ValueError) as error:
        raise BackupRefused(f"{source} is not a Pilothouse backup, or it is damaged: {error}") from error
    if found.get("format") != _FORMAT:
        raise BackupRefused(f"{source} has format {found.get('format')}; this release reads format {_FORMAT}.")
    return Manifest(**found)


def require_empty(url: str) -> None:
    """Raise BackupRefused unless the database holds no tables."""
    with psycopg.connect(url) as connection:
        row = connection.execute("SELECT count(*) FROM pg_tables WHERE schemaname NOT IN ('pg_catalog', 'information_schema')").fetchone()
    if row and row[0]:
        raise BackupRefused("The database is not empty. Restore into an empty data folder or an empty database; nothing was changed.")


def read(source: Path, *, url: str, attachments: Path, progress: Progress = lambda step: None) -> tuple[Manifest, Heads]:
    """Restore a backup into an empty database and an empty attachments folder; returns the manifest and the heads found.

    Raises BackupRefused when the database is not empty, or when the journal's heads come out otherwise than they went in.
    """
    manifest = read_manifest(source)
    require_empty(url)
    attachments.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=attachments.parent, prefix=".restore-") as scratch, tarfile.open(source) as archive:
        progress("Unpacking")
        unpack(archive, Path(scratch), attachments)
        progress("Restoring the database")
        _run("pg_restore", url, "--no-owner", "--exit-on-error", "--jobs=2", str(Path(scratch) / _DUMP))
    progress("Comparing the journal's heads")
    with psycopg.connect(url) as connection:
        heads = journal_heads(connection)
        connection.execute("ANALYZE")
    if heads != Heads(manifest.journal_heads, manifest.journal_digest):
        raise BackupRefused(
            f"The journal's heads differ from those of the backup ({heads.count} chains, {manifest.journal_heads} expected)."
        )
    return manifest, heads


def unpack(archive: tarfile.TarFile, scratch: Path, attachments: Path) -> None:
    """Write the dump of a backup into one folder and its attachments into another.

    Raises BackupRefused at a member that is no file or would be written elsewhere: a backup may come from anybody. (What tarfile itself
    has against that, its filters, is not in the Python 3.11.2 of Debian 12.)
    """
    members = archive.getmembers()
    for member in members:
        name = PurePosixPath(member.name)
        if name.is_absolute() or ".." in name.parts or not (member.isfile() or member.isdir()):
            raise BackupRefused(f"The backup holds {member.name!r}, which is no file of a backup; nothing was restored.")
    for member in filter(tarfile.TarInfo.isfile, members):
        if member.name == _DUMP:
            _unpack_file(archive, member, scratch / _DUMP)
        elif member.name.startswith(f"{_FILES}/"):
            _unpack_file(archive, member, attachments / member.name.removeprefix(f"{_FILES}/"))


def _unpack_file(archive: tarfile.TarFile, member: tarfile.TarInfo, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    content = archive.extractfile(member)
    assert content is not None, "it is a file"
    with target.open("wb") as file:
        shutil.copyfileobj(content, file)
    target.chmod(member.mode & 0o755 | 0o600)
    os.utime(target, (member.mtime, member.mtime))


def _run(program: str, url: str, *arguments: str) -> None:
    """Run one of PostgreSQL's programs; the password goes by the environment, where other users do not see it."""
    parts = conninfo_to_dict(url)
    environment = {**os.environ, "PGPASSWORD": str(parts.pop("password", None) or "")}
    command = [str(embedded.programs() / program), "--dbname", make_conninfo("", **parts), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    if done.returncode:
        lines = done.stderr.strip().splitlines() or ["no message"]
        raise BackupRefused(f"{program} failed: {next((line for line in lines if 'error' in line), lines[0])}")
