from django.apps import AppConfig


class ChangesConfig(AppConfig):
    """Changes to configuration items."""

    name = "pilothouse.changes"
    label = "changes"

    def ready(self) -> None:
        # They register the guard, the detail, how both are told, what pages show of them, and the fields of queries.
        from pilothouse.changes import actions, acts, panels, projections, queue_fields, told  # noqa: F401
