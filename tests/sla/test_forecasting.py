"""The forecast on real tickets in a real database: columns from lives, training, judging, the rule that stands in."""

import os
import subprocess
import sys
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pytest

from pilothouse.people.testing import NamedPeople
from pilothouse.platform import access, clock
from pilothouse.platform.models import JournalEntry, OutboxMessage
from pilothouse.platform.refusals import Forbidden, GuardRefused
from pilothouse.sla import forecast_jobs, forecasting
from pilothouse.sla.actions.forecasting import end_training, fail_training, request_training
from pilothouse.sla.engine.forecast.history import HELD, NEVER, RESOLVED, WORKING, History
from pilothouse.sla.engine.forecast.model import Model
from pilothouse.sla.engine.forecast.moments import at_instant, progress, used_at
from pilothouse.sla.engine.forecast.training import Trained, train
from pilothouse.sla.engine.lives import seconds
from pilothouse.sla.models import Clock, Forecast, ForecastModel
from pilothouse.tickets import actions
from pilothouse.tickets import history as tickets_history
from tests.organisation import NOW
from tests.sla.desk_of_agreements import agreement, target
from tests.sla.forecast_histories import history

HOUR = timedelta(hours=1)
OFFICE = {"mon": "08:00-18:00", "tue": "08:00-18:00", "wed": "08:00-18:00", "thu": "08:00-18:00", "fri": "08:00-18:00"}


@pytest.fixture
def desk(people: NamedPeople) -> NamedPeople:
    """The people, and an agreement since ever: eight hours, holds for the caller do not count."""
    agreement(people.actor("adam"), "Incidents", target(8, holds=["caller"]))
    return people


def opened(people: NamedPeople, at: datetime, **more: Any) -> int:
    facts = {"title": "VPN", "requester": people.rita.pk, "group": people.teams["Network"].pk, "category": "Network", **more}
    return actions.open_ticket(actor=people.actor("ana"), now=at, **facts).pk


def moved(people: NamedPeople, ticket: int, at: datetime, **more: Any) -> None:
    actions.move_ticket(actor=people.actor("adam"), ticket_id=ticket, now=at, **more)


def test_columns_say_what_the_clocks_say(desk: NamedPeople) -> None:
    held = opened(desk, NOW)
    moved(desk, held, NOW + HOUR, state="on_hold", hold_reason="caller", hold_until=NOW + 9 * HOUR)
    moved(desk, held, NOW + 3 * HOUR, state="in_progress")
    late = opened(desk, NOW)
    moved(desk, late, NOW + 9 * HOUR, state="resolved", resolution_code="solved", resolution_notes="Done.")
    kept = opened(desk, NOW)
    moved(desk, kept, NOW + 2 * HOUR, state="resolved", resolution_code="solved", resolution_notes="Done.")
    now = NOW + 5 * HOUR
    known = forecasting.load([held, late, kept], seconds(NOW + 10 * HOUR), seconds(NOW))
    assert known.breached.tolist() == [-1, 1, 0]
    assert known.decided.tolist() == [NEVER, seconds(NOW + 8 * HOUR), seconds(NOW + 2 * HOUR)]
    moments = at_instant(known, seconds(now))
    assert known.stage[moments.event].tolist() == [WORKING, WORKING, RESOLVED]
    assert used_at(known, progress(known), moments).tolist() == [3 * 3600, 5 * 3600, 2 * 3600]
    assert HELD in known.stage[known.ticket == 0]
    assert known.names["category"] == ["Network"] and set(known.target.tolist()) == {8 * 3600}


def test_a_past_moment_knows_only_the_target_of_then(desk: NamedPeople) -> None:
    agreement_of_two = {"key": "resolution", "kind": "resolution", "durations": {"3": {"seconds": 36_000}, "2": {"seconds": 7_200}}}
    agreement(desk.actor("adam"), "Requests", agreement_of_two, applies_to="kind:request")
    ticket = opened(desk, NOW, kind="request", impact=2, urgency=2)
    actions.change_ticket(actor=desk.actor("adam"), ticket_id=ticket, changes={"impact": 1}, now=NOW + HOUR)
    known = forecasting.load([ticket], seconds(NOW + 2 * HOUR), seconds(NOW))
    assert known.priority.tolist() == [3, 2] and known.target.tolist() == [36_000, 7_200]


def test_without_history_the_rule_stands_in_and_says_so(desk: NamedPeople) -> None:
    fresh, near, past = opened(desk, NOW + 7 * HOUR), opened(desk, NOW + 2 * HOUR), opened(desk, NOW - 2 * HOUR)
    now = NOW + 8 * HOUR
    assert forecasting.refresh(now) == 3
    found = {row.ticket_id: row for row in Forecast.objects.all()}
    assert found[near].percent == 60 and found[fresh].percent == 10 and found[past].percent == 100
    assert not any(row.by_model for row in found.values())
    assert "by rule: 75 % of its time is used" in found[near].reason and "2 h left" in found[near].reason
    assert found[past].reason == "Its target is used up already."
    moved(desk, near, now, state="resolved", resolution_code="solved", resolution_notes="Done.")
    assert forecasting.refresh(now) == 2
    assert set(Forecast.objects.values_list("ticket_id", flat=True)) == {fresh, past}
    assert "group resolves 1.0 a day" not in found[near].reason
    assert Forecast.objects.get(pk=fresh).reason.startswith("group resolves 7 a week, 1 ahead of it")


def test_too_little_history_is_said(desk: NamedPeople) -> None:
    opened(desk, NOW)
    trained = forecasting.trained(NOW + HOUR)
    assert trained.model is None and not trained.is_used
    assert trained.why == "Too little history: 0 tickets with an outcome and 0 breaches; a model needs 500 and 50."


