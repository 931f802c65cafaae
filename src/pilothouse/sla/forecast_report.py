"""The forecast's validation report for a terminal: what judges and why, the measures, warnings by threshold and by team."""

from collections.abc import Iterator, Mapping
from typing import Any

from pilothouse.people.models import Team
from pilothouse.sla.models import ForecastModel

_MEASURES = (("auc", "AUC"), ("brier", "Brier"), ("log_loss", "Log loss"), ("ece", "Calibration error"))
_WHO = ("model", "rule", "base")


def report_text() -> str:
    """Return the report of the last training as text; says so when there was none."""
    last = ForecastModel.last_trained()
    if last is None:
        return "No forecast has been trained yet: each ticket is judged by the share of its time that is used."
    return "\n".join(_lines(last, {str(pk): name for pk, name in Team.objects.values_list("pk", "name")}))


def report_values() -> dict[str, Any]:
    """Return the report of the last training in JSON's terms, with whether it is used and why; empty when there was none."""
    last = ForecastModel.last_trained()
    if last is None:
        return {}
    return {"trained_at": last.trained_at.isoformat(), "is_used": last.is_used, "why": last.why, **last.report}


def _lines(last: ForecastModel, teams: Mapping[str, str]) -> Iterator[str]:
    judges = "A model judges" if last.is_used else "The 75 % rule judges"
    yield f"{judges}; last training {last.trained_at:%Y-%m-%d %H:%M} UTC. {last.why}"
    report = last.report
    if "unfolding" not in report:
        return
    yield f"\nTried on {report['tickets']:,} tickets that it had not seen; {report['breached']:.0%} missed their target."
    for name, scores in (("at opening", report["opening"]), ("as it unfolds", report["unfolding"])):
        head = f"{name} ({scores['moments']:,} moments)"
        yield f"\n{head:34}{'model':>9}{'75 % rule':>11}{'all':>9}"
        yield from (f"  {label:30}" + _figures([scores[who].get(key) for who in _WHO]) for key, label in _MEASURES)
    warnings = report["warnings"]
    yield f"\n{'warn':34}{'warned':>9}{'caught':>9}{'false':>8}{'lead':>9}"
    yield from (_told(f"from {each['threshold']:.0%} likely", each) for each in warnings["sweep"])
    yield _told("75 % rule", warnings["rule"])
    head = f"by team, from {warnings['threshold']:.0%} likely"
    yield f"\n{head:34}{'warned':>9}{'caught':>9}{'false':>8}{'lead':>9}"
    for each in warnings["teams"]:
        yield _told(teams.get(each["team"], "no group yet"), each["model"])
        yield _told("  75 % rule", each["rule"])


def _figures(values: list[float | None]) -> str:
    return "".join(f"{'–' if value is None else f'{value:.3f}':>{width}}" for value, width in zip(values, (11, 11, 9), strict=True))


def _told(name: str, each: Mapping[str, Any]) -> str:
    caught, false = (f"{each[key]:.0%}" if each[key] is not None else "–" for key in ("caught_share", "false_share"))
    lead = f"{each['lead_hours']:g} h" if each["lead_hours"] is not None else "–"
    return f"  {name[:31]:32}{each['warned']:>9,}{caught:>9}{false:>8}{lead:>9}"
