"""The review on paper, in the terminal and as JSON."""

import html
import io
import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from rich.console import Console

from pilothouse.morning import pdf, queries, telling, terminal
from pilothouse.morning.queries import Morning
from pilothouse.notifications import mailer
from pilothouse.notifications.mailer import Item, Recipient
from pilothouse.tickets import actions as tickets
from tests.organisation import Organisation, set_up
from tests.sla.desk_of_agreements import agreement, target
from tests.trees import Instance

TUESDAY = datetime(2026, 3, 3, 8, 30, tzinfo=UTC)
HOSTILE = (
    '#import "review.typ"',
    '#read("/etc/passwd")',
    '"); #panic("x") #("',
    "$ x^2 $ *bold* _it_ `raw` [x](https://evil.example) @ref <label> // gone /* gone */ \\",
    "<script>alert(1)</script> &amp; \u202eevil",
    "long " * 49,
)


@pytest.fixture
def org(db: None) -> Organisation:
    made = set_up()
    agreement(made.adam, "Incidents", target(1, "response"), target(14, "resolution"))
    return made


@pytest.fixture
def hostile(org: Organisation) -> Morning:
    for title in HOSTILE:
        tickets.open_ticket(actor=org.ana, title=title, group=org.network, now=TUESDAY - timedelta(hours=12))
    return queries.morning(org.ana, now=TUESDAY)


def test_what_people_typed_prints_literally(hostile: Morning) -> None:
    made = pdf.document(hostile)
    assert made.startswith(b"%PDF-")
    words = html.unescape(re.sub(r"<[^>]*>", "", pdf.typeset(hostile, "html").decode()))
    flat = re.sub(r"\s+", " ", words)
    for title in HOSTILE:
        assert re.sub(r"\s+", " ", title).strip() in flat
    assert "root:" not in words


def test_a_quiet_morning_prints_too(org: Organisation) -> None:
    shown = queries.morning(org.ana, now=TUESDAY)
    assert pdf.document(shown).startswith(b"%PDF-")
    words = pdf.typeset(shown, "html").decode()
    assert "Nothing runs out before the day ends." in words
    assert "A quiet morning" in telling.as_markdown(shown)


def drawn(shown: Morning) -> str:
    out = io.StringIO()
    terminal.draw(shown, Console(file=out, width=80, highlight=False, markup=False, emoji=False))
    return out.getvalue()


def test_the_terminal_has_room_in_eighty_columns(hostile: Morning) -> None:
    said = drawn(hostile)
    assert max(map(len, said.splitlines())) <= 80
    assert '#read("/etc/passwd")' in said
    assert "Act first  6" in said
    assert re.search(r"6  came in", said)


def test_as_data_it_is_json_and_complete(hostile: Morning) -> None:
    data = json.loads(json.dumps(telling.as_data(hostile)))
    assert data["came_in"]["count"] == data["breached"]["tickets"] == 6
    assert {line["title"] for line in data["sections"][0]["lines"]} == {title.strip() for title in HOSTILE}
    assert [age["open"] for age in data["ages"]] == [6, 0, 0, 0, 0]


def test_the_mail_has_working_links_and_no_foreign_ones(hostile: Morning) -> None:
    item = Item("morning.review", "Morning review", telling.as_markdown(hostile), "/morning", False, TUESDAY)
    mail = mailer.single(Recipient("Ana", "ana@example.org"), item, 1, TUESDAY)
    body = mail.get_body(("html",))
    assert body is not None
    page = body.get_content()
    links = set(re.findall(r'href="([^"]+)"', page))
    assert any(link.endswith("/morning") for link in links)
    assert sum("/tickets/INC" in link for link in links) == 6
    assert not any("evil" in link for link in links)
    assert "<script" not in page


@pytest.mark.xdist_group("cli")
@pytest.mark.timeout(300)
def test_the_command_prints_writes_and_mails(desk: Instance, tmp_path: Path) -> None:
    printed = desk.command("morning", "--for", "ana@example.org")
    assert printed.returncode == 0, printed.stderr
    assert "Every escalation was taken up." in printed.stdout
    assert json.loads(desk.command("morning", "--json").stdout)["waiting"] == 0
    paper = tmp_path / "m.pdf"
    assert desk.command("morning", "--for", "mona@example.org", "--pdf", str(paper)).returncode == 0
    assert paper.read_bytes().startswith(b"%PDF-")
    assert desk.command("morning", "--mail").returncode == 2
    assert desk.command("morning", "--mail", "--for", "ana@example.org").stdout == "The review of Ana is on its way to ana@example.org.\n"
    assert desk.rows("SELECT count(*) FROM notifications_notification WHERE kind = 'morning.review'") == [(1,)]
    refused = desk.command("morning", "--for", "nobody@example.org")
    assert (refused.returncode, "There is nobody" in refused.stderr) == (1, True)
