"""Real worker processes: one is killed between sending and noting, two share the work, a web page stays quick meanwhile."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection, connections
from psycopg.conninfo import make_conninfo

from pilothouse.notifications import actions, delivering
from pilothouse.notifications.models import Delivery
from pilothouse.people.models import User
from pilothouse.platform import access, clock
from tests.notifications.receivers import MailServer
from tests.trees import until

pytestmark = pytest.mark.django_db(transaction=True)
Start = Callable[..., "subprocess.Popen[bytes]"]


@pytest.fixture
def start(tmp_path: Path, mail: MailServer) -> Iterator[Start]:
    """Start workers on the test's database; whatever still runs at its end is killed."""
    running: list[subprocess.Popen[bytes]] = []
    address = make_conninfo(os.environ["DATABASE_URL"], dbname=connection.settings_dict["NAME"])

    def run(**more: str) -> "subprocess.Popen[bytes]":
        environment = {**os.environ, "DATABASE_URL": address, "PILOTHOUSE_SMTP_URL": mail.url, **more}
        said = (tmp_path / f"worker-{len(running)}.log").open("wb")
        running.append(subprocess.Popen([sys.executable, "-m", "pilothouse.cli", "worker"], env=environment, stdout=said, stderr=said))
        said.close()
        return running[-1]

    yield run
    for worker in running:
        worker.kill()
        worker.wait()


def people(count: int) -> list[int]:
    made = [User(name=f"Person {n}", email=f"person{n}@example.org", created_at=clock.now()) for n in range(count)]
    return [user.pk for user in User.objects.bulk_create(made)]


def tell(ids: list[int]) -> None:
    actions.notify_people(actor=access.system(), people=ids, kind="probe.alarm", subject="INC0000001 is due", now=clock.now())


def sent() -> int:
    return Delivery.objects.filter(state="sent").count()


def test_a_worker_sends_and_ends_when_told_to(mail: MailServer, start: Start) -> None:
    worker = start()
    tell(people(3))
    until(lambda: sent() == 3, seconds=40)
    worker.send_signal(signal.SIGTERM)
    assert worker.wait(30) == 0
    assert len(mail.arrived) == 3


def test_a_worker_killed_between_sending_and_noting_leaves_it_to_another(mail: MailServer, start: Start) -> None:
    first = start()
    mail.keeper.on_data = first.kill  # the mail is taken; the worker never hears of it
    tell(people(1))
    assert first.wait(60) == -signal.SIGKILL
    until(lambda: len(mail.arrived) == 1)
    mail.keeper.on_data = lambda: None
    assert Delivery.objects.get().state == "waiting"

    start(PILOTHOUSE_CLOCK=(clock.now() + timedelta(seconds=30)).isoformat())
    later = start(PILOTHOUSE_CLOCK=(clock.now() + delivering.MAIL_LEASE + timedelta(seconds=5)).isoformat())
    until(lambda: sent() == 1, seconds=40)
    assert later.poll() is None
    once, again = mail.arrived
    assert once["Message-ID"] == again["Message-ID"]
    assert Delivery.objects.get().attempts == 2


def test_workers_share_the_work_and_nobody_is_told_twice(mail: MailServer, settings: Any) -> None:
    tell(people(120))

    def work() -> None:
        while delivering.deliver_mail():
            pass
        connections.close_all()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    while delivering.deliver_mail():
        pass
    arrived = [each["To"] for each in mail.arrived]
    assert len(arrived) == len(set(arrived)) == 120
    assert sent() == 120


def test_a_digest_is_gathered_by_one_worker(mail: MailServer) -> None:
    [person] = people(1)
    for number in range(30):
        subject = f"News {number}"
        actions.notify_people(actor=access.system(), people=[person], kind="probe.news", subject=subject, now=clock.now())
    Delivery.objects.update(next_attempt_at=clock.now())

    def work() -> None:
        delivering.deliver_digests()
        connections.close_all()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [each["Subject"] for each in mail.arrived] == ["30 messages: News"]


def test_writers_of_one_dedup_key_wait_for_each_other(settings: Any) -> None:
    [person] = people(1)
    told: list[int] = []

    def tell_it() -> None:
        ids = actions.notify_people(
            actor=access.system(), people=[person], kind="probe.alarm", subject="x", dedup_key="step-7", now=clock.now()
        )
        told.extend(ids)
        connections.close_all()

    threads = [threading.Thread(target=tell_it) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(told) == 1


def test_messages_cost_a_handful_of_round_trips_whatever_their_number(django_assert_max_num_queries: Any) -> None:
    ids = people(200)
    messages = [
        actions.Message((person,), "probe.alarm", f"Due {n}", dedup_key=f"step-{n}", about=("ticket", n)) for n, person in enumerate(ids)
    ]
    with django_assert_max_num_queries(8):
        made = actions.notify_many(actor=access.system(), messages=messages, now=clock.now())
    assert [len(each) for each in made] == [1] * 200
