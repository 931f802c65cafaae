from django.apps import AppConfig


class PlatformConfig(AppConfig):
    """The ground: journal, outbox, search documents."""

    name = "pilothouse.platform"
    label = "platform"
