"""What was acknowledged is there, once, whatever is killed, full or lost meanwhile."""

import csv
import gzip
import os
import re
import shutil
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest
import requests

from pilothouse.platform import embedded
from tests import trees
from tests.platform.test_live import Stream, signed_in
from tests.trees import Instance, until

pytestmark = [pytest.mark.xdist_group("survive"), pytest.mark.timeout(300)]
LOG = Path(__file__).parents[3] / "shared" / "data" / "uci-servicenow-incident-log"


class Writers:
    """Clients that create tickets one after the other, each sent again under its key until it is answered."""

    def __init__(self, instance: Instance, clients: int = 4, length: int = 200) -> None:
        self.instance, self.length = instance, length
        self.acknowledged: list[str] = []
        self.troubles: Counter[str] = Counter()
        self.stopped = threading.Event()
        self.threads = [threading.Thread(target=self._work, args=(number,), daemon=True) for number in range(clients)]

    def __enter__(self) -> "Writers":
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stopped.set()
        for thread in self.threads:
            thread.join(30)

    def _work(self, client: int) -> None:
        session, number = self.instance.session("ana"), 0
        while not self.stopped.is_set():
            number += 1
            self._create(session, f"ticket {client}-{number}")

    def _create(self, session: requests.Session, title: str) -> None:
        body = {"title": title, "description": "x" * self.length}
        while not self.stopped.is_set():
            try:
                answer = session.post(f"{self.instance.address}/api/v1/tickets", json=body, headers={"Idempotency-Key": title}, timeout=10)
            except requests.RequestException as error:
                self.troubles[type(error).__name__] += 1
                time.sleep(0.05)
                continue
            if answer.status_code == 201:
                self.acknowledged.append(title)
                time.sleep(0.02)  # four who press on; more would only make what is checked at the end longer
                return
            self.troubles[f"{answer.status_code} {answer.headers.get('Content-Type', '')}"] += 1
            time.sleep(0.2)

    def more(self, count: int, seconds: float = 30) -> None:
        """Wait until so many more were acknowledged."""
        wanted = len(self.acknowledged) + count
        until(lambda: len(self.acknowledged) >= wanted, seconds=seconds, of=f"{count} more writes; {self.troubles}")


def held(instance: Instance) -> Counter[str]:
    return Counter(title for (title,) in instance.rows("SELECT title FROM tickets_ticket"))


def test_creates_survive_kills_and_a_backup_taken_meanwhile_is_whole(instance: Instance, folder: Path) -> None:
    instance.up()
    with Writers(instance) as writers:
        writers.more(10)
        for part in ("web", "database", "worker", "database", "web"):
            instance.kill(part)
            writers.more(10)
        written = instance.command("backup", str(folder / "backup.tar"))
    there = held(instance)
    assert written.returncode == 0, written.stderr
    assert set(writers.acknowledged) <= set(there)
    assert [title for title, count in there.items() if count > 1] == []
    assert instance.command("journal", "verify").returncode == 0

    other = Instance(folder)
    restored = other.command("restore", str(folder / "backup.tar"))
    assert restored.returncode == 0, restored.stderr
    digests = [re.search(r"digest \w+", said) for said in (written.stdout, restored.stdout)]
    assert digests[0]
    assert digests[1]
    assert digests[0][0] == digests[1][0]


def some_rows(target: Path, tickets: int) -> int:
    """Write the log's first tickets, whole, into a file; returns how many updates they have."""
    with gzip.open(LOG / "incident_event_log.csv.gz") as stream:
        rows = csv.reader(line.decode() for line in stream)
        header, numbers, kept = next(rows), set[str](), 0
        with target.open("w", newline="") as out:
            writer = csv.writer(out)
            writer.writerow(header)
            for row in rows:
                numbers.add(row[0])
                if len(numbers) > tickets:
                    break
                writer.writerow(row)
                kept += 1
    return kept


@pytest.mark.skipif(not LOG.exists(), reason="the ServiceNow log is not at hand (../shared/data)")
def test_an_import_that_lost_its_database_is_run_again_and_adds_the_rest_once(instance: Instance) -> None:
    file = instance.data.parent / "log.csv"
    rows = some_rows(file, 1200)
    instance.up("--workers", "0")
    process = instance.start("import", "servicenow-log", str(file))
    until(lambda: instance.value("SELECT count(*) FROM tickets_ticket") > 100, seconds=60, of="some tickets")
    instance.kill("database")
    assert process.wait(60) in (1, 4)
    assert "database" in instance.said()
    assert "Traceback" not in instance.said()
    begun = instance.value("SELECT count(*) FROM tickets_ticket")
    assert 0 < begun < 1200
    again = instance.command("import", "servicenow-log", str(file))
    assert again.returncode == 0, again.stderr + again.stdout
    assert instance.value("SELECT count(*) FROM tickets_ticket") == 1200
    third = instance.command("import", "servicenow-log", str(file))
    assert f"{rows:,} rows read" in third.stdout
    assert "Nothing is new" in third.stdout
    assert instance.command("journal", "verify").returncode == 0


