"""The command line, run as a program against an instance of its own."""

import re
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest

from tests.trees import Instance

pytestmark = [pytest.mark.xdist_group("cli"), pytest.mark.timeout(300)]


def test_help_names_every_command_and_the_exit_codes() -> None:
    said = subprocess.run([sys.executable, "-m", "pilothouse.cli", "--help"], capture_output=True, text=True, check=True).stdout
    for command in ("up", "web", "worker", "migrate", "demo", "import", "journal", "rebuild", "backup", "restore", "user", "doctor"):
        assert re.search(rf"^ +{command} ", said, re.MULTILINE), command
    assert "Exit codes: 0 done" in said


def test_a_shell_gets_completion() -> None:
    environment = {"_PILOTHOUSE_COMPLETE": "complete_bash", "COMP_WORDS": "pilothouse jour", "COMP_CWORD": "1", "PATH": "/usr/bin"}
    program = str(Path(sys.executable).with_name("pilothouse"))
    said = subprocess.run([program], env=environment, capture_output=True, text=True)
    assert said.stdout.strip() == "journal"


def test_wrong_usage_ends_with_2() -> None:
    assert subprocess.run([sys.executable, "-m", "pilothouse.cli", "rebuild", "a", "b"], capture_output=True).returncode == 2


def test_people_are_added_listed_given_a_password_and_deactivated(desk: Instance) -> None:
    added = desk.command(
        "user", "add", "new@example.org", "--name", "Nea New", "--role", "agent", "--password-stdin", say="long enough 1\n"
    )
    assert (added.returncode, added.stdout) == (0, "Added Nea New <new@example.org>, agent.\n"), added.stderr
    assert re.search(r"^agent +new@example.org +Nea New$", desk.command("user", "list").stdout, re.MULTILINE)
    assert desk.command("user", "passwd", "NEW@example.org", "--password-stdin", say="another long one 2\n").returncode == 0
    assert desk.command("user", "deactivate", "new@example.org").returncode == 0
    assert "new@example.org" not in desk.command("user", "list").stdout
    verbs = [verb for (verb,) in desk.rows("SELECT verb FROM journal_entry WHERE source = 'cli' ORDER BY id DESC LIMIT 3")]
    assert verbs == ["person.changed", "person.password_set", "person.added"]


def test_a_refusal_says_each_fault_and_ends_with_1(desk: Instance) -> None:
    refused = desk.command("user", "add", "nonsense", "--name", "N", "--role", "king", "--password-stdin", say="short\n")
    assert refused.returncode == 1
    assert "email" in refused.stderr
    assert "role" in refused.stderr
    assert "Traceback" not in refused.stderr
    assert desk.command("user", "passwd", "nobody@example.org", "--password-stdin", say="x\n").returncode == 1


def test_projections_are_listed_and_rebuilt(desk: Instance) -> None:
    assert "ticket_story" in desk.command("rebuild").stdout.split()
    rebuilt = desk.command("rebuild", "all")
    assert rebuilt.returncode == 0, rebuilt.stderr
    assert "ticket_story: rebuilt from" in rebuilt.stdout
    unknown = desk.command("rebuild", "nothing")
    assert unknown.returncode == 2
    assert "ticket_story" in unknown.stderr


def test_the_journal_is_verified_and_a_tampered_entry_is_named(desk: Instance) -> None:
    sound = desk.command("journal", "verify")
    assert sound.returncode == 0
    assert ": no broken." in sound.stdout
    with psycopg.connect(desk.url, autocommit=True) as connection:
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("UPDATE journal_entry SET note = 'forged'")
        connection.execute("SET session_replication_role = replica")  # what somebody with the database's keys could do
        connection.execute("UPDATE journal_entry SET note = 'forged' WHERE kind = 'person' AND record_id = 1 AND seq = 2")
        broken = desk.command("journal", "verify")
        connection.execute("UPDATE journal_entry SET note = '' WHERE kind = 'person' AND record_id = 1 AND seq = 2")
    assert broken.returncode == 1
    assert "BROKEN person 1 at entry 2" in broken.stderr


def test_the_doctor_says_what_is_wrong_and_how_to_mend_it(desk: Instance) -> None:
    well = desk.command("doctor")
    assert well.returncode == 0, well.stdout
    (desk.data / "secret.key").chmod(0o644)
    ill = desk.command("doctor")
    (desk.data / "secret.key").chmod(0o600)
    assert ill.returncode == 1
    assert f"chmod 600 {desk.data}/secret.key" in ill.stdout


def test_a_command_without_an_instance_says_how_to_make_one(folder: Path) -> None:
    refused = Instance(folder).command("user", "list")
    assert refused.returncode == 4
    assert "pilothouse up" in refused.stderr
    assert "does not exist yet" in Instance(folder).command("doctor").stdout


def test_a_backup_taken_while_people_work_restores_to_the_same_heads(desk: Instance, folder: Path) -> None:
    attached = desk.data / "attachments" / "ab" / ("ab" * 32)
    attached.parent.mkdir(parents=True)
    attached.write_bytes(b"a screenshot")
    file = folder / "monday.tar"
    written = desk.command("backup", str(file))
    assert written.returncode == 0, written.stderr
    assert file.stat().st_mode & 0o077 == 0
    again = desk.command("backup", str(file))
    assert again.returncode == 1
    assert "overwrites nothing" in again.stderr

    other = Instance(folder)
    restored = other.command("restore", str(file))
    assert restored.returncode == 0, restored.stderr
    heads = [re.search(r"Journal heads: \d+, digest \w+", said) for said in (written.stdout, restored.stdout)]
    assert heads[0]
    assert heads[1]
    assert heads[0][0] == heads[1][0]
    assert (other.data / "attachments" / "ab" / ("ab" * 32)).read_bytes() == b"a screenshot"
    assert ": no broken." in other.command("journal", "verify").stdout
    twice = other.command("restore", str(file))
    assert twice.returncode == 1
    assert "not empty" in twice.stderr


def test_a_damaged_backup_is_refused_before_anything_is_made(folder: Path) -> None:
    (folder / "damaged.tar").write_bytes(b"not a tar file")
    other = Instance(folder)
    refused = other.command("restore", str(folder / "damaged.tar"))
    assert refused.returncode == 1
    assert "not a Pilothouse backup" in refused.stderr
    assert not (other.data / "postgres").exists()
