"""The forecast on every second ticket of the public incident log: figures within wide bounds, and blind to the future of real tickets.

Skipped without the log. The figures of the whole log: `python -m bench.forecast`.
"""

import random
from collections.abc import Mapping

import numpy as np
import pytest

from bench.forecast import measure, unseen
from bench.incident_log import LOG, Log, Row, _rows, log_of
from pilothouse.sla.engine.forecast.features import features, ground
from pilothouse.sla.engine.forecast.moments import every_event
from pilothouse.sla.engine.forecast.training import as_known_at, fit

pytestmark = [
    pytest.mark.skipif(not LOG.exists(), reason="the public incident log is not beside the repository"),
    pytest.mark.timeout(600),
]
_FINAL = ("resolved_at", "closed_at", "closed_code", "resolved_by")


@pytest.fixture(scope="module")
def rows() -> list[Row]:
    return [row for row in _rows(LOG) if int(row["number"].removeprefix("INC")) % 2 == 0]


@pytest.fixture(scope="module")
def log(rows: list[Row]) -> Log:
    return log_of(rows)


def test_it_is_better_than_the_rule_and_calibrated(log: Log) -> None:
    found, _ = measure(log)
    opening, unfolding = found["figures"]["known at opening"], found["figures"]["as the log unfolds, every update"]
    assert found["trained_on"] > 6_000 and found["tested_on"] > 3_500
    assert 0.70 < opening["model"]["auc"] < 0.90 and 0.78 < unfolding["model"]["auc"] < 0.93
    for scores in found["figures"].values():
        assert scores["model"]["auc"] > scores["rule"]["auc"] + 0.03
        assert scores["model"]["brier"] < min(scores["rule"]["brier"], scores["rule"]["hard_brier"], scores["base"]["brier"])
        assert scores["model"]["ece"] < 0.12


def test_the_future_of_real_tickets_changes_nothing(rows: list[Row]) -> None:
    """Shuffle what stands in every row about the end, and all rows after the cut; train and judge by the cut: the same bits."""
    rows = [row for row in rows if int(row["number"].removeprefix("INC")) % 6 == 0]
    log = log_of(rows)
    other = log_of(_with_another_future(rows, log))
    assert other.cut == log.cut and dict(other.targets) == dict(log.targets)
    models, seen = [], []
    for each in (log, other):
        known = ground(each.history)
        model = fit(as_known_at(each.history, each.cut), known, each.cut)
        assert model is not None
        moments = every_event(each.history)
        moments = moments.only(moments.at <= each.cut)
        found = features(each.history, known, moments, carried=model.carried)
        models.append(model.as_json())
        seen.append((found.values.tobytes(), model.probabilities(found).tobytes()))
    assert models[0] == models[1] and seen[0] == seen[1]
    assert not np.array_equal(log.history.breached, other.history.breached)
    assert len(unseen(log, every_event(log.history))) > 3_000


def _with_another_future(rows: list[Row], log: Log) -> list[Row]:
    draw = random.Random(3)
    later = [row for row in rows if _at(row) > log.cut]
    pool = {name: [row[name] for row in later] for name in ("made_sla", "incident_state", "assignment_group", "assigned_to", "category")}
    final = {name: [row[name] for row in rows] for name in _FINAL}
    for values in (*pool.values(), *final.values()):
        draw.shuffle(values)
    changed: list[Row] = []
    at = iter(range(len(later)))
    for place, row in enumerate(rows):
        told: Mapping[str, str] = {name: values[place] for name, values in final.items()}
        if _at(row) > log.cut:
            number = next(at)
            told = {**told, **{name: values[number] for name, values in pool.items()}}
        changed.append({**row, **told})
    return changed


def _at(row: Row) -> int:
    from bench.incident_log import _instant

    return _instant(row["sys_updated_at"])