@contextmanager
def small_disk(folder: Path, megabytes: int) -> Iterator[Path]:
    """A file system of its own that is soon full."""
    place = folder / "small"
    place.mkdir(mode=0o755)
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={megabytes}m,mode=755", "tmpfs", str(place)], capture_output=True)
    if mounted.returncode:
        pytest.skip(f"a small disk cannot be mounted here: {mounted.stderr.decode().strip()}")
    try:
        yield place
    finally:
        subprocess.run(["umount", "--lazy", str(place)])


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount a small disk")
def test_a_full_disk_is_said_and_loses_nothing(seed: Path, folder: Path) -> None:
    with small_disk(folder, 260) as disk:
        instance = Instance(disk, seed)
        try:
            instance.up("--workers", "0")
            with Writers(instance, clients=2, length=20_000) as writers:
                writers.more(5)
                filler = disk / "filler"
                with filler.open("wb") as file:
                    file.write(bytes(max(0, shutil.disk_usage(disk).free - 2 * 2**20)))
                until(lambda: any(trouble.startswith("50") for trouble in writers.troubles), seconds=60, of="a refusal")
                filler.unlink()
                writers.more(5, seconds=60)
            there = held(instance)
            assert set(writers.acknowledged) <= set(there)
            assert max(there.values()) == 1
            assert instance.command("journal", "verify").returncode == 0
        finally:
            instance.stop()


class External:
    """A PostgreSQL of somebody else's, with two web processes and two workers on it."""

    def __init__(self, folder: Path, seed: Path, ready_cluster: Path) -> None:
        self.url, self.server = embedded.start(folder / "elsewhere", settings=embedded.THROW_AWAY, template=seed / "postgres")
        self.halves = [Instance(folder / name) for name in ("a", "b")]
        for half in self.halves:
            half.data.mkdir(parents=True)
            shutil.copy(seed / "secret.key", half.data / "secret.key")
            half.tokens = trees.json.loads((seed / "tokens.json").read_text())
            half.start("web", DATABASE_URL=self.url)
            half.start("worker", DATABASE_URL=self.url)

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        with psycopg.connect(self.url, autocommit=True) as connection:
            return connection.execute(query).fetchall()  # type: ignore[arg-type]

    def stop(self) -> None:
        for half in self.halves:
            half.stop()
        embedded.stop(self.server)


@pytest.fixture
def external(folder: Path, seed: Path, ready_cluster: Path) -> Iterator[External]:
    made = External(folder, seed, ready_cluster)
    yield made
    made.stop()


def answering(half: Instance) -> bool:
    try:
        return requests.get(f"{half.address}/live", timeout=2).status_code == 401
    except requests.RequestException:
        return False


def test_two_webs_and_two_workers_share_one_database(external: External) -> None:
    a, b = external.halves
    for half in (a, b):
        until(lambda: answering(half), seconds=40, of="an answer")  # noqa: B023 it is waited for here
    page = Stream(b, signed_in(b, "alan"))
    made = a.session("ana").post(f"{a.address}/api/v1/tickets", json={"title": "through the other one"}, timeout=20)
    assert made.status_code == 201
    event = page.next()
    assert (event["verb"], event["record"]) == ("ticket.opened", made.json()["id"])
    page.close()

    external.rows(
        "WITH m AS (INSERT INTO outbox (topic, payload, written_at)"
        " SELECT 'platform.prepare_months', jsonb_build_object('timestamp', n), now() FROM generate_series(1, 60) n RETURNING 1)"
        " SELECT pg_notify('pilothouse_outbox', '') FROM m LIMIT 1"
    )
    dead = external.rows("INSERT INTO procrastinate_workers (last_heartbeat) VALUES (now() - interval '1 minute') RETURNING id")[0][0]
    left = external.rows(
        "INSERT INTO procrastinate_jobs (queue_name, task_name, args, status, worker_id)"
        f" VALUES ('default', 'platform.prepare_months', '{{\"timestamp\": 0}}', 'doing', {dead}) RETURNING id"
    )[0][0]
    until(
        lambda: (
            external.rows("SELECT count(*) FROM procrastinate_jobs WHERE status = 'succeeded' AND (args->>'timestamp')::bigint <= 60")[0][0]
            >= 61
        ),
        seconds=40,
    )
    starts = external.rows(
        "SELECT j.args->>'timestamp', count(*) FILTER (WHERE e.type = 'started') FROM procrastinate_jobs j JOIN procrastinate_events e"
        f" ON e.job_id = j.id WHERE j.task_name = 'platform.prepare_months' AND j.id <> {left} GROUP BY 1, j.id"
    )
    ours = [(stamp, count) for stamp, count in starts if int(stamp) <= 60]
    assert len(ours) == 60
    assert {count for _, count in ours} == {1}

    for process in a.running:
        process.kill()
    answer = b.session("ana").get(f"{b.address}/api/v1/tickets/{made.json()['number']}", timeout=20)
    assert answer.json()["title"] == "through the other one"
