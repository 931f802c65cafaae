"""Training: from a history to a model with its validation report, and whether it may be used.

Validation. Tickets are split by the instant they were opened: the first 70 % train, the rest are judged. The training sees nothing
of what came after the cut: outcomes that were not known by then are unknown, later moments do not exist. The model in use is then
trained in the same way on everything.

Ripeness. Of tickets opened just before an end of the data, those with an outcome are the ones that were quick: they would teach
that few breach. So tickets opened in the last while (in which two thirds of outcomes became known) are left out.

Age. What was usual changes: a ticket weighs half of one that was opened 15 % of the span later.

Calibration. The score of each training ticket comes from trees that have not seen it (three parts, by ticket); Platt's curve is
fitted to those of the latest 30 % of tickets.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from pilothouse.sla.engine.forecast.features import Ground, features, ground
from pilothouse.sla.engine.forecast.history import NEVER, UNKNOWN, Flags, Floats, History, Ints, Moments
from pilothouse.sla.engine.forecast.model import Model
from pilothouse.sla.engine.forecast.moments import sampled, used_at
from pilothouse.sla.engine.forecast.rates import table
from pilothouse.sla.engine.forecast.report import RULE_SHARE, Tested, report
from pilothouse.sla.engine.forecast.trees import Trees, joined

ENDED_AT_LEAST, BREACHES_AT_LEAST = 500, 50
TRAINED_SHARE, CALIBRATED_SHARE = 0.7, 0.3
WORST_CALIBRATION = 0.10  # expected calibration error above which a model is not used
_MOST_MOMENTS = 120_000
_PARTS = 3
_BINS = 64
_HIGHEST = 1e300
_HALF_LIFE = 0.15  # of the span
_TREES: Mapping[str, Any] = {
    "max_iter": 60,
    "learning_rate": 0.1,
    "max_leaf_nodes": 15,
    "l2_regularization": 1.0,
    "max_bins": _BINS,
    "early_stopping": False,
    "random_state": 0,
}


@dataclass(frozen=True, slots=True)
class Trained:
    """What came of a training: a model or none, its report, whether it may be used, and why or why not."""

    model: Model | None
    report: dict[str, Any]
    is_used: bool
    why: str


def as_known_at(history: History, instant: int) -> History:
    """Return the history with the outcomes that were known before an instant; what happened stays, moments choose from it."""
    known = history.decided < instant
    return replace(history, breached=np.where(known, history.breached, UNKNOWN), decided=np.where(known, history.decided, NEVER))


def train(history: History, now: int) -> Trained:
    """Train a model on what is known at `now`, validate it on the latest tickets, and say whether it may be used. Needs scikit-learn."""
    history = as_known_at(history, now)
    counts = _counted(history)
    if too_few := _too_few(counts):
        return Trained(None, {"counts": counts}, is_used=False, why=too_few)
    known = ground(history)
    cut = _cut(history)
    tested = _test(history, known, cut, now)
    if tested is None:
        return Trained(
            None, {"counts": counts}, is_used=False, why="The history is too short to be split into a part to learn and one to test."
        )
    model = fit(history, known, now)
    if model is None:
        return Trained(None, {"counts": counts}, is_used=False, why="The history has too few moments to learn from.")
    found = {**report(tested), "counts": counts}
    is_used, why = verdict(found)
    return Trained(model, found, is_used, why)


def _counted(history: History) -> dict[str, int]:
    known = history.breached >= 0
    return {"tickets": len(history.ids), "ended": int(known.sum()), "breaches": int((history.breached == 1).sum())}


def _too_few(counts: Mapping[str, int]) -> str:
    if counts["ended"] < ENDED_AT_LEAST:
        return f"Too little history: {counts['ended']} tickets with an outcome; a model needs {ENDED_AT_LEAST}."
    if counts["breaches"] < BREACHES_AT_LEAST:
        return f"Too little history: {counts['breaches']} breaches; a model needs {BREACHES_AT_LEAST}."
    if counts["ended"] - counts["breaches"] < BREACHES_AT_LEAST:
        return f"Too little history: {counts['ended'] - counts['breaches']} targets met; a model needs {BREACHES_AT_LEAST}."
    return ""


def verdict(found: Mapping[str, Any]) -> tuple[bool, str]:
    """Say whether a model may be used by its report: calibrated, and better than the rule and than the share of all."""
    scores = found["unfolding"]
    model, rule, base = (scores[name] for name in ("model", "rule", "base"))
    figures = f"Brier {model['brier']:.3f} against {rule['brier']:.3f} of the 75 % rule, calibration error {model['ece']:.1%}"
    if model["ece"] > WORST_CALIBRATION:
        return False, f"Its probabilities are off by {model['ece']:.1%} on average, more than {WORST_CALIBRATION:.0%} ({figures})."
    if model["brier"] >= rule["brier"]:
        return False, f"It is no better than the 75 % rule ({figures})."
    if model["brier"] >= base["brier"]:
        return False, f"It is no better than the share of all that breach ({figures})."
    return True, f"It is better than the 75 % rule on tickets it had not seen: {figures}."


def _cut(history: History) -> int:
    opened = np.sort(history.opened[history.breached >= 0])
    return int(opened[int(len(opened) * TRAINED_SHARE)])


def _test(history: History, known: Ground, cut: int, now: int) -> Tested | None:
    """Train on what was known at the cut, and judge ripe tickets opened after it."""
    model = fit(as_known_at(history, cut), known, cut)
    moments = sampled(history, known.at_events)
    opened = history.opened[history.ticket[moments.event]]
    moments = moments.only((opened >= cut) & (opened < now - ripeness(history)))
    if model is None or not len(moments):
        return None
    return tested(history, known, model, moments, cut)


def tested(history: History, known: Ground, model: Model, moments: Moments, cut: int) -> Tested:
    """Judge moments by a model, with what the report compares it to: the base rate and the 75 % rule of the training part."""
    found = features(history, known, moments, carried=model.carried)
    judged = model.judge(found)
    return Tested(
        history=history,
        moments=moments,
        probability=judged.probability,
        share_used=found.column("share_used"),
        left_hours=found.column("left_calendar_hours"),
        base=model.carried.base,
        rule=_rule_rates(as_known_at(history, cut), known, cut),
        cut=cut,
        factors=dict(zip(judged.themes, np.abs(judged.shares).mean(axis=0).tolist(), strict=True)),
    )


def _rule_rates(history: History, known: Ground, cut: int) -> tuple[float, float]:
    """Return the shares of breaches below and above 75 % of the time used, among the moments of the training part."""
    moments = _moments_learnt(history, known, cut)
    missed = history.breached[history.ticket[moments.event]]
    late = used_at(history, known.at_events, moments) / history.target[moments.event] >= RULE_SHARE
    below, above = missed[~late], missed[late]
    return (float(below.sum()) + 1) / (len(below) + 2), (float(above.sum()) + 1) / (len(above) + 2)


def ripeness(history: History) -> int:
    """Return the seconds after opening in which two thirds of outcomes became known, a quarter of the span at most."""
    known = history.breached >= 0
    if not known.any():
        return 0
    span = int(history.opened.max() - history.opened.min())
    return min(int(np.quantile(history.decided[known] - history.opened[known], 2 / 3)), span // 4)


def _moments_learnt(history: History, known: Ground, until: int) -> Moments:
    """Return the moments to learn from, before `until`, of ripe tickets; those of some of the tickets when there are many."""
    moments = sampled(history, known.at_events)
    opened = history.opened[history.ticket[moments.event]]
    moments = moments.only((moments.at < until) & (opened < until - ripeness(history)))
    if len(moments) > _MOST_MOMENTS:
        moments = moments.only(_drawn(history.ticket[moments.event]) < _MOST_MOMENTS / len(moments))
    return moments


def _drawn(tickets: Ints) -> Floats:
    """Return a number of [0, 1) for each ticket, always the same."""
    found: Floats = (tickets * 2654435761 % (1 << 32)) / (1 << 32)
    return found


def fit(history: History, known: Ground, until: int) -> Model | None:
    """Fit trees and their calibration on what was known before `until`; None when there is too little."""
    moments = _moments_learnt(history, known, until)
    found = features(history, known, moments)
    tickets = history.ticket[moments.event]
    missed = history.breached[tickets]
    if len(missed) < ENDED_AT_LEAST // 2 or not 0 < missed.sum() < len(missed):
        return None
    opened = history.opened[tickets]
    weights = _weights(opened)
    slope, intercept = _calibrated(found.values, missed, tickets, opened)
    return Model(found.names, _grown(found.values, missed, weights), slope, intercept, table(history))


def _weights(opened: Ints) -> Floats:
    weights: Floats = 0.5 ** ((opened.max() - opened) / max(float(opened.max() - opened.min()) * _HALF_LIFE, 1.0))
    return weights


def _calibrated(rows: Floats, missed: Ints, tickets: Ints, opened: Ints) -> tuple[float, float]:
    """Fit Platt's curve to the scores of the latest tickets, each by trees that have not seen it."""
    from sklearn.linear_model import LogisticRegression  # type: ignore[import-untyped]  # heavy start-up

    late = opened >= np.quantile(opened, 1 - CALIBRATED_SHARE)
    part, weights = (_drawn(tickets + 1) * _PARTS).astype(np.int64), _weights(opened)
    scores = np.zeros(len(missed))
    for number in range(_PARTS):
        own: Flags = (part == number) & late
        others = part != number
        if own.any() and 0 < missed[others].sum() < others.sum():
            scores[own] = _grown(rows[others], missed[others], weights[others]).scores(rows[own])
    if not 0 < missed[late].sum() < late.sum():
        return 1.0, 0.0
    line = LogisticRegression(C=10.0).fit(scores[late][:, None], missed[late])
    slope, intercept = float(line.coef_[0, 0]), float(line.intercept_[0])
    return (slope, intercept) if slope > 0 else (1.0, 0.0)


