"""The law of projections: rebuilt from the journal, each equals the one that was kept step by step."""

from pathlib import Path
from typing import Any

import pytest
from django.db import connection, transaction
from hypothesis import HealthCheck, given, settings

from pilothouse.platform import journal, projections
from pilothouse.tickets import actions
from tests import kept
from tests.organisation import NOW, Organisation, set_up
from tests.tickets.lives_at_random import STEPS, Life, Step

# Each projection that any ticket's life fills: its table and the column that only numbers its rows.
# Of the clocks' projection lives are looked at here; its other tables, under agreements, are in tests/sla/test_projections_laws.py.
TABLES = {"ticket_story": ("tickets_story", ""), "search": ("search_document", "id"), "sla_clock": ("sla_life", "")}
# The law of those that other records fill, by room. A new projection is added here or there, or the suite fails.
ELSEWHERE = {"change_detail": "changes", "problem_detail": "problems"}
pytestmark = pytest.mark.django_db
organisation = kept.for_the_module(set_up)


def rows(name: str) -> list[dict[str, Any]]:
    table, numbering = TABLES[name]
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT (to_jsonb(t) - %s)::text FROM {table} t ORDER BY 1", [numbering])
        return [row[0] for row in cursor.fetchall()]


def test_every_projection_is_held_to_the_law() -> None:
    assert sorted([*TABLES, *ELSEWHERE]) == sorted(projections.names())
    for name, room in ELSEWHERE.items():
        tests = (path.read_text() for path in (Path(__file__).parents[1] / room).glob("test_*.py"))
        assert any(f'projections.rebuild("{name}")' in text for text in tests), f"tests/{room} does not rebuild {name}"


@pytest.mark.parametrize("name", TABLES)
@given(steps=STEPS)
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_rebuilt_equals_kept(organisation: Organisation, name: str, steps: list[Step]) -> None:
    with transaction.atomic():
        Life(organisation).live(steps)
        before = rows(name)
        assert before
        projections.rebuild(name)
        assert rows(name) == before
        transaction.set_rollback(True)


@pytest.mark.parametrize("name", TABLES)
@given(steps=STEPS)
@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_rebuilt_in_small_batches_equals_kept(organisation: Organisation, name: str, steps: list[Step]) -> None:
    """A batch may end in the middle of a record's entries."""
    stream = journal.stream
    with transaction.atomic(), pytest.MonkeyPatch.context() as patch:
        Life(organisation).live(steps)
        before = rows(name)
        patch.setattr(journal, "stream", lambda kinds: stream(kinds, batch=3))
        projections.rebuild(name)
        assert rows(name) == before
        transaction.set_rollback(True)


@pytest.mark.parametrize("name", TABLES)
def test_the_set_based_path_keeps_what_the_single_one_keeps(organisation: Organisation, name: str) -> None:
    titles = [{"title": f"VPN drops {number}", "group": organisation.network} for number in range(250)]
    actions.open_tickets(actor=organisation.ana, tickets=titles, now=NOW)
    for title in titles[:3]:
        actions.open_ticket(actor=organisation.ana, now=NOW, **title)
    before = rows(name)
    projections.rebuild(name)
    assert rows(name) == before


def test_a_projection_that_fails_takes_the_entry_with_it(organisation: Organisation, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(entries: object) -> None:
        raise RuntimeError("the projection's fault")

    before = journal.verify().entries
    monkeypatch.setattr(projections.get("ticket_story"), "apply", fail)
    with pytest.raises(RuntimeError), transaction.atomic():
        actions.open_ticket(actor=organisation.ana, title="VPN", now=NOW)
    assert journal.verify().entries == before
