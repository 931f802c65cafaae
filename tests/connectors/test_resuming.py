"""A run that is killed in the middle, and a second one beside it."""

import os
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest
from django.conf import settings
from django.db import connection

from pilothouse.connectors.engine.tables import BadFile
from pilothouse.connectors.importing import Request, run_import
from pilothouse.connectors.profiles import PROFILES
from pilothouse.platform import access, journal
from pilothouse.platform.access import Source
from pilothouse.tickets.models import Ticket
from tests.connectors.files import a_life, write_log

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
_PROGRAM = """
import django, sys
django.setup()
from pathlib import Path
from pilothouse.connectors.importing import Request, run_import
from pilothouse.connectors.profiles import PROFILES
from pilothouse.platform import access, clock
run_import(actor=access.system(), request=Request(PROFILES["servicenow-log"], [Path(sys.argv[1])]), now=clock.now())
"""


@pytest.mark.django_db(transaction=True)
def test_a_killed_import_continues_where_it_stopped(tmp_path: Path) -> None:
    tickets = 4000
    path = write_log(tmp_path / "log.csv", [row for i in range(tickets) for row in a_life(f"INC{i + 1:07d}")])
    base, _, query = settings.DATABASE_URL.partition("?")
    url = f"{base.rpartition('/')[0]}/{connection.settings_dict['NAME']}?{query}"
    environment = {**os.environ, "DATABASE_URL": url, "DJANGO_SETTINGS_MODULE": "pilothouse.platform.settings"}
    with subprocess.Popen([sys.executable, "-c", _PROGRAM, str(path)], env=environment) as process:
        deadline = time.monotonic() + 60
        while not 0 < Ticket.objects.count() < tickets and time.monotonic() < deadline and process.poll() is None:
            time.sleep(0.02)
        process.send_signal(signal.SIGKILL)
        process.wait()
    kept = Ticket.objects.count()
    assert 0 < kept < tickets, "the run was not met in its middle"
    report = run_import(actor=access.system(Source.IMPORT), request=Request(PROFILES["servicenow-log"], [path]), now=NOW)
    assert (report.counts["tickets_new"], report.counts["rows_known"]) == (tickets - kept, kept * 5)
    assert Ticket.objects.count() == tickets
    found = journal.verify(["ticket"])
    assert (found.entries, found.records, found.breaks) == (tickets * 5, tickets, ())


@pytest.mark.django_db(transaction=True)
def test_two_imports_of_one_source_do_not_meet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pilothouse.connectors.importing._LOCK_TRIES", 2)
    path = write_log(tmp_path / "log.csv", a_life())
    values = connection.get_connection_params()
    with psycopg.connect(**{k: v for k, v in values.items() if k in ("host", "port", "user", "password", "dbname")}) as other:
        other.execute("SELECT pg_advisory_lock(hashtext('pilothouse import servicenow'))")
        with pytest.raises(BadFile, match="Another import from servicenow is running"):
            run_import(actor=access.system(), request=Request(PROFILES["servicenow-log"], [path]), now=NOW)
    assert Ticket.objects.count() == 0