def _grown(rows: Floats, missed: Ints, weights: Floats) -> Trees:
    """Grow trees over bins of the features: scikit-learn's own weighted binning takes many times as long as the growing.

    In one thread: several that wait for each other at every split take many times as long where anything else runs.
    """
    from sklearn.ensemble import HistGradientBoostingClassifier  # type: ignore[import-untyped]  # heavy start-up
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]  # it looks at what is loaded

    edges = [_edges(column) for column in rows.T]
    binned = np.column_stack([_binned(column, own) for column, own in zip(rows.T, edges, strict=True)])
    smallest = int(np.clip(len(rows) // 500, 20, 100))
    with threadpool_limits(1):
        grown = HistGradientBoostingClassifier(**_TREES, min_samples_leaf=smallest).fit(binned, missed, sample_weight=weights)
    trees = joined(float(np.ravel(grown._baseline_prediction)[0]), [stage[0].nodes for stage in grown._predictors])
    return replace(trees, threshold=_unbinned(trees, edges))


def _edges(column: Floats) -> Floats:
    """Return up to BINS rising edges: a value's bin is that of the first edge that is not below it."""
    there = column[~np.isnan(column)]
    if not len(there):
        return np.array([_HIGHEST])
    found = np.unique(np.quantile(there, np.linspace(0, 1, _BINS), method="inverted_cdf"))
    found[-1] = _HIGHEST
    return found


def _binned(column: Floats, edges: Floats) -> Floats:
    if np.isnan(column).all():  # a fact that nothing has: nothing to split on
        return np.zeros(len(column))
    return np.where(np.isnan(column), np.nan, np.searchsorted(edges, column).astype(np.float64))


def _unbinned(trees: Trees, edges: Sequence[Floats]) -> Floats:
    """Return the thresholds of splits on bins as thresholds on values: the edge of the last bin that goes left."""
    threshold = trees.threshold.copy()
    for feature, own in enumerate(edges):
        here = trees.feature == feature
        threshold[here] = own[np.clip(np.floor(threshold[here]), 0, len(own) - 1).astype(np.int64)]
    return threshold
