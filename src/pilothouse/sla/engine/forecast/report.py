"""How well a forecast does on tickets that it has not seen, beside the plain 75 % rule and the share of all that breach; pure.

Measures. AUC: how often a ticket that breached was given more than one that did not (Mann-Whitney). Brier: the mean squared
distance of probability and outcome. Log loss: the mean surprise, in nats. ECE: the expected calibration error over ten bins.
The rule gives two probabilities: the shares of the training part that breached below and above 75 % of the time used; its AUC is that
of the share of time itself, its `hard_brier` that of saying 0 or 1.

Warnings. A ticket is warned of at its first moment with a probability of at least the threshold (the rule: at 75 % of its time).
Caught: of the tickets that breached, those that were warned of. False alarms: of the warnings, those whose ticket did not breach.
Lead: calendar hours from the warning to the deadline as it stood then, the median over caught tickets.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from pilothouse.sla.engine.forecast.history import NOBODY, Flags, Floats, History, Ints, Moments

BINS = 10
RULE_SHARE = 0.75
WARN_AT = 0.6
SWEEP = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
TEAMS_AT_MOST = 40
_SMALLEST = 1e-4


@dataclass(frozen=True, slots=True)
class Tested:
    """Judged moments of unseen tickets, and what is compared: `base`, and the `rule`'s two probabilities (below, above 75 %)."""

    history: History
    moments: Moments
    probability: Floats
    share_used: Floats
    left_hours: Floats
    base: float
    rule: tuple[float, float]
    cut: int
    factors: Mapping[str, float]

    @property
    def ticket(self) -> Ints:
        """The ticket of each moment."""
        return self.history.ticket[self.moments.event]

    @property
    def missed(self) -> Ints:
        """Whether the ticket of each moment breached in the end."""
        return self.history.breached[self.ticket]


def report(tested: Tested) -> dict[str, Any]:
    """Return the validation report in JSON's terms."""
    first = np.r_[True, tested.ticket[1:] != tested.ticket[:-1]]
    tickets = tested.ticket[first]
    return {
        "cut": tested.cut,
        "from": int(tested.history.opened.min()),
        "until": int(tested.history.opened[tickets].max()),
        "tickets": len(tickets),
        "breached": float(tested.history.breached[tickets].mean()),
        "opening": scores(tested, first),
        "unfolding": scores(tested, np.ones(len(first), bool)),
        "curve": curve(tested.probability, tested.missed),
        "warnings": warnings(tested),
        "factors": dict(sorted(tested.factors.items(), key=lambda each: -each[1])),
    }


def scores(tested: Tested, chosen: Flags) -> dict[str, Any]:
    """Return the measures of the model, the rule and the base rate over the chosen moments."""
    missed, used = tested.missed[chosen], tested.share_used[chosen]
    late = used >= RULE_SHARE
    rule = {**measures(np.where(late, tested.rule[1], tested.rule[0]), missed), "auc": auc(used, missed)}
    rule["hard_brier"] = _rounded(float(np.mean((late - missed) ** 2)))
    return {
        "moments": int(chosen.sum()),
        "breached": _rounded(float(missed.mean())),
        "model": measures(tested.probability[chosen], missed),
        "rule": rule,
        "base": measures(np.full(len(missed), tested.base), missed),
    }


def measures(probability: Floats, missed: Ints) -> dict[str, Any]:
    """Return AUC, Brier, log loss and ECE of probabilities."""
    sure = np.clip(probability, _SMALLEST, 1 - _SMALLEST)
    surprise = -np.mean(np.where(missed == 1, np.log(sure), np.log(1 - sure)))
    return {
        "auc": auc(probability, missed),
        "brier": _rounded(float(np.mean((probability - missed) ** 2))),
        "log_loss": _rounded(float(surprise)),
        "ece": _rounded(calibration_error(probability, missed)),
    }


def _rounded(value: float) -> float:
    return round(value, 4)


