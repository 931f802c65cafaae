"""Importing from a page, and the job that does it."""

from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from pilothouse.connectors import jobs
from pilothouse.connectors.models import ImportRun
from pilothouse.connectors.runs import folder_of
from pilothouse.people.testing import NamedPeople
from pilothouse.platform import journal
from pilothouse.platform.models import OutboxMessage
from pilothouse.tickets.models import Ticket
from tests.connectors.files import a_life, log_row, write_log

pytestmark = pytest.mark.django_db


def ask(people: NamedPeople, content: bytes, name: str = "log.csv", **more: str) -> ImportRun:
    sent = {"profile": "servicenow-log", "time_zone": "UTC", "sources": SimpleUploadedFile(name, content), **more}
    answer = people.client("ana").post("/import", sent)
    run = ImportRun.objects.first()
    assert run is not None, answer.content.decode()[-3000:]
    assert (answer.status_code, answer["Location"]) == (302, f"/import/{run.pk}")
    return run


def work(run: ImportRun) -> str:
    assert OutboxMessage.objects.filter(topic="connectors.run_import", payload__record_id=run.pk).exists()
    jobs.run_import(entry_id=0, kind="import", record_id=run.pk)
    run.refresh_from_db()
    return run.state


def test_a_file_is_rehearsed_then_imported(people: NamedPeople, tmp_path: Path) -> None:
    content = write_log(tmp_path / "a.csv", a_life()).read_bytes()
    rehearsal = ask(people, content, is_dry="on")
    page = people.client("ana").get(f"/import/{rehearsal.pk}").content.decode()
    assert "Waiting for a worker" in page
    assert work(rehearsal) == "done"
    assert Ticket.objects.count() == 0
    assert "What would happen" in people.client("ana").get(f"/import/{rehearsal.pk}").content.decode()
    run = ask(people, content)
    assert work(run) == "done"
    ticket = Ticket.objects.get()
    entries = journal.entries_of("ticket", ticket.pk)
    assert {(e.source, e.request_id) for e in entries} == {("import", f"import-{run.pk}")}
    page = people.client("ana").get(f"/import/{run.pk}").content.decode()
    assert "Groups: 2" in page
    assert "every 1s" not in page
    assert not (folder_of(run) / "log.csv").exists()
    jobs.run_import(entry_id=0, kind="import", record_id=run.pk)  # delivered twice
    assert journal.entries_of("ticket", ticket.pk) == entries


def test_rejects_are_fetched(people: NamedPeople, tmp_path: Path) -> None:
    content = write_log(tmp_path / "a.csv", [*a_life(), log_row(number="INC2", incident_state="-100")]).read_bytes()
    run = ask(people, content, "../../etc/lög.csv")
    assert run.files == ["lög.csv"]
    assert people.client("ana").get(f"/import/{run.pk}/rejects.csv").status_code == 404
    assert work(run) == "done"
    assert f"/import/{run.pk}/rejects.csv" in people.client("ana").get(f"/import/{run.pk}").content.decode()
    answer = people.client("ana").get(f"/import/{run.pk}/rejects.csv")
    assert b"-100" in b"".join(answer.streaming_content)  # type: ignore[attr-defined]
    assert "attachment" in answer["Content-Disposition"]


def test_a_broken_file_says_so_on_the_page(people: NamedPeople) -> None:
    run = ask(people, b"%PDF-1.7")
    assert work(run) == "failed"
    assert "The content is a PDF" in people.client("ana").get(f"/import/{run.pk}").content.decode()


def test_a_form_with_faults_says_them(people: NamedPeople) -> None:
    client = people.client("ana")
    answer = client.post("/import", {"profile": "generic", "time_zone": "Mars", "sources": SimpleUploadedFile("a.csv", b"a\n")})
    assert answer.status_code == 422
    assert "There is no such time zone" in answer.content.decode()
    answer = client.post("/import", {"profile": "generic", "time_zone": "UTC", "sources": SimpleUploadedFile("a.csv", b"a\n")})
    assert "must say: system, key" in answer.content.decode()
    assert client.post("/import", {"profile": "generic", "time_zone": "UTC"}).status_code == 422
    assert ImportRun.objects.count() == 0


@pytest.mark.parametrize(("person", "status"), [("rita", 403), ("alan", 403), ("mona", 403), ("audrey", 403), ("ana", 200), ("adam", 200)])
def test_who_may_see_imports(people: NamedPeople, person: str, status: int, tmp_path: Path) -> None:
    run = ask(people, write_log(tmp_path / "a.csv", a_life()).read_bytes())
    for path in ("/import", f"/import/{run.pk}"):
        assert people.client(person).get(path).status_code == status
    assert people.client("anonymous").get("/import").status_code == 302
    assert people.client("ana").get("/import/999999").status_code == 404
