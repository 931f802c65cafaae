"""Messages on their way: a real mail server, a real web server, real PostgreSQL, and a clock that is moved."""

import hashlib
import hmac
import json
import logging
from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta
from typing import Any

import pytest

from pilothouse.notifications import actions, delivering
from pilothouse.notifications.models import Delivery, Notification
from pilothouse.people.models import User
from pilothouse.people.testing import NamedPeople
from pilothouse.platform import access, clock
from tests.notifications.receivers import MailServer, WebServer, only_harbour

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
SYSTEM = access.system()


@pytest.fixture(autouse=True)
def noon(db: None) -> Iterator[None]:
    with clock.at(NOON):
        yield


def tell(*people: User, **more: Any) -> list[int]:
    given = {"kind": "probe.alarm", "subject": "INC0000001 is due in 30 min", "path": "/tickets/INC0000001", **more}
    return actions.notify_people(actor=SYSTEM, people=[person.pk for person in people], now=clock.now(), **given)


def states() -> list[tuple[str, str, int]]:
    return list(Delivery.objects.order_by("id").values_list("channel", "state", "attempts"))


def deliver() -> None:
    for work in (delivering.deliver_mail, delivering.deliver_digests, delivering.deliver_webhooks):
        while work():
            pass


def test_a_message_arrives_once_in_the_inbox_and_by_mail(people: NamedPeople, mail: MailServer) -> None:
    text = "**30 min** left of 4 h. See [the proof](/tickets/INC0000001/clocks)."
    [made] = tell(people.alan, text=text, about=("ticket", 17))
    deliver()
    deliver()
    assert Notification.objects.get(pk=made).person == people.alan
    [arrived] = mail.arrived
    assert mail.keeper.to == [["alan@example.org"]]
    assert arrived["Subject"] == "INC0000001 is due in 30 min"
    assert arrived["To"] == "Alan Reed <alan@example.org>"
    assert arrived["From"] == "Pilothouse <desk@pilothouse.example>"
    assert arrived["Message-ID"] == f"<delivery-{Delivery.objects.get().pk}@pilothouse.example>"
    assert arrived["References"] == "<ticket-17@pilothouse.example>"
    assert arrived["List-Unsubscribe"] == "<https://desk.example/profile/notifications>"
    body, html = (arrived.get_body([kind]).get_content().replace("\r", "") for kind in ("plain", "html"))  # type: ignore[union-attr]
    assert "https://desk.example/tickets/INC0000001\n" in body
    assert "30 min left of 4 h. See the proof (https://desk.example/tickets/INC0000001/clocks)." in body
    assert '<a href="https://desk.example/tickets/INC0000001/clocks"' in html
    assert "<strong>30 min</strong>" in html
    assert states() == [("mail", "sent", 1)]


def test_what_was_told_is_not_told_again_within_a_day(people: NamedPeople, mail: MailServer) -> None:
    assert len(tell(people.alan, people.olga, people.alan, dedup_key="step-7")) == 2
    assert tell(people.alan, dedup_key="step-7") == []
    assert len(tell(people.ana, dedup_key="step-7")) == 1
    clock.move(hours=23, minutes=59)
    assert tell(people.alan, dedup_key="step-7") == []
    clock.move(minutes=2)
    assert len(tell(people.alan, dedup_key="step-7")) == 1
    assert len(tell(people.alan)) == len(tell(people.alan)) == 1


def test_who_has_left_is_told_nothing(people: NamedPeople, mail: MailServer) -> None:
    User.objects.filter(pk=people.olga.pk).update(is_active=False)
    assert len(tell(people.olga, people.alan)) == 1
    User.objects.filter(pk=people.alan.pk).update(is_active=False)
    deliver()
    assert (states(), mail.arrived) == ([("mail", "dropped", 1)], [])


def test_a_server_that_is_away_is_asked_again_later_and_later(people: NamedPeople, mail: MailServer) -> None:
    tell(people.alan)
    mail.stop()
    pauses = []
    for _ in range(4):
        deliver()
        waiting = Delivery.objects.get()
        assert (waiting.state, waiting.last_error) == ("waiting", "The mail server cannot be reached (ConnectionRefusedError).")
        pauses.append((waiting.next_attempt_at - clock.now()).total_seconds())
        deliver()  # not before its time
        clock.move(seconds=pauses[-1] + 1)
    assert all(0.75 < pause / (20 * 2**n) < 1.25 for n, pause in enumerate(pauses)), pauses
    mail.start()
    deliver()
    assert (len(mail.arrived), states()) == (1, [("mail", "sent", 5)])


