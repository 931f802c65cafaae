"""Whose messages one sees, what preferences take, and that secrets stay where they are."""

import json
import logging
from datetime import UTC, datetime, time
from typing import Any

import pytest
from django.db import connection

from pilothouse.notifications import actions, delivering, jobs, queries
from pilothouse.notifications.models import Delivery, Notification, Preference, WebhookSecret
from pilothouse.people.testing import NamedPeople
from pilothouse.platform import access, clock
from pilothouse.platform.models import JournalEntry
from pilothouse.platform.refusals import Forbidden, GuardRefused, Invalid, Missing
from tests.notifications.receivers import WebServer

SYSTEM = access.system()


def tell(*people: Any, **more: Any) -> list[int]:
    given = {"kind": "probe.alarm", "subject": "INC0000001 is due", **more}
    return actions.notify_people(actor=SYSTEM, people=[person.pk for person in people], now=clock.now(), **given)


def test_one_sees_and_marks_ones_own_only(people: NamedPeople) -> None:
    [alans] = tell(people.alan)
    tell(people.olga)
    alan, olga = people.actor("alan"), people.actor("olga")
    assert [each.pk for each in queries.inbox(alan)] == [alans]
    for stranger in (olga, people.actor("adam"), SYSTEM):
        with pytest.raises(Missing):
            actions.mark_read(actor=stranger, notification_id=alans, now=clock.now())
    assert actions.mark_all_read(actor=olga, now=clock.now()) == 1
    assert (queries.unread_count(alan), queries.unread_count(olga)) == (1, 0)
    first = actions.mark_read(actor=alan, notification_id=alans, now=clock.now()).read_at
    assert actions.mark_read(actor=alan, notification_id=alans, now=clock.now()).read_at == first


def test_what_came_after_the_page_stays_unread(people: NamedPeople) -> None:
    [shown] = tell(people.alan)
    tell(people.alan)
    client = people.client("alan")
    client.post("/inbox/read", {"up_to": shown})
    assert queries.unread_count(people.actor("alan")) == 1


def test_over_rest_too(people: NamedPeople) -> None:
    [alans] = tell(people.alan, about=("ticket", 17), urgency="urgent", path="/tickets/INC0000001")
    tell(people.alan)
    alan, olga = people.client("alan"), people.client("olga")
    found = alan.get("/api/v1/notifications?unread=true&limit=1").json()
    assert len(found["items"]) == 1
    assert found["next_cursor"]
    [second] = alan.get(f"/api/v1/notifications?unread=true&limit=1&cursor={found['next_cursor']}").json()["items"]
    assert (second["id"], second["about"], second["urgent"], second["read_at"]) == (alans, {"kind": "ticket", "id": 17}, True, None)
    assert olga.get("/api/v1/notifications").json()["items"] == []
    assert olga.post(f"/api/v1/notifications/{alans}/read").status_code == 404
    assert alan.post(f"/api/v1/notifications/{alans}/read").json()["read_at"]
    assert alan.post("/api/v1/notifications/read").json() == {"read": 1}


def test_a_message_never_leads_to_another_site(people: NamedPeople) -> None:
    for path in ("https://evil.example/", "//evil.example/", "/\\evil.example", "javascript:alert(1)", "/a\r\nLocation: //evil"):
        [made] = tell(people.alan, path=path)
        answer = people.client("alan").post(f"/inbox/{made}/open")
        assert answer["Location"] == "/inbox"


def test_wrong_preferences_are_refused_with_every_fault(people: NamedPeople) -> None:
    alan = people.actor("alan")
    wrong: dict[str, Any] = {"mail": {"probe.alarm": "by pigeon", "nothing.known": "digest"}, "digest_at": None, "colour": "blue"}
    with pytest.raises(Invalid) as refusal:
        actions.set_preferences(actor=alan, now=clock.now(), **wrong)
    assert sorted(error.field for error in refusal.value.errors) == ["colour", "digest_at", "mail", "mail"]
    with pytest.raises(Invalid):
        actions.set_preferences(actor=alan, now=clock.now(), quiet_until=time(7))
    with pytest.raises(Forbidden):
        actions.set_preferences(actor=SYSTEM, now=clock.now(), urgent_passes=False)
    assert not Preference.objects.exists()


