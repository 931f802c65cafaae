"""The actions on people, teams and tokens: what they do and what they refuse."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth import authenticate

from pilothouse.people import actions
from pilothouse.people.models import Membership, Team, User
from pilothouse.people.queries import actor_of, actor_of_token
from pilothouse.platform import journal
from pilothouse.platform.access import Capability
from pilothouse.platform.refusals import Forbidden, Invalid, Missing, Refused
from tests import kept
from tests.organisation import NOW, PASSWORD, Organisation, set_up, who

PEOPLE_WHO_MANAGE_NOBODY = ("rita", "alan", "olga", "ana", "mona", "audrey")


pytestmark = pytest.mark.django_db
org = kept.for_the_module(set_up)


def fields_of(refusal: pytest.ExceptionInfo[Any]) -> list[str]:
    return [error.field for error in refusal.value.errors]


def pk(actor: Any) -> int:
    assert actor.user_id is not None
    return int(actor.user_id)


@pytest.mark.parametrize("person", PEOPLE_WHO_MANAGE_NOBODY)
def test_only_an_administrator_manages_people_and_teams(org: Organisation, person: str) -> None:
    actor = getattr(org, person)
    before = journal.verify().entries
    for act in (
        lambda: actions.add_person(actor=actor, email="x@example.org", name="X", role="agent", now=NOW),
        lambda: actions.change_person(actor=actor, user_id=pk(org.adam), changes={"name": "X"}, now=NOW),
        lambda: actions.change_person(actor=actor, user_id=pk(actor), changes={"role": "administrator"}, now=NOW),
        lambda: actions.set_password(actor=actor, user_id=pk(org.adam), password=PASSWORD, now=NOW),
        lambda: actions.add_team(actor=actor, name="X", now=NOW),
        lambda: actions.change_team(actor=actor, team_id=org.network, changes={"is_restricted": False}, now=NOW),
        lambda: actions.set_members(actor=actor, team_id=org.payroll, members=[pk(actor)], now=NOW),
    ):
        with pytest.raises(Forbidden):
            act()
    assert journal.verify().entries == before


def test_every_fault_is_named_at_once(org: Organisation) -> None:
    with pytest.raises(Invalid) as refusal:
        actions.add_person(actor=org.adam, email="nonsense", name=" ", role="king", time_zone="Mars/Base", password="short", now=NOW)
    assert {"email", "name", "role", "time_zone", "password"} <= set(fields_of(refusal))


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"name": "x" * 161}, "name"),
        ({"name": "nul \x00"}, "name"),
        ({"site": "x" * 121}, "site"),
        ({"phone": "1" * 41}, "phone"),
        ({"email": "x" * 250 + "@example.org"}, "email"),
        ({"email": "ALAN@example.org"}, "email"),
        ({"is_superuser": True}, "is_superuser"),
        ({"password": "x"}, "password"),
    ],
)
def test_what_the_table_cannot_hold_is_refused_in_words(org: Organisation, changes: dict[str, Any], field: str) -> None:
    with pytest.raises(Invalid) as refusal:
        actions.change_person(actor=org.adam, user_id=pk(org.rita), changes=changes, now=NOW)
    assert field in fields_of(refusal)


def test_a_person_added_to_a_team_that_is_not_there_is_refused(org: Organisation) -> None:
    with pytest.raises(Invalid) as refusal:
        actions.add_person(actor=org.adam, email="n@example.org", name="N", role="agent", teams=[10**6], now=NOW)
    assert fields_of(refusal) == ["teams"]
    assert not User.objects.filter(email="n@example.org").exists()


def test_people_change_what_is_theirs(org: Organisation) -> None:
    changed = actions.change_person(actor=org.rita, user_id=pk(org.rita), changes={"time_zone": "Europe/Lisbon"}, now=NOW)
    assert (changed.time_zone, changed.version) == ("Europe/Lisbon", 2)
    last = journal.entries_of("person", changed.pk)[-1]
    assert (last.verb, last.actor_id) == ("person.changed", changed.pk)


def test_the_last_administrator_stays_one(org: Organisation) -> None:
    for changes in ({"role": "manager"}, {"is_active": False}):
        with pytest.raises(Invalid, match="not changed"):
            actions.change_person(actor=org.adam, user_id=pk(org.adam), changes=changes, now=NOW)
    actions.change_person(actor=org.adam, user_id=pk(org.mona), changes={"role": "administrator"}, now=NOW)
    actions.change_person(actor=org.adam, user_id=pk(org.adam), changes={"role": "manager"}, now=NOW)


def test_no_password_is_ever_in_the_journal(org: Organisation) -> None:
    actions.set_password(actor=org.alan, user_id=pk(org.alan), password=PASSWORD, now=NOW)
    user = User.objects.get(pk=pk(org.alan))
    assert authenticate(username="ALAN@example.org", password=PASSWORD) == user
    for entry in journal.entries_of("person", user.pk):
        assert PASSWORD not in str(entry)
        assert user.password not in str(entry)


def test_a_deactivated_person_acts_no_more(org: Organisation) -> None:
    made = actions.issue_token(actor=org.alan, name="script", now=NOW)
    actions.change_person(actor=org.adam, user_id=pk(org.alan), changes={"is_active": False}, now=NOW)
    assert actor_of(pk(org.alan)) is None
    assert actor_of_token(made.secret, now=NOW) is None


def test_a_lead_sets_the_members_of_their_own_team_and_of_no_other(org: Organisation) -> None:
    actions.set_members(actor=org.adam, team_id=org.network, members=[pk(org.alan)], leads=[pk(org.alan)], now=NOW)
    lead = who(org.alan.user_id)
    actions.set_members(actor=lead, team_id=org.network, members=[pk(org.alan), pk(org.olga)], leads=[pk(org.alan)], now=NOW)
    assert Membership.objects.filter(team_id=org.network).count() == 2
    with pytest.raises(Forbidden):
        actions.set_members(actor=lead, team_id=org.payroll, members=[pk(org.alan)], now=NOW)
    with pytest.raises(Invalid):
        actions.set_members(actor=org.adam, team_id=org.network, members=[10**6], now=NOW)
    with pytest.raises(Invalid):
        actions.set_members(actor=org.adam, team_id=org.network, members=[], leads=[pk(org.alan)], now=NOW)


def test_a_token_does_what_its_person_may_and_its_scopes_allow(org: Organisation) -> None:
    made = actions.issue_token(actor=org.ana, name="reader", scopes=["tickets.read", "people.manage"], now=NOW)
    actor = actor_of_token(made.secret, now=NOW)
    assert actor is not None
    assert [c for c in Capability if actor.can(c)] == [Capability.READ_TICKETS]
    assert made.secret not in str(journal.entries_of("person", pk(org.ana)))
    assert bytes(made.token.hash) != made.secret.encode()


def test_a_token_ends_when_it_expires_or_is_revoked(org: Organisation) -> None:
    made = actions.issue_token(actor=org.ana, name="short", days=1, now=NOW)
    assert actor_of_token(made.secret, now=NOW + timedelta(days=1, microseconds=-1))
    assert actor_of_token(made.secret, now=NOW + timedelta(days=1)) is None
    other = actions.issue_token(actor=org.ana, name="revoked", now=NOW)
    with pytest.raises(Missing):
        actions.revoke_token(actor=org.alan, token_id=other.token.pk, now=NOW)
    actions.revoke_token(actor=org.ana, token_id=other.token.pk, now=NOW)
    assert actor_of_token(other.secret, now=NOW) is None


@pytest.mark.parametrize("scopes", [None, ["tickets.read"]])
def test_whoever_holds_a_token_makes_no_way_in_of_their_own(org: Organisation, scopes: list[str] | None) -> None:
    """A leaked token must not become a password or another token."""
    made = actions.issue_token(actor=org.adam, name="leaked", scopes=scopes, now=NOW)
    thief = actor_of_token(made.secret, now=NOW)
    assert thief is not None
    with pytest.raises(Forbidden):
        actions.issue_token(actor=thief, name="more", now=NOW)
    with pytest.raises(Forbidden):
        actions.set_password(actor=thief, user_id=pk(org.adam), password=PASSWORD, now=NOW)


@pytest.mark.parametrize(
    "given",
    [{"name": " "}, {"name": "x", "days": 0}, {"name": "x", "days": 4000}, {"name": "x", "scopes": ["everything"]}, {"name": "\x00"}],
)
def test_a_token_that_makes_no_sense_is_refused(org: Organisation, given: dict[str, Any]) -> None:
    with pytest.raises(Invalid):
        actions.issue_token(actor=org.ana, now=NOW, **given)


def test_teams_have_names_and_keys_of_their_own(org: Organisation) -> None:
    made = actions.add_team(actor=org.adam, name="Unix & Storage", now=NOW)
    assert made.key == "unix-storage"
    for name in ("Unix & Storage", "unix storage"):
        with pytest.raises(Invalid):
            actions.add_team(actor=org.adam, name=name, now=NOW)
    for name in ("ネットワーク", "数据库"):
        assert actions.add_team(actor=org.adam, name=name, now=NOW).key
    with pytest.raises(Invalid):
        actions.add_team(actor=org.adam, name="x" * 121, now=NOW)
    with pytest.raises(Refused):
        actions.change_team(actor=org.adam, team_id=10**6, changes={"name": "x"}, now=NOW)
    assert Team.objects.count() == 7


def test_failed_tries_make_the_next_one_wait_and_a_good_one_forgets_them(org: Organisation) -> None:
    for number in range(actions.SIGN_IN_TRIES):
        assert actions.sign_in_waits("alan@example.org", "10.0.0.1", NOW) == timedelta(0)
        actions.note_failed_sign_in(email="Alan@example.org", address="10.0.0.1", now=NOW + timedelta(seconds=number))
    assert actions.sign_in_waits("alan@EXAMPLE.org", "10.9.9.9", NOW + timedelta(seconds=5)) > timedelta(minutes=9)
    assert actions.sign_in_waits("rita@example.org", "10.0.0.1", NOW + timedelta(seconds=5)) == timedelta(0)
    assert actions.sign_in_waits("alan@example.org", "10.0.0.1", NOW + timedelta(minutes=11)) <= timedelta(0)
    actions.note_sign_in(user_id=pk(org.alan), actor=org.alan, now=NOW)
    assert actions.sign_in_waits("alan@example.org", "10.0.0.1", NOW + timedelta(seconds=6)) == timedelta(0)
