"""The forecast's page: what judges and why, how well it does, and training anew."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from django.contrib import messages
from django.db.models.fields.json import KT
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from pilothouse.people.doors import signed_in
from pilothouse.people.models import Team
from pilothouse.platform import clock
from pilothouse.platform.access import Actor, Capability
from pilothouse.platform.refusals import GuardRefused
from pilothouse.sla import forecast_charts
from pilothouse.sla.actions.forecasting import request_training
from pilothouse.sla.models import Forecast, ForecastModel

_HISTORY = 20
_MEASURES = (
    ("auc", "AUC", "1 is perfect, 0.5 is chance"),
    ("brier", "Brier", "0 is perfect"),
    ("log_loss", "Log loss", "0 is perfect"),
    ("ece", "Calibration error", "how far what was said is from what came"),
)
_THEMES = {
    "time": "Time used and left",
    "queue": "Queue and pace of the group",
    "hour": "Hour and weekday",
    "moves": "Moves between groups",
    "updates": "Updates",
    "holds": "Holds",
    "ci": "Configuration item",
    "opened_by": "Who opened it",
}


@require_GET
@signed_in(Capability.READ_TICKETS)
def forecast(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Show what judges, and the validation report of the last training."""
    rows = list(_rows()[:_HISTORY])
    last = next((row for row in rows if row.report), None)
    reported = last.report if last else {}
    shown: dict[str, Any] = {
        "in_use": next((row for row in rows if row.is_used), None),
        "last": last,
        "waiting": next((row for row in rows if not row.report), None),
        "rows": rows,
        "judged": Forecast.objects.count(),
        "may_train": actor.can(Capability.CONFIGURE),
    }
    return render(request, "sla/forecast.html", {**shown, **(_told(reported, actor) if "unfolding" in reported else {})})


def _rows() -> Any:
    """Trainings, newest first, without their parameters, with what the list shows of each report."""
    light = ForecastModel.objects.order_by("-trained_at", "-pk").defer("parameters")
    return light.annotate(ended=KT("report__counts__ended"), auc=KT("report__unfolding__model__auc"))


def _told(report: Mapping[str, Any], actor: Actor) -> dict[str, Any]:
    warnings = report["warnings"]
    return {
        "report": report,
        "cut_at": _instant(report["cut"]),
        "from_at": _instant(report["from"]),
        "until_at": _instant(report["until"]),
        "tables": [("At opening", _compared(report["opening"])), ("As it unfolds", _compared(report["unfolding"]))],
        "calibration": forecast_charts.calibration(report["curve"]),
        "curve": [each for each in report["curve"] if each["count"]],
        "trade": forecast_charts.trade(warnings),
        "warnings": warnings,
        "teams": _teams(warnings["teams"], actor),
        "factors": _factors(report["factors"]),
    }


def _instant(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def _compared(scores: Mapping[str, Any]) -> dict[str, Any]:
    lines = [(label, hint, [scores[who].get(name) for who in ("model", "rule", "base")]) for name, label, hint in _MEASURES]
    return {"moments": scores["moments"], "breached": scores["breached"], "lines": lines}


def _teams(rows: Iterable[Mapping[str, Any]], actor: Actor) -> list[dict[str, Any]]:
    """Name the teams, without those that are hidden from the reader."""
    names = {str(pk): name for pk, name in Team.objects.exclude(pk__in=actor.hidden_team_ids).values_list("pk", "name")}
    shown = [row for row in rows if not row["team"] or row["team"] in names]
    return [{**row, "name": names[row["team"]] if row["team"] else "No group yet"} for row in shown]


def _factors(shares: Mapping[str, float]) -> list[tuple[str, int]]:
    total = sum(shares.values()) or 1.0
    named = [(_THEMES.get(name, name.replace("_", " ").capitalize()), round(100 * share / total)) for name, share in shares.items()]
    return sorted([(name, percent) for name, percent in named if percent], key=lambda each: -each[1])


@require_POST
@signed_in(Capability.CONFIGURE)
def train(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Ask for a training, and go back to the page."""
    try:
        request_training(actor=actor, now=clock.now())
        messages.success(request, "A training is asked for; the worker does it within minutes.")
    except GuardRefused as refused:
        messages.warning(request, refused.message)
    return redirect("sla-forecast")
