"""Measure the breach forecast: `python -m bench.forecast` on the public incident log, and how long training and judging take."""

import json
import platform
import resource
import sys
import time
from collections.abc import Callable
from importlib.metadata import version
from typing import Any, TypeVar

import numpy as np

from bench.figures import Figure, hand_over
from bench.incident_log import LOG, Log, read_log
from pilothouse.sla.engine.forecast.features import features, ground
from pilothouse.sla.engine.forecast.history import HELD, History, Moments
from pilothouse.sla.engine.forecast.model import Model
from pilothouse.sla.engine.forecast.moments import at_instant, every_event, is_open, openings, sampled
from pilothouse.sla.engine.forecast.reasons import reasons
from pilothouse.sla.engine.forecast.report import Tested, report, scores
from pilothouse.sla.engine.forecast.training import as_known_at, fit, tested

_T = TypeVar("_T")


def measure(log: Log) -> tuple[dict[str, Any], Model]:
    """Train on what was known when the first 70 % of tickets had been opened, judge the rest, and return every figure and the model."""
    history, known = log.history, ground(log.history)
    model, seconds = timed(lambda: fit(as_known_at(history, log.cut), known, log.cut))
    assert model is not None
    chosen = {
        "known at opening": unseen(log, openings(history)),
        "as the log unfolds, every update": unseen(log, every_event(history)),
    }
    open_ones = chosen["as the log unfolds, every update"]
    chosen["as the log unfolds, target not used up"] = open_ones.only(is_open(history, known.at_events, open_ones))
    figures = {name: whole(tested(history, known, model, moments, log.cut)) for name, moments in chosen.items()}
    life = report(tested(history, known, model, unseen(log, sampled(history, known.at_events)), log.cut))
    trained = (history.opened < log.cut) & (history.decided < log.cut)
    found = {
        "trained_on": int(trained.sum()),
        "tested_on": int((log.tested & (history.breached >= 0)).sum()),
        "targets_hours": {priority: round(seconds / 3600, 1) for priority, seconds in log.targets.items()},
        "fit_seconds": round(seconds, 1),
        "figures": figures,
        "curve": life["curve"],
        "warnings": {name: life["warnings"][name] for name in ("model", "rule", "sweep")},
    }
    return found, model


def timed(work: Callable[[], _T]) -> tuple[_T, float]:
    """Do something and return what came of it and how many seconds it took."""
    start = time.perf_counter()
    return work(), time.perf_counter() - start


def unseen(log: Log, moments: Moments) -> Moments:
    """Return the moments of tickets opened after the cut that were neither resolved nor closed."""
    ticket = log.history.ticket[moments.event]
    return moments.only(log.tested[ticket] & (log.history.breached[ticket] >= 0) & (log.history.stage[moments.event] <= HELD))


def whole(found: Tested) -> dict[str, Any]:
    """Return the measures over all moments."""
    return scores(found, np.ones(len(found.moments), bool))


def judged_seconds(history: History, model: Model, number: int) -> float:
    """Return how long judging so many open tickets takes, reasons in words and queues among them."""
    middle = int(np.quantile(history.at, 0.5))

    def work() -> None:
        known, moments = ground(history), at_instant(history, middle)
        moments = moments.only(history.stage[moments.event] <= HELD)
        moments = Moments(np.resize(moments.event, number), np.resize(moments.at, number))
        found = features(history, known, moments, carried=model.carried)
        reasons(found, np.zeros(number, bool), model.judge(found))

    return timed(work)[1]


def main() -> int:
    """Print the figures; without the log say so."""
    if not LOG.exists():
        print(f"The log is not there: {LOG.parent.name}.", file=sys.stderr)
        return 1
    packages = ", ".join(f"{name} {version(name)}" for name in ("numpy", "scipy", "scikit-learn"))
    print(f"Python {platform.python_version()}, {packages}, {platform.machine()}, {platform.system()}")
    log, read = timed(read_log)
    found, model = measure(log)
    found["read_seconds"] = round(read, 1)
    found["judge_20000_seconds"] = round(judged_seconds(log.history, model, 20_000), 2)
    found["peak_mb"] = round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
    print(json.dumps(found, indent=2))
    for figure in told(found):
        hand_over(figure)
    return 0


def told(found: dict[str, Any]) -> list[Figure]:
    """Return what the page of figures tells of them."""
    figures, tested_on = [], found["tested_on"]
    for name, measured in found["figures"].items():
        model, rule, base = measured["model"], measured["rule"], measured["base"]
        note = f"75 % rule {rule['auc']:.3f}; {measured['moments']:,} moments"
        figures.append(Figure(f"forecast on the incident log, {name}: AUC", tested_on, model["auc"], "", note=note))
        note = f"75 % rule {rule['brier']:.3f}, base rate {base['brier']:.3f}; calibration error {model['ece']:.3f}"
        figures.append(Figure(f"forecast on the incident log, {name}: Brier", tested_on, model["brier"], "", note=note))
    figures.append(Figure("forecast: training on the log", found["trained_on"], found["fit_seconds"], "s"))
    figures.append(Figure("forecast: judging", 20_000, found["judge_20000_seconds"], "s", 10))
    return figures


if __name__ == "__main__":
    sys.exit(main())
