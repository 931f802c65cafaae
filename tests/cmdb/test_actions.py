"""The actions on services, CIs and relationships."""

from typing import Any

import pytest

from pilothouse.cmdb import actions
from pilothouse.cmdb.models import CI, Relationship
from pilothouse.platform import journal
from pilothouse.platform.refusals import Forbidden, Invalid, Missing, StaleVersion
from tests import kept
from tests.organisation import NOW, Organisation, set_up

pytestmark = pytest.mark.django_db
org = kept.for_the_module(set_up)


def fields_of(refusal: pytest.ExceptionInfo[Any]) -> list[str]:
    return [error.field for error in refusal.value.errors]


@pytest.mark.parametrize("person", ["rita", "alan", "olga", "mona", "audrey"])
def test_the_cmdb_is_edited_by_analysts_and_administrators(org: Organisation, person: str) -> None:
    actor = getattr(org, person)
    for act in (
        lambda: actions.add_ci(actor=actor, name="x", now=NOW),
        lambda: actions.change_ci(actor=actor, ci_id=org.ci, changes={"name": "x"}, now=NOW),
        lambda: actions.add_service(actor=actor, name="x", now=NOW),
        lambda: actions.change_service(actor=actor, service_id=org.service, changes={"name": "x"}, now=NOW),
        lambda: actions.relate_cis(actor=actor, source_id=org.ci, relation="uses", target_id=org.other_ci, now=NOW),
        lambda: actions.unrelate_cis(actor=actor, relationship_id=1, now=NOW),
    ):
        with pytest.raises(Forbidden):
            act()


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"name": " "}, "name"),
        ({"name": "x" * 201}, "name"),
        ({"name": "\x00"}, "name"),
        ({"ci_class": "spaceship"}, "attributes"),
        ({"attributes": {"os": [1]}}, "attributes"),
        ({"criticality": 9}, "criticality"),
        ({"environment": "moon"}, "environment"),
        ({"status": "lost"}, "status"),
        ({"owner_team_id": 10**6}, "owner_team"),
        ({"service_id": 10**6}, "service"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_a_ci_that_makes_no_sense_is_refused(org: Organisation, values: dict[str, Any], field: str) -> None:
    with pytest.raises(Invalid) as refusal:
        actions.add_ci(actor=org.ana, now=NOW, **{"name": "srv", **values})
    assert fields_of(refusal) == [field]
    with pytest.raises(Invalid) as refusal:
        actions.change_ci(actor=org.ana, ci_id=org.ci, changes=values, now=NOW)
    assert fields_of(refusal) == [field]


def test_the_first_entry_carries_the_ci_and_a_change_what_differs(org: Organisation) -> None:
    made = actions.add_ci(actor=org.ana, name="srv-1", ci_class="server", attributes={"os": "Debian"}, service_id=org.service, now=NOW)
    actions.change_ci(actor=org.ana, ci_id=made.pk, changes={"status": "retired", "name": "srv-1"}, now=NOW)
    first, second = journal.entries_of("ci", made.pk)
    assert (first.verb, first.after("attributes"), first.after("service")) == ("ci.added", {"os": "Debian"}, org.service)
    assert [(c.field, c.before, c.after) for c in second.changes] == [("status", "in_use", "retired")]


def test_the_second_of_two_editors_is_told(org: Organisation) -> None:
    actions.change_ci(actor=org.ana, ci_id=org.ci, changes={"name": "first"}, expected_version=1, now=NOW)
    with pytest.raises(StaleVersion) as refusal:
        actions.change_ci(actor=org.adam, ci_id=org.ci, changes={"name": "second"}, expected_version=1, now=NOW)
    assert (refusal.value.current, refusal.value.attempted) == ({"name": "first"}, {"name": "second"})
    actions.change_service(actor=org.ana, service_id=org.service, changes={"criticality": 1}, expected_version=1, now=NOW)
    with pytest.raises(StaleVersion):
        actions.change_service(actor=org.ana, service_id=org.service, changes={"criticality": 2}, expected_version=1, now=NOW)


def test_relations_stand_once_and_between_two(org: Organisation) -> None:
    made = actions.relate_cis(actor=org.ana, source_id=org.ci, relation="depends_on", target_id=org.other_ci, now=NOW)
    for source, relation, target in ((org.ci, "depends_on", org.other_ci), (org.ci, "depends_on", org.ci), (org.ci, "likes", org.other_ci)):
        with pytest.raises(Invalid):
            actions.relate_cis(actor=org.ana, source_id=source, relation=relation, target_id=target, now=NOW)
    with pytest.raises(Missing):
        actions.relate_cis(actor=org.ana, source_id=org.ci, relation="uses", target_id=10**6, now=NOW)
    actions.unrelate_cis(actor=org.ana, relationship_id=made.pk, now=NOW)
    assert [e.verb for e in journal.entries_of("ci", org.ci)] == ["ci.added", "ci.related", "ci.unrelated"]
    with pytest.raises(Missing):
        actions.unrelate_cis(actor=org.ana, relationship_id=made.pk, now=NOW)


def test_relations_in_bulk_leave_alone_what_stands_and_journal_what_is_new(org: Organisation) -> None:
    def some() -> list[Relationship]:
        pairs = ((org.ci, org.other_ci), (org.other_ci, org.ci), (org.ci, org.other_ci))
        return [Relationship(source_id=source, relation="uses", target_id=target) for source, target in pairs]

    actions.relate_cis(actor=org.ana, source_id=org.ci, relation="uses", target_id=org.other_ci, now=NOW)
    for _ in range(2):
        actions.relate_in_bulk(actor=org.adam, relationships=some(), now=NOW)
    assert Relationship.objects.count() == 2
    assert [e.verb for e in journal.entries_of("ci", org.ci)] == ["ci.added", "ci.related"]
    assert [e.verb for e in journal.entries_of("ci", org.other_ci)] == ["ci.added", "ci.related"]


def test_bulk_and_single_make_the_same_entry(org: Organisation) -> None:
    single = actions.add_ci(actor=org.ana, name="srv-1", now=NOW)
    (bulk,) = actions.add_cis_in_bulk(actor=org.ana, cis=[CI(name="srv-1")], now=NOW)
    entries = [journal.entries_of("ci", ci.pk)[0] for ci in (single, bulk)]
    assert {(c.field, str(c.after)) for c in entries[0].changes if c.after is not None} == {
        (c.field, str(c.after)) for c in entries[1].changes if c.after is not None
    }
