"""Saved views: who sees, keeps and removes which, and that each change is journalled."""

from dataclasses import replace

import pytest

from pilothouse.platform import journal
from pilothouse.platform.access import Actor, Role
from pilothouse.platform.refusals import Forbidden, Invalid, Missing
from pilothouse.tickets.actions import remove_view, save_view
from pilothouse.tickets.queries import count_views
from pilothouse.tickets.saved_views import DEFAULTS, View, scopes, views_of
from tests.tickets import desk_of_tickets
from tests.tickets.desk_of_tickets import Desk
from tests.tickets.queries_at_random import NOW

pytestmark = pytest.mark.django_db


@pytest.fixture
def desk() -> Desk:
    return desk_of_tickets.set_up(count=5)


def keep(actor: Actor, name: str = "Mine", query: str = "is:open", scope: str = "own", columns: tuple[str, ...] = ()) -> View:
    return save_view(actor=actor, name=name, query=query, scope=scope, columns=columns, now=NOW)


def kept(actor: Actor) -> list[str]:
    return [view.name for view in views_of(actor)[len(DEFAULTS) :]]


def test_every_default_view_is_understood(desk: Desk) -> None:
    counts = count_views(desk.agent, [view.query for view in DEFAULTS], now=NOW)
    assert [count.error for count in counts] == [None] * len(DEFAULTS)


def test_own_views_are_ones_own_team_views_the_teams_and_default_views_everybodys(desk: Desk) -> None:
    keep(desk.agent)
    keep(desk.manager, "Network first", scope=f"team:{desk.teams[0].pk}")
    keep(desk.manager, "For all", scope="default")
    assert kept(desk.agent) == ["For all", "Network first", "Mine"]
    assert kept(desk.outsider) == ["For all"]


def test_a_view_keeps_its_columns_and_is_replaced_under_its_name(desk: Desk) -> None:
    first = keep(desk.agent, columns=("number", "Team", "opened_at", "nonsense"))
    assert first.columns == ("number", "group", "opened")
    second = keep(desk.agent, "MINE", "is:aging")
    assert (second.id, second.query, kept(desk.agent)) == (first.id, "is:aging", ["Mine"])


def test_each_change_is_journalled(desk: Desk) -> None:
    view = keep(desk.agent)
    keep(desk.agent, query="is:aging")
    remove_view(actor=desk.agent, view_id=view.id, now=NOW)
    entries = journal.entries_of("view", view.id)
    assert [entry.verb for entry in entries] == ["view.saved", "view.saved", "view.removed"]
    assert [(entry.changes[0].before, entry.changes[0].after) for entry in entries] == [
        (None, "is:open"),
        ("is:open", "is:aging"),
        ("is:aging", None),
    ]
    assert {entry.actor_id for entry in entries} == {desk.agent.user_id}


def test_who_may_keep_a_view_for_whom(desk: Desk) -> None:
    auditor = replace(desk.manager, role=Role.AUDITOR)
    assert [scope for scope, _ in scopes(desk.agent)] == ["own"]
    assert [scope for scope, _ in scopes(desk.manager)] == ["own", f"team:{desk.teams[0].pk}", "default"]
    assert scopes(auditor) == scopes(desk.requester) == []
    for actor, scope in ((desk.agent, "default"), (desk.manager, f"team:{desk.teams[1].pk}"), (auditor, "own"), (desk.requester, "own")):
        with pytest.raises(Forbidden):
            keep(actor, scope=scope)


def test_a_stranger_cannot_remove_a_view(desk: Desk) -> None:
    own = keep(desk.agent)
    team = keep(desk.manager, "Network first", scope=f"team:{desk.teams[0].pk}")
    other_manager = replace(desk.outsider, role=Role.MANAGER)
    for actor, view in ((desk.outsider, own), (other_manager, own), (desk.agent, team), (other_manager, team), (desk.agent, DEFAULTS[0])):
        with pytest.raises(Missing):
            remove_view(actor=actor, view_id=view.id, now=NOW)
    assert remove_view(actor=desk.manager, view_id=team.id, now=NOW).name == "Network first"


@pytest.mark.parametrize(
    ("name", "query", "field"),
    [("", "is:open", "name"), ("x" * 81, "", "name"), ("a\x00b", "", "name"), ("x", "grop:a", "query"), ("x", "a" * 1001, "query")],
)
def test_a_view_with_a_mistake_is_not_kept(desk: Desk, name: str, query: str, field: str) -> None:
    with pytest.raises(Invalid) as refused:
        keep(desk.agent, name, query)
    assert [error.field for error in refused.value.errors] == [field]
    assert kept(desk.agent) == []
