from django.apps import AppConfig


class MorningConfig(AppConfig):
    """The morning review."""

    name = "pilothouse.morning"
    label = "morning"
