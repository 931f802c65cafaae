"""A look as the worker does it: a process of its own on the real database, one at a time, and what goes wrong in words."""

import contextlib
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import psycopg
import pytest
import typer
from django.db import connection, transaction
from typer.testing import CliRunner

from pilothouse.connectors import mining
from pilothouse.demo import service_levels
from pilothouse.demo.command import fill
from pilothouse.demo.engine.generate import Arguments
from pilothouse.platform import access, clock
from pilothouse.platform.models import OutboxMessage
from pilothouse.problems import candidate_jobs, command, looking, reading
from pilothouse.problems.actions.candidates import request_look
from pilothouse.problems.models import Candidate, MiningRun, Proof
from pilothouse.tickets.exports import Export, export_tickets
from pilothouse.tickets.models import Ticket

SYSTEM = access.system()
UNTIL = datetime(2026, 11, 23, 11, tzinfo=UTC)
pytestmark = pytest.mark.django_db(transaction=True)


FIELDS = ("number", "opened", "resolved", "closed", "title", "category", "subcategory", "service", "ci", "group")


@pytest.mark.timeout(400)
def test_the_demos_planted_facts_stand_and_the_command_is_given_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service_levels, "_LOOKED_BACK", timedelta(hours=1))  # escalations are not the point here
    fill(arguments=Arguments(seed=7, tickets=2400, days=400, until=UNTIL), data=tmp_path, now=UNTIL, workers=1)
    states = set(Ticket.objects.filter(kind="problem").values_list("state", flat=True))
    assert states >= {"assessed", "analysis", "fixing", "resolved"}
    assert set(Proof.objects.values_list("verdict", flat=True)) >= {"early", "reduced"}
    assert OutboxMessage.objects.filter(topic="problems.look").count() == 1
    asked = MiningRun.objects.get()
    with clock.at(UNTIL):
        candidate_jobs.look(entry_id=0, kind="mining_run", record_id=asked.pk)
    asked.refresh_from_db()
    assert (asked.error, asked.ticket_count) == ("", 2400)
    told = [f"{row.title} {row.found['paragraph']}" for row in Candidate.objects.order_by("rank")]
    assert 4 <= len(told) <= 12
    for words in ("recurs every 10.0 days", "14.2", "VaultKeep", "Mondays"):
        assert any(words in each for each in told), words
    assert [each["value"] for each in asked.imbalances if each["what"] == "passed back"] == ["Integration"]
    _the_command_is_given_the_same(tmp_path / "export.csv")


def _the_command_is_given_the_same(path: Path) -> None:
    """What `pilothouse mine` reads in an export is what the product reads, and both go through one engine."""
    export = export_tickets(SYSTEM, "kind:incident,request sort:opened", kind="csv", now=UNTIL, columns=FIELDS)
    assert isinstance(export, Export)
    path.write_bytes(b"".join(export.chunks))
    theirs = mining._read(path, "", None).tickets
    with transaction.atomic():
        ours = reading.read(connection.connection, UNTIL - timedelta(days=401), UNTIL).tickets
    assert list(theirs.keys) == list(ours.keys) and theirs.titles == ours.titles
    assert theirs.opened is not None and np.array_equal(theirs.opened, ours.opened) and np.array_equal(theirs.ended, ours.ended)
    assert set(theirs.facts) == {"CI", "service", "group", "category", "subcategory"} < set(ours.facts)
    for name, fact in theirs.facts.items():
        assert fact.names == ours.facts[name].names and np.array_equal(fact.codes, ours.facts[name].codes), name


def test_of_two_workers_one_looks_and_an_empty_instance_says_so() -> None:
    asked = request_look(actor=SYSTEM, now=clock.now())
    with psycopg.connect(looking.address(), autocommit=True) as other:
        other.execute("SELECT pg_advisory_lock(hashtext(%s))", [looking._LOCK])
        assert not looking.look(actor=SYSTEM, run_id=asked.pk)
        other.execute("SELECT pg_advisory_unlock(hashtext(%s))", [looking._LOCK])  # a session that is closed ends a moment later
    assert looking.look(actor=SYSTEM, run_id=asked.pk)
    asked.refresh_from_db()
    assert (asked.error, asked.ticket_count) == ("", 0) and "There are 0 tickets" in asked.remarks[0]
    assert not looking.look(actor=SYSTEM, run_id=asked.pk)  # delivered again, it is left alone
    app = typer.Typer()
    command.register(app, contextlib.nullcontext, lambda work: work)
    typed = CliRunner().invoke(app, ["problems", "look"])
    assert typed.exit_code == 0 and "0 tickets" in typed.stdout and "Nothing stands out" in typed.stdout


def test_a_process_that_is_ended_is_told_in_words(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = request_look(actor=SYSTEM, now=clock.now())
    monkeypatch.setattr(looking, "address", lambda: "host=/nowhere dbname=x")
    assert looking.look(actor=SYSTEM, run_id=asked.pk)
    asked.refresh_from_db()
    assert asked.error.startswith("The database could not be read:")
    monkeypatch.setattr(looking.mining_child, "look", _die)
    asked = request_look(actor=SYSTEM, now=clock.now() + timedelta(minutes=1))
    assert looking.look(actor=SYSTEM, run_id=asked.pk)
    asked.refresh_from_db()
    assert "was ended before it was done" in asked.error


def _die(*arguments: Any) -> None:
    os._exit(9)
