from django.apps import AppConfig


class SlaConfig(AppConfig):
    """Service levels: schedules, agreements, clocks, escalation, forecast."""

    name = "pilothouse.sla"
    label = "sla"

    def ready(self) -> None:
        from pilothouse.sla import in_the_queue, panels, projections, retold  # noqa: F401  registers the clocks, and what tickets show of them
