from django.apps import AppConfig


class ChangesConfig(AppConfig):
    """Changes to configuration items."""

    name = "pilothouse.changes"
    label = "changes"

    def ready(self) -> None:
        from pilothouse.changes import actions, projections, told  # noqa: F401  registers the guard, the detail and how both are told
