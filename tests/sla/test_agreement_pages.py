"""The pages of agreements: what they show, what they refuse beside the field, and that nothing is saved unseen."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from pilothouse.people.testing import NamedPeople
from pilothouse.platform import clock
from pilothouse.sla.actions.agreements import add_agreement
from pilothouse.sla.actions.schedules import add_schedule
from pilothouse.sla.agreement_forms import AgreementForm
from pilothouse.sla.agreement_starts import starts
from pilothouse.sla.models import Agreement, WhatIf
from pilothouse.tickets import actions as tickets
from tests.sla.desk_of_agreements import definition, target

BASE = {
    "name": "Gold",
    "applies_to": "kind:incident",
    "holds_from": "now",
    "targets": "1",
    "t0-kind": "resolution",
    "t0-key": "resolution",
    "t0-steps": "0",
    "t0-d1": "4h",
}


@pytest.fixture
def adam(people: NamedPeople) -> Client:
    return people.client("adam")


def make(people: NamedPeople, name: str = "Incidents", *targets: dict[str, Any]) -> Agreement:
    made = definition(*targets)
    return add_agreement(actor=people.actor("adam"), name=name, definition=made, now=clock.now(), since_ever=True)


def text(answer: Any, status: int = 200) -> str:
    assert answer.status_code == status, answer.content.decode()[:3000]
    return str(answer.content.decode())


def test_the_overview_shows_order_targets_and_attainment(people: NamedPeople, adam: Client) -> None:
    assert "No agreement yet" in text(adam.get("/service-levels"))
    first = make(people, "Gold", target(4), target(0.5, "response"))
    second = make(people, "Silver")
    ticket = tickets.open_ticket(actor=people.actor("ana"), title="VPN", now=clock.now())
    tickets.move_ticket(
        actor=people.actor("ana"), ticket_id=ticket.pk, state="resolved", resolution_code="solved", resolution_notes="x", now=clock.now()
    )
    shown = text(people.client("alan").get("/service-levels"))
    assert shown.index("Gold") < shown.index("Silver")
    assert "kind:incident" in shown
    assert "30m" in shown
    assert "100.0 %" in shown
    assert "Edit" not in shown
    assert text(adam.get("/service-levels")).count("/edit") == 2
    assert adam.post(f"/service-levels/agreements/{second.pk}/move", {"way": "up"}).status_code == 302
    assert list(Agreement.objects.values_list("name", flat=True)) == ["Silver", "Gold"]
    assert adam.post(f"/service-levels/agreements/{second.pk}/move", {"way": "up"}).status_code == 302
    assert adam.post(f"/service-levels/agreements/{first.pk}/retire", {"note": "Gone."}).status_code == 302
    assert "Gold" not in text(adam.get("/service-levels")).partition("<main")[2].partition("messages")[2].partition("<ol")[2]
    assert "Gold" in text(adam.get("/service-levels?retired"))


def test_an_agreement_in_words_with_its_versions(people: NamedPeople, adam: Client) -> None:
    steps = [{"share": 0.75, "tell": ["assignee", f"person:{people.mona.pk}"], "acknowledge": 900, "then": ["lead"]}]
    made = make(people, "Gold", target(4, holds=["vendor"], steps=steps))
    page = text(people.client("alan").get(f"/service-levels/agreements/{made.pk}"))
    assert "At 75% of the time: tell the assignee and Mona Kerr; unless acknowledged within 15m, then tell the group&#x27;s lead." in page
    assert "since ever" in page
    assert "Version 1" in page
    text(adam.get("/service-levels/agreements/0"), 404)


def test_nothing_is_saved_before_it_was_shown(people: NamedPeople, adam: Client) -> None:
    ticket = tickets.open_ticket(actor=people.actor("ana"), title="VPN", impact=1, urgency=1, now=clock.now() - timedelta(hours=5))
    review = text(adam.post("/service-levels/agreements/new", {**BASE, "since_ever": ""}))
    assert "not saved yet" in review
    assert not Agreement.objects.exists()
    asked = WhatIf.objects.get()
    assert f"/service-levels/what-if/{asked.pk}" in review
    panel = text(adam.get(f"/service-levels/what-if/{asked.pk}"))
    assert "to 1 ticket opened in the last 90 days" in panel
    assert "Clocks new" in panel
    assert ticket.number
    text(people.client("alan").get(f"/service-levels/what-if/{asked.pk}"), 403)
    assert 'aria-pressed="true">365 days' in text(adam.post("/service-levels/agreements/new", {**BASE, "days": "365"}))
    saved = adam.post("/service-levels/agreements/new", {**BASE, "confirm": "yes"}, follow=True)
    assert "Saved Gold." in text(saved)
    made = Agreement.objects.get()
    assert made.versions.get().definition["targets"][0]["durations"] == {"1": {"seconds": 14400}}
    again = adam.post(f"/service-levels/agreements/{made.pk}/edit", {**BASE, "t0-d1": "2h", "base": "1"})
    assert "<td>2h</td>" in text(again)
    stale = adam.post(f"/service-levels/agreements/{made.pk}/edit", {**BASE, "t0-d1": "2h", "base": "7", "confirm": "yes"})
    assert "Somebody changed the agreement" in text(stale, 412)


WRONG: list[tuple[dict[str, str], str]] = [
    ({"name": ""}, "This field is required."),
    ({"applies_to": "kind:incidnt"}, "never incidnt"),
    ({"applies_to": "kind:incident kind:request"}, "excludes itself"),
    ({"t0-d1": "soon"}, "no length of time"),
    ({"t0-d1": "0h"}, "longer than nothing"),
    ({"t0-d1": ""}, "No priority has a duration"),
    ({"t0-stop": "is:open"}, "end as it starts"),
    ({"targets": "0"}, "It has no target"),
    ({"holds_from": "at"}, "Say from when"),
    ({"t0-steps": "1", "t0s0-when": "share", "t0s0-amount": "most", "t0s0-tell": "lead"}, "is no share"),
    ({"t0-steps": "1", "t0s0-when": "share", "t0s0-amount": "75 %"}, "does nothing"),
    ({"t0-steps": "1", "t0s0-when": "share", "t0s0-amount": "900 %", "t0s0-tell": "lead"}, "lies above 0 and up to 3"),
    ({"t0-steps": "1", "t0s0-when": "before", "t0s0-amount": "30m", "t0s0-also": "nobody@example.org"}, "Nobody active"),
]


@pytest.mark.parametrize(("more", "said"), WRONG, ids=lambda value: value if isinstance(value, str) else "")
def test_what_is_wrong_stands_beside_its_field_and_nothing_typed_is_lost(adam: Client, more: dict[str, str], said: str) -> None:
    typed = {**BASE, "note": "As typed", "t0-pause": "tag:kept", **more}
    page = text(adam.post("/service-levels/agreements/new", typed), 422)
    assert said in page
    assert "As typed" in page
    assert not Agreement.objects.exists()
    if typed["targets"] != "0":
        assert "tag:kept" in page


def test_rows_are_added_without_a_verdict(adam: Client) -> None:
    page = text(adam.post("/service-levels/agreements/new", {**BASE, "name": "", "add": "ola"}))
    assert 'name="t1-kind" value="ola"' in page
    assert "required." not in page
    page = text(adam.post("/service-levels/agreements/new", {**BASE, "add_step": "t0"}))
    assert 'name="t0s0-when"' in page
    assert 'data-added="t0s0"' in page
    for junk in ({"add": "nonsense"}, {"add_step": "../x"}, {"targets": "99999999999"}, {"targets": "x"}, {"t0-steps": "-4"}):
        assert adam.post("/service-levels/agreements/new", {**BASE, **junk}).status_code in (200, 422)
    back = text(adam.post("/service-levels/agreements/new", {**BASE, "t0-d1": "9h", "back": "yes"}))
    assert 'value="9h"' in back


def test_what_is_stored_is_what_the_form_gives_back(people: NamedPeople) -> None:
    office = add_schedule(
        actor=people.actor("adam"), name="Office", definition={"zone": "Europe/London", "week": {"mon": "08:00-17:00"}}, now=clock.now()
    )
    steps = [
        {"share": 0.755, "tell": ["assignee", f"person:{people.mona.pk}"], "acknowledge": 900, "then": ["lead", f"person:{people.ana.pk}"]},
        {"before": 1800, "flag": "near", "raise_priority": True, "any_hours": True, "reassign": people.teams["Network"].pk},
        {"risk": 0.6, "tell": ["lead"]},
    ]
    full = target(4, schedule=office.pk, schedule_from=["ci", "site"], holds=["vendor"], count_resolved=True, steps=steps, stop="tag:done")
    ola = {"key": "ola", "kind": "ola", "durations": {"2": {"days": 2, "at": "16:30"}}, "groups": [people.teams["Database"].pk]}
    for given in [{"applies_to": "priority<=2", "targets": [full, ola]}, *(start.definition for start in starts(office.pk)[:-1])]:
        shown = AgreementForm(definition=given, initial={"name": "x"})
        sent = AgreementForm(_sent(shown), definition={})
        assert sent.is_valid(), [sent.errors, *(part.errors for part in sent.targets)]
        assert _plain(sent.definition()) == _plain(given)


def _plain(given: Any) -> Any:
    targets = [{**({"rule": "owned"} if each["kind"] == "response" else {}), **each} for each in given["targets"]]
    return {"applies_to": given.get("applies_to", ""), "targets": targets}


def _sent(form: AgreementForm) -> Any:
    from django.http import QueryDict

    sent = QueryDict(mutable=True)
    sent["targets"] = str(len(form.targets))
    for part in form._parts():
        for bound in part:
            value = bound.value()
            if isinstance(value, (list, tuple)):
                sent.setlist(bound.html_name, [str(each) for each in value])
            elif value not in (None, False, ""):
                sent[bound.html_name] = "on" if value is True else str(value)
    return sent