def test_preferences_are_journalled_once_and_only_when_they_change(people: NamedPeople) -> None:
    alan = people.actor("alan")
    for _ in range(2):
        actions.set_preferences(actor=alan, now=clock.now(), quiet_from=time(22), quiet_until=time(7), mail={"probe.news": "none"})
    [entry] = JournalEntry.objects.filter(verb="person.notifications_set")
    assert entry.changes == [["mail", {}, {"probe.news": "none"}], ["quiet_from", None, "22:00"], ["quiet_until", None, "07:00"]]


def test_an_unknown_urgency_is_a_fault_of_the_caller(people: NamedPeople) -> None:
    with pytest.raises(ValueError, match="normal or urgent"):
        tell(people.alan, urgency="rather")


def test_only_administrators_see_the_log_and_webhooks_addresses_nobody(
    people: NamedPeople, web: WebServer, caplog: pytest.LogCaptureFixture
) -> None:
    adam = people.actor("adam")
    with pytest.raises(Forbidden):
        actions.add_webhook(actor=people.actor("mona"), name="x", kind="slack", url=web.url(), now=clock.now())
    with pytest.raises(Forbidden):
        queries.deliveries(people.actor("mona"))
    secret = web.url("/hook/very-secret?token=as-secret")
    with caplog.at_level(logging.DEBUG):
        webhook, key = actions.add_webhook(actor=adam, name="Desk", kind="json", url=secret, now=clock.now())
        actions.change_webhook(actor=adam, webhook_id=webhook.pk, url=secret + "-too", now=clock.now())
        web.answers = [(500, {}), (404, {})]
        for _ in range(2):
            actions.try_webhook(actor=adam, webhook_id=webhook.pk, now=clock.now())
            delivering.deliver_webhooks()
        web.stop()
        actions.try_webhook(actor=adam, webhook_id=webhook.pk, now=clock.now())
        delivering.deliver_webhooks()
    assert [call.path for call in web.calls] == ["/hook/very-secret?token=as-secret-too"] * 2
    client = people.client("adam")
    pages = [
        client.get(path).content.decode() for path in ("/settings/webhooks", f"/settings/webhooks/{webhook.pk}", "/settings/deliveries")
    ]
    told = [json.dumps([entry.changes, entry.note]) for entry in JournalEntry.objects.all()]
    errors = list(Delivery.objects.values_list("last_error", flat=True))
    for text in (*pages, *told, *errors, caplog.text):
        assert "secret" not in text.replace("secret-title", "")
        assert key not in text
    assert "127.0.0.1" in pages[0]
    actions.retire_webhook(actor=adam, webhook_id=webhook.pk, now=clock.now())
    assert not WebhookSecret.objects.exists()


def test_only_what_failed_or_was_dropped_is_tried_again(people: NamedPeople) -> None:
    tell(people.alan)
    with pytest.raises(GuardRefused):
        actions.retry_delivery(actor=people.actor("adam"), delivery_id=Delivery.objects.get().pk, now=clock.now())
    with pytest.raises(Missing):
        actions.retry_delivery(actor=people.actor("adam"), delivery_id=0, now=clock.now())


def test_old_messages_are_forgotten_with_their_log(people: NamedPeople) -> None:
    with clock.at(datetime(2025, 1, 1, tzinfo=UTC)):
        tell(people.alan)
    [kept] = tell(people.alan)
    jobs.forget(timestamp=0)
    assert list(Notification.objects.values_list("id", flat=True)) == [kept]
    assert Delivery.objects.count() == 1


def test_texts_that_the_database_cannot_keep_do_not_break_the_caller(people: NamedPeople) -> None:
    [made] = tell(people.alan, subject="a\x00b\ud800", text="c\x00d\ud800" + "x" * 20_000)
    found = Notification.objects.get(pk=made)
    assert (found.subject, found.text[:2], len(found.text)) == ("a b", "cd", 10_000)


def test_the_query_asks_for_what_is_due_by_its_index(people: NamedPeople) -> None:
    tell(people.alan)
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute(
            "EXPLAIN SELECT id FROM notifications_delivery WHERE state = 'waiting' AND channel = 'mail' AND next_attempt_at <= now()"
            " ORDER BY next_attempt_at LIMIT 20 FOR UPDATE SKIP LOCKED"
        )
        plan = "\n".join(line for (line,) in cursor.fetchall())
    assert "delivery_due" in plan
