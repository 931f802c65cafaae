"""Agreements through their actions: versions, order, names, what is refused, and what the journal says."""

from datetime import timedelta
from typing import Any

import pytest

from pilothouse.people import actions as people
from pilothouse.people.models import Team
from pilothouse.platform import journal, retelling
from pilothouse.platform.refusals import Forbidden, GuardRefused, Invalid, Missing, StaleVersion
from pilothouse.sla.actions.agreements import add_agreement, change_agreement, reorder_agreements, retire_agreement
from pilothouse.sla.judging import judge, reach
from pilothouse.sla.models import Agreement, AgreementVersion
from pilothouse.sla.rulebook import agreement_of, current
from pilothouse.tickets import actions as tickets
from tests.organisation import NOW, Organisation, set_up
from tests.sla.desk_of_agreements import agreement, definition, target

LATER = NOW + timedelta(days=1)


@pytest.fixture
def org(db: None) -> Organisation:
    return set_up()


def versions(made: Agreement) -> list[AgreementVersion]:
    return list(made.versions.order_by("number"))


def test_an_agreement_gets_a_version_and_an_entry_in_words(org: Organisation) -> None:
    steps = [{"share": 0.75, "tell": ["assignee"]}]
    made = add_agreement(
        actor=org.adam,
        name=" Gold ",
        definition=definition(target(4, holds=["vendor"], groups=[], steps=steps)),
        now=NOW,
        note="As agreed.",
    )
    assert (made.name, made.key, made.position, made.version) == ("Gold", "gold", 10, 1)
    [version] = versions(made)
    assert (version.effective_from, version.recorded_by_id, version.note) == (NOW, org.adam.user_id, "As agreed.")
    [entry] = journal.entries_of("agreement", made.pk)
    said = {change.field: change.after for change in entry.changes}
    assert said["applies to"] == "kind:incident"
    assert said["resolution P1"] == "4h"
    assert said["resolution pauses on hold for"] == ["vendor"]
    assert said["resolution step 1"] == "at 75% of the time: tell the assignee"
    assert len(said["sha256"]) == 64
    [told] = retelling.retell([entry])
    assert (told.record, told.word, told.headline) == ("Gold", "agreement", "added")


def test_a_change_is_a_new_version_and_no_change_is_none(org: Organisation) -> None:
    made = agreement(org.adam)
    changed = change_agreement(actor=org.adam, agreement_id=made.pk, definition=definition(target(2)), now=LATER, expected_version=1)
    assert changed.version == 2
    assert [version.definition["targets"][0]["durations"]["1"]["seconds"] for version in versions(made)] == [14400, 7200]
    [_, entry] = journal.entries_of("agreement", made.pk)
    assert next((c.field, c.before, c.after) for c in entry.changes) == ("resolution P1", "4h", "2h")
    change_agreement(actor=org.adam, agreement_id=made.pk, definition=definition(target(2)), now=LATER)
    change_agreement(actor=org.adam, agreement_id=made.pk, name="Incidents", now=LATER)
    assert len(journal.entries_of("agreement", made.pk)) == 2
    change_agreement(actor=org.adam, agreement_id=made.pk, name="Other", now=LATER)
    assert Agreement.objects.get().name == "Other"
    assert len(versions(made)) == 2
    with pytest.raises(StaleVersion):
        change_agreement(actor=org.adam, agreement_id=made.pk, definition=definition(), now=LATER, expected_version=1)


def test_a_name_stands_for_what_it_stood_for_when_it_was_saved(org: Organisation) -> None:
    made = agreement(org.adam, applies_to="group:Network")
    [version] = versions(made)
    assert version.names == [["team", "Network", [org.network]]]
    people.change_team(actor=org.adam, team_id=org.network, changes={"name": "Cables", "key": "cables"}, now=NOW)
    assert agreement_of(version).applies.plan == agreement_of(versions(made)[0]).applies.plan
    changed = change_agreement(
        actor=org.adam, agreement_id=made.pk, definition=definition(target(2), applies_to="group:Network"), now=LATER
    )
    assert versions(changed)[1].names == [["team", "Network", [org.network]]]
    newer = people.add_team(actor=org.adam, name="Network", now=NOW)
    changed = change_agreement(
        actor=org.adam, agreement_id=made.pk, definition=definition(target(3), applies_to="group:Network"), now=LATER
    )
    assert versions(changed)[2].names == [["team", "Network", [newer.pk]]]
    assert Team.objects.filter(pk=org.network).exists()


REFUSED: list[tuple[dict[str, Any], str, str]] = [
    (definition(target(0)), "targets.0.durations.1", "longer than nothing"),
    (definition(applies_to="kind:incidnt"), "applies_to", "never incidnt"),
    (definition(applies_to="group:nowhere"), "applies_to", "no group called nowhere"),
    (definition(applies_to='"vpn"'), "applies_to", "free text"),
    (definition(applies_to="updated<2d"), "applies_to", "updated"),
    (definition(applies_to="bounces>1"), "applies_to", "bounce"),
    (definition(applies_to="assignee:me"), "applies_to", "same for everybody"),
    (definition(applies_to="is:my-teams"), "applies_to", "same for everybody"),
    (definition(applies_to="kind:incident sort:opened"), "applies_to", "no order"),
    (definition(applies_to="kind:incident kind:request"), "applies_to", "excludes itself"),
    (definition(target(schedule=99)), "targets.0.schedule", "no such schedule"),
    (definition(target(stop="is:open")), "targets.0.stop", "end as it starts"),
    ({"applies_to": "", "targets": []}, "targets", "no target"),
]


