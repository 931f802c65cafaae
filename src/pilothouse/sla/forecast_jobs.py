"""The worker's part of the forecast: judging every ten minutes, training when asked for, and asking for it once a week."""

import logging

from procrastinate.contrib.django import app

from pilothouse.platform import access, clock, outbox
from pilothouse.platform.access import Source
from pilothouse.platform.refusals import GuardRefused
from pilothouse.sla import forecasting
from pilothouse.sla.actions.escalating import take_likely_steps
from pilothouse.sla.actions.forecasting import end_training, fail_training, request_training
from pilothouse.sla.models import ForecastModel

_log = logging.getLogger(__name__)


@app.periodic(cron="*/10 * * * *")
@app.task(name="sla.judge_open", queueing_lock="sla.judge_open")
def judge_open(timestamp: int) -> None:
    """Judge what is open, then take the steps that wait for it; run again it says the same."""
    _judge()


def _judge() -> None:
    forecasting.refresh(clock.now())
    take_likely_steps(actor=access.system(Source.RULE), now=clock.now())


@app.periodic(cron="40 2 * * *")
@app.task(name="sla.request_training", queueing_lock="sla.request_training")
def request_when_due(timestamp: int) -> None:
    """Ask for a training when the last is a week old, or the history has grown by a tenth."""
    if not forecasting.is_due(clock.now()):
        return
    try:
        request_training(actor=access.system(), now=clock.now())
    except GuardRefused:
        _log.info("Forecast: a training is under way already.")


@app.task(name="sla.train_forecast")
def train_forecast(entry_id: int, kind: str, record_id: int) -> None:
    """Do a training that was asked for, and judge anew; delivered again after a crash it begins anew, one that ended is left alone."""
    if not ForecastModel.objects.filter(pk=record_id, report={}).exists():
        return
    actor = access.system()
    try:
        trained = forecasting.trained(clock.now())
    except Exception as fault:
        fail_training(actor=actor, model_id=record_id, fault=f"{type(fault).__name__}: {fault}", now=clock.now())
        raise
    end_training(actor=actor, model_id=record_id, trained=trained, now=clock.now())
    _judge()


outbox.subscribe("forecast_model.requested", "sla.train_forecast")
