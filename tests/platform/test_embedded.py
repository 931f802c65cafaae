"""The embedded PostgreSQL, run for real in throw-away folders."""

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import psycopg
import pytest

from pilothouse.platform import embedded


def value(url: str, query: str) -> object:
    with psycopg.connect(url, autocommit=True) as connection:
        row = connection.execute(query).fetchone()
    return row and row[0]


def test_data_outlives_a_stop(folder: Path, ready_cluster: Path) -> None:
    url, server = embedded.start(folder, template=ready_cluster)
    with psycopg.connect(url) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 7 AS n")
    embedded.stop(server)
    assert server.returncode == 0
    url, server = embedded.start(folder)
    assert value(url, "SELECT n FROM kept") == 7
    embedded.stop(server)


def test_it_listens_on_a_closed_socket_only(folder: Path, ready_cluster: Path) -> None:
    url, server = embedded.start(folder, template=ready_cluster)
    assert value(url, "SHOW listen_addresses") == ""
    assert embedded.cluster(folder).sockets.stat().st_mode & 0o077 == 0
    embedded.stop(server)


def test_its_text_is_unicode(folder: Path, ready_cluster: Path) -> None:
    url, server = embedded.start(folder, template=ready_cluster)
    assert value(url, "SELECT lower('ÄÖÜ') || (to_tsvector('simple', 'Größe') @@ to_tsquery('simple', 'größe'))::text") == "äöütrue"
    embedded.stop(server)


def test_a_server_left_by_a_killed_process_is_stopped_first(folder: Path, ready_cluster: Path) -> None:
    _, first = embedded.start(folder, template=ready_cluster)
    url, second = embedded.start(folder)
    assert first.wait(10) == 0
    assert value(url, "SELECT 1") == 1
    embedded.stop(second)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends a child with its parent")
def test_the_server_ends_with_a_killed_parent(folder: Path, ready_cluster: Path) -> None:
    code = (
        "import sys, time; from pathlib import Path; from pilothouse.platform import embedded\n"
        "embedded.start(Path(sys.argv[1]), template=Path(sys.argv[2])); print('up', flush=True); time.sleep(60)"
    )
    parent = subprocess.Popen([sys.executable, "-c", code, str(folder), str(ready_cluster)], stdout=subprocess.PIPE)
    assert parent.stdout
    with parent.stdout:
        assert parent.stdout.readline() == b"up\n"
    place = embedded.cluster(folder)
    assert embedded.running(place)
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    until = time.monotonic() + 10
    while embedded.running(place) and time.monotonic() < until:
        time.sleep(0.05)
    assert embedded.running(place) is None


def test_files_of_another_version_are_refused_with_the_way_out(folder: Path, ready_cluster: Path) -> None:
    place = embedded.prepare(folder, template=ready_cluster)
    (place.files / "PG_VERSION").write_text("17\n")
    with pytest.raises(embedded.DatabaseRefused, match=r"made by PostgreSQL 17.*backup"):
        embedded.start(folder)


def test_a_long_data_folder_gets_a_short_socket_folder(folder: Path) -> None:
    deep = folder / ("long" * 25)
    assert len(str(embedded.cluster(deep).sockets)) < 60
    assert embedded.cluster(deep).sockets == embedded.cluster(deep).sockets


@pytest.mark.skipif(os.geteuid() != 0, reason="only root's server runs as another user")
def test_a_data_folder_closed_to_the_server_keeps_its_database_where_it_can_enter(folder: Path, ready_cluster: Path) -> None:
    closed = folder / "closed"
    closed.mkdir(mode=0o700)
    url, server = embedded.start(closed / "data", template=ready_cluster)
    home = embedded.cluster(closed / "data").home
    try:
        assert value(url, "SELECT 1") == 1
        embedded.stop(server)
        assert home.parent == Path("/var/lib/pilothouse")
        url, server = embedded.start(closed / "data")
        assert value(url, "SELECT 1") == 1
    finally:
        embedded.stop(server)
        shutil.rmtree(home)
