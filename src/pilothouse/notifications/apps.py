from django.apps import AppConfig


class NotificationsConfig(AppConfig):
    """Telling people: inbox, mail, webhooks."""

    name = "pilothouse.notifications"
    label = "notifications"