@pytest.mark.parametrize(("given", "field", "reason"), REFUSED, ids=lambda value: value if isinstance(value, str) else "")
def test_bad_definitions_are_refused_under_their_field(org: Organisation, given: dict[str, Any], field: str, reason: str) -> None:
    with pytest.raises(Invalid) as caught:
        add_agreement(actor=org.adam, name="Bad", definition=given, now=NOW)
    assert field in [error.field for error in caught.value.errors], caught.value.errors
    assert any(reason in error.message for error in caught.value.errors), caught.value.errors
    assert not Agreement.objects.exists()


def test_names_are_needed_and_taken_once(org: Organisation) -> None:
    agreement(org.adam, "Gold")
    for name in ("", "Gold", "gold", "x" * 161, "\x00"):
        with pytest.raises(Invalid) as caught:
            add_agreement(actor=org.adam, name=name, definition=definition(), now=NOW)
        assert caught.value.errors[0].field == "name"


def test_long_names_that_begin_alike_have_keys_of_their_own(org: Organisation) -> None:
    made = [agreement(org.adam, "x" * 100 + end) for end in ("a", "b", "c")]
    assert len({each.key for each in made}) == 3


def test_only_administrators_write(org: Organisation) -> None:
    made = agreement(org.adam)
    for person in (org.rita, org.alan, org.ana, org.mona, org.audrey):
        with pytest.raises(Forbidden):
            add_agreement(actor=person, name="x", definition=definition(), now=NOW)
        with pytest.raises(Forbidden):
            change_agreement(actor=person, agreement_id=made.pk, name="x", now=NOW)
        with pytest.raises(Forbidden):
            retire_agreement(actor=person, agreement_id=made.pk, now=NOW)
        with pytest.raises(Forbidden):
            reorder_agreements(actor=person, order=[made.pk], now=NOW)
    with pytest.raises(Missing):
        change_agreement(actor=org.adam, agreement_id=0, name="x", now=NOW)


def test_the_order_is_a_part_of_versions(org: Organisation) -> None:
    gold, silver, bronze = (agreement(org.adam, name) for name in ("Gold", "Silver", "Bronze"))
    before = int(NOW.timestamp()) + 60
    moved = reorder_agreements(actor=org.adam, order=[gold.pk, bronze.pk, silver.pk], now=LATER)
    assert [each.name for each in moved] == ["Bronze", "Silver"]
    assert list(Agreement.objects.values_list("name", flat=True)) == ["Gold", "Bronze", "Silver"]
    book = current().rulebook
    assert [each.name for each in book.at(before).agreements] == ["Gold", "Silver", "Bronze"]
    assert [each.name for each in book.at(int(LATER.timestamp())).agreements] == ["Gold", "Bronze", "Silver"]
    assert len(versions(gold)) == 1
    assert reorder_agreements(actor=org.adam, order=[gold.pk, bronze.pk, silver.pk], now=LATER) == []
    with pytest.raises(Invalid):
        reorder_agreements(actor=org.adam, order=[gold.pk, gold.pk, silver.pk], now=LATER)
    Agreement.objects.update(position=100)  # as somebody without an order would leave them
    reorder_agreements(actor=org.adam, order=[bronze.pk, gold.pk, silver.pk], now=LATER)
    assert list(Agreement.objects.values_list("name", "position")) == [("Bronze", 10), ("Gold", 20), ("Silver", 30)]


def test_a_retired_one_keeps_its_tickets_and_can_come_back(org: Organisation) -> None:
    made = agreement(org.adam)
    retire_agreement(actor=org.adam, agreement_id=made.pk, now=LATER, note="Replaced.")
    book = current().rulebook
    assert book.at(int(NOW.timestamp())).agreements
    assert not book.at(int(LATER.timestamp())).agreements
    with pytest.raises(GuardRefused):
        retire_agreement(actor=org.adam, agreement_id=made.pk, now=LATER)
    again = LATER + timedelta(days=1)
    back = change_agreement(actor=org.adam, agreement_id=made.pk, definition=definition(), now=again)
    assert back.is_active
    assert current().rulebook.at(int(again.timestamp())).agreements
    assert [entry.verb for entry in journal.entries_of("agreement", made.pk)] == [
        "agreement.added",
        "agreement.retired",
        "agreement.changed",
    ]


def test_an_agreement_that_matches_nothing_or_never_wins_is_warned_about(org: Organisation) -> None:
    taker = agreement_of(versions(agreement(org.adam, "Taker"))[0])

    def warned(applies_to: str, *targets: dict[str, Any]) -> list[str]:
        judged = judge(definition(*targets, applies_to=applies_to), now=LATER)
        return [f"{problem.field}: {problem.message}" for problem in reach(judged, [taker], now=LATER)]

    assert warned("kind:request") == []  # nobody has opened anything: there is nothing to be told
    tickets.open_ticket(actor=org.ana, title="VPN", group=org.network, now=NOW)
    [nothing] = warned("kind:request")
    assert nothing.startswith("applies_to: None of the tickets")
    [never] = warned("group:Network")
    assert "never win: Taker comes before it" in never
    assert warned("group:Network", target(kind="response")) == []
    tickets.open_ticket(actor=org.ana, title="Mouse", kind="request", group=org.network, now=NOW)
    assert warned("group:Network") == []