def test_asking_for_a_training(desk: NamedPeople) -> None:
    with pytest.raises(Forbidden):
        request_training(actor=desk.actor("ana"), now=NOW)
    row = request_training(actor=desk.actor("adam"), now=NOW)
    assert OutboxMessage.objects.filter(topic="sla.train_forecast").count() == 1
    with pytest.raises(GuardRefused):
        request_training(actor=desk.actor("adam"), now=NOW + HOUR / 2)
    fail_training(actor=access.system(), model_id=row.pk, fault="MemoryError: full", now=NOW)
    verbs = JournalEntry.objects.filter(kind="forecast_model").order_by("id").values_list("verb", flat=True)
    assert list(verbs) == ["forecast_model.requested", "forecast_model.failed"]
    assert request_training(actor=desk.actor("adam"), now=NOW + HOUR / 2).pk != row.pk


def test_the_newest_training_decides_who_judges(desk: NamedPeople) -> None:
    first, second = (request_training(actor=access.system(), now=NOW + n * 2 * HOUR) for n in range(2))
    known = history(11, 1500)
    trained = train(known, int(np.max(known.at)) + 1)
    assert trained.model is not None and trained.is_used, trained.why
    end_training(actor=access.system(), model_id=first.pk, trained=trained, now=NOW)
    assert forecasting.model_in_use() is not None
    opened(desk, NOW)
    forecasting.refresh(NOW + HOUR)
    judged = Forecast.objects.get()
    assert judged.by_model and 0 < judged.probability < 1 and "by rule" not in judged.reason
    end_training(actor=access.system(), model_id=second.pk, trained=Trained(None, {"counts": {}}, False, "Too little."), now=NOW)
    assert forecasting.model_in_use() is None and not ForecastModel.objects.get(pk=first.pk).is_used


def test_a_model_judges_the_same_after_it_was_kept() -> None:
    known = history(12, 1200)
    trained = train(known, int(np.max(known.at)) + 1)
    assert trained.model is not None
    kept = Model.from_json(trained.model.as_json())
    assert kept is not None and kept.as_json() == trained.model.as_json()
    assert Model.from_json({"form": 0}) is None


def test_a_training_in_a_process_of_its_own(desk: NamedPeople) -> None:
    many = _imported(desk, 700)
    assert len(many) == 700 and forecasting.ended_clocks()[0] >= 600
    row = request_training(actor=access.system(), now=NOW)
    with clock.at(NOW):
        forecast_jobs.train_forecast(entry_id=0, kind="forecast_model", record_id=row.pk)
    row.refresh_from_db()
    assert row.report["counts"]["ended"] >= 600 and row.report["unfolding"]["model"]["auc"] > 0.6
    assert not forecasting.is_due(NOW + HOUR) and forecasting.is_due(NOW + timedelta(days=8))
    assert Forecast.objects.count() == Clock.objects.filter(kind="resolution", ended_at=None).count()


def _imported(people: NamedPeople, number: int) -> list[int]:
    """Bring in a history: those of category Storage take three times as long as others."""
    draw = np.random.default_rng(1)
    lives = []
    for place in range(number):
        at = NOW - timedelta(days=60) + timedelta(hours=2 * place)
        is_slow = bool(draw.random() < 0.4)
        lasts = timedelta(hours=float(draw.exponential(9 if is_slow else 3)))
        facts = {
            "title": "Disk full",
            "state": "new",
            "requester": people.rita.pk,
            "group": people.teams["Network"].pk,
            "priority": 3,
            "category": "Storage" if is_slow else "Network",
            "opened_at": at,
        }
        moments = [tickets_history.Moment(at, facts)]
        if at + lasts < NOW:
            moments.append(tickets_history.Moment(at + lasts / 2, {"assignee": people.alan.pk, "state": "in_progress"}))
            moments.append(tickets_history.Moment(at + lasts, {"state": "resolved", "resolved_at": at + lasts}))
        lives.append(tickets_history.History(moments))
    recorded = tickets_history.record_histories(actor=access.system(), histories=lives, now=NOW)
    return [each.ticket_id for each in recorded]


def test_columns_do_not_know_the_future(desk: NamedPeople) -> None:
    many = _imported(desk, 60)
    middle = seconds(NOW - timedelta(days=58))
    before = forecasting.load(many, middle, 0)
    open_then = [int(ticket) for ticket, at in zip(before.ids, before.decided, strict=True) if at > middle]
    for ticket in open_then[:5]:
        actions.comment_on_ticket(actor=desk.actor("adam"), ticket_id=ticket, text="Later.", private=False, now=NOW)
    after = forecasting.load(many, middle, 0)
    assert _until(before, middle) == _until(after, middle)


def _until(known: History, now: int) -> list[tuple[Any, ...]]:
    rows = zip(known.ticket, known.at, known.stage, known.counts, known.target, known.priority, known.group, strict=True)
    return [tuple(map(int, row)) for row in rows if row[1] <= now]


HEAVY = ("sklearn", "scipy", "pandas", "polars", "typst", "openpyxl", "xlsxwriter", "holidays", "rich", "typer")


def test_what_lives_long_never_loads_the_libraries_of_training_mining_and_files() -> None:
    """A web process and the worker's tasks, the judging and the looking among them, get by with numpy."""
    look = "import sys, django; django.setup(); import pilothouse.urls, pilothouse.sla.jobs, pilothouse.sla.forecasting;"
    look += f"import pilothouse.api.urls, pilothouse.problems.jobs; print([name for name in {HEAVY} if name in sys.modules])"
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "pilothouse.platform.settings"}
    told = subprocess.run([sys.executable, "-c", look], env=environment, capture_output=True, text=True, check=True)
    assert told.stdout.strip() == "[]"
