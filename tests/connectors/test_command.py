"""`pilothouse import`: what it prints, and exit codes that scripts can trust."""

import contextlib
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from pilothouse.connectors import command
from pilothouse.connectors.models import ImportRun
from pilothouse.tickets.models import Ticket
from tests.connectors.files import a_life, log_row, write_log

pytestmark = pytest.mark.django_db


def run(*arguments: object) -> Result:
    app = typer.Typer()
    app.callback()(lambda: None)
    command.register(app, contextlib.nullcontext, lambda work: work)
    return CliRunner().invoke(app, ["import", *map(str, arguments)])


def test_it_imports_and_says_what_it_did(tmp_path: Path) -> None:
    path = write_log(tmp_path / "log.csv", a_life())
    done = run("servicenow-log", path)
    assert done.exit_code == 0, done.output
    assert "1 tickets new, 0 continued: 5 entries." in done.output
    assert "times are in UTC" in done.output
    assert "2 unknown groups added, inactive: Group 1, Group 2" in done.output
    again = run("servicenow-log", path)
    assert (again.exit_code, "Nothing is new" in again.output) == (0, True)
    assert list(ImportRun.objects.values_list("state", flat=True)) == ["done", "done"]


def test_a_dry_run_leaves_no_trace(tmp_path: Path) -> None:
    done = run("servicenow-log", write_log(tmp_path / "log.csv", a_life()), "--dry-run")
    assert "1 tickets would be new" in done.output
    assert (Ticket.objects.count(), ImportRun.objects.count()) == (0, 0)


def test_rejected_rows_give_exit_code_3_and_a_file(tmp_path: Path) -> None:
    path = write_log(tmp_path / "log.csv", [*a_life(), log_row(number="INC2", incident_state="-100")])
    done = run("servicenow-log", path)
    assert done.exit_code == 3
    assert "1 rows rejected" in done.output
    assert (tmp_path / "log.csv.rejects.csv").read_text().count("\n") == 2


def test_a_folder_that_takes_no_rejects_is_told_before_anything_is_read(tmp_path: Path) -> None:
    done = run("servicenow-log", write_log(tmp_path / "log.csv", a_life()), "--rejects", tmp_path / "none" / "r.csv")
    assert done.exit_code == 1
    assert "say where with --rejects FILE" in done.output
    assert Ticket.objects.count() == 0


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("servicenow-lug", "log.csv"), 2, "There is no profile “servicenow-lug”"),
        (("servicenow-log", "none.csv"), 1, "No such file"),
        (("generic", "log.csv"), 1, "--suggest"),
        (("servicenow-log", "log.csv", "--time-zone", "Mars"), 1, "no time zone"),
        (("servicenow-log", "log.csv", "--mapping", "none.toml"), 1, "No such file"),
    ],
)
def test_failures_have_a_message_and_a_code(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], code: int, said: str
) -> None:
    write_log(tmp_path / "log.csv", a_life())
    monkeypatch.chdir(tmp_path)
    done = run(*arguments)
    assert (done.exit_code, said in done.output) == (code, True), done.output
    assert Ticket.objects.count() == 0


def test_a_draft_is_printed(tmp_path: Path) -> None:
    done = run("generic", write_log(tmp_path / "log.csv", a_life()), "--suggest")
    assert done.exit_code == 0
    assert 'key = "number"' in done.output
    assert 'date_formats = ["%d/%m/%Y %H:%M"]' in done.output
