from django.apps import AppConfig


class SlaConfig(AppConfig):
    """Service levels: schedules, agreements, clocks, escalation, forecast."""

    name = "pilothouse.sla"
    label = "sla"