def test_a_refusal_for_now_is_tried_again_and_one_for_good_is_not(people: NamedPeople, mail: MailServer) -> None:
    mail.keeper.answers = ["451 later"]
    mail.keeper.refused = {"olga@example.org": "550 no such mailbox"}
    tell(people.alan, people.olga)
    deliver()
    first, second = Delivery.objects.order_by("id")
    assert (first.state, first.last_error) == ("waiting", "The mail server said 451 later")
    assert (second.state, second.last_error) == ("failed", "The mail server said 550 no such mailbox")
    clock.move(seconds=60)
    deliver()
    assert [each["To"] for each in mail.arrived] == ["Alan Reed <alan@example.org>"]
    mail.keeper.refused = {}
    actions.retry_delivery(actor=people.actor("adam"), delivery_id=second.pk, now=clock.now())
    deliver()
    assert len(mail.arrived) == 2


def test_tries_end(people: NamedPeople, mail: MailServer) -> None:
    tell(people.alan)
    mail.stop()
    for _ in range(20):
        deliver()
        clock.move(hours=2)
    assert states() == [("mail", "failed", 14)]


def test_quiet_hours_hold_mail_back_and_urgent_ones_pass(people: NamedPeople, mail: MailServer) -> None:
    alan, olga = people.actor("alan"), people.actor("olga")
    quiet = {"quiet_from": time(11), "quiet_until": time(13, 30)}
    actions.set_preferences(actor=alan, now=clock.now(), **quiet)
    actions.set_preferences(actor=olga, now=clock.now(), urgent_passes=False, **quiet)
    tell(people.alan, people.olga)
    tell(people.alan, people.olga, subject="Now!", urgency="urgent")
    deliver()
    assert [(each["To"], each["Subject"]) for each in mail.arrived] == [("Alan Reed <alan@example.org>", "Now!")]
    assert mail.arrived[0]["Importance"] == "high"
    clock.move(hours=1, minutes=29)
    deliver()
    assert len(mail.arrived) == 1
    clock.move(minutes=1, seconds=5)
    deliver()
    assert len(mail.arrived) == 4
    assert Notification.objects.filter(read_at=None).count() == 4  # the inbox waited for nobody


def test_the_caller_holds_back_for_each_person(people: NamedPeople, mail: MailServer) -> None:
    tell(people.alan, people.olga, not_before={people.alan.pk: NOON + timedelta(hours=1)})
    deliver()
    assert mail.keeper.to == [["olga@example.org"]]
    clock.move(hours=1, seconds=1)
    deliver()
    assert mail.keeper.to == [["olga@example.org"], ["alan@example.org"]]


def test_what_was_read_meanwhile_is_not_mailed(people: NamedPeople, mail: MailServer) -> None:
    [made] = tell(people.alan, not_before=NOON + timedelta(hours=1))
    actions.mark_read(actor=people.actor("alan"), notification_id=made, now=clock.now())
    clock.move(hours=2)
    deliver()
    assert (mail.arrived, states()) == ([], [("mail", "dropped", 1)])


def test_a_digest_gathers_by_kind_at_its_time(people: NamedPeople, mail: MailServer) -> None:
    actions.set_preferences(actor=people.actor("alan"), mail={"probe.alarm": "digest"}, digest_at=time(17), now=clock.now())
    for number in range(3):
        tell(people.alan, kind="probe.news", subject=f"News {number}")
    tell(people.alan, subject="Alarm", text="It is warm.")
    tell(people.olga, kind="probe.news")
    deliver()
    clock.move(hours=4, minutes=59)
    deliver()
    assert mail.arrived == []
    clock.move(minutes=1, seconds=5)
    deliver()
    deliver()
    [arrived] = mail.arrived
    assert arrived["Subject"] == "4 messages: Alarms, News"
    text = arrived.get_body(["plain"]).get_content()  # type: ignore[union-attr]
    places = [text.index(words) for words in ("Alarms (1)", "* Alarm", "It is warm.", "News (3)", "* News 0", "* News 1", "* News 2")]
    assert places == sorted(places)
    clock.move(hours=15)  # Olga's comes at eight
    deliver()
    assert len(mail.arrived) == 2


