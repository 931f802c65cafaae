from django.apps import AppConfig


class MorningConfig(AppConfig):
    """The morning review."""

    name = "pilothouse.morning"
    label = "morning"

    def ready(self) -> None:
        from pilothouse.morning import retold  # noqa: F401  registers how the journal tells of it, and its kinds of message
