"""The requester's whole path through the portal, and what they may not see of the desk's side."""

import io

import pytest

from pilothouse.cmdb import actions as cmdb
from pilothouse.people.testing import NamedPeople
from pilothouse.platform import access, clock
from pilothouse.tickets import actions
from pilothouse.tickets.models import Attachment, Ticket

FORM = [
    {"name": "device", "label": "Which device?", "type": "choice", "required": True, "options": ["Laptop", "Phone"]},
    {"name": "since", "label": "Since when?", "type": "date"},
    {"name": "alone", "label": "Only you?", "type": "yesno"},
]
FACTS = {"kind": "incident", "title": "VPN drops", "description": "every *few* minutes", "urgency": "2"}


def raise_one(people: NamedPeople, **more: object) -> Ticket:
    answer = people.client("rita").post("/portal/raise/other", {**FACTS, **more})
    assert answer.status_code == 302, answer.content.decode()
    return Ticket.objects.latest("id")


def page(people: NamedPeople, ticket: Ticket, who: str = "rita") -> str:
    answer = people.client(who).get(f"/portal/tickets/{ticket.number}")
    assert answer.status_code == 200
    return answer.content.decode()


def test_the_service_asks_its_own_questions_and_the_answers_are_kept(people: NamedPeople) -> None:
    service = cmdb.add_service(actor=access.system(), name="Remote access", request_form=FORM, now=clock.now())
    rita, address = people.client("rita"), f"/portal/raise/service/{service.pk}"
    assert "Which device?" in rita.get(address).content.decode()
    refused = rita.post(address, FACTS)
    assert refused.status_code == 422
    assert "every *few* minutes" in refused.content.decode(), "nothing typed is lost"
    answer = rita.post(address, {**FACTS, "q_device": "Laptop", "q_since": "2026-11-20"})
    ticket = Ticket.objects.get()
    assert answer["Location"] == f"/portal/tickets/{ticket.number}"
    assert ticket.extra == {"Which device?": "Laptop", "Since when?": "2026-11-20"}
    assert (ticket.service_id, ticket.channel, ticket.requester_id, ticket.urgency) == (service.pk, "portal", people.rita.pk, 2)
    assert "Laptop" in page(people, ticket)
    assert "Laptop" in people.client("alan").get(f"/tickets/{ticket.number}").content.decode()


def test_raise_answer_resolve_reopen_confirm_follow_up(people: NamedPeople) -> None:
    ticket, alan, rita = raise_one(people), people.actor("alan"), people.client("rita")
    at = f"/portal/tickets/{ticket.number}"
    actions.assign_ticket(actor=alan, ticket_id=ticket.pk, group=people.teams["Network"].pk, assignee=alan.user_id, now=clock.now())
    actions.comment_on_ticket(actor=alan, ticket_id=ticket.pk, text="Which **version**?", now=clock.now())
    actions.comment_on_ticket(actor=alan, ticket_id=ticket.pk, text="Looks like the old client", private=True, now=clock.now())
    actions.move_ticket(actor=alan, ticket_id=ticket.pk, state="on_hold", hold_reason="caller", note="lazy caller", now=clock.now())
    seen = page(people, ticket)
    assert "Which <strong>version</strong>?" in seen
    assert "Waiting for you" in seen
    assert "old client" not in seen
    assert "lazy caller" not in seen
    assert rita.post(f"{at}/answer", {"text": "14.2"}).status_code == 302
    ticket.refresh_from_db()
    assert ticket.state == "in_progress", "the answer ends the wait"
    actions.move_ticket(
        actor=alan, ticket_id=ticket.pk, state="resolved", resolution_code="solved", resolution_notes="New client", now=clock.now()
    )
    assert "Is it solved?" in page(people, ticket)
    refused = rita.post(f"{at}/act", {"do": "reopen", "note": " "})
    assert refused.status_code == 409
    assert "A reopened ticket says why." in refused.content.decode()
    assert rita.post(f"{at}/act", {"do": "reopen", "note": "It drops again"}).status_code == 302
    actions.move_ticket(
        actor=alan, ticket_id=ticket.pk, state="resolved", resolution_code="solved", resolution_notes="Really", now=clock.now()
    )
    assert rita.post(f"{at}/act", {"do": "confirm"}).status_code == 302
    ticket.refresh_from_db()
    assert (ticket.state, ticket.story.reopen_count) == ("closed", 1)
    answer = rita.post(f"{at}/act", {"do": "follow-up", "note": "Back since Monday"})
    made = Ticket.objects.latest("id")
    assert answer["Location"] == f"/portal/tickets/{made.number}"
    assert made.description == "Back since Monday"


def test_a_ticket_is_cancelled_with_a_reason(people: NamedPeople) -> None:
    ticket = raise_one(people)
    at = f"/portal/tickets/{ticket.number}/act"
    assert people.client("rita").post(at, {"do": "cancel", "note": ""}).status_code == 409
    assert people.client("rita").post(at, {"do": "cancel", "note": "It went away"}).status_code == 302
    assert "Cancelled" in page(people, ticket)


def test_a_refused_file_leaves_no_ticket_behind(people: NamedPeople) -> None:
    bad = io.BytesIO(b"\x7fELF" + bytes(range(256)))
    bad.name = "tool.exe"
    answer = people.client("rita").post("/portal/raise/other", {**FACTS, "file": bad})
    assert answer.status_code == 422
    assert not Ticket.objects.exists()
    good = io.BytesIO(b"error 720")
    good.name = "log.txt"
    raise_one(people, file=good)
    assert Attachment.objects.get().name == "log.txt"


def test_the_desks_own_files_are_not_shown(people: NamedPeople) -> None:
    ticket = raise_one(people)
    for name, private in (("seen.txt", False), ("secret.txt", True)):
        content = io.BytesIO(name.encode())
        actions.attach_file(actor=people.actor("ana"), ticket_id=ticket.pk, name=name, content=content, private=private, now=clock.now())
    seen = page(people, ticket)
    assert "seen.txt" in seen
    assert "secret.txt" not in seen


@pytest.mark.parametrize("who", ["ana", "adam"])
def test_in_the_portal_staff_are_requesters_too(people: NamedPeople, who: str) -> None:
    ticket = raise_one(people)
    assert people.client(who).get(f"/portal/tickets/{ticket.number}").status_code == 404
    assert people.client(who).post(f"/portal/tickets/{ticket.number}/act", {"do": "cancel", "note": "x"}).status_code == 404


def test_a_watcher_follows_and_writes_but_does_not_decide(people: NamedPeople) -> None:
    ticket = actions.open_ticket(actor=people.actor("ana"), title="Printer", now=clock.now(), watchers=[people.rita.pk])
    assert "Printer" in people.client("rita").get("/portal?show=followed").content.decode()
    at = f"/portal/tickets/{ticket.number}"
    assert people.client("rita").post(f"{at}/answer", {"text": "Here too"}).status_code == 302
    assert people.client("rita").post(f"{at}/act", {"do": "cancel", "note": "x"}).status_code == 403


def test_home_leads_to_ones_work(people: NamedPeople) -> None:
    assert people.client("rita").get("/")["Location"] == "/portal"
    assert people.client("alan").get("/")["Location"] == "/queue"
    assert people.client("anonymous").get("/")["Location"] == "/sign-in?next=/"
