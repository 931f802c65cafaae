"""A backup may come from anybody: what would be written elsewhere is refused before anything is written."""

import io
import tarfile
from pathlib import Path

import pytest

from pilothouse.platform.backup import BackupRefused, unpack


def _archive(path: Path, *members: tarfile.TarInfo) -> tarfile.TarFile:
    with tarfile.open(path, "w") as made:
        for member in members:
            member.size = 3 if member.isfile() else 0
            made.addfile(member, io.BytesIO(b"abc"))
    return tarfile.open(path)


def _link(name: str) -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.type, member.linkname = tarfile.SYMTYPE, "/etc"
    return member


@pytest.mark.parametrize(
    "evil",
    [
        tarfile.TarInfo("attachments/../../evil"),
        tarfile.TarInfo("/attachments/evil"),
        _link("attachments/ab"),
        _link("database.dump"),
    ],
    ids=["upwards", "absolute", "a link", "a link for the dump"],
)
def test_what_would_be_written_elsewhere_is_refused_before_anything_is_written(tmp_path: Path, evil: tarfile.TarInfo) -> None:
    scratch, attachments = tmp_path / "scratch", tmp_path / "attachments"
    members = (tarfile.TarInfo("database.dump"), tarfile.TarInfo("attachments/ab/abc"), evil)
    refused = pytest.raises(BackupRefused, match="is no file of a backup; nothing was restored")
    with _archive(tmp_path / "evil.tar", *members) as archive, refused:
        unpack(archive, scratch, attachments)
    assert [path.name for path in tmp_path.iterdir()] == ["evil.tar"]


def test_files_come_back_where_they_were(tmp_path: Path) -> None:
    with _archive(tmp_path / "a.tar", tarfile.TarInfo("database.dump"), tarfile.TarInfo("attachments/ab/abc")) as archive:
        unpack(archive, tmp_path / "scratch", tmp_path / "attachments")
    assert (tmp_path / "scratch" / "database.dump").read_bytes() == b"abc"
    assert (tmp_path / "attachments" / "ab" / "abc").read_bytes() == b"abc"
