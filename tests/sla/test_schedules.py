"""Schedules through their actions: versions, refusals, whose hours they are, the journal's words, and other processes' versions."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from pilothouse.cmdb import actions as cmdb
from pilothouse.people.testing import NamedPeople
from pilothouse.platform import journal, retelling
from pilothouse.platform.refusals import Forbidden, GuardRefused, Invalid, Missing, StaleVersion
from pilothouse.sla import schedule_queries, schedules
from pilothouse.sla.actions import schedules as actions
from pilothouse.sla.engine.lives import seconds
from pilothouse.sla.models import Schedule, ScheduleVersion

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)  # a Monday
OFFICE: dict[str, Any] = {"zone": "UTC", "week": dict.fromkeys(("mon", "tue", "wed", "thu", "fri"), "08:00-12:00, 13:00-17:00")}
HOUR = 3600


def add(people: NamedPeople, name: str = "Office", definition: Any = OFFICE, **more: Any) -> Schedule:
    return actions.add_schedule(actor=people.actor("adam"), name=name, definition=definition, now=NOW, **more)


def change(people: NamedPeople, schedule: Schedule, definition: Any = None, **more: Any) -> Schedule:
    return actions.change_schedule(actor=people.actor("adam"), schedule_id=schedule.pk, definition=definition, now=NOW, **more)


def worked(schedule: Schedule, start: datetime, days: int) -> int:
    return schedules.hours_of(schedule.pk).elapsed(seconds(start), seconds(start + timedelta(days=days)))


def test_a_schedule_holds_since_ever_and_is_changed_from_an_instant_on(people: NamedPeople) -> None:
    office = add(people)
    assert (office.key, office.version) == ("office", 1)
    assert worked(office, NOW - timedelta(days=1000), 7) == 40 * HOUR
    change(people, office, {**OFFICE, "week": {"mon": "10:00-12:00"}}, effective_from=NOW + timedelta(days=7), note="Summer")
    assert worked(office, NOW, 7) == 40 * HOUR
    assert worked(office, NOW + timedelta(days=7), 7) == 2 * HOUR
    version = ScheduleVersion.objects.get(schedule=office, number=2)
    assert (version.note, version.recorded_by_id) == ("Summer", people.adam.pk)


def test_a_change_since_ever_replaces_all_versions(people: NamedPeople) -> None:
    office = add(people)
    change(people, office, {**OFFICE, "week": {"mon": "10:00-12:00"}}, since_ever=True)
    assert worked(office, NOW - timedelta(days=1000), 7) == 2 * HOUR


def test_a_change_that_changes_nothing_makes_no_version(people: NamedPeople) -> None:
    office = add(people)
    change(people, office, {**OFFICE, "days": []})
    change(people, office, name="Office ")
    assert Schedule.objects.get().version == 1
    assert [entry.verb for entry in journal.entries_of("schedule", office.pk)] == ["schedule.added"]


def test_it_is_stored_in_its_normal_form(people: NamedPeople) -> None:
    office = add(people, definition={**OFFICE, "week": {"mon": "8:00 – 10:00, 10:00-12:00"}, "holidays": []})
    assert office.versions.get().definition == {"zone": "UTC", "week": {"mon": "08:00-12:00"}}


@pytest.mark.parametrize(
    ("definition", "field"),
    [
        (None, ""),
        ({}, "zone"),
        ({**OFFICE, "zone": "Mars/Base"}, "zone"),
        ({**OFFICE, "week": {"mon": "08:00-12:00, 11:00-17:00"}}, "week.mon"),
        ({**OFFICE, "week": {}}, "week"),
        ({"zone": "UTC", "combine": {"how": "any", "schedules": [999_999]}}, "combine.schedules"),
        ({**OFFICE, "week": {"mon": "08:00-12:00"}, "exceptions": [{"from": "1970-01-01 00:00", "to": "2200-01-01 00:00"}]}, "week"),
    ],
)
def test_a_bad_definition_is_refused_under_its_place(people: NamedPeople, definition: Any, field: str) -> None:
    with pytest.raises(Invalid) as refused:
        add(people, definition=definition)
    assert field in {error.field for error in refused.value.errors}
    assert all(error.message for error in refused.value.errors)
    assert not Schedule.objects.exists()


def test_names_are_one_schedules_each(people: NamedPeople) -> None:
    add(people)
    for name in ("Office", "office", "", "!!!", "x" * 121, "a\x00b"):
        with pytest.raises(Invalid) as refused:
            add(people, name)
        assert {error.field for error in refused.value.errors} <= {"name", "key"}


def test_long_names_that_begin_alike_have_keys_of_their_own(people: NamedPeople) -> None:
    made = [add(people, f"{'Service desk of the regional administration ' * 2}{number}") for number in range(4)]
    assert len({schedule.key for schedule in made}) == 4


def test_schedules_combine_but_not_in_a_circle(people: NamedPeople) -> None:
    office = add(people)
    late = add(people, "Late", {"zone": "UTC", "week": {"mon": "16:00-20:00"}})
    both = add(people, "Both", {"zone": "UTC", "combine": {"how": "all", "schedules": [office.pk, late.pk]}})
    either = add(people, "Either", {"zone": "UTC", "combine": {"how": "any", "schedules": [office.pk, late.pk]}})
    assert (worked(both, NOW, 7), worked(either, NOW, 7)) == (HOUR, 43 * HOUR)
    change(people, late, {"zone": "UTC", "week": {"mon": "15:00-20:00"}})
    assert worked(both, NOW, 7) == 2 * HOUR, "what a combined schedule becomes, the combination becomes"
    for combined in (both, late):
        with pytest.raises(Invalid):
            change(people, late, {"zone": "UTC", "combine": {"how": "any", "schedules": [combined.pk]}})
    with pytest.raises(Invalid) as refused:
        nothing = add(people, "Sunday", {"zone": "UTC", "week": {"sun": "08:00-12:00"}})
        add(people, "Never", {"zone": "UTC", "combine": {"how": "all", "schedules": [office.pk, nothing.pk]}})
    assert refused.value.errors[0].message == "The schedule never opens."


def test_somebody_was_quicker(people: NamedPeople) -> None:
    office = add(people)
    change(people, office, {**OFFICE, "zone": "Europe/Berlin"}, expected_version=1)
    with pytest.raises(StaleVersion):
        change(people, office, {**OFFICE, "zone": "Europe/Paris"}, expected_version=1)


def test_only_who_configures_writes_and_staff_read(people: NamedPeople) -> None:
    office = add(people)
    for who in ("rita", "alan", "ana", "mona", "audrey"):
        with pytest.raises(Forbidden):
            actions.add_schedule(actor=people.actor(who), name="Mine", definition=OFFICE, now=NOW)
        with pytest.raises(Forbidden):
            actions.use_schedule(actor=people.actor(who), schedule_id=office.pk, kind="site", site="Porto", now=NOW)
    for who in ("alan", "ana", "mona", "audrey", "adam"):
        assert schedule_queries.schedule(people.actor(who), office.pk) == office
    with pytest.raises(Missing):
        schedule_queries.schedule(people.actor("rita"), office.pk)


def test_whose_hours_it_is(people: NamedPeople) -> None:
    office, other = add(people), add(people, "Other")
    adam, service = people.actor("adam"), cmdb.add_service(actor=people.actor("adam"), name="Claims", now=NOW)
    later = NOW + timedelta(days=1)
    for schedule, kind, record, site, since in (
        (office, "service", service.pk, "", True),
        (office, "team", people.teams["Network"].pk, "", False),
        (office, "site", None, " Porto ", False),
        (other, "service", service.pk, "", False),
    ):
        actions.use_schedule(actor=adam, schedule_id=schedule.pk, kind=kind, record_id=record, site=site, since_ever=since, now=NOW)
    assert [(user.word, user.name) for user in schedule_queries.users_of(office.pk, later)] == [("site", "Porto"), ("team", "Network")]
    assert [user.name for user in schedule_queries.users_of(other.pk, later)] == ["Claims"]
    assert schedule_queries.use_in_force("service", service.pk, "", NOW - timedelta(days=1)) == office.pk
    actions.unuse_schedule(actor=adam, kind="site", site="Porto", now=NOW)
    assert [user.name for user in schedule_queries.users_of(office.pk, later)] == ["Network"]
    with pytest.raises(Missing):
        actions.unuse_schedule(actor=adam, kind="site", site="Porto", now=NOW)
    for kind, record, site in (("service", 10**9, ""), ("planet", 1, ""), ("site", None, " "), ("ci", None, "")):
        with pytest.raises(Invalid):
            actions.use_schedule(actor=adam, schedule_id=office.pk, kind=kind, record_id=record, site=site, now=NOW)


def test_what_is_needed_is_not_retired(people: NamedPeople) -> None:
    office = add(people)
    adam = people.actor("adam")
    late = add(people, "Late", {"zone": "UTC", "combine": {"how": "any", "schedules": [office.pk]}})
    actions.use_schedule(actor=adam, schedule_id=office.pk, kind="site", site="Porto", now=NOW)
    with pytest.raises(GuardRefused, match="schedule Late, site Porto"):
        actions.retire_schedule(actor=adam, schedule_id=office.pk, now=NOW)
    actions.unuse_schedule(actor=adam, kind="site", site="Porto", now=NOW)
    actions.retire_schedule(actor=adam, schedule_id=late.pk, now=NOW)
    actions.retire_schedule(actor=adam, schedule_id=office.pk, now=NOW)
    with pytest.raises(GuardRefused):
        actions.retire_schedule(actor=adam, schedule_id=office.pk, now=NOW)
    with pytest.raises(GuardRefused):
        actions.use_schedule(actor=adam, schedule_id=office.pk, kind="site", site="Porto", now=NOW)
    assert worked(office, NOW, 7) == 40 * HOUR, "what was counted with it stays right"
    assert change(people, office, OFFICE).is_active, "a change brings it back"


def test_the_journal_speaks_of_what_differs(people: NamedPeople) -> None:
    office = add(people)
    change(people, office, {**OFFICE, "zone": "Europe/Berlin", "week": {**OFFICE["week"], "fri": "08:00-12:00"}}, note="Fridays")
    actions.use_schedule(actor=people.actor("adam"), schedule_id=office.pk, kind="team", record_id=people.teams["Network"].pk, now=NOW)
    added, changed, used = retelling.retell(journal.entries_of("schedule", office.pk))
    said = {each.label: (each.before, each.after) for each in changed.said}
    assert said["zone"] == ("UTC", "Europe/Berlin")
    assert said["Friday"] == ("08:00-12:00, 13:00-17:00", "08:00-12:00")
    assert "Monday" not in said and changed.note == "Fridays"
    assert [(each.label, each.after) for each in used.said][:1] == [("team", "Network")]
    assert {each.label for each in added.said} >= {"name", "zone", "Monday", "version", "holds since", "sha256"}


def test_versions_of_another_process_are_noticed(people: NamedPeople) -> None:
    office = add(people)
    assert worked(office, NOW, 7) == 40 * HOUR
    first = schedules.hours_of(office.pk)
    assert schedules.hours_of(office.pk) is first, "compiled once"
    ScheduleVersion.objects.create(schedule=office, number=2, definition={"zone": "UTC", "week": {"mon": "08:00-09:00"}}, recorded_at=NOW)
    assert worked(office, NOW, 7) == HOUR
    assert schedules.hours_of(office.pk).elapsed(0, seconds(NOW)) > 0
    if_changed = schedules.hours_if({office.pk: [(None, schedules.versions_of(office.pk)[0][1])]})
    assert if_changed.of(office.pk).elapsed(seconds(NOW), seconds(NOW) + 7 * 86_400) == 40 * HOUR
    assert worked(office, NOW, 7) == HOUR, "nothing is kept of a question"


def test_a_version_that_reads_no_more_is_passed_over(people: NamedPeople, caplog: pytest.LogCaptureFixture) -> None:
    office = add(people)
    ScheduleVersion.objects.create(schedule=office, number=2, definition={"zone": "Gone/Zone"}, recorded_at=NOW)
    assert worked(office, NOW, 7) == 40 * HOUR
    assert "reads no more" in caplog.text