def test_a_digest_that_fails_comes_whole_later(people: NamedPeople, mail: MailServer) -> None:
    for number in range(3):
        tell(people.alan, kind="probe.news", subject=f"News {number}")
    mail.keeper.answers = ["451 later"]
    clock.move(hours=20, seconds=5)
    deliver()
    assert len(set(Delivery.objects.values_list("next_attempt_at", flat=True))) == 1
    clock.move(seconds=60)
    deliver()
    assert [each["Subject"] for each in mail.arrived] == ["3 messages: News"]


def test_nothing_in_a_subject_or_name_becomes_a_header(people: NamedPeople, mail: MailServer) -> None:
    User.objects.filter(pk=people.alan.pk).update(name='Alan\r\nBcc: all@example.org, "x" <y@example.org>')
    tell(people.alan, subject="Due\r\nBcc: all@example.org\u2028X: y")
    deliver()
    [arrived] = mail.arrived
    assert arrived["Bcc"] is None
    assert arrived["X"] is None
    assert arrived["Subject"] == "Due Bcc: all@example.org X: y"
    assert mail.keeper.to == [["alan@example.org"]]


def test_markup_in_a_message_stays_text(people: NamedPeople, mail: MailServer) -> None:
    tell(people.alan, subject="<script>alert(1)</script>", text="<img src=x onerror=alert(1)> [x](javascript:alert(1))")
    deliver()
    html = mail.arrived[0].get_body(["html"]).get_content()  # type: ignore[union-attr]
    assert "<script" not in html
    assert "<img" not in html
    assert 'href="javascript' not in html


def test_without_a_mail_server_the_log_says_so(people: NamedPeople, settings: Any) -> None:
    settings.SMTP_URL = ""
    tell(people.alan)
    deliver()
    assert Delivery.objects.get().last_error == "No mail server is set (PILOTHOUSE_SMTP_URL)."


@pytest.mark.filterwarnings("ignore:Requiring AUTH")
def test_a_password_goes_over_tls_only_and_is_never_told(people: NamedPeople, settings: Any, caplog: pytest.LogCaptureFixture) -> None:
    server = MailServer(authenticator=only_harbour, auth_required=True, auth_require_tls=False).start()
    address = f"//pilot:har%40bour%2F1@127.0.0.1:{server.port}"
    try:
        with caplog.at_level(logging.DEBUG):
            settings.SMTP_URL = f"smtp:{address}"
            tell(people.alan)
            deliver()
            assert Delivery.objects.get().last_error == "The mail server offers no TLS, so the password was not sent."
            settings.SMTP_URL = f"smtp+plain:{address}"
            clock.move(minutes=1)
            deliver()
            assert len(server.arrived) == 1
            settings.SMTP_URL = f"smtp+plain:{address.replace('bour', 'bur')}"
            tell(people.olga)
            deliver()
    finally:
        server.stop()
    failed = Delivery.objects.get(state="waiting")
    assert "the user or the password" in failed.last_error
    assert "har%40b" not in caplog.text + failed.last_error
    assert "har@b" not in caplog.text


def hook(people: NamedPeople, web: WebServer, kind: str = "slack", path: str = "/hook/very-secret") -> tuple[int, str]:
    webhook, key = actions.add_webhook(actor=people.actor("adam"), name=kind, kind=kind, url=web.url(path), now=clock.now())
    return webhook.pk, key


def tell_hook(webhook_id: int, **more: Any) -> int | None:
    given = {"kind": "probe.alarm", "subject": "INC0000001 <is> due", "text": "**30 min** left", "path": "/tickets/INC0000001", **more}
    return actions.notify_webhook(actor=SYSTEM, webhook_id=webhook_id, now=clock.now(), **given)


def test_slack_gets_what_slack_takes(people: NamedPeople, web: WebServer) -> None:
    webhook_id, _ = hook(people, web)
    assert tell_hook(webhook_id, dedup_key="a") is not None
    assert tell_hook(webhook_id, dedup_key="a") is None
    deliver()
    deliver()
    [call] = web.calls
    sent = json.loads(call.body)
    assert (call.path, call.headers["Content-Type"]) == ("/hook/very-secret", "application/json")
    assert sent["text"] == "INC0000001 &lt;is&gt; due"
    assert [block["text"]["text"] for block in sent["blocks"]] == [
        "INC0000001 <is> due",
        "*30 min* left",
        "<https://desk.example/tickets/INC0000001|Open in Pilothouse>",
    ]
    assert states() == [("webhook", "sent", 1)]


