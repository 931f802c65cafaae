"""The process tree of `pilothouse up`: it comes back by itself, refuses what cannot be, and leaves nothing behind."""

import os
import signal
import socket
from pathlib import Path

import pytest
import requests

from pilothouse.platform import embedded
from tests.trees import Instance, until

pytestmark = [pytest.mark.xdist_group("survive"), pytest.mark.timeout(300)]
PARTS = ("web", "worker", "database")


def answers(instance: Instance) -> bool:
    try:
        return requests.get(f"{instance.address}/live", timeout=2).status_code == 401
    except requests.RequestException:
        return False


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_each_killed_part_comes_back_a_second_up_is_refused_and_ctrl_c_stops_all(instance: Instance) -> None:
    process = instance.up()
    killed = {part: instance.kill(part) for part in PARTS}
    for part, pid in killed.items():
        until(lambda: (now := instance.child(part)) and now != pid, of=f"a new {part}")  # noqa: B023 it is waited for here
    until(lambda: answers(instance))
    assert instance.said().count("SIGKILL") >= len(PARTS)

    second = instance.command("up", PILOTHOUSE_PORT="1")
    assert second.returncode == 4
    assert f"process {process.pid}" in second.stderr
    assert answers(instance)

    parts = [until(lambda: instance.child(part), of=part) for part in PARTS]  # noqa: B023
    process.send_signal(signal.SIGINT)
    assert process.wait(30) == 0
    assert not any(alive(pid) for pid in parts)
    assert "everything is kept" in instance.said()


def test_a_killed_parent_takes_its_children_along_and_the_next_up_starts(instance: Instance) -> None:
    process = instance.up()
    parts = [until(lambda: instance.child(name), of=name) for name in ("web", "worker")]  # noqa: B023
    process.kill()
    process.wait()
    until(lambda: not any(alive(pid) for pid in parts), seconds=45, of="children gone")  # a job is given 25 s to end
    instance.up()
    assert answers(instance)


def test_a_taken_port_is_refused_naming_another(folder: Path) -> None:
    instance = Instance(folder)
    with socket.create_server(("127.0.0.1", instance.port)):
        refused = instance.command("up")
    assert refused.returncode == 4
    assert f"PILOTHOUSE_PORT={instance.port + 1}" in refused.stderr
    assert embedded.running(embedded.cluster(instance.data)) is None


def test_a_database_that_cannot_be_reached_is_said_plainly(folder: Path) -> None:
    refused = Instance(folder).command("up", DATABASE_URL="postgresql://nobody@127.0.0.1:1/none")
    assert refused.returncode == 4
    assert "database cannot be reached" in refused.stderr
    assert "Traceback" not in refused.stderr
