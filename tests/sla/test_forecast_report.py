"""The trees as numbers against the library that grew them, the measures against the library's, reasons, verdicts, the report as text."""

from functools import cache
from typing import Any

import numpy as np
import pytest
from sklearn.ensemble import HistGradientBoostingClassifier  # type: ignore[import-untyped]
from sklearn.metrics import brier_score_loss, log_loss, roc_auc_score  # type: ignore[import-untyped]
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from pilothouse.sla.engine.forecast import reasons, report
from pilothouse.sla.engine.forecast.features import Features, features, ground
from pilothouse.sla.engine.forecast.model import Judged
from pilothouse.sla.engine.forecast.moments import at_instant
from pilothouse.sla.engine.forecast.training import Trained, train, verdict
from pilothouse.sla.engine.forecast.trees import Trees, joined
from pilothouse.sla.forecast_report import report_text, report_values
from pilothouse.sla.models import ForecastModel
from tests.organisation import NOW
from tests.sla.forecast_histories import history


def test_trees_say_what_the_library_says() -> None:
    draw = np.random.default_rng(2)
    rows = draw.normal(size=(3000, 6))
    rows[draw.random(rows.shape) < 0.1] = np.nan
    missed = (np.nan_to_num(rows[:, 0]) + np.nan_to_num(rows[:, 1]) ** 2 + draw.normal(size=3000) > 1).astype(int)
    with threadpool_limits(1):
        grown = HistGradientBoostingClassifier(max_iter=25, max_leaf_nodes=9, early_stopping=False, random_state=0).fit(rows, missed)
        said = grown.decision_function(rows)
    trees = joined(float(grown._baseline_prediction.ravel()[0]), [stage[0].nodes for stage in grown._predictors])
    kept = Trees.from_json(trees.as_json())
    scores, shares = kept.explained(rows)
    assert np.allclose(scores, said) and np.allclose(kept.scores(rows), said)
    assert np.allclose(shares.sum(axis=1) + kept.base + kept.value[kept.roots].sum(), said)  # what each split changed, summed
    assert np.abs(shares).mean(axis=0)[:2].min() > 5 * np.abs(shares).mean(axis=0)[2:].max()


def test_measures_are_the_library_s() -> None:
    draw = np.random.default_rng(4)
    missed = draw.integers(0, 2, 500)
    said = np.round(np.clip(0.3 * missed + draw.random(500) * 0.7, 0.01, 0.99), 2)  # with ties
    found = report.measures(said, missed)
    assert found["auc"] == pytest.approx(roc_auc_score(missed, said), abs=1e-4)
    assert found["brier"] == pytest.approx(brier_score_loss(missed, said), abs=1e-4)
    assert found["log_loss"] == pytest.approx(log_loss(missed, said), abs=1e-4)
    assert report.auc(said, np.zeros(500, np.int64)) is None
    curve = report.curve(said, missed)
    assert len(curve) == 10 and sum(each["count"] for each in curve) == 500
    by_hand = sum(each["count"] * abs(each["said"] - each["came"]) for each in curve if each["count"]) / 500
    assert found["ece"] == pytest.approx(by_hand, abs=1e-4)


@cache
def _trained() -> Trained:
    known = history(21, 1500)
    return train(known, int(known.at.max()) + 1)


def test_a_training_reports_warnings_and_teams() -> None:
    trained = _trained()
    told = trained.report["warnings"]
    for each in (told["model"], told["rule"], *told["sweep"]):
        assert each["caught"] <= each["warned"] <= each["tickets"] and each["caught"] <= each["breaches"]
    warned = [each["warned"] for each in told["sweep"]]
    assert warned == sorted(warned, reverse=True)
    assert sum(each["model"]["warned"] for each in told["teams"]) == told["model"]["warned"]
    assert sum(each["rule"]["breaches"] for each in told["teams"]) == told["rule"]["breaches"]


@pytest.mark.parametrize(
    ("model", "rule", "base", "used", "why"),
    [
        ({"brier": 0.1, "ece": 0.02}, 0.2, 0.3, True, "better than the 75 % rule"),
        ({"brier": 0.1, "ece": 0.11}, 0.2, 0.3, False, "off by 11.0%"),
        ({"brier": 0.2, "ece": 0.02}, 0.2, 0.3, False, "no better than the 75 % rule"),
        ({"brier": 0.25, "ece": 0.02}, 0.3, 0.2, False, "no better than the share of all"),
    ],
)
def test_a_verdict_and_its_reason(model: dict[str, float], rule: float, base: float, used: bool, why: str) -> None:
    is_used, told = verdict({"unfolding": {"model": model, "rule": {"brier": rule}, "base": {"brier": base}}})
    assert is_used is used and why in told


def test_too_few_outcomes_train_nothing() -> None:
    known = history(3, 300)
    trained = train(known, int(known.at.max()) + 1)
    assert trained.model is None and not trained.is_used and trained.why.startswith("Too little history: ")


def test_reasons_are_words_for_every_factor_and_short() -> None:
    known = history(5)
    moments = at_instant(known, int(np.quantile(known.at, 0.5)))
    found: Features = features(known, ground(known), moments)
    number = len(moments)
    themes = [*reasons.themes_told(), "category", "group", "assignee"]
    for theme in range(len(themes)):
        shares = np.zeros((number, len(themes)))
        shares[:, theme] = 1.0
        told = reasons.reasons(found, np.zeros(number, bool), Judged(np.full(number, 0.9), themes, shares))
        assert all(0 < len(each) <= reasons.LONGEST and "nan" not in each and "; " in each for each in told)
    past = reasons.reasons(found, np.ones(number, bool), None)
    assert set(past) == {"Its target is used up already."}
    assert reasons.by_rule(np.array([0.0, 0.75, 1.0, 1.01])).tolist() == pytest.approx([0.0, 0.6, 0.8, 1.0])


def test_the_report_as_text(db: Any) -> None:
    assert "No forecast has been trained yet" in report_text() and report_values() == {}
    trained = _trained()
    ForecastModel.objects.create(trained_at=NOW, is_used=True, why=trained.why, parameters={}, report=trained.report)
    text = report_text()
    assert "A model judges" in text and "75 % rule" in text and "as it unfolds" in text and max(map(len, text.splitlines())) < 200
    assert report_values()["unfolding"] == trained.report["unfolding"]