def auc(score: Floats, missed: Ints) -> float | None:
    """Return the area under the ROC curve, ties counting half; None when all outcomes are the same.

    >>> auc(np.array([0.1, 0.4, 0.35, 0.8]), np.array([0, 0, 1, 1]))
    0.75
    """
    hits, rest = int(missed.sum()), int(len(missed) - missed.sum())
    if not hits or not rest:
        return None
    ordered = np.sort(score)
    rank = (np.searchsorted(ordered, score, "left") + np.searchsorted(ordered, score, "right") + 1) / 2
    return _rounded(float((rank[missed == 1].sum() - hits * (hits + 1) / 2) / (hits * rest)))


def calibration_error(probability: Floats, missed: Ints) -> float:
    """Return the mean distance of what was said and what came, over ten bins, weighted by their counts."""
    bins = _bin(probability)
    number = np.bincount(bins, minlength=BINS)
    gaps = np.abs(np.bincount(bins, probability, BINS) - np.bincount(bins, missed, BINS))
    return float(gaps.sum() / number.sum()) if len(probability) else 0.0


def _bin(probability: Floats) -> Ints:
    return np.minimum((probability * BINS).astype(np.int64), BINS - 1)


def curve(probability: Floats, missed: Ints) -> list[dict[str, Any]]:
    """Return the calibration curve: of each tenth of probability, how many moments, what was said and what came (None: no moments)."""
    bins = _bin(probability)
    found = []
    for number in range(BINS):
        own = bins == number
        said, came = (float(probability[own].mean()), float(missed[own].mean())) if own.any() else (None, None)
        found.append({"low": number / BINS, "high": (number + 1) / BINS, "count": int(own.sum()), "said": said, "came": came})
    return found


def warnings(tested: Tested) -> dict[str, Any]:
    """Return lead time against false alarms: over all, by threshold, and by team at the threshold that is used."""
    whole = np.ones(len(tested.moments), bool)
    by_model = _first_warnings(tested, tested.probability >= WARN_AT)
    by_rule = _first_warnings(tested, tested.share_used >= RULE_SHARE)
    return {
        "threshold": WARN_AT,
        "model": _told(tested, by_model, whole),
        "rule": _told(tested, by_rule, whole),
        "sweep": [{"threshold": t, **_told(tested, _first_warnings(tested, tested.probability >= t), whole)} for t in SWEEP],
        "teams": _teams(tested, by_model, by_rule),
    }


def _first_warnings(tested: Tested, warned: Flags) -> Flags:
    """Mark each ticket's first moment that is warned of."""
    places = np.flatnonzero(warned)
    _, firsts = np.unique(tested.ticket[places], return_index=True)
    found = np.zeros(len(warned), bool)
    found[places[firsts]] = True
    return found


def _told(tested: Tested, warned: Flags, of: Flags) -> dict[str, Any]:
    """Return what warnings were worth among the tickets of these moments."""
    tickets = np.unique(tested.ticket[of])
    breaches = int(tested.history.breached[tickets].sum())
    own = warned & of
    right = own & (tested.missed == 1)
    number, caught = int(own.sum()), int(right.sum())
    return {
        "tickets": len(tickets),
        "breaches": breaches,
        "warned": number,
        "caught": caught,
        "caught_share": _rounded(caught / breaches) if breaches else None,
        "false_share": _rounded(1 - caught / number) if number else None,
        "lead_hours": round(float(np.nanmedian(tested.left_hours[right])), 1) if caught else None,
    }


def _teams(tested: Tested, by_model: Flags, by_rule: Flags) -> list[dict[str, Any]]:
    """Return the same by the group that had the ticket at its last moment; groups with the most breaches first."""
    last = np.flatnonzero(np.r_[tested.ticket[1:] != tested.ticket[:-1], True])
    group = tested.history.group[tested.moments.event[last]]
    of_moment = np.repeat(group, np.diff(np.r_[-1, last]))
    number, breaches = {}, {}
    for each in np.unique(group):
        own = group == each
        number[int(each)], breaches[int(each)] = int(own.sum()), int(tested.missed[last][own].sum())
    chosen = sorted(number, key=lambda each: (-breaches[each], -number[each]))[:TEAMS_AT_MOST]
    names = tested.history.names.get("group", ())
    return [
        {
            "team": names[each] if each != NOBODY and names else str(each) if each != NOBODY else "",
            "model": _told(tested, by_model, of_moment == each),
            "rule": _told(tested, by_rule, of_moment == each),
        }
        for each in chosen
    ]
