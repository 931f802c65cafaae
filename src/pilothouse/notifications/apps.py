from django.apps import AppConfig


class NotificationsConfig(AppConfig):
    """Telling people: inbox, mail, webhooks."""

    name = "pilothouse.notifications"
    label = "notifications"

    def ready(self) -> None:
        from pilothouse.notifications import kinds, retold  # noqa: F401  retold registers how the journal is told, once models are loaded

        kinds.register(kinds.TEST, "Test", about="An administrator tries mail or a webhook.")
