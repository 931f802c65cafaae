"""Asking for a forecast's training and noting what came of it: the only writers of trained models."""

from datetime import datetime, timedelta

from django.db import transaction

from pilothouse.people.queries import require
from pilothouse.platform import journal
from pilothouse.platform.access import Actor, Capability
from pilothouse.platform.journal import Change, Draft
from pilothouse.platform.refusals import GuardRefused
from pilothouse.sla.engine.forecast.training import Trained
from pilothouse.sla.models import ForecastModel

WAITING = "Asked for; the worker has not finished it yet."
_LONGEST_WAIT = timedelta(hours=1)  # afterwards it may be asked for again: its worker is gone for good


def request_training(*, actor: Actor, now: datetime) -> ForecastModel:
    """Ask for a model to be trained; the journal entry makes a worker start. Raises Forbidden, GuardRefused while one is under way."""
    require(actor, Capability.CONFIGURE)
    with transaction.atomic():
        if ForecastModel.objects.select_for_update().filter(report={}, trained_at__gt=now - _LONGEST_WAIT).exists():
            raise GuardRefused("A training is under way already.")
        row = ForecastModel.objects.create(trained_at=now, is_used=False, why=WAITING, parameters={}, report={})
        journal.record(actor, [Draft("forecast_model", row.pk, "forecast_model.requested")], now=now, new=True)
    return row


def end_training(*, actor: Actor, model_id: int, trained: Trained, now: datetime) -> ForecastModel:
    """Note what came of a training: from now on the model judges, or the rule where it may not be used."""
    require(actor, Capability.CONFIGURE)
    with transaction.atomic():
        row = ForecastModel.objects.select_for_update().get(pk=model_id)
        row.trained_at, row.is_used, row.why = now, trained.is_used, trained.why[:500]
        row.parameters, row.report = trained.model.as_json() if trained.model else {}, trained.report
        row.save()
        ForecastModel.objects.filter(is_used=True).exclude(pk=row.pk).update(is_used=False)
        counts = trained.report.get("counts", {})
        facts = (Change("is_used", None, row.is_used), *(Change(name, None, int(counts[name])) for name in sorted(counts)))
        journal.record(actor, [Draft("forecast_model", row.pk, "forecast_model.trained", facts, note=row.why)], now=now)
    return row


def fail_training(*, actor: Actor, model_id: int, fault: str, now: datetime) -> ForecastModel:
    """Note that a training broke off; whatever judged before goes on judging."""
    require(actor, Capability.CONFIGURE)
    with transaction.atomic():
        row = ForecastModel.objects.select_for_update().get(pk=model_id)
        row.why, row.report = f"The training broke off: {fault}"[:500], {"fault": fault}
        row.save(update_fields=["why", "report"])
        journal.record(actor, [Draft("forecast_model", row.pk, "forecast_model.failed", note=row.why)], now=now)
    return row