def test_teams_gets_an_adaptive_card(people: NamedPeople, web: WebServer) -> None:
    webhook_id, _ = hook(people, web, "teams")
    tell_hook(webhook_id, urgency="urgent")
    deliver()
    sent = json.loads(web.calls[0].body)
    card = sent["attachments"][0]["content"]
    assert (sent["type"], card["type"], card["version"]) == ("message", "AdaptiveCard", "1.4")
    assert [part["text"] for part in card["body"]] == ["INC0000001 <is> due", "**30 min** left"]
    assert card["actions"][0]["url"] == "https://desk.example/tickets/INC0000001"


def test_json_is_signed(people: NamedPeople, web: WebServer) -> None:
    webhook_id, key = hook(people, web, "json")
    tell_hook(webhook_id, about=("ticket", 17))
    deliver()
    [call] = web.calls
    at, _, sent = call.headers["X-Pilothouse-Signature"].partition(",")
    expected = hmac.new(key.encode(), at.removeprefix("t=").encode() + b"." + call.body, hashlib.sha256).hexdigest()
    assert sent == f"v1={expected}"
    assert call.headers["X-Pilothouse-Delivery"] == str(Delivery.objects.get().pk)
    assert json.loads(call.body)["about"] == "ticket/17"


@pytest.mark.parametrize(
    ("status", "headers", "state"), [(500, {}, "waiting"), (429, {"Retry-After": "900"}, "waiting"), (404, {}, "failed")]
)
def test_an_answer_decides_whether_it_goes_again(
    people: NamedPeople, web: WebServer, status: int, headers: dict[str, str], state: str
) -> None:
    webhook_id, _ = hook(people, web)
    web.answers = [(status, headers)]
    tell_hook(webhook_id)
    deliver()
    found = Delivery.objects.get()
    assert (found.state, found.last_error) == (state, f"127.0.0.1 answered {status}.")
    if headers:
        assert found.next_attempt_at - clock.now() > timedelta(seconds=890)
    clock.move(minutes=20)
    deliver()
    assert len(web.calls) == (2 if state == "waiting" else 1)


def test_a_retired_webhook_is_told_nothing_more(people: NamedPeople, web: WebServer) -> None:
    webhook_id, _ = hook(people, web)
    tell_hook(webhook_id)
    actions.retire_webhook(actor=people.actor("adam"), webhook_id=webhook_id, now=clock.now())
    assert tell_hook(webhook_id) is None
    deliver()
    assert (web.calls, states()) == ([], [("webhook", "dropped", 0)])


def test_after_an_outage_all_that_failed_is_tried_again(people: NamedPeople, mail: MailServer) -> None:
    tell(people.alan, people.olga, people.ana)
    Delivery.objects.update(state="failed", ended_at=clock.now(), attempts=14)
    old = Delivery.objects.get(person=people.ana)
    Delivery.objects.filter(pk=old.pk).update(ended_at=clock.now() - timedelta(days=8))
    assert actions.retry_failed_deliveries(actor=people.actor("adam"), now=clock.now()) == 2
    deliver()
    assert sorted(mail.keeper.to) == [["alan@example.org"], ["olga@example.org"]]


def test_a_test_mail_comes_whatever_one_prefers(people: NamedPeople, mail: MailServer) -> None:
    adam = people.actor("adam")
    actions.set_preferences(actor=adam, now=clock.now(), quiet_from=time(0), quiet_until=time(23, 59), mail={"probe.alarm": "none"})
    actions.try_mail(actor=adam, now=clock.now())
    deliver()
    assert [each["Subject"] for each in mail.arrived] == ["Pilothouse reaches you by mail"]


def test_a_fault_of_ours_with_one_message_holds_up_no_other(
    people: NamedPeople, mail: MailServer, caplog: pytest.LogCaptureFixture
) -> None:
    tell(people.alan, people.olga)
    User.objects.filter(pk=people.alan.pk).update(email="not an address")
    deliver()
    assert mail.keeper.to == [["olga@example.org"]]
    assert Delivery.objects.get(person=people.alan).last_error == "The e-mail address is not a good one."
